//! Accounts: those of a customer, and one with its cards and what was decided of it.

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use serde::Deserialize;

use super::Shown;
use super::authorizations;
use super::deed::said;
use crate::amounts::Money;
use crate::call::Call;
use crate::desk::Desk;
use crate::listing::{Asked, Listing};
use crate::page::{Act, Cell, Page, Table};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/panel/customers/{customerId}/balances/{balanceId}", get(one))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Balance {
    balance_id: String,
    programme_id: i64,
    state: String,
    ledger: Money,
    held: Money,
    available: Money,
    #[serde(default)]
    cards: Vec<CardOfBalance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CardOfBalance {
    card_id: String,
    last_four: String,
    state: String,
}

/// The accounts of a customer.
pub(super) fn of_customer(customer: &str) -> Listing<Balance> {
    let place = format!("/panel/customers/{customer}");
    let at = format!("{place}?list=accounts");
    Listing {
        heading: "Accounts",
        columns: &["Account", "Programme", "State", "Ledger", "Held", "Available"],
        empty: "This customer has no account.",
        call: Call::get("/admin/customers/{customerId}/balances").at(customer),
        paged: false,
        at,
        row: Box::new(move |one| {
            vec![
                Cell::to(one.balance_id.as_str(), format!("{place}/balances/{}", one.balance_id)),
                Cell::to(
                    one.programme_id.to_string(),
                    format!("/panel/programmes/{}", one.programme_id),
                ),
                Cell::state(&one.state),
                one.ledger.cell(),
                one.held.cell(),
                one.available.cell(),
            ]
        }),
    }
}

fn cards(cards: &[CardOfBalance]) -> Table {
    let row = |card: &CardOfBalance| {
        let to = format!("/panel/cards/{}", card.card_id);
        vec![Cell::to(format!("ending in {}", card.last_four), to), Cell::state(&card.state)]
    };
    Table {
        heading: "Cards".to_owned(),
        columns: &["Card", "State"],
        rows: cards.iter().map(row).collect(),
        empty: "This account has no card.",
        next: None,
        csv: None,
    }
}

async fn one(
    visit: Visit,
    Path((customer, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Shown {
    let listing = authorizations::of_balance(&customer, &id);
    if asked.wants_csv() {
        return listing.csv(&visit, "authorizations").await;
    }
    let read = Call::get("/admin/customers/{customerId}/balances/{balanceId}");
    let balance: Balance = visit.get(&read.at(&customer).at(&id)).await?;
    let at = format!("/panel/customers/{customer}/balances/{id}");
    let (block, unblock) = (
        "/admin/customers/{customerId}/balances/{balanceId}/block",
        "/admin/customers/{customerId}/balances/{balanceId}/unblock",
    );
    let (active, blocked) = (balance.state == "ACTIVE", balance.state == "BLOCKED");
    let page = Page::new("Account")
        .said(said(&asked.said))
        .facts(
            "",
            vec![
                ("Identifier", Cell::text(balance.balance_id.as_str())),
                ("Customer", Cell::to(customer.as_str(), format!("/panel/customers/{customer}"))),
                ("State", Cell::state(&balance.state)),
                ("Ledger", balance.ledger.cell()),
                ("Held", balance.held.cell()),
                ("Available", balance.available.cell()),
            ],
        )
        .acts([
            Act::harsh("Block", format!("{at}/block")).when(active && visit.may("POST", block)),
            Act::new("Unblock", format!("{at}/unblock"))
                .when(blocked && visit.may("POST", unblock)),
        ])
        .table(cards(&balance.cards))
        .table(listing.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}
