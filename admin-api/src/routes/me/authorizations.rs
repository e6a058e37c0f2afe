//! `/customers/me`: what was decided of the customer's own cards and accounts (SR-149). It shows
//! what came of each, and why; what the checks said of it is not for holders.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use switch_domain::Balance;

use super::owner;
use crate::http::Query;
use crate::routes::Answered;
use crate::routes::accounts;
use crate::routes::authorizations::{
    DecisionPage, Decisions, HoldersAuthorization, Reader, of_balance, of_card, told_to_holder,
};
use crate::routes::cards::find;
use crate::routes::problems::Problems;
use crate::routes::served::Management;
use crate::service::authorizations::Asker;
use crate::service::users::Session;

fn asker(balance: &Balance) -> Asker {
    Asker::Holder(balance.partner, balance.customer)
}

/// List what was decided of a card, the latest first.
///
/// `HISTORY_TIMEOUT` where that cannot be read in time. What was decided a moment ago may not be
/// there yet.
#[utoipa::path(
    get, path = "/customers/me/cards/{cardId}/authorizations", tag = "authorizations",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"), Decisions),
    responses((status = 200, body = DecisionPage), Problems)
)]
pub(in crate::routes) async fn list_of_card(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(card): Path<String>,
    Query(wanted): Query<Decisions>,
) -> Answered<Json<DecisionPage>> {
    let owned = find(&this, owner(&session), &card).await?;
    of_card(&this, (asker(&owned.balance), Reader::Holder), &owned, &wanted).await
}

/// Read an authorization of a card, and what happened to it.
#[utoipa::path(
    get, path = "/customers/me/cards/{cardId}/authorizations/{authorizationId}",
    tag = "authorizations",
    params(
        ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        ("authorizationId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
    ),
    responses((status = 200, body = HoldersAuthorization), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path((card, id)): Path<(String, String)>,
) -> Answered<Json<HoldersAuthorization>> {
    let owned = find(&this, owner(&session), &card).await?;
    told_to_holder(&this, asker(&owned.balance), &owned, &id).await
}

/// List what was decided of an account, by whichever of its cards, the latest first.
///
/// `HISTORY_TIMEOUT` where that cannot be read in time. What was decided a moment ago may not be
/// there yet.
#[utoipa::path(
    get, path = "/customers/me/balances/{balanceId}/authorizations", tag = "authorizations",
    params(("balanceId" = Uuid, Path), Decisions),
    responses((status = 200, body = DecisionPage), Problems)
)]
pub(in crate::routes) async fn list_of_balance(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(balance): Path<String>,
    Query(wanted): Query<Decisions>,
) -> Answered<Json<DecisionPage>> {
    let found = accounts::find(&this, owner(&session), &balance).await?;
    of_balance(&this, (asker(&found.balance), Reader::Holder), found.balance.id, &wanted).await
}
