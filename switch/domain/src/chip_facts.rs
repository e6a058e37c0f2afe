//! What a chip transaction says besides its cryptogram: which of its data differ from the message,
//! and what terminal and card report. It owns these sets and the stable names that rules use; it
//! knows no tag and no bit of a wire form.

/// Something that both the chip's data and the fields of the message say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChipDifference {
    /// The amount (9F02 against DE4).
    Amount,
    /// Its currency (5F2A against DE49).
    Currency,
    /// The day (9A against DE12, DE13).
    Date,
    /// The country of the terminal (9F1A against DE19, DE43).
    Country,
    /// The card's sequence number (5F34 against DE23).
    Sequence,
    /// The card number, expiry or service code (57 against DE2, DE14, DE35).
    Track,
}

/// Something that terminal (TVR, 95) or card (CVR in 9F10) report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChipFact {
    /// No offline authentication of the card's data was done.
    OfflineAuthenticationNotDone,
    /// Static data authentication failed.
    StaticAuthenticationFailed,
    /// Dynamic data authentication failed.
    DynamicAuthenticationFailed,
    /// Combined data authentication failed.
    CombinedAuthenticationFailed,
    /// The card is on the terminal's exception file.
    OnExceptionFile,
    /// Card and terminal have other versions of the application.
    ApplicationVersionsDiffer,
    /// Cardholder verification was not successful.
    CardholderVerificationFailed,
    /// The card's own PIN counter ran out.
    OfflinePinTriesExceeded,
    /// A PIN was asked for and not entered, or there was no PIN pad.
    PinNotEntered,
    /// The card's own check of a PIN failed.
    OfflinePinFailed,
    /// The issuer's answer to the transaction before was not authentic.
    IssuerAuthenticationFailed,
    /// The transaction before went online and did not end.
    LastOnlineNotCompleted,
    /// An issuer script failed.
    ScriptFailed,
    /// A limit of transactions offline was passed.
    OfflineLimitPassed,
    /// The chip's transaction counter is further above the one before than the programme expects.
    CounterJumped,
    /// The commands of an issuer script were performed (9F5B).
    ScriptPerformed,
}

macro_rules! set_of {
    ($(#[$doc:meta])* $set:ident, $member:ident, [$($name:literal = $variant:ident),+ $(,)?]) => {
        impl $member {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its stable name, as rules and tables have it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// The one of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }

            const fn bit(self) -> u32 {
                1 << (self as u32)
            }
        }

        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $set(u32);

        impl $set {
            /// None of them.
            pub const NONE: Self = Self(0);

            /// As stored: a bit each, in the order of [`
            #[doc = stringify!($member)]
            /// `].
            #[must_use]
            pub const fn bits(self) -> u32 {
                self.0
            }

            /// From stored bits; those without a meaning are dropped.
            #[must_use]
            pub fn from_bits(bits: u32) -> Self {
                let known = $member::ALL.iter().copied().filter(|one| bits & one.bit() != 0);
                known.collect()
            }

            /// Adds one.
            pub const fn insert(&mut self, one: $member) {
                self.0 |= one.bit();
            }

            /// Whether it is among them.
            #[must_use]
            pub const fn contains(self, one: $member) -> bool {
                self.0 & one.bit() != 0
            }

            /// True without any.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Those that are in both.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// Those that are not in the other.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// One after the other.
            pub fn iter(self) -> impl Iterator<Item = $member> {
                $member::ALL.iter().copied().filter(move |one| self.contains(*one))
            }
        }

        impl FromIterator<$member> for $set {
            fn from_iter<I: IntoIterator<Item = $member>>(all: I) -> Self {
                let mut set = Self::NONE;
                all.into_iter().for_each(|one| set.insert(one));
                set
            }
        }
    };
}

set_of!(
    /// Which data differ, or may.
    ChipDifferences,
    ChipDifference,
    [
        "amount" = Amount,
        "currency" = Currency,
        "date" = Date,
        "country" = Country,
        "sequence" = Sequence,
        "track" = Track,
    ]
);

set_of!(
    /// What terminal and card report, or what a programme declines.
    ChipFacts,
    ChipFact,
    [
        "offline_authentication_not_done" = OfflineAuthenticationNotDone,
        "static_authentication_failed" = StaticAuthenticationFailed,
        "dynamic_authentication_failed" = DynamicAuthenticationFailed,
        "combined_authentication_failed" = CombinedAuthenticationFailed,
        "on_exception_file" = OnExceptionFile,
        "application_versions_differ" = ApplicationVersionsDiffer,
        "cardholder_verification_failed" = CardholderVerificationFailed,
        "offline_pin_tries_exceeded" = OfflinePinTriesExceeded,
        "pin_not_entered" = PinNotEntered,
        "offline_pin_failed" = OfflinePinFailed,
        "issuer_authentication_failed" = IssuerAuthenticationFailed,
        "last_online_not_completed" = LastOnlineNotCompleted,
        "script_failed" = ScriptFailed,
        "offline_limit_passed" = OfflineLimitPassed,
        "counter_jumped" = CounterJumped,
        "script_performed" = ScriptPerformed,
    ]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back_and_names_are_stable() {
        for one in ChipFact::ALL {
            assert_eq!(ChipFact::from_name(one.name()), Some(*one));
            let set: ChipFacts = [*one].into_iter().collect();
            assert_eq!(ChipFacts::from_bits(set.bits()), set);
            assert_eq!(set.iter().collect::<Vec<_>>(), [*one]);
        }
        assert_eq!(ChipFacts::from_bits(1 << 31), ChipFacts::NONE);
        let two: ChipDifferences =
            [ChipDifference::Amount, ChipDifference::Date].into_iter().collect();
        let one: ChipDifferences = [ChipDifference::Date].into_iter().collect();
        assert!(two.contains(ChipDifference::Amount) && two.and(one) == one);
        assert_eq!(two.without(one).iter().collect::<Vec<_>>(), [ChipDifference::Amount]);
    }
}
