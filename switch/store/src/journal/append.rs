//! Appending to the journal in PostgreSQL: put-if-absent, chained, tried again with the same bytes
//! until the truth is known (W-2 to W-5). It never changes, skips or reorders a row.

use std::time::{Duration, Instant};

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::{Arguments, AssertSqlSafe, PgConnection, Row};
use switch_domain::{Epoch, OwnerId, ShardId};
use tokio::sync::watch;
use tracing::instrument::WithSubscriber;
use uuid::Uuid;

use super::confirm::{Notices, confirm};
use super::{Appended, Journal, JournalRow, PROOF_LASTS, parts};
use crate::backoff::BackOff;
use crate::fault_points::{Bug, KillPoint, has, reach, sending};
use crate::health::StoreHealth;
use crate::store::connect;

/// How long we wait for one attempt before its outcome counts as unknown (W-5).
const PATIENCE: Duration = Duration::from_secs(5);

/// Room for all that a row has beside its records: numbers, names, two hashes, their lengths.
const BESIDE_RECORDS: usize = 256;

/// One statement: in if the place is free and the row before it is the one we know (W-2). The row
/// at place 0 has no row before it. The shard stands in the text, so that the plan that PostgreSQL
/// keeps for it knows of this shard's parts alone, and need not lock those of all others each time.
fn insertion(shard: ShardId) -> String {
    format!(
        "INSERT INTO journal (shard, seq, epoch, owner, format, records, hash)
        SELECT $1, $2, $3, $4, $5, $6, $7
        WHERE $2 = 0 OR EXISTS (
            SELECT FROM journal WHERE shard = {} AND seq = $2 - 1 AND hash = $8
        )
        ON CONFLICT DO NOTHING",
        shard.0
    )
}

/// The row at a place. Where that place was archived, the head: somebody went on from there long
/// ago, and whoever comes now has slept through it.
const READ_KEY: &str = "\
    SELECT hash, owner, epoch FROM (
        SELECT 0 AS rank, hash, owner, epoch FROM journal WHERE shard = $1 AND seq = $2
        UNION ALL (
            SELECT 1, hash, owner, epoch FROM journal
            WHERE shard = $1
                AND $2 <= (SELECT max(seq) FROM journal_checkpoint WHERE shard = $1)
            ORDER BY seq DESC LIMIT 1
        )
    ) AS found ORDER BY rank LIMIT 1";

/// Whose the shard is.
const HEAD: &str = "SELECT owner, epoch FROM journal WHERE shard = $1 ORDER BY seq DESC LIMIT 1";

const PREDECESSOR: &str =
    "SELECT EXISTS (SELECT FROM journal WHERE shard = $1 AND seq = $2 - 1 AND hash = $3)";

/// Appends rows of one shard over one connection of its own.
#[derive(Debug)]
pub struct PgAppender {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    patience: Duration,
    notices: Notices,
    health: watch::Sender<StoreHealth>,
}

impl PgAppender {
    /// Connects at the first append. `options` carry the owner's name.
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        // These end a statement that is stuck before its commit, so that a connection given up by
        // us does not keep a place for ever. The commit itself is bounded by our own timer (W-5).
        let options = options.options([
            ("lock_timeout", "3000"),
            ("statement_timeout", "10000"),
            ("idle_in_transaction_session_timeout", "10000"),
        ]);
        Self {
            options,
            connection: None,
            patience: PATIENCE,
            notices: Notices::new(),
            health: watch::Sender::new(StoreHealth::Up),
        }
    }

    /// With another patience than the usual five seconds for one attempt.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Whether appends go through; changes while one is being tried again.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<StoreHealth> {
        self.health.subscribe()
    }

    /// One attempt. The connection is taken out meanwhile: an error, the timer or a caller who
    /// drops the future close it, and nothing is ever sent over a connection in an unknown state.
    async fn attempt(&mut self, row: &JournalRow) -> Result<Option<Appended>, Unknown> {
        let connection = self.connection.take();
        let (options, notices) = (&self.options, &self.notices);
        let work = async move {
            let mut connection = match connection {
                Some(connection) => connection,
                None => connect(options).await?,
            };
            notices.take_warning();
            let outcome = match put(&mut connection, row).await? {
                Put::New if !notices.take_warning() => Some(Appended::Committed),
                Put::New | Put::There => confirm(&mut connection, row, notices).await?,
                Put::Not(fate) => Some(fate),
                Put::Again => None,
            };
            Ok::<_, sqlx::Error>((outcome, connection))
        };
        let work = work.with_subscriber(self.notices.dispatch());
        let (outcome, connection) =
            tokio::time::timeout(self.patience, work).await.map_err(|_| Unknown::Timer)??;
        self.connection = Some(connection);
        Ok(outcome)
    }

    /// The answer came long after the row was sent: this process may have been paused, and its
    /// shards taken over since (W-13). The head of the journal tells.
    async fn who_owns_now(&mut self, row: &JournalRow) -> Result<Option<Appended>, Unknown> {
        let Some(mut connection) = self.connection.take() else { return Ok(None) };
        let work = async {
            let head =
                sqlx::query(HEAD).bind(i32::from(row.shard.0)).fetch_one(&mut connection).await?;
            Ok::<_, sqlx::Error>((head.try_get("owner")?, head.try_get("epoch")?))
        };
        let head = tokio::time::timeout(PROOF_LASTS, work).await;
        let (owner, epoch): (Uuid, i64) = head.map_err(|_| Unknown::Timer)??;
        self.connection = Some(connection);
        let (owner, epoch) = (OwnerId(owner.into_bytes()), Epoch(epoch));
        let ours = owner == row.owner;
        Ok(Some(if ours { Appended::Committed } else { Appended::Taken { owner, epoch } }))
    }

    fn note_failure(&self, row: &JournalRow, error: &Unknown) {
        metrics::counter!("cardswitch_journal_append_retries_total").increment(1);
        self.health.send_if_modified(|health| {
            let was_up = *health == StoreHealth::Up;
            if was_up {
                *health = StoreHealth::Down { since: Instant::now() };
            }
            was_up
        });
        tracing::warn!(
            shard = row.shard.0, seq = row.seq.0, %error,
            "the outcome of an append is unknown; the same row is sent again"
        );
    }

    fn note_success(&self) {
        self.health.send_if_modified(|health| {
            std::mem::replace(health, StoreHealth::Up) != StoreHealth::Up
        });
    }
}

impl Journal for PgAppender {
    async fn append(&mut self, row: &JournalRow) -> Appended {
        let mut back_off = BackOff::new();
        loop {
            let sent = Instant::now();
            let attempt = match self.attempt(row).await {
                Ok(Some(Appended::Committed)) if sent.elapsed() > PROOF_LASTS => {
                    self.who_owns_now(row).await
                }
                attempt => attempt,
            };
            match attempt {
                Ok(Some(outcome)) => {
                    self.note_success();
                    if has(Bug::FenceOff) {
                        return Appended::Committed;
                    }
                    return outcome;
                }
                Ok(None) => {}
                Err(error) => self.note_failure(row, &error),
            }
            tokio::time::sleep(back_off.next_wait()).await;
        }
    }
}

/// Why an attempt says nothing of the row.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error("no answer in time")]
    Timer,
    #[error(transparent)]
    Driver(#[from] sqlx::Error),
}

/// What came of putting a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is in the journal by this very statement.
    New,
    /// It was there already: an earlier attempt got it in.
    There,
    /// It is not in the journal and never will be.
    Not(Appended),
    /// Its place was taken by a transaction that then rolled back: put it again.
    Again,
}

/// Whether the row went in.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    row: &JournalRow,
) -> Result<bool, sqlx::Error> {
    reach(KillPoint::K6);
    let values = values(row).map_err(sqlx::Error::Encode)?;
    let statement = AssertSqlSafe(insertion(row.shard));
    let insert = sqlx::query_with(statement, values).execute(connection);
    let done = sending(insert, KillPoint::K7, KillPoint::K8).await?;
    Ok(done.rows_affected() == 1)
}

/// The values of [`insertion`]. Their room is made in one piece: a buffer that grows to a few
/// hundred kilobytes by doubling is copied and mapped anew at every step, for every row.
fn values(row: &JournalRow) -> Result<PgArguments, BoxDynError> {
    let mut values = PgArguments::default();
    values.reserve(8, row.records.len().saturating_add(BESIDE_RECORDS));
    values.add(i32::from(row.shard.0))?;
    values.add(row.seq.0)?;
    values.add(row.epoch.0)?;
    values.add(Uuid::from_bytes(row.owner.0))?;
    values.add(row.format)?;
    values.add(&row.records[..])?;
    values.add(&row.hash.0[..])?;
    values.add(&row.previous.0[..])?;
    Ok(values)
}

/// Puts the row and tells what came of it.
pub(crate) async fn put(
    connection: &mut PgConnection,
    row: &JournalRow,
) -> Result<Put, sqlx::Error> {
    let inserted = match insert(connection, row).await {
        Err(error) if parts::has_no_part(&error) => {
            parts::make_for(connection, row).await?;
            match insert(connection, row).await {
                // Its part was archived, and is not made again.
                Err(error) if parts::has_no_part(&error) => false,
                result => result?,
            }
        }
        result => result?,
    };
    if inserted {
        return Ok(Put::New);
    }
    match look(connection, row).await? {
        Some(Appended::Committed) => return Ok(Put::There),
        Some(fate) => return Ok(Put::Not(fate)),
        None => {}
    }
    let there: bool = sqlx::query_scalar(PREDECESSOR)
        .bind(i32::from(row.shard.0))
        .bind(row.seq.0)
        .bind(&row.previous.0[..])
        .fetch_one(connection)
        .await?;
    let first = row.seq.0 == 0;
    Ok(if there || first { Put::Again } else { Put::Not(Appended::PredecessorMissing) })
}

/// What stands at the row's place; `None` where nothing does.
pub(super) async fn look(
    connection: &mut PgConnection,
    row: &JournalRow,
) -> Result<Option<Appended>, sqlx::Error> {
    let found = sqlx::query(READ_KEY)
        .bind(i32::from(row.shard.0))
        .bind(row.seq.0)
        .fetch_optional(connection)
        .await?;
    let Some(found) = found else { return Ok(None) };
    let hash: Vec<u8> = found.try_get("hash")?;
    if hash == row.hash.0 {
        return Ok(Some(Appended::Committed));
    }
    let owner: Uuid = found.try_get("owner")?;
    let epoch = Epoch(found.try_get("epoch")?);
    Ok(Some(Appended::Taken { owner: OwnerId(owner.into_bytes()), epoch }))
}
