//! The audit: records in a chain, that nobody changes, takes out or moves unnoticed.

use std::net::SocketAddr;

use admin_api::Problem;
use admin_api::audit::{
    AuditSink, Entry, Fault, Head, Outcome, audit_sink, head_of, let_go, verify,
};
use admin_api::http::{Caller, Failure, Made, audited, finish, read_audited};
use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use sqlx::Row;
use switch_domain::{PartnerId, Timestamp};
use tokio::task::JoinHandle;
use tower::ServiceExt;

use crate::stage::Stage;

fn entry(number: u32) -> Entry {
    Entry {
        at: Timestamp(1_700_000_000_123_456 + i64::from(number)),
        actor: "partner:1/ab".into(),
        act: "POST /secure/customers/{customerId}/balances".into(),
        outcome: Outcome::Done,
        origin: "192.0.2.1".into(),
        object: format!("/secure/customers/{number}/balances"),
        request_id: format!("r{number}"),
        code: (number == 3).then(|| "CONFLICT".into()),
    }
}

async fn running(stage: &Stage) -> (AuditSink, JoinHandle<()>) {
    let (sink, writer) = audit_sink(stage.store.pool().clone(), 64);
    (sink, tokio::spawn(writer))
}

async fn filled(stage: &Stage, records: u32) -> Head {
    let (sink, writer) = running(stage).await;
    for number in 1..=records {
        sink.add(entry(number)).await.expect("added");
    }
    drop(sink);
    writer.await.expect("it ends");
    verified(stage, None).await.expect("a good chain")
}

async fn verified(stage: &Stage, kept: Option<&Head>) -> Result<Head, Fault> {
    let verified = verify(stage.store.pool(), kept).await.expect("the database");
    verified.map(|whole| whole.head)
}

#[tokio::test]
async fn records_are_chained_whoever_adds_them() {
    let stage = Stage::new().await;
    let none = verified(&stage, None).await.expect("an empty chain");
    assert_eq!(none.number, 0);
    // Two processes, each with many at a time.
    let (one, one_writer) = running(&stage).await;
    let (other, other_writer) = running(&stage).await;
    let adding = (1..=60).map(|number| {
        let sink = if number % 2 == 0 { one.clone() } else { other.clone() };
        tokio::spawn(async move { sink.add(entry(number)).await })
    });
    for added in adding.collect::<Vec<_>>() {
        added.await.expect("it ended").expect("added");
    }
    drop((one, other));
    for writer in [one_writer, other_writer] {
        writer.await.expect("it ends with the last handle");
    }
    let head = verified(&stage, None).await.expect("a good chain");
    assert_eq!(head.number, 60);
    assert_eq!(verified(&stage, Some(&head)).await, Ok(head));
    stage.close().await;
}

#[tokio::test]
async fn the_role_that_adds_can_neither_change_nor_remove() {
    let stage = Stage::new().await;
    filled(&stage, 3).await;
    for sql in [
        "UPDATE audit_chain SET actor = 'somebody else'",
        "DELETE FROM audit_chain WHERE number = 2",
        "TRUNCATE audit_chain",
    ] {
        assert_eq!(stage.told(sql).await, "42501", "{sql}");
    }
    stage.close().await;
}

#[tokio::test]
async fn whatever_is_changed_is_named() {
    let changes = [
        ("UPDATE audit_chain SET actor = 'x' WHERE number = 2", Fault::Changed(2)),
        ("UPDATE audit_chain SET act = 'x' WHERE number = 4", Fault::Changed(4)),
        ("UPDATE audit_chain SET outcome = 'refused' WHERE number = 1", Fault::Changed(1)),
        ("UPDATE audit_chain SET origin = 'x' WHERE number = 2", Fault::Changed(2)),
        ("UPDATE audit_chain SET object = 'x' WHERE number = 2", Fault::Changed(2)),
        ("UPDATE audit_chain SET request_id = 'x' WHERE number = 2", Fault::Changed(2)),
        ("UPDATE audit_chain SET code = NULL WHERE number = 3", Fault::Changed(3)),
        ("UPDATE audit_chain SET code = '' WHERE number = 2", Fault::Changed(2)),
        (
            "UPDATE audit_chain SET at = at + interval '1 microsecond' WHERE number = 5",
            Fault::Changed(5),
        ),
        ("DELETE FROM audit_chain WHERE number = 1", Fault::Missing(1)),
        ("DELETE FROM audit_chain WHERE number = 3", Fault::Missing(3)),
        (
            "UPDATE audit_chain SET number = number + 10 WHERE number = 3;
             UPDATE audit_chain SET number = 3 WHERE number = 4;
             UPDATE audit_chain SET number = 4 WHERE number = 13",
            Fault::Changed(3),
        ),
        ("DELETE FROM audit_chain WHERE number >= 4", Fault::Shortened { found: 3, kept: 5 }),
    ];
    for (sql, fault) in changes {
        let stage = Stage::new().await;
        let head = filled(&stage, 5).await;
        stage.by_owner(sql).await;
        assert_eq!(verified(&stage, Some(&head)).await, Err(fault), "{sql}");
        stage.close().await;
    }
}

#[tokio::test]
async fn a_chain_that_was_written_anew_does_not_fit_the_head_that_was_kept() {
    let stage = Stage::new().await;
    let head = filled(&stage, 3).await;
    stage.by_owner("DELETE FROM audit_chain").await;
    let (sink, writer) = running(&stage).await;
    for number in 11..=15 {
        sink.add(entry(number)).await.expect("added");
    }
    writer.abort();
    assert_eq!(
        verified(&stage, None).await.map(|head| head.number),
        Ok(5),
        "it is whole in itself"
    );
    assert_eq!(verified(&stage, Some(&head)).await, Err(Fault::Rewritten(3)));
    stage.close().await;
}

const DAY: i64 = 86_400_000_000;

/// A record of so many days ago.
fn old(days: i64, number: u32) -> Entry {
    Entry { at: Timestamp(now().0 - days * DAY), ..entry(number) }
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

#[tokio::test]
async fn p_24_old_records_go_from_the_beginning_on_and_the_rest_is_verified_from_there() {
    let stage = Stage::new().await;
    let (sink, writer) = running(&stage).await;
    let mut heads = Vec::new();
    for (number, days) in [500, 480, 420, 300, 430, 10].into_iter().enumerate() {
        sink.add(old(days, u32::try_from(number).expect("few"))).await.expect("added");
        heads.push(head_of(stage.store.pool()).await.expect("the head"));
    }
    let pool = stage.store.pool();
    let before = |days: i64| Timestamp(now().0 - days * DAY);
    // Two at a time; then the one behind them; the fourth is young, and what is behind it stays.
    assert_eq!(let_go(pool, before(400), 2).await, Ok(2));
    assert_eq!(let_go(pool, before(400), 2).await, Ok(1));
    assert_eq!(let_go(pool, before(400), 2).await, Ok(0));
    let whole = verify(pool, None).await.expect("the database").expect("a good chain");
    assert_eq!((whole.begins, &whole.head), (3, &heads[5]));
    assert_eq!(verified(&stage, Some(&heads[5])).await.as_ref(), Ok(&heads[5]));
    assert_eq!(verified(&stage, Some(&heads[2])).await.as_ref(), Ok(&heads[5]));
    let older = verified(&stage, Some(&heads[1])).await;
    assert_eq!(older, Err(Fault::LetGo { kept: 2, begins: 3 }));
    let other = Head { digest: [7; 32], ..heads[2].clone() };
    assert_eq!(verified(&stage, Some(&other)).await, Err(Fault::Rewritten(3)));

    // It goes on behind them, and taking more out is noticed.
    sink.add(old(0, 9)).await.expect("added");
    drop(sink);
    writer.await.expect("it ends");
    assert_eq!(verified(&stage, None).await.expect("good").number, 7);
    stage.by_owner("DELETE FROM audit_chain WHERE number = 4").await;
    assert_eq!(verified(&stage, None).await, Err(Fault::Missing(4)));
    stage.close().await;
}

#[tokio::test]
async fn p_24_nobody_lets_a_year_go_nor_the_last_record_and_nobody_moves_the_anchor() {
    let stage = Stage::new().await;
    let (sink, writer) = running(&stage).await;
    sink.add(old(360, 1)).await.expect("added");
    let young = Timestamp(now().0 - 364 * DAY);
    let refused = let_go(stage.store.pool(), young, 10).await;
    assert!(refused.is_err(), "{refused:?}");
    sink.add(old(900, 2)).await.expect("added");
    assert_eq!(let_go(stage.store.pool(), Timestamp(now().0 - 400 * DAY), 10).await, Ok(0));
    stage.by_owner("UPDATE audit_chain SET at = at - interval '900 days'").await;
    assert_eq!(let_go(stage.store.pool(), Timestamp(now().0 - 400 * DAY), 10).await, Ok(1));
    assert_eq!(let_go(stage.store.pool(), Timestamp(now().0 - 400 * DAY), 10).await, Ok(0));
    for sql in [
        "UPDATE audit_anchor SET number = 2",
        "DELETE FROM audit_anchor",
        "INSERT INTO audit_anchor VALUES (true, 1, '', now(), now())",
        "TRUNCATE audit_anchor",
    ] {
        assert_eq!(stage.told(sql).await, "42501", "{sql}");
    }
    writer.abort();
    stage.close().await;
}

/// Requests to a router with the layer, as a partner.
struct Served(Router);

impl Served {
    fn new(sink: &AuditSink) -> Self {
        let address: SocketAddr = "[::ffff:192.0.2.7]:4000".parse().expect("an address");
        let caller =
            Caller::Partner { partner: PartnerId(7), certificate: "0123456789abcdef".into() };
        let router = Router::new()
            .route("/balances/{balanceId}/reload", post(|| async { "done" }))
            .route("/balances/{balanceId}/close", post(closed))
            .route("/balances", post(made).get(|| async { "listed" }))
            .route("/broken", post(broken))
            .layer(from_fn_with_state(sink.clone(), audited));
        let cards = Router::new()
            .route("/cards/{cardId}", get(|| async { "a card" }))
            .layer(from_fn_with_state(sink.clone(), read_audited));
        let router = router.merge(cards).layer(Extension(caller));
        Self(router.layer(from_fn(finish)).layer(MockConnectInfo(address)))
    }

    async fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty());
        let answered = self.0.clone().oneshot(request.expect("a request")).await.expect("one");
        let id = answered.headers()["x-request-id"].to_str().expect("text").to_owned();
        (answered.status().as_u16(), id)
    }
}

async fn made() -> Response {
    let mut response = "made".into_response();
    response.extensions_mut().insert(Made("balance 5".into()));
    response
}

async fn closed() -> Failure {
    Problem::new("CONFLICT", "it is not empty").into()
}

async fn broken() -> Failure {
    Problem::new("INTERNAL", "broken").into()
}

#[tokio::test]
async fn an_act_leaves_what_began_and_what_came_of_it_with_all_its_fields() {
    let stage = Stage::new().await;
    let (sink, writer) = running(&stage).await;
    let served = Served::new(&sink);
    let cases = [
        ("POST", "/balances/5/reload", 200, "/balances/{balanceId}/reload", "done", None),
        (
            "POST",
            "/balances/6/close",
            409,
            "/balances/{balanceId}/close",
            "refused",
            Some("CONFLICT"),
        ),
        ("POST", "/balances", 200, "/balances", "done", None),
        ("POST", "/broken", 500, "/broken", "failed", Some("INTERNAL")),
        ("GET", "/cards/9", 200, "/cards/{cardId}", "done", None),
    ];
    assert_eq!(served.ask("GET", "/balances").await.0, 200, "a look is no act");
    assert_eq!(served.ask("POST", "/nowhere").await.0, 404, "and what is not there neither");
    assert_eq!(stage.count("SELECT count(*) FROM audit_chain").await, 0);
    for (method, path, status, template, outcome, code) in cases {
        let (told, id) = served.ask(method, path).await;
        assert_eq!(told, status, "{path}");
        let rows = sqlx::query("SELECT * FROM audit_chain WHERE request_id = $1 ORDER BY number")
            .bind(&id)
            .fetch_all(stage.store.pool())
            .await
            .expect("rows");
        let [begun, ended] = &rows[..] else { panic!("{path}: {} records", rows.len()) };
        for (row, expected) in [(begun, "begun"), (ended, outcome)] {
            let text = |name: &str| row.get::<String, _>(name);
            assert_eq!(text("outcome"), expected, "{path}");
            assert_eq!(text("actor"), "partner:7/01234567");
            assert_eq!(text("act"), format!("{method} {template}"));
            assert_eq!(text("origin"), "192.0.2.7");
        }
        assert_eq!(begun.get::<String, _>("object"), path);
        let object = if path == "/balances" { "balance 5" } else { path };
        assert_eq!(ended.get::<String, _>("object"), object);
        assert_eq!(ended.get::<Option<String>, _>("code").as_deref(), code, "{path}");
    }
    writer.abort();
    assert_eq!(verified(&stage, None).await.map(|head| head.number), Ok(10));
    stage.close().await;
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let stage = Stage::new().await;
    let (sink, writer) = running(&stage).await;
    let served = Served::new(&sink);
    stage.by_owner("ALTER TABLE audit_chain RENAME TO away").await;
    assert_eq!(served.ask("POST", "/balances").await.0, 503);
    assert_eq!(served.ask("GET", "/cards/9").await.0, 503);
    assert_eq!(served.ask("GET", "/balances").await.0, 200);
    stage.by_owner("ALTER TABLE away RENAME TO audit_chain").await;
    assert_eq!(served.ask("POST", "/balances").await.0, 200, "it goes on by itself");
    writer.abort();
    // Its writer gone, nothing is said to be recorded.
    while !served.ask("POST", "/balances").await.0.eq(&503) {}
    stage.close().await;
}
