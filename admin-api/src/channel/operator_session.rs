//! The channel of the panel: who calls is whose session the token bears (SR-052). It owns that
//! nobody passes without a session that is open; what its operator may call is the routes' table.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::bearer::{bearer, refused};
use super::refusals::Refusals;
use crate::http::{Caller, RequestId, now};
use crate::operators::Operators;

/// What the channel works with.
#[derive(Clone)]
pub struct OperatorChannel {
    /// Whose sessions are open.
    pub operators: Operators,
    /// Records who did not pass.
    pub refusals: Refusals,
}

/// The layer: behind it, a [`Caller::Operator`] is known, and the session.
pub async fn by_operator_session(
    State(channel): State<OperatorChannel>,
    ConnectInfo(origin): ConnectInfo<SocketAddr>,
    Extension(id): Extension<RequestId>,
    mut request: Request,
    next: Next,
) -> Response {
    let now = now();
    let found = match bearer(request.headers()) {
        Ok(token) => channel.operators.session(&token, now).await,
        Err(none) => Err(none),
    };
    match found {
        Ok(session) => {
            let caller = Caller::Operator { operator: session.operator, role: session.role };
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Err(none) => {
            let about = (request.method(), now);
            refused(&channel.refusals, (origin, &id), about, none).await
        }
    }
}
