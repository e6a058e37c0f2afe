//! A PostgreSQL server of our own: found, made, started, adopted and stopped with no setup.
//! It must never turn durability off, listen beyond 127.0.0.1, run as root, or print its password.
//!
//! A private cluster lives in one directory:
//!
//! ```text
//! <data_dir>/pgdata/             the cluster, owned by the account PostgreSQL runs as
//! <data_dir>/log/postgres.log    what the server says
//! <data_dir>/secret/superuser    its password, readable by our own account only
//! <data_dir>/owner.lock          held by the process that uses the cluster
//! ```
//!
//! The server runs in its own process session, so Ctrl-C in a terminal does not reach it before its
//! owner has written its last batch. If the owner dies by `kill -9` the server goes on; the next
//! [`PrivatePostgres::start`] finds it through `postmaster.pid` and adopts it.

mod account;
mod binaries;
mod cluster;
mod database_url;
mod error;
mod guest;
mod layout;
mod pid_file;
mod run;
mod temporary;
#[cfg(feature = "testing")]
mod testing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

pub use account::reachable_data_dir;
pub use database_url::DatabaseUrl;
pub use error::PrivatePostgresError;
pub use guest::url_beside_owner;
pub use run::{exit_code, run_with_cluster};
#[cfg(feature = "testing")]
pub use testing::{TestDatabase, fresh_database};

use cluster::Cluster;
use layout::Layout;

/// Environment variable naming the directory of `initdb`, `pg_ctl` and `postgres`; it goes before
/// every other place.
pub const BINARIES_VARIABLE: &str = "CARDSWITCH_PG_BIN";

/// Environment variable with the superuser URL of the server that tests make their databases on.
pub const TEST_DATABASE_VARIABLE: &str = "CARDSWITCH_TEST_DATABASE_URL";

/// The superuser of every private cluster.
const SUPERUSER: &str = "cardswitch";

/// The database every cluster has; used to administer it, never for our tables.
const MAINTENANCE_DATABASE: &str = "postgres";

/// How to run a private cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directory that holds everything of the cluster; made if absent.
    pub data_dir: PathBuf,
    /// PostgreSQL's `shared_buffers`, in megabytes.
    pub shared_buffers_mb: u32,
    /// PostgreSQL's `max_wal_size` and `min_wal_size`, in megabytes: at full load a checkpoint is
    /// taken each time that half of it is written.
    pub max_wal_mb: u32,
    /// PostgreSQL's `max_connections`.
    pub max_connections: u32,
    /// How long a start may take, recovery of a crashed cluster included.
    pub start_timeout: Duration,
    /// Throw-away data: `initdb` need not wait for the disk. The running server always does.
    pub temporary: bool,
    /// What PostgreSQL's programs find in their environment besides.
    pub environment: Vec<(String, String)>,
}

impl Options {
    /// Sensible settings for one switch on one machine.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            shared_buffers_mb: 128,
            max_wal_mb: 2048,
            max_connections: 100,
            start_timeout: Duration::from_secs(300),
            temporary: false,
            environment: Vec::new(),
        }
    }
}

/// A running private server, and the right to be its only user.
///
/// Dropping it does nothing that blocks and leaves the server running: the lock on the directory
/// is released and the next [`PrivatePostgres::start`] adopts the server. Call
/// [`PrivatePostgres::stop`] to end it.
#[derive(Debug)]
pub struct PrivatePostgres {
    cluster: Cluster,
    port: u16,
    password: layout::Password,
    adopted: bool,
    /// Released by the kernel however this process ends.
    _owner: layout::Owner,
}

impl PrivatePostgres {
    /// Makes the cluster if the directory holds none, and starts it on a free port of 127.0.0.1;
    /// or adopts the server a killed owner left running.
    ///
    /// # Errors
    /// No PostgreSQL binaries, a directory the server's account cannot reach or that is not ours,
    /// a cluster in use by a live process or made by another major version, or a server that
    /// would not start (with the end of its log).
    pub async fn start(options: &Options) -> Result<Self, PrivatePostgresError> {
        let account = account::server_account(&options.data_dir.join(layout::PGDATA))?;
        let layout = Layout::prepare(&options.data_dir, account.as_ref())?;
        let owner = layout.lock_to_stay().await?;
        let binaries = binaries::find(layout.cluster_version()?, account.as_ref())?;
        let cluster = Cluster::new(layout, binaries, account, options.clone());

        let password = cluster.ensure_made().await?;
        let (port, adopted) = match cluster.adopt(&password).await? {
            Some(port) => (port, true),
            None => (cluster.start().await?, false),
        };
        Ok(Self { cluster, port, password, adopted, _owner: owner })
    }

    /// Whether the server was already running, left by an owner that was killed.
    #[must_use]
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the cluster, without symbolic links.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.cluster.directory()
    }

    /// How a superuser connects to `database`, whether it exists or not.
    ///
    /// # Errors
    /// [`PrivatePostgresError::InvalidDatabaseName`].
    pub fn url(&self, database: &str) -> Result<DatabaseUrl, PrivatePostgresError> {
        DatabaseUrl::local(self.port, &self.password, database)
    }

    /// Makes `database` unless it exists, and says how to connect to it.
    ///
    /// # Errors
    /// An invalid name, or what the server said.
    pub async fn create_database(
        &self,
        database: &str,
    ) -> Result<DatabaseUrl, PrivatePostgresError> {
        let url = self.url(database)?;
        create_database_if_missing(&self.url(MAINTENANCE_DATABASE)?, database).await?;
        Ok(url)
    }

    /// Stops the server: connections are closed, a checkpoint is written, and it has ended when
    /// this returns.
    ///
    /// # Errors
    /// The server did not stop; it may still be running.
    pub async fn stop(self) -> Result<(), PrivatePostgresError> {
        self.cluster.stop().await
    }
}

/// Makes `database` on the server of `admin` unless it exists.
///
/// # Errors
/// An invalid name, or what the server said.
pub async fn create_database_if_missing(
    admin: &DatabaseUrl,
    database: &str,
) -> Result<(), PrivatePostgresError> {
    database_url::check_name(database)?;
    let failed = |source| PrivatePostgresError::Server {
        doing: format!("creating database {database}"),
        source,
    };
    let mut connection = admin.connect_options().connect().await.map_err(failed)?;
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
            .bind(database)
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
    if !exists {
        // The name was checked above: lower-case letters, digits and underscores only.
        let statement = format!("CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'");
        let made = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await;
        match made {
            Err(error) if !is_duplicate_database(&error) => return Err(failed(error)),
            _ => {}
        }
    }
    connection.close().await.map_err(failed)
}

/// Two processes may create the same database at once: 42P04, or 23505 on the catalogue's index.
fn is_duplicate_database(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("42P04" | "23505"))
}
