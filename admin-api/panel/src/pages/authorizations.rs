//! What was decided: lists by card and by account, and one authorization with its decision trace,
//! its amounts and what came of it.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde::Deserialize;

use super::Shown;
use crate::amounts::Money;
use crate::call::Call;
use crate::desk::Desk;
use crate::listing::Listing;
use crate::page::{Cell, Page, Table, Tone, spoken};
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/panel/cards/{cardId}/authorizations/{authorizationId}", get(one))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Authorization {
    authorization_id: String,
    at: String,
    approved: bool,
    outcome: String,
    reason: String,
    description: String,
    approval_code: Option<String>,
    class: String,
    kind: String,
    amounts: Amounts,
    closed: bool,
    completes: Option<String>,
    card_id: Option<String>,
    merchant: String,
    mcc: String,
    country: Option<String>,
    entry_mode: String,
    channel: String,
}

#[derive(Deserialize)]
struct Amounts {
    requested: Money,
    original: Option<Money>,
    authorized: Money,
    incremented: Money,
    reversed: Money,
    cleared: Money,
    refunded: Money,
    held: Money,
}

const COLUMNS: &[&str] =
    &["When", "What", "Amount", "Outcome", "Reason", "Merchant", "MCC", "Channel"];

fn outcome(of: &Authorization) -> Cell {
    let tone = if of.approved { Tone::Good } else { Tone::Bad };
    Cell::toned(spoken(&of.outcome), tone)
}

fn row(of: &Authorization) -> Vec<Cell> {
    let at = match &of.card_id {
        Some(card) => {
            let to = format!("/panel/cards/{card}/authorizations/{}", of.authorization_id);
            Cell::to(crate::page::moment(&of.at), to)
        }
        None => Cell::moment(&of.at),
    };
    vec![
        at,
        Cell::text(spoken(&of.kind)),
        of.amounts.requested.cell(),
        outcome(of),
        Cell::text(of.description.as_str()),
        Cell::text(of.merchant.as_str()),
        Cell::text(of.mcc.as_str()),
        Cell::text(spoken(&of.channel)),
    ]
}

fn listing(call: Call, at: String) -> Listing<Authorization> {
    Listing {
        heading: "Authorizations",
        columns: COLUMNS,
        empty: "Nothing was decided in the days that are looked at.",
        call,
        paged: true,
        at,
        row: Box::new(row),
    }
}

/// Those of a card.
pub(super) fn of_card(card: &str) -> Listing<Authorization> {
    let call = Call::get("/admin/cards/{cardId}/authorizations").at(card);
    listing(call, format!("/panel/cards/{card}"))
}

/// Those of an account.
pub(super) fn of_balance(customer: &str, balance: &str) -> Listing<Authorization> {
    let template = "/admin/customers/{customerId}/balances/{balanceId}/authorizations";
    let call = Call::get(template).at(customer).at(balance);
    listing(call, format!("/panel/customers/{customer}/balances/{balance}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Traced {
    authorization: Authorization,
    events: Vec<Event>,
    more_events: bool,
    trace: Trace,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    at: String,
    kind: String,
    message_id: String,
    answered: Option<String>,
    moved: Moved,
}

#[derive(Deserialize)]
struct Moved {
    held: Option<Money>,
    incremented: Option<Money>,
    reversed: Option<Money>,
    cleared: Option<Money>,
    refunded: Option<Money>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    decided_by: String,
    checks: Vec<Check>,
    compared: Option<Compared>,
    declined_by: Option<Control>,
    would_decline: Vec<Control>,
    verified: Vec<Finding>,
}

#[derive(Deserialize)]
struct Check {
    check: u8,
    name: String,
    said: String,
    decided: bool,
}

#[derive(Deserialize)]
struct Compared {
    needed: String,
    there: String,
}

#[derive(Deserialize)]
struct Control {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    of: String,
    found: String,
}

fn controls(of: &[Control]) -> Option<String> {
    let names =
        of.iter().map(|one| one.name.clone().unwrap_or_else(|| "one that is no more".to_owned()));
    let names = names.collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then_some(names)
}

fn checks(trace: &Trace) -> Table {
    let row = |one: &Check| {
        let tone = match one.said.as_str() {
            "PASSED" => Tone::Good,
            "FAILED" => Tone::Bad,
            _ => Tone::Plain,
        };
        let decided = if one.decided { "decided" } else { "" };
        vec![
            Cell::number(one.check.to_string()),
            Cell::text(one.name.as_str()),
            Cell::toned(spoken(&one.said), tone),
            Cell::text(decided),
        ]
    };
    Table {
        heading: "Decision trace".to_owned(),
        columns: &["Check", "Of", "Said", ""],
        rows: trace.checks.iter().map(row).collect(),
        empty: "It was decided before there were traces.",
        next: None,
        csv: None,
    }
}

fn events(events: &[Event]) -> Table {
    let row = |one: &Event| {
        let Moved { held, incremented, reversed, cleared, refunded } = &one.moved;
        let amount = |money: &Option<Money>| match money {
            Some(money) => money.cell(),
            None => Cell::default(),
        };
        vec![
            Cell::moment(&one.at),
            Cell::text(spoken(&one.kind)),
            amount(held),
            amount(incremented),
            amount(reversed),
            amount(cleared),
            amount(refunded),
            Cell::some(one.answered.as_deref().map(spoken)),
            Cell::text(one.message_id.as_str()),
        ]
    };
    Table {
        heading: "What came of it".to_owned(),
        columns: &[
            "When",
            "What",
            "Held",
            "Incremented",
            "Reversed",
            "Cleared",
            "Refunded",
            "Answered",
            "Message",
        ],
        rows: events.iter().map(row).collect(),
        empty: "Nothing came of it.",
        next: None,
        csv: None,
    }
}

fn facts(of: &Authorization) -> Vec<(&'static str, Cell)> {
    vec![
        ("Identifier", Cell::text(of.authorization_id.as_str())),
        ("When", Cell::moment(&of.at)),
        ("Outcome", outcome(of)),
        ("Reason", Cell::text(format!("{} ({})", of.description, of.reason))),
        ("Approval code", Cell::some(of.approval_code.as_deref())),
        ("Open", Cell::whether(!of.closed)),
        ("Completes", Cell::some(of.completes.as_deref())),
    ]
}

fn message(of: &Authorization) -> Vec<(&'static str, Cell)> {
    vec![
        ("Message", Cell::text(spoken(&of.class))),
        ("Asks for", Cell::text(spoken(&of.kind))),
        ("Merchant", Cell::text(of.merchant.as_str())),
        ("Merchant category", Cell::text(of.mcc.as_str())),
        ("Country", Cell::some(of.country.as_deref())),
        ("Entry mode", Cell::text(spoken(&of.entry_mode))),
        ("Channel", Cell::text(spoken(&of.channel))),
    ]
}

fn amounts(of: &Amounts) -> Vec<(&'static str, Cell)> {
    let named = [
        ("Requested", Some(&of.requested)),
        ("In the message's currency", of.original.as_ref()),
        ("Authorized", Some(&of.authorized)),
        ("Incremented", Some(&of.incremented).filter(|it| !it.is_zero())),
        ("Reversed", Some(&of.reversed).filter(|it| !it.is_zero())),
        ("Cleared", Some(&of.cleared).filter(|it| !it.is_zero())),
        ("Refunded", Some(&of.refunded).filter(|it| !it.is_zero())),
        ("Held now", Some(&of.held)),
    ];
    let shown = named.into_iter().filter_map(|(name, money)| Some((name, money?.cell())));
    shown.collect()
}

async fn one(visit: Visit, Path((card, id)): Path<(String, String)>) -> Shown {
    let template = "/admin/cards/{cardId}/authorizations/{authorizationId}";
    let traced: Traced = visit.get(&Call::get(template).at(&card).at(&id)).await?;
    let Traced { authorization, events: of, more_events, trace } = traced;
    let compared = trace.compared.as_ref();
    let compared = compared.map(|it| format!("needed {}, there was {}", it.needed, it.there));
    let decided = vec![
        ("Decided by", Cell::text(trace.decided_by.as_str())),
        ("Compared", Cell::some(compared)),
        (
            "Declined by the control",
            Cell::some(trace.declined_by.as_ref().and_then(|one| one.name.clone())),
        ),
        ("Would have declined", Cell::some(controls(&trace.would_decline))),
    ];
    let verified = trace.verified.iter();
    let verified = verified.map(|one| format!("{}: {}", spoken(&one.of), spoken(&one.found)));
    let more = if more_events { "There is more than is shown." } else { "" };
    let verified = verified.collect::<Vec<_>>().join("; ");
    let verified = if verified.is_empty() { verified } else { format!("Verified: {verified}.") };
    let page = Page::new("Authorization")
        .facts("Decision", facts(&authorization))
        .facts("Message", message(&authorization))
        .facts("Amounts", amounts(&authorization.amounts))
        .facts("Why", decided)
        .note(verified)
        .table(checks(&trace))
        .table(events(&of))
        .note(more);
    Ok(visit.show(page))
}
