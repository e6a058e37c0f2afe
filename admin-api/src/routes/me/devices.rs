//! The customer's own devices. To remove one is sensitive: the PIN is asked for again (SR-176).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::http::{SteppedUp, public_id};
use crate::routes::Answered;
use crate::routes::devices::{DeviceView, Devices};
use crate::routes::problems::Problems;
use crate::routes::served::Management;
use crate::service::users::Session;

/// List the paired devices.
#[utoipa::path(
    get, path = "/customers/me/devices", tag = "devices",
    responses((status = 200, body = Devices), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
) -> Answered<Json<Devices>> {
    let found = this.users.installations(session.partner, session.customer_id).await?;
    Ok(Json(Devices { items: found.iter().map(DeviceView::from).collect() }))
}

/// Remove a device; its sessions end.
///
/// `403 STEP_UP_REQUIRED` where the PIN was not given again a moment ago.
#[utoipa::path(
    delete, path = "/customers/me/devices/{deviceId}", tag = "devices",
    params(("deviceId" = Uuid, Path)),
    responses((status = 204), Problems)
)]
pub(in crate::routes) async fn remove(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    _stepped_up: SteppedUp,
    Path(device): Path<String>,
) -> Answered<StatusCode> {
    let device = public_id(&device, "device")?;
    this.users.remove_device(session.partner, session.customer_id, device).await?;
    Ok(StatusCode::NO_CONTENT)
}
