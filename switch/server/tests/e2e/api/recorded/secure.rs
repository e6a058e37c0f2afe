//! `/secure` and `/lifecycle/v1`, operation by operation.

use serde_json::{Value, json};
use sqlx::ConnectOptions;

use super::recording::{Asked, Asking, Recording, identifier};
use crate::api::cards::rig::Reader;
use crate::api::plastic;
use crate::api::platform::{PIN, Partner, Platform, euros};

const CUSTOMERS: &str = "/lifecycle/v1/customers";
const CUSTOMER: &str = "/lifecycle/v1/customers/{customerId}";
const BALANCES: &str = "/secure/customers/{customerId}/balances";
const BALANCE: &str = "/secure/customers/{customerId}/balances/{balanceId}";

/// Changes a customer, with a version or without one.
#[track_caller]
fn change(asking: &mut Asking<'_>, (method, id): (&str, &str), version: Option<&str>, status: u16) {
    let headers: Vec<_> = version.map(|version| ("If-Match", version)).into_iter().collect();
    let body = (method == "PUT").then(|| ada("Byron"));
    let names = &[id];
    let asked = Asked { method, template: CUSTOMER, names, query: "", headers: &headers, body };
    asking.recording.ask(asking.client, asked, status);
}

fn ada(family_name: &str) -> Value {
    json!({
        "givenName": "Ada", "familyName": family_name, "birthDate": "1990-12-10",
        "email": "ada@example.com", "country": "AT", "language": "de"
    })
}

/// Every operation, and the refusals that depend on what is there.
pub(super) async fn walk(platform: &Platform, recording: &mut Recording) {
    let acme = platform.partner("Acme", "99999912");
    let client = acme.client.clone();
    let mut asking = Asking::new(&client, recording);
    let key = asking.get("/lifecycle/v1/public-key", &[], 200).json();
    assert_eq!((&key["jwk"]["alg"], &key["jwk"]["kid"]), (&"RSA-OAEP-256".into(), &key["kid"]));

    let customer = customers(&mut asking);
    balances(&mut asking, platform, &acme, &customer).await;
    devices(&mut asking, platform, &customer);
    verification(&mut asking, platform).await;
    webhooks(&mut asking);
}

/// Registered, read, listed, changed, blocked, removed.
fn customers(asking: &mut Asking<'_>) -> String {
    let new = |reference: &str| json!({ "reference": reference, "person": ada("Lovelace") });
    let made = asking.post(CUSTOMERS, &[], Some(new("u-1")), 201);
    let customer = identifier(&made, "customerId");
    let id = [customer.as_str()];
    let unknown = json!({ "reference": "u-2", "person": ada("Lovelace"), "kycState": "VERIFIED" });
    asking.post(CUSTOMERS, &[], Some(unknown), 400);
    asking.post(CUSTOMERS, &[], Some(new("u-1")), 409);
    let headers = [("Idempotency-Key", "key 1")];
    let other = Some(new("u-2"));
    let (template, names) = (CUSTOMERS, &[]);
    let reused =
        Asked { method: "POST", template, names, query: "", headers: &headers, body: other };
    asking.recording.ask(asking.client, reused, 422);
    let listed = asking.get(CUSTOMERS, &[], 200).json();
    assert_eq!(listed["items"][0]["customerId"], customer.as_str());
    for none in ["", "x".repeat(65).as_str(), "a%00b"] {
        let found = asking.client.get(&format!("{CUSTOMERS}?reference={none}"));
        assert_eq!(found.refused(), (400, "INVALID_REQUEST".into()), "{none}");
    }
    asking.get(CUSTOMER, &id, 200);
    asking.get(CUSTOMER, &["00000000-0000-4000-8000-000000000000"], 404);
    change(asking, ("PUT", &customer), Some("\"1\""), 200);
    change(asking, ("PUT", &customer), Some("\"1\""), 412);
    change(asking, ("PUT", &customer), None, 428);
    let read = asking.client.get(&format!("{CUSTOMERS}/{customer}")).done(200).json();
    assert_eq!(read["person"]["familyName"], "Byron");
    asking.post(&format!("{CUSTOMER}/block"), &id, None, 204);
    let blocked = asking.client.get(&format!("{CUSTOMERS}/{customer}")).done(200).json();
    assert_eq!(blocked["state"], "BLOCKED");
    asking.post(&format!("{CUSTOMER}/unblock"), &id, None, 204);

    let leaves = asking.post(CUSTOMERS, &[], Some(new("u-2")), 201);
    let leaves = identifier(&leaves, "customerId");
    change(asking, ("DELETE", &leaves), None, 428);
    change(asking, ("DELETE", &leaves), Some("\"2\""), 412);
    change(asking, ("DELETE", &leaves), Some("\"1\""), 204);
    asking.client.get(&format!("{CUSTOMERS}/{leaves}")).done(404);
    customer
}

/// Refused before the customer is verified; then opened, reloaded, read, blocked, closed.
async fn balances(asking: &mut Asking<'_>, platform: &Platform, acme: &Partner, customer: &str) {
    let id = [customer];
    let new = || Some(json!({ "programmeId": acme.programme }));
    asking.post(BALANCES, &id, new(), 409);
    let flag = json!({ "state": "VERIFIED", "note": "passport seen" });
    asking.post(&format!("{CUSTOMER}/kyc"), &id, Some(flag), 200);
    asking.get(&format!("{CUSTOMER}/kyc"), &id, 200);
    let opened = asking.post(BALANCES, &id, new(), 201);
    let balance = identifier(&opened, "balanceId");
    assert_eq!(opened.json()["state"], "ACTIVE");
    let names = [customer, balance.as_str()];
    platform.issues_card().await;

    let reload = |value: &str| Some(json!({ "amount": euros(value), "reference": "top-up 4711" }));
    let template = format!("{BALANCE}/reload");
    let reloaded = asking.post(&template, &names, reload("50.00"), 200).json();
    assert_eq!(reloaded["available"], euros("50.00"));
    asking.post(&template, &names, reload("1000.00"), 409);
    asking.post(&template, &names, reload("-1.00"), 400);
    asking.get(BALANCES, &id, 200);
    let read = asking.get(BALANCE, &names, 200).json();
    assert_eq!(read["cards"][0]["state"], "ACTIVE");
    plastic_cards(asking, customer, &balance);
    // The tables follow behind.
    let path = format!("/secure/customers/{customer}/balances/{balance}");
    while asking.client.get(&format!("{path}/movements")).done(200).json()["items"][0].is_null() {
        tokio::task::yield_now().await;
    }
    let moved = asking.get(&format!("{BALANCE}/movements"), &names, 200).json();
    assert_eq!(moved["items"][0]["amount"], euros("50.00"));
    let year = "?from=2026-01-01&to=2026-12-31";
    let statement = format!("{BALANCE}/statement");
    let stated = asking.get_where(&statement, &names, year, 200).json();
    assert_eq!(stated["closing"], euros("50.00"));
    asking.get_where(&statement, &names, "?from=2026-01-01&to=2025-01-01", 400);
    asking.post(&format!("{BALANCE}/close"), &names, None, 409);
    for (act, state) in [("block", "BLOCKED"), ("unblock", "ACTIVE")] {
        asking.post(&format!("{BALANCE}/{act}"), &names, None, 204);
        assert_eq!(asking.client.get(&path).done(200).json()["state"], state);
    }
    let empty = asking.post(BALANCES, &id, new(), 201);
    let empty = identifier(&empty, "balanceId");
    asking.post(&format!("{BALANCE}/close"), &[customer, empty.as_str()], None, 204);
    let path = format!("/secure/customers/{customer}/balances/{empty}");
    assert_eq!(asking.client.get(&path).done(200).json()["state"], "CLOSED");
}

/// Ordered, and looked after; not without an address, nor for somebody else's account.
fn plastic_cards(asking: &mut Asking<'_>, customer: &str, balance: &str) {
    const ORDER: &str = "/secure/customers/{customerId}/cards/physical";
    const ORDERS: &str = "/secure/customers/{customerId}/cards/orders/{orderId}";
    let id = [customer];
    let order = asking.made_unread(ORDER, &id, plastic::wanted(balance));
    let nowhere = "00000000-0000-4000-8000-000000000000";
    let reader = Reader::new();
    let key = ("Encrypt-Response", reader.public.as_str());
    for (wrong, status) in [
        (plastic::wanted(nowhere), 404),
        (json!({ "balanceId": balance, "holderName": "Ada" }), 400),
    ] {
        asking.encrypted(("POST", ORDER), &id, key, Some(wrong), status);
    }
    asking.post(ORDER, &id, Some(plastic::wanted(balance)), 403);
    asking.get(ORDERS, &[customer, order.as_str()], 200);
    asking.get(ORDERS, &[customer, nowhere], 404);
}

/// Paired with a code, listed, let back in, removed.
fn devices(asking: &mut Asking<'_>, platform: &Platform, customer: &str) {
    let id = [customer];
    let code = asking.post(&format!("{CUSTOMER}/pairing-code"), &id, None, 201).json();
    let pairing = json!({
        "pairingCode": code["pairingCode"], "pin": PIN,
        "device": { "key": "device-0001", "platform": "ios", "model": "iPhone 17" }
    });
    let paired = platform.anonymous().send("POST", "/customers/devices", &[], Some(&pairing));
    let paired = paired.done(201);
    let listed = asking.get(&format!("{CUSTOMER}/devices"), &id, 200).json();
    assert_eq!(listed["items"][0]["blocked"], false);
    let installation = identifier(&paired, "installationId");
    let template = format!("{CUSTOMER}/installations/{{installationId}}/unblock");
    asking.post(&template, &[customer, installation.as_str()], None, 204);
    let device = identifier(&paired, "deviceId");
    let template = format!("{CUSTOMER}/devices/{{deviceId}}");
    asking.delete(&template, &[customer, device.as_str()], 204);
    asking.delete(&template, &[customer, device.as_str()], 404);
}

/// Begun for a partner whose customers the platform verifies.
async fn verification(asking: &mut Asking<'_>, platform: &Platform) {
    let new = json!({ "reference": "u-3", "person": ada("King") });
    let made = asking.post(CUSTOMERS, &[], Some(new), 201);
    let customer = identifier(&made, "customerId");
    let url = platform.database.url();
    let mut session = url.connect_options().connect().await.expect("a session");
    let manual = "INSERT INTO partner_settings (partner_id, kyc_mode) \
                  SELECT DISTINCT partner_id, 'manual' FROM balance_handle";
    sqlx::query(manual).execute(&mut session).await.expect("set");
    let begin = "/secure/customers/{customerId}/register";
    let begun = asking.post(begin, &[&customer], None, 200).json();
    assert_eq!(begun["kycState"], "PENDING");
    asking.post(begin, &[&customer], None, 409);
    let flag = Some(json!({ "state": "VERIFIED" }));
    asking.post(&format!("{CUSTOMER}/kyc"), &[&customer], flag, 403);
}

/// Registered, tried, looked at, asked for again, changed, given another secret, removed.
fn webhooks(asking: &mut Asking<'_>) {
    const ONE: &str = "/secure/webhooks/{webhookId}";
    let new = |url: &str| {
        let events = ["authorization.approved", "authorization.declined", "card.locked"];
        json!({ "url": url, "events": events, "description": "card events" })
    };
    let place = "https://hooks.example.com/cards";
    let made = asking.post("/secure/webhooks", &[], Some(new(place)), 201);
    asking.post("/secure/webhooks", &[], Some(new("https://169.254.169.254/latest")), 400);
    let webhook = identifier(&made, "webhookId");
    let id = [webhook.as_str()];
    asking.get("/secure/webhooks", &[], 200);
    asking.get(ONE, &id, 200);
    asking.get(ONE, &["00000000-0000-4000-8000-000000000000"], 404);
    let test = asking.post(&format!("{ONE}/test"), &id, None, 202);
    let message = identifier(&test, "messageId");
    let names = [webhook.as_str(), message.as_str()];
    asking.get_where(&format!("{ONE}/messages"), &id, "?state=WAITING&limit=1", 200);
    asking.get(&format!("{ONE}/messages/{{messageId}}"), &names, 200);
    asking.get(&format!("{ONE}/messages/{{messageId}}/attempts"), &names, 200);
    asking.post(&format!("{ONE}/messages/{{messageId}}/resend"), &names, None, 202);
    asking.post(&format!("{ONE}/secret"), &id, None, 200);
    let mut change = |version: Option<&str>, status| {
        let headers: Vec<_> = version.map(|version| ("If-Match", version)).into_iter().collect();
        let mut body = new(place);
        body["state"] = json!("ENABLED");
        let (template, names) = (ONE, &id[..]);
        let body = Some(body);
        let asked = Asked { method: "PUT", template, names, query: "", headers: &headers, body };
        asking.recording.ask(asking.client, asked, status);
    };
    change(Some("\"2\""), 200);
    change(Some("\"2\""), 412);
    change(None, 428);
    asking.delete(ONE, &id, 204);
    asking.delete(ONE, &id, 404);
}
