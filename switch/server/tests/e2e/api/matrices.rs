//! What holds for every operation, asked of each by the OpenAPI documents: a POST that is repeated
//! is done once, rates are kept apart, and who is not known changes nothing and learns nothing.

use std::collections::BTreeSet;

use admin_api::routes::{customer_document, secure_document};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::client::{Answer, Client};
use super::corporations::{self, CORPORATIONS};
use super::platform::{PIN, Partner, Platform, euros};

/// Every operation of a document: method and path.
fn operations(document: &str) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(document).expect("JSON");
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let methods = methods.as_object().expect("methods");
        operations.extend(methods.keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    operations
}

pub(super) fn posts(document: &str) -> BTreeSet<String> {
    let of = operations(document).into_iter().filter(|(method, _)| method == "POST");
    of.map(|(_, path)| path).collect()
}

/// Those of cards have a test of their own (`cards::repeats`), and so have simulations (`sandbox`).
fn without_cards(mut posts: BTreeSet<String>) -> BTreeSet<String> {
    let elsewhere = |path: &str| path.contains("/cards/") || path.contains("/simulate/");
    posts.retain(|path| !elsewhere(path) && !path.ends_with("/controls"));
    posts
}

/// What a customer's data are like, as far as repeats could show.
async fn rows(platform: &Platform) -> String {
    let mut session = platform.database.url().connect_options().connect().await.expect("a session");
    let mut rows = Vec::new();
    for table in [
        "customer",
        "kyc_move",
        "corporation",
        "corporation_document",
        "balance_handle",
        "device",
        "installation",
        "user_session",
        "webhook_endpoint",
        "webhook_message",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        let count = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_one(&mut session).await;
        rows.push(format!("{table} {}", count.expect("a count")));
    }
    session.close().await.expect("closed");
    rows.join(", ")
}

/// Asks twice under one key, and once more for something else under it.
fn repeats(client: &Client, path: &str, body: &Value) -> (Answer, Answer, Answer) {
    let once = client.post(path, "the key", body);
    let again = client.post(path, "the key", body);
    let other = json!({ "other": body });
    (once, again, client.post(path, "the key", &other))
}

// covers: API-17
#[tokio::test(flavor = "multi_thread")]
async fn every_post_is_done_once_under_a_key_or_keeps_nothing_of_a_secret() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let (fresh, ada) = (acme.registers("u-0"), acme.registers("u-1"));
    acme.verifies(&ada);
    let balance = acme.opens(&ada, "open");
    let closing = acme.opens(&ada, "open for closing");
    let app = acme.pairs(&platform.anonymous(), &ada, "device-0001");
    let session = app.opens();
    let person = json!({ "givenName": "Ada", "familyName": "Lovelace", "birthDate": "1990-12-10" });
    let lifecycle = format!("/lifecycle/v1/customers/{ada}");
    let installation = app.paired["installationId"].as_str().expect("an identifier");

    let (webhook, message) = told_of(&acme);
    let company = approved(&platform, &acme).await;
    let hook = format!("/secure/webhooks/{webhook}");

    // By the document's path: the path, and a body that it takes.
    let own = "/secure/customers/{customerId}/balances/{balanceId}";
    let secure = [
        (
            "/lifecycle/v1/customers".to_owned(),
            "/lifecycle/v1/customers".to_owned(),
            json!({ "reference": "u-2", "person": person }),
        ),
        (
            "/lifecycle/v1/customers/{customerId}/block".into(),
            format!("{lifecycle}/block"),
            json!(null),
        ),
        (
            "/lifecycle/v1/customers/{customerId}/unblock".into(),
            format!("{lifecycle}/unblock"),
            json!(null),
        ),
        (
            "/lifecycle/v1/customers/{customerId}/kyc".into(),
            format!("/lifecycle/v1/customers/{fresh}/kyc"),
            json!({ "state": "VERIFIED" }),
        ),
        (
            "/secure/customers/{customerId}/register".into(),
            format!("/secure/customers/{}/register", acme.registers("u-3")),
            json!(null),
        ),
        (
            "/secure/customers/{customerId}/balances".into(),
            format!("/secure/customers/{ada}/balances"),
            json!({ "programmeId": acme.programme }),
        ),
        (format!("{own}/block"), format!("{balance}/block"), json!(null)),
        (format!("{own}/unblock"), format!("{balance}/unblock"), json!(null)),
        (format!("{own}/close"), format!("{closing}/close"), json!(null)),
        (format!("{own}/reload"), format!("{balance}/reload"), json!({ "amount": euros("5") })),
        (
            "/lifecycle/v1/customers/{customerId}/installations/{installationId}/unblock".into(),
            format!("{lifecycle}/installations/{installation}/unblock"),
            json!(null),
        ),
        ("/secure/fees/preview".into(), "/secure/fees/preview".into(), previewed(acme.programme)),
        ("/secure/webhooks/{webhookId}/test".into(), format!("{hook}/test"), json!(null)),
        (
            "/secure/webhooks/{webhookId}/messages/{messageId}/resend".into(),
            format!("{hook}/messages/{message}/resend"),
            json!(null),
        ),
    ];
    let mut asked =
        BTreeSet::from(["/lifecycle/v1/customers/{customerId}/pairing-code".to_owned()]);
    asked.extend(["/secure/webhooks".to_owned(), "/secure/webhooks/{webhookId}/secret".to_owned()]);
    let corporate = of_corporations(&company, acme.programme);
    for (operation, path, body) in secure.iter().chain(&corporate) {
        is_done_once(&platform, &acme.client, path, body).await;
        asked.insert(operation.clone());
    }
    let all = without_cards(posts(&secure_document().to_json().expect("JSON")));
    assert_eq!(asked, all, "every POST is asked");
    assert_eq!(acme.reads(&balance)["ledger"], euros("5.00"), "money moved once");
    is_secret(&acme.client.post(&format!("{lifecycle}/pairing-code"), "key", &json!(null)));
    for (path, body) in
        [("/secure/webhooks".to_owned(), hooked()), (format!("{hook}/secret"), json!(null))]
    {
        let [once, again] = ["key", "key"].map(|key| acme.client.post(&path, key, &body));
        is_secret(&once);
        is_secret(&again);
        assert_eq!(once.text, again.text, "{path}: done once, and told again");
    }

    let customers = [
        ("/customers/me/balances", json!({ "programmeId": acme.programme })),
        ("/customers/me/register", json!(null)),
    ];
    let mut asked = BTreeSet::new();
    for (path, body) in &customers {
        // Of a customer who was verified it is not begun: what was decided is kept as well.
        if *path == "/customers/me/register" {
            let [once, again] = ["key", "key"].map(|key| session.post(path, key, body));
            assert_eq!((once.refused(), again.status), ((409, "CONFLICT".into()), 409));
            assert_eq!(
                (&once.text, again.header("idempotent-replayed")),
                (&again.text, Some("true"))
            );
        } else {
            is_done_once(&platform, &session, path, body).await;
        }
        asked.insert((*path).to_owned());
    }
    asked.extend(secrets(&platform, &acme, &ada, &session));
    let all = without_cards(posts(&customer_document().to_json().expect("JSON")));
    assert_eq!(asked, all, "every POST is asked");
    let kept = "SELECT count(*) FROM idempotent_answer WHERE body IS NULL AND status < 300";
    let secrets = "of pairing codes and secrets, that they were made and no more";
    assert_eq!(platform.count(kept).await, 5, "{secrets}");
    platform.close().await;
}

/// The same of corporations.
fn of_corporations(company: &str, programme: i64) -> [(String, String, Value); 3] {
    let balance = json!({ "dcCorporationId": company, "programmeId": programme });
    let documents = format!("{CORPORATIONS}/{company}/documents");
    let of = |template: &str, path: &str, body| (template.to_owned(), path.to_owned(), body);
    let extract = corporations::document(&corporations::pdf("extract"));
    [
        of(CORPORATIONS, CORPORATIONS, corporations::company("c-1")),
        of(&format!("{CORPORATIONS}/{{dcCorporationId}}/documents"), &documents, extract),
        of("/secure/balances", "/secure/balances", balance),
    ]
}

/// A corporation that was approved: by hand, for there are no operators here.
async fn approved(platform: &Platform, partner: &Partner) -> String {
    let corporation = corporations::creates(&partner.client, "approved");
    platform.sql("UPDATE corporation SET state = 'APPROVED'").await;
    corporation
}

/// A question of what a month costs.
fn previewed(programme: i64) -> Value {
    let what = json!({ "events": ["card_monthly"], "form": "VIRTUAL" });
    json!({ "programmeId": programme, "what": what })
}

/// A webhook at a place where nobody listens.
fn hooked() -> Value {
    json!({ "url": "https://localhost:1/hook", "events": ["kyc.changed"] })
}

/// A webhook, and a message of it.
fn told_of(partner: &Partner) -> (String, String) {
    let made = partner.client.post("/secure/webhooks", "hook", &hooked()).done(201).json();
    let webhook = made["webhookId"].as_str().expect("an identifier").to_owned();
    let test = format!("/secure/webhooks/{webhook}/test");
    let sent = partner.client.post(&test, "hook", &json!(null)).done(202).json();
    (webhook, sent["messageId"].as_str().expect("an identifier").to_owned())
}

async fn is_done_once(platform: &Platform, client: &Client, path: &str, body: &Value) {
    let (once, again, other) = repeats(client, path, body);
    assert!((200..300).contains(&once.status), "{path}: {once:?}");
    let rows_before = rows(platform).await;
    assert_eq!((again.status, &again.text), (once.status, &once.text), "{path}");
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{path}");
    assert_eq!(again.header("location"), once.header("location"), "{path}");
    assert_eq!(other.refused(), (422, "IDEMPOTENCY_KEY_REUSED".into()), "{path}");
    client.post(path, "the key", body).done(once.status);
    assert_eq!(rows(platform).await, rows_before, "{path}: nothing more is made");
}

fn is_secret(answer: &Answer) {
    assert!((200..300).contains(&answer.status), "{answer:?}");
    assert_eq!(answer.header("idempotent-replayed"), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// Those that carry a PIN or are answered with a secret; which these are.
fn secrets(platform: &Platform, acme: &Partner, customer: &str, session: &Client) -> Vec<String> {
    let app = platform.anonymous();
    let step_up = "/customers/sessions/current/step-up";
    for _ in 0..2 {
        is_secret(&session.post(step_up, "key", &json!({ "pin": PIN })));
    }
    // Another body under the same key: there is no digest that it could differ from.
    assert_eq!(session.post(step_up, "key", &json!({ "pin": "314159" })).status, 401);
    let paired = acme.pairs(&app, customer, "device-0002");
    let opening = json!({
        "installationId": paired.paired["installationId"],
        "installationSecret": paired.paired["installationSecret"], "pin": PIN
    });
    for _ in 0..2 {
        is_secret(&app.post("/customers/sessions", "key", &opening));
    }
    let mut change = opening;
    change["newPin"] = json!("314159");
    is_secret(&app.post("/customers/pin", "key", &change));
    assert_eq!(app.post("/customers/pin", "key", &change).status, 401, "it was changed once");
    let code = acme.client.post(
        &format!("/lifecycle/v1/customers/{customer}/pairing-code"),
        "another key",
        &json!(null),
    );
    let pairing = json!({
        "pairingCode": code.json()["pairingCode"], "pin": PIN,
        "device": { "key": "device-0003", "platform": "ios", "model": "iPhone 17" }
    });
    is_secret(&app.post("/customers/devices", "key", &pairing));
    assert_eq!(app.post("/customers/devices", "key", &pairing).status, 401, "a code is used once");
    ["/customers/devices", "/customers/sessions", "/customers/pin", step_up]
        .map(str::to_owned)
        .to_vec()
}

// covers: API-04
#[tokio::test(flavor = "multi_thread")]
async fn rates_are_of_a_source_and_of_a_caller_and_keep_callers_apart() {
    let slow = |name| (name, "1".to_owned());
    let platform = Platform::start_with(vec![
        slow("CARDSWITCH_API__REQUESTS__CALLER_PER_SECOND"),
        ("CARDSWITCH_API__REQUESTS__CALLER_BURST", "20".into()),
        ("CARDSWITCH_API__REQUESTS__SOURCE_PER_SECOND", "100000".into()),
        ("CARDSWITCH_API__REQUESTS__SOURCE_BURST", "100000".into()),
    ])
    .await;
    let acme = platform.partner("Acme", "99999912");
    let other = platform.partner("Other", "99999913");
    let ada = acme.registers("u-1");
    let session = acme.pairs(&platform.anonymous(), &ada, "device-0001").opens();
    // Asked until it is too much: it is, soon, and says when to ask again.
    for (client, path) in
        [(&acme.client, "/lifecycle/v1/customers"), (&session, "/customers/me/balances")]
    {
        let refused = (0..200).map(|_| client.get(path)).find(|answer| answer.status != 200);
        let refused = refused.expect("it is too much at some time");
        assert_eq!(refused.refused(), (429, "TOO_MANY_REQUESTS".into()), "{path}");
        let wait = refused.header("retry-after").and_then(|wait| wait.parse::<u64>().ok());
        assert!(wait.is_some_and(|wait| (1..=2).contains(&wait)), "{wait:?}");
        let before = rows(&platform).await;
        let made = client.post("/customers/me/balances", "key", &json!({ "programmeId": 1 }));
        assert!(matches!(made.status, 429 | 404 | 409), "{made:?}");
        assert_eq!(rows(&platform).await, before, "what is refused is not done");
    }
    other.client.get("/lifecycle/v1/customers").done(200);
    platform.close().await;

    let platform = Platform::start_with(vec![
        slow("CARDSWITCH_API__REQUESTS__SOURCE_PER_SECOND"),
        ("CARDSWITCH_API__REQUESTS__SOURCE_BURST", "20".into()),
    ])
    .await;
    let app = platform.anonymous();
    for path in ["/customers/me", "/admin/customers", "/elsewhere"] {
        let refused = (0..200).map(|_| app.get(path)).find(|answer| answer.status == 429);
        let refused = refused.unwrap_or_else(|| panic!("{path} is never too much"));
        assert_eq!(refused.refused(), (429, "TOO_MANY_REQUESTS".into()));
    }
    platform.close().await;
}

// covers: API-02, API-04
#[tokio::test(flavor = "multi_thread")]
async fn a_source_proves_itself_seldom_and_is_served_what_it_has_proved() {
    let platform = Platform::start_with(vec![
        ("CARDSWITCH_API__REQUESTS__PROOF_PER_SECOND", "1".into()),
        ("CARDSWITCH_API__REQUESTS__PROOF_BURST", "4".into()),
    ])
    .await;
    let acme = platform.partner("Acme", "99999912");
    let ada = acme.registers("u-1");
    let app = platform.anonymous();
    let session = acme.pairs(&app, &ada, "device-0001").opens();
    let wrong = json!({ "installationId": uuid::Uuid::nil(), "installationSecret": "0".repeat(64),
        "pin": "000000" });
    let code = json!({ "login": "nobody", "password": "no password at all", "code": "000000" });
    for (path, body) in [("/customers/sessions", wrong), ("/admin/sessions", code)] {
        let refused = (0..50).map(|_| app.post(path, "key", &body));
        let refused = refused.into_iter().find(|answer| answer.status == 429);
        let refused = refused.unwrap_or_else(|| panic!("{path} is never too much"));
        assert_eq!(refused.refused(), (429, "TOO_MANY_REQUESTS".into()));
        assert!(refused.header("retry-after").is_some());
    }
    // Everything else is as it was.
    for _ in 0..20 {
        session.get("/customers/me").done(200);
        app.get("/customers/public-key").done(200);
    }
    platform.close().await;
}

// covers: API-02
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_changes_nothing_and_learns_nothing() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let ada = acme.registers("u-1");
    acme.pairs(&platform.anonymous(), &ada, "device-0001").opens();
    let before = rows(&platform).await;
    let app = platform.anonymous();
    let open = ["/customers/devices", "/customers/sessions", "/customers/pin"];
    let mut asked = 0;
    for (method, path) in operations(&customer_document().to_json().expect("JSON")) {
        if open.contains(&path.as_str()) || path == "/customers/public-key" {
            continue;
        }
        let there = path.replace("{balanceId}", &ada).replace("{deviceId}", &ada);
        let there = there.replace("{cardId}", "1").replace("{jobId}", &ada);
        let there = there.replace("{authorizationId}", "1");
        let mut told = BTreeSet::new();
        for token in [None, Some(""), Some("x"), Some("00")] {
            let client = token.map_or_else(|| app.clone(), |token| app.bearing(token));
            let answer = client.send(&method, &there, &[], None);
            assert_eq!(answer.refused(), (401, "UNAUTHENTICATED".into()), "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
            told.insert(answer.json()["title"].to_string());
        }
        assert_eq!(told.len(), 1, "{method} {path}");
        asked += 1;
    }
    assert!(asked >= 12, "{asked}");
    // At the way in: one answer, whatever is wrong.
    let wrong = json!({ "installationId": ada, "installationSecret": "0".repeat(64), "pin": PIN });
    assert_eq!(app.post("/customers/sessions", "a", &wrong).status, 401);
    assert_eq!(rows(&platform).await, before);
    platform.close().await;
}
