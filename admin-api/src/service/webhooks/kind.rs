//! Of what partners are told: `object.verb`. It owns these names; one once given is never given to
//! anything else.

macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident => $name:literal,)*) => {
        /// A kind of message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $($(#[$meta])* $kind,)*
        }

        impl EventKind {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// As in tables, bodies and answers.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The one with this name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// A request was approved, or approved in our stead: money is held, or nothing was asked for.
    AuthorizationApproved => "authorization.approved",
    /// A request was declined.
    AuthorizationDeclined => "authorization.declined",
    /// A reversal gave back all or a part.
    AuthorizationReversed => "authorization.reversed",
    /// An approval whose answer never left was taken back.
    AuthorizationVoided => "authorization.voided",
    /// A hold lived its life.
    AuthorizationExpired => "authorization.expired",
    /// Money was taken for good.
    TransactionCleared => "transaction.cleared",
    /// Money was given back for good.
    TransactionRefunded => "transaction.refunded",
    /// A card was made.
    CardIssued => "card.issued",
    /// A card was activated.
    CardActivated => "card.activated",
    /// A card was locked, or locked otherwise, by whomever.
    CardLocked => "card.locked",
    /// A card's lock was taken back.
    CardUnlocked => "card.unlocked",
    /// A card was renewed: its later month is in force.
    CardRenewed => "card.renewed",
    /// A card was removed.
    CardRemoved => "card.removed",
    /// A customer's verification moved.
    KycChanged => "kyc.changed",
    /// A corporation's verification moved.
    KybChanged => "kyb.changed",
    /// An asynchronous job ended.
    JobFinished => "job.finished",
    /// What is available of a pool fell below the level that was set.
    PoolLow => "pool.low",
    /// A fee was charged for an act or a period, or given back.
    FeeCharged => "fee.charged",
    /// Nothing happened: the partner asked for a message.
    WebhookTest => "webhook.test",
}

#[cfg(test)]
mod tests {
    use super::EventKind;

    #[test]
    fn names_are_read_back_and_are_an_object_and_a_verb() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::named(kind.name()), Some(*kind));
            assert_eq!(kind.name().split('.').count(), 2, "{kind:?}");
        }
        assert_eq!(EventKind::named("card.lost"), None);
    }
}
