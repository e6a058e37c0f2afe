//! Versions of what two people may edit: `ETag` out, `If-Match` in. It owns their form.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};

use super::failure::Failure;
use crate::Problem;

/// The version as a header.
#[must_use]
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// The version that a change was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let mut values = parts.headers.get_all(header::IF_MATCH).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            let what = "send one If-Match with the ETag of what you read before changing it";
            return Err(Problem::new("PRECONDITION_REQUIRED", what).into());
        };
        let version = value.to_str().ok().and_then(|text| {
            let digits = text.trim().strip_prefix('"')?.strip_suffix('"')?;
            digits.parse().ok().filter(|version: &i64| version.to_string() == digits)
        });
        // What we never gave cannot be what is there.
        let other = "it was changed since, or If-Match is no ETag of ours: read it again";
        version.map(Self).ok_or_else(|| Problem::new("PRECONDITION_FAILED", other).into())
    }
}
