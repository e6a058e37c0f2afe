//! Corporations by the real binary: created and documented by a partner, reviewed at the panel, and
//! only then with accounts and cards for their employees.

mod cards;
mod documents;
mod hidden;
mod moves;

use serde_json::{Value, json};

use super::cards::rig::{Reader, terms};
use super::client::{Answer, Client};
use super::person::Person;
use super::plastic;
use super::platform::{Partner, Platform};

pub(super) const CORPORATIONS: &str = "/lifecycle/v1/corporations";
const MISSING: &str = "00000000-0000-4000-8000-000000000000";

/// What is known of a company.
pub(super) fn company(reference: &str) -> Value {
    json!({
        "reference": reference,
        "company": {
            "legalName": "Analytical Engines GmbH", "registrationNumber": "FN 123456a",
            "country": "AT", "street": "Hauptstrasse 1", "city": "Wien", "postalCode": "1010",
            "contactName": "Ada Lovelace", "email": "ada@example.com", "phone": "+4312345678"
        }
    })
}

/// A file as a request carries it.
pub(super) fn document(content: &[u8]) -> Value {
    json!({ "kind": "REGISTER", "fileName": "extract.pdf", "content": base64(content) })
}

/// In base64 (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let byte = |at: usize| u32::from(part.get(at).copied().unwrap_or_default());
        let held = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let six = held >> (18 - 6 * at) & 0x3F;
            let letter = char::from(letters[usize::try_from(six).expect("small")]);
            text.push(if at <= part.len() { letter } else { '=' });
        }
    }
    text
}

/// A small PDF with this in it.
pub(super) fn pdf(what: &str) -> Vec<u8> {
    format!("%PDF-1.4\n% {what}\n%%EOF\n").into_bytes()
}

/// A platform that has plastic made, a partner, and a manager at the panel.
struct Desk {
    platform: Platform,
    acme: Partner,
    manager: Client,
    reader: Reader,
}

impl Desk {
    async fn open_with(more: Vec<(&'static str, String)>) -> Self {
        let platform = plastic::platform_with("50", more).await;
        let acme = platform.partner("Acme", "99999912");
        terms(&platform, &acme);
        let manager = operator(&platform, "mia", "manager");
        Self { platform, acme, manager, reader: Reader::new() }
    }

    /// Creates one; its `dcCorporationId`.
    fn creates(&self, reference: &str) -> String {
        creates(&self.acme.client, reference)
    }

    fn sends(&self, corporation: &str, key: &str, document: &Value) -> Answer {
        let path = format!("{CORPORATIONS}/{corporation}/documents");
        self.acme.client.post(&path, key, document)
    }

    fn decides(&self, corporation: &str, decision: &str) -> Answer {
        let body = json!({ "decision": decision, "note": "case 4711" });
        let path = format!("/admin/corporations/{corporation}/kyb");
        self.manager.send("POST", &path, &[], Some(&body))
    }

    /// Creates one that is approved.
    fn approved(&self, reference: &str) -> String {
        let corporation = self.creates(reference);
        self.sends(&corporation, "extract", &document(&pdf(reference))).done(201);
        self.decides(&corporation, "APPROVE").done(200);
        corporation
    }

    fn state(&self, corporation: &str) -> Value {
        let path = format!("{CORPORATIONS}/{corporation}");
        self.acme.client.get(&path).done(200).json()["kybState"].clone()
    }
}

pub(super) fn creates(client: &Client, reference: &str) -> String {
    let made = client.post(CORPORATIONS, reference, &company(reference)).done(201).json();
    made["dcCorporationId"].as_str().expect("an identifier").to_owned()
}

/// Somebody at the panel.
fn operator(platform: &Platform, name: &str, role: &str) -> Client {
    let add = ["operator", "add", "--name", name, "--role", role];
    let mut person = Person::of(&platform.served.command(&add).expect("added"));
    let panel = platform.panel();
    let token = person.begins(&panel);
    panel.bearing(&token)
}
