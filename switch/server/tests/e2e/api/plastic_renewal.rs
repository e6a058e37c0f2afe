//! Plastic that is renewed, by the real binary: the plastic of before is good until the next one is
//! linked and activated, and from then on the next one alone, with chip and PIN over TCP.

use serde_json::{Value, json};
use simulators::chip::pin_verification_value;

use super::plastic::{PIN, RIGHT, Shop, buys, wanted};
use crate::card_security::set_pin_reference;
use crate::issuer::{chip_and_pin, connect, test_keys};
use crate::speaker::Speaker;

const NONE: &Value = &Value::Null;
/// How long plastic is good.
pub(super) const MONTHS: &str = "CARDSWITCH_API__PERSONALISATION__MONTHS";

/// Where it goes: nothing else has to be said of plastic whose holder is known.
pub(super) fn sent() -> Value {
    json!({ "delivery": wanted("none")["delivery"] })
}

impl Shop {
    pub(super) async fn speaker(&self) -> Speaker {
        connect(&self.platform.served, "test", "iso87-ascii").await
    }

    fn activates_by_api(&self, card: &str, key: &str) {
        let path = format!("{}/activate", self.card(card));
        self.partner.client.post(&path, key, NONE).done(204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plastic_is_good_until_the_one_that_renews_it_is_linked_and_activated() {
    let mut shop = Shop::open_with(vec![(MONTHS, "1".to_owned())]).await;
    let first = shop.orders("first");
    let id = shop.made(&first).await;
    shop.activates_by_api(&id, "first");
    let mut old = shop.soft_card(&first);
    let pvv = pin_verification_value(&test_keys().pin_values, old.facts().pan.digits(), 1, PIN);
    assert!(set_pin_reference(&shop.platform.served, &id, &pvv).0);
    let mut peer = shop.speaker().await;
    assert_eq!(buys(&mut peer, &mut old, 1, None).await.0, "00");
    drop(peer);
    let path = format!("{}/renew", shop.card(&id));
    let early = shop.reader.post(&shop.partner.client, &path, "no later", &sent());
    assert_eq!(early.refused(), (409, "CONFLICT".into()), "it would be good no longer");

    // The switch dies, and makes plastic that is good for longer when it is back.
    let shop = shop.crash(vec![(MONTHS, "36".to_owned())]);
    let client = shop.partner.client.clone();
    let missing = shop.reader.post(&client, &path, "nowhere", &json!({})).refused();
    assert_eq!(missing, (400, "INVALID_REQUEST".into()));
    let placed = shop.reader.post(&client, &path, "renew", &sent()).done(201);
    let order = shop.reader.opens(&placed)["order"].clone();
    assert_eq!((&order["state"], &order["renews"]), (&json!("ORDERED"), &json!(id)));
    assert_eq!((&order["physicalOf"], &order["replaces"]), (NONE, NONE));
    let order = order["orderId"].as_str().expect("an identifier").to_owned();
    let again = shop.reader.post(&client, &path, "renew", &sent()).done(201);
    assert_eq!(shop.reader.opens(&again)["order"]["orderId"], order.as_str(), "one order");
    let mut whole = sent();
    whole["holderName"] = json!("Ada Lovelace");
    let replace = format!("{}/replace", shop.card(&id));
    let other = shop.reader.post(&client, &replace, "replace", &whole).refused();
    assert_eq!(other, (409, "CONFLICT".into()), "one of both");
    let other = shop.reader.post(&client, &path, "another", &sent()).refused();
    assert_eq!(other, (409, "CONFLICT".into()), "one at a time");
    shop.until(&order, "SENT").await;

    // And once more, while the bureau has its file.
    let mut shop = shop.crash(Vec::new());
    shop.activates_by_api(&id, "too early");
    assert_eq!(shop.bureau.look(None).expect("it works").cards, 1);
    let linked = shop.until(&order, "LINKED").await;
    assert_eq!(linked["cardId"], id.as_str(), "it is the same card");
    let mut new = shop.soft_card(&order);
    let (before, after) = (old.facts().clone(), new.facts().clone());
    assert_eq!(after.pan.digits(), before.pan.digits());
    assert_eq!((before.sequence, after.sequence), (1, 2));
    assert!(after.expiry > before.expiry, "{} {}", before.expiry, after.expiry);
    let mut peer = shop.speaker().await;
    assert_eq!(buys(&mut peer, &mut new, 20, None).await.0, "54", "it is not activated");
    assert_eq!(without_month(&mut peer, &mut new, 21).await, "54");
    assert_eq!(buys(&mut peer, &mut old, 2, None).await, ("00".to_owned(), RIGHT));
    assert_eq!(shop.details(&id)["pinStatus"], "SET");
    let shown = shop.details(&id);
    assert_eq!(shown["expiry"], format!("{}/{}", &before.expiry[2..], &before.expiry[..2]));

    shop.activates_by_api(&id, "second");
    assert_eq!(buys(&mut peer, &mut old, 3, None).await.0, "54", "no longer");
    assert_eq!(without_month(&mut peer, &mut old, 4).await, "54", "by its number alone");
    let shown = shop.details(&id);
    assert_eq!(shown["expiry"], format!("{}/{}", &after.expiry[2..], &after.expiry[..2]));
    assert_eq!((&shown["status"], &shown["pinStatus"]), (&json!("ACTIVE"), &json!("CHIP_PENDING")));
    assert_eq!(buys(&mut peer, &mut new, 22, None).await, ("00".to_owned(), RIGHT));
    assert_eq!(shop.details(&id)["pinStatus"], "SET");
    drop(peer);
    let shop = shop.crash(Vec::new());
    let mut peer = shop.speaker().await;
    assert_eq!(buys(&mut peer, &mut old, 5, None).await.0, "54");
    assert_eq!(buys(&mut peer, &mut new, 23, None).await.0, "00");
    let other = shop.reader.post(&shop.partner.client, &path, "third", &sent()).refused();
    assert_eq!(other, (409, "CONFLICT".into()), "it is good for long");
    drop(peer);
    shop.close().await;
}

/// A purchase with chip and PIN in which no month is named but by the chip.
async fn without_month(
    peer: &mut Speaker,
    card: &mut simulators::chip::SimulatedCard,
    stan: u32,
) -> String {
    let (mut draft, _) = chip_and_pin(peer, card, (stan, "000000", 100), None);
    draft.retain(|(field, _)| ![14, 35].contains(field));
    peer.ask("100", &draft).await.action
}
