//! Who may set and lift which lock. It owns the channels and what each may; which lock
//! may follow which, and which is never lifted, is the engine's affair.

use switch_domain::{LockCode, LockCodes};

use crate::Problem;

/// Through which channel somebody acts on a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The holder's app.
    User,
    /// The partner's system.
    Partner,
    /// The panel.
    Operator,
}

impl Channel {
    /// As in tables and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Partner => "PARTNER",
            Self::Operator => "OPERATOR",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::User, Self::Partner, Self::Operator].into_iter().find(|one| one.name() == name)
    }
}

/// What a channel may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockRights {
    /// The codes that it may set.
    pub sets: LockCodes,
    /// The codes that it may lift.
    pub lifts: LockCodes,
}

/// What each may.
#[derive(Clone, Copy, Debug)]
pub struct LockPolicy {
    user: LockRights,
    partner: LockRights,
    operator: LockRights,
    /// Whether a user lifts those alone that a user has set.
    own_alone: bool,
}

impl LockPolicy {
    /// Of what each channel may, and whether a user lifts those alone that a user has set.
    #[must_use]
    pub fn new(of: impl Fn(Channel) -> LockRights, own_alone: bool) -> Self {
        let (user, partner) = (of(Channel::User), of(Channel::Partner));
        Self { user, partner, operator: of(Channel::Operator), own_alone }
    }

    const fn rights(&self, channel: Channel) -> LockRights {
        match channel {
            Channel::User => self.user,
            Channel::Partner => self.partner,
            Channel::Operator => self.operator,
        }
    }

    /// That a channel may set a code.
    pub(super) fn may_set(&self, channel: Channel, code: LockCode) -> Result<(), Problem> {
        let may = self.rights(channel).sets.contains(code);
        if may { Ok(()) } else { Err(forbidden("this reason is not for you to give")) }
    }

    /// That a channel may lift a lock, which this channel has set, where any has.
    pub(super) fn may_lift(
        &self,
        channel: Channel,
        code: LockCode,
        set_by: Option<Channel>,
    ) -> Result<(), Problem> {
        let others = channel == Channel::User && self.own_alone && set_by != Some(Channel::User);
        if self.rights(channel).lifts.contains(code) && !others {
            return Ok(());
        }
        Err(forbidden("this lock is not for you to lift"))
    }
}

fn forbidden(what: &str) -> Problem {
    Problem::new("FORBIDDEN", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(codes: &[LockCode]) -> LockCodes {
        codes.iter().copied().collect()
    }

    #[test]
    fn a_20_a_21_each_channel_sets_and_lifts_what_it_may() {
        let query = LockCode::PendingQuery;
        let fraud = LockCode::SuspectedFraud;
        let of = |channel| match channel {
            Channel::User => LockRights { sets: codes(&[query]), lifts: codes(&[query]) },
            _ => LockRights { sets: LockCodes::all(), lifts: codes(&[query, fraud]) },
        };
        for own_alone in [false, true] {
            let policy = LockPolicy::new(of, own_alone);
            assert!(policy.may_set(Channel::User, query).is_ok());
            assert!(policy.may_set(Channel::Operator, fraud).is_ok());
            let refused = policy.may_set(Channel::User, fraud).expect_err("not for users");
            assert_eq!(refused.code, "FORBIDDEN");
            assert!(policy.may_lift(Channel::Partner, fraud, None).is_ok());
            assert!(policy.may_lift(Channel::User, fraud, Some(Channel::User)).is_err());
            assert!(policy.may_lift(Channel::User, query, Some(Channel::User)).is_ok());
            for others in [None, Some(Channel::Operator)] {
                assert_eq!(policy.may_lift(Channel::User, query, others).is_ok(), !own_alone);
            }
        }
    }
}
