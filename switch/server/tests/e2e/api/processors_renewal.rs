//! Renewal of cards whose processor is elsewhere, by the real binary: it is told of the later month
//! before that is in force, of plastic when that is activated, and where it is not nothing changes.

use serde_json::{Value, json};
use simulators::chip::pin_verification_value;
use simulators::processor::Conduct;

use super::cards::rig::Known;
use super::client::Answer;
use super::plastic::{PIN, RIGHT, Shop, buys};
use super::plastic_renewal::{MONTHS, sent};
use super::processors::{Far, until};
use crate::card_security::set_pin_reference;
use crate::issuer::test_keys;

const VIRTUAL_MONTHS: &str = "CARDSWITCH_API__CARDS__MONTHS";
const UNAVAILABLE: (u16, &str) = (503, "PROCESSOR_UNAVAILABLE");
const REFUSED: (u16, &str) = (409, "PROCESSOR_REFUSED");

fn months(count: &str) -> Vec<(&'static str, String)> {
    vec![(MONTHS, count.to_owned()), (VIRTUAL_MONTHS, count.to_owned())]
}

fn is(answer: &Answer, wanted: (u16, &str)) {
    let (status, code) = answer.refused();
    assert_eq!((status, code.as_str()), wanted);
}

/// MM/YY of YYMM.
fn shown(expiry: &str) -> String {
    format!("{}/{}", &expiry[2..], &expiry[..2])
}

/// A shop whose cards are made elsewhere, and good for not much longer.
async fn open() -> (Far, Shop) {
    let far = Far::start().await;
    let pin_key = ("CARDSWITCH_API__CARDS__PIN_KEY", "zpk".to_owned());
    let more = [far.configuration(), vec![pin_key], months("1")].concat();
    let shop = Shop::open_with(more).await;
    far.is_chosen(&shop.platform, shop.partner.programme);
    (far, shop)
}

/// Waits until the processor knows a card to be good so long.
async fn knows(far: &Far, name: &str, expiry: &str) {
    until(far, |_| far.processor.expiry(name).as_deref() == Some(expiry)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_card_made_elsewhere_is_renewed_once_its_processor_knows() {
    let (far, shop) = open().await;
    let client = shop.partner.client.clone();
    let path = format!("/secure/customers/{}/cards/virtual", shop.customer);
    let wanted = json!({ "balanceId": shop.wanted()["balanceId"], "holderName": "ADA LOVELACE" });
    let issued = shop.reader.post(&client, &path, "card", &wanted).done(201);
    let old = Known::of(&shop.reader.opens(&issued));
    let shop = shop.crash(months("36"));
    let client = shop.partner.client.clone();
    let path = format!("{}/renew", shop.card(&old.id));
    let renew = |key: &str| shop.reader.post(&client, &path, key, &json!({}));
    let month = || shop.details(&old.id)["expiry"].clone();
    far.does(Conduct::Refuse);
    is(&renew("refused"), REFUSED);
    for conduct in [Conduct::Status(500), Conduct::Other] {
        far.does(conduct);
        is(&renew("first"), UNAVAILABLE);
        assert_eq!(month(), shown(&old.expiry), "{conduct:?}: not before the processor");
    }
    far.does_right();
    let told = shop.reader.opens(&renew("first").done(200));
    let new = Known::of(&told);
    assert_eq!((&new.pan, new.expiry > old.expiry), (&old.pan, true), "{old:?} {new:?}");
    assert_eq!(month(), shown(&new.expiry));
    knows(&far, "sim-1", &new.expiry).await;
    let again = Known::of(&shop.reader.opens(&renew("first").done(200)));
    assert_eq!(again.expiry, new.expiry, "the same key is the same renewal");
    is(&renew("another"), (409, "CONFLICT"));
    far.keeps_quiet(&[&new.pan]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plastic_that_renews_is_in_use_once_the_processor_knows() {
    let (far, mut shop) = open().await;
    let first = shop.orders("first");
    let id = shop.made(&first).await;
    shop.activates(&id);
    let mut old = shop.soft_card(&first);
    let pvv = pin_verification_value(&test_keys().pin_values, old.facts().pan.digits(), 1, PIN);
    assert!(set_pin_reference(&shop.platform.served, &id, &pvv).0);
    let mut shop = shop.crash(months("36"));
    let client = shop.partner.client.clone();
    let path = format!("{}/renew", shop.card(&id));
    let placed = shop.reader.post(&client, &path, "renew", &sent()).done(201);
    let order = shop.reader.opens(&placed)["order"]["orderId"].clone();
    let order = order.as_str().expect("an identifier").to_owned();
    assert_eq!(shop.made(&order).await, id, "the same card");
    let mut new = shop.soft_card(&order);
    let (before, after) = (old.facts().expiry.clone(), new.facts().expiry.clone());
    assert!(after > before);
    let mut peer = shop.speaker().await;
    let activate = |key: &str| {
        let path = format!("{}/activate", shop.card(&id));
        client.post(&path, key, &Value::Null)
    };
    far.does(Conduct::Status(503));
    is(&activate("1"), UNAVAILABLE);
    far.does(Conduct::Refuse);
    is(&activate("2"), REFUSED);
    assert_eq!(buys(&mut peer, &mut old, 1, None).await, ("00".to_owned(), RIGHT));
    assert_eq!(buys(&mut peer, &mut new, 20, None).await.0, "54", "it is not activated");
    far.does_right();
    activate("3").done(204);
    assert_eq!(buys(&mut peer, &mut old, 2, None).await.0, "54", "no longer");
    assert_eq!(buys(&mut peer, &mut new, 21, None).await, ("00".to_owned(), RIGHT));
    let name = far.processor.tally().heard.last().expect("a card").card.clone();
    knows(&far, &name, &after).await;
    far.keeps_quiet(&[new.facts().pan.digits()]);
    drop(peer);
    shop.close().await;
}

/// By command it is in force first; its processor hears of it later.
#[tokio::test(flavor = "multi_thread")]
async fn plastic_that_renews_and_is_activated_by_command_is_heard_of_later() {
    let (far, mut shop) = open().await;
    let first = shop.orders("first");
    let id = shop.made(&first).await;
    shop.activates(&id);
    let mut shop = shop.crash(months("36"));
    let path = format!("{}/renew", shop.card(&id));
    let placed = shop.reader.post(&shop.partner.client, &path, "renew", &sent()).done(201);
    let order = shop.reader.opens(&placed)["order"]["orderId"].clone();
    let order = order.as_str().expect("an identifier").to_owned();
    shop.made(&order).await;
    far.processor.die();
    shop.platform.served.command(&["card", "activate", &id]).expect("activated");
    let new = shop.soft_card(&order).facts().expiry.clone();
    assert_eq!(shop.details(&id)["expiry"], shown(&new));
    let shop = shop.crash(Vec::new());
    far.processor.revive().await.expect("there again");
    let name = far.processor.tally().heard.last().expect("a card").card.clone();
    knows(&far, &name, &new).await;
    shop.close().await;
}
