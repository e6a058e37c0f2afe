//! Accounts and cards of corporations: refused before they are approved, made after it, and spent
//! from by their employees.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Desk, MISSING};
use crate::api::cards::rig::Known;
use crate::api::client::Answer;
use crate::api::plastic;
use crate::api::platform::euros;
use crate::stage::{peer, purchase};

const NONE: &Value = &Value::Null;
const NOT_APPROVED: (u16, &str) = (409, "CORPORATION_NOT_APPROVED");

fn code(answer: &Answer) -> (u16, String) {
    answer.refused()
}

/// A card for an employee.
fn card(corporation: &str, balance: &str, employee: &str) -> Value {
    json!({
        "dcCorporationId": corporation, "balanceId": balance,
        "cardholder": { "name": "ADA LOVELACE", "reference": employee }
    })
}

fn with_delivery(mut card: Value) -> Value {
    card["delivery"] = plastic::wanted(MISSING)["delivery"].clone();
    card
}

fn with_pin(card: Value) -> Value {
    let mut card = with_delivery(card);
    card["pin"] = json!(plastic::PIN);
    card
}

impl Desk {
    fn opens(&self, corporation: &str, key: &str) -> Answer {
        let new = json!({
            "dcCorporationId": corporation, "configurationId": self.acme.programme.to_string()
        });
        self.acme.client.post("/secure/balances", key, &new)
    }

    /// What comes of asking for each of the three kinds of card.
    fn asks_for_each(&self, corporation: &str, balance: &str, key: &str) -> [Answer; 3] {
        let (client, of) = (&self.acme.client, |who: &str| card(corporation, balance, who));
        [
            self.reader.post(client, "/secure/cards/virtual", key, &of("E-1")),
            self.reader.post(client, "/secure/cards/physical", key, &with_delivery(of("E-2"))),
            self.reader.tell(client, "/secure/cards/physical_with_pin", key, &with_pin(of("E-3"))),
        ]
    }

    /// An employee buys something at a terminal of an acquirer; the action code.
    async fn buys(&self, card: &Known, stan: u32, cents: u64) -> String {
        let mut message = purchase(&card.pan, stan, cents);
        message.set(14, card.expiry.clone()).expect("a legal field");
        let mut acquirer = peer(self.platform.served.link, 1).await;
        let answer = acquirer.exchange(0, &message).await.expect("an answer");
        answer.text(39).expect("an action code").to_owned()
    }

    /// Waits until there is a card of an order; its name.
    async fn linked(&self, order: &str) -> String {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        for _ in 0..3_000 {
            let found = self.acme.client.get(order).done(200).json();
            if let Some(card) = found["cardId"].as_str() {
                return card.to_owned();
            }
            looks.tick().await;
        }
        panic!("{order} is not linked")
    }

    /// Waits until an order is with the bureau.
    async fn sent(&self, order: &str) {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while self.acme.client.get(order).done(200).json()["state"] != "SENT" {
            looks.tick().await;
        }
    }
}

fn balance_of(opened: &Answer) -> String {
    opened.json()["balanceId"].as_str().expect("an identifier").to_owned()
}

// covers: SR-035, SR-036, SR-037, SR-038, SR-133, SR-134, SR-135, SR-136, SR-234, A-27, A-28
#[tokio::test(flavor = "multi_thread")]
async fn from_the_approval_to_an_employees_purchase() {
    let desk = Desk::open_with(Vec::new()).await;
    let (client, reader) = (&desk.acme.client, &desk.reader);
    let waits = desk.creates("waits");
    assert_eq!(code(&desk.opens(&waits, "early")), (NOT_APPROVED.0, NOT_APPROVED.1.into()));
    for answer in desk.asks_for_each(&waits, MISSING, "early") {
        assert_eq!(code(&answer), (NOT_APPROVED.0, NOT_APPROVED.1.into()));
    }

    let corporation = desk.approved("c-1");
    let opened = desk.opens(&corporation, "open").done(201);
    let balance = balance_of(&opened);
    let place = format!("/secure/customers/{corporation}/balances/{balance}");
    assert_eq!(opened.header("location"), Some(place.as_str()));
    let at_first = ["ledger", "held", "available"].map(|name| opened.json()[name].clone());
    assert_eq!(at_first, [euros("0.00"), euros("0.00"), euros("0.00")], "it starts at zero");
    assert_eq!(desk.opens(&corporation, "open").done(201).text, opened.text);
    let reload = json!({ "amount": euros("100.00"), "reference": "bank transfer 4711" });
    client.post(&format!("{place}/reload"), "reload", &reload).done(200);

    // Each of the three; in clear none, and once under a key.
    let wanted = card(&corporation, &balance, "E-1");
    let clear = client.post("/secure/cards/virtual", "clear", &wanted);
    assert_eq!(code(&clear), (403, "ENCRYPTION_REQUIRED".into()));
    let [own, ordered, with_pin] =
        desk.asks_for_each(&corporation, &balance, "made").map(|one| one.done(201));
    let ada = Known::of(&reader.opens(&own));
    let again = desk.asks_for_each(&corporation, &balance, "made").map(|one| one.done(201));
    assert_eq!(Known::of(&reader.opens(&again[0])).id, ada.id);
    for (one, same) in [(&ordered, &again[1]), (&with_pin, &again[2])] {
        assert_eq!(one.header("location"), same.header("location"), "the same order");
    }
    for (name, value) in [("programmeId", json!(4711)), ("balanceId", json!(MISSING))] {
        let mut wrong = wanted.clone();
        wrong[name] = value;
        let refused = reader.post(client, "/secure/cards/virtual", name, &wrong);
        assert!(matches!(refused.status, 400 | 404), "{name}: {refused:?}");
    }

    // An employee buys, and it is the company's money.
    assert_eq!(desk.buys(&ada, 1, 1_000).await, "00");
    let read = client.get(&place).done(200).json();
    assert_eq!((&read["available"], &read["held"]), (&euros("90.00"), &euros("10.00")));

    // The plastic ones are made, linked and activated as everybody's, and say whose they are.
    let orders = [&ordered, &with_pin].map(|one| one.header("location").expect("a place"));
    for order in orders {
        desk.sent(order).await;
    }
    plastic::bureau(desk.platform.directory.path()).look(None).expect("it works");
    let cards = format!("/secure/customers/{corporation}/cards");
    for (order, employee, pin) in [(orders[0], "E-2", "NOT_SET"), (orders[1], "E-3", "SET")] {
        let made = desk.linked(order).await;
        let shown = client.get(&format!("{cards}/{made}/details")).done(200).json();
        assert_eq!(
            json!([shown["form"], shown["status"], shown["holderName"], shown["reference"]]),
            json!(["PHYSICAL", "INACTIVE", "ADA LOVELACE", employee])
        );
        assert_eq!(shown["pinStatus"], pin);
        client.post(&format!("{cards}/{made}/activate"), "activate", NONE).done(204);
    }
    let listed = client.get(&cards).done(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(3), "{listed}");
    assert_eq!(listed["items"][0]["reference"], "E-1");
    lives(&desk, &corporation, &ada).await;
    held(&desk, (&corporation, &balance), &ada).await;
    desk.platform.close().await;
}

/// Read, locked, unlocked and replaced where the cards of customers are.
async fn lives(desk: &Desk, corporation: &str, ada: &Known) {
    let (client, reader) = (&desk.acme.client, &desk.reader);
    let one = format!("/secure/customers/{corporation}/cards/{}", ada.id);
    let read = reader.ask(client, "GET", &one, None).done(200);
    assert_eq!(Known::of(&reader.opens(&read)).pan, ada.pan);
    client.post(&format!("{one}/lock"), "lock", &json!({ "reasonCode": 3 })).done(204);
    assert_ne!(desk.buys(ada, 2, 100).await, "00");
    client.post(&format!("{one}/unlock"), "unlock", NONE).done(204);
    let replaced = reader.post(client, &format!("{one}/replace"), "replace", &json!({}));
    let new = reader.opens(&replaced.done(201));
    assert_eq!(
        json!([new["card"]["holderName"], new["card"]["reference"]]),
        json!(["ADA LOVELACE", "E-1"]),
        "the same employee's"
    );
    assert_eq!(desk.buys(&Known::of(&new), 3, 100).await, "00");
}

/// On hold nothing new is made, and what there is is as it was.
async fn held(desk: &Desk, (corporation, balance): (&str, &str), ada: &Known) {
    desk.decides(corporation, "HOLD").done(200);
    let refused = (NOT_APPROVED.0, NOT_APPROVED.1.to_owned());
    assert_eq!(code(&desk.opens(corporation, "held")), refused);
    for answer in desk.asks_for_each(corporation, balance, "held") {
        assert_eq!(code(&answer), refused);
    }
    // What was made before is told again.
    let again = desk.asks_for_each(corporation, balance, "made");
    assert_eq!(Known::of(&desk.reader.opens(&again[0])).id, ada.id);
    desk.decides(corporation, "REOPEN").done(200);
    desk.decides(corporation, "APPROVE").done(200);
    desk.opens(corporation, "again").done(201);
}
