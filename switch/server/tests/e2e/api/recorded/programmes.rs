//! Partners and programmes, operation by operation, as operators set them up and partners see
//! themselves.

use serde_json::{Value, json};

use super::recording::{Asked, Asking, Recording, identifier};
use crate::api::client::Answer;
use crate::api::platform::{Platform, euros};
use crate::api::pools::operator;

const PARTNERS: &str = "/admin/partners";
const PARTNER: &str = "/admin/partners/{partnerId}";
const PROGRAMMES: &str = "/admin/programmes";
const PROGRAMME: &str = "/admin/programmes/{programmeId}";
const CONTROLS: &str = "/admin/programmes/{programmeId}/controls";
const CONTROL: &str = "/admin/programmes/{programmeId}/controls/{controlId}";

/// A number that an answer has, as paths carry it.
fn number(answer: &Answer, member: &str) -> String {
    answer.json()[member].as_i64().expect("a number").to_string()
}

fn partner(name: &str) -> Value {
    json!({
        "name": name, "kycMode": "OWN", "partialMinimums": [euros("5.00")],
        "contact": {
            "name": "Cards desk", "email": "cards@acme.example", "phone": "+4312345678"
        }
    })
}

/// Every operation, and the refusals that depend on what is there.
pub(super) fn walk(platform: &Platform, recording: &mut Recording) {
    let rosa = operator(platform, "rosa", "admin");
    let mut asking = Asking::new(&rosa, recording);
    let made = asking.post(PARTNERS, &[], Some(partner("Acme")), 201);
    let wrong = json!({ "name": "Acme", "kycMode": "AUTOMATED" });
    asking.post(PARTNERS, &[], Some(wrong), 409);
    let acme = number(&made, "partnerId");
    let id = [acme.as_str()];
    asking.get_where(PARTNERS, &[], "?name=acme&state=ACTIVE&limit=1", 200);
    let read = asking.get(PARTNER, &id, 200);
    asking.get(PARTNER, &["777"], 404);
    put(&mut asking, (PARTNER, &id), read.header("etag"), partner("Acme Cards"));
    asking.get(&format!("{PARTNER}/changes"), &id, 200);

    let of: i64 = acme.parse().expect("a number");
    let pool = json!({ "partnerId": of, "kind": "CREDIT", "currency": "EUR" });
    let pool = rosa.post("/admin/pools", "pool of programmes", &pool).done(201);
    let new = json!({
        "partnerId": of, "name": "Gold", "currency": "EUR",
        "poolId": identifier(&pool, "poolId"), "terminal": "T-0001", "homeCountry": "AT",
        "configurationId": "gold-eur",
        "bins": { "low": "99999925", "high": "99999925", "panLength": 19 }
    });
    let made = asking.post(PROGRAMMES, &[], Some(new.clone()), 201);
    asking.post(PROGRAMMES, &[], Some(new), 409);
    let gold = number(&made, "programmeId");
    let id = [gold.as_str()];
    asking.get_where(PROGRAMMES, &[], &format!("?partnerId={acme}&currency=EUR"), 200);
    let read = asking.get(PROGRAMME, &id, 200);
    asking.get(PROGRAMME, &["777"], 404);
    let to = json!({ "name": "Gold Card", "terminal": "T-0002", "homeCountry": "AT" });
    put(&mut asking, (PROGRAMME, &id), read.header("etag"), to);
    asking.get(&format!("{PROGRAMME}/changes"), &id, 200);
    limits(&mut asking, &gold);

    let system = platform.system_of(&acme, "SetUp");
    let mut partners = Asking::new(&system, recording);
    partners.get("/secure/partner", &[], 200);
    partners.get_where("/secure/programmes", &[], "?limit=1", 200);
    partners.get("/secure/programmes/{programmeId}", &id, 200);
    partners.get("/secure/programmes/{programmeId}", &["777"], 404);
}

/// Changed of one version; not of another, and not of none.
fn put(
    asking: &mut Asking<'_>,
    (template, names): (&str, &[&str]),
    version: Option<&str>,
    body: Value,
) {
    let version = version.expect("a version").to_owned();
    for (seen, status) in [(Some(&version), 200), (Some(&version), 412), (None, 428)] {
        let headers: Vec<_> = seen.map(|seen| ("If-Match", seen.as_str())).into_iter().collect();
        let body = Some(body.clone());
        let asked = Asked { method: "PUT", template, names, query: "", headers: &headers, body };
        asking.recording.ask(asking.client, asked, status);
    }
}

fn limits(asking: &mut Asking<'_>, programme: &str) {
    let limit = |most: &str| {
        json!({
            "name": "A day", "rule": "AMOUNT", "amount": euros(most), "window": "day"
        })
    };
    let made = asking.post(CONTROLS, &[programme], Some(limit("500.00")), 201);
    asking.get(CONTROLS, &[programme], 200);
    asking.get(CONTROLS, &["777"], 404);
    let names = [programme, &identifier(&made, "controlId")].map(str::to_owned);
    let names = [names[0].as_str(), names[1].as_str()];
    let body = Some(limit("750.00"));
    let asked =
        Asked { method: "PUT", template: CONTROL, names: &names, query: "", headers: &[], body };
    asking.recording.ask(asking.client, asked, 200);
    asking.delete(CONTROL, &names, 204);
}
