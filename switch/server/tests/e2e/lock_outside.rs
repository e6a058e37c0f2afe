//! Locks from outside (SR-209..211): a network locks a card by a file action, and an operator at
//! its request. What it has authority for is in force for the next authorization and stays over a
//! restart; what it has not is refused, and both stand in the audit trail.

use std::collections::BTreeSet;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::{Dialect, Version};
use jiff::civil::{DateTime, date};
use simulators::network::{LockAsk, NetworkPeer, Settings};
use sqlx::ConnectOptions;
use switch_server::config::Link;
use switch_store::private_postgres::{DatabaseUrl, fresh_database};

use crate::http::get;
use crate::speaker::Speaker;
use crate::stage::{Served, Stage, cardswitch};

/// In the order of the editions: 1987, 1993, 2003.
type Codes = [&'static str; 3];

const APPROVED: Codes = ["00", "000", "0000"];
const DONE: Codes = ["00", "300", "3000"];
const NOT_FOUND: Codes = ["25", "302", "3002"];
const REFUSED: Codes = ["29", "306", "3006"];
const FRAUD: Codes = ["59", "102", "1002"];
const STOLEN: Codes = ["43", "209", "2009"];

const fn at() -> DateTime {
    date(2026, 11, 23).at(12, 0, 0, 0)
}

/// Every audit row of a lock: who, what, and the card's own words.
async fn audited(url: &str) -> Vec<(String, String, String)> {
    let options = DatabaseUrl::parse(url).expect("a URL").connect_options();
    let mut session = options.connect().await.expect("connected");
    sqlx::query_as(
        "SELECT actor, kind, detail FROM audit_entry
        WHERE kind IN ('card_lock_changed', 'lock_refused') ORDER BY at, shard, seq, idx",
    )
    .fetch_all(&mut session)
    .await
    .expect("rows")
}

fn settings(dialect: &str) -> Settings {
    let dialect = Dialect::shipped(dialect).expect("shipped");
    Settings::new(dialect.into(), Framing::new(LengthHeader::Binary2))
}

/// The link `test` may lock the cards of the set-up with 2 and 7, the link `other` none.
const AUTHORITY: [(&str, &str); 3] = [
    ("CARDSWITCH_LINKS__TEST__LOCK_BINS", "[\"99999912\"]"),
    ("CARDSWITCH_LINKS__TEST__LOCK_CODES", "[2, 7]"),
    ("CARDSWITCH_LINKS__TEST__DIALECT", "iso87-bcd"),
];

// covers: SR-148, SR-209, SR-211
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_the_network_holds_over_repeats_and_a_restart() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let url = database.url().expose().to_owned();
    let served = Served::start_with(directory.path(), &url, &AUTHORITY);
    let pan = served.set_up();
    let network = NetworkPeer::dial(served.link, settings("iso87-bcd")).expect("a network");
    network.ready().await.expect("connected");
    let bought = |said: simulators::network::Said| said.action();
    assert_eq!(bought(network.purchase(&pan, 100).await.expect("an answer")), "00");

    let speech = settings("iso87-bcd").speech;
    let lock = speech.file_action(&pan, LockAsk::Lock(7), 77, at()).expect("a message");
    let first = network.request("302", &lock).await.expect("an answer");
    assert_eq!((first.mti(), first.action().as_str()), ("0312", "00"));
    assert_eq!(bought(network.purchase(&pan, 100).await.expect("an answer")), "59");
    for kind in ["303", "302", "322", "323"] {
        let again = network.request(kind, &lock).await.expect("an answer");
        assert_eq!(again.action(), "00", "{kind}");
    }
    // Another action under the number of the first.
    let mut other = speech.file_action(&pan, LockAsk::Lock(2), 77, at()).expect("a message");
    assert_eq!(bought(network.request("302", &other).await.expect("an answer")), "94");
    assert_eq!(bought(network.lock(&pan, LockAsk::Lock(1)).await.expect("an answer")), "29");
    drop(network);
    served.terminate();

    let served = Served::start_with(directory.path(), &url, &AUTHORITY);
    let network = NetworkPeer::dial(served.link, settings("iso87-bcd")).expect("a network");
    network.ready().await.expect("connected");
    assert_eq!(bought(network.purchase(&pan, 100).await.expect("an answer")), "59");
    assert_eq!(bought(network.lock(&pan, LockAsk::Unlock(None)).await.expect("an answer")), "00");
    assert_eq!(bought(network.purchase(&pan, 100).await.expect("an answer")), "00");
    // The first lock once more, late: it was done, and is not done again.
    assert_eq!(bought(network.request("303", &lock).await.expect("an answer")), "00");
    assert_eq!(bought(network.purchase(&pan, 100).await.expect("an answer")), "00");
    other.retain(|(field, _)| *field != 11);
    other.push((11, simulators::network::Value::Text("000078".into())));
    assert_eq!(bought(network.request("302", &other).await.expect("an answer")), "00");
    assert_eq!(bought(network.purchase(&pan, 100).await.expect("an answer")), "43");
    for ask in [LockAsk::Unlock(None), LockAsk::Unlock(Some(2))] {
        assert_eq!(bought(network.lock(&pan, ask).await.expect("an answer")), "29");
    }
    assert_eq!(bought(network.purchase(&pan, 100).await.expect("an answer")), "43");
    drop(network);
    served.terminate();
    let rows = audited(&url).await;
    let rows: Vec<_> = rows.iter().map(|(a, k, d)| [a.as_str(), k, d]).collect();
    assert_eq!(
        rows,
        [
            ["link:test", "card_lock_changed", "lock 7"],
            ["link:test", "lock_refused", "not_allowed lock 1"],
            ["link:test", "card_lock_changed", "unlocked"],
            ["link:test", "card_lock_changed", "lock 2"],
            ["link:test", "lock_refused", "final unlock"],
            ["link:test", "lock_refused", "final unlock 2"],
        ]
    );
    let mut audit = cardswitch(directory.path());
    audit.args(["audit", "--json"]).env("DATABASE_URL", &url);
    let audit = audit.output().expect("the binary runs");
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_locks_a_card_at_the_request_of_a_source() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let url = database.url().expose().to_owned();
    let served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let network = NetworkPeer::dial(served.link, settings("iso87-ascii")).expect("a network");
    network.ready().await.expect("connected");
    let options = DatabaseUrl::parse(&url).expect("a URL").connect_options();
    let mut session = options.connect().await.expect("connected");
    let card: i64 =
        sqlx::query_scalar("SELECT id FROM card").fetch_one(&mut session).await.expect("a card");
    let card = card.to_string();
    let outside = |more: &[&str]| {
        let command = ["card", "lock-outside", &card, "--source", "visa"];
        served.command(&[&command[..], more].concat())
    };
    let buy = async || network.purchase(&pan, 100).await.expect("an answer").action();
    outside(&["--code", "7"]).expect("locked");
    assert_eq!(buy().await, "59");
    let error = outside(&["--unlock", "--code", "6"]).expect_err("another lock");
    assert!(error.contains("locked with another code") && error.contains("CONFLICT"), "{error}");
    outside(&["--unlock"]).expect("unlocked");
    assert_eq!(buy().await, "00");
    outside(&["--code", "1", "--key", "k"]).expect("locked");
    outside(&["--code", "1", "--key", "k"]).expect("locked before");
    assert_eq!(buy().await, "41");
    let error = outside(&["--unlock"]).expect_err("final");
    assert!(error.contains("cannot be taken back"), "{error}");
    for (more, expected) in [
        (&["card", "lock-outside", "77", "--source", "visa", "--code", "7"][..], "no such card"),
        (&["card", "lock-outside", &card, "--source", "", "--code", "7"], "names no source"),
        (&["card", "lock-outside", &card, "--source", "visa", "--code", "9"], "1 to 8 and 11"),
        (&["card", "lock-outside", &card, "--source", "visa"], "--code"),
        (&["card", "lock-outside", &card, "--code", "7"], "--source"),
    ] {
        let error = served.command(more).expect_err(expected);
        assert!(error.contains(expected), "{more:?}: {error}");
    }
    drop(network);
    served.terminate();
    let rows = audited(&url).await;
    assert!(rows.iter().all(|(actor, ..)| actor.starts_with("uid:")), "{rows:?}");
    assert!(rows.iter().all(|(actor, ..)| actor.ends_with(" for visa")), "{rows:?}");
    let details: Vec<_> = rows.iter().map(|(_, _, detail)| detail.as_str()).collect();
    let expected = ["lock 7", "locked_otherwise unlock 6", "unlocked", "lock 1", "final unlock"];
    assert_eq!(details, [&expected[..], &["no_such_card lock 7"]].concat());
    drop(session);
    database.close().await;
}

fn linked(id: u16, dialect: &str) -> Link {
    let mut link = Link { id, dialect: dialect.to_owned(), ..Link::default() };
    link.listen = Some(([127, 0, 0, 1], 0).into());
    link
}

fn wanted(speaker: &Speaker, [first, second, third]: Codes) -> &'static str {
    match speaker.version() {
        Version::V1987 => first,
        Version::V1993 => second,
        Version::V2003 => third,
    }
}

/// What one link asks for, and what it is told.
struct Told {
    speaker: Speaker,
    stan: u32,
    name: String,
}

/// Never issued: the numbers of issued cards are drawn from ten million.
const UNKNOWN: &str = "9999991200000018";

impl Told {
    async fn open(stage: &Stage, dialect: &str, kind: &str, stan: u32) -> Self {
        let name = format!("{dialect}-{kind}");
        let links = &stage.app.addresses().links;
        let (_, address) = links.iter().find(|(link, _)| *link == name).expect("it listens");
        let shipped = Dialect::shipped(dialect).expect("shipped");
        let framing = Framing::new(LengthHeader::Binary2);
        let speaker = Speaker::connect(*address, shipped, framing).await;
        Self { speaker, stan, name }
    }

    async fn lock(&mut self, pan: &str, ask: LockAsk, codes: Codes) {
        self.stan += 1;
        let speech = self.speaker.speech();
        let draft = speech.file_action(pan, ask, self.stan, at()).expect("a message");
        let kind = speech.file_action_kind();
        let said = self.speaker.ask(kind, &draft).await;
        assert_eq!(said.action, wanted(&self.speaker, codes), "{} {ask:?}", self.name);
        let repeat = if kind == "302" { "303" } else { "305" };
        let again = self.speaker.ask(repeat, &draft).await;
        assert_eq!(again.body, said.body, "{}: the stored answer", self.name);
    }

    async fn buy(&mut self, pan: &str, codes: Codes) {
        self.stan += 1;
        let draft = self.speaker.purchase(pan, self.stan, 100);
        let said = self.speaker.ask("100", &draft).await;
        assert_eq!(said.action, wanted(&self.speaker, codes), "{}", self.name);
    }
}

/// In every shipped dialect: a link with authority, one with another BIN, one without any.
#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_locks_within_its_authority_and_not_beyond() {
    let names: Vec<&str> = Dialect::shipped_names().collect();
    let links = names.clone();
    let stage = Stage::configured(|config| {
        config.links.clear();
        for (number, dialect) in (1..).step_by(3).zip(links) {
            let mut may = linked(number, dialect);
            may.lock_bins = vec!["9999991".into()];
            may.lock_codes = vec![2, 7];
            let mut elsewhere = linked(number + 1, dialect);
            elsewhere.lock_bins = vec!["99999900-99999911".into()];
            elsewhere.lock_codes = vec![2, 7];
            config.links.insert(format!("{dialect}-may"), may);
            config.links.insert(format!("{dialect}-elsewhere"), elsewhere);
            config.links.insert(format!("{dialect}-none"), linked(number + 2, dialect));
        }
    })
    .await;
    let issued = stage.issue(1_000_000, 500_000).await;
    let pan = issued.pan.clone();
    for (index, dialect) in names.iter().enumerate() {
        let stan = u32::try_from(index).expect("few") * 1_000;
        let mut may = Told::open(&stage, dialect, "may", stan).await;
        may.buy(&pan, APPROVED).await;
        may.lock(&pan, LockAsk::Lock(7), DONE).await;
        may.buy(&pan, FRAUD).await;
        for (kind, offset) in [("elsewhere", 300), ("none", 600)] {
            let mut other = Told::open(&stage, dialect, kind, stan + offset).await;
            other.lock(&pan, LockAsk::Lock(2), REFUSED).await;
            other.lock(&pan, LockAsk::Unlock(None), REFUSED).await;
            other.lock(UNKNOWN, LockAsk::Lock(7), REFUSED).await;
            other.buy(&pan, FRAUD).await;
        }
        may.lock(&pan, LockAsk::Lock(1), REFUSED).await;
        may.lock(UNKNOWN, LockAsk::Lock(7), NOT_FOUND).await;
        may.lock(&pan, LockAsk::Unlock(Some(7)), DONE).await;
        may.buy(&pan, APPROVED).await;
    }
    // What is final comes last.
    let mut may = Told::open(&stage, "iso2003-binary", "may", 500_000).await;
    may.lock(&pan, LockAsk::Lock(2), DONE).await;
    may.lock(&pan, LockAsk::Unlock(None), REFUSED).await;
    may.buy(&pan, STOLEN).await;
    metrics_tell(&stage).await;
    let Stage { app, database, .. } = stage;
    app.stop().await.expect("a clean stop");
    let rows = audited(database.url().expose()).await;
    for dialect in names {
        let of = |kind: &str| {
            let actor = format!("link:{dialect}-{kind}");
            let rows = rows.iter().filter(|(who, ..)| *who == actor);
            rows.map(|(_, _, detail)| detail.clone()).take(4).collect::<Vec<_>>()
        };
        let refused = ["not_allowed lock 2", "not_allowed unlock", "not_allowed lock 7"];
        assert_eq!(of("none"), refused, "{dialect}");
        assert_eq!(of("elsewhere"), refused, "{dialect}");
        let done = ["lock 7", "not_allowed lock 1", "no_such_card lock 7", "unlocked"];
        assert_eq!(of("may"), done, "{dialect}");
    }
    database.close().await;
}

async fn metrics_tell(stage: &Stage) {
    let http = stage.app.addresses().http;
    let fetched = tokio::task::spawn_blocking(move || get(http, "/metrics")).await;
    let metrics = fetched.expect("no panic");
    let refused: BTreeSet<&str> = metrics
        .lines()
        .filter(|line| line.starts_with("cardswitch_link_lock_refusals_total{"))
        .collect();
    for (link, cause) in [("none", "bin"), ("elsewhere", "bin"), ("may", "code")] {
        let of = |line: &&&str| {
            line.contains(&format!("iso87-ascii-{link}")) && line.contains(&format!("\"{cause}\""))
        };
        assert_eq!(refused.iter().filter(of).count(), 1, "{link} {cause}: {refused:?}");
    }
    for reason in ["file_action_done", "lock_not_allowed", "file_record_not_found", "lock_final"] {
        assert!(metrics.contains(&format!("reason=\"{reason}\"")), "{reason}");
    }
}
