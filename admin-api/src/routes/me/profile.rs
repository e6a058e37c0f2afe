//! The customer's own data, and the beginning of their verification (SR-100).

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::http::{Caller, now};
use crate::routes::Answered;
use crate::routes::customers::{CustomerView, shown};
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::served::Management;
use crate::service::users::Session;
use crate::service::users::kyc::{By, KycState, Mover, Moving};

/// Read what is known of the customer.
#[utoipa::path(
    get, path = "/customers/me", tag = "customer",
    responses((status = 200, body = CustomerView), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
) -> Answered<Response> {
    let customer = this.users.customer(session.partner, session.customer_id).await?;
    Ok(shown(StatusCode::OK, &customer))
}

/// Begin the customer's verification.
///
/// Where the partner verifies its customers itself, it is refused.
#[utoipa::path(
    post, path = "/customers/me/register", tag = "customer",
    responses((status = 200, body = CustomerView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn register(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
) -> Answered<Response> {
    let (partner, id) = (session.partner, session.customer_id);
    let by = By { mover: Mover::Customer, name: caller.actor() };
    let moving = Moving { to: KycState::Pending, by, note: "", now: now() };
    this.users.move_kyc(partner, id, moving).await?;
    Ok(shown(StatusCode::OK, &this.users.customer(partner, id).await?))
}
