//! Plastic cards, as they are ordered (SR-124 to SR-126): the same for the partner, the holder and
//! the panel. It owns the JSON of orders, and the paths of partners' systems. An order is told as a
//! status alone; its card is nowhere before it is linked (SR-164, SR-168).

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use switch_domain::IdempotencyKey;
use utoipa::ToSchema;
use uuid::Uuid;

use super::accounts::Owner;
use super::me::access::Typed;
use super::problems::{ChangeProblems, Problems};
use super::served::{Management, written};
use super::{Answered, tenant};
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, Made, now, public_id};
use crate::service::personalisation::{
    DeliveryInput, NewPlastic, OrderState, OrderedBy, Plastic, PlasticOrder, WayName,
};
use crate::service::programmes::SaidProgramme;
use crate::service::users::Personal;

/// A plastic card to be ordered.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "balanceId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000002", "holderName": "ADA LOVELACE",
    "delivery": {
        "way": "POST", "addressee": "Ada Lovelace", "street": "Hauptstrasse 1", "city": "Wien",
        "postalCode": "1010", "country": "AT"
    }
}))]
pub(super) struct NewPlasticCard {
    /// The account that it spends from.
    balance_id: Uuid,
    /// The product, where it is said: that of the account, by its configuration id.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,40}$")]
    configuration_id: Option<String>,
    /// The virtual card that it is to be plastic of: the same number, in use as before.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    physical_of: Option<String>,
    /// As it is embossed, in capitals.
    #[schema(pattern = "^[A-Za-z .'-]{2,26}$")]
    holder_name: String,
    delivery: DeliveryBody,
}

/// A plastic card with a number of its own, and with a PIN from the beginning.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewPlasticWithPin {
    /// The account that it spends from.
    balance_id: Uuid,
    /// The product, where it is said: that of the account, by its configuration id.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,40}$")]
    configuration_id: Option<String>,
    /// As it is embossed, in capitals.
    #[schema(pattern = "^[A-Za-z .'-]{2,26}$")]
    holder_name: String,
    delivery: DeliveryBody,
    /// Digits; neither a row nor a repetition.
    pin: Typed,
}

/// Where it goes.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeliveryBody {
    way: WayBody,
    #[schema(min_length = 1, max_length = 100)]
    addressee: String,
    #[schema(min_length = 1, max_length = 200)]
    street: String,
    #[schema(min_length = 1, max_length = 100)]
    city: String,
    #[schema(min_length = 1, max_length = 16)]
    postal_code: String,
    /// Two letters of ISO 3166-1.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: String,
    /// `+`, and 7 to 15 digits. A courier needs it.
    #[schema(pattern = r"^\+[0-9]{7,15}$")]
    phone: Option<String>,
}

/// How a card is brought (SR-169).
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum WayBody {
    /// By post.
    Post,
    /// By a courier.
    Courier,
}

/// How far an order is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum OrderStateName {
    /// It waits for the next file for the bureau.
    Ordered,
    /// It is with the bureau.
    Sent,
    /// The bureau has made the card.
    Personalised,
    /// There is a card: `cardId`.
    Linked,
    /// There will be none; `refusal` says why.
    Refused,
}

/// An order of a plastic card.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    order_id: Uuid,
    state: OrderStateName,
    /// When it was ordered, in UTC.
    #[schema(format = DateTime)]
    ordered_at: String,
    way: WayBody,
    /// The card that it is to be plastic of.
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_of: Option<String>,
    /// The card in whose place it is to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    /// The card that it renews: the plastic of before is good until this one is activated.
    #[serde(skip_serializing_if = "Option::is_none")]
    renews: Option<String>,
    /// Of the letter or parcel, once the bureau has told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<String>,
    /// The card, once it is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    card_id: Option<String>,
    /// Why there will be no card.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

impl From<NewPlasticCard> for NewPlastic {
    fn from(new: NewPlasticCard) -> Self {
        Self {
            balance: new.balance_id,
            programme: SaidProgramme { number: None, configuration_id: new.configuration_id },
            physical_of: new.physical_of,
            replaces: None,
            holder_name: Personal::new(new.holder_name),
            reference: None,
            delivery: new.delivery.into(),
        }
    }
}

impl From<DeliveryBody> for DeliveryInput {
    fn from(to: DeliveryBody) -> Self {
        Self {
            way: match to.way {
                WayBody::Post => WayName::Post,
                WayBody::Courier => WayName::Courier,
            },
            addressee: Personal::new(to.addressee),
            street: Personal::new(to.street),
            city: Personal::new(to.city),
            postal_code: Personal::new(to.postal_code),
            country: Personal::new(to.country),
            phone: to.phone.map(Personal::new),
        }
    }
}

impl From<&PlasticOrder> for OrderView {
    fn from(order: &PlasticOrder) -> Self {
        Self {
            order_id: order.reference,
            state: match order.state {
                OrderState::Ordered => OrderStateName::Ordered,
                OrderState::Sent => OrderStateName::Sent,
                OrderState::Personalised => OrderStateName::Personalised,
                OrderState::Linked => OrderStateName::Linked,
                OrderState::Refused => OrderStateName::Refused,
            },
            ordered_at: written(order.ordered_at),
            way: match order.way {
                WayName::Post => WayBody::Post,
                WayName::Courier => WayBody::Courier,
            },
            physical_of: order.physical_of.map(|card| card.0.to_string()),
            replaces: order.replaces.map(|card| card.0.to_string()),
            renews: order.renews.map(|card| card.0.to_string()),
            tracking_number: order.tracking_number.clone(),
            card_id: order.card.map(|card| card.0.to_string()),
            refusal: order.refusal.clone(),
        }
    }
}

/// The service, where plastic cards are made.
pub(super) fn plastic(this: &Management) -> Result<&Plastic, Problem> {
    let none = || Problem::new("CONFLICT", "no plastic cards are made here");
    this.plastic.as_ref().ok_or_else(none)
}

/// Orders one; the order lies under this path.
pub(super) async fn ordered(
    this: &Management,
    (owner, caller): (Owner, &Caller),
    key: IdempotencyKey,
    new: NewPlasticCard,
    places: &str,
) -> Answered<Response> {
    let by = OrderedBy { key, actor: caller.actor(), now: now() };
    let order = plastic(this)?.order((owner.partner, owner.customer), &new.into(), by).await?;
    Ok(placed(places, &order, Json(OrderView::from(&order))))
}

/// An order lies under this path.
pub(super) fn placed(places: &str, order: &PlasticOrder, view: impl IntoResponse) -> Response {
    let place = format!("{places}/{}", order.reference);
    let mut response = (StatusCode::CREATED, view).into_response();
    response.extensions_mut().insert(Made(place.clone()));
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Orders one with a PIN.
pub(super) async fn ordered_with_pin(
    this: &Management,
    (owner, caller): (Owner, &Caller),
    key: IdempotencyKey,
    new: NewPlasticWithPin,
    places: &str,
) -> Answered<Response> {
    let NewPlasticWithPin { balance_id, configuration_id, holder_name, delivery, pin } = new;
    let physical_of = None;
    let new = NewPlasticCard { balance_id, configuration_id, physical_of, holder_name, delivery };
    let by = OrderedBy { key, actor: caller.actor(), now: now() };
    let whose = (owner.partner, owner.customer);
    let order = plastic(this)?.order_with_pin(whose, &new.into(), pin.text(), by).await?;
    Ok(placed(places, &order, Json(OrderView::from(&order))))
}

/// How far an order is.
pub(super) async fn told(
    this: &Management,
    owner: Owner,
    order: &str,
) -> Answered<Json<OrderView>> {
    let none = || Problem::not_found("there is no such order");
    let order = public_id(order, "order").map_err(|_| none())?;
    let found = match &this.plastic {
        Some(plastic) => plastic.order_of((owner.partner, owner.customer), order).await?,
        None => return Err(none().into()),
    };
    Ok(Json(OrderView::from(&found)))
}

/// Whose orders they are.
fn owner(caller: &Caller, customer: &str) -> Result<Owner, Problem> {
    Ok(Owner { partner: tenant(caller)?, customer: public_id(customer, "customer")? })
}

/// Order a plastic card.
///
/// It is made by a bureau, which may take two days; then it is there, inactive until it is
/// activated.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/physical", tag = "cards",
    params(("customerId" = Uuid, Path)), request_body = NewPlasticCard,
    responses((status = 201, body = OrderView), Problems, ChangeProblems)
)]
pub(super) async fn order(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(customer): Path<String>,
    Body(new): Body<NewPlasticCard>,
) -> Answered<Response> {
    let owner = owner(&caller, &customer)?.person(&this).await?;
    let places = format!("/secure/customers/{customer}/cards/orders");
    ordered(&this, (owner, &caller), keys.key(0), new, &places).await
}

/// Order a plastic card that has a PIN from the beginning (SR-136, A-06).
///
/// The request goes encrypted: `Encrypted-Request: true`. Nothing of it is kept: under the same key
/// it is the same order, whatever its PIN.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/physical_with_pin", tag = "cards",
    params(("customerId" = Uuid, Path)), request_body = NewPlasticWithPin,
    responses((status = 201, body = OrderView), Problems, ChangeProblems)
)]
pub(super) async fn order_with_pin(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(customer): Path<String>,
    Body(new): Body<NewPlasticWithPin>,
) -> Answered<Response> {
    let owner = owner(&caller, &customer)?.person(&this).await?;
    let places = format!("/secure/customers/{customer}/cards/orders");
    ordered_with_pin(&this, (owner, &caller), keys.key(0), new, &places).await
}

/// Read how far an order of a plastic card is.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/cards/orders/{orderId}", tag = "cards",
    params(("customerId" = Uuid, Path), ("orderId" = Uuid, Path)),
    responses((status = 200, body = OrderView), Problems)
)]
pub(super) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, order)): Path<(String, String)>,
) -> Answered<Json<OrderView>> {
    told(&this, owner(&caller, &customer)?, &order).await
}
