//! `/customers`: what customers' apps are served. Who pairs a device or opens a session is nobody
//! yet; everything else is behind the session.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Around, Management, inside, outside};
use crate::channel::{SessionChannel, as_nobody, by_session};
use crate::http::unremembered;
use crate::routes::me::{access, balances, devices, plastic, profile};
use crate::routes::public_key;

/// For who has no session.
fn way_in() -> OpenApiRouter<Management> {
    OpenApiRouter::new()
        .routes(routes!(access::pair))
        .routes(routes!(access::open))
        .routes(routes!(access::change_pin))
        .routes(routes!(public_key::of_customers))
}

/// For who has one, and gives the PIN again.
fn proving_again() -> OpenApiRouter<Management> {
    OpenApiRouter::new().routes(routes!(access::step_up))
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
        .routes(routes!(plastic::order))
        .routes(routes!(plastic::read))
}

/// The OpenAPI document of `/customers`.
#[must_use]
pub fn customer_document() -> OpenApi {
    let mut document = way_in().merge(proving_again()).merge(behind()).into_openapi();
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
    let (way_in, _) = way_in().with_state(management.clone()).split_for_parts();
    let (proving, _) = proving_again().with_state(management.clone()).split_for_parts();
    let (behind, _) = behind().with_state(management).split_for_parts();
    // What carries a PIN is not remembered.
    let way_in = inside(way_in, &jwe, around).layer(from_fn(unremembered));
    let proving = inside(proving, &jwe, around).layer(from_fn(unremembered));
    let known = inside(behind, &jwe, around).merge(proving);
    let known = known.layer(from_fn_with_state(sessions, by_session));
    outside(way_in.layer(from_fn(as_nobody)).merge(known), around)
}
