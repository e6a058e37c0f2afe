//! `/admin` (SR-052): what operators are served at the panel, over all tenants. It owns the table
//! of who may call what, and that personal data are shown one customer at a time. No card number is
//! shown here, to nobody (SR-119).

mod access;
mod audit;
mod authorizations;
mod balances;
mod cards;
mod changes;
mod controls;
mod corporations;
mod customers;
mod fees;
mod kyc;
mod operators;
mod partners;
mod plastic;
mod pools;
mod programmes;
mod sessions;
mod summaries;
mod webhooks;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::served::Panel;
use crate::channel::Refusals;
use crate::http::Caller;
use crate::service::audit::AuditSink;
use uuid::Uuid;

pub(super) use access::document_roles;
pub use access::{Access, Needs};

/// For who has no session yet.
pub(super) fn signing_in() -> OpenApiRouter<Panel> {
    OpenApiRouter::new().routes(routes!(sessions::sign_in))
}

/// Behind a session.
pub(super) fn signed_in() -> OpenApiRouter<Panel> {
    OpenApiRouter::new()
        .routes(routes!(sessions::current, sessions::sign_out))
        .routes(routes!(operators::list, operators::add))
        .routes(routes!(operators::block))
        .routes(routes!(operators::unblock))
        .routes(routes!(operators::reset))
        .routes(routes!(operators::set_role))
        .routes(routes!(customers::list))
        .routes(routes!(customers::block))
        .routes(routes!(customers::unblock))
        .routes(routes!(kyc::waiting))
        .routes(routes!(kyc::history, kyc::decide))
        .routes(routes!(corporations::queue))
        .routes(routes!(corporations::decide))
        .routes(routes!(balances::list))
        .routes(routes!(balances::read))
        .routes(routes!(balances::block))
        .routes(routes!(balances::unblock))
        .routes(routes!(partners::list, partners::create))
        .routes(routes!(partners::read, partners::change))
        .routes(routes!(partners::history))
        .routes(routes!(programmes::list, programmes::create))
        .routes(routes!(programmes::read, programmes::change))
        .routes(routes!(programmes::history))
        .routes(routes!(controls::list_of_programme, controls::define_of_programme))
        .routes(routes!(controls::change_of_programme, controls::remove_of_programme))
        .routes(routes!(fees::read, fees::set))
        .routes(routes!(fees::preview))
        .routes(routes!(fees::of_balance))
        .routes(routes!(fees::invoice_of))
        .routes(routes!(pools::list, pools::open))
        .routes(routes!(pools::read))
        .routes(routes!(pools::alert, pools::set_alert))
        .routes(routes!(pools::reloads, pools::reload))
        .routes(routes!(pools::one_reload))
        .routes(routes!(pools::approve))
        .routes(routes!(pools::refuse))
        .routes(routes!(summaries::read))
        .routes(routes!(webhooks::list))
        .routes(routes!(webhooks::read))
        .routes(routes!(webhooks::messages))
        .routes(routes!(webhooks::attempts))
        .routes(routes!(webhooks::resend))
        .routes(routes!(cards::issue))
        .routes(routes!(cards::list))
        .routes(routes!(cards::details))
        .routes(routes!(cards::lock))
        .routes(routes!(cards::unlock))
        .routes(routes!(cards::activate))
        .routes(routes!(cards::replace))
        .routes(routes!(cards::renew))
        .routes(routes!(cards::reset_code))
        .routes(routes!(cards::remove))
        .routes(routes!(controls::list_of_card))
        .routes(routes!(authorizations::list_of_card))
        .routes(routes!(authorizations::read))
        .routes(routes!(authorizations::list_of_balance))
        .routes(routes!(plastic::order))
        .routes(routes!(plastic::read))
}

/// Behind a session, and with the password again.
pub(super) fn proving_again() -> OpenApiRouter<Panel> {
    OpenApiRouter::new().routes(routes!(sessions::change_password))
}

/// Behind a session, and recorded though they only read: personal data, and the audit itself.
pub(super) fn recorded_reads() -> OpenApiRouter<Panel> {
    OpenApiRouter::new()
        .routes(routes!(customers::read))
        .routes(routes!(corporations::read))
        .routes(routes!(corporations::documents))
        .routes(routes!(corporations::download))
        .routes(routes!(audit::page))
}

/// What is behind a session, put together: what may be remembered, and what carries a password.
pub(super) fn behind_session(
    panel: Panel,
    audit: AuditSink,
    refusals: Refusals,
) -> (Router, Router) {
    let (plain, _) = signed_in().with_state(panel.clone()).split_for_parts();
    let (proving, _) = proving_again().with_state(panel.clone()).split_for_parts();
    let (recorded, _) = recorded_reads().with_state(panel).split_for_parts();
    let recorded = recorded.layer(from_fn_with_state(audit, crate::http::read_audited));
    let by_role = from_fn_with_state(refusals, access::by_role);
    (plain.merge(recorded).layer(by_role.clone()), proving.layer(by_role))
}

/// Who is at the panel.
const fn operator(caller: &Caller) -> Option<Uuid> {
    match caller {
        Caller::Operator { operator, .. } => Some(*operator),
        _ => None,
    }
}
