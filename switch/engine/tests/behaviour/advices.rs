//! Advices of what was decided in our stead: always accepted, held where it was approved and can be
//! held, with the reason of a decline beside it; what cannot be held goes to suspense.

use switch_domain::{
    Amount, ApprovalCode, Event, MessageClass, MinorUnits, PoolId, Reason, StandIn,
};
use switch_engine::{Advise, Answer, Command};

use crate::harness::{CARDS, Pools, World, authorize, currency, fingerprint, key};

const CARD: &str = "
    partner acme
    pool deposit EUR 100.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
    card c2 alice exp 2712
";

fn with_card(table: &str) {
    World::after(CARD).run(table);
}

#[test]
fn an_advice_of_an_approval_holds_user_funds_and_the_deposit() {
    with_card(
        "
        advise c1 20.00 stan 1                -> advice_accepted
        stand-in 1 agreed
        held alice 20.00
        pool-held deposit 20.00
        open 1
        advise c1 20.00 stan 1                -> advice_accepted repeated of 1
        advise c1 20.00 stan 1 mark repeat    -> advice_accepted repeated of 1
        held alice 20.00
        restart
        advise c1 20.00 stan 1 mark repeat    -> advice_accepted repeated of 1
        stand-in 1 agreed
        held alice 20.00
        auth c1 40.00 stan 2                  -> insufficient_funds
        ",
    );
}

/// The money was given: what would have been a decline here is no reason to forget it, and is kept
/// beside it.
#[test]
fn an_advice_of_an_approval_holds_whatever_would_have_been_declined() {
    let rows = [
        ("lock c1 1", "locked_lost"),
        ("lock c1 6", "locked_pin_tries_exceeded"),
        ("remove c1", "invalid_card_number"),
        ("month 2801", "expired_card"),
        ("block alice", "balance_blocked"),
        ("block-customer alice", "customer_blocked"),
        ("suspend acme", "partner_suspended"),
        ("auth c1 45.00 stan 9 -> approved", "insufficient_funds"),
        ("headroom deposit 5.00", "partner_deposit_insufficient"),
    ];
    for (step, would_be) in rows {
        let mut world = World::after(CARD);
        world.run(step);
        world.run(&format!(
            "
            advise c1 20.00 stan 1    -> advice_accepted
            stand-in 1 forced {would_be}
            restart
            stand-in 1 forced {would_be}
            reverse c1 stan 1         -> reversal_accepted of 1
            "
        ));
    }
}

#[test]
fn a_card_that_is_not_active_yet_and_a_month_that_is_not_its_own_are_no_obstacle() {
    with_card(
        "
        card c3 alice exp 2712 status inactive
        advise c3 1.00 stan 1                           -> advice_accepted
        stand-in 1 forced card_not_active
        advise c1 1.00 stan 2 exp 2801                  -> advice_accepted
        stand-in 2 forced expired_card
        advise c1 1.00 stan 3 fault expired_card        -> advice_accepted
        stand-in 3 forced expired_card
        held alice 3.00
        ",
    );
}

#[test]
fn what_was_given_in_our_stead_may_drive_the_account_and_the_deposit_below_zero() {
    with_card(
        "
        advise c1 120.00 stan 1         -> advice_accepted
        stand-in 1 forced partner_deposit_insufficient
        available alice -70.00
        pool-available deposit -20.00
        auth c1 0.01 stan 2             -> partner_deposit_insufficient
        restart
        available alice -70.00
        reverse stan 1                  -> reversal_accepted of 1
        available alice 50.00
        pool-available deposit 100.00
        auth c1 0.01 stan 3             -> approved
        ",
    );
}

#[test]
fn an_advice_of_a_decline_is_recorded_and_moves_nothing() {
    with_card(
        "
        advise c1 20.00 stan 1 said declined          -> advice_accepted
        stand-in 1 declined
        advise c1 20.00 stan 1 said declined          -> advice_accepted repeated of 1
        advise no-card 20.00 stan 2 said declined     -> advice_accepted
        stand-in 2 declined
        held alice 0.00
        pool-held deposit 0.00
        open 0
        ",
    );
}

/// There is nothing to hold it on: it is acknowledged and kept for people to look at.
#[test]
fn what_cannot_be_held_goes_to_suspense() {
    with_card(
        "
        advise no-card 20.00 stan 1                     -> advice_accepted
        stand-in 1 suspense invalid_card_number
        advise no-bin 20.00 stan 2 bin 41111111         -> advice_accepted
        stand-in 2 suspense no_route
        advise c1 20.00 stan 3 in USD                   -> advice_accepted
        stand-in 3 suspense currency_unacceptable
        advise c1 0.00 stan 4                           -> advice_accepted
        stand-in 4 suspense invalid_amount
        advise c1 1.00 stan 5 fault invalid_transaction -> advice_accepted
        stand-in 5 suspense invalid_transaction
        advise c1 1.00 stan 6 fault pan_sources_differ  -> advice_accepted
        stand-in 6 suspense pan_sources_differ
        held alice 0.00
        pool-held deposit 0.00
        open 0
        advise no-card 20.00 stan 1 mark repeat         -> advice_accepted repeated of 1
        reverse no-card stan 1                          -> reversal_accepted of 1
        restart
        stand-in 2 suspense no_route
        ",
    );
}

#[test]
fn a_key_that_comes_again_with_something_else_is_refused_and_changes_nothing() {
    with_card(
        "
        advise c1 20.00 stan 1                      -> advice_accepted
        advise c1 21.00 stan 1 mark repeat          -> duplicate_transmission of nothing
        advise c1 20.00 stan 1 in USD               -> duplicate_transmission of nothing
        advise c1 20.00 stan 1 said declined        -> duplicate_transmission of nothing
        held alice 20.00
        advise c1 20.00 stan 2 said declined        -> advice_accepted
        advise c1 20.00 stan 2                      -> duplicate_transmission of nothing
        held alice 20.00
        advise c1 5.00 stan 1 time 700000000        -> advice_accepted   # another purchase
        held alice 25.00
        ",
    );
}

fn advise(world: &World, minor: i64, code: Option<ApprovalCode>) -> (Option<PoolId>, Command) {
    let key = key(MessageClass::AuthorizationAdvice, 1, fingerprint("c1"));
    let amount = Amount { minor: MinorUnits(minor), currency: currency("EUR") };
    let mut request = authorize(key, amount);
    request.card = Some(world.names.cards["c1"].0);
    let command =
        Command::Advise(Advise { request, approved: true, approval_code: code, original: None });
    (world.names.pools.get("deposit").map(|pool| pool.0), command)
}

/// The code that was given in our stead is kept, and uses up none of ours; the answer carries none.
#[test]
fn the_code_given_in_our_stead_is_kept_and_not_sent() {
    let world = World::after(CARD);
    let code = ApprovalCode::from_text("ABC123");
    let (_, command) = advise(&world, 5_00, code);
    let outcome = world.cluster.ask(CARDS, &command);
    let Answer::Decided(decision) = outcome.answer else { panic!("{:?}", outcome.answer) };
    assert_eq!((decision.reason, decision.approval_code), (Reason::AdviceAccepted, None));
    let record = outcome.record.expect("recorded");
    let Event::Authorized(advised) = &record.event else { panic!("{:?}", record.event) };
    assert_eq!((advised.approval_code, advised.approvals), (code, 0));
    assert_eq!(advised.stand_in, Some(StandIn::Agreed));
}

/// What would leave the range of amounts is kept for people, and nothing overflows.
#[test]
fn an_advice_beyond_the_range_of_amounts_goes_to_suspense() {
    let mut world = World::after(CARD);
    world.run("auth c1 20.00 stan 7 -> approved");
    let edge = i64::MAX - 20_00;
    for (minor, holds) in [(edge - 1, true), (edge, true), (edge + 1, false), (i64::MAX, false)] {
        let (pool, command) = advise(&world, minor, None);
        let outcome = world.cluster.ask(CARDS, &command);
        let record = outcome.record.as_ref().expect("recorded");
        let Event::Authorized(advised) = &record.event else { panic!("{:?}", record.event) };
        assert_eq!(advised.stand_in.is_some_and(StandIn::holds), holds, "{minor}");
        assert_eq!(outcome.pool_take().is_some(), holds, "{minor}");
        assert_eq!(advised.pool.is_some(), pool.is_some() && holds);
        world.cluster.states[CARDS].clone().replay(record).expect("it fits");
    }
    // Another shard has driven the pool to where no more can be taken.
    let (pool, command) = advise(&world, 1_00, None);
    let state = &world.cluster.states[CARDS];
    let pools = Pools(pool.map(|pool| (pool, MinorUnits(i64::MIN + 1))).into_iter().collect());
    let outcome = state.decide(&command, &pools, world.cluster.now);
    assert_eq!(outcome.pool_take(), None);
}
