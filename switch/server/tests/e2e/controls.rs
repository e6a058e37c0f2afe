//! Spend controls by the real binary and its commands, and bursts against limits over many
//! connections: exactly what a limit lets through, no more, and a reversal gives back what it took.

use std::net::SocketAddr;

use codecs::framing::{Framing, LengthHeader};
use codecs::iso8583::Dialect;
use switch_domain::{ControlRule, ControlSubject, ControlTerms, MinorUnits, Window};
use switch_store::private_postgres::{DatabaseUrl, fresh_database};

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

/// What a control in shadow would have declined is reported beside what one in force did, and a
/// back-test of the same terms finds it without any control at all.
#[tokio::test(flavor = "multi_thread")]
async fn what_controls_declined_or_would_have_is_reported() {
    let database = fresh_database().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (place, url) = (directory.path(), database.url().expose());
    let served = Served::start(place, url, &[]);
    let pan = served.set_up();
    let balance = {
        use sqlx::ConnectOptions;
        let mut session = database.url().connect_options().connect().await.expect("a session");
        let found = sqlx::query_scalar::<_, i64>("SELECT id FROM balance").fetch_one(&mut session);
        found.await.expect("a balance").to_string()
    };
    let of_day = ["--rule", "amount", "--amount", "50.00", "--window", "lifetime", "--name", "sum"];
    let define = |more: &[&str]| {
        let words = [&["controls", "define", "--balance", &balance][..], more].concat();
        served.make(&words, "control")
    };
    let shadow = define(&[&of_day[..], &["--shadow"]].concat());
    let quiet = define(&["--rule", "forbid", "--country", "FR", "--shadow", "--name", "quiet"]);
    let forbid = define(&["--rule", "forbid", "--mcc", "7995", "--name", "casinos"]);
    let mut acquirer = peer(served.link, 1).await;
    for (stan, cents, mcc, code) in
        [(1, 3_000, "5411", "00"), (2, 3_000, "5411", "00"), (3, 1_000, "7995", "57")]
    {
        let message = purchase(&pan, stan, cents).with(18, mcc).expect("a field");
        let answer = acquirer.exchange(0, &message).await.expect("an answer");
        assert_eq!(answer.text(39), Some(code), "what is in shadow changes no answer");
    }
    drop(acquirer);
    served.terminate();

    let run = |words: &[&str]| {
        let mut command = cardswitch(place);
        command.args(words).env("DATABASE_URL", url);
        let output = command.output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let json = |words: &[&str]| -> serde_json::Value {
        serde_json::from_str(&run(words)).expect("one JSON object")
    };
    let report = json(&["controls", "report", "--json"]);
    let lines = report["lines"].as_array().expect("lines");
    let found = |control: &str, mcc: serde_json::Value, day: bool| {
        let mut lines = lines.iter().filter(|line| {
            line["control"].as_i64() == control.parse().ok()
                && line["mcc"] == mcc
                && line["day"].is_string() == day
        });
        let one = lines.next().expect("a line");
        assert!(lines.next().is_none(), "one day");
        let text = |name: &str| one[name].as_str().expect("an amount").to_owned();
        (one["count"].clone(), text("amount"), one["granted"].clone(), text("granted_amount"))
    };
    let whole = (2.into(), "40.00 EUR".to_owned(), 1.into(), "30.00 EUR".to_owned());
    for day in [false, true] {
        assert_eq!(found(&shadow, serde_json::Value::Null, day), whole);
    }
    let casinos = (1.into(), "10.00 EUR".to_owned(), 0.into(), "0.00 EUR".to_owned());
    assert_eq!(found(&shadow, "7995".into(), false), casinos, "something else declined it too");
    assert_eq!(found(&forbid, serde_json::Value::Null, false), casinos);
    assert_eq!(report["silent_in_shadow"][0]["control"].to_string(), quiet);
    let text = run(&["controls", "report", "--control", &shadow]);
    assert!(text.contains("\"sum\": in shadow, would have declined"), "{text}");
    assert!(text.contains("2 of 40.00 EUR; 1 of them were granted, of 30.00 EUR"), "{text}");
    assert!(!text.contains("casinos") && !text.contains("quiet"), "{text}");
    let explained = run(&["explain", "--rrn", "000000000002"]);
    let said = format!("{shadow} \"sum\" (50.00 EUR ever) would have declined it");
    assert!(explained.contains(&said), "{explained}");

    let tried = [&["controls", "backtest", "--balance", &balance][..], &of_day].concat();
    let tested = json(&[&tried[..], &["--json"]].concat());
    assert_eq!((&tested["asked"], &tested["holders"]), (&2.into(), &1.into()), "{tested}");
    let declined = &tested["declined"][0];
    assert_eq!((&declined["count"], &declined["amount"]), (&1.into(), &"30.00 EUR".into()));
    assert_eq!(tested["listed"][0]["requested"], "30.00 EUR");
    let text = run(&tried);
    let said = "1 of 30.00 EUR would have been declined: amount_limit_exceeded";
    assert!(text.contains(said), "{text}");
    let mut nobody = cardswitch(place);
    nobody.args(["controls", "backtest", "--card", "77"]).args(of_day).env("DATABASE_URL", url);
    let refused = nobody.output().expect("the binary runs");
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && error.contains("there is no such"), "{error}");
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

/// The same traffic of one seed, with a control in shadow or without: what each was answered, and
/// how many the control would have declined.
async fn answers(in_shadow: bool) -> (Vec<[String; 4]>, i64) {
    let stage = Stage::start().await;
    let issued = stage.issue(1_000_000, 60_000).await;
    if in_shadow {
        let control = stage.services().node().control();
        let programme = *control.programmes.keys().next().expect("a programme");
        let terms = ControlTerms {
            subject: ControlSubject::Programme(programme),
            name: text("large"),
            shadow: true,
            selects: switch_domain::Selector::default(),
            rule: ControlRule::Amount(MinorUnits(1_000), Window::Transaction),
        };
        let made = stage.services().define_control(key("shadow"), text("test"), terms).await;
        made.expect("a control");
    }
    let mut acquirer = stage.peer(1).await;
    let mut told = Vec::new();
    let mut seed = 20_261_127_u64;
    for stan in 1..=100 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let asked = purchase(&issued.pan, stan, 100 + (seed >> 33) % 1_900);
        let asked = if seed >> 62 == 0 { asked.retyped("0200").expect("a type") } else { asked };
        let answer = acquirer.exchange(0, &asked).await.expect("an answer");
        told.push([4, 11, 38, 39].map(|field| answer.text(field).unwrap_or_default().to_owned()));
    }
    drop(acquirer);
    let stage = stage.restart().await;
    let url = DatabaseUrl::parse(stage.database.url().expose()).expect("a URL");
    let pool = sqlx::PgPool::connect_with(url.connect_options()).await.expect("connected");
    let count = "SELECT count(*) FROM card_authorization WHERE would_decline IS NOT NULL";
    let count = sqlx::query_scalar(count).fetch_one(&pool).await.expect("a count");
    pool.close().await;
    stage.end().await;
    (told, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_in_shadow_changes_no_answer_and_tells_what_it_would_have_declined() {
    let (without, none) = answers(false).await;
    let (with, some) = answers(true).await;
    assert_eq!(without, with);
    let large = with.iter().filter(|[amount, ..]| amount.parse::<u64>().expect("digits") > 1_000);
    assert_eq!((none, usize::try_from(some).expect("a count")), (0, large.count()));
    assert!(with.iter().any(|[.., code]| code == "51"), "some are declined for want of funds");
}
