//! What becomes of plastic: ordered with a PIN, its PIN changed while the chip does not know, put
//! in the place of other plastic. By the real binary, from the order to chip and PIN over TCP.

use serde_json::{Value, json};
use simulators::chip::{CardFacts, SimulatedCard, pin_verification_value};

use super::client::Client;
use super::plastic::{PIN, RIGHT, Shop, buys, wanted};
use super::platform::PIN as USERS_PIN;
use crate::card_security::set_pin_reference;
use crate::issuer::{chip_and_pin, connect, set, test_keys};
use crate::speaker::Speaker;
use crate::speaker::Value::Text;

const NONE: &Value = &Value::Null;

impl Shop {
    /// An order with a PIN.
    pub(super) fn with_pin(&self, pin: &str) -> Value {
        let mut new = self.wanted();
        new["pin"] = json!(pin);
        new
    }

    /// Has the bureau make what is ordered, and linked; the card.
    pub(super) async fn made(&mut self, order: &str) -> String {
        self.until(order, "SENT").await;
        assert_eq!(self.bureau.look(None).expect("it works").cards, 1);
        let linked = self.until(order, "LINKED").await;
        linked["cardId"].as_str().expect("a card").to_owned()
    }

    pub(super) fn card(&self, card: &str) -> String {
        format!("/secure/customers/{}/cards/{card}", self.customer)
    }

    pub(super) fn details(&self, card: &str) -> Value {
        self.partner.client.get(&format!("{}/details", self.card(card))).done(200).json()
    }

    pub(super) fn activates(&self, card: &str) {
        let path = format!("{}/activate", self.card(card));
        self.partner.client.post(&path, &format!("activate {card}"), NONE).done(204);
    }

    /// The customer's app, with the user's own PIN given a moment ago where that is wanted.
    pub(super) fn app(&self, device: &str, stepped_up: bool) -> Client {
        let app = self.partner.pairs(&self.platform.anonymous(), &self.customer, device);
        let app = app.opens();
        if stepped_up {
            let pin = json!({ "pin": USERS_PIN });
            app.send("POST", "/customers/sessions/current/step-up", &[], Some(&pin)).done(200);
        }
        app
    }

    pub(super) async fn speaks(&self) -> Speaker {
        connect(&self.platform.served, "test", "iso87-ascii").await
    }
}

/// The same card in the hand of who knows this PIN, after so many uses.
pub(super) fn with(card: &SimulatedCard, pin: &str, uses: u16) -> SimulatedCard {
    let facts = CardFacts { pin: pin.to_owned(), ..card.facts().clone() };
    let mut card = SimulatedCard::personalised(&test_keys(), facts).expect("a card");
    card.resume(uses);
    card
}

// covers: SR-136, A-06
#[tokio::test(flavor = "multi_thread")]
async fn sr_136_plastic_that_is_ordered_with_a_pin_has_it_on_the_day_it_is_activated() {
    let mut shop = Shop::open().await;
    let path = format!("/secure/customers/{}/cards/physical_with_pin", shop.customer);
    let client = shop.partner.client.clone();
    let plain = client.post(&path, "in clear", &shop.with_pin(PIN));
    assert_eq!(plain.refused(), (403, "ENCRYPTION_REQUIRED".into()));
    for easy in ["1234", "1111", "82"] {
        let refused = shop.reader.tell(&client, &path, "easy", &shop.with_pin(easy));
        assert_eq!(refused.refused(), (400, "INVALID_REQUEST".into()), "{easy}");
        let said = refused.json()["detail"].to_string();
        assert!(!said.contains(easy), "{refused:?}");
    }
    let kept = "SELECT count(*) FROM idempotent_answer";
    let before = shop.platform.count(kept).await;
    // The same key is the same order, and another PIN under it changes nothing.
    let orders = [PIN, "7391"].map(|pin| {
        let answer = shop.reader.tell(&client, &path, "first", &shop.with_pin(pin)).done(201);
        let order = shop.reader.opens(&answer)["orderId"].clone();
        order.as_str().expect("an identifier").to_owned()
    });
    assert_eq!(orders[0], orders[1]);
    let order = &orders[0];
    assert_eq!(shop.platform.count(kept).await, before, "nothing of the request is kept");
    let id = shop.made(order).await;
    let pins = "SELECT count(*) FROM card_order_pin";
    assert_eq!(shop.platform.count(pins).await, 0, "a card that is linked has its PIN itself");
    // Whoever opens the envelope of the bureau has the card, and the PIN is the holder's.
    let facts = shop.made_of(order);
    assert_eq!(facts.pin, PIN, "the bureau has it out of its block");
    let mut card = SimulatedCard::personalised(&test_keys(), facts).expect("a card");
    let mut peer = shop.speaks().await;
    assert_ne!(buys(&mut peer, &mut card, 1, None).await.0, "00", "it is inactive");
    shop.activates(&id);
    assert_eq!(shop.details(&id)["pinStatus"], "SET", "the chip was made with it");
    assert_eq!(buys(&mut peer, &mut card, 2, None).await, ("00".to_owned(), RIGHT));
    assert_eq!(buys(&mut peer, &mut with(&card, "7391", 30), 30, None).await.0, "55");

    // The holder's own app gives the user's PIN again; one of another tenant finds nobody.
    let own = "/customers/me/cards/physical_with_pin";
    let app = shop.app("device-0001", false);
    let refused = shop.reader.tell(&app, own, "own", &shop.with_pin(PIN));
    assert_eq!(refused.refused(), (403, "STEP_UP_REQUIRED".into()));
    let pin = json!({ "pin": USERS_PIN });
    app.send("POST", "/customers/sessions/current/step-up", &[], Some(&pin)).done(200);
    let placed = shop.reader.tell(&app, own, "own", &shop.with_pin(PIN)).done(201);
    assert_eq!(
        app.get(placed.header("location").expect("a place")).done(200).json()["way"],
        "POST"
    );
    let other = shop.platform.partner("Other", "99999913");
    let refused = shop.reader.tell(&other.client, &path, "other", &shop.with_pin(PIN));
    assert_eq!(refused.refused(), (404, "NOT_FOUND".into()));
    drop(peer);
    shop.close().await;
}

// covers: SR-178, SR-179, SR-180, SR-181
#[tokio::test(flavor = "multi_thread")]
async fn sr_179_to_181_a_new_pin_pends_until_the_chip_was_used_with_it_online() {
    let mut shop = Shop::open().await;
    let order = shop.orders("first");
    let id = shop.made(&order).await;
    shop.activates(&id);
    let mut card = shop.soft_card(&order);
    let pvv = pin_verification_value(&test_keys().pin_values, card.facts().pan.digits(), 1, PIN);
    assert!(set_pin_reference(&shop.platform.served, &id, &pvv).0);
    let mut peer = shop.speaks().await;
    assert_eq!(shop.details(&id)["pinStatus"], "CHIP_PENDING", "its first PIN as well");
    assert_eq!(buys(&mut peer, &mut card, 1, None).await.0, "00");
    assert_eq!(shop.details(&id)["pinStatus"], "SET");

    let app = shop.app("device-0001", true);
    let path = format!("/customers/me/cards/{id}/pin");
    let answer = shop.reader.tell(&app, &path, "new", &json!({ "pin": "7391" })).done(200);
    let told = shop.reader.opens(&answer);
    assert_eq!(told["pinStatus"], "CHIP_PENDING");
    let notice = told["pinNotice"].as_str().expect("words for the holder").to_owned();
    assert!(notice.contains("cash machine"), "{notice}");
    assert_eq!(shop.details(&id)["pinNotice"], notice.as_str());
    // Without contacts the PIN is asked for online: the new one, and the chip learns nothing.
    let (mut old, mut new) = (with(&card, PIN, 10), with(&card, "7391", 20));
    for (stan, card, action) in [(110, &mut old, "55"), (111, &mut new, "00")] {
        let (mut draft, _) = chip_and_pin(&peer, card, (stan, "000000", 100), None);
        set(&mut draft, 14, Text(card.facts().expiry.clone()));
        set(&mut draft, 22, Text("071".to_owned()));
        assert_eq!(peer.ask("100", &draft).await.action, action, "{stan}");
    }
    assert_eq!(shop.details(&id)["pinStatus"], "CHIP_PENDING");
    // It is no matter of one process' memory.
    drop(peer);
    let shop = shop.restart();
    assert_eq!(shop.details(&id)["pinStatus"], "CHIP_PENDING");
    let mut peer = shop.speaks().await;
    (old, new) = (with(&card, PIN, 30), with(&card, "7391", 40));
    assert_eq!(buys(&mut peer, &mut old, 112, None).await.0, "55");
    assert_eq!(shop.details(&id)["pinStatus"], "CHIP_PENDING", "a declined one tells nothing");
    assert_eq!(buys(&mut peer, &mut new, 113, None).await.0, "00");
    let shown = shop.details(&id);
    assert_eq!((&shown["pinStatus"], &shown["pinNotice"]), (&json!("SET"), NONE), "{shown}");
    drop(peer);
    let shop = shop.restart();
    assert_eq!(shop.details(&id)["pinStatus"], "SET");
    shop.close().await;
}

// covers: SR-207
#[tokio::test(flavor = "multi_thread")]
async fn plastic_in_the_place_of_plastic_locks_it_when_it_is_activated() {
    let mut shop = Shop::open().await;
    let pays = |shop: &Shop, order: &str, id: &str| {
        let card = shop.soft_card(order);
        let digits = card.facts().pan.digits().to_owned();
        let pvv = pin_verification_value(&test_keys().pin_values, &digits, 1, PIN);
        assert!(set_pin_reference(&shop.platform.served, id, &pvv).0);
        card
    };
    let first = shop.orders("first");
    let old = shop.made(&first).await;
    shop.activates(&old);
    let mut old_card = pays(&shop, &first, &old);
    let path = format!("{}/replace", shop.card(&old));
    let client = shop.partner.client.clone();
    let missing = shop.reader.post(&client, &path, "nowhere", &json!({})).refused();
    assert_eq!(missing, (400, "INVALID_REQUEST".into()));
    let mut sent = wanted("none");
    sent.as_object_mut().expect("members").remove("balanceId");
    let placed = shop.reader.post(&client, &path, "replace", &sent).done(201);
    let order = shop.reader.opens(&placed)["order"].clone();
    assert_eq!((&order["state"], &order["replaces"]), (&json!("ORDERED"), &json!(old)));
    let order = order["orderId"].as_str().expect("an identifier").to_owned();
    let again = shop.reader.post(&client, &path, "replace", &sent).done(201);
    assert_eq!(shop.reader.opens(&again)["order"]["orderId"], order.as_str(), "one order");
    let other = shop.reader.post(&client, &path, "another", &sent);
    assert_eq!(other.refused(), (409, "CONFLICT".into()));
    let new = shop.made(&order).await;
    let mut new_card = pays(&shop, &order, &new);
    assert_ne!(new_card.facts().pan.digits(), old_card.facts().pan.digits());
    let mut peer = shop.speaks().await;
    assert_eq!(buys(&mut peer, &mut old_card, 1, None).await.0, "00", "until the other is there");
    assert_ne!(buys(&mut peer, &mut new_card, 20, None).await.0, "00");
    let shown = (shop.details(&old), shop.details(&new));
    assert_eq!((&shown.0["replacedBy"], &shown.1["replaces"]), (&json!(new), &json!(old)));
    assert_eq!((&shown.0["status"], &shown.1["status"]), (&json!("ACTIVE"), &json!("INACTIVE")));
    shop.activates(&new);
    assert_eq!(buys(&mut peer, &mut old_card, 3, None).await.0, "14", "locked: replaced");
    assert_eq!(buys(&mut peer, &mut new_card, 40, None).await, ("00".to_owned(), RIGHT));
    assert_eq!(shop.details(&old)["lock"]["reasonCode"], 8);
    drop(peer);
    shop.close().await;
}
