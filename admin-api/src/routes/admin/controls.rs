//! `/admin/cards/{cardId}/controls`: what stops purchases of a card, for who is asked why.

use axum::Json;
use axum::extract::{Path, State};
use switch_domain::ControlSubject;

use crate::routes::Answered;
use crate::routes::controls::{Controls, listed};
use crate::routes::problems::Problems;
use crate::routes::served::Panel;

/// List the spend controls that a card's purchases meet.
#[utoipa::path(
    get, path = "/admin/cards/{cardId}/controls", tag = "controls",
    params(("cardId" = String, Path, pattern = "^[1-9][0-9]{0,18}$")),
    responses((status = 200, body = Controls), Problems)
)]
pub(super) async fn list_of_card(
    State(panel): State<Panel>,
    Path(card): Path<String>,
) -> Answered<Json<Controls>> {
    let owned = panel.management.cards.any(&card).await?;
    listed(&panel.management, ControlSubject::Card(owned.card.id)).await
}
