//! Accounts, as they look from outside, and what can be asked of one: the same for the partner and
//! for the customer. It owns the JSON of accounts, cards and movements; which paths lead here
//! stands with the channels' routes.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use switch_domain::{
    Balance, BalanceState, CardStatus, IdempotencyKey, LockCode, Movement, PartnerId, ProgrammeId,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Answered;
use super::amounts::Money;
use super::served::{Management, written};
use crate::Problem;
use crate::http::{Caller, Made, now, page_limit, public_id};
use crate::service::users::CustomersCard;

const MICROS_OF_DAY: i64 = 86_400_000_000;

/// Whose accounts: a customer of a tenant, or a corporation by its `dcCorporationId`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) partner: PartnerId,
    pub(super) customer: Uuid,
}

impl Owner {
    /// The same, who is a customer: what a corporation has is made at paths of its own, which ask
    /// for more.
    pub(super) async fn person(self, this: &Management) -> Result<Self, Problem> {
        this.users.require_customer(self.partner, self.customer).await?;
        Ok(self)
    }
}

/// An account to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "programmeId": 1 }))]
pub(super) struct NewBalance {
    /// The product: it says the currency.
    #[schema(minimum = 1)]
    programme_id: i64,
}

impl NewBalance {
    /// Of this product.
    pub(super) const fn of(programme_id: i64) -> Self {
        Self { programme_id }
    }
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
    /// Names the card: digits, as text.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    card_id: String,
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
        Self {
            card_id: card.card.id.0.to_string(),
            last_four: card.last_four.clone(),
            state,
            lock_code,
        }
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
    balance: BalanceView,
    cards: Vec<CardOfBalance>,
}

/// Accounts of a customer.
#[derive(Serialize, ToSchema)]
pub(super) struct Balances {
    items: Vec<BalanceView>,
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

/// An account that a path names: of this tenant, and of this customer.
pub(super) struct Found {
    pub(super) public_id: Uuid,
    pub(super) balance: Balance,
}

/// The account that a path names.
pub(super) async fn find(this: &Management, owner: Owner, balance: &str) -> Result<Found, Problem> {
    let customer = this.users.holder(owner.partner, owner.customer).await?;
    let none = || Problem::not_found("there is no such account");
    let public_id = public_id(balance, "account").map_err(|_| none())?;
    let balance = this.users.balance_by_handle(owner.partner, public_id).await?;
    if balance.customer == customer.id { Ok(Found { public_id, balance }) } else { Err(none()) }
}

/// Opens one; it lies under this path.
pub(super) async fn opened(
    this: &Management,
    (owner, caller): (Owner, &Caller),
    key: IdempotencyKey,
    new: &NewBalance,
    places: &str,
) -> Answered<Response> {
    let Owner { partner, customer } = owner;
    let programme = ProgrammeId(new.programme_id);
    let opened =
        this.users.open_balance_for(partner, customer, programme, key, caller.actor()).await?;
    let place = format!("{places}/{}", opened.public_id);
    let view = Json(BalanceView::of(opened.public_id, &opened.balance));
    let mut response = (StatusCode::CREATED, view).into_response();
    response.extensions_mut().insert(Made(place.clone()));
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// All of a customer.
pub(super) async fn listed(this: &Management, owner: Owner) -> Answered<Json<Balances>> {
    let found = this.users.balances_of(owner.partner, owner.customer).await?;
    let items = found.iter().map(|one| BalanceView::of(one.public_id, &one.balance)).collect();
    Ok(Json(Balances { items }))
}

/// One with its cards.
pub(super) async fn shown(
    this: &Management,
    owner: Owner,
    balance: &str,
) -> Answered<Json<BalanceWithCards>> {
    let found = find(this, owner, balance).await?;
    let cards = this.users.cards_of(found.balance.id).await?;
    Ok(Json(BalanceWithCards {
        balance: BalanceView::of(found.public_id, &found.balance),
        cards: cards.iter().map(CardOfBalance::from).collect(),
    }))
}

/// The latest movements of one.
pub(super) async fn moved(
    this: &Management,
    owner: Owner,
    balance: &str,
    since: &Since,
) -> Answered<Json<Movements>> {
    let found = find(this, owner, balance).await?;
    let days = since.days.unwrap_or(30);
    if !(1..=366).contains(&days) {
        return Err(Problem::field("days", "1 to 366 days").into());
    }
    let from = now().minus_micros(i64::from(days).saturating_mul(MICROS_OF_DAY));
    let limit = page_limit(since.limit)?;
    let found = this.services.latest_movements(found.balance.id, from, limit).await?;
    let view = |movement: &Movement| MovementView {
        at: written(movement.at),
        amount: Money::of(movement.amount.minor, movement.amount.currency),
    };
    Ok(Json(Movements { items: found.iter().map(view).collect() }))
}
