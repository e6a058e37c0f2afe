//! `/lifecycle/v1/customers` (SR-002, SR-147): the partner's end users.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use switch_domain::CustomerState;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::kyc::KycName;
use super::problems::{ChangeProblems, Problems, VersionProblems};
use super::served::Management;
use super::{Answered, tenant};
use crate::http::{
    Body, Caller, Cursor, Idempotency, IfMatch, Made, Page, Query, etag, now, page_limit, public_id,
};
use crate::service::users::{Customer, Profile, ProfileInput};

/// What is known of a person.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "givenName": "Ada", "familyName": "Lovelace", "birthDate": "1990-12-10",
    "email": "ada@example.com", "country": "AT", "language": "de"
}))]
pub(super) struct Person {
    #[schema(min_length = 1, max_length = 80)]
    given_name: String,
    #[schema(min_length = 1, max_length = 80)]
    family_name: String,
    /// `YYYY-MM-DD`, of a day that was.
    #[schema(format = Date)]
    birth_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// `+`, and 7 to 15 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^\+[0-9]{7,15}$")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 120)]
    street: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 80)]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 16)]
    postal_code: Option<String>,
    /// Two letters of ISO 3166-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{2}$")]
    country: Option<String>,
    /// As `de` or `de-AT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 5)]
    language: Option<String>,
}

impl From<Person> for ProfileInput {
    fn from(person: Person) -> Self {
        let Person {
            given_name,
            family_name,
            birth_date,
            email,
            phone,
            street,
            city,
            postal_code,
            country,
            language,
        } = person;
        Self {
            given_name,
            family_name,
            birth_date,
            email,
            phone,
            street,
            city,
            postal_code,
            country,
            language,
        }
    }
}

impl From<&Profile> for Person {
    fn from(profile: &Profile) -> Self {
        use crate::service::users::Personal;
        let text = |text: &Option<Personal>| text.as_ref().map(|text| text.expose().to_owned());
        Self {
            given_name: profile.given_name.expose().to_owned(),
            family_name: profile.family_name.expose().to_owned(),
            birth_date: profile.birth_date.expose().to_owned(),
            email: text(&profile.email),
            phone: text(&profile.phone),
            street: text(&profile.street),
            city: text(&profile.city),
            postal_code: text(&profile.postal_code),
            country: text(&profile.country),
            language: text(&profile.language),
        }
    }
}

/// A customer to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewCustomer {
    /// The partner's own name for the customer, at most 64 characters; it can be looked for.
    #[schema(min_length = 1, max_length = 64)]
    reference: Option<String>,
    person: Person,
}

/// Whether a customer may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum CustomerStateName {
    /// They may.
    Active,
    /// They may not, whatever the card.
    Blocked,
}

impl From<CustomerState> for CustomerStateName {
    fn from(state: CustomerState) -> Self {
        match state {
            CustomerState::Active => Self::Active,
            CustomerState::Blocked => Self::Blocked,
        }
    }
}

/// A customer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomerView {
    /// Names the customer in paths.
    customer_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Absent of one that was registered by command.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<Person>,
    state: CustomerStateName,
    kyc_state: KycName,
}

impl From<&Customer> for CustomerView {
    fn from(customer: &Customer) -> Self {
        Self {
            customer_id: customer.public_id,
            reference: customer.reference.clone(),
            person: customer.profile.as_ref().map(Person::from),
            state: customer.state.into(),
            kyc_state: customer.kyc.into(),
        }
    }
}

/// With its version.
pub(super) fn shown(status: StatusCode, customer: &Customer) -> Response {
    let view = Json(CustomerView::from(customer));
    (status, [(header::ETAG, etag(customer.version))], view).into_response()
}

/// Register a customer.
///
/// The customer is not verified yet: no balance is opened before that.
#[utoipa::path(
    post, path = "/lifecycle/v1/customers", tag = "customers", request_body = NewCustomer,
    responses((status = 201, body = CustomerView), Problems, ChangeProblems)
)]
pub(super) async fn register(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewCustomer>,
) -> Answered<Response> {
    let partner = tenant(&caller)?;
    let reference = new.reference.as_deref();
    let made = (Some(keys.key(0)), now());
    let customer = this.users.register(partner, reference, new.person.into(), made).await?;
    let mut response = shown(StatusCode::CREATED, &customer);
    let place = format!("/lifecycle/v1/customers/{}", customer.public_id);
    response.extensions_mut().insert(Made(place.clone()));
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Which customers.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The partner's own name for one.
    #[param(min_length = 1, max_length = 64)]
    reference: Option<String>,
}

/// List customers.
#[utoipa::path(
    get, path = "/lifecycle/v1/customers", tag = "customers", params(Wanted),
    responses((status = 200, body = Page<CustomerView>), Problems)
)]
pub(super) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<Wanted>,
) -> Answered<Json<Page<CustomerView>>> {
    let partner = tenant(&caller)?;
    if let Some(reference) = &wanted.reference {
        let found = this.users.customer_by_reference(partner, reference).await;
        let items = match found {
            Ok(customer) => vec![CustomerView::from(&customer)],
            Err(problem) if problem.code == "NOT_FOUND" => Vec::new(),
            Err(problem) => return Err(problem.into()),
        };
        return Ok(Json(Page { items, next_cursor: None }));
    }
    let after = wanted.cursor.as_deref().map(Cursor::<Uuid>::read).transpose()?;
    let limit = page_limit(wanted.limit)?;
    let page = this.users.customers(partner, after.map(|Cursor(id)| id), Some(limit)).await?;
    Ok(Json(Page {
        items: page.rows.iter().map(CustomerView::from).collect(),
        next_cursor: page.next.map(|id| Cursor(id).text()),
    }))
}

/// Read a customer.
#[utoipa::path(
    get, path = "/lifecycle/v1/customers/{customerId}", tag = "customers",
    params(("customerId" = Uuid, Path)),
    responses((status = 200, body = CustomerView), Problems)
)]
pub(super) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Response> {
    let customer = this.users.customer(tenant(&caller)?, public_id(&id, "customer")?).await?;
    Ok(shown(StatusCode::OK, &customer))
}

/// Replace what is known of a customer.
#[utoipa::path(
    put, path = "/lifecycle/v1/customers/{customerId}", tag = "customers",
    params(("customerId" = Uuid, Path), ("If-Match" = String, Header)), request_body = Person,
    responses((status = 200, body = CustomerView), Problems, ChangeProblems, VersionProblems)
)]
pub(super) async fn update(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
    Body(person): Body<Person>,
) -> Answered<Response> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    let customer = this.users.update(partner, id, seen, person.into(), now()).await?;
    Ok(shown(StatusCode::OK, &customer))
}

/// Remove a customer.
///
/// Personal data are removed for good. Refused while a balance is open.
#[utoipa::path(
    delete, path = "/lifecycle/v1/customers/{customerId}", tag = "customers",
    params(("customerId" = Uuid, Path), ("If-Match" = String, Header)),
    responses((status = 204), Problems, ChangeProblems, VersionProblems)
)]
pub(super) async fn remove(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
) -> Answered<StatusCode> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    this.users.remove(partner, id, seen, now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_state(
    this: &Management,
    (caller, keys): (&Caller, Idempotency),
    id: &str,
    state: CustomerState,
) -> Answered<StatusCode> {
    let (partner, id) = (tenant(caller)?, public_id(id, "customer")?);
    this.users.set_customer_state(partner, id, state, keys.key(0), caller.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Block a customer: no card of theirs is approved any more.
#[utoipa::path(
    post, path = "/lifecycle/v1/customers/{customerId}/block", tag = "customers",
    params(("customerId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(super) async fn block(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(id): Path<String>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys), &id, CustomerState::Blocked).await
}

/// Unblock a customer.
#[utoipa::path(
    post, path = "/lifecycle/v1/customers/{customerId}/unblock", tag = "customers",
    params(("customerId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(super) async fn unblock(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(id): Path<String>,
) -> Answered<StatusCode> {
    set_state(&this, (&caller, keys), &id, CustomerState::Active).await
}
