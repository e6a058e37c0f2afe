//! `/customers/me/cards/{cardId}/controls`: what stops purchases of the customer's own card. It
//! only shows them: who sets them is the partner.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use switch_domain::ControlSubject;

use super::owner;
use crate::routes::Answered;
use crate::routes::cards::find;
use crate::routes::controls::{Controls, listed};
use crate::routes::problems::Problems;
use crate::routes::served::Management;
use crate::service::users::Session;

/// List the spend controls that a card's purchases meet.
#[utoipa::path(
    get, path = "/customers/me/cards/{cardId}/controls", tag = "controls",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = Controls), Problems)
)]
pub(in crate::routes) async fn list_of_card(
    State(this): State<Management>,
    Extension(session): Extension<Session>,
    Path(card): Path<String>,
) -> Answered<Json<Controls>> {
    let owned = find(&this, owner(&session), &card).await?;
    listed(&this, ControlSubject::Card(owned.card.id)).await
}
