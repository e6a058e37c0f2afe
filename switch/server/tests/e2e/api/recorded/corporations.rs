//! Corporations, operation by operation, as partners' systems and operators ask.

use serde_json::{Value, json};

use super::recording::{Asking, Recording, identifier};
use crate::api::cards::rig::{Reader, sealed, terms};
use crate::api::corporations::{CORPORATIONS, company, document, pdf};
use crate::api::person::Person;
use crate::api::plastic;
use crate::api::platform::Platform;

const ONE: &str = "/lifecycle/v1/corporations/{dcCorporationId}";
const PANEL: &str = "/admin/corporations/{dcCorporationId}";
const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";

/// Every operation, and the refusals that depend on what is there.
pub(super) fn walk(platform: &Platform, recording: &mut Recording) {
    let acme = platform.partner("Companies", "99999926");
    terms(platform, &acme);
    let mut asking = Asking::new(&acme.client, recording);
    let made = asking.post(CORPORATIONS, &[], Some(company("c-1")), 201);
    asking.post(CORPORATIONS, &[], Some(company("c-1")), 409);
    let corporation = identifier(&made, "dcCorporationId");
    let id = [corporation.as_str()];
    asking.get_where(CORPORATIONS, &[], "?state=PENDING&limit=1", 200);
    asking.get(ONE, &[NOWHERE], 404);
    let extract = document(&pdf("extract of the register"));
    let documents = format!("{ONE}/documents");
    let sent = asking.post(&documents, &id, Some(extract), 201);
    asking.post(&documents, &id, Some(document(b"<html>")), 400);
    asking.get(&documents, &id, 200);
    let new = json!({ "dcCorporationId": corporation, "programmeId": acme.programme });
    asking.post("/secure/balances", &[], Some(new.clone()), 409);

    reviewed(platform, asking.recording, (&corporation, &identifier(&sent, "documentId")));

    let mut asking = Asking::new(&acme.client, recording);
    asking.get(ONE, &id, 200);
    let opened = asking.post("/secure/balances", &[], Some(new), 201);
    cards(&mut asking, (&corporation, &identifier(&opened, "balanceId")));
}

/// At the panel.
fn reviewed(platform: &Platform, recording: &mut Recording, (corporation, sent): (&str, &str)) {
    let add = ["operator", "add", "--name", "nora", "--role", "manager"];
    let mut nora = Person::of(&platform.served.command(&add).expect("added"));
    let panel = platform.panel();
    let nora = panel.bearing(&nora.begins(&panel));
    let mut asking = Asking::new(&nora, recording);
    let id = [corporation];
    asking.get_where("/admin/corporations", &[], "?state=PENDING&limit=1", 200);
    asking.get(&format!("{PANEL}/documents"), &id, 200);
    asking.get(&format!("{PANEL}/documents/{{documentId}}"), &[corporation, sent], 200);
    asking.get(&format!("{PANEL}/documents/{{documentId}}"), &[corporation, NOWHERE], 404);
    let decision = Some(json!({ "decision": "APPROVE", "note": "extract seen, case 4711" }));
    asking.post(&format!("{PANEL}/kyb"), &id, decision.clone(), 200);
    asking.post(&format!("{PANEL}/kyb"), &id, decision, 409);
    asking.get(PANEL, &id, 200);
    asking.get(PANEL, &[NOWHERE], 404);
}

/// Of employees.
fn cards(asking: &mut Asking<'_>, (corporation, balance): (&str, &str)) {
    let wanted = json!({
        "dcCorporationId": corporation, "balanceId": balance,
        "cardholder": { "name": "ADA LOVELACE", "reference": "E-1815" }
    });
    let reader = Reader::new();
    let key = ("Encrypt-Response", reader.public.as_str());
    let issue = "/secure/cards/virtual";
    asking.encrypted(("POST", issue), &[], key, Some(wanted.clone()), 201);
    asking.post(issue, &[], Some(wanted.clone()), 403);
    let with = |name: &str, value: Value| {
        let mut wanted = wanted.clone();
        wanted["delivery"] = plastic::wanted(balance)["delivery"].clone();
        wanted[name] = value;
        wanted
    };
    let order = "/secure/cards/physical";
    asking.encrypted(("POST", order), &[], key, Some(with("balanceId", json!(balance))), 201);
    asking.encrypted(("POST", order), &[], key, Some(with("balanceId", json!(NOWHERE))), 404);
    let order = "/secure/cards/physical_with_pin";
    let body = sealed(asking.client, &with("pin", json!(plastic::PIN)));
    let told = ("Encrypted-Request", reader.public.as_str());
    asking.encrypted(("POST", order), &[], told, Some(body), 201);
    asking.post(order, &[], Some(with("pin", json!(plastic::PIN))), 403);
}
