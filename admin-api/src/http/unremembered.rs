//! Requests that carry a password or a PIN. It owns that no digest of one is kept as that of a
//! request with an idempotency key: whoever got the table could try passwords at it as fast as
//! SHA-256 goes. To send one twice does nothing twice: a code is taken once, and a password is
//! changed once; a session more is a session that nobody knows the token of, and ends unused.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use super::idempotent::key_of;

/// The layer around the repeats of routes that take one: their requests have no key.
pub(crate) async fn unremembered(mut request: Request, next: Next) -> Response {
    // One that is none is refused here as everywhere.
    if let Err(problem) = key_of(request.headers()) {
        return Failure::from(problem).into_response();
    }
    for name in ["idempotency-key", "x-idempotency-key"] {
        request.headers_mut().remove(name);
    }
    next.run(request).await
}
