//! Fees by the real binary: a schedule is put in force by a command, its fees stand in statement,
//! ledger and audit, and a kill -9 under load loses and doubles none.

use std::path::Path;

use serde_json::{Value, json};
use sqlx::Row;
use switch_store::private_postgres::{DatabaseUrl, fresh_database};

use crate::kill::load_and_kill;
use crate::stage::{Served, cardswitch, peer, purchase};

const FEES: &str = r#"
home = "ES"
region = ["FR", "PT"]

[[fee]]
event = "pos_domestic_authorized"
fixed = "0.03"

[[fee]]
event = "pos_domestic_cleared"
rate = 100
least = "0.05"

[[fee]]
event = "card_monthly"
fixed = "1.99"
taken = "invoiced"
"#;

/// A switch with a card whose programme has these fees: its number, and the programme.
fn set_up(directory: &Path, url: &str) -> (Served, String, String) {
    let served = Served::start(directory, url, &[]);
    let pan = served.set_up();
    let programmes = served.command(&["programme", "list"]).expect("a list");
    let programme = programmes[0]["programme"].to_string();
    let file = directory.join("fees.toml");
    std::fs::write(&file, FEES).expect("a file");
    let file = file.to_str().expect("a path");
    let set = ["programme", "fees", "set", &programme, "--file", file];
    served.make(&set, "done");
    (served, pan, programme)
}

fn asked(directory: &Path, url: &str, arguments: &[&str]) -> Value {
    let mut command = cardswitch(directory);
    let output = command.args(arguments).env("DATABASE_URL", url).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&said).expect("one JSON object")
}

fn cents(amount: &Value) -> i64 {
    amount.as_str().expect("an amount").replace('.', "").parse().expect("digits")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_set_by_a_command_and_its_fees_stand_in_the_statement() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let (served, pan, programme) = set_up(directory.path(), &url);
    let shown = served.command(&["programme", "fees", "show", &programme]).expect("a schedule");
    assert_eq!(shown["currency"], "EUR");
    assert_eq!(shown["schedule"]["region"], json!(["FR", "PT"]));
    assert_eq!(shown["schedule"]["fee"][1]["least"], "0.05");
    let file = directory.path().join("wrong.toml");
    std::fs::write(&file, FEES.replace("0.03", "0.031")).expect("a file");
    let file = file.to_str().expect("a path");
    let wrong = served.command(&["programme", "fees", "set", &programme, "--file", file]);
    assert!(wrong.expect_err("refused").contains("rule 0"), "the rule is named");

    let mut acquirer = peer(served.link, 1).await;
    let names = |stan: u32| format!("0100{stan:06}1123{stan:06}{:011}{:011}", 123_456, 0);
    let completion = purchase(&pan, 2, 10_000).retyped("0220");
    let completion = completion.and_then(|message| message.with(90, names(1)));
    let story = [
        (purchase(&pan, 1, 10_000), "authorized", 0, 10_003, 0),
        (completion.expect("a message"), "completed", -10_103, -10_003, -103),
        (purchase(&pan, 3, 200).retyped("0200").expect("a type"), "settled", -208, 0, -8),
    ];
    let mut wanted = vec![("balance_credited".to_owned(), 50_000_000, 0, 0)];
    for (message, kind, posted, held, fee) in story {
        let answer = acquirer.exchange(0, &message).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"), "{kind}");
        wanted.push((kind.to_owned(), posted, held, fee));
    }
    served.make(&["programme", "fees", "clear", &programme], "done");
    let answer = acquirer.exchange(0, &purchase(&pan, 4, 500)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"));
    wanted.push(("authorized".into(), 0, 500, 0));
    served.terminate();

    let trial = asked(directory.path(), &url, &["ledger", "trial-balance", "--each", "--json"]);
    let accounts = trial["accounts"].as_array().expect("accounts");
    let find = |name: &str| accounts.iter().find(|one| one["account"] == name).expect("one");
    assert!(trial["balanced"] == true && find("fee_income").is_object(), "{trial}");
    let balance = find("balance")["id"].as_i64().expect("its number").to_string();
    let statement = ["ledger", "statement", &balance, "--reconcile", "--json"];
    let statement = asked(directory.path(), &url, &statement);
    let lines = statement["lines"].as_array().expect("lines").iter();
    let told = |line: &Value| {
        let kind = line["event"].as_str().expect("a kind").to_owned();
        let amount = |name| cents(&line[name]);
        (kind, amount("posted"), amount("held_more"), amount("fees_within"))
    };
    assert_eq!(lines.map(told).collect::<Vec<_>>(), wanted);
    assert_eq!(statement["reconciled"], true);
    let audit = asked(directory.path(), &url, &["audit", "--json"]).to_string();
    assert!(audit.contains("\"balanced\""), "{audit}");
    database.close().await;
}

/// What is held for fees is what the approvals say, and the audit rebuilds all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_under_load_loses_and_doubles_no_fee() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let (mut served, pan, _) = set_up(directory.path(), &url);
    let mut next = 1;
    for round in 0..2 {
        let (saw, sent) = load_and_kill(&mut served, &pan, next, 200).await;
        assert!(saw.values().all(|(code, _)| code == "00"), "round {round}: {saw:?}");
        served = Served::start(directory.path(), &url, &[]);
        // Some are settled, and one of these is taken back.
        let mut acquirer = peer(served.link, 1).await;
        let names = |stan: u32| format!("0100{stan:06}1123{stan:06}{:011}{:011}", 123_456, 0);
        for stan in saw.keys().take(5) {
            let settled = purchase(&pan, 500_000 + stan, 100).retyped("0220");
            let settled = settled.and_then(|message| message.with(90, names(*stan)));
            let answer = acquirer.exchange(0, &settled.expect("a message")).await;
            assert_eq!(answer.expect("an answer").text(39), Some("00"));
        }
        next = sent;
    }
    served.terminate();
    let audit = asked(directory.path(), &url, &["audit", "--json"]).to_string();
    assert!(audit.contains("\"balanced\""), "{audit}");
    let parsed = DatabaseUrl::parse(&url).expect("a URL");
    let store = sqlx::PgPool::connect_with(parsed.connect_options()).await.expect("connected");
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM card_authorization WHERE NOT closed) AS open,
            (SELECT coalesce(sum(fees_held), 0)::int8 FROM card_authorization) AS held,
            (SELECT count(*) FROM fees_charged) AS lines,
            (SELECT sum(amount)::int8 FROM fees_charged) AS charged,
            (SELECT sum(amount)::int8 FROM posting WHERE account = 'fee_income') AS income",
    );
    let row = row.fetch_one(&store).await.expect("a row");
    let number = |column| row.get::<i64, _>(column);
    assert!(number("open") > 300, "purchases are held");
    assert_eq!(number("held"), 3 * number("open"), "each holds its fee, and what is settled none");
    assert_eq!((number("lines"), number("charged")), (20, 10 * 8), "two lines each, 3 and 5 cents");
    assert_eq!(number("income"), number("charged"));
    store.close().await;
    database.close().await;
}
