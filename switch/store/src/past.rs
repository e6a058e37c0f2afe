//! What was bought in some days, told again in its order: for a control that is tried on it. It
//! owns how authorizations and what happened to them are read, one holder after the other, so that
//! no more than one holder's past is in memory; it judges nothing.

use std::pin::Pin;

use futures_util::{Stream, TryStreamExt};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use switch_domain::{
    Authorization, AuthorizationDelta, AuthorizationId, ControlId, ControlSubject, Currency,
    DecisionTrace, MinorUnits, Reason, StandIn, Timestamp, Totals,
};

use crate::error::StoreError;
use crate::format::trace_from_numbers;
use crate::ledger::Span;
use crate::load::authorizations::{PAST, authorization};
use crate::load::row::Named;
use crate::pg_timestamp::PgTimestamp;
use crate::store::{SNAPSHOT, Store};

/// One authorization, financial message or advice of the past.
#[derive(Clone, Debug)]
pub struct PastRow {
    /// As it was when it was decided: totals, reason, and whether it was closed.
    pub authorization: Authorization,
    /// Whether it was granted, here or in our stead.
    pub granted: bool,
    /// The control that declined it, if one did.
    pub declined_by: Option<ControlId>,
    /// What each check said, where that was kept.
    pub trace: Option<DecisionTrace>,
    /// What it did to the totals of what it completes or adds to.
    pub of_first: Option<AuthorizationDelta>,
}

/// Something that happened to one of them.
#[derive(Clone, Copy, Debug)]
pub struct PastEvent {
    /// To which.
    pub authorization: AuthorizationId,
    /// When.
    pub at: Timestamp,
    /// What of it was left; `None` where its hold lived its life.
    pub standing: Option<MinorUnits>,
}

/// What one holder bought, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct PastHolder {
    /// In the order of their identifiers.
    pub rows: Vec<PastRow>,
    /// In the order of time.
    pub events: Vec<PastEvent>,
}

/// Whose past, and of which days.
#[derive(Clone, Copy, Debug)]
pub struct PastOf {
    /// Of a card, of an account, or of each card of a programme by itself.
    pub subject: ControlSubject,
    /// From when on, and up to when, something was decided.
    pub span: Span,
    /// How many authorizations one holder may have.
    pub most: usize,
}

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A holder has more than are told at once.
    #[error(
        "{holder} has more than {most} authorizations in that time, which is all that is told \
         again at once: name fewer days"
    )]
    TooMany {
        /// Whose past it is.
        holder: String,
        /// The limit.
        most: usize,
    },
}

const DOING: &str = "reading what was bought";

/// What happened to what was decided in that time, up to now: what it was at first follows from it.
const EVENTS: &str = "
    SELECT one.HOLDER AS holder, event.authorization_id, event.id, event.at, event.kind,
        event.standing, event.held, event.incremented, event.reversed, event.cleared,
        event.refunded, event.closes, one.decided_at
    FROM authorization_event AS event
    JOIN card_authorization AS one ON one.id = event.authorization_id
    WHERE SUBJECT AND one.decided_at >= $2 AND one.decided_at < $3 AND event.at >= $2
    ORDER BY one.HOLDER, event.at, event.shard, event.seq, event.idx";

const CURRENCY_OF_CARD: &str = "
    SELECT currency FROM card JOIN balance ON balance.id = balance_id WHERE card.id = $1";
const CURRENCY_OF_BALANCE: &str = "SELECT currency FROM balance WHERE id = $1";
const CURRENCY_OF_PROGRAMME: &str = "SELECT currency FROM programme WHERE id = $1";

/// A holder's column, the condition by which rows are a subject's, and its identifier.
fn holder_of(subject: ControlSubject) -> (&'static str, &'static str, i64) {
    match subject {
        ControlSubject::Card(id) => ("card_id", "one.card_id = $1", id.0),
        ControlSubject::Balance(id) => ("balance_id", "one.balance_id = $1", id.0),
        ControlSubject::Programme(id) => {
            ("card_id", "one.card_id IN (SELECT id FROM card WHERE programme_id = $1)", id.0)
        }
    }
}

impl Store {
    /// The currency in which limits of a card, an account or a programme are; `None` where there is
    /// no such thing.
    ///
    /// # Errors
    /// A currency that this version does not know; PostgreSQL.
    pub async fn currency_of(
        &self,
        subject: ControlSubject,
    ) -> Result<Option<Currency>, StoreError> {
        let (sql, id) = match subject {
            ControlSubject::Card(id) => (CURRENCY_OF_CARD, id.0),
            ControlSubject::Balance(id) => (CURRENCY_OF_BALANCE, id.0),
            ControlSubject::Programme(id) => (CURRENCY_OF_PROGRAMME, id.0),
        };
        let found = sqlx::query_scalar::<_, i16>(sql).bind(id).fetch_optional(self.pool()).await;
        let Some(code) = found.map_err(StoreError::database(DOING))? else { return Ok(None) };
        let known = u16::try_from(code).ok().and_then(|code| Currency::from_numeric(code).ok());
        known.map(Some).ok_or_else(|| StoreError::IllegalValue {
            table: "balance",
            row: id,
            column: "currency",
            found: code.to_string(),
        })
    }

    /// Tells what was bought, one holder after the other, until `tell` has an error.
    ///
    /// # Errors
    /// As said; a value that this version does not know, named; PostgreSQL; and those of `tell`.
    pub async fn each_past<E: From<PastError>>(
        &self,
        of: PastOf,
        mut tell: impl FnMut(PastHolder) -> Result<(), E>,
    ) -> Result<(), E> {
        let connect = async || -> Result<PgConnection, PastError> {
            let connection = self.connection().await.map_err(StoreError::database(DOING))?;
            Ok(connection)
        };
        let (mut one, mut other) = (connect().await?, connect().await?);
        let failed = |error| PastError::from(StoreError::database(DOING)(error));
        let mut rows = one.begin_with(SNAPSHOT).await.map_err(failed)?;
        let mut events = other.begin_with(SNAPSHOT).await.map_err(failed)?;
        let (column, condition, id) = holder_of(of.subject);
        let written = |sql: &str| sql.replace("HOLDER", column).replace("SUBJECT", condition);
        let (of_rows, of_events) = (written(PAST), written(EVENTS));
        let of_rows = sqlx::query(AssertSqlSafe(of_rows)).bind(id);
        let of_rows = of_rows.bind(PgTimestamp(of.span.from)).bind(PgTimestamp(of.span.to));
        let of_events = sqlx::query(AssertSqlSafe(of_events)).bind(id);
        let of_events = of_events.bind(PgTimestamp(of.span.from)).bind(PgTimestamp(of.span.to));
        let mut rows = Reader::over(of_rows.fetch(&mut *rows));
        let mut events = Reader::over(of_events.fetch(&mut *events));
        loop {
            let found = rows.next_holder(of.most).await?;
            let Some((holder, found)) = found else { return Ok(()) };
            if found.len() > of.most {
                let holder = format!("{} {holder}", column.trim_end_matches("_id"));
                return Err(PastError::TooMany { holder, most: of.most }.into());
            }
            let changes = events.of(holder).await?;
            tell(past(&found, &changes).map_err(PastError::from)?)?;
        }
    }
}

/// Rows as they come, with the one that was read and not given out yet.
struct Reader<'a> {
    rows: Pin<Box<dyn Stream<Item = Result<PgRow, sqlx::Error>> + Send + 'a>>,
    next: Option<(i64, PgRow)>,
    begun: bool,
}

impl<'a> Reader<'a> {
    fn over(rows: impl Stream<Item = Result<PgRow, sqlx::Error>> + Send + 'a) -> Self {
        Self { rows: Box::pin(rows), next: None, begun: false }
    }

    async fn advance(&mut self) -> Result<Option<(i64, PgRow)>, PastError> {
        let failed = |error| PastError::from(StoreError::database(DOING)(error));
        let next = match self.rows.try_next().await.map_err(failed)? {
            None => None,
            Some(row) => Some((row.try_get("holder").map_err(failed)?, row)),
        };
        self.begun = true;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// All rows of the next holder; no more than one above the limit.
    async fn next_holder(&mut self, most: usize) -> Result<Option<(i64, Vec<PgRow>)>, PastError> {
        if !self.begun {
            self.advance().await?;
        }
        let Some((holder, first)) = self.advance().await? else { return Ok(None) };
        let mut found = vec![first];
        while found.len() <= most && self.next.as_ref().is_some_and(|(next, _)| *next == holder) {
            found.extend(self.advance().await?.map(|(_, row)| row));
        }
        Ok(Some((holder, found)))
    }

    /// All rows of a holder; those of holders before it are of nothing that is told.
    async fn of(&mut self, holder: i64) -> Result<Vec<PgRow>, PastError> {
        if !self.begun {
            self.advance().await?;
        }
        let mut found = Vec::new();
        while self.next.as_ref().is_some_and(|(next, _)| *next <= holder) {
            let row = self.advance().await?;
            found.extend(row.filter(|(of, _)| *of == holder).map(|(_, row)| row));
        }
        Ok(found)
    }
}

/// An event as it is read.
struct Event {
    of: AuthorizationId,
    by: i64,
    at: Timestamp,
    kind: String,
    standing: MinorUnits,
    /// False for a reversal that gave nothing back.
    gave: bool,
    held: MinorUnits,
    delta: AuthorizationDelta,
}

fn event(row: &PgRow) -> Result<Event, sqlx::Error> {
    let amount = |column| -> Result<MinorUnits, sqlx::Error> {
        Ok(MinorUnits(row.try_get::<Option<i64>, _>(column)?.unwrap_or_default()))
    };
    let moment = |column| row.try_get::<PgTimestamp, _>(column).map(|at| at.0);
    let of = AuthorizationId(row.try_get("authorization_id")?);
    let totals = Totals {
        authorized: MinorUnits::ZERO,
        incremented: amount("incremented")?,
        reversed: amount("reversed")?,
        cleared: amount("cleared")?,
        refunded: amount("refunded")?,
    };
    let (decided_at, closes) = (moment("decided_at")?, row.try_get("closes")?);
    Ok(Event {
        of,
        by: row.try_get("id")?,
        at: moment("at")?,
        kind: row.try_get("kind")?,
        standing: amount("standing")?,
        gave: row.try_get::<Option<i64>, _>("reversed")?.is_some(),
        held: amount("held")?,
        delta: AuthorizationDelta { authorization: of, decided_at, totals, closes },
    })
}

/// One holder's past, with what each was at first.
fn past(rows: &[PgRow], events: &[PgRow]) -> Result<PastHolder, StoreError> {
    let events: Result<Vec<Event>, _> = events.iter().map(event).collect();
    let events = events.map_err(StoreError::database(DOING))?;
    let rows: Result<Vec<PastRow>, StoreError> =
        rows.iter().map(|row| past_row(row, &events)).collect();
    let changes = events.iter().filter_map(|event| {
        let standing = match event.kind.as_str() {
            "reversed" if event.gave => Some(event.standing),
            "voided" => Some(MinorUnits::ZERO),
            "expired" => None,
            _ => return None,
        };
        Some(PastEvent { authorization: event.of, at: event.at, standing })
    });
    Ok(PastHolder { events: changes.collect(), rows: rows? })
}

fn past_row(row: &PgRow, events: &[Event]) -> Result<PastRow, StoreError> {
    let mut one = authorization(row)?;
    let row = Named::new("card_authorization", row, "id")?;
    let trace: Option<Vec<i64>> = row.get("trace")?;
    let own = || events.iter().filter(|event| event.of == one.id);
    if own().any(|event| event.kind == "voided") {
        one.reason = Reason::Approved;
    }
    let granted = one.reason.is_approval() || one.stand_in.is_some_and(StandIn::holds);
    let holds = granted && !one.facts.key.class.is_financial() && one.completes.is_none();
    let totals = at_first(&one.totals, own(), holds);
    let is_of_first = |event: &&Event| {
        event.by == one.id.0 && matches!(event.kind.as_str(), "completed" | "incremented")
    };
    let of_first = events.iter().find(is_of_first).map(|event| event.delta);
    Ok(PastRow {
        granted,
        declined_by: row.get::<Option<i64>>("declined_by")?.map(ControlId),
        trace: trace.as_deref().and_then(trace_from_numbers),
        of_first,
        authorization: Authorization { totals, closed: !holds, counted: None, ..one },
    })
}

/// The totals when it was decided. What holds has nothing but what it was for, and what of that had
/// been reversed before it came; all else is what its events leave of the totals of now.
fn at_first<'e>(now: &Totals, events: impl Iterator<Item = &'e Event>, holds: bool) -> Totals {
    let less = |one: MinorUnits, other: MinorUnits| MinorUnits(one.0.saturating_sub(other.0));
    if holds {
        let early = events.filter(|event| event.kind == "reversed_early").map(|event| event.held.0);
        let reversed = MinorUnits(early.fold(0, i64::saturating_sub));
        return Totals { authorized: now.authorized, reversed, ..Totals::default() };
    }
    events.fold(*now, |totals, event| Totals {
        authorized: totals.authorized,
        incremented: less(totals.incremented, event.delta.totals.incremented),
        reversed: less(totals.reversed, event.delta.totals.reversed),
        cleared: less(totals.cleared, event.delta.totals.cleared),
        refunded: less(totals.refunded, event.delta.totals.refunded),
    })
}
