//! What is looked at first: money by currency, partners, and what waits for somebody.

use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use serde::Deserialize;

use super::deed::said;
use super::{Shown, partners};
use crate::amounts::Money;
use crate::call::Call;
use crate::desk::Desk;
use crate::listing::{Asked, Listing, Rows};
use crate::page::{Cell, Page};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/panel", get(overview))
}

/// What one currency comes to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    currency: String,
    users: Money,
    partner_balances: Money,
    wallet: Money,
}

fn summaries() -> Listing<Summary> {
    Listing {
        heading: "Money by currency",
        columns: &["Currency", "Users", "Partners", "Wallet"],
        empty: "There is no money yet.",
        call: Call::get("/admin/summary-balances"),
        paged: false,
        at: "/panel".to_owned(),
        row: Box::new(|one| {
            vec![
                Cell::text(one.currency.as_str()),
                one.users.cell(),
                one.partner_balances.cell(),
                one.wallet.cell(),
            ]
        }),
    }
}

/// How many wait, as far as one page of the list tells.
async fn waiting(visit: &Visit, call: Call) -> Result<String, crate::refused::Refused> {
    let rows: Rows<serde_json::Value> = visit.get(&call.with("limit", 50)).await?;
    let more = if rows.next_cursor.is_some() { " or more" } else { "" };
    Ok(format!("{}{more}", rows.items.len()))
}

async fn overview(visit: Visit, Query(asked): Query<Asked>) -> Shown {
    let summaries = summaries();
    if asked.wants_csv() {
        return summaries.csv(&visit, "summary-balances").await;
    }
    let customers = waiting(&visit, Call::get("/admin/kyc")).await?;
    let corporations = Call::get("/admin/corporations").with("state", "PENDING");
    let corporations = waiting(&visit, corporations).await?;
    let page = Page::new("Overview")
        .said(said(&asked.said))
        .facts(
            "Waiting for a decision",
            vec![
                ("Customers", Cell::to(customers, "/panel/reviews")),
                ("Corporations", Cell::to(corporations, "/panel/reviews")),
            ],
        )
        .table(summaries.table(&visit, "").await?)
        .table(partners::listing().table(&visit, "").await?);
    Ok(visit.show(page))
}
