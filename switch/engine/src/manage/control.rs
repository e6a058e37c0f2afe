//! Partners, pools and programmes: commands of the control shard. It owns that BIN ranges never
//! overlap and that a programme's pool fits it.

use switch_domain::{
    Account, AsciiText, Bin, Currency, Effects, Event, Funding, MinorUnits, Partner, PartnerId,
    PartnerState, Pool, PoolDelta, PoolId, PoolKind, Posting, Programme, ProgrammeId,
};

use super::{Change, Decided};
use crate::{Act, Refusal, State};

/// Upper bound of an amount in one command, far from the range of an i64 so that sums stay in it.
pub(crate) const LARGEST_AMOUNT: i64 = 1_000_000_000_000_000;

pub(super) fn define_partner(state: &State, name: AsciiText<40>) -> Decided {
    let id = state.mint(PartnerId::mint).ok_or(Refusal::IdentifiersExhausted)?;
    let (state, partial_minimums) = (PartnerState::Active, Vec::new());
    let partner = Partner { id, name, state, partial_minimums };
    Ok(Some(Change::plain(Event::PartnerDefined(partner), Some(id.0))))
}

pub(super) fn rename_partner(state: &State, id: PartnerId, name: AsciiText<40>) -> Decided {
    let partner = state.control().partners.get(&id).ok_or(Refusal::NoSuchPartner)?;
    if partner.name == name {
        return Ok(None);
    }
    let partner = Partner { name, ..partner.clone() };
    Ok(Some(Change::plain(Event::PartnerDefined(partner), None)))
}

pub(super) fn set_partner_state(state: &State, id: PartnerId, new: PartnerState) -> Decided {
    let partner = state.control().partners.get(&id).ok_or(Refusal::NoSuchPartner)?;
    if partner.state == new {
        return Ok(None);
    }
    let partner = Partner { state: new, ..partner.clone() };
    Ok(Some(Change::plain(Event::PartnerDefined(partner), None)))
}

/// From which amount on a part of a purchase is approved; `None`: from none.
pub(super) fn set_partial_minimum(
    state: &State,
    id: PartnerId,
    currency: Currency,
    minimum: Option<MinorUnits>,
) -> Decided {
    let partner = state.control().partners.get(&id).ok_or(Refusal::NoSuchPartner)?;
    minimum.map(positive).transpose()?;
    if partner.partial_minimum(currency) == minimum {
        return Ok(None);
    }
    let partner = partner.with_partial_minimum(currency, minimum);
    Ok(Some(Change::plain(Event::PartnerDefined(partner), None)))
}

pub(super) fn open_pool(
    state: &State,
    partner: PartnerId,
    kind: PoolKind,
    currency: Currency,
) -> Decided {
    if !state.control().partners.contains_key(&partner) {
        return Err(Refusal::NoSuchPartner);
    }
    let id = state.mint(PoolId::mint).ok_or(Refusal::IdentifiersExhausted)?;
    let pool = Pool { id, partner, kind, currency };
    Ok(Some(Change::plain(Event::PoolDefined(pool), Some(id.0))))
}

/// The issuer's bank account gives, the pool receives (SR-228).
pub(super) fn reload_pool(
    state: &State,
    id: PoolId,
    amount: MinorUnits,
    reference: AsciiText<40>,
) -> Decided {
    let pool = state.control().pools.get(&id).ok_or(Refusal::NoSuchPool)?;
    let back = positive(amount)?;
    let level = state.share(id).level.checked_add(amount).ok_or(Refusal::AmountTooLarge)?;
    if level.0 > LARGEST_AMOUNT.saturating_mul(1_000) {
        return Err(Refusal::AmountTooLarge);
    }
    let currency = pool.currency;
    let effects = Effects {
        pool: Some(PoolDelta { pool: id, level: amount, held: MinorUnits::ZERO }),
        postings: vec![
            Posting { account: Account::Pool(id), amount, currency },
            Posting { account: Account::SettlementBank(pool.partner), amount: back, currency },
        ],
        ..Effects::default()
    };
    Ok(Some(Change { event: Event::PoolReloaded { pool: id, reference }, effects, made: None }))
}

pub(super) fn define_programme(state: &State, act: &Act) -> Decided {
    let Act::DefineProgramme { partner, name, bins, currency, funding } = act else {
        return Err(Refusal::NoSuchProgramme);
    };
    let control = state.control();
    if !control.partners.contains_key(partner) {
        return Err(Refusal::NoSuchPartner);
    }
    let in_order = bins.low <= bins.high && bins.high <= Bin(99_999_999);
    if !in_order || !(14..=19).contains(&bins.pan_length) {
        return Err(Refusal::BinsInvalid);
    }
    if state.bins_taken(bins) {
        return Err(Refusal::BinsTaken);
    }
    let pool = control.pools.get(&funding.pool()).ok_or(Refusal::NoSuchPool)?;
    let kind = match funding {
        Funding::Credit(_) => PoolKind::Credit,
        Funding::Deposit(_) => PoolKind::Deposit,
    };
    if (pool.partner, pool.kind, pool.currency) != (*partner, kind, *currency) {
        return Err(Refusal::PoolUnfit);
    }
    let id = state.mint(ProgrammeId::mint).ok_or(Refusal::IdentifiersExhausted)?;
    let programme = Programme {
        id,
        name: *name,
        partner: *partner,
        bins: *bins,
        currency: *currency,
        funding: *funding,
        foreign: None,
        security: None,
    };
    Ok(Some(Change::plain(Event::ProgrammeDefined(programme), Some(id.0))))
}

pub(super) fn rename_programme(state: &State, id: ProgrammeId, name: AsciiText<40>) -> Decided {
    let programme = state.control().programmes.get(&id).ok_or(Refusal::NoSuchProgramme)?;
    if programme.name == name {
        return Ok(None);
    }
    let programme = Programme { name, ..programme.clone() };
    Ok(Some(Change::plain(Event::ProgrammeDefined(programme), None)))
}

/// An amount above zero and within bounds, negated.
pub(crate) fn positive(amount: MinorUnits) -> Result<MinorUnits, Refusal> {
    if !amount.is_positive() {
        return Err(Refusal::AmountNotPositive);
    }
    if amount.0 > LARGEST_AMOUNT {
        return Err(Refusal::AmountTooLarge);
    }
    amount.checked_neg().ok_or(Refusal::AmountTooLarge)
}
