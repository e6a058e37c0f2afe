//! The sandbox by the real binary: what a partner's developer asks for over the API goes to a
//! simulator beside the switch, and comes back over the switch's own link and out of its own
//! exchange directory.

use admin_api::routes::secure_document;
use codecs::framing::{Framing, LengthHeader};
use serde_json::{Value, json};
use simulators::sandbox::{SandboxSettings, SandboxSimulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::cards::rig::Reader;
use super::client::{Answer, Client};
use super::matrices::posts;
use super::plastic;
use super::platform::{Partner, Platform, euros};

const NONE: &Value = &Value::Null;
/// Where the configuration says who plays it.
const SIMULATOR: &str = "CARDSWITCH_API__SANDBOX__SIMULATOR";

/// A platform with a sandbox and more of its configuration, and who plays it.
pub(super) async fn platform(more: Vec<(&'static str, String)>) -> (Platform, SandboxSimulator) {
    let framing = Framing::new(LengthHeader::Binary2);
    let settings = SandboxSettings { framing, remembered: 1_000, connections: 16 };
    let here = ([127, 0, 0, 1], 0).into();
    let simulator = SandboxSimulator::listen(here, settings, String::new(), None).await;
    let simulator = simulator.expect("listening");
    let address = (SIMULATOR, simulator.address().to_string());
    let more = more.into_iter().chain([address]).collect();
    let platform = plastic::platform_with("86400000", more).await;
    let bureau = plastic::bureau(platform.directory.path());
    simulator.play_at(platform.served.link.to_string(), Some(bureau));
    (platform, simulator)
}

/// A partner's customer with fifty euros and a virtual card.
pub(super) struct Holder {
    pub(super) customer: String,
    /// The account's path.
    pub(super) balance: String,
    pub(super) card: String,
}

impl Holder {
    pub(super) fn of(partner: &Partner) -> Self {
        let customer = partner.registers("u-1");
        partner.verifies(&customer);
        let balance = partner.opens(&customer, "open");
        let amount = json!({ "amount": euros("50") });
        partner.client.post(&format!("{balance}/reload"), "reload", &amount).done(200);
        let issue = format!("/secure/customers/{customer}/cards/virtual");
        let wanted = json!({ "balanceId": last(&balance) });
        let issued = Reader::new().post(&partner.client, &issue, "card", &wanted).done(201);
        let card = last(issued.header("location").expect("a place")).to_owned();
        Self { customer, balance, card }
    }

    /// What is presented with the card.
    pub(super) fn presents(&self, value: &str) -> Value {
        json!({ "cardId": self.card, "amount": euros(value), "entryMode": "ECOMMERCE" })
    }
}

/// The last part of a path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('/').next().expect("a part")
}

fn simulates(client: &Client, what: &str, key: &str, body: &Value) -> Answer {
    client.post(&format!("/secure/simulate/{what}"), key, body)
}

/// Ledger and held of an account.
fn stands(partner: &Partner, balance: &str) -> [String; 2] {
    let read = partner.reads(balance);
    ["ledger", "held"].map(|name| read[name]["value"].as_str().expect("an amount").to_owned())
}

fn id(answer: &Value) -> Value {
    answer["simulationId"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_and_what_follows_it_go_over_the_real_link() {
    let (platform, _simulator) = platform(Vec::new()).await;
    let acme = platform.partner("Acme", "99999912");
    let ada = Holder::of(&acme);
    let does = |what: &str, key: &str, body: Value| {
        let told = simulates(&acme.client, what, key, &body).done(200).json();
        // What was sent is shown, and nothing that is on the card.
        let number = told["sent"]["fields"][0].clone();
        assert_eq!((&number["field"], told["sent"].is_object()), (&json!(2), true), "{told}");
        let content = number["content"].as_str().expect("a number");
        assert!(content.starts_with("999999******"), "{content}");
        told
    };
    let stands = || stands(&acme, &ada.balance);

    let bought = does("authorization", "buy", ada.presents("12.50"));
    assert_eq!((&bought["approved"], &bought["actionCode"]), (&true.into(), &"00".into()));
    assert_eq!(bought["amount"], euros("12.50"));
    assert_eq!(bought["approvalCode"].as_str().map(str::len), Some(6));
    assert_eq!(
        (&bought["sent"]["mti"], &bought["received"]["mti"]),
        (&"0100".into(), &"0110".into())
    );
    assert_eq!(stands(), ["50.00", "12.50"]);
    let found = bought["authorizationId"].as_str().expect("it is in the tables");
    let of_card = format!("SELECT card_id FROM card_authorization WHERE id = {found}");
    assert_eq!(platform.count(&of_card).await.to_string(), ada.card);
    // The same again is the same, once.
    let again = simulates(&acme.client, "authorization", "buy", &ada.presents("12.50")).done(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!((again.json(), stands()), (bought.clone(), ["50.00".into(), "12.50".into()]));

    let part = json!({ "simulationId": id(&bought), "amount": euros("10") });
    let cleared = does("clearing", "clear", part);
    assert_eq!(
        (&cleared["sent"]["mti"], cleared["approved"].as_bool()),
        (&"0220".into(), Some(true))
    );
    assert_eq!(stands(), ["40.00", "0.00"], "what is left of the hold is given back");
    let some = json!({ "simulationId": id(&bought), "amount": euros("4") });
    assert_eq!(does("refund", "refund", some)["approved"], true);
    assert_eq!(stands(), ["44.00", "0.00"]);
    does("reversal", "undo", json!({ "simulationId": id(&cleared) }));
    assert_eq!(stands(), ["54.00", "0.00"], "the clearing is taken back");

    let other = does("authorization", "other", ada.presents("8"));
    assert_eq!(stands(), ["54.00", "8.00"]);
    let left = json!({ "simulationId": id(&other), "standing": euros("3") });
    assert_eq!(does("reversal", "a part", left)["sent"]["mti"], "0420");
    assert_eq!(stands(), ["54.00", "3.00"]);
    does("reversal", "the rest", json!({ "simulationId": id(&other) }));
    assert_eq!(stands(), ["54.00", "0.00"]);

    // A part of what is asked for, where the terminal and the partner have it so.
    let least = ["partner", "partial-minimum", &acme.id, "--currency", "EUR", "--amount", "5.00"];
    platform.served.command(&least).expect("set");
    let mut more = ada.presents("60");
    let declined = does("authorization", "too much", more.clone());
    assert_eq!((&declined["approved"], &declined["actionCode"]), (&false.into(), &"51".into()));
    more["acceptsPartial"] = true.into();
    let granted = does("authorization", "a part of it", more);
    assert_eq!((&granted["approved"], &granted["actionCode"]), (&true.into(), &"10".into()));
    assert_eq!(
        (granted["amount"].clone(), stands()),
        (euros("54.00"), ["54.00".into(), "54.00".into()])
    );
    // What we declined, and a network approved in our stead, is held all the same.
    let advised = does("advice", "stand-in", json!({ "simulationId": id(&declined) }));
    assert_eq!(
        (&advised["sent"]["mti"], stands()),
        (&"0120".into(), ["54.00".into(), "114.00".into()])
    );
    assert!(advised["authorizationId"] != declined["authorizationId"], "{advised}");

    // Cash, and a card that is locked.
    let mut cash = ada.presents("20");
    cash["transaction"] = "CASH".into();
    let refused = simulates(&acme.client, "authorization", "no machine", &cash).refused();
    assert_eq!(refused, (400, "INVALID_REQUEST".into()));
    cash["entryMode"] = "MAGSTRIPE".into();
    assert_eq!(does("authorization", "cash", cash)["actionCode"], "51");
    let lock = format!("/secure/customers/{}/cards/{}/lock", ada.customer, ada.card);
    acme.client.post(&lock, "lock", &json!({ "reasonCode": 1 })).done(204);
    assert_eq!(does("authorization", "locked", ada.presents("1"))["actionCode"], "41");
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_simulates_with_what_is_anothers_or_with_a_real_number() {
    let (platform, simulator) = platform(Vec::new()).await;
    let acme = platform.partner("Acme", "99999912");
    let other = platform.partner("Other", "99999913");
    let ada = Holder::of(&acme);
    let none = (404, "NOT_FOUND".to_owned());
    let bought = simulates(&acme.client, "authorization", "buy", &ada.presents("1")).done(200);
    let following = json!({ "simulationId": id(&bought.json()) });
    let foreign = simulates(&other.client, "authorization", "buy", &ada.presents("1"));
    assert_eq!(foreign.refused(), none);
    let order = json!({ "customerId": ada.customer, "orderId": ada.customer });
    for (what, body) in [
        ("advice", &following),
        ("clearing", &following),
        ("reversal", &following),
        ("refund", &following),
        ("shipment", &order),
    ] {
        assert_eq!(simulates(&other.client, what, what, body).refused(), none, "{what}");
    }
    assert_eq!(stands(&acme, &ada.balance), ["50.00", "1.00"]);
    // What does not go with a simulation, and one that there is not.
    let conflict = (409, "CONFLICT".to_owned());
    let dollars = json!({ "value": "1", "currency": "USD" });
    let wrong = json!({ "simulationId": id(&bought.json()), "amount": dollars });
    assert_eq!(simulates(&acme.client, "clearing", "dollars", &wrong).refused(), conflict);
    let cleared = simulates(&acme.client, "clearing", "clear", &following).done(200).json();
    let twice = json!({ "simulationId": id(&cleared) });
    assert_eq!(simulates(&acme.client, "clearing", "twice", &twice).refused(), conflict);
    let nowhere = json!({ "simulationId": "00000000-0000-4000-8000-000000000000" });
    assert_eq!(simulates(&acme.client, "refund", "nowhere", &nowhere).refused(), none);
    // Numbers that a network routes stay here, whoever asks.
    let real = platform.partner("Real", "41111111");
    let holder = Holder::of(&real);
    let refused = simulates(&real.client, "authorization", "real", &holder.presents("1"));
    assert_eq!(refused.refused(), conflict);
    assert_eq!(stands(&real, &holder.balance), ["50.00", "0.00"]);
    // Nobody plays it any more.
    simulator.die();
    let gone = simulates(&acme.client, "authorization", "gone", &ada.presents("1"));
    assert_eq!(gone.refused(), (503, "SANDBOX_UNAVAILABLE".into()));
    assert!(gone.header("retry-after").is_some());
    platform.close().await;
}

/// Says this to whoever asks, line by line; where that is nothing, it keeps them waiting.
async fn says(listener: TcpListener, answer: &'static [u8]) {
    let mut open = Vec::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut asked = [0; 1_024];
        let _ = stream.read(&mut asked).await;
        if !answer.is_empty() {
            let _ = stream.write_all(answer).await;
        }
        open.push(stream);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulator_that_is_late_or_says_nonsense_is_no_fault_of_the_service() {
    const LONG: &[u8] = &[b'x'; 70_000];
    for (answer, patience, told) in [
        (&b""[..], "100", (504, "SANDBOX_TIMEOUT")),
        (b"{\"done\":{}}\n", "10000", (503, "SANDBOX_UNAVAILABLE")),
        (LONG, "10000", (503, "SANDBOX_UNAVAILABLE")),
        (b"{\"refused\":\"silent\"}\n", "10000", (504, "SANDBOX_TIMEOUT")),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let saying = tokio::spawn(says(listener, answer));
        let platform = Platform::start_with(vec![
            (SIMULATOR, address.to_string()),
            ("CARDSWITCH_API__SANDBOX__PATIENCE_MS", patience.into()),
        ])
        .await;
        let acme = platform.partner("Acme", "99999912");
        let ada = Holder::of(&acme);
        let asked = simulates(&acme.client, "authorization", "buy", &ada.presents("1"));
        assert_eq!(asked.refused(), (told.0, told.1.into()));
        assert_eq!(stands(&acme, &ada.balance), ["50.00", "0.00"]);
        platform.close().await;
        saying.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_made_and_linked_by_one_call_and_paid_with() {
    let (platform, simulator) = platform(Vec::new()).await;
    let acme = platform.partner("Acme", "99999912");
    let ada = Holder::of(&acme);
    let path = format!("/secure/customers/{}/cards/physical", ada.customer);
    let wanted = plastic::wanted(last(&ada.balance));
    let order = Reader::new().post(&acme.client, &path, "order", &wanted).done(201);
    let order = last(order.header("location").expect("a place")).to_owned();
    let body = json!({ "customerId": ada.customer, "orderId": order });
    let shipped = simulates(&acme.client, "shipment", "ship", &body).done(200).json();
    assert_eq!(shipped["state"], "LINKED", "{shipped}");
    assert!(shipped["trackingNumber"].as_str().is_some_and(|number| number.starts_with("SIM")));
    let again = simulates(&acme.client, "shipment", "ship again", &body).done(200).json();
    assert_eq!(again, shipped, "it is made once");
    let card = shipped["cardId"].as_str().expect("a card");
    let mut presented = ada.presents("5");
    (presented["cardId"], presented["entryMode"]) = (card.into(), "CHIP".into());
    let early = simulates(&acme.client, "authorization", "early", &presented).done(200).json();
    assert_eq!((&early["approved"], &early["actionCode"]), (&false.into(), &"62".into()));
    let activate = format!("/secure/customers/{}/cards/{card}/activate", ada.customer);
    acme.client.post(&activate, "activate", NONE).done(204);
    let paid = simulates(&acme.client, "authorization", "paid", &presented).done(200).json();
    assert_eq!((&paid["approved"], &paid["actionCode"]), (&true.into(), &"00".into()));
    // One without a bureau makes nothing.
    let more = Reader::new().post(&acme.client, &path, "another", &wanted).done(201);
    let more = last(more.header("location").expect("a place")).to_owned();
    simulator.play_at(platform.served.link.to_string(), None);
    let body = json!({ "customerId": ada.customer, "orderId": more });
    let refused = simulates(&acme.client, "shipment", "no bureau", &body).refused();
    assert_eq!(refused, (503, "SANDBOX_UNAVAILABLE".into()));
    platform.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_simulation_is_played_once_under_a_key_and_none_where_there_is_no_sandbox() {
    let (platform, _simulator) = platform(Vec::new()).await;
    let acme = platform.partner("Acme", "99999912");
    let ada = Holder::of(&acme);
    let path = format!("/secure/customers/{}/cards/physical", ada.customer);
    let wanted = plastic::wanted(last(&ada.balance));
    let order = Reader::new().post(&acme.client, &path, "order", &wanted).done(201);
    let order = last(order.header("location").expect("a place")).to_owned();
    let bought = simulates(&acme.client, "authorization", "buy", &ada.presents("9")).done(200);
    let following = json!({ "simulationId": id(&bought.json()) });
    let all = [
        ("authorization", ada.presents("1")),
        ("advice", following.clone()),
        ("clearing", following.clone()),
        ("refund", following.clone()),
        ("reversal", following),
        ("shipment", json!({ "customerId": ada.customer, "orderId": order })),
    ];
    for (what, body) in &all {
        let once = simulates(&acme.client, what, "the key", body).done(200);
        let before = stands(&acme, &ada.balance);
        let again = simulates(&acme.client, what, "the key", body).done(200);
        assert_eq!((again.header("idempotent-replayed"), &again.text), (Some("true"), &once.text));
        assert_eq!(stands(&acme, &ada.balance), before, "{what}");
        let other = simulates(&acme.client, what, "the key", &json!({ "other": 1 }));
        assert_eq!(other.refused(), (422, "IDEMPOTENCY_KEY_REUSED".into()), "{what}");
    }
    platform.close().await;

    let documented = posts(&secure_document().to_json().expect("JSON"));
    let documented = documented.iter().filter(|path| path.starts_with("/secure/simulate/"));
    assert_eq!(documented.count(), all.len());
    let platform = Platform::start().await;
    let acme = platform.partner("Acme", "99999912");
    for (what, body) in &all {
        let nowhere = simulates(&acme.client, what, "the key", body);
        assert_eq!(nowhere.refused(), (404, "NOT_FOUND".into()), "{what}");
    }
    platform.close().await;
}
