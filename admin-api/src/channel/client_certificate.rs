//! The channels of partners' own systems: who calls is who the client certificate was signed for
//! (SR-051). It owns that a certificate that is revoked or unknown opens nothing, on a connection
//! that was open before as well.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use switch_domain::Timestamp;

use super::bearer::unavailable;
use super::refusals::Refusals;
use crate::Problem;
use crate::certificates::{Certificates, NotIdentified};
use crate::http::{Caller, Failure, RequestId, now};
use crate::tls::client_certificate;

/// What the channel works with.
#[derive(Clone)]
pub struct CertificateChannel {
    /// Who certificates are.
    pub certificates: Certificates,
    /// Records who did not pass.
    pub refusals: Refusals,
}

/// The layer: behind it, a [`Caller::Partner`] is known.
pub async fn by_certificate(
    State(channel): State<CertificateChannel>,
    ConnectInfo(origin): ConnectInfo<SocketAddr>,
    Extension(id): Extension<RequestId>,
    mut request: Request,
    next: Next,
) -> Response {
    let now = now();
    let method = request.method().clone();
    let found = match client_certificate(request.extensions()) {
        Some(der) => channel.certificates.identify(der, now).await.map(|it| (it, print_of(der))),
        None => return refused(&channel, (origin, &id), &method, now).await,
    };
    match found {
        Ok((partner, certificate)) => {
            request.extensions_mut().insert(Caller::Partner { partner, certificate });
            next.run(request).await
        }
        // The database: nobody knows who it is.
        Err(NotIdentified::Unavailable) => unavailable(),
        Err(_) => refused(&channel, (origin, &id), &method, now).await,
    }
}

/// Tells certificates apart in records: the beginning of the digest, as `openssl x509
/// -fingerprint -sha256` has it.
fn print_of(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der).get(..8).unwrap_or_default())
}

async fn refused(
    channel: &CertificateChannel,
    around: (SocketAddr, &RequestId),
    method: &Method,
    now: Timestamp,
) -> Response {
    let act = format!("{method} by client certificate");
    channel.refusals.record(around, act, "UNAUTHENTICATED", now).await;
    let what = "a client certificate that this platform signed and has not revoked is needed";
    Failure::from(Problem::new("UNAUTHENTICATED", what)).into_response()
}
