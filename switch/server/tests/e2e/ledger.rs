//! `cardswitch ledger` beside a switch that serves: what was paid in stands in the statement of the
//! account, debits are credits, and what cannot be is said in words.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use simulators::iso::Message;
use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, cardswitch, peer, purchase};

fn ledger(directory: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = cardswitch(directory);
    command.arg("ledger").args(arguments).env("DATABASE_URL", url);
    command.output().expect("the command runs")
}

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// A restaurant adds its tip: as much as it is allowed, and a cent more.
#[tokio::test(flavor = "multi_thread")]
async fn what_settles_more_than_it_may_is_posted_and_told_apart() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let mut acquirer = peer(served.link, 1).await;
    let at_restaurant = |message: Message| message.with(18, "5812").expect("a category");
    for (authorized, settled, cents) in [(1, 11, 12_000), (2, 12, 12_001)] {
        let bill = at_restaurant(purchase(&pan, authorized, 10_000));
        let answer = acquirer.exchange(0, &bill).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"));
        let names = format!("0100{authorized:06}1123{authorized:06}{:011}{:011}", 123_456, 0);
        let with_tip = at_restaurant(purchase(&pan, settled, cents)).retyped("0220");
        let with_tip = with_tip.and_then(|tip| tip.with(90, names)).expect("an original");
        let answer = acquirer.exchange(0, &with_tip).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"), "what has happened is never declined");
    }
    served.terminate();

    let forced = told(&ledger(directory.path(), &url, &["forced", "--json"]));
    let forced = forced["forced"].as_array().expect("a list");
    let [one] = &forced[..] else { panic!("one of the two: {forced:?}") };
    assert_eq!(one["reason"], "exceeds_preauthorized_amount");
    assert_eq!((&one["stan"], &one["amount"]), (&json!(12), &json!("120.01")));
    let text = ledger(directory.path(), &url, &["forced"]);
    let text = String::from_utf8(text.stdout).expect("text");
    assert!(text.ends_with("1 forced\n"), "{text}");
    let trial = told(&ledger(directory.path(), &url, &["trial-balance", "--json"]));
    assert_eq!(trial["balanced"], true);
    database.close().await;
}

/// Cents of what is printed as major units.
fn cents(amount: &Value) -> i64 {
    amount.as_str().expect("an amount").replace('.', "").parse().expect("digits")
}

/// Everything that moves an account, and what stands before and after each.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_tells_what_is_held_before_and_after_each_event() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let mut acquirer = peer(served.link, 1).await;
    let names = |stan: u32| format!("0100{stan:06}1123{stan:06}{:011}{:011}", 123_456, 0);
    let of = |mti: &str, stan, cents, original| {
        let plain = purchase(&pan, stan, cents).retyped(mti);
        plain.and_then(|message| message.with(90, names(original))).expect("a message")
    };
    let leaves = |message: Message, cents: u64| {
        message.with(95, format!("{cents:012}{:030}", 0)).expect("an amount")
    };
    let story = [
        (purchase(&pan, 1, 10_000), "authorized", 0, 10_000),
        (of("0100", 2, 2_000, 1), "incremented", 0, 2_000),
        (leaves(of("0400", 3, 12_000, 1), 11_000), "reversed", 0, -1_000),
        (of("0220", 4, 10_500, 1), "completed", -10_500, -11_000),
        (purchase(&pan, 5, 700), "authorized", 0, 700),
        (of("0200", 6, 600, 5), "completed", -600, -700),
        (purchase(&pan, 7, 50).retyped("0200").expect("a type"), "settled", -50, 0),
        (of("0220", 8, 900, 99), "settled", -900, 0),
        (purchase(&pan, 9, 400), "authorized", 0, 400),
    ];
    let mut wanted = vec![("balance_credited".to_owned(), 50_000_000, 0)];
    for (message, kind, posted, held) in story {
        let answer = acquirer.exchange(0, &message).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"), "{kind} {posted} {held}");
        wanted.push((kind.to_owned(), posted, held));
    }
    // A part of it is reversed before it comes.
    for message in [leaves(of("0400", 10, 300, 11), 100), purchase(&pan, 11, 300)] {
        let answer = acquirer.exchange(0, &message).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"));
    }
    wanted.extend([("authorized".into(), 0, 300), ("reversed_early".into(), 0, -200)]);
    served.terminate();

    let trial = told(&ledger(directory.path(), &url, &["trial-balance", "--each", "--json"]));
    let accounts = trial["accounts"].as_array().expect("accounts");
    let of_customer = accounts.iter().find(|one| one["account"] == "balance").expect("one");
    let balance = of_customer["id"].as_i64().expect("its number").to_string();
    let asked = ["statement", &balance, "--reconcile", "--json"];
    let statement = told(&ledger(directory.path(), &url, &asked));
    let lines = statement["lines"].as_array().expect("lines");
    let (mut moved, mut stands) = (Vec::new(), statement["opening"].clone());
    for line in lines {
        assert_eq!(line["before"], stands);
        stands = line["after"].clone();
        let (posted, held) = (cents(&line["posted"]), cents(&line["held_more"]));
        assert_eq!(cents(&stands["ledger"]), cents(&line["before"]["ledger"]) + posted);
        assert_eq!(cents(&stands["held"]), cents(&line["before"]["held"]) + held);
        let available = cents(&stands["ledger"]) - cents(&stands["held"]);
        assert_eq!(cents(&stands["available"]), available);
        moved.push((line["event"].as_str().expect("a kind").to_owned(), posted, held));
    }
    assert_eq!(moved, wanted);
    assert_eq!((&stands, &statement["reconciled"]), (&statement["now"], &json!(true)));
    assert_eq!(cents(&stands["held"]), 500);
    let text = ledger(directory.path(), &url, &["statement", &balance, "--reconcile"]);
    let text = String::from_utf8(text.stdout).expect("text");
    assert!(text.contains("reversed_early") && text.contains("reconciled: "), "{text}");
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_answers_beside_a_switch_that_serves() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), &url, &[]);
    served.set_up();
    let status = served.command(&["status"]).expect("status");
    assert_eq!(status["cards"], 1);

    let trial = told(&ledger(directory.path(), &url, &["trial-balance", "--each", "--json"]));
    assert_eq!(trial["balanced"], true);
    let accounts = trial["accounts"].as_array().expect("accounts");
    let of_customer = accounts.iter().find(|one| one["account"] == "balance").expect("one");
    let balance = of_customer["id"].as_i64().expect("its number").to_string();
    let text = ledger(directory.path(), &url, &["trial-balance"]);
    let text = String::from_utf8(text.stdout).expect("text");
    assert!(text.contains("balanced: debits are credits in every currency"), "{text}");

    let statement = told(&ledger(directory.path(), &url, &["statement", &balance, "--json"]));
    assert_eq!(statement["opening"]["ledger"], "0.00");
    assert_eq!(statement["closing"]["ledger"], of_customer["amount"]);
    assert_eq!(statement["now"], statement["closing"]);
    let lines = statement["lines"].as_array().expect("lines");
    assert_eq!(lines.last().expect("a line")["after"], statement["closing"]);
    let text = ledger(directory.path(), &url, &["statement", &balance]);
    let text = String::from_utf8(text.stdout).expect("text");
    assert!(text.contains("balance_credited") && text.contains("available"), "{text}");

    let suspense = told(&ledger(directory.path(), &url, &["suspense", "--json"]));
    assert_eq!(suspense["suspense"].as_array().map(Vec::len), Some(0));

    for (arguments, wanted) in [
        (&["statement", "77"][..], "no such balance: 77"),
        (
            &["statement", &balance, "--from", "2026-02-02", "--to", "2026-02-01"],
            "give the earlier day first",
        ),
        (&["suspense", "--from", "yesterday"], "--from"),
    ] {
        let refused = ledger(directory.path(), &url, arguments);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && error.contains(wanted), "{error}");
    }
    served.terminate();
    database.close().await;
}
