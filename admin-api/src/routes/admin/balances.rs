//! `/admin/customers/{customerId}/balances`: accounts of one customer.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use switch_domain::BalanceState;

use super::super::Answered;
use super::super::balances::{BalanceView, BalanceWithCards, Balances, CardOfBalance, Found, find};
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::Panel;
use super::customers::customer_of;
use crate::http::{Caller, Idempotency};

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
    let (partner, customer) = customer_of(&this, &customer).await?;
    let found = this.management.users.balances_of(partner, customer).await?;
    let items = found.iter().map(|one| BalanceView::of(one.public_id, &one.balance)).collect();
    Ok(Json(Balances { items }))
}

async fn account(this: &Panel, (customer, balance): (&str, &str)) -> Answered<Found> {
    let (partner, _) = customer_of(this, customer).await?;
    Ok(find(&this.management, partner, (customer, balance)).await?)
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
    let found = account(&this, (&customer, &balance)).await?;
    let cards = this.management.users.cards_of(found.balance.id).await?;
    Ok(Json(BalanceWithCards {
        balance: BalanceView::of(found.public_id, &found.balance),
        cards: cards.iter().map(CardOfBalance::from).collect(),
    }))
}

async fn set_state(
    this: &Panel,
    (caller, keys): (&Caller, Idempotency),
    names: (&str, &str),
    state: BalanceState,
) -> Answered<StatusCode> {
    let found = account(this, names).await?;
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
