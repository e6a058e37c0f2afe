//! What an issuer sets up before any card spends: partners, their pools, programmes, exchange
//! rates. It owns their shapes and the look-up of a BIN; shards read it as a snapshot and never
//! change it (W-17).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{
    Amount, AsciiText, CardSecurityTerms, ControlId, ControlSubject, Currency, ExchangeRate,
    FeeSchedule, ForeignTerms, MinorUnits, PartnerId, PoolId, ProgrammeId, SpendControl,
};

/// Whether a partner's cards are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartnerState {
    /// Served.
    Active,
    /// Every authorization of its cards is declined.
    Suspended,
}

/// An institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// Its name for us.
    pub id: PartnerId,
    /// Its name for people.
    pub name: AsciiText<40>,
    /// Whether its cards are served.
    pub state: PartnerState,
    /// The least that a part of a purchase is approved for, by currency: each once, in the order of
    /// their numbers. In a currency that is not here nothing is approved in part.
    pub partial_minimums: Vec<Amount>,
}

impl Partner {
    /// The least that a part of a purchase is approved for; `None` where no part is.
    #[must_use]
    pub fn partial_minimum(&self, currency: Currency) -> Option<MinorUnits> {
        let of_currency = self.partial_minimums.iter().find(|one| one.currency == currency);
        of_currency.map(|one| one.minor)
    }

    /// The same partner with this minimum in a currency, or with none.
    #[must_use]
    pub fn with_partial_minimum(&self, currency: Currency, minimum: Option<MinorUnits>) -> Self {
        let mut changed = self.clone();
        changed.partial_minimums.retain(|one| one.currency != currency);
        changed.partial_minimums.extend(minimum.map(|minor| Amount { minor, currency }));
        changed.partial_minimums.sort_unstable_by_key(|one| one.currency.numeric());
        changed
    }
}

/// What a pool of a partner's money is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolKind {
    /// Topping up a customer charges it (SR-221).
    Credit,
    /// Each authorization charges it (SR-224).
    Deposit,
}

/// A pool of a partner's money. Its level is the sum of the shards' shares (W-15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub id: PoolId,
    /// Whose money.
    pub partner: PartnerId,
    /// What it is for.
    pub kind: PoolKind,
    /// Of what.
    pub currency: Currency,
}

/// How spending under a programme is funded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Funding {
    /// A top-up charges this credit pool; an authorization holds user funds alone.
    Credit(PoolId),
    /// An authorization charges this deposit pool and holds user funds, both or neither.
    Deposit(PoolId),
}

impl Funding {
    /// The pool, whichever kind.
    #[must_use]
    pub const fn pool(self) -> PoolId {
        match self {
            Self::Credit(pool) | Self::Deposit(pool) => pool,
        }
    }

    /// The pool that an authorization charges, if it charges one.
    #[must_use]
    pub const fn deposit(self) -> Option<PoolId> {
        match self {
            Self::Deposit(pool) => Some(pool),
            Self::Credit(_) => None,
        }
    }
}

/// The first eight digits of a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bin(pub u32);

/// The card numbers of a programme: an inclusive range of eight-digit BINs, and the PAN's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BinRange {
    /// First BIN.
    pub low: Bin,
    /// Last BIN, itself included.
    pub high: Bin,
    /// Digits of a PAN, check digit included: 14 to 19.
    pub pan_length: u8,
}

impl BinRange {
    /// Whether a card number that begins so is of this range.
    #[must_use]
    pub fn contains(&self, bin: Bin) -> bool {
        (self.low..=self.high).contains(&bin)
    }

    /// Whether two ranges share a BIN.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// A card product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programme {
    /// Its name for us.
    pub id: ProgrammeId,
    /// Its name for people.
    pub name: AsciiText<40>,
    /// Whose product.
    pub partner: PartnerId,
    /// Its card numbers.
    pub bins: BinRange,
    /// The one currency that its cards spend in.
    pub currency: Currency,
    /// Where the money comes from.
    pub funding: Funding,
    /// How amounts in other currencies are taken; `None` where they are declined.
    pub foreign: Option<ForeignTerms>,
    /// How its cards are verified; `None` where they are not.
    pub security: Option<Arc<CardSecurityTerms>>,
}

/// Everything above, as one versioned snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Counts changes; records made under a snapshot cite it.
    pub version: u64,
    /// By id.
    pub partners: BTreeMap<PartnerId, Partner>,
    /// By id.
    pub pools: BTreeMap<PoolId, Pool>,
    /// By id.
    pub programmes: BTreeMap<ProgrammeId, Programme>,
    /// First BIN of each range to its programme: ranges never overlap.
    by_bin: BTreeMap<Bin, ProgrammeId>,
    /// Spend controls of every card of a programme, in the order of their names for us.
    spend_controls: BTreeMap<ProgrammeId, Vec<SpendControl>>,
    /// The rate in force of each pair, by what is converted and into what.
    rates: BTreeMap<(Currency, Currency), ExchangeRate>,
    /// The schedules of fees of programmes that have one.
    fees: BTreeMap<ProgrammeId, FeeSchedule>,
}

impl Control {
    /// The programme whose range a BIN falls in.
    #[must_use]
    pub fn programme_of(&self, bin: Bin) -> Option<&Programme> {
        let (_, id) = self.by_bin.range(..=bin).next_back()?;
        self.programmes.get(id).filter(|programme| programme.bins.contains(bin))
    }

    /// Adds or replaces a partner.
    pub fn put_partner(&mut self, partner: Partner) {
        self.version = self.version.saturating_add(1);
        self.partners.insert(partner.id, partner);
    }

    /// Adds or replaces a pool.
    pub fn put_pool(&mut self, pool: Pool) {
        self.version = self.version.saturating_add(1);
        self.pools.insert(pool.id, pool);
    }

    /// Adds or replaces a programme.
    pub fn put_programme(&mut self, programme: Programme) {
        self.version = self.version.saturating_add(1);
        if let Some(old) = self.programmes.get(&programme.id) {
            self.by_bin.remove(&old.bins.low);
        }
        self.by_bin.insert(programme.bins.low, programme.id);
        self.programmes.insert(programme.id, programme);
    }

    /// The rate in force between two currencies.
    #[must_use]
    pub fn rate(&self, from: Currency, to: Currency) -> Option<&ExchangeRate> {
        self.rates.get(&(from, to))
    }

    /// All rates in force, in the order of their codes.
    pub fn rates(&self) -> impl ExactSizeIterator<Item = &ExchangeRate> {
        self.rates.values()
    }

    /// Puts a rate in force, in place of an earlier one of its pair.
    pub fn put_rate(&mut self, rate: ExchangeRate) {
        self.version = self.version.saturating_add(1);
        self.rates.insert((rate.from, rate.to), rate);
    }

    /// Takes the rate of a pair out of force.
    pub fn remove_rate(&mut self, from: Currency, to: Currency) {
        self.version = self.version.saturating_add(1);
        self.rates.remove(&(from, to));
    }

    /// The schedule of fees of a programme; `None` where nothing is charged.
    #[must_use]
    pub fn fees_of(&self, programme: ProgrammeId) -> Option<&FeeSchedule> {
        self.fees.get(&programme)
    }

    /// All schedules of fees, in the order of their programmes.
    pub fn fees(&self) -> impl ExactSizeIterator<Item = (ProgrammeId, &FeeSchedule)> {
        self.fees.iter().map(|(programme, schedule)| (*programme, schedule))
    }

    /// Puts a schedule in force, in place of an earlier one of its programme, or takes that out.
    pub fn set_fees(&mut self, programme: ProgrammeId, schedule: Option<FeeSchedule>) {
        self.version = self.version.saturating_add(1);
        match schedule {
            Some(schedule) => self.fees.insert(programme, schedule),
            None => self.fees.remove(&programme),
        };
    }

    /// The spend controls of every card of a programme, in the order of their names for us.
    #[must_use]
    pub fn spend_controls_of(&self, programme: ProgrammeId) -> &[SpendControl] {
        self.spend_controls.get(&programme).map_or(&[], Vec::as_slice)
    }

    /// All spend controls of programmes.
    pub fn spend_controls(&self) -> impl Iterator<Item = &SpendControl> {
        self.spend_controls.values().flatten()
    }

    /// Adds or replaces a spend control of a programme; one of anything else is not kept here.
    pub fn put_spend_control(&mut self, control: SpendControl) {
        let ControlSubject::Programme(programme) = control.terms.subject else { return };
        self.version = self.version.saturating_add(1);
        let controls = self.spend_controls.entry(programme).or_default();
        controls.retain(|one| one.id != control.id);
        let at = controls.partition_point(|one| one.id < control.id);
        controls.insert(at, control);
    }

    /// Takes a spend control of a programme out of force.
    pub fn remove_spend_control(&mut self, programme: ProgrammeId, control: ControlId) {
        self.version = self.version.saturating_add(1);
        if let Some(controls) = self.spend_controls.get_mut(&programme) {
            controls.retain(|one| one.id != control);
            if controls.is_empty() {
                self.spend_controls.remove(&programme);
            }
        }
    }
}
