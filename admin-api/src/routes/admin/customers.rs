//! `/admin/customers`: customers of all tenants. It owns that a list shows nothing personal: who
//! needs that reads one customer, and is recorded.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use switch_domain::{CustomerState, PartnerId};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::Answered;
use super::super::customers::{CustomerStateName, CustomerView};
use super::super::kyc::KycName;
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::Panel;
use crate::Problem;
use crate::http::{Caller, Cursor, Idempotency, Page, Query, page_limit, public_id};
use crate::service::users::Customer;

/// A customer in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct CustomerLine {
    customer_id: Uuid,
    partner_id: i64,
    /// The partner's own name for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    state: CustomerStateName,
    kyc_state: KycName,
}

impl From<&Customer> for CustomerLine {
    fn from(customer: &Customer) -> Self {
        Self {
            customer_id: customer.public_id,
            partner_id: customer.partner.0,
            reference: customer.reference.clone(),
            state: customer.state.into(),
            kyc_state: customer.kyc.into(),
        }
    }
}

/// A customer, with what is known of the person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct CustomerInFull {
    partner_id: i64,
    #[serde(flatten)]
    customer: CustomerView,
}

/// Which customers.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct OfPartner {
    /// Whose.
    #[param(minimum = 1)]
    partner_id: i64,
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A customer, and its tenant.
pub(super) async fn customer_of(this: &Panel, id: &str) -> Result<(PartnerId, Uuid), Problem> {
    let id = public_id(id, "customer")?;
    Ok((this.management.users.partner_of(id).await?, id))
}

/// The same of whoever has accounts and cards: a customer, or a corporation.
pub(super) async fn holder_of(this: &Panel, id: &str) -> Result<(PartnerId, Uuid), Problem> {
    let id = public_id(id, "customer")?;
    Ok((this.management.users.partner_of_holder(id).await?, id))
}

/// List a partner's customers.
#[utoipa::path(
    get, path = "/admin/customers", tag = "customers", params(OfPartner),
    responses((status = 200, body = Page<CustomerLine>), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Panel>,
    Query(wanted): Query<OfPartner>,
) -> Answered<Json<Page<CustomerLine>>> {
    let after = wanted.cursor.as_deref().map(Cursor::<Uuid>::read).transpose()?;
    let limit = page_limit(wanted.limit)?;
    if wanted.partner_id < 1 {
        return Err(Problem::field("partnerId", "from 1").into());
    }
    let (partner, after) = (PartnerId(wanted.partner_id), after.map(|Cursor(id)| id));
    let page = this.management.users.customers(partner, after, Some(limit)).await?;
    Ok(Json(Page {
        items: page.rows.iter().map(CustomerLine::from).collect(),
        next_cursor: page.next.map(|id| Cursor(id).text()),
    }))
}

/// Read a customer. It is recorded.
#[utoipa::path(
    get, path = "/admin/customers/{customerId}", tag = "customers",
    params(("customerId" = Uuid, Path)),
    responses((status = 200, body = CustomerInFull), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path(id): Path<String>,
) -> Answered<Json<CustomerInFull>> {
    let (partner, id) = customer_of(&this, &id).await?;
    let customer = this.management.users.customer(partner, id).await?;
    let customer = CustomerView::from(&customer);
    Ok(Json(CustomerInFull { partner_id: partner.0, customer }))
}

async fn set_state(
    this: &Panel,
    (caller, keys): (&Caller, Idempotency),
    id: &str,
    state: CustomerState,
) -> Answered<StatusCode> {
    let (partner, id) = customer_of(this, id).await?;
    let (key, actor) = (keys.key(0), caller.actor());
    this.management.users.set_customer_state(partner, id, state, key, actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Block a customer: no card of theirs is approved any more.
#[utoipa::path(
    post, path = "/admin/customers/{customerId}/block", tag = "customers",
    params(("customerId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn block(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(id): Path<String>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys), &id, CustomerState::Blocked).await
}

/// Unblock a customer.
#[utoipa::path(
    post, path = "/admin/customers/{customerId}/unblock", tag = "customers",
    params(("customerId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn unblock(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(id): Path<String>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys), &id, CustomerState::Active).await
}
