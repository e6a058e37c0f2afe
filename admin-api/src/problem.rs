//! What a caller is told when a request cannot be done. It owns the stable codes; each error of the
//! layers below is given one here, and nowhere else.

use serde::Serialize;
use switch_domain::{LockRefusal, TransferOutcome};
use switch_shard::{ManageError, Refusal};

/// A failed request, in the shape of RFC 9457 without the HTTP parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{detail} ({code})")]
pub struct Problem {
    /// Stable, for programs.
    pub code: &'static str,
    /// For people: what was wrong, and what to do.
    pub detail: String,
    /// Which member of the request it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Problem {
    /// Of this code.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), field: None }
    }

    /// A member of the request is wrong.
    #[must_use]
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::invalid(detail) }
    }

    /// The request itself is wrong.
    #[must_use]
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new("INVALID_REQUEST", detail)
    }

    /// Something asked for is not there.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new("NOT_FOUND", detail)
    }

    /// Ours: the caller can only try again later.
    #[must_use]
    pub fn internal(doing: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "{doing} failed");
        Self::new("INTERNAL", format!("{doing} failed; the log of the switch says why"))
    }
}

impl From<ManageError> for Problem {
    fn from(error: ManageError) -> Self {
        let code = match error {
            ManageError::Refused(refusal) => refusal_code(refusal),
            ManageError::Overloaded => "OVERLOADED",
            ManageError::Stopping => "STOPPING",
            ManageError::Unknown => "OUTCOME_UNKNOWN",
            ManageError::NoSuchShard => "NOT_FOUND",
            ManageError::Malfunction => "INTERNAL",
        };
        let detail = match error {
            ManageError::Refused(refusal) => refusal.to_string(),
            other => other.to_string(),
        };
        Self::new(code, detail)
    }
}

const fn refusal_code(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoSuchPartner
        | Refusal::NoSuchPool
        | Refusal::NoSuchProgramme
        | Refusal::NoSuchBalance
        | Refusal::NoSuchCard
        | Refusal::NoSuchControl
        | Refusal::NoSuchRate
        | Refusal::Outside(LockRefusal::NoSuchCard)
        | Refusal::Target(TransferOutcome::NoSuchBalance | TransferOutcome::OtherPartner) => {
            "NOT_FOUND"
        }
        Refusal::BinsInvalid
        | Refusal::AmountNotPositive
        | Refusal::AmountTooLarge
        | Refusal::SameBalance
        | Refusal::ControlInvalid
        | Refusal::ControlListTooLong
        | Refusal::NoSuchZone
        | Refusal::RateInvalid
        | Refusal::FeeCurrency
        | Refusal::RateOfTheFuture
        | Refusal::SecurityTermsInvalid
        | Refusal::CardUnfit => "INVALID_REQUEST",
        Refusal::PoolInsufficient | Refusal::InsufficientFunds => "INSUFFICIENT_FUNDS",
        Refusal::Outside(LockRefusal::NotAllowed) => "FORBIDDEN",
        Refusal::KeyReused
        | Refusal::BinsTaken
        | Refusal::PoolUnfit
        | Refusal::BalanceClosed
        | Refusal::BalanceBlocked
        | Refusal::CustomerBlocked
        | Refusal::Target(_)
        | Refusal::BalanceNotEmpty
        | Refusal::ControlCountsOtherwise
        | Refusal::RateSuperseded
        | Refusal::RenewalNotLater
        | Refusal::LockIsFinal
        | Refusal::LockedOtherwise
        | Refusal::Outside(LockRefusal::Final | LockRefusal::LockedOtherwise)
        | Refusal::NotAwaitingActivation => "CONFLICT",
        Refusal::IdentifiersExhausted
        | Refusal::TooManyControls
        | Refusal::TooManyRates
        | Refusal::CodesExhausted => "EXHAUSTED",
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        // Too many ask at once, which is no fault of this service: they may come again.
        if matches!(error, sqlx::Error::PoolTimedOut) {
            metrics::counter!("cardswitch_management_no_connection_total").increment(1);
            let what = "no connection to the database is free: try again, with the same key";
            return Self::new("OVERLOADED", what);
        }
        Self::internal("reading or writing the database", &error)
    }
}
