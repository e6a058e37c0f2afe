//! Requests that carry a password or a PIN. It owns that no digest of one is kept as that of a
//! request with an idempotency key: whoever got the table could try passwords at it as fast as
//! SHA-256 goes. To send one twice does nothing twice: a code is taken once, and a password is
//! changed once; a session more is a session that nobody knows the token of, and ends unused.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

const SECRET: [&str; 6] = [
    "/admin/sessions",
    "/admin/password",
    "/customers/devices",
    "/customers/sessions",
    "/customers/sessions/current/step-up",
    "/customers/pin",
];

/// The layer around the repeats: such a request has no key.
pub(crate) async fn unremembered(mut request: Request, next: Next) -> Response {
    if SECRET.contains(&request.uri().path()) {
        for name in ["idempotency-key", "x-idempotency-key"] {
            request.headers_mut().remove(name);
        }
    }
    next.run(request).await
}
