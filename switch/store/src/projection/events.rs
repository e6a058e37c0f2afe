//! What an event is called, what it is about and what it made: the words of audit rows.

use switch_domain::{
    Account, ControlRule, ControlSubject, Event, PartnerId, Placement, Record, SpendControl,
};

use super::history::word;
use crate::codes::Stored;

/// What a record is about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subject {
    /// The row.
    pub(super) id: Option<i64>,
    /// The identifier that it minted.
    pub(super) made: Option<i64>,
    /// The institution, where the record says which.
    pub(super) partner: Option<PartnerId>,
}

impl Subject {
    fn of(id: i64) -> Self {
        Self { id: Some(id), ..Self::default() }
    }

    fn made(id: i64, partner: Option<PartnerId>) -> Self {
        Self { id: Some(id), made: Some(id), partner }
    }
}

/// What a record is about, by the record alone (W-8).
pub(super) fn subject(record: &Record) -> Subject {
    let mut subject = match &record.event {
        Event::TakenOver(taken) => Subject::of(i64::from(taken.shard.0)),
        Event::NothingChanged
        | Event::Inherited(_)
        | Event::RateSet(_)
        | Event::RateRemoved { .. } => Subject::default(),
        Event::PartnerDefined(partner) => Subject::made(partner.id.0, Some(partner.id)),
        Event::PoolDefined(pool) => Subject::made(pool.id.0, Some(pool.partner)),
        Event::ProgrammeDefined(one) => Subject::made(one.id.0, Some(one.partner)),
        Event::FeesSet { programme, .. } => Subject::of(programme.0),
        Event::FeeCharged(one) => {
            Subject { partner: Some(one.partner), ..Subject::of(one.balance.0) }
        }
        Event::PoolReloaded { pool, .. } => Subject::of(pool.0),
        Event::BalanceOpened(one) => Subject::made(one.balance.0, Some(one.partner)),
        Event::BalanceStateChanged { balance, .. } | Event::BalanceCredited { balance, .. } => {
            Subject::of(balance.0)
        }
        Event::CustomerStateChanged { customer, .. } => Subject::of(customer.0),
        Event::CardIssued(one) => Subject::made(one.card.0, Some(one.partner)),
        Event::CardStatusChanged { card, .. }
        | Event::CardLockChanged { card, .. }
        | Event::CardReferencesChanged { card, .. }
        | Event::CardRenewed { card, .. } => Subject::of(card.0),
        Event::ControlDefined(control) => Subject::made(control.id.0, None),
        Event::ControlRemoved { control, .. } => Subject::of(control.0),
        Event::LockRefused { card, .. } => {
            Subject { id: card.map(|card| card.0), ..Subject::default() }
        }
        Event::Authorized(one) => Subject::made(one.id.0, one.partner),
        Event::Reversed(one) => Subject::made(one.id.0, one.partner),
        Event::Voided(one) => Subject::of(one.authorization.0),
        Event::Expired(one) => Subject { partner: one.partner, ..Subject::of(one.authorization.0) },
        Event::Sealed(sealed) => Subject::of(i64::from(sealed.shard.0)),
        Event::Founded(founded) => Subject::of(i64::from(founded.shard.0)),
        Event::TransferSent(one) => Subject::made(one.id.0, Some(one.partner)),
        Event::TransferReceived(one) => {
            let partner = Some(one.transfer.partner);
            Subject { partner, ..Subject::of(one.transfer.id.0) }
        }
        Event::TransferClosed { transfer, partner, .. } => {
            Subject { partner: Some(*partner), ..Subject::of(transfer.0) }
        }
    };
    if subject.partner.is_none() {
        subject.partner = record.effects.postings.iter().find_map(|leg| match leg.account {
            Account::SettlementBank(partner)
            | Account::Memorandum(partner)
            | Account::InTransit(partner)
            | Account::NetworkSettlement(partner)
            | Account::FeeIncome(partner) => Some(partner),
            Account::Balance(_) | Account::Pool(_) => None,
        });
    }
    subject
}

/// The kind of a lock from outside that was refused.
const LOCK_REFUSED: &str = "lock_refused";

/// The stable name of a kind of event.
pub(super) const fn kind(event: &Event) -> &'static str {
    match event {
        Event::TakenOver(_) => "taken_over",
        Event::NothingChanged => "nothing_changed",
        Event::PartnerDefined(_) => "partner_defined",
        Event::PoolDefined(_) => "pool_defined",
        Event::ProgrammeDefined(_) => "programme_defined",
        Event::PoolReloaded { .. } => "pool_reloaded",
        Event::BalanceOpened(_) => "balance_opened",
        Event::BalanceStateChanged { .. } => "balance_state_changed",
        Event::BalanceCredited { .. } => "balance_credited",
        Event::CustomerStateChanged { .. } => "customer_state_changed",
        Event::CardIssued(_) => "card_issued",
        Event::CardStatusChanged { .. } => "card_status_changed",
        Event::CardLockChanged { .. } => "card_lock_changed",
        Event::CardReferencesChanged { .. } => "card_references_changed",
        Event::CardRenewed { .. } => "card_renewed",
        Event::LockRefused { .. } => LOCK_REFUSED,
        Event::ControlDefined(_) => "control_defined",
        Event::ControlRemoved { .. } => "control_removed",
        Event::RateSet(_) => "rate_set",
        Event::RateRemoved { .. } => "rate_removed",
        Event::FeesSet { .. } => "fees_set",
        Event::FeeCharged(_) => "fee_charged",
        Event::Authorized(_) => "authorized",
        Event::Reversed(_) => "reversed",
        Event::Voided(_) => "voided",
        Event::Expired(_) => "expired",
        Event::Sealed(_) => "sealed",
        Event::Founded(_) => "founded",
        Event::Inherited(_) => "inherited",
        Event::TransferSent(_) => "transfer_sent",
        Event::TransferReceived(_) => "transfer_received",
        Event::TransferClosed { .. } => "transfer_closed",
    }
}

/// The new state, lock or reference in words; empty where the kind says it all.
pub(super) fn detail(event: &Event) -> String {
    match event {
        Event::TakenOver(taken) => format!("epoch {} owner {}", taken.epoch.0, taken.owner),
        Event::PartnerDefined(partner) => word(partner.state),
        Event::PoolDefined(pool) => word(pool.kind),
        Event::PoolReloaded { reference, .. } | Event::BalanceCredited { reference, .. } => {
            reference.to_string()
        }
        Event::BalanceStateChanged { state, .. } => word(*state),
        Event::CustomerStateChanged { state, .. } => word(*state),
        Event::CardIssued(issued) => word(issued.status),
        Event::CardStatusChanged { status, .. } => word(*status),
        Event::CardLockChanged { lock, .. } => {
            lock.map_or_else(|| "unlocked".to_owned(), |lock| format!("lock {}", lock.number()))
        }
        Event::CardReferencesChanged { references, .. } => {
            format!("version {} code {}", references.version, references.code_generation)
        }
        Event::CardRenewed { expiry, references, .. } => {
            format!("until {:04} sequence {}", expiry.yymm(), references.sequence)
        }
        // The first word is read again: it is what a repeat of the command is answered with.
        Event::LockRefused { ask, refusal, .. } => format!("{} {ask}", refusal.name()),
        Event::ControlDefined(control) => control_detail(control),
        Event::ControlRemoved { subject, .. } => control_subject(*subject),
        Event::RateSet(one) => format!("{} {} {} by {}", one.from, one.to, one.rate, one.source),
        Event::RateRemoved { from, to } => format!("{from} {to}"),
        Event::FeesSet { schedule, .. } => schedule.as_deref().map_or_else(
            || "no fees".to_owned(),
            |one| format!("{} rules by {}", one.rules().len(), one.charged_by().name()),
        ),
        Event::FeeCharged(one) => {
            let (event, fee) = (one.event.name(), one.amount.minor.0);
            format!("{event} {fee} {} {}", one.taken.name(), one.reference)
        }
        Event::Voided(voided) => voided.reason.name().to_owned(),
        Event::Sealed(sealed) => generation(sealed.heirs),
        Event::Founded(founded) => generation(founded.heirs),
        Event::Inherited(estate) => format!("{} rows", estate.rows()),
        Event::TransferSent(one) => one.reference.to_string(),
        Event::TransferReceived(one) => word(one.outcome),
        Event::TransferClosed { outcome, .. } => word(*outcome),
        Event::NothingChanged
        | Event::ProgrammeDefined(_)
        | Event::BalanceOpened(_)
        | Event::Authorized(_)
        | Event::Reversed(_)
        | Event::Expired(_) => String::new(),
    }
}

/// What a control is, in a few words: for people who read the audit.
fn control_detail(control: &SpendControl) -> String {
    let SpendControl { terms, .. } = control;
    let rule = match &terms.rule {
        ControlRule::Forbid => "forbid".to_owned(),
        ControlRule::AllowOnly => "allow only".to_owned(),
        ControlRule::OneMerchant => "one merchant".to_owned(),
        ControlRule::Amount(most, _) => format!("amount {}", most.0),
        ControlRule::Count(most, _) => format!("count {most}"),
    };
    let shadow = if terms.shadow { " in shadow" } else { "" };
    format!("{} {rule}{shadow} {}", control_subject(terms.subject), terms.name)
}

/// Whom a control is for.
fn control_subject(subject: ControlSubject) -> String {
    match subject {
        ControlSubject::Card(id) => format!("card {id}"),
        ControlSubject::Balance(id) => format!("balance {id}"),
        ControlSubject::Programme(id) => format!("programme {id}"),
    }
}

fn generation(heirs: Placement) -> String {
    let shards: Vec<_> = heirs.data().map(|shard| shard.to_string()).collect();
    format!("heirs {}", shards.join(", "))
}
