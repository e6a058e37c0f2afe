//! `/admin/customers/{customerId}/balances`: accounts of one customer.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use switch_domain::BalanceState;

use super::super::Answered;
use super::super::accounts::{self, BalanceWithCards, Balances, Owner, find};
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::Panel;
use super::customers::holder_of;
use crate::Problem;
use crate::http::{Caller, Idempotency};

/// Whose accounts they are.
async fn owner(this: &Panel, customer: &str) -> Result<Owner, Problem> {
    let (partner, customer) = holder_of(this, customer).await?;
    Ok(Owner { partner, customer })
}

/// List a customer's accounts.
#[utoipa::path(
    get, path = "/admin/customers/{customerId}/balances", tag = "balances",
    params(("customerId" = Uuid, Path)),
    responses((status = 200, body = Balances), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Panel>,
    Path(customer): Path<String>,
) -> Answered<Json<Balances>> {
    accounts::listed(&this.management, owner(&this, &customer).await?).await
}

/// Read an account and its cards.
#[utoipa::path(
    get, path = "/admin/customers/{customerId}/balances/{balanceId}", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path)),
    responses((status = 200, body = BalanceWithCards), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path((customer, balance)): Path<(String, String)>,
) -> Answered<Json<BalanceWithCards>> {
    accounts::shown(&this.management, owner(&this, &customer).await?, &balance).await
}

async fn set_state(
    this: &Panel,
    (caller, keys): (&Caller, Idempotency),
    (customer, balance): (&str, &str),
    state: BalanceState,
) -> Answered<StatusCode> {
    let found = find(&this.management, owner(this, customer).await?, balance).await?;
    let (key, actor) = (keys.key(0), caller.actor());
    this.management.services.set_balance_state(key, actor, found.balance.id, state).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Block an account: the next authorization is declined.
#[utoipa::path(
    post, path = "/admin/customers/{customerId}/balances/{balanceId}/block", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn block(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, balance)): Path<(String, String)>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys), (&customer, &balance), BalanceState::Blocked).await
}

/// Unblock an account.
#[utoipa::path(
    post, path = "/admin/customers/{customerId}/balances/{balanceId}/unblock", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn unblock(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, balance)): Path<(String, String)>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys), (&customer, &balance), BalanceState::Active).await
}
