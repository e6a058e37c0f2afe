//! `If-Match`: a change names the version that it was made of.

use admin_api::http::{IfMatch, etag};
use axum::Router;
use axum::routing::put;

use crate::server::{ask, post, served};

// covers: API-11
#[tokio::test]
async fn a_change_names_its_version() {
    let changed = |IfMatch(version): IfMatch| async move { version.to_string() };
    let router = served(Router::new().route("/it", put(changed)), "192.0.2.1:4000");
    assert_eq!(etag(7), "\"7\"");
    for (sent, status, code) in [
        (vec!["\"7\""], 200, ""),
        (vec!["\"-1\""], 200, ""),
        (vec![], 428, "PRECONDITION_REQUIRED"),
        (vec!["\"7\"", "\"8\""], 428, "PRECONDITION_REQUIRED"),
        (vec!["7"], 412, "PRECONDITION_FAILED"),
        (vec!["*"], 412, "PRECONDITION_FAILED"),
        (vec!["W/\"7\""], 412, "PRECONDITION_FAILED"),
        (vec!["\"07\""], 412, "PRECONDITION_FAILED"),
        (vec!["\"99999999999999999999\""], 412, "PRECONDITION_FAILED"),
    ] {
        let mut request = post("/it", "");
        *request.method_mut() = axum::http::Method::PUT;
        for value in &sent {
            request.headers_mut().append("if-match", value.parse().expect("a value"));
        }
        let answer = ask(&router, request).await;
        assert_eq!(answer.status, status, "{sent:?}");
        if !code.is_empty() {
            assert_eq!(answer.json()["code"], code, "{sent:?}");
        }
    }
}
