//! Customers: registered, read, changed, listed, blocked, removed; and never another tenant's.

use switch_domain::{BalanceState, CustomerState, IdempotencyKey};
use uuid::Uuid;

use crate::world::{NOW, World, code, key, profile, text};

// covers: SR-147, API-11
#[tokio::test]
async fn a_customer_is_registered_read_and_changed() {
    let world = World::new().await;
    let partner = world.one.partner;
    let ana = world.customer("A-1").await;
    let shown = ana.profile.as_ref().expect("personal data");
    assert_eq!((shown.given_name.expose(), shown.birth_date.expose()), ("Ana", "1990-05-17"));
    assert_eq!((ana.reference.as_deref(), ana.version), (Some("A-1"), 1));
    assert_eq!((ana.kyc.name(), ana.state), ("NOT_STARTED", CustomerState::Active));
    assert!(!format!("{ana:?}").contains("Ruiz"), "{ana:?}");

    let again = world.users.register(partner, Some("A-1"), profile("Ruiz"), (None, NOW)).await;
    assert_eq!(code(again), "CONFLICT");
    let by_reference = world.users.customer_by_reference(partner, "A-1").await.expect("found");
    assert_eq!(by_reference.public_id, ana.public_id);
    for _ in 0..2 {
        world
            .users
            .register(partner, None, profile("Nameless"), (None, NOW))
            .await
            .expect("a customer");
    }
    // What was begun under a key and not answered finds what it made.
    let under = (Some(IdempotencyKey([7; 16])), NOW);
    let once = world.users.register(partner, Some("A-2"), profile("Kept"), under).await;
    let twice = world.users.register(partner, Some("A-2"), profile("Kept"), under).await;
    let ids = [once, twice].map(|made| made.expect("a customer").public_id);
    assert_eq!(ids[0], ids[1]);
    let bad = world.users.register(partner, Some(&"x".repeat(65)), profile("R"), (None, NOW)).await;
    assert_eq!(bad.expect_err("too long").detail, "1 to 64 characters");

    let update = |seen, name: &'static str| {
        world.users.update(partner, ana.public_id, seen, profile(name), NOW)
    };
    let changed = update(1, "Ruiz Gil").await.expect("changed");
    assert_eq!(changed.version, 2);
    assert_eq!(changed.profile.expect("data").family_name.expose(), "Ruiz Gil");
    assert_eq!(code(update(1, "Late").await), "PRECONDITION_FAILED");
    // Of two that have seen the same version, one changes it.
    let (first, second) = tokio::join!(update(2, "First"), update(2, "Second"));
    assert_eq!(u8::from(first.is_ok()) + u8::from(second.is_ok()), 1, "{first:?} {second:?}");
    world.close().await;
}

// covers: API-01
#[tokio::test]
async fn another_tenants_customer_is_not_there() {
    let world = World::new().await;
    let (mine, theirs) = (world.one.partner, world.other.partner);
    let ana = world.customer("A-1").await;
    let nobody = world.users.customer(mine, Uuid::new_v4()).await.expect_err("nobody");
    let id = ana.public_id;
    let users = &world.users;
    let told = [
        users.customer(theirs, id).await.expect_err("read"),
        users.customer_by_reference(theirs, "A-1").await.expect_err("found"),
        users.update(theirs, id, 1, profile("X"), NOW).await.expect_err("changed"),
        users.remove(theirs, id, 1, NOW).await.expect_err("removed"),
        users.balances_of(theirs, id).await.expect_err("balances"),
        users.kyc_moves(theirs, id).await.expect_err("moves"),
        users.require_verified(theirs, id).await.expect_err("verified"),
        users
            .set_customer_state(theirs, id, CustomerState::Blocked, key("b"), text("x"))
            .await
            .expect_err("blocked"),
    ];
    for problem in told {
        assert_eq!(problem, nobody, "the same body as of nobody");
    }
    let cursor = users.customers(theirs, Some(id), None).await;
    assert_eq!(code(cursor), "INVALID_REQUEST");
    // The same reference is another customer with another tenant.
    let other =
        users.register(theirs, Some("A-1"), profile("B"), (None, NOW)).await.expect("theirs");
    assert_ne!(other.public_id, id);
    world.close().await;
}

#[tokio::test]
async fn a_list_by_pages_of_any_size_shows_everybody_once_while_others_come_and_go() {
    let world = World::new().await;
    let (partner, users) = (world.one.partner, &world.users);
    let mut expected = Vec::new();
    for number in 0..11 {
        expected.push(world.customer(&format!("C-{number:02}")).await.public_id);
    }
    users.register(world.other.partner, None, profile("Other"), (None, NOW)).await.expect("theirs");
    for size in [1, 2, 5, 10, 11, 12, 100] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = users.customers(partner, cursor, Some(size)).await.expect("a page");
            assert!(page.rows.len() <= size as usize);
            seen.extend(page.rows.iter().map(|customer| customer.public_id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "by pages of {size}");
    }
    // The last one shown is removed, and one comes: nobody is shown twice or left out.
    let page = users.customers(partner, None, Some(4)).await.expect("a page");
    users.remove(partner, expected[3], 1, NOW).await.expect("removed");
    expected.push(world.customer("C-11").await.public_id);
    let rest = users.customers(partner, page.next, Some(100)).await.expect("the rest");
    let rest: Vec<_> = rest.rows.iter().map(|customer| customer.public_id).collect();
    assert_eq!(rest, expected[4..]);
    for size in [0, 101] {
        assert_eq!(code(users.customers(partner, None, Some(size)).await), "INVALID_REQUEST");
    }
    world.close().await;
}

#[tokio::test]
async fn a_customer_is_blocked_in_every_shard_and_unblocked() {
    let world = World::new().await;
    let (partner, users) = (world.one.partner, &world.users);
    let id = world.verified("A-1").await;
    let set = |state, name: &'static str| {
        users.set_customer_state(partner, id, state, key(name), text("partner:1"))
    };
    set(CustomerState::Blocked, "block").await.expect("blocked");
    assert_eq!(users.customer(partner, id).await.expect("it").state, CustomerState::Blocked);
    let page = users.customers(partner, None, None).await.expect("a page");
    assert_eq!(page.rows[0].state, CustomerState::Blocked);
    let (programme, actor) = (world.one.programme, text("partner:1"));
    let open = users.open_balance_for(partner, id, programme, key("open"), actor).await;
    assert_eq!(code(open), "CONFLICT");
    set(CustomerState::Active, "unblock").await.expect("unblocked");
    assert_eq!(users.customer(partner, id).await.expect("it").state, CustomerState::Active);
    world.close().await;
}

// covers: SR-147
#[tokio::test]
async fn a_removed_customer_leaves_nothing_personal_and_cannot_have_open_accounts() {
    let world = World::new().await;
    let (partner, users) = (world.one.partner, &world.users);
    let id = world.verified("A-1").await;
    let actor = text("partner:1");
    let opened = users.open_balance_for(partner, id, world.one.programme, key("open"), actor);
    let balance = opened.await.expect("an account").balance.id;
    assert_eq!(code(users.remove(partner, id, 1, NOW).await), "CONFLICT");
    let close = world.services.set_balance_state(key("c"), actor, balance, BalanceState::Closed);
    close.await.expect("closed");
    assert_eq!(code(users.remove(partner, id, 2, NOW).await), "PRECONDITION_FAILED");
    users.remove(partner, id, 1, NOW).await.expect("removed");
    assert_eq!(code(users.customer(partner, id).await), "NOT_FOUND");
    assert_eq!(code(users.remove(partner, id, 2, NOW).await), "NOT_FOUND");
    assert_eq!(
        code(users.register(partner, Some("A-1"), profile("R"), (None, NOW)).await),
        "CONFLICT"
    );
    assert_eq!(code(world.services.register_customer(partner, "A-1").await), "CONFLICT");
    let personal = "SELECT count(*) FROM customer WHERE coalesce(given_name, family_name, email, \
                    phone, street, city, postal_code, country, language) IS NOT NULL \
                    OR birth_date IS NOT NULL";
    assert_eq!(world.count(personal).await, 0);
    world.close().await;
}

#[tokio::test]
async fn a_customer_registered_by_command_is_one_of_the_api_too() {
    let world = World::new().await;
    let (partner, users) = (world.one.partner, &world.users);
    let id = world.services.register_customer(partner, "C-1").await.expect("a customer");
    assert_eq!(world.services.register_customer(partner, "C-1").await, Ok(id));
    let found = users.customer_by_reference(partner, "C-1").await.expect("found");
    assert_eq!((found.id, found.profile, found.version), (id, None, 1));
    let update = users.update(partner, found.public_id, 1, profile("Ruiz"), NOW);
    assert!(update.await.expect("changed").profile.is_some());
    world.close().await;
}
