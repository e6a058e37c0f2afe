//! The customer's own accounts (SR-103, SR-140, SR-142).

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};

use super::owner;
use crate::http::{Body, Caller, Idempotency, Query};
use crate::routes::Answered;
use crate::routes::accounts::{
    self, BalanceView, BalanceWithCards, Balances, Movements, NewBalance, Since,
};
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::served::Management;
use crate::routes::statements::{self, Period, StatementView};
use crate::service::users::Session;

/// Open an account.
///
/// Refused with `CUSTOMER_NOT_VERIFIED` before the customer is (SR-034).
#[utoipa::path(
    post, path = "/customers/me/balances", tag = "balances", request_body = NewBalance,
    responses((status = 201, body = BalanceView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn open(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewBalance>,
) -> Answered<Response> {
    let who = (owner(&session), &caller);
    accounts::opened(&this, who, keys.key(0), &new, "/customers/me/balances").await
}

/// List the accounts.
#[utoipa::path(
    get, path = "/customers/me/balances", tag = "balances",
    responses((status = 200, body = Balances), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
) -> Answered<Json<Balances>> {
    accounts::listed(&this, owner(&session)).await
}

/// Read an account and its cards.
#[utoipa::path(
    get, path = "/customers/me/balances/{balanceId}", tag = "balances",
    params(("balanceId" = Uuid, Path)),
    responses((status = 200, body = BalanceWithCards), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(balance): Path<String>,
) -> Answered<Json<BalanceWithCards>> {
    accounts::shown(&this, owner(&session), &balance).await
}

/// Read the latest movements of an account.
///
/// What was decided a moment ago may not be there yet.
#[utoipa::path(
    get, path = "/customers/me/balances/{balanceId}/movements", tag = "balances",
    params(("balanceId" = Uuid, Path), Since),
    responses((status = 200, body = Movements), Problems)
)]
pub(in crate::routes) async fn movements(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(balance): Path<String>,
    Query(since): Query<Since>,
) -> Answered<Json<Movements>> {
    accounts::moved(&this, owner(&session), &balance, &since).await
}

/// Read an account's statement: what was booked in a span of days, what stood before and after.
///
/// Holds are not booked: they stand in the account itself. What was decided a moment ago may not be
/// there yet.
#[utoipa::path(
    get, path = "/customers/me/balances/{balanceId}/statement", tag = "balances",
    params(("balanceId" = Uuid, Path), Period),
    responses((status = 200, body = StatementView), Problems)
)]
pub(in crate::routes) async fn statement(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(balance): Path<String>,
    Query(period): Query<Period>,
) -> Answered<Json<StatementView>> {
    statements::stated(&this, owner(&session), &balance, &period).await
}
