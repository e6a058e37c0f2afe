//! Spend controls of the reference model: which purchases they decline, and what counts towards
//! them, added up anew from the purchases each time. It owns an arithmetic of days of its own;
//! nothing here is shared with the engine. Every step is committed before the next.

use std::collections::BTreeMap;

use switch_domain::{Direction, Reason, TransactionType};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// The parts that a rolling window is counted in.
const PARTS: i64 = 24;

/// Whose purchases: those of one card, of one account, or of every card by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Card(usize),
    Account(usize),
    EachCard,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    Any,
    CashBack,
    /// At the merchant of this terminal.
    At(u8),
}

/// Over which time. A zone is so many hours ahead of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Once,
    Day(i64),
    Week(i64),
    Hours(u16),
    EverSince,
}

/// What is said of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Never,
    /// And of all others that they are not.
    Always,
    OneMerchant,
    Amount(i64, Over),
    Count(u32, Over),
}

/// A control.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) name: &'static str,
    pub(crate) whose: Whose,
    pub(crate) only: Only,
    pub(crate) says: Says,
    pub(crate) shadow: bool,
}

/// One of each sort, in the order in which they are judged. Odds are such that each declines now
/// and then, and most of the traffic passes.
pub(crate) const LIMITS: [Limit; 11] = [
    limit("a day, far ahead", Whose::EachCard, Only::Any, Says::Amount(6_000, Over::Day(11))),
    limit("many in 48 hours", Whose::EachCard, Only::Any, Says::Count(14, Over::Hours(48))),
    limit("a week", Whose::Account(2), Only::Any, Says::Amount(9_000, Over::Week(-5))),
    limit("ever since", Whose::Account(3), Only::Any, Says::Amount(150_000, Over::EverSince)),
    limit("at once", Whose::Card(4), Only::Any, Says::Amount(900, Over::Once)),
    limit("one merchant", Whose::Card(5), Only::Any, Says::OneMerchant),
    limit("no cash back", Whose::Card(6), Only::CashBack, Says::Never),
    limit("one shop", Whose::Card(7), Only::At(1), Says::Always),
    limit("cash back a day", Whose::Card(8), Only::CashBack, Says::Count(1, Over::Day(0))),
    limit("eight hours", Whose::Card(9), Only::Any, Says::Amount(1_500, Over::Hours(8))),
    Limit {
        shadow: true,
        ..limit("shadow", Whose::Card(10), Only::Any, Says::Amount(500, Over::Day(0)))
    },
];

const fn limit(name: &'static str, whose: Whose, only: Only, says: Says) -> Limit {
    Limit { name, whose, only, says, shadow: false }
}

/// What is asked for, as controls see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spend {
    pub(crate) card: usize,
    pub(crate) kind: TransactionType,
    pub(crate) terminal: u8,
    /// What has to be there for it.
    pub(crate) needs: i64,
    /// The purchase that it adds to.
    pub(crate) adds_to: Option<usize>,
    /// Whether it completes another.
    pub(crate) completes: bool,
}

/// An amount and a count.
pub(crate) type Sum = (i64, i32);

/// What was used of a purchase, by its number.
type UsedOf<'a> = &'a dyn Fn(usize) -> i64;

/// Which control, and for which card or account.
type Place = (usize, usize);

/// All of them, and the purchases that count towards each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Controls {
    limits: Vec<Limit>,
    /// By control and holder: the part of the window, and the purchase.
    counted: BTreeMap<Place, Vec<(i64, usize)>>,
    /// By control and purchase: the part in which that began to count.
    began: BTreeMap<(usize, usize), i64>,
    /// How often each declined, and how often something was too old to count any more.
    pub(crate) declined: BTreeMap<&'static str, u32>,
    pub(crate) turned_over: u32,
    /// Microseconds since 1970.
    pub(crate) now: i64,
}

impl Over {
    /// The part that a moment is in, and the oldest that counts with it.
    fn part(self, at: i64) -> Option<(i64, i64)> {
        let day = |ahead: i64| (at + ahead * HOUR_US).div_euclid(DAY_US);
        let alone = |part| Some((part, part));
        match self {
            Self::Once => None,
            Self::EverSince => alone(0),
            Self::Day(ahead) => alone(day(ahead)),
            // The first of January 1970 was a Thursday.
            Self::Week(ahead) => alone(day(ahead) - (day(ahead) + 3).rem_euclid(7)),
            Self::Hours(hours) => {
                let part = at.div_euclid(i64::from(hours) * HOUR_US / PARTS);
                Some((part, part - PARTS))
            }
        }
    }
}

impl Limit {
    fn is_for(&self, card: usize) -> bool {
        match self.whose {
            Whose::Card(one) | Whose::Account(one) => one == card,
            Whose::EachCard => true,
        }
    }

    fn is_about(&self, spend: &Spend) -> bool {
        match self.only {
            Only::Any => true,
            Only::CashBack => spend.kind == TransactionType::CashBack,
            Only::At(terminal) => spend.terminal == terminal,
        }
    }

    const fn over(&self) -> Option<Over> {
        match self.says {
            Says::Amount(_, over) | Says::Count(_, over) => Some(over),
            _ => None,
        }
    }

    /// What was used, by part, so that it can be compared: of parts that are merchants only the
    /// engine knows the numbers.
    pub(crate) fn comparable(&self, parts: impl Iterator<Item = (i64, Sum)>) -> Vec<(i64, Sum)> {
        let by_merchant = self.says == Says::OneMerchant;
        let mut parts: Vec<_> =
            parts.map(|(part, sum)| (if by_merchant { 0 } else { part }, sum)).collect();
        parts.sort_unstable();
        parts
    }

    const fn counts(&self) -> bool {
        !matches!(self.says, Says::Never | Says::Always) && !matches!(self.over(), Some(Over::Once))
    }
}

impl Controls {
    pub(crate) fn of(limits: &[Limit]) -> Self {
        Self { limits: limits.to_vec(), ..Self::default() }
    }

    fn in_force(&self, spend: &Spend) -> impl Iterator<Item = (usize, Limit)> {
        let minded = spend.kind.direction() != Direction::Credit;
        let card = spend.card;
        let all = self.limits.clone().into_iter().enumerate();
        all.filter(move |(_, one)| minded && one.is_for(card) && !one.shadow)
    }

    /// Why it may not be used so, if it may not.
    pub(crate) fn forbids(&mut self, spend: &Spend, used: UsedOf<'_>) -> Option<Reason> {
        let found = self.in_force(spend).find_map(|(_, limit)| {
            let about = limit.is_about(spend);
            let declines = match limit.says {
                Says::Never => about,
                Says::Always => !about,
                _ => false,
            };
            let reason = match limit.only {
                Only::At(_) => Reason::MerchantNotPermitted,
                Only::CashBack => Reason::CashBackNotPermitted,
                Only::Any => Reason::UseNotPermitted,
            };
            declines.then_some((limit.name, reason))
        });
        let elsewhere = |(number, limit): (usize, Limit)| {
            let parts = self.parts((number, spend.card), used);
            let others = parts.into_iter().filter(|(part, _)| *part != i64::from(spend.terminal));
            let one = limit.says == Says::OneMerchant && limit.is_about(spend);
            let there = one && others.into_iter().any(|(_, (_, count))| count > 0);
            there.then_some((limit.name, Reason::MerchantNotPermitted))
        };
        let found = found.or_else(|| self.in_force(spend).find_map(elsewhere));
        self.note(found)
    }

    /// Why it would be too much, if it would.
    pub(crate) fn exceeded(&mut self, spend: &Spend, used: UsedOf<'_>) -> Option<Reason> {
        if spend.needs <= 0 {
            return None;
        }
        let amount = |(number, limit): (usize, Limit)| {
            let Says::Amount(most, _) = limit.says else { return None };
            let before = self.before((number, spend.card), &limit, spend, used)?.0;
            let too_much = before + spend.needs > most;
            too_much.then_some((limit.name, Reason::AmountLimitExceeded))
        };
        let count = |(number, limit): (usize, Limit)| {
            let Says::Count(most, _) = limit.says else { return None };
            let own = spend.adds_to.is_none() && !spend.completes;
            let before = self.before((number, spend.card), &limit, spend, used)?.1;
            let too_many = own && i64::from(before) >= i64::from(most);
            too_many.then_some((limit.name, Reason::CountLimitExceeded))
        };
        let found = self.in_force(spend).find_map(amount);
        let found = found.or_else(|| self.in_force(spend).find_map(count));
        self.note(found)
    }

    fn note(&mut self, found: Option<(&'static str, Reason)>) -> Option<Reason> {
        let (name, reason) = found?;
        *self.declined.entry(name).or_default() += 1;
        Some(reason)
    }

    /// What was used before of what it counts towards; `None` where it counts towards nothing. What
    /// adds to a purchase counts where that does, and is judged by all that counts since then.
    fn before(&self, at: Place, limit: &Limit, spend: &Spend, used: UsedOf<'_>) -> Option<Sum> {
        if !limit.is_about(spend) {
            return None;
        }
        let Some((part, oldest)) = limit.over()?.part(self.now) else {
            return Some((spend.adds_to.map_or(0, used), 0));
        };
        let from = match spend.adds_to {
            None => oldest,
            Some(first) => {
                let own = *self.began.get(&(at.0, first))?;
                if oldest < part { oldest } else { own }
            }
        };
        let parts = self.parts(at, used).into_iter().filter(|(part, _)| *part >= from);
        Some(parts.fold((0, 0), |sum, (_, one)| (sum.0 + one.0, sum.1 + one.1)))
    }

    /// A purchase that was granted counts from now on.
    pub(crate) fn begin(&mut self, spend: &Spend, purchase: usize) {
        if spend.kind.direction() != Direction::Debit {
            return;
        }
        for (number, limit) in self.limits.iter().enumerate() {
            if !limit.counts() || !limit.is_for(spend.card) || !limit.is_about(spend) {
                continue;
            }
            let counted = self.counted.entry((number, spend.card)).or_default();
            let part = match limit.over().map(|over| over.part(self.now)) {
                Some(None) => continue,
                Some(Some((part, oldest))) => {
                    let before = counted.len();
                    counted.retain(|(part, _)| *part >= oldest);
                    self.turned_over += u32::from(counted.len() < before);
                    part
                }
                None => i64::from(spend.terminal),
            };
            counted.push((part, purchase));
            self.began.insert((number, purchase), part);
        }
    }

    /// What was used, by part: each purchase that counts there, anew.
    pub(crate) fn parts(&self, at: Place, used: UsedOf<'_>) -> BTreeMap<i64, Sum> {
        let mut parts = BTreeMap::new();
        for (part, purchase) in self.counted.get(&at).into_iter().flatten() {
            let amount = used(*purchase);
            let sum: &mut Sum = parts.entry(*part).or_default();
            *sum = (sum.0 + amount, sum.1 + i32::from(amount > 0));
        }
        parts
    }
}
