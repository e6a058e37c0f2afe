//! `cardswitch ledger` beside a switch that serves: what was paid in stands in the statement of the
//! account, debits are credits, and what cannot be is said in words.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, cardswitch};

fn ledger(directory: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = cardswitch(directory);
    command.arg("ledger").args(arguments).env("DATABASE_URL", url);
    command.output().expect("the command runs")
}

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
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
    assert_eq!(statement["opening"], "0.00");
    assert_eq!(statement["closing"], of_customer["amount"]);
    assert_eq!(statement["ledger"], statement["closing"]);
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
