//! `/secure/webhooks`: the partner says where it is told of what, and looks at what it was told. It
//! owns the JSON of webhooks, which operators see as well.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::problems::{ChangeProblems, Problems, VersionProblems};
use super::served::{Management, written};
use super::{Answered, tenant};
use crate::http::{Body, Caller, Idempotency, IfMatch, Made, Secret, etag, now, public_id};
use crate::service::webhooks::{
    Endpoint, EndpointChange, EndpointState, EventKind, NewEndpoint, WebhookSecret,
};

/// Whether messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum WebhookStateName {
    /// They are.
    Enabled,
    /// They are not, and none are made.
    Disabled,
}

/// A webhook to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "url": "https://hooks.example.com/cards",
    "events": ["authorization.approved", "authorization.declined", "card.locked"],
    "description": "card events"
}))]
pub(super) struct NewWebhook {
    /// Over HTTPS, at a public name or address.
    #[schema(max_length = 512)]
    url: String,
    /// Of what is told: names of docs/webhooks.md.
    #[schema(min_items = 1)]
    events: Vec<String>,
    /// The partner's own words for it.
    #[serde(default)]
    #[schema(max_length = 200)]
    description: String,
}

/// What a webhook is from now on.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChangedWebhook {
    /// Over HTTPS, at a public name or address.
    #[schema(max_length = 512)]
    url: String,
    /// Of what is told: names of docs/webhooks.md.
    #[schema(min_items = 1)]
    events: Vec<String>,
    /// The partner's own words for it.
    #[serde(default)]
    #[schema(max_length = 200)]
    description: String,
    state: WebhookStateName,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookView {
    webhook_id: Uuid,
    url: String,
    events: Vec<String>,
    description: String,
    state: WebhookStateName,
    /// Why it is disabled: `ASKED`, `GONE` (it answered 410), `BACKLOG` (too many messages waited).
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_because: Option<String>,
    /// In UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when the secret of before signs as well, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    previous_secret_until: Option<String>,
}

/// A webhook, and what its messages are signed with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: WebhookView,
    /// It is told here alone.
    secret: String,
}

/// Webhooks.
#[derive(Serialize, ToSchema)]
pub(super) struct Webhooks {
    /// The oldest first.
    items: Vec<WebhookView>,
}

impl From<&Endpoint> for WebhookView {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            webhook_id: endpoint.public_id,
            url: endpoint.url.clone(),
            events: endpoint.kinds.iter().map(|kind| EventKind::name(*kind).to_owned()).collect(),
            description: endpoint.description.clone(),
            state: match endpoint.state {
                EndpointState::Enabled => WebhookStateName::Enabled,
                EndpointState::Disabled => WebhookStateName::Disabled,
            },
            disabled_because: endpoint.disabled_why.clone(),
            created_at: written(endpoint.created_at),
            previous_secret_until: endpoint.previous_until.map(written),
        }
    }
}

impl Webhooks {
    pub(super) fn of(all: &[Endpoint]) -> Self {
        Self { items: all.iter().map(WebhookView::from).collect() }
    }
}

/// A webhook with its version.
pub(super) fn shown(endpoint: &Endpoint) -> Response {
    let mut response = Json(WebhookView::from(endpoint)).into_response();
    response.headers_mut().insert(header::ETAG, etag(endpoint.version));
    response
}

/// The same with its secret, which is not remembered with the answer.
fn told(status: StatusCode, endpoint: &Endpoint, secret: &WebhookSecret) -> Response {
    let webhook = WebhookView::from(endpoint);
    let view = WebhookWithSecret { webhook, secret: secret.expose().to_string() };
    let mut response = (status, Json(view)).into_response();
    response.headers_mut().insert(header::ETAG, etag(endpoint.version));
    response.extensions_mut().insert(Secret);
    response
}

/// Register a webhook.
///
/// The secret is told here alone; what it is for stands in docs/webhooks.md.
#[utoipa::path(
    post, path = "/secure/webhooks", tag = "webhooks", request_body = NewWebhook,
    operation_id = "register_webhook",
    responses((status = 201, body = WebhookWithSecret), Problems, ChangeProblems)
)]
pub(super) async fn register(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Body(new): Body<NewWebhook>,
) -> Answered<Response> {
    let partner = tenant(&caller)?;
    let wanted = NewEndpoint { url: &new.url, description: &new.description, kinds: &new.events };
    let made = this.webhooks.register(partner, wanted, (keys.key(0), now())).await?;
    let mut response = told(StatusCode::CREATED, &made.0, &made.1);
    let place = format!("/secure/webhooks/{}", made.0.public_id);
    if let Ok(value) = place.parse() {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response.extensions_mut().insert(Made(place));
    Ok(response)
}

/// List the partner's webhooks.
#[utoipa::path(
    get, path = "/secure/webhooks", tag = "webhooks", operation_id = "list_webhooks",
    responses((status = 200, body = Webhooks), Problems)
)]
pub(super) async fn list(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
) -> Answered<Json<Webhooks>> {
    Ok(Json(Webhooks::of(&this.webhooks.endpoints(tenant(&caller)?).await?)))
}

/// Read a webhook.
#[utoipa::path(
    get, path = "/secure/webhooks/{webhookId}", tag = "webhooks", operation_id = "read_webhook",
    params(("webhookId" = Uuid, Path)),
    responses((status = 200, body = WebhookView), Problems)
)]
pub(super) async fn read(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<Response> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "webhook")?);
    Ok(shown(&this.webhooks.endpoint(partner, id).await?))
}

/// Change a webhook: all of it, or whether it is enabled.
///
/// What happened while it was disabled is not told afterwards.
#[utoipa::path(
    put, path = "/secure/webhooks/{webhookId}", tag = "webhooks", operation_id = "change_webhook",
    params(("webhookId" = Uuid, Path)), request_body = ChangedWebhook,
    responses((status = 200, body = WebhookView), Problems, ChangeProblems, VersionProblems)
)]
pub(super) async fn change(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Body(to): Body<ChangedWebhook>,
) -> Answered<Response> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "webhook")?);
    let change = EndpointChange {
        to: NewEndpoint { url: &to.url, description: &to.description, kinds: &to.events },
        state: match to.state {
            WebhookStateName::Enabled => EndpointState::Enabled,
            WebhookStateName::Disabled => EndpointState::Disabled,
        },
        version,
    };
    Ok(shown(&this.webhooks.change(partner, id, change).await?))
}

/// Give a webhook another secret.
///
/// The one of before signs as well for a while, so that the receiver can change over.
#[utoipa::path(
    post, path = "/secure/webhooks/{webhookId}/secret", tag = "webhooks",
    operation_id = "rotate_webhook_secret", params(("webhookId" = Uuid, Path)),
    responses((status = 200, body = WebhookWithSecret), Problems, ChangeProblems)
)]
pub(super) async fn rotate(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Extension(keys): Extension<Idempotency>,
    Path(id): Path<String>,
) -> Answered<Response> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "webhook")?);
    let (endpoint, secret) = this.webhooks.rotate(partner, id, (keys.key(0), now())).await?;
    Ok(told(StatusCode::OK, &endpoint, &secret))
}

/// Remove a webhook, and what waits for it.
#[utoipa::path(
    delete, path = "/secure/webhooks/{webhookId}", tag = "webhooks",
    operation_id = "remove_webhook", params(("webhookId" = Uuid, Path)),
    responses((status = 204), Problems)
)]
pub(super) async fn remove(
    State(this): State<Management>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered<StatusCode> {
    let (partner, id) = (tenant(&caller)?, public_id(&id, "webhook")?);
    this.webhooks.remove(partner, id, now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
