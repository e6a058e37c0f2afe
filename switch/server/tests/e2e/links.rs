//! `cardswitch link` against a running switch: links are looked at, paused, resumed and drained.

use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, peer, purchase};

#[tokio::test(flavor = "multi_thread")]
async fn links_are_paused_resumed_and_drained_by_command() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), database.url().expose(), &[]);
    let pan = served.set_up();
    let mut acquirer = peer(served.link, 1).await;
    let mut stan = 0;
    let mut buy = async |expected: &str| {
        stan += 1;
        let answer = acquirer.exchange(0, &purchase(&pan, stan, 1_000)).await.expect("an answer");
        assert_eq!(answer.text(39), Some(expected), "purchase {stan}");
    };
    let link = |command: &str| served.command(&["link", command, "test"]).expect(command);
    buy("00").await;
    let shown = link("show");
    assert_eq!((&shown["state"], &shown["id"]), (&"connected".into(), &1.into()));
    assert_eq!(shown["listens_on"], served.link.to_string());
    assert!(shown["since"].as_str().expect("a time").ends_with('Z'));
    let connections = shown["connections"].as_array().expect("connections");
    assert_eq!((connections.len(), &connections[0]["frames_in"]), (1, &1.into()));
    assert!(connections[0]["peer"].as_str().expect("an address").starts_with("127.0.0.1:"));

    assert_eq!(link("pause")["state"], "paused");
    buy("91").await;
    assert_eq!(link("resume")["state"], "connected");
    buy("00").await;
    let all = served.command(&["link", "list"]).expect("a list");
    assert_eq!(all.as_array().expect("links").len(), 1);
    assert_eq!(all[0]["frames_out"], 3);
    let error = served.command(&["link", "cut-over", "test", "--settlement-date", "soon"]);
    let error = error.expect_err("no date");
    assert!(error.contains("cannot be written: field 15") && error.contains("INVALID"), "{error}");
    let reloaded = served.command(&["link", "reload"]).expect("nothing to reload");
    assert_eq!(reloaded["reloaded"], serde_json::json!([]));
    let error = served.command(&["link", "show", "other"]).expect_err("unknown");
    assert!(error.contains("there is no link \"other\"; there are: test"), "{error}");

    link("drain");
    // What the link reads before it hears of that is answered; then nothing more is.
    let mut stan = 9;
    while acquirer.exchange(0, &purchase(&pan, stan, 1_000)).await.is_ok() {
        stan += 1;
    }
    drop(acquirer);
    while link("show")["state"] != "drained" {}
    let error = served.command(&["link", "echo", "test"]).expect_err("nobody is there");
    assert!(error.contains("not connected") && error.contains("NOT_CONNECTED"), "{error}");
    served.terminate();
    database.close().await;
}
