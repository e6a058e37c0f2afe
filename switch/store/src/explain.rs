//! One decision as people ask for it: what was asked, what decided, what happened after. It owns
//! the questions, each of one snapshot of the tables. What a check is called is the engine's to
//! say, and nothing is judged here.

mod after;
mod compare;

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use switch_domain::{
    AsciiText, Authorization, AuthorizationId, CardId, ControlId, DecisionTrace, Evidence, LinkId,
    MinorUnits, PartnerId, SpendControl, Timestamp,
};

use crate::codes::Stored;
use crate::decided::{by_summaries, is_late, within};
use crate::error::StoreError;
use crate::format::{decode_control, evidence_from_words, trace_from_numbers};
use crate::ledger::{Span, moment};
use crate::load::authorizations::{EXPLAINED, authorization};
use crate::load::row::{Named, each};
use crate::pg_timestamp::PgTimestamp;
use crate::store::{SNAPSHOT, Store};

pub use after::{DecisionEvent, DecisionPosting};

/// An authorization or an advice of one, and all that the tables say of how it was decided and of
/// what came of it.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Its row.
    pub authorization: Authorization,
    /// Choices of it by their stable names.
    pub words: Words,
    /// The link that it came by, where that is known.
    pub link: Option<LinkId>,
    /// The last four digits of the card's number, as the vault has them for people.
    pub last_four: Option<String>,
    /// The institution, with its name.
    pub partner: Option<(PartnerId, String)>,
    /// What decided; `None` where every check passed, and in what was decided before there were
    /// traces.
    pub trace: Option<DecisionTrace>,
    /// What was found out about card and holder, where anything was verified.
    pub evidence: Option<Evidence>,
    /// The spend control that declined it, or would have.
    pub declined_by: Option<ControlSaid>,
    /// Those in shadow that would have.
    pub would_decline: Vec<ControlSaid>,
    /// What happened to it, the oldest first.
    pub events: Vec<DecisionEvent>,
    /// True where there are more events than were asked for.
    pub more_events: bool,
    /// What it and its events moved.
    pub postings: Vec<DecisionPosting>,
}

/// What there is to tell of one.
#[derive(Clone, Debug)]
pub enum Explaining {
    /// There is none of that name, or it is of another card.
    None,
    /// It could not be read in its time.
    Late,
    /// All of it.
    Told(Box<Explained>),
}

/// Choices by their stable names.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Of which class the message is.
    pub class: &'static str,
    /// What it asks for.
    pub kind: &'static str,
    /// Where the purchase is made.
    pub channel: &'static str,
    /// How the card was read.
    pub entry: &'static str,
}

/// A spend control that had something to say.
#[derive(Clone, Debug)]
pub struct ControlSaid {
    /// Its name for us.
    pub id: ControlId,
    /// As it is now; `None` where it was removed since.
    pub control: Option<SpendControl>,
}

/// By what a decision is looked for, other than by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookUp {
    /// DE37.
    Rrn(AsciiText<12>),
    /// DE38.
    ApprovalCode(AsciiText<6>),
}

/// A decision that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundDecision {
    /// Its name.
    pub id: AuthorizationId,
    /// When it was decided.
    pub at: Timestamp,
    /// What was answered.
    pub reason: String,
    /// What was asked for, in minor units.
    pub requested: MinorUnits,
    /// Numeric code.
    pub currency: i16,
    /// DE41.
    pub terminal: String,
}

const DOING: &str = "explaining a decision";

const LAST_FOUR: &str = "
    SELECT last_four FROM card JOIN pan_vault ON pan_vault.id = vault_row WHERE card.id = $1";
const PARTNER: &str = "SELECT name FROM partner WHERE id = $1";
const CONTROLS: &str = "SELECT id, terms FROM spend_control WHERE id = ANY($1)";

const FOUND: &str = "
    SELECT id, decided_at, reason, requested, currency, terminal FROM card_authorization
    WHERE decided_at >= $1 AND decided_at < $2 AND (rrn = $3 OR approval_code = $4)
    ORDER BY decided_at, id LIMIT $5";

impl Store {
    /// How an authorization was decided and what came of it, with so many events at most; `None`
    /// where there is none of that name, or its day is kept no longer. Goes through what the days
    /// since then have of events, by summaries of their pages (migration 58).
    ///
    /// # Errors
    /// A value that this version does not know, named; PostgreSQL.
    pub async fn explain(
        &self,
        id: AuthorizationId,
        most: u32,
    ) -> Result<Option<Explained>, StoreError> {
        let database = StoreError::database;
        let mut connection = self.connection().await.map_err(database(DOING))?;
        let mut tx = connection.begin_with(SNAPSHOT).await.map_err(database(DOING))?;
        by_summaries(&mut tx).await.map_err(database(DOING))?;
        let told = explained(&mut tx, (id, None), most).await?;
        tx.rollback().await.map_err(database(DOING))?;
        Ok(told)
    }

    /// The same of an authorization of this card alone, in so much time.
    ///
    /// # Errors
    /// A value that this version does not know, named; PostgreSQL.
    pub async fn explain_of_card(
        &self,
        (card, id): (CardId, AuthorizationId),
        most: u32,
        patience: Duration,
    ) -> Result<Explaining, StoreError> {
        let database = StoreError::database;
        let mut tx = self.pool().begin_with(SNAPSHOT).await.map_err(database(DOING))?;
        by_summaries(&mut tx).await.map_err(database(DOING))?;
        within(&mut tx, patience).await.map_err(database(DOING))?;
        let reading = explained(&mut tx, (id, Some(card)), most);
        // Each statement has its own time, all of them together no more than this.
        let told = match tokio::time::timeout(patience, reading).await {
            Ok(Ok(told)) => told,
            Ok(Err(error)) if is_late(&error) => return Ok(Explaining::Late),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(Explaining::Late),
        };
        tx.rollback().await.map_err(database(DOING))?;
        Ok(told.map_or(Explaining::None, |told| Explaining::Told(Box::new(told))))
    }

    /// The decisions of a span of time with that number of the message or of the answer, the oldest
    /// first, at most so many. Goes through those days: there is no index for it.
    ///
    /// # Errors
    /// PostgreSQL.
    pub async fn find_decisions(
        &self,
        what: LookUp,
        span: Span,
        most: u32,
    ) -> Result<Vec<FoundDecision>, StoreError> {
        let (rrn, code) = match &what {
            LookUp::Rrn(rrn) => (Some(rrn.as_str()), None),
            LookUp::ApprovalCode(code) => (None, Some(code.as_str())),
        };
        let rows = sqlx::query(FOUND)
            .bind(PgTimestamp(span.from))
            .bind(PgTimestamp(span.to))
            .bind(rrn)
            .bind(code)
            .bind(i64::from(most))
            .fetch_all(self.pool())
            .await
            .map_err(StoreError::database(DOING))?;
        let found: Result<_, _> = rows.iter().map(found).collect();
        found.map_err(StoreError::database(DOING))
    }
}

/// All of one, if it is there and, where that is asked, of this card.
async fn explained(
    tx: &mut PgConnection,
    (id, of): (AuthorizationId, Option<CardId>),
    most: u32,
) -> Result<Option<Explained>, StoreError> {
    let found = sqlx::query(EXPLAINED).bind(id.0).fetch_optional(&mut *tx).await;
    let Some(row) = found.map_err(StoreError::database(DOING))? else { return Ok(None) };
    let one = authorization(&row)?;
    if of.is_some() && one.card != of {
        return Ok(None);
    }
    let row = Named::new("card_authorization", &row, "id")?;
    let partner: Option<i64> = row.get("partner_id")?;
    let events = after::events(tx, &one, most).await?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let (more_events, mut events) = (events.len() > most, events);
    events.truncate(most);
    let mut said = controls(tx, &row).await?;
    let declined_by = row.get::<Option<i64>>("declined_by")?.map(|_| said.remove(0));
    Ok(Some(Explained {
        words: words(&one),
        last_four: last_four(tx, &one).await?,
        link: link(&row)?,
        partner: match partner {
            Some(id) => Some((PartnerId(id), partner_name(tx, id).await?)),
            None => None,
        },
        trace: trace(&row)?,
        evidence: evidence(&row)?,
        declined_by,
        would_decline: said,
        postings: after::postings(tx, &one, &events).await?,
        events,
        more_events,
        authorization: one,
    }))
}

pub(crate) fn words(one: &Authorization) -> Words {
    Words {
        class: one.facts.key.class.name(),
        kind: one.facts.kind.name(),
        channel: one.facts.channel.name(),
        entry: one.facts.entry.name(),
    }
}

fn trace(row: &Named<'_>) -> Result<Option<DecisionTrace>, StoreError> {
    let Some(numbers) = row.get::<Option<Vec<i64>>>("trace")? else { return Ok(None) };
    let trace = trace_from_numbers(&numbers);
    trace.map(Some).ok_or_else(|| row.illegal("trace", format!("{numbers:?}")))
}

fn evidence(row: &Named<'_>) -> Result<Option<Evidence>, StoreError> {
    let Some(words) = row.get::<Option<&str>>("evidence")? else { return Ok(None) };
    let found = evidence_from_words(words);
    found.map(Some).ok_or_else(|| row.illegal("evidence", words))
}

async fn last_four(
    tx: &mut PgConnection,
    one: &Authorization,
) -> Result<Option<String>, StoreError> {
    let card = one.card.map(|id| id.0);
    let found = sqlx::query_scalar(LAST_FOUR).bind(card).fetch_optional(tx).await;
    found.map_err(StoreError::database(DOING))
}

async fn partner_name(tx: &mut PgConnection, id: i64) -> Result<String, StoreError> {
    let name = sqlx::query_scalar(PARTNER).bind(id).fetch_optional(tx).await;
    Ok(name.map_err(StoreError::database(DOING))?.unwrap_or_default())
}

/// The controls that had something to say, in the order in which they stand in the row: first the
/// one that declined it, if one did.
async fn controls(tx: &mut PgConnection, row: &Named<'_>) -> Result<Vec<ControlSaid>, StoreError> {
    let declined_by: Option<i64> = row.get("declined_by")?;
    let would: Option<Vec<i64>> = row.get("would_decline")?;
    let ids: Vec<i64> = declined_by.into_iter().chain(would.into_iter().flatten()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let known = each(tx, sqlx::query(CONTROLS).bind(&ids), |row| {
        let row = Named::new("spend_control", row, "id")?;
        decode_control(row.get("terms")?).map_err(|fault| row.illegal("terms", fault))
    })
    .await?;
    let said = |id: i64| ControlSaid {
        id: ControlId(id),
        control: known.iter().find(|one| one.id.0 == id).cloned(),
    };
    Ok(ids.into_iter().map(said).collect())
}

fn found(row: &PgRow) -> Result<FoundDecision, sqlx::Error> {
    Ok(FoundDecision {
        id: AuthorizationId(row.try_get("id")?),
        at: moment(row, "decided_at")?,
        reason: row.try_get("reason")?,
        requested: MinorUnits(row.try_get("requested")?),
        currency: row.try_get("currency")?,
        terminal: row.try_get("terminal")?,
    })
}

fn link(row: &Named<'_>) -> Result<Option<LinkId>, StoreError> {
    let Some(link) = row.get::<Option<i32>>("link")? else { return Ok(None) };
    u16::try_from(link).map(|link| Some(LinkId(link))).map_err(|_| row.illegal("link", link))
}
