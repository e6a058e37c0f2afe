//! Guessing of cards over real sockets, by the real binary: a sweep of numbers of one BIN at one
//! merchant (T-13), and what whoever guesses can tell from the answers (T-14).

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use serde_json::Value as Json;
use simulators::acquirer::{Acquirer, Incoming};
use simulators::chip::{CardFacts, CardKind, Flaw, SimulatedCard, TestKeys};
use simulators::demo_file::TestPan;
use simulators::iso::Message;
use sqlx::ConnectOptions;
use switch_domain::Pan;
use switch_store::private_postgres::{TestDatabase, fresh_database};
use tokio::time::Instant;

use crate::keys::{ceremony, keys};
use crate::speaker::{Draft, Speaker, Value};
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
    let met = the_block(&served)["met"].as_u64().expect("a number");
    assert_eq!(met, u64::from(sweep - others - 20) + 1);
    drop(acquirer);
    served.terminate();
    let refused = "SELECT count(*) FROM card_authorization WHERE reason = 'attempts_blocked'";
    assert_eq!(count(&database, refused).await, i64::try_from(met).expect("few"));
    let alarms = "SELECT count(*) FROM attack_event WHERE what IN ('alarm', 'blocked')";
    assert_eq!(count(&database, alarms).await, 1);
    let log = std::fs::read_to_string(place.join("log")).expect("a log");
    assert_eq!(log.matches("somebody tries cards").count(), 1, "{log}");

    after_a_restart(place, url, &pan).await;
    assert_eq!(count(&database, alarms).await, 1);
    database.close().await;
}

/// The block goes on, until somebody takes it back.
async fn after_a_restart(place: &Path, url: &str, pan: &str) {
    let again = |name: &str| {
        let log = File::create(place.join(name)).expect("a file");
        Served::start_logging(place, url, &[], log)
    };
    let served = again("first");
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

const TERMS: &str = "\
    cvk2 = ['cvk2']\nanswers_alike = true\n[needed]\npin = []\nstripe = []\n\
    code = ['*/manual']\ncryptogram = []\n";

/// A purchase without the card, with a number, a month and a printed code.
fn guess(speaker: &Speaker, (pan, month, code): (&str, &str, &str), stan: u32) -> Draft {
    let text = |value: &str| Value::Text(value.to_owned());
    let mut draft = speaker.purchase(pan, stan, 50_00);
    draft.retain(|(field, _)| ![14, 22].contains(field));
    draft.extend([(14, text(month)), (22, text("012")), (126, text(code))]);
    draft.sort_by_key(|(field, _)| *field);
    draft
}

/// Three thousand three hundred and thirty-three of each.
const TRIES: u32 = 9_999;

/// T-14: ten thousand tries with a number of no card, another month or another code. Answers are
/// alike to the last field, and take as long.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_answered_alike_and_take_as_long() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    ceremony(place);
    let test_keys = TestKeys::from_seed(7);
    let import = ["import", "cvk2", "--usage", "C0"];
    let (imported, said) = keys(place, &import, &test_keys.card_codes.digits());
    assert!(imported, "{said}");
    let configuration = [
        ("CARDSWITCH_SECURITY__KEY_FILE", "keys/switch.keys"),
        ("CARDSWITCH_SECURITY__MAC_KEY_FILE", "keys/mac.key"),
        ("CARDSWITCH_SECURITY__LMK_COMPONENTS", r#"["keys/first.lmk", "keys/second.lmk"]"#),
        ("CARDSWITCH_ATTACKS__MODE", "off"),
    ];
    let served = Served::start_with(place, url, &configuration);
    let pan = served.set_up();
    let programme = count(&database, "SELECT id FROM programme").await.to_string();
    std::fs::write(place.join("terms.toml"), TERMS).expect("a file");
    let file = place.join("terms.toml");
    let file = file.to_str().expect("a path");
    served.command(&["security", "terms", "--programme", &programme, file]).expect("terms");
    let facts = CardFacts {
        pan: TestPan::new(pan.clone()),
        expiry: "4912".into(),
        service_code: "201".into(),
        sequence: 0,
        pin: "1234".into(),
        kind: CardKind::ALL[0],
    };
    let card = SimulatedCard::personalised(&test_keys, facts).expect("a card");
    let (right, wrong) = (card.code(None), card.code(Some(Flaw::Code)));
    let framing = Framing::new(LengthHeader::Binary2);
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    let mut guesser = Speaker::connect(served.link, dialect, framing).await;
    let good = guess(&guesser, (&pan, "4912", &right), 990_000);
    assert_eq!(guesser.ask("100", &good).await.action, "00", "the card itself is good");
    let strangers = |stan| unissued(BIN, stan);
    // Each kind has each place among those that are sent at once.
    let kind = |stan: u32| ((stan + stan / 3) % 3) as usize;
    let mut took: [Vec<f64>; 3] = Default::default();
    let all: Vec<u32> = (1..=TRIES).collect();
    let mut first: Option<Vec<u8>> = None;
    for some in all.chunks(30) {
        let mut bytes = Vec::new();
        for stan in some {
            let stranger = strangers(*stan);
            let tried = match kind(*stan) {
                0 => (&*stranger, "4912", &*wrong),
                1 => (&*pan, "4911", &*right),
                _ => (&*pan, "4912", &*wrong),
            };
            let draft = guess(&guesser, tried, *stan);
            bytes.extend(guesser.framed(&guesser.bytes(guesser.mti("100"), &draft)));
        }
        let began = Instant::now();
        guesser.send_raw(&bytes).await;
        for _ in some {
            let said = guesser.answer().await;
            let after = began.elapsed().as_secs_f64();
            let text = |field| guesser.text(&said, field);
            let stan: u32 = text(11).and_then(|stan| stan.parse().ok()).expect("a STAN");
            assert_eq!(said.action, "05", "{stan}");
            let fields: Vec<u8> = (2..=128).filter(|field| text(*field).is_some()).collect();
            assert_eq!(first.get_or_insert(fields.clone()), &fields, "{stan}");
            took[kind(stan)].push(after);
        }
    }
    let medians = took.map(|mut all| {
        assert_eq!(all.len(), 3_333);
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    });
    let (least, most) = (medians.iter().copied().fold(f64::MAX, f64::min), medians);
    let most = most.into_iter().fold(0.0, f64::max);
    assert!(most < least * 1.25, "medians of {least} and {most} seconds");
    drop(guesser);
    served.terminate();
    let reasons =
        "SELECT count(DISTINCT reason) FROM card_authorization WHERE answered IS NOT NULL";
    assert_eq!(count(&database, reasons).await, 4, "what it was is known inside");
    database.close().await;
}
