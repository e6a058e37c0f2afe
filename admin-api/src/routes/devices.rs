//! `/lifecycle/v1/customers/{customerId}/devices` (SR-005, SR-006): the partner has a device of its
//! customer paired, sees which are, lifts the block of a forgotten PIN, and removes one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problems::{ChangeProblems, Problems};
use super::served::{Management, written};
use super::{Answered, tenant};
use crate::http::{Caller, Secret, now, public_id};
use crate::service::users::PairedInstallation;

/// A code that pairs a device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CodeView {
    /// For the customer alone, who types it into the app; it is told here alone.
    pairing_code: String,
    /// Until when it can be used, in UTC.
    #[schema(format = DateTime)]
    ends: String,
}

/// A paired device, with the installation that is active on it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceView {
    device_id: Uuid,
    installation_id: Uuid,
    /// `ios`, `android` or `other`.
    platform: String,
    model: String,
    /// Since when, in UTC.
    #[schema(format = DateTime)]
    paired_at: String,
    /// Whether wrong PINs have blocked it.
    blocked: bool,
}

/// Paired devices.
#[derive(Serialize, ToSchema)]
pub(super) struct Devices {
    /// The oldest installation first.
    pub(super) items: Vec<DeviceView>,
}

impl From<&PairedInstallation> for DeviceView {
    fn from(paired: &PairedInstallation) -> Self {
        Self {
            device_id: paired.device,
            installation_id: paired.installation,
            platform: paired.platform.clone(),
            model: paired.model.clone(),
            paired_at: written(paired.paired_at),
            blocked: paired.blocked,
        }
    }
}

/// Have a device of a customer paired.
///
/// The code of before is no more valid.
#[utoipa::path(
    post, path = "/lifecycle/v1/customers/{customerId}/pairing-code", tag = "devices",
    params(("customerId" = Uuid, Path)),
    responses((status = 201, body = CodeView), Problems, ChangeProblems)
)]
pub(super) async fn pairing_code(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Response> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    let (code, ends) = this.users.pairing_code(partner, id, now()).await?;
    let view = CodeView { pairing_code: code.expose().to_owned(), ends: written(ends) };
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    response.extensions_mut().insert(Secret);
    Ok(response)
}

/// List a customer's paired devices.
#[utoipa::path(
    get, path = "/lifecycle/v1/customers/{customerId}/devices", tag = "devices",
    params(("customerId" = Uuid, Path)),
    responses((status = 200, body = Devices), Problems)
)]
pub(super) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Json<Devices>> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    let found = this.users.installations(partner, id).await?;
    Ok(Json(Devices { items: found.iter().map(DeviceView::from).collect() }))
}

/// Remove a customer's device; its sessions end.
#[utoipa::path(
    delete, path = "/lifecycle/v1/customers/{customerId}/devices/{deviceId}", tag = "devices",
    params(("customerId" = Uuid, Path), ("deviceId" = Uuid, Path)),
    responses((status = 204), Problems)
)]
pub(super) async fn remove(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((id, device)): Path<(String, String)>,
) -> Answered<StatusCode> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    this.users.remove_device(partner, id, public_id(&device, "device")?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lift the block of an installation whose user typed too many wrong PINs.
///
/// The partner has seen who it is.
#[utoipa::path(
    post, path = "/lifecycle/v1/customers/{customerId}/installations/{installationId}/unblock",
    tag = "devices", params(("customerId" = Uuid, Path), ("installationId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(super) async fn unblock(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((id, installation)): Path<(String, String)>,
) -> Answered<StatusCode> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "customer")?);
    this.users.lift_pin_block(partner, id, public_id(&installation, "installation")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
