//! `/admin`, operation by operation, as operators ask at the panel.

use serde_json::json;

use super::recording::{Asking, Recording, identifier};
use crate::api::person::Person;
use crate::api::plastic;
use crate::api::platform::Platform;

const OPERATORS: &str = "/admin/operators";
const OPERATOR: &str = "/admin/operators/{operatorId}";
const CUSTOMER: &str = "/admin/customers/{customerId}";
const BALANCE: &str = "/admin/customers/{customerId}/balances/{balanceId}";

/// Every operation, and the refusals that depend on what is there.
pub(super) fn walk(platform: &Platform, recording: &mut Recording) {
    let add = ["operator", "add", "--name", "ada", "--role", "admin"];
    let mut ada = Person::of(&platform.served.command(&add).expect("added"));
    let panel = platform.panel();
    let mut way_in = Asking::new(&panel, recording);
    let credentials = |password: &str, code: &str| {
        Some(json!({ "name": "ada", "password": password, "code": code }))
    };
    let code = ada.code();
    let right = credentials(&ada.password, &code);
    let opened = way_in.post("/admin/sessions", &[], right, 201);
    way_in.post("/admin/sessions", &[], credentials("wrong", "000000"), 401);
    let first = panel.bearing(&identifier(&opened, "token"));
    let mut asking = Asking::new(&first, recording);
    asking.get(OPERATORS, &[], 403);
    let chosen = "correct horse 4711";
    let change = json!({ "currentPassword": ada.password, "newPassword": chosen });
    let changed = asking.post("/admin/password", &[], Some(change), 200);
    let client = panel.bearing(&identifier(&changed, "token"));
    let mut asking = Asking::new(&client, recording);
    asking.get("/admin/sessions/current", &[], 200);
    operators(&mut asking);
    customers(&mut asking, platform);
    webhooks(&mut asking, platform);
    asking.get_where("/admin/audit", &[], "?limit=1", 200);
    asking.delete("/admin/sessions/current", &[], 204);
    asking.get("/admin/sessions/current", &[], 401);
}

fn operators(asking: &mut Asking<'_>) {
    let new = Some(json!({ "name": "grace", "role": "EMPLOYEE" }));
    let made = asking.post(OPERATORS, &[], new.clone(), 201);
    asking.post(OPERATORS, &[], new, 409);
    let operator = identifier(&made, "operatorId");
    let id = [operator.as_str()];
    asking.get(OPERATORS, &[], 200);
    let role = Some(json!({ "role": "MANAGER" }));
    let status =
        asking.client.send("POST", &format!("{OPERATORS}/{operator}/role"), &[], role.as_ref());
    asking.post(&format!("{OPERATOR}/role"), &id, role, status.status);
    asking.post(&format!("{OPERATOR}/reset"), &id, None, 200);
    for act in ["block", "unblock"] {
        asking.post(&format!("{OPERATOR}/{act}"), &id, None, 204);
    }
}

fn customers(asking: &mut Asking<'_>, platform: &Platform) {
    let acme = platform.partner("Panel", "99999916");
    let manual = ["partner", "settings", "set", "--partner", &acme.id, "--kyc", "manual"];
    platform.served.command(&manual).expect("chosen");
    let customer = acme.registers("u-1");
    let id = [customer.as_str()];
    let of = format!("?partnerId={}", acme.id);
    asking.get_where("/admin/customers", &[], &of, 200);
    asking.get(CUSTOMER, &id, 200);
    asking.get(CUSTOMER, &["00000000-0000-4000-8000-000000000000"], 404);
    let begin = format!("/secure/customers/{customer}/register");
    acme.client.post(&begin, "begin", &json!(null)).done(200);
    asking.get_where("/admin/kyc", &[], "?limit=1", 200);
    let decision = Some(json!({ "decision": "APPROVE", "note": "passport seen" }));
    asking.post(&format!("{CUSTOMER}/kyc"), &id, decision.clone(), 200);
    asking.post(&format!("{CUSTOMER}/kyc"), &id, decision, 409);
    asking.get(&format!("{CUSTOMER}/kyc"), &id, 200);
    for act in ["block", "unblock"] {
        asking.post(&format!("{CUSTOMER}/{act}"), &id, None, 204);
    }
    let balance = acme.opens(&customer, "open");
    let balance = balance.rsplit('/').next().expect("an identifier").to_owned();
    let names = [customer.as_str(), balance.as_str()];
    asking.get(&format!("{CUSTOMER}/balances"), &id, 200);
    asking.get(BALANCE, &names, 200);
    let (template, card) = (format!("{CUSTOMER}/cards/physical"), plastic::wanted(&balance));
    let order = asking.made_unread(&template, &id, card);
    let template = format!("{CUSTOMER}/cards/orders/{{orderId}}");
    asking.get(&template, &[customer.as_str(), order.as_str()], 200);
    for act in ["block", "unblock"] {
        asking.post(&format!("{BALANCE}/{act}"), &names, None, 204);
    }
}

fn webhooks(asking: &mut Asking<'_>, platform: &Platform) {
    const MESSAGES: &str = "/admin/webhooks/{webhookId}/messages";
    let acme = platform.partner("Told", "99999919");
    let new = json!({ "url": "https://hooks.example.com/cards", "events": ["kyc.changed"] });
    let made = acme.client.post("/secure/webhooks", "register", &new).done(201);
    let webhook = identifier(&made, "webhookId");
    let test = format!("/secure/webhooks/{webhook}/test");
    let sent = acme.client.post(&test, "test", &json!(null)).done(202);
    let message = identifier(&sent, "messageId");
    let (id, names) = ([webhook.as_str()], [webhook.as_str(), message.as_str()]);
    asking.get_where("/admin/webhooks", &[], &format!("?partnerId={}", acme.id), 200);
    asking.get("/admin/webhooks/{webhookId}", &id, 200);
    asking.get("/admin/webhooks/{webhookId}", &["00000000-0000-4000-8000-000000000000"], 404);
    asking.get_where(MESSAGES, &id, "?limit=1", 200);
    asking.get(&format!("{MESSAGES}/{{messageId}}/attempts"), &names, 200);
    asking.post(&format!("{MESSAGES}/{{messageId}}/resend"), &names, None, 202);
}
