//! Customers: the list, and one of them with accounts, cards and verification.

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use serde::Deserialize;

use super::deed::said;
use super::moves::{self, Move};
use super::partners::Whose;
use super::{Shown, balances, cards, partners};
use crate::call::Call;
use crate::desk::Desk;
use crate::listing::{Asked, Listing};
use crate::page::{Act, Cell, Page, Table};
use crate::refused::Refused;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel/customers", get(list))
        .route("/panel/customers/{customerId}", get(one))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    customer_id: String,
    partner_id: i64,
    reference: Option<String>,
    state: String,
    kyc_state: String,
}

fn listing(partner: &str) -> Listing<Line> {
    Listing {
        heading: "Customers",
        columns: &["Customer", "Partner", "Partner's reference", "State", "Verification"],
        empty: "There is no such customer.",
        call: Call::get("/admin/customers").with("partnerId", partner),
        paged: true,
        at: format!("/panel/customers?partner={partner}"),
        row: Box::new(|one| {
            vec![
                Cell::to(one.customer_id.as_str(), format!("/panel/customers/{}", one.customer_id)),
                Cell::to(one.partner_id.to_string(), format!("/panel/partners/{}", one.partner_id)),
                Cell::some(one.reference.as_deref()),
                Cell::state(&one.state),
                Cell::state(&one.kyc_state),
            ]
        }),
    }
}

async fn list(visit: Visit, Query(whose): Query<Whose>, Query(asked): Query<Asked>) -> Shown {
    let partner = whose.partner();
    let choose = partners::choose(&visit, "/panel/customers", partner.as_deref()).await?;
    let page = Page::new("Customers").question(Some(choose));
    let Some(partner) = partner else { return Ok(visit.show(page)) };
    let listing = listing(&partner);
    if asked.wants_csv() {
        return listing.csv(&visit, "customers").await;
    }
    Ok(visit.show(page.table(listing.table(&visit, &asked.cursor).await?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    customer_id: String,
    partner_id: i64,
    reference: Option<String>,
    state: String,
    kyc_state: String,
    person: Option<Person>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    given_name: String,
    family_name: String,
    birth_date: String,
    email: Option<String>,
    phone: Option<String>,
    street: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    country: Option<String>,
    language: Option<String>,
}

impl Person {
    fn facts(self) -> Vec<(&'static str, Cell)> {
        let place = [self.street, self.postal_code, self.city, self.country];
        let place: Vec<String> = place.into_iter().flatten().collect();
        let place = (!place.is_empty()).then(|| place.join(", "));
        vec![
            ("Name", Cell::text(format!("{} {}", self.given_name, self.family_name))),
            ("Born", Cell::text(self.birth_date)),
            ("E-mail", Cell::some(self.email)),
            ("Phone", Cell::some(self.phone)),
            ("Address", Cell::some(place)),
            ("Language", Cell::some(self.language)),
        ]
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    moves: Vec<Move>,
}

async fn verification(visit: &Visit, customer: &str) -> Result<Table, Refused> {
    let call = Call::get("/admin/customers/{customerId}/kyc").at(customer);
    let kept: Verification = visit.get(&call).await?;
    Ok(moves::table("Verification", &kept.moves))
}

async fn one(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Shown {
    match (asked.wants_csv(), asked.list.as_str()) {
        (true, "accounts") => return balances::of_customer(&id).csv(&visit, "accounts").await,
        (true, "cards") => return cards::of_customer(&id).csv(&visit, "cards").await,
        _ => {}
    }
    let read = Call::get("/admin/customers/{customerId}").at(&id);
    let customer: Customer = visit.get(&read).await?;
    let at = format!("/panel/customers/{}", customer.customer_id);
    let blocked = customer.state == "BLOCKED";
    let (block, unblock, decide) = (
        "/admin/customers/{customerId}/block",
        "/admin/customers/{customerId}/unblock",
        "/admin/customers/{customerId}/kyc",
    );
    let mut page = Page::new("Customer").said(said(&asked.said)).facts(
        "",
        vec![
            ("Identifier", Cell::text(customer.customer_id.as_str())),
            (
                "Partner",
                Cell::to(
                    customer.partner_id.to_string(),
                    format!("/panel/partners/{}", customer.partner_id),
                ),
            ),
            ("Partner's reference", Cell::some(customer.reference)),
            ("State", Cell::state(&customer.state)),
            ("Verification", Cell::state(&customer.kyc_state)),
        ],
    );
    page = match customer.person {
        Some(person) => page.facts("Person", person.facts()),
        None => page.note("Nothing personal is known of this customer."),
    };
    let page = page
        .acts([
            Act::harsh("Block", format!("{at}/block")).when(!blocked && visit.may("POST", block)),
            Act::new("Unblock", format!("{at}/unblock"))
                .when(blocked && visit.may("POST", unblock)),
            Act::new("Decide on the verification", format!("{at}/kyc/decide"))
                .when(visit.may("POST", decide)),
        ])
        .table(balances::of_customer(&id).table(&visit, "").await?)
        .table(cards::of_customer(&id).table(&visit, &asked.cursor).await?)
        .table(verification(&visit, &id).await?);
    Ok(visit.show(page))
}
