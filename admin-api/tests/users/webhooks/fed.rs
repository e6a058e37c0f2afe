//! What the journal has is told: once, in its order, to who asked for it, and not before they did.

use admin_api::NewCard;
use admin_api::webhooks::{Feeder, WebhookSettings};
use switch_domain::{BalanceId, CardId, Expiry, LockCode};
use switch_shard::{Act, Manage};

use super::stage::Hooks;
use crate::world::{Tenant, World, at, key, text};

const CARDS: &[&str] = &[
    "card.issued",
    "card.activated",
    "card.locked",
    "card.unlocked",
    "card.renewed",
    "card.removed",
];
/// Later than anything that happens in these tests: the clock of the shards is the system's.
const LATER: i64 = 1_000_000_000;
/// Before all of it.
const EARLY: i64 = -1_000_000_000;

/// An account of somebody of a tenant.
async fn account(world: &World, tenant: Tenant, name: &str) -> BalanceId {
    let customer = world.services.register_customer(tenant.partner, name).await.expect("one");
    let actor = text("operator:1");
    let opened = world.services.open_balance(key(name), actor, tenant.programme, customer).await;
    opened.expect("an account")
}

async fn card(world: &World, balance: BalanceId, name: &str, active: bool) -> CardId {
    let expiry = Expiry::from_yymm(4_912).expect("a month");
    let new = NewCard { balance, expiry, active };
    let issued = world.services.issue_card(key(name), text("operator:1"), new).await;
    issued.expect("a card").card
}

// covers: API-18
#[tokio::test]
async fn what_happens_to_cards_is_told_in_its_order_to_who_asked() {
    let mut hooks = Hooks::new().await;
    let world = &hooks.world;
    let (one, other) = (world.one, world.other);
    let before = account(world, one, "before").await;
    card(world, before, "before card", true).await;
    // Nobody asked: the journal is not followed.
    assert_eq!(hooks.feeds(at(LATER)).await, 0);
    assert_eq!(world.count("SELECT count(*) FROM webhook_feed").await, 0);

    hooks.registers_at(one.partner, ("/one", EARLY), CARDS).await;
    let balance = account(world, one, "a").await;
    let handle = world.users.handle_of(balance).await.expect("a name");
    let first = card(world, balance, "card a", false).await;
    let second = card(world, balance, "card b", true).await;
    let actor = text("operator:1");
    world.services.activate_card(key("activate"), actor, first).await.expect("active");
    let lock = world.services.lock_card(key("lock"), actor, first, LockCode::PendingQuery);
    lock.await.expect("locked");
    world.services.unlock_card(key("unlock"), actor, first).await.expect("unlocked");
    let expiry = Expiry::from_yymm(5_001).expect("a month");
    let act = Act::RenewCard { card: first, expiry, plastic: None };
    let renewed = world.services.node().manage(Manage { key: key("renew"), actor, act }, None);
    renewed.await.expect("renewed");
    world.services.remove_card(key("remove"), actor, first).await.expect("removed");
    let theirs = account(world, other, "b").await;
    card(world, theirs, "card c", true).await;

    assert_eq!(hooks.feeds(at(LATER)).await, 7);
    assert_eq!(hooks.feeds(at(LATER)).await, 0, "once");
    assert_eq!(hooks.runs(at(LATER)).await, 7);
    let cards = hooks.sender.told("/one", "/card/cardId");
    let kinds = hooks.sender.told("/one", "/type");
    let of = |card: CardId| -> Vec<&str> {
        let all = cards.iter().zip(&kinds);
        all.filter(|(one, _)| **one == card.0.to_string()).map(|(_, kind)| kind.as_str()).collect()
    };
    assert_eq!(of(first), CARDS);
    assert_eq!(of(second), ["card.issued"]);
    let locked = kinds.iter().position(|kind| kind == "card.locked").expect("there");
    let sent = &hooks.sender.sent()[locked].1.body;
    let body: serde_json::Value = serde_json::from_str(sent).expect("JSON");
    assert_eq!(body["card"]["lock"]["reasonCode"], 3);
    assert_eq!(body["card"]["balanceId"], handle.to_string());
    let renewed = kinds.iter().position(|kind| kind == "card.renewed").expect("there");
    let told: serde_json::Value =
        serde_json::from_str(&hooks.sender.sent()[renewed].1.body).expect("JSON");
    assert_eq!(
        (&told["card"]["status"], &told["card"]["expiry"]),
        (&"RENEWED".into(), &"01/50".into())
    );
    let four = body["card"]["lastFourDigits"].as_str().expect("digits");
    assert_eq!(four.len(), 4);
    let mut members: Vec<&String> = body.as_object().expect("members").keys().collect();
    members.sort();
    assert_eq!(members, ["card", "date", "description", "status", "type"]);
    hooks.world.close().await;
}

/// Two that follow the journal at once, one row at a time, and one that ends in the middle: each
/// message is made once.
// covers: API-18, API-11
#[tokio::test]
async fn however_many_follow_the_journal_and_wherever_one_ends_each_message_is_made_once() {
    let hooks = Hooks::with(WebhookSettings { rows_at_once: 1, ..Default::default() }).await;
    let world = &hooks.world;
    let (made, _) = hooks.registers_at(world.one.partner, ("/one", EARLY), CARDS).await;
    let balance = account(world, world.one, "a").await;
    for number in 0..4 {
        let name = format!("card {number}");
        let card = card(world, balance, &name, true).await;
        let actor = text("operator:1");
        let lock = world.services.lock_card(
            key(&format!("{name} l")),
            actor,
            card,
            LockCode::PendingQuery,
        );
        lock.await.expect("locked");
    }
    let other = Feeder::new(hooks.webhooks.clone());
    // One that is dropped wherever it is: its transaction is taken back.
    for polls in 1..40 {
        let step = other.step(at(LATER));
        let mut step = std::pin::pin!(step);
        for _ in 0..polls {
            let once = std::future::poll_fn(|context| {
                std::task::Poll::Ready(step.as_mut().poll(context).is_ready())
            });
            if once.await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let both = async {
        loop {
            let (one, two) = tokio::join!(hooks.feeder.step(at(LATER)), other.step(at(LATER)));
            let rows = one.map_or(1, |fed| fed.rows) + two.map_or(1, |fed| fed.rows);
            if rows == 0 {
                return;
            }
        }
    };
    both.await;
    let told = hooks.messages(&made).await;
    let kinds: Vec<&str> = told.iter().map(|message| message.kind.name()).collect();
    assert_eq!(kinds, ["card.issued", "card.locked"].repeat(4));
    let sql = "SELECT count(*) FROM webhook_feed JOIN projection USING (shard) \
               WHERE webhook_feed.seq <> projection.seq";
    assert_eq!(world.count(sql).await, 0);
    hooks.world.close().await;
}
