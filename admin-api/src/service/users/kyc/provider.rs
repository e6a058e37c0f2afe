//! Who verifies customers for the platform, as a trait, and how its answers are read. It owns what
//! is taken for an answer: they come from outside and are taken for hostile (size, shape, value).

use std::pin::Pin;

use serde::Deserialize;
use uuid::Uuid;

use crate::service::users::Profile;

/// An answer is a few members.
pub(super) const ANSWER_MOST: usize = 4096;
/// The provider's own reference is kept as a note.
const REFERENCE_MOST: usize = 64;

/// What a provider is asked.
#[derive(Clone, Debug)]
pub struct KycQuestion {
    /// The same whenever the same is asked again: the provider answers a repeat alike.
    pub inquiry: Uuid,
    /// Of whom.
    pub profile: Profile,
}

/// What a provider found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The customer is who they say. With the provider's reference.
    Verified(String),
    /// It was not shown. With the provider's reference.
    Rejected(String),
    /// Nothing yet: it is asked again.
    NothingYet,
}

/// Why a provider found nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    /// It cannot be reached, or does not serve.
    #[error("the provider does not serve")]
    Unavailable,
    /// It answers with another status than 200. Where that is a redirect, nobody follows it.
    #[error("the provider answers with status {0}")]
    Status(u16),
    /// What it said is no answer.
    #[error(transparent)]
    BadAnswer(#[from] BadAnswer),
}

impl ProviderFault {
    /// As metrics label it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Status(_) => "status",
            Self::BadAnswer(_) => "bad_answer",
        }
    }
}

/// A question that is on its way.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Finding, ProviderFault>> + Send + 'a>>;

/// Who verifies customers. It is asked again after a pause wherever it has nothing to say, and may
/// be asked twice for the same; how long an answer may take is watched by who asks.
pub trait KycProvider: Send + Sync {
    /// Asks.
    fn ask(&self, question: KycQuestion) -> Asked<'_>;
}

/// What is no answer. It repeats nothing of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// It is longer than any answer.
    #[error("the provider's answer has more than 4096 bytes")]
    TooLong,
    /// It has another shape, or unknown members.
    #[error("the provider's answer has not the shape of one")]
    Shape,
    /// It is about something that was not asked.
    #[error("the provider's answer is to another inquiry")]
    OtherInquiry,
    /// Its outcome is none.
    #[error("the provider's answer has no known outcome")]
    Outcome,
    /// Its reference is not 1 to 64 printable characters.
    #[error("the provider's reference is not 1 to 64 printable characters of ASCII")]
    Reference,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    inquiry: String,
    outcome: String,
    #[serde(default)]
    reference: String,
}

/// Reads a provider's answer to an inquiry:
/// `{"inquiry": uuid, "outcome": "VERIFIED" | "REJECTED" | "PENDING", "reference": text}`.
///
/// # Errors
/// Whatever is wrong with it.
pub fn read_answer(inquiry: Uuid, bytes: &[u8]) -> Result<Finding, BadAnswer> {
    if bytes.len() > ANSWER_MOST {
        return Err(BadAnswer::TooLong);
    }
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| BadAnswer::Shape)?;
    let named = Uuid::try_parse(&answer.inquiry).map_err(|_| BadAnswer::Shape)?;
    if named != inquiry {
        return Err(BadAnswer::OtherInquiry);
    }
    let finding: fn(String) -> Finding = match answer.outcome.as_str() {
        "PENDING" => return Ok(Finding::NothingYet),
        "VERIFIED" => Finding::Verified,
        "REJECTED" => Finding::Rejected,
        _ => return Err(BadAnswer::Outcome),
    };
    let printable = answer.reference.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let trimmed = answer.reference.trim().len() == answer.reference.len();
    if answer.reference.is_empty()
        || answer.reference.len() > REFERENCE_MOST
        || !printable
        || !trimmed
    {
        return Err(BadAnswer::Reference);
    }
    Ok(finding(answer.reference))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    const INQUIRY: Uuid = Uuid::from_u128(7);

    fn answer(outcome: &str, more: &str) -> String {
        format!(r#"{{"inquiry":"{INQUIRY}","outcome":"{outcome}"{more}}}"#)
    }

    // covers: API-10
    #[test]
    fn an_answer_is_read_or_refused_by_what_is_wrong_with_it() {
        let other = answer("VERIFIED", "").replace('7', "8");
        let long = format!(r#","reference":"{}""#, "a".repeat(65));
        let rows = [
            (answer("PENDING", ""), Ok(Finding::NothingYet)),
            (answer("VERIFIED", r#","reference":"R1""#), Ok(Finding::Verified("R1".into()))),
            (answer("REJECTED", r#","reference":"R2""#), Ok(Finding::Rejected("R2".into()))),
            (String::new(), Err(BadAnswer::Shape)),
            ("[]".into(), Err(BadAnswer::Shape)),
            (format!("{}{}", "[".repeat(2000), "]".repeat(2000)), Err(BadAnswer::Shape)),
            (answer("VERIFIED", r#","reference":"R1","more":1"#), Err(BadAnswer::Shape)),
            (answer("VERIFIED", r#","outcome":"REJECTED""#), Err(BadAnswer::Shape)),
            (answer("VERIFIED", r#","reference":7"#), Err(BadAnswer::Shape)),
            (other, Err(BadAnswer::OtherInquiry)),
            (answer("verified", r#","reference":"R1""#), Err(BadAnswer::Outcome)),
            (answer("VERIFIED", ""), Err(BadAnswer::Reference)),
            (answer("VERIFIED", r#","reference":"a\nb""#), Err(BadAnswer::Reference)),
            (answer("VERIFIED", &long), Err(BadAnswer::Reference)),
            (answer("PENDING", &" ".repeat(4096)), Err(BadAnswer::TooLong)),
        ];
        for (text, expected) in rows {
            assert_eq!(read_answer(INQUIRY, text.as_bytes()), expected, "{text:.80}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_verify_anybody_by_chance(
            bytes in proptest::collection::vec(any::<u8>(), 0..6000),
        ) {
            prop_assert!(read_answer(INQUIRY, &bytes).is_err());
        }
    }
}
