//! What is counted of an attempt. It owns which decisions are guesses, and which ways into a
//! terminal a number can take without its card.

use switch_domain::{Direction, EntryMode, MessageFacts, MinorUnits, Reason, TransactionType};

/// One thing that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The number is of a programme, and of no card.
    UnknownCard,
    /// The month is not the card's, or is over.
    WrongExpiry,
    /// The printed code is not the card's, or was wrong too often.
    WrongCode,
    /// A small amount without the card, or none at all: right or wrong, that is how numbers are
    /// tried.
    SmallAmount,
}

impl Kind {
    /// How many there are.
    pub(crate) const COUNT: usize = 4;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] =
        [Self::UnknownCard, Self::WrongExpiry, Self::WrongCode, Self::SmallAmount];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownCard => "unknown_card",
            Self::WrongExpiry => "wrong_expiry",
            Self::WrongCode => "wrong_code",
            Self::SmallAmount => "small_amount",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::UnknownCard => 1,
            Self::WrongExpiry => 2,
            Self::WrongCode => 4,
            Self::SmallAmount => 8,
        }
    }

    /// Its place in a row of counts.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::UnknownCard => 0,
            Self::WrongExpiry => 1,
            Self::WrongCode => 2,
            Self::SmallAmount => 3,
        }
    }
}

/// All that is counted of one attempt: a number that is not there, tried with a small amount, is
/// both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// What is counted of a request, with its own amount, that was decided so.
    #[must_use]
    pub fn of(facts: &MessageFacts, asked: MinorUnits, reason: Reason, small: MinorUnits) -> Self {
        let guessed = match reason {
            Reason::InvalidCardNumber => Self::NONE.with(Kind::UnknownCard),
            Reason::ExpiredCard => Self::NONE.with(Kind::WrongExpiry),
            Reason::CardCodeIncorrect | Reason::CardCodeTriesExceeded => {
                Self::NONE.with(Kind::WrongCode)
            }
            _ => Self::NONE,
        };
        // Who only asks what an account has knows the card already.
        let tells =
            matches!(facts.kind, TransactionType::BalanceInquiry | TransactionType::MiniStatement);
        let tries = is_remote(facts.entry) && facts.kind.direction() != Direction::Credit && !tells;
        if tries && asked <= small { guessed.with(Kind::SmallAmount) } else { guessed }
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | kind.bit())
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

/// Whether nothing of the card was read, so that a number is all that is needed.
#[must_use]
pub const fn is_remote(entry: EntryMode) -> bool {
    matches!(entry, EntryMode::Unknown | EntryMode::Manual | EntryMode::Ecommerce)
}
