//! `/secure/customers/{customerId}/balances` (SR-102, SR-140, SR-142, SR-145): accounts of the
//! partner's end users.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use switch_domain::{AsciiText, BalanceState, IdempotencyKey};
use utoipa::ToSchema;

use super::accounts::{
    self, BalanceView, BalanceWithCards, Balances, Found, Movements, NewBalance, Owner, Since, find,
};
use super::amounts::Money;
use super::problems::{ChangeProblems, Problems};
use super::served::Management;
use super::statements::{self, Period, StatementView};
use super::{Answered, tenant};
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, Query, public_id};

/// Whose accounts they are.
fn owner(caller: &Caller, customer: &str) -> Result<Owner, Problem> {
    Ok(Owner { partner: tenant(caller)?, customer: public_id(customer, "customer")? })
}

/// Open an account for a customer.
///
/// Refused with `CUSTOMER_NOT_VERIFIED` before the customer is (SR-034).
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/balances", tag = "balances",
    params(("customerId" = Uuid, Path)), request_body = NewBalance,
    responses((status = 201, body = BalanceView), Problems, ChangeProblems)
)]
pub(super) async fn open(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(customer): Path<String>,
    Body(new): Body<NewBalance>,
) -> Answered<Response> {
    let owner = owner(&caller, &customer)?.person(&this).await?;
    let places = format!("/secure/customers/{customer}/balances");
    accounts::opened(&this, (owner, &caller), keys.key(0), &new, &places).await
}

/// List a customer's accounts.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/balances", tag = "balances",
    params(("customerId" = Uuid, Path)),
    responses((status = 200, body = Balances), Problems)
)]
pub(super) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(customer): Path<String>,
) -> Answered<Json<Balances>> {
    accounts::listed(&this, owner(&caller, &customer)?).await
}

/// Read an account and its cards.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/balances/{balanceId}", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path)),
    responses((status = 200, body = BalanceWithCards), Problems)
)]
pub(super) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, balance)): Path<(String, String)>,
) -> Answered<Json<BalanceWithCards>> {
    accounts::shown(&this, owner(&caller, &customer)?, &balance).await
}

async fn set_state(
    this: &Management,
    (caller, key): (&Caller, IdempotencyKey),
    (customer, balance): (&str, &str),
    state: BalanceState,
) -> Answered<StatusCode> {
    let found = find(this, owner(caller, customer)?, balance).await?;
    this.services.set_balance_state(key, caller.actor(), found.balance.id, state).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Block an account: the next authorization is declined.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/balances/{balanceId}/block", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(super) async fn block(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, balance)): Path<(String, String)>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys.key(0)), (&customer, &balance), BalanceState::Blocked).await
}

/// Unblock an account.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/balances/{balanceId}/unblock", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(super) async fn unblock(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, balance)): Path<(String, String)>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys.key(0)), (&customer, &balance), BalanceState::Active).await
}

/// Close an account for good. It must be empty.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/balances/{balanceId}/close", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(super) async fn close(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, balance)): Path<(String, String)>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys.key(0)), (&customer, &balance), BalanceState::Closed).await
}

/// Money for an account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "amount": { "value": "50.00", "currency": "EUR" }, "reference": "top-up 4711"
}))]
pub(super) struct Reload {
    amount: Money,
    /// The partner's own words for it, of at most 40 printable ASCII characters.
    #[schema(max_length = 40)]
    #[serde(default)]
    reference: String,
}

/// Reload an account from the partner's own balance.
///
/// Under credit it is one transfer: where the partner's balance does not cover it, nothing moves.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/balances/{balanceId}/reload", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path)), request_body = Reload,
    responses((status = 200, body = BalanceView), Problems, ChangeProblems)
)]
pub(super) async fn reload(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, balance)): Path<(String, String)>,
    Body(reload): Body<Reload>,
) -> Answered<Json<BalanceView>> {
    let owner = owner(&caller, &customer)?;
    let Found { public_id, balance } = find(&this, owner, &balance).await?;
    let amount = reload.amount.positive_in("amount", balance.currency)?;
    let reference = AsciiText::new(reload.reference.as_bytes())
        .map_err(|error| Problem::field("reference", error.to_string()))?;
    let (key, actor) = (keys.key(0), caller.actor());
    this.services.credit_balance(key, actor, balance.id, amount, reference).await?;
    let after = this.users.balance_by_handle(owner.partner, public_id).await?;
    Ok(Json(BalanceView::of(public_id, &after)))
}

/// Read the latest movements of an account.
///
/// What was decided a moment ago may not be there yet.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/balances/{balanceId}/movements", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path), Since),
    responses((status = 200, body = Movements), Problems)
)]
pub(super) async fn movements(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, balance)): Path<(String, String)>,
    Query(since): Query<Since>,
) -> Answered<Json<Movements>> {
    accounts::moved(&this, owner(&caller, &customer)?, &balance, &since).await
}

/// Read an account's statement: what was booked in a span of days, what stood before and after.
///
/// Holds are not booked: they stand in the account itself. What was decided a moment ago may not be
/// there yet.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/balances/{balanceId}/statement", tag = "balances",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path), Period),
    responses((status = 200, body = StatementView), Problems)
)]
pub(super) async fn statement(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, balance)): Path<(String, String)>,
    Query(period): Query<Period>,
) -> Answered<Json<StatementView>> {
    statements::stated(&this, owner(&caller, &customer)?, &balance, &period).await
}
