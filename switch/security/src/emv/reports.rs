//! What a card says of itself in its verification results (CVR): of this transaction and of the one
//! before. It owns which bit of which layout means what; whether any of it declines is a
//! programme's to say.

use switch_domain::ChipFact::{
    DynamicAuthenticationFailed, IssuerAuthenticationFailed, LastOnlineNotCompleted,
    OfflineLimitPassed, OfflinePinFailed, OfflinePinTriesExceeded, ScriptFailed,
    StaticAuthenticationFailed,
};
use switch_domain::{ChipFact, ChipFacts};

/// A bit of issuer application data (9F10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// In which byte, from 0.
    pub at: u8,
    /// Which bit, or bits of which one is enough.
    pub bits: u8,
    /// What it says where it is set.
    pub fact: ChipFact,
}

const fn report(at: u8, bits: u8, fact: ChipFact) -> Report {
    Report { at, bits, fact }
}

/// Visa's results of four bytes from byte 3 of the data; the first is their length.
pub(super) const VISA: &[Report] = &[
    report(4, 0x08, IssuerAuthenticationFailed),
    report(4, 0x02, OfflinePinFailed),
    report(5, 0x80, LastOnlineNotCompleted),
    report(5, 0x40 | 0x02, OfflinePinTriesExceeded),
    report(5, 0x20, OfflineLimitPassed),
    report(5, 0x08, IssuerAuthenticationFailed),
    report(5, 0x01, StaticAuthenticationFailed),
    report(6, 0x08, ScriptFailed),
    report(6, 0x04, DynamicAuthenticationFailed),
];

/// M/Chip's of six bytes, from byte 2 of the data.
pub(super) const M_CHIP: &[Report] = &[
    report(5, 0x10, OfflinePinFailed),
    report(5, 0x08, OfflinePinTriesExceeded),
    report(6, 0x80 | 0x40 | 0x20 | 0x10, OfflineLimitPassed),
    report(6, 0x04, IssuerAuthenticationFailed),
    report(6, 0x01, ScriptFailed),
];

/// Those of the Common Core Definitions (EMV Book 3 annex C7.3), from byte 3 of the data. One bit
/// is of any offline data authentication that failed before.
pub(super) const COMMON_CORE: &[Report] = &[
    report(3, 0x01, IssuerAuthenticationFailed),
    report(4, 0x04, OfflinePinFailed),
    report(4, 0x02, OfflinePinTriesExceeded),
    report(4, 0x01, LastOnlineNotCompleted),
    report(5, 0x80 | 0x40 | 0x20 | 0x10, OfflineLimitPassed),
    report(6, 0x08, ScriptFailed),
    report(6, 0x04, DynamicAuthenticationFailed),
];

/// What of these is said.
pub(super) fn said(reports: &[Report], iad: &[u8]) -> ChipFacts {
    let is_set = |report: &&Report| {
        iad.get(usize::from(report.at)).is_some_and(|byte| byte & report.bits != 0)
    };
    reports.iter().filter(is_set).map(|report| report.fact).collect()
}

#[cfg(test)]
mod tests {
    use crate::CryptogramProfile;
    use switch_domain::ChipFact;

    fn said(profile: &str, iad: &str) -> Vec<&'static str> {
        let iad = hex::decode(iad).unwrap();
        let facts = CryptogramProfile::named(profile).unwrap().facts(&iad);
        facts.iter().map(ChipFact::name).collect()
    }

    #[test]
    fn a_card_that_asks_for_nothing_but_a_decision_says_nothing() {
        assert!(said("visa-10", "06010A03A00000").is_empty());
        assert!(said("visa-10", "0601").is_empty());
        assert!(said("mchip-10", "0110A000000000000000000000000000FF00").is_empty());
        let common_core = format!("0FA501A0000000{}", "00".repeat(25));
        assert!(said("common-core-5", &common_core).is_empty());
    }

    #[test]
    fn what_went_wrong_before_is_said_by_name() {
        let wrong = said("visa-18", "06011203A2C808");
        let all = [
            "offline_pin_tries_exceeded",
            "offline_pin_failed",
            "issuer_authentication_failed",
            "last_online_not_completed",
            "script_failed",
        ];
        assert_eq!(wrong, all);
        let wrong = said("mchip-14", "0114A00000182500000000000000000000FF");
        let all = [
            "offline_pin_tries_exceeded",
            "offline_pin_failed",
            "issuer_authentication_failed",
            "script_failed",
            "offline_limit_passed",
        ];
        assert_eq!(wrong, all);
        let common_core = format!("0FA501A107800C{}", "00".repeat(25));
        let wrong = said("common-core-5", &common_core);
        let all = [
            "dynamic_authentication_failed",
            "offline_pin_tries_exceeded",
            "offline_pin_failed",
            "issuer_authentication_failed",
            "last_online_not_completed",
            "script_failed",
            "offline_limit_passed",
        ];
        assert_eq!(wrong, all);
        // Of Visa's format 2 nobody here knows what the bits mean.
        assert!(said("visa-22", &"FF".repeat(32)).is_empty());
    }
}
