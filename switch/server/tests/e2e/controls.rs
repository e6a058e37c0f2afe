//! Spend controls by the real binary and its commands, and bursts against limits over many
//! connections: exactly what a limit lets through, no more, and a reversal gives back what it took.

use std::net::SocketAddr;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use switch_domain::{ControlRule, ControlSubject, ControlTerms, MinorUnits, Window};
use switch_store::private_postgres::fresh_database;

use crate::speaker::Speaker;
use crate::stage::{Served, Stage, cardswitch, key, peer, purchase, text};

const CONNECTIONS: u32 = 16;
const EACH: u32 = 13;

#[tokio::test(flavor = "multi_thread")]
async fn a_control_declines_counts_survives_a_restart_and_can_be_removed() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let served = Served::start(place, url, &[]);
    let pan = served.set_up();
    let card: i64 = {
        use sqlx::ConnectOptions;
        let mut session = database.url().connect_options().connect().await.expect("a session");
        let found = sqlx::query_scalar("SELECT id FROM card").fetch_one(&mut session);
        found.await.expect("a card")
    };
    let card = card.to_string();
    let day = ["--rule", "amount", "--amount", "100.00", "--window", "day", "--name", "a day"];
    let define = |more: &[&'static str]| -> Vec<String> {
        let words = ["controls", "define", "--card", &card].into_iter();
        words.chain(more.iter().copied()).map(str::to_owned).collect()
    };
    let command = |served: &Served, words: &[String]| {
        served.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let made = command(&served, &define(&day)).expect("a control");
    let control = made["control"].as_i64().expect("its number").to_string();
    let casinos = ["--rule", "forbid", "--mcc", "7995", "--name", "casinos"];
    command(&served, &define(&casinos)).expect("a control");
    let refused = command(&served, &define(&["--rule", "count", "--count", "1", "--name", "x"]));
    assert!(refused.is_err(), "a count needs a window: {refused:?}");

    let mut acquirer = peer(served.link, 1).await;
    let mut ask = async |stan, cents, mcc: &'static str| {
        let message = purchase(&pan, stan, cents).with(18, mcc).expect("a field");
        let answer = acquirer.exchange(0, &message).await.expect("an answer");
        answer.text(39).expect("a code").to_owned()
    };
    assert_eq!(ask(1, 6_000, "5411").await, "00");
    assert_eq!(ask(2, 6_000, "5411").await, "61");
    assert_eq!(ask(3, 100, "7995").await, "57");
    drop(acquirer);
    served.terminate();

    let served = Served::start(place, url, &[]);
    let listed = served.command(&["controls", "list", "--card", &card]).expect("a list");
    let controls = listed["controls"].as_array().expect("some");
    assert_eq!(controls.len(), 2, "{listed}");
    assert_eq!(controls[0]["used"][0]["amount"], "60.00", "{listed}");
    let mut acquirer = peer(served.link, 1).await;
    let mut ask = async |stan, cents| {
        let answer = acquirer.exchange(0, &purchase(&pan, stan, cents)).await.expect("an answer");
        answer.text(39).expect("a code").to_owned()
    };
    assert_eq!(ask(4, 4_001).await, "61", "what was used before the restart counts");
    assert_eq!(ask(5, 4_000).await, "00");
    let more = [&["controls", "change", &control, "--card", &card], &day[..]].concat();
    let more: Vec<_> =
        more.into_iter().map(|word| if word == "100.00" { "150.00" } else { word }).collect();
    served.command(&more).expect("a change");
    assert_eq!(ask(6, 5_001).await, "61");
    assert_eq!(ask(7, 5_000).await, "00");
    served.command(&["controls", "remove", &control, "--card", &card]).expect("a removal");
    assert_eq!(ask(8, 10_000).await, "00");
    drop(acquirer);
    served.terminate();
    let mut audit = cardswitch(place);
    audit.args(["audit", "--json"]).env("DATABASE_URL", url);
    audit.env("CARDSWITCH_SECURITY__PAN_KEY_FILE", place.join("pan.key"));
    let audit = audit.output().expect("the binary runs");
    let said = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success(), "{said}");
    database.close().await;
}

/// Over two hundred at once over sixteen connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_gets_exactly_what_a_limit_lets_through() {
    for (rule, cents, declined, granted) in [
        (ControlRule::Count(5, Window::Lifetime), 100, "65", 5),
        (ControlRule::Amount(MinorUnits(9_999), Window::Lifetime), 300, "61", 33),
    ] {
        let stage = Stage::start().await;
        let issued = stage.issue(100_000_000, 1_000_000).await;
        let subject = ControlSubject::Balance(issued.balance);
        let terms = ControlTerms {
            subject,
            name: text("burst"),
            shadow: false,
            selects: Default::default(),
            rule,
        };
        let made = stage.services().define_control(key("control"), text("test"), terms).await;
        let control = made.expect("a control");
        let ask = |connection| {
            ask(stage.address(), issued.pan.clone(), (cents, declined), connection * EACH)
        };
        let asking: Vec<_> = (0..CONNECTIONS).map(|one| tokio::spawn(ask(one))).collect();
        let mut approved = Vec::new();
        for one in asking {
            approved.extend(one.await.expect("it asked"));
        }
        assert_eq!(approved.len(), granted, "{rule:?}");
        // Each that is taken back makes room for one, and for no more.
        let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
        let framing = Framing::new(LengthHeader::Binary2);
        let mut one = Speaker::connect(stage.address(), dialect, framing).await;
        let draft = one.reversal(&issued.pan, 900_000, approved[0], cents);
        let framed = one.framed(&one.bytes(one.mti("400"), &draft));
        one.send_raw(&framed).await;
        assert_eq!(&*one.answer().await.action, "00");
        let mut answers = Vec::new();
        for stan in 900_001..=900_002 {
            let draft = one.purchase(&issued.pan, stan, cents);
            let framed = one.framed(&one.bytes(one.mti("100"), &draft));
            one.send_raw(&framed).await;
            answers.push(one.answer().await.action.to_string());
        }
        assert_eq!(answers, ["00", declined], "{rule:?}");
        let used = stage.services().controls_of(subject).await.expect("known");
        let used = used[0].usage.as_ref().expect("used").parts()[0].1;
        assert_eq!(used.count, i32::try_from(granted).expect("few"), "{control}");
        assert_eq!(used.amount.0, i64::try_from(granted as u64 * cents).expect("little"));
        stage.end().await;
    }
}

/// Sends so many without waiting, and gives the trace numbers of those that were approved.
async fn ask(
    address: SocketAddr,
    pan: String,
    (cents, declined): (u64, &'static str),
    first: u32,
) -> Vec<u32> {
    let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
    let framing = Framing::new(LengthHeader::Binary2);
    let mut peer = Speaker::connect(address, dialect, framing).await;
    let mut all = Vec::new();
    for stan in first + 1..=first + EACH {
        let draft = peer.purchase(&pan, stan, cents);
        all.extend(peer.framed(&peer.bytes(peer.mti("100"), &draft)));
    }
    peer.send_raw(&all).await;
    let mut approved = Vec::new();
    for _ in 0..EACH {
        let answer = peer.answer().await;
        match &*answer.action {
            "00" => {
                let read = peer.speech().read(answer.body.clone()).expect("readable");
                let stan = read.view().number(11).expect("a trace number");
                approved.push(u32::try_from(stan).expect("six digits"));
            }
            other => assert_eq!(other, declined),
        }
    }
    approved
}
