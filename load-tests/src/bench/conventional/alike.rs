//! The conventional server against the switch itself: one story of messages, told to both, must get
//! the same answers. A baseline that answered otherwise would be doing other work.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use serde_json::json;
use sqlx::ConnectOptions;
use switch_store::private_postgres::{DatabaseUrl, fresh_database};
use tokio::net::TcpListener;

use super::serve::{ServeArguments, start_pool, take_connection};
use super::{Form, fill, pan};
use crate::bench::subject::cards::Population;
use crate::bench::subject::control::Control;
use crate::bench::subject::switch::{Starting, Switch};
use crate::bench::wire::answer::{Answer, read};
use crate::bench::wire::first_frame;
use crate::bench::wire::request::{Digits, LocalTime, Template, TestPan};

/// One card of each kind.
struct Cards {
    good: TestPan,
    /// With 1.50.
    short: TestPan,
    /// Under lock 3.
    locked: TestPan,
    removed: TestPan,
}

struct Peer(TcpStream);

impl Peer {
    fn ask(&mut self, template: &Template, digits: &Digits<'_>) -> Answer {
        let mut frame = Vec::new();
        template.append(digits, &mut frame);
        self.0.write_all(&frame).unwrap();
        let mut input = Vec::new();
        loop {
            let mut piece = [0; 1024];
            let count = self.0.read(&mut piece).unwrap();
            assert!(count > 0, "the server closed the connection");
            input.extend_from_slice(&piece[..count]);
            if let Some((body, _)) = first_frame(&input) {
                return read(body).expect("an answer");
            }
        }
    }
}

/// Tells the story; every line is what was asked, DE39, and whether there is an approval code.
fn story(address: SocketAddr, cards: &Cards) -> Vec<String> {
    let mut peer = Peer(TcpStream::connect(address).unwrap());
    let at = LocalTime { date: "1123".into(), time: "091500".into() };
    let (purchase, dearer) = (Template::purchase(&at, 100), Template::purchase(&at, 200));
    let reversal = Template::reversal(&at, 100);
    let mut told = Vec::new();
    let mut tell = |what: &str, template: &Template, pan: &TestPan, stan, original, repeat| {
        let rrn = u64::from(if original > 0 { original } else { stan });
        let answer = peer.ask(template, &Digits { pan, stan, rrn, original, repeat });
        assert_eq!((answer.stan, answer.rrn), (stan, rrn), "{what}");
        let code = String::from_utf8_lossy(&answer.code).into_owned();
        let approval = answer.approval != [0; 6];
        told.push(format!("{what}: {code}{}", if approval { ", approval code" } else { "" }));
        answer
    };
    let first = tell("purchase", &purchase, &cards.good, 1, 0, false);
    let again = tell("its repeat", &purchase, &cards.good, 1, 0, true);
    assert_eq!(again, first);
    let again = tell("the same without the repeat digit", &purchase, &cards.good, 1, 0, false);
    assert_eq!(again, first);
    tell("its key with another amount", &dearer, &cards.good, 1, 0, false);
    tell("purchase on a locked card", &purchase, &cards.locked, 2, 0, false);
    tell("its repeat", &purchase, &cards.locked, 2, 0, true);
    tell("purchase on a removed card", &purchase, &cards.removed, 3, 0, false);
    tell("purchase within the funds", &purchase, &cards.short, 4, 0, false);
    tell("purchase beyond them", &purchase, &cards.short, 5, 0, false);
    tell("its repeat", &purchase, &cards.short, 5, 0, true);
    tell("reversal", &reversal, &cards.short, 6, 4, false);
    tell("its repeat", &reversal, &cards.short, 6, 4, true);
    tell("purchase from what was released", &purchase, &cards.short, 7, 0, false);
    tell("nothing was released twice", &purchase, &cards.short, 8, 0, false);
    tell("reversal before its original", &reversal, &cards.good, 9, 10, false);
    tell("its original", &purchase, &cards.good, 10, 0, false);
    told
}

/// The numbers of four cards, in the order of [`Cards`].
fn cards(numbers: [String; 4]) -> Cards {
    let [good, short, locked, removed] = numbers.map(|number| TestPan::new(&number).unwrap());
    Cards { good, short, locked, removed }
}

async fn told_to_conventional(form: Form) -> Vec<String> {
    let database = fresh_database().await;
    let mut connection = database.url().connect_options().connect().await.unwrap();
    fill(&mut connection, Population { partners: 1, cards: 4 }).await.unwrap();
    let changes = "UPDATE balance SET ledger = 150 WHERE id = 1; \
        UPDATE card SET lock_code = 3 WHERE id = 2; \
        UPDATE card SET status = 'removed' WHERE id = 3";
    sqlx::raw_sql(changes).execute(&mut connection).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let arguments = ServeArguments { pool: 2, form };
    let queue = start_pool(database.url(), arguments).await.unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            take_connection(stream, queue.clone()).unwrap();
        }
    });
    let cards = cards([0, 1, 2, 3].map(|index| pan(index).to_string()));
    let told = tokio::task::spawn_blocking(move || story(address, &cards)).await.unwrap();
    serving.abort();
    // What is held at the end: the first purchase, and the last two on the short card's funds.
    let held =
        "SELECT (SELECT sum(held)::int8 FROM balance), (SELECT sum(held)::int8 FROM deposit)";
    let held: (i64, i64) = sqlx::query_as(held).fetch_one(&mut connection).await.unwrap();
    assert_eq!(held, (200, 200));
    drop(connection);
    database.close().await;
    told
}

/// The switch's own binary, which `make test` builds before it runs the tests.
fn binary() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    deps.parent().and_then(|deps| deps.parent()).unwrap().join("cardswitch")
}

fn told_to_switch(database: &DatabaseUrl) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let starting = Starting {
        binary: Some(&binary()),
        directory: directory.path(),
        database,
        settings: &[],
        take_over: false,
    };
    let switch = Switch::start(&starting).unwrap();
    let mut control = Control::connect(&switch.socket).unwrap();
    let made = |result: anyhow::Result<i64>| result.unwrap();
    let partner = made(control.make("1", "partner-create", "partner", json!({ "name": "P" })));
    let pool = json!({ "partner": partner, "kind": "deposit", "currency": "EUR" });
    let pool = made(control.make("2", "pool-open", "pool", pool));
    let reload = json!({ "pool": pool, "amount": "1000", "reference": "transfer" });
    control.call("3", "pool-reload", reload).unwrap();
    let programme = json!({
        "partner": partner, "name": "P", "bin_low": 99_999_000, "bin_high": 99_999_000,
        "pan_length": 16, "currency": "EUR", "pool": pool,
    });
    let programme = made(control.make("4", "programme-create", "programme", programme));
    let customer = json!({ "partner": partner, "reference": "alice" });
    let customer = made(control.make("5", "customer-create", "customer", customer));
    let mut issued = Vec::new();
    for (index, funds) in ["100", "1.50", "100", "100"].into_iter().enumerate() {
        let key = |what: &str| format!("{what} {index}");
        let opened = json!({ "programme": programme, "customer": customer });
        let balance = made(control.make(&key("open"), "balance-open", "balance", opened));
        let credit = json!({ "balance": balance, "amount": funds, "reference": "welcome" });
        control.call(&key("credit"), "balance-credit", credit).unwrap();
        let card =
            json!({ "balance": balance, "expiry": 4912, "active": true, "reveal_test_pan": true });
        issued.push(control.call(&key("card"), "card-issue", card).unwrap());
    }
    let locked = json!({ "card": issued[2]["card"], "code": 3 });
    control.call("lock", "card-lock", locked).unwrap();
    control.call("remove", "card-remove", json!({ "card": issued[3]["card"] })).unwrap();
    let numbers = [0, 1, 2, 3].map(|index| issued[index]["pan"].as_str().unwrap().to_owned());
    let told = story(switch.address, &cards(numbers));
    switch.stop().unwrap();
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_forms_answer_as_the_switch_does() {
    let database = fresh_database().await;
    let url = database.url().clone();
    let wanted = tokio::task::spawn_blocking(move || told_to_switch(&url)).await.unwrap();
    database.close().await;
    let approved = wanted.iter().filter(|line| line.ends_with("00, approval code")).count();
    assert_eq!(approved, 5, "{wanted:#?}");
    for form in Form::ALL {
        assert_eq!(told_to_conventional(form).await, wanted, "{form:?}");
    }
}
