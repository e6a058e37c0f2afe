//! Card security by the real binary and its commands: terms of a programme from a file, references
//! of a card, a restart, an audit; and that the digits of a PIN reference come out nowhere.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;
use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, cardswitch, peer, purchase};

/// What only the PIN of a card at a till has to be there for.
const TERMS: &str = "\
    cvk = 'gold-cvk'\ncvk2 = ['gold-cvk2-a', 'gold-cvk2-b']\npin = { method = 'pvv' }\n\
    pin_limit = 5\n[needed]\npin = ['pos/*']\nstripe = []\ncode = []\ncryptogram = []\n";

/// Gives a card a PIN reference, whose digits come by standard input.
pub(crate) fn set_pin_reference(served: &Served, card: &str, digits: &str) -> (bool, String) {
    let mut command = cardswitch(std::path::Path::new("."));
    command.args(["security", "set-pin-reference", card, "--key-index", "1"]);
    command.env("CARDSWITCH_CONTROL__SOCKET", &served.socket);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(digits.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_and_references_are_set_by_commands_and_are_there_after_a_restart() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let served = Served::start(place, url, &[]);
    let pan = served.set_up();
    let number = async |sql: &'static str| -> String {
        use sqlx::ConnectOptions;
        let mut session = database.url().connect_options().connect().await.expect("a session");
        let found = sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut session).await;
        found.expect("a number").to_string()
    };
    let (programme, card) =
        (number("SELECT id FROM programme").await, number("SELECT id FROM card").await);
    let file = place.join("terms.toml");
    std::fs::write(&file, TERMS).expect("a file");
    let file = file.to_str().expect("a path");
    let terms = ["security", "terms", "--programme", &programme];

    let mut acquirer = peer(served.link, 1).await;
    let mut ask = async |stan| {
        let answer = acquirer.exchange(0, &purchase(&pan, stan, 100)).await.expect("an answer");
        answer.text(39).expect("a code").to_owned()
    };
    assert_eq!(ask(1).await, "00", "nothing is verified");
    served.command(&[&terms[..], &[file]].concat()).expect("terms");
    assert_eq!(ask(2).await, "55", "no PIN came");
    drop(acquirer);
    let data = ["security", "card-data", &card, "--service-code", "201", "--sequence", "1"];
    served.command(&data).expect("data");
    served.command(&["security", "reset-code", &card]).expect("a reset");
    let (set, said) = set_pin_reference(&served, &card, "8642\n");
    assert!(set && !said.contains("8642"), "{said}");
    let (set, said) = set_pin_reference(&served, &card, "86x2\n");
    assert!(!set && said.contains("PIN reference") && !said.contains("86x2"), "{said}");
    let shown = served.command(&["security", "card", &card]).expect("a card");
    assert_eq!((&shown["has_pin"], &shown["pin_tries"]), (&json!(true), &json!(0)));
    assert_eq!((&shown["service_code"], &shown["script"]), (&json!(201), &json!(null)));
    assert!(!shown.to_string().contains("8642"), "{shown}");
    std::fs::write(file, "cvv = '123'\n").expect("a file");
    let refused = served.command(&[&terms[..], &[file]].concat()).expect_err("no such member");
    assert!(refused.contains("cvv"), "{refused}");
    served.terminate();

    let served = Served::start(place, url, &[]);
    let shown = served.command(&["security", "show", "--programme", &programme]).expect("terms");
    assert_eq!(shown["terms"]["pin_limit"], 5);
    assert_eq!(shown["terms"]["needed"]["pin"], json!(["pos/*"]));
    assert_eq!(shown["terms"]["cvk2"], json!(["gold-cvk2-a", "gold-cvk2-b"]));
    let mut acquirer = peer(served.link, 1).await;
    let mut ask = async |stan| {
        let answer = acquirer.exchange(0, &purchase(&pan, stan, 100)).await.expect("an answer");
        answer.text(39).expect("a code").to_owned()
    };
    assert_eq!(ask(3).await, "55");
    served.command(&[&terms[..], &["--none"]].concat()).expect("no terms");
    assert_eq!(ask(4).await, "00");
    drop(acquirer);
    served.terminate();
    let changes = "SELECT count(*) FROM audit_entry WHERE kind = 'card_references_changed'";
    assert_eq!(number(changes).await, "3");
    let mut audit = cardswitch(place);
    audit.args(["audit", "--json"]).env("DATABASE_URL", url);
    audit.env("CARDSWITCH_SECURITY__PAN_KEY_FILE", place.join("pan.key"));
    let audit = audit.output().expect("the binary runs");
    let said = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success(), "{said}");
    database.close().await;
}
