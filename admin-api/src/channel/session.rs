//! The channel of customers' apps: who calls is whose session the token is of (SR-050, SR-007). It
//! owns that each request is a use of the session, and that one which is over opens nothing.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::bearer::{bearer, refused};
use super::refusals::Refusals;
use crate::http::{Caller, RequestId, now};
use crate::service::users::Users;

/// What the channel works with.
#[derive(Clone)]
pub struct SessionChannel {
    /// Whose sessions are.
    pub users: Users,
    /// Records who did not pass.
    pub refusals: Refusals,
}

/// The layer: behind it, a [`Caller::Customer`] is known, and so is the session.
pub async fn by_session(
    State(channel): State<SessionChannel>,
    ConnectInfo(origin): ConnectInfo<SocketAddr>,
    Extension(id): Extension<RequestId>,
    mut request: Request,
    next: Next,
) -> Response {
    let now = now();
    let found = match bearer(request.headers()) {
        Ok(token) => channel.users.session(&token, now).await,
        Err(none) => Err(none),
    };
    match found {
        Ok(session) => {
            request.extensions_mut().insert(Caller::Customer {
                partner: session.partner,
                customer: session.customer,
                public_id: session.customer_id,
                session: session.id,
            });
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(none) => {
            let about = (request.method(), now);
            refused(&channel.refusals, (origin, &id), about, none).await
        }
    }
}
