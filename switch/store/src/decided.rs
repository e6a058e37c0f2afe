//! What was decided of a card or an account, by pages, the latest first. It owns that a page is
//! read day by day and no further than it has to be, in the time that it is given, and that
//! PostgreSQL takes the summaries of pages for it (migration 58). It changes nothing.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use switch_domain::{Authorization, AuthorizationId, BalanceId, CardId, Reason, Timestamp};

use crate::error::StoreError;
use crate::explain::{Words, words};
use crate::load::authorizations::{OF_BALANCE, OF_CARD, authorization};
use crate::load::row::each;
use crate::pg_timestamp::PgTimestamp;
use crate::store::{SNAPSHOT, Store};

const DOING: &str = "reading what was decided of a card or an account";

const MICROS_A_DAY: i64 = 86_400_000_000;

/// Of a table that nobody analyses PostgreSQL takes every summary for one that fits, and would
/// rather walk through the key of the whole day: what that costs by the row is said to be much. One
/// reader needs no helpers.
const BY_SUMMARIES: &str = "\
    SET LOCAL enable_seqscan = off;
    SET LOCAL cpu_index_tuple_cost = 1;
    SET LOCAL max_parallel_workers_per_gather = 0";

const WITHIN: &str = "SELECT set_config('statement_timeout', $1, true)";

/// PostgreSQL's code for a statement that was ended for its time.
const ENDED: &str = "57014";

/// Whose authorizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedOf {
    /// Of one card.
    Card(CardId),
    /// Of one account, by whichever of its cards.
    Balance(BalanceId),
}

/// A place in the order of authorizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecidedPosition {
    /// When it was decided.
    pub at: Timestamp,
    /// Its name.
    pub id: AuthorizationId,
}

impl DecidedPosition {
    /// Before everything of this moment.
    #[must_use]
    pub const fn before(at: Timestamp) -> Self {
        Self { at, id: AuthorizationId(i64::MIN) }
    }

    /// The moment before which all lies that comes before it.
    const fn end(self) -> Timestamp {
        let whole = self.id.0 == i64::MIN;
        if whole { self.at } else { Timestamp(self.at.0.saturating_add(1)) }
    }
}

/// Which of them.
#[derive(Clone, Copy, Debug)]
pub struct DecidedSpan {
    /// From this moment on,
    pub from: Timestamp,
    /// and before this place.
    pub before: DecidedPosition,
    /// Those that were granted, or those that were not; all, where it is not said.
    pub granted: Option<bool>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct DecidedLine {
    /// Its row.
    pub authorization: Authorization,
    /// Choices of it by their stable names.
    pub words: Words,
}

/// A page of them.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The latest first.
    pub lines: Vec<DecidedLine>,
    /// Where the next page goes on; `None` where there is nothing more.
    pub next: Option<DecidedPosition>,
}

impl Store {
    /// What was decided of a card or an account, at most so many, the latest first: as far as the
    /// tables have it, which follow the journal by a quarter of a second. A page ends early where
    /// its time is over, and says where to go on; `None` where not one day could be read in it.
    ///
    /// # Errors
    /// A value that this version does not know, named; PostgreSQL.
    pub async fn decided(
        &self,
        of: DecidedOf,
        span: DecidedSpan,
        most: u32,
        patience: Duration,
    ) -> Result<Option<Decided>, StoreError> {
        let database = StoreError::database;
        let began = Instant::now();
        let mut tx = self.pool().begin_with(SNAPSHOT).await.map_err(database(DOING))?;
        by_summaries(&mut tx).await.map_err(database(DOING))?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (mut lines, mut before) = (Vec::new(), span.before);
        while before.at > span.from && lines.len() <= most {
            let left = patience.saturating_sub(began.elapsed());
            let read = match left.is_zero() {
                true => None,
                false => day(&mut tx, of, &DecidedSpan { before, ..span }, (most, left)).await?,
            };
            let Some(day) = read else {
                let nothing_read = before == span.before;
                let page = Decided { lines, next: Some(before) };
                return Ok(if nothing_read { None } else { Some(page) });
            };
            let wanted = most.saturating_add(1).saturating_sub(lines.len());
            lines.extend(day.into_iter().take(wanted));
            before = DecidedPosition::before(day_before(before.at));
        }
        tx.rollback().await.map_err(database(DOING))?;
        let more = lines.len() > most;
        lines.truncate(most);
        let last = lines.last().filter(|_| more).map(|line| line.authorization.clone());
        let next = last.map(|one| DecidedPosition { at: one.decided_at, id: one.id });
        Ok(Some(Decided { lines, next }))
    }
}

/// The first moment of the day in which the last moment before this one lies.
fn day_before(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_sub(1).div_euclid(MICROS_A_DAY).saturating_mul(MICROS_A_DAY))
}

/// Until its end a transaction takes summaries wherever there are any.
pub(crate) async fn by_summaries(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(BY_SUMMARIES).execute(tx).await.map(|_| ())
}

/// Until its end its statements may take so long, each.
pub(crate) async fn within(tx: &mut PgConnection, left: Duration) -> Result<(), sqlx::Error> {
    // Nothing is no limit at all.
    let left = left.as_millis().max(1).to_string();
    sqlx::query(WITHIN).bind(left).execute(tx).await.map(|_| ())
}

/// Whether a statement was ended for its time.
pub(crate) fn is_late(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else { return false };
    let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some(ENDED)
}

/// Those of the day before a place, one more than a page has at most; `None` where it took too
/// long.
async fn day(
    tx: &mut PgConnection,
    of: DecidedOf,
    span: &DecidedSpan,
    (most, left): (usize, Duration),
) -> Result<Option<Vec<DecidedLine>>, StoreError> {
    within(tx, left).await.map_err(StoreError::database(DOING))?;
    let (sql, id) = match of {
        DecidedOf::Card(id) => (OF_CARD, id.0),
        DecidedOf::Balance(id) => (OF_BALANCE, id.0),
    };
    let grants: Vec<&str> =
        Reason::ALL.into_iter().filter(|one| one.is_approval()).map(Reason::name).collect();
    // A plan that is kept would be one of all days.
    let query = sqlx::query(sql)
        .persistent(false)
        .bind(id)
        .bind(PgTimestamp(span.from.max(day_before(span.before.at))))
        .bind(PgTimestamp(span.before.end()))
        .bind(PgTimestamp(span.before.at))
        .bind(span.before.id.0)
        .bind(span.granted)
        .bind(grants)
        .bind(i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1));
    let read = each(tx, query, |row| {
        let authorization = authorization(row)?;
        Ok(DecidedLine { words: words(&authorization), authorization })
    });
    match read.await {
        Ok(lines) => Ok(Some(lines)),
        Err(error) if is_late(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
