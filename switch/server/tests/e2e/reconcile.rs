//! PostgreSQL goes back in time (W-24, F-35): under a running switch, and while nobody serves. What
//! was answered and is lost is told, and nothing is served until a person has said so.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use switch_store::private_postgres::{TestDatabase, fresh_database};

use crate::stage::{Served, cardswitch, peer, purchase};

async fn admin(database: &TestDatabase) -> PgConnection {
    let options = database.url().connect_options().database("postgres");
    options.connect().await.expect("a server")
}

async fn run_sql(admin: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await.expect("statement");
}

/// A backup of the database, which nobody is connected to.
async fn backup(database: &TestDatabase) {
    let mut admin = admin(database).await;
    let name = database.name();
    run_sql(&mut admin, format!("CREATE DATABASE {name}_backup TEMPLATE {name}")).await;
    admin.close().await.expect("closed");
}

/// Puts the backup in the place of the database, whoever is connected.
async fn restore(database: &TestDatabase) {
    let mut admin = admin(database).await;
    let name = database.name();
    run_sql(&mut admin, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    run_sql(&mut admin, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    run_sql(&mut admin, format!("ALTER DATABASE {name}_backup RENAME TO {name}")).await;
    admin.close().await.expect("closed");
}

fn run(directory: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = cardswitch(directory);
    command.args(arguments).env("DATABASE_URL", url).output().expect("the binary runs")
}

fn report(directory: &Path, url: &str, more: &[&str]) -> Value {
    let arguments = [&["journal", "reconcile", "--json"], more].concat();
    let output = run(directory, url, &arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"))
}

fn refuses_to_serve(directory: &Path, url: &str) {
    let mut command = cardswitch(directory);
    command
        .arg("serve")
        .env("DATABASE_URL", url)
        .env("CARDSWITCH_HTTP__LISTEN", "127.0.0.1:0")
        .env("CARDSWITCH_CONTROL__SOCKET", directory.join("control.sock"))
        .env("CARDSWITCH_SECURITY__PAN_KEY_FILE", directory.join("pan.key"));
    let output = command.output().expect("the binary runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("journal reconcile"), "{errors}");
}

async fn buy(served: &Served, pan: &str, stans: std::ops::Range<u32>) {
    let mut acquirer = peer(served.link, 1).await;
    for stan in stans {
        let answer = acquirer.exchange(0, &purchase(pan, stan, 100)).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"), "purchase {stan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_restored_under_a_running_switch_is_reconciled_first() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let served = Served::start(place, url, &[]);
    let pan = served.set_up();
    buy(&served, &pan, 1..4).await;
    served.terminate();
    backup(&database).await;

    let mut served = Served::start(place, url, &[]);
    buy(&served, &pan, 4..9).await;
    restore(&database).await;
    let mut acquirer = peer(served.link, 1).await;
    acquirer.send(0, &purchase(&pan, 9, 100)).expect("sent");
    assert!(acquirer.next_arrival().await.is_none_or(|one| {
        !matches!(one.incoming, simulators::acquirer::Incoming::Message(..))
    }));
    assert!(!served.child.wait().expect("it ended").success());
    refuses_to_serve(place, url);

    let told = report(place, url, &[]);
    let files = told["files"].as_array().expect("files");
    let lost: Vec<&Value> =
        files.iter().flat_map(|file| file["committed_and_lacking"].as_array()).flatten().collect();
    let stans: Vec<u64> = lost.iter().filter_map(|one| one["stan"].as_u64()).collect();
    assert_eq!(stans, [4, 5, 6, 7, 8], "{told}");
    assert!(lost.iter().all(|one| one["approved"] == true && one["minor_units"] == 100));
    let sent = files.iter().flat_map(|file| file["sent_and_never_answered"].as_array()).flatten();
    assert_eq!(sent.filter_map(|one| one["stan"].as_u64()).collect::<Vec<_>>(), [9], "{told}");
    assert!(!told.to_string().contains(&pan));
    refuses_to_serve(place, url);

    assert_eq!(report(place, url, &["--acknowledge", "ops"])["acknowledged"], true);
    let served = Served::start(place, url, &[]);
    buy(&served, &pan, 20..22).await;
    served.terminate();
    assert!(run(place, url, &["audit"]).status.success());
    assert_eq!(report(place, url, &[])["files"], serde_json::json!([]), "set aside");
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_restored_while_nobody_serves_is_noticed_at_the_start() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let served = Served::start(place, url, &[]);
    let pan = served.set_up();
    buy(&served, &pan, 1..4).await;
    served.terminate();
    backup(&database).await;
    let served = Served::start(place, url, &[]);
    buy(&served, &pan, 4..6).await;
    served.terminate();
    restore(&database).await;
    refuses_to_serve(place, url);
    let told = report(place, url, &[]);
    assert!(told["notes"][0].as_str().is_some_and(|note| note.contains("was in the journal")));
    refuses_to_serve(place, url);
    report(place, url, &["--acknowledge", "ops"]);
    let served = Served::start(place, url, &[]);
    buy(&served, &pan, 30..32).await;
    served.terminate();
    database.close().await;
}
