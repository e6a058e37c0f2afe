//! `cardswitch audit`, of the journal: is the chain unbroken, do the tables follow from the
//! journal, do the books balance? It owns how the result is printed; the checks are the shards'.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use switch_shard::{AuditFrom, AuditReport};

use crate::config::Config;
use crate::database;

pub(super) async fn run(
    config: &Config,
    archive: Option<PathBuf>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let from = match archive {
        Some(directory) => AuditFrom::Genesis(directory),
        None => AuditFrom::LastSnapshot(config.journal.archive_dir.clone()),
    };
    let database = database::connect_beside(&config.database).await?;
    let audited = switch_shard::audit(&database.store, &from).await;
    database.close().await?;
    let report = audited?;
    if as_json {
        println!("{}", to_json(&report));
    } else {
        print(&report);
    }
    Ok(if report.is_balanced() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn to_json(report: &AuditReport) -> serde_json::Value {
    json!({
        "books": if report.is_balanced() { "balanced" } else { "unbalanced" },
        "shards": report.shards,
        "journal_rows": report.journal_rows,
        "archived_rows": report.archived_rows,
        "snapshots": report.snapshots,
        "records": report.records,
        "rows_behind": report.rows_behind,
        "balances": report.balances,
        "cards": report.cards,
        "open_authorizations": report.open_authorizations,
        "findings": report.findings,
    })
}

fn print(report: &AuditReport) {
    println!("shards               {}", report.shards);
    println!("journal rows         {} (chain followed)", report.journal_rows);
    println!("  of them archived   {}", report.archived_rows);
    println!("snapshots            {}", report.snapshots);
    println!("records replayed     {}", report.records);
    println!("rows not projected   {}", report.rows_behind);
    println!("balances             {}", report.balances);
    println!("cards                {}", report.cards);
    println!("open authorizations  {}", report.open_authorizations);
    for finding in &report.findings {
        println!("FINDING              {finding}");
    }
    println!(
        "books                {}",
        if report.is_balanced() { "balanced" } else { "NOT BALANCED" }
    );
}
