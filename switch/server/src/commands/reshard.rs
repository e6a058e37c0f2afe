//! `cardswitch journal reshard`: another number of data shards (W-12). It owns the checks that a
//! start makes before it takes shards over, and how the result is printed; the work is the shards'.

use std::process::ExitCode;

use serde_json::json;
use switch_domain::Placement;
use switch_shard::{ReshardOptions, ReshardReport, TakeoverMode};

use super::recorded::recorded;
use crate::config::Config;
use crate::database::{self, Connected};
use crate::heads;

pub(super) async fn run(
    config: &Config,
    data_shards: u16,
    take_over: bool,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let mode = if take_over { TakeoverMode::Force } else { TakeoverMode::RefuseIfOwned };
    let journal_part_rows = config.shards.journal_part_rows;
    let options = ReshardOptions { data_shards, journal_part_rows, mode };
    let database = database::connect_beside(&config.database).await?;
    let resharded = reshard(config, &database, options).await;
    database.close().await?;
    let report = resharded?;
    if as_json {
        println!("{}", to_json(&report));
    } else {
        print(&report, config.shards.data_shards);
    }
    Ok(ExitCode::SUCCESS)
}

async fn reshard(
    config: &Config,
    database: &Connected,
    options: ReshardOptions,
) -> anyhow::Result<ReshardReport> {
    let store = &database.store;
    store.check_settings(config.database.allow_settings_that_lose_money).await?;
    store.migrate().await?;
    heads::note_what_is_missing(store, &config.journal.lost_dir).await?;
    let act = ("journal-reshard", format!("data shards {}", options.data_shards));
    let work = async { Ok(switch_shard::reshard(store, options).await?) };
    let report = recorded(store, act, work).await?;
    // A restore to before it would bring the old shards back: from now on that is noticed.
    if let Err(error) = heads::write(store, &config.journal.lost_dir).await {
        tracing::warn!(%error, "the heads of the journal cannot be noted");
    }
    Ok(report)
}

fn numbers(placement: Placement) -> Vec<u16> {
    placement.data().map(|shard| shard.0).collect()
}

fn to_json(report: &ReshardReport) -> serde_json::Value {
    let done = report.done.as_ref();
    let sealed = done.map(|done| &done.sealed[..]).unwrap_or_default().iter().map(
        |head| json!({ "shard": head.shard.0, "row": head.seq.0, "hash": hex::encode(head.hash) }),
    );
    json!({
        "done": done.is_some(),
        "from": numbers(report.from),
        "to": numbers(report.to),
        "sealed": sealed.collect::<Vec<_>>(),
        "balances": report.balances,
        "cards": report.cards,
        "open_authorizations": report.open_authorizations,
    })
}

fn print(report: &ReshardReport, configured: u16) {
    let wanted = report.to.data_shards();
    match &report.done {
        None => println!("The journal has {wanted} data shard(s) already: nothing to do."),
        Some(done) => {
            for head in &done.sealed {
                println!("shard {} sealed with row {}", head.shard, head.seq);
            }
            for (shard, last) in &done.founded {
                println!("shard {shard} founded, rows 0 to {last}");
            }
            println!(
                "{} balance(s), {} card(s) and {} open hold(s) moved from {} data shard(s) to \
                 {wanted}",
                report.balances,
                report.cards,
                report.open_authorizations,
                report.from.data_shards()
            );
        }
    }
    if configured != wanted {
        println!(
            "Now set shards.data_shards = {wanted} in the configuration; it says {configured}."
        );
    }
}
