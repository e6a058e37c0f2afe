//! Requests sent again: the same key and request get the same answer, and nothing is done twice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use admin_api::audit::audit_sink;
use admin_api::http::{Caller, Failure, Idempotency, Repeats, Secret, finish, idempotent};
use admin_api::{Answers, Problem};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use switch_domain::PartnerId;
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::stage::Stage;

/// What handlers have done.
#[derive(Default)]
struct Done {
    times: AtomicU32,
    began: Notify,
    may_end: Notify,
}

#[derive(Clone)]
struct Served {
    router: Router,
    done: Arc<Done>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.text).expect("JSON");
        json["code"].as_str().expect("a code").to_owned()
    }

    fn is_replayed(&self) -> bool {
        self.headers.contains_key("idempotent-replayed")
    }
}

impl Served {
    fn new(stage: &Stage, partner: i64, claim_for: Duration) -> Self {
        let done = Arc::new(Done::default());
        let answers = Answers::new(stage.store.pool().clone(), claim_for);
        let (audit, writer) = audit_sink(stage.store.pool().clone(), 64);
        tokio::spawn(writer);
        let repeats = Arc::new(Repeats { answers, body_limit: 1024, audit });
        let caller = Caller::Partner { partner: PartnerId(partner), certificate: "ab".into() };
        let count = |done: &Done| done.times.fetch_add(1, Ordering::SeqCst) + 1;
        let order = {
            let done = done.clone();
            move |Extension(keys): Extension<Idempotency>, body: Bytes| async move {
                let number = count(&done);
                let key = keys.key(0).0.iter().fold(0_u64, |sum, byte| sum * 7 + u64::from(*byte));
                let text = format!("order {number} of {} bytes under {key}", body.len());
                (StatusCode::CREATED, [("etag", "\"1\""), ("location", "/orders/1")], text)
            }
        };
        let refused = {
            let done = done.clone();
            move || async move {
                Failure::from(Problem::new("CONFLICT", format!("refused {}", count(&done))))
            }
        };
        let wrong = {
            let done = done.clone();
            move || async move {
                let number = count(&done);
                Failure::from(Problem::invalid(format!("wrong {number}")))
            }
        };
        let busy = {
            let done = done.clone();
            move || async move {
                let number = count(&done);
                Failure::from(Problem::new("OVERLOADED", number.to_string()))
            }
        };
        let secret = {
            let done = done.clone();
            move || async move {
                let mut response: Response = format!("secret {}", count(&done)).into_response();
                response.extensions_mut().insert(Secret);
                response
            }
        };
        let slow = {
            let done = done.clone();
            move || async move {
                let number = count(&done);
                done.began.notify_one();
                done.may_end.notified().await;
                format!("slow {number}")
            }
        };
        let router = Router::new()
            .route("/orders", post(order.clone()))
            .route("/others", post(order))
            .route("/refused", post(refused))
            .route("/wrong", post(wrong))
            .route("/busy", post(busy))
            .route("/secret", post(secret))
            .route("/slow", post(slow))
            .layer(from_fn_with_state(repeats, idempotent))
            .layer(Extension(caller))
            .layer(from_fn(finish))
            .layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 7], 4000))));
        Self { router, done }
    }

    async fn send(&self, path: &str, keys: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in keys {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    async fn keyed(&self, path: &str, key: &str, body: &str) -> Answer {
        self.send(path, &[("idempotency-key", key)], body).await
    }

    fn times(&self) -> u32 {
        self.done.times.load(Ordering::SeqCst)
    }
}

const HOUR: Duration = Duration::from_secs(3600);

// covers: API-17
#[tokio::test]
async fn the_same_request_gets_the_same_answer_from_any_process_and_is_done_once() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    let first = served.keyed("/orders", "k1", "body").await;
    assert_eq!((first.status, first.is_replayed()), (201, false));
    let restarted = Served::new(&stage, 1, HOUR);
    for (who, name) in [(&served, "idempotency-key"), (&restarted, "x-idempotency-key")] {
        let again = who.send("/orders", &[(name, "k1")], "body").await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        assert_eq!(again.headers["etag"], "\"1\"");
        assert_eq!(again.headers["location"], "/orders/1");
        assert_eq!(again.headers["content-type"], first.headers["content-type"]);
        assert!(again.is_replayed());
        assert_ne!(again.headers["x-request-id"], first.headers["x-request-id"]);
    }
    assert_eq!((served.times(), restarted.times()), (1, 0));
    stage.close().await;
}

// covers: API-17
#[tokio::test]
async fn a_key_is_of_its_caller_method_and_path_and_of_one_request() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    let first = served.keyed("/orders", "k1", "body").await;
    for (path, body) in [("/orders", "other"), ("/orders?a=1", "body")] {
        let other = served.keyed(path, "k1", body).await;
        assert_eq!(
            (other.status, other.code().as_str()),
            (422, "IDEMPOTENCY_KEY_REUSED"),
            "{path}"
        );
    }
    assert_eq!(served.times(), 1);
    assert_eq!(served.keyed("/others", "k1", "body").await.status, 201);
    assert_eq!(served.times(), 2, "another path has its own keys");
    let stranger = Served::new(&stage, 2, HOUR).keyed("/orders", "k1", "body").await;
    assert_eq!((stranger.status, stranger.is_replayed()), (201, false));
    assert_ne!(stranger.text, first.text, "and another tenant its own answers and commands");
    stage.close().await;
}

// covers: API-17
#[tokio::test]
async fn what_was_decided_is_kept_and_what_was_wrong_may_be_sent_mended() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    for (path, status, kept) in
        [("/refused", 409, true), ("/wrong", 400, false), ("/busy", 503, false)]
    {
        let before = served.times();
        let first = served.keyed(path, "k", "").await;
        let again = served.keyed(path, "k", "").await;
        assert_eq!((first.status, again.status), (status, status), "{path}");
        assert_eq!((first.text == again.text, again.is_replayed()), (kept, kept), "{path}");
        assert_eq!(served.times() - before, if kept { 1 } else { 2 }, "{path}");
        assert_eq!(again.headers["content-type"], "application/problem+json", "{path}");
    }
    let first = served.keyed("/wrong", "mended", "a").await;
    let mended = served.keyed("/wrong", "mended", "b").await;
    assert_eq!((first.status, mended.status), (400, 400), "not 422");
    stage.close().await;
}

#[tokio::test]
async fn an_answer_with_a_secret_is_not_kept_but_made_again() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    assert_eq!(served.keyed("/secret", "k", "").await.text, "secret 1");
    let again = served.keyed("/secret", "k", "").await;
    assert_eq!((again.text.as_str(), again.is_replayed()), ("secret 2", false));
    assert_eq!(served.keyed("/secret", "k", "other").await.code(), "IDEMPOTENCY_KEY_REUSED");
    let kept = "SELECT count(*) FROM idempotent_answer WHERE body IS NOT NULL";
    assert_eq!(stage.count(kept).await, 0);
    stage.close().await;
}

// covers: API-17
#[tokio::test]
async fn a_request_on_its_way_is_not_begun_again_and_ends_though_its_caller_went() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    let caller = tokio::spawn({
        let served = served.clone();
        async move { served.keyed("/slow", "k", "").await.text }
    });
    served.done.began.notified().await;
    let meanwhile = served.keyed("/slow", "k", "").await;
    assert_eq!((meanwhile.status, meanwhile.code().as_str()), (409, "REQUEST_IN_PROGRESS"));
    assert_eq!(meanwhile.headers["retry-after"], "1");
    assert_eq!(served.keyed("/slow", "k", "other").await.code(), "IDEMPOTENCY_KEY_REUSED");
    caller.abort();
    served.done.may_end.notify_one();
    // It is done and kept all the same; until then it is on its way.
    let ended = loop {
        let again = served.keyed("/slow", "k", "").await;
        if again.status != 409 {
            break again;
        }
    };
    assert_eq!((ended.text.as_str(), ended.is_replayed()), ("slow 1", true));
    stage.close().await;
}

// covers: API-11, API-17
#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    let sending = (0..32).map(|_| {
        let served = served.clone();
        tokio::spawn(async move { served.keyed("/orders", "k", "body").await.status })
    });
    let mut statuses = Vec::new();
    for sent in sending.collect::<Vec<_>>() {
        statuses.push(sent.await.expect("an answer"));
    }
    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
    assert_eq!(served.times(), 1);
    stage.close().await;
}

#[tokio::test]
async fn whose_claim_has_run_out_is_dead_and_the_request_is_done_again_under_its_keys() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    let first = served.keyed("/orders", "k", "body").await;
    // As a process leaves it that ends between the work and the answer.
    stage
        .by_owner(
            "UPDATE idempotent_answer SET status = NULL, body = NULL,
                claimed_until = clock_timestamp() - interval '1 second'",
        )
        .await;
    let again = served.keyed("/orders", "k", "body").await;
    assert_eq!((again.status, again.is_replayed()), (201, false));
    let under = |answer: &Answer| answer.text.split(" under ").last().map(str::to_owned);
    assert_eq!(under(&again), under(&first), "the shards know its commands");
    stage.close().await;
}

#[tokio::test]
async fn keys_are_read_under_either_name_or_refused() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    let long = "k".repeat(256);
    for keys in [
        &[("idempotency-key", "a"), ("x-idempotency-key", "b")][..],
        &[("idempotency-key", "")],
        &[("idempotency-key", &long)],
        &[("idempotency-key", "k\u{e9}")],
        &[("idempotency-key", "k\tk")],
    ] {
        let answer = served.send("/orders", keys, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"), "{keys:?}");
    }
    let same = [("idempotency-key", "a"), ("x-idempotency-key", "a")];
    assert_eq!(served.send("/orders", &same, "").await.status, 201);
    let large = "b".repeat(1025);
    assert_eq!(served.keyed("/orders", "large", &large).await.code(), "BODY_TOO_LARGE");
    let (one, two) = (served.send("/orders", &[], "").await, served.send("/orders", &[], "").await);
    assert_ne!(one.text, two.text, "without a key each is a request of its own");
    stage.close().await;
}

#[tokio::test]
async fn answers_are_forgotten_when_they_are_old_and_not_before() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 1, HOUR);
    for key in ["old", "older", "new"] {
        served.keyed("/orders", key, "body").await;
    }
    stage
        .by_owner(
            "UPDATE idempotent_answer SET first_at = first_at - interval '25 hours'
             WHERE scope IN (SELECT scope FROM idempotent_answer ORDER BY first_at LIMIT 2)",
        )
        .await;
    let answers = Answers::new(stage.store.pool().clone(), HOUR);
    let day = Duration::from_secs(86_400);
    assert_eq!(answers.forget(day, 1).await.expect("forgotten"), 1);
    assert_eq!(answers.forget(day, 10).await.expect("forgotten"), 1);
    assert_eq!(answers.forget(day, 10).await.expect("forgotten"), 0);
    assert!(served.keyed("/orders", "new", "body").await.is_replayed());
    stage.close().await;
}

// covers: API-17
#[tokio::test]
async fn an_answer_that_is_given_again_is_recorded_and_not_given_where_it_cannot_be() {
    let stage = Stage::new().await;
    let served = Served::new(&stage, 7, Duration::from_secs(60));
    let recorded = "SELECT count(*) FROM audit_chain WHERE outcome = 'repeated' \
                    AND act = 'POST /orders' AND object = '/orders' AND origin = '192.0.2.7' \
                    AND actor = 'partner:7/ab'";
    let first = served.keyed("/orders", "k-1", "{}").await;
    assert_eq!((first.status, stage.count(recorded).await), (201, 0));
    for times in 1..=2 {
        let again = served.keyed("/orders", "k-1", "{}").await;
        assert!(again.is_replayed());
        assert_eq!((again.text, stage.count(recorded).await), (first.text.clone(), times));
    }
    stage.by_owner("ALTER TABLE audit_chain RENAME TO away").await;
    let unrecorded = served.keyed("/orders", "k-1", "{}").await;
    assert_eq!((unrecorded.status, unrecorded.code()), (503, "AUDIT_UNAVAILABLE".into()));
    assert_eq!(served.times(), 1);
    stage.close().await;
}
