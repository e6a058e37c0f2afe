//! How an app is let in (SR-005 to SR-008): a device is paired with a code of the partner's, a
//! session is opened by the installation's secret and the user's PIN, and the PIN is given again
//! before what is sensitive (SR-176). What was wrong is never told.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::Problem;
use crate::http::{Body, Made, Secret, now};
use crate::routes::Answered;
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::served::{Management, written};
use crate::service::proof::BearerSecret;
use crate::service::users::{DeviceData, PairingCode, Session, UserPin};

/// What is typed: wiped when dropped, and never shown.
#[derive(Deserialize, ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, format = Password)]
pub(in crate::routes) struct Typed(Zeroizing<String>);

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl Typed {
    pub(in crate::routes) fn text(&self) -> &str {
        &self.0
    }

    fn pin(&self, field: &'static str) -> Result<UserPin, Problem> {
        UserPin::read(&self.0).map_err(|problem| Problem::field(field, problem.detail))
    }

    /// A secret that has not the shape of one is a wrong one.
    fn secret(&self) -> Result<BearerSecret, Problem> {
        BearerSecret::read(&self.0).ok_or_else(unproved)
    }
}

fn unproved() -> Problem {
    Problem::new("UNAUTHENTICATED", "who calls did not prove themselves")
}

/// The device that an app is on.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewDevice {
    /// What the app calls the device: the same after a new installation; printable ASCII.
    #[schema(min_length = 8, max_length = 128, pattern = "^[!-~]+$")]
    key: String,
    /// `ios`, `android` or `other`.
    #[schema(pattern = "^(ios|android|other)$")]
    platform: String,
    #[schema(min_length = 1, max_length = 80)]
    model: String,
}

/// A device to be paired.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "pairingCode": "7K3M9-XQ2RT4W6Z", "pin": "271828",
    "device": { "key": "b1946ac9-2492-4d23", "platform": "android", "model": "Pixel 9" }
}))]
pub(in crate::routes) struct Pairing {
    /// The partner's code, as a person types it: small letters, spaces and hyphens do no harm.
    pairing_code: Typed,
    /// The PIN that the user chooses: 6 to 12 digits.
    pin: Typed,
    device: NewDevice,
}

/// A device that was paired.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct PairedView {
    device_id: Uuid,
    installation_id: Uuid,
    /// What the app proves itself by: it is told here alone.
    installation_secret: String,
}

/// Pair a device.
///
/// The installation that was active on this device ends, and its sessions with it (SR-006). The
/// answer is not kept: a code is used up, and who lost the answer asks the partner for another one.
#[utoipa::path(
    post, path = "/customers/devices", tag = "access", request_body = Pairing, security(()),
    responses((status = 201, body = PairedView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn pair(
    State(this): State<Management>,
    Body(pairing): Body<Pairing>,
) -> Answered<Response> {
    let Pairing { pairing_code, pin, device } = pairing;
    let code = PairingCode::read(&pairing_code.0).ok_or_else(unproved)?;
    let NewDevice { key, platform, model } = device;
    let device = DeviceData { key, platform, model };
    let paired = this.users.pair(&code, &device, pin.pin("pin")?, now()).await?;
    let made = Made(format!("device {}", paired.device));
    let view = PairedView {
        device_id: paired.device,
        installation_id: paired.installation,
        installation_secret: paired.secret.expose().to_owned(),
    };
    Ok(secret(made, view))
}

fn secret(made: Made, view: impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    response.extensions_mut().insert(made);
    response.extensions_mut().insert(Secret);
    response
}

/// Who opens a session.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "installationId": "0b4f7c1e-6a8d-4c07-9d0f-0f6d2f1f7b55",
    "installationSecret": "5f0c2b9d7e1a4836c0d95e7f1a2b3c4d5f0c2b9d7e1a4836c0d95e7f1a2b3c4d",
    "pin": "271828"
}))]
pub(in crate::routes) struct Opening {
    installation_id: Uuid,
    installation_secret: Typed,
    pin: Typed,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct OpenedView {
    /// Sent with every request: `Authorization: Bearer ...`. It is told here alone.
    token: String,
    /// When it ends where it is not used before, in UTC: each use moves that on.
    #[schema(format = DateTime)]
    idle_ends: String,
    /// When it ends, however it is used.
    #[schema(format = DateTime)]
    ends: String,
}

/// Open a session; after one has expired, again.
#[utoipa::path(
    post, path = "/customers/sessions", tag = "access", request_body = Opening, security(()),
    responses((status = 201, body = OpenedView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn open(
    State(this): State<Management>,
    Body(opening): Body<Opening>,
) -> Answered<Response> {
    let Opening { installation_id, installation_secret, pin } = opening;
    let proof = installation_secret.secret()?;
    let opened = this.users.open_session(installation_id, &proof, pin.pin("pin")?, now()).await?;
    let made = Made(format!("session of installation {installation_id}"));
    let view = OpenedView {
        token: opened.token.expose().to_owned(),
        idle_ends: written(opened.idle_ends),
        ends: written(opened.ends),
    };
    Ok(secret(made, view))
}

/// Another PIN for an installation.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::routes) struct ChangedPin {
    installation_id: Uuid,
    installation_secret: Typed,
    /// The PIN of before.
    pin: Typed,
    /// The new one: 6 to 12 digits.
    new_pin: Typed,
}

/// Change the user's PIN; the installation's sessions end.
#[utoipa::path(
    post, path = "/customers/pin", tag = "access", request_body = ChangedPin, security(()),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn change_pin(
    State(this): State<Management>,
    Body(changed): Body<ChangedPin>,
) -> Answered<StatusCode> {
    let ChangedPin { installation_id, installation_secret, pin, new_pin } = changed;
    let pins = (pin.pin("pin")?, new_pin.pin("newPin")?);
    this.users.change_user_pin(installation_id, &installation_secret.secret()?, pins).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The session that a request was made with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct SessionView {
    customer_id: Uuid,
    installation_id: Uuid,
    /// When it ends where it is not used before, in UTC.
    #[schema(format = DateTime)]
    idle_ends: String,
    /// When it ends, however it is used.
    #[schema(format = DateTime)]
    ends: String,
    /// Until when the PIN counts as just given; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    stepped_up_until: Option<String>,
}

/// Read the session; that is a use of it.
#[utoipa::path(
    get, path = "/customers/sessions/current", tag = "access",
    responses((status = 200, body = SessionView), Problems)
)]
pub(in crate::routes) async fn read(Extension(session): Extension<Session>) -> Json<SessionView> {
    Json(SessionView {
        customer_id: session.customer_id,
        installation_id: session.installation,
        idle_ends: written(session.idle_ends),
        ends: written(session.ends),
        stepped_up_until: session.stepped_until.map(written),
    })
}

/// End the session.
#[utoipa::path(
    delete, path = "/customers/sessions/current", tag = "access",
    responses((status = 204), Problems)
)]
pub(in crate::routes) async fn end(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
) -> Answered<StatusCode> {
    this.users.end_session(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The PIN, given again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::routes) struct Again {
    pin: Typed,
}

/// Until when the PIN counts as just given.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct SteppedUp {
    /// In UTC.
    #[schema(format = DateTime)]
    until: String,
}

/// Give the PIN again, before what is sensitive.
#[utoipa::path(
    post, path = "/customers/sessions/current/step-up", tag = "access", request_body = Again,
    responses((status = 200, body = SteppedUp), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn step_up(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Body(again): Body<Again>,
) -> Answered<Json<SteppedUp>> {
    let until = this.users.step_up(&session, again.pin.pin("pin")?, now()).await?;
    Ok(Json(SteppedUp { until: written(until) }))
}
