//! The archive by the real binary: beside its own switch, audited from the last snapshot and from
//! the first row, and served from again; what it refuses.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use switch_store::private_postgres::{TestDatabase, fresh_database};
use switch_store::{Store, StoreOptions, fresh_owner};

use crate::stage::{Served, cardswitch, peer, purchase};

/// A database whose journal has parts of twenty rows.
async fn small_parts(database: &TestDatabase) {
    let connect = database.url().connect_options();
    let options = StoreOptions { connect, owner: fresh_owner(), max_connections: 2 };
    let store = Store::connect(options).await.expect("a connection");
    store.migrate().await.expect("migrations");
    sqlx::raw_sql(
        "INSERT INTO shard_group (group_id, shards) VALUES (0, 3);
        SELECT make_journal_part(shard, piece * 20 - 1, 20)
        FROM generate_series(0, 2) AS shard, generate_series(1, 20) AS piece",
    )
    .execute(store.pool())
    .await
    .expect("parts");
    store.pool().close().await;
}

fn run(directory: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = cardswitch(directory);
    command.args(arguments).env("DATABASE_URL", url).output().expect("the binary runs")
}

fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}\n{errors}"))
}

async fn buy(served: &Served, pan: &str, stans: std::ops::Range<u32>) {
    let mut acquirer = peer(served.link, 1).await;
    for stan in stans {
        let answer = acquirer.exchange(0, &purchase(pan, stan, 100)).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"), "purchase {stan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_archived_beside_its_switch_and_audited_from_there() {
    let database = fresh_database().await;
    small_parts(&database).await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let served = Served::start(place, url, &[]);
    let pan = served.set_up();
    buy(&served, &pan, 1..61).await;
    served.terminate();

    let served = Served::start(place, url, &[]);
    let archived = json(&run(place, url, &["journal", "archive", "--json"]));
    let parts = archived["parts"].as_array().expect("parts");
    assert!(parts.len() >= 2, "sixty rows in parts of twenty: {archived}");
    assert!(place.join("data/archive").is_dir(), "where the configuration says");
    buy(&served, &pan, 61..70).await;
    served.terminate();

    let audit = run(place, url, &["audit", "--json"]);
    let said = json(&audit);
    assert!(audit.status.success() && said["snapshots"] == 1, "{said}");
    let short = said["journal_rows"].as_u64().expect("rows");
    let audit = run(place, url, &["audit", "--json", "--archive", "data/archive"]);
    let said = json(&audit);
    assert!(audit.status.success(), "{said}");
    let whole = said["journal_rows"].as_u64().expect("rows");
    assert_eq!(whole - short, said["archived_rows"].as_u64().expect("rows"), "{said}");
    assert_eq!(said["open_authorizations"], 69);

    let served = Served::start(place, url, &[]);
    buy(&served, &pan, 70..75).await;
    served.terminate();
    std::fs::rename(place.join("data/archive"), place.join("elsewhere")).expect("moved");
    let audit = run(place, url, &["audit", "--json"]);
    assert_eq!(audit.status.code(), Some(1), "an archive that is gone is a finding");
    assert!(json(&audit)["findings"][0].as_str().is_some_and(|said| said.contains("archive")));
    database.close().await;
}
