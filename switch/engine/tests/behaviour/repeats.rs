//! Repeats: one message, one answer, one hold, however often and by whatever way it comes. Each
//! `repeated` answer is compared with the first by the harness: reason, approval code and
//! authorization.

use switch_domain::{MessageClass, MinorUnits};
use switch_engine::{Answer, Command};

use crate::harness::{CARDS, World, authorize, fingerprint, key};

const CARD: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    card c1 alice exp 2712
";

fn with_card(table: &str) {
    World::after(CARD).run(table);
}

#[test]
fn a_repeat_is_answered_from_the_stored_answer() {
    with_card(
        "
        auth c1 20.00 stan 1    -> approved
        auth c1 20.00 stan 1    -> approved repeated of 1
        auth c1 20.00 stan 1    -> approved repeated of 1
        held alice 20.00
        pool-held deposit 20.00
        auth c1 60.00 stan 2    -> insufficient_funds
        credit alice 100.00
        auth c1 60.00 stan 2    -> insufficient_funds repeated of 2   # a decline stays one
        held alice 20.00
        restart
        auth c1 20.00 stan 1    -> approved repeated of 1
        held alice 20.00
        ",
    );
}

#[test]
fn a_repeat_before_the_commit_gets_the_same_answer_and_no_second_hold() {
    with_card(
        "
        later: auth c1 20.00 stan 1    -> approved
        later: auth c1 20.00 stan 1    -> approved repeated of 1
        held alice 20.00
        commit
        auth c1 20.00 stan 1           -> approved repeated of 1
        held alice 20.00
        later: reverse stan 1          -> reversal_accepted of 1
        later: reverse stan 1          -> reversal_accepted repeated of 1
        commit
        held alice 0.00
        ",
    );
}

#[test]
fn another_transmission_time_is_the_same_message() {
    with_card(
        "
        auth c1 20.00 stan 1 de7 615120000   -> approved
        auth c1 20.00 stan 1 de7 615120009   -> approved repeated of 1
        held alice 20.00
        ",
    );
}

#[test]
fn the_acquirer_counts_and_not_the_connection() {
    let mut world = World::after(CARD);
    let (card, eur) = world.names.cards["c1"];
    let key = key(MessageClass::AuthorizationRequest, 1, fingerprint("c1"));
    let amount = switch_domain::Amount { minor: MinorUnits(20_00), currency: eur };
    let mut request = authorize(key, amount);
    request.card = Some(card);
    let first = world.cluster.submit(CARDS, &Command::Authorize(request.clone()));
    request.link = switch_domain::LinkId(2);
    let second = world.cluster.submit(CARDS, &Command::Authorize(request));
    let (Answer::Decided(first), Answer::Decided(second)) = (first, second) else {
        panic!("{first:?} {second:?}")
    };
    assert!(!first.repeated && second.repeated);
    assert_eq!(first.approval_code, second.approval_code);
    world.run("held alice 20.00");
}

/// Each field of the key makes it another message.
#[test]
fn a_message_that_differs_in_a_field_of_the_key_is_another_one() {
    for difference in ["time 616130000", "term TERM0002", "rrn R2", "acq 999002", "link 3"] {
        let mut world = World::after(CARD);
        world.run(&format!(
            "
            auth c1 20.00 stan 1                 -> approved
            auth c1 20.00 stan 1 {difference}    -> approved
            auth c1 20.00 stan 1 {difference}    -> approved repeated
            held alice 40.00
            "
        ));
    }
    with_card(
        "
        card c2 alice exp 2712
        auth c1 20.00 stan 1    -> approved
        auth c2 20.00 stan 1    -> approved
        auth c1 20.00 stan 2    -> insufficient_funds
        held alice 40.00
        ",
    );
}

#[test]
fn a_key_that_comes_again_for_another_amount_is_refused_and_takes_nothing() {
    with_card(
        "
        auth c1 20.00 stan 1                      -> approved
        auth c1 49.00 stan 1                      -> duplicate_transmission of nothing
        auth c1 0.00 stan 1 fault format_error    -> duplicate_transmission of nothing
        held alice 20.00
        lock c1 1
        auth c1 20.00 stan 1                      -> approved repeated of 1
        held alice 20.00
        ",
    );
}

#[test]
fn a_repeat_after_the_reversal_gets_the_approval_again_and_no_hold() {
    with_card(
        "
        auth c1 20.00 stan 1    -> approved
        reverse stan 1          -> reversal_accepted of 1
        auth c1 20.00 stan 1    -> approved repeated of 1
        held alice 0.00
        ",
    );
}

#[test]
fn a_void_replaces_the_stored_approval() {
    with_card(
        "
        auth c1 20.00 stan 1                  -> approved
        void 1 issuer_inoperative             -> issuer_inoperative of 1
        held alice 0.00
        pool-held deposit 0.00
        auth c1 20.00 stan 1                  -> issuer_inoperative repeated of 1
        restart
        auth c1 20.00 stan 1                  -> issuer_inoperative repeated of 1
        held alice 0.00
        auth c1 50.00 stan 2                  -> approved
        ",
    );
}

#[test]
fn a_void_before_the_commit_of_its_approval_comes_out_the_same() {
    with_card(
        "
        later: auth c1 20.00 stan 1            -> approved
        later: void 1 issuer_inoperative       -> issuer_inoperative of 1
        later: auth c1 20.00 stan 1            -> issuer_inoperative repeated of 1
        later: auth c1 50.00 stan 2            -> insufficient_funds   # not given back yet
        commit
        held alice 0.00
        pool-held deposit 0.00
        auth c1 20.00 stan 1                   -> issuer_inoperative repeated of 1
        ",
    );
}

#[test]
fn a_void_takes_back_approvals_and_nothing_else() {
    with_card(
        "
        auth c1 20.00 stan 1                  -> approved
        void 1 issuer_inoperative             -> issuer_inoperative of 1
        void 1 system_malfunction             -> issuer_inoperative of 1   # it was before
        auth c1 20.00 stan 1                  -> issuer_inoperative repeated of 1
        auth c1 60.00 stan 2                  -> insufficient_funds
        void 2 issuer_inoperative             -> insufficient_funds of 2   # answered already
        auth c1 60.00 stan 2                  -> insufficient_funds repeated of 2
        void no-such issuer_inoperative       -> issuer_inoperative
        held alice 0.00
        ",
    );
}
