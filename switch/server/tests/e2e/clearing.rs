//! Clearing files, by the real binary: what records come to, that a file may come again in whole or
//! in part, that nothing bad in it stops the rest, and that kill -9 in the middle changes no total.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sqlx::Row;
use switch_store::private_postgres::{DatabaseUrl, fresh_database};

use crate::stage::{Served, cardswitch, peer, purchase};

/// Of no card of ours.
const UNKNOWN: &str = "9999990000000014";

/// What an import printed and left.
struct Imported {
    succeeded: bool,
    /// The last line on standard output.
    summary: Value,
    /// Everything that was printed or written, for what must not be in it.
    everything: String,
    rejects: Vec<Value>,
}

impl Imported {
    fn counts<const N: usize>(&self, names: [&str; N]) -> [u64; N] {
        names.map(|name| self.summary[name].as_u64().expect("a count"))
    }
}

fn import_command(served: &Served, file: &Path) -> Command {
    let mut command = cardswitch(Path::new("."));
    command.args(["clearing", "import", "--progress", "1"]).arg(file);
    command.env("CARDSWITCH_CONTROL__SOCKET", &served.socket);
    command
}

fn import(served: &Served, file: &Path) -> Imported {
    let output = import_command(served, file).output().expect("the binary starts");
    let listed = std::fs::read_to_string(rejects_of(file)).unwrap_or_default();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    let last = printed.lines().last().unwrap_or_else(|| panic!("it printed nothing: {error}"));
    let json = |line: &str| serde_json::from_str(line).expect("JSON");
    Imported {
        succeeded: output.status.success(),
        summary: json(last),
        rejects: listed.lines().map(json).collect(),
        everything: format!("{printed}{error}{listed}"),
    }
}

fn rejects_of(file: &Path) -> PathBuf {
    file.with_extension("jsonl.rejects")
}

fn write(path: &Path, id: &str, lines: &[String]) {
    let header = json!({ "clearing": 1, "file": id });
    std::fs::write(path, format!("{header}\n{}\n", lines.join("\n"))).expect("written");
}

/// A record that settles; `amount` in euros.
fn settled(number: u64, card: &Value, kind: &str, amount: &str, more: &Value) -> String {
    let mut record = json!({ "record": number, "type": kind, "amount": amount, "currency": "EUR" });
    for (name, value) in [card, more].into_iter().flat_map(|one| one.as_object().expect("one")) {
        record[name] = value.clone();
    }
    record.to_string()
}

/// The purchase of this trace number, as a record names it.
fn authorization(stan: u32) -> Value {
    json!({ "acquirer": "123456", "stan": stan, "terminal": "TERM0001",
            "rrn": format!("{stan:012}") })
}

async fn rows(url: &str, sql: &'static str) -> Vec<String> {
    let parsed = DatabaseUrl::parse(url).expect("a URL");
    let pool = sqlx::PgPool::connect_with(parsed.connect_options()).await.expect("connected");
    let rows = sqlx::query(sql).fetch_all(&pool).await.expect("rows");
    pool.close().await;
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

fn assert_audited(directory: &Path, url: &str) {
    let audit = cardswitch(directory).args(["audit", "--json"]).env("DATABASE_URL", url).output();
    let audit = audit.expect("the audit runs");
    let said = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success() && said.contains("\"balanced\""), "{said}");
}

fn account(served: &Served, balance: &str) -> [String; 2] {
    let shown = served.command(&["balance", "show", balance]).expect("a balance");
    ["ledger", "held"].map(|name| shown[name].as_str().expect("an amount").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_posts_what_it_says_and_again_changes_nothing() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let url = database.url().expose().to_owned();
    let served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let balance = rows(&url, "SELECT id::text FROM balance").await.remove(0);
    let card: i64 = rows(&url, "SELECT id::text FROM card").await[0].parse().expect("a number");
    let mut acquirer = peer(served.link, 1).await;
    for stan in [1, 2, 3] {
        let answer = acquirer.exchange(0, &purchase(&pan, stan, 10_000)).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"));
    }
    assert_eq!(account(&served, &balance), ["500000.00", "300.00"]);

    let (by_pan, by_id) = (json!({ "pan": pan }), json!({ "card": card }));
    let part = json!({ "authorization": authorization(1), "more_to_come": true });
    let last = json!({ "authorization": authorization(1) });
    let of_two = json!({ "authorization": authorization(2) });
    let none = json!({});
    let reversal = |number: u64, of: u64| {
        let posted = json!({ "record": of });
        json!({ "record": number, "type": "reversal", "pan": pan, "posted": posted }).to_string()
    };
    let lines = [
        settled(1, &by_pan, "purchase", "60", &part),
        settled(2, &by_id, "purchase", "50.00", &last),
        settled(3, &by_pan, "purchase", "10.00", &none),
        settled(4, &by_id, "refund", "5", &of_two),
        reversal(5, 3),
        settled(6, &json!({ "pan": UNKNOWN }), "purchase", "1", &none),
        format!("{{\"record\":7,\"pan\":\"{pan}\",\"amount\":{pan}}}"),
        format!("no JSON {pan}"),
        String::new(),
        settled(8, &by_id, "purchase", "7.5", &json!({ "mcc": 5411, "merchant": "M1" })),
        reversal(9, 99),
        settled(3, &by_pan, "purchase", "11.00", &none),
        settled(8, &by_pan, "purchase", "7.50", &json!({ "mcc": 5411, "merchant": "M1" })),
        settled(10, &json!({ "card": 77 }), "purchase", "1", &none),
        settled(11, &by_pan, "cash", &"9".repeat(6_000), &none),
        settled(12, &by_pan, "purchase", "1", &json!({ "currency": "XYZ" })),
    ];
    let file = directory.path().join("day.jsonl");
    write(&file, "NET-1", &lines);
    let first = import(&served, &file);
    assert!(!first.succeeded, "there is something to look at");
    let names = ["posted", "completed", "refunds", "reversed", "unmatched", "suspense"];
    assert_eq!(first.counts(names), [2, 2, 1, 1, 1, 1], "{}", first.summary);
    let rest = ["duplicates", "refused", "rejected", "records"];
    assert_eq!(first.counts(rest), [1, 1, 5, 15], "{}", first.summary);
    assert_eq!(first.summary["complete"], true);
    let listed: Vec<_> = first
        .rejects
        .iter()
        .map(|row| (row["line"].as_u64(), row["outcome"].as_str().unwrap_or_default()))
        .collect();
    let expected = [
        (7, "suspense"),
        (8, "rejected"),
        (9, "rejected"),
        (12, "unmatched"),
        (13, "refused"),
        (15, "rejected"),
        (16, "rejected"),
        (17, "rejected"),
    ];
    let mut listed: Vec<_> =
        listed.into_iter().map(|(line, what)| (line.expect("one"), what)).collect();
    listed.sort_unstable();
    assert_eq!(listed, expected);
    assert!(first.rejects.iter().all(|row| row["reason"] != "" && row["advice"] != ""));
    assert!(!first.everything.contains(&pan) && !first.everything.contains(UNKNOWN));
    // 60, 50 and 7.50 were taken and 5 given back; of the three holds two stand, whole.
    let after = ["499887.50".to_owned(), "200.00".to_owned()];
    assert_eq!(account(&served, &balance), after);

    // Again, and a part of it under the same identifier: nothing moves.
    let again = import(&served, &file);
    assert_eq!(again.counts(["duplicates", "refused", "rejected"]), [9, 1, 5], "{}", again.summary);
    write(&file, "NET-1", &lines[1..5]);
    let part = import(&served, &file);
    assert!(part.succeeded && part.rejects.is_empty());
    assert_eq!(part.counts(["duplicates", "records"]), [4, 4], "{}", part.summary);
    assert_eq!(account(&served, &balance), after);

    // What was rejected is taken once it is right, a late completion too.
    write(&file, "NET-1", &[settled(7, &by_pan, "purchase", "100", &of_two)]);
    assert_eq!(import(&served, &file).counts(["completed"]), [1]);
    assert_eq!(account(&served, &balance), ["499787.50", "100.00"]);
    served.terminate();
    assert_audited(directory.path(), &url);
    let links = "SELECT DISTINCT link::text FROM card_authorization ORDER BY 1";
    assert_eq!(rows(&url, links).await, ["0", "1"], "files have a link of their own");
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_clearing_file_is_refused_whole() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let limits = [("CARDSWITCH_CLEARING__MAX_FILE_BYTES", "2000")];
    let served = Served::start_with(directory.path(), database.url().expose(), &limits);
    let file = directory.path().join("bad.jsonl");
    let large = format!("{{\"clearing\":1,\"file\":\"F\"}}\n{}\n", " ".repeat(2_000));
    for (content, expected) in [
        ("", "line 1 is not"),
        ("{\"record\":1}\n", "line 1 is not"),
        ("{\"clearing\":2,\"file\":\"F\"}\n", "form 1"),
        ("{\"clearing\":1,\"file\":\"9999991200000018\"}\n", "not more than 11 digits"),
        (large.as_str(), "max_file_bytes"),
    ] {
        std::fs::write(&file, content).expect("written");
        let output = import_command(&served, &file).output().expect("the binary starts");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(expected), "{content}: {error}");
        assert!(output.stdout.is_empty() && !error.contains("9999991200000018"), "{error}");
    }
    served.terminate();
    database.close().await;
}

/// Records of every kind: purchases, refunds and reversals of records before them.
fn many(pan: &str, count: u64) -> Vec<String> {
    let card = json!({ "pan": pan });
    let record = |number: u64| match number % 5 {
        0 => {
            let posted = json!({ "record": number - 3 });
            json!({ "record": number, "type": "reversal", "pan": pan, "posted": posted })
                .to_string()
        }
        4 => settled(number, &card, "refund", "0.50", &json!({})),
        _ => settled(number, &card, "purchase", &format!("{number}.25"), &json!({})),
    };
    (1..=count).map(record).collect()
}

/// Imports a file and kills the switch when so many reports of progress have come.
fn import_and_kill(served: &mut Served, file: &Path, reports: usize) {
    let mut child = import_command(served, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    for _ in 0..reports {
        let line = lines.next().expect("a report").expect("text");
        assert!(line.contains("progress"), "{line}");
    }
    served.child.kill().expect("SIGKILL");
    served.child.wait().expect("it ended");
    let last = lines.map(|line| line.expect("text")).last().expect("a summary");
    let summary: Value = serde_json::from_str(&last).expect("JSON");
    assert_eq!(summary["complete"], false, "{last}");
    assert!(!child.wait().expect("it ends").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cut_short_by_kill_9_ends_as_one_that_was_not() {
    const RECORDS: u64 = 200;
    let few = [("CARDSWITCH_CLEARING__IN_FLIGHT", "7"), ("CARDSWITCH_SHARDS__DATA_SHARDS", "2")];
    let mut ends = Vec::new();
    for kills in [&[][..], &[1, 5, 12, 20][..]] {
        let database = fresh_database().await;
        let directory = tempfile::tempdir().expect("a directory");
        let url = database.url().expose().to_owned();
        let mut served = Served::start_with(directory.path(), &url, &few);
        let pan = served.set_up();
        let balance = rows(&url, "SELECT id::text FROM balance").await.remove(0);
        let file = directory.path().join("day.jsonl");
        write(&file, "NET-2", &many(&pan, RECORDS));
        for reports in kills {
            import_and_kill(&mut served, &file, *reports);
            served = Served::start_with(directory.path(), &url, &few);
        }
        let done = import(&served, &file);
        assert!(done.succeeded, "{}", done.everything);
        let all = ["posted", "refunds", "reversed", "duplicates"];
        assert_eq!(done.counts(all).iter().sum::<u64>(), RECORDS, "{}", done.summary);
        let account = account(&served, &balance);
        let again = import(&served, &file);
        assert_eq!(again.counts(["duplicates"]), [RECORDS]);
        served.terminate();
        assert_audited(directory.path(), &url);
        let sums = "SELECT concat_ws(' ', account, kind, currency, count(*), sum(amount)) \
                    FROM posting GROUP BY account, kind, currency ORDER BY 1";
        let totals = "SELECT concat_ws(' ', stan, class, authorized, reversed, cleared, refunded) \
                      FROM card_authorization ORDER BY 1";
        ends.push((account, rows(&url, sums).await, rows(&url, totals).await));
        database.close().await;
    }
    assert_eq!(ends[0], ends[1]);
}
