//! What waits for a decision: customers to be verified, companies with their documents.

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde::Deserialize;

use super::Shown;
use super::deed::said;
use super::moves::{self, Move};
use crate::call::Call;
use crate::desk::{Brought, Desk};
use crate::listing::{Asked, Listing};
use crate::page::{Act, Cell, Choice, Field, Page, Question, Table, moment, spoken};
use crate::refused::Refused;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel/reviews", get(customers))
        .route("/panel/reviews/corporations", get(corporations))
        .route("/panel/corporations/{dcCorporationId}", get(corporation))
        .route("/panel/corporations/{dcCorporationId}/documents/{documentId}", get(document))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    customer_id: String,
    partner_id: i64,
    mode: String,
    since: Option<String>,
    provider_gave_up: bool,
}

fn waiting() -> Listing<Waiting> {
    Listing {
        heading: "Customers to be verified",
        columns: &["Customer", "Partner", "Verified by", "Since", "Provider"],
        empty: "No customer waits for a decision.",
        call: Call::get("/admin/kyc"),
        paged: true,
        at: "/panel/reviews".to_owned(),
        row: Box::new(|one| {
            let provider = if one.provider_gave_up { "gave up" } else { "\u{2013}" };
            vec![
                Cell::to(one.customer_id.as_str(), format!("/panel/customers/{}", one.customer_id)),
                Cell::to(one.partner_id.to_string(), format!("/panel/partners/{}", one.partner_id)),
                Cell::text(spoken(&one.mode)),
                Cell::some(one.since.as_deref().map(moment)),
                Cell::text(provider),
            ]
        }),
    }
}

async fn customers(visit: Visit, Query(asked): Query<Asked>) -> Shown {
    let waiting = waiting();
    if asked.wants_csv() {
        return waiting.csv(&visit, "verifications").await;
    }
    let others = Act::new("Corporations", "/panel/reviews/corporations");
    let page = Page::new("Reviews")
        .acts([Some(others)])
        .table(waiting.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Queued {
    dc_corporation_id: String,
    partner_id: i64,
    kyb_state: String,
    since: String,
    created_at: String,
}

const STATES: [&str; 4] = ["PENDING", "ON_HOLD", "APPROVED", "REJECTED"];

fn queue(state: &'static str) -> Listing<Queued> {
    Listing {
        heading: "Corporations",
        columns: &["Corporation", "Partner", "State", "Since", "Created"],
        empty: "There is no such corporation.",
        call: Call::get("/admin/corporations").with("state", state),
        paged: true,
        at: format!("/panel/reviews/corporations?state={state}"),
        row: Box::new(|one| {
            vec![
                Cell::to(
                    one.dc_corporation_id.as_str(),
                    format!("/panel/corporations/{}", one.dc_corporation_id),
                ),
                Cell::to(one.partner_id.to_string(), format!("/panel/partners/{}", one.partner_id)),
                Cell::state(&one.kyb_state),
                Cell::moment(&one.since),
                Cell::moment(&one.created_at),
            ]
        }),
    }
}

#[derive(Deserialize)]
struct InState {
    #[serde(default)]
    state: String,
}

async fn corporations(
    visit: Visit,
    Query(of): Query<InState>,
    Query(asked): Query<Asked>,
) -> Shown {
    let state = STATES.into_iter().find(|state| *state == of.state).unwrap_or("PENDING");
    let queue = queue(state);
    if asked.wants_csv() {
        return queue.csv(&visit, "corporations").await;
    }
    let states = STATES.map(|one| Choice::new(one, spoken(one)).if_is(state));
    let narrow = Question::search("Narrow", "/panel/reviews/corporations")
        .field(Field::choice("state", "State", states));
    let page = Page::new("Corporations")
        .question(Some(narrow))
        .table(queue.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Corporation {
    dc_corporation_id: String,
    partner_id: i64,
    reference: Option<String>,
    kyb_state: String,
    since: String,
    created_at: String,
    company: Company,
    moves: Vec<Move>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Company {
    legal_name: String,
    registration_number: String,
    street: String,
    postal_code: String,
    city: String,
    country: String,
    contact_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    document_id: String,
    kind: String,
    file_name: String,
    media_type: String,
    bytes: u64,
    sent_at: String,
}

async fn documents(visit: &Visit, corporation: &str) -> Result<Table, Refused> {
    let place = format!("/panel/corporations/{corporation}");
    let read = visit.may("GET", "/admin/corporations/{dcCorporationId}/documents/{documentId}");
    let listing = Listing::<Document> {
        heading: "Documents",
        columns: &["File", "Kind", "Type", "Bytes", "Sent"],
        empty: "No document was sent.",
        call: Call::get("/admin/corporations/{dcCorporationId}/documents").at(corporation),
        paged: false,
        at: place.clone(),
        row: Box::new(move |one| {
            let name = one.file_name.as_str();
            let file = match read {
                true => Cell::to(name, format!("{place}/documents/{}", one.document_id)),
                false => Cell::text(name),
            };
            vec![
                file,
                Cell::text(spoken(&one.kind)),
                Cell::text(one.media_type.as_str()),
                Cell::number(one.bytes.to_string()),
                Cell::moment(&one.sent_at),
            ]
        }),
    };
    let mut table = listing.table(visit, "").await?;
    table.csv = None;
    Ok(table)
}

async fn corporation(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Shown {
    let read = Call::get("/admin/corporations/{dcCorporationId}").at(&id);
    let corporation: Corporation = visit.get(&read).await?;
    let Corporation { company, moves: decided, .. } = corporation;
    let decide = "/admin/corporations/{dcCorporationId}/kyb";
    let place = [company.street, company.postal_code, company.city, company.country].join(", ");
    let page = Page::new(company.legal_name)
        .said(said(&asked.said))
        .facts(
            "",
            vec![
                ("Identifier", Cell::text(corporation.dc_corporation_id)),
                (
                    "Partner",
                    Cell::to(
                        corporation.partner_id.to_string(),
                        format!("/panel/partners/{}", corporation.partner_id),
                    ),
                ),
                ("Partner's reference", Cell::some(corporation.reference)),
                ("State", Cell::state(&corporation.kyb_state)),
                ("Since", Cell::moment(&corporation.since)),
                ("Created", Cell::moment(&corporation.created_at)),
                ("Registration number", Cell::text(company.registration_number)),
                ("Address", Cell::text(place)),
                ("Contact", Cell::some(company.contact_name)),
                ("E-mail", Cell::some(company.email)),
                ("Phone", Cell::some(company.phone)),
            ],
        )
        .acts([Act::new("Decide", format!("/panel/corporations/{id}/kyb"))
            .when(visit.may("POST", decide))])
        .table(documents(&visit, &id).await?)
        .table(moves::table("Decisions", &decided));
    Ok(visit.show(page))
}

/// A document, to be kept as a file: nothing that others sent is shown as a page of ours.
async fn document(visit: Visit, Path((corporation, id)): Path<(String, String)>) -> Shown {
    let template = "/admin/corporations/{dcCorporationId}/documents/{documentId}";
    let answer =
        visit.ask(&Call::get(template).at(&corporation).at(&id), Brought::default()).await?;
    let form = answer.headers.get(header::CONTENT_TYPE).cloned();
    let form = form.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let kept = answer.headers.get(header::CONTENT_DISPOSITION).cloned();
    let kept = kept.unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [(header::CONTENT_TYPE, form), (header::CONTENT_DISPOSITION, kept)];
    Ok((headers, answer.body).into_response())
}
