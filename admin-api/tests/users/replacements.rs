//! Cards in another's place, cut off anywhere: asked again it ends the same, there is one new card,
//! and whoever was answered has one card that can be used. And PINs of orders, which go with them.

use admin_api::cards::{Channel, NewReplacement};
use admin_api::{Done, NewPlastic, OrderState, OrderedBy, PlasticOrder, Problem};
use switch_domain::{CardStatus, LockCode, PinReference};
use switch_security::KeyName;

use crate::cards::{Conduct, Stage, by};
use crate::plastic::Shop;
use crate::world::{NOW, World, code, key, text};

/// From here on it cannot be noted that a card is there.
async fn fails(world: &World) {
    let failing = "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
                   $$ BEGIN RAISE EXCEPTION 'no'; END $$";
    world.as_owner(failing).await;
    let trigger = "CREATE TRIGGER fail BEFORE UPDATE ON card_profile FOR EACH ROW \
                   WHEN (NEW.card_id IS NOT NULL) EXECUTE FUNCTION fail()";
    world.as_owner(trigger).await;
}

impl Stage {
    async fn replaces(&self, old: i64, name: &str) -> Result<i64, &'static str> {
        let owned = self.cards.of_holder(self.holder, &old.to_string()).await.expect("it is");
        let whose = (self.holder, Channel::User);
        let new = NewReplacement::default();
        let made = self.cards.replace(whose, &owned, &new, by(name, NOW)).await;
        made.map(|owned| owned.card.id.0).map_err(|problem| problem.code)
    }

    async fn lock(&self, card: i64) -> Option<LockCode> {
        let card = self.world.services.node().card(switch_domain::CardId(card)).await;
        card.expect("it is").lock
    }

    async fn cards(&self) -> usize {
        let page = self.cards.page_of(self.holder, None, 50).await.expect("a page");
        page.0.len()
    }
}

// covers: SR-207
#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_was_cut_off_ends_the_same_when_it_is_asked_again() {
    let stage = Stage::start().await;
    let first = stage.issue("first").await.expect("a card");
    // There is no new card: the old one is as it was.
    stage.far.does(Conduct::IsAway);
    assert_eq!(stage.replaces(first, "one").await, Err("PROCESSOR_UNAVAILABLE"));
    assert_eq!((stage.lock(first).await, stage.cards().await), (None, 1));
    stage.far.does(Conduct::Refuses);
    assert_eq!(stage.replaces(first, "one").await, Err("PROCESSOR_REFUSED"));
    assert_eq!(stage.lock(first).await, None);
    stage.far.does(Conduct::Makes);
    // The shard has the card, and that is not noted: nobody was answered.
    fails(&stage.world).await;
    assert_eq!(stage.replaces(first, "one").await, Err("INTERNAL"));
    assert_eq!(stage.lock(first).await, None, "not before the new one can be found");
    stage.world.as_owner("DROP TRIGGER fail ON card_profile").await;
    // Whoever asks under another key brings it to its end, and is told that it is done.
    assert_eq!(stage.replaces(first, "two").await, Err("CONFLICT"));
    assert_eq!(stage.lock(first).await, Some(LockCode::Replaced));
    let second = stage.replaces(first, "one").await.expect("the card of that order");
    assert_eq!(stage.replaces(first, "one").await, Ok(second), "one key, one card");
    assert_eq!(stage.cards().await, 2);
    // Two at once under one key, and two under two.
    let both = tokio::join!(stage.replaces(second, "three"), stage.replaces(second, "three"));
    let third = both.0.or(both.1).expect("a card");
    assert_eq!(stage.replaces(second, "three").await, Ok(third));
    let both = tokio::join!(stage.replaces(third, "four"), stage.replaces(third, "five"));
    let made: Vec<_> = [both.0, both.1].into_iter().flatten().collect();
    let [fourth] = made[..] else { panic!("one of them: {made:?}") };
    assert_eq!(stage.lock(fourth).await, None);
    for old in [first, second, third] {
        assert_eq!(stage.lock(old).await, Some(LockCode::Replaced));
    }
    // An account may have three: those that were replaced take no place.
    assert_eq!(stage.cards().await, 4);
    let fifth = stage.issue("fifth").await.expect("there is room");
    assert_eq!(stage.replaces(fourth, "six").await.map(|card| card > fifth), Ok(true));
    stage.world.close().await;
}

impl Shop {
    /// A card that the bureau has made and that is linked.
    async fn linked(&self, order: &PlasticOrder, at: i64) -> switch_domain::Card {
        assert_eq!(self.step(at).await.sent, 1);
        self.reports(&format!("{at}.csv"), &self.lines(), "1");
        assert_eq!(self.step(at + 1).await.linked, 1);
        std::fs::remove_dir_all(self.out()).expect("the bureau has it");
        std::fs::create_dir(self.out()).expect("made");
        let order = self.order(order).await;
        self.card(order.card).await
    }

    async fn lock_of(&self, card: &switch_domain::Card) -> Option<LockCode> {
        self.card(Some(card.id)).await.lock
    }

    async fn with_pin(&self, pin: &str, named: &str) -> Result<PlasticOrder, Problem> {
        let by = OrderedBy { key: key(named), actor: text("partner:1"), now: NOW };
        let whose = (self.world.one.partner, self.customer);
        self.plastic.order_with_pin(whose, &self.wanted(), pin, by).await
    }
}

// covers: SR-207
#[tokio::test]
async fn plastic_is_replaced_once_and_when_its_successor_is_activated_in_whatever_order() {
    let shop = Shop::new().await;
    let services = &shop.world.services;
    let old = shop.linked(&shop.orders("first").await, 0).await;
    services.activate_card(key("replaced a"), text("partner:1"), old.id).await.expect("active");
    let wanted = NewPlastic { replaces: Some(old.id), ..shop.wanted() };
    let order = shop.asks(&wanted, "second").await.expect("an order");
    assert_eq!(order.replaces, Some(old.id));
    assert_eq!(code(shop.asks(&wanted, "third").await), "CONFLICT", "one at a time");
    // It is activated before anybody has noted that it is there.
    let new = shop.linked(&order, 10).await;
    let unnoted = "UPDATE card_order SET state = 'PERSONALISED', card_id = NULL, linked_at = NULL \
                   WHERE state = 'LINKED' AND card_id = (SELECT max(card_id) FROM card_order)";
    shop.world.as_owner(unnoted).await;
    shop.world.as_owner(&format!("DELETE FROM card_profile WHERE card_id = {}", new.id.0)).await;
    assert_eq!(shop.lock_of(&old).await, None);
    services.activate_card(key("replaced b"), text("partner:1"), new.id).await.expect("active");
    assert_eq!(shop.lock_of(&old).await, Some(LockCode::Replaced));
    assert_eq!(shop.step(20).await, Done { linked: 1, ..Done::default() });
    let noted = "SELECT coalesce(max(replaces), 0)::int8 FROM card_profile";
    assert_eq!(shop.world.count(noted).await, old.id.0);
    assert_eq!(code(shop.asks(&wanted, "fourth").await), "CONFLICT", "it was replaced");
    // One that is lost keeps that, and an order that was refused leaves the place to another.
    let lost = NewPlastic { replaces: Some(new.id), ..shop.wanted() };
    let order = shop.asks(&lost, "fifth").await.expect("an order");
    let refused = "UPDATE card_order SET state = 'REFUSED', refusal = 'TEST' \
                   WHERE state = 'ORDERED'";
    shop.world.as_owner(refused).await;
    assert_eq!(shop.order(&order).await.state, OrderState::Refused);
    let order = shop.asks(&lost, "sixth").await.expect("an order");
    services
        .lock_card(key("replaced l"), text("partner:1"), new.id, LockCode::Lost)
        .await
        .expect("lost");
    let third = shop.linked(&order, 30).await;
    services.activate_card(key("replaced c"), text("partner:1"), third.id).await.expect("active");
    assert_eq!(shop.lock_of(&new).await, Some(LockCode::Lost));
    assert_eq!(shop.card(Some(third.id)).await.status, CardStatus::Active);
    shop.world.close().await;
}

// covers: SR-136, A-06
#[tokio::test]
async fn the_pin_of_an_order_goes_to_the_bureau_and_to_the_card_and_then_is_gone() {
    let shop = Shop::new().await;
    assert_eq!(code(shop.with_pin("1234", "easy").await), "INVALID_REQUEST");
    let order = shop.with_pin("8264", "first").await.expect("an order");
    let again = shop.with_pin("7391", "first").await.expect("the same order");
    assert_eq!((order.reference, order.state), (again.reference, OrderState::Ordered));
    let (pins, numbers) = ("SELECT count(*) FROM card_order_pin", "SELECT count(*) FROM pan_vault");
    assert_eq!((shop.world.count(pins).await, shop.world.count(numbers).await), (1, 1));
    // An order that comes to nothing takes no number with it.
    shop.with_pin("8264", "second").await.expect("an order");
    shop.with_pin("8264", "third").await.expect("an order");
    assert_eq!(code(shop.with_pin("8264", "fourth").await), "EXHAUSTED");
    assert_eq!(shop.world.count(numbers).await, 3);
    let refused = "UPDATE card_order SET state = 'REFUSED', refusal = 'TEST' \
                   WHERE reference <> ";
    shop.world.as_owner(&format!("{refused}'{}'", order.reference)).await;
    assert_eq!(shop.step(0).await.sent, 1);
    let file = shop.opened();
    assert_eq!(file.run.pin_key.as_ref().map(KeyName::as_str), Some("zpk"));
    assert!(file.records[0].pin.is_some());
    shop.reports("a.csv", &shop.lines(), "1");
    assert_eq!(shop.step(1).await.linked, 1);
    let card = shop.card(shop.order(&order).await.card).await;
    let references = card.references.as_ref().expect("what it is compared with");
    assert!(matches!(references.pin, Some(PinReference::Pvv { key_index: 1, .. })));
    let counters = shop.world.services.node().card_counters(card.id).await;
    assert!(!counters.unwrap_or_default().chip_pin_pends(), "the chip was made with it");
    let own = format!("{pins} WHERE reference = '{}'", order.reference);
    assert_eq!(shop.world.count(&own).await, 0);
    shop.world.close().await;
}
