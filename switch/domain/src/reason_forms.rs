//! How DE39 says a reason in the three versions of ISO 8583. It owns the one table of renderings;
//! logic asks for a reason and never sees "05".

use crate::{LockCode, Reason};

/// The three forms of an action code.
struct Forms {
    v2003: &'static str,
    v1993: &'static str,
    v1987: &'static str,
}

const fn forms(v2003: &'static str, v1993: &'static str, v1987: &'static str) -> Forms {
    Forms { v2003, v1993, v1987 }
}

impl Reason {
    /// Where a version has no twin, the nearest meaning stands in.
    const fn forms(self) -> Forms {
        match self {
            Self::Approved => forms("0000", "000", "00"),
            Self::ApprovedPartially => forms("0002", "002", "10"),
            Self::ReversalAccepted => forms("4000", "400", "00"),
            Self::AdviceAccepted => forms("9001", "901", "00"),
            Self::NetworkAccepted => forms("8000", "800", "00"),
            Self::AdministrativeAccepted => forms("6000", "600", "00"),
            Self::FileActionDone => forms("3000", "300", "00"),
            Self::FileActionNotSupported => forms("3001", "301", "24"),
            Self::FileRecordNotFound => forms("3002", "302", "25"),
            Self::FileRecordInvalid => forms("3004", "304", "27"),
            Self::FileUnknown => forms("3009", "309", "25"),
            // Not successful: 1987 adds "contact the acquirer", and no edition says why.
            Self::LockNotAllowed | Self::LockFinal | Self::LockedOtherwise => {
                forms("3006", "306", "29")
            }
            Self::ReconciledInBalance => forms("5000", "500", "00"),
            Self::ReconciledOutOfBalance => forms("5001", "501", "95"),
            Self::TotalsProvided => forms("5002", "502", "95"),
            Self::TotalsNotAvailable => forms("5003", "503", "96"),
            Self::FormatError => forms("9100", "904", "30"),
            Self::InvalidTransaction => forms("9102", "902", "12"),
            Self::FunctionNotSupported => forms("1015", "115", "40"),
            Self::PanSourcesDiffer | Self::InstitutionNotAllowed => forms("1022", "122", "63"),
            Self::InvalidAmount => forms("1010", "110", "13"),
            Self::NoRoute => forms("9108", "908", "92"),
            Self::InvalidCardNumber => forms("1011", "111", "14"),
            Self::CardNotActive => forms("1025", "125", "62"),
            Self::Locked(lock) => Self::lock_forms(lock),
            Self::ExpiredCard => forms("1001", "101", "54"),
            Self::BalanceBlocked => forms("1041", "119", "57"),
            Self::BalanceClosed => forms("1035", "114", "05"),
            Self::CustomerBlocked | Self::PartnerSuspended | Self::CountryNotPermitted => {
                forms("1004", "104", "62")
            }
            // No network is told to decide in our stead: it would at a rate that we do not have.
            Self::CurrencyUnacceptable | Self::RateMissing | Self::RateTooOld => {
                forms("1030", "119", "57")
            }
            Self::UseNotPermitted
            | Self::CategoryNotPermitted
            | Self::MerchantNotPermitted
            | Self::HoursNotPermitted => forms("1019", "119", "57"),
            Self::CashBackNotPermitted => forms("1062", "119", "57"),
            Self::AmountLimitExceeded => forms("1021", "121", "61"),
            Self::CountLimitExceeded => forms("1023", "123", "65"),
            Self::PartnerDepositInsufficient | Self::InsufficientFunds => {
                forms("1016", "116", "51")
            }
            Self::ExceedsPreauthorizedAmount => forms("1074", "121", "61"),
            Self::OriginalReversed => forms("9122", "922", "12"),
            Self::DuplicateTransmission => forms("9113", "913", "94"),
            Self::IssuerInoperative => forms("9107", "907", "91"),
            Self::SignedOff => forms("9110", "910", "91"),
            Self::MacIncorrect => forms("9116", "916", "98"),
            Self::SecurityUnavailable => forms("9119", "919", "96"),
            Self::SystemMalfunction => forms("9109", "909", "96"),
            Self::NotHonoured | Self::AttemptsBlocked => forms("1000", "100", "05"),
            _ => self.verification_forms(),
        }
    }

    /// What verification of card and holder found. What is missing here, and nobody's fault
    /// outside, is of the class that says so: no network decides in our stead for it.
    const fn verification_forms(self) -> Forms {
        match self {
            Self::IncorrectPin => forms("1017", "117", "55"),
            Self::PinTriesExceeded => forms("1006", "106", "75"),
            Self::PinRequired => forms("1012", "112", "55"),
            Self::CardValueIncorrect
            | Self::CardValueRequired
            | Self::CardCodeIncorrect
            | Self::CardCodeRequired => forms("1045", "122", "63"),
            Self::CryptogramIncorrect | Self::ChipReportRefused => forms("1029", "129", "59"),
            Self::CryptogramNotARequest => forms("9102", "902", "12"),
            Self::FallbackRefused => forms("1019", "119", "57"),
            Self::VerificationReferenceMissing => forms("1000", "100", "05"),
            Self::VerificationDataInvalid => forms("9100", "904", "30"),
            Self::VerificationUnavailable => forms("9120", "920", "96"),
            Self::VerificationKeyMissing | Self::CryptogramProfileUnknown => {
                forms("9119", "919", "96")
            }
            // The card is not the one, or somebody who has it does more than it can.
            _ => forms("1022", "122", "63"),
        }
    }

    /// The seed system's code for each lock (SR-200..208; 11 by reading A-17).
    const fn lock_forms(lock: LockCode) -> Forms {
        match lock {
            LockCode::Lost => forms("2008", "208", "41"),
            LockCode::Stolen => forms("2009", "209", "43"),
            LockCode::PendingQuery => forms("1000", "100", "05"),
            LockCode::Consolidation => forms("1016", "116", "51"),
            LockCode::Inactive => forms("1018", "118", "56"),
            LockCode::PinTriesExceeded | LockCode::OfflinePinTriesExceeded => {
                forms("1006", "106", "75")
            }
            LockCode::SuspectedFraud => forms("1002", "102", "59"),
            LockCode::Replaced => forms("1011", "111", "14"),
        }
    }

    /// DE39 of ISO 8583:2003, four digits.
    #[must_use]
    pub const fn action_code_2003(self) -> &'static str {
        self.forms().v2003
    }

    /// DE39 of ISO 8583:1993, three digits.
    #[must_use]
    pub const fn action_code_1993(self) -> &'static str {
        self.forms().v1993
    }

    /// DE39 of ISO 8583:1987, two characters.
    #[must_use]
    pub const fn action_code_1987(self) -> &'static str {
        self.forms().v1987
    }

    /// What DE39 of an advice says was decided in our stead: true for an approval. `None` for what
    /// no edition has: two characters are of 1987, three of 1993, four of 2003.
    ///
    /// Approvals are 00, 08 (with identification), 10 (of a part), 11 (important person) and 16
    /// (with another track 3) in 1987, and the class that begins with 0 in the later editions.
    #[must_use]
    pub fn approved_in_our_stead(action_code: &str) -> Option<bool> {
        let code = action_code.as_bytes();
        match code {
            [_, _] if code.iter().all(u8::is_ascii_alphanumeric) => {
                Some(matches!(action_code, "00" | "08" | "10" | "11" | "16"))
            }
            [first, _, _] | [first, _, _, _] if code.iter().all(u8::is_ascii_digit) => {
                Some(*first == b'0')
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advice_says_in_each_edition_what_was_decided() {
        let rows = [
            ("00", Some(true)),
            ("10", Some(true)),
            ("05", Some(false)),
            ("51", Some(false)),
            ("Z1", Some(false)),
            ("000", Some(true)),
            ("002", Some(true)),
            ("116", Some(false)),
            ("901", Some(false)),
            ("0000", Some(true)),
            ("1016", Some(false)),
            ("0A0", None),
            ("  ", None),
            ("0", None),
            ("", None),
            ("00000", None),
        ];
        for (code, expected) in rows {
            assert_eq!(Reason::approved_in_our_stead(code), expected, "`{code}`");
        }
        for approval in [
            Reason::Approved.action_code_1987(),
            Reason::Approved.action_code_1993(),
            Reason::Approved.action_code_2003(),
            Reason::ApprovedPartially.action_code_1987(),
            Reason::ApprovedPartially.action_code_1993(),
            Reason::ApprovedPartially.action_code_2003(),
        ] {
            assert_eq!(Reason::approved_in_our_stead(approval), Some(true));
        }
    }

    #[test]
    fn locks_answer_with_the_codes_of_the_seed() {
        let expected = [
            (1, "2008", "41"),
            (2, "2009", "43"),
            (3, "1000", "05"),
            (4, "1016", "51"),
            (5, "1018", "56"),
            (6, "1006", "75"),
            (7, "1002", "59"),
            (8, "1011", "14"),
            (11, "1006", "75"),
        ];
        for (number, v2003, v1987) in expected {
            let reason = LockCode::from_number(number).expect("a lock code").reason();
            assert_eq!(
                (reason.action_code_2003(), reason.action_code_1987()),
                (v2003, v1987),
                "lock {number}"
            );
        }
    }
}
