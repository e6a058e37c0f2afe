//! What of a card number is shown: at most its BIN and its last four digits, in everything that a
//! command prints and in the log, at its most talkative (PCI DSS 3.4.1).

use std::path::Path;

use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, cardswitch, peer, purchase};

/// Digits of a BIN. One digit more in a row, and it is more than may be shown.
const BIN: usize = 8;

/// Everything a text shows of the number beyond BIN and last four.
fn shown<'a>(text: &str, pan: &'a str) -> Option<&'a str> {
    let digits: Vec<&str> = (0..pan.len() - BIN).map(|at| &pan[at..=at + BIN]).collect();
    digits.into_iter().find(|part| text.contains(part))
}

fn command(directory: &Path, url: &str, arguments: &[&str]) -> String {
    let mut command = cardswitch(directory);
    command.args(arguments).env("DATABASE_URL", url);
    command.env("CARDSWITCH_CONTROL__SOCKET", directory.join("control.sock"));
    command.env("CARDSWITCH_SECURITY__PAN_KEY_FILE", directory.join("pan.key"));
    let output = command.output().expect("the binary runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_and_no_line_of_the_log_shows_more_of_a_number_than_may_be_shown() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    let log = at.join("serve.log");
    let file = std::fs::File::create(&log).expect("a file");
    // Not of the libraries beneath, which write down the SQL and the frames that they are given.
    let filter = "info,switch_server=trace,switch_network=trace,switch_shard=trace,\
                  switch_store=trace,admin_api=trace,switch_security=trace,audit=trace";
    let served = Served::start_logging(at, &url, &[("CARDSWITCH_LOG__FILTER", filter)], file);
    let pan = served.set_up();
    let mut acquirer = peer(served.link, 1).await;
    for (stan, cents) in [(1, 1_000), (2, 99_999_999)] {
        let answer = acquirer.exchange(0, &purchase(&pan, stan, cents)).await.expect("an answer");
        assert!(answer.text(39).is_some());
    }
    let (first, second) = (format!("{:012}", 1), format!("{:012}", 2));
    let mut all = String::new();
    for arguments in [
        &["status"][..],
        &["link", "list"],
        &["vault", "status"],
        &["vault", "rotate"],
        &["vault", "reencrypt"],
        &["vault", "status", "--json"],
    ] {
        all.push_str(&command(at, &url, arguments));
    }
    drop(acquirer);
    served.terminate();
    // What was decided stands in the tables now.
    for arguments in [
        &["explain", "--rrn", &first][..],
        &["explain", "--rrn", &second, "--json"],
        &["ledger", "trial-balance", "--each"],
        &["ledger", "trial-balance", "--json"],
    ] {
        all.push_str(&command(at, &url, arguments));
    }
    assert!(all.contains(&pan[12..]), "the last four digits are shown by somebody");
    assert_eq!(shown(&all, &pan), None, "{all}");
    let log = std::fs::read_to_string(&log).expect("a log");
    assert!(log.contains("reveal_test_pan"), "the log was kept");
    assert_eq!(shown(&log, &pan), None);
    database.close().await;
}
