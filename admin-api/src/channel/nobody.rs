//! The way in for who is nobody yet: pairing a device, opening a session. It owns that such a
//! request is limited and recorded like every other, by where it comes from.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::Caller;

/// The layer: behind it, everybody is [`Caller::Nobody`].
pub async fn as_nobody(
    ConnectInfo(origin): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(Caller::Nobody { source: origin.ip().to_canonical() });
    next.run(request).await
}
