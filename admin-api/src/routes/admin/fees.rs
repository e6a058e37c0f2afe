//! Fees at the panel (SR-250, SR-251): set as a whole, of one version; what something would cost,
//! what was charged to an account, and partners' invoices.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};

use super::super::Answered;
use super::super::accounts::Owner;
use super::super::fees::{
    ChargedFeeView, FeesBody, FeesView, InvoiceFile, LatestFees, PreviewBody, QuoteView, charged,
    invoice, quoted,
};
use super::super::partners::{partner_id, versioned};
use super::super::problems::{ChangeProblems, Problems, VersionProblems};
use super::super::programmes::programme_id;
use super::super::served::Panel;
use super::changes::noted;
use super::customers::holder_of;
use crate::http::{Body, Caller, IfMatch, Page, Query, now};
use crate::routes::cards::drawn;
use crate::service::programmes::{FeesNow, SetUpBy};

fn shown(now: &FeesNow) -> Response {
    versioned(Json(FeesView::from(now)), now.version())
}

/// Read the fees of a programme.
#[utoipa::path(
    get, path = "/admin/programmes/{programmeId}/fees", tag = "fees", operation_id = "read_fees",
    params(("programmeId" = i64, Path)),
    responses((status = 200, body = FeesView), Problems)
)]
pub(super) async fn read(
    State(this): State<Panel>,
    Path(programme): Path<String>,
) -> Answered<Response> {
    Ok(shown(&this.management.programmes.fees(programme_id(&programme)?, None)?))
}

/// Set the fees of a programme: in force for the next act, authorization and period that is over.
///
/// All of them are said again.
#[utoipa::path(
    put, path = "/admin/programmes/{programmeId}/fees", tag = "fees", operation_id = "set_fees",
    params(("programmeId" = i64, Path)), request_body = FeesBody,
    responses((status = 200, body = FeesView), Problems, ChangeProblems, VersionProblems)
)]
pub(super) async fn set(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(programme): Path<String>,
    IfMatch(seen): IfMatch,
    Body(to): Body<FeesBody>,
) -> Answered<Response> {
    let id = programme_id(&programme)?;
    let programmes = &this.management.programmes;
    let schedule = to.schedule(programmes.fees(id, None)?.programme.currency)?;
    let by = SetUpBy { key: drawn(), actor: caller.actor(), now: now() };
    let (changed, change) = programmes.set_fees(id, Some(schedule), (seen, by)).await?;
    let mut response = shown(&changed);
    noted(&mut response, &format!("/admin/programmes/{}", id.0), change.as_ref());
    Ok(response)
}

/// Ask what something would cost by the fees of a programme. Nothing is charged.
#[utoipa::path(
    post, path = "/admin/programmes/{programmeId}/fees/preview", tag = "fees",
    operation_id = "preview_fees_of_programme", params(("programmeId" = i64, Path)),
    request_body = PreviewBody,
    responses((status = 200, body = QuoteView), Problems, ChangeProblems)
)]
pub(super) async fn preview(
    State(this): State<Panel>,
    Path(programme): Path<String>,
    Body(asked): Body<PreviewBody>,
) -> Answered<Json<QuoteView>> {
    quoted(&this.management.programmes.fees(programme_id(&programme)?, None)?, &asked)
}

/// List the fees that were charged to an account, the latest first.
#[utoipa::path(
    get, path = "/admin/customers/{customerId}/balances/{balanceId}/fees", tag = "fees",
    operation_id = "list_fees_of_customers_balance",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path), LatestFees),
    responses((status = 200, body = Page<ChargedFeeView>), Problems)
)]
pub(super) async fn of_balance(
    State(this): State<Panel>,
    Path((customer, balance)): Path<(String, String)>,
    Query(wanted): Query<LatestFees>,
) -> Answered<Json<Page<ChargedFeeView>>> {
    let (partner, customer) = holder_of(&this, &customer).await?;
    let owner = Owner { partner, customer };
    charged(&this.management, (owner, false), &balance, &wanted).await
}

/// Take a partner's invoice of a month away: `2026-11.csv`, or `2026-11.html` to be printed.
///
/// Of a month that is not over it is what there is so far.
#[utoipa::path(
    get, path = "/admin/partners/{partnerId}/invoices/{invoice}", tag = "fees",
    operation_id = "read_invoice",
    params(
        ("partnerId" = i64, Path),
        ("invoice" = String, Path, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])\.(csv|html)$"),
    ),
    responses(
        (status = 200, description = "The file.", content(
            (InvoiceFile = "text/csv"), (InvoiceFile = "text/html")
        )),
        Problems
    )
)]
pub(super) async fn invoice_of(
    State(this): State<Panel>,
    Path((partner, file)): Path<(String, String)>,
) -> Answered<Response> {
    invoice(&this.management, partner_id(&partner)?, &file).await
}
