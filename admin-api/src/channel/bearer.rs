//! The token that a request bears: `Authorization: Bearer ...` (RFC 6750). It owns that nothing
//! else is one, and what the answer to a request without a good one says.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::Problem;
use crate::http::Failure;
use crate::service::proof::BearerSecret;

/// The token of a request; none where there is none, or several.
pub(super) fn bearer(headers: &HeaderMap) -> Option<BearerSecret> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { BearerSecret::read(token) } else { None }
}

/// The answer to who bears none that is good.
pub(super) fn unproved(problem: Problem) -> Response {
    let mut response = Failure::from(problem).into_response();
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}
