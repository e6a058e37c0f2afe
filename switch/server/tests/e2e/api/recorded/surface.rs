//! What the listener says to requests that no partner's program makes: other spellings, other
//! methods, two lengths. Each is refused, and tells nothing.

use serde_json::json;

use crate::api::platform::Platform;

// covers: A-05, API-08, API-15
#[tokio::test(flavor = "multi_thread")]
async fn other_spellings_methods_and_lengths_are_refused() {
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    let customer = acme.registers("u-1");
    let client = &acme.client;
    let path = format!("/lifecycle/v1/customers/{customer}");
    client.get(&path).done(200);

    for other in ["/Lifecycle/v1/customers", "/LIFECYCLE/V1/CUSTOMERS", "/lifecycle/v1/Customers"] {
        assert_eq!(client.get(other).refused(), (404, "NOT_FOUND".into()), "{other}");
    }
    let secure = format!("/Secure/customers/{customer}/balances");
    assert_eq!(client.get(&secure).refused(), (404, "NOT_FOUND".into()));

    for method in ["TRACE", "PATCH", "OPTIONS", "PROPFIND"] {
        let answer = client.send(method, &path, &[], None);
        assert_eq!(answer.refused(), (405, "METHOD_NOT_ALLOWED".into()), "{method}");
        assert!(answer.header("access-control-allow-origin").is_none(), "{method}");
    }
    // A header changes no method.
    let overridden = [("X-HTTP-Method-Override", "DELETE"), ("If-Match", "\"1\"")];
    assert_eq!(client.send("GET", &path, &overridden, None).status, 200);
    client.get(&path).done(200);

    // Two lengths that differ, and a length beside chunks: whose body ends where is not guessed.
    let person = json!({ "reference": "u-2", "person": { "givenName": "E" } });
    for twice in [("Content-Length", "1"), ("Transfer-Encoding", "chunked")] {
        let headers = [twice, ("Idempotency-Key", "twice")];
        let answer = client.send("POST", "/lifecycle/v1/customers", &headers, Some(&person));
        assert_eq!(answer.status, 400, "{twice:?}: {answer:?}");
    }
    let listed = client.get("/lifecycle/v1/customers").done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    platform.close().await;
}
