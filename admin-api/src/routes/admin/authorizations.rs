//! `/admin`: what was decided of a card or an account, of whichever tenant, for who is asked why.

use axum::Json;
use axum::extract::{Path, State};

use super::super::Answered;
use super::super::accounts::{self, Owner};
use super::super::authorizations::{
    DecisionPage, Decisions, Reader, TracedAuthorization, of_balance, of_card, traced,
};
use super::super::problems::Problems;
use super::super::served::Panel;
use super::customers::holder_of;
use crate::http::Query;
use crate::service::authorizations::Asker;

/// List what was decided of a card, the latest first.
///
/// `HISTORY_TIMEOUT` where that cannot be read in time. What was decided a moment ago may not be
/// there yet.
#[utoipa::path(
    get, path = "/admin/cards/{cardId}/authorizations", tag = "authorizations",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"), Decisions),
    responses((status = 200, body = DecisionPage), Problems)
)]
pub(in crate::routes) async fn list_of_card(
    State(this): State<Panel>,
    Path(card): Path<String>,
    Query(wanted): Query<Decisions>,
) -> Answered<Json<DecisionPage>> {
    let owned = this.management.cards.any(&card).await?;
    of_card(&this.management, (Asker::Operator, Reader::Issuer), &owned, &wanted).await
}

/// Read an authorization of a card: what happened to it, and how it was decided.
#[utoipa::path(
    get, path = "/admin/cards/{cardId}/authorizations/{authorizationId}", tag = "authorizations",
    params(
        ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        ("authorizationId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
    ),
    responses((status = 200, body = TracedAuthorization), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path((card, id)): Path<(String, String)>,
) -> Answered<Json<TracedAuthorization>> {
    let owned = this.management.cards.any(&card).await?;
    traced(&this.management, Asker::Operator, &owned, &id).await
}

/// List what was decided of an account, by whichever of its cards, the latest first.
///
/// `HISTORY_TIMEOUT` where that cannot be read in time. What was decided a moment ago may not be
/// there yet.
#[utoipa::path(
    get, path = "/admin/customers/{customerId}/balances/{balanceId}/authorizations",
    tag = "authorizations",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path), Decisions),
    responses((status = 200, body = DecisionPage), Problems)
)]
pub(in crate::routes) async fn list_of_balance(
    State(this): State<Panel>,
    Path((customer, balance)): Path<(String, String)>,
    Query(wanted): Query<Decisions>,
) -> Answered<Json<DecisionPage>> {
    let (partner, customer) = holder_of(&this, &customer).await?;
    let owner = Owner { partner, customer };
    let found = accounts::find(&this.management, owner, &balance).await?;
    of_balance(&this.management, (Asker::Operator, Reader::Issuer), found.balance.id, &wanted).await
}
