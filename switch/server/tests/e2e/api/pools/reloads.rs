//! Who reloads a pool: one of the issuer's people up to a limit, two of them above it, a partner
//! never; once, whatever ends in between, and with a history of who it was.

use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};

use super::{NONE, Rig, operator};
use crate::api::client::Client;

fn id(reload: &Value) -> String {
    reload["reloadId"].as_str().expect("an identifier").to_owned()
}

/// A reload in a pool that waits for a second operator; its path.
fn waits(rig: &Rig, by: &Client, pool: &str, key: &str) -> String {
    let asked = rig.reloads(by, pool, ("1000.01", "EUR"), key).done(201).json();
    assert_eq!(asked["state"], "WAITING", "{asked}");
    format!("/admin/pools/{pool}/reloads/{}", id(&asked))
}

fn approves(by: &Client, reload: &str) -> (u16, String) {
    let answer = by.post(&format!("{reload}/approve"), "approve", NONE);
    let json = answer.json();
    let told = json["state"].as_str().or_else(|| json["code"].as_str());
    (answer.status, told.expect("a state or a code").to_owned())
}

// covers: SR-228, SR-022
#[tokio::test(flavor = "multi_thread")]
async fn above_a_limit_two_operators_reload_a_pool_and_never_the_same_one_twice() {
    let rig = Rig::start().await;
    let emmy = operator(&rig.platform, "emmy", "employee");
    let (euro, dollar) = (rig.opens("DEPOSIT", "EUR"), rig.opens("CREDIT", "USD"));
    let conflict = || (409, "CONFLICT".to_owned());
    let forbidden = || (403, "FORBIDDEN".to_owned());
    // Up to the limit one is enough.
    let asked = rig.reloads(&rig.mia, &euro, ("1000.00", "EUR"), "small").done(201).json();
    assert_eq!((&asked["state"], asked.get("waitsUntil")), (&"DONE".into(), None));
    assert_eq!(rig.amounts(&euro)[0], "1000.00");
    // Once under a key.
    let again = rig.reloads(&rig.mia, &euro, ("1000.00", "EUR"), "small").done(201);
    assert_eq!((again.json(), again.header("idempotent-replayed")), (asked, Some("true")));
    assert_eq!(rig.amounts(&euro)[0], "1000.00");
    // A cent more, and it waits: not for who asked, nor for whose role may not.
    let large = waits(&rig, &rig.mia, &euro, "large");
    assert_eq!(rig.amounts(&euro)[0], "1000.00", "nothing moved");
    assert_eq!(approves(&rig.mia, &large), forbidden());
    assert_eq!(approves(&emmy, &large), forbidden());
    assert_eq!(rig.reloads(&emmy, &euro, ("1.00", "EUR"), "emmy").refused(), forbidden());
    assert_eq!(approves(&rig.max, &large), (200, "DONE".into()));
    assert_eq!(rig.amounts(&euro)[0], "2000.01");
    assert_eq!(approves(&rig.ada, &large), conflict(), "it is done");
    let refusal = json!({ "note": "too late" });
    let late = rig.ada.post(&format!("{large}/refuse"), "refuse", &refusal);
    assert_eq!(late.refused(), conflict());
    // Of a currency without a limit each waits.
    let asked = rig.reloads(&rig.mia, &dollar, ("0.01", "USD"), "dollar").done(201).json();
    assert_eq!(asked["state"], "WAITING");
    // Refused by another, or taken back: nobody approves it after that.
    for (key, by) in [("refused", &rig.max), ("taken back", &rig.mia)] {
        let one = waits(&rig, &rig.mia, &euro, key);
        let empty = by.post(&format!("{one}/refuse"), "empty", &json!({ "note": " " }));
        assert_eq!(empty.refused(), (400, "INVALID_REQUEST".into()));
        let body = json!({ "note": "the bank knows nothing of it" });
        let refused = by.post(&format!("{one}/refuse"), "refuse", &body).done(200).json();
        assert_eq!((&refused["state"], &refused["refusal"]), (&"REFUSED".into(), &body["note"]));
        assert_eq!(approves(&rig.ada, &one), conflict(), "{key}");
    }
    // Over, before anybody has looked and after it.
    let one = waits(&rig, &rig.mia, &euro, "over");
    rig.platform.sql("UPDATE pool_reload SET waits_until = now() WHERE state = 'WAITING'").await;
    assert_eq!(approves(&rig.max, &one), conflict());
    while rig.mia.get(&one).done(200).json()["state"] != "EXPIRED" {}
    assert_eq!(approves(&rig.max, &one), conflict());
    assert_eq!(rig.amounts(&euro), ["2000.01", "0.00", "2000.01"]);
    wrong_requests(&rig, &euro);
    // Each left its records, under the name of who did it.
    let acts = "SELECT count(*) FROM audit_chain WHERE outcome = 'done' AND actor LIKE 'op:%' \
                AND act = 'POST /admin/pools/{poolId}/reloads/{reloadId}/approve'";
    assert_eq!(rig.platform.count(acts).await, 1);
    rig.platform.close().await;
}

/// What cannot be is refused by its member, and nothing of it is kept.
fn wrong_requests(rig: &Rig, pool: &str) {
    let amount = |value: &str, currency: &str| json!({ "value": value, "currency": currency });
    let good = amount("1.00", "EUR");
    for (body, field) in [
        (json!({ "amount": amount("0", "EUR"), "reference": "r" }), "amount.value"),
        (json!({ "amount": amount("-1", "EUR"), "reference": "r" }), "amount.value"),
        (json!({ "amount": amount("1.001", "EUR"), "reference": "r" }), "amount.value"),
        (json!({ "amount": amount("10000000000", "EUR"), "reference": "r" }), "amount.value"),
        (json!({ "amount": amount("1", "USD"), "reference": "r" }), "amount.currency"),
        (json!({ "amount": good, "reference": "" }), "reference"),
        (json!({ "amount": good, "reference": "r".repeat(41) }), "reference"),
        (json!({ "amount": good, "reference": "r", "state": "DONE" }), "state"),
    ] {
        let path = format!("/admin/pools/{pool}/reloads");
        let refused = rig.mia.post(&path, "wrong", &body);
        assert_eq!((refused.status, &refused.json()["field"]), (400, &field.into()), "{body}");
    }
    let new = json!({ "partnerId": 77, "kind": "CREDIT", "currency": "EUR" });
    assert_eq!(rig.ada.post("/admin/pools", "none", &new).refused().0, 404);
    assert_eq!(rig.mia.post("/admin/pools", "mia", &new).refused().0, 403);
}

// covers: SR-228
#[tokio::test(flavor = "multi_thread")]
async fn of_operators_who_approve_at_once_one_does_and_no_more_wait_than_may() {
    let most = ("CARDSWITCH_API__POOLS__WAITING", "2".to_owned());
    let rig = Rig::start_with(vec![most]).await;
    let pool = rig.opens("CREDIT", "EUR");
    let (first, second) =
        (waits(&rig, &rig.ada, &pool, "first"), waits(&rig, &rig.ada, &pool, "second"));
    let more = rig.reloads(&rig.ada, &pool, ("5000", "EUR"), "third");
    assert_eq!(more.refused(), (409, "EXHAUSTED".into()));
    for reload in [&first, &second] {
        let mut told: Vec<_> = std::thread::scope(|scope| {
            let both = [&rig.mia, &rig.max].map(|by| scope.spawn(|| approves(by, reload)));
            both.map(|one| one.join().expect("an answer")).into()
        });
        told.sort();
        assert_eq!(told, [(200, "DONE".to_owned()), (409, "CONFLICT".to_owned())]);
    }
    assert_eq!(rig.amounts(&pool)[0], "2000.02");
    rig.platform.close().await;
}

// covers: SR-229
#[tokio::test(flavor = "multi_thread")]
async fn the_history_tells_operators_who_it_was_and_partners_their_own_without_names() {
    let rig = Rig::start().await;
    let other = rig.platform.partner("Other", "99999913");
    let listed = rig.ada.get(&format!("/admin/pools?partnerId={}", rig.acme.id)).done(200).json();
    let pool = listed["items"][0]["poolId"].as_str().expect("a number").to_owned();
    rig.reloads(&rig.mia, &pool, ("5.00", "EUR"), "small").done(201);
    approves(&rig.max, &waits(&rig, &rig.mia, &pool, "large"));
    waits(&rig, &rig.max, &pool, "another");

    let path = format!("/admin/pools/{pool}/reloads");
    let first = rig.mia.get(&format!("{path}?limit=3")).done(200).json();
    let cursor = first["nextCursor"].as_str().expect("there is more");
    let last = rig.mia.get(&format!("{path}?limit=3&cursor={cursor}")).done(200).json();
    assert_eq!(last.get("nextCursor"), None);
    let items = |page: &Value| page["items"].as_array().expect("items").clone();
    let all = [items(&first), items(&last)].concat();
    let told = |one: &Value| {
        let by = ["askedBy", "decidedBy"].map(|name| one[name].as_str().unwrap_or("").to_owned());
        let reference = one["reference"].as_str().expect("text").to_owned();
        (reference, one["state"].as_str().expect("a state").to_owned(), by)
    };
    let all: Vec<_> = all.iter().map(told).collect();
    let (asked, agreed) = (all[1].2[0].clone(), all[1].2[1].clone());
    assert!(asked.starts_with("op:") && agreed.starts_with("op:") && asked != agreed);
    let expected = [
        ("another", "WAITING", [agreed.as_str(), ""]),
        ("large", "DONE", [&asked, &agreed]),
        ("small", "DONE", [&asked, ""]),
    ];
    let owned = |(a, b, [c, d]): (&str, &str, [&str; 2])| {
        (a.to_owned(), b.to_owned(), [c.to_owned(), d.to_owned()])
    };
    assert_eq!(all[..3], expected.map(owned));
    // By command, as the partner was set up.
    assert_eq!((all[3].0.as_str(), all[3].1.as_str()), ("transfer 1", "DONE"));
    assert!(all[3].2[0].starts_with("uid:"), "{:?}", all[3]);

    // The partner: the same, and no names of the issuer's people.
    let own = rig.acme.client.get(&format!("/secure/pools/{pool}/reloads")).done(200).json();
    let own = items(&own);
    assert_eq!(own.len(), 4);
    for one in &own {
        let members = one.as_object().expect("members");
        assert!(
            ["askedBy", "decidedBy", "refusal"].iter().all(|name| !members.contains_key(*name))
        );
    }
    let pools = rig.acme.client.get("/secure/pools").done(200).json();
    assert_eq!(items(&pools).len(), 1);
    assert_eq!(pools["items"][0], rig.mia.get(&format!("/admin/pools/{pool}")).done(200).json());
    // Another finds nothing of it, as of what is not there.
    for path in ["", "/reloads"] {
        let theirs = other.client.get(&format!("/secure/pools/{pool}{path}"));
        let missing = other.client.get(&format!("/secure/pools/777{path}"));
        assert_eq!(theirs.refused(), (404, "NOT_FOUND".into()));
        assert_eq!(theirs.json()["detail"], missing.json()["detail"]);
    }
    for wrong in ["0", "-1", "01", "x", "99999999999999999999"] {
        assert_eq!(rig.mia.get(&format!("/admin/pools/{wrong}")).refused().0, 404, "{wrong}");
    }
    rig.platform.close().await;
}

/// The row of the journal that books it waits for whoever holds this lock.
const HOLD: &str = "
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF position('HELD-BACK'::bytea IN NEW.records) > 0 THEN
            PERFORM pg_advisory_xact_lock(4711);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER hold BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION hold();";

const WAITS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND wait_event = 'advisory' AND datname = current_database()";

// covers: SR-228
#[tokio::test(flavor = "multi_thread")]
async fn killed_between_approval_and_booking_it_is_booked_once() {
    let mut rig = Rig::start().await;
    let pool = rig.opens("CREDIT", "EUR");
    let reload = waits(&rig, &rig.mia, &pool, "HELD-BACK");
    rig.platform.sql(HOLD).await;
    let url = rig.platform.database.url();
    let mut holder = url.connect_options().connect().await.expect("a session");
    sqlx::query("SELECT pg_advisory_lock(4711)").execute(&mut holder).await.expect("held");
    let (by, path) = (rig.max.clone(), reload.clone());
    let approving = std::thread::spawn(move || approves(&by, &path));
    while rig.platform.count(WAITS).await == 0 {
        tokio::task::yield_now().await;
    }
    let booking = "SELECT count(*) FROM pool_reload WHERE state = 'BOOKING'";
    assert_eq!(rig.platform.count(booking).await, 1, "it is decided, and not booked");
    rig.platform = rig.platform.crash(|_, _| (), Vec::new());
    let _ = approving.join(); // nobody answered
    holder.close().await.expect("closed");
    let at = rig.platform.served.api("open");
    (rig.mia, rig.max, rig.ada) = (rig.mia.at(at), rig.max.at(at), rig.ada.at(at));
    let until_done = |rig: &Rig| {
        while rig.mia.get(&reload).done(200).json()["state"] != "DONE" {}
    };
    until_done(&rig);
    assert_eq!(rig.amounts(&pool)[0], "1000.01");
    // And where it was booked, and that was not written down.
    let forgot = "UPDATE pool_reload SET state = 'BOOKING', booked_at = NULL, \
                  decided_at = decided_at - interval '10 days' WHERE state = 'DONE' \
                  AND decided_at IS NOT NULL";
    rig.platform.sql(forgot).await;
    until_done(&rig);
    assert_eq!(rig.amounts(&pool)[0], "1000.01");
    let postings = "SELECT count(*) FROM posting WHERE kind = 'pool_reloaded' AND amount = 100001";
    assert_eq!(rig.platform.count(postings).await, 1);
    rig.platform.close().await;
}
