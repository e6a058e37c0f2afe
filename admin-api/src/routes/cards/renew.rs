//! The renewal of a card: the same for the partner, the holder and the panel. It owns which of the
//! two kinds of answer there is: a virtual card has its later month at once, and of plastic the
//! next is ordered.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use switch_domain::IdempotencyKey;
use utoipa::ToSchema;
use uuid::Uuid;

use super::replace::{Replacing, SeenInPlace};
use super::{CardView, by, revealed};
use crate::Problem;
use crate::routes::Answered;
use crate::routes::plastic::{DeliveryBody, OrderView, placed, plastic};
use crate::routes::served::Management;
use crate::service::cards::{Channel, Form, OwnedCard};
use crate::service::personalisation::{NewPlastic, OrderedBy};
use crate::service::programmes::SaidProgramme;
use crate::service::users::Personal;

/// What a card is renewed with: of a virtual one there is nothing to be said.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({}))]
pub(in crate::routes) struct NewTerm {
    /// Of plastic, as it is embossed, in capitals: without it, as on the one before.
    #[schema(pattern = "^[A-Za-z .'-]{2,26}$")]
    holder_name: Option<String>,
    /// Where the plastic goes, and only then.
    delivery: Option<DeliveryBody>,
}

/// Renews a card; all of it is told to everybody but operators.
pub(in crate::routes) async fn renewed(
    this: &Management,
    who: &Replacing<'_>,
    owned: &OwnedCard,
    key: IdempotencyKey,
    new: NewTerm,
) -> Answered<Response> {
    if this.cards.form(owned).await? == Form::Physical {
        return ordered(this, who, owned, key, new).await;
    }
    for (name, is_there) in
        [("delivery", new.delivery.is_some()), ("holderName", new.holder_name.is_some())]
    {
        if is_there {
            return Err(Problem::field(name, "the card is virtual: nothing is made").into());
        }
    }
    let card = this.cards.renew(who.owner.into(), owned, by(who.caller, key)).await?;
    if who.channel != Channel::Operator {
        return revealed(this, &card, StatusCode::OK).await;
    }
    let card = Some(CardView::of(&this.cards.shown(&card).await?));
    Ok(Json(SeenInPlace { card, order: None }).into_response())
}

/// The next plastic: the one before is good until this one is activated.
async fn ordered(
    this: &Management,
    who: &Replacing<'_>,
    owned: &OwnedCard,
    key: IdempotencyKey,
    new: NewTerm,
) -> Answered<Response> {
    let plastic = plastic(this)?;
    let customer = (who.owner.partner, who.owner.customer);
    let before = plastic.order_of(customer, Uuid::from_bytes(key.0)).await;
    let order = match before {
        Err(problem) if problem.code == "NOT_FOUND" => {
            let by = by(who.caller, key);
            this.cards.may_renew(who.owner.into(), owned, by.now).await?;
            let missing = |name: &str| Problem::field(name, "of plastic it has to be said");
            let delivery = new.delivery.ok_or_else(|| missing("delivery"))?;
            let name = match new.holder_name {
                Some(name) => Some(name),
                None => this.cards.holder_name(owned).await?,
            };
            let wanted = NewPlastic {
                balance: this.users.handle_of(owned.balance.id).await?,
                programme: SaidProgramme::default(),
                physical_of: None,
                replaces: None,
                reference: None,
                holder_name: Personal::new(name.ok_or_else(|| missing("holderName"))?),
                delivery: delivery.into(),
            };
            let by = OrderedBy { key: by.key, actor: by.actor, now: by.now };
            plastic.renew(customer, &owned.card, &wanted, by).await?
        }
        other => other?,
    };
    let view = SeenInPlace { card: None, order: Some(OrderView::from(&order)) };
    Ok(placed(who.orders, &order, Json(view)))
}
