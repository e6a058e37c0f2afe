//! `/admin/pools` (SR-228): the issuer's side opens partners' pools and books what came from their
//! banks; where it is much, two operators do. It owns the JSON of what is asked for.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use switch_domain::{AsciiText, Currency, PartnerId, Pool};
use utoipa::{IntoParams, ToSchema};

use super::super::Answered;
use super::super::amounts::Money;
use super::super::pools::{
    AlertBody, AlertView, Latest, PoolKindName, PoolList, PoolView, ReloadView, page, pool_id,
};
use super::super::problems::{ChangeProblems, Problems, VersionProblems};
use super::super::served::Panel;
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, IfMatch, Made, Page, Query, now, public_id};
use crate::service::pools::NewReload;

/// Whose pools.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct PoolsOf {
    /// Whose.
    #[param(minimum = 1)]
    partner_id: i64,
}

/// A pool to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "partnerId": 1, "kind": "DEPOSIT", "currency": "EUR" }))]
pub(in crate::routes) struct NewPool {
    /// Whose.
    #[schema(minimum = 1)]
    partner_id: i64,
    kind: PoolKindName,
    /// Code of ISO 4217.
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$")]
    currency: String,
    /// When it is told that it is low; where it is not said, never.
    alert: Option<AlertBody>,
}

/// Money that came into a pool.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "amount": { "value": "25000.00", "currency": "EUR" }, "reference": "SEPA 2026-11-27/4711"
}))]
pub(in crate::routes) struct NewPoolReload {
    amount: Money,
    /// The bank's reference: 1 to 40 printable ASCII characters.
    #[schema(min_length = 1, max_length = 40, pattern = "^[ -~]{1,40}$")]
    reference: String,
}

/// Why a reload is refused.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "note": "the bank knows nothing of it" }))]
pub(in crate::routes) struct ReloadRefusal {
    /// 1 to 200 printable characters.
    #[schema(min_length = 1, max_length = 200)]
    note: String,
}

fn partner_of(id: i64) -> Result<PartnerId, Problem> {
    let what = "the number of a partner: 1 or more";
    if id < 1 { Err(Problem::field("partnerId", what)) } else { Ok(PartnerId(id)) }
}

fn known(this: &Panel, pool: &str) -> Result<Pool, Problem> {
    this.management.pools.known(pool_id(pool)?, None)
}

/// Something that was made, and where it is.
fn made<T: IntoResponse>(view: T, place: String) -> Response {
    let mut response = (StatusCode::CREATED, view).into_response();
    if let Ok(value) = place.parse() {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response.extensions_mut().insert(Made(place));
    response
}

/// List a partner's pools, and what is in them.
#[utoipa::path(
    get, path = "/admin/pools", tag = "pools", operation_id = "list_pools_of_partner",
    params(PoolsOf), responses((status = 200, body = PoolList), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Panel>,
    Query(wanted): Query<PoolsOf>,
) -> Answered<Json<PoolList>> {
    let found = this.management.pools.of_partner(partner_of(wanted.partner_id)?).await?;
    Ok(Json(PoolList::of(&found)))
}

/// Open an empty pool for a partner.
#[utoipa::path(
    post, path = "/admin/pools", tag = "pools", operation_id = "open_pool",
    request_body = NewPool,
    responses((status = 201, body = PoolView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn open(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewPool>,
) -> Answered<Response> {
    let partner = partner_of(new.partner_id)?;
    let unknown = || Problem::field("currency", "there is no such currency");
    let currency = Currency::from_alphabetic(&new.currency).ok_or_else(unknown)?;
    let (by, of) = ((keys.key(0), caller.actor()), (new.kind.into(), currency));
    let alert = new.alert.as_ref().map(|alert| alert.checked(currency)).transpose();
    let alert = alert.map_err(|problem| Problem {
        field: problem.field.map(|field| format!("alert.{field}")),
        ..problem
    })?;
    let opened = this.management.pools.open(by, partner, of, alert.as_ref()).await?;
    let place = format!("/admin/pools/{}", opened.pool.id.0);
    Ok(made(Json(PoolView::from(&opened)), place))
}

/// Read a pool: what is in it, as the shards have it now.
#[utoipa::path(
    get, path = "/admin/pools/{poolId}", tag = "pools", operation_id = "read_pool_of_partner",
    params(("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = PoolView), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path(pool): Path<String>,
) -> Answered<Json<PoolView>> {
    Ok(Json(PoolView::from(&this.management.pools.one(pool_id(&pool)?, None).await?)))
}

/// List the reloads of a pool, the latest first, with who asked and who agreed.
#[utoipa::path(
    get, path = "/admin/pools/{poolId}/reloads", tag = "pools",
    operation_id = "list_reloads_of_partner",
    params(("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"), Latest),
    responses((status = 200, body = Page<ReloadView>), Problems)
)]
pub(in crate::routes) async fn reloads(
    State(this): State<Panel>,
    Path(pool): Path<String>,
    Query(wanted): Query<Latest>,
) -> Answered<Json<Page<ReloadView>>> {
    page(&this.management, &known(&this, &pool)?, &wanted, ReloadView::in_full).await
}

/// Reload a pool with money that came from the partner's bank.
///
/// Above a limit of the platform it waits for a second operator (`WAITING`); else it is booked.
#[utoipa::path(
    post, path = "/admin/pools/{poolId}/reloads", tag = "pools", operation_id = "reload_pool",
    params(("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = NewPoolReload,
    responses((status = 201, body = ReloadView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn reload(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(pool): Path<String>,
    Body(new): Body<NewPoolReload>,
) -> Answered<Response> {
    let pool = known(&this, &pool)?;
    let (amount, currency) = new.amount.above_zero("amount")?;
    if currency != pool.currency {
        let what = format!("this pool is in {}", pool.currency);
        return Err(Problem::field("amount.currency", what).into());
    }
    let reference = AsciiText::new(new.reference.as_bytes())
        .map_err(|error| Problem::field("reference", error.to_string()))?;
    if reference.is_empty() {
        return Err(Problem::field("reference", "the bank's reference is needed").into());
    }
    let wanted = NewReload { pool: pool.id, amount, reference };
    let by = (keys.key(0), caller.actor());
    let asked = this.management.pools.ask_reload(wanted, by, now()).await?;
    let place = format!("/admin/pools/{}/reloads/{}", pool.id.0, asked.public_id);
    Ok(made(Json(ReloadView::in_full(&asked)), place))
}

/// Read a reload.
#[utoipa::path(
    get, path = "/admin/pools/{poolId}/reloads/{reloadId}", tag = "pools",
    operation_id = "read_reload",
    params(
        ("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        ("reloadId" = Uuid, Path),
    ),
    responses((status = 200, body = ReloadView), Problems)
)]
pub(in crate::routes) async fn one_reload(
    State(this): State<Panel>,
    Path((pool, reload)): Path<(String, String)>,
) -> Answered<Json<ReloadView>> {
    let (pool, id) = (known(&this, &pool)?, public_id(&reload, "reload")?);
    Ok(Json(ReloadView::in_full(&this.management.pools.reload(&pool, id).await?)))
}

/// Agree to a reload that another operator asked for: it is booked.
#[utoipa::path(
    post, path = "/admin/pools/{poolId}/reloads/{reloadId}/approve", tag = "pools",
    operation_id = "approve_reload",
    params(
        ("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        ("reloadId" = Uuid, Path),
    ),
    responses((status = 200, body = ReloadView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn approve(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path((pool, reload)): Path<(String, String)>,
) -> Answered<Json<ReloadView>> {
    let (pool, id) = (known(&this, &pool)?, public_id(&reload, "reload")?);
    let agreed = this.management.pools.approve(&pool, id, caller.actor(), now()).await?;
    Ok(Json(ReloadView::in_full(&agreed)))
}

/// Refuse a reload that waits, or take back what one asked for oneself.
#[utoipa::path(
    post, path = "/admin/pools/{poolId}/reloads/{reloadId}/refuse", tag = "pools",
    operation_id = "refuse_reload",
    params(
        ("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        ("reloadId" = Uuid, Path),
    ),
    request_body = ReloadRefusal,
    responses((status = 200, body = ReloadView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn refuse(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path((pool, reload)): Path<(String, String)>,
    Body(refusal): Body<ReloadRefusal>,
) -> Answered<Json<ReloadView>> {
    let (pool, id) = (known(&this, &pool)?, public_id(&reload, "reload")?);
    let by = (caller.actor(), refusal.note.as_str());
    let refused = this.management.pools.refuse(&pool, id, by, now()).await?;
    Ok(Json(ReloadView::in_full(&refused)))
}

/// Read when a partner and its people are told that a pool is low.
#[utoipa::path(
    get, path = "/admin/pools/{poolId}/alert", tag = "pools",
    operation_id = "read_alert_of_partner",
    params(("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = AlertView), Problems)
)]
pub(in crate::routes) async fn alert(
    State(this): State<Panel>,
    Path(pool): Path<String>,
) -> Answered<Response> {
    let pool = known(&this, &pool)?;
    Ok(AlertView::shown(&this.management.pools.alert(&pool).await?, &pool))
}

/// Say when a partner and its people are told that a pool is low: all of it anew.
///
/// With another level it is armed anew: where less is there already, that is told. The first time
/// `If-Match` is `"0"`, as the `ETag` of what was read.
#[utoipa::path(
    put, path = "/admin/pools/{poolId}/alert", tag = "pools", operation_id = "set_alert",
    params(("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = AlertBody,
    responses((status = 200, body = AlertView), Problems, ChangeProblems, VersionProblems)
)]
pub(in crate::routes) async fn set_alert(
    State(this): State<Panel>,
    Path(pool): Path<String>,
    IfMatch(version): IfMatch,
    Body(to): Body<AlertBody>,
) -> Answered<Response> {
    let pool = known(&this, &pool)?;
    let to = to.checked(pool.currency)?;
    let alert = this.management.pools.set_alert(&pool, &to, version).await?;
    Ok(AlertView::shown(&alert, &pool))
}
