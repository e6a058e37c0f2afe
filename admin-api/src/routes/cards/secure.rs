//! `/secure/customers/{customerId}/cards` (SR-107, SR-120): cards of the partner's customers.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use super::{
    CardView, FullCard, InPlace, JobView, Listing, LockReason, NewInPlace, NewTerm, NewVirtualCard,
    Replacing, activated, by, detailed, drawn, find, issued, job, listed, locked, ordered, removed,
    renewed, replaced, revealed, unlocked,
};
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, Page, Query, public_id};
use crate::routes::accounts::Owner;
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::served::Management;
use crate::routes::{Answered, tenant};
use crate::service::cards::Channel;

/// Whose cards they are.
fn owner(caller: &Caller, customer: &str) -> Result<Owner, Problem> {
    Ok(Owner { partner: tenant(caller)?, customer: public_id(customer, "customer")? })
}

/// Issue a virtual card. It is in use at once.
///
/// The answer has everything that is on it, and goes encrypted: `Encrypt-Response: true` (SR-107).
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/virtual", tag = "cards",
    params(("customerId" = Uuid, Path)), request_body = NewVirtualCard,
    responses((status = 201, body = FullCard), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn issue(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(customer): Path<String>,
    Body(new): Body<NewVirtualCard>,
) -> Answered<Response> {
    let owner = owner(&caller, &customer)?.person(&this).await?;
    let places = format!("/secure/customers/{customer}/cards");
    issued(&this, (owner, &caller), keys.key(0), new, &places).await
}

/// Ask for a virtual card without waiting for it (SR-108).
///
/// The answer names a job; the card is in use once that is `DONE`. Nothing of it is told here.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/virtual/async", tag = "cards",
    params(("customerId" = Uuid, Path)), request_body = NewVirtualCard,
    responses((status = 202, body = JobView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn order(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(customer): Path<String>,
    Body(new): Body<NewVirtualCard>,
) -> Answered<Response> {
    let owner = owner(&caller, &customer)?.person(&this).await?;
    let places = format!("/secure/customers/{customer}/cards");
    ordered(&this, (owner, &caller), keys.key(0), new, &places).await
}

/// Read what became of a card that was asked for.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/cards/jobs/{jobId}", tag = "cards",
    params(("customerId" = Uuid, Path), ("jobId" = Uuid, Path)),
    responses((status = 200, body = JobView), Problems)
)]
pub(in crate::routes) async fn read_job(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, id)): Path<(String, String)>,
) -> Answered<Json<JobView>> {
    job(&this, owner(&caller, &customer)?, &id).await
}

/// List a customer's cards.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/cards", tag = "cards",
    params(("customerId" = Uuid, Path), Listing),
    responses((status = 200, body = Page<CardView>), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(customer): Path<String>,
    Query(wanted): Query<Listing>,
) -> Answered<Json<Page<CardView>>> {
    listed(&this, owner(&caller, &customer)?, &wanted).await
}

/// Read what everybody may see of a card.
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/cards/{cardId}/details", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = CardView), Problems)
)]
pub(in crate::routes) async fn details(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card)): Path<(String, String)>,
) -> Answered<Json<CardView>> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    detailed(&this, &owned).await
}

/// Read everything that is on a card. It is recorded.
///
/// The answer goes encrypted: `Encrypt-Response: true` (SR-120).
#[utoipa::path(
    get, path = "/secure/customers/{customerId}/cards/{cardId}", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = FullCard), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card)): Path<(String, String)>,
) -> Answered<Response> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    revealed(&this, &owned, StatusCode::OK).await
}

/// Lock a card: in force for the next authorization (SR-111).
///
/// The same reason again changes nothing; another one is refused, but a final one after one that
/// can be taken back.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/{cardId}/lock", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    request_body = LockReason,
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn lock(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, card)): Path<(String, String)>,
    Body(reason): Body<LockReason>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    locked(&this, &owned, (Channel::Partner, by(&caller, keys.key(0))), &reason).await
}

/// Unlock a card (SR-114). Refused for reasons 1, 2, 5 and 8.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/{cardId}/unlock", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn unlock(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, card)): Path<(String, String)>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    unlocked(&this, &owned, (Channel::Partner, by(&caller, keys.key(0)))).await
}

/// Activate a card that waits for it (SR-131).
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/{cardId}/activate", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn activate(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, card)): Path<(String, String)>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    activated(&this, &owned, by(&caller, keys.key(0))).await
}

/// Put another card in the place of one (SR-207).
///
/// In the place of a virtual card another one is in use at once, and the old one is locked for good
/// (8): the answer has everything that is on the new one. In the place of plastic another is
/// ordered, with another number; the old one stays as it is until the new one is activated. The
/// answer goes encrypted: `Encrypt-Response: true`.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/{cardId}/replace", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    request_body = NewInPlace,
    responses((status = 201, body = InPlace), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn replace(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, card)): Path<(String, String)>,
    Body(new): Body<NewInPlace>,
) -> Answered<Response> {
    let owner = owner(&caller, &customer)?;
    let owned = find(&this, owner, &card).await?;
    let cards = format!("/secure/customers/{customer}/cards");
    let (caller, orders) = (&caller, format!("{cards}/orders"));
    let channel = Channel::Partner;
    let who = Replacing { owner, channel, caller, cards: &cards, orders: &orders };
    replaced(&this, &who, &owned, keys.key(0), new).await
}

/// Renew a card: the same card, with the same number and a later month.
///
/// From `api.cards.renew_before_days` before its end on. A virtual card has its later month, and
/// the printed code of that, when the answer is there, and all of it is told; the month of before
/// is no longer good. Of plastic the next is ordered, and the one before is good until that is
/// linked and activated. A processor elsewhere is told first, of plastic at the activation
/// (`PROCESSOR_REFUSED`, `PROCESSOR_UNAVAILABLE`).
/// The answer goes encrypted: `Encrypt-Response: true`.
#[utoipa::path(
    post, path = "/secure/customers/{customerId}/cards/{cardId}/renew", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    request_body = NewTerm,
    responses(
        (status = 200, body = InPlace), (status = 201, body = InPlace), Problems, ChangeProblems
    )
)]
pub(in crate::routes) async fn renew(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path((customer, card)): Path<(String, String)>,
    Body(new): Body<NewTerm>,
) -> Answered<Response> {
    let owner = owner(&caller, &customer)?;
    let owned = find(&this, owner, &card).await?;
    let cards = format!("/secure/customers/{customer}/cards");
    let (caller, orders) = (&caller, format!("{cards}/orders"));
    let channel = Channel::Partner;
    let who = Replacing { owner, channel, caller, cards: &cards, orders: &orders };
    renewed(&this, &who, &owned, keys.key(0), new).await
}

/// Remove a card for good (SR-117).
///
/// Nothing is approved any more; what was authorized is still cleared.
#[utoipa::path(
    delete, path = "/secure/customers/{customerId}/cards/{cardId}", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn remove(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card)): Path<(String, String)>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    removed(&this, &owned, by(&caller, drawn())).await
}

/// Remove a card for good (SR-117), by the lifecycle API.
#[utoipa::path(
    delete, path = "/lifecycle/v1/customers/{customerId}/cards/{cardId}", tag = "cards",
    params(("customerId" = Uuid, Path), ("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn remove_by_lifecycle(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((customer, card)): Path<(String, String)>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&caller, &customer)?, &card).await?;
    removed(&this, &owned, by(&caller, drawn())).await
}
