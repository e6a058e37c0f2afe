//! Webhooks of partners: endpoints, their messages, how each was tried.

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use serde::Deserialize;

use super::deed::said;
use super::partners::Whose;
use super::{Shown, partners};
use crate::call::Call;
use crate::desk::Desk;
use crate::listing::{Asked, Listing};
use crate::page::{Act, Cell, Page, moment};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel/webhooks", get(list))
        .route("/panel/webhooks/{webhookId}", get(one))
        .route("/panel/webhooks/{webhookId}/messages/{messageId}", get(message))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    webhook_id: String,
    url: String,
    events: Vec<String>,
    description: String,
    state: String,
    disabled_because: Option<String>,
    created_at: String,
}

fn listing(partner: &str) -> Listing<Webhook> {
    Listing {
        heading: "Endpoints",
        columns: &["Endpoint", "Address", "State", "Created"],
        empty: "There is no such endpoint.",
        call: Call::get("/admin/webhooks").with("partnerId", partner),
        paged: false,
        at: format!("/panel/webhooks?partner={partner}"),
        row: Box::new(|one| {
            vec![
                Cell::to(one.webhook_id.as_str(), format!("/panel/webhooks/{}", one.webhook_id)),
                Cell::text(one.url.as_str()),
                Cell::state(&one.state),
                Cell::moment(&one.created_at),
            ]
        }),
    }
}

async fn list(visit: Visit, Query(whose): Query<Whose>, Query(asked): Query<Asked>) -> Shown {
    let partner = whose.partner();
    let choose = partners::choose(&visit, "/panel/webhooks", partner.as_deref()).await?;
    let page = Page::new("Webhooks").question(Some(choose));
    let Some(partner) = partner else { return Ok(visit.show(page)) };
    let listing = listing(&partner);
    if asked.wants_csv() {
        return listing.csv(&visit, "webhooks").await;
    }
    Ok(visit.show(page.table(listing.table(&visit, "").await?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    event: String,
    at: String,
    state: String,
    attempts: u32,
    next_attempt_at: Option<String>,
}

fn messages(webhook: &str) -> Listing<Message> {
    let at = format!("/panel/webhooks/{webhook}");
    let place = at.clone();
    Listing {
        heading: "Messages",
        columns: &["When", "Event", "State", "Tries", "Next try"],
        empty: "Nothing was sent there yet.",
        call: Call::get("/admin/webhooks/{webhookId}/messages").at(webhook),
        paged: true,
        at,
        row: Box::new(move |one| {
            vec![
                Cell::to(moment(&one.at), format!("{place}/messages/{}", one.message_id)),
                Cell::text(one.event.as_str()),
                Cell::state(&one.state),
                Cell::number(one.attempts.to_string()),
                Cell::some(one.next_attempt_at.as_deref().map(moment)),
            ]
        }),
    }
}

async fn one(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Shown {
    let messages = messages(&id);
    if asked.wants_csv() {
        return messages.csv(&visit, "messages").await;
    }
    let webhook: Webhook = visit.get(&Call::get("/admin/webhooks/{webhookId}").at(&id)).await?;
    let page = Page::new("Endpoint")
        .said(said(&asked.said))
        .facts(
            "",
            vec![
                ("Identifier", Cell::text(webhook.webhook_id)),
                ("Address", Cell::text(webhook.url)),
                ("Description", Cell::text(webhook.description)),
                ("Events", Cell::text(webhook.events.join(", "))),
                ("State", Cell::state(&webhook.state)),
                ("Disabled because", Cell::some(webhook.disabled_because)),
                ("Created", Cell::moment(&webhook.created_at)),
            ],
        )
        .table(messages.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    number: u32,
    at: String,
    outcome: String,
    status: Option<u16>,
    duration_ms: u64,
    answer: String,
}

async fn message(visit: Visit, Path((webhook, id)): Path<(String, String)>) -> Shown {
    let at = format!("/panel/webhooks/{webhook}/messages/{id}");
    let template = "/admin/webhooks/{webhookId}/messages/{messageId}/attempts";
    let attempts = Listing::<Attempt> {
        heading: "Tries",
        columns: &["Try", "When", "Outcome", "Status", "ms", "Answer"],
        empty: "It was not tried yet.",
        call: Call::get(template).at(&webhook).at(&id),
        paged: false,
        at: at.clone(),
        row: Box::new(|one| {
            vec![
                Cell::number(one.number.to_string()),
                Cell::moment(&one.at),
                Cell::text(one.outcome.as_str()),
                Cell::some(one.status.map(|status| status.to_string())),
                Cell::number(one.duration_ms.to_string()),
                Cell::text(one.answer.as_str()),
            ]
        }),
    };
    let resend = "/admin/webhooks/{webhookId}/messages/{messageId}/resend";
    let mut tries = attempts.table(&visit, "").await?;
    tries.csv = None;
    let page = Page::new("Message")
        .facts("", vec![("Identifier", Cell::text(id.as_str()))])
        .acts([Act::new("Send again", format!("{at}/resend")).when(visit.may("POST", resend))])
        .table(tries);
    Ok(visit.show(page))
}
