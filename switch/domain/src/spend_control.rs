//! Spend controls: what an issuer lets a card, an account or the cards of a programme be used for,
//! and how much. It owns which purchases a control is about and what it says of them; what was used
//! of a limit stands in `usage`. It never looks at a clock, and declines nothing by itself.

use crate::{
    AsciiText, BalanceId, CardId, Categories, Channel, ControlId, Country, Direction, EntryMode,
    MessageFacts, MinorUnits, ProgrammeId, TransactionType,
};

/// Whom a control is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlSubject {
    /// One card.
    Card(CardId),
    /// All cards of one account together.
    Balance(BalanceId),
    /// Every card of a programme, each by itself.
    Programme(ProgrammeId),
}

/// A way to use a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CardUse {
    /// At a cash machine or a counter of a bank.
    Atm,
    /// At a terminal of a merchant.
    Pos,
    /// Without the card being present.
    Ecommerce,
    /// Held to the terminal, whatever data it gave.
    Contactless,
    /// By its magnetic stripe.
    Stripe,
    /// Goods with cash back.
    CashBack,
}

impl CardUse {
    /// Every one once, in the order of their bits.
    pub const ALL: [Self; 6] =
        [Self::Atm, Self::Pos, Self::Ecommerce, Self::Contactless, Self::Stripe, Self::CashBack];

    /// Whether a message is of this use.
    #[must_use]
    pub const fn is_of(self, facts: &MessageFacts) -> bool {
        match self {
            Self::Atm => matches!(facts.channel, Channel::Atm),
            Self::Pos => matches!(facts.channel, Channel::Pos),
            Self::Ecommerce => matches!(facts.channel, Channel::Ecommerce),
            Self::Contactless => {
                matches!(facts.entry, EntryMode::Contactless | EntryMode::ContactlessStripe)
            }
            Self::Stripe => matches!(facts.entry, EntryMode::Stripe),
            Self::CashBack => matches!(facts.kind, TransactionType::CashBack),
        }
    }

    /// The stable name, as commands and tables have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Atm => "atm",
            Self::Pos => "pos",
            Self::Ecommerce => "ecommerce",
            Self::Contactless => "contactless",
            Self::Stripe => "stripe",
            Self::CashBack => "cash_back",
        }
    }

    /// From the stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Atm => 1,
            Self::Pos => 1 << 1,
            Self::Ecommerce => 1 << 2,
            Self::Contactless => 1 << 3,
            Self::Stripe => 1 << 4,
            Self::CashBack => 1 << 5,
        }
    }
}

/// Some ways to use a card; none stands for any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CardUses(u8);

impl CardUses {
    /// These.
    #[must_use]
    pub fn of(uses: &[CardUse]) -> Self {
        Self(uses.iter().fold(0, |bits, one| bits | one.bit()))
    }

    /// From the bits as they are stored; `None` where one is of no use that this version knows.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits < 1 << 6 { Some(Self(bits)) } else { None }
    }

    /// As they are stored.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// True where no use is named.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are named.
    pub fn iter(self) -> impl Iterator<Item = CardUse> {
        CardUse::ALL.into_iter().filter(move |one| self.0 & one.bit() != 0)
    }
}

/// A time zone by its name in the IANA database.
pub type ZoneName = AsciiText<40>;

/// Hours of some days of the week, in a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hours {
    /// Bit 0 is Monday, bit 6 Sunday: the days on which they begin.
    pub days: u8,
    /// Minute of the day from which on.
    pub from: u16,
    /// Minute of the day up to which, itself not included; where it is not after `from`, of the
    /// day after.
    pub to: u16,
    /// Whose clock.
    pub zone: ZoneName,
}

/// Minutes of a day.
pub const DAY_MINUTES: u16 = 1440;

/// A moment as a clock on a wall has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalMoment {
    /// 0 is Monday.
    pub weekday: u8,
    /// Minute of the day.
    pub minute: u16,
}

impl Hours {
    /// Whether they are ones at all.
    #[must_use]
    pub const fn are_valid(&self) -> bool {
        let days = self.days != 0 && self.days < 1 << 7;
        days && self.from < DAY_MINUTES && self.to <= DAY_MINUTES && !self.zone.is_empty()
    }

    /// Whether a moment is in them.
    #[must_use]
    pub fn has(&self, moment: LocalMoment) -> bool {
        let LocalMoment { weekday, minute } = moment;
        let begins_on = |day: u8| self.days >> (day % 7) & 1 == 1;
        let (today, yesterday) = (begins_on(weekday), begins_on(weekday.saturating_add(6)));
        if self.from < self.to {
            return today && self.from <= minute && minute < self.to;
        }
        (today && self.from <= minute) || (yesterday && minute < self.to)
    }
}

/// Which messages a control is about: those that fit everything that is named here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    /// One of these uses.
    pub uses: CardUses,
    /// A merchant of one of these categories.
    pub categories: Vec<Categories>,
    /// In one of these countries.
    pub countries: Vec<Country>,
    /// In another country than this; what does not say where it is, is not.
    pub abroad_of: Option<Country>,
    /// At one of these merchants (DE42).
    pub merchants: Vec<AsciiText<35>>,
    /// In these hours.
    pub hours: Option<Hours>,
}

/// What of a message a control minds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// How the card is used.
    Use,
    /// What kind of merchant it is.
    Category,
    /// Where it is.
    Country,
    /// Which merchant it is.
    Merchant,
    /// When it is.
    Hours,
}

impl Selector {
    /// Whether it is about a message; `moment` tells what a clock says in a zone.
    pub fn selects(
        &self,
        facts: &MessageFacts,
        moment: &dyn Fn(&ZoneName) -> Option<LocalMoment>,
    ) -> bool {
        let Self { uses, categories, countries, abroad_of, merchants, hours } = self;
        let country = facts.country;
        (uses.is_empty() || uses.iter().any(|one| one.is_of(facts)))
            && any(categories, |one| one.has(facts.merchant.category))
            && any(countries, |one| country == Some(*one))
            && abroad_of.is_none_or(|home| country.is_some_and(|country| country != home))
            && any(merchants, |one| *one == facts.merchant.id)
            && hours.is_none_or(|hours| moment(&hours.zone).is_some_and(|now| hours.has(now)))
    }

    /// What it minds first, of all that it names: the narrowest.
    #[must_use]
    pub fn aspect(&self) -> Aspect {
        if !self.merchants.is_empty() {
            Aspect::Merchant
        } else if !self.categories.is_empty() {
            Aspect::Category
        } else if !self.countries.is_empty() || self.abroad_of.is_some() {
            Aspect::Country
        } else if self.hours.is_some() {
            Aspect::Hours
        } else {
            Aspect::Use
        }
    }

    /// The longest of its lists.
    #[must_use]
    pub fn longest_list(&self) -> usize {
        self.categories.len().max(self.countries.len()).max(self.merchants.len())
    }
}

/// Whether one of them fits, or there is none.
fn any<T>(list: &[T], fits: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(fits)
}

/// Over which time a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// One transaction by itself.
    Transaction,
    /// So many hours up to now, counted in 24 parts: a part counts until all of it is past.
    Rolling(u16),
    /// A calendar day of a zone.
    Day(ZoneName),
    /// A week of a zone, from Monday.
    Week(ZoneName),
    /// A calendar month of a zone.
    Month(ZoneName),
    /// A calendar year of a zone.
    Year(ZoneName),
    /// From the first to the last.
    Lifetime,
}

impl Window {
    /// Parts that a rolling window is counted in.
    pub const PARTS: i64 = 24;
    /// The longest rolling window: a leap year.
    pub const MOST_HOURS: u16 = 366 * 24;

    /// The zone, where there is one.
    #[must_use]
    pub const fn zone(&self) -> Option<&ZoneName> {
        match self {
            Self::Day(zone) | Self::Week(zone) | Self::Month(zone) | Self::Year(zone) => Some(zone),
            Self::Transaction | Self::Rolling(_) | Self::Lifetime => None,
        }
    }
}

/// What a control says of the messages that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlRule {
    /// They are declined.
    Forbid,
    /// All others are declined.
    AllowOnly,
    /// They are declined at all merchants but the first that one was granted at.
    OneMerchant,
    /// No more than this in the window, in minor units of the account's currency.
    Amount(MinorUnits, Window),
    /// No more than so many in the window.
    Count(u32, Window),
}

/// What a control is told to be: all of it but its name for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlTerms {
    /// Whom it is for.
    pub subject: ControlSubject,
    /// Its name for people.
    pub name: AsciiText<40>,
    /// True where it declines nothing, and is only noted.
    pub shadow: bool,
    /// What it is about.
    pub selects: Selector,
    /// What it says of that.
    pub rule: ControlRule,
}

/// A control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendControl {
    /// Its name for us.
    pub id: ControlId,
    /// What it is.
    pub terms: ControlTerms,
}

impl ControlTerms {
    /// Whether what is granted counts towards it.
    #[must_use]
    pub const fn counts(&self) -> bool {
        match self.rule {
            ControlRule::OneMerchant => true,
            ControlRule::Amount(_, window) | ControlRule::Count(_, window) => {
                !matches!(window, Window::Transaction)
            }
            ControlRule::Forbid | ControlRule::AllowOnly => false,
        }
    }

    /// Whether what was used under one counts under the other: the same things in the same window.
    /// How much there may be, the name, and whether it declines can differ.
    #[must_use]
    pub fn counts_alike(&self, other: &Self) -> bool {
        let rules = match (self.rule, other.rule) {
            (ControlRule::Amount(_, one), ControlRule::Amount(_, other))
            | (ControlRule::Count(_, one), ControlRule::Count(_, other)) => one == other,
            (one, other) => one == other,
        };
        rules && self.subject == other.subject && self.selects == other.selects
    }
}

/// Whether controls mind a transaction at all: what gives money to the customer is never stopped by
/// one.
#[must_use]
pub const fn is_controlled(kind: TransactionType) -> bool {
    !matches!(kind.direction(), Direction::Credit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_have_a_bit_and_a_name_of_their_own() {
        let all = CardUses::of(&CardUse::ALL);
        assert_eq!(all.iter().collect::<Vec<_>>(), CardUse::ALL);
        assert_eq!(CardUses::from_bits(all.bits()), Some(all));
        assert_eq!(CardUses::from_bits(1 << 6), None);
        for one in CardUse::ALL {
            assert_eq!(CardUse::from_name(one.name()), Some(one));
            assert_eq!(CardUses::of(&[one]).iter().collect::<Vec<_>>(), [one]);
        }
    }

    #[test]
    fn hours_may_pass_midnight() {
        let zone = AsciiText::new(b"Europe/Madrid").expect("a name");
        let shop = Hours { days: 0b001_1111, from: 9 * 60, to: 17 * 60, zone };
        let night = Hours { days: 0b100_0000, from: 22 * 60, to: 6 * 60, zone };
        let whole = Hours { days: 1, from: 0, to: DAY_MINUTES, zone };
        for (hours, weekday, minute, inside) in [
            (shop, 0, 9 * 60, true),
            (shop, 0, 9 * 60 - 1, false),
            (shop, 4, 17 * 60 - 1, true),
            (shop, 4, 17 * 60, false),
            (shop, 5, 12 * 60, false),
            (night, 6, 21 * 60 + 59, false),
            (night, 6, 22 * 60, true),
            (night, 0, 0, true),
            (night, 0, 6 * 60 - 1, true),
            (night, 0, 6 * 60, false),
            (night, 0, 22 * 60, false),
            (night, 6, 60, false),
            (whole, 0, 0, true),
            (whole, 0, DAY_MINUTES - 1, true),
            (whole, 1, 0, false),
            (whole, 6, DAY_MINUTES - 1, false),
        ] {
            let moment = LocalMoment { weekday, minute };
            assert_eq!(hours.has(moment), inside, "{hours:?} at {moment:?}");
        }
        assert!(shop.are_valid() && night.are_valid() && whole.are_valid());
        for wrong in [
            Hours { days: 0, ..shop },
            Hours { days: 1 << 7, ..shop },
            Hours { from: DAY_MINUTES, ..shop },
            Hours { to: DAY_MINUTES + 1, ..shop },
            Hours { zone: AsciiText::EMPTY, ..shop },
        ] {
            assert!(!wrong.are_valid(), "{wrong:?}");
        }
    }
}
