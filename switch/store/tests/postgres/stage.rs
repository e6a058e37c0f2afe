//! A database with our tables, owners that share it, and what tests look at from outside.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use switch_domain::{Epoch, Record, Seq, ShardId};
use switch_store::private_postgres::{TestDatabase, fresh_database};
use switch_store::{
    Appended, ChainFault, CommittedBatch, Hash, Journal, JournalRow, PgAppender,
    ProjectionSettings, Projector, Store, StoreOptions, fresh_owner,
};
use tokio::sync::{Notify, mpsc, watch};

pub(crate) struct Stage {
    database: TestDatabase,
    pub(crate) store: Store,
}

impl Stage {
    /// An empty database with the tables of this version.
    pub(crate) async fn new() -> Self {
        let database = fresh_database().await;
        let store = open(&database).await;
        store.migrate().await.expect("migrations");
        Self { database, store }
    }

    /// Another process on the same database.
    pub(crate) async fn another(&self) -> Store {
        open(&self.database).await
    }

    /// The name of the database.
    pub(crate) fn name(&self) -> &str {
        self.database.name()
    }

    /// How a superuser connects to it.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        self.database.url().connect_options()
    }

    /// A session of somebody, by name.
    pub(crate) async fn session(&self, name: &str) -> PgConnection {
        let options = self.database.url().connect_options().application_name(name);
        options.connect().await.expect("a session")
    }

    pub(crate) async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.store.pool()).await.expect("statement");
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        query.fetch_one(self.store.pool()).await.expect("a count")
    }

    /// Returns when a connection of this process waits for somebody's lock on a key.
    pub(crate) async fn until_waiting(&self, store: &Store) {
        let name = format!("cardswitch/{}", store.owner());
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'
                AND wait_event_type = 'Lock' AND datname = current_database()"
        );
        loop {
            // A takeover ends the onlooker's connection too: the pool makes another.
            let query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.as_str()));
            if query.fetch_one(self.store.pool()).await.is_ok_and(|waiting| waiting > 0) {
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn close(self) {
        self.store.pool().close().await;
        self.database.close().await;
    }
}

async fn open(database: &TestDatabase) -> Store {
    let connect = database.url().connect_options();
    let options = StoreOptions { connect, owner: fresh_owner(), max_connections: 3 };
    Store::connect(options).await.expect("a connection")
}

/// A writer of one shard's journal.
pub(crate) struct Writer {
    shard: ShardId,
    head: Seq,
    hash: Hash,
    epoch: Epoch,
    store: Store,
    pub(crate) journal: PgAppender,
}

impl Writer {
    /// Of a shard that has no rows yet.
    pub(crate) fn new(store: &Store, shard: ShardId) -> Self {
        Self {
            shard,
            head: Seq::NONE,
            hash: Hash::genesis(shard),
            epoch: Epoch(1),
            store: store.clone(),
            journal: store.appender(),
        }
    }

    /// Of a shard that was taken over.
    pub(crate) fn behind(store: &Store, taken: &switch_store::TakenShard) -> Self {
        let writer = Self::new(store, taken.shard);
        Self { head: taken.head, hash: taken.head_hash, epoch: taken.epoch, ..writer }
    }

    /// The next row, not sent yet.
    pub(crate) fn seal(&self, records: &[Record]) -> JournalRow {
        let (shard, seq, owner) = (self.shard, self.head.next(), self.store.owner());
        JournalRow::seal(shard, seq, self.epoch, owner, self.hash, records)
    }

    /// Appends a row and goes on behind it.
    pub(crate) async fn append(&mut self, records: &[Record]) -> CommittedBatch {
        let row = self.seal(records);
        assert_eq!(self.journal.append(&row).await, Appended::Committed);
        (self.head, self.hash) = (row.seq, row.hash);
        CommittedBatch { seq: row.seq, records: Arc::new(records.to_vec()) }
    }
}

/// A projector at work.
pub(crate) struct Projecting {
    pub(crate) batches: mpsc::UnboundedSender<CommittedBatch>,
    pub(crate) progress: watch::Receiver<Seq>,
    pub(crate) nudge: Arc<Notify>,
    pub(crate) task: tokio::task::JoinHandle<Result<(), ChainFault>>,
}

impl Projecting {
    pub(crate) fn start(store: &Store, shard: ShardId) -> Self {
        let (batches, rx) = mpsc::unbounded_channel();
        let (seen, progress) = watch::channel(Seq::NONE);
        let nudge = Arc::new(Notify::new());
        let run = Projector::new(store.tables(), ProjectionSettings::default()).run(
            shard,
            rx,
            seen,
            Arc::clone(&nudge),
        );
        Self { batches, progress, nudge, task: tokio::spawn(run) }
    }

    pub(crate) fn give(&self, batch: &CommittedBatch) {
        self.batches.send(batch.clone()).expect("a projector that runs");
    }

    /// Returns when the tables have this row.
    pub(crate) async fn until(&mut self, seq: Seq) {
        self.nudge.notify_one();
        self.progress.wait_for(|seen| *seen >= seq).await.expect("a projector that runs");
    }

    /// Closes the channel and waits for the rest.
    pub(crate) async fn finish(self) {
        drop(self.batches);
        let ended = self.task.await.expect("a projector that does not panic");
        assert_eq!(ended, Ok(()));
    }
}
