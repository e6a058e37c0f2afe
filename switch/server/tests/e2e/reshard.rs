//! Another number of data shards by the real binary (W-12): killed in the middle of it again and
//! again, done by the next run, and served from with everything that was answered before.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use switch_store::private_postgres::{DatabaseUrl, fresh_database};

use crate::stage::{Served, cardswitch, peer, purchase};

fn command(directory: &Path, url: &str, arguments: &[&str]) -> std::process::Command {
    let mut command = cardswitch(directory);
    let key_file = directory.join("pan.key");
    command.args(arguments).env("DATABASE_URL", url).env("CARDSWITCH_SHARDS__DATA_SHARDS", "2");
    command.env("CARDSWITCH_SECURITY__PAN_KEY_FILE", key_file);
    command
}

fn run(directory: &Path, url: &str, arguments: &[&str]) -> Output {
    command(directory, url, arguments).output().expect("the binary runs")
}

fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}\n{errors}"))
}

fn expect_balanced(directory: &Path, url: &str, open: u32) {
    let audit = run(directory, url, &["audit", "--json"]);
    let said = json(&audit);
    assert!(audit.status.success() && said["books"] == "balanced", "{said}");
    assert_eq!(said["open_authorizations"], open, "{said}");
}

async fn connect(url: &str) -> PgConnection {
    let options = DatabaseUrl::parse(url).expect("a URL").connect_options();
    PgConnection::connect_with(&options).await.expect("a session")
}

async fn count(session: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(session).await.expect("a count")
}

const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
        AND application_name LIKE 'cardswitch/%'";
const CONNECTED: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'cardswitch/%'";

/// Kills a resharding where it waits for `table`, which stands at some step of its transaction, and
/// returns when PostgreSQL has taken back what it had done.
async fn kill_at(table: &str, directory: &Path, url: &str) {
    let (mut holder, mut onlooker) = (connect(url).await, connect(url).await);
    let lock = format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut holder).await.expect("locked");
    let mut command = command(directory, url, &["journal", "reshard", "--data-shards", "3"]);
    let mut child = command.stdout(Stdio::null()).spawn().expect("the binary starts");
    while count(&mut onlooker, WAITING).await == 0 {
        assert!(child.try_wait().expect("a child").is_none(), "{table}: it ended by itself");
        tokio::task::yield_now().await;
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("it ended");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.expect("let go");
    while count(&mut onlooker, CONNECTED).await > 0 {
        tokio::task::yield_now().await;
    }
    for session in [holder, onlooker] {
        session.close().await.expect("closed");
    }
}

async fn answer(served: &Served, pan: &str, stan: u32, kind: &str) -> (String, String) {
    let message = purchase(pan, stan, 100).retyped(kind).expect("a type");
    let answer = peer(served.link, 1).await.exchange(0, &message).await.expect("an answer");
    let text = |field| answer.text(field).unwrap_or_default().to_owned();
    (text(39), text(38))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resharding_killed_again_and_again_is_finished_and_loses_nothing() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let served = Served::start(place, url, &[]);
    let pan = served.set_up();
    let first = answer(&served, &pan, 1, "0100").await;
    assert_eq!(first.0, "00");
    assert_eq!(answer(&served, &pan, 2, "0100").await.0, "00");
    let refused = run(place, url, &["journal", "reshard", "--data-shards", "3"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("another switch owns"), "{said}");
    served.terminate();

    for table in ["shard_group", "pool_share", "balance", "card"] {
        kill_at(table, place, url).await;
        expect_balanced(place, url, 2);
    }
    let three = ["journal", "reshard", "--data-shards", "3", "--json"];
    let done = json(&run(place, url, &three));
    assert_eq!((&done["from"], &done["to"]), (&[1, 2].into(), &[3, 4, 5].into()), "{done}");
    assert_eq!((&done["done"], &done["open_authorizations"]), (&true.into(), &2.into()), "{done}");
    assert_eq!(json(&run(place, url, &three))["done"], false, "there is nothing to do");
    expect_balanced(place, url, 2);

    let refused = run(place, url, &["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    let named = "cardswitch journal reshard --data-shards 2";
    assert!(!refused.status.success() && said.contains(named), "{said}");
    let served = Served::start_with(place, url, &[("CARDSWITCH_SHARDS__DATA_SHARDS", "3")]);
    assert_eq!(answer(&served, &pan, 1, "0101").await, first, "a repeat of before");
    assert_eq!(answer(&served, &pan, 3, "0100").await.0, "00");
    served.terminate();
    expect_balanced(place, url, 3);
    database.close().await;
}
