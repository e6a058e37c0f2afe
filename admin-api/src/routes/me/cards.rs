//! `/customers/me/cards` (SR-104, SR-118): the customer's own cards. Whoever reads everything that
//! is on one gives the PIN again (SR-176).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::ToSchema;

use super::access::Typed;
use super::owner;
use crate::http::{Body, Caller, Idempotency, Page, Query, SteppedUp};
use crate::routes::Answered;
use crate::routes::cards::{
    CardView, FullCard, InPlace, JobView, Listing, LockReason, NewCode, NewInPlace, NewPinView,
    NewTerm, NewVirtualCard, Replacing, activated, by, code_reset, detailed, drawn, find, issued,
    job, listed, locked, ordered, removed, renewed, replaced, revealed, unlocked,
};
use crate::routes::problems::{ChangeProblems, Problems};
use crate::routes::served::Management;
use crate::service::cards::Channel;
use crate::service::users::Session;

/// Issue a virtual card. It is in use at once.
///
/// The answer has everything that is on it, and goes encrypted: `Encrypt-Response: true` (SR-104).
#[utoipa::path(
    post, path = "/customers/me/cards/virtual", tag = "cards", request_body = NewVirtualCard,
    responses((status = 201, body = FullCard), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn issue(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewVirtualCard>,
) -> Answered<Response> {
    let who = (owner(&session), &caller);
    issued(&this, who, keys.key(0), new, "/customers/me/cards").await
}

/// Ask for a virtual card without waiting for it (SR-105).
///
/// The answer names a job; the card is in use once that is `DONE`. Nothing of it is told here.
#[utoipa::path(
    post, path = "/customers/me/cards/virtual/async", tag = "cards", request_body = NewVirtualCard,
    responses((status = 202, body = JobView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn order(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewVirtualCard>,
) -> Answered<Response> {
    let who = (owner(&session), &caller);
    ordered(&this, who, keys.key(0), new, "/customers/me/cards").await
}

/// Read what became of a card that was asked for.
#[utoipa::path(
    get, path = "/customers/me/cards/jobs/{jobId}", tag = "cards",
    params(("jobId" = Uuid, Path)),
    responses((status = 200, body = JobView), Problems)
)]
pub(in crate::routes) async fn read_job(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Answered<Json<JobView>> {
    job(&this, owner(&session), &id).await
}

/// List the cards.
#[utoipa::path(
    get, path = "/customers/me/cards", tag = "cards", params(Listing),
    responses((status = 200, body = Page<CardView>), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Listing>,
) -> Answered<Json<Page<CardView>>> {
    listed(&this, owner(&session), &wanted).await
}

/// Read what everybody may see of a card.
#[utoipa::path(
    get, path = "/customers/me/cards/{cardId}/details", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = CardView), Problems)
)]
pub(in crate::routes) async fn details(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(card): Path<String>,
) -> Answered<Json<CardView>> {
    let owned = find(&this, owner(&session), &card).await?;
    detailed(&this, &owned).await
}

/// Read everything that is on a card. It is recorded.
///
/// `403 STEP_UP_REQUIRED` where the PIN was not given again a moment ago. The answer goes
/// encrypted: `Encrypt-Response: true` (SR-118).
#[utoipa::path(
    get, path = "/customers/me/cards/{cardId}", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = FullCard), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    _stepped_up: SteppedUp,
    Path(card): Path<String>,
) -> Answered<Response> {
    let owned = find(&this, owner(&session), &card).await?;
    revealed(&this, &owned, StatusCode::OK).await
}

/// Lock a card: in force for the next authorization (SR-109).
///
/// The same reason again changes nothing; another one is refused, but a final one after one that
/// can be taken back.
#[utoipa::path(
    post, path = "/customers/me/cards/{cardId}/lock", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = LockReason,
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn lock(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
    Body(reason): Body<LockReason>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&session), &card).await?;
    locked(&this, &owned, (Channel::User, by(&caller, keys.key(0))), &reason).await
}

/// Unlock a card (SR-112). Refused for reasons 1, 2, 5 and 8.
#[utoipa::path(
    post, path = "/customers/me/cards/{cardId}/unlock", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn unlock(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&session), &card).await?;
    unlocked(&this, &owned, (Channel::User, by(&caller, keys.key(0)))).await
}

/// Activate a card that waits for it (SR-129).
#[utoipa::path(
    post, path = "/customers/me/cards/{cardId}/activate", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn activate(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&session), &card).await?;
    activated(&this, &owned, by(&caller, keys.key(0))).await
}

/// Put another card in the place of one (SR-207).
///
/// In the place of a virtual card another one is in use at once, and the old one is locked for good
/// (8): the answer has everything that is on the new one. In the place of plastic another is
/// ordered, with another number; the old one stays as it is until the new one is activated. The
/// answer goes encrypted: `Encrypt-Response: true`.
#[utoipa::path(
    post, path = "/customers/me/cards/{cardId}/replace", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = NewInPlace,
    responses((status = 201, body = InPlace), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn replace(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
    Body(new): Body<NewInPlace>,
) -> Answered<Response> {
    let (owner, caller) = (owner(&session), &caller);
    let owned = find(&this, owner, &card).await?;
    let (cards, orders) = ("/customers/me/cards", "/customers/me/cards/orders");
    let who = Replacing { owner, channel: Channel::User, caller, cards, orders };
    replaced(&this, &who, &owned, keys.key(0), new).await
}

/// Renew a card: the same card, with the same number and a later month.
///
/// From `api.cards.renew_before_days` before its end on. A virtual card has its later month, and
/// the printed code of that, when the answer is there, and all of it is told; the month of before
/// is no longer good. Of plastic the next is ordered, and the one before is good until that is
/// linked and activated. A processor elsewhere is told first, of plastic at the activation
/// (`PROCESSOR_REFUSED`, `PROCESSOR_UNAVAILABLE`).
/// The answer goes encrypted: `Encrypt-Response: true`. `403 STEP_UP_REQUIRED` where the PIN was
/// not given again a moment ago.
#[utoipa::path(
    post, path = "/customers/me/cards/{cardId}/renew", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = NewTerm,
    responses(
        (status = 200, body = InPlace), (status = 201, body = InPlace), Problems, ChangeProblems
    )
)]
pub(in crate::routes) async fn renew(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    _stepped_up: SteppedUp,
    Path(card): Path<String>,
    Body(new): Body<NewTerm>,
) -> Answered<Response> {
    let (owner, caller) = (owner(&session), &caller);
    let owned = find(&this, owner, &card).await?;
    let (cards, orders) = ("/customers/me/cards", "/customers/me/cards/orders");
    let who = Replacing { owner, channel: Channel::User, caller, cards, orders };
    renewed(&this, &who, &owned, keys.key(0), new).await
}

/// Give a virtual card another printed code (SR-121): the one before is worth nothing any more.
///
/// `403 STEP_UP_REQUIRED` where the PIN was not given again a moment ago. The answer goes
/// encrypted: `Encrypt-Response: true`.
#[utoipa::path(
    post, path = "/customers/me/cards/{cardId}/cvv", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = NewCode), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn reset_code(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    _stepped_up: SteppedUp,
    Path(card): Path<String>,
) -> Answered<Response> {
    let owned = find(&this, owner(&session), &card).await?;
    code_reset(&this, &owned, by(&caller, keys.key(0))).await
}

/// A PIN for a card.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::routes) struct NewPin {
    /// Digits; neither a row nor a repetition.
    pin: Typed,
}

/// Set the PIN of a card (SR-127). It is in force at once.
///
/// Of a card with a chip the answer says what the holder is to be told: the chip has the PIN of
/// before until the card was used by it (SR-179, SR-181). The request goes encrypted:
/// `Encrypted-Request: true`. `403 STEP_UP_REQUIRED` where the user's own PIN was not given again a
/// moment ago.
#[utoipa::path(
    post, path = "/customers/me/cards/{cardId}/pin", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = NewPin,
    responses((status = 200, body = NewPinView), (status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn set_pin(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Extension(keys): Extension<Idempotency>,
    _stepped_up: SteppedUp,
    Path(card): Path<String>,
    Body(new): Body<NewPin>,
) -> Answered<Response> {
    let owned = find(&this, owner(&session), &card).await?;
    let pin = this.cards.set_pin(&owned, new.pin.text(), by(&caller, keys.key(0))).await?;
    Ok(match NewPinView::of(pin) {
        Some(view) => Json(view).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Remove a card for good (SR-115).
///
/// Nothing is approved any more; what was authorized is still cleared.
#[utoipa::path(
    delete, path = "/customers/me/cards/{cardId}", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn remove(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(session): Extension<Session>,
    Path(card): Path<String>,
) -> Answered<StatusCode> {
    let owned = find(&this, owner(&session), &card).await?;
    removed(&this, &owned, by(&caller, drawn())).await
}
