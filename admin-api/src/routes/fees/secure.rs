//! `/secure/fees` and what was charged: a partner reads the fees of its programmes, what something
//! would cost, and its invoices. It owns that nothing is set here: fees are the panel's (SR-251).

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use switch_domain::ProgrammeId;
use utoipa::{IntoParams, ToSchema};

use super::{ChargedFeeView, FeesView, InvoiceFile, LatestFees, PreviewBody, QuoteView};
use super::{charged, invoice, quoted};
use crate::http::{Body, Caller, Cursor, Page, Query, page_limit, public_id};
use crate::routes::accounts::Owner;
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::served::Management;
use crate::routes::{Answered, tenant};
use crate::service::programmes::ProgrammesWanted;

/// Which programmes' fees.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct FeesListed {
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List the fees of the partner's programmes.
#[utoipa::path(
    get, path = "/secure/fees", tag = "fees", operation_id = "list_fees", params(FeesListed),
    responses((status = 200, body = Page<FeesView>), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Query(listed): Query<FeesListed>,
) -> Answered<Json<Page<FeesView>>> {
    let behind = listed.cursor.as_deref().map(Cursor::<i64>::read).transpose()?;
    let most = page_limit(listed.limit)?;
    let wanted = ProgrammesWanted {
        partner: Some(tenant(&caller)?),
        behind: behind.map(|Cursor(id)| ProgrammeId(id)),
        most,
        ..ProgrammesWanted::default()
    };
    let found = this.programmes.all_fees(wanted);
    let size = usize::try_from(most).unwrap_or(usize::MAX);
    let next = found.get(size).and_then(|_| found.get(size.saturating_sub(1)));
    Ok(Json(Page {
        items: found.iter().take(size).map(FeesView::from).collect(),
        next_cursor: next.map(|last| Cursor(last.programme.id.0).text()),
    }))
}

/// What is asked about, and by whose fees.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "programmeId": 1,
    "what": {
        "use": { "channel": "POS", "country": "DE" }, "form": "VIRTUAL", "amount": "20.00"
    }
}))]
pub(in crate::routes) struct OwnPreviewBody {
    /// The product.
    #[schema(minimum = 1)]
    programme_id: i64,
    what: PreviewBody,
}

/// Ask what something would cost by the fees of a programme. Nothing is charged.
#[utoipa::path(
    post, path = "/secure/fees/preview", tag = "fees", operation_id = "preview_fees",
    request_body = OwnPreviewBody,
    responses((status = 200, body = QuoteView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn preview(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Body(asked): Body<OwnPreviewBody>,
) -> Answered<Json<QuoteView>> {
    let programme = ProgrammeId(asked.programme_id);
    let fees = this.programmes.fees(programme, Some(tenant(&caller)?))?;
    quoted(&fees, &asked.what)
}

/// List the fees that were charged to an account, the latest first.
///
/// What was charged a moment ago may not be there yet.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/balances/{balanceId}/fees", tag = "fees",
    operation_id = "list_fees_of_balance",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path), LatestFees),
    responses((status = 200, body = Page<ChargedFeeView>), Problems)
)]
pub(in crate::routes) async fn of_balance(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, balance)): Path<(String, String)>,
    Query(wanted): Query<LatestFees>,
) -> Answered<Json<Page<ChargedFeeView>>> {
    let customer = public_id(&customer, "customer")?;
    let owner = Owner { partner: tenant(&caller)?, customer };
    charged(&this, (owner, false), &balance, &wanted).await
}

/// Take the partner's invoice of a month away: `2026-11.csv`, or `2026-11.html` to be printed.
///
/// Of a month that is not over it is what there is so far.
#[utoipa::path(
    get, path = "/secure/invoices/{invoice}", tag = "fees", operation_id = "read_own_invoice",
    params(("invoice" = String, Path, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])\.(csv|html)$")),
    responses(
        (status = 200, description = "The file.", content(
            (InvoiceFile = "text/csv"), (InvoiceFile = "text/html")
        )),
        Problems
    )
)]
pub(in crate::routes) async fn own_invoice(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(file): Path<String>,
) -> Answered<Response> {
    invoice(&this, tenant(&caller)?, &file).await
}
