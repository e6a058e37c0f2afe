//! What a provider sends back: an answer, or what it was told to do instead. Must be written by
//! hand, so that it can be wrong.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION};

use super::conduct::{Conduct, Verdict};
use crate::http_answer::{Sent, half, with_status};

/// A verdict in the agreed form, after so many questions of the same before.
pub(super) fn written(inquiry: &str, verdict: Verdict, before: u64) -> (&'static str, String) {
    let tail = inquiry.get(..8).unwrap_or(inquiry);
    let found = |outcome: &str, reference: String| {
        format!(r#"{{"inquiry":"{inquiry}","outcome":"{outcome}","reference":"{reference}"}}"#)
    };
    match verdict {
        Verdict::Later(times) if before < times => {
            ("PENDING", format!(r#"{{"inquiry":"{inquiry}","outcome":"PENDING"}}"#))
        }
        Verdict::Verified | Verdict::Later(_) => {
            ("VERIFIED", found("VERIFIED", format!("SIM-{tail}")))
        }
        Verdict::Rejected(why) => ("REJECTED", found("REJECTED", format!("SIM-{tail} {why}"))),
    }
}

/// What comes of a conduct, where the answer would be this text; none: the connection ends.
pub(super) fn bent(conduct: Option<Conduct>, text: String) -> Option<Sent> {
    let known = Bytes::from_static(b"00000000-0000-4000-8000-000000000000");
    Some(match conduct {
        Some(Conduct::Cut) => return None,
        Some(Conduct::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            with_status(status, "{}".into())
        }
        Some(Conduct::Redirect) => {
            let mut sent = with_status(StatusCode::TEMPORARY_REDIRECT, String::new());
            sent.headers_mut().insert(LOCATION, HeaderValue::from_static("/elsewhere"));
            sent
        }
        Some(Conduct::Garbage) => with_status(StatusCode::OK, "<html>\u{0}verified</html>".into()),
        Some(Conduct::TooLong) => with_status(StatusCode::OK, text + &" ".repeat(1 << 20)),
        Some(Conduct::Twice) => with_status(StatusCode::OK, text.repeat(2)),
        Some(Conduct::Other) => {
            let other = String::from_utf8_lossy(&known).into_owned();
            let own = text.get(12..48).unwrap_or_default().to_owned();
            with_status(StatusCode::OK, text.replace(&own, &other))
        }
        Some(Conduct::Half) => half(text),
        Some(Conduct::Say(_) | Conduct::Late(_)) | None => with_status(StatusCode::OK, text),
    })
}
