//! Holds that lived their life, by the real binary: with a life of a second an approved amount is
//! given back by itself, stays so after a restart, and the books balance.

use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, cardswitch, peer, purchase};

/// What is held on the one account there is, and what of it is available.
fn amounts(served: &Served, balance: &str) -> (String, String) {
    let shown = served.command(&["balance", "show", balance]).expect("a balance");
    let text = |member: &str| shown[member].as_str().expect("an amount").to_owned();
    (text("held"), text("available"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_ends_by_itself_and_stays_ended_after_a_restart() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let short = [("CARDSWITCH_HOLDS__LIFE_S", "1"), ("CARDSWITCH_HOLDS__EVERY_S", "1")];
    let served = Served::start_with(place, url, &short);
    let pan = served.set_up();
    let balance: i64 = {
        use sqlx::ConnectOptions;
        let mut session = database.url().connect_options().connect().await.expect("a session");
        let found = sqlx::query_scalar("SELECT id FROM balance").fetch_one(&mut session);
        found.await.expect("a balance")
    };
    let balance = balance.to_string();
    let mut acquirer = peer(served.link, 1).await;
    let answer = acquirer.exchange(0, &purchase(&pan, 1, 12_500)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"));
    // Each question is a process of its own: so it takes as long as it takes.
    while amounts(&served, &balance).0 != "0.00" {}
    assert_eq!(amounts(&served, &balance).1, "500000.00");
    let answer = acquirer.exchange(0, &purchase(&pan, 2, 50_000_000)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"), "all of it is available again");
    drop(acquirer);
    served.terminate();

    let served = Served::start_with(place, url, &short);
    while amounts(&served, &balance).0 != "0.00" {}
    served.terminate();
    let mut audit = cardswitch(place);
    audit.args(["audit", "--json"]).env("DATABASE_URL", url);
    audit.env("CARDSWITCH_SECURITY__PAN_KEY_FILE", place.join("pan.key"));
    let audit = audit.output().expect("the binary runs");
    let said: serde_json::Value = serde_json::from_slice(&audit.stdout).expect("JSON");
    assert!(audit.status.success() && said["open_authorizations"] == 0, "{said}");
    database.close().await;
}
