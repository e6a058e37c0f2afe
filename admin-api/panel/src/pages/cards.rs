//! Cards: those of a customer, and one with its controls and what was decided of it.

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
use crate::page::{Act, Cell, Page, Table, spoken};
use crate::refused::Refused;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/panel/cards/{cardId}", get(one))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Card {
    card_id: String,
    form: String,
    status: String,
    last_four: String,
    expiry: String,
    holder_name: Option<String>,
    reference: Option<String>,
    lock: Option<Lock>,
    pin_status: String,
    replaces: Option<String>,
    replaced_by: Option<String>,
    physical_of: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lock {
    reason_code: u8,
    reason: String,
    set_by: String,
}

/// The cards of a customer.
pub(super) fn of_customer(customer: &str) -> Listing<Card> {
    Listing {
        heading: "Cards",
        columns: &["Card", "Form", "Expires", "Status", "Lock"],
        empty: "This customer has no card.",
        call: Call::get("/admin/customers/{customerId}/cards").at(customer),
        paged: true,
        at: format!("/panel/customers/{customer}?list=cards"),
        row: Box::new(|one| {
            let lock = one.lock.as_ref().map(|lock| spoken(&lock.reason));
            vec![
                Cell::to(
                    format!("ending in {}", one.last_four),
                    format!("/panel/cards/{}", one.card_id),
                ),
                Cell::text(spoken(&one.form)),
                Cell::text(one.expiry.as_str()),
                Cell::state(&one.status),
                Cell::some(lock),
            ]
        }),
    }
}

#[derive(Deserialize)]
struct Controls {
    controls: Vec<Control>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Control {
    of: String,
    name: String,
    rule: String,
    shadow: bool,
    amount: Option<Money>,
    count: Option<u32>,
    window: Option<String>,
    used: Option<Used>,
}

#[derive(Deserialize)]
struct Used {
    amount: Money,
    count: u32,
}

async fn controls(visit: &Visit, card: &str) -> Result<Table, Refused> {
    let read = Call::get("/admin/cards/{cardId}/controls").at(card);
    let controls: Controls = visit.get(&read).await?;
    let row = |one: &Control| {
        let amount = one.amount.as_ref().map(Money::text);
        let count = one.count.map(|count| format!("{count} times"));
        let most = [amount, count].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let used = one.used.as_ref().map(|it| format!("{}, {} times", it.amount.text(), it.count));
        vec![
            Cell::text(one.name.as_str()),
            Cell::text(spoken(&one.of)),
            Cell::text(spoken(&one.rule)),
            Cell::some(Some(most).filter(|most| !most.is_empty())),
            Cell::some(one.window.as_deref().map(spoken)),
            Cell::some(used),
            Cell::text(if one.shadow { "shadow: only counts" } else { "in force" }),
        ]
    };
    Ok(Table {
        heading: "Limits and controls".to_owned(),
        columns: &["Name", "Of", "Rule", "At most", "In", "Used", "Mode"],
        rows: controls.controls.iter().map(row).collect(),
        empty: "Nothing limits this card.",
        next: None,
        csv: None,
    })
}

/// A way to another card, where there is one.
fn other(card: Option<&String>) -> Cell {
    match card {
        Some(card) => Cell::to(card.as_str(), format!("/panel/cards/{card}")),
        None => Cell::some(None::<String>),
    }
}

fn facts(card: &Card) -> Vec<(&'static str, Cell)> {
    let lock = card.lock.as_ref().map(|lock| {
        format!("{} ({}), set by {}", spoken(&lock.reason), lock.reason_code, spoken(&lock.set_by))
    });
    vec![
        ("Identifier", Cell::text(card.card_id.as_str())),
        ("Number", Cell::text(format!("ending in {}", card.last_four))),
        ("Form", Cell::text(spoken(&card.form))),
        ("Expires", Cell::text(card.expiry.as_str())),
        ("Status", Cell::state(&card.status)),
        ("Lock", Cell::some(lock)),
        ("PIN", Cell::text(spoken(&card.pin_status))),
        ("Name on it", Cell::some(card.holder_name.as_deref())),
        ("Partner's reference", Cell::some(card.reference.as_deref())),
        ("In place of", other(card.replaces.as_ref())),
        ("Replaced by", other(card.replaced_by.as_ref())),
        ("Plastic of", other(card.physical_of.as_ref())),
    ]
}

fn acts(visit: &Visit, card: &Card) -> [Option<Act>; 5] {
    let at = format!("/panel/cards/{}", card.card_id);
    let may = |call| visit.may("POST", call);
    let status = card.status.as_str();
    let removed = status == "REMOVED";
    let locked = card.lock.is_some();
    [
        Act::new("Activate", format!("{at}/activate"))
            .when(status == "INACTIVE" && may("/admin/cards/{cardId}/activate")),
        Act::harsh("Lock", format!("{at}/lock"))
            .when(!removed && !locked && may("/admin/cards/{cardId}/lock")),
        Act::new("Unlock", format!("{at}/unlock"))
            .when(!removed && locked && may("/admin/cards/{cardId}/unlock")),
        Act::harsh("Reset the printed code", format!("{at}/cvv"))
            .when(!removed && may("/admin/cards/{cardId}/cvv")),
        Act::harsh("Remove", format!("{at}/remove"))
            .when(!removed && visit.may("DELETE", "/admin/cards/{cardId}")),
    ]
}

async fn one(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Shown {
    let listing = authorizations::of_card(&id);
    if asked.wants_csv() {
        return listing.csv(&visit, "authorizations").await;
    }
    let card: Card = visit.get(&Call::get("/admin/cards/{cardId}/details").at(&id)).await?;
    let page = Page::new(format!("Card ending in {}", card.last_four))
        .said(said(&asked.said))
        .facts("", facts(&card))
        .acts(acts(&visit, &card))
        .table(controls(&visit, &id).await?)
        .table(listing.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}
