//! The way to PostgreSQL: how connections are made, named and bounded. It owns the pool for
//! ordinary SQL; appends, takeover and projection have connections of their own, so that none of
//! them can be starved by a report.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};
use switch_domain::OwnerId;

use crate::error::StoreError;
use crate::fault_points::{KillPoint, end_at, is_due};
use crate::journal::PgAppender;
use crate::no_delay;
use crate::projection::PgTables;
use crate::roles::Role;

/// How long a connection may take to be made.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Begins a look at the tables as they stand at one moment.
pub(crate) const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Whom to connect to, and as whom. `Debug` shows neither user nor password.
#[derive(Clone)]
pub struct StoreOptions {
    /// The server, as read from a URL by whoever holds the secret.
    pub connect: PgConnectOptions,
    /// The process: stands in the name of every connection, so that a later owner can end them.
    pub owner: OwnerId,
    /// Connections for ordinary SQL. Each shard has two more of its own.
    pub max_connections: u32,
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("host", &self.connect.get_host())
            .field("port", &self.connect.get_port())
            .field("database", &self.connect.get_database())
            .field("owner", &self.owner)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// A fresh owner, for one process start (W-1).
#[must_use]
pub fn fresh_owner() -> OwnerId {
    OwnerId(uuid::Uuid::new_v4().into_bytes())
}

/// The name of an owner's connections (W-11).
pub(crate) fn application_name(owner: OwnerId) -> String {
    format!("cardswitch/{owner}")
}

/// PostgreSQL, as the switch uses it. Cloning shares the pool.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    options: PgConnectOptions,
    owner: OwnerId,
    max_connections: u32,
    /// Whether connections act under roles (W-23).
    apart: bool,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Store {
    /// Connects. The tables may still be absent: see [`Store::migrate`].
    ///
    /// # Errors
    /// The server cannot be reached, or refuses.
    pub async fn connect(options: StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions { owner, max_connections, .. } = options;
        let named = options
            .connect
            .application_name(&application_name(owner))
            // A peer that vanished without a word must not hold a key or a lock for hours (W-11).
            .options([
                ("tcp_keepalives_idle", "5"),
                ("tcp_keepalives_interval", "2"),
                ("tcp_keepalives_count", "3"),
                ("tcp_user_timeout", "10000"),
                ("idle_in_transaction_session_timeout", "60000"),
                // Nobody of ours waits for a report's or a migration's lock for long.
                ("lock_timeout", "10000"),
                // Compiling a statement costs more than any of ours takes.
                ("jit", "off"),
            ])
            .disable_statement_logging();
        let pool = pool(named.clone(), max_connections).await?;
        Ok(Self { pool, options: named, owner, max_connections, apart: false })
    }

    /// The same with every connection under its role, the pool's anew.
    pub(crate) async fn apart(&self) -> Result<Self, StoreError> {
        let apart = Self { apart: true, ..self.clone() };
        let pool = pool(apart.acting(Role::Ordinary), self.max_connections).await?;
        self.pool.close().await;
        Ok(Self { pool, ..apart })
    }

    /// How a connection under a role is made.
    fn acting(&self, role: Role) -> PgConnectOptions {
        let options = self.options.clone();
        if self.apart { role.taken_on(options) } else { options }
    }

    /// Brings the tables to this version. Forward only.
    ///
    /// # Errors
    /// A migration fails, or the tables are of a later version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // Not over the pool, whose statements are bounded in time.
        let connection = self.owner_connection().await;
        let mut connection = connection.map_err(StoreError::database("connecting to migrate"))?;
        let migrator = sqlx::migrate!("./migrations");
        for migration in migrator.iter() {
            if is_due(KillPoint::K14) {
                migrator.run_to(migration.version, &mut connection).await?;
                end_at(KillPoint::K14);
            }
        }
        migrator.run(&mut connection).await?;
        let _ = connection.close().await;
        Ok(())
    }

    /// The pool, for ordinary SQL: customers, sessions, reports. Never for what the journal owns.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The process that this store was opened by.
    #[must_use]
    pub const fn owner(&self) -> OwnerId {
        self.owner
    }

    /// An appender with a connection of its own, made at the first append. One for each shard.
    #[must_use]
    pub fn appender(&self) -> PgAppender {
        PgAppender::new(self.acting(Role::Ordinary))
    }

    /// The tables, with a connection of their own, made when it is first needed.
    #[must_use]
    pub fn tables(&self) -> PgTables {
        PgTables::new(self.clone())
    }

    /// A connection of its own, outside the pool: for reading much. Who reads by the gigabyte may
    /// not read on for seconds, while its memory grows or the machine is busy, and to PostgreSQL
    /// that looks as if nobody were there.
    pub(crate) async fn connection(&self) -> Result<PgConnection, sqlx::Error> {
        let patient = [("tcp_user_timeout", "60000")];
        connect(&self.acting(Role::Ordinary).options(patient)).await
    }

    /// A connection that may write what is made from the journal: for the projector alone.
    pub(crate) async fn projector_connection(&self) -> Result<PgConnection, sqlx::Error> {
        connect(&self.acting(Role::Projector)).await
    }

    /// A connection as whoever we logged in as: for changing tables, and for ending connections of
    /// another process.
    pub(crate) async fn owner_connection(&self) -> Result<PgConnection, sqlx::Error> {
        connect(&self.options).await
    }
}

/// A pool for ordinary SQL, whose statements are bounded in time.
async fn pool(options: PgConnectOptions, max_connections: u32) -> Result<PgPool, StoreError> {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(CONNECT_WITHIN)
        .connect_with(options.options([("statement_timeout", "60000")]))
        .await
        .map_err(StoreError::database("connecting"))
}

/// Connects within [`CONNECT_WITHIN`].
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let connecting = tokio::time::timeout(CONNECT_WITHIN, PgConnection::connect_with(options));
    let connection = connecting.await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
    no_delay::to(options.get_port());
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use crate::private_postgres::fresh_database;
    use crate::{Store, StoreOptions, fresh_owner};

    /// An audit over millions of open holds did not read for ten seconds while its memory grew, and
    /// PostgreSQL took it for dead.
    #[tokio::test]
    async fn who_reads_much_may_pause_for_longer_than_who_commits() {
        let database = fresh_database().await;
        let connect = database.url().connect_options();
        let options = StoreOptions { connect, owner: fresh_owner(), max_connections: 1 };
        let store = Store::connect(options).await.unwrap();
        let asked = "SELECT current_setting('tcp_user_timeout')";
        let mut reading = store.connection().await.unwrap();
        let patience: String = sqlx::query_scalar(asked).fetch_one(&mut reading).await.unwrap();
        let ordinary: String = sqlx::query_scalar(asked).fetch_one(store.pool()).await.unwrap();
        assert_eq!((patience.as_str(), ordinary.as_str()), ("60000", "10000"));
        drop(reading);
        store.pool().close().await;
        database.close().await;
    }
}
