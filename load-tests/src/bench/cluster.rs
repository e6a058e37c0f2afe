//! The one PostgreSQL of a bench: private, durable, with a meter on its processor time and its log.
//! Must never run with a setting that makes commits cheaper than they are in service.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use switch_store::private_postgres::{DatabaseUrl, Options, PrivatePostgres, reachable_data_dir};
use tokio::runtime::Runtime;

use super::process;

/// Settings that are reported, and what the first three must be.
const SETTINGS: [(&str, Option<&str>); 9] = [
    ("fsync", Some("on")),
    ("synchronous_commit", Some("on")),
    ("full_page_writes", Some("on")),
    ("server_version", None),
    ("shared_buffers", None),
    ("wal_compression", None),
    ("wal_sync_method", None),
    ("max_wal_size", None),
    ("checkpoint_timeout", None),
];

/// Megabytes of log between two checkpoints.
const WAL_MB: u32 = 8192;
/// What an authorization takes in journal and tables, their indexes included; 600 were measured.
const BYTES_EACH: u64 = 700;

/// A running server and a connection to look at it with.
pub(crate) struct Cluster {
    directory: PathBuf,
    runtime: Runtime,
    postgres: Option<PrivatePostgres>,
    watch: PgConnection,
    postmaster: u32,
    settings: Vec<(String, String)>,
}

impl Cluster {
    /// Starts it below `directory`, or adopts the one that a killed bench left there.
    ///
    /// # Errors
    /// No binaries of PostgreSQL, a directory in memory, or settings that are not durable.
    pub(crate) fn start(directory: &Path) -> Result<Cluster> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let directory = reachable_data_dir(&std::path::absolute(directory)?);
        std::fs::create_dir_all(&directory).context("making the data directory")?;
        refuse_memory(&directory)?;
        let mut options = Options::new(directory.clone());
        options.max_connections = 300;
        // With less, both subjects spend their time on checkpoints half a minute apart. More cache
        // than the switch's own PostgreSQL has makes the switch slower here, for its rows are
        // written once: with 1 GB instead of 128 MB stalls of 0.13 s, and a fifth fewer.
        options.max_wal_mb = WAL_MB;
        let postgres = runtime.block_on(PrivatePostgres::start(&options))?;
        let url = postgres.url("postgres")?;
        let mut watch = runtime.block_on(url.connect_options().connect())?;
        let own: i32 = runtime
            .block_on(sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut watch))?;
        let postmaster = process::parent_of(u32::try_from(own)?)?;
        let mut settings = Vec::new();
        for (name, wanted) in SETTINGS {
            let show = AssertSqlSafe(format!("SHOW {name}"));
            let found: String = runtime.block_on(sqlx::query_scalar(show).fetch_one(&mut watch))?;
            ensure!(wanted.is_none_or(|wanted| wanted == found), "{name} is {found}");
            settings.push((name.to_owned(), found));
        }
        Ok(Cluster { directory, runtime, postgres: Some(postgres), watch, postmaster, settings })
    }

    /// Refuses a load for which the disk has no room: PostgreSQL would stop in its middle.
    ///
    /// # Errors
    /// What is free is less than so many authorizations and the log take.
    pub(crate) fn ensure_room_for(&self, authorizations: u64) -> Result<()> {
        let directory = &self.directory;
        let free = switch_store::free_bytes(directory).context("looking how much is free")?;
        let log = u64::from(WAL_MB).saturating_mul(1 << 20);
        let needed = authorizations.saturating_mul(BYTES_EACH).saturating_add(log);
        ensure!(
            free >= needed,
            "{authorizations} authorizations and the log take about {} GB below {}, where {} GB \
             are free: make room, name another --dir, or give fewer seconds",
            needed / 1_000_000_000,
            directory.display(),
            free / 1_000_000_000
        );
        Ok(())
    }

    /// The settings that the report names.
    pub(crate) fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Waits for something asynchronous.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// An empty database under this name, whatever an earlier bench left.
    pub(crate) fn fresh_database(&mut self, name: &str) -> Result<DatabaseUrl> {
        self.drop_database(name)?;
        let Some(postgres) = &self.postgres else { bail!("the server has been stopped") };
        Ok(self.runtime.block_on(postgres.create_database(name))?)
    }

    /// Removes a database, if it is there.
    pub(crate) fn drop_database(&mut self, name: &str) -> Result<()> {
        self.execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    }

    /// Writes what is dirty, so that one measurement does not pay for another.
    pub(crate) fn checkpoint(&mut self) -> Result<()> {
        self.execute("CHECKPOINT")
    }

    /// Leaves a database that has just been filled as it would be found later: its planner knows
    /// the rows, what autovacuum would soon do is done, and nothing is dirty.
    pub(crate) fn settle(&mut self, database: &DatabaseUrl) -> Result<()> {
        self.runtime.block_on(async {
            let mut connection = database.connect_options().connect().await?;
            sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await?;
            anyhow::Ok(())
        })?;
        self.checkpoint()
    }

    /// Bytes of log written since the cluster was made.
    pub(crate) fn wal_bytes(&mut self) -> Result<i64> {
        let asked = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::int8";
        let row = self.runtime.block_on(sqlx::query(asked).fetch_one(&mut self.watch))?;
        Ok(row.try_get(0)?)
    }

    /// Processor time of the server: postmaster, back ends, writers and all.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        process::cpu_of_tree(self.postmaster)
    }

    /// Stops the server.
    pub(crate) fn stop(mut self) -> Result<()> {
        let Cluster { runtime, watch, .. } = self;
        runtime.block_on(watch.close())?;
        match self.postgres.take() {
            Some(postgres) => Ok(runtime.block_on(postgres.stop())?),
            None => Ok(()),
        }
    }

    fn execute(&mut self, statement: &str) -> Result<()> {
        let statement = AssertSqlSafe(statement.to_owned());
        let done = sqlx::raw_sql(statement).execute(&mut self.watch);
        self.runtime.block_on(done)?;
        Ok(())
    }
}

/// A commit to memory is no commit.
fn refuse_memory(directory: &Path) -> Result<()> {
    let directory = directory.canonicalize()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").context("reading the mounts")?;
    let kind = file_system(&mounts, &directory);
    ensure!(
        !matches!(kind, Some("tmpfs" | "ramfs")),
        "{} is in memory: set BENCH_DIR to a directory on a disk",
        directory.display()
    );
    Ok(())
}

/// The kind of the innermost file system that a path is on.
fn file_system<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let holding = fields.filter_map(|fields| match fields.as_slice() {
        [_, place, kind, ..] if path.starts_with(place) => Some((PathBuf::from(place), *kind)),
        _ => None,
    });
    holding.max_by_key(|(place, _)| place.components().count()).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_file_system_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /mnt tmpfs rw 0 0\n/dev/b /mnt/disk xfs rw 0 0\n";
        for (path, kind) in [("/data", "ext4"), ("/mnt/x", "tmpfs"), ("/mnt/disk/y", "xfs")] {
            assert_eq!(file_system(mounts, Path::new(path)), Some(kind), "{path}");
        }
    }
}
