//! The audit: who did what.

use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use serde::Deserialize;

use super::Shown;
use crate::call::Call;
use crate::desk::Desk;
use crate::listing::{Asked, Listing};
use crate::page::{Cell, Field, Page, Question, Tone, spoken};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/panel/audit", get(list))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    number: i64,
    at: String,
    actor: String,
    act: String,
    outcome: String,
    code: Option<String>,
    origin: String,
    object: String,
    request_id: String,
}

#[derive(Deserialize)]
struct Of {
    #[serde(default)]
    request: String,
}

fn listing(request: &str) -> Listing<Record> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("request", request);
    let kept = if request.is_empty() { String::new() } else { format!("?{}", query.finish()) };
    Listing {
        heading: "Records",
        columns: &["Number", "When", "Who", "What", "To", "Outcome", "Code", "From", "Request"],
        empty: "There is no such record.",
        call: Call::get("/admin/audit").with("requestId", request),
        paged: true,
        at: format!("/panel/audit{kept}"),
        row: Box::new(|one| {
            let tone = if one.outcome == "DONE" { Tone::Good } else { Tone::Waiting };
            vec![
                Cell::number(one.number.to_string()),
                Cell::moment(&one.at),
                Cell::text(one.actor.as_str()),
                Cell::text(one.act.as_str()),
                Cell::text(one.object.as_str()),
                Cell::toned(spoken(&one.outcome), tone),
                Cell::some(one.code.as_deref()),
                Cell::text(one.origin.as_str()),
                Cell::text(one.request_id.as_str()),
            ]
        }),
    }
}

async fn list(visit: Visit, Query(of): Query<Of>, Query(asked): Query<Asked>) -> Shown {
    let listing = listing(of.request.trim());
    if asked.wants_csv() {
        return listing.csv(&visit, "audit").await;
    }
    let narrow = Question::search("Search", "/panel/audit")
        .field(Field::line("request", "Request").optional().value(of.request.trim()));
    let page = Page::new("Audit")
        .question(Some(narrow))
        .table(listing.table(&visit, &asked.cursor).await?)
        .note("The chain of the records is verified by: cardswitch audit verify.");
    Ok(visit.show(page))
}
