//! Authorizations in their table: new ones by COPY with their totals as they stand at the end of
//! the chunk, known ones by one update. Most of what a switch writes goes through here.

use sqlx::PgConnection;
use switch_domain::{ApprovalCode, Authorized, Reason, Timestamp};

use super::chunk::{AuthorizationChange, Change, Chunk};
use super::columns::{currency, message_key, unsigned};
use super::copy::CopyRows;
use super::entities::expect_rows;
use crate::codes::Stored;

pub(super) const COPY_NEW: &str = "\
    COPY card_authorization (id, shard, partner_id, card_id, balance_id, pool_id, currency,
        requested, reason, approval_code, authorized, incremented, reversed, cleared, refunded,
        closed, decided_at, acquirer, class, stan, local_time, terminal, rrn, fingerprint,
        transmitted, channel, entry_mode, mcc, merchant, as_of_seq) FROM STDIN (FORMAT binary)";
const COLUMNS: i16 = 30;

const CHANGED: &str = "\
    UPDATE card_authorization AS old SET authorized = old.authorized + new.authorized,
        incremented = old.incremented + new.incremented, reversed = old.reversed + new.reversed,
        cleared = old.cleared + new.cleared, refunded = old.refunded + new.refunded,
        closed = old.closed OR new.closes, reason = coalesce(new.voided, old.reason),
        approval_code = CASE WHEN new.voided IS NULL THEN old.approval_code END,
        as_of_seq = new.seq
    FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[],
            $7::bool[], $8::text[], $9::int8[])
        AS new (id, authorized, incremented, reversed, cleared, refunded, closes, voided, seq)
    WHERE old.id = new.id AND old.as_of_seq < new.seq";

/// Rows of the authorizations that the chunk makes.
pub(super) fn new_rows(chunk: &Chunk) -> CopyRows {
    let mut rows = CopyRows::new(COLUMNS);
    for change in chunk.authorizations.values() {
        if let Some((made, at)) = &change.what.made {
            new_row(&mut rows, i32::from(chunk.shard.0), change, made, *at);
        }
    }
    rows
}

fn new_row(
    rows: &mut CopyRows,
    shard: i32,
    change: &Change<AuthorizationChange>,
    made: &Authorized,
    at: Timestamp,
) {
    let AuthorizationChange { totals, closes, voided, .. } = &change.what;
    let code = made.approval_code.filter(|_| voided.is_none());
    let mut row = rows.row();
    row.int8(made.id.0)
        .int4(shard)
        .maybe_int8(made.partner.map(|id| id.0))
        .maybe_int8(made.card.map(|id| id.0))
        .maybe_int8(made.balance.map(|id| id.0))
        .maybe_int8(made.pool.map(|id| id.0))
        .int2(currency(made.requested.currency))
        .int8(made.requested.minor.0)
        .text(voided.unwrap_or(made.reason).name())
        .maybe_text(code.as_ref().map(ApprovalCode::as_str))
        .int8(totals.authorized.0)
        .int8(totals.incremented.0)
        .int8(totals.reversed.0)
        .int8(totals.cleared.0)
        .int8(totals.refunded.0)
        // A decline holds nothing: it is over when it is made.
        .bool(*closes || voided.is_some() || !made.reason.is_approval())
        .timestamp(at);
    message_key(&mut row, &made.facts.key);
    row.int8(unsigned(made.facts.transmitted))
        .text(made.facts.channel.name())
        .text(made.facts.entry.name())
        .int4(i32::from(made.facts.merchant.category))
        .text(made.facts.merchant.id.as_str())
        .int8(change.seq);
}

/// Changes the authorizations that were made before this chunk.
pub(super) async fn change(tx: &mut PgConnection, chunk: &Chunk) -> Result<(), sqlx::Error> {
    let rows: Vec<_> =
        chunk.authorizations.iter().filter(|(_, change)| change.what.made.is_none()).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let total = |take: fn(&AuthorizationChange) -> i64| -> Vec<i64> {
        rows.iter().map(|(_, change)| take(&change.what)).collect()
    };
    let closes = |change: &AuthorizationChange| change.closes || change.voided.is_some();
    let done = sqlx::query(CHANGED)
        .bind(rows.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
        .bind(total(|change| change.totals.authorized.0))
        .bind(total(|change| change.totals.incremented.0))
        .bind(total(|change| change.totals.reversed.0))
        .bind(total(|change| change.totals.cleared.0))
        .bind(total(|change| change.totals.refunded.0))
        .bind(rows.iter().map(|(_, change)| closes(&change.what)).collect::<Vec<_>>())
        .bind(
            rows.iter().map(|(_, change)| change.what.voided.map(Reason::name)).collect::<Vec<_>>(),
        )
        .bind(rows.iter().map(|(_, change)| change.seq).collect::<Vec<_>>())
        .execute(tx)
        .await?;
    expect_rows("card_authorization", rows.len(), done.rows_affected());
    Ok(())
}
