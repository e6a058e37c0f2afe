//! `/customers`: what customers' apps are served. Who pairs a device or opens a session is nobody
//! yet; everything else is behind the session.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Around, Management, inside, inside_named, inside_proving, outside};
use crate::channel::{SessionChannel, as_nobody, by_session};
use crate::http::read_audited;
use crate::routes::me::{
    access, authorizations, balances, cards, controls, devices, fees, plastic, profile,
};
use crate::routes::public_key;

/// For everybody.
fn open_to_all() -> OpenApiRouter<Management> {
    OpenApiRouter::new().routes(routes!(public_key::of_customers))
}

/// For who has no session.
fn way_in() -> OpenApiRouter<Management> {
    OpenApiRouter::new()
        .routes(routes!(access::pair))
        .routes(routes!(access::open))
        .routes(routes!(access::change_pin))
}

/// For who has one, and sends a PIN: the own one again, or a card's.
fn proving_again() -> OpenApiRouter<Management> {
    OpenApiRouter::new().routes(routes!(access::step_up)).routes(routes!(cards::set_pin))
}

/// For who has one, and sends a card's PIN with what is made.
fn making_with_pin() -> OpenApiRouter<Management> {
    OpenApiRouter::new().routes(routes!(plastic::order_with_pin))
}

/// For who has one.
fn behind() -> OpenApiRouter<Management> {
    OpenApiRouter::new()
        .routes(routes!(access::read, access::end))
        .routes(routes!(profile::read))
        .routes(routes!(profile::register))
        .routes(routes!(devices::list))
        .routes(routes!(devices::remove))
        .routes(routes!(balances::open, balances::list))
        .routes(routes!(balances::read))
        .routes(routes!(balances::movements))
        .routes(routes!(balances::statement))
        .routes(routes!(fees::list))
        .routes(routes!(cards::issue))
        .routes(routes!(cards::order))
        .routes(routes!(cards::read_job))
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

/// Reads of card data: recorded.
fn recorded_reads() -> OpenApiRouter<Management> {
    OpenApiRouter::new().routes(routes!(cards::read))
}

/// The OpenAPI document of `/customers`.
#[must_use]
pub fn customer_document() -> OpenApi {
    let all = open_to_all().merge(way_in()).merge(proving_again()).merge(behind());
    let all = all.merge(making_with_pin());
    let mut document = all.merge(recorded_reads()).into_openapi();
    document.info.title = "Cardswitch: customers' apps".to_owned();
    document.info.description = Some(
        "For the app on a customer's device: `Authorization: Bearer` with the token of a session. \
         Amounts are decimal text in major units; every POST takes an Idempotency-Key."
            .to_owned(),
    );
    document
}

/// `/customers`, for customers' apps.
pub fn customer_channel(
    management: Management,
    sessions: SessionChannel,
    around: &Around,
) -> Router {
    let jwe = management.jwe.clone();
    let (open, _) = open_to_all().with_state(management.clone()).split_for_parts();
    let (way_in, _) = way_in().with_state(management.clone()).split_for_parts();
    let (proving, _) = proving_again().with_state(management.clone()).split_for_parts();
    let (making, _) = making_with_pin().with_state(management.clone()).split_for_parts();
    let (behind, _) = behind().with_state(management.clone()).split_for_parts();
    let (recorded, _) = recorded_reads().with_state(management).split_for_parts();
    let recorded = recorded.layer(from_fn_with_state(around.audit.clone(), read_audited));
    let way_in = inside_proving(way_in, &jwe, around).merge(inside(open, &jwe, around));
    let proving = inside_proving(proving, &jwe, around);
    let making = inside_named(making, &jwe, around);
    let known = inside(recorded.merge(behind), &jwe, around).merge(proving).merge(making);
    let known = known.layer(from_fn_with_state(sessions, by_session));
    outside(way_in.layer(from_fn(as_nobody)).merge(known), around)
}
