//! Pools of partners' money: levels, alarms, and reloads that four eyes look at.

use axum::Router;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::deed::said;
use super::partners::Whose;
use super::{Shown, partners};
use crate::amounts::Money;
use crate::call::Call;
use crate::desk::{Brought, Desk};
use crate::form::Sent;
use crate::listing::{Asked, Listing};
use crate::page::{Cell, Field, Page, Question, Tone, moment, spoken};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel/pools", get(list))
        .route("/panel/pools/{poolId}", get(one))
        .route("/panel/pools/{poolId}/reload", axum::routing::post(reload))
        .route("/panel/pools/{poolId}/alarm", axum::routing::post(set_alarm))
        .route("/panel/pools/{poolId}/reloads/{reloadId}", get(one_reload))
}

const RELOADS: &str = "/admin/pools/{poolId}/reloads";
const ALARM: &str = "/admin/pools/{poolId}/alert";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pool {
    pool_id: String,
    partner_id: i64,
    kind: String,
    currency: String,
    level: Money,
    held: Money,
    available: Money,
}

/// Of a partner.
pub(super) fn listing(partner: &str) -> Listing<Pool> {
    Listing {
        heading: "Pools",
        columns: &["Pool", "Partner", "Kind", "Level", "Held", "Available"],
        empty: "There is no pool yet.",
        call: Call::get("/admin/pools").with("partnerId", partner),
        paged: false,
        at: format!("/panel/pools?partner={partner}"),
        row: Box::new(|one| {
            let spent = one.available.value.starts_with('-') || one.available.is_zero();
            let available = match spent {
                true => Cell::toned(format!("{}: nothing left", one.available.text()), Tone::Bad),
                false => one.available.cell(),
            };
            vec![
                Cell::to(one.pool_id.as_str(), format!("/panel/pools/{}", one.pool_id)),
                Cell::to(one.partner_id.to_string(), format!("/panel/partners/{}", one.partner_id)),
                Cell::text(spoken(&one.kind)),
                one.level.cell(),
                one.held.cell(),
                available,
            ]
        }),
    }
}

async fn list(visit: Visit, Query(whose): Query<Whose>, Query(asked): Query<Asked>) -> Shown {
    let partner = whose.partner();
    let choose = partners::choose(&visit, "/panel/pools", partner.as_deref()).await?;
    let page = Page::new("Pools").question(Some(choose));
    let Some(partner) = partner else { return Ok(visit.show(page)) };
    let listing = listing(&partner);
    if asked.wants_csv() {
        return listing.csv(&visit, "pools").await;
    }
    Ok(visit.show(page.table(listing.table(&visit, "").await?)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alarm {
    below: Option<Money>,
    low_since: Option<String>,
    addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reload {
    reload_id: String,
    pool_id: String,
    amount: Money,
    reference: String,
    state: String,
    asked_at: String,
    asked_by: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<String>,
    waits_until: Option<String>,
    refusal: Option<String>,
}

fn reloads(pool: &str) -> Listing<Reload> {
    Listing {
        heading: "Reloads",
        columns: &["When", "Amount", "Reference", "State", "Asked by", "Decided by"],
        empty: "This pool was not reloaded yet.",
        call: Call::get(RELOADS).at(pool),
        paged: true,
        at: format!("/panel/pools/{pool}"),
        row: Box::new(|one| {
            let to = format!("/panel/pools/{}/reloads/{}", one.pool_id, one.reload_id);
            vec![
                Cell::to(moment(&one.asked_at), to),
                one.amount.cell(),
                Cell::text(one.reference.as_str()),
                Cell::state(&one.state),
                Cell::some(one.asked_by.as_deref()),
                Cell::some(one.decided_by.as_deref()),
            ]
        }),
    }
}

fn alarm_question(visit: &Visit, pool: &str, alarm: &Alarm, version: String) -> Option<Question> {
    let below = alarm.below.as_ref().map_or("", |below| below.value.as_str());
    Question::new(visit, "Alarm", format!("/panel/pools/{pool}/alarm"), "Set alarm")
        .says("Whoever is named is told by e-mail, once each time that the level falls below.")
        .hidden("version", version)
        .field(Field::line("below", "Below").optional().value(below).help("Empty: no alarm."))
        .field(
            Field::lines("addresses", "E-mail addresses")
                .optional()
                .value(alarm.addresses.join("\n"))
                .help("One a line."),
        )
        .when(visit.may("PUT", ALARM))
}

async fn one(visit: Visit, Path(id): Path<String>, Query(asked): Query<Asked>) -> Shown {
    let reloads = reloads(&id);
    if asked.wants_csv() {
        return reloads.csv(&visit, "reloads").await;
    }
    let pool: Pool = visit.get(&Call::get("/admin/pools/{poolId}").at(&id)).await?;
    let read = visit.ask(&Call::get(ALARM).at(&id), Brought::default()).await?;
    let alarm: Alarm = read.read()?;
    let low = alarm.low_since.as_deref();
    let state = match (&alarm.below, low) {
        (_, Some(since)) => Cell::toned(format!("low since {}", moment(since)), Tone::Bad),
        (Some(below), None) => Cell::toned(format!("above {}", below.text()), Tone::Good),
        (None, None) => Cell::text("no alarm is set"),
    };
    let reload = Question::new(&visit, "Reload", format!("/panel/pools/{id}/reload"), "Reload")
        .says("What the bank has received for this partner. Much waits for a second person.")
        .field(Field::line("amount", "Amount").help("In the pool's currency, as in 1250.00"))
        .field(Field::line("reference", "Reference of the bank"))
        .when(visit.may("POST", RELOADS));
    let page = Page::new(format!("Pool {}", pool.pool_id))
        .said(said(&asked.said).or(this_said(&asked.said)))
        .facts(
            "",
            vec![
                (
                    "Partner",
                    Cell::to(
                        pool.partner_id.to_string(),
                        format!("/panel/partners/{}", pool.partner_id),
                    ),
                ),
                ("Kind", Cell::text(spoken(&pool.kind))),
                ("Currency", Cell::text(pool.currency.as_str())),
                ("Level", pool.level.cell()),
                ("Held", pool.held.cell()),
                ("Available", pool.available.cell()),
                ("Alarm", state),
            ],
        )
        .table(reloads.table(&visit, &asked.cursor).await?)
        .question(reload)
        .question(alarm_question(&visit, &id, &alarm, read.version()));
    Ok(visit.show(page))
}

fn this_said(name: &str) -> Option<&'static str> {
    match name {
        "reload-booked" => Some("The reload is booked."),
        "reload-waits" => Some("The reload waits for a second person to approve it."),
        "alarm-set" => Some("The alarm is set."),
        _ => None,
    }
}

async fn reload(visit: Visit, Path(id): Path<String>, sent: Sent) -> Shown {
    let pool: Pool = visit.get(&Call::get("/admin/pools/{poolId}").at(&id)).await?;
    let amount = json!({ "value": sent.0.text("amount"), "currency": pool.currency });
    let body = json!({ "amount": amount, "reference": sent.0.text("reference") });
    let answer = visit.act(&Call::post(RELOADS).at(&id), &sent.0, Some(&body)).await?;
    let made: Reload = answer.read()?;
    let said = if made.state == "WAITING" { "reload-waits" } else { "reload-booked" };
    Ok(Redirect::to(&format!("/panel/pools/{}?said={said}", pool.pool_id)).into_response())
}

async fn set_alarm(visit: Visit, Path(id): Path<String>, sent: Sent) -> Shown {
    let pool: Pool = visit.get(&Call::get("/admin/pools/{poolId}").at(&id)).await?;
    let form = &sent.0;
    let below = form.some("below");
    let below = below.map(|value| json!({ "value": value, "currency": pool.currency }));
    let addresses: Vec<&str> = form.text("addresses").lines().map(str::trim).collect();
    let addresses: Vec<&str> = addresses.into_iter().filter(|line| !line.is_empty()).collect();
    let body = match below {
        Some(below) => json!({ "below": below, "addresses": addresses }),
        None => json!({ "addresses": addresses }),
    };
    let put = Call::new(axum::http::Method::PUT, ALARM).at(&id);
    match visit.change(&put, form, &body).await {
        Ok(_) => {
            let to = format!("/panel/pools/{}?said=alarm-set", pool.pool_id);
            Ok(Redirect::to(&to).into_response())
        }
        Err(refused) if refused.status == axum::http::StatusCode::PRECONDITION_FAILED => {
            Ok(partners::changed_meanwhile(&visit, &refused))
        }
        Err(refused) => Err(refused),
    }
}

async fn one_reload(visit: Visit, Path((pool, id)): Path<(String, String)>) -> Shown {
    let template = "/admin/pools/{poolId}/reloads/{reloadId}";
    let reload: Reload = visit.get(&Call::get(template).at(&pool).at(&id)).await?;
    let at = format!("/panel/pools/{}/reloads/{}", reload.pool_id, reload.reload_id);
    let waits = reload.state == "WAITING";
    let may = |call| waits && visit.may("POST", call);
    let page = Page::new("Reload")
        .facts(
            "",
            vec![
                (
                    "Pool",
                    Cell::to(reload.pool_id.as_str(), format!("/panel/pools/{}", reload.pool_id)),
                ),
                ("Amount", reload.amount.cell()),
                ("Reference of the bank", Cell::text(reload.reference.as_str())),
                ("State", Cell::state(&reload.state)),
                ("Asked", Cell::moment(&reload.asked_at)),
                ("Asked by", Cell::some(reload.asked_by)),
                ("Decided", Cell::some(reload.decided_at.as_deref().map(moment))),
                ("Decided by", Cell::some(reload.decided_by)),
                ("Waits until", Cell::some(reload.waits_until.as_deref().map(moment))),
                ("Refused because", Cell::some(reload.refusal)),
            ],
        )
        .acts([
            crate::page::Act::new("Approve", format!("{at}/approve"))
                .when(may("/admin/pools/{poolId}/reloads/{reloadId}/approve")),
            crate::page::Act::harsh("Refuse", format!("{at}/refuse"))
                .when(may("/admin/pools/{poolId}/reloads/{reloadId}/refuse")),
        ]);
    Ok(visit.show(page))
}
