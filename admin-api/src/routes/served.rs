//! Channels put together: routes, and the layers around them in their order. It owns that order:
//! what is cheap stands outside of what is not, and nothing of a route runs before its caller is
//! known, within its rate, and its request not done before.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use switch_domain::Timestamp;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{balances, customers, kyc, public_key};
use crate::Services;
use crate::channel::{CertificateChannel, by_certificate};
use crate::http::{
    Encryption, Rates, Repeats, audited, encrypted, finish, idempotent, limit_caller, limit_source,
};
use crate::jwe::{Jwe, OpenPolicy, Requirement};
use crate::service::audit::AuditSink;
use crate::service::users::Users;

/// What the routes work with. Cloning gives another handle.
#[derive(Clone)]
pub struct Management {
    /// Commands of the shards.
    pub services: Services,
    /// End users.
    pub users: Users,
    /// Encrypted requests and answers.
    pub jwe: Arc<Jwe>,
}

/// A moment as JSON has it: RFC 3339, in UTC.
pub(super) fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

/// What stands around the routes.
#[derive(Clone)]
pub struct Channels {
    /// Who calls.
    pub certificates: CertificateChannel,
    /// How often.
    pub rates: Arc<Rates>,
    /// What was done before.
    pub repeats: Arc<Repeats>,
    /// In which time a body comes.
    pub body_within: Duration,
    /// What is recorded.
    pub audit: AuditSink,
}

fn routes() -> OpenApiRouter<Management> {
    OpenApiRouter::new()
        .routes(routes!(public_key::public_key))
        .routes(routes!(customers::register, customers::list))
        .routes(routes!(customers::read, customers::update, customers::remove))
        .routes(routes!(customers::block))
        .routes(routes!(customers::unblock))
        .routes(routes!(kyc::set, kyc::read))
        .routes(routes!(kyc::begin))
        .routes(routes!(balances::open, balances::list))
        .routes(routes!(balances::read))
        .routes(routes!(balances::block))
        .routes(routes!(balances::unblock))
        .routes(routes!(balances::close))
        .routes(routes!(balances::reload))
        .routes(routes!(balances::movements))
}

/// The OpenAPI document of `/secure` and `/lifecycle`.
#[must_use]
pub fn secure_document() -> OpenApi {
    let mut document = routes().into_openapi();
    document.info.title = "Cardswitch: server to server".to_owned();
    document.info.description = Some(
        "For partners' own systems, over mutual TLS. Amounts are decimal text in major units; \
         every POST takes an Idempotency-Key."
            .to_owned(),
    );
    document
}

/// `/secure` and `/lifecycle`, for callers with a client certificate.
pub fn partner_channels(management: Management, channels: Channels) -> Router {
    let Channels { certificates, rates, repeats, body_within, audit } = channels;
    let body_limit = repeats.body_limit;
    let encryption = Encryption {
        jwe: management.jwe.clone(),
        policy: OpenPolicy::default(),
        requirement: Requirement::Optional,
        body_limit,
        body_within,
    };
    let (router, _) = routes().with_state(management).split_for_parts();
    // The last is the outermost.
    router
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(from_fn_with_state(audit, audited))
        .layer(from_fn_with_state(repeats, idempotent))
        .layer(from_fn_with_state(Arc::new(encryption), encrypted))
        .layer(from_fn_with_state(rates.clone(), limit_caller))
        .layer(from_fn_with_state(certificates, by_certificate))
        .layer(from_fn_with_state(rates, limit_source))
        .layer(from_fn(finish))
}
