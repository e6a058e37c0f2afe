//! Programmes: the list, and one with its keys by their check values and what was changed of it.

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
use crate::page::{Cell, Page, Table, spoken};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel/programmes", get(list))
        .route("/panel/programmes/{programmeId}", get(one))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Programme {
    programme_id: i64,
    partner_id: i64,
    name: String,
    bins: Bins,
    currency: String,
    funding: Funding,
    configuration_id: String,
    terminal: Option<String>,
    home_country: Option<String>,
    processor: Option<Maker>,
    #[serde(default)]
    keys: Option<Vec<Key>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bins {
    low: String,
    high: String,
    pan_length: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Funding {
    kind: String,
    pool_id: String,
    custody: String,
}

#[derive(Deserialize)]
struct Maker {
    name: String,
    configured: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    role: String,
    name: String,
    check_value: Option<String>,
}

/// Of a partner, or of all.
pub(super) fn listing(partner: &str) -> Listing<Programme> {
    let at = match partner {
        "" => "/panel/programmes".to_owned(),
        partner => format!("/panel/programmes?partner={partner}"),
    };
    Listing {
        heading: "Programmes",
        columns: &["Programme", "Name", "Partner", "BINs", "Digits", "Currency", "Funding"],
        empty: "There is no programme yet.",
        call: Call::get("/admin/programmes").with("partnerId", partner),
        paged: true,
        at,
        row: Box::new(|one| {
            vec![
                Cell::to(
                    one.programme_id.to_string(),
                    format!("/panel/programmes/{}", one.programme_id),
                ),
                Cell::text(one.name.as_str()),
                Cell::to(one.partner_id.to_string(), format!("/panel/partners/{}", one.partner_id)),
                Cell::text(format!("{} to {}", one.bins.low, one.bins.high)),
                Cell::number(one.bins.pan_length.to_string()),
                Cell::text(one.currency.as_str()),
                Cell::text(spoken(&one.funding.kind)),
            ]
        }),
    }
}

async fn list(visit: Visit, Query(whose): Query<Whose>, Query(asked): Query<Asked>) -> Shown {
    let listing = listing(&whose.partner().unwrap_or_default());
    if asked.wants_csv() {
        return listing.csv(&visit, "programmes").await;
    }
    let page = Page::new("Programmes").table(listing.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}

fn keys(keys: &[Key]) -> Table {
    let row = |one: &Key| {
        vec![
            Cell::text(one.role.as_str()),
            Cell::text(one.name.as_str()),
            Cell::some(one.check_value.as_deref()),
        ]
    };
    Table {
        heading: "Keys".to_owned(),
        columns: &["For", "Name", "Check value"],
        rows: keys.iter().map(row).collect(),
        empty: "This programme names no keys: its cards are not verified.",
        next: None,
        csv: None,
    }
}

async fn one(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Shown {
    let read = Call::get("/admin/programmes/{programmeId}").at(&id);
    let programme: Programme = visit.get(&read).await?;
    let at = format!("/panel/programmes/{}", programme.programme_id);
    let history = Call::get("/admin/programmes/{programmeId}/changes").at(&id);
    let history = partners::changes(history, at);
    if asked.wants_csv() {
        return history.csv(&visit, "changes").await;
    }
    let processor = programme.processor.as_ref().map(|maker| match maker.configured {
        true => maker.name.clone(),
        false => format!("{}, which is not configured here", maker.name),
    });
    let funding = &programme.funding;
    let page = Page::new(programme.name.as_str())
        .said(said(&asked.said))
        .facts(
            "",
            vec![
                ("Identifier", Cell::text(programme.programme_id.to_string())),
                (
                    "Partner",
                    Cell::to(
                        programme.partner_id.to_string(),
                        format!("/panel/partners/{}", programme.partner_id),
                    ),
                ),
                ("BINs", Cell::text(format!("{} to {}", programme.bins.low, programme.bins.high))),
                ("Digits of a number", Cell::text(programme.bins.pan_length.to_string())),
                ("Currency", Cell::text(programme.currency.as_str())),
                ("Funding", Cell::text(spoken(&funding.kind))),
                (
                    "Pool",
                    Cell::to(funding.pool_id.as_str(), format!("/panel/pools/{}", funding.pool_id)),
                ),
                ("Money is with the", Cell::text(spoken(&funding.custody))),
                ("Configuration", Cell::text(programme.configuration_id.as_str())),
                ("Terminal", Cell::some(programme.terminal.as_deref())),
                ("Home country", Cell::some(programme.home_country.as_deref())),
                (
                    "Processor",
                    Cell::text(processor.unwrap_or_else(|| "the switch itself".to_owned())),
                ),
            ],
        )
        .table(keys(programme.keys.as_deref().unwrap_or_default()))
        .table(history.table(&visit, &asked.cursor).await?);
    Ok(visit.show(page))
}
