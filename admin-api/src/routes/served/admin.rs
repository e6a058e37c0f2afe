//! `/admin`: what operators are served at the panel, by their sessions (SR-052).

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::openapi::OpenApi;

use super::{Around, Management, inside, inside_proving, outside};
use crate::channel::{OperatorChannel, as_nobody, by_operator_session};
use crate::operators::Operators;
use crate::routes::admin::{
    behind_session, document_roles, proving_again, recorded_reads, signed_in, signing_in,
};
use crate::service::audit::AuditLog;

/// What the routes of the panel work with. Cloning gives another handle.
#[derive(Clone)]
pub struct Panel {
    /// What all channels work with.
    pub management: Management,
    /// Who is at the panel.
    pub operators: Operators,
    /// What was done.
    pub audit: AuditLog,
}

/// The OpenAPI document of `/admin`.
#[must_use]
pub fn admin_document() -> OpenApi {
    let all = signing_in().merge(signed_in()).merge(proving_again()).merge(recorded_reads());
    let mut document = all.into_openapi();
    document.info.title = "Cardswitch: administration".to_owned();
    document.info.description = Some(
        "For operators at the panel. Sign in at POST /admin/sessions, and send the token as \
         `Authorization: Bearer`. `x-roles` says who may call what; card numbers are shown to \
         nobody. Every POST takes an Idempotency-Key; those that carry a password do nothing \
         twice, and it is not looked at."
            .to_owned(),
    );
    document_roles(&mut document);
    document
}

/// `/admin`, for who signs in and for who has.
pub fn admin_channel(panel: Panel, channel: OperatorChannel, around: &Around) -> Router {
    let jwe = panel.management.jwe.clone();
    let (entry, _) = signing_in().with_state(panel.clone()).split_for_parts();
    let entry = inside_proving(entry, &jwe, around).layer(from_fn(as_nobody));
    let refusals = channel.refusals.clone();
    let (behind, proving) = behind_session(panel, around.audit.clone(), refusals);
    let proving = inside_proving(proving, &jwe, around);
    let behind = inside(behind, &jwe, around).merge(proving);
    let behind = behind.layer(from_fn_with_state(channel, by_operator_session));
    // Where no route is, the latter says so: for that nobody has to be known.
    outside(behind.merge(entry), around)
}
