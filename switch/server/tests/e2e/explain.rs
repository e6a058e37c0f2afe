//! `cardswitch explain` by the real binary over what real messages left behind: of many declines
//! each is told with its own reason and the check that decided, and what came of an approval is
//! told to the last posting.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use simulators::iso::Message;
use switch_domain::Pan;
use switch_store::private_postgres::fresh_database;

use crate::stage::{Served, cardswitch, peer, purchase};

pub(crate) fn explain(directory: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = cardswitch(directory);
    command.arg("explain").args(arguments).env("DATABASE_URL", url);
    command.output().expect("the command runs")
}

pub(crate) fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// What was made for the declines, by the binary's own commands.
struct World<'a> {
    served: &'a Served,
    partner: String,
    customer: String,
    balance: String,
    programme: String,
}

/// A number of a BIN that no card has.
fn unissued(bin: &str) -> String {
    let payload = format!("{bin}9999999");
    format!("{payload}{}", char::from(Pan::check_digit(payload.as_bytes())))
}

impl<'a> World<'a> {
    fn new(served: &'a Served) -> Self {
        let partner = served.make(&["partner", "create", "--name", "Acme"], "partner");
        let open = ["pool", "open", "--partner", &partner, "--kind", "deposit"];
        let pool = served.make(&[&open[..], &["--currency", "EUR"]].concat(), "pool");
        let reload = ["pool", "reload", "--pool", &pool, "--amount", "1000000"];
        served.make(&[&reload[..], &["--reference", "transfer 1"]].concat(), "done");
        let create = ["programme", "create", "--partner", &partner, "--name", "Euro"];
        let bins = ["--bin-low", "99999912", "--currency", "EUR", "--pool", &pool];
        let programme = served.make(&[&create[..], &bins].concat(), "programme");
        let customer = ["customer", "create", "--partner", &partner, "--reference", "alice"];
        let customer = served.make(&customer, "customer");
        let open = ["balance", "open", "--programme", &programme, "--customer", &customer];
        let balance = served.make(&open, "balance");
        let credit = ["balance", "credit", "--balance", &balance, "--amount", "500000"];
        served.make(&[&credit[..], &["--reference", "welcome"]].concat(), "done");
        Self { served, partner, customer, balance, programme }
    }

    fn run(&self, words: &[&str]) {
        self.served.command(words).unwrap_or_else(|said| panic!("{words:?}: {said}"));
    }

    /// A card of an account: its number for us, and its number.
    fn card_of(&self, balance: &str, more: &[&str]) -> (String, String) {
        let issue = ["card", "issue", "--balance", balance, "--expiry", "4912"];
        let words = [&issue[..], &["--reveal-test-pan"], more].concat();
        let made = self.served.command(&words).expect("a card");
        let id = made["card"].as_i64().expect("its number").to_string();
        (id, made["pan"].as_str().expect("a test number").to_owned())
    }

    fn card(&self) -> (String, String) {
        self.card_of(&self.balance, &[])
    }

    /// A card with one control of its own.
    fn controlled(&self, control: &[&str]) -> String {
        let (id, pan) = self.card();
        let define = ["controls", "define", "--name", "of the test", "--card", &id];
        self.run(&[&define[..], control].concat());
        pan
    }

    /// A purchase under a state of affairs that is put right afterwards.
    fn around(&self, before: [&str; 3], after: [&str; 3]) -> Around {
        let own = |words: [&str; 3]| words.map(str::to_owned);
        Around { before: own(before), after: own(after) }
    }
}

/// Commands around one message.
struct Around {
    before: [String; 3],
    after: [String; 3],
}

/// A decline to come: the message, what it is declined for, and the check that does it.
struct Decline {
    message: Message,
    around: Option<Around>,
    reason: &'static str,
    check: &'static str,
}

/// The declines as they are collected; each message has a trace number of its own.
struct Declines {
    all: Vec<Decline>,
    stan: u32,
}

impl Declines {
    fn purchase(&mut self, pan: &str, cents: u64) -> Message {
        self.stan += 1;
        purchase(pan, self.stan, cents)
    }

    fn add(&mut self, message: Message, reason: &'static str, check: &'static str) {
        self.all.push(Decline { message, around: None, reason, check });
    }

    fn add_around(&mut self, pan: &str, around: Around, reason: &'static str, check: &'static str) {
        let message = self.purchase(pan, 1_000);
        self.all.push(Decline { message, around: Some(around), reason, check });
    }
}

fn with(message: Message, field: u8, value: impl AsRef<[u8]>) -> Message {
    message.with(field, value).expect("a legal field")
}

/// What is wrong with a message, its card, or whose it is.
fn of_messages_and_cards(world: &World<'_>, declines: &mut Declines, pan: &str) {
    let other = world.card().1;
    for (field, value, reason, check) in [
        (3, "990000".to_owned(), "invalid_transaction", "message valid"),
        (3, "920000".to_owned(), "function_not_supported", "message valid"),
        (35, format!("{other}=4912201"), "pan_sources_differ", "message valid"),
        (14, "4911".to_owned(), "expired_card", "expiry"),
        (49, "840".to_owned(), "currency_unacceptable", "programme currency"),
    ] {
        let message = with(declines.purchase(pan, 1_000), field, value);
        declines.add(message, reason, check);
    }
    let nothing = with(declines.purchase(pan, 0), 3, "010000");
    declines.add(nothing, "invalid_amount", "message valid");
    let foreign = declines.purchase(&unissued("99999955"), 1_000);
    declines.add(foreign, "no_route", "BIN ours");
    let unknown = declines.purchase(&unissued("99999912"), 1_000);
    declines.add(unknown, "invalid_card_number", "card known");
    let sleeping = world.card_of(&world.balance, &["--inactive"]).1;
    let sleeping = declines.purchase(&sleeping, 1_000);
    declines.add(sleeping, "card_not_active", "card status");
    for (code, reason) in [
        ("1", "locked_lost"),
        ("2", "locked_stolen"),
        ("3", "locked_pending_query"),
        ("4", "locked_consolidation"),
        ("5", "locked_inactive"),
        ("6", "locked_pin_tries_exceeded"),
        ("7", "locked_suspected_fraud"),
        ("8", "locked_replaced"),
        ("11", "locked_offline_pin_tries_exceeded"),
    ] {
        let (id, pan) = world.card();
        world.run(&["card", "lock", &id, "--code", code]);
        let message = declines.purchase(&pan, 1_000);
        declines.add(message, reason, "lock code");
    }
    let open = ["balance", "open", "--programme", &world.programme, "--customer", &world.customer];
    let empty = world.served.make(&open, "balance");
    let closed = world.card_of(&empty, &[]).1;
    world.run(&["balance", "close", &empty]);
    let closed = declines.purchase(&closed, 1_000);
    declines.add(closed, "balance_closed", "balance state");
    for (what, id, [stop, resume], reason, check) in [
        ("balance", &world.balance, ["block", "unblock"], "balance_blocked", "balance state"),
        ("customer", &world.customer, ["block", "unblock"], "customer_blocked", "customer state"),
        ("partner", &world.partner, ["suspend", "resume"], "partner_suspended", "partner state"),
    ] {
        let around = world.around([what, stop, id], [what, resume, id]);
        declines.add_around(pan, around, reason, check);
    }
}

/// What controls and money do not let through, and the purchase that uses a count up before.
fn of_controls_and_money(world: &World<'_>, declines: &mut Declines, pan: &str) -> Message {
    let forbid = ["--rule", "forbid"];
    let use_permitted = "use permitted";
    for (control, reason) in [
        (&["--use", "pos"][..], "use_not_permitted"),
        (&["--use", "cash_back"], "cash_back_not_permitted"),
        (&["--mcc", "5411"], "category_not_permitted"),
        (&["--country", "FR"], "country_not_permitted"),
        (&["--merchant", "MERCHANT0000001"], "merchant_not_permitted"),
        (&["--hours", "mon-sun 00:00-24:00"], "hours_not_permitted"),
    ] {
        let pan = world.controlled(&[&forbid[..], control].concat());
        let message = declines.purchase(&pan, 1_000);
        let message = match reason {
            "cash_back_not_permitted" => with(message, 3, "090000"),
            "country_not_permitted" => with(message, 43, format!("{:<38}FR", "A SHOP")),
            _ => message,
        };
        declines.add(message, reason, use_permitted);
    }
    let amount = ["--rule", "amount", "--amount", "9.99", "--window", "day"];
    let message = declines.purchase(&world.controlled(&amount), 1_000);
    declines.add(message, "amount_limit_exceeded", "amount limit");
    let once = ["--rule", "count", "--count", "1", "--window", "lifetime"];
    let once = world.controlled(&once);
    let first = declines.purchase(&once, 1_000);
    let message = declines.purchase(&once, 1_000);
    declines.add(message, "count_limit_exceeded", "count limit");
    let message = declines.purchase(pan, 200_000_000);
    declines.add(message, "partner_deposit_insufficient", "partner deposit");
    let message = declines.purchase(pan, 50_000_001);
    declines.add(message, "insufficient_funds", "user funds");
    first
}

/// Field 90 of what speaks of a request.
fn original(stan: u32) -> String {
    format!("0100{stan:06}1123{stan:06}{:011}{:011}", 123_456, 0)
}

/// What is declined because of what came before it: those messages, and behind them the decline.
fn of_what_came_before(declines: &mut Declines, pan: &str) -> Vec<Message> {
    let granted = declines.purchase(pan, 1_000);
    let of_granted = original(declines.stan);
    let retyped = |message: Message, mti| message.retyped(mti).expect("a type");
    let more = retyped(with(declines.purchase(pan, 5_000), 90, of_granted), "0200");
    declines.add(more, "exceeds_preauthorized_amount", "preauthorized amount");
    let late = declines.purchase(pan, 1_000);
    let of_late = original(declines.stan);
    declines.add(late, "original_reversed", "not reversed before");
    let reversal = retyped(with(declines.purchase(pan, 1_000), 90, of_late), "0400");
    let overtaken = declines.purchase(pan, 1_000);
    let advice = retyped(with(overtaken.clone(), 39, "00"), "0120");
    declines.add(overtaken, "duplicate_transmission", "no check");
    vec![granted, reversal, advice]
}

/// Every reason for which a check declines is here.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_declines_each_is_told_with_a_reason_of_its_own() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), &url, &[]);
    let world = World::new(&served);
    let pan = world.card().1;
    let mut declines = Declines { all: Vec::new(), stan: 0 };
    of_messages_and_cards(&world, &mut declines, &pan);
    let mut before = vec![of_controls_and_money(&world, &mut declines, &pan)];
    before.extend(of_what_came_before(&mut declines, &pan));
    let mut acquirer = peer(served.link, 1).await;
    for message in &before {
        let answer = acquirer.exchange(0, message).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"));
    }
    for decline in &declines.all {
        let run = |words: &[String; 3]| world.run(&words.each_ref().map(String::as_str));
        decline.around.iter().for_each(|around| run(&around.before));
        let answer = acquirer.exchange(0, &decline.message).await.expect("an answer");
        assert_ne!(answer.text(39), Some("00"), "{}", decline.reason);
        decline.around.iter().for_each(|around| run(&around.after));
    }
    drop(acquirer);
    served.terminate();

    let mut reasons = BTreeSet::new();
    for decline in &declines.all {
        let rrn = decline.message.text(37).expect("a number");
        let asked = ["--rrn", rrn, "--json"];
        let found = told(&explain(directory.path(), &url, &asked));
        // An advice has the number of its request.
        let several = found["found"].as_array().and_then(|found| found.last());
        let id = several.unwrap_or(&found)["authorization"].to_string();
        let one = told(&explain(directory.path(), &url, &[&id, "--json"]));
        let (reason, check) = (decline.reason, decline.check);
        assert_eq!(one["reason"], reason, "{one}");
        let decided = one["decided_by"]["said"].as_str().expect("a text");
        assert!(decided.starts_with(check), "{reason}: {decided}");
        let failed = one["checks"].as_array().expect("checks").iter();
        let mut failed = failed.filter(|one| one["said"] == "failed").map(|one| &one["name"]);
        let wrong = check != "no check";
        assert_eq!(failed.next(), wrong.then_some(&json!(check)), "{reason}");
        let text = explain(directory.path(), &url, &[&id]);
        let text = String::from_utf8(text.stdout).expect("text");
        assert!(text.starts_with(&format!("authorization {id}: declined, {reason}\n")), "{text}");
        assert_eq!(text.contains("<- decided"), wrong, "{text}");
        let pan = decline.message.text(2).expect("a card");
        assert!(!text.contains(pan) && !one.to_string().contains(pan), "no card number");
        reasons.insert(reason);
    }
    assert_eq!(reasons.len(), declines.all.len(), "each has a reason of its own");
    assert!(reasons.len() >= 20, "{reasons:?}");
    let audit = || {
        let mut audit = cardswitch(directory.path());
        audit.args(["audit", "--json"]).env("DATABASE_URL", &url);
        audit.env("CARDSWITCH_SECURITY__PAN_KEY_FILE", directory.path().join("pan.key"));
        String::from_utf8(audit.output().expect("the binary runs").stdout).expect("text")
    };
    let balanced = audit();
    assert!(balanced.contains("\"findings\":[]"), "{balanced}");
    {
        use sqlx::{ConnectOptions, Executor};
        let mut session = database.url().connect_options().connect().await.expect("a session");
        let sql = "UPDATE card_authorization SET trace[1] = 16 WHERE trace[1] = 17";
        session.execute(sql).await.expect("one row changed");
    }
    let damaged = audit();
    assert_eq!(damaged.matches("was decided: ").count(), 1, "{damaged}");
    database.close().await;
}

/// From the hold over an increment and a reversal of a part to what was settled and posted.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_an_approval_is_told_to_the_last_posting() {
    let database = fresh_database().await;
    let url = database.url().expose().to_owned();
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::start(directory.path(), &url, &[]);
    let pan = served.set_up();
    let mut acquirer = peer(served.link, 1).await;
    let of = |mti: &str, stan, cents, of| {
        let plain = purchase(&pan, stan, cents).retyped(mti);
        plain.and_then(|message| message.with(90, original(of))).expect("a message")
    };
    let leaves = |message: Message, cents: u64| with(message, 95, format!("{cents:012}{:030}", 0));
    let mut code = String::new();
    for message in [
        purchase(&pan, 1, 10_000),
        of("0100", 2, 2_000, 1),
        leaves(of("0400", 3, 12_000, 1), 11_000),
        of("0220", 4, 10_500, 1),
    ] {
        let answer = acquirer.exchange(0, &message).await.expect("an answer");
        assert_eq!(answer.text(39), Some("00"));
        if code.is_empty() {
            code = answer.text(38).expect("an approval code").to_owned();
        }
    }
    drop(acquirer);
    served.terminate();

    let explain = |arguments: &[&str]| explain(directory.path(), &url, arguments);
    let one = told(&explain(&["--rrn", "000000000001", "--json"]));
    assert_eq!(one["outcome"], "approved");
    assert_eq!(one["decided_by"]["said"], "every check passed");
    let checks = one["checks"].as_array().expect("checks");
    assert_eq!(checks.len(), 29);
    // Nothing is verified of this programme: those checks say nothing.
    let said = |word: &str| checks.iter().filter(|check| check["said"] == word).count();
    assert_eq!((said("passed"), said("not_asked")), (19, 10), "{one}");
    let amounts = json!({
        "requested": "100.00 EUR", "authorized": "100.00 EUR", "incremented": "20.00 EUR",
        "reversed": "10.00 EUR", "cleared": "105.00 EUR", "held_now": "0.00 EUR",
    });
    assert_eq!(one["amounts"], amounts);
    let events = one["events"].as_array().expect("events");
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().expect("one")).collect();
    assert_eq!(kinds, ["incremented", "reversed", "completed"]);
    assert_eq!(events[2]["moved"], json!({ "cleared": "105.00 EUR", "held": "-110.00 EUR" }));
    let posted = |one: &Value| -> Vec<(String, String)> {
        let legs = one["postings"].as_array().expect("postings").iter();
        let word = |leg: &Value, name: &str| leg[name].as_str().expect("a text").to_owned();
        legs.map(|leg| (word(leg, "account"), word(leg, "amount"))).collect()
    };
    let legs = posted(&one);
    assert!(legs.contains(&("balance".into(), "-105.00 EUR".into())), "{legs:?}");
    assert!(legs.contains(&("network_settlement".into(), "105.00 EUR".into())), "{legs:?}");
    let completion = told(&explain(&["--rrn", "000000000004", "--json"]));
    assert_eq!(completion["completes"], one["authorization"]);
    assert_eq!((completion["message"]["type"].as_str(), posted(&completion)), (Some("x220"), legs));

    assert_eq!(told(&explain(&["--approval-code", &code, "--json"])), one);
    let text = explain(&[&one["authorization"].to_string()]);
    let text = String::from_utf8(text.stdout).expect("text");
    for words in [
        "approved, approved",
        "requested 100.00 EUR",
        "x100 (authorization), purchase by link 1",
        "MERCHANT0000001, MCC 5411, country -",
        &format!("00 (1987), 000 (1993), 0000 (2003); approval code {code}"),
        "17 user funds             passed",
        "incremented: incremented 20.00 EUR",
        "posted: balance",
    ] {
        assert!(text.contains(words), "{words:?} in {text}");
    }
    for (arguments, words) in [
        (&["77"][..], "no such authorization: 77"),
        (&["--rrn", "000000000099"], "no authorization of those days"),
        (&["--rrn", "0000000000001"], "--rrn"),
        (&[], "required"),
    ] {
        let refused = explain(arguments);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && error.contains(words), "{error}");
    }
    database.close().await;
}
