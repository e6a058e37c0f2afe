//! Fees, operation by operation, as operators set them and partners and holders read them.

use serde_json::json;

use super::recording::{Asked, Asking, Recording};
use crate::api::platform::{Platform, euros};
use crate::api::pools::operator;

const FEES: &str = "/admin/programmes/{programmeId}/fees";
const PREVIEW: &str = "/admin/programmes/{programmeId}/fees/preview";
const INVOICES: &str = "/admin/partners/{partnerId}/invoices/{invoice}";
const OF_ACCOUNT: &str = "/secure/customers/{customerId}/balances/{balanceId}/fees";
const AT_PANEL: &str = "/admin/customers/{customerId}/balances/{balanceId}/fees";

/// Every operation, and the refusals that depend on what is there.
pub(super) async fn walk(platform: &Platform, recording: &mut Recording) {
    let fia = operator(platform, "fia", "admin");
    let acme = platform.partner("Charged", "99999961");
    let mut asking = Asking::new(&fia, recording);
    let programme = acme.programme.to_string();
    let id = [programme.as_str()];
    asking.get(FEES, &["777"], 404);
    let seen = asking.get(FEES, &id, 200).header("etag").expect("a version").to_owned();
    let fees = json!({
        "chargedBy": "PLATFORM", "homeCountry": "AT", "region": ["DE"],
        "monthlyWaivedFrom": "1000.00",
        "rules": [
            { "event": "account_created", "fixed": "4.90", "taken": "INVOICED" },
            { "event": "card_monthly", "fixed": "1.99", "taken": "AT_ONCE" },
            { "event": "atm_world_authorized", "form": "PHYSICAL", "rate": 250, "least": "5.00",
              "most": "20.00", "taken": "AT_ONCE" }
        ]
    });
    let mut wrong = fees.clone();
    wrong["rules"][0]["event"] = "card_yearly".into();
    for (seen, body, status) in [
        (Some(&seen), &wrong, 400),
        (Some(&seen), &fees, 200),
        (Some(&seen), &fees, 412),
        (None, &fees, 428),
    ] {
        let headers: Vec<_> = seen.map(|seen| ("If-Match", seen.as_str())).into_iter().collect();
        let body = Some(body.clone());
        let put =
            Asked { method: "PUT", template: FEES, names: &id, query: "", headers: &headers, body };
        asking.recording.ask(asking.client, put, status);
    }
    let usage = json!({ "channel": "ATM", "country": "US", "converted": true });
    let what = json!({ "use": usage, "form": "PHYSICAL", "amount": "120.00" });
    asking.post(PREVIEW, &id, Some(what.clone()), 200);
    let (customer, balance) = account(platform, &acme).await;
    asking.get_where(AT_PANEL, &[&customer, &balance], "?limit=1", 200);
    asking.get(INVOICES, &[&acme.id, "2026-11.html"], 200);
    asking.get(INVOICES, &[&acme.id, "2026-13.csv"], 404);

    let mut partners = Asking::new(&acme.client, recording);
    partners.get_where("/secure/fees", &[], "?limit=1", 200);
    let asked = json!({ "programmeId": acme.programme, "what": what });
    partners.post("/secure/fees/preview", &[], Some(asked.clone()), 200);
    let mut nobodys = asked;
    nobodys["programmeId"] = 777.into();
    partners.post("/secure/fees/preview", &[], Some(nobodys), 404);
    partners.get(OF_ACCOUNT, &[&customer, &balance], 200);
    partners.get("/secure/invoices/{invoice}", &["2026-11.csv"], 200);

    let session = acme.pairs(&platform.anonymous(), &customer, "device-fees").opens();
    let mut holder = Asking::new(&session, recording);
    holder.get("/customers/me/balances/{balanceId}/fees", &[&balance], 200);
}

/// An account that was charged what it costs to open it: customer and account.
async fn account(platform: &Platform, acme: &crate::api::platform::Partner) -> (String, String) {
    let customer = acme.registers("charged");
    acme.verifies(&customer);
    let account = acme.opens(&customer, "open charged");
    let amount = json!({ "amount": euros("20.00"), "reference": "top-up" });
    acme.client.post(&format!("{account}/reload"), "top up charged", &amount).done(200);
    while platform.count("SELECT count(*) FROM fees_charged").await == 0 {
        tokio::task::yield_now().await;
    }
    (customer, account.rsplit('/').next().expect("a name").to_owned())
}
