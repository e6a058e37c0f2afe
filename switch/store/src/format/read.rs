//! From the stored shape back to a record. It refuses whatever this build cannot read in full: an
//! unknown kind, a missing amount, a value out of range (W-6). It never fills a gap with a default.

use switch_domain as domain;
use switch_domain::{
    Acquirer, Amount, ApprovalCode, AsciiText, AuthorizationId, BalanceId, CardId, Cause, Currency,
    CustomerId, Epoch, Event, Expiry, Fingerprint, IdempotencyKey, LinkId, LockCode, Merchant,
    MessageFacts, MessageKey, MinorUnits, NetworkTrace, OriginalKey, OriginalReference, OwnerId,
    PartnerId, PoolId, PoolKind, ProgrammeId, Reason, Record, ShardId, Timestamp, TransferId,
    VaultRef,
};

use super::{
    RecordFault, card_security, controls, conversion, evidence, fees, generation, outside, shapes,
    trace,
};
use crate::codes::{Stored, stand_in_from_code};

pub(super) type Read<T> = Result<T, RecordFault>;

/// A record from its stored shape.
pub(super) fn record(stored: shapes::Record) -> Read<Record> {
    Ok(Record {
        at: Timestamp(stored.at.ok_or(RecordFault::Missing("time"))?),
        cause: cause(stored.cause.ok_or(RecordFault::UnknownKind("cause"))?)?,
        event: event(stored.event.ok_or(RecordFault::UnknownKind("event"))?)?,
        effects: stored.effects.map(super::read_effects::effects).transpose()?.unwrap_or_default(),
    })
}

fn cause(stored: shapes::Cause) -> Read<Cause> {
    Ok(match stored {
        shapes::Cause::Link(link) => Cause::Message(LinkId(narrow("link", link)?)),
        shapes::Cause::Command(command) => Cause::Command {
            key: IdempotencyKey(sixteen("idempotency key", &command.key)?),
            actor: text("actor", &command.actor)?,
            digest: command.digest.map(domain::CommandDigest),
        },
        shapes::Cause::Switch(_) => Cause::Switch,
    })
}

fn event(stored: shapes::Event) -> Read<Event> {
    use shapes::Event as Shape;
    Ok(match stored {
        Shape::TakenOver(stored) => Event::TakenOver(taken_over(&stored)?),
        Shape::NothingChanged(_) => Event::NothingChanged,
        Shape::PartnerDefined(stored) => Event::PartnerDefined(partner(&stored)?),
        Shape::PoolDefined(pool) => Event::PoolDefined(domain::Pool {
            id: PoolId(pool.id),
            partner: PartnerId(pool.partner),
            kind: choice(pool.kind)?,
            currency: currency(pool.currency)?,
        }),
        Shape::ProgrammeDefined(stored) => Event::ProgrammeDefined(programme(&stored)?),
        Shape::PoolReloaded(stored) => Event::PoolReloaded {
            pool: PoolId(stored.id),
            reference: text("reference", &stored.reference)?,
        },
        Shape::BalanceOpened(opened) => Event::BalanceOpened(domain::BalanceOpened {
            balance: BalanceId(opened.balance),
            programme: ProgrammeId(opened.programme),
            partner: PartnerId(opened.partner),
            customer: CustomerId(opened.customer),
            currency: currency(opened.currency)?,
        }),
        Shape::BalanceStateChanged(stored) => Event::BalanceStateChanged {
            balance: BalanceId(stored.id),
            state: choice(stored.state)?,
        },
        Shape::BalanceCredited(stored) => Event::BalanceCredited {
            balance: BalanceId(stored.id),
            reference: text("reference", &stored.reference)?,
        },
        Shape::CustomerStateChanged(stored) => Event::CustomerStateChanged {
            customer: CustomerId(stored.id),
            state: choice(stored.state)?,
        },
        Shape::CardIssued(stored) => Event::CardIssued(card_issued(&stored)?),
        Shape::CardStatusChanged(stored) => {
            Event::CardStatusChanged { card: CardId(stored.id), status: choice(stored.state)? }
        }
        Shape::CardLockChanged(stored) => Event::CardLockChanged {
            card: CardId(stored.card),
            lock: stored.lock.map(lock).transpose()?,
        },
        Shape::CardReferencesChanged(stored) => card_security::read_changed(&stored)?,
        Shape::CardRenewed(stored) => card_security::read_renewed(&stored)?,
        Shape::LockRefused(stored) => outside::read_refused(&stored)?,
        Shape::ControlDefined(stored) => {
            Event::ControlDefined(Box::new(controls::read_control(*stored)?))
        }
        Shape::ControlRemoved(stored) => controls::read_removed(&stored)?,
        Shape::RateSet(stored) => Event::RateSet(Box::new(conversion::read_quoted(&stored)?)),
        Shape::RateRemoved(stored) => conversion::read_pair(stored)?,
        Shape::FeesSet(stored) => fees::read_set_event(&stored)?,
        Shape::FeeCharged(stored) => fees::read_charged(&stored)?,
        Shape::Authorized(stored) => Event::Authorized(authorized(*stored)?),
        Shape::Reversed(stored) => Event::Reversed(reversed(*stored)?),
        Shape::Voided(stored) => Event::Voided(domain::Voided {
            authorization: AuthorizationId(stored.authorization),
            reason: reason(&stored.reason)?,
        }),
        Shape::Expired(stored) => Event::Expired(expired(&stored)),
        Shape::Sealed(stored) => generation::read_sealed(stored)?,
        Shape::Founded(stored) => generation::read_founded(&stored)?,
        Shape::Inherited(stored) => generation::read_estate(*stored)?,
        Shape::TransferSent(stored) => Event::TransferSent(transfer(&stored)?),
        Shape::TransferReceived(stored) => Event::TransferReceived(transfer_received(&stored)?),
        Shape::TransferClosed(stored) => transfer_closed(&stored)?,
    })
}

pub(super) fn partner(stored: &shapes::Partner) -> Read<domain::Partner> {
    let minimum = |one: &shapes::Minimum| -> Read<Amount> {
        let (minor, currency) = (amount("minimum", one.minor)?, currency(one.currency)?);
        Ok(Amount { minor, currency })
    };
    Ok(domain::Partner {
        id: PartnerId(stored.id),
        name: text("partner name", &stored.name)?,
        state: choice(stored.state)?,
        partial_minimums: stored.partial_minimums.iter().map(minimum).collect::<Read<_>>()?,
    })
}

fn taken_over(stored: &shapes::TakenOver) -> Read<domain::TakenOver> {
    Ok(domain::TakenOver {
        shard: ShardId(narrow("shard", stored.shard)?),
        epoch: Epoch(stored.epoch),
        owner: OwnerId(sixteen("owner", &stored.owner)?),
        shards: narrow("shards", stored.shards)?,
    })
}

fn expired(stored: &shapes::Expired) -> domain::Expired {
    domain::Expired {
        authorization: AuthorizationId(stored.authorization),
        partner: stored.partner.map(PartnerId),
    }
}

fn transfer_closed(stored: &shapes::TransferClosed) -> Read<Event> {
    Ok(Event::TransferClosed {
        transfer: TransferId(stored.transfer),
        partner: PartnerId(stored.partner),
        outcome: choice(stored.outcome)?,
    })
}

pub(super) fn transfer(stored: &shapes::Transfer) -> Read<domain::Transfer> {
    Ok(domain::Transfer {
        id: TransferId(stored.id),
        from: BalanceId(stored.from),
        to: BalanceId(stored.to),
        partner: PartnerId(stored.partner),
        amount: Amount {
            minor: amount("transfer", stored.amount)?,
            currency: currency(stored.currency)?,
        },
        reference: text("reference", &stored.reference)?,
    })
}

fn transfer_received(stored: &shapes::TransferReceived) -> Read<domain::TransferReceived> {
    let sent = stored.transfer.as_ref().ok_or(RecordFault::Missing("transfer"))?;
    Ok(domain::TransferReceived {
        transfer: transfer(sent)?,
        outcome: choice(stored.outcome)?,
        settled_below: TransferId(stored.settled_below),
    })
}

pub(super) fn programme(stored: &shapes::Programme) -> Read<domain::Programme> {
    let pool = PoolId(stored.pool);
    Ok(domain::Programme {
        id: ProgrammeId(stored.id),
        name: text("programme name", &stored.name)?,
        partner: PartnerId(stored.partner),
        bins: domain::BinRange {
            low: domain::Bin(stored.bin_low),
            high: domain::Bin(stored.bin_high),
            pan_length: narrow("PAN length", stored.pan_length)?,
        },
        currency: currency(stored.currency)?,
        funding: match choice(stored.funding)? {
            PoolKind::Credit => domain::Funding::Credit(pool),
            PoolKind::Deposit => domain::Funding::Deposit(pool),
        },
        foreign: stored.foreign.map(conversion::read_terms).transpose()?,
        security: stored.security.as_ref().map(card_security::read_terms).transpose()?,
    })
}

fn card_issued(stored: &shapes::CardIssued) -> Read<domain::CardIssued> {
    let yymm = narrow("expiry", stored.expiry)?;
    Ok(domain::CardIssued {
        card: CardId(stored.card),
        balance: BalanceId(stored.balance),
        programme: ProgrammeId(stored.programme),
        partner: PartnerId(stored.partner),
        vault: VaultRef { row: stored.vault_row, version: stored.vault_version },
        expiry: Expiry::from_yymm(yymm).map_err(|_| illegal("expiry", yymm))?,
        status: choice(stored.status)?,
    })
}

fn authorized(stored: shapes::Authorized) -> Read<domain::Authorized> {
    let facts = facts(stored.facts.ok_or(RecordFault::Missing("facts"))?)?;
    Ok(domain::Authorized {
        id: AuthorizationId(stored.id),
        stand_in: stand_in(&facts, stored.stand_in, &stored.would_be)?,
        facts,
        card: stored.card.map(CardId),
        balance: stored.balance.map(BalanceId),
        partner: stored.partner.map(PartnerId),
        pool: stored.pool.map(PoolId),
        requested: Amount {
            minor: amount("requested", stored.requested)?,
            currency: currency(stored.currency)?,
        },
        reason: reason(&stored.reason)?,
        approval_code: stored.approval_code.as_deref().map(approval_code).transpose()?,
        completes: stored.completes.map(completed).transpose()?,
        portion: stored.portion.as_ref().map(portion).transpose()?,
        conversion: stored.conversion.as_ref().map(conversion::read_conversion).transpose()?,
        findings: stored.findings.map(controls::read_findings),
        trace: stored.trace.map(trace::read).transpose()?,
        evidence: stored.evidence.as_ref().map(evidence::read).transpose()?,
        answered: answered(&stored.answered)?,
        approvals: stored.approvals,
        reversed_before: stored.reversed_before,
    })
}

/// What was answered in place of a reason, where anything was.
pub(super) fn answered(name: &str) -> Read<Option<Reason>> {
    (!name.is_empty()).then(|| reason(name)).transpose()
}

pub(super) fn portion(stored: &shapes::Portion) -> Read<Box<domain::Portion>> {
    let (approved, fee) = (amount("approved", stored.approved)?, amount("fee", stored.fee)?);
    Ok(Box::new(domain::Portion { approved, fee }))
}

fn completed(stored: shapes::Completed) -> Read<domain::Completed> {
    Ok(domain::Completed {
        authorization: AuthorizationId(stored.authorization),
        decided_at: Timestamp(stored.decided_at.ok_or(RecordFault::Missing("decided_at"))?),
    })
}

/// What an advice came to: there for an advice and for nothing else.
pub(super) fn stand_in(
    facts: &MessageFacts,
    code: u32,
    would_be: &str,
) -> Read<Option<domain::StandIn>> {
    let would_be = (!would_be.is_empty()).then(|| reason(would_be)).transpose()?;
    let stand_in = stand_in_from_code(code, would_be);
    let known = stand_in.is_some() || (code == 0 && would_be.is_none());
    if !known || facts.key.class.is_advice() != stand_in.is_some() {
        return Err(illegal("stand-in", code));
    }
    Ok(stand_in)
}

fn reversed(stored: shapes::Reversed) -> Read<domain::Reversed> {
    let reference = stored.reference.ok_or(RecordFault::Missing("original's reference"))?;
    Ok(domain::Reversed {
        id: AuthorizationId(stored.id),
        key: key(stored.key.ok_or(RecordFault::Missing("message key"))?)?,
        reference: OriginalReference {
            key: OriginalKey {
                acquirer: acquirer(reference.acquirer)?,
                stan: reference.stan,
                terminal: text("terminal", &reference.terminal)?,
                card: Fingerprint(sixteen("fingerprint", &reference.card)?),
            },
            class: (reference.class != 0).then(|| choice(reference.class)).transpose()?,
            transmitted: reference.transmitted,
            rrn: text("RRN", &reference.rrn)?,
            network_trace: network_trace(&reference.network_trace)?,
        },
        original: stored.original.map(AuthorizationId),
        partner: stored.partner.map(PartnerId),
        standing: MinorUnits(stored.standing),
        reason: reason(&stored.reason)?,
    })
}

pub(super) fn facts(stored: shapes::Facts) -> Read<MessageFacts> {
    Ok(MessageFacts {
        key: key(stored.key.ok_or(RecordFault::Missing("message key"))?)?,
        transmitted: stored.transmitted,
        channel: choice(stored.channel)?,
        entry: choice(stored.entry)?,
        kind: if stored.kind == 0 { Default::default() } else { choice(stored.kind)? },
        merchant: Merchant {
            category: narrow("merchant category", stored.category)?,
            id: text("merchant", &stored.merchant)?,
        },
        country: (stored.country != 0).then(|| controls::country(stored.country)).transpose()?,
        network_trace: network_trace(&stored.network_trace)?,
    })
}

/// None in records from before there were any.
fn network_trace(stored: &str) -> Read<NetworkTrace> {
    NetworkTrace::new(stored.as_bytes()).map_err(|error| illegal("network trace", error))
}

fn key(stored: shapes::Key) -> Read<MessageKey> {
    Ok(MessageKey {
        acquirer: acquirer(stored.acquirer)?,
        class: choice(stored.class)?,
        stan: stored.stan,
        local_time: stored.local_time,
        terminal: text("terminal", &stored.terminal)?,
        rrn: text("RRN", &stored.rrn)?,
        card: Fingerprint(sixteen("fingerprint", &stored.card)?),
    })
}

fn acquirer(stored: Option<shapes::Acquirer>) -> Read<Acquirer> {
    Ok(match stored.ok_or(RecordFault::UnknownKind("acquirer"))? {
        shapes::Acquirer::Institution(id) => Acquirer::Institution(text("acquirer", &id)?),
        shapes::Acquirer::Link(link) => Acquirer::Link(LinkId(narrow("link", link)?)),
    })
}

pub(super) fn illegal(field: &'static str, found: impl std::fmt::Display) -> RecordFault {
    RecordFault::Illegal { field, found: found.to_string() }
}

/// An amount that must be there.
pub(super) fn amount(field: &'static str, stored: Option<i64>) -> Read<MinorUnits> {
    stored.map(MinorUnits).ok_or(RecordFault::MissingAmount(field))
}

/// A currency by its numeric code.
pub(super) fn currency(code: u32) -> Read<Currency> {
    let code: u16 = narrow("currency", code)?;
    Currency::from_numeric(code).map_err(|_| illegal("currency", code))
}

pub(super) fn choice<T: Stored>(code: u32) -> Read<T> {
    T::from_code(code).ok_or_else(|| illegal(T::FIELD, code))
}

pub(super) fn lock(number: u32) -> Read<LockCode> {
    let number = narrow("lock code", number)?;
    LockCode::from_number(number).ok_or_else(|| illegal("lock code", number))
}

pub(super) fn reason(name: &str) -> Read<Reason> {
    Reason::from_name(name).ok_or_else(|| illegal("reason", name))
}

pub(super) fn approval_code(code: &str) -> Read<ApprovalCode> {
    ApprovalCode::from_text(code).ok_or_else(|| illegal("approval code", code))
}

pub(super) fn text<const N: usize>(field: &'static str, stored: &str) -> Read<AsciiText<N>> {
    AsciiText::new(stored.as_bytes()).map_err(|error| illegal(field, error))
}

pub(super) fn narrow<T: TryFrom<u32>>(field: &'static str, value: u32) -> Read<T> {
    T::try_from(value).map_err(|_| illegal(field, value))
}

fn sixteen(field: &'static str, bytes: &[u8]) -> Read<[u8; 16]> {
    bytes.try_into().map_err(|_| illegal(field, format_args!("{} bytes", bytes.len())))
}
