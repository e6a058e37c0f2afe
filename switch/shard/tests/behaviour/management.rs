//! Commands: once for a key, in the order of their subject, and in force when they are answered
//! (W-14, W-17, W-18).

use switch_domain::{Bin, CustomerId, CustomerState, LockCode, ProgrammeId, Reason};
use switch_shard::{Act, Admission, ManageError};

use crate::harness::{FIRST, SECOND, World, declined, settle};

#[tokio::test(start_paused = true)]
async fn one_key_makes_one_thing() {
    let mut world = World::new().await;
    let act = Act::OpenBalance { programme: world.programme, customer: CustomerId(7) };
    let manage = world.command(act);
    let (first, second) = tokio::join!(
        world.node.manage(manage.clone(), None),
        world.node.manage(manage.clone(), None)
    );
    let third = world.node.manage(manage, None).await;
    assert!(matches!(first, Ok(Some(_))));
    assert_eq!((first, first), (second, third));
    assert_eq!(world.rows(FIRST).iter().flatten().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn commands_on_one_card_take_effect_in_the_order_they_came() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let card = alice.card;
    world.journal.hang_before_commit();
    let lock = |lock| Act::LockCard { card, lock };
    let acts = [
        lock(LockCode::PendingQuery),
        Act::UnlockCard { card },
        lock(LockCode::SuspectedFraud),
        Act::UnlockCard { card },
        lock(LockCode::Consolidation),
    ];
    let mut started = Vec::new();
    for act in acts {
        started.push(world.begin(act));
        settle().await;
    }
    assert!(started.iter().all(|command| !command.is_finished()));
    world.journal.resume();
    for command in started {
        assert_eq!(command.await.expect("no panic"), Ok(None));
    }
    let card = world.node.card(card).await.expect("the card is there");
    assert_eq!(card.lock, Some(LockCode::Consolidation));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_and_a_foreign_identifier_are_told_apart() {
    let mut world = World::new().await;
    let act = Act::OpenBalance { programme: ProgrammeId(999), customer: CustomerId(7) };
    let manage = world.command(act);
    let refused = world.node.manage(manage, None).await;
    assert!(matches!(refused, Err(ManageError::Refused(_))), "{refused:?}");
    let card = switch_domain::CardId::mint(switch_domain::ShardId(77), 1);
    let manage = world.command(Act::UnlockCard { card });
    assert_eq!(world.node.manage(manage, None).await, Err(ManageError::NoSuchShard));
}

#[tokio::test(start_paused = true)]
async fn a_programme_is_in_force_in_every_shard_when_it_is_answered() {
    let mut world = World::new().await;
    let programme = ProgrammeId(world.made(world.programme_act(Bin(99_999_913))).await);
    for shard in world.node.shards() {
        let known = world
            .node
            .read(shard, move |state| state.control().programmes.contains_key(&programme));
        assert_eq!(known.await, Some(true), "shard {shard}");
    }
    assert!(world.node.control().programmes.contains_key(&programme));
}

#[tokio::test(start_paused = true)]
async fn a_blocked_customer_spends_nowhere() {
    let mut world = World::new().await;
    let mut one = world.holder(FIRST, 1, 5_000).await;
    one.customer = CustomerId(1);
    let second = world.account(SECOND, one.customer).await;
    let state = CustomerState::Blocked;
    world.done(Act::SetCustomerState { customer: one.customer, state }).await;
    for shard in [FIRST, SECOND] {
        let seen = world.node.read(shard, move |state| state.customer_state(one.customer)).await;
        assert_eq!(seen, Some(CustomerState::Blocked));
    }
    assert!(world.node.balance(second).await.is_some());
    assert_eq!(world.authorize(one, 11, 100), Admission::Accepted);
    let replies = world.replies().await;
    assert_eq!(declined(replies[0].1), Some(Reason::CustomerBlocked));
}
