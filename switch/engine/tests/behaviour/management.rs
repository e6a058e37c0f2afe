//! Management commands: what they make, what they refuse, and that a key does a thing once.

use switch_engine::Refusal;

use crate::harness::{CONTROL, World, check};

#[test]
fn partners_are_suspended_and_resumed() {
    check(
        "
        partner acme
        pool deposit EUR 100.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        suspend acme
        suspend acme                 # it is so already
        auth c1 1.00 stan 1          -> partner_suspended
        resume acme
        auth c1 1.00 stan 2          -> approved
        suspend no-body              -> refused NoSuchPartner
        ",
    );
}

#[test]
fn partners_and_programmes_get_other_names_and_their_cards_go_on() {
    let mut world = World::new();
    world.run(
        "
        partner acme
        pool deposit EUR 100.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        rename-partner acme Apex
        rename-partner acme Apex     # it is so already
        rename-programme gold Silver
        rename-programme gold Silver
        auth c1 1.00 stan 1          -> approved
        suspend acme
        auth c1 1.00 stan 2          -> partner_suspended
        resume acme
        rename-partner no-body Apex  -> refused NoSuchPartner
        rename-programme no-such Apex -> refused NoSuchProgramme
        ",
    );
    let control = world.cluster.states[CONTROL].control();
    let names = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>();
    let partners = &mut control.partners.values().map(|one| one.name.to_string());
    assert_eq!(names(partners), ["Apex"]);
    let programmes = &mut control.programmes.values().map(|one| one.name.to_string());
    assert_eq!(names(programmes), ["Silver"]);
}

#[test]
fn balances_are_blocked_closed_and_never_reopened() {
    check(
        "
        partner acme
        pool deposit EUR 100.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        block alice
        block alice
        credit alice 1.00            # blocked for spending, not for receiving
        auth c1 1.00 stan 1          -> balance_blocked
        close alice                  -> refused BalanceNotEmpty
        unblock alice
        auth c1 1.00 stan 2          -> approved
        open-balance bob
        close bob
        close bob
        unblock bob                  -> refused BalanceClosed
        block bob                    -> refused BalanceClosed
        credit bob 1.00              -> refused BalanceClosed
        card c2 bob exp 2712         -> refused BalanceClosed
        close no-balance             -> refused NoSuchBalance
        credit no-balance 1.00       -> refused NoSuchBalance
        ",
    );
}

#[test]
fn a_blocked_customer_spends_from_no_balance() {
    check(
        "
        partner acme
        pool deposit EUR 100.00
        programme gold deposit
        balance one 10.00 holder alice
        balance two 10.00 holder alice
        balance three 10.00 holder bob
        card c1 one exp 2712
        card c2 two exp 2712
        card c3 three exp 2712
        block-customer alice
        block-customer alice
        auth c1 1.00 stan 1          -> customer_blocked
        auth c2 1.00 stan 2          -> customer_blocked
        auth c3 1.00 stan 3          -> approved
        restart
        auth c1 1.00 stan 4          -> customer_blocked
        unblock-customer alice
        unblock-customer alice
        auth c1 1.00 stan 5          -> approved
        ",
    );
}

#[test]
fn programmes_need_their_partner_their_pool_and_bins_of_their_own() {
    check(
        "
        partner acme
        partner beta
        pool deposit EUR 10.00 as d of acme
        pool credit EUR 10.00 as c of acme
        pool deposit EUR 10.00 as other of beta
        programme gold d of no-body                              -> refused NoSuchPartner
        programme gold no-pool of acme                           -> refused NoSuchPool
        programme gold d of acme funding credit                  -> refused PoolUnfit
        programme gold c of acme funding deposit                 -> refused PoolUnfit
        programme gold d of acme in USD                          -> refused PoolUnfit
        programme gold other of acme                             -> refused PoolUnfit
        programme gold d of acme bins 99999919-99999910          -> refused BinsInvalid
        programme gold d of acme bins 99999910-100000000         -> refused BinsInvalid
        programme gold d of acme bins 99999910-99999919
        programme blue c of acme bins 99999919-99999920          -> refused BinsTaken
        programme blue other of beta bins 99999905-99999910      -> refused BinsTaken
        programme blue other of beta bins 99999920-99999920
        programme red c of acme bins 99999900-99999909
        open-pool credit EUR of no-body                          -> refused NoSuchPartner
        open-balance alice under no-programme                    -> refused NoSuchProgramme
        ",
    );
}

#[test]
fn a_pan_has_fourteen_to_nineteen_digits() {
    for length in 0..=255 {
        let answer = if (14..=19).contains(&length) { "done" } else { "refused BinsInvalid" };
        check(&format!(
            "
            partner acme
            open-pool deposit EUR
            programme gold deposit length {length}    -> {answer}
            "
        ));
    }
}

#[test]
fn cards_are_issued_inactive_or_active() {
    check(
        "
        partner acme
        pool deposit EUR 10.00
        programme gold deposit
        balance alice 10.00
        card c1 no-balance exp 2712                  -> refused NoSuchBalance
        card c1 alice exp 2712 status removed        -> refused CardUnfit
        card c1 alice exp 2706                       # good until the end of this very month
        auth c1 1.00 stan 1                          -> approved
        card c2 alice exp 2705                       # a portfolio from elsewhere has such cards
        auth c2 1.00 stan 2                          -> expired_card
        activate c1                                  # it is so already
        ",
    );
}

#[test]
fn a_key_does_a_thing_once_whatever_happened_since() {
    check(
        "
        partner acme
        pool deposit EUR 100.00
        reload deposit 50.00 key r1
        reload deposit 50.00 key r1
        reload deposit 50.00 key r2
        pool-available deposit 200.00
        programme gold deposit
        balance alice 10.00
        card c1 alice exp 2712
        lock c1 3 key l1
        unlock c1 key u1
        lock c1 3 key l1             # the first lock, sent again late
        auth c1 1.00 stan 1          -> approved
        ",
    );
}

#[test]
fn a_refused_command_may_be_sent_again_under_its_key() {
    check(
        "
        partner acme
        pool credit EUR 5.00
        programme gold credit
        open-balance alice
        credit alice 10.00 key k     -> refused PoolInsufficient
        reload credit 5.00
        credit alice 10.00 key k
        credit alice 10.00 key k
        ledger alice 10.00
        ",
    );
}

#[test]
fn refusals_say_what_was_wrong_in_words() {
    let said = [Refusal::BinsTaken, Refusal::LockIsFinal, Refusal::PoolInsufficient];
    for refusal in said {
        assert!(refusal.to_string().len() > 20, "{refusal:?}: {refusal}");
    }
}
