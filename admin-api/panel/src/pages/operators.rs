//! Operators: who there is, and what is done with them.

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use serde::Deserialize;

use super::Shown;
use super::deed::said;
use crate::call::Call;
use crate::desk::Desk;
use crate::listing::{Asked, Listing, Rows};
use crate::page::{Act, Cell, Page, spoken};
use crate::refused::Refused;
use crate::visit::Visit;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/panel/operators", get(list))
        .route("/panel/operators/{operatorId}", get(one))
}

const ALL: &str = "/admin/operators";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operator {
    operator_id: String,
    name: String,
    role: String,
    state: String,
    must_change_password: bool,
    seen_at: String,
    made_at: String,
}

fn listing() -> Listing<Operator> {
    Listing {
        heading: "Operators",
        columns: &["Name", "Role", "State", "Last seen"],
        empty: "There is nobody.",
        call: Call::get(ALL),
        paged: false,
        at: "/panel/operators".to_owned(),
        row: Box::new(|one| {
            vec![
                Cell::to(one.name.as_str(), format!("/panel/operators/{}", one.operator_id)),
                Cell::text(spoken(&one.role)),
                Cell::state(&one.state),
                Cell::moment(&one.seen_at),
            ]
        }),
    }
}

async fn list(visit: Visit, Query(asked): Query<Asked>) -> Shown {
    let listing = listing();
    if asked.wants_csv() {
        return listing.csv(&visit, "operators").await;
    }
    let page = Page::new("Operators")
        .said(said(&asked.said))
        .acts([Act::new("Invite", "/panel/operators/add").when(visit.may("POST", ALL))])
        .table(listing.table(&visit, "").await?);
    Ok(visit.show(page))
}

async fn one(visit: Visit, Path(id): Path<String>) -> Shown {
    let all: Rows<Operator> = visit.get(&Call::get(ALL)).await?;
    let found = all.items.into_iter().find(|one| one.operator_id == id);
    let one = found.ok_or_else(Refused::not_found)?;
    let at = format!("/panel/operators/{id}");
    let blocked = one.state == "BLOCKED";
    // Nobody does any of this to themselves.
    let other = one.operator_id != visit.operator.operator_id;
    let may = |call| other && visit.may("POST", call);
    let page = Page::new(one.name)
        .facts(
            "",
            vec![
                ("Role", Cell::text(spoken(&one.role))),
                ("State", Cell::state(&one.state)),
                ("Has still to choose a password", Cell::whether(one.must_change_password)),
                ("Last seen", Cell::moment(&one.seen_at)),
                ("Invited", Cell::moment(&one.made_at)),
            ],
        )
        .acts([
            Act::new("Give another role", format!("{at}/role"))
                .when(may("/admin/operators/{operatorId}/role")),
            Act::harsh("Reset", format!("{at}/reset"))
                .when(may("/admin/operators/{operatorId}/reset")),
            Act::harsh("Block", format!("{at}/block"))
                .when(!blocked && may("/admin/operators/{operatorId}/block")),
            Act::new("Unblock", format!("{at}/unblock"))
                .when(one.state != "ACTIVE" && may("/admin/operators/{operatorId}/unblock")),
        ]);
    Ok(visit.show(page))
}
