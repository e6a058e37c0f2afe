//! How the answer of the security module becomes a finding. It owns that nothing but a comparison
//! that came out right is a match, and that whatever keeps one from being made has a name (C-20).

use switch_domain::{Finding, Unverified};
use switch_security::{Reply, SecurityError};

/// One thing to find out.
pub(super) enum Step<'m, T> {
    /// It is known without the module.
    Known(Finding),
    /// The module was asked.
    Asked(Reply<'m, T>),
}

impl<T: Unpin> Step<'_, T> {
    /// What the module found at once, and what it gave with a match; a module that answers later
    /// is not available to who does not wait.
    pub(super) fn now(self) -> (Finding, Option<T>) {
        match self {
            Self::Known(finding) => (finding, None),
            Self::Asked(reply) => found(reply.now().unwrap_or(Err(SecurityError::Unavailable))),
        }
    }

    /// The same, waiting for it.
    pub(super) async fn wait(self) -> (Finding, Option<T>) {
        match self {
            Self::Known(finding) => (finding, None),
            Self::Asked(reply) => found(reply.await),
        }
    }
}

/// Nobody can tell, for this reason.
pub(super) const fn unknown<T>(why: Unverified) -> Step<'static, T> {
    Step::Known(Finding::Unverified(why))
}

fn found<T>(answer: Result<T, SecurityError>) -> (Finding, Option<T>) {
    match answer {
        Ok(given) => (Finding::Matched, Some(given)),
        Err(error) => (failed(error), None),
    }
}

const fn failed(error: SecurityError) -> Finding {
    Finding::Unverified(match error {
        SecurityError::Incorrect => return Finding::Mismatched,
        SecurityError::Malformed(_)
        | SecurityError::FormatRefused(_)
        | SecurityError::TranslationRefused { .. } => Unverified::Malformed,
        SecurityError::UnknownKey(_) | SecurityError::UsageRefused { .. } => Unverified::NoKey,
        SecurityError::UnknownProfile(_) => Unverified::UnknownProfile,
        SecurityError::Prohibited(_)
        | SecurityError::ClearPinRefused(_)
        | SecurityError::Unavailable => Unverified::Unavailable,
    })
}

#[cfg(test)]
mod tests {
    use switch_security::{KeyHandle, PinBlockFormat};

    use super::*;

    #[test]
    fn only_a_comparison_that_came_out_right_is_a_match() {
        let step = |answer| Step::<()>::Asked(Reply::ready(answer)).now().0;
        assert_eq!(step(Ok(())), Finding::Matched);
        assert_eq!(step(Err(SecurityError::Incorrect)), Finding::Mismatched);
        let key = KeyHandle::new(7);
        for (error, why) in [
            (SecurityError::Malformed("length"), Unverified::Malformed),
            (SecurityError::FormatRefused(PinBlockFormat::Iso2), Unverified::Malformed),
            (SecurityError::UnknownKey(key), Unverified::NoKey),
            (SecurityError::UsageRefused { key, function: "f" }, Unverified::NoKey),
            (SecurityError::Prohibited("software"), Unverified::Unavailable),
            (SecurityError::Unavailable, Unverified::Unavailable),
        ] {
            assert_eq!(step(Err(error)), Finding::Unverified(why), "{error}");
        }
        let late = Step::<()>::Asked(Reply::waiting(async { Ok(()) }));
        assert_eq!(late.now().0, Finding::Unverified(Unverified::Unavailable));
    }
}
