//! `/secure/customers/{customerId}/balances` (SR-102, SR-140, SR-142, SR-145): accounts of the
//! partner's end users.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use switch_domain::{
    AsciiText, Balance, BalanceState, CardStatus, IdempotencyKey, LockCode, PartnerId, ProgrammeId,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::amounts::Money;
use super::problems::{ChangeProblems, Problems};
use super::served::{Management, written};
use super::{Answered, tenant};
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, Made, Query, now, page_limit, public_id};
use crate::service::users::CustomersCard;

const MICROS_OF_DAY: i64 = 86_400_000_000;

/// An account to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "programmeId": 1 }))]
pub(super) struct NewBalance {
    /// The product: it says the currency.
    #[schema(minimum = 1)]
    programme_id: i64,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum BalanceStateName {
    /// It may.
    Active,
    /// Not now: its cards are declined.
    Blocked,
    /// Nevermore.
    Closed,
}

/// A card of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardOfBalance {
    /// Names the card.
    id: i64,
    /// The end of its number.
    last_four: String,
    state: CardStateName,
    /// Why it is locked (SR-200 to SR-208).
    #[serde(skip_serializing_if = "Option::is_none")]
    lock_code: Option<u8>,
}

/// Whether a card may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum CardStateName {
    /// It waits for its activation.
    Inactive,
    /// It may.
    Active,
    /// It may not; `lockCode` says why.
    Locked,
    /// Nevermore.
    Removed,
}

impl From<&CustomersCard> for CardOfBalance {
    fn from(card: &CustomersCard) -> Self {
        let state = match (card.card.status, card.card.lock) {
            (CardStatus::Removed, _) => CardStateName::Removed,
            (_, Some(_)) => CardStateName::Locked,
            (CardStatus::Inactive, None) => CardStateName::Inactive,
            (CardStatus::Active, None) => CardStateName::Active,
        };
        let lock_code = card.card.lock.map(LockCode::number);
        Self { id: card.card.id.0, last_four: card.last_four.clone(), state, lock_code }
    }
}

/// An account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BalanceView {
    /// Names the account in paths.
    balance_id: Uuid,
    programme_id: i64,
    state: BalanceStateName,
    /// All that is in it.
    ledger: Money,
    /// What open authorizations hold of it.
    held: Money,
    /// What may be spent.
    available: Money,
}

impl BalanceView {
    pub(super) fn of(balance_id: Uuid, balance: &Balance) -> Self {
        let money = |amount| Money::of(amount, balance.currency);
        Self {
            balance_id,
            programme_id: balance.programme.0,
            state: match balance.state {
                BalanceState::Active => BalanceStateName::Active,
                BalanceState::Blocked => BalanceStateName::Blocked,
                BalanceState::Closed => BalanceStateName::Closed,
            },
            ledger: money(balance.ledger),
            held: money(balance.held),
            available: money(balance.available()),
        }
    }
}

/// An account with its cards.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BalanceWithCards {
    #[serde(flatten)]
    pub(super) balance: BalanceView,
    pub(super) cards: Vec<CardOfBalance>,
}

/// Accounts of a customer.
#[derive(Serialize, ToSchema)]
pub(super) struct Balances {
    pub(super) items: Vec<BalanceView>,
}

/// An account that a path names: of this tenant, and of this customer.
pub(super) struct Found {
    pub(super) public_id: Uuid,
    pub(super) balance: Balance,
}

pub(super) async fn find(
    this: &Management,
    partner: PartnerId,
    (customer, balance): (&str, &str),
) -> Result<Found, Problem> {
    let customer = this.users.customer(partner, public_id(customer, "customer")?).await?;
    let none = || Problem::not_found("there is no such account");
    let public_id = public_id(balance, "account").map_err(|_| none())?;
    let balance = this.users.balance_by_handle(partner, public_id).await?;
    if balance.customer == customer.id { Ok(Found { public_id, balance }) } else { Err(none()) }
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
    let partner = tenant(&caller)?;
    let id = public_id(&customer, "customer")?;
    let programme = ProgrammeId(new.programme_id);
    let opened =
        this.users.open_balance_for(partner, id, programme, keys.key(0), caller.actor()).await?;
    let place = format!("/secure/customers/{customer}/balances/{}", opened.public_id);
    let view = Json(BalanceView::of(opened.public_id, &opened.balance));
    let mut response = (StatusCode::CREATED, view).into_response();
    response.extensions_mut().insert(Made(place.clone()));
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
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
    let partner = tenant(&caller)?;
    let found = this.users.balances_of(partner, public_id(&customer, "customer")?).await?;
    let items = found.iter().map(|one| BalanceView::of(one.public_id, &one.balance)).collect();
    Ok(Json(Balances { items }))
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
    let found = find(&this, tenant(&caller)?, (&customer, &balance)).await?;
    let cards = this.users.cards_of(found.balance.id).await?;
    Ok(Json(BalanceWithCards {
        balance: BalanceView::of(found.public_id, &found.balance),
        cards: cards.iter().map(CardOfBalance::from).collect(),
    }))
}

async fn set_state(
    this: &Management,
    (caller, key): (&Caller, IdempotencyKey),
    names: (&str, &str),
    state: BalanceState,
) -> Answered<StatusCode> {
    let found = find(this, tenant(caller)?, names).await?;
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
    let partner = tenant(&caller)?;
    let Found { public_id, balance } = find(&this, partner, (&customer, &balance)).await?;
    let amount = reload.amount.positive_in("amount", balance.currency)?;
    let reference = AsciiText::new(reload.reference.as_bytes())
        .map_err(|error| Problem::field("reference", error.to_string()))?;
    let (key, actor) = (keys.key(0), caller.actor());
    this.services.credit_balance(key, actor, balance.id, amount, reference).await?;
    let after = this.users.balance_by_handle(partner, public_id).await?;
    Ok(Json(BalanceView::of(public_id, &after)))
}

/// Which movements.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// How many days back, 1 to 366; 30 where it is not said.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
    /// How many at most, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Money that came or went.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MovementView {
    /// When it was decided, in UTC.
    #[schema(format = DateTime)]
    at: String,
    /// Above zero what came, below zero what went.
    amount: Money,
}

/// The latest movements of an account.
#[derive(Serialize, ToSchema)]
pub(super) struct Movements {
    /// The latest first.
    items: Vec<MovementView>,
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
    let found = find(&this, tenant(&caller)?, (&customer, &balance)).await?;
    let days = since.days.unwrap_or(30);
    if !(1..=366).contains(&days) {
        return Err(Problem::field("days", "1 to 366 days").into());
    }
    let from = now().minus_micros(i64::from(days).saturating_mul(MICROS_OF_DAY));
    let limit = page_limit(since.limit)?;
    let found = this.services.latest_movements(found.balance.id, from, limit).await?;
    let view = |movement: &switch_domain::Movement| MovementView {
        at: written(movement.at),
        amount: Money::of(movement.amount.minor, movement.amount.currency),
    };
    Ok(Json(Movements { items: found.iter().map(view).collect() }))
}
