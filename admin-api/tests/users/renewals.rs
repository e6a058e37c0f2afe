//! Renewals, cut off anywhere: asked again it is the same one, and never more than one of renewal,
//! replacement and plastic is under way. And plastic that is renewed, as the bureau sees it.

use admin_api::cards::{Channel, NewReplacement};
use admin_api::{NewPlastic, OrderState, OrderedBy, PlasticOrder, Problem};
use switch_domain::{Card, CardId, CardStatus, Expiry, LockCode, Timestamp};
use switch_security::reveal_test_pan;

use crate::cards::{Stage, by};
use crate::plastic::Shop;
use crate::world::{NOW, World, code, key, text};

const DAY: i64 = 24 * 3_600 * 1_000_000;
/// Cards are good for four years: those that were issued then end with this month.
const FOUR_YEARS_AGO: Timestamp = Timestamp(NOW.0 - 4 * 365 * DAY);

const fn on(days: i64) -> Timestamp {
    Timestamp(NOW.0 + days * DAY)
}

fn month(yymm: u16) -> Expiry {
    Expiry::from_yymm(yymm).expect("a month")
}

/// From here on it cannot be noted that a card is renewed.
async fn fails(world: &World) {
    let failing = "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
                   $$ BEGIN RAISE EXCEPTION 'no'; END $$";
    world.as_owner(failing).await;
    let trigger = "CREATE TRIGGER fail BEFORE UPDATE ON card_renewal FOR EACH ROW \
                   EXECUTE FUNCTION fail()";
    world.as_owner(trigger).await;
}

impl Stage {
    /// Cards are made by the switch itself from here on.
    async fn makes_its_own(&self) {
        self.world.as_owner("DELETE FROM programme_processor").await;
    }

    /// A card whose last month is this one.
    async fn due(&self, name: &str) -> CardId {
        let wanted = self.wanted();
        let made = self.cards.issue_virtual(self.holder, &wanted, by(name, FOUR_YEARS_AGO));
        let made = made.await.expect("a card").card;
        assert_eq!(made.expiry, month(2611));
        made.id
    }

    async fn renews(&self, card: CardId, name: &str, now: Timestamp) -> Result<u16, &'static str> {
        let owned = self.cards.of_holder(self.holder, &card.0.to_string()).await.expect("it is");
        let renewed = self.cards.renew(self.holder, &owned, by(name, now)).await;
        renewed.map(|owned| owned.card.expiry.yymm()).map_err(|problem| problem.code)
    }

    async fn expiry(&self, card: CardId) -> Expiry {
        self.world.services.node().card(card).await.expect("it is").expiry
    }

    async fn open(&self) -> i64 {
        self.world.count("SELECT count(*) FROM card_renewal WHERE renewed_at IS NULL").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_was_cut_off_ends_the_same_when_it_is_asked_again() {
    let stage = Stage::start().await;
    stage.makes_its_own().await;
    let first = stage.due("first").await;
    // The shard has done it, and that is not noted: nobody was answered.
    fails(&stage.world).await;
    assert_eq!(stage.renews(first, "one", NOW).await, Err("INTERNAL"));
    assert_eq!((stage.expiry(first).await, stage.open().await), (month(3011), 1));
    stage.world.as_owner("DROP TRIGGER fail ON card_renewal").await;
    // Whoever asks under another key brings it to its end, and is told that it is not due.
    assert_eq!(stage.renews(first, "two", NOW).await, Err("CONFLICT"));
    assert_eq!(stage.open().await, 0);
    // Asked again it is the same, whatever month it is by now.
    assert_eq!(stage.renews(first, "one", on(40)).await, Ok(3011));

    // The row is there, and the shard has heard nothing: replacement ends it first.
    let second = stage.due("second").await;
    assert_eq!(stage.renews(second, "one", NOW).await, Err("CONFLICT"), "that was another card");
    let row =
        format!("INSERT INTO card_renewal VALUES (gen_random_uuid(), {}, 3011, now())", second.0);
    stage.world.as_owner(&row).await;
    let owned = stage.cards.of_holder(stage.holder, &second.0.to_string()).await.expect("it is");
    let new = NewReplacement::default();
    let replaced =
        stage.cards.replace((stage.holder, Channel::User), &owned, &new, by("replaced", NOW));
    replaced.await.expect("another card");
    assert_eq!((stage.expiry(second).await, stage.open().await), (month(3011), 0));
    assert_eq!(stage.renews(second, "replaced", on(4 * 365)).await, Err("CONFLICT"), "locked: 8");

    // Two at once under one key, and two under two.
    let third = stage.due("third").await;
    let both = tokio::join!(stage.renews(third, "3", NOW), stage.renews(third, "3", NOW));
    assert!([both.0, both.1].contains(&Ok(3011)), "{both:?}");
    assert_eq!(stage.renews(third, "3", NOW).await, Ok(3011));
    assert_eq!(stage.world.count("SELECT count(*) FROM card_renewal").await, 3);
    stage.world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_renewed_from_sixty_days_before_its_end_on_and_ever_after() {
    let stage = Stage::start().await;
    // One of a processor elsewhere too.
    let far = CardId(stage.issue("far").await.expect("a card"));
    assert_eq!(stage.renews(far, "far later", on(4 * 365)).await, Ok(3411));
    stage.makes_its_own().await;
    let card = stage.due("card").await;
    // It ends with the thirtieth of November.
    assert_eq!(stage.renews(card, "early", on(-57)).await, Err("CONFLICT"), "of October the first");
    let both = tokio::join!(stage.renews(card, "a", on(-55)), stage.renews(card, "b", on(-55)));
    let done: Vec<_> = [both.0, both.1].into_iter().flatten().collect();
    assert_eq!(done, [3010], "one of both");
    assert_eq!(stage.renews(card, "late", on(10 * 365)).await, Ok(4011), "long after its end");
    let lost = stage.due("lost").await;
    let lock = stage.world.services.lock_card(key("lost lock"), text("a"), lost, LockCode::Lost);
    lock.await.expect("lost");
    assert_eq!(stage.renews(lost, "lost", NOW).await, Err("CONFLICT"));
    stage.world.close().await;
}

impl Shop {
    async fn renews(&self, card: &Card, named: &str) -> Result<PlasticOrder, Problem> {
        let by = OrderedBy { key: key(named), actor: text("partner:1"), now: on(3 * 365) };
        let whose = (self.world.one.partner, self.customer);
        self.plastic.renew(whose, card, &self.wanted(), by).await
    }

    async fn is_linked(&self, at: i64) {
        self.reports(&format!("{at}.csv"), &self.lines(), "1");
        let done = self.step(at + 1).await;
        assert_eq!((done.linked, done.refused), (1, 0), "{done:?}");
        std::fs::remove_dir_all(self.out()).expect("the bureau has it");
        std::fs::create_dir(self.out()).expect("made");
    }

    async fn activates(&self, card: CardId, named: &str) {
        let done = self.world.services.activate_card(key(named), text("partner:1"), card).await;
        done.expect("active");
    }
}

#[tokio::test]
async fn plastic_that_renews_a_card_is_another_record_of_it_and_good_once_it_is_activated() {
    let shop = Shop::new().await;
    let first = shop.orders("first").await;
    assert_eq!(shop.step(0).await.sent, 1);
    let number = |shop: &Shop| {
        let file = shop.opened();
        let [record] = &file.records[..] else { panic!("one record") };
        let pan = reveal_test_pan(&record.pan).expect("a test number").to_string();
        (pan, record.sequence, record.expiry, record.cvv2.is_some() && record.icvv.is_some())
    };
    let before = number(&shop);
    assert_eq!((before.1, before.2), (1, month(2911)));
    shop.is_linked(0).await;
    let card = shop.card(shop.order(&first).await.card).await;
    shop.activates(card.id, "first active").await;

    let order = shop.renews(&card, "renewed").await.expect("an order");
    assert_eq!(
        (order.renews, order.physical_of, order.state),
        (Some(card.id), None, OrderState::Ordered)
    );
    let again = shop.renews(&card, "renewed").await.expect("the same order");
    assert_eq!(again.reference, order.reference);
    assert_eq!(code(shop.renews(&card, "other").await), "CONFLICT", "one at a time");
    let replacing = NewPlastic { replaces: Some(card.id), ..shop.wanted() };
    assert_eq!(code(shop.asks(&replacing, "replacing").await), "CONFLICT", "one of both");
    assert_eq!(shop.step(10).await.sent, 1);
    assert_eq!(number(&shop), (before.0, 2, month(3211), true), "the same number");
    // Nothing comes of an activation before it is there.
    shop.activates(card.id, "too early").await;
    let active = Card { status: CardStatus::Active, ..card.clone() };
    assert_eq!(shop.card(Some(card.id)).await, active);
    shop.is_linked(10).await;
    let linked = shop.card(Some(card.id)).await;
    let references = linked.references.as_ref().expect("what its chip has");
    assert_eq!((linked.expiry, references.sequence), (month(2911), 1), "as before");
    assert!(references.plastic.takes(1) && !references.plastic.takes(2), "{references:?}");
    assert_eq!(code(shop.renews(&card, "other").await), "CONFLICT", "it waits for its activation");

    shop.activates(card.id, "second active").await;
    let renewed = shop.card(Some(card.id)).await;
    let references = renewed.references.as_ref().expect("what its chip has");
    assert_eq!((renewed.expiry, references.sequence), (month(3211), 2));
    assert!(!references.plastic.takes(1) && references.plastic.takes(2), "{references:?}");
    shop.activates(card.id, "again").await;
    assert_eq!(shop.card(Some(card.id)).await, renewed, "once");
    assert_eq!(code(shop.renews(&renewed, "no later").await), "CONFLICT", "good no longer");
    shop.world.close().await;
}
