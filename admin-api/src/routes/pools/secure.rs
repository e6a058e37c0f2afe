//! `/secure/pools` (SR-229): a partner reads its own pools and how they were filled. It owns that
//! nothing is changed here: money comes from the issuer's side (SR-228).

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};

use super::super::problems::Problems;
use super::super::served::Management;
use super::super::{Answered, tenant};
use super::{AlertView, Latest, PoolList, PoolView, ReloadView, page, pool_id};
use crate::http::{Caller, Page, Query};

/// List the partner's pools, and what is in them.
#[utoipa::path(
    get, path = "/secure/pools", tag = "pools", operation_id = "list_pools",
    responses((status = 200, body = PoolList), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
) -> Answered<Json<PoolList>> {
    Ok(Json(PoolList::of(&this.pools.of_partner(tenant(&caller)?).await?)))
}

/// Read a pool: what is in it, as the shards have it now.
#[utoipa::path(
    get, path = "/secure/pools/{poolId}", tag = "pools", operation_id = "read_pool",
    params(("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = PoolView), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(pool): Path<String>,
) -> Answered<Json<PoolView>> {
    let found = this.pools.one(pool_id(&pool)?, Some(tenant(&caller)?)).await?;
    Ok(Json(PoolView::from(&found)))
}

/// List the reloads of a pool, the latest first.
#[utoipa::path(
    get, path = "/secure/pools/{poolId}/reloads", tag = "pools", operation_id = "list_reloads",
    params(("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"), Latest),
    responses((status = 200, body = Page<ReloadView>), Problems)
)]
pub(in crate::routes) async fn reloads(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(pool): Path<String>,
    Query(wanted): Query<Latest>,
) -> Answered<Json<Page<ReloadView>>> {
    let pool = this.pools.known(pool_id(&pool)?, Some(tenant(&caller)?))?;
    page(&this, &pool, &wanted, ReloadView::for_partner).await
}

/// Read when the partner and its people are told that a pool is low.
#[utoipa::path(
    get, path = "/secure/pools/{poolId}/alert", tag = "pools", operation_id = "read_alert",
    params(("poolId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = AlertView), Problems)
)]
pub(in crate::routes) async fn alert(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(pool): Path<String>,
) -> Answered<Response> {
    let pool = this.pools.known(pool_id(&pool)?, Some(tenant(&caller)?))?;
    Ok(AlertView::shown(&this.pools.alert(&pool).await?, &pool))
}
