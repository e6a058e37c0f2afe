//! What is another tenant's is not there: every path gives the answer that a missing one gives, and
//! changes nothing.

use serde_json::{Value, json};

use super::client::Answer;
use super::platform::{Platform, euros};

/// Without what differs from request to request.
fn told(answer: &Answer) -> (u16, Value) {
    let mut json = answer.json();
    json.as_object_mut().expect("an object").remove("requestId");
    (answer.status, json)
}

// covers: API-01
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_finds_nothing_and_changes_nothing() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let other = platform.partner("Other", "99999913");
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let balance = acme.opens(&customer, "open");
    let before =
        (acme.reads(&balance), acme.client.get(&format!("/lifecycle/v1/customers/{customer}")));
    let hook = json!({ "url": "https://localhost:1/hook", "events": ["webhook.test"] });
    let made = acme.client.post("/secure/webhooks", "hook", &hook).done(201).json();
    let webhook = made["webhookId"].as_str().expect("an identifier").to_owned();
    let test = format!("/secure/webhooks/{webhook}/test");
    let sent = acme.client.post(&test, "test", &Value::Null).done(202).json();
    let message = sent["messageId"].as_str().expect("an identifier").to_owned();
    let acmes = customer.as_str();
    let own = other.registers("u-1");
    other.verifies(&own);

    let missing = "00000000-0000-4000-8000-000000000000";
    let balance_id = balance.rsplit('/').next().expect("an identifier");
    let person = json!({ "givenName": "E", "familyName": "Ve", "birthDate": "1990-01-01" });
    let routes: Vec<(&str, String, Option<Value>)> = vec![
        ("GET", "/lifecycle/v1/customers/{c}".into(), None),
        ("PUT", "/lifecycle/v1/customers/{c}".into(), Some(person)),
        ("DELETE", "/lifecycle/v1/customers/{c}".into(), None),
        ("POST", "/lifecycle/v1/customers/{c}/block".into(), None),
        ("POST", "/lifecycle/v1/customers/{c}/unblock".into(), None),
        ("GET", "/lifecycle/v1/customers/{c}/kyc".into(), None),
        ("POST", "/lifecycle/v1/customers/{c}/kyc".into(), Some(json!({ "state": "REVOKED" }))),
        ("POST", "/secure/customers/{c}/register".into(), None),
        ("GET", "/secure/customers/{c}/balances".into(), None),
        (
            "POST",
            "/secure/customers/{c}/balances".into(),
            Some(json!({ "programmeId": other.programme })),
        ),
        ("GET", "/secure/customers/{c}/balances/{b}".into(), None),
        ("GET", "/secure/customers/{c}/balances/{b}/movements".into(), None),
        ("GET", "/secure/customers/{c}/balances/{b}/authorizations".into(), None),
        ("GET", "/secure/customers/{c}/balances/{b}/fees".into(), None),
        ("POST", "/secure/customers/{c}/balances/{b}/block".into(), None),
        ("POST", "/secure/customers/{c}/balances/{b}/unblock".into(), None),
        ("POST", "/secure/customers/{c}/balances/{b}/close".into(), None),
        (
            "POST",
            "/secure/customers/{c}/balances/{b}/reload".into(),
            Some(json!({ "amount": euros("1.00") })),
        ),
        ("GET", "/secure/webhooks/{w}".into(), None),
        ("DELETE", "/secure/webhooks/{w}".into(), None),
        ("POST", "/secure/webhooks/{w}/secret".into(), None),
        ("POST", "/secure/webhooks/{w}/test".into(), None),
        ("GET", "/secure/webhooks/{w}/messages".into(), None),
        ("GET", "/secure/webhooks/{w}/messages/{m}".into(), None),
        ("GET", "/secure/webhooks/{w}/messages/{m}/attempts".into(), None),
        ("POST", "/secure/webhooks/{w}/messages/{m}/resend".into(), None),
    ];
    for (method, template, body) in &routes {
        let ask = |customer: &str, balance: &str| {
            let (hook, sent) = if customer == acmes {
                (webhook.as_str(), message.as_str())
            } else {
                (customer, balance)
            };
            let path = template.replace("{c}", customer).replace("{b}", balance);
            let path = path.replace("{w}", hook).replace("{m}", sent);
            let headers = [("If-Match", "\"1\"")];
            other.client.send(method, &path, &headers, body.as_ref())
        };
        let stranger = told(&ask(&customer, balance_id));
        assert_eq!(stranger, told(&ask(missing, missing)), "{method} {template}");
        assert_eq!(stranger, told(&ask("1", "1")), "{method} {template}: no number is tried");
        assert_eq!((stranger.0, &stranger.1["code"]), (404, &"NOT_FOUND".into()));
        if template.contains("{b}") {
            // Under the stranger's own customer, an account of another is none.
            let own = told(&ask(&own, balance_id));
            assert_eq!(own.0, 404, "{method} {template}");
        }
    }
    let listed = other.client.get("/lifecycle/v1/customers").done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    let after =
        (acme.reads(&balance), acme.client.get(&format!("/lifecycle/v1/customers/{customer}")));
    assert_eq!(after.0, before.0);
    let hook = acme.client.get(&format!("/secure/webhooks/{webhook}")).done(200);
    assert_eq!(hook.header("etag"), Some("\"1\""), "its secret is what it was");
    assert_eq!(other.client.get("/secure/webhooks").done(200).json()["items"], json!([]));
    assert_eq!(after.1.text, before.1.text);
    // The programme of another is not there either.
    let path = format!("/secure/customers/{own}/balances");
    let foreign = other.client.post(&path, "foreign", &json!({ "programmeId": acme.programme }));
    assert_eq!(foreign.refused(), (404, "NOT_FOUND".into()));
    platform.close().await;
}
