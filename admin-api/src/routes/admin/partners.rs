//! `/admin/partners` (SR-001, SR-263): partners as the issuer's people make, read and change them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use switch_domain::{PartnerId, PartnerState};
use utoipa::IntoParams;

use super::super::Answered;
use super::super::partners::{
    PartnerBody, PartnerStateName, PartnerView, partner_id, placed, shown,
};
use super::super::problems::{ChangeProblems, Problems, VersionProblems};
use super::super::served::Panel;
use super::changes::{self, LatestChanges, SetupChangeView, noted};
use crate::Problem;
use crate::http::{Body, Caller, Cursor, Idempotency, IfMatch, Page, Query, now, page_limit};
use crate::routes::cards::drawn;
use crate::service::programmes::{PartnersWanted, SetUpBy, Subject};

/// The longest part of a name.
const NAME_MOST: usize = 40;

/// Which partners.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct PartnersListed {
    /// Those in this state.
    #[param(inline)]
    state: Option<PartnerStateName>,
    /// Those in whose name this stands, in whatever case.
    #[param(min_length = 1, max_length = 40)]
    name: Option<String>,
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List partners.
#[utoipa::path(
    get, path = "/admin/partners", tag = "programmes", operation_id = "list_partners",
    params(PartnersListed), responses((status = 200, body = Page<PartnerView>), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Panel>,
    Query(wanted): Query<PartnersListed>,
) -> Answered<Json<Page<PartnerView>>> {
    let fits = |name: &String| (1..=NAME_MOST).contains(&name.chars().count());
    if wanted.name.as_ref().is_some_and(|name| !fits(name)) {
        return Err(Problem::field("name", "1 to 40 characters").into());
    }
    let behind = wanted.cursor.as_deref().map(Cursor::<i64>::read).transpose()?;
    let most = page_limit(wanted.limit)?;
    let wanted = PartnersWanted {
        state: wanted.state.map(PartnerState::from),
        name: wanted.name,
        behind: behind.map(|Cursor(id)| PartnerId(id)),
        most,
    };
    let found = this.management.programmes.partners(&wanted).await?;
    let size = usize::try_from(most).unwrap_or(usize::MAX);
    let next = found.get(size).and_then(|_| found.get(size.saturating_sub(1)));
    Ok(Json(Page {
        items: found.iter().take(size).map(PartnerView::listed).collect(),
        next_cursor: next.map(|last| Cursor(last.partner.id.0).text()),
    }))
}

/// Make a partner. Its systems are let in once a certificate was signed for it.
#[utoipa::path(
    post, path = "/admin/partners", tag = "programmes", operation_id = "create_partner",
    request_body = PartnerBody,
    responses((status = 201, body = PartnerView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn create(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<PartnerBody>,
) -> Answered<Response> {
    let by = SetUpBy { key: keys.key(0), actor: caller.actor(), now: now() };
    let (made, change) = this.management.programmes.create_partner(&new.wanted()?, by).await?;
    let place = format!("/admin/partners/{}", made.partner.id.0);
    let mut response = shown(&made);
    *response.status_mut() = StatusCode::CREATED;
    placed(&mut response, &place);
    noted(&mut response, &place, change.as_ref());
    Ok(response)
}

/// Read a partner.
#[utoipa::path(
    get, path = "/admin/partners/{partnerId}", tag = "programmes", operation_id = "read_partner",
    params(("partnerId" = i64, Path)),
    responses((status = 200, body = PartnerView), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path(partner): Path<String>,
) -> Answered<Response> {
    Ok(shown(&this.management.programmes.partner(partner_id(&partner)?).await?))
}

/// Change a partner: in force for the next authorization.
///
/// All of it is said again; state, verification and encryption stay where they are not said.
#[utoipa::path(
    put, path = "/admin/partners/{partnerId}", tag = "programmes", operation_id = "change_partner",
    params(("partnerId" = i64, Path)), request_body = PartnerBody,
    responses((status = 200, body = PartnerView), Problems, ChangeProblems, VersionProblems)
)]
pub(in crate::routes) async fn change(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(partner): Path<String>,
    IfMatch(seen): IfMatch,
    Body(to): Body<PartnerBody>,
) -> Answered<Response> {
    let id = partner_id(&partner)?;
    let by = SetUpBy { key: drawn(), actor: caller.actor(), now: now() };
    let to = to.wanted()?;
    let programmes = &this.management.programmes;
    let (changed, change) = programmes.change_partner(id, &to, (seen, by)).await?;
    let mut response = shown(&changed);
    noted(&mut response, &format!("/admin/partners/{}", id.0), change.as_ref());
    Ok(response)
}

/// List the changes of a partner, the latest first.
///
/// Whom to call is not among what is told: only that it was changed (`contactChanged`).
#[utoipa::path(
    get, path = "/admin/partners/{partnerId}/changes", tag = "programmes",
    operation_id = "list_changes_of_partner",
    params(("partnerId" = i64, Path), LatestChanges),
    responses((status = 200, body = Page<SetupChangeView>), Problems)
)]
pub(in crate::routes) async fn history(
    State(this): State<Panel>,
    Path(partner): Path<String>,
    Query(wanted): Query<LatestChanges>,
) -> Answered<Json<Page<SetupChangeView>>> {
    let id = partner_id(&partner)?;
    this.management.programmes.partner(id).await?;
    changes::page(&this, Subject::Partner(id), &wanted).await
}
