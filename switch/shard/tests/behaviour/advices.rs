//! Advices of what was approved in our stead: they are never declined and never voided, take from
//! the pool whatever it has left, and are looked up before they are decided (W-21, W-22).

use std::time::Duration;

use switch_domain::{Event, Fingerprint, Reason, StandIn};
use switch_shard::{Admission, Command, ReplyOutcome, ShardSettings};
use tokio::time::Instant;

use crate::harness::{
    FIRST, Holder, PATIENCE, SECOND, World, advice, approved, declined, marked, pass, purchase,
    settle, two_shards,
};

fn accepted(outcome: ReplyOutcome) -> bool {
    declined(outcome) == Some(Reason::AdviceAccepted)
}

fn in_time() -> Instant {
    Instant::now() + PATIENCE
}

async fn advise(world: &mut World, holder: Holder, stan: u64, minor: i64) -> ReplyOutcome {
    let command = advice(holder, stan, minor);
    assert_eq!(world.send(command, holder, stan, in_time()), Admission::Accepted);
    let replies = world.replies().await;
    let [(_, outcome)] = replies[..] else { panic!("{replies:?}") };
    outcome
}

#[tokio::test(start_paused = true)]
async fn an_advice_takes_from_a_pool_what_it_has_not() {
    let mut world = World::with(two_shards(), 1_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let bob = world.holder(SECOND, 2, 5_000).await;
    assert!(accepted(advise(&mut world, alice, 11, 7_000).await));
    assert_eq!(world.node.pool_headroom(world.deposit).0, -6_000);
    let books = world.node.pool(world.deposit).await;
    assert_eq!((books.level.0, books.held.0), (1_000, 7_000));
    let balance = world.node.balance(alice.balance).await.expect("there");
    assert_eq!(balance.available().0, -2_000);

    // Nobody is approved on what is not there, in whatever shard.
    assert_eq!(world.authorize(bob, 12, 1), Admission::Accepted);
    let replies = world.replies().await;
    assert_eq!(declined(replies[0].1), Some(Reason::PartnerDepositInsufficient));
    assert_eq!(world.reverse(alice, 13, 11), Admission::Accepted);
    assert_eq!(world.replies().await.len(), 1);
    assert_eq!(world.node.pool_headroom(world.deposit).0, 1_000);
    assert_eq!(world.held(alice.balance).await, 0);
    world.audit().await;
}

/// It was approved by others: an answer that did not leave in time takes nothing back.
#[tokio::test(start_paused = true)]
async fn an_advice_that_is_late_is_kept_and_its_repeat_gets_the_answer() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let rows = world.journal.rows(FIRST).len();
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 1_000), Admission::Accepted);
    settle().await;
    let command = advice(alice, 12, 2_000);
    assert_eq!(world.send(command.clone(), alice, 12, in_time()), Admission::Accepted);
    pass(PATIENCE + PATIENCE).await;
    assert_eq!(world.replies().await, [(12, ReplyOutcome::Silent)]);
    world.journal.resume();
    assert_eq!(world.replies().await.len(), 1);
    let events = world.events_from(FIRST, rows);
    assert!(
        matches!(&events[..], [Event::Authorized(_), Event::Authorized(one)]
            if one.stand_in == Some(StandIn::Agreed)),
        "{events:?}"
    );
    assert_eq!(world.held(alice.balance).await, 3_000);
    let again = marked(command);
    assert_eq!(world.send(again, alice, 92, in_time()), Admission::Accepted);
    let replies = world.replies().await;
    assert!(matches!(replies[..], [(92, ReplyOutcome::Decided(it))] if it.repeated));
    assert_eq!(world.held(alice.balance).await, 3_000);
    world.audit().await;
}

/// A request and the advice of it wait for one commit: the void of the request must not take back
/// what the advice speaks of.
#[tokio::test(start_paused = true)]
async fn an_approval_is_not_voided_once_it_was_advised_of() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    world.journal.hang_before_commit();
    assert_eq!(world.authorize(alice, 11, 1), Admission::Accepted);
    settle().await;
    assert_eq!(world.authorize(alice, 12, 2_000), Admission::Accepted);
    settle().await;
    let later = Instant::now() + PATIENCE * 4;
    assert_eq!(world.send(advice(alice, 12, 2_000), alice, 112, later), Admission::Accepted);
    pass(PATIENCE + Duration::from_secs(1)).await;
    assert_eq!(world.replies().await, [(12, ReplyOutcome::Silent)], "not declined");
    world.journal.resume();
    let replies = world.replies().await;
    let [(11, first), (112, second)] = replies[..] else { panic!("{replies:?}") };
    assert!(approved(first) && accepted(second), "{replies:?}");
    assert_eq!(world.held(alice.balance).await, 2_001);
    let again = marked(purchase(alice, 12, 2_000));
    assert_eq!(world.send(again, alice, 93, in_time()), Admission::Accepted);
    assert!(approved(world.replies().await[0].1));
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_keeps_room_for_advices_and_declines_none() {
    let settings =
        ShardSettings { batch_limit: 1, queue_limit: 2, reserved_queue: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    world.journal.hang_before_commit();
    for stan in 11..=14 {
        assert_eq!(world.authorize(alice, stan, 100), Admission::Accepted, "{stan}");
        settle().await;
    }
    let sent = |stan| world.send(advice(alice, stan, 100), alice, stan, in_time());
    assert_eq!([sent(21), sent(22)], [Admission::Accepted, Admission::Silent]);
    world.journal.resume();
    let replies = world.replies().await;
    let tokens: Vec<_> = replies.iter().map(|(token, _)| *token).collect();
    assert_eq!(tokens, [11, 12, 13, 14, 21]);
    assert!(accepted(replies[4].1));
    assert_eq!(world.held(alice.balance).await, 500);
}

/// Marked as a repeat or not: it is about what happened some time ago.
#[tokio::test(start_paused = true)]
async fn an_advice_of_a_forgotten_approval_finds_it() {
    let settings = ShardSettings { repeat_limit: 1, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 50_000).await;
    for (stan, minor) in [(11, 1_250), (12, 1), (13, 1), (14, 1)] {
        assert_eq!(world.authorize(alice, stan, minor), Admission::Accepted);
        assert_eq!(world.replies().await.len(), 1);
    }
    let rows = world.journal.rows(FIRST).len();
    let questions = world.questions();
    assert!(accepted(advise(&mut world, alice, 11, 1_250).await));
    assert_eq!(world.questions(), questions + 1);
    let events = world.events_from(FIRST, rows);
    assert!(
        matches!(&events[..], [Event::Authorized(one)] if one.stand_in == Some(StandIn::Known)),
        "{events:?}"
    );
    assert_eq!(world.held(alice.balance).await, 1_253);

    world.tables_are_silent(true);
    let command = advice(alice, 12, 1);
    assert_eq!(world.send(command, alice, 112, in_time()), Admission::Accepted);
    pass(PATIENCE + PATIENCE).await;
    assert_eq!(world.replies().await, [(112, ReplyOutcome::Silent)], "nobody knows");
    world.audit().await;
}

/// Nobody has the card: the shard that its number leads to keeps the advice.
#[tokio::test(start_paused = true)]
async fn an_advice_of_an_unknown_card_is_kept_in_one_place() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let nobody = Holder { print: Fingerprint([0x77; 16]), ..alice };
    let Command::Advise(mut unknown) = advice(nobody, 11, 1_000) else { unreachable!() };
    unknown.request.card = None;
    for token in [1, 2] {
        let command = Command::Advise(unknown.clone());
        assert_eq!(world.send(command, nobody, token, in_time()), Admission::Accepted);
        let replies = world.replies().await;
        assert!(matches!(replies[..], [(_, it)] if accepted(it)), "{replies:?}");
    }
    let kept: Vec<_> = [FIRST, SECOND]
        .into_iter()
        .flat_map(|shard| world.events_from(shard, 0))
        .filter_map(|event| match event {
            Event::Authorized(one) => Some((one.stand_in, one.card, one.balance)),
            _ => None,
        })
        .collect();
    let suspense = Some(StandIn::Suspense(Reason::InvalidCardNumber));
    assert_eq!(kept, [(suspense, None, None)]);
    world.audit().await;
}
