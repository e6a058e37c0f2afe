//! Renewal: the same card with a later month, and with other plastic where it is of plastic. What
//! is good before and after, what a card can be renewed to, and what of it stays.

use switch_domain::{CardCounters, Event, Expiry};

use crate::harness::{CARDS, World};

const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
";

fn with_card(table: &str) -> World {
    let mut world = World::after(CARD);
    world.run(table);
    world
}

#[test]
fn the_month_of_before_is_no_longer_good_and_nothing_else_changes() {
    let world = with_card(
        "
        auth c1 1.00 stan 1 exp 2712    -> approved
        auth c1 1.00 stan 2 exp 3101    -> expired_card
        lock c1 3
        renew c1 exp 3101 key once
        auth c1 1.00 stan 3 exp 3101    -> locked_pending_query
        unlock c1
        auth c1 1.00 stan 4 exp 2712    -> expired_card
        auth c1 1.00 stan 5 exp 3101    -> approved
        auth c1 1.00 stan 6             -> approved
        auth c1 1.00 stan 1 exp 2712    -> approved repeated
        held alice 3.00
        renew c1 exp 3101 key once                          # the same command
        renew c1 exp 3102 key once      -> refused KeyReused
        restart
        auth c1 1.00 stan 7 exp 2712    -> expired_card
        auth c1 1.00 stan 8 exp 3101    -> approved
        ",
    );
    let journal = &world.cluster.journals[CARDS];
    let is_renewal = |event: &Event| matches!(event, Event::CardRenewed { .. });
    assert_eq!(journal.iter().filter(|one| is_renewal(&one.event)).count(), 1);
    let card = world.cluster.states[CARDS].card(world.names.cards["c1"].0).expect("it is there");
    assert_eq!(card.expiry, Expiry::from_yymm(3101).expect("a month"));
}

#[test]
fn a_card_is_renewed_to_what_is_later_than_what_it_has_and_only_while_it_can_be_used_again() {
    with_card(
        "
        card-data c1 201 seq 3
        renew c1 exp 2712                       -> refused RenewalNotLater
        renew c1 exp 2711                       -> refused RenewalNotLater
        renew c1 exp 3101 code 201 seq 3        -> refused RenewalNotLater
        renew c1 exp 3101 code 201 seq 2        -> refused RenewalNotLater
        await c1 seq 3                          -> refused RenewalNotLater
        renew c1 exp 3101 code 201 seq 4
        lock c1 6
        renew c1 exp 3102
        card c2 alice exp 2712
        lock c2 8
        renew c2 exp 3101                       -> refused LockIsFinal
        await c2 seq 4                          -> refused LockIsFinal
        card c3 alice exp 2712
        remove c3
        renew c3 exp 3101                       -> refused NoSuchCard
        await c3 seq 4                          -> refused NoSuchCard
        card c4 alice exp 2001
        auth c4 1.00 stan 1 exp 2001            -> expired_card
        renew c4 exp 3101
        auth c4 1.00 stan 2 exp 3101            -> approved
        ",
    );
}

/// W-14: nobody is told of the other month before the commit, so that both count at once.
#[test]
fn while_it_is_on_its_way_the_month_of_before_is_no_longer_good() {
    with_card(
        "
        later: renew c1 exp 3101
        later: auth c1 1.00 stan 1 exp 2712     -> expired_card
        later: lock c1 3                        -> busy
        commit
        auth c1 1.00 stan 2 exp 3101            -> approved
        ",
    );
}

#[test]
fn of_plastic_the_one_that_is_good_is_told_by_its_number_where_no_month_is_named() {
    let world = with_card(
        "
        verified gold
        set-pin c1 1234
        card-data c1 201 seq 1
        auth c1 1.00 stan 1 exp 2712 chip right atc 1 seq 1 pin right  -> approved
        auth c1 1.00 stan 2 chip right atc 9 seq 2                     -> approved    # nobody said
        await c1 seq 2
        await c1 seq 2                                                              # the same
        auth c1 1.00 stan 3 exp 2712 chip right atc 2 seq 1            -> approved
        auth c1 1.00 stan 4 chip right atc 10 seq 2                    -> expired_card
        auth c1 1.00 stan 5 exp 3101 chip right atc 11 seq 2           -> expired_card
        chip-pin c1 known
        auth c1 1.00 stan 6 exp 2712 chip right atc 3 seq 1 pin wrong  -> incorrect_pin
        renew c1 exp 3101 code 201 seq 2
        tries c1 1
        chip-pin c1 pends
        restart
        chip-pin c1 pends
        auth c1 1.00 stan 7 exp 2712 chip right atc 4 seq 1            -> expired_card
        auth c1 1.00 stan 8 chip right atc 4 seq 1                     -> expired_card
        auth c1 1.00 stan 9 exp 3101 chip right atc 4 seq 1            -> expired_card
        auth c1 1.00 stan 10 chip malformed atc 0 seq 0                -> verification_data_invalid
        auth c1 1.00 stan 11 exp 3101 chip right atc 12 seq 2 pin right -> approved
        chip-pin c1 known
        auth c1 1.00 stan 12 exp 3101 chip right atc 12 seq 2          -> cryptogram_replayed
        ",
    );
    let counters = world.cluster.states[CARDS].counters_of(world.names.cards["c1"].0);
    let chip = |sequence| counters.and_then(|counters: &CardCounters| counters.chip(sequence));
    // Each plastic has a row of counters of its own; that of before stays as it was.
    assert_eq!([1, 2].map(|one| chip(one).map(|chip| chip.highest)), [Some(4), Some(12)]);
}

/// What was compared with the values of before says nothing any more.
#[test]
fn a_printed_code_that_was_verified_with_the_month_of_before_is_stale() {
    with_card(
        "
        verified gold
        card-data c1 101
        auth c1 1.00 stan 1 chan ecommerce entry ecommerce code right against 1 -> approved
        renew c1 exp 3101
        auth c1 1.00 stan 2 chan ecommerce entry ecommerce code right against 1 \
            -> verification_unavailable
        auth c1 1.00 stan 3 chan ecommerce entry ecommerce code right against 2 -> approved
        ",
    );
}
