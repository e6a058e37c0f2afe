//! `/customers`, operation by operation, as a customer's app asks.

use serde_json::json;

use super::recording::{Asking, Recording, identifier};
use crate::api::plastic;
use crate::api::platform::{PIN, Platform, euros};

const SESSION: &str = "/customers/sessions/current";
const BALANCES: &str = "/customers/me/balances";
const BALANCE: &str = "/customers/me/balances/{balanceId}";
const DEVICES: &str = "/customers/me/devices";

/// Every operation, and the refusals that depend on what is there.
pub(super) async fn walk(platform: &Platform, recording: &mut Recording) {
    let acme = platform.partner("Apps", "99999914");
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let app = platform.anonymous();
    let mut way_in = Asking::new(&app, recording);
    way_in.get("/customers/public-key", &[], 200);
    let code = format!("/lifecycle/v1/customers/{customer}/pairing-code");
    let code = acme.client.send("POST", &code, &[], None).done(201).json();
    let pairing = Some(json!({
        "pairingCode": code["pairingCode"], "pin": PIN,
        "device": { "key": "device-0001", "platform": "ios", "model": "iPhone 17" }
    }));
    let paired = way_in.post("/customers/devices", &[], pairing.clone(), 201);
    way_in.post("/customers/devices", &[], pairing, 401);
    let installation = identifier(&paired, "installationId");
    let secret = identifier(&paired, "installationSecret");
    let opening = |pin: &str| {
        Some(json!({
            "installationId": installation, "installationSecret": secret, "pin": pin
        }))
    };
    let session = way_in.post("/customers/sessions", &[], opening(PIN), 201);
    way_in.post("/customers/sessions", &[], opening("314159"), 401);

    let client = app.bearing(&identifier(&session, "token"));
    let mut asking = Asking::new(&client, recording);
    asking.get(SESSION, &[], 200);
    asking.get("/customers/me", &[], 200);
    let new = json!({ "programmeId": acme.programme });
    let opened = asking.post(BALANCES, &[], Some(new), 201);
    asking.get(BALANCES, &[], 200);
    let balance = identifier(&opened, "balanceId");
    let names = [balance.as_str()];
    asking.get(BALANCE, &names, 200);
    let order = asking.made_unread("/customers/me/cards/physical", &[], plastic::wanted(&balance));
    asking.get("/customers/me/cards/orders/{orderId}", &[order.as_str()], 200);
    let reload = format!("/secure/customers/{customer}/balances/{balance}/reload");
    let amount = json!({ "amount": euros("50.00"), "reference": "top-up" });
    acme.client.post(&reload, "reload", &amount).done(200);
    // The tables follow behind.
    let path = format!("{BALANCES}/{balance}/movements");
    while client.get(&path).done(200).json()["items"][0].is_null() {
        tokio::task::yield_now().await;
    }
    asking.get(&format!("{BALANCE}/movements"), &names, 200);
    let year = "?from=2026-01-01&to=2026-12-31";
    asking.get_where(&format!("{BALANCE}/statement"), &names, year, 200);

    asking.get(DEVICES, &[], 200);
    let device = identifier(&paired, "deviceId");
    let template = format!("{DEVICES}/{{deviceId}}");
    asking.delete(&template, &[device.as_str()], 403);
    let step_up = format!("{SESSION}/step-up");
    asking.post(&step_up, &[], Some(json!({ "pin": "314159" })), 401);
    asking.post(&step_up, &[], Some(json!({ "pin": PIN })), 200);
    asking.delete(SESSION, &[], 204);
    asking.get(SESSION, &[], 401);

    let session = Asking::new(&app, recording).post("/customers/sessions", &[], opening(PIN), 201);
    let client = app.bearing(&identifier(&session, "token"));
    let mut asking = Asking::new(&client, recording);
    asking.post(&step_up, &[], Some(json!({ "pin": PIN })), 200);
    let mut change = opening(PIN).expect("an opening");
    change["newPin"] = json!("161803");
    Asking::new(&app, recording).post("/customers/pin", &[], Some(change), 204);
    let session =
        Asking::new(&app, recording).post("/customers/sessions", &[], opening("161803"), 201);
    let client = app.bearing(&identifier(&session, "token"));
    let mut asking = Asking::new(&client, recording);
    asking.post(&step_up, &[], Some(json!({ "pin": "161803" })), 200);
    asking.delete(&template, &[device.as_str()], 204);
    begins(platform, recording);
}

/// A customer of a partner whose customers the platform verifies begins that.
fn begins(platform: &Platform, recording: &mut Recording) {
    let other = platform.partner("Verified", "99999915");
    let manual = ["partner", "settings", "set", "--partner", &other.id, "--kyc", "manual"];
    platform.served.command(&manual).expect("chosen");
    let customer = other.registers("u-1");
    let client = other.pairs(&platform.anonymous(), &customer, "device-0001").opens();
    let mut asking = Asking::new(&client, recording);
    let begun = asking.post("/customers/me/register", &[], None, 200).json();
    assert_eq!(begun["kycState"], "PENDING");
    asking.post("/customers/me/register", &[], None, 409);
}
