//! `cardswitch journal`: its archive, its number of shards, and what to do when PostgreSQL went
//! back in time. It owns how results are printed; the work is the shards' and the store's.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use switch_domain::{Seq, ShardId};
use switch_shard::{ArchiveOptions, ArchivedRange};
use switch_store::Store;

use super::reconcile::{self, Reconcile};
use super::recorded::recorded;
use super::reshard;
use crate::cli::ConfigArgs;
use crate::config::Config;
use crate::database;

/// Work on the journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Write what is past to files, read them back, and take those parts out of the database
    Archive {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
        /// The archive's directory [default: that of the configuration]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Only this shard [default: all]
        #[arg(long)]
        shard: Option<u16>,
        /// No row behind this one [default: everything that nobody reads again]
        #[arg(long)]
        up_to: Option<i64>,
        /// Leave the detached tables in the database instead of dropping them
        #[arg(long)]
        keep_tables: bool,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Move accounts and cards to another number of data shards, while nobody serves
    Reshard {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
        /// How many data shards there are to be; shards.data_shards of the configuration from then
        /// on
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
        data_shards: u16,
        /// End the process that owns the shards now, even if it seems alive
        #[arg(long)]
        take_over: bool,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Tell what this switch had committed and PostgreSQL lost by going back in time
    Reconcile {
        /// The configuration
        #[command(flatten)]
        config: ConfigArgs,
        /// A file of lost rows [default: all in the configured directory]
        #[arg(long)]
        file: Vec<PathBuf>,
        /// Your name: you have settled what was lost, and the switch may be started again
        #[arg(long, value_name = "NAME")]
        acknowledge: Option<String>,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: JournalCommand) -> anyhow::Result<ExitCode> {
    match command {
        JournalCommand::Archive { config, dir, shard, up_to, keep_tables, json } => {
            let config = super::read(config.config.as_deref())?;
            let options = ArchiveOptions {
                directory: dir.unwrap_or_else(|| config.journal.archive_dir.clone()),
                shard: shard.map(ShardId),
                up_to: up_to.map(Seq),
                keep_tables,
            };
            archive(&config, &options, json).await
        }
        JournalCommand::Reshard { config, data_shards, take_over, json } => {
            let config = super::read(config.config.as_deref())?;
            reshard::run(&config, data_shards, take_over, json).await
        }
        JournalCommand::Reconcile { config, file, acknowledge, json } => {
            let config = super::read(config.config.as_deref())?;
            reconcile::run(&config, Reconcile { files: file, acknowledge, json }).await
        }
    }
}

async fn archive(
    config: &Config,
    options: &ArchiveOptions,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let database = database::connect_beside(&config.database).await?;
    let archived = archived(&database.store, options).await;
    database.close().await?;
    let archived = archived?;
    if as_json {
        let parts: Vec<_> = archived.iter().map(part).collect();
        println!("{}", json!({ "directory": options.directory, "parts": parts }));
        return Ok(ExitCode::SUCCESS);
    }
    for one in &archived {
        let ArchivedRange { range, records, written } = one;
        let found = if *written { "" } else { " (its files were there already)" };
        println!(
            "shard {}, rows {} to {}: {records} records archived{found}",
            range.shard, range.first, range.last
        );
    }
    println!("{} part(s) archived in {}", archived.len(), options.directory.display());
    Ok(ExitCode::SUCCESS)
}

async fn archived(store: &Store, options: &ArchiveOptions) -> anyhow::Result<Vec<ArchivedRange>> {
    store.migrate().await?;
    let act = ("journal-archive", "the journal".to_owned());
    recorded(store, act, async { Ok(switch_shard::archive(store, options).await?) }).await
}

fn part(one: &ArchivedRange) -> serde_json::Value {
    json!({
        "shard": one.range.shard.0,
        "first": one.range.first.0,
        "last": one.range.last.0,
        "records": one.records,
        "written": one.written,
    })
}
