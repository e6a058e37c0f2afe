//! Transfers of the real binary (W-17): killed while the money is between two shards, it carries it
//! on when it starts again, once.

use std::path::Path;
use std::process::Output;

use sqlx::ConnectOptions;
use switch_store::private_postgres::{DatabaseUrl, fresh_database};

use crate::stage::{Served, cardswitch};

/// Rows of the second shard that say `IN-BETWEEN` wait for whoever holds this lock.
const HOLD: &str = "
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF position('IN-BETWEEN'::bytea IN NEW.records) > 0 THEN
            PERFORM pg_advisory_xact_lock(4711);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER hold BEFORE INSERT ON journal_2_0 FOR EACH ROW EXECUTE FUNCTION hold();";

/// Nothing of it was committed, and nothing will be.
const END_WHO_WAITS: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND wait_event = 'advisory' AND datname = current_database()";

/// A second account beside the one of the set-up, in the other shard.
fn other_account(served: &Served, first: i64) -> String {
    for number in 0.. {
        let key = format!("other {number}");
        let id = served.make(
            &["balance", "open", "--programme", PROGRAMME, "--customer", "1", "--key", &key],
            "balance",
        );
        if id.parse::<i64>().expect("a number") >> 40 != first >> 40 {
            return id;
        }
    }
    unreachable!("keys spread over both shards")
}

/// Made by the control shard after the partner and the pool.
const PROGRAMME: &str = "3";

fn ledger(served: &Served, balance: &str) -> String {
    let shown = served.command(&["balance", "show", balance]).expect("a balance");
    shown["ledger"].as_str().expect("an amount").to_owned()
}

fn send(served: &Served, from: &str, to: &str, amount: &str, reference: &str) -> String {
    let command = ["balance", "transfer", "--from", from, "--to", to, "--amount", amount];
    served.make(&[&command[..], &["--reference", reference]].concat(), "transfer")
}

fn state(served: &Served, transfer: &str) -> String {
    let shown = served.command(&["balance", "transfer-show", transfer]).expect("a transfer");
    shown["state"].as_str().expect("a state").to_owned()
}

/// Asks until it is there: each question is a process of its own.
fn until_credited(served: &Served, transfer: &str) {
    for _ in 0..500 {
        if state(served, transfer) == "CREDITED" {
            return;
        }
    }
    panic!("transfer {transfer} is {}", state(served, transfer));
}

/// A command over the database while nobody serves.
fn offline(directory: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = cardswitch(directory);
    command.args(arguments).env("DATABASE_URL", url);
    command.env("CARDSWITCH_SECURITY__PAN_KEY_FILE", directory.join("pan.key"));
    command.output().expect("the binary runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_debit_and_credit_it_carries_the_money_on() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let url = database.url().expose().to_owned();
    let mut served = Served::start(directory.path(), &url, &[]);
    served.set_up();
    let mut session = DatabaseUrl::parse(&url)
        .expect("a URL")
        .connect_options()
        .connect()
        .await
        .expect("a session");
    let first: i64 = sqlx::query_scalar("SELECT id FROM balance")
        .fetch_one(&mut session)
        .await
        .expect("a balance");
    let other = other_account(&served, first);
    let in_second = |id: &str| id.parse::<i64>().expect("a number") >> 40 == 2;
    // Money goes to the second shard, where it is held up.
    let (from, to) = if in_second(&other) {
        (first.to_string(), other)
    } else {
        let back = send(&served, &first.to_string(), &other, "1000", "there");
        until_credited(&served, &back);
        (other, first.to_string())
    };
    let before = (ledger(&served, &from), ledger(&served, &to));
    let error = served
        .command(&[
            "balance",
            "transfer",
            "--from",
            &from,
            "--to",
            "99",
            "--amount",
            "1",
            "--reference",
            "x",
        ])
        .expect_err("refused");
    assert!(error.contains("no such balance to transfer to"), "{error}");

    sqlx::raw_sql(HOLD).execute(&mut session).await.expect("a trigger");
    sqlx::query("SELECT pg_advisory_lock(4711)").execute(&mut session).await.expect("held");
    let transfer = send(&served, &from, &to, "12.50", "IN-BETWEEN");
    assert_eq!(state(&served, &transfer), "IN_TRANSIT");
    served.child.kill().expect("SIGKILL");
    served.child.wait().expect("it ended");
    sqlx::query(END_WHO_WAITS).execute(&mut session).await.expect("ended");
    sqlx::query("SELECT pg_advisory_unlock(4711)").execute(&mut session).await.expect("let go");

    // Both ends of it must be there when it arrives.
    let refused = offline(directory.path(), &url, &["journal", "reshard", "--data-shards", "3"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("transfers are still on their way"),
        "{said}"
    );

    let served = Served::start(directory.path(), &url, &[]);
    until_credited(&served, &transfer);
    let cents = |text: &str| text.replace('.', "").parse::<i64>().expect("an amount");
    assert_eq!(cents(&ledger(&served, &from)), cents(&before.0) - 1_250);
    assert_eq!(cents(&ledger(&served, &to)), cents(&before.1) + 1_250);
    served.terminate();
    let balanced = || {
        let audit = offline(directory.path(), &url, &["audit", "--json"]);
        let said = String::from_utf8_lossy(&audit.stdout);
        assert!(audit.status.success() && said.contains("\"balanced\""), "{said}");
    };
    balanced();
    let resharded = offline(directory.path(), &url, &["journal", "reshard", "--data-shards", "3"]);
    assert!(resharded.status.success(), "{}", String::from_utf8_lossy(&resharded.stderr));
    balanced();
    drop(session);
    database.close().await;
}
