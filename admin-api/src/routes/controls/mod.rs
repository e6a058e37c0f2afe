//! Spend controls, as they look from outside: the same for a card, an account and a programme. It
//! owns that one is in force for the next authorization when its answer is sent; which paths lead
//! here stands with the channels' routes.

pub(super) mod secure;
mod view;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use switch_domain::{ControlId, ControlSubject, IdempotencyKey};
use utoipa::ToSchema;

use super::Answered;
use super::served::Management;
use crate::http::{Caller, Made, now, public_id};
use crate::{ListedControl, Problem};

pub(in crate::routes) use view::{ControlView, NewControl};

/// The controls of something.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct Controls {
    /// Of a card first those of its programme, then those of its account, then its own.
    controls: Vec<ControlView>,
}

/// Those that are there. Their number is limited, so there are no pages.
pub(super) async fn listed(this: &Management, subject: ControlSubject) -> Answered<Json<Controls>> {
    let currency = this.services.currency_of_subject(subject).await?;
    let controls = this.services.controls_of(subject).await?;
    let ids: Vec<_> = controls.iter().map(|one| one.control.id).collect();
    let names = this.services.names_of_controls(&ids).await?;
    let at = now();
    let view = |one: &ListedControl| {
        let name = names.get(&one.control.id).copied()?;
        Some(ControlView::of(one, name, currency, at))
    };
    Ok(Json(Controls { controls: controls.iter().filter_map(view).collect() }))
}

/// Makes one; it lies under this path.
pub(super) async fn defined(
    this: &Management,
    subject: ControlSubject,
    (caller, key): (&Caller, IdempotencyKey),
    new: NewControl,
    places: &str,
) -> Answered<Response> {
    let currency = this.services.currency_of_subject(subject).await?;
    let terms = new.terms(subject, currency)?;
    let control = this.services.define_control(key, caller.actor(), terms).await?;
    let view = shown(this, subject, control).await?;
    let place = format!("{places}/{}", view.name());
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response.extensions_mut().insert(Made(place));
    Ok(response)
}

/// Changes one.
pub(super) async fn changed(
    this: &Management,
    (subject, control): (ControlSubject, &str),
    (caller, key): (&Caller, IdempotencyKey),
    new: NewControl,
) -> Answered<Json<ControlView>> {
    let control = named(this, control).await?;
    let currency = this.services.currency_of_subject(subject).await?;
    let terms = new.terms(subject, currency)?;
    this.services.change_control(key, caller.actor(), control, terms).await?;
    Ok(Json(shown(this, subject, control).await?))
}

/// Removes one, and what was used of it.
pub(super) async fn removed(
    this: &Management,
    (subject, control): (ControlSubject, &str),
    (caller, key): (&Caller, IdempotencyKey),
) -> Answered<StatusCode> {
    let control = named(this, control).await?;
    this.services.remove_control(key, caller.actor(), control, subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn none() -> Problem {
    Problem::not_found("there is no such control")
}

/// A control that a path names.
async fn named(this: &Management, control: &str) -> Result<ControlId, Problem> {
    let name = public_id(control, "control").map_err(|_| none())?;
    this.services.control_named(name).await
}

async fn shown(
    this: &Management,
    subject: ControlSubject,
    control: ControlId,
) -> Result<ControlView, Problem> {
    let currency = this.services.currency_of_subject(subject).await?;
    let controls = this.services.controls_of(subject).await?;
    let one = controls.iter().find(|one| one.control.id == control).ok_or_else(none)?;
    let names = this.services.names_of_controls(&[control]).await?;
    let name = names.get(&control).copied().ok_or_else(none)?;
    Ok(ControlView::of(one, name, currency, now()))
}
