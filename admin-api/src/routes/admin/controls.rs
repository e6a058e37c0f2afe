//! Spend controls at the panel: what stops purchases of a card, for who is asked why, and the
//! limits of a programme, which the issuer's people set.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use switch_domain::ControlSubject;

use crate::Problem;
use crate::http::{Body, Caller, Idempotency};
use crate::routes::Answered;
use crate::routes::cards::drawn;
use crate::routes::controls::{
    ControlView, Controls, NewControl, changed, defined, listed, removed,
};
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::programmes::programme_id;
use crate::routes::served::Panel;

/// List the spend controls that a card's purchases meet.
#[utoipa::path(
    get, path = "/admin/cards/{cardId}/controls", tag = "controls",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = Controls), Problems)
)]
pub(super) async fn list_of_card(
    State(panel): State<Panel>,
    Path(card): Path<String>,
) -> Answered<Json<Controls>> {
    let owned = panel.management.cards.any(&card).await?;
    listed(&panel.management, ControlSubject::Card(owned.card.id)).await
}

/// The programme that a path names.
fn programme(panel: &Panel, id: &str) -> Result<ControlSubject, Problem> {
    let id = programme_id(id)?;
    let known = panel.management.services.node().control().programmes.contains_key(&id);
    let none = || Problem::not_found("there is no such programme");
    if known { Ok(ControlSubject::Programme(id)) } else { Err(none()) }
}

/// List the spend controls of a programme.
#[utoipa::path(
    get, path = "/admin/programmes/{programmeId}/controls", tag = "controls",
    operation_id = "list_limits_of_programme", params(("programmeId" = i64, Path)),
    responses((status = 200, body = Controls), Problems)
)]
pub(super) async fn list_of_programme(
    State(panel): State<Panel>,
    Path(id): Path<String>,
) -> Answered<Json<Controls>> {
    listed(&panel.management, programme(&panel, &id)?).await
}

/// Make a spend control of a programme: in force for the next authorization.
///
/// `EXHAUSTED` where there are as many as there may be.
#[utoipa::path(
    post, path = "/admin/programmes/{programmeId}/controls", tag = "controls",
    operation_id = "define_limit_of_programme", params(("programmeId" = i64, Path)),
    request_body = NewControl,
    responses((status = 201, body = ControlView), Problems, ChangeProblems)
)]
pub(super) async fn define_of_programme(
    State(panel): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(id): Path<String>,
    Body(new): Body<NewControl>,
) -> Answered<Response> {
    let subject = programme(&panel, &id)?;
    let places = format!("/admin/programmes/{id}/controls");
    defined(&panel.management, subject, (&caller, keys.key(0)), new, &places).await
}

/// Change how much a spend control of a programme lets through, its name, or whether it declines.
///
/// All of it is said again; what was used stays. What is counted otherwise is another control.
#[utoipa::path(
    put, path = "/admin/programmes/{programmeId}/controls/{controlId}", tag = "controls",
    operation_id = "change_limit_of_programme",
    params(("programmeId" = i64, Path), ("controlId" = Uuid, Path)), request_body = NewControl,
    responses((status = 200, body = ControlView), Problems, ChangeProblems)
)]
pub(super) async fn change_of_programme(
    State(panel): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path((id, control)): Path<(String, String)>,
    Body(new): Body<NewControl>,
) -> Answered<Json<ControlView>> {
    let subject = programme(&panel, &id)?;
    changed(&panel.management, (subject, &control), (&caller, drawn()), new).await
}

/// Remove a spend control of a programme, and what was used of it.
#[utoipa::path(
    delete, path = "/admin/programmes/{programmeId}/controls/{controlId}", tag = "controls",
    operation_id = "remove_limit_of_programme",
    params(("programmeId" = i64, Path), ("controlId" = Uuid, Path)),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(super) async fn remove_of_programme(
    State(panel): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path((id, control)): Path<(String, String)>,
) -> Answered<StatusCode> {
    let subject = programme(&panel, &id)?;
    removed(&panel.management, (subject, &control), (&caller, drawn())).await
}
