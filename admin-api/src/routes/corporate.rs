//! `/secure/balances` and `/secure/cards` (SR-133 to SR-136, A-27): what corporations have is made
//! here, for the corporation that the body names. It is read, locked and all the rest where that of
//! customers is, with the `dcCorporationId` in the place of `customerId`.

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use switch_domain::{IdempotencyKey, ProgrammeId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::accounts::{self, BalanceView, NewBalance, Owner};
use super::cards::{FullCard, NewVirtualCard, issued};
use super::me::access::Typed;
use super::plastic::{DeliveryBody, OrderView, placed, plastic};
use super::problems::{ChangeProblems, Problems};
use super::served::Management;
use super::{Answered, tenant};
use crate::http::{Body, Caller, Idempotency, now};
use crate::service::personalisation::{NewPlastic, OrderedBy};
use crate::service::programmes::SaidProgramme;
use crate::service::users::Personal;
use crate::{Problem, idempotency_key};

/// An account to be opened for a corporation.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "dcCorporationId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000001", "programmeId": 1
}))]
pub(super) struct NewCorporateBalance {
    dc_corporation_id: Uuid,
    /// The product: it says the currency. It, or `configurationId`, is needed.
    #[schema(minimum = 1)]
    programme_id: Option<i64>,
    /// The product by its configuration id.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,40}$")]
    configuration_id: Option<String>,
}

/// The employee who gets a card (SR-038).
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Cardholder {
    /// As it stands on the card; on plastic in capitals, and without slashes.
    #[schema(pattern = "^[A-Za-z .'/-]{2,26}$")]
    name: String,
    /// The partner's own name for the employee; the card's `reference`.
    #[schema(pattern = "^[!-~]{1,64}$")]
    reference: String,
}

/// A virtual card for an employee.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "dcCorporationId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000001",
    "balanceId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000002",
    "cardholder": { "name": "ADA LOVELACE", "reference": "E-1815" }
}))]
pub(super) struct NewCorporateCard {
    dc_corporation_id: Uuid,
    /// The corporation's account that the card spends from.
    balance_id: Uuid,
    /// The product, where it is said: that of the account.
    #[schema(minimum = 1)]
    programme_id: Option<i64>,
    /// The same by its configuration id.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,40}$")]
    configuration_id: Option<String>,
    cardholder: Cardholder,
}

/// A plastic card for an employee.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "dcCorporationId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000001",
    "balanceId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000002",
    "cardholder": { "name": "ADA LOVELACE", "reference": "E-1815" },
    "delivery": {
        "way": "POST", "addressee": "Ada Lovelace", "street": "Hauptstrasse 1", "city": "Wien",
        "postalCode": "1010", "country": "AT"
    }
}))]
pub(super) struct NewCorporatePlastic {
    dc_corporation_id: Uuid,
    /// The corporation's account that the card spends from.
    balance_id: Uuid,
    /// The product, where it is said: that of the account.
    #[schema(minimum = 1)]
    programme_id: Option<i64>,
    /// The same by its configuration id.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,40}$")]
    configuration_id: Option<String>,
    cardholder: Cardholder,
    delivery: DeliveryBody,
}

/// A plastic card for an employee, with a PIN from the beginning.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewCorporatePlasticWithPin {
    dc_corporation_id: Uuid,
    /// The corporation's account that the card spends from.
    balance_id: Uuid,
    /// The product, where it is said: that of the account.
    #[schema(minimum = 1)]
    programme_id: Option<i64>,
    /// The same by its configuration id.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,40}$")]
    configuration_id: Option<String>,
    cardholder: Cardholder,
    delivery: DeliveryBody,
    /// Digits; neither a row nor a repetition.
    pin: Typed,
}

/// The corporation that a body names, as who has accounts and cards.
async fn owner(this: &Management, caller: &Caller, corporation: Uuid) -> Result<Owner, Problem> {
    let partner = tenant(caller)?;
    let found = this.corporations.corporation(partner, corporation).await?;
    Ok(Owner { partner, customer: found.public_id })
}

/// The path does not name the corporation: its name is a part of the key.
fn key_of(keys: Idempotency, corporation: Uuid) -> IdempotencyKey {
    let key = Uuid::from_bytes(keys.key(0).0);
    idempotency_key("corporation", &format!("{corporation} {key}"))
}

fn said(number: Option<i64>, configuration_id: Option<String>) -> SaidProgramme {
    SaidProgramme { number: number.map(ProgrammeId), configuration_id }
}

fn ordered(
    (balance, programme): (Uuid, SaidProgramme),
    cardholder: Cardholder,
    delivery: DeliveryBody,
) -> NewPlastic {
    NewPlastic {
        balance,
        programme,
        physical_of: None,
        replaces: None,
        holder_name: Personal::new(cardholder.name),
        reference: Some(cardholder.reference),
        delivery: delivery.into(),
    }
}

fn by(caller: &Caller, key: IdempotencyKey) -> OrderedBy {
    OrderedBy { key, actor: caller.actor(), now: now() }
}

fn orders(corporation: Uuid) -> String {
    format!("/secure/customers/{corporation}/cards/orders")
}

/// Open an account for a corporation. There is nothing in it (SR-234).
///
/// Refused with `CORPORATION_NOT_APPROVED` before the corporation is (SR-036).
#[utoipa::path(
    post, path = "/secure/balances", tag = "corporations", request_body = NewCorporateBalance,
    responses((status = 201, body = BalanceView), Problems, ChangeProblems)
)]
pub(super) async fn open_balance(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewCorporateBalance>,
) -> Answered<Response> {
    let owner = owner(&this, &caller, new.dc_corporation_id).await?;
    let places = format!("/secure/customers/{}/balances", owner.customer);
    let said = said(new.programme_id, new.configuration_id);
    let key = key_of(keys, owner.customer);
    let programme = match this.users.opened_under(key).await? {
        Some(programme) => programme,
        None => this.programmes.called(owner.partner, &said).await?,
    };
    let new = NewBalance::of(programme.0);
    accounts::opened(&this, (owner, &caller), key, &new, &places).await
}

/// Issue a virtual card to an employee of a corporation. It is in use at once.
///
/// The answer has everything that is on it, and goes encrypted: `Encrypt-Response: true` (SR-073).
/// Refused with `CORPORATION_NOT_APPROVED` before the corporation is.
#[utoipa::path(
    post, path = "/secure/cards/virtual", tag = "corporations", request_body = NewCorporateCard,
    responses((status = 201, body = FullCard), Problems, ChangeProblems)
)]
pub(super) async fn issue_card(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewCorporateCard>,
) -> Answered<Response> {
    let owner = owner(&this, &caller, new.dc_corporation_id).await?;
    let (places, key) =
        (format!("/secure/customers/{}/cards", owner.customer), key_of(keys, owner.customer));
    let Cardholder { name, reference } = new.cardholder;
    let said = (new.programme_id, new.configuration_id);
    let card = NewVirtualCard::of_employee(new.balance_id, said, (name, reference));
    issued(&this, (owner, &caller), key, card, &places).await
}

/// Order a plastic card for an employee of a corporation.
///
/// The answer goes encrypted: `Encrypt-Response: true` (SR-073). Refused with
/// `CORPORATION_NOT_APPROVED` before the corporation is.
#[utoipa::path(
    post, path = "/secure/cards/physical", tag = "corporations",
    request_body = NewCorporatePlastic,
    responses((status = 201, body = OrderView), Problems, ChangeProblems)
)]
pub(super) async fn order_card(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewCorporatePlastic>,
) -> Answered<Response> {
    let owner = owner(&this, &caller, new.dc_corporation_id).await?;
    let of = (new.balance_id, said(new.programme_id, new.configuration_id));
    let wanted = ordered(of, new.cardholder, new.delivery);
    let (whose, by) = ((owner.partner, owner.customer), by(&caller, key_of(keys, owner.customer)));
    let order = plastic(&this)?.order(whose, &wanted, by).await?;
    Ok(placed(&orders(owner.customer), &order, Json(OrderView::from(&order))))
}

/// Order a plastic card for an employee of a corporation that has a PIN from the beginning
/// (SR-136, A-06).
///
/// The request goes encrypted: `Encrypted-Request: true`. Nothing of it is kept: under the same key
/// it is the same order, whatever its PIN. Refused with `CORPORATION_NOT_APPROVED` before the
/// corporation is.
#[utoipa::path(
    post, path = "/secure/cards/physical_with_pin", tag = "corporations",
    request_body = NewCorporatePlasticWithPin,
    responses((status = 201, body = OrderView), Problems, ChangeProblems)
)]
pub(super) async fn order_card_with_pin(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewCorporatePlasticWithPin>,
) -> Answered<Response> {
    let owner = owner(&this, &caller, new.dc_corporation_id).await?;
    let of = (new.balance_id, said(new.programme_id, new.configuration_id));
    let wanted = ordered(of, new.cardholder, new.delivery);
    let (whose, by) = ((owner.partner, owner.customer), by(&caller, key_of(keys, owner.customer)));
    let order = plastic(&this)?.order_with_pin(whose, &wanted, new.pin.text(), by).await?;
    Ok(placed(&orders(owner.customer), &order, Json(OrderView::from(&order))))
}
