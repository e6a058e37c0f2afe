//! `/secure/customers/{customerId}`: what was decided of the cards and accounts of the partner's
//! customers (SR-149). It owns that whose they are is found out first.

use axum::extract::{Path, State};
use axum::{Extension, Json};

use super::{DecisionPage, Decisions, Reader, TracedAuthorization, of_balance, of_card, traced};
use crate::Problem;
use crate::http::{Caller, Query, public_id};
use crate::routes::accounts::{self, Owner};
use crate::routes::cards::find;
use crate::routes::problems::Problems;
use crate::routes::served::Management;
use crate::routes::{Answered, tenant};
use crate::service::authorizations::Asker;

fn owner(caller: &Caller, customer: &str) -> Result<Owner, Problem> {
    Ok(Owner { partner: tenant(caller)?, customer: public_id(customer, "customer")? })
}

/// List what was decided of a card, the latest first.
///
/// `HISTORY_TIMEOUT` where that cannot be read in time. What was decided a moment ago may not be
/// there yet.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/cards/{cardId}/authorizations",
    tag = "authorizations",
    params(
        ("customerId" = Uuid, Path),
        ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        Decisions,
    ),
    responses((status = 200, body = DecisionPage), Problems)
)]
pub(in crate::routes) async fn list_of_card(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card)): Path<(String, String)>,
    Query(wanted): Query<Decisions>,
) -> Answered<Json<DecisionPage>> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    of_card(&this, (Asker::Partner(tenant(&caller)?), Reader::Issuer), &owned, &wanted).await
}

/// Read an authorization of a card: what happened to it, and how it was decided.
#[utoipa::path(
    get,
    path = "/secure/customers/{customerId}/cards/{cardId}/authorizations/{authorizationId}",
    tag = "authorizations",
    params(
        ("customerId" = Uuid, Path),
        ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        ("authorizationId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
    ),
    responses((status = 200, body = TracedAuthorization), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card, id)): Path<(String, String, String)>,
) -> Answered<Json<TracedAuthorization>> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    traced(&this, Asker::Partner(tenant(&caller)?), &owned, &id).await
}

/// List what was decided of an account, by whichever of its cards, the latest first.
///
/// `HISTORY_TIMEOUT` where that cannot be read in time. What was decided a moment ago may not be
/// there yet.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/balances/{balanceId}/authorizations",
    tag = "authorizations",
    params(("customerId" = Uuid, Path), ("balanceId" = Uuid, Path), Decisions),
    responses((status = 200, body = DecisionPage), Problems)
)]
pub(in crate::routes) async fn list_of_balance(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, balance)): Path<(String, String)>,
    Query(wanted): Query<Decisions>,
) -> Answered<Json<DecisionPage>> {
    let found = accounts::find(&this, owner(&caller, &customer)?, &balance).await?;
    of_balance(&this, (Asker::Partner(tenant(&caller)?), Reader::Issuer), found.balance.id, &wanted)
        .await
}
