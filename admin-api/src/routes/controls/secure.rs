//! Spend controls that partners set: of their customers' cards and accounts, and of their own
//! programmes. It owns that whose they are is found out before anything is said of them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use switch_domain::{ControlSubject, ProgrammeId};

use super::{ControlView, Controls, NewControl, changed, defined, listed, removed};
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, public_id};
use crate::routes::accounts::{self, Owner};
use crate::routes::cards::{drawn, find};
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::served::Management;
use crate::routes::{Answered, tenant};

fn owner(caller: &Caller, customer: &str) -> Result<Owner, Problem> {
    Ok(Owner { partner: tenant(caller)?, customer: public_id(customer, "customer")? })
}

async fn card_of(
    this: &Management,
    caller: &Caller,
    (customer, card): (&str, &str),
) -> Result<ControlSubject, Problem> {
    let owned = find(this, owner(caller, customer)?, card).await?;
    Ok(ControlSubject::Card(owned.card.id))
}

async fn balance_of(
    this: &Management,
    caller: &Caller,
    (customer, balance): (&str, &str),
) -> Result<ControlSubject, Problem> {
    let found = accounts::find(this, owner(caller, customer)?, balance).await?;
    Ok(ControlSubject::Balance(found.balance.id))
}

fn programme_of(
    this: &Management,
    caller: &Caller,
    programme: &str,
) -> Result<ControlSubject, Problem> {
    let none = || Problem::not_found("there is no such programme");
    let partner = tenant(caller)?;
    let id = programme.parse().ok().filter(|id: &i64| id.to_string() == programme);
    let id = ProgrammeId(id.ok_or_else(none)?);
    let control = this.services.node().control();
    let its = control.programmes.get(&id).is_some_and(|one| one.partner == partner);
    if its { Ok(ControlSubject::Programme(id)) } else { Err(none()) }
}

/// List the spend controls of a card.
#[utoipa::path(
    get,
    path = "/secure/customers/{customerId}/cards/{cardId}/controls",
    tag = "controls",
    params(
        ("customerId" = Uuid, Path),
        ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
    ),
    responses((status = 200, body = Controls), Problems)
)]
pub(in crate::routes) async fn list_of_card(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card)): Path<(String, String)>,
) -> Answered<Json<Controls>> {
    let subject = card_of(&this, &caller, (&customer, &card)).await?;
    listed(&this, subject).await
}

/// Make a spend control of a card: in force for the next authorization.
///
/// `EXHAUSTED` where there are as many as there may be.
#[utoipa::path(
    post,
    path = "/secure/customers/{customerId}/cards/{cardId}/controls",
    tag = "controls",
    params(
        ("customerId" = Uuid, Path),
        ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
    ),
    request_body = NewControl,
    responses((status = 201, body = ControlView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn define_of_card(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, card)): Path<(String, String)>,
    Body(new): Body<NewControl>,
) -> Answered<Response> {
    let subject = card_of(&this, &caller, (&customer, &card)).await?;
    let places = format!("/secure/customers/{customer}/cards/{card}/controls");
    defined(&this, subject, (&caller, keys.key(0)), new, &places).await
}

/// Change how much a spend control of a card lets through, its name, or whether it declines.
///
/// All of it is said again; what was used stays. What is counted otherwise is another control.
#[utoipa::path(
    put,
    path = "/secure/customers/{customerId}/cards/{cardId}/controls/{controlId}",
    tag = "controls",
    params(
        ("customerId" = Uuid, Path),
        ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        ("controlId" = Uuid, Path),
    ),
    request_body = NewControl,
    responses((status = 200, body = ControlView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn change_of_card(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card, control)): Path<(String, String, String)>,
    Body(new): Body<NewControl>,
) -> Answered<Json<ControlView>> {
    let subject = card_of(&this, &caller, (&customer, &card)).await?;
    changed(&this, (subject, &control), (&caller, drawn()), new).await
}

/// Remove a spend control of a card, and what was used of it.
#[utoipa::path(
    delete,
    path = "/secure/customers/{customerId}/cards/{cardId}/controls/{controlId}",
    tag = "controls",
    params(
        ("customerId" = Uuid, Path),
        ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$"),
        ("controlId" = Uuid, Path),
    ),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn remove_of_card(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card, control)): Path<(String, String, String)>,
) -> Answered<StatusCode> {
    let subject = card_of(&this, &caller, (&customer, &card)).await?;
    removed(&this, (subject, &control), (&caller, drawn())).await
}

/// List the spend controls of an account.
#[utoipa::path(
    get,
    path = "/secure/customers/{customerId}/balances/{balanceId}/controls",
    tag = "controls",
    params(
        ("customerId" = Uuid, Path),
        ("balanceId" = Uuid, Path),
    ),
    responses((status = 200, body = Controls), Problems)
)]
pub(in crate::routes) async fn list_of_balance(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, balance)): Path<(String, String)>,
) -> Answered<Json<Controls>> {
    let subject = balance_of(&this, &caller, (&customer, &balance)).await?;
    listed(&this, subject).await
}

/// Make a spend control of an account: in force for the next authorization.
///
/// `EXHAUSTED` where there are as many as there may be.
#[utoipa::path(
    post,
    path = "/secure/customers/{customerId}/balances/{balanceId}/controls",
    tag = "controls",
    params(
        ("customerId" = Uuid, Path),
        ("balanceId" = Uuid, Path),
    ),
    request_body = NewControl,
    responses((status = 201, body = ControlView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn define_of_balance(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, balance)): Path<(String, String)>,
    Body(new): Body<NewControl>,
) -> Answered<Response> {
    let subject = balance_of(&this, &caller, (&customer, &balance)).await?;
    let places = format!("/secure/customers/{customer}/balances/{balance}/controls");
    defined(&this, subject, (&caller, keys.key(0)), new, &places).await
}

/// Change how much a spend control of an account lets through, its name, or whether it declines.
///
/// All of it is said again; what was used stays. What is counted otherwise is another control.
#[utoipa::path(
    put,
    path = "/secure/customers/{customerId}/balances/{balanceId}/controls/{controlId}",
    tag = "controls",
    params(
        ("customerId" = Uuid, Path),
        ("balanceId" = Uuid, Path),
        ("controlId" = Uuid, Path),
    ),
    request_body = NewControl,
    responses((status = 200, body = ControlView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn change_of_balance(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, balance, control)): Path<(String, String, String)>,
    Body(new): Body<NewControl>,
) -> Answered<Json<ControlView>> {
    let subject = balance_of(&this, &caller, (&customer, &balance)).await?;
    changed(&this, (subject, &control), (&caller, drawn()), new).await
}

/// Remove a spend control of an account, and what was used of it.
#[utoipa::path(
    delete,
    path = "/secure/customers/{customerId}/balances/{balanceId}/controls/{controlId}",
    tag = "controls",
    params(
        ("customerId" = Uuid, Path),
        ("balanceId" = Uuid, Path),
        ("controlId" = Uuid, Path),
    ),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn remove_of_balance(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, balance, control)): Path<(String, String, String)>,
) -> Answered<StatusCode> {
    let subject = balance_of(&this, &caller, (&customer, &balance)).await?;
    removed(&this, (subject, &control), (&caller, drawn())).await
}

/// List the spend controls of a programme.
#[utoipa::path(
    get,
    path = "/secure/programmes/{programmeId}/controls",
    tag = "controls",
    params(
        ("programmeId" = i64, Path),
    ),
    responses((status = 200, body = Controls), Problems)
)]
pub(in crate::routes) async fn list_of_programme(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(programme): Path<String>,
) -> Answered<Json<Controls>> {
    let subject = programme_of(&this, &caller, &programme)?;
    listed(&this, subject).await
}

/// Make a spend control of a programme: in force for the next authorization.
///
/// `EXHAUSTED` where there are as many as there may be.
#[utoipa::path(
    post,
    path = "/secure/programmes/{programmeId}/controls",
    tag = "controls",
    params(
        ("programmeId" = i64, Path),
    ),
    request_body = NewControl,
    responses((status = 201, body = ControlView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn define_of_programme(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(programme): Path<String>,
    Body(new): Body<NewControl>,
) -> Answered<Response> {
    let subject = programme_of(&this, &caller, &programme)?;
    let places = format!("/secure/programmes/{programme}/controls");
    defined(&this, subject, (&caller, keys.key(0)), new, &places).await
}

/// Change how much a spend control of a programme lets through, its name, or whether it declines.
///
/// All of it is said again; what was used stays. What is counted otherwise is another control.
#[utoipa::path(
    put,
    path = "/secure/programmes/{programmeId}/controls/{controlId}",
    tag = "controls",
    params(
        ("programmeId" = i64, Path),
        ("controlId" = Uuid, Path),
    ),
    request_body = NewControl,
    responses((status = 200, body = ControlView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn change_of_programme(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((programme, control)): Path<(String, String)>,
    Body(new): Body<NewControl>,
) -> Answered<Json<ControlView>> {
    let subject = programme_of(&this, &caller, &programme)?;
    changed(&this, (subject, &control), (&caller, drawn()), new).await
}

/// Remove a spend control of a programme, and what was used of it.
#[utoipa::path(
    delete,
    path = "/secure/programmes/{programmeId}/controls/{controlId}",
    tag = "controls",
    params(
        ("programmeId" = i64, Path),
        ("controlId" = Uuid, Path),
    ),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn remove_of_programme(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((programme, control)): Path<(String, String)>,
) -> Answered<StatusCode> {
    let subject = programme_of(&this, &caller, &programme)?;
    removed(&this, (subject, &control), (&caller, drawn())).await
}
