//! Records of a resharding (W-12), format 1: stored shapes with their tags, and both ways between
//! them and the domain. Rows that are inherited are stored as they are in a snapshot.

use prost::Message;
use switch_domain as domain;
use switch_domain::{CustomerId, Event, Placement, Seq, ShardId};

use super::card_security::{self, Counters};
use super::controls::{self, Control, StoredUsage};
use super::read::{Read, choice, illegal, narrow};
use super::snapshot::{
    all, read_authorization, read_balance, read_card, read_share, write_authorization,
    write_balance, write_card, write_share,
};
use super::snapshot_shapes::{Authorization, Balance, Card};
use super::{RecordFault, shapes, write};

/// Shards of one generation.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Heirs {
    #[prost(uint32, tag = "1")]
    first: u32,
    #[prost(uint32, tag = "2")]
    data_shards: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Sealed {
    #[prost(uint32, tag = "1")]
    shard: u32,
    #[prost(message, optional, tag = "2")]
    heirs: Option<Heirs>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Founded {
    #[prost(uint32, tag = "1")]
    shard: u32,
    #[prost(message, optional, tag = "2")]
    heirs: Option<Heirs>,
    #[prost(message, repeated, tag = "3")]
    from: Vec<SealedHead>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SealedHead {
    #[prost(uint32, tag = "1")]
    shard: u32,
    #[prost(int64, tag = "2")]
    seq: i64,
    #[prost(bytes = "vec", tag = "3")]
    hash: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Estate {
    #[prost(message, repeated, tag = "1")]
    balances: Vec<Balance>,
    #[prost(message, repeated, tag = "2")]
    customers: Vec<shapes::StateChanged>,
    #[prost(message, repeated, tag = "3")]
    cards: Vec<Card>,
    /// Level and held of each share.
    #[prost(message, repeated, tag = "4")]
    shares: Vec<shapes::AmountsDelta>,
    /// Those that are not closed.
    #[prost(message, repeated, tag = "5")]
    authorizations: Vec<Authorization>,
    #[prost(message, repeated, tag = "10")]
    controls: Vec<Control>,
    #[prost(message, repeated, tag = "11")]
    usage: Vec<StoredUsage>,
    #[prost(message, repeated, tag = "20")]
    counters: Vec<Counters>,
}

fn write_heirs(heirs: Placement) -> Heirs {
    Heirs { first: u32::from(heirs.first().0), data_shards: u32::from(heirs.data_shards()) }
}

fn read_heirs(stored: Option<Heirs>) -> Read<Placement> {
    let stored = stored.ok_or(RecordFault::Missing("generation of shards"))?;
    let first = ShardId(narrow("first shard", stored.first)?);
    Placement::new(first, narrow("data shards", stored.data_shards)?)
        .ok_or_else(|| illegal("first shard", stored.first))
}

pub(super) fn write_sealed(sealed: &domain::Sealed) -> Sealed {
    Sealed { shard: u32::from(sealed.shard.0), heirs: Some(write_heirs(sealed.heirs)) }
}

pub(super) fn read_sealed(stored: Sealed) -> Read<Event> {
    let shard = ShardId(narrow("shard", stored.shard)?);
    Ok(Event::Sealed(domain::Sealed { shard, heirs: read_heirs(stored.heirs)? }))
}

pub(super) fn write_founded(founded: &domain::Founded) -> Founded {
    let head = |one: &domain::SealedHead| SealedHead {
        shard: u32::from(one.shard.0),
        seq: one.seq.0,
        hash: one.hash.to_vec(),
    };
    Founded {
        shard: u32::from(founded.shard.0),
        heirs: Some(write_heirs(founded.heirs)),
        from: founded.from.iter().map(head).collect(),
    }
}

pub(super) fn read_founded(stored: &Founded) -> Read<Event> {
    let head = |one: &SealedHead| -> Read<domain::SealedHead> {
        let wrong = |_| illegal("hash", format_args!("{} bytes", one.hash.len()));
        Ok(domain::SealedHead {
            shard: ShardId(narrow("shard", one.shard)?),
            seq: Seq(one.seq),
            hash: one.hash.as_slice().try_into().map_err(wrong)?,
        })
    };
    Ok(Event::Founded(domain::Founded {
        shard: ShardId(narrow("shard", stored.shard)?),
        heirs: read_heirs(stored.heirs)?,
        from: all(&stored.from, head)?,
    }))
}

pub(super) fn write_estate(estate: &domain::Estate) -> Estate {
    let customers = estate.customers.iter();
    Estate {
        balances: estate.balances.iter().map(write_balance).collect(),
        customers: customers.map(|(id, state)| write::changed(id.0, *state)).collect(),
        cards: estate.cards.iter().map(write_card).collect(),
        shares: estate.shares.iter().map(write_share).collect(),
        authorizations: estate.authorizations.iter().map(write_authorization).collect(),
        controls: estate.spend_controls.iter().map(controls::write_control).collect(),
        usage: estate.usage.iter().map(controls::write_usage).collect(),
        counters: estate.counters.iter().map(card_security::write_counters).collect(),
    }
}

pub(super) fn read_estate(stored: Estate) -> Read<Event> {
    let customer = |one: &shapes::StateChanged| Ok((CustomerId(one.id), choice(one.state)?));
    Ok(Event::Inherited(Box::new(domain::Estate {
        balances: all(&stored.balances, read_balance)?,
        customers: all(&stored.customers, customer)?,
        cards: all(&stored.cards, |card| Ok(read_card(card)?.0))?,
        spend_controls: stored
            .controls
            .into_iter()
            .map(controls::read_control)
            .collect::<Read<_>>()?,
        usage: all(&stored.usage, controls::read_usage)?,
        counters: all(&stored.counters, card_security::read_counters)?,
        shares: all(&stored.shares, read_share)?,
        authorizations: stored
            .authorizations
            .into_iter()
            .map(read_authorization)
            .collect::<Read<_>>()?,
    })))
}
