//! `/admin/customers/{customerId}/cards`: plastic cards ordered for one customer (SR-125).

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};

use super::super::Answered;
use super::super::accounts::Owner;
use super::super::plastic::{NewPlasticCard, OrderView, ordered, told};
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::Panel;
use super::customers::holder_of;
use crate::Problem;
use crate::http::{Body, Caller, Idempotency};

/// Whose orders they are.
async fn owner(this: &Panel, customer: &str) -> Result<Owner, Problem> {
    let (partner, customer) = holder_of(this, customer).await?;
    Ok(Owner { partner, customer })
}

/// Order a plastic card for a customer.
#[utoipa::path(
    post, path = "/admin/customers/{customerId}/cards/physical", tag = "cards",
    params(("customerId" = Uuid, Path)), request_body = NewPlasticCard,
    responses((status = 201, body = OrderView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn order(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(customer): Path<String>,
    Body(new): Body<NewPlasticCard>,
) -> Answered<Response> {
    let owner = owner(&this, &customer).await?.person(&this.management).await?;
    let places = format!("/admin/customers/{customer}/cards/orders");
    ordered(&this.management, (owner, &caller), keys.key(0), new, &places).await
}

/// Read how far an order of a plastic card is.
#[utoipa::path(
    get, path = "/admin/customers/{customerId}/cards/orders/{orderId}", tag = "cards",
    params(("customerId" = Uuid, Path), ("orderId" = Uuid, Path)),
    responses((status = 200, body = OrderView), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path((customer, order)): Path<(String, String)>,
) -> Answered<Json<OrderView>> {
    told(&this.management, owner(&this, &customer).await?, &order).await
}
