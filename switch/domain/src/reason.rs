//! Why a message was answered as it was, and how DE39 says so in the three versions of ISO 8583.
//! It owns the one table of renderings; logic asks for a reason and never sees "05".

use crate::LockCode;

/// The internal reason of an answer. It is recorded beside whatever was put on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Approved.
    Approved,
    /// Approved for a part of what was asked for.
    ApprovedPartially,
    /// A reversal was taken note of.
    ReversalAccepted,
    /// An authorization advice was taken note of, whatever it came to ([`crate::StandIn`]).
    AdviceAccepted,
    /// A network management message was taken note of.
    NetworkAccepted,
    /// An administrative advice was taken note of.
    AdministrativeAccepted,
    /// A file action was done, now or before.
    FileActionDone,
    /// A file action that this host does not do: a bulk update, an inquiry.
    FileActionNotSupported,
    /// The record of a file action is not there: no such card.
    FileRecordNotFound,
    /// The record of a file action says nothing: no such lock code.
    FileRecordInvalid,
    /// The file that a file action names is none of this host's.
    FileUnknown,
    /// The link may not set or take back this lock on this card.
    LockNotAllowed,
    /// The card's lock can never be taken back.
    LockFinal,
    /// The card is locked with another code already.
    LockedOtherwise,
    /// What a peer says was settled is what was.
    ReconciledInBalance,
    /// What a peer says was settled is not what was.
    ReconciledOutOfBalance,
    /// A peer says nothing of what was settled, and is told.
    TotalsProvided,
    /// What was settled cannot be told.
    TotalsNotAvailable,
    /// The message cannot be read.
    FormatError,
    /// The message asks for something that this host does not do.
    InvalidTransaction,
    /// The function that the message asks for is not there.
    FunctionNotSupported,
    /// Card number in DE2 and in the track differ.
    PanSourcesDiffer,
    /// The amount is zero or out of range.
    InvalidAmount,
    /// The card number is of no programme here.
    NoRoute,
    /// The card number is of a programme here, but no such card was issued, or it was removed.
    InvalidCardNumber,
    /// The card was not activated yet.
    CardNotActive,
    /// The card is locked.
    Locked(LockCode),
    /// The card's month is over, or the message names another month than the card's own.
    ExpiredCard,
    /// The account is blocked.
    BalanceBlocked,
    /// The account is closed.
    BalanceClosed,
    /// The customer may not spend.
    CustomerBlocked,
    /// The partner's cards are not served.
    PartnerSuspended,
    /// Not the programme's currency.
    CurrencyUnacceptable,
    /// There is no exchange rate into the account's currency.
    RateMissing,
    /// The exchange rate into the account's currency was quoted too long ago.
    RateTooOld,
    /// A spend control does not let the card be used so.
    UseNotPermitted,
    /// A spend control does not let the card give cash back.
    CashBackNotPermitted,
    /// A spend control does not let the card be used at such a merchant.
    CategoryNotPermitted,
    /// A spend control does not let the card be used there.
    CountryNotPermitted,
    /// A spend control does not let the card be used at this merchant.
    MerchantNotPermitted,
    /// A spend control does not let the card be used at this time.
    HoursNotPermitted,
    /// More than a spend control lets through, at once or in its window.
    AmountLimitExceeded,
    /// More often than a spend control lets through in its window.
    CountLimitExceeded,
    /// The partner's deposit does not cover the amount.
    PartnerDepositInsufficient,
    /// The customer's funds do not cover the amount.
    InsufficientFunds,
    /// More is settled of an authorization than it was for, beyond what its merchant is allowed.
    ExceedsPreauthorizedAmount,
    /// Its reversal came before it.
    OriginalReversed,
    /// Another message had come under the same key, for another amount.
    DuplicateTransmission,
    /// The switch cannot commit in time: nothing was approved.
    IssuerInoperative,
    /// The link has not signed on.
    SignedOff,
    /// The message names an institution that does not speak on this link.
    InstitutionNotAllowed,
    /// The message's authentication code is not that of its bytes, or is not there.
    MacIncorrect,
    /// The security module cannot say whether the message is authentic.
    SecurityUnavailable,
    /// The switch failed on this one message.
    SystemMalfunction,
}

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
    /// Every reason once, for tables and tests.
    pub const ALL: [Self; 62] = [
        Self::Approved,
        Self::ApprovedPartially,
        Self::ReversalAccepted,
        Self::AdviceAccepted,
        Self::NetworkAccepted,
        Self::FormatError,
        Self::InvalidTransaction,
        Self::FunctionNotSupported,
        Self::PanSourcesDiffer,
        Self::InvalidAmount,
        Self::NoRoute,
        Self::InvalidCardNumber,
        Self::CardNotActive,
        Self::Locked(LockCode::Lost),
        Self::Locked(LockCode::Stolen),
        Self::Locked(LockCode::PendingQuery),
        Self::Locked(LockCode::Consolidation),
        Self::Locked(LockCode::Inactive),
        Self::Locked(LockCode::PinTriesExceeded),
        Self::Locked(LockCode::SuspectedFraud),
        Self::Locked(LockCode::Replaced),
        Self::Locked(LockCode::OfflinePinTriesExceeded),
        Self::ExpiredCard,
        Self::BalanceBlocked,
        Self::BalanceClosed,
        Self::CustomerBlocked,
        Self::PartnerSuspended,
        Self::CurrencyUnacceptable,
        Self::RateMissing,
        Self::RateTooOld,
        Self::UseNotPermitted,
        Self::CashBackNotPermitted,
        Self::CategoryNotPermitted,
        Self::CountryNotPermitted,
        Self::MerchantNotPermitted,
        Self::HoursNotPermitted,
        Self::AmountLimitExceeded,
        Self::CountLimitExceeded,
        Self::PartnerDepositInsufficient,
        Self::InsufficientFunds,
        Self::ExceedsPreauthorizedAmount,
        Self::OriginalReversed,
        Self::DuplicateTransmission,
        Self::IssuerInoperative,
        Self::SignedOff,
        Self::InstitutionNotAllowed,
        Self::MacIncorrect,
        Self::SecurityUnavailable,
        Self::SystemMalfunction,
        Self::AdministrativeAccepted,
        Self::FileActionDone,
        Self::FileActionNotSupported,
        Self::FileRecordNotFound,
        Self::FileRecordInvalid,
        Self::FileUnknown,
        Self::LockNotAllowed,
        Self::LockFinal,
        Self::LockedOtherwise,
        Self::ReconciledInBalance,
        Self::ReconciledOutOfBalance,
        Self::TotalsProvided,
        Self::TotalsNotAvailable,
    ];

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

    /// True for an approval, which is the only answer that carries DE38.
    #[must_use]
    pub const fn is_approval(self) -> bool {
        matches!(self, Self::Approved | Self::ApprovedPartially)
    }

    /// The stable name, as stored and as metrics label it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::ApprovedPartially => "approved_partially",
            Self::ReversalAccepted => "reversal_accepted",
            Self::AdviceAccepted => "advice_accepted",
            Self::NetworkAccepted => "network_accepted",
            Self::AdministrativeAccepted => "administrative_accepted",
            Self::FileActionDone => "file_action_done",
            Self::FileActionNotSupported => "file_action_not_supported",
            Self::FileRecordNotFound => "file_record_not_found",
            Self::FileRecordInvalid => "file_record_invalid",
            Self::FileUnknown => "file_unknown",
            Self::LockNotAllowed => "lock_not_allowed",
            Self::LockFinal => "lock_final",
            Self::LockedOtherwise => "locked_otherwise",
            Self::ReconciledInBalance => "reconciled_in_balance",
            Self::ReconciledOutOfBalance => "reconciled_out_of_balance",
            Self::TotalsProvided => "totals_provided",
            Self::TotalsNotAvailable => "totals_not_available",
            Self::FormatError => "format_error",
            Self::InvalidTransaction => "invalid_transaction",
            Self::FunctionNotSupported => "function_not_supported",
            Self::PanSourcesDiffer => "pan_sources_differ",
            Self::InvalidAmount => "invalid_amount",
            Self::NoRoute => "no_route",
            Self::InvalidCardNumber => "invalid_card_number",
            Self::CardNotActive => "card_not_active",
            Self::Locked(lock) => Self::lock_name(lock),
            Self::ExpiredCard => "expired_card",
            Self::BalanceBlocked => "balance_blocked",
            Self::BalanceClosed => "balance_closed",
            Self::CustomerBlocked => "customer_blocked",
            Self::PartnerSuspended => "partner_suspended",
            Self::CurrencyUnacceptable => "currency_unacceptable",
            Self::RateMissing => "rate_missing",
            Self::RateTooOld => "rate_too_old",
            Self::UseNotPermitted => "use_not_permitted",
            Self::CashBackNotPermitted => "cash_back_not_permitted",
            Self::CategoryNotPermitted => "category_not_permitted",
            Self::CountryNotPermitted => "country_not_permitted",
            Self::MerchantNotPermitted => "merchant_not_permitted",
            Self::HoursNotPermitted => "hours_not_permitted",
            Self::AmountLimitExceeded => "amount_limit_exceeded",
            Self::CountLimitExceeded => "count_limit_exceeded",
            Self::PartnerDepositInsufficient => "partner_deposit_insufficient",
            Self::InsufficientFunds => "insufficient_funds",
            Self::ExceedsPreauthorizedAmount => "exceeds_preauthorized_amount",
            Self::OriginalReversed => "original_reversed",
            Self::DuplicateTransmission => "duplicate_transmission",
            Self::IssuerInoperative => "issuer_inoperative",
            Self::SignedOff => "signed_off",
            Self::InstitutionNotAllowed => "institution_not_allowed",
            Self::MacIncorrect => "mac_incorrect",
            Self::SecurityUnavailable => "security_unavailable",
            Self::SystemMalfunction => "system_malfunction",
        }
    }

    const fn lock_name(lock: LockCode) -> &'static str {
        match lock {
            LockCode::Lost => "locked_lost",
            LockCode::Stolen => "locked_stolen",
            LockCode::PendingQuery => "locked_pending_query",
            LockCode::Consolidation => "locked_consolidation",
            LockCode::Inactive => "locked_inactive",
            LockCode::PinTriesExceeded => "locked_pin_tries_exceeded",
            LockCode::SuspectedFraud => "locked_suspected_fraud",
            LockCode::Replaced => "locked_replaced",
            LockCode::OfflinePinTriesExceeded => "locked_offline_pin_tries_exceeded",
        }
    }

    /// From the stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_a_name_of_its_own_and_three_forms() {
        let names: HashSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
            assert_eq!(reason.action_code_2003().len(), 4, "{reason:?}");
            assert_eq!(reason.action_code_1993().len(), 3, "{reason:?}");
            assert_eq!(reason.action_code_1987().len(), 2, "{reason:?}");
        }
    }

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
