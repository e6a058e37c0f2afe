//! What became of an advice: somebody else decided in our stead, and tells us. It owns which of
//! these hold money; whether one fits is the engine's affair.

use crate::Reason;

/// What an advice came to. Every one of them is accepted: the peer has told what has
/// happened, and nothing can be declined any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StandIn {
    /// It was approved in our stead, and would have been here: it is held.
    Agreed,
    /// It was approved in our stead, and would have been declined here for this reason: it is held
    /// all the same, below zero where need be.
    Forced(Reason),
    /// It was approved in our stead, and there is nothing that it could be held on, for this
    /// reason: somebody has to look at it.
    Suspense(Reason),
    /// It was declined in our stead: nothing is held.
    Declined,
    /// It is about an authorization that we approved ourselves and whose answer did not arrive:
    /// that one holds, and nothing is added.
    Known,
    /// Its reversal had come before it: nothing is held.
    Reversed,
}

impl StandIn {
    /// Whether it makes a hold.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Agreed | Self::Forced(_))
    }

    /// Why it would have been declined here, or cannot be held.
    #[must_use]
    pub const fn would_be(self) -> Option<Reason> {
        match self {
            Self::Forced(reason) | Self::Suspense(reason) => Some(reason),
            Self::Agreed | Self::Declined | Self::Known | Self::Reversed => None,
        }
    }

    /// The stable name, as stored and as metrics label it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Forced(_) => "forced",
            Self::Suspense(_) => "suspense",
            Self::Declined => "declined",
            Self::Known => "known",
            Self::Reversed => "reversed",
        }
    }

    /// From the stable name and the reason; `None` where the name is none, or a reason is there
    /// where there must be none, or the other way round.
    #[must_use]
    pub fn from_name(name: &str, would_be: Option<Reason>) -> Option<Self> {
        match (name, would_be) {
            ("agreed", None) => Some(Self::Agreed),
            ("forced", Some(reason)) => Some(Self::Forced(reason)),
            ("suspense", Some(reason)) => Some(Self::Suspense(reason)),
            ("declined", None) => Some(Self::Declined),
            ("known", None) => Some(Self::Known),
            ("reversed", None) => Some(Self::Reversed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_with_their_reason_and_not_without() {
        let reason = Reason::InsufficientFunds;
        let all = [
            (StandIn::Agreed, true),
            (StandIn::Forced(reason), true),
            (StandIn::Suspense(reason), false),
            (StandIn::Declined, false),
            (StandIn::Known, false),
            (StandIn::Reversed, false),
        ];
        for (one, holds) in all {
            assert_eq!(one.holds(), holds, "{one:?}");
            assert_eq!(StandIn::from_name(one.name(), one.would_be()), Some(one));
            let other = if one.would_be().is_some() { None } else { Some(reason) };
            assert_eq!(StandIn::from_name(one.name(), other), None, "{one:?}");
        }
        assert_eq!(StandIn::from_name("something", None), None);
    }

    /// It is in every record and every remembered authorization.
    #[test]
    fn it_takes_two_bytes() {
        assert!(size_of::<Option<StandIn>>() <= 2);
    }
}
