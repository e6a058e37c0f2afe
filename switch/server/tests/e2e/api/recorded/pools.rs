//! Pools of partners' money, operation by operation, as operators and partners ask.

use serde_json::{Value, json};

use super::recording::{Asked, Asking, Recording, identifier};
use crate::api::platform::{Platform, euros};
use crate::api::pools::operator;

const POOLS: &str = "/admin/pools";
const POOL: &str = "/admin/pools/{poolId}";
const RELOADS: &str = "/admin/pools/{poolId}/reloads";
const RELOAD: &str = "/admin/pools/{poolId}/reloads/{reloadId}";
const MISSING: &str = "00000000-0000-4000-8000-000000000000";

fn reload(value: &str) -> Option<Value> {
    Some(json!({ "amount": euros(value), "reference": "SEPA 2026-11-27/4711" }))
}

/// Every operation, and the refusals that depend on what is there.
pub(super) fn walk(platform: &Platform, recording: &mut Recording) {
    let acme = platform.partner("Pools", "99999924");
    let [ruth, paul] =
        [("ruth", "admin"), ("paul", "manager")].map(|(name, role)| operator(platform, name, role));
    let mut asking = Asking::new(&ruth, recording);
    let of = format!("?partnerId={}", acme.id);
    let partner: i64 = acme.id.parse().expect("a number");
    let new = json!({
        "partnerId": partner, "kind": "DEPOSIT", "currency": "EUR",
        "alert": { "below": euros("5000.00"), "addresses": ["treasury@acme.example"] }
    });
    let opened = asking.post(POOLS, &[], Some(new.clone()), 201);
    let nobody = json!({ "partnerId": 777, "kind": "DEPOSIT", "currency": "EUR" });
    asking.post(POOLS, &[], Some(nobody), 404);
    let pool = identifier(&opened, "poolId");
    let id = [pool.as_str()];
    asking.get_where(POOLS, &[], &of, 200);
    asking.get(POOL, &id, 200);
    asking.get(POOL, &["777"], 404);
    let asked = asking.post(RELOADS, &id, reload("25000.00"), 201);
    let names = [pool.as_str(), &identifier(&asked, "reloadId")].map(str::to_owned);
    let names = [names[0].as_str(), names[1].as_str()];
    asking.post(RELOADS, &id, reload("0.00"), 400);
    asking.get(RELOAD, &names, 200);
    asking.get(RELOAD, &[&pool, MISSING], 404);
    let approve = format!("{RELOAD}/approve");
    asking.post(&approve, &names, None, 403);
    let doubtful = asking.post(RELOADS, &id, reload("30000.00"), 201);
    let doubtful = identifier(&doubtful, "reloadId");
    let alert = alerts(&mut asking, &pool);
    assert_eq!(alert["addresses"][0], "treasury@acme.example");

    let mut asking = Asking::new(&paul, recording);
    asking.post(&approve, &names, None, 200);
    let refuse = format!("{RELOAD}/refuse");
    let note = || Some(json!({ "note": "the bank knows nothing of it" }));
    asking.post(&refuse, &[&pool, &doubtful], note(), 200);
    asking.post(&refuse, &names, note(), 409);
    asking.get_where(RELOADS, &id, "?limit=1", 200);
    asking.get_where("/admin/summary-balances", &[], &of, 200);

    Asking::new(&ruth, recording).post(&approve, &names, None, 409);

    let mut partners = Asking::new(&acme.client, recording);
    partners.get("/secure/pools", &[], 200);
    partners.get("/secure/pools/{poolId}", &id, 200);
    partners.get("/secure/pools/{poolId}", &["777"], 404);
    partners.get_where("/secure/pools/{poolId}/reloads", &id, "?limit=1", 200);
    partners.get("/secure/pools/{poolId}/alert", &id, 200);
    partners.get("/secure/summary-balances", &[], 200);
}

/// Read, and changed, of one version.
fn alerts(asking: &mut Asking<'_>, pool: &str) -> Value {
    let template = "/admin/pools/{poolId}/alert";
    let read = asking.get(template, &[pool], 200);
    let version = read.header("etag").expect("a version").to_owned();
    let mut set = |version: Option<&str>, status| {
        let headers: Vec<_> = version.map(|version| ("If-Match", version)).into_iter().collect();
        let body = json!({
            "below": euros("2500.00"),
            "addresses": ["treasury@acme.example", "desk@bank.example"]
        });
        let (names, body) = (&[pool][..], Some(body));
        let asked = Asked { method: "PUT", template, names, query: "", headers: &headers, body };
        asking.recording.ask(asking.client, asked, status);
    };
    set(Some(&version), 200);
    set(Some(&version), 412);
    set(None, 428);
    read.json()
}
