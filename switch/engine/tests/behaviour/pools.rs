//! Partners' pools: a deposit and user funds are held together or not at all, a top-up charges the
//! credit pool in one transfer, and whoever loses the race for a pool decides again.

use switch_domain::{Amount, MessageClass, MinorUnits, PoolId, Reason};
use switch_engine::{Act, Answer, Command, Manage, PoolTake, Refusal};

use crate::harness::{CARDS, World, authorize, check, fingerprint, key};

const DEPOSIT: &str = "
    partner acme
    pool deposit EUR 30.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
";

const CREDIT: &str = "
    partner acme
    pool credit EUR 100.00
    programme gold credit
    balance alice 40.00
    card c1 alice exp 2712
";

fn request(world: &World, stan: u32, minor: i64) -> Command {
    let (card, currency) = world.names.cards["c1"];
    let key = key(MessageClass::AuthorizationRequest, stan, fingerprint("c1"));
    let mut request = authorize(key, Amount { minor: MinorUnits(minor), currency });
    request.card = Some(card);
    Command::Authorize(request)
}

fn reason(answer: Answer) -> Reason {
    match answer {
        Answer::Decided(decision) => decision.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn deposit_short_or_user_short_moves_neither() {
    let mut world = World::after(DEPOSIT);
    world.run(
        "
        auth c1 30.01 stan 1    -> partner_deposit_insufficient
        held alice 0.00
        pool-held deposit 0.00
        auth c1 60.00 stan 2    -> partner_deposit_insufficient     # both short: the deposit first
        balance bob 10.00
        card c2 bob exp 2712
        auth c2 10.01 stan 3    -> insufficient_funds
        held bob 0.00
        pool-held deposit 0.00
        pool-available deposit 30.00
        auth c1 25.00 stan 4    -> approved
        auth c2 5.01 stan 5     -> partner_deposit_insufficient     # shared by all its cards
        auth c2 5.00 stan 6     -> approved
        pool-available deposit 0.00
        held alice 25.00
        held bob 5.00
        reload deposit 1.00
        auth c2 1.00 stan 7     -> approved
        ",
    );
}

/// Where the partner holds the money, the customer's balance is a memorandum with a contra account.
#[test]
fn a_top_up_under_a_deposit_programme_takes_nothing_from_the_pool() {
    check(
        "
        partner acme
        pool deposit EUR 30.00
        programme gold deposit
        balance alice 5000.00
        pool-available deposit 30.00
        ledger alice 5000.00
        ",
    );
}

#[test]
fn a_top_up_charges_the_credit_pool_or_is_refused() {
    let mut world = World::after(CREDIT);
    world.run(
        "
        pool-available credit 60.00
        credit alice 60.01           -> refused PoolInsufficient
        ledger alice 40.00
        pool-available credit 60.00
        credit alice 60.00
        pool-available credit 0.00
        ledger alice 100.00
        credit alice 0.01            -> refused PoolInsufficient
        reload credit 0.01
        credit alice 0.01
        auth c1 100.01 stan 1        -> approved     # approvals take nothing from it
        pool-available credit 0.00
        ",
    );
}

fn taken_of(pool: PoolId, minor: i64) -> PoolTake {
    PoolTake { pool, amount: MinorUnits(minor), covered: MinorUnits::ZERO }
}

#[test]
fn an_outcome_says_what_it_takes() {
    let world = World::after(DEPOSIT);
    let (pool, ..) = world.names.pools["deposit"];
    let taken = |command: &Command| world.cluster.ask(CARDS, command).pool_take();
    let take = |amount| Some(taken_of(pool, amount));
    assert_eq!(taken(&request(&world, 1, 12_50)), take(12_50));
    assert_eq!(taken(&request(&world, 1, 30_00)), take(30_00));
    assert_eq!(taken(&request(&world, 1, 30_01)), None, "a decline takes nothing");
}

#[test]
fn a_reversal_a_void_and_a_repeat_take_nothing() {
    let mut world = World::after(DEPOSIT);
    let command = request(&world, 1, 12_50);
    world.cluster.submit(CARDS, &command);
    assert_eq!(world.cluster.ask(CARDS, &command).pool_take(), None);
    let Command::Authorize(original) = &command else { unreachable!() };
    let reverse = Command::Reverse(crate::harness::reversal(9, &original.facts.key));
    let outcome = world.cluster.ask(CARDS, &reverse);
    assert!(outcome.record.as_ref().is_some_and(|record| record.effects.pool.is_some()));
    assert_eq!(outcome.pool_take(), None);
    let id = match world.cluster.ask(CARDS, &command).answer {
        Answer::Decided(decision) => decision.authorization.expect("approved before"),
        other => panic!("{other:?}"),
    };
    let void = Command::Void { authorization: id, reason: Reason::IssuerInoperative };
    assert_eq!(world.cluster.ask(CARDS, &void).pool_take(), None);
}

#[test]
fn a_top_up_says_what_it_takes_and_is_refused_when_the_race_is_lost() {
    let mut world = World::after(CREDIT);
    let (pool, ..) = world.names.pools["credit"];
    let (balance, _) = world.names.balances["alice"];
    let command = |minor| {
        Command::Manage(Manage {
            key: switch_domain::IdempotencyKey([1; 16]),
            actor: Default::default(),
            act: Act::CreditBalance {
                balance,
                amount: MinorUnits(minor),
                reference: Default::default(),
            },
        })
    };
    let outcome = world.cluster.ask(CARDS, &command(60_00));
    assert_eq!(outcome.pool_take(), Some(taken_of(pool, 60_00)));
    world.cluster.headroom.insert(pool, MinorUnits(59_99));
    let outcome = world.cluster.ask(CARDS, &command(60_00));
    assert_eq!(outcome.answer, Answer::Refused(Refusal::PoolInsufficient));
    assert_eq!(outcome.pool_take(), None);
}

/// W-15: the pool is taken last. Another shard was faster, so the outcome may not stand: deciding
/// again declines with the deposit's reason, and nothing of the first outcome is left.
#[test]
fn a_lost_race_declines_with_the_deposits_reason() {
    let mut world = World::after(DEPOSIT);
    let (pool, ..) = world.names.pools["deposit"];
    let command = request(&world, 1, 30_00);
    let first = world.cluster.ask(CARDS, &command);
    assert_eq!(first.pool_take(), Some(taken_of(pool, 30_00)));
    assert_eq!(reason(first.answer), Reason::Approved);
    world.cluster.headroom.insert(pool, MinorUnits(29_99));
    let again = world.cluster.submit(CARDS, &command);
    assert_eq!(reason(again), Reason::PartnerDepositInsufficient);
    world.cluster.headroom.clear();
    world.run(
        "
        held alice 0.00
        pool-held deposit 0.00
        auth c1 30.00 stan 1    -> partner_deposit_insufficient repeated   # remembered as it was
        auth c1 30.00 stan 2    -> approved
        ",
    );
}

#[test]
fn a_pool_that_another_shard_has_drawn_on_serves_what_is_left() {
    let mut world = World::after(DEPOSIT);
    world.run(
        "
        headroom deposit 10.00
        auth c1 10.01 stan 1    -> partner_deposit_insufficient
        auth c1 10.00 stan 2    -> approved
        auth c1 0.01 stan 3     -> partner_deposit_insufficient
        headroom deposit -5.00
        auth c1 0.01 stan 4     -> partner_deposit_insufficient
        held alice 10.00
        ",
    );
}

#[test]
fn pools_of_two_partners_are_apart() {
    check(
        "
        partner acme
        pool deposit EUR 10.00 as a
        programme gold a bins 99999910-99999919
        balance alice 50.00
        card c1 alice exp 2712
        partner beta
        pool deposit EUR 20.00 as b
        programme blue b bins 99999920-99999929
        balance bob 50.00
        card c2 bob exp 2712
        auth c1 10.00 stan 1    -> approved
        auth c1 0.01 stan 2     -> partner_deposit_insufficient
        auth c2 20.00 stan 3    -> approved
        pool-available a 0.00
        pool-available b 0.00
        suspend beta
        reverse stan 1          -> reversal_accepted of 1
        auth c1 1.00 stan 4     -> approved
        auth c2 1.00 stan 5     -> partner_suspended
        ",
    );
}
