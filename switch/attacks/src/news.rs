//! What whoever runs the switch should hear of. It owns the words; who takes them logs and keeps
//! them.

use switch_domain::{Acquirer, Bin, Timestamp};

use crate::kind::Kind;
use crate::{MerchantId, Pair};

/// Whom a count is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A merchant and a BIN.
    Pair(Pair),
    /// A merchant, whatever the cards.
    Merchant(Acquirer, MerchantId),
    /// A BIN, wherever it is tried.
    Bin(Bin),
    /// An acquirer with all its merchants.
    Acquirer(Acquirer),
}

impl Subject {
    /// The stable name of what it is.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pair(_) => "pair",
            Self::Merchant(..) => "merchant",
            Self::Bin(_) => "bin",
            Self::Acquirer(_) => "acquirer",
        }
    }

    /// Its BIN, where it has one.
    #[must_use]
    pub const fn bin(&self) -> Option<Bin> {
        match self {
            Self::Pair(Pair { bin, .. }) | Self::Bin(bin) => Some(*bin),
            Self::Merchant(..) | Self::Acquirer(_) => None,
        }
    }

    /// Its acquirer, where it has one.
    #[must_use]
    pub const fn acquirer(&self) -> Option<Acquirer> {
        match self {
            Self::Pair(Pair { acquirer, .. })
            | Self::Merchant(acquirer, _)
            | Self::Acquirer(acquirer) => Some(*acquirer),
            Self::Bin(_) => None,
        }
    }

    /// Its merchant, where it has one.
    #[must_use]
    pub const fn merchant(&self) -> Option<MerchantId> {
        match self {
            Self::Pair(Pair { merchant, .. }) | Self::Merchant(_, merchant) => Some(*merchant),
            Self::Bin(_) | Self::Acquirer(_) => None,
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A limit was reached. Said once in a window, as long as it goes on.
    Alarm,
    /// A pair is blocked.
    Blocked {
        /// Until when.
        until: Timestamp,
        /// Whether that refuses nothing.
        shadow: bool,
    },
    /// A pair would be blocked, and there are too many already.
    NotBlocked,
    /// A block ended by itself.
    Ended {
        /// Attempts that met it.
        met: u64,
    },
}

impl What {
    /// Its stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Blocked { .. } => "blocked",
            Self::NotBlocked => "not_blocked",
            Self::Ended { .. } => "ended",
        }
    }
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// When.
    pub at: Timestamp,
    /// Of whom.
    pub subject: Subject,
    /// What was counted.
    pub kind: Kind,
    /// How many there were.
    pub count: u32,
    /// The limit that this reached.
    pub limit: u32,
    /// What happened.
    pub what: What,
}
