//! Partners in JSON (SR-001, SR-263): as operators set them up, and as a partner sees itself. It
//! owns the names of members, and the form of a partner's number in paths.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use switch_domain::{Amount, AsciiText, PartnerId, PartnerState};
use utoipa::ToSchema;

use super::amounts::Money;
use super::problems::Problems;
use super::served::Management;
use super::{Answered, tenant};
use crate::http::{Caller, etag};
use crate::kyc::Mode;
use crate::service::programmes::{Contact, PartnerNow, PartnerWanted};
use crate::{Personal, Problem};

/// Whether a partner's cards are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum PartnerStateName {
    /// They are.
    Active,
    /// Each authorization is declined.
    Suspended,
}

impl From<PartnerState> for PartnerStateName {
    fn from(state: PartnerState) -> Self {
        match state {
            PartnerState::Active => Self::Active,
            PartnerState::Suspended => Self::Suspended,
        }
    }
}

impl From<PartnerStateName> for PartnerState {
    fn from(state: PartnerStateName) -> Self {
        match state {
            PartnerStateName::Active => Self::Active,
            PartnerStateName::Suspended => Self::Suspended,
        }
    }
}

/// Who verifies a partner's customers (SR-032 to SR-034).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum KycModeName {
    /// The partner itself.
    Own,
    /// An operator of the platform.
    Manual,
    /// A provider that the platform asks.
    Automated,
}

impl From<Mode> for KycModeName {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Own => Self::Own,
            Mode::Manual => Self::Manual,
            Mode::Automated => Self::Automated,
        }
    }
}

impl From<KycModeName> for Mode {
    fn from(mode: KycModeName) -> Self {
        match mode {
            KycModeName::Own => Self::Own,
            KycModeName::Manual => Self::Manual,
            KycModeName::Automated => Self::Automated,
        }
    }
}

/// Whom to call at a partner.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ContactBody {
    /// A person or a desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// `+`, and 7 to 15 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$")]
    phone: Option<String>,
}

/// A partner.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PartnerView {
    partner_id: i64,
    name: String,
    state: PartnerStateName,
    /// Of one that is read by itself: lists say nothing of people.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactBody>,
    kyc_mode: KycModeName,
    /// Whether answers are encrypted to its registered keys alone, and to no key in a request.
    registered_keys_only: bool,
    /// From which amount on a part of a purchase is approved, by currency; in others none is.
    partial_minimums: Vec<Money>,
}

impl PartnerView {
    /// As one that is read by itself.
    fn in_full(now: &PartnerNow) -> Self {
        let text = |one: &Option<Personal>| one.as_ref().map(|one| one.expose().to_owned());
        let contact = ContactBody {
            name: text(&now.contact.name),
            email: text(&now.contact.email),
            phone: text(&now.contact.phone),
        };
        Self { contact: Some(contact), ..Self::listed(now) }
    }

    /// As one of many.
    pub(super) fn listed(now: &PartnerNow) -> Self {
        let minimums = now.partner.partial_minimums.iter();
        Self {
            partner_id: now.partner.id.0,
            name: now.partner.name.to_string(),
            state: now.partner.state.into(),
            contact: None,
            kyc_mode: now.settings.kyc_mode.into(),
            registered_keys_only: now.settings.registered_keys_only,
            partial_minimums: minimums.map(|one| Money::of(one.minor, one.currency)).collect(),
        }
    }
}

/// What a partner is to be: all of it, but for what is marked.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "Acme", "contact": { "name": "Cards desk", "email": "cards@acme.example" },
    "kycMode": "OWN", "partialMinimums": [{ "value": "5.00", "currency": "EUR" }]
}))]
pub(super) struct PartnerBody {
    /// 1 to 40 printable ASCII characters.
    #[schema(min_length = 1, max_length = 40, pattern = "^[!-~]([ -~]*[!-~])?$")]
    name: String,
    /// Where it is not said, as before; a new one is `ACTIVE`.
    state: Option<PartnerStateName>,
    #[serde(default)]
    contact: ContactBody,
    /// Where it is not said, as before; of a new one what is usual.
    kyc_mode: Option<KycModeName>,
    /// Where it is not said, as before; of a new one `false`.
    registered_keys_only: Option<bool>,
    /// From which amount on a part of a purchase is approved, each currency once.
    #[serde(default)]
    #[schema(max_items = 32)]
    partial_minimums: Vec<Money>,
}

impl PartnerBody {
    pub(super) fn wanted(self) -> Result<PartnerWanted, Problem> {
        let least = |(at, one): (usize, &Money)| {
            let (minor, currency) = one.above_zero(&format!("partialMinimums[{at}]"))?;
            Ok(Amount { minor, currency })
        };
        let ContactBody { name, email, phone } = self.contact;
        Ok(PartnerWanted {
            name: name_for_people(&self.name)?,
            state: self.state.map(PartnerState::from),
            contact: Contact::new(name, email, phone)?,
            kyc_mode: self.kyc_mode.map(Mode::from),
            registered_keys_only: self.registered_keys_only,
            partial_minimums: self
                .partial_minimums
                .iter()
                .enumerate()
                .map(least)
                .collect::<Result<_, Problem>>()?,
        })
    }
}

/// A name as shards keep it: nothing of it is dropped in silence.
pub(super) fn name_for_people(name: &str) -> Result<AsciiText<40>, Problem> {
    let wrong = |what: String| Problem::field("name", what);
    let text = AsciiText::new(name.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    if text.is_empty() || name.trim() != name {
        return Err(wrong("1 to 40 characters, without spaces around them".to_owned()));
    }
    Ok(text)
}

/// With its version.
pub(super) fn shown(now: &PartnerNow) -> Response {
    versioned(Json(PartnerView::in_full(now)), now.version())
}

pub(super) fn versioned(view: impl IntoResponse, version: i64) -> Response {
    let mut response = view.into_response();
    response.headers_mut().insert(header::ETAG, etag(version));
    response
}

/// The place of something that was made.
pub(super) fn placed(response: &mut Response, place: &str) {
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
}

/// A partner's number, as a path carries it.
pub(super) fn partner_id(text: &str) -> Result<PartnerId, Problem> {
    let id = text.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == text);
    id.map(PartnerId).ok_or_else(|| Problem::not_found("there is no such partner"))
}

/// Read how the platform has set the partner up.
#[utoipa::path(
    get, path = "/secure/partner", tag = "programmes", operation_id = "read_own_partner",
    responses((status = 200, body = PartnerView), Problems)
)]
pub(super) async fn own(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
) -> Answered<Json<PartnerView>> {
    let found = this.programmes.partner(tenant(&caller)?).await?;
    Ok(Json(PartnerView::in_full(&found)))
}
