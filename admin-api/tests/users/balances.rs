//! Accounts: opened for the verified alone, named by what tells nothing, listed with their cards.

use admin_api::kyc::{KycState, Mover};
use admin_api::{NewCard, UserSettings};
use futures_util::future::join_all;
use switch_domain::{CardStatus, Expiry};
use uuid::Uuid;

use crate::world::{World, code, key, moving, text};

// covers: SR-030, SR-034
#[tokio::test]
async fn an_account_is_opened_for_the_verified_alone_and_once_a_key() {
    let world = World::with(UserSettings { balances_most: 2, ..Default::default() }).await;
    let (partner, users) = (world.one.partner, &world.users);
    let programme = world.one.programme;
    let id = world.customer("A-1").await.public_id;
    let open =
        |name: &str| users.open_balance_for(partner, id, programme, key(name), text("partner:1"));
    assert_eq!(code(open("1").await), "CUSTOMER_NOT_VERIFIED");
    users
        .set_kyc_flag(partner, id, moving(KycState::Verified, Mover::Partner))
        .await
        .expect("verified");
    let theirs = users
        .open_balance_for(partner, id, world.other.programme, key("x"), text("partner:1"))
        .await;
    assert_eq!(code(theirs), "NOT_FOUND");
    let first = open("1").await.expect("an account");
    let again = open("1").await.expect("the same");
    assert_eq!((first.public_id, first.balance.id), (again.public_id, again.balance.id));
    assert_eq!(users.handle_of(first.balance.id).await, Ok(first.public_id));
    let found = users.balance_by_handle(partner, first.public_id).await.expect("found");
    assert_eq!(found.id, first.balance.id);
    let stolen = users.balance_by_handle(world.other.partner, first.public_id).await;
    let nobody = users.balance_by_handle(partner, Uuid::new_v4()).await;
    assert_eq!(stolen.expect_err("theirs"), nobody.expect_err("nobody"));
    // Of two at once that would be the second and the third, one is one too many.
    let (second, third) = tokio::join!(open("2"), open("3"));
    assert_eq!(u8::from(second.is_ok()) + u8::from(third.is_ok()), 1, "{second:?} {third:?}");
    assert_eq!(code(open("4").await), "EXHAUSTED");
    users
        .move_kyc(partner, id, moving(KycState::Revoked, Mover::Partner))
        .await
        .expect("taken back");
    assert_eq!(code(open("5").await), "CUSTOMER_NOT_VERIFIED");
    world.close().await;
}

/// Each opening holds a connection while its shard commits. Would it need another one, so many at
/// once would wait for each other until they were given up.
#[tokio::test]
async fn more_accounts_are_opened_at_once_than_there_are_connections() {
    let world = World::new().await;
    let (partner, programme) = (world.one.partner, world.one.programme);
    let connections = world.store.pool().options().get_max_connections();
    let names: Vec<String> = (0..3 * connections).map(|number| format!("A-{number}")).collect();
    let mut customers = Vec::new();
    for name in &names {
        customers.push((name, world.verified(name).await));
    }
    let opened = join_all(customers.iter().map(|(name, id)| {
        world.users.open_balance_for(partner, *id, programme, key(name), text("partner:1"))
    }));
    for opened in opened.await {
        opened.expect("an account");
    }
    world.close().await;
}

// covers: SR-016, SR-017, SR-018, SR-142
#[tokio::test]
async fn accounts_of_either_way_are_listed_with_their_cards() {
    let world = World::new().await;
    let (partner, users, services) = (world.one.partner, &world.users, &world.services);
    let actor = text("operator:1");
    let id = world.verified("A-1").await;
    let customer = users.customer(partner, id).await.expect("it").id;
    let opened = users.open_balance_for(partner, id, world.one.programme, key("api"), actor);
    let by_api = opened.await.expect("an account");
    let by_command = services.open_balance(key("cli"), actor, world.one.programme, customer);
    let by_command = by_command.await.expect("an account");
    let expiry = Expiry::from_yymm(4912).expect("a month");
    let new = NewCard { balance: by_command, expiry, active: true };
    let issued = services.issue_card(key("card"), actor, new).await.expect("a card");
    let second = services.issue_card(key("second"), actor, new).await.expect("a second card");
    let nowhere = NewCard { balance: switch_domain::BalanceId(by_command.0 + 1_000_000), ..new };
    let nowhere = services.issue_card(key("nowhere"), actor, nowhere).await;
    assert_eq!(nowhere.expect_err("no account, no card").code, "NOT_FOUND");
    // The tables follow behind.
    while world.count("SELECT count(*) FROM card").await < 2 {
        tokio::task::yield_now().await;
    }
    let listed = users.balances_of(partner, id).await.expect("accounts");
    let mut ids: Vec<_> = listed.iter().map(|b| b.balance.id).collect();
    ids.sort_unstable();
    let mut expected = vec![by_api.balance.id, by_command];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    let again = users.balances_of(partner, id).await.expect("accounts");
    let names = |list: &[admin_api::CustomersBalance]| -> Vec<Uuid> {
        list.iter().map(|b| b.public_id).collect()
    };
    assert_eq!(names(&listed), names(&again), "a name stays");
    let cards = users.cards_of(by_command).await.expect("cards");
    let last_four = String::from_utf8(issued.pan.last_four().to_vec()).expect("digits");
    let mut ids: Vec<_> = cards.iter().map(|card| card.card.id).collect();
    ids.sort_unstable();
    let mut both = [issued.card, second.card];
    both.sort_unstable();
    assert_eq!(ids, both);
    let of = |id| cards.iter().find(|card| card.card.id == id).expect("it is listed");
    assert_eq!(of(issued.card).last_four, last_four);
    assert_eq!(of(issued.card).card.status, CardStatus::Active);
    assert!(users.cards_of(by_api.balance.id).await.expect("none").is_empty());
    // Whatever is done to a card, it stays where it was issued.
    let lock = switch_domain::LockCode::PendingQuery;
    services.lock_card(key("lock"), actor, issued.card, lock).await.expect("locked");
    services.unlock_card(key("unlock"), actor, issued.card).await.expect("unlocked");
    services.remove_card(key("remove"), actor, issued.card).await.expect("removed");
    let cards = users.cards_of(by_command).await.expect("cards");
    let removed = cards.iter().find(|card| card.card.id == issued.card).expect("still of it");
    assert_eq!(removed.card.status, CardStatus::Removed);
    assert!(users.cards_of(by_api.balance.id).await.expect("none").is_empty());
    world.close().await;
}
