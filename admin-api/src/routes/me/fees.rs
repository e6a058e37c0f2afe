//! What was charged to the customer's own accounts.

use axum::extract::{Path, State};
use axum::{Extension, Json};

use super::owner;
use crate::http::{Page, Query};
use crate::routes::Answered;
use crate::routes::fees::{ChargedFeeView, LatestFees, charged};
use crate::routes::problems::Problems;
use crate::routes::served::Management;
use crate::service::users::Session;

/// List the fees that were charged to an account, the latest first.
///
/// What the partner pays is not among them. What was charged a moment ago may not be there yet.
#[utoipa::path(
    get, path = "/customers/me/balances/{balanceId}/fees", tag = "fees",
    operation_id = "list_own_fees", params(("balanceId" = Uuid, Path), LatestFees),
    responses((status = 200, body = Page<ChargedFeeView>), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(balance): Path<String>,
    Query(wanted): Query<LatestFees>,
) -> Answered<Json<Page<ChargedFeeView>>> {
    charged(&this, (owner(&session), true), &balance, &wanted).await
}
