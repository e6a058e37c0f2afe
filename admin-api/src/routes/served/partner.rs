//! `/secure` and `/lifecycle`: what partners' own systems are served, over mutual TLS.

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Around, Management, inside, inside_bringing, inside_named, outside};
use crate::channel::{CertificateChannel, by_certificate};
use crate::http::read_audited;
use crate::routes::authorizations::secure as authorizations;
use crate::routes::cards::secure as cards;
use crate::routes::controls::secure as controls;
use crate::routes::{
    balances, corporate, corporations, customers, devices, fees, kyc, partners, plastic, pools,
    programmes, public_key, sandbox, summaries, webhook_messages, webhooks,
};

fn routes() -> OpenApiRouter<Management> {
    OpenApiRouter::new()
        .routes(routes!(public_key::public_key))
        .routes(routes!(customers::register, customers::list))
        .routes(routes!(customers::read, customers::update, customers::remove))
        .routes(routes!(customers::block))
        .routes(routes!(customers::unblock))
        .routes(routes!(kyc::set, kyc::read))
        .routes(routes!(kyc::begin))
        .routes(routes!(corporations::create, corporations::list))
        .routes(routes!(corporations::read))
        .routes(routes!(corporations::documents))
        .routes(routes!(corporate::open_balance))
        .routes(routes!(corporate::issue_card))
        .routes(routes!(corporate::order_card))
        .routes(routes!(balances::open, balances::list))
        .routes(routes!(balances::read))
        .routes(routes!(balances::block))
        .routes(routes!(balances::unblock))
        .routes(routes!(balances::close))
        .routes(routes!(balances::reload))
        .routes(routes!(balances::movements))
        .routes(routes!(balances::statement))
        .routes(routes!(devices::pairing_code))
        .routes(routes!(devices::list))
        .routes(routes!(devices::remove))
        .routes(routes!(devices::unblock))
        .routes(routes!(partners::own))
        .routes(routes!(programmes::own))
        .routes(routes!(programmes::own_one))
        .routes(routes!(pools::secure::list))
        .routes(routes!(pools::secure::read))
        .routes(routes!(pools::secure::reloads))
        .routes(routes!(pools::secure::alert))
        .routes(routes!(summaries::of_own))
        .routes(routes!(webhooks::register, webhooks::list))
        .routes(routes!(webhooks::read, webhooks::change, webhooks::remove))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhook_messages::test))
        .routes(routes!(webhook_messages::list))
        .routes(routes!(webhook_messages::read))
        .routes(routes!(webhook_messages::attempts))
        .routes(routes!(webhook_messages::resend))
        .routes(routes!(plastic::order))
        .routes(routes!(plastic::read))
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
        .routes(routes!(cards::remove))
        .routes(routes!(cards::remove_by_lifecycle))
        .routes(routes!(authorizations::list_of_card))
        .routes(routes!(authorizations::read))
        .routes(routes!(authorizations::list_of_balance))
        .routes(routes!(controls::list_of_card, controls::define_of_card))
        .routes(routes!(controls::change_of_card, controls::remove_of_card))
        .routes(routes!(controls::list_of_balance, controls::define_of_balance))
        .routes(routes!(controls::change_of_balance, controls::remove_of_balance))
        .routes(routes!(controls::list_of_programme, controls::define_of_programme))
        .routes(routes!(controls::change_of_programme, controls::remove_of_programme))
}

/// What programmes charge, and what was charged.
fn of_fees() -> OpenApiRouter<Management> {
    OpenApiRouter::new()
        .routes(routes!(fees::secure::list))
        .routes(routes!(fees::secure::preview))
        .routes(routes!(fees::secure::of_balance))
        .routes(routes!(fees::secure::own_invoice))
}

/// What is there in development alone, and where a sandbox is configured.
fn simulations() -> OpenApiRouter<Management> {
    OpenApiRouter::new()
        .routes(routes!(sandbox::authorization))
        .routes(routes!(sandbox::advice))
        .routes(routes!(sandbox::clearing))
        .routes(routes!(sandbox::reversal))
        .routes(routes!(sandbox::refund))
        .routes(routes!(sandbox::shipment))
}

/// Reads of card data: recorded.
fn recorded_reads() -> OpenApiRouter<Management> {
    OpenApiRouter::new().routes(routes!(cards::read))
}

/// What makes something and carries a card's PIN.
fn making_with_pin() -> OpenApiRouter<Management> {
    OpenApiRouter::new()
        .routes(routes!(plastic::order_with_pin))
        .routes(routes!(corporate::order_card_with_pin))
}

/// What brings a document.
fn bringing() -> OpenApiRouter<Management> {
    OpenApiRouter::new().routes(routes!(corporations::send))
}

/// The OpenAPI document of `/secure` and `/lifecycle`.
#[must_use]
pub fn secure_document() -> OpenApi {
    let all = routes()
        .merge(of_fees())
        .merge(simulations())
        .merge(recorded_reads())
        .merge(making_with_pin());
    let mut document = all.merge(bringing()).into_openapi();
    document.info.title = "Cardswitch: server to server".to_owned();
    document.info.description = Some(
        "For partners' own systems, over mutual TLS. Amounts are decimal text in major units; \
         every POST takes an Idempotency-Key. What is under /secure/simulate is there in \
         development alone, and where a sandbox is configured; elsewhere these paths are 404."
            .to_owned(),
    );
    document
}

/// `/secure` and `/lifecycle`, for callers with a client certificate.
pub fn partner_channels(
    management: Management,
    certificates: CertificateChannel,
    around: &Around,
) -> Router {
    let jwe = management.jwe.clone();
    let all = match management.sandbox {
        Some(_) => routes().merge(of_fees()).merge(simulations()),
        None => routes().merge(of_fees()),
    };
    let (router, _) = all.with_state(management.clone()).split_for_parts();
    let (making, _) = making_with_pin().with_state(management.clone()).split_for_parts();
    let (bringing, _) = bringing().with_state(management.clone()).split_for_parts();
    let (recorded, _) = recorded_reads().with_state(management).split_for_parts();
    let recorded = recorded.layer(from_fn_with_state(around.audit.clone(), read_audited));
    let making = inside_named(making, &jwe, around);
    let bringing = inside_bringing(bringing, &jwe, around);
    let known = inside(recorded.merge(router), &jwe, around).merge(making).merge(bringing);
    outside(known.layer(from_fn_with_state(certificates, by_certificate)), around)
}
