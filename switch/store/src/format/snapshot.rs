//! A shard's state as bytes, and back (W-7). It owns the order of fields on both ways, so that
//! equal states give equal bytes. Closed authorizations, reversals and commands are history: not
//! in it.

use bytes::Bytes;
use prost::Message;
use switch_domain::{
    Authorization, AuthorizationId, Balance, BalanceId, Card, CardId, Control, ControlSubject,
    CustomerId, Expiry, Fingerprint, MinorUnits, PartnerId, Pool, PoolId, PoolShare, ProgrammeId,
    Seq, ShardId, ShardImage, Timestamp, Totals, TransferId, VaultRef,
};

use super::read::{self, Read};
use super::snapshot_shapes as shapes;
use super::{
    FormatError, RecordFault, card_security, controls, conversion, fees, shapes as of_records,
    write,
};
use crate::codes::{Stored, stand_in_code};

/// The bytes of an image.
#[must_use]
pub fn encode_snapshot(image: &ShardImage) -> Bytes {
    let control = &image.control;
    let snapshot = shapes::Snapshot {
        shard: u32::from(image.shard.0),
        seq: image.projected.0,
        last_counter: image.last_counter,
        last_decided: Some(image.last_decided.0),
        control_version: control.version,
        partners: control.partners.values().map(write::partner).collect(),
        pools: control.pools.values().map(write::pool).collect(),
        programmes: control.programmes.values().map(write::programme).collect(),
        balances: image.balances.iter().map(write_balance).collect(),
        customers: image.customers.iter().map(|(id, state)| write::changed(id.0, *state)).collect(),
        cards: image.cards.iter().map(|(card, _)| write_card(card)).collect(),
        shares: image.shares.iter().map(write_share).collect(),
        authorizations: image.authorizations.iter().map(write_authorization).collect(),
        transfers: image.transfers.iter().map(write::transfer).collect(),
        received: image.received.iter().map(|(id, said)| write::changed(id.0, *said)).collect(),
        controls: control
            .spend_controls()
            .chain(&image.spend_controls)
            .map(controls::write_control)
            .collect(),
        usage: image.usage.iter().map(controls::write_usage).collect(),
        rates: control.rates().map(conversion::write_quoted).collect(),
        counters: image.counters.iter().map(card_security::write_counters).collect(),
        fees: control.fees().map(|(id, schedule)| fees::write_set(id, Some(schedule))).collect(),
    };
    snapshot.encode_to_vec().into()
}

/// The image that bytes describe. It is marked as incomplete: history is not in it.
///
/// # Errors
/// Bytes that this version cannot read in full.
pub fn decode_snapshot(bytes: &[u8]) -> Result<ShardImage, FormatError> {
    let stored = shapes::Snapshot::decode(bytes)?;
    image(stored).map_err(FormatError::Snapshot)
}

fn image(stored: shapes::Snapshot) -> Read<ShardImage> {
    let shard = ShardId(read::narrow("shard", stored.shard)?);
    let mut control = Control::default();
    for partner in &stored.partners {
        control.put_partner(read::partner(partner)?);
    }
    for pool in &stored.pools {
        control.put_pool(read_pool(pool)?);
    }
    for programme in &stored.programmes {
        control.put_programme(read::programme(programme)?);
    }
    let mut spend_controls = Vec::new();
    for one in stored.controls {
        let one = controls::read_control(one)?;
        match one.terms.subject {
            ControlSubject::Programme(_) => control.put_spend_control(one),
            ControlSubject::Balance(_) | ControlSubject::Card(_) => spend_controls.push(one),
        }
    }
    for rate in &stored.rates {
        control.put_rate(conversion::read_quoted(rate)?);
    }
    for one in &stored.fees {
        let (programme, schedule) = fees::read_set(one)?;
        control.set_fees(programme, schedule);
    }
    control.version = stored.control_version;
    let customer =
        |one: &of_records::StateChanged| Ok((CustomerId(one.id), read::choice(one.state)?));
    Ok(ShardImage {
        shard,
        projected: Seq(stored.seq),
        last_counter: stored.last_counter,
        last_decided: Timestamp(stored.last_decided.ok_or(RecordFault::Missing("time"))?),
        control,
        balances: all(&stored.balances, read_balance)?,
        customers: all(&stored.customers, customer)?,
        cards: all(&stored.cards, read_card)?,
        spend_controls,
        usage: all(&stored.usage, controls::read_usage)?,
        counters: all(&stored.counters, card_security::read_counters)?,
        shares: all(&stored.shares, read_share)?,
        transfers: all(&stored.transfers, read::transfer)?,
        received: all(&stored.received, |one| Ok((TransferId(one.id), read::choice(one.state)?)))?,
        authorizations: stored
            .authorizations
            .into_iter()
            .map(read_authorization)
            .collect::<Read<_>>()?,
        complete: false,
        reversals: Vec::new(),
        commands: Vec::new(),
    })
}

pub(super) fn all<S, T>(stored: &[S], read: impl Fn(&S) -> Read<T>) -> Read<Vec<T>> {
    stored.iter().map(read).collect()
}

fn read_pool(stored: &of_records::Pool) -> Read<Pool> {
    Ok(Pool {
        id: PoolId(stored.id),
        partner: PartnerId(stored.partner),
        kind: read::choice(stored.kind)?,
        currency: read::currency(stored.currency)?,
    })
}

pub(super) fn write_balance(balance: &Balance) -> shapes::Balance {
    shapes::Balance {
        id: balance.id.0,
        programme: balance.programme.0,
        partner: balance.partner.0,
        customer: balance.customer.0,
        currency: u32::from(balance.currency.numeric()),
        state: balance.state.code(),
        ledger: Some(balance.ledger.0),
        held: Some(balance.held.0),
    }
}

pub(super) fn read_balance(stored: &shapes::Balance) -> Read<Balance> {
    Ok(Balance {
        id: BalanceId(stored.id),
        programme: ProgrammeId(stored.programme),
        partner: PartnerId(stored.partner),
        customer: CustomerId(stored.customer),
        currency: read::currency(stored.currency)?,
        state: read::choice(stored.state)?,
        ledger: read::amount("ledger", stored.ledger)?,
        held: read::amount("held", stored.held)?,
    })
}

pub(super) fn write_card(card: &Card) -> shapes::Card {
    shapes::Card {
        id: card.id.0,
        balance: card.balance.0,
        programme: card.programme.0,
        vault_row: card.vault.row,
        vault_version: card.vault.version,
        expiry: u32::from(card.expiry.yymm()),
        status: card.status.code(),
        lock: card.lock.map(|lock| u32::from(lock.number())),
        approvals: card.approvals,
        references: card.references.as_deref().map(card_security::write_references),
    }
}

pub(super) fn read_card(stored: &shapes::Card) -> Read<(Card, Fingerprint)> {
    let yymm = read::narrow("expiry", stored.expiry)?;
    let card = Card {
        id: CardId(stored.id),
        balance: BalanceId(stored.balance),
        programme: ProgrammeId(stored.programme),
        vault: VaultRef { row: stored.vault_row, version: stored.vault_version },
        expiry: Expiry::from_yymm(yymm).map_err(|_| read::illegal("expiry", yymm))?,
        status: read::choice(stored.status)?,
        lock: stored.lock.map(read::lock).transpose()?,
        approvals: stored.approvals,
        references: stored.references.as_ref().map(card_security::read_references).transpose()?,
    };
    Ok((card, Fingerprint([0; 16])))
}

pub(super) fn write_share((pool, share): &(PoolId, PoolShare)) -> of_records::AmountsDelta {
    of_records::AmountsDelta { id: pool.0, level: Some(share.level.0), held: Some(share.held.0) }
}

pub(super) fn read_share(stored: &of_records::AmountsDelta) -> Read<(PoolId, PoolShare)> {
    let level = read::amount("level", stored.level)?;
    let held = read::amount("held", stored.held)?;
    Ok((PoolId(stored.id), PoolShare { level, held }))
}

pub(super) fn write_authorization(one: &Authorization) -> shapes::Authorization {
    shapes::Authorization {
        id: one.id.0,
        facts: Some(write::facts(&one.facts)),
        card: one.card.map(|id| id.0),
        balance: one.balance.map(|id| id.0),
        pool: one.pool.map(|id| id.0),
        currency: u32::from(one.currency.numeric()),
        requested: Some(one.requested.0),
        reason: one.reason.name().to_owned(),
        approval_code: one.approval_code.map(|code| code.as_str().to_owned()),
        authorized: Some(one.totals.authorized.0),
        incremented: Some(one.totals.incremented.0),
        reversed: Some(one.totals.reversed.0),
        cleared: Some(one.totals.cleared.0),
        refunded: Some(one.totals.refunded.0),
        decided_at: Some(one.decided_at.0),
        stand_in: stand_in_code(one.stand_in),
        would_be: write::would_be(one.stand_in),
        portion: one.portion.as_deref().map(write::portion),
        conversion: one.conversion.as_deref().map(conversion::write_conversion),
        answered: one.answered.map_or_else(String::new, |one| one.name().to_owned()),
        counted: one.counted.iter().flatten().map(controls::write_counted).collect(),
        fees: one.fees.as_deref().map(fees::write_totals),
    }
}

pub(super) fn read_authorization(stored: shapes::Authorization) -> Read<Authorization> {
    let amount = |field, value| -> Read<MinorUnits> { read::amount(field, value) };
    let facts = read::facts(stored.facts.ok_or(RecordFault::Missing("facts"))?)?;
    Ok(Authorization {
        id: AuthorizationId(stored.id),
        stand_in: read::stand_in(&facts, stored.stand_in, &stored.would_be)?,
        facts,
        card: stored.card.map(CardId),
        balance: stored.balance.map(BalanceId),
        pool: stored.pool.map(PoolId),
        currency: read::currency(stored.currency)?,
        requested: amount("requested", stored.requested)?,
        portion: stored.portion.as_ref().map(read::portion).transpose()?,
        reason: read::reason(&stored.reason)?,
        answered: read::answered(&stored.answered)?,
        approval_code: stored.approval_code.as_deref().map(read::approval_code).transpose()?,
        // What completes another is closed from the start.
        completes: None,
        conversion: stored.conversion.as_ref().map(conversion::read_conversion).transpose()?,
        counted: Some(stored.counted.iter().map(controls::read_counted).collect::<Box<[_]>>())
            .filter(|counted| !counted.is_empty()),
        totals: Totals {
            authorized: amount("authorized", stored.authorized)?,
            incremented: amount("incremented", stored.incremented)?,
            reversed: amount("reversed", stored.reversed)?,
            cleared: amount("cleared", stored.cleared)?,
            refunded: amount("refunded", stored.refunded)?,
        },
        fees: stored.fees.as_ref().map(fees::read_totals).transpose()?.map(Box::new),
        decided_at: Timestamp(stored.decided_at.ok_or(RecordFault::Missing("time"))?),
        closed: false,
    })
}
