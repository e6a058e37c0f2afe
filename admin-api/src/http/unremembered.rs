//! Requests that carry a password or a PIN. It owns that no digest of one is kept as that of a
//! request with an idempotency key: whoever got the table could try passwords at it as fast as
//! SHA-256 goes. To send one twice does nothing twice: a code is taken once, and a password is
//! changed once; a session more is a session that nobody knows the token of, and ends unused.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::Caller;
use super::failure::Failure;
use super::idempotent::{Named, key_of};

/// The layer around the repeats of routes that take one: their requests have no key.
pub(crate) async fn unremembered(mut request: Request, next: Next) -> Response {
    // One that is none is refused here as everywhere.
    if let Err(problem) = key_of(request.headers()) {
        return Failure::from(problem).into_response();
    }
    forget_key(&mut request);
    next.run(request).await
}

/// The same around routes that make something: the key names what is made, so that the same key
/// makes it once, and of the request nothing is kept either.
pub(crate) async fn named_alone(mut request: Request, next: Next) -> Response {
    let key = match key_of(request.headers()) {
        Ok(key) => key,
        Err(problem) => return Failure::from(problem).into_response(),
    };
    let caller = request.extensions().get::<Caller>().cloned();
    if let Some((key, caller)) = key.zip(caller) {
        let named = Named::by(&caller, (request.method(), request.uri()), &key);
        request.extensions_mut().insert(named);
    }
    forget_key(&mut request);
    next.run(request).await
}

fn forget_key(request: &mut Request) {
    for name in ["idempotency-key", "x-idempotency-key"] {
        request.headers_mut().remove(name);
    }
}
