//! The panel: operators sign in with two factors, decide on verifications, and may call what their
//! role may and nothing else.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::cards::rig::Reader;
use super::client::{Answer, Client};
use super::person::{Person, as_operator, tries};
use super::platform::{Partner, Platform, euros};

const MISSING: &str = "00000000-0000-4000-8000-000000000000";

fn by_command(platform: &Platform, name: &str, role: &str) -> Person {
    let add = ["operator", "add", "--name", name, "--role", role];
    Person::of(&platform.served.command(&add).expect("added"))
}

/// Without what differs from request to request.
fn told(answer: &Answer) -> (u16, Value) {
    let mut json = answer.json();
    json.as_object_mut().expect("an object").remove("requestId");
    (answer.status, json)
}

// covers: SR-052, SR-260, API-02
#[tokio::test(flavor = "multi_thread")]
async fn sr_052_the_first_operator_is_made_by_command_and_signs_in_with_both_factors() {
    let platform = Platform::start().await;
    let panel = platform.panel();
    let mut ada = by_command(&platform, "ada", "admin");
    let token = ada.begins(&panel);
    let whose = as_operator(&panel, &token, "GET", "/admin/sessions/current", None);
    assert_eq!(whose.done(200).json()["role"], "ADMIN");

    // Whatever is wrong, it is told alike (P-20).
    let used = ada.used_code();
    let fresh = ada.clone().code();
    let wrong = [
        tries(&panel, "ada", "wrong horse 7", &fresh),
        tries(&panel, "ada", &ada.password, "000000"),
        tries(&panel, "ada", &ada.password, &used),
        tries(&panel, "nobody", &ada.password, &fresh),
    ];
    let first = told(&wrong[0]);
    assert_eq!((first.0, &first.1["code"]), (401, &"UNAUTHENTICATED".into()));
    assert!(wrong.iter().all(|answer| told(answer) == first), "{wrong:?}");

    // The audit knows under whose name somebody tried.
    for (object, number) in
        [(format!("/admin/operators/{}", ada.id), 3), ("/admin/sessions".into(), 1)]
    {
        let recorded = format!(
            "SELECT count(*) FROM audit_chain WHERE act = 'POST /admin/sessions' AND \
             outcome = 'refused' AND code = 'UNAUTHENTICATED' AND object = '{object}'"
        );
        assert_eq!(platform.count(&recorded).await, number, "{object}");
    }

    // What the document forbids is refused, though nothing would come of it.
    let long = format!("/admin/audit?requestId={}", "0".repeat(65));
    for (path, field) in
        [(long.as_str(), "requestId"), ("/admin/customers?partnerId=0", "partnerId")]
    {
        let refused = as_operator(&panel, &token, "GET", path, None);
        assert_eq!((refused.refused().0, &refused.json()["field"]), (400, &field.into()));
    }
    let credentials = json!({ "name": "ada", "password": "wrong horse 7", "code": "000000" });
    let empty =
        panel.send("POST", "/admin/sessions", &[("Idempotency-Key", "")], Some(&credentials));
    assert_eq!(empty.refused(), (400, "INVALID_REQUEST".into()));

    // Signed out by themselves, and by another.
    let out = as_operator(&panel, &token, "DELETE", "/admin/sessions/current", None);
    out.done(204);
    let gone = as_operator(&panel, &token, "GET", "/admin/operators", None);
    assert_eq!(gone.refused(), (401, "UNAUTHENTICATED".into()));
    // A key is not looked at, so that no digest of a password is kept.
    let code = ada.code();
    let credentials = json!({ "name": "ada", "password": ada.password, "code": code });
    let token = panel.post("/admin/sessions", "sign in", &credentials).done(201).json();
    assert_eq!(panel.post("/admin/sessions", "sign in", &credentials).refused().0, 401);
    assert_eq!(platform.count("SELECT count(*) FROM idempotent_answer").await, 0);
    let token = token["token"].as_str().expect("a token").to_owned();
    by_command(&platform, "eve", "admin");
    platform.served.command(&["operator", "block", "--name", "ada"]).expect("blocked");
    let gone = as_operator(&panel, &token, "GET", "/admin/operators", None);
    assert_eq!(gone.refused().0, 401);
    let last = platform.served.command(&["operator", "block", "--name", "eve"]);
    assert!(last.expect_err("the last one").contains("CONFLICT"));
    let listed = platform.served.command(&["operator", "list"]).expect("a list");
    assert_eq!((&listed[0]["state"], &listed[1]["state"]), (&"BLOCKED".into(), &"ACTIVE".into()));
    platform.close().await;
}

// covers: API-02
#[tokio::test(flavor = "multi_thread")]
async fn p_17_ten_wrong_tries_lock_over_a_restart_and_another_operator_unlocks() {
    let platform = Platform::start().await;
    let panel = platform.panel();
    let mut ada = by_command(&platform, "ada", "admin");
    ada.begins(&panel);
    for _ in 0..10 {
        assert_eq!(tries(&panel, "ada", "wrong horse 7", "123456").refused().0, 401);
    }
    let platform = platform.restart();
    let panel = platform.panel();
    let locked = platform.served.command(&["operator", "list"]).expect("a list");
    assert_eq!(locked[0]["state"], "LOCKED");
    let code = ada.clone().code();
    assert_eq!(tries(&panel, "ada", &ada.password, &code).refused().0, 401, "though it is right");
    platform.served.command(&["operator", "unblock", "--name", "ada"]).expect("unlocked");
    ada.signs_in(&panel).done(201);
    platform.close().await;
}

/// Begins the platform's verification of a customer of this partner.
fn asks(partner: &Partner, reference: &str) -> String {
    let customer = partner.registers(reference);
    let path = format!("/secure/customers/{customer}/register");
    partner.client.post(&path, &format!("ask {reference}"), &json!(null)).done(200);
    customer
}

// covers: SR-032, SR-034
#[tokio::test(flavor = "multi_thread")]
async fn sr_032_operators_review_customers_and_accounts_are_opened_for_the_approved_alone() {
    let platform = Platform::start().await;
    let (panel, acme) = (platform.panel(), platform.partner("Acme", "99999912"));
    let own = platform.partner("Own", "99999913");
    let manual = ["partner", "settings", "set", "--partner", &acme.id, "--kyc", "manual"];
    platform.served.command(&manual).expect("chosen");
    let mut mia = by_command(&platform, "mia", "manager");
    let token = mia.begins(&panel);
    let at = |method: &str, path: &str, body: Option<&Value>| {
        as_operator(&panel, &token, method, path, body)
    };
    let (good, bad) = (asks(&acme, "u-1"), asks(&acme, "u-2"));
    let theirs = asks(&own, "u-1");

    // Those that wait, by pages, and nothing personal among them.
    let first = at("GET", "/admin/kyc?limit=1", None).done(200);
    assert!(!first.text.contains("Lovelace"));
    assert_eq!(first.json()["items"][0]["customerId"], good);
    let cursor = first.json()["nextCursor"].as_str().expect("there is more").to_owned();
    let next = at("GET", &format!("/admin/kyc?limit=1&cursor={cursor}"), None).done(200).json();
    assert_eq!(
        (&next["items"][0]["customerId"], &next["nextCursor"]),
        (&bad.clone().into(), &Value::Null)
    );

    // One customer is read in full, and that is recorded under her name.
    let read = at("GET", &format!("/admin/customers/{good}"), None).done(200).json();
    assert_eq!(read["person"]["familyName"], "Lovelace");
    let recorded = format!(
        "SELECT count(*) FROM audit_chain WHERE act = 'GET /admin/customers/{{customerId}}' \
         AND object = '/admin/customers/{good}' AND actor = 'op:{}' AND outcome = 'done'",
        mia.id.replace('-', "")
    );
    assert_eq!(platform.count(&recorded).await, 1);

    let decide = |customer: &str, decision: &str, note: &str| {
        let body = json!({ "decision": decision, "note": note });
        at("POST", &format!("/admin/customers/{customer}/kyc"), Some(&body))
    };
    let opening = |customer: &str, key: &str| {
        let new = json!({ "programmeId": acme.programme });
        acme.client.post(&format!("/secure/customers/{customer}/balances"), key, &new)
    };
    assert_eq!(opening(&good, "early").refused(), (409, "CUSTOMER_NOT_VERIFIED".into()));
    assert_eq!(decide(&good, "APPROVE", " ").refused(), (400, "INVALID_REQUEST".into()));
    let approved = decide(&good, "APPROVE", "passport seen").done(200).json();
    assert_eq!(approved["state"], "VERIFIED");
    let made = &approved["moves"][1];
    assert_eq!((&made["by"], &made["note"]), (&"operator".into(), &"passport seen".into()));
    assert_eq!(made["byName"], format!("op:{}", mia.id.replace('-', "")));
    assert_eq!(decide(&bad, "REJECT", "not the same face").done(200).json()["state"], "REJECTED");
    let balance = opening(&good, "now").done(201);
    assert_eq!(opening(&bad, "never").refused(), (409, "CUSTOMER_NOT_VERIFIED".into()));

    // Decided once; and what a partner decides itself is not hers to say.
    assert_eq!(decide(&good, "REJECT", "again").refused(), (409, "CONFLICT".into()));
    assert_eq!(decide(&theirs, "APPROVE", "theirs").refused(), (409, "CONFLICT".into()));
    assert_eq!(decide(MISSING, "APPROVE", "nobody").refused(), (404, "NOT_FOUND".into()));
    assert_eq!(at("GET", "/admin/kyc", None).done(200).json()["items"], json!([]));

    // An account of his is blocked at the panel, and unblocked.
    let path = balance.header("location").expect("a place").replace("/secure/", "/admin/");
    for (act, state) in [("block", "BLOCKED"), ("unblock", "ACTIVE")] {
        at("POST", &format!("{path}/{act}"), None).done(204);
        assert_eq!(at("GET", &path, None).done(200).json()["state"], state);
    }
    platform.close().await;
}

// covers: SR-032, SR-034, A-29
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_begins_a_verification_and_takes_one_back() {
    let platform = Platform::start().await;
    let (panel, acme) = (platform.panel(), platform.partner("Acme", "99999912"));
    let manual = ["partner", "settings", "set", "--partner", &acme.id, "--kyc", "manual"];
    platform.served.command(&manual).expect("chosen");
    let token = by_command(&platform, "mia", "manager").begins(&panel);
    let customer = acme.registers("u-1");
    let path = format!("/admin/customers/{customer}/kyc");
    let decide = |decision: &str| {
        let body = json!({ "decision": decision, "note": "case 4711" });
        as_operator(&panel, &token, "POST", &path, Some(&body))
    };
    let opening = |key: &str| {
        let new = json!({ "programmeId": acme.programme });
        acme.client.post(&format!("/secure/customers/{customer}/balances"), key, &new)
    };
    // Nothing to decide on yet, and nothing to take back.
    for early in ["APPROVE", "REJECT", "REVOKE", "EXPIRE"] {
        assert_eq!(decide(early).refused(), (409, "CONFLICT".into()), "{early}");
    }
    assert_eq!(decide("BEGIN").done(200).json()["state"], "PENDING");
    assert_eq!(decide("BEGIN").refused(), (409, "CONFLICT".into()), "it has begun");
    decide("APPROVE").done(200);
    opening("verified").done(201);
    for (taken_back, state) in [("REVOKE", "REVOKED"), ("EXPIRE", "EXPIRED")] {
        assert_eq!(decide(taken_back).done(200).json()["state"], state);
        assert_eq!(opening(state).refused(), (409, "CUSTOMER_NOT_VERIFIED".into()));
        assert_eq!(decide(taken_back).refused().0, 409);
        decide("BEGIN").done(200);
        decide("APPROVE").done(200);
    }
    opening("again").done(201);
    let moves = as_operator(&panel, &token, "GET", &path, None).done(200).json();
    assert_eq!(moves["moves"].as_array().map(Vec::len), Some(8));
    platform.close().await;
}

/// What a refused call must not change.
async fn dump(platform: &Platform) -> String {
    let mut session = platform.database.url().connect_options().connect().await.expect("a session");
    let mut dump = String::new();
    for (table, but) in [
        ("operator", ""),
        ("operator_password", ""),
        ("operator_session", "used_at"),
        ("customer", ""),
        ("kyc_move", ""),
        ("corporation", ""),
        ("kyb_move", ""),
        ("balance_handle", ""),
        ("idempotent_answer", ""),
        ("pool_reload", ""),
        ("partner", ""),
        ("partner_profile", ""),
        ("programme", ""),
        ("programme_profile", ""),
        ("setup_change", ""),
    ] {
        let sql = format!(
            "SELECT coalesce(string_agg((to_jsonb(t) - '{but}')::text, ',' ORDER BY t::text), '') \
             FROM {table} AS t"
        );
        let text: String =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut session).await.expect("text");
        dump.push_str(&text);
    }
    session.close().await.expect("closed");
    dump
}

/// A body that each call takes.
fn body_of(path: &str, name: &str) -> Option<Value> {
    match path.rsplit('/').next() {
        Some("partners" | "{partnerId}" | "{programmeId}") => Some(json!({ "name": name })),
        Some("programmes") => Some(json!({
            "partnerId": 1, "name": name, "currency": "EUR", "poolId": "777",
            "bins": { "low": "99999940", "high": "99999940", "panLength": 16 }
        })),
        Some("controls" | "{controlId}") => {
            Some(json!({ "name": name, "rule": "FORBID", "shadow": true }))
        }
        Some("fees") => Some(json!({ "chargedBy": "PLATFORM", "rules": [] })),
        Some("preview") => Some(json!({ "events": ["card_monthly"], "form": "VIRTUAL" })),
        Some("operators") => Some(json!({ "name": name, "role": "EMPLOYEE" })),
        Some("role") => Some(json!({ "role": "ADMIN" })),
        Some("kyb") => Some(json!({ "decision": "HOLD", "note": "seen" })),
        Some("kyc") => Some(json!({ "decision": "APPROVE", "note": "seen" })),
        Some("lock") => Some(json!({ "reasonCode": 3 })),
        Some("virtual") => Some(json!({ "balanceId": MISSING })),
        Some("replace" | "renew" | "alert") => Some(json!({})),
        Some("physical") => Some(super::plastic::wanted(MISSING)),
        Some("pools") => Some(json!({ "partnerId": 1, "kind": "CREDIT", "currency": "EUR" })),
        Some("reloads") => Some(json!({ "amount": euros("5000.00"), "reference": "r" })),
        Some("refuse") => Some(json!({ "note": "nobody knows of it" })),
        Some("password") => Some(json!({ "currentPassword": "x", "newPassword": "x" })),
        _ => None,
    }
}

struct Matrix<'a> {
    platform: &'a Platform,
    panel: Client,
    customer: String,
    balance: String,
    other: Person,
    reader: Reader,
}

impl Matrix<'_> {
    fn call(&self, token: Option<&str>, method: &str, path: &str) -> Answer {
        let place = path
            .replace("{customerId}", &self.customer)
            .replace("{balanceId}", &self.balance)
            .replace("{operatorId}", &self.other.id)
            .replace("{cardId}", "1")
            .replace("{authorizationId}", "1")
            .replace("{dcCorporationId}", MISSING)
            .replace("{documentId}", MISSING)
            .replace("{orderId}", MISSING)
            .replace("{webhookId}", MISSING)
            .replace("{messageId}", MISSING)
            .replace("{partnerId}", "777")
            .replace("{programmeId}", "777")
            .replace("{invoice}", "2026-11.csv")
            .replace("{controlId}", MISSING)
            .replace("{poolId}", "777")
            .replace("{reloadId}", MISSING);
        let of_partner = matches!(path, "/admin/customers" | "/admin/webhooks" | "/admin/pools");
        let query = if of_partner { "?partnerId=1" } else { "" };
        let body = body_of(path, "newcomer").filter(|_| matches!(method, "POST" | "PUT"));
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers: Vec<_> =
            bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
        if method == "PUT" {
            headers.push(("If-Match", "\"0\""));
        }
        if path.contains("/cards/") {
            // What it needs beside a role.
            headers.extend([("Encrypt-Response", "true"), ("Public-Key", &self.reader.public)]);
        }
        self.panel.send(method, &format!("{place}{query}"), &headers, body.as_ref())
    }
}

/// Method, path, and who may.
fn operations() -> Vec<(String, String, Vec<String>)> {
    let document = admin_api::routes::admin_document().to_json().expect("JSON");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let roles = operation["x-roles"].as_array().expect("roles");
            let roles = roles.iter().map(|role| role.as_str().expect("a name").to_owned());
            operations.push((method.to_uppercase(), path.clone(), roles.collect()));
        }
    }
    operations
}

// covers: SR-261, API-02, API-05
#[tokio::test(flavor = "multi_thread")]
async fn sr_261_every_role_may_call_what_the_table_says_and_a_refused_call_changes_nothing() {
    let platform = Platform::start().await;
    let (panel, acme) = (platform.panel(), platform.partner("Acme", "99999912"));
    let customer = acme.registers("u-1");
    acme.verifies(&customer);
    let balance = acme.opens(&customer, "open");
    let balance = balance.rsplit('/').next().expect("an identifier").to_owned();
    let other = by_command(&platform, "other", "employee");
    let roles = ["EMPLOYEE", "MANAGER", "ADMIN"];
    let tokens = roles.map(|role| {
        let name = role.to_lowercase();
        by_command(&platform, &name, &name).begins(&panel)
    });
    let reader = Reader::new();
    let matrix = Matrix { platform: &platform, panel, customer, balance, other, reader };
    let operations = operations();
    assert!(operations.len() >= 20, "{}", operations.len());

    // First all that is refused: nobody, a token of nobody, and those whose role may not.
    // What is in the shards is asked of them.
    let account = format!("/secure/customers/{}/balances/{}", matrix.customer, matrix.balance);
    let person = format!("/lifecycle/v1/customers/{}", matrix.customer);
    let shown = || [&account, &person].map(|path| acme.client.get(path).done(200).text);
    let before = (dump(matrix.platform).await, shown());
    let mut refused = 0;
    let stranger = "0".repeat(64);
    for (method, path, may) in operations.iter().filter(|(_, _, may)| !may.is_empty()) {
        for token in [None, Some(""), Some(stranger.as_str())] {
            let answer = matrix.call(token, method, path);
            assert_eq!(answer.refused(), (401, "UNAUTHENTICATED".into()), "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
        for (role, token) in
            roles.iter().zip(&tokens).filter(|(role, _)| !may.contains(&(**role).into()))
        {
            let answer = matrix.call(Some(token), method, path);
            assert_eq!(answer.refused(), (403, "FORBIDDEN".into()), "{role} {method} {path}");
            refused += 1;
        }
    }
    assert!(refused >= 14, "{refused}");
    let after = (dump(matrix.platform).await, shown());
    assert!(after == before, "a refused call changed something");
    let recorded = "SELECT count(*) FROM audit_chain WHERE act LIKE 'GET /admin/%' \
                    AND actor LIKE 'op:%' AND outcome = 'refused' AND code = 'FORBIDDEN'";
    assert!(matrix.platform.count(recorded).await >= 2, "who may not look is recorded");

    // Then all that is not; what ends a session comes last.
    let ends = |path: &str| path == "/admin/sessions/current" || path == "/admin/password";
    for (role, token) in roles.iter().zip(&tokens) {
        let may = operations.iter().filter(|(_, _, may)| may.contains(&(*role).into()));
        for (method, path, _) in may.filter(|(method, path, _)| method == "GET" || !ends(path)) {
            let status = matrix.call(Some(token), method, path).status;
            assert!(matches!(status, 200..=299 | 404 | 409), "{role} {method} {path}: {status}");
        }
        let other = matrix.call(Some(token), "PATCH", "/admin/customers");
        assert_eq!(other.refused(), (405, "METHOD_NOT_ALLOWED".into()));
        assert_eq!(other.header("allow"), Some("GET"));
        matrix.call(Some(token), "DELETE", "/admin/sessions/current").done(204);
    }
    let Matrix { panel, .. } = matrix;
    assert_eq!(panel.get("/admin/elsewhere").refused(), (404, "NOT_FOUND".into()));
    platform.close().await;
}
