//! What happened to an authorization after it was decided, and what that moved. It owns how the
//! events and the postings of one are found; the reversal that came before it is among them.

use std::collections::BTreeSet;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use switch_domain::{Authorization, MinorUnits, Timestamp};

use super::DOING;
use crate::error::StoreError;
use crate::ledger::moment;
use crate::pg_timestamp::PgTimestamp;

/// Something that happened to an authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionEvent {
    /// When.
    pub at: Timestamp,
    /// `reversed`, `reversed_early`, `completed`, `incremented`, `expired`, `voided`.
    pub kind: String,
    /// The number of the message that did it; its own where none did.
    pub id: i64,
    /// The link, where a message did it.
    pub link: Option<i32>,
    /// What that message was answered, or what a void made of the answer.
    pub reason: Option<String>,
    /// Added to what was authorized by increments.
    pub incremented: MinorUnits,
    /// Added to what was taken back.
    pub reversed: MinorUnits,
    /// Added to what was settled.
    pub cleared: MinorUnits,
    /// Added to what was given back after that.
    pub refunded: MinorUnits,
    /// Held more by it, or below zero less.
    pub held: MinorUnits,
    /// Whether the authorization was over with it.
    pub closes: bool,
    /// The record of the journal: shard, row, place in the row.
    pub record: (i32, i64, i32),
}

/// One leg of what was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionPosting {
    /// When.
    pub at: Timestamp,
    /// The kind of account, and the identifier of that.
    pub account: String,
    /// Whose it is.
    pub account_id: i64,
    /// Above zero what the account got, below zero what it gave, in minor units.
    pub amount: MinorUnits,
    /// Numeric code.
    pub currency: i16,
    /// The record of the journal: shard, row, place in the row.
    pub record: (i32, i64, i32),
}

/// Its own events, and the reversals that came before it and found nothing: those have an index.
const EVENTS: &str = "
    SELECT at, kind, id, link, reason, incremented, reversed, cleared, refunded, held, closes,
        shard, seq, idx
    FROM authorization_event WHERE authorization_id = $1 AND at >= $2
    UNION ALL
    SELECT at, kind, id, link, reason, incremented, reversed, cleared, refunded, held, closes,
        shard, seq, idx
    FROM authorization_event
    WHERE original_fingerprint = $3 AND original_stan = $4 AND kind = 'reversed'
        AND reversed IS NULL AND authorization_id IS NULL AND at <= $2
        AND original_terminal = $5 AND original_acquirer = $6
    ORDER BY at, shard, seq, idx LIMIT $7";

/// The record that settled it at once, by its moment and its account: the only index of postings.
const OWN: &str = "
    SELECT shard, seq, record_idx FROM posting
    WHERE account = 'balance' AND account_id = $1 AND at = $2 AND kind = 'settled'
    ORDER BY abs(amount) = $3 DESC, shard, seq, record_idx LIMIT 1";

const LEGS: &str = "
    SELECT at, account, account_id, amount, currency, posting.shard, posting.seq, record_idx
    FROM posting JOIN UNNEST($1::int4[], $2::int8[], $3::int4[], $4::timestamptz[])
        AS record (shard, seq, idx, moment)
        ON posting.shard = record.shard AND posting.seq = record.seq
            AND posting.record_idx = record.idx AND posting.at = record.moment
    ORDER BY at, posting.shard, posting.seq, posting.idx";

/// One more than so many, where there are.
pub(super) async fn events(
    tx: &mut PgConnection,
    one: &Authorization,
    most: u32,
) -> Result<Vec<DecisionEvent>, StoreError> {
    let key = &one.facts.key;
    let acquirer = match &key.acquirer {
        switch_domain::Acquirer::Institution(id) => id.to_string(),
        switch_domain::Acquirer::Link(link) => format!("link:{}", link.0),
    };
    let rows = sqlx::query(EVENTS)
        .bind(one.id.0)
        .bind(PgTimestamp(one.decided_at))
        .bind(&key.card.0[..])
        .bind(i64::try_from(key.stan).unwrap_or(i64::MAX))
        .bind(key.terminal.as_str())
        .bind(acquirer)
        .bind(i64::from(most).saturating_add(1))
        .fetch_all(tx)
        .await
        .map_err(StoreError::database(DOING))?;
    let events: Result<_, _> = rows.iter().map(event).collect();
    events.map_err(StoreError::database(DOING))
}

fn event(row: &PgRow) -> Result<DecisionEvent, sqlx::Error> {
    let amount = |column| row.try_get::<Option<i64>, _>(column).map(Option::unwrap_or_default);
    Ok(DecisionEvent {
        at: moment(row, "at")?,
        kind: row.try_get("kind")?,
        id: row.try_get("id")?,
        link: row.try_get("link")?,
        reason: row.try_get("reason")?,
        incremented: MinorUnits(amount("incremented")?),
        reversed: MinorUnits(amount("reversed")?),
        cleared: MinorUnits(amount("cleared")?),
        refunded: MinorUnits(amount("refunded")?),
        held: MinorUnits(amount("held")?),
        closes: row.try_get("closes")?,
        record: (row.try_get("shard")?, row.try_get("seq")?, row.try_get("idx")?),
    })
}

/// What it moved itself, and what its events did.
pub(super) async fn postings(
    tx: &mut PgConnection,
    one: &Authorization,
    events: &[DecisionEvent],
) -> Result<Vec<DecisionPosting>, StoreError> {
    let mut records: BTreeSet<((i32, i64, i32), Timestamp)> =
        events.iter().map(|event| (event.record, event.at)).collect();
    if let Some(balance) = one.balance.filter(|_| one.facts.key.class.is_financial()) {
        let own = sqlx::query(OWN)
            .bind(balance.0)
            .bind(PgTimestamp(one.decided_at))
            .bind(one.requested.0)
            .fetch_optional(&mut *tx)
            .await
            .map_err(StoreError::database(DOING))?;
        let own = own.as_ref().map(record).transpose().map_err(StoreError::database(DOING))?;
        records.extend(own.map(|own| (own, one.decided_at)));
    }
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let of = |take: fn(&(i32, i64, i32)) -> i32| -> Vec<i32> {
        records.iter().map(|(record, _)| take(record)).collect()
    };
    let rows = sqlx::query(LEGS)
        .bind(of(|record| record.0))
        .bind(records.iter().map(|(record, _)| record.1).collect::<Vec<_>>())
        .bind(of(|record| record.2))
        .bind(records.iter().map(|(_, at)| PgTimestamp(*at)).collect::<Vec<_>>())
        .fetch_all(tx)
        .await
        .map_err(StoreError::database(DOING))?;
    let legs: Result<_, _> = rows.iter().map(leg).collect();
    legs.map_err(StoreError::database(DOING))
}

fn record(row: &PgRow) -> Result<(i32, i64, i32), sqlx::Error> {
    Ok((row.try_get("shard")?, row.try_get("seq")?, row.try_get("record_idx")?))
}

fn leg(row: &PgRow) -> Result<DecisionPosting, sqlx::Error> {
    Ok(DecisionPosting {
        at: moment(row, "at")?,
        account: row.try_get("account")?,
        account_id: row.try_get("account_id")?,
        amount: MinorUnits(row.try_get("amount")?),
        currency: row.try_get("currency")?,
        record: record(row)?,
    })
}
