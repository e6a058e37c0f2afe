//! Authorizations in their table: new ones by COPY as their own record leaves them, changes of
//! older ones by one update. Most of what a switch writes goes through here.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};
use switch_domain::{
    ApprovalCode, AuthorizationId, Authorized, Cause, Conversion, FeeTotals, RateSource, Reason,
    Record, Seq, StandIn,
};

use super::chunk::{AuthorizationChange, Change, Changes};
use super::columns::{currency, message_key, network_trace, unsigned};
use super::copy::{CopyRows, RowWriter};
use super::entities::expect_rows;
use crate::codes::{Stored, kind_name};
use crate::format::{encode_conversion, encode_counted, evidence_words, trace_numbers};
use crate::pg_timestamp::PgTimestamp;

/// Totals that a new authorization cannot have are left to their default of zero.
pub(super) const COPY_NEW: &str = "\
    COPY card_authorization (id, decided_at, partner_id, card_id, balance_id, pool_id, currency,
        requested, approved, fee, reason, approval_code, stand_in, would_be, authorized, reversed,
        cleared, closed, transaction_type, completes_id, completes_at,
        acquirer, class, stan, local_time, terminal, rrn, fingerprint, origin,
        transmitted, channel, entry_mode, mcc, merchant, as_of_seq, link, country, counted,
        declined_by, would_decline, network_trace, trace, transaction_amount,
        transaction_currency, rate, rate_source, settlement_amount, settlement_currency, conversion,
        evidence, answered, fees_authorized, fees_held, fees_charged, fees_invoiced)
    FROM STDIN (FORMAT binary)";
const COLUMNS: i16 = 55;

/// The day stands in the text: then the plan that PostgreSQL keeps knows of that day's partition
/// alone, and neither plans nor locks those of all other days each time.
fn changed_of(day: i64) -> String {
    if !DAYS_NAMED.contains(&day) {
        return CHANGED.to_owned();
    }
    let (begins, ends) = (day.saturating_mul(DAY_S), day.saturating_add(1).saturating_mul(DAY_S));
    format!(
        "{CHANGED} AND old.decided_at >= to_timestamp({begins})
        AND old.decided_at < to_timestamp({ends})"
    )
}

const DAY_S: i64 = 86_400;
/// To the year 9999: days beyond are found the long way, for not every bound of theirs has a name.
const DAYS_NAMED: std::ops::Range<i64> = 0..2_932_896;

const CHANGED: &str = "\
    UPDATE card_authorization AS old SET authorized = old.authorized + new.authorized,
        incremented = old.incremented + new.incremented, reversed = old.reversed + new.reversed,
        cleared = old.cleared + new.cleared, refunded = old.refunded + new.refunded,
        closed = old.closed OR new.closes, reason = coalesce(new.voided, old.reason),
        approval_code = CASE WHEN new.voided IS NULL THEN old.approval_code END,
        answered = CASE WHEN new.voided IS NULL THEN old.answered END,
        fees_held = coalesce(old.fees_held + new.fees_held, old.fees_held, new.fees_held),
        fees_charged =
            coalesce(old.fees_charged + new.fees_charged, old.fees_charged, new.fees_charged),
        fees_invoiced =
            coalesce(old.fees_invoiced + new.fees_invoiced, old.fees_invoiced, new.fees_invoiced),
        as_of_seq = new.seq
    FROM UNNEST($1::int8[], $2::timestamptz[], $3::int8[], $4::int8[], $5::int8[], $6::int8[],
            $7::int8[], $8::bool[], $9::text[], $10::int8[], $11::int8[], $12::int8[], $13::int8[])
        AS new (id, decided_at, authorized, incremented, reversed, cleared, refunded, closes,
            voided, seq, fees_held, fees_charged, fees_invoiced)
    WHERE old.id = new.id AND old.decided_at = new.decided_at";

/// Rows of the authorizations that a chunk makes.
#[derive(Debug)]
pub(super) struct NewAuthorizations(pub(super) CopyRows);

impl NewAuthorizations {
    pub(super) fn new() -> Self {
        Self(CopyRows::new(COLUMNS))
    }

    /// Adds the row that a record makes.
    pub(super) fn add(&mut self, seq: Seq, record: &Record, made: &Authorized) {
        let totals = record.effects.authorization.map(|delta| delta.totals).unwrap_or_default();
        let closes = record.effects.authorization.is_some_and(|delta| delta.closes);
        let mut row = self.0.row();
        row.int8(made.id.0)
            .timestamp(record.at)
            .maybe_int8(made.partner.map(|id| id.0))
            .maybe_int8(made.card.map(|id| id.0))
            .maybe_int8(made.balance.map(|id| id.0))
            .maybe_int8(made.pool.map(|id| id.0))
            .int2(currency(made.requested.currency))
            .int8(made.requested.minor.0)
            .maybe_int8(made.portion.as_deref().map(|portion| portion.approved.0))
            .maybe_int8(made.portion.as_deref().map(|portion| portion.fee.0))
            .text(made.reason.name())
            .maybe_text(made.approval_code.as_ref().map(ApprovalCode::as_str))
            .maybe_text(made.stand_in.map(StandIn::name))
            .maybe_text(made.stand_in.and_then(StandIn::would_be).map(Reason::name))
            .int8(totals.authorized.0)
            .int8(totals.reversed.0)
            .int8(totals.cleared.0)
            // What holds nothing is over when it is made.
            .bool(closes || !made.holds())
            .maybe_text(kind_name(made.facts.kind))
            .maybe_int8(made.completes.map(|one| one.authorization.0));
        match made.completes {
            Some(one) => row.timestamp(one.decided_at),
            None => row.null(),
        };
        message_key(&mut row, &made.facts.key);
        row.int8(unsigned(made.facts.transmitted))
            .text(made.facts.channel.name())
            .text(made.facts.entry.name())
            .int4(i32::from(made.facts.merchant.category))
            .ascii(&made.facts.merchant.id)
            .int8(seq.0);
        match record.cause {
            Cause::Message(link) => row.int4(i32::from(link.0)),
            Cause::Command { .. } | Cause::Switch => row.null(),
        };
        let country = made.facts.country.and_then(|one| i16::try_from(one.numeric()).ok());
        match country {
            Some(country) => row.int2(country),
            None => row.null(),
        };
        controls(&mut row, record, made);
        network_trace(&mut row, made.facts.network_trace);
        match made.trace.as_deref() {
            Some(trace) => row.int8s(&trace_numbers(trace)),
            None => row.null(),
        };
        conversion(&mut row, made.conversion.as_deref());
        row.maybe_text(made.evidence.as_deref().map(evidence_words).as_deref())
            .maybe_text(made.answered.map(Reason::name));
        let own = record.effects.of_fees().find(|(delta, _)| delta.authorization == made.id);
        let fees = own.map(|(_, fees)| fees);
        row.maybe_int8(fees.map(|fees| fees.held.0))
            .maybe_int8(fees.map(|fees| fees.held.0))
            .maybe_int8(fees.map(|fees| fees.charged.0))
            .maybe_int8(fees.map(|fees| fees.invoiced.0));
    }
}

/// Where it counts, and what spend controls said of it: nothing, for most.
fn controls(row: &mut RowWriter<'_>, record: &Record, made: &Authorized) {
    match record.effects.counted() {
        Some(counted) => row.bytes(&encode_counted(&counted)),
        None => row.null(),
    };
    match made.findings.as_deref() {
        None => row.null().null(),
        Some(findings) => {
            row.maybe_int8(findings.declined_by.map(|id| id.0));
            let would: Vec<i64> = findings.would_decline.iter().map(|id| id.0).collect();
            if would.is_empty() { row.null() } else { row.int8s(&would) }
        }
    };
}

/// What was asked for and how it was converted: nothing, for most.
fn conversion(row: &mut RowWriter<'_>, conversion: Option<&Conversion>) {
    let Some(done) = conversion else {
        (0..7).for_each(|_| {
            row.null();
        });
        return;
    };
    row.int8(done.transaction.minor.0)
        .int2(currency(done.transaction.currency))
        .maybe_text(done.rate.map(|rate| rate.to_string()).as_deref());
    match &done.source {
        RateSource::NotNeeded => row.null(),
        RateSource::Network => row.text("network"),
        RateSource::Table { name, .. } => row.text(name.as_str()),
    };
    row.maybe_int8(done.settlement.map(|amount| amount.minor.0));
    match done.settlement {
        Some(amount) => row.int2(currency(amount.currency)),
        None => row.null(),
    };
    row.bytes(&encode_conversion(done));
}

/// Changes authorizations that are in the table, day by day.
pub(super) async fn change(
    tx: &mut PgConnection,
    rows: &Changes<AuthorizationId, AuthorizationChange>,
) -> Result<(), sqlx::Error> {
    let mut days: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for (id, change) in rows {
        let day = change.what.decided_at.0.div_euclid(DAY_S * 1_000_000);
        days.entry(day).or_default().push((id, change));
    }
    for (day, rows) in days {
        change_of(tx, day, &rows).await?;
    }
    Ok(())
}

async fn change_of(
    tx: &mut PgConnection,
    day: i64,
    rows: &[(&AuthorizationId, &Change<AuthorizationChange>)],
) -> Result<(), sqlx::Error> {
    let values = || rows.iter().map(|(_, change)| *change);
    let total = |take: fn(&AuthorizationChange) -> i64| -> Vec<i64> {
        values().map(|change| take(&change.what)).collect()
    };
    let fees = |take: fn(&FeeTotals) -> i64| -> Vec<Option<i64>> {
        values().map(|change| change.what.fees.as_ref().map(take)).collect()
    };
    let closes = |change: &AuthorizationChange| change.closes || change.voided.is_some();
    let voided = |change: &AuthorizationChange| change.voided.map(Reason::name);
    let decided = values().map(|change| PgTimestamp(change.what.decided_at));
    let done = sqlx::query(AssertSqlSafe(changed_of(day)))
        .bind(rows.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
        .bind(decided.collect::<Vec<_>>())
        .bind(total(|change| change.totals.authorized.0))
        .bind(total(|change| change.totals.incremented.0))
        .bind(total(|change| change.totals.reversed.0))
        .bind(total(|change| change.totals.cleared.0))
        .bind(total(|change| change.totals.refunded.0))
        .bind(values().map(|change| closes(&change.what)).collect::<Vec<_>>())
        .bind(values().map(|change| voided(&change.what)).collect::<Vec<_>>())
        .bind(values().map(|change| change.seq).collect::<Vec<_>>())
        .bind(fees(|fees| fees.held.0))
        .bind(fees(|fees| fees.charged.0))
        .bind(fees(|fees| fees.invoiced.0))
        .execute(tx)
        .await?;
    expect_rows("card_authorization", rows.len(), done.rows_affected());
    Ok(())
}
