//! Rates: who is over them is told when to come again, and nobody else notices.

use std::num::NonZeroU32;
use std::time::Duration;

use admin_api::http::{Caller, Rate, Rates, RatesSettings, limit_caller, limit_source};
use axum::middleware::from_fn_with_state;
use axum::routing::get as on_get;
use axum::{Extension, Router};
use switch_domain::PartnerId;

use crate::server::{ask, get, served};

/// So slow that no time that a test takes gives another request.
fn rate(burst: u32) -> Rate {
    Rate { every: Duration::from_secs(3600), burst: NonZeroU32::new(burst).expect("above zero") }
}

fn settings(source: u32, caller: u32, buckets: usize) -> RatesSettings {
    RatesSettings { source: rate(source), caller: rate(caller), proof: rate(1), buckets }
}

fn of(partner: i64, certificate: &str) -> Caller {
    Caller::Partner { partner: PartnerId(partner), certificate: certificate.into() }
}

// covers: API-04
#[tokio::test]
async fn a_source_has_its_own_bucket_and_a_network_of_addresses_one() {
    let rates = Rates::new(settings(3, 1, 100));
    let router = Router::new()
        .route("/", on_get(|| async { "here" }))
        .layer(from_fn_with_state(rates, limit_source));
    let flood = served(router.clone(), "[2001:db8:0:1::1]:4000");
    let neighbour = served(router.clone(), "[2001:db8:0:1:ffff::2]:4000");
    let other = served(router, "192.0.2.1:4000");
    for _ in 0..3 {
        assert_eq!(ask(&flood, get("/")).await.status, 200);
    }
    let refused = ask(&flood, get("/")).await;
    assert_eq!(refused.json()["code"], "TOO_MANY_REQUESTS");
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((3000..=3601).contains(&wait), "{wait}");
    assert_eq!(ask(&neighbour, get("/")).await.status, 429);
    assert_eq!(ask(&other, get("/")).await.status, 200);
}

// covers: API-04
#[tokio::test]
async fn buckets_are_bounded_and_the_flood_shares_with_its_neighbours() {
    let rates = Rates::new(settings(1, 1, 4));
    let router = Router::new()
        .route("/", on_get(|| async { "here" }))
        .layer(from_fn_with_state(rates, limit_source));
    let mut statuses = Vec::new();
    for last in 1..=7 {
        let router = served(router.clone(), &format!("198.51.100.{last}:4000"));
        statuses.push(ask(&router, get("/")).await.status.as_u16());
    }
    // Four have their own, the fifth takes what its network has, and the others find none.
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    let elsewhere = served(router, "203.0.113.1:4000");
    assert_eq!(ask(&elsewhere, get("/")).await.status, 200);
}

// covers: API-04
#[tokio::test]
async fn all_certificates_of_a_partner_share_one_bucket() {
    let rates = Rates::new(settings(50, 1, 100));
    let router = |caller| {
        let router = Router::new()
            .route("/", on_get(|| async { "here" }))
            .layer(from_fn_with_state(rates.clone(), limit_caller))
            .layer(Extension(caller));
        served(router, "192.0.2.1:4000")
    };
    assert_eq!(ask(&router(of(1, "aa")), get("/")).await.status, 200);
    assert_eq!(ask(&router(of(2, "cc")), get("/")).await.status, 200);
    let other_certificate = ask(&router(of(1, "bb")), get("/")).await;
    assert_eq!(other_certificate.status, 429, "another certificate is no other caller");
}
