//! The customer's own orders of plastic cards (SR-124).

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};

use super::owner;
use crate::http::{Body, Caller, Idempotency};
use crate::routes::Answered;
use crate::routes::plastic::{NewPlasticCard, OrderView, ordered, told};
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
