//! `/admin/programmes` (SR-025, SR-039, SR-040): programmes as the issuer's people make, read and
//! change them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use switch_domain::{Currency, PartnerId};
use utoipa::IntoParams;

use super::super::Answered;
use super::super::partners::{placed, versioned};
use super::super::problems::{ChangeProblems, Problems, VersionProblems};
use super::super::programmes::{
    NewProgrammeBody, ProgrammeBody, ProgrammeView, page, programme_id,
};
use super::super::served::Panel;
use super::changes::{self, LatestChanges, SetupChangeView, noted};
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, IfMatch, Page, Query, now};
use crate::routes::cards::drawn;
use crate::service::programmes::{ProgrammeNow, ProgrammesWanted, SetUpBy, Subject};

/// Which programmes.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct ProgrammesListed {
    /// Those of this partner.
    #[param(minimum = 1)]
    partner_id: Option<i64>,
    /// Those in this currency: a code of ISO 4217.
    #[param(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

fn shown(now: &ProgrammeNow) -> Response {
    versioned(Json(ProgrammeView::in_full(now)), now.version())
}

/// List programmes.
#[utoipa::path(
    get, path = "/admin/programmes", tag = "programmes", operation_id = "list_programmes",
    params(ProgrammesListed), responses((status = 200, body = Page<ProgrammeView>), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Panel>,
    Query(listed): Query<ProgrammesListed>,
) -> Answered<Json<Page<ProgrammeView>>> {
    if listed.partner_id.is_some_and(|id| id < 1) {
        let what = "the number of a partner: 1 or more";
        return Err(Problem::field("partnerId", what).into());
    }
    let unknown = || Problem::field("currency", "there is no such currency");
    let currency = |code: &String| Currency::from_alphabetic(code).ok_or_else(unknown);
    let wanted = ProgrammesWanted {
        partner: listed.partner_id.map(PartnerId),
        currency: listed.currency.as_ref().map(currency).transpose()?,
        ..ProgrammesWanted::default()
    };
    let of = (listed.cursor.as_deref(), listed.limit);
    page(&this.management, wanted, of, ProgrammeView::in_full).await
}

/// Make a programme: cards of it can be ordered at once.
///
/// Its numbers, its currency and its funding are for ever. Refused with `CONFLICT` where another
/// programme has one of the numbers.
#[utoipa::path(
    post, path = "/admin/programmes", tag = "programmes", operation_id = "create_programme",
    request_body = NewProgrammeBody,
    responses((status = 201, body = ProgrammeView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn create(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewProgrammeBody>,
) -> Answered<Response> {
    let by = SetUpBy { key: keys.key(0), actor: caller.actor(), now: now() };
    let (made, change) = this.management.programmes.create_programme(&new.wanted()?, by).await?;
    let place = format!("/admin/programmes/{}", made.programme.id.0);
    let mut response = shown(&made);
    *response.status_mut() = StatusCode::CREATED;
    placed(&mut response, &place);
    noted(&mut response, &place, change.as_ref());
    Ok(response)
}

/// Read a programme.
#[utoipa::path(
    get, path = "/admin/programmes/{programmeId}", tag = "programmes",
    operation_id = "read_programme", params(("programmeId" = i64, Path)),
    responses((status = 200, body = ProgrammeView), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path(programme): Path<String>,
) -> Answered<Response> {
    let id = programme_id(&programme)?;
    Ok(shown(&this.management.programmes.programme(id, None).await?))
}

/// Change a programme: in force for the next order and the next authorization.
///
/// All that may be changed is said again; its keys stay where they are not said.
#[utoipa::path(
    put, path = "/admin/programmes/{programmeId}", tag = "programmes",
    operation_id = "change_programme", params(("programmeId" = i64, Path)),
    request_body = ProgrammeBody,
    responses((status = 200, body = ProgrammeView), Problems, ChangeProblems, VersionProblems)
)]
pub(in crate::routes) async fn change(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(programme): Path<String>,
    IfMatch(seen): IfMatch,
    Body(to): Body<ProgrammeBody>,
) -> Answered<Response> {
    let id = programme_id(&programme)?;
    let by = SetUpBy { key: drawn(), actor: caller.actor(), now: now() };
    let to = to.wanted()?;
    let programmes = &this.management.programmes;
    let (changed, change) = programmes.change_programme(id, &to, (seen, by)).await?;
    let mut response = shown(&changed);
    noted(&mut response, &format!("/admin/programmes/{}", id.0), change.as_ref());
    Ok(response)
}

/// List the changes of a programme, the latest first.
#[utoipa::path(
    get, path = "/admin/programmes/{programmeId}/changes", tag = "programmes",
    operation_id = "list_changes_of_programme",
    params(("programmeId" = i64, Path), LatestChanges),
    responses((status = 200, body = Page<SetupChangeView>), Problems)
)]
pub(in crate::routes) async fn history(
    State(this): State<Panel>,
    Path(programme): Path<String>,
    Query(wanted): Query<LatestChanges>,
) -> Answered<Json<Page<SetupChangeView>>> {
    let id = programme_id(&programme)?;
    this.management.programmes.programme(id, None).await?;
    changes::page(&this, Subject::Programme(id), &wanted).await
}
