//! The seed's mobile channel over real TLS: a device paired, a session opened, used, expired and
//! renewed, the customer's own accounts, and what nobody else's session sees.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::platform::{PIN, Partner, Platform, euros};

const NONE: &Value = &Value::Null;

fn verified(acme: &Partner, reference: &str) -> String {
    let customer = acme.registers(reference);
    acme.verifies(&customer);
    customer
}

/// Asks until it is answered so, for things that become true by themselves.
fn until(what: &str, asked: impl Fn() -> bool) {
    let patience = Instant::now();
    while !asked() {
        assert!(patience.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::yield_now();
    }
}

// covers: SR-002, SR-005, SR-006, SR-007, SR-050, SR-103, SR-140, SR-142, SR-149, SR-176, A-39
// covers: API-06
#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_paired_and_sees_its_customers_accounts_alone() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let app = platform.anonymous();
    let ada = verified(&acme, "u-1");
    let other = verified(&acme, "u-2");
    let others = acme.opens(&other, "open for another");

    let first = acme.pairs(&app, &ada, "device-0001");
    assert_eq!(first.tries("271829").refused(), (401, "UNAUTHENTICATED".into()));
    let session = first.opens();
    let me = session.get("/customers/me").done(200).json();
    assert_eq!((&me["customerId"], &me["kycState"]), (&json!(ada), &json!("VERIFIED")), "{me}");

    // An account of its own, opened twice under one key, and there once.
    let new = json!({ "programmeId": acme.programme });
    let opened = session.post("/customers/me/balances", "open", &new).done(201);
    let again = session.post("/customers/me/balances", "open", &new).done(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let balance = opened.header("location").expect("a place").to_owned();
    let listed = session.get("/customers/me/balances").done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");

    // The partner puts money there; the customer sees it, booked, and in the statement.
    let id = opened.json()["balanceId"].as_str().expect("an identifier").to_owned();
    let reload = format!("/secure/customers/{ada}/balances/{id}/reload");
    let amount = json!({ "amount": euros("50"), "reference": "top-up" });
    acme.client.post(&reload, "reload", &amount).done(200);
    assert_eq!(session.get(&balance).done(200).json()["available"], euros("50.00"));
    let day = |path: &str| format!("{path}/statement?from=2026-01-01&to=2026-12-31");
    until("the tables follow", || {
        let told = session.get(&day(&balance)).done(200).json();
        told["entries"].as_array().is_some_and(|entries| entries.len() == 1)
    });
    let told = session.get(&day(&balance)).done(200).json();
    assert_eq!((&told["opening"], &told["closing"]), (&euros("0.00"), &euros("50.00")), "{told}");
    assert_eq!(told["entries"][0]["ledger"], euros("50.00"));
    let partners = acme.client.get(&day(&format!("/secure/customers/{ada}/balances/{id}")));
    assert_eq!(partners.done(200).json(), told, "the partner reads the same");

    // Another customer's account is not there, by no path.
    let others = others.rsplit('/').next().expect("an identifier");
    let path = format!("/customers/me/balances/{others}");
    assert_eq!(session.get(&path).refused(), (404, "NOT_FOUND".into()));
    let elsewhere = session.get(&format!("/secure/customers/{ada}/balances"));
    assert_eq!(elsewhere.status, 404, "another channel's path");

    // To remove a device the PIN is asked for again.
    let second = acme.pairs(&app, &ada, "device-0002");
    let device = second.paired["deviceId"].as_str().expect("an identifier").to_owned();
    let path = format!("/customers/me/devices/{device}");
    let unasked = session.send("DELETE", &path, &[], None);
    assert_eq!(unasked.refused(), (403, "STEP_UP_REQUIRED".into()));
    let step_up = |pin: &str| {
        session.send("POST", "/customers/sessions/current/step-up", &[], Some(&json!({"pin": pin})))
    };
    assert_eq!(step_up("271829").refused(), (401, "UNAUTHENTICATED".into()));
    step_up(PIN).done(200);
    session.send("DELETE", &path, &[], None).done(204);
    let devices = session.get("/customers/me/devices").done(200).json();
    assert_eq!(devices["items"].as_array().map(Vec::len), Some(1), "{devices}");

    // Installed anew on the same device: what was there before is over.
    let anew = acme.pairs(&app, &ada, "device-0001");
    assert_eq!(anew.paired["deviceId"], first.paired["deviceId"]);
    assert_eq!(session.get("/customers/me").refused(), (401, "UNAUTHENTICATED".into()));
    let session = anew.opens();
    session.send("DELETE", "/customers/sessions/current", &[], None).done(204);
    let ended = session.get("/customers/me");
    assert_eq!(ended.header("www-authenticate"), Some("Bearer"));
    assert_eq!(ended.refused(), (401, "UNAUTHENTICATED".into()));
    for token in ["", "x", &"0".repeat(64)] {
        let nobody = app.bearing(token).get("/customers/me");
        assert_eq!(nobody.refused(), (401, "UNAUTHENTICATED".into()));
    }
    platform.close().await;
}

// covers: SR-008, A-40
#[tokio::test(flavor = "multi_thread")]
async fn a_session_expires_unused_and_is_renewed_and_outlives_a_restart() {
    let platform =
        Platform::start_with(vec![("CARDSWITCH_API__SESSIONS__IDLE_S", "1".into())]).await;
    let acme = platform.partner("Acme", "99999912");
    let ada = acme.registers("u-1");
    let app = acme.pairs(&platform.anonymous(), &ada, "device-0001");
    let session = app.opens();
    // Asked with pauses that grow, it is used until one pause is too long; a machine that is busy
    // makes pauses longer, and never shorter.
    let (mut pause, mut used) = (Duration::from_millis(100), Instant::now());
    let expired = loop {
        let due = Instant::now() + pause;
        until("the pause", || Instant::now() >= due);
        let asking = Instant::now();
        let asked = session.get("/customers/me");
        if asked.status != 200 {
            break asked;
        }
        (pause, used) = (pause * 2, asking);
    };
    let unused = used.elapsed();
    assert!(unused >= Duration::from_secs(1), "it ended after {unused:?}");
    assert_eq!(expired.refused(), (401, "SESSION_EXPIRED".into()));

    let app = app.clone();
    let platform = platform.restart();
    let app = app.at(platform.anonymous());
    let renewed: Client = app.opens();
    assert_eq!(renewed.get("/customers/me").done(200).json()["customerId"], json!(ada));
    platform.close().await;
}

// covers: SR-007, API-02
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_alike_and_nothing_of_it_is_kept() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let ada = acme.registers("u-1");
    let anonymous = platform.anonymous();
    let app = acme.pairs(&anonymous, &ada, "device-0001");
    // The partner verifies its customers itself: they cannot begin it.
    let session = app.opens();
    let begun = session.post("/customers/me/register", "register", NONE);
    assert_eq!(begun.refused(), (403, "FORBIDDEN".into()));
    let early =
        session.post("/customers/me/balances", "early", &json!({ "programmeId": acme.programme }));
    assert_eq!(early.refused(), (409, "CUSTOMER_NOT_VERIFIED".into()));

    // A wrong secret, a wrong installation, a wrong PIN: one answer.
    let opening = |installation: &Value, secret: &str, pin: &str| {
        let opening = json!({
            "installationId": installation, "installationSecret": secret, "pin": pin
        });
        let told = anonymous.send("POST", "/customers/sessions", &[], Some(&opening));
        let mut problem = told.json();
        problem["requestId"] = Value::Null;
        (told.status, problem)
    };
    let installation = &app.paired["installationId"];
    let secret = app.paired["installationSecret"].as_str().expect("a secret");
    let wrong = [
        opening(installation, &"0".repeat(64), PIN),
        opening(installation, "short", PIN),
        opening(&json!("0b4f7c1e-6a8d-4c07-9d0f-0f6d2f1f7b55"), secret, PIN),
        opening(installation, secret, "314159"),
    ];
    for told in &wrong {
        assert_eq!((told, told.0), (&wrong[0], 401));
    }

    // The answers that carry a secret are not kept: no table has it, and a repeat is done again.
    let again = json!({
        "installationId": installation, "installationSecret": secret, "pin": PIN
    });
    let first = anonymous.post("/customers/sessions", "open", &again).done(201).json();
    let second = anonymous.post("/customers/sessions", "open", &again).done(201).json();
    assert_ne!(first["token"], second["token"]);
    platform.close().await;
}
