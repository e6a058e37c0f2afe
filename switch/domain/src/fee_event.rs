//! What a fee may be charged for. It owns the catalogue: the kinds that the platform knows, each
//! with a number and a name that are never given to another, and names of a partner's own. It never
//! says how much.

use crate::{AsciiText, Channel, Country, Direction, MessageFacts};

/// Where a card is used, seen from the country of its programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the programme's own country.
    Domestic,
    /// In another country of its region.
    Region,
    /// Anywhere else.
    World,
}

impl Place {
    /// Every one once, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Domestic, Self::Region, Self::World];

    const fn name(self) -> &'static str {
        match self {
            Self::Domestic => "domestic",
            Self::Region => "region",
            Self::World => "world",
        }
    }
}

/// The country of a programme and those around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Its own country; where none is named, everywhere is at home.
    pub home: Option<Country>,
    /// The others of its region.
    pub region: Vec<Country>,
}

impl Surroundings {
    /// Where a country is. What does not say where it is, is at home: nobody pays for silence.
    #[must_use]
    pub fn place_of(&self, country: Option<Country>) -> Place {
        match country.zip(self.home) {
            None => Place::Domestic,
            Some((country, home)) if country == home => Place::Domestic,
            Some((country, _)) if self.region.contains(&country) => Place::Region,
            Some(_) => Place::World,
        }
    }
}

/// When a fee for the use of a card is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeeMoment {
    /// Once it is authorized.
    Authorized,
    /// Once it is cleared.
    Cleared,
}

impl FeeMoment {
    /// Both, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Authorized, Self::Cleared];

    const fn name(self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
            Self::Cleared => "cleared",
        }
    }
}

/// The name of what only one partner charges for.
pub type FeeName = AsciiText<20>;

/// What stands before such a name, so that a slip in a known one is not taken for it.
const OWN: &str = "other:";

/// What a fee is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeeEvent {
    /// An account is opened.
    AccountCreated,
    /// A card is made.
    CardCreated,
    /// A card is made in place of another.
    CardReplaced,
    /// A card is there for a day.
    CardDaily,
    /// A card is there for a week.
    CardWeekly,
    /// A card is there for a month.
    CardMonthly,
    /// A card is there and nobody uses it.
    CardDormant,
    /// Money is sent to an account elsewhere.
    Transfer,
    /// The amount of a message is in another currency than the account.
    Conversion(FeeMoment),
    /// A card is used.
    Use(Channel, Place, FeeMoment),
    /// What a partner charges by a name of its own.
    Own(FeeName),
}

const CHANNELS: [Channel; 3] = [Channel::Pos, Channel::Ecommerce, Channel::Atm];

/// The number of the first use; the others follow it.
const FIRST_USE: u8 = 32;

impl FeeEvent {
    /// The known kinds that are neither a use nor a conversion.
    const ACTS: [Self; 8] = [
        Self::AccountCreated,
        Self::CardCreated,
        Self::CardReplaced,
        Self::CardDaily,
        Self::CardWeekly,
        Self::CardMonthly,
        Self::CardDormant,
        Self::Transfer,
    ];

    /// Every known kind once, in the order of their numbers.
    pub fn known() -> impl Iterator<Item = Self> {
        let conversions = FeeMoment::ALL.into_iter().map(Self::Conversion);
        let uses = CHANNELS.into_iter().flat_map(|channel| {
            Place::ALL.into_iter().flat_map(move |place| {
                FeeMoment::ALL.into_iter().map(move |moment| Self::Use(channel, place, moment))
            })
        });
        Self::ACTS.into_iter().chain(conversions).chain(uses)
    }

    /// The use that a message makes of its card; `None` where it takes no money.
    #[must_use]
    pub fn of_use(facts: &MessageFacts, place: Place, moment: FeeMoment) -> Option<Self> {
        let takes = facts.kind.direction() == Direction::Debit;
        takes.then_some(Self::Use(facts.channel, place, moment))
    }

    /// The number that is stored; zero for a name of a partner's own, which is stored beside it.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Own(_) => 0,
            Self::AccountCreated => 1,
            Self::CardCreated => 2,
            Self::CardReplaced => 3,
            Self::CardDaily => 4,
            Self::CardWeekly => 5,
            Self::CardMonthly => 6,
            Self::CardDormant => 7,
            Self::Transfer => 8,
            Self::Conversion(FeeMoment::Authorized) => 9,
            Self::Conversion(FeeMoment::Cleared) => 10,
            Self::Use(channel, place, moment) => of_use(*channel, *place, *moment),
        }
    }

    /// The known kind of a number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::known().find(|one| one.code() == code)
    }

    /// The name, as commands and tables have it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::AccountCreated => "account_created".to_owned(),
            Self::CardCreated => "card_created".to_owned(),
            Self::CardReplaced => "card_replaced".to_owned(),
            Self::CardDaily => "card_daily".to_owned(),
            Self::CardWeekly => "card_weekly".to_owned(),
            Self::CardMonthly => "card_monthly".to_owned(),
            Self::CardDormant => "card_dormant".to_owned(),
            Self::Transfer => "transfer".to_owned(),
            Self::Conversion(moment) => format!("conversion_{}", moment.name()),
            Self::Use(channel, place, moment) => {
                format!("{}_{}_{}", of_channel(*channel), place.name(), moment.name())
            }
            Self::Own(name) => format!("{OWN}{}", name.as_str()),
        }
    }

    /// From the name. One of a partner's own has small letters, digits and `_` alone.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let Some(own) = name.strip_prefix(OWN) else {
            return Self::known().find(|one| one.name() == name);
        };
        let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let text = FeeName::new(own.as_bytes()).ok()?;
        (!own.is_empty() && own.bytes().all(legal)).then_some(Self::Own(text))
    }
}

const fn of_channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Pos => "pos",
        Channel::Ecommerce => "ecommerce",
        Channel::Atm => "atm",
    }
}

/// Six numbers for each channel, two for each place.
const fn of_use(channel: Channel, place: Place, moment: FeeMoment) -> u8 {
    let channel: u8 = match channel {
        Channel::Pos => 0,
        Channel::Ecommerce => 6,
        Channel::Atm => 12,
    };
    let place: u8 = match place {
        Place::Domestic => 0,
        Place::Region => 2,
        Place::World => 4,
    };
    let moment: u8 = match moment {
        FeeMoment::Authorized => 0,
        FeeMoment::Cleared => 1,
    };
    FIRST_USE.saturating_add(channel).saturating_add(place).saturating_add(moment)
}
