//! `cardswitch migrate`: brings the tables to this version, and stops.

use std::process::ExitCode;

use crate::config::Config;
use crate::database;

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let database = database::connect(&config.database).await?;
    let migrated = database.store.migrate().await;
    database.close().await?;
    migrated?;
    println!("the database is of this version");
    Ok(ExitCode::SUCCESS)
}
