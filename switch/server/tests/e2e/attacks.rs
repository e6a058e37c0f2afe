//! Guessing of cards over real sockets, by the real binary: a sweep of numbers of one BIN at one
//! merchant (T-13), a restart in the middle, and a block taken back.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use serde_json::Value as Json;
use simulators::acquirer::{Acquirer, Incoming};
use simulators::iso::Message;
use sqlx::ConnectOptions;
use switch_domain::Pan;
use switch_store::private_postgres::{TestDatabase, fresh_database};
use tokio::time::Instant;

use crate::stage::{Served, peer, purchase};

/// Numbers that are tried; `ATTACK_SWEEP` for more: 100000 are T-13's.
const SWEEP: u32 = 5_000;
/// Where they are.
const TESTED: &str = "TESTED000000001";
const BIN: &str = "99999912";
const OTHER_BIN: &str = "99999913";
/// Messages on their way at a time.
const IN_FLIGHT: usize = 200;

/// A number of a BIN that no card has: those that are issued are not among the highest.
fn unissued(bin: &str, number: u32) -> String {
    let payload = format!("{bin}9{number:06}");
    format!("{payload}{}", char::from(Pan::check_digit(payload.as_bytes())))
}

/// A purchase without the card.
fn remote(pan: &str, stan: u32, merchant: &str) -> Message {
    let message = purchase(pan, stan, 50_00);
    message.with(22, "012").and_then(|message| message.with(42, merchant)).expect("legal fields")
}

/// Sends all, some at a time, and gives DE39 of each by its trace number, and after how long it
/// came.
async fn ask_all(peer: &mut Acquirer, messages: Vec<Message>) -> BTreeMap<u32, (Message, f64)> {
    let mut answers = BTreeMap::new();
    for some in messages.chunks(IN_FLIGHT) {
        let began = Instant::now();
        some.iter().for_each(|message| peer.send(0, message).expect("sent"));
        for _ in some {
            let arrival = peer.next_arrival().await.expect("an answer");
            let Incoming::Message(answer, _) = arrival.incoming else { panic!("{arrival:?}") };
            let stan = answer.text(11).and_then(|stan| stan.parse().ok()).expect("a STAN");
            let after = arrival.at.saturating_duration_since(began);
            answers.insert(stan, (answer, after.as_secs_f64()));
        }
    }
    answers
}

fn code(answers: &BTreeMap<u32, (Message, f64)>, stan: u32) -> &str {
    answers[&stan].0.text(39).expect("a code")
}

async fn ask(peer: &mut Acquirer, message: &Message) -> String {
    let answer = peer.exchange(0, message).await.expect("an answer");
    answer.text(39).expect("a code").to_owned()
}

async fn count(database: &TestDatabase, sql: &'static str) -> i64 {
    let mut session = database.url().connect_options().connect().await.expect("a session");
    sqlx::query_scalar(sql).fetch_one(&mut session).await.expect("a count")
}

/// A card of a programme of the other BIN, of the same partner.
fn other_card(served: &Served) -> String {
    let created = served.make(&["partner", "create", "--name", "Other"], "partner");
    let open = ["pool", "open", "--partner", &created, "--kind", "deposit", "--currency", "EUR"];
    let pool = served.make(&open, "pool");
    let reload = ["pool", "reload", "--pool", &pool, "--amount", "1000000"];
    served.make(&[&reload[..], &["--reference", "transfer 2"]].concat(), "done");
    let create = ["programme", "create", "--partner", &created, "--name", "Euro"];
    let bins = ["--bin-low", OTHER_BIN, "--currency", "EUR", "--pool", &pool];
    let programme = served.make(&[&create[..], &bins].concat(), "programme");
    let customer = ["customer", "create", "--partner", &created, "--reference", "bob"];
    let customer = served.make(&customer, "customer");
    let open = ["balance", "open", "--programme", &programme, "--customer", &customer];
    let balance = served.make(&open, "balance");
    let credit = ["balance", "credit", "--balance", &balance, "--amount", "500000"];
    served.make(&[&credit[..], &["--reference", "welcome"]].concat(), "done");
    let issue = ["card", "issue", "--balance", &balance, "--expiry", "4912"];
    served.make(&[&issue[..], &["--reveal-test-pan"]].concat(), "pan")
}

/// One block, of that merchant and BIN.
fn the_block(served: &Served) -> Json {
    let listed = served.command(&["attacks", "list"]).expect("a list");
    let blocks = listed["blocks"].as_array().expect("some").clone();
    assert_eq!((listed["mode"].as_str(), blocks.len()), (Some("block"), 1), "{listed}");
    let block = blocks[0].clone();
    assert_eq!(
        (block["bin"].as_u64(), block["merchant"].as_str()),
        (Some(99_999_912), Some(TESTED))
    );
    block
}

/// What a block is, without how often it was met since this process began.
fn lasts(block: &Json) -> Json {
    let mut block = block.clone();
    block.as_object_mut().expect("members").remove("met");
    block
}

/// T-13: of a sweep the first few numbers are answered, then that merchant is refused that BIN and
/// no other, there is one alarm, and who runs the switch can take it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_of_card_numbers_is_refused_and_nobody_else_is() {
    let sweep = std::env::var("ATTACK_SWEEP").ok().and_then(|many| many.parse().ok());
    let sweep: u32 = sweep.unwrap_or(SWEEP);
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let log = File::create(place.join("log")).expect("a file");
    let served = Served::start_logging(place, url, &[], log);
    let (pan, other) = (served.set_up(), other_card(&served));
    let mut acquirer = peer(served.link, 1).await;
    // Between the numbers that are tried: the same BIN elsewhere, and another BIN there.
    let normal = |stan: u32| match stan % 100 {
        0 => Some(remote(&pan, stan, "NORMAL000000001").with(4, "000000000300")),
        50 => Some(remote(&other, stan, TESTED).with(4, "000000000300")),
        _ => None,
    };
    let message = |stan| match normal(stan) {
        Some(message) => message.expect("a legal amount"),
        None => remote(&unissued(BIN, stan), stan, TESTED),
    };
    let began = Instant::now();
    let answers = ask_all(&mut acquirer, (1..=sweep).map(message).collect()).await;
    let mut told = BTreeMap::new();
    for stan in 1..=sweep {
        let (is_normal, code) = (normal(stan).is_some(), code(&answers, stan));
        *told.entry((is_normal, code.to_owned())).or_insert(0) += 1;
    }
    let others = sweep / 50;
    let expected = [
        ((false, "05".to_owned()), sweep - others - 20),
        ((false, "14".to_owned()), 20),
        ((true, "00".to_owned()), others),
    ];
    assert_eq!(told, expected.into(), "after {:?}", began.elapsed());
    // A right number is refused as well, and sent again hears the same.
    assert_eq!(ask(&mut acquirer, &remote(&pan, 900_001, TESTED)).await, "05");
    let block = the_block(&served);
    let met = block["met"].as_u64().expect("a number");
    assert_eq!(met, u64::from(sweep - others - 20) + 1);
    drop(acquirer);
    served.terminate();
    let refused = "SELECT count(*) FROM card_authorization WHERE reason = 'attempts_blocked'";
    assert_eq!(count(&database, refused).await, i64::try_from(met).expect("few"));
    let alarms = "SELECT count(*) FROM attack_event WHERE what IN ('alarm', 'blocked')";
    assert_eq!(count(&database, alarms).await, 1);
    let log = std::fs::read_to_string(place.join("log")).expect("a log");
    assert_eq!(log.matches("somebody tries cards").count(), 1, "{log}");

    after_a_restart(place, url, &pan, &block).await;
    assert_eq!(count(&database, alarms).await, 1);
    database.close().await;
}

/// The block goes on, until somebody takes it back.
async fn after_a_restart(place: &Path, url: &str, pan: &str, before: &Json) {
    let again = |name: &str| {
        let log = File::create(place.join(name)).expect("a file");
        Served::start_logging(place, url, &[], log)
    };
    let served = again("first");
    assert_eq!(lasts(&the_block(&served)), lasts(before), "it has begun and ends when it did");
    let mut acquirer = peer(served.link, 1).await;
    assert_eq!(ask(&mut acquirer, &remote(pan, 900_001, TESTED)).await, "05", "a repeat");
    assert_eq!(ask(&mut acquirer, &remote(pan, 900_002, TESTED)).await, "05");
    let lift = ["attacks", "lift", "--bin", BIN, "--acquirer", "123456", "--merchant"];
    let nobody = served.command(&[&lift[..], &["NORMAL000000001"]].concat()).expect_err("nobody");
    assert!(nobody.contains("NOT_FOUND"), "{nobody}");
    served.command(&[&lift[..], &[TESTED]].concat()).expect("lifted");
    assert_eq!(ask(&mut acquirer, &remote(pan, 900_003, TESTED)).await, "00");
    assert_eq!(ask(&mut acquirer, &remote(pan, 900_002, TESTED)).await, "05", "a repeat");
    let listed = served.command(&["attacks", "list"]).expect("a list");
    assert_eq!(listed["blocks"].as_array().map(Vec::len), Some(0));
    let events = served.command(&["attacks", "events"]).expect("events");
    let said = |index: usize| (events[index]["what"].as_str(), events[index]["kind"].as_str());
    assert_eq!(said(0), (Some("lifted"), Some("unknown_card")), "{events}");
    assert_eq!(said(1), (Some("blocked"), Some("unknown_card")), "{events}");
    assert!(events[0]["actor"].as_str().is_some_and(|actor| actor.starts_with("uid:")));
    drop(acquirer);
    served.terminate();
    let served = again("second");
    let mut acquirer = peer(served.link, 1).await;
    assert_eq!(ask(&mut acquirer, &remote(pan, 900_004, TESTED)).await, "00", "it stays lifted");
    drop(acquirer);
    served.terminate();
}

/// What was counted of a merchant whose messages name no acquirer is forgotten by a restart; once
/// it is blocked, and that is in the table, not even a crash ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_outlives_a_crash_and_counts_begin_anew() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let start = || Served::start(place, url, &[]);
    let served = start();
    let pan = served.set_up();
    let of_link = |pan: &str, stan: u32, merchant: &str| {
        let mut message = remote(pan, stan, merchant);
        message.remove(32);
        message
    };
    let tries = |from: u32, to: u32| -> Vec<Message> {
        (from..=to).map(|stan| of_link(&unissued(BIN, stan), stan, TESTED)).collect()
    };
    let mut acquirer = peer(served.link, 1).await;
    let unknown = |answers: BTreeMap<u32, (Message, f64)>| {
        answers.keys().filter(|stan| code(&answers, **stan) == "14").count()
    };
    assert_eq!(unknown(ask_all(&mut acquirer, tries(1, 19)).await), 19);
    drop(acquirer);
    served.terminate();

    let mut served = start();
    let mut acquirer = peer(served.link, 1).await;
    assert_eq!(unknown(ask_all(&mut acquirer, tries(101, 119)).await), 19);
    let none = served.command(&["attacks", "list"]).expect("a list");
    assert_eq!(none["blocks"], Json::Array(Vec::new()), "38, but never twenty of one process");
    assert_eq!(unknown(ask_all(&mut acquirer, tries(120, 120)).await), 1);
    assert_eq!(ask(&mut acquirer, &of_link(&pan, 201, TESTED)).await, "05");
    let block = the_block(&served);
    let named = (&block["acquirer"], &block["link"], &block["count"], &block["limit"]);
    assert_eq!(named, (&Json::Null, &1.into(), &20.into(), &20.into()));
    let events = || served.command(&["attacks", "events"]).expect("events");
    let event = loop {
        // It is written within a second or two.
        if let Some(event) = events().get(0) {
            break event.clone();
        }
    };
    for member in ["bin", "acquirer", "link", "merchant", "kind", "count", "limit", "shadow"] {
        assert_eq!(event[member], block[member], "{member}");
    }
    assert_eq!((event["what"].as_str(), event["met"].as_i64()), (Some("blocked"), None));
    served.child.kill().expect("SIGKILL");
    served.child.wait().expect("it ended");
    drop(acquirer);

    let served = start();
    assert_eq!(lasts(&the_block(&served)), lasts(&block));
    let mut acquirer = peer(served.link, 1).await;
    assert_eq!(ask(&mut acquirer, &of_link(&pan, 202, TESTED)).await, "05");
    assert_eq!(ask(&mut acquirer, &of_link(&pan, 203, "NORMAL000000001")).await, "00");
    // The same name with an acquirer's number is somebody else.
    assert_eq!(ask(&mut acquirer, &remote(&pan, 204, TESTED)).await, "00");
    let lift = ["attacks", "lift", "--bin", BIN, "--merchant", TESTED];
    let other = served.command(&[&lift[..], &["--acquirer", "123456"]].concat());
    assert!(other.expect_err("nobody").contains("NOT_FOUND"));
    let lifted = served.command(&[&lift[..], &["--link", "1"]].concat()).expect("lifted");
    assert_eq!(lifted["lifted"]["met"], 1, "of this process");
    assert_eq!(ask(&mut acquirer, &of_link(&pan, 205, TESTED)).await, "00");
    let latest = served.command(&["attacks", "events", "--most", "1"]).expect("events");
    assert_eq!((latest[0]["what"].as_str(), latest.get(1)), (Some("lifted"), None));
    drop(acquirer);
    served.terminate();
    database.close().await;
}
