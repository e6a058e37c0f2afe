//! The seed's steps 1 to 4, in its order, over real TLS with real client certificates: a partner
//! is set up and its request signed; users are registered and verified, each way; a device is
//! paired and sessions come and go; an account is opened, reloaded, read, and spent from over TCP.

use serde_json::{Value, json};
use sqlx::ConnectOptions;

use super::client::Client;
use super::kyc::Stage;
use super::person::{Person, as_operator};
use super::platform::{Partner, euros};
use crate::stage::{peer, purchase};

const NOT_VERIFIED: (u16, &str) = (409, "CUSTOMER_NOT_VERIFIED");

/// What comes of asking for an account.
fn asks_for_an_account(app: &Client, partner: &Partner, key: &str) -> (u16, Value) {
    let new = json!({ "programmeId": partner.programme });
    let told = app.post("/customers/me/balances", key, &new);
    (told.status, told.json())
}

fn is_not_verified(app: &Client, partner: &Partner, key: &str) -> bool {
    let (status, told) = asks_for_an_account(app, partner, key);
    (status, told["code"].as_str().unwrap_or_default()) == NOT_VERIFIED
}

// covers: SR-002, SR-030, SR-031, SR-032, SR-033, SR-034, SR-051, SR-100, SR-101, SR-145, SR-147
#[tokio::test(flavor = "multi_thread")]
async fn from_the_partners_request_to_the_users_purchase() {
    // Step 1: partners are set up, and their requests signed (`partner` does both).
    let mut stage = Stage::start().await;
    let own = stage.partner("Own", "99999912", "own");
    let manual = stage.partner("Manual", "99999913", "manual");
    let automated = stage.partner("Automated", "99999914", "automated");
    let app = stage.platform.anonymous();

    // Step 2: users are registered, a device of each is paired, and a session opened.
    let ada = own.registers("u-1");
    let (bob, eve) = (manual.registers("u-1"), manual.registers("u-2"));
    let (kim, lee) = (automated.registers("u-1"), automated.registers_one("u-2", "Denied"));
    let paired = own.pairs(&app, &ada, "device-ada1");
    let session = paired.opens();
    let opens = |partner: &Partner, customer: &str| {
        partner.pairs(&app, customer, &format!("device-{customer}")).opens()
    };
    let bobs = opens(&manual, &bob);
    let eves = opens(&manual, &eve);
    let (kims, lees) = (opens(&automated, &kim), opens(&automated, &lee));

    // Step 3: verification passed and refused, in each mode; no account before it.
    assert!(is_not_verified(&session, &own, "early"));
    let begun = session.post("/customers/me/register", "own", &Value::Null);
    assert_eq!(begun.refused(), (403, "FORBIDDEN".into()), "the partner verifies it");
    own.verifies(&ada);
    let flag = json!({ "state": "REJECTED" });
    let other = own.registers("u-2");
    own.client.post(&format!("/lifecycle/v1/customers/{other}/kyc"), "no", &flag).done(200);
    assert!(is_not_verified(&opens(&own, &other), &own, "refused"));

    for (user, customer) in [(&bobs, &bob), (&eves, &eve)] {
        user.post("/customers/me/register", customer, &Value::Null).done(200);
        assert!(is_not_verified(user, &manual, &format!("early {customer}")));
    }
    let add = ["operator", "add", "--name", "mia", "--role", "manager"];
    let mut mia = Person::of(&stage.platform.served.command(&add).expect("added"));
    let panel = stage.platform.panel();
    let token = mia.begins(&panel);
    for (customer, decision) in [(&bob, "APPROVE"), (&eve, "REJECT")] {
        let body = json!({ "decision": decision, "note": "seen" });
        let path = format!("/admin/customers/{customer}/kyc");
        as_operator(&panel, &token, "POST", &path, Some(&body)).done(200);
    }
    assert_eq!(asks_for_an_account(&bobs, &manual, "bob").0, 201);
    assert!(is_not_verified(&eves, &manual, "eve"));

    kims.post("/customers/me/register", "kim", &Value::Null).done(200);
    automated.begins(&lee, "begin lee");
    stage.until(&kim, "VERIFIED").await;
    stage.until(&lee, "REJECTED").await;
    assert_eq!(asks_for_an_account(&kims, &automated, "kim").0, 201);
    assert!(is_not_verified(&lees, &automated, "lee"));

    // A session that nobody uses for ten minutes is over, and is renewed. The table is moved back
    // by that instead of waiting.
    let idle = "UPDATE user_session SET used_at = used_at - interval '10 minutes'";
    stage.platform.sql(idle).await;
    assert_eq!(session.get("/customers/me").refused(), (401, "SESSION_EXPIRED".into()));
    let session = paired.opens();

    // Step 4: an account, at zero, reloaded by the partner, read by its user, and spent from.
    let (status, opened) = asks_for_an_account(&session, &own, "open");
    assert_eq!((status, &opened["available"]), (201, &euros("0.00")));
    let id = opened["balanceId"].as_str().expect("an identifier");
    let reload = format!("/secure/customers/{ada}/balances/{id}/reload");
    let amount = json!({ "amount": euros("50"), "reference": "top-up" });
    own.client.post(&reload, "reload", &amount).done(200);
    let path = format!("/customers/me/balances/{id}");
    assert_eq!(session.get(&path).done(200).json()["available"], euros("50.00"));

    let balance = {
        let url = stage.platform.database.url();
        let mut sql = url.connect_options().connect().await.expect("a session");
        let found = "SELECT balance_id FROM balance_handle WHERE public_id = $1::uuid";
        sqlx::query_scalar::<_, i64>(found).bind(id).fetch_one(&mut sql).await.expect("it")
    };
    let issue = ["card", "issue", "--balance", &balance.to_string(), "--expiry", "4912"];
    let issue = [&issue[..], &["--reveal-test-pan"]].concat();
    let pan = stage.platform.served.make(&issue, "pan");
    let mut acquirer = peer(stage.platform.served.link, 1).await;
    let answer = acquirer.exchange(0, &purchase(&pan, 1, 1_250)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"));
    let read = session.get(&path).done(200).json();
    assert_eq!((&read["held"], &read["available"]), (&euros("12.50"), &euros("37.50")));
    drop(acquirer);
    stage.close().await;
}
