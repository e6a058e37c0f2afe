//! `/admin/customers/{customerId}/cards` and `/admin/cards` (SR-106): cards of all tenants. It owns
//! that an operator is shown no more of a card than its last four digits (SR-119): where the seed
//! has an answer encrypted it is, and has nothing in it that is not shown elsewhere.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};

use super::super::Answered;
use super::super::accounts::Owner;
use super::super::cards::{
    CardView, Listing, LockReason, NewInPlace, NewTerm, NewVirtualCard, Replacing, SeenInPlace,
    activated, by, detailed, drawn, issued_unseen, listed, locked, removed, renewed, replaced,
    unlocked,
};
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::Panel;
use super::customers::holder_of;
use crate::Problem;
use crate::http::{Body, Caller, Idempotency, Page, Query};
use crate::service::cards::Channel;

/// Whose cards they are.
async fn owner(this: &Panel, customer: &str) -> Result<Owner, Problem> {
    let (partner, customer) = holder_of(this, customer).await?;
    Ok(Owner { partner, customer })
}

/// Issue a virtual card for a customer. It is in use at once.
///
/// The answer goes encrypted: `Encrypt-Response: true` (SR-106). It has what everybody may see.
#[utoipa::path(
    post, path = "/admin/customers/{customerId}/cards/virtual", tag = "cards",
    params(("customerId" = Uuid, Path)), request_body = NewVirtualCard,
    responses((status = 201, body = CardView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn issue(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(customer): Path<String>,
    Body(new): Body<NewVirtualCard>,
) -> Answered<Response> {
    let owner = owner(&this, &customer).await?.person(&this.management).await?;
    issued_unseen(&this.management, (owner, &caller), keys.key(0), new).await
}

/// List a customer's cards.
#[utoipa::path(
    get, path = "/admin/customers/{customerId}/cards", tag = "cards",
    params(("customerId" = Uuid, Path), Listing),
    responses((status = 200, body = Page<CardView>), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Panel>,
    Path(customer): Path<String>,
    Query(wanted): Query<Listing>,
) -> Answered<Json<Page<CardView>>> {
    listed(&this.management, owner(&this, &customer).await?, &wanted).await
}

/// Read what everybody may see of a card.
#[utoipa::path(
    get, path = "/admin/cards/{cardId}/details", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = CardView), Problems)
)]
pub(in crate::routes) async fn details(
    State(this): State<Panel>,
    Path(card): Path<String>,
) -> Answered<Json<CardView>> {
    let owned = this.management.cards.any(&card).await?;
    detailed(&this.management, &owned).await
}

/// Lock a card: in force for the next authorization (SR-110).
#[utoipa::path(
    post, path = "/admin/cards/{cardId}/lock", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = LockReason,
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn lock(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
    Body(reason): Body<LockReason>,
) -> Answered<StatusCode> {
    let owned = this.management.cards.any(&card).await?;
    let by = by(&caller, keys.key(0));
    locked(&this.management, &owned, (Channel::Operator, by), &reason).await
}

/// Unlock a card (SR-113). Refused for reasons 1, 2, 5 and 8.
#[utoipa::path(
    post, path = "/admin/cards/{cardId}/unlock", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn unlock(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
) -> Answered<StatusCode> {
    let owned = this.management.cards.any(&card).await?;
    unlocked(&this.management, &owned, (Channel::Operator, by(&caller, keys.key(0)))).await
}

/// Activate a card that waits for it (SR-130).
#[utoipa::path(
    post, path = "/admin/cards/{cardId}/activate", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn activate(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
) -> Answered<StatusCode> {
    let owned = this.management.cards.any(&card).await?;
    activated(&this.management, &owned, by(&caller, keys.key(0))).await
}

/// Put another card in the place of one (SR-207).
///
/// In the place of a virtual card another one is in use at once, and the old one is locked for good
/// (8). In the place of plastic another is ordered, with another number; the old one stays as it is
/// until the new one is activated. The answer goes encrypted: `Encrypt-Response: true`. It has what
/// everybody may see.
#[utoipa::path(
    post, path = "/admin/cards/{cardId}/replace", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = NewInPlace,
    responses((status = 201, body = SeenInPlace), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn replace(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
    Body(new): Body<NewInPlace>,
) -> Answered<Response> {
    let owned = this.management.cards.any(&card).await?;
    let customer = this.management.users.named(owned.balance.customer).await?;
    let owner = Owner { partner: owned.balance.partner, customer };
    let orders = format!("/admin/customers/{customer}/cards/orders");
    let (caller, channel, cards) = (&caller, Channel::Operator, "/admin/cards");
    let who = Replacing { owner, channel, caller, cards, orders: &orders };
    replaced(&this.management, &who, &owned, keys.key(0), new).await
}

/// Renew a card: the same card, with the same number and a later month.
///
/// From `api.cards.renew_before_days` before its end on. A virtual card has its later month, and
/// the printed code of that, when the answer is there; the month of before is no longer good. Of
/// plastic the next is ordered, and the one before is good until that is linked and activated. A
/// processor elsewhere is told first, of plastic at the activation (`PROCESSOR_REFUSED`,
/// `PROCESSOR_UNAVAILABLE`). The answer goes encrypted: `Encrypt-Response: true`. It has what
/// everybody may see.
#[utoipa::path(
    post, path = "/admin/cards/{cardId}/renew", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")), request_body = NewTerm,
    responses(
        (status = 200, body = SeenInPlace), (status = 201, body = SeenInPlace), Problems,
        ChangeProblems
    )
)]
pub(in crate::routes) async fn renew(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
    Body(new): Body<NewTerm>,
) -> Answered<Response> {
    let owned = this.management.cards.any(&card).await?;
    let customer = this.management.users.named(owned.balance.customer).await?;
    let owner = Owner { partner: owned.balance.partner, customer };
    let orders = format!("/admin/customers/{customer}/cards/orders");
    let (caller, channel, cards) = (&caller, Channel::Operator, "/admin/cards");
    let who = Replacing { owner, channel, caller, cards, orders: &orders };
    renewed(&this.management, &who, &owned, keys.key(0), new).await
}

/// Give a virtual card another printed code (SR-122); its holder reads it.
///
/// The answer goes encrypted: `Encrypt-Response: true`. It has what everybody may see.
#[utoipa::path(
    post, path = "/admin/cards/{cardId}/cvv", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = CardView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn reset_code(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(card): Path<String>,
) -> Answered<Json<CardView>> {
    let owned = this.management.cards.any(&card).await?;
    this.management.cards.reset_code(&owned, by(&caller, keys.key(0))).await?;
    detailed(&this.management, &owned).await
}

/// Remove a card for good (SR-116).
///
/// Nothing is approved any more; what was authorized is still cleared.
#[utoipa::path(
    delete, path = "/admin/cards/{cardId}", tag = "cards",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 204), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn remove(
    State(this): State<Panel>,
    Extension(caller): Extension<Caller>,
    Path(card): Path<String>,
) -> Answered<StatusCode> {
    let owned = this.management.cards.any(&card).await?;
    removed(&this.management, &owned, by(&caller, drawn())).await
}
