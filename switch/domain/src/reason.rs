//! Why a message was answered as it was. It owns the reasons and their stable names; how DE39 says
//! each is in `reason_forms`.

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
    /// Declined, without saying why: what several reasons are answered with where a programme does
    /// not tell them apart (T-14). Never recorded as the reason itself.
    NotHonoured,
    /// Somebody tries card numbers at this merchant, which is refused those of this BIN for a while
    /// (T-13). Answered as if nothing were said.
    AttemptsBlocked,
    /// The PIN is not that of the card.
    IncorrectPin,
    /// The PIN was wrong once more than it may be, now or before.
    PinTriesExceeded,
    /// A PIN is needed and did not come.
    PinRequired,
    /// The value of stripe or chip is not that of the card.
    CardValueIncorrect,
    /// The value of stripe or chip is needed and did not come.
    CardValueRequired,
    /// The printed code is not that of the card.
    CardCodeIncorrect,
    /// The printed code is needed and did not come.
    CardCodeRequired,
    /// The printed code was wrong too often in a day: it is not looked at any more.
    CardCodeTriesExceeded,
    /// The cryptogram is not that of the card for these data.
    CryptogramIncorrect,
    /// A cryptogram is needed and did not come.
    CryptogramRequired,
    /// The chip did not ask for a decision: it had decided by itself.
    CryptogramNotARequest,
    /// The chip's transaction counter came before: somebody sends it again.
    CryptogramReplayed,
    /// The chip's transaction counter is below, or too far above, those that came before.
    CounterOutOfRange,
    /// The chip says otherwise than the message.
    ChipDataDiffer,
    /// Terminal or chip report something that the programme declines.
    ChipReportRefused,
    /// The stripe of a chip card was read, for more than the programme lets through.
    FallbackRefused,
    /// Something must be verified, and there is no key for it.
    VerificationKeyMissing,
    /// Something must be verified, and the card has nothing to compare it with.
    VerificationReferenceMissing,
    /// Something must be verified, and cannot be read.
    VerificationDataInvalid,
    /// Something must be verified, and nobody could say in time.
    VerificationUnavailable,
    /// The chip computes in a manner that its programme does not have.
    CryptogramProfileUnknown,
    /// The switch failed on this one message.
    SystemMalfunction,
}

impl Reason {
    /// Every reason once, for tables and tests.
    pub const ALL: [Self; 85] = [
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
        Self::NotHonoured,
        Self::AttemptsBlocked,
        Self::IncorrectPin,
        Self::PinTriesExceeded,
        Self::PinRequired,
        Self::CardValueIncorrect,
        Self::CardValueRequired,
        Self::CardCodeIncorrect,
        Self::CardCodeRequired,
        Self::CardCodeTriesExceeded,
        Self::CryptogramIncorrect,
        Self::CryptogramRequired,
        Self::CryptogramNotARequest,
        Self::CryptogramReplayed,
        Self::CounterOutOfRange,
        Self::ChipDataDiffer,
        Self::ChipReportRefused,
        Self::FallbackRefused,
        Self::VerificationKeyMissing,
        Self::VerificationReferenceMissing,
        Self::VerificationDataInvalid,
        Self::VerificationUnavailable,
        Self::CryptogramProfileUnknown,
    ];

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
            _ => self.verification_name(),
        }
    }

    /// Of what verification of card and holder found.
    const fn verification_name(self) -> &'static str {
        match self {
            Self::NotHonoured => "not_honoured",
            Self::AttemptsBlocked => "attempts_blocked",
            Self::IncorrectPin => "incorrect_pin",
            Self::PinTriesExceeded => "pin_tries_exceeded",
            Self::PinRequired => "pin_required",
            Self::CardValueIncorrect => "card_value_incorrect",
            Self::CardValueRequired => "card_value_required",
            Self::CardCodeIncorrect => "card_code_incorrect",
            Self::CardCodeRequired => "card_code_required",
            Self::CardCodeTriesExceeded => "card_code_tries_exceeded",
            Self::CryptogramIncorrect => "cryptogram_incorrect",
            Self::CryptogramRequired => "cryptogram_required",
            Self::CryptogramNotARequest => "cryptogram_not_a_request",
            Self::CryptogramReplayed => "cryptogram_replayed",
            Self::CounterOutOfRange => "counter_out_of_range",
            Self::ChipDataDiffer => "chip_data_differ",
            Self::ChipReportRefused => "chip_report_refused",
            Self::FallbackRefused => "fallback_refused",
            Self::VerificationKeyMissing => "verification_key_missing",
            Self::VerificationReferenceMissing => "verification_reference_missing",
            Self::VerificationDataInvalid => "verification_data_invalid",
            Self::VerificationUnavailable => "verification_unavailable",
            Self::CryptogramProfileUnknown => "cryptogram_profile_unknown",
            _ => "unnamed",
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
            assert_ne!(reason.name(), "unnamed", "{reason:?}");
            assert_eq!(reason.action_code_2003().len(), 4, "{reason:?}");
            assert_eq!(reason.action_code_1993().len(), 3, "{reason:?}");
            assert_eq!(reason.action_code_1987().len(), 2, "{reason:?}");
        }
    }
}
