//! A card that comes in another's place (SR-207): the same for the partner, the holder and the
//! panel. It owns which of the two kinds of answer there is: a virtual card is there at once, and
//! plastic is ordered.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use switch_domain::IdempotencyKey;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{CardView, at, by, revealed};
use crate::Problem;
use crate::http::Caller;
use crate::routes::Answered;
use crate::routes::accounts::Owner;
use crate::routes::plastic::{DeliveryBody, OrderView, placed, plastic};
use crate::routes::served::Management;
use crate::service::cards::{Channel, Form, NewReplacement, OwnedCard};
use crate::service::personalisation::{NewPlastic, OrderedBy};
use crate::service::programmes::SaidProgramme;
use crate::service::users::Personal;

/// What comes in a card's place.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "reference": "second" }))]
pub(in crate::routes) struct NewInPlace {
    /// As it stands on the card: without it, as on the one before. Of plastic it has to be said.
    #[schema(pattern = "^[A-Za-z .'/-]{2,26}$")]
    holder_name: Option<String>,
    /// A name for it that the caller chooses; of virtual cards, and those of corporations.
    #[schema(pattern = "^[!-~]{1,64}$")]
    reference: Option<String>,
    /// Where the plastic goes, and only then.
    delivery: Option<DeliveryBody>,
}

/// A card in another's place, or renewed: a virtual one, with everything that is on it, or the
/// order of one of plastic.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "documents answers, which the types of their data write themselves")]
pub(in crate::routes) struct InPlace {
    card: Option<CardView>,
    /// The card's name as a number.
    id: Option<i64>,
    /// The product.
    r#type: Option<String>,
    /// The number.
    #[schema(pattern = "^[0-9]{14,19}$")]
    card_no: Option<String>,
    /// The last day on which it is good.
    #[schema(format = Date)]
    exp: Option<String>,
    /// The printed code; absent where cards of the programme have none.
    #[schema(pattern = "^[0-9]{3}$")]
    cvv: Option<String>,
    order: Option<OrderView>,
}

/// The same for operators: what everybody may see.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::routes) struct SeenInPlace {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) card: Option<CardView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<OrderView>,
}

/// Whose card is replaced or renewed, by whom, and where cards and orders of its customer lie.
pub(in crate::routes) struct Replacing<'a> {
    pub(in crate::routes) owner: Owner,
    pub(in crate::routes) channel: Channel,
    pub(in crate::routes) caller: &'a Caller,
    pub(in crate::routes) cards: &'a str,
    pub(in crate::routes) orders: &'a str,
}

/// Puts another card in the place of one; all of it is told to everybody but operators.
pub(in crate::routes) async fn replaced(
    this: &Management,
    who: &Replacing<'_>,
    old: &OwnedCard,
    key: IdempotencyKey,
    new: NewInPlace,
) -> Answered<Response> {
    if this.cards.form(old).await? == Form::Physical {
        return ordered(this, who, old, key, new).await;
    }
    if new.delivery.is_some() {
        return Err(Problem::field("delivery", "the card is virtual: nothing is sent").into());
    }
    let wanted = NewReplacement { holder_name: new.holder_name, reference: new.reference };
    let of = (who.owner.into(), who.channel);
    let made = this.cards.replace(of, old, &wanted, by(who.caller, key)).await?;
    let place = format!("{}/{}", who.cards, made.card.id.0);
    if who.channel != Channel::Operator {
        return Ok(at(place, revealed(this, &made, StatusCode::CREATED).await?));
    }
    let card = Some(CardView::of(&this.cards.shown(&made).await?));
    let view = Json(SeenInPlace { card, order: None });
    Ok(at(place, (StatusCode::CREATED, view).into_response()))
}

/// Plastic in the place of plastic: the old card stays as it is until the new one is activated.
async fn ordered(
    this: &Management,
    who: &Replacing<'_>,
    old: &OwnedCard,
    key: IdempotencyKey,
    new: NewInPlace,
) -> Answered<Response> {
    let plastic = plastic(this)?;
    let customer = (who.owner.partner, who.owner.customer);
    let before = plastic.order_of(customer, Uuid::from_bytes(key.0)).await;
    let order = match before {
        Err(problem) if problem.code == "NOT_FOUND" => {
            this.cards.may_replace(old, who.channel).await?;
            let of_plastic = "of plastic it has to be said";
            let missing = |name: &str| Problem::field(name, of_plastic);
            let name = new.holder_name.ok_or_else(|| missing("holderName"))?;
            let delivery = new.delivery.ok_or_else(|| missing("delivery"))?;
            let wanted = NewPlastic {
                balance: this.users.handle_of(old.balance.id).await?,
                programme: SaidProgramme::default(),
                physical_of: None,
                replaces: Some(old.card.id),
                holder_name: Personal::new(name),
                reference: new.reference,
                delivery: delivery.into(),
            };
            let by = by(who.caller, key);
            let by = OrderedBy { key: by.key, actor: by.actor, now: by.now };
            plastic.order(customer, &wanted, by).await?
        }
        other => other?,
    };
    let view = SeenInPlace { card: None, order: Some(OrderView::from(&order)) };
    Ok(placed(who.orders, &order, Json(view)))
}
