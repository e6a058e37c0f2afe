//! The latest movements of an account over a real link, from a real database: what was settled and
//! not what is held, the latest first, no more than the dialect has room for, and the same after a
//! restart. While the tables cannot be asked the answer says so, in time, and authorizations go on.

use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, Stage, peer, purchase};

use simulators::iso::Message;

fn inquiry(pan: &str, stan: u32) -> Message {
    purchase(pan, stan, 0).with(3, "380000").expect("a legal field")
}

/// Sign, amount and currency of each entry; the day is today's or, at midnight, yesterday's.
fn told(answer: &Message) -> Vec<String> {
    let text = answer.text(125).unwrap_or_default();
    let entries = text.as_bytes().chunks(22).map(|entry| String::from_utf8_lossy(entry));
    entries
        .map(|entry| {
            let (day, moved) = entry.split_at(6);
            assert!(day.bytes().all(|digit| digit.is_ascii_digit()), "{entry}");
            moved.to_owned()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_movements_are_told_the_latest_first() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let mut acquirer = peer(served.link, 1).await;
    for stan in 1..=12 {
        let kind = if stan == 12 { "200000" } else { "000000" };
        let paid = purchase(&pan, stan, u64::from(stan) * 100).retyped("0200");
        let paid = paid.and_then(|paid| paid.with(3, kind)).expect("a message");
        let answer = acquirer.exchange(0, &paid).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"));
    }
    let held = acquirer.exchange(0, &purchase(&pan, 13, 7_777)).await.expect("an answer");
    assert_eq!(held.text(39), Some("00"));
    let settled: Vec<_> = (3..=11).rev().map(|stan| format!("D{:012}978", stan * 100)).collect();
    let wanted = [vec![format!("C{:012}978", 1_200)], settled].concat();
    // The tables follow: what is asked at once may not have the latest yet.
    let mut stan = 100;
    loop {
        let answer = acquirer.exchange(0, &inquiry(&pan, stan)).await.expect("an answer");
        assert_eq!((answer.mti(), answer.text(39)), ("0110", Some("00")));
        assert!(answer.text(38).is_some() && !answer.text(125).unwrap_or_default().contains(&pan));
        if told(&answer) == wanted {
            break;
        }
        stan += 1;
    }
    drop(acquirer);
    served.terminate();
    let served = Served::start(directory.path(), &url, &[]);
    let mut acquirer = peer(served.link, 1).await;
    let answer = acquirer.exchange(0, &inquiry(&pan, stan + 1)).await.expect("an answer");
    assert_eq!(told(&answer), wanted);
    served.terminate();
    database.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_tables_do_not_tell_in_time_is_answered_so() {
    use sqlx::{ConnectOptions, Connection};
    let stage = Stage::configured(|config| {
        let link = config.links.get_mut("test").expect("one");
        link.answer_deadline_ms = 300;
    })
    .await;
    let pan = stage.issue(100_000, 100_000).await.pan;
    let mut acquirer = stage.peer(1).await;
    let options = stage.database.url().connect_options();
    let mut onlooker = options.connect().await.expect("a session");
    let lock = "BEGIN; LOCK TABLE posting IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut onlooker).await.expect("locked");
    let answer = acquirer.exchange(0, &inquiry(&pan, 1)).await.expect("an answer");
    assert_eq!((answer.text(39), answer.text(125)), (Some("91"), None));
    let answer = acquirer.exchange(0, &purchase(&pan, 2, 100)).await.expect("an answer");
    assert_eq!(answer.text(39), Some("00"), "no shard waits for it");
    onlooker.close().await.expect("closed");
    // The inquiry itself was granted: sent again, it is told.
    while acquirer.exchange(0, &inquiry(&pan, 1)).await.expect("an answer").text(39) != Some("00") {
    }
    stage.end().await;
}
