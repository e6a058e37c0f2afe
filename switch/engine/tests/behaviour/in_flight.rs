//! W-14: what restricts counts when decided, what relaxes when committed. Rows with `later:` are
//! decided and on their way to the journal; `commit` lets them arrive.

use crate::harness::{World, check};

const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
    card c2 alice exp 2712
";

fn with_card(table: &str) {
    World::after(CARD).run(table);
}

#[test]
fn of_two_authorizations_of_the_whole_balance_one_is_approved() {
    with_card(
        "
        later: auth c1 50.00 stan 1    -> approved
        later: auth c2 50.00 stan 2    -> insufficient_funds
        later: auth c1 0.01 stan 3     -> insufficient_funds
        held alice 50.00
        pool-held deposit 50.00
        commit
        held alice 50.00
        ",
    );
}

#[test]
fn a_release_counts_at_its_commit() {
    with_card(
        "
        later: auth c1 50.00 stan 1    -> approved
        later: reverse stan 1          -> reversal_accepted of 1
        later: auth c1 50.00 stan 2    -> insufficient_funds
        held alice 50.00
        pool-held deposit 50.00
        commit 1                       # the approval
        held alice 50.00
        commit 1                       # the reversal
        held alice 0.00
        pool-held deposit 0.00
        later: auth c1 50.00 stan 3    -> approved
        ",
    );
}

#[test]
fn a_second_reversal_before_the_commit_of_the_first_releases_nothing_more() {
    with_card(
        "
        auth c1 30.00 stan 1            -> approved
        auth c1 10.00 stan 2            -> approved
        later: reverse stan 1 own 70    -> reversal_accepted of 1
        later: reverse stan 1 own 71    -> reversal_accepted of 1
        later: void 1 issuer_inoperative   -> issuer_inoperative of 1
        held alice 40.00
        commit
        held alice 10.00
        ",
    );
}

#[test]
fn an_early_reversal_counts_before_its_commit() {
    with_card(
        "
        later: reverse c1 stan 1       -> reversal_accepted of nothing
        later: auth c1 20.00 stan 1    -> original_reversed
        commit
        held alice 0.00
        ",
    );
}

#[test]
fn a_top_up_is_spendable_at_its_commit() {
    with_card(
        "
        later: credit alice 10.00
        ledger alice 50.00
        later: auth c1 60.00 stan 1    -> insufficient_funds
        commit
        ledger alice 60.00
        auth c1 60.00 stan 2           -> approved
        ",
    );
}

/// The pool is charged at once, so that no two top-ups rest on the same money.
#[test]
fn a_top_up_charges_the_credit_pool_when_decided() {
    check(
        "
        partner acme
        pool credit EUR 100.00
        programme gold credit
        open-balance alice
        open-balance bob
        later: credit alice 100.00
        pool-available credit 0.00
        later: credit bob 0.01     -> refused PoolInsufficient
        later: reload credit 5.00
        later: credit bob 5.00     -> refused PoolInsufficient
        commit
        credit bob 5.00
        ledger alice 100.00
        pool-available credit 0.00
        ",
    );
}

#[test]
fn a_reload_admits_at_its_commit() {
    check(
        "
        partner acme
        pool deposit EUR 10.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        later: reload deposit 10.00
        later: reload deposit 5.00
        later: auth c1 20.00 stan 1    -> partner_deposit_insufficient
        commit
        pool-available deposit 25.00
        auth c1 20.00 stan 2           -> approved
        ",
    );
}

#[test]
fn locks_blocks_and_removals_count_when_decided() {
    for (step, answer) in [
        ("lock c1 2", "locked_stolen"),
        ("remove c1", "invalid_card_number"),
        ("block alice", "balance_blocked"),
        ("block-customer alice", "customer_blocked"),
    ] {
        let mut world = World::after(CARD);
        world.run(&format!(
            "
            later: {step}
            later: auth c1 1.00 stan 1    -> {answer}
            commit
            auth c1 1.00 stan 2           -> {answer}
            "
        ));
    }
    check(
        "
        partner acme
        pool deposit EUR 10.00
        programme gold deposit
        open-balance alice
        card c1 alice exp 2712
        later: close alice
        later: auth c1 1.00 stan 1     -> balance_closed
        later: credit alice 1.00       -> busy
        later: card c2 alice exp 2712  -> refused BalanceClosed
        commit
        credit alice 1.00              -> refused BalanceClosed
        ",
    );
}

#[test]
fn unlocks_unblocks_and_activations_count_at_their_commit() {
    for (before, step, answer) in [
        ("lock c1 3", "unlock c1", "locked_pending_query"),
        ("block alice", "unblock alice", "balance_blocked"),
        ("block-customer alice", "unblock-customer alice", "customer_blocked"),
    ] {
        let mut world = World::after(CARD);
        world.run(&format!(
            "
            {before}
            later: {step}
            later: auth c1 1.00 stan 1    -> {answer}
            commit
            auth c1 1.00 stan 2           -> approved
            "
        ));
    }
    with_card(
        "
        card c3 alice exp 2712 status inactive
        later: activate c3
        later: auth c3 1.00 stan 1    -> card_not_active
        commit
        auth c3 1.00 stan 2           -> approved
        ",
    );
}

#[test]
fn new_partners_pools_programmes_balances_and_cards_are_there_at_their_commit() {
    check(
        "
        later: partner acme
        later: open-pool deposit EUR     -> refused NoSuchPartner
        commit
        later: open-pool deposit EUR
        later: reload deposit 5.00       -> refused NoSuchPool
        later: programme gold deposit    -> refused NoSuchPool
        commit
        reload deposit 5.00
        later: programme gold deposit
        later: open-balance alice        -> refused NoSuchProgramme
        commit
        later: open-balance alice
        later: credit alice 5.00         -> refused NoSuchBalance
        later: card c1 alice exp 2712    -> refused NoSuchBalance
        commit
        credit alice 5.00
        later: card c1 alice exp 2712
        later: lock c1 1                 -> refused NoSuchCard
        later: auth c1 5.00 stan 1       -> invalid_card_number
        commit
        auth c1 5.00 stan 2              -> approved
        ",
    );
}

/// A relaxation that counts at its commit would else undo what was decided after it.
#[test]
fn a_second_command_about_the_same_thing_waits_for_the_commit_of_the_first() {
    for (before, first, second) in [
        ("lock c1 3", "unlock c1", "lock c1 1"),
        ("lock c1 3", "lock c1 1", "unlock c1"),
        ("", "lock c1 3", "remove c1"),
        ("", "remove c1", "lock c1 1"),
        ("", "remove c1", "activate c1"),
        ("block alice", "unblock alice", "block alice"),
        ("", "credit alice 1.00", "block alice"),
        ("", "block alice", "credit alice 1.00"),
        ("", "credit alice 1.00", "credit alice 1.00"),
        ("", "block-customer alice", "unblock-customer alice"),
        ("", "suspend acme", "resume acme"),
        ("", "rename-partner acme Apex", "suspend acme"),
        ("", "rename-programme gold Silver", "rename-programme gold Bronze"),
    ] {
        let mut world = World::after(CARD);
        world.run(&format!(
            "
            {before}
            later: {first}
            later: {second}       -> busy
            later: {second}       -> busy
            commit
            "
        ));
        assert!(world.cluster.in_flight.is_empty(), "busy left nothing behind");
    }
}

#[test]
fn commands_about_different_things_do_not_wait() {
    with_card(
        "
        balance bob 5.00
        later: lock c1 3
        later: lock c2 3
        later: credit alice 1.00
        later: credit bob 1.00
        later: block-customer alice
        later: block-customer bob
        later: auth c1 1.00 stan 1    -> locked_pending_query
        commit
        unlock c1
        unblock-customer alice
        ",
    );
}

#[test]
fn a_busy_command_is_done_when_it_is_decided_again() {
    with_card(
        "
        lock c1 3
        later: unlock c1 key first
        later: lock c1 1 key second    -> busy
        commit
        lock c1 1 key second
        auth c1 1.00 stan 1            -> locked_lost
        ",
    );
}

#[test]
fn of_two_overlapping_programmes_in_one_batch_the_second_is_refused() {
    check(
        "
        partner acme
        pool deposit EUR 10.00
        later: programme gold deposit bins 99999910-99999919
        later: programme blue deposit bins 99999919-99999929    -> refused BinsTaken
        later: programme blue deposit bins 99999900-99999999    -> refused BinsTaken
        later: programme blue deposit bins 99999912-99999912    -> refused BinsTaken
        later: programme blue deposit bins 99999920-99999929
        commit
        programme red deposit bins 99999915-99999915            -> refused BinsTaken
        ",
    );
}

#[test]
fn a_key_sent_twice_gives_the_same_identifier_before_and_after_the_commit() {
    let mut world = World::after(CARD);
    let mut made = Vec::new();
    for step in [
        "later: card c9 alice exp 2712 key k1",
        "later: card c9 alice exp 2712 key k1",
        "commit",
        "card c9 alice exp 2712 key k1",
        "restart",
        "card c9 alice exp 2712 key k1",
    ] {
        world.run(step);
        made.push(world.names.cards["c9"].0);
    }
    assert!(made.windows(2).all(|two| two[0] == two[1]), "{made:?}");
    world.run("later: card c10 alice exp 2712 key k2");
    assert_ne!(world.names.cards["c10"].0, made[0]);
}

#[test]
fn a_key_sent_twice_moves_money_once() {
    with_card(
        "
        later: credit alice 10.00 key k1
        later: credit alice 10.00 key k1       # not busy: it is the same command
        commit
        credit alice 10.00 key k1
        restart
        credit alice 10.00 key k1
        ledger alice 60.00
        credit alice 10.00 key k2
        ledger alice 70.00
        ",
    );
}

#[test]
fn a_balance_with_money_or_holds_in_flight_is_not_closed() {
    check(
        "
        partner acme
        pool deposit EUR 100.00
        programme gold deposit
        open-balance alice
        later: credit alice 10.00
        later: close alice              -> busy
        commit
        close alice                     -> refused BalanceNotEmpty
        ",
    );
}
