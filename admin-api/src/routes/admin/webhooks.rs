//! `/admin/webhooks`: where partners are told of what, for operators who help them. It owns that no
//! secret is shown here, and that an operator changes nothing but has a message sent again.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use switch_domain::PartnerId;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::Answered;
use super::super::problems::{ChangeProblems, Problems};
use super::super::served::Panel;
use super::super::webhook_messages::{Attempts, MessageView, OfState, again, page, tries};
use super::super::webhooks::{WebhookView, Webhooks, shown};
use crate::Problem;
use crate::http::{Page, Query, public_id};

/// Whose webhooks.
#[derive(Deserialize, IntoParams, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct OfOnePartner {
    /// Whose.
    #[param(minimum = 1)]
    partner_id: i64,
}

async fn of(this: &Panel, webhook: &str) -> Result<(PartnerId, Uuid), Problem> {
    let id = public_id(webhook, "webhook")?;
    Ok((this.management.webhooks.partner_of(id).await?, id))
}

/// List a partner's webhooks.
#[utoipa::path(
    get, path = "/admin/webhooks", tag = "webhooks", operation_id = "list_webhooks_of_partner",
    params(OfOnePartner), responses((status = 200, body = Webhooks), Problems)
)]
pub(in crate::routes) async fn list(
    State(this): State<Panel>,
    Query(wanted): Query<OfOnePartner>,
) -> Answered<Json<Webhooks>> {
    if wanted.partner_id < 1 {
        return Err(Problem::field("partnerId", "the number of a partner: 1 or more").into());
    }
    let found = this.management.webhooks.endpoints(PartnerId(wanted.partner_id)).await?;
    Ok(Json(Webhooks::of(&found)))
}

/// Read a partner's webhook.
#[utoipa::path(
    get, path = "/admin/webhooks/{webhookId}", tag = "webhooks",
    operation_id = "read_webhook_of_partner", params(("webhookId" = Uuid, Path)),
    responses((status = 200, body = WebhookView), Problems)
)]
pub(in crate::routes) async fn read(
    State(this): State<Panel>,
    Path(webhook): Path<String>,
) -> Answered<Response> {
    let (partner, id) = of(&this, &webhook).await?;
    Ok(shown(&this.management.webhooks.endpoint(partner, id).await?))
}

/// List the messages of a partner's webhook, the newest first.
#[utoipa::path(
    get, path = "/admin/webhooks/{webhookId}/messages", tag = "webhooks",
    operation_id = "list_webhook_messages_of_partner",
    params(("webhookId" = Uuid, Path), OfState),
    responses((status = 200, body = Page<MessageView>), Problems)
)]
pub(in crate::routes) async fn messages(
    State(this): State<Panel>,
    Path(webhook): Path<String>,
    Query(wanted): Query<OfState>,
) -> Answered<Json<Page<MessageView>>> {
    page(&this.management, of(&this, &webhook).await?, &wanted).await
}

/// List the tries of a message of a partner's webhook, the newest first.
#[utoipa::path(
    get, path = "/admin/webhooks/{webhookId}/messages/{messageId}/attempts", tag = "webhooks",
    operation_id = "list_webhook_attempts_of_partner",
    params(("webhookId" = Uuid, Path), ("messageId" = Uuid, Path)),
    responses((status = 200, body = Attempts), Problems)
)]
pub(in crate::routes) async fn attempts(
    State(this): State<Panel>,
    Path((webhook, message)): Path<(String, String)>,
) -> Answered<Json<Attempts>> {
    tries(&this.management, of(&this, &webhook).await?, &message).await
}

/// Have a message of a partner's webhook sent again.
#[utoipa::path(
    post, path = "/admin/webhooks/{webhookId}/messages/{messageId}/resend", tag = "webhooks",
    operation_id = "resend_webhook_message_of_partner",
    params(("webhookId" = Uuid, Path), ("messageId" = Uuid, Path)),
    responses((status = 202, body = MessageView), Problems, ChangeProblems)
)]
pub(in crate::routes) async fn resend(
    State(this): State<Panel>,
    Path((webhook, message)): Path<(String, String)>,
) -> Answered<(StatusCode, Json<MessageView>)> {
    again(&this.management, of(&this, &webhook).await?, &message).await
}
