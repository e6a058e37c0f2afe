//! The token that a request bears: `Authorization: Bearer ...` (RFC 6750). It owns that nothing
//! else is one, and what becomes of a request without a good one: it is recorded and refused.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use switch_domain::Timestamp;

use super::refusals::Refusals;
use crate::Problem;
use crate::http::{Failure, RequestId};
use crate::service::proof::{BearerSecret, NoSession};

/// The token of a request.
///
/// # Errors
/// There is none, or several.
pub(super) fn bearer(headers: &HeaderMap) -> Result<BearerSecret, NoSession> {
    let token = |value: &HeaderValue| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") { BearerSecret::read(token) } else { None }
    };
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => token(value).ok_or(NoSession::Unknown),
        _ => Err(NoSession::Unknown),
    }
}

/// The answer to who has no session.
pub(super) async fn refused(
    refusals: &Refusals,
    around: (SocketAddr, &RequestId),
    (method, now): (&Method, Timestamp),
    none: NoSession,
) -> Response {
    if let NoSession::Unavailable(_) = none {
        return unavailable();
    }
    let problem = Problem::from(none);
    let act = format!("{method} by session");
    refusals.record(around, act, problem.code, now).await;
    let mut response = Failure::from(problem).into_response();
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// The database does not say who calls.
pub(super) fn unavailable() -> Response {
    let what = "who you are cannot be looked up now: try again shortly";
    Failure::from(Problem::new("OVERLOADED", what)).into_response()
}
