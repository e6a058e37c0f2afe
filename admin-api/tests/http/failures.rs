//! Whatever fails is a problem with a stable code, and says nothing of what was sent.

use admin_api::Problem;
use admin_api::http::{self, Failure};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get as on_get, post as on_post};
use serde::Deserialize;

use crate::server::{Answer, ask, get, post, served};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    first_name: String,
    #[serde(default)]
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    count: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    limit: Option<u32>,
}

async fn order(http::Body(order): http::Body<Order>) -> String {
    let count: u32 = order.lines.iter().map(|line| u32::from(line.count)).sum();
    format!("{} {count}", order.first_name)
}

async fn listed(http::Query(filter): http::Query<Filter>) -> Result<String, Failure> {
    Ok(http::page_limit(filter.limit)?.to_string())
}

async fn refused() -> Failure {
    Problem::field("amount", "an amount is above zero").into()
}

async fn busy() -> Failure {
    Problem::new("OVERLOADED", "no room").into()
}

async fn broken() -> String {
    panic!("secret 4111111111111111");
}

fn router() -> Router {
    let router = Router::new()
        .route("/orders", on_post(order).get(listed))
        .route("/refused", on_get(refused))
        .route("/busy", on_get(busy))
        .route("/broken", on_get(broken))
        .layer(DefaultBodyLimit::max(256));
    served(router, "192.0.2.1:4000")
}

fn told(answer: &Answer) -> (u16, String, Option<String>) {
    let json = answer.json();
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(json["status"], answer.status.as_u16());
    assert_eq!(json["requestId"], answer.header("x-request-id"));
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    (answer.status.as_u16(), text("code").expect("a code"), text("field"))
}

// covers: API-03, API-04
#[tokio::test]
async fn a_body_is_read_or_its_wrong_member_named() {
    let router = router();
    let good = ask(&router, post("/orders", r#"{"firstName":"Ada","lines":[{"count":2}]}"#)).await;
    assert_eq!((good.status.as_u16(), good.text.as_str()), (200, "Ada 2"));
    let wrong = [
        (r#"{"lines":[]}"#, 400, "INVALID_REQUEST", None, "`firstName` is missing"),
        (
            r#"{"firstName":"A","pan":"4111111111111111"}"#,
            400,
            "INVALID_REQUEST",
            Some("pan"),
            "`pan`",
        ),
        (
            r#"{"firstName":7}"#,
            400,
            "INVALID_REQUEST",
            Some("firstName"),
            "cannot have such a value",
        ),
        (
            r#"{"firstName":"A","lines":[{"count":1},{"count":"4111111111111111"}]}"#,
            400,
            "INVALID_REQUEST",
            Some("lines[1].count"),
            "cannot have such a value",
        ),
        (r#"{"firstName":"A","firstName":"B"}"#, 400, "INVALID_REQUEST", None, "twice"),
        (r#"{"firstName":"A"} {}"#, 400, "INVALID_REQUEST", None, "more behind"),
        (r#"{"firstName":"A""#, 400, "INVALID_REQUEST", None, "too early"),
        ("not JSON 4111111111111111", 400, "INVALID_REQUEST", None, "not JSON"),
    ];
    for (body, status, code, field, words) in wrong {
        let answer = ask(&router, post("/orders", body)).await;
        assert_eq!(told(&answer), (status, code.into(), field.map(str::to_owned)), "{body}");
        assert!(answer.text.contains(words), "{body}: {}", answer.text);
        assert!(!answer.text.contains("411111"), "{body}: {}", answer.text);
    }
    let long = format!(r#"{{"firstName":"{}"}}"#, "A".repeat(300));
    assert_eq!(told(&ask(&router, post("/orders", &long)).await).1, "BODY_TOO_LARGE");
    let mut plain = post("/orders", "{}");
    plain.headers_mut().remove("content-type");
    assert_eq!(told(&ask(&router, plain).await), (415, "UNSUPPORTED_MEDIA_TYPE".into(), None));
}

// covers: API-04
#[tokio::test]
async fn every_failure_has_a_code() {
    let router = router();
    let cases = [
        ("/nowhere", 404, "NOT_FOUND"),
        ("/refused", 400, "INVALID_REQUEST"),
        ("/busy", 503, "OVERLOADED"),
        ("/orders?limit=0", 400, "INVALID_REQUEST"),
        ("/orders?limit=201", 400, "INVALID_REQUEST"),
        ("/orders?limit=4111111111111111", 400, "INVALID_REQUEST"),
        ("/orders?other=1", 400, "INVALID_REQUEST"),
        ("/broken", 500, "INTERNAL"),
    ];
    for (path, status, code) in cases {
        let answer = ask(&router, get(path)).await;
        let (told_status, told_code, _) = told(&answer);
        assert_eq!((told_status, told_code.as_str()), (status, code), "{path}");
        assert!(!answer.text.contains("411111"), "{path}: {}", answer.text);
    }
    assert_eq!(ask(&router, get("/busy")).await.header("retry-after"), "1");
    let method = ask(&router, post("/refused", "{}")).await;
    assert_eq!(told(&method).1, "METHOD_NOT_ALLOWED");
    assert_eq!(method.header("allow"), "GET,HEAD");
}

// covers: API-08
#[tokio::test]
async fn every_answer_has_its_headers_and_its_own_identifier() {
    let router = router();
    let mut seen = Vec::new();
    for path in ["/orders", "/nowhere", "/broken"] {
        let answer = ask(&router, get(path)).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert_eq!(answer.header("server"), "", "no banner");
        seen.push(answer.header("x-request-id").to_owned());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
}
