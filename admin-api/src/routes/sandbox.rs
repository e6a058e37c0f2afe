//! `/secure/simulate`: what terminals, networks and the bureau do, tried by a partner's developer.
//! It owns the JSON of simulations. Where no sandbox is configured none of these paths is there.

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use switch_domain::{Currency, MinorUnits, PartnerId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::amounts::Money;
use super::plastic::OrderView;
use super::problems::{ChangeProblems, LateProblems, Problems};
use super::served::Management;
use super::{Answered, tenant};
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, now};
use crate::service::sandbox::{
    EntryMode, Follow, Following, NewAuthorization, Outcome, ShownMessage, Simulations, Terminal,
};

/// A card that is presented.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "cardId": "1099511627779", "amount": { "value": "12.50", "currency": "EUR" },
    "entryMode": "ECOMMERCE", "merchantCategory": "5942", "merchantCountry": "IE"
}))]
pub(super) struct NewSimulation {
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    card_id: String,
    amount: Money,
    entry_mode: EntryModeName,
    /// Cash is paid out for a card that is there.
    #[serde(default)]
    transaction: TransactionName,
    /// Whether the terminal goes on with a part of the amount.
    #[serde(default)]
    accepts_partial: bool,
    /// Of ISO 18245.
    #[schema(pattern = "^[0-9]{4}$")]
    merchant_category: Option<String>,
    /// Two letters of ISO 3166-1.
    #[schema(pattern = "^[A-Z]{2}$")]
    merchant_country: Option<String>,
    merchant: Option<MerchantBody>,
}

/// Where it is.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MerchantBody {
    /// DE42.
    #[schema(pattern = "^[A-Za-z0-9]{1,15}$")]
    merchant_id: Option<String>,
    /// DE41.
    #[schema(pattern = "^[A-Za-z0-9]{1,8}$")]
    terminal_id: Option<String>,
    /// As statements show it.
    #[schema(pattern = "^[A-Za-z0-9 .'-]{1,25}$")]
    name: Option<String>,
    #[schema(pattern = "^[A-Za-z0-9 .'-]{1,13}$")]
    city: Option<String>,
}

/// How a card is read.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum EntryModeName {
    /// By its chip; no data of it are sent.
    Chip,
    /// The same, contactless.
    Contactless,
    /// By its stripe.
    Magstripe,
    /// Over the Internet, without the printed code.
    Ecommerce,
    /// Typed in.
    Manual,
}

/// What is asked for.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TransactionName {
    /// Goods or services.
    #[default]
    Purchase,
    /// Money out of a machine.
    Cash,
}

/// What follows a simulation.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "simulationId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000009",
    "amount": { "value": "10.00", "currency": "EUR" }
}))]
pub(super) struct FollowingSimulation {
    simulation_id: Uuid,
    /// In the currency of the simulation; all of it, where none is given.
    amount: Option<Money>,
}

/// What is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "simulationId": "5b0e6d1c-0c6e-4f0a-9d3b-000000000009" }))]
pub(super) struct ReversedSimulation {
    simulation_id: Uuid,
    /// What is to stand of it, in the currency of the simulation; nothing, where none is given.
    standing: Option<Money>,
}

/// An order whose card is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ShippedOrder {
    customer_id: Uuid,
    order_id: Uuid,
}

/// What came of a simulation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SimulationView {
    /// By which it is followed.
    simulation_id: Uuid,
    /// Whether the switch's answer says so: also of a part.
    approved: bool,
    /// DE39 of the answer, as the link has it: two digits.
    action_code: String,
    /// DE38 of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_code: Option<String>,
    /// DE4 of the answer.
    amount: Money,
    /// What the switch calls it, where it has become an authorization of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_id: Option<String>,
    sent: LinkMessageView,
    received: LinkMessageView,
}

/// A message of the link, as it was sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LinkMessageView {
    /// Its type.
    mti: String,
    fields: Vec<LinkFieldView>,
}

/// A field of a message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LinkFieldView {
    /// Its number.
    field: u8,
    /// The standard's name for it.
    name: String,
    /// What stands in it; of a card's number and track the middle is not shown.
    content: String,
}

impl From<ShownMessage> for LinkMessageView {
    fn from(message: ShownMessage) -> Self {
        let view = |one: crate::service::sandbox::ShownField| LinkFieldView {
            field: one.field,
            name: one.name,
            content: one.content,
        };
        Self { mti: message.mti, fields: message.fields.into_iter().map(view).collect() }
    }
}

impl SimulationView {
    fn of(simulation_id: Uuid, outcome: Outcome) -> Self {
        let Outcome { played, authorization } = outcome;
        Self {
            simulation_id,
            // All of it, or a part of it.
            approved: matches!(played.action.as_str(), "00" | "10"),
            action_code: played.action,
            approval_code: played.approval,
            amount: Money::of(played.amount, played.currency),
            authorization_id: authorization.map(|id| id.to_string()),
            sent: played.sent.into(),
            received: played.received.into(),
        }
    }
}

impl NewSimulation {
    fn read(self) -> Result<NewAuthorization, Problem> {
        let (amount, currency) = self.amount.above_zero("amount")?;
        let place = self.merchant.unwrap_or_default();
        let entry = match self.entry_mode {
            EntryModeName::Chip => EntryMode::Chip,
            EntryModeName::Contactless => EntryMode::Contactless,
            EntryModeName::Magstripe => EntryMode::Magstripe,
            EntryModeName::Ecommerce => EntryMode::Ecommerce,
            EntryModeName::Manual => EntryMode::Manual,
        };
        let cash = self.transaction == TransactionName::Cash;
        if cash && matches!(entry, EntryMode::Ecommerce | EntryMode::Manual) {
            let what = "a machine pays out to a card that is there: CHIP, CONTACTLESS, MAGSTRIPE";
            return Err(Problem::field("entryMode", what));
        }
        let digits = |text: &str| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        let letters = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        let name = |most: usize| {
            move |text: &str| {
                let signs = |byte: u8| byte.is_ascii_alphanumeric() || b" .'-".contains(&byte);
                (1..=most).contains(&text.len()) && text.bytes().all(signs)
            }
        };
        let word = |most: usize| {
            move |text: &str| {
                let short = (1..=most).contains(&text.len());
                short && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }
        };
        let at = Terminal {
            entry,
            cash,
            takes_part: self.accepts_partial,
            terminal: checked("merchant.terminalId", place.terminal_id, word(8))?,
            merchant: checked("merchant.merchantId", place.merchant_id, word(15))?,
            name: checked("merchant.name", place.name, name(25))?,
            city: checked("merchant.city", place.city, name(13))?,
            country: checked("merchantCountry", self.merchant_country, letters)?,
            category: checked("merchantCategory", self.merchant_category, digits)?,
        };
        Ok(NewAuthorization { card: self.card_id, amount, currency, at })
    }
}

/// A text of a form.
fn checked(
    field: &str,
    text: Option<String>,
    form: impl Fn(&str) -> bool,
) -> Result<Option<String>, Problem> {
    let wrong = || Problem::field(field, "its form is another: see the documentation");
    text.map(|text| if form(&text) { Ok(text) } else { Err(wrong()) }).transpose()
}

impl FollowingSimulation {
    fn read(&self) -> Result<Following, Problem> {
        let amount = self.amount.as_ref().map(|amount| amount.above_zero("amount")).transpose()?;
        Ok(Following { of: self.simulation_id, amount })
    }
}

impl ReversedSimulation {
    fn read(&self) -> Result<Following, Problem> {
        let standing = self.standing.as_ref();
        let standing: Option<(MinorUnits, Currency)> =
            standing.map(|amount| amount.not_below_zero("standing")).transpose()?;
        Ok(Following { of: self.simulation_id, amount: standing })
    }
}

/// The service; where there is none, there are no such paths.
fn simulations(this: &Management) -> Result<&Simulations, Problem> {
    let none = || Problem::not_found("there is nothing at this path");
    this.sandbox.as_ref().ok_or_else(none)
}

/// Who asks, and what the simulation is called: the same for the same request sent again.
fn named(caller: &Caller, keys: Idempotency) -> Result<(PartnerId, Uuid), Problem> {
    Ok((tenant(caller)?, Uuid::from_bytes(keys.key(0).0)))
}

async fn followed(
    this: &Management,
    (caller, keys): (&Caller, Idempotency),
    follow: (Follow, Following),
) -> Answered<Json<SimulationView>> {
    let named = named(caller, keys)?;
    let outcome = simulations(this)?.follow(named, follow, now()).await?;
    Ok(Json(SimulationView::of(named.1, outcome)))
}

/// Present a card at a terminal (development only).
///
/// The simulator sends an authorization request to the link of this switch, and what it answers is
/// told. Cards of the test series alone.
#[utoipa::path(
    post, path = "/secure/simulate/authorization", tag = "sandbox",
    request_body = NewSimulation,
    responses((status = 200, body = SimulationView), Problems, ChangeProblems, LateProblems)
)]
pub(super) async fn authorization(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewSimulation>,
) -> Answered<Json<SimulationView>> {
    let named = named(&caller, keys)?;
    let outcome = simulations(&this)?.authorize(named, new.read()?, now()).await?;
    Ok(Json(SimulationView::of(named.1, outcome)))
}

/// Say that a network approved an authorization in our stead (development only).
///
/// An authorization advice of the same transaction. Of what we approved too it changes nothing; of
/// what we declined it makes the hold.
#[utoipa::path(
    post, path = "/secure/simulate/advice", tag = "sandbox",
    request_body = FollowingSimulation,
    responses((status = 200, body = SimulationView), Problems, ChangeProblems, LateProblems)
)]
pub(super) async fn advice(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(asked): Body<FollowingSimulation>,
) -> Answered<Json<SimulationView>> {
    followed(&this, (&caller, keys), (Follow::Advice, asked.read()?)).await
}

/// Clear an authorization (development only).
///
/// A financial advice that completes it: what is left of its hold is given back.
#[utoipa::path(
    post, path = "/secure/simulate/clearing", tag = "sandbox",
    request_body = FollowingSimulation,
    responses((status = 200, body = SimulationView), Problems, ChangeProblems, LateProblems)
)]
pub(super) async fn clearing(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(asked): Body<FollowingSimulation>,
) -> Answered<Json<SimulationView>> {
    followed(&this, (&caller, keys), (Follow::Clearing, asked.read()?)).await
}

/// Take a simulation back, all of it or a part (development only).
///
/// A reversal advice of an authorization, of a clearing or of a refund.
#[utoipa::path(
    post, path = "/secure/simulate/reversal", tag = "sandbox",
    request_body = ReversedSimulation,
    responses((status = 200, body = SimulationView), Problems, ChangeProblems, LateProblems)
)]
pub(super) async fn reversal(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(asked): Body<ReversedSimulation>,
) -> Answered<Json<SimulationView>> {
    followed(&this, (&caller, keys), (Follow::Reversal, asked.read()?)).await
}

/// Give money of an authorization back (development only).
///
/// A financial advice of a refund that names it.
#[utoipa::path(
    post, path = "/secure/simulate/refund", tag = "sandbox",
    request_body = FollowingSimulation,
    responses((status = 200, body = SimulationView), Problems, ChangeProblems, LateProblems)
)]
pub(super) async fn refund(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(asked): Body<FollowingSimulation>,
) -> Answered<Json<SimulationView>> {
    followed(&this, (&caller, keys), (Follow::Refund, asked.read()?)).await
}

/// Have the plastic card of an order made (development only).
///
/// The order goes into a file for the bureau, the simulated bureau makes its card and reports it,
/// and the card is linked: inactive until it is activated.
#[utoipa::path(
    post, path = "/secure/simulate/shipment", tag = "sandbox",
    request_body = ShippedOrder,
    responses((status = 200, body = OrderView), Problems, ChangeProblems, LateProblems)
)]
pub(super) async fn shipment(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(asked): Body<ShippedOrder>,
) -> Answered<Json<OrderView>> {
    let (partner, id) = named(&caller, keys)?;
    let of = ((partner, asked.customer_id), id);
    let order = simulations(&this)?.ship(of, asked.order_id, now()).await?;
    Ok(Json(OrderView::from(&order)))
}
