//! History: what happened, row for row, from single records. It owns the columns of
//! `authorization_event`, `posting` and `audit_entry`, and when fees are noted; nothing here is
//! ever changed afterwards.

use switch_domain::{
    Account, AuthorizationDelta, Cause, Event, PartnerId, Posting, Record, Reversed,
};

use super::columns::{Place, currency, message_key, reference};
use super::copy::{CopyRows, RowWriter};
use super::events::{Subject, detail, kind, subject};
use super::fees;
use crate::codes::Stored;

/// Statements that take the rows.
pub(super) const COPY_EVENTS: &str = "\
    COPY authorization_event (shard, seq, idx, at, kind, id, authorization_id, partner_id, link,
        reason, authorized, incremented, reversed, cleared, refunded, closes,
        acquirer, class, stan, local_time, terminal, rrn, fingerprint, origin,
        original_acquirer, original_stan, original_terminal, original_fingerprint,
        original_transmitted, original_rrn, original_class,
        original_network_trace, standing, balance_id, held) FROM STDIN (FORMAT binary)";
const EVENT_COLUMNS: i16 = 35;
const KEY_COLUMNS: usize = 8;
/// What a reversal says of its original, and what it leaves.
const REFERENCE_COLUMNS: usize = 9;

pub(super) const COPY_POSTINGS: &str = "\
    COPY posting (shard, seq, idx, at, record_idx, partner_id, kind, account, account_id, amount,
        currency) FROM STDIN (FORMAT binary)";
const POSTING_COLUMNS: i16 = 11;

pub(super) const COPY_AUDIT: &str = "\
    COPY audit_entry (shard, seq, idx, at, partner_id, idempotency_key, digest, actor, kind,
        subject_id, made_id, detail) FROM STDIN (FORMAT binary)";
const AUDIT_COLUMNS: i16 = 12;

/// History rows of a chunk.
#[derive(Debug)]
pub(super) struct History {
    pub(super) events: CopyRows,
    pub(super) postings: CopyRows,
    pub(super) audit: CopyRows,
    /// Fees that were charged.
    pub(super) fees: CopyRows,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            events: CopyRows::new(EVENT_COLUMNS),
            postings: CopyRows::new(POSTING_COLUMNS),
            audit: CopyRows::new(AUDIT_COLUMNS),
            fees: CopyRows::new(fees::CHARGED_COLUMNS),
        }
    }

    /// No rows again.
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.postings.clear();
        self.audit.clear();
        self.fees.clear();
    }

    /// Adds what a record says. `first_posting` counts the postings of its journal row so far.
    pub(super) fn add(&mut self, place: Place, record: &Record, first_posting: i32) {
        let subject = subject(record);
        self.event(place, record);
        fees::charged(&mut self.fees, place, record);
        for (leg, posting) in (first_posting..).zip(&record.effects.postings) {
            self.posting(place, leg, record, subject.partner, posting);
        }
        // Where nothing changed and nobody asked, nobody has done anything. Holds live their life
        // by themselves, as many as there are authorizations: that stands among their events.
        let idle = matches!(
            (&record.cause, &record.event),
            (Cause::Switch, Event::NothingChanged | Event::Expired(_))
        );
        if !idle && !matches!(record.cause, Cause::Message(_)) {
            self.audit(place, record, subject);
        }
    }

    /// What happened to an authorization. The request itself stands in the authorization's row.
    fn event(&mut self, place: Place, record: &Record) {
        let head = match &record.event {
            Event::Reversed(one) => EventHead {
                id: one.id.0,
                authorization: one.original.map(|id| id.0),
                partner: one.partner,
                reason: Some(one.reason),
                reversed: Some(one),
            },
            Event::Voided(one) => EventHead {
                id: one.authorization.0,
                authorization: Some(one.authorization.0),
                partner: None,
                reason: Some(one.reason),
                reversed: None,
            },
            Event::Expired(one) => EventHead {
                id: one.authorization.0,
                authorization: Some(one.authorization.0),
                partner: one.partner,
                reason: None,
                reversed: None,
            },
            Event::Authorized(one) => {
                let of = one.completes.map(|completed| completed.authorization);
                let early = of.is_none() && early_part(record) > 0;
                let Some(of) = of.or(early.then_some(one.id)) else { return };
                EventHead {
                    id: one.id.0,
                    authorization: Some(of.0),
                    partner: one.partner,
                    reason: Some(one.reason),
                    reversed: None,
                }
            }
            _ => return,
        };
        let effects = &record.effects;
        let mut held = effects.balance.map_or(0, |delta| delta.held.0);
        let (kind, delta) = match &record.event {
            Event::Authorized(one) if one.adds() => ("incremented", effects.completed.as_deref()),
            Event::Authorized(one) if one.completes.is_none() => {
                held = early_part(record).saturating_neg();
                ("reversed_early", None)
            }
            Event::Authorized(_) => ("completed", effects.completed.as_deref()),
            event => (kind(event), effects.authorization.as_ref()),
        };
        let mut row = self.events.row();
        place.write(&mut row);
        row.text(kind);
        head.write(&mut row, &record.cause, delta);
        match effects.balance.filter(|_| held != 0) {
            Some(delta) => row.int8(delta.balance.0).int8(held),
            None => row.null().null(),
        };
    }

    fn posting(
        &mut self,
        place: Place,
        leg: i32,
        record: &Record,
        partner: Option<PartnerId>,
        posting: &Posting,
    ) {
        let (account, id) = match posting.account {
            Account::Balance(id) => ("balance", id.0),
            Account::Pool(id) => ("pool", id.0),
            Account::SettlementBank(id) => ("settlement_bank", id.0),
            Account::Memorandum(id) => ("memorandum", id.0),
            Account::InTransit(id) => ("in_transit", id.0),
            Account::NetworkSettlement(id) => ("network_settlement", id.0),
            Account::FeeIncome(id) => ("fee_income", id.0),
        };
        let mut row = self.postings.row();
        Place { idx: leg, ..place }.write(&mut row);
        row.int4(place.idx)
            .maybe_int8(partner.map(|id| id.0))
            .text(posted_by(&record.event))
            .text(account)
            .int8(id)
            .int8(posting.amount.0)
            .int2(currency(posting.currency));
    }

    fn audit(&mut self, place: Place, record: &Record, subject: Subject) {
        let mut row = self.audit.row();
        place.write(&mut row);
        row.maybe_int8(subject.partner.map(|id| id.0));
        match &record.cause {
            Cause::Command { key, digest, actor } => {
                row.bytes(&key.0).maybe_int8(digest.map(|digest| digest.0)).text(actor.as_str())
            }
            Cause::Message(_) | Cause::Switch => row.null().null().text("switch"),
        };
        row.text(kind(&record.event))
            .maybe_int8(subject.id)
            .maybe_int8(subject.made)
            .text(&detail(&record.event));
    }
}

/// What an authorization does not hold of its amount, for a part was reversed before it came.
fn early_part(record: &Record) -> i64 {
    match &record.event {
        Event::Authorized(one) if one.holds() => {
            record.effects.authorization.map_or(0, |delta| delta.totals.reversed.0)
        }
        _ => 0,
    }
}

struct EventHead<'a> {
    id: i64,
    authorization: Option<i64>,
    partner: Option<PartnerId>,
    reason: Option<switch_domain::Reason>,
    reversed: Option<&'a Reversed>,
}

impl EventHead<'_> {
    fn write(&self, row: &mut RowWriter<'_>, cause: &Cause, delta: Option<&AuthorizationDelta>) {
        row.int8(self.id).maybe_int8(self.authorization).maybe_int8(self.partner.map(|id| id.0));
        match cause {
            Cause::Message(link) => row.int4(i32::from(link.0)),
            Cause::Command { .. } | Cause::Switch => row.null(),
        };
        row.maybe_text(self.reason.map(switch_domain::Reason::name));
        let totals = delta.map(|delta| delta.totals);
        row.maybe_int8(totals.map(|totals| totals.authorized.0))
            .maybe_int8(totals.map(|totals| totals.incremented.0))
            .maybe_int8(totals.map(|totals| totals.reversed.0))
            .maybe_int8(totals.map(|totals| totals.cleared.0))
            .maybe_int8(totals.map(|totals| totals.refunded.0))
            .bool(delta.is_some_and(|delta| delta.closes));
        if let Some(reversed) = self.reversed {
            message_key(row, &reversed.key);
            reference(row, &reversed.reference);
            row.int8(reversed.standing.0);
        } else {
            for _ in 0..KEY_COLUMNS + REFERENCE_COLUMNS {
                row.null();
            }
        }
    }
}

/// What a posting comes from. A financial message that was answered is settled by it.
const fn posted_by(event: &Event) -> &'static str {
    match event {
        Event::Authorized(_) => "settled",
        other => kind(other),
    }
}

/// The new state, in one word, for choices that are stored by name.
pub(super) fn word(choice: impl Stored) -> String {
    choice.name().to_owned()
}
