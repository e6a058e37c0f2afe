//! Cards, as they look from outside, and what can be asked of one: the same for the partner, the
//! holder and the panel. It owns the JSON of cards; which paths lead here stands with the channels'
//! routes, and what of an answer is encrypted with the table of those that are.

mod asked;
mod renew;
mod replace;
pub(super) mod secure;
mod view;

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use switch_domain::{CardId, IdempotencyKey};
use uuid::Uuid;

use super::Answered;
use super::accounts::Owner;
use super::served::Management;
use crate::Problem;
use crate::http::{Caller, Cursor, Made, Page, Sealed, Secret, now, page_limit, public_id};
use crate::service::cards::{By, CardAnswer, Channel, Holder, JobState, OwnedCard};

pub(in crate::routes) use asked::{Listing, LockReason, NewVirtualCard};
pub(in crate::routes) use renew::{NewTerm, renewed};
pub(in crate::routes) use replace::{InPlace, NewInPlace, Replacing, SeenInPlace, replaced};
pub(in crate::routes) use view::{CardView, FullCard, JobView, NewCode, NewPinView};

impl From<Owner> for Holder {
    fn from(owner: Owner) -> Self {
        Self { partner: owner.partner, customer: owner.customer }
    }
}

/// Who asks now, under this key.
pub(super) fn by(caller: &Caller, key: IdempotencyKey) -> By {
    By { key, actor: caller.actor(), now: now() }
}

/// A key for what does nothing twice by itself.
pub(super) fn drawn() -> IdempotencyKey {
    IdempotencyKey(*Uuid::new_v4().as_bytes())
}

/// A card of the owner that a path names.
pub(super) async fn find(
    this: &Management,
    owner: Owner,
    card: &str,
) -> Result<OwnedCard, Problem> {
    this.cards.of_holder(owner.into(), card).await
}

/// Issues a virtual card; it lies under this path, and everything that is on it is told.
pub(super) async fn issued(
    this: &Management,
    (owner, caller): (Owner, &Caller),
    key: IdempotencyKey,
    new: NewVirtualCard,
    places: &str,
) -> Answered<Response> {
    let made = this.cards.issue_virtual(owner.into(), &new.into(), by(caller, key)).await?;
    let place = format!("{places}/{}", made.card.id.0);
    let response = revealed(this, &made, StatusCode::CREATED).await?;
    Ok(at(place, response))
}

/// Takes the order of one; what becomes of it is told under this path (SR-162).
pub(super) async fn ordered(
    this: &Management,
    (owner, caller): (Owner, &Caller),
    key: IdempotencyKey,
    new: NewVirtualCard,
    places: &str,
) -> Answered<Response> {
    let job = this.cards.order_virtual(owner.into(), &new.into(), by(caller, key)).await?;
    let view = Json(JobView::of(job, &JobState::Waiting));
    Ok(at(format!("{places}/jobs/{job}"), (StatusCode::ACCEPTED, view).into_response()))
}

/// What became of it.
pub(super) async fn job(this: &Management, owner: Owner, job: &str) -> Answered<Json<JobView>> {
    let job = public_id(job, "job")?;
    let state = this.cards.job(owner.into(), job).await?;
    Ok(Json(JobView::of(job, &state)))
}

/// The same for operators, to whom nothing is told that is not to be seen (SR-119).
pub(super) async fn issued_unseen(
    this: &Management,
    (owner, caller): (Owner, &Caller),
    key: IdempotencyKey,
    new: NewVirtualCard,
) -> Answered<Response> {
    let made = this.cards.issue_virtual(owner.into(), &new.into(), by(caller, key)).await?;
    let view = Json(CardView::of(&this.cards.shown(&made).await?));
    let place = format!("/admin/cards/{}", made.card.id.0);
    Ok(at(place, (StatusCode::CREATED, view).into_response()))
}

/// Everything that is on a card.
pub(super) async fn revealed(
    this: &Management,
    owned: &OwnedCard,
    status: StatusCode,
) -> Answered<Response> {
    let data = this.cards.full_data(owned).await?;
    let view = CardView::of(&this.cards.shown(owned).await?);
    Ok(sealed(status, data.answer(&json(&view)?)))
}

/// Has a card locked for this reason, through this channel.
pub(super) async fn locked(
    this: &Management,
    owned: &OwnedCard,
    (channel, by): (Channel, By),
    reason: &LockReason,
) -> Answered<StatusCode> {
    this.cards.lock(owned, channel, reason.code()?, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has it unlocked.
pub(super) async fn unlocked(
    this: &Management,
    owned: &OwnedCard,
    (channel, by): (Channel, By),
) -> Answered<StatusCode> {
    this.cards.unlock(owned, channel, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has it activated.
pub(super) async fn activated(
    this: &Management,
    owned: &OwnedCard,
    by: By,
) -> Answered<StatusCode> {
    this.cards.activate(owned, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has it removed for good.
pub(super) async fn removed(this: &Management, owned: &OwnedCard, by: By) -> Answered<StatusCode> {
    this.cards.remove(owned, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives it another printed code, and tells that.
pub(super) async fn code_reset(this: &Management, owned: &OwnedCard, by: By) -> Answered<Response> {
    let code = this.cards.reset_code(owned, by).await?;
    let view = CardView::of(&this.cards.shown(owned).await?);
    Ok(sealed(StatusCode::OK, code.answer(&json(&view)?)))
}

/// An answer with card data in it: it is not kept, and goes encrypted or not at all.
fn sealed(status: StatusCode, answer: CardAnswer) -> Response {
    let form = [(header::CONTENT_TYPE, "application/json")];
    let mut response = (status, form, Bytes::from_owner(answer)).into_response();
    response.extensions_mut().insert(Secret);
    response.extensions_mut().insert(Sealed);
    response
}

fn json(view: &CardView) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(view).map_err(|error| Problem::internal("writing an answer", &error))
}

fn at(place: String, mut response: Response) -> Response {
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response.extensions_mut().insert(Made(place));
    response
}

/// What everybody may see of a card.
pub(super) async fn detailed(this: &Management, owned: &OwnedCard) -> Answered<Json<CardView>> {
    Ok(Json(CardView::of(&this.cards.shown(owned).await?)))
}

/// A page of a customer's cards.
pub(super) async fn listed(
    this: &Management,
    owner: Owner,
    wanted: &Listing,
) -> Answered<Json<Page<CardView>>> {
    let after = wanted.cursor.as_deref().map(Cursor::<i64>::read).transpose()?;
    let after = after.map(|Cursor(id)| CardId(id));
    let (cards, next) = this.cards.page_of(owner.into(), after, page_limit(wanted.limit)?).await?;
    Ok(Json(Page {
        items: cards.iter().map(CardView::of).collect(),
        next_cursor: next.map(|card| Cursor(card.0).text()),
    }))
}
