//! Approvals: what they hold, where from, and the code that they carry.

use std::collections::HashSet;

use switch_domain::{Amount, Event, MessageClass, MinorUnits};
use switch_engine::{Answer, Command};

use crate::harness::{CARDS, World, authorize, check, fingerprint, key};

#[test]
fn an_approval_holds_user_funds_and_the_deposit() {
    check(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        auth c1 12.50 stan 1      -> approved
        held alice 12.50
        available alice 37.50
        ledger alice 50.00
        pool-held deposit 12.50
        pool-available deposit 987.50
        auth c1 60.00 stan 2      -> insufficient_funds
        auth c1 37.51 stan 3      -> insufficient_funds
        auth c1 37.50 stan 4      -> approved
        available alice 0.00
        auth c1 0.01 stan 5       -> insufficient_funds
        reverse stan 1            -> reversal_accepted of 1
        held alice 37.50
        pool-held deposit 37.50
        open 1
        restart
        held alice 37.50
        auth c1 12.50 stan 6      -> approved
        ",
    );
}

#[test]
fn under_a_credit_programme_an_approval_holds_user_funds_alone() {
    check(
        "
        partner acme
        pool credit EUR 1000.00
        programme gold credit
        balance alice 50.00
        card c1 alice exp 2712
        pool-available credit 950.00       # the top-up was charged
        auth c1 50.00 stan 1      -> approved
        held alice 50.00
        pool-available credit 950.00
        pool-held credit 0.00
        ",
    );
}

#[test]
fn two_cards_of_one_balance_spend_the_same_money() {
    check(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        card c2 alice exp 2801
        auth c1 30.00 stan 1 as one     -> approved
        auth c2 30.00 stan 1 as two     -> insufficient_funds
        auth c2 20.00 stan 2 as three   -> approved
        available alice 0.00
        reverse c2 stan 1               -> reversal_accepted of two   # it held nothing
        available alice 0.00
        reverse c1 stan 1               -> reversal_accepted of one
        available alice 30.00
        ",
    );
}

#[test]
fn a_balance_in_another_currency_is_another_balance() {
    check(
        "
        partner acme
        pool credit EUR 100.00
        pool credit JPY 5000 as yen
        programme gold credit
        balance alice 50.00
        card c1 alice exp 2712
        programme kin yen bins 99999920-99999929
        balance alice-yen 2000 holder alice
        card c2 alice-yen exp 2712
        auth c1 10.00 stan 1         -> approved
        auth c2 1500 stan 2          -> approved
        auth c2 501 stan 3           -> insufficient_funds
        auth c2 5.00 in EUR stan 4   -> currency_unacceptable
        auth c1 500 in JPY stan 5    -> currency_unacceptable
        held alice 10.00
        held alice-yen 1500
        pool-available yen 3000
        ",
    );
}

#[test]
fn exponents_of_nought_and_three_need_no_rule_of_their_own() {
    check(
        "
        partner acme
        pool deposit BHD 10.000
        programme gold deposit
        balance alice 1.005
        card c1 alice exp 2712
        auth c1 1.004 stan 1   -> approved
        auth c1 0.002 stan 2   -> insufficient_funds
        auth c1 0.001 stan 3   -> approved
        available alice 0.000
        pool-available deposit 8.995
        ",
    );
}

#[test]
fn the_card_is_good_until_the_end_of_its_month() {
    check(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        month 2712
        auth c1 1.00 stan 1 exp 2712   -> approved
        auth c1 1.00 stan 2 exp 2711   -> expired_card    # not the card's own month
        auth c1 1.00 stan 3 exp 2801   -> expired_card
        auth c1 1.00 stan 4            -> approved        # the message need not name it
        month 2801
        auth c1 1.00 stan 5            -> expired_card
        auth c1 1.00 stan 6 exp 2712   -> expired_card
        reverse stan 1                 -> reversal_accepted of 1
        held alice 1.00
        ",
    );
}

#[test]
fn a_card_is_spent_from_only_once_activated_and_never_once_removed() {
    check(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712 status inactive
        auth c1 1.00 stan 1   -> card_not_active
        activate c1
        auth c1 1.00 stan 2   -> approved
        remove c1
        auth c1 1.00 stan 3   -> invalid_card_number
        held alice 1.00
        reverse stan 2        -> reversal_accepted of 2   # a removed card keeps no money back
        held alice 0.00
        ",
    );
}

/// DE38 is six characters, another one each time, and it goes on where it was after a restart.
#[test]
fn no_card_sees_an_approval_code_twice() {
    let mut world = World::after(
        "
        partner acme
        pool deposit EUR 1000000.00
        programme gold deposit
        balance alice 100000.00
        card c1 alice exp 2712
        card c2 alice exp 2712
        ",
    );
    let mut seen = HashSet::new();
    for stan in 0..6_000_u32 {
        let name = if stan % 2 == 0 { "c1" } else { "c2" };
        let (card, currency) = world.names.cards[name];
        let key = key(MessageClass::AuthorizationRequest, stan, fingerprint(name));
        let mut request = authorize(key, Amount { minor: MinorUnits(100), currency });
        request.card = Some(card);
        let answer = world.cluster.submit(CARDS, &Command::Authorize(request));
        let Answer::Decided(decision) = answer else { panic!("{answer:?}") };
        let code = decision.approval_code.expect("an approval carries a code");
        assert_eq!(code.as_str().len(), 6);
        assert!(seen.insert((card, code)), "approval {stan} has a code again: {code:?}");
        if stan % 1_000 == 999 {
            world.run("restart");
        }
    }
}

#[test]
fn declines_use_up_no_approval_code() {
    let mut world = World::after(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        auth c1 1.00 stan 1    -> approved
        auth c1 99.00 stan 2   -> insufficient_funds
        ",
    );
    let (card, _) = world.names.cards["c1"];
    assert_eq!(world.cluster.states[CARDS].card(card).map(|card| card.approvals), Some(1));
    world.run("auth c1 1.00 stan 3 -> approved");
    assert_eq!(world.cluster.states[CARDS].card(card).map(|card| card.approvals), Some(2));
}

/// Hot tables are cut by institution, so each record names it where it is known.
#[test]
fn records_name_the_institution_where_it_is_known() {
    let world = World::after(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        auth c1 1.00 stan 1                      -> approved
        auth c1 99.00 stan 2                     -> insufficient_funds
        auth no-card 1.00 stan 3                 -> invalid_card_number
        auth no-card 1.00 stan 4 bin 41111111    -> no_route
        reverse stan 1                           -> reversal_accepted
        reverse c1 stan 9                        -> reversal_accepted
        ",
    );
    let named = world.cluster.journals[CARDS].iter().filter_map(|record| match &record.event {
        Event::Authorized(authorized) => Some(authorized.partner),
        Event::Reversed(reversed) => Some(reversed.partner),
        _ => None,
    });
    let acme = Some(world.names.partners["acme"]);
    assert_eq!(named.collect::<Vec<_>>(), [acme, acme, acme, None, acme, None]);
}
