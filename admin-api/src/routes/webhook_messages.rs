//! `/secure/webhooks/{webhookId}/messages`: what a partner was told, each try of it, and once more
//! on demand. It owns the JSON of messages and tries, which operators see as well.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use switch_domain::PartnerId;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::problems::{ChangeProblems, Problems};
use super::served::{Management, written};
use super::{Answered, tenant};
use crate::Problem;
use crate::http::{Caller, Cursor, Idempotency, Page, Query, now, page_limit, public_id};
use crate::service::webhooks::{Attempt, Message, MessageState};

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum MessageStateName {
    /// It is to be sent, or sent again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It was tried as often as the schedule says.
    Failed,
}

impl From<MessageState> for MessageStateName {
    fn from(state: MessageState) -> Self {
        match state {
            MessageState::Waiting => Self::Waiting,
            MessageState::Delivered => Self::Delivered,
            MessageState::Failed => Self::Failed,
        }
    }
}

impl From<MessageStateName> for MessageState {
    fn from(name: MessageStateName) -> Self {
        match name {
            MessageStateName::Waiting => Self::Waiting,
            MessageStateName::Delivered => Self::Delivered,
            MessageStateName::Failed => Self::Failed,
        }
    }
}

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageView {
    /// `webhook-id` and `X-Idempotency-Key` of every try.
    message_id: Uuid,
    event: String,
    /// When it happened, in UTC.
    #[schema(format = DateTime)]
    at: String,
    state: MessageStateName,
    /// How often it was sent.
    attempts: i32,
    /// When it is sent next, at the earliest, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
    /// When it was taken, or given up, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// What is sent, as it is signed.
    body: String,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self {
            message_id: message.public_id,
            event: message.kind.name().to_owned(),
            at: written(message.made_at),
            state: message.state.into(),
            attempts: message.attempts,
            next_attempt_at: message.next_at.map(written),
            ended_at: message.ended_at.map(written),
            body: message.body.clone(),
        }
    }
}

/// A try.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AttemptView {
    /// From 1.
    number: i32,
    /// When it began, in UTC.
    #[schema(format = DateTime)]
    at: String,
    /// `delivered`, `status`, `redirect`, `gone`, `late`, `refused_address` or `unreached`.
    outcome: String,
    /// The HTTP status, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    duration_ms: u64,
    /// The start of the answer.
    answer: String,
}

/// Tries.
#[derive(Serialize, ToSchema)]
pub(super) struct Attempts {
    /// The newest first.
    items: Vec<AttemptView>,
}

impl From<&Attempt> for AttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            at: written(attempt.at),
            outcome: attempt.outcome.clone(),
            status: attempt.status,
            duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
            answer: attempt.answer.clone(),
        }
    }
}

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfState {
    /// Of this state alone.
    state: Option<MessageStateName>,
    /// What the page before gave.
    cursor: Option<String>,
    /// How many of a page, 1 to 200; 50 where it is not said.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of messages.
pub(super) async fn page(
    this: &Management,
    of: (PartnerId, Uuid),
    wanted: &OfState,
) -> Answered<Json<Page<MessageView>>> {
    let behind = wanted.cursor.as_deref().map(Cursor::<Uuid>::read).transpose()?;
    let limit = page_limit(wanted.limit)?;
    let range = (behind.map(|Cursor(id)| id), limit.saturating_add(1));
    let mut found = this.webhooks.messages(of, wanted.state.map(Into::into), range).await?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|last| Cursor(last.public_id).text());
    Ok(Json(Page { items: found.iter().map(MessageView::from).collect(), next_cursor: next }))
}

/// The tries of a message.
pub(super) async fn tries(
    this: &Management,
    of: (PartnerId, Uuid),
    message: &str,
) -> Answered<Json<Attempts>> {
    let found = this.webhooks.attempts(of, public_id(message, "message")?).await?;
    Ok(Json(Attempts { items: found.iter().map(AttemptView::from).collect() }))
}

/// A message once more.
pub(super) async fn again(
    this: &Management,
    of: (PartnerId, Uuid),
    message: &str,
) -> Answered<(StatusCode, Json<MessageView>)> {
    let message = this.webhooks.resend(of, public_id(message, "message")?, now()).await?;
    Ok((StatusCode::ACCEPTED, Json(MessageView::from(&message))))
}

fn of(caller: &Caller, webhook: &str) -> Result<(PartnerId, Uuid), Problem> {
    Ok((tenant(caller)?, public_id(webhook, "webhook")?))
}

/// List the messages of a webhook, the newest first.
#[utoipa::path(
    get, path = "/secure/webhooks/{webhookId}/messages", tag = "webhooks",
    operation_id = "list_webhook_messages", params(("webhookId" = Uuid, Path), OfState),
    responses((status = 200, body = Page<MessageView>), Problems)
)]
pub(super) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(webhook): Path<String>,
    Query(wanted): Query<OfState>,
) -> Answered<Json<Page<MessageView>>> {
    page(&this, of(&caller, &webhook)?, &wanted).await
}

/// Read a message.
#[utoipa::path(
    get, path = "/secure/webhooks/{webhookId}/messages/{messageId}", tag = "webhooks",
    operation_id = "read_webhook_message",
    params(("webhookId" = Uuid, Path), ("messageId" = Uuid, Path)),
    responses((status = 200, body = MessageView), Problems)
)]
pub(super) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((webhook, message)): Path<(String, String)>,
) -> Answered<Json<MessageView>> {
    let of = of(&caller, &webhook)?;
    let found = this.webhooks.message(of, public_id(&message, "message")?).await?;
    Ok(Json(MessageView::from(&found)))
}

/// List the tries of a message, the newest first.
#[utoipa::path(
    get, path = "/secure/webhooks/{webhookId}/messages/{messageId}/attempts", tag = "webhooks",
    operation_id = "list_webhook_attempts",
    params(("webhookId" = Uuid, Path), ("messageId" = Uuid, Path)),
    responses((status = 200, body = Attempts), Problems)
)]
pub(super) async fn attempts(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((webhook, message)): Path<(String, String)>,
) -> Answered<Json<Attempts>> {
    tries(&this, of(&caller, &webhook)?, &message).await
}

/// Have a message sent again.
///
/// It goes now, whatever was before or behind it, and has the identifier that it had.
#[utoipa::path(
    post, path = "/secure/webhooks/{webhookId}/messages/{messageId}/resend", tag = "webhooks",
    operation_id = "resend_webhook_message",
    params(("webhookId" = Uuid, Path), ("messageId" = Uuid, Path)),
    responses((status = 202, body = MessageView), Problems, ChangeProblems)
)]
pub(super) async fn resend(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path((webhook, message)): Path<(String, String)>,
) -> Answered<(StatusCode, Json<MessageView>)> {
    again(&this, of(&caller, &webhook)?, &message).await
}

/// Have a message sent that says nothing, to try a receiver.
#[utoipa::path(
    post, path = "/secure/webhooks/{webhookId}/test", tag = "webhooks",
    operation_id = "test_webhook", params(("webhookId" = Uuid, Path)),
    responses((status = 202, body = MessageView), Problems, ChangeProblems)
)]
pub(super) async fn test(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(webhook): Path<String>,
) -> Answered<(StatusCode, Json<MessageView>)> {
    let of = of(&caller, &webhook)?;
    // The same request sent again has the same name.
    let id = uuid::Builder::from_custom_bytes(keys.key(0).0).into_uuid();
    let message = this.webhooks.send_test(of, (id, now())).await?;
    Ok((StatusCode::ACCEPTED, Json(MessageView::from(&message))))
}
