//! The channel of customers' apps: who calls is whose session the token is of (SR-050, SR-007). It
//! owns that each request is a use of the session, and that one which is over opens nothing.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::bearer::{bearer, unproved};
use super::refusals::Refusals;
use crate::Problem;
use crate::http::{Caller, Failure, RequestId, now};
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
        Some(token) => channel.users.session(&token, now).await,
        None => Err(Problem::new("UNAUTHENTICATED", "the token of a session is needed")),
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
        Err(problem) if matches!(problem.code, "UNAUTHENTICATED" | "SESSION_EXPIRED") => {
            let act = format!("{} by session", request.method());
            channel.refusals.record((origin, &id), act, problem.code, now).await;
            unproved(problem)
        }
        // The database: nobody knows whose it is.
        Err(_) => {
            let what = "whose session it is cannot be looked up now: try again shortly";
            Failure::from(Problem::new("OVERLOADED", what)).into_response()
        }
    }
}
