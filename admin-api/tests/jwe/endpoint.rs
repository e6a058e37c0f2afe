//! The tokens through an endpoint: bodies opened before its handler, answers sealed behind it,
//! errors in the clear (SR-060 to SR-071, J-01, J-03).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use admin_api::Problem;
use admin_api::http::{Encryption, Failure, encrypted, finish};
use admin_api::jwe::{Jwe, OpenPolicy, PoolSettings, Requirement, RsaPool};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::stage::{NOW, RULES, key, open, part};
use crate::vectors::{all, vectors};

/// What its own answers are encrypted to, and opened with, here.
const OWN: &str = "rsa2048-a";

fn served(requirement: Requirement) -> Router {
    let end = switch_domain::Timestamp(i64::MAX);
    let keys = admin_api::jwe::PlatformKeys::new(key("rsa4096-a"));
    let keys = keys.rotate(key("rsa2048-a"), (NOW, end), &RULES).expect("two keys");
    let pool = RsaPool::new(PoolSettings { workers: 1, waiting: 8 });
    let encryption = Encryption {
        jwe: Arc::new(Jwe::new(keys, pool)),
        policy: OpenPolicy::default(),
        partners: None,
        tokens: None,
        requirement,
        operations: &[],
        body_limit: 32 * 1024,
        body_within: Duration::from_secs(600),
    };
    Router::new()
        .route("/echo", post(|body: Bytes| async move { body }).get(|| async { "{\"a\":1}" }))
        .route("/created", post(created))
        .route("/empty", post(|| async { StatusCode::NO_CONTENT }))
        .route("/refused", post(refused).get(refused))
        .route("/plain", get(|| async { "{}" }))
        .layer(from_fn_with_state(Arc::new(encryption), encrypted))
        .layer(from_fn(finish))
}

async fn created(body: Bytes) -> Response {
    (StatusCode::CREATED, [("location", "/created/1")], body).into_response()
}

async fn refused() -> Failure {
    Problem::new("CONFLICT", "it cannot be").into()
}

fn public_key() -> String {
    let pem = vectors()["keys"][OWN]["spki_pem"].as_str().expect("a key");
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    /// What is in it, once opened.
    fn opened(&self) -> Vec<u8> {
        let body: Value = serde_json::from_str(&self.text).expect("JSON");
        let members = body.as_object().expect("an object");
        assert_eq!(members.keys().collect::<Vec<_>>(), ["payload"], "{}", self.text);
        let token = body["payload"].as_str().expect("a token");
        let keys = admin_api::jwe::PlatformKeys::new(key(OWN));
        open(token, &keys).expect("for our key").json().to_vec()
    }

    fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let json: Value = serde_json::from_str(&self.text).expect("JSON");
        json["code"].as_str().expect("a code").to_owned()
    }
}

async fn ask(
    router: &Router,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.expect("a body");
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    Answer { status: parts.status.as_u16(), headers: parts.headers, text }
}

// covers: SR-060, SR-065, SR-072, A-11, A-13
#[tokio::test]
async fn every_token_does_through_the_endpoint_as_is_expected_of_it() {
    let router = served(Requirement::RequestAndResponse);
    let own = public_key();
    let headers = [("encrypted-request", "true"), ("public-key", own.as_str())];
    let (mut accepted, mut rejected) = (0, 0);
    let mut told = BTreeSet::new();
    for vector in all() {
        let body = json!({ "payload": vector.token }).to_string();
        let answer = ask(&router, ("POST", "/echo"), &headers, &body).await;
        let what = format!("{} {}: {}", vector.id, vector.name, answer.text);
        if answer.status == 200 {
            assert_ne!(vector.expect, "reject", "{what}");
            assert_eq!(Some(part(&answer.opened()).as_str()), vector.plaintext, "{what}");
            accepted += 1;
        } else {
            assert_ne!(vector.expect, "accept", "{what}");
            assert_eq!(answer.status, 400, "{what}");
            let undecryptable = matches!(vector.stage, "key" | "decrypt");
            let code = if undecryptable { "CANT_DECRYPT_PAYLOAD" } else { "INVALID_PAYLOAD" };
            assert_eq!(answer.code(), code, "{what}");
            if undecryptable {
                let mut json: Value = serde_json::from_str(&answer.text).expect("JSON");
                json.as_object_mut().expect("an object").remove("requestId");
                told.insert(json.to_string());
            }
            rejected += 1;
        }
    }
    println!("{accepted} tokens opened, {rejected} refused");
    assert!(accepted >= 30 && rejected >= 115, "{accepted} {rejected}");
    assert_eq!(told.len(), 1, "what does not open is told alike: {told:?}");
}

// covers: SR-064, SR-066, SR-068, SR-069, SR-070, SR-071, A-11
#[tokio::test]
async fn only_successes_with_a_body_are_sealed() {
    let router = served(Requirement::Optional);
    let own = public_key();
    let asked = [("encrypt-response", "true"), ("public-key", own.as_str())];
    let answer = ask(&router, ("POST", "/echo"), &asked, "{\"a\":1}").await;
    assert_eq!((answer.status, answer.opened()), (200, b"{\"a\":1}".to_vec()));
    let answer = ask(&router, ("GET", "/echo"), &asked, "").await;
    assert_eq!((answer.status, answer.opened()), (200, b"{\"a\":1}".to_vec()));
    let answer = ask(&router, ("POST", "/created"), &asked, "{\"a\":1}").await;
    assert_eq!((answer.status, answer.opened()), (201, b"{\"a\":1}".to_vec()));
    assert_eq!(answer.headers["location"], "/created/1");
    let answer = ask(&router, ("POST", "/empty"), &asked, "").await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let answer = ask(&router, ("POST", "/refused"), &asked, "{}").await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "CONFLICT"));
    let answer = ask(&router, ("POST", "/echo"), &[], "{\"a\":1}").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "{\"a\":1}"));
}

/// What a route needs, the headers that came, and what is told.
type Case<'a> = (Requirement, &'a [(&'a str, &'a str)], u16, &'a str);

// covers: SR-072, SR-073, A-08, A-12
#[tokio::test]
async fn what_cannot_be_done_is_one_of_the_four_codes() {
    let own = public_key();
    let key = ("public-key", own.as_str());
    let cases: [Case<'_>; 8] = [
        (Requirement::Response, &[], 403, "ENCRYPTION_REQUIRED"),
        (Requirement::Response, &[("encrypt-response", "false"), key], 403, "ENCRYPTION_REQUIRED"),
        (
            Requirement::RequestAndResponse,
            &[("encrypt-response", "true"), key],
            403,
            "ENCRYPTION_REQUIRED",
        ),
        (Requirement::Response, &[("encrypt-response", "yes"), key], 400, "INVALID_PAYLOAD"),
        (
            Requirement::Response,
            &[("encrypt-response", "true"), ("encrypt-response", "true"), key],
            400,
            "INVALID_PAYLOAD",
        ),
        (Requirement::Optional, &[("encrypt-response", "true")], 400, "INVALID_PUBLIC_KEY"),
        (
            Requirement::Optional,
            &[("encrypt-response", "true"), ("public-key", "no key")],
            400,
            "INVALID_PUBLIC_KEY",
        ),
        (Requirement::Optional, &[("encrypted-request", "true"), key], 400, "INVALID_PAYLOAD"),
    ];
    for (requirement, headers, status, code) in cases {
        let router = served(requirement);
        let answer = ask(&router, ("POST", "/echo"), headers, "{\"a\":1}").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{headers:?}");
    }
}
