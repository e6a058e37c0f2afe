//! Amounts in other currencies, by the real binary over sockets: rates by the command line and from
//! a file, a hold with its margin that outlives a restart, reversals at the rate of their original,
//! clearing at the rate of its day, and what a network converted itself.

use std::path::Path;

use admin_api::ReconciliationSettings;
use serde_json::{Value, json};
use simulators::acquirer::Acquirer;
use simulators::iso::Message;
use sqlx::Row;
use switch_domain::{
    AsciiText, AskedDay, Currency, ExchangeRate, ForeignTerms, LinkId, ReconciliationAnswer,
    ReconciliationAsk, ReconciliationClaim, Timestamp,
};
use switch_store::private_postgres::{DatabaseUrl, fresh_database};

use crate::stage::{Served, Stage, cardswitch, key, peer, purchase, text};

const CONVERTS: [(&str, &str); 1] = [("CARDSWITCH_LINKS__TEST__NETWORK_CONVERTS", "true")];

async fn column(url: &str, sql: &'static str) -> Vec<String> {
    let parsed = DatabaseUrl::parse(url).expect("a URL");
    let pool = sqlx::PgPool::connect_with(parsed.connect_options()).await.expect("connected");
    let rows = sqlx::query(sql).fetch_all(&pool).await.expect("rows");
    pool.close().await;
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

/// A purchase in dollars.
fn in_dollars(pan: &str, stan: u32, cents: u64) -> Message {
    purchase(pan, stan, cents).with(49, "840").expect("a currency")
}

/// The reversal of one, so that this much of it is left.
fn leaving(pan: &str, stan: u32, of: u32, cents: u64) -> Message {
    leaving_of("0100", pan, (stan, of), cents)
}

fn leaving_of(class: &str, pan: &str, (stan, of): (u32, u32), cents: u64) -> Message {
    let names = format!("{class}{of:06}1123{of:06}{:011}{:011}", 123_456, 0);
    let plain = in_dollars(pan, stan, 10_000).retyped("0400");
    let plain = plain.and_then(|message| message.with(90, names)).expect("a reversal");
    plain.with(95, format!("{cents:012}{:030}", 0)).expect("an amount")
}

async fn said(acquirer: &mut Acquirer, message: &Message) -> String {
    let answer = acquirer.exchange(0, message).await.expect("an answer");
    assert_eq!((answer.bytes(4), answer.bytes(49)), (message.bytes(4), message.bytes(49)));
    answer.text(39).expect("an action code").to_owned()
}

fn set(served: &Served, rate: &str) -> Result<Value, String> {
    let pair = ["rates", "set", "--from", "USD", "--to", "EUR", "--source", "ECB"];
    served.command(&[&pair[..], &["--rate", rate]].concat())
}

fn account(served: &Served, balance: &str) -> [String; 2] {
    let shown = served.command(&["balance", "show", balance]).expect("a balance");
    ["ledger", "held"].map(|name| shown[name].as_str().expect("an amount").to_owned())
}

fn import(served: &Served, directory: &Path, lines: &[Value]) -> (bool, Value) {
    let file = directory.join("rates.jsonl");
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).expect("written");
    let mut command = cardswitch(Path::new("."));
    command.args(["rates", "import"]).arg(&file);
    let output = command.env("CARDSWITCH_CONTROL__SOCKET", &served.socket).output();
    let output = output.expect("the binary starts");
    let told = serde_json::from_slice(&output.stdout).expect("JSON");
    (output.status.success(), told)
}

/// Sets rates in every way that there is, and the programme's terms.
fn set_rates(served: &Served, directory: &Path, programme: &str) {
    let line = |from: &str, rate: &str| {
        json!({ "from": from, "to": "EUR", "rate": rate, "source": "ECB",
                "at": "2020-01-02T16:00Z" })
    };
    let good = [line("USD", "0.80"), line("JPY", "0.0061308"), line("KWD", "3.0123")];
    assert_eq!(import(served, directory, &good), (true, json!({ "in_force": 3, "refused": [] })));
    let (succeeded, told) =
        import(served, directory, &[line("USD", "0.80"), line("USD", "0.81"), line("XXX", "1")]);
    let refused = told["refused"].as_array().expect("a list");
    assert_eq!((succeeded, &told["in_force"], refused.len()), (false, &json!(1), 2));
    assert!(refused[0]["why"].as_str().expect("words").contains("as recent"), "{told}");
    let terms = ["rates", "terms", "--programme", programme, "--markup-bp", "200"];
    served.command(&[&terms[..], &["--margin-bp", "500"]].concat()).expect("terms");
}

fn assert_audited(directory: &Path, url: &str) {
    let audit = cardswitch(directory).args(["audit", "--json"]).env("DATABASE_URL", url).output();
    let audit = audit.expect("the audit runs");
    let said = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success() && said.contains("\"balanced\""), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_and_settled_of_dollars_is_right_to_the_cent_over_a_restart() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let url = database.url().expose().to_owned();
    let served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let balance = column(&url, "SELECT id::text FROM balance").await.remove(0);
    let programme = column(&url, "SELECT id::text FROM programme").await.remove(0);
    let mut acquirer = peer(served.link, 1).await;
    assert_eq!(said(&mut acquirer, &in_dollars(&pan, 1, 10_000)).await, "57", "not taken yet");
    set_rates(&served, directory.path(), &programme);
    assert_eq!(said(&mut acquirer, &in_dollars(&pan, 2, 10_000)).await, "57", "of years ago");
    set(&served, "0.9234").expect("a rate");
    assert_eq!(said(&mut acquirer, &in_dollars(&pan, 3, 10_000)).await, "00");
    assert_eq!(account(&served, &balance), ["500000.00", "98.90"]);
    served.terminate();

    let served = Served::start(directory.path(), &url, &[]);
    let listed = served.command(&["rates", "list"]).expect("rates");
    let names = listed["rates"].as_array().expect("a list").iter();
    let names: Vec<_> = names.map(|one| (one["from"].as_str(), one["rate"].as_str())).collect();
    let expected = [("JPY", "0.0061308"), ("KWD", "3.0123"), ("USD", "0.9234")];
    assert_eq!(names, expected.map(|(from, rate)| (Some(from), Some(rate))));
    assert_eq!(listed["programmes"][0]["margin_bp"], 500);
    set(&served, "0.50").expect("a rate");
    let mut acquirer = peer(served.link, 1).await;
    let again = in_dollars(&pan, 3, 10_000).retyped("0101").expect("a type");
    assert_eq!(said(&mut acquirer, &again).await, "00");
    assert_eq!(said(&mut acquirer, &leaving(&pan, 4, 3, 4_000)).await, "00");
    assert_eq!(account(&served, &balance), ["500000.00", "39.56"], "at the rate of the hold");
    let file = directory.path().join("day.jsonl");
    let of = json!({ "acquirer": "123456", "stan": 3, "terminal": "TERM0001",
                     "rrn": "000000000003" });
    let record = json!({ "record": 1, "pan": pan, "type": "purchase", "amount": "40.00",
                         "currency": "USD", "authorization": of });
    let header = json!({ "clearing": 1, "file": "NET-1" });
    std::fs::write(&file, format!("{header}\n{record}\n")).expect("written");
    let cleared = served.command(&["clearing", "import", file.to_str().expect("a path")]);
    assert_eq!(cleared.expect("a summary")["completed"], 1);
    assert_eq!(account(&served, &balance), ["499979.60", "0.00"], "at the rate of its day");
    served.command(&["rates", "remove", "--from", "USD", "--to", "EUR"]).expect("removed");
    assert_eq!(said(&mut acquirer, &in_dollars(&pan, 5, 100)).await, "57");
    served.terminate();
    let reasons = "SELECT reason FROM card_authorization WHERE transaction_amount IS NULL
        ORDER BY decided_at";
    let declined = ["currency_unacceptable", "rate_too_old", "rate_missing"];
    assert_eq!(column(&url, reasons).await, declined);
    let stored = "SELECT transaction_amount || ' ' || transaction_currency || ' ' || requested
        || ' ' || currency || ' ' || rate || ' ' || rate_source FROM card_authorization
        WHERE conversion IS NOT NULL ORDER BY decided_at";
    let expected = ["10000 840 9890 978 0.9234 ECB", "4000 840 2040 978 0.50 ECB"];
    assert_eq!(column(&url, stored).await, expected);
    assert_audited(directory.path(), &url);
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_network_converted_is_held_where_its_link_says_that_it_converts() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let url = database.url().expose().to_owned();
    let billed = |pan: &str, stan| {
        let plain = in_dollars(pan, stan, 10_000).with(6, "000000009100").expect("an amount");
        let with_rate = plain.with(10, "40009100").and_then(|message| message.with(51, "978"));
        let settled = with_rate.and_then(|message| message.with(5, "000000010000"));
        settled.and_then(|message| message.with(50, "840")).expect("a message")
    };
    let served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let balance = column(&url, "SELECT id::text FROM balance").await.remove(0);
    let programme = column(&url, "SELECT id::text FROM programme").await.remove(0);
    let terms = ["rates", "terms", "--programme", &programme, "--markup-bp", "200"];
    served.command(&[&terms[..], &["--margin-bp", "500"]].concat()).expect("terms");
    let mut acquirer = peer(served.link, 1).await;
    assert_eq!(said(&mut acquirer, &billed(&pan, 1)).await, "57", "nobody says that it may");
    served.terminate();

    let served = Served::start_with(directory.path(), &url, &CONVERTS);
    let mut acquirer = peer(served.link, 1).await;
    let answer = acquirer.exchange(0, &billed(&pan, 2)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"));
    for field in [4, 5, 6, 10, 49, 50, 51] {
        assert_eq!(answer.bytes(field), billed(&pan, 2).bytes(field), "field {field}");
    }
    assert_eq!(account(&served, &balance), ["500000.00", "95.55"]);
    let mut without = billed(&pan, 3);
    without.remove(51);
    let answer = acquirer.exchange(0, &without).await.expect("an answer");
    assert_eq!((answer.text(39), answer.text(44)), (Some("30"), Some("FIELD 51 ABSENT")));
    assert_eq!(said(&mut acquirer, &leaving(&pan, 4, 2, 5_000)).await, "00");
    assert_eq!(account(&served, &balance), ["500000.00", "47.78"]);
    served.terminate();
    let stored = "SELECT rate || ' ' || rate_source || ' ' || settlement_amount || ' '
        || settlement_currency FROM card_authorization WHERE conversion IS NOT NULL";
    assert_eq!(column(&url, stored).await, ["0.9100 network 10000 840"]);
    assert_audited(directory.path(), &url);
    database.close().await;
}

/// What was settled of this currency today, as a peer that asks is told.
async fn totals(stage: &Stage, letters: &str) -> ([u64; 4], [u64; 4]) {
    let settings = ReconciliationSettings {
        day_begins_s: std::collections::HashMap::new(),
        days_back: 10,
        a_day: 100,
        keep_days: 10,
    };
    let ask = ReconciliationAsk {
        link: LinkId(1),
        key: AsciiText::new(letters.as_bytes()).expect("short"),
        day: AskedDay::Current,
        currency: Currency::from_alphabetic(letters),
        claim: ReconciliationClaim::default(),
    };
    match stage.services().reconcile(&settings, &ask).await.expect("an answer") {
        ReconciliationAnswer::Totals { ours, .. } => (ours.numbers, ours.amounts),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_are_in_the_currency_that_the_peer_counts_in() {
    let stage = Stage::start().await;
    let pan = stage.issue(10_000_000, 5_000_000).await.pan;
    let services = stage.services();
    let programme = *services.node().control().programmes.keys().next().expect("a programme");
    let terms = Some(ForeignTerms::default());
    let set = services.set_foreign_terms(key("terms"), text("test"), programme, terms);
    set.await.expect("terms");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = i64::try_from(now.expect("after 1970").as_secs()).expect("small");
    let rate = ExchangeRate {
        from: Currency::from_alphabetic("USD").expect("listed"),
        to: Currency::from_alphabetic("EUR").expect("listed"),
        rate: "0.9234".parse().expect("a rate"),
        source: AsciiText::new(b"ECB").expect("short"),
        at: Timestamp::from_unix_seconds(seconds),
    };
    services.set_rate(key("rate"), text("test"), rate).await.expect("a rate");
    let mut acquirer = stage.peer(1).await;
    let paid = |message: Message| message.retyped("0200").expect("a type");
    for message in [
        paid(in_dollars(&pan, 1, 10_000)),
        paid(in_dollars(&pan, 2, 5_001)),
        paid(purchase(&pan, 3, 2_000)),
        leaving_of("0200", &pan, (4, 1), 4_001),
        leaving_of("0200", &pan, (5, 1), 1_000),
        leaving_of("0200", &pan, (6, 1), 9_000),
    ] {
        assert_eq!(said(&mut acquirer, &message).await, "00");
    }
    // Credits, their reversals, debits, their reversals.
    assert_eq!(totals(&stage, "USD").await, ([0, 0, 2, 2], [0, 0, 15_001, 9_000]));
    assert_eq!(totals(&stage, "EUR").await, ([0, 0, 1, 0], [0, 0, 2_000, 0]));
    stage.end().await;
}
