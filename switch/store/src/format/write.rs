//! From a record to its stored shape. It writes all that a record says and decides nothing.

use switch_domain as domain;
use switch_domain::{Acquirer, CardId, Cause, Event, Expiry, MessageFacts, MessageKey, Record};

use super::{
    card_security, controls, conversion, evidence, fees, generation, outside, shapes, trace,
};
use crate::codes::{Stored, kind_code, stand_in_code};

/// Appends record `tag` of a batch.
pub(super) fn append(out: &mut Vec<u8>, tag: u32, one: &Record) {
    prost::encoding::message::encode(tag, &record(one), out);
}

/// A record as it is stored.
fn record(record: &Record) -> shapes::Record {
    shapes::Record {
        at: Some(record.at.0),
        cause: Some(cause(&record.cause)),
        event: Some(event(&record.event)),
        effects: effects(&record.effects),
    }
}

fn cause(cause: &Cause) -> shapes::Cause {
    match cause {
        Cause::Message(link) => shapes::Cause::Link(u32::from(link.0)),
        Cause::Command { key, digest, actor } => shapes::Cause::Command(shapes::Command {
            key: key.0.to_vec(),
            actor: actor.to_string(),
            digest: digest.map(|digest| digest.0),
        }),
        Cause::Switch => shapes::Cause::Switch(shapes::Nothing {}),
    }
}

fn event(event: &Event) -> shapes::Event {
    use shapes::Event as Shape;
    match event {
        Event::TakenOver(one) => Shape::TakenOver(taken_over(one)),
        Event::NothingChanged => Shape::NothingChanged(shapes::Nothing {}),
        Event::PartnerDefined(one) => Shape::PartnerDefined(partner(one)),
        Event::PoolDefined(one) => Shape::PoolDefined(pool(one)),
        Event::ProgrammeDefined(one) => Shape::ProgrammeDefined(Box::new(programme(one))),
        Event::PoolReloaded { pool, reference } => {
            Shape::PoolReloaded(shapes::Referenced { id: pool.0, reference: reference.to_string() })
        }
        Event::BalanceOpened(opened) => Shape::BalanceOpened(shapes::BalanceOpened {
            balance: opened.balance.0,
            programme: opened.programme.0,
            partner: opened.partner.0,
            customer: opened.customer.0,
            currency: u32::from(opened.currency.numeric()),
        }),
        Event::BalanceStateChanged { balance, state } => {
            Shape::BalanceStateChanged(changed(balance.0, *state))
        }
        Event::BalanceCredited { balance, reference } => {
            let reference = reference.to_string();
            Shape::BalanceCredited(shapes::Referenced { id: balance.0, reference })
        }
        Event::CustomerStateChanged { customer, state } => {
            Shape::CustomerStateChanged(changed(customer.0, *state))
        }
        Event::CardIssued(issued) => Shape::CardIssued(card_issued(issued)),
        Event::CardStatusChanged { card, status } => {
            Shape::CardStatusChanged(changed(card.0, *status))
        }
        Event::CardLockChanged { card, lock } => Shape::CardLockChanged(shapes::LockChanged {
            card: card.0,
            lock: lock.map(|lock| u32::from(lock.number())),
        }),
        Event::CardReferencesChanged { card, references } => {
            Shape::CardReferencesChanged(card_security::write_changed(*card, references))
        }
        Event::CardRenewed { card, expiry, references: all } => renewed(*card, *expiry, all),
        Event::LockRefused { card, ask, refusal } => {
            Shape::LockRefused(outside::write_refused(*card, *ask, *refusal))
        }
        Event::ControlDefined(control) => {
            Shape::ControlDefined(Box::new(controls::write_control(control)))
        }
        Event::ControlRemoved { control, subject } => {
            Shape::ControlRemoved(controls::write_removed(*control, *subject))
        }
        Event::RateSet(rate) => Shape::RateSet(conversion::write_quoted(rate)),
        Event::RateRemoved { from, to } => Shape::RateRemoved(conversion::write_pair(*from, *to)),
        Event::FeesSet { programme, schedule } => {
            Shape::FeesSet(fees::write_set(*programme, schedule.as_deref()))
        }
        Event::FeeCharged(one) => Shape::FeeCharged(fees::write_charged(one)),
        Event::Authorized(one) => Shape::Authorized(Box::new(authorized(one))),
        Event::Reversed(one) => Shape::Reversed(Box::new(reversed(one))),
        Event::Voided(one) => Shape::Voided(voided(one)),
        Event::Expired(one) => Shape::Expired(expired(one)),
        Event::Sealed(sealed) => Shape::Sealed(generation::write_sealed(sealed)),
        Event::Founded(founded) => Shape::Founded(generation::write_founded(founded)),
        Event::Inherited(estate) => Shape::Inherited(Box::new(generation::write_estate(estate))),
        Event::TransferSent(one) => Shape::TransferSent(transfer(one)),
        Event::TransferReceived(one) => Shape::TransferReceived(transfer_received(one)),
        Event::TransferClosed { transfer, partner, outcome } => {
            let (transfer, partner, outcome) = (transfer.0, partner.0, outcome.code());
            Shape::TransferClosed(shapes::TransferClosed { transfer, partner, outcome })
        }
    }
}

fn voided(voided: &domain::Voided) -> shapes::Voided {
    let authorization = voided.authorization.0;
    shapes::Voided { authorization, reason: voided.reason.name().to_owned() }
}

fn expired(expired: &domain::Expired) -> shapes::Expired {
    let partner = expired.partner.map(|id| id.0);
    shapes::Expired { authorization: expired.authorization.0, partner }
}

fn taken_over(taken: &domain::TakenOver) -> shapes::TakenOver {
    shapes::TakenOver {
        shard: u32::from(taken.shard.0),
        epoch: taken.epoch.0,
        owner: taken.owner.0.to_vec(),
        shards: u32::from(taken.shards),
    }
}

fn transfer_received(one: &domain::TransferReceived) -> shapes::TransferReceived {
    shapes::TransferReceived {
        transfer: Some(transfer(&one.transfer)),
        outcome: one.outcome.code(),
        settled_below: one.settled_below.0,
    }
}

pub(super) fn transfer(one: &domain::Transfer) -> shapes::Transfer {
    shapes::Transfer {
        id: one.id.0,
        from: one.from.0,
        to: one.to.0,
        partner: one.partner.0,
        amount: Some(one.amount.minor.0),
        currency: u32::from(one.amount.currency.numeric()),
        reference: one.reference.to_string(),
    }
}

pub(super) fn partner(partner: &domain::Partner) -> shapes::Partner {
    shapes::Partner {
        id: partner.id.0,
        name: partner.name.to_string(),
        state: partner.state.code(),
        partial_minimums: partner.partial_minimums.iter().map(minimum).collect(),
    }
}

fn minimum(one: &domain::Amount) -> shapes::Minimum {
    let (currency, minor) = (u32::from(one.currency.numeric()), Some(one.minor.0));
    shapes::Minimum { currency, minor }
}

pub(super) fn portion(portion: &domain::Portion) -> shapes::Portion {
    shapes::Portion { approved: Some(portion.approved.0), fee: Some(portion.fee.0) }
}

pub(super) fn pool(pool: &domain::Pool) -> shapes::Pool {
    shapes::Pool {
        id: pool.id.0,
        partner: pool.partner.0,
        kind: pool.kind.code(),
        currency: u32::from(pool.currency.numeric()),
    }
}

pub(super) fn changed(id: i64, state: impl Stored) -> shapes::StateChanged {
    shapes::StateChanged { id, state: state.code() }
}

pub(super) fn programme(programme: &domain::Programme) -> shapes::Programme {
    let kind = match programme.funding {
        domain::Funding::Credit(_) => domain::PoolKind::Credit,
        domain::Funding::Deposit(_) => domain::PoolKind::Deposit,
    };
    shapes::Programme {
        id: programme.id.0,
        name: programme.name.to_string(),
        partner: programme.partner.0,
        bin_low: programme.bins.low.0,
        bin_high: programme.bins.high.0,
        pan_length: u32::from(programme.bins.pan_length),
        currency: u32::from(programme.currency.numeric()),
        funding: kind.code(),
        pool: programme.funding.pool().0,
        foreign: programme.foreign.map(conversion::write_terms),
        security: programme.security.as_deref().map(card_security::write_terms),
    }
}

fn card_issued(issued: &domain::CardIssued) -> shapes::CardIssued {
    shapes::CardIssued {
        card: issued.card.0,
        balance: issued.balance.0,
        programme: issued.programme.0,
        partner: issued.partner.0,
        vault_row: issued.vault.row,
        vault_version: issued.vault.version,
        expiry: u32::from(issued.expiry.yymm()),
        status: issued.status.code(),
    }
}

fn authorized(authorized: &domain::Authorized) -> shapes::Authorized {
    shapes::Authorized {
        id: authorized.id.0,
        facts: Some(facts(&authorized.facts)),
        card: authorized.card.map(|id| id.0),
        balance: authorized.balance.map(|id| id.0),
        partner: authorized.partner.map(|id| id.0),
        pool: authorized.pool.map(|id| id.0),
        requested: Some(authorized.requested.minor.0),
        currency: u32::from(authorized.requested.currency.numeric()),
        reason: authorized.reason.name().to_owned(),
        approval_code: authorized.approval_code.map(|code| code.as_str().to_owned()),
        approvals: authorized.approvals,
        reversed_before: authorized.reversed_before,
        stand_in: stand_in_code(authorized.stand_in),
        would_be: would_be(authorized.stand_in),
        completes: authorized.completes.map(|completed| shapes::Completed {
            authorization: completed.authorization.0,
            decided_at: Some(completed.decided_at.0),
        }),
        portion: authorized.portion.as_deref().map(portion),
        conversion: authorized.conversion.as_deref().map(conversion::write_conversion),
        findings: authorized.findings.as_deref().map(controls::write_findings),
        trace: authorized.trace.as_deref().map(trace::write),
        evidence: authorized.evidence.as_deref().map(evidence::write),
        answered: authorized.answered.map_or_else(String::new, |one| one.name().to_owned()),
    }
}

/// The name of the reason beside it; empty where none belongs to it.
pub(super) fn would_be(stand_in: Option<domain::StandIn>) -> String {
    let reason = stand_in.and_then(domain::StandIn::would_be);
    reason.map_or_else(String::new, |reason| reason.name().to_owned())
}

fn reversed(reversed: &domain::Reversed) -> shapes::Reversed {
    let original = &reversed.reference.key;
    shapes::Reversed {
        id: reversed.id.0,
        key: Some(key(&reversed.key)),
        reference: Some(shapes::Reference {
            acquirer: Some(acquirer(&original.acquirer)),
            stan: original.stan,
            terminal: original.terminal.to_string(),
            card: original.card.0.to_vec(),
            transmitted: reversed.reference.transmitted,
            rrn: reversed.reference.rrn.to_string(),
            class: reversed.reference.class.map_or(0, Stored::code),
            network_trace: reversed.reference.network_trace.as_str().to_owned(),
        }),
        original: reversed.original.map(|id| id.0),
        partner: reversed.partner.map(|id| id.0),
        reason: reversed.reason.name().to_owned(),
        standing: reversed.standing.0,
    }
}

pub(super) fn facts(facts: &MessageFacts) -> shapes::Facts {
    shapes::Facts {
        key: Some(key(&facts.key)),
        transmitted: facts.transmitted,
        channel: facts.channel.code(),
        entry: facts.entry.code(),
        category: u32::from(facts.merchant.category),
        merchant: facts.merchant.id.to_string(),
        kind: kind_code(facts.kind),
        country: facts.country.map_or(0, |country| u32::from(country.numeric())),
        network_trace: facts.network_trace.as_str().to_owned(),
    }
}

fn key(key: &MessageKey) -> shapes::Key {
    shapes::Key {
        acquirer: Some(acquirer(&key.acquirer)),
        class: key.class.code(),
        stan: key.stan,
        local_time: key.local_time,
        terminal: key.terminal.to_string(),
        rrn: key.rrn.to_string(),
        card: key.card.0.to_vec(),
    }
}

fn acquirer(acquirer: &Acquirer) -> shapes::Acquirer {
    match acquirer {
        Acquirer::Institution(id) => shapes::Acquirer::Institution(id.to_string()),
        Acquirer::Link(link) => shapes::Acquirer::Link(u32::from(link.0)),
    }
}

fn effects(effects: &domain::Effects) -> Option<shapes::Effects> {
    if *effects == domain::Effects::default() {
        return None;
    }
    Some(shapes::Effects {
        authorization: effects.authorization.as_ref().map(totals),
        completed: effects.completed.as_deref().map(totals),
        balance: effects.balance.map(|delta| shapes::AmountsDelta {
            id: delta.balance.0,
            level: Some(delta.ledger.0),
            held: Some(delta.held.0),
        }),
        pool: effects.pool.map(|delta| shapes::AmountsDelta {
            id: delta.pool.0,
            level: Some(delta.level.0),
            held: Some(delta.held.0),
        }),
        postings: effects.postings.iter().map(posting).collect(),
        usage: effects.usage.iter().map(controls::write_delta).collect(),
        counters: effects.counters.as_deref().map(card_security::write_effect),
        fees: effects.fees.as_deref().map(fees::write_effect),
    })
}

fn totals(delta: &domain::AuthorizationDelta) -> shapes::AuthorizationDelta {
    shapes::AuthorizationDelta {
        authorization: delta.authorization.0,
        authorized: Some(delta.totals.authorized.0),
        incremented: Some(delta.totals.incremented.0),
        reversed: Some(delta.totals.reversed.0),
        cleared: Some(delta.totals.cleared.0),
        refunded: Some(delta.totals.refunded.0),
        closes: delta.closes,
        decided_at: Some(delta.decided_at.0),
    }
}

fn posting(posting: &domain::Posting) -> shapes::Posting {
    let account = match posting.account {
        domain::Account::Balance(id) => shapes::Account::Balance(id.0),
        domain::Account::Pool(id) => shapes::Account::Pool(id.0),
        domain::Account::SettlementBank(id) => shapes::Account::SettlementBank(id.0),
        domain::Account::Memorandum(id) => shapes::Account::Memorandum(id.0),
        domain::Account::InTransit(id) => shapes::Account::InTransit(id.0),
        domain::Account::NetworkSettlement(id) => shapes::Account::NetworkSettlement(id.0),
        domain::Account::FeeIncome(id) => shapes::Account::FeeIncome(id.0),
    };
    shapes::Posting {
        account: Some(account),
        amount: Some(posting.amount.0),
        currency: u32::from(posting.currency.numeric()),
    }
}

fn renewed(card: CardId, expiry: Expiry, references: &domain::CardReferences) -> shapes::Event {
    shapes::Event::CardRenewed(card_security::write_renewed(card, expiry, references))
}
