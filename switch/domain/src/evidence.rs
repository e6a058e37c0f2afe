//! What was found out about the card and its holder before a request is decided: whether the
//! values, the PIN and the cryptogram of the message are those of the card. It owns the words for
//! findings; it never has a value, a PIN or a key, and it judges nothing: the engine does.

use crate::{ChipDifferences, ChipFacts};

/// What verification found of one thing that a message may carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Finding {
    /// The message does not carry it.
    #[default]
    Absent,
    /// It is that of the card.
    Matched,
    /// It is not.
    Mismatched,
    /// The message carries it, and nobody can tell.
    Unverified(Unverified),
}

/// Why nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unverified {
    /// The programme names no key for it, or the key ring has none of that name.
    NoKey,
    /// The card has nothing to compare it with: no PIN was set, no service code is known.
    NoReference,
    /// It cannot be read. (Of a PIN block nobody learns that: it is just not the right one, C-25.)
    Malformed,
    /// The security module did not say in time.
    Unavailable,
    /// The chip computes in a manner that the programme does not have.
    UnknownProfile,
    /// It was not asked for, since its answer may not be told: the tries are used up.
    Skipped,
    /// What it was compared with was replaced before the request was decided.
    Stale,
}

impl Unverified {
    /// All of them, for tables and tests.
    pub const ALL: [Self; 7] = [
        Self::NoKey,
        Self::NoReference,
        Self::Malformed,
        Self::Unavailable,
        Self::UnknownProfile,
        Self::Skipped,
        Self::Stale,
    ];
}

impl Unverified {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoKey => "no_key",
            Self::NoReference => "no_reference",
            Self::Malformed => "malformed",
            Self::Unavailable => "unavailable",
            Self::UnknownProfile => "unknown_profile",
            Self::Skipped => "skipped",
            Self::Stale => "stale",
        }
    }
}

impl Finding {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Matched => "matched",
            Self::Mismatched => "mismatched",
            Self::Unverified(why) => why.name(),
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let unverified = Unverified::ALL.into_iter().map(Self::Unverified);
        let mut all = [Self::Absent, Self::Matched, Self::Mismatched].into_iter().chain(unverified);
        all.find(|one| one.name() == name)
    }
}

/// Which kind of cryptogram a chip gave: the first two bits of tag 9F27.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CryptogramType {
    /// ARQC: the card asks for a decision.
    Request,
    /// TC: the card approved by itself.
    Certificate,
    /// AAC: the card declined by itself.
    Refusal,
}

impl CryptogramType {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Request, Self::Certificate, Self::Refusal];

    /// Its stable name: what the field calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "arqc",
            Self::Certificate => "tc",
            Self::Refusal => "aac",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What a chip said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chip {
    /// Application transaction counter (9F36).
    pub atc: u16,
    /// Sequence number of the card (5F34, else DE23; 0 where neither says).
    pub sequence: u8,
    /// Whether its cryptogram (9F26) is right for the data that came with it.
    pub cryptogram: Finding,
    /// Which kind of cryptogram that is.
    pub kind: CryptogramType,
    /// What the chip says otherwise than the fields of the message do (E-03).
    pub differs: ChipDifferences,
    /// Which of these differences the link that it came by lets pass: no part of the message.
    pub tolerated: ChipDifferences,
    /// What terminal and card report of the transaction and the one before (TVR, CVR; E-08).
    pub facts: ChipFacts,
}

/// All that was found out about one request. Where it has none of this, nothing was sent, or the
/// programme asks for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Which version of the card's references it was compared with
    /// ([`crate::CardReferences::version`]).
    pub references: u32,
    /// The card value of the track: CVV of a stripe, iCVV where a chip was read, by the entry mode.
    pub stripe: Finding,
    /// The printed card code (CVV2).
    pub code: Finding,
    /// The PIN.
    pub pin: Finding,
    /// What the chip said, where the message has its data. Data that cannot be read is a chip whose
    /// cryptogram is [`Unverified::Malformed`].
    pub chip: Option<Chip>,
    /// The new PIN, where one is wanted: matched where what it will be compared with was made.
    pub new_pin: Finding,
    /// Of a request about the PIN, the command for the card's chip: matched where it was made, to
    /// go with an approval.
    pub script: Finding,
    /// True where the message says that the stripe was read since the chip could not be (DE22 of
    /// 1987: 80).
    pub fallback: bool,
}
