//! The customer's own orders of plastic cards (SR-124).

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};

use super::owner;
use crate::http::{Body, Caller, Idempotency, SteppedUp};
use crate::routes::Answered;
use crate::routes::plastic::{
    NewPlasticCard, NewPlasticWithPin, OrderView, ordered, ordered_with_pin, told,
};
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::served::Management;
use crate::service::users::Session;

/// Order a plastic card.
///
/// It is made by a bureau, which may take two days; then it is there, inactive until it is
/// activated.
#[utoipa::path(
    post, path = "/customers/me/cards/physical", tag = "cards", request_body = NewPlasticCard,
    responses((status = 201, body = OrderView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn order(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewPlasticCard>,
) -> Answered<Response> {
    let places = "/customers/me/cards/orders";
    ordered(&this, (owner(&session), &caller), keys.key(0), new, places).await
}

/// Order a plastic card that has a PIN from the beginning.
///
/// The request goes encrypted: `Encrypted-Request: true`. `403 STEP_UP_REQUIRED` where the user's
/// own PIN was not given again a moment ago. Nothing of the request is kept: under the same key it
/// is the same order, whatever its PIN.
#[utoipa::path(
    post, path = "/customers/me/cards/physical_with_pin", tag = "cards",
    request_body = NewPlasticWithPin,
    responses((status = 201, body = OrderView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn order_with_pin(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    _stepped_up: SteppedUp,
    Body(new): Body<NewPlasticWithPin>,
) -> Answered<Response> {
    let places = "/customers/me/cards/orders";
    ordered_with_pin(&this, (owner(&session), &caller), keys.key(0), new, places).await
}

/// Read how far an order of a plastic card is.
#[utoipa::path(
    get, path = "/customers/me/cards/orders/{orderId}", tag = "cards",
    params(("orderId" = Uuid, Path)),
    responses((status = 200, body = OrderView), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(order): Path<String>,
) -> Answered<Json<OrderView>> {
    told(&this, owner(&session), &order).await
}
