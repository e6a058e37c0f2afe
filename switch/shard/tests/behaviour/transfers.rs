//! Transfers between shards (W-17): carried once their debit is committed, credited once, answered
//! back, and bounded in number.

use switch_domain::{Account, BalanceId, BalanceState, MinorUnits, ShardId, TransferOutcome};
use switch_shard::{Act, ManageError, Refusal, ShardSettings, State};

use crate::harness::{FIRST, Holder, SECOND, World, settle, text, two_shards};

fn transfer(from: Holder, to: BalanceId, minor: i64) -> Act {
    Act::Transfer {
        from: from.balance,
        to,
        amount: MinorUnits(minor),
        reference: text("RENT"),
        target: TransferOutcome::NoSuchBalance,
    }
}

async fn ledger(world: &World, holder: Holder) -> i64 {
    world.node.balance(holder.balance).await.expect("there").ledger.0
}

async fn open(world: &World, shard: ShardId) -> usize {
    world.node.read(shard, State::open_transfer_count).await.expect("the shard runs")
}

/// What is in transit by all postings of the journal.
fn in_transit(world: &World) -> i64 {
    let shards = [FIRST, SECOND].into_iter().flat_map(|shard| world.rows(shard));
    let legs = shards.flatten().flat_map(|record| record.effects.postings);
    let transit = legs.filter(|leg| matches!(leg.account, Account::InTransit(_)));
    transit.map(|leg| leg.amount.0).sum()
}

#[tokio::test(start_paused = true)]
async fn a_transfer_to_another_shard_arrives_and_is_closed() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let bob = world.holder(SECOND, 2, 500).await;
    let carol = world.holder(FIRST, 3, 100).await;
    for (to, minor) in [(bob, 1_000), (carol, 300)] {
        world.done(transfer(alice, to.balance, minor)).await;
        settle().await;
        assert_eq!((open(&world, FIRST).await, in_transit(&world)), (0, 0));
    }
    let amounts =
        [ledger(&world, alice).await, ledger(&world, bob).await, ledger(&world, carol).await];
    assert_eq!(amounts, [3_700, 1_500, 400]);
    world.audit().await;
}

/// The target's journal hangs: the money is in transit, and nobody can spend it.
#[tokio::test(start_paused = true)]
async fn money_is_in_transit_until_the_target_has_committed_it() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let bob = world.holder(SECOND, 2, 500).await;
    world.journal.hang_before_commit();
    let started = world.begin(transfer(alice, bob.balance, 1_000));
    settle().await;
    assert_eq!(in_transit(&world), 0, "nothing is carried before its debit is committed");
    world.journal.resume();
    started.await.expect("no panic").expect("sent");
    settle().await;
    assert_eq!((ledger(&world, alice).await, ledger(&world, bob).await), (4_000, 1_500));
    assert_eq!((open(&world, FIRST).await, in_transit(&world)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_transfer_sent_twice_under_one_key_moves_money_once() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let bob = world.holder(SECOND, 2, 500).await;
    let manage = world.command(transfer(alice, bob.balance, 1_000));
    let first = world.node.manage(manage.clone(), None).await.expect("sent");
    // Done before is done, whatever became of the target since.
    let blocked = Act::SetBalanceState { balance: bob.balance, state: BalanceState::Blocked };
    settle().await;
    world.done(blocked).await;
    assert_eq!(world.node.manage(manage, None).await, Ok(first));
    assert_eq!((ledger(&world, alice).await, ledger(&world, bob).await), (4_000, 1_500));
}

#[tokio::test(start_paused = true)]
async fn a_transfer_to_nowhere_is_refused_before_anything_moves() {
    let mut world = World::new().await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let bob = world.holder(SECOND, 2, 500).await;
    let refused = |outcome| Err(ManageError::Refused(Refusal::Target(outcome)));
    for nowhere in [BalanceId::mint(SECOND, 4_711), BalanceId::mint(ShardId(77), 1)] {
        let manage = world.command(transfer(alice, nowhere, 1));
        let said = world.node.manage(manage, None).await;
        assert_eq!(said, refused(TransferOutcome::NoSuchBalance));
    }
    let blocked = Act::SetBalanceState { balance: bob.balance, state: BalanceState::Blocked };
    world.done(blocked).await;
    let manage = world.command(transfer(alice, bob.balance, 1));
    let said = world.node.manage(manage, None).await;
    assert_eq!(said, refused(TransferOutcome::BalanceBlocked));
    let manage = world.command(transfer(alice, bob.balance, 5_001));
    assert!(world.node.manage(manage, None).await.is_err());
    assert_eq!((ledger(&world, alice).await, in_transit(&world)), (5_000, 0));
}

#[tokio::test(start_paused = true)]
async fn past_the_limit_of_open_transfers_a_command_is_sent_back() {
    let settings = ShardSettings { transfer_limit: 0, ..two_shards() };
    let mut world = World::with(settings, 1_000_000).await;
    let alice = world.holder(FIRST, 1, 5_000).await;
    let bob = world.holder(SECOND, 2, 500).await;
    let manage = world.command(transfer(alice, bob.balance, 1));
    assert_eq!(world.node.manage(manage, None).await, Err(ManageError::Overloaded));
    assert_eq!(ledger(&world, alice).await, 5_000);
}
