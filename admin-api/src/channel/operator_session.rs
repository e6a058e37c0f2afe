//! The channel of the panel: who calls is whose session the token bears (SR-052). It owns that
//! nobody passes without a session that is open; what its operator may call is the routes' table.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::bearer::{bearer, unproved};
use super::refusals::Refusals;
use crate::Problem;
use crate::http::{Caller, Failure, RequestId, now};
use crate::operators::{NoSession, Operators};

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
        Some(token) => channel.operators.session(&token, now).await,
        None => Err(NoSession::Unknown),
    };
    let problem = match found {
        Ok(session) => {
            let caller = Caller::Operator { operator: session.operator, role: session.role };
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(session);
            return next.run(request).await;
        }
        Err(NoSession::Unavailable(_)) => {
            let what = "who you are cannot be looked up now: try again shortly";
            return Failure::from(Problem::new("OVERLOADED", what)).into_response();
        }
        Err(NoSession::Expired) => Problem::new("SESSION_EXPIRED", "sign in again"),
        Err(NoSession::Unknown) => {
            let what = "sign in, and send the token: Authorization: Bearer <token>";
            Problem::new("UNAUTHENTICATED", what)
        }
    };
    let act = format!("{} by session", request.method());
    channel.refusals.record((origin, &id), act, problem.code, now).await;
    unproved(problem)
}
