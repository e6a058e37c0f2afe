//! Partial approval: the table of who gets how much, and what the rest of a purchase's life makes
//! of one that was approved in part.

use switch_domain::{Amount, MessageClass, MinorUnits};
use switch_engine::{Answer, Command, Terms};

use crate::harness::{CARDS, World, authorize, check, fingerprint, key};

/// A customer with 40.00, a partner with 1000.00 that approves in part from 5.00 on.
const SHORT: &str = "
    partner acme
    partial-minimum acme EUR 5.00
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 40.00
    card c1 alice exp 2712
";

/// What it is about; what the partner's deposit and the customer have, and the least that is
/// approved in part, in euros or `none`; the message, of a terminal that `can` take a part or not,
/// with a fee on top or `inside`; what it is answered; what it holds.
const CASES: &str = "
    # The terminal, and the partner.
    all is there | 1000.00 40.00 5.00 | 40.00 can | approved | 40.00
    a capable terminal | 1000.00 40.00 5.00 | 100.00 can | in part 40.00 | 40.00
    one that is not | 1000.00 40.00 5.00 | 100.00 | short | 0.00
    a partner that does not | 1000.00 40.00 none | 100.00 can | short | 0.00
    neither | 1000.00 40.00 none | 100.00 | short | 0.00
    a cent short | 1000.00 40.00 5.00 | 40.01 can | in part 40.00 | 40.00
    # The minimum.
    the minimum exactly | 1000.00 5.00 5.00 | 10.00 can | in part 5.00 | 5.00
    a cent below it | 1000.00 4.99 5.00 | 10.00 can | short | 0.00
    asked for less than it | 1000.00 3.00 5.00 | 4.00 can | short | 0.00
    a minimum of a cent | 1000.00 0.01 0.01 | 10.00 can | in part 0.01 | 0.01
    nothing there | 1000.00 0.00 0.01 | 10.00 can | short | 0.00
    # The partner's deposit.
    deposit short | 30.00 500.00 5.00 | 100.00 can | in part 30.00 | 30.00
    deposit short, not capable | 30.00 500.00 5.00 | 100.00 | deposit short | 0.00
    deposit below the minimum | 4.99 500.00 5.00 | 100.00 can | deposit short | 0.00
    deposit at the minimum | 5.00 500.00 5.00 | 100.00 can | in part 5.00 | 5.00
    deposit empty | 0.00 500.00 5.00 | 100.00 can | deposit short | 0.00
    both short, deposit more | 30.00 40.00 5.00 | 100.00 can | in part 30.00 | 30.00
    both short, customer more | 30.00 20.00 5.00 | 100.00 can | in part 20.00 | 20.00
    both short, one below | 30.00 4.00 5.00 | 100.00 can | deposit short | 0.00
    # The acquirer's fee on top.
    fee, all there | 1000.00 40.00 5.00 | 38.50 fee 1.50 | approved | 40.00
    fee makes it short | 1000.00 40.00 5.00 | 38.51 fee 1.50 | short | 0.00
    fee makes it short, capable | 1000.00 40.00 5.00 | 38.51 fee 1.50 can | in part 38.50 | 40.00
    less the fee | 1000.00 40.00 5.00 | 100.00 fee 1.50 can | in part 38.50 | 40.00
    deposit short, less the fee | 30.00 40.00 5.00 | 100.00 fee 1.50 can | in part 28.50 | 30.00
    the minimum, with the fee | 1000.00 6.50 5.00 | 100.00 fee 1.50 can | in part 5.00 | 6.50
    below it, with the fee | 1000.00 6.49 5.00 | 100.00 fee 1.50 can | short | 0.00
    fee of all there is | 1000.00 1.50 0.01 | 100.00 fee 1.50 can | short | 0.00
    fee of more than there is | 1000.00 1.00 0.01 | 100.00 fee 1.50 can | short | 0.00
    a fee that is given | 1000.00 40.00 5.00 | 100.00 fee -1.50 can | in part 41.50 | 40.00
    a given one covers the rest | 1000.00 40.00 5.00 | 41.50 fee -1.50 can | approved | 40.00
    one that gives it all back | 1000.00 40.00 5.00 | 1.50 fee -1.50 can | invalid_amount | 0.00
    # The fee within the amount.
    within the amount | 1000.00 40.00 5.00 | 100.00 fee 1.50 inside can | in part 40.00 | 40.00
    minimum of the rest | 1000.00 6.50 5.00 | 100.00 fee 1.50 inside can | in part 6.50 | 6.50
    and a cent below | 1000.00 6.49 5.00 | 100.00 fee 1.50 inside can | short | 0.00
";

#[test]
fn who_is_approved_for_how_much() {
    let mut count = 0;
    for row in CASES.lines().map(str::trim).filter(|row| row.contains('|')) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [what, there, message, answer, held] = cells[..] else { panic!("{row}") };
        let there: Vec<_> = there.split(' ').collect();
        let [deposit, funds, minimum] = there[..] else { panic!("{row}") };
        count += 1;
        let asked = message.split(' ').next().expect("an amount");
        let answer = match answer.strip_prefix("in part ") {
            Some(part) => format!("approved_partially {part} EUR for {asked} EUR"),
            None => match answer {
                "short" => "insufficient_funds".to_owned(),
                "deposit short" => "partner_deposit_insufficient".to_owned(),
                other => other.to_owned(),
            },
        };
        let message = message.replace("can", "part yes").replace("inside", "fee-within yes");
        // An authorization holds what a financial request settles.
        for (verb, amounts) in [
            ("auth", [["held", held], ["ledger", funds]]),
            ("pay", [["held", "0.00"], ["settled", held]]),
        ] {
            let looks = match amounts {
                [[_, held], ["settled", spent]] => {
                    format!("held alice {held}\npool-held deposit {held}\nnetwork acme EUR {spent}")
                }
                [[_, held], [_, ledger]] => format!(
                    "held alice {held}\npool-held deposit {held}\nledger alice {ledger}\n\
                     network acme EUR 0.00"
                ),
            };
            println!("{verb} {what}");
            check(&format!(
                "
                partner acme
                partial-minimum acme EUR {minimum}
                pool deposit EUR {deposit}
                programme gold deposit
                balance alice {funds}
                card c1 alice exp 2712
                {verb} c1 {message} stan 1 -> {answer}
                {looks}
                {verb} c1 {message} stan 1 mark repeat -> {answer}{repeated}
                {looks}
                restart
                {verb} c1 {message} stan 1 -> {answer}{repeated}
                {looks}
                ",
                repeated = " repeated",
            ));
        }
    }
    assert_eq!(count, 34, "every row was understood");
}

#[test]
fn the_minimum_is_of_a_partner_and_of_a_currency() {
    let mut world = World::after(SHORT);
    world.run(
        "
        partner other
        pool deposit EUR 1000.00 as theirs
        programme silver theirs bins 99999913-99999913
        balance bob 40.00
        card c2 bob exp 2712
        auth c2 100.00 stan 1 bin 99999913 part yes    -> insufficient_funds
        pool deposit JPY 10000 as yen of acme
        programme yen yen bins 99999914-99999914 of acme
        balance carol 4000
        card c3 carol exp 2712
        auth c3 10000 stan 1 bin 99999914 part yes     -> insufficient_funds
        partial-minimum acme JPY 500
        auth c3 10000 stan 2 bin 99999914 part yes     -> approved_partially 4000 JPY for 10000 JPY
        auth c1 100.00 stan 3 part yes  -> approved_partially 40.00 EUR for 100.00 EUR
        reverse stan 3                  -> reversal_accepted of 3
        # In force at once, as often as it is said; and taken away again.
        partial-minimum acme EUR 40.00
        partial-minimum acme EUR 40.00
        partial-minimum acme EUR 40.01
        auth c1 100.00 stan 4 part yes  -> insufficient_funds
        partial-minimum acme EUR 0.00   -> refused AmountNotPositive
        partial-minimum acme EUR none
        auth c1 100.00 stan 5 part yes  -> insufficient_funds
        partial-minimum acme EUR 1.00
        suspend acme
        auth c1 100.00 stan 6 part yes  -> partner_suspended
        resume acme
        auth c1 100.00 stan 7 part yes  -> approved_partially 40.00 EUR for 100.00 EUR
        restart
        auth c1 100.00 stan 8 part yes  -> insufficient_funds
        reverse stan 7                  -> reversal_accepted of 7
        auth c1 100.00 stan 9 part yes  -> approved_partially 40.00 EUR for 100.00 EUR
        ",
    );
}

#[test]
fn only_a_purchase_is_approved_in_part_and_only_for_want_of_money() {
    let mut world = World::after(SHORT);
    world.run(
        "
        auth c1 100.00 stan 1 part yes kind cash              -> insufficient_funds
        pay c1 100.00 stan 2 part yes kind cash               -> insufficient_funds
        auth c1 100.00 stan 3 part yes kind cash-back         -> insufficient_funds
        auth c1 0.00 stan 4 part yes kind inquiry             -> approved
        auth c1 0.00 stan 5 part yes kind verification        -> approved
        pay c1 100.00 stan 6 part yes kind refund             -> approved
        reverse stan 6                                        -> reversal_accepted of 6
        auth c1 100.00 stan 7 part yes fault expired_card     -> expired_card
        auth c1 100.00 stan 8 part yes exp 2711               -> expired_card
        # An increment and a completion are one thing; so is what was ordered as either.
        auth c1 10.00 stan 9                                  -> approved
        auth c1 100.00 stan 10 onto 9 part yes                -> insufficient_funds
        pay c1 100.00 stan 11 to 9 within 1000 part yes       -> insufficient_funds
        pay c1 100.00 stan 12 to 99 part yes                  -> insufficient_funds
        auth c1 100.00 stan 13 onto 99 part yes               -> insufficient_funds
        reverse stan 9                                        -> reversal_accepted of 9
        # An advice is never answered for a part: it has happened.
        advise c1 100.00 stan 14 part yes                     -> advice_accepted
        stand-in 14 forced insufficient_funds
        reverse stan 14                                       -> reversal_accepted of 14
        # An estimate may be cut: whoever pumps fuel stops at what was approved.
auth c1 100.00 stan 15 part yes kind preauthorization -> approved_partially 40.00 EUR for 100.00 EUR
        held alice 40.00
        reverse stan 15                                       -> reversal_accepted of 15
        # What was reversed in part before it came was answered by somebody.
        reverse c1 stan 16 leaving 60.00                      -> reversal_accepted
        auth c1 100.00 stan 16 part yes                       -> insufficient_funds
        auth c1 100.00 stan 17 part yes -> approved_partially 40.00 EUR for 100.00 EUR
        ",
    );
}

/// A limit is no want of money: what it does not let through whole is declined.
#[test]
fn a_spend_control_counts_what_was_approved_and_cuts_nothing() {
    let mut world = World::after(SHORT);
    world.run(
        "
        control day card c1 amount 90.00 window day zone Europe/Madrid
        control few card c1 count 3 window day zone Europe/Madrid
        auth c1 90.01 stan 1 part yes          -> amount_limit_exceeded
        auth c1 90.00 stan 2 part yes          -> approved_partially 40.00 EUR for 90.00 EUR
        used day c1 40.00 1
        credit alice 60.00
        auth c1 50.01 stan 3                   -> amount_limit_exceeded
        auth c1 50.00 stan 4                   -> approved
        used day c1 90.00 2
        reverse stan 2                         -> reversal_accepted of 2
        used day c1 50.00 1
        auth c1 39.00 stan 5 fee 1.00          -> approved
        used day c1 90.00 2
        reverse stan 5                         -> reversal_accepted of 5
        auth c1 40.00 stan 6 fee 0.01          -> amount_limit_exceeded
        # In shadow it says what it would have said of the whole.
        control shy card c1 amount 80.00 shadow yes
        change-control day card c1 amount 900.00 window day zone Europe/Madrid
        auth c1 100.00 stan 7 part yes         -> approved_partially 50.00 EUR for 100.00 EUR
        used day c1 100.00 2
        auth c1 10.00 stan 8 part yes          -> insufficient_funds
        reverse stan 4                         -> reversal_accepted of 4
        auth c1 10.00 stan 9 part yes          -> approved
        auth c1 100.00 stan 10 part yes        -> approved_partially 40.00 EUR for 100.00 EUR
        auth c1 100.00 stan 11 part yes        -> count_limit_exceeded
        ",
    );
}

#[test]
fn a_reversal_gives_back_what_was_approved_with_the_fee() {
    let mut world = World::after(SHORT);
    world.run(
        "
        auth c1 100.00 stan 1 fee 1.50 part yes -> approved_partially 38.50 EUR for 100.00 EUR
        totals 1 40.00 0.00 0.00 0.00
        # What is left is told, whichever amount the reversal calls the original's.
        reverse stan 1 own 901 leaving 100.00   -> reversal_accepted of 1
        held alice 40.00
        reverse stan 1 own 902 leaving 38.50    -> reversal_accepted of 1
        held alice 40.00
        # The fee stands as long as any of it does.
        reverse stan 1 own 903 leaving 20.00    -> reversal_accepted of 1
        held alice 21.50
        pool-held deposit 21.50
        reverse stan 1 own 904 leaving 0.01     -> reversal_accepted of 1
        held alice 1.51
        reverse stan 1 own 905                  -> reversal_accepted of 1
        held alice 0.00
        pool-held deposit 0.00
        reverse stan 1 own 906                  -> reversal_accepted of 1
        totals 1 40.00 40.00 0.00 0.00
        # The answer stays what it was.
    auth c1 100.00 stan 1 fee 1.50 part yes -> approved_partially 38.50 EUR for 100.00 EUR repeated
        # Settled at once, and taken back the other way round.
        pay c1 100.00 stan 2 fee 1.50 part yes  -> approved_partially 38.50 EUR for 100.00 EUR
        ledger alice 0.00
        network acme EUR 40.00
        pool-available deposit 960.00
        reverse stan 2 own 907 leaving 10.00    -> reversal_accepted of 2
        ledger alice 28.50
        network acme EUR 11.50
        reverse stan 2 own 908                  -> reversal_accepted of 2
        ledger alice 40.00
        network acme EUR 0.00
        pool-available deposit 1000.00
        # Reversed in part before it came: the rest is held with its fee; all of it: nothing.
        reverse c1 stan 3 leaving 20.00         -> reversal_accepted
        auth c1 30.00 stan 3 fee 1.50           -> approved
        held alice 21.50
        reverse stan 3 own 909                  -> reversal_accepted of 3
        reverse c1 stan 4                       -> reversal_accepted
        auth c1 100.00 stan 4 fee 1.50 part yes -> insufficient_funds
        auth c1 30.00 stan 5 fee 1.50           -> approved
        void 5 issuer_inoperative               -> issuer_inoperative of 5
        held alice 0.00
        ",
    );
}

#[test]
fn a_completion_settles_what_was_approved_and_an_expiry_ends_it() {
    let mut world = World::after(SHORT);
    world.run(
        "
        auth c1 100.00 stan 1 fee 1.50 part yes -> approved_partially 38.50 EUR for 100.00 EUR
        # With the fee, as it was authorized: all of the hold, and no more than was authorized.
        post c1 38.50 stan 2 to 1 fee 1.50      -> advice_accepted
        stand-in 2 agreed
        held alice 0.00
        ledger alice 0.00
        totals 1 40.00 0.00 40.00 0.00
        credit alice 40.00
        # What was asked for is not what was authorized.
        auth c1 100.00 stan 3 part yes          -> approved_partially 40.00 EUR for 100.00 EUR
        pay c1 100.00 stan 4 to 3               -> exceeds_preauthorized_amount
        held alice 40.00
        pay c1 40.01 stan 5 to 3                -> exceeds_preauthorized_amount
        pay c1 40.00 stan 6 to 3                -> approved
        held alice 0.00
        ledger alice 0.00
        credit alice 40.00
        auth c1 100.00 stan 7 part yes          -> approved_partially 40.00 EUR for 100.00 EUR
        post c1 100.00 stan 8 to 7              -> advice_accepted
        stand-in 8 forced exceeds_preauthorized_amount
        ledger alice -60.00
        credit alice 100.00
        # A tolerance is a share of what was approved.
        auth c1 100.00 stan 9 part yes          -> approved_partially 40.00 EUR for 100.00 EUR
        credit alice 20.00
        pay c1 48.01 stan 10 to 9 within 20     -> exceeds_preauthorized_amount
        pay c1 48.00 stan 11 to 9 within 20     -> approved
        ledger alice 12.00
        auth c1 100.00 stan 12 part yes         -> approved_partially 12.00 EUR for 100.00 EUR
        expire 12                               -> given_back
        held alice 0.00
        pool-held deposit 0.00
        # An increment of it adds to what was approved.
        auth c1 100.00 stan 13 part yes         -> approved_partially 12.00 EUR for 100.00 EUR
        credit alice 5.00
        auth c1 5.00 stan 14 onto 13            -> approved
        held alice 17.00
        reverse stan 13                         -> reversal_accepted of 13
        held alice 0.00
        auth c1 5.00 stan 15                    -> approved
        auth c1 3.00 stan 16 onto 15 fee 1.00   -> approved
        held alice 9.00
        reverse stan 16 own 901 leaving 1.00    -> reversal_accepted of 16
        held alice 7.00
        reverse stan 16 own 902                 -> reversal_accepted of 16
        held alice 5.00
        ",
    );
}

/// The network tells us of a purchase that we had approved in part: for what we approved it is that
/// one, for all that was asked nobody knows which of the two stands.
#[test]
fn the_advice_of_what_was_approved_in_part_is_known() {
    let mut world = World::after(SHORT);
    world.run(
        "
        auth c1 100.00 stan 1 part yes    -> approved_partially 40.00 EUR for 100.00 EUR
        advise c1 40.00 stan 1 as a       -> advice_accepted
        stand-in a known
        held alice 40.00
        auth c1 100.00 stan 2 part yes    -> insufficient_funds
        reverse stan 1                    -> reversal_accepted of 1
        auth c1 100.00 stan 3 part yes    -> approved_partially 40.00 EUR for 100.00 EUR
        advise c1 100.00 stan 3 as b      -> advice_accepted
        stand-in b suspense duplicate_transmission
        held alice 40.00
        # An advice that overtook its request: that holds, whatever there is for the request.
        reverse stan 3                    -> reversal_accepted of 3
        advise c1 30.00 stan 4 fee 2.00   -> advice_accepted
        stand-in 4 agreed
        held alice 32.00
        auth c1 100.00 stan 4 part yes as c -> duplicate_transmission
        held alice 32.00
        ",
    );
}

/// Many at once, before any of them is committed: what is approved in all is never more than there
/// is, of the customer's money or of the deposit, whoever of the two has less.
#[test]
fn a_burst_of_partial_approvals_takes_no_more_than_there_is() {
    for (deposit, funds) in [(100_000_i64, 10_000_i64), (10_000, 100_000), (10_000, 10_000)] {
        let mut world = World::after(&format!(
            "
            partner acme
            partial-minimum acme EUR 5.00
            pool deposit EUR {}.00
            programme gold deposit
            balance alice {}.00
            card c1 alice exp 2712
            ",
            deposit / 100,
            funds / 100,
        ));
        let (card, currency) = world.names.cards["c1"];
        let (mut sum, mut partly) = (0, 0);
        for stan in 0..200 {
            let key = key(MessageClass::AuthorizationRequest, stan, fingerprint("c1"));
            let minor = MinorUnits(700 + i64::from(stan % 7) * 100);
            let mut request = authorize(key, Amount { minor, currency });
            request.card = Some(card);
            request.terms = Terms { takes_part: true, fee: MinorUnits(33), fee_within: false };
            let answer = world.cluster.submit(CARDS, &Command::Authorize(request));
            let Answer::Decided(decision) = answer else { panic!("{answer:?}") };
            if decision.reason.is_approval() {
                let approved = decision.part.map_or(minor, |part| part.approved.minor);
                assert!(approved.0 >= 500 && approved <= minor, "{decision:?}");
                assert_eq!(decision.part.is_some(), approved < minor);
                partly += i32::from(decision.part.is_some());
                sum += approved.0 + 33;
            }
        }
        let most = deposit.min(funds);
        assert!(sum <= most && most - sum < 533, "{sum} of {most}");
        assert!(partly <= 1, "the last of them takes what is left");
        world.cluster.commit_all();
        world.cluster.audit();
        let balance = world.cluster.states[CARDS].balance(world.names.balances["alice"].0);
        assert_eq!(balance.map(|balance| balance.held), Some(MinorUnits(sum)));
    }
}

/// Another shard takes the pool's money between the look and the take: decided again, with what is
/// left, it is less, or the decline that it would have been (W-15).
#[test]
fn who_loses_the_race_for_the_pool_gets_less_or_nothing() {
    let mut world = World::after(SHORT);
    world.run(
        "
        headroom deposit 30.00
        later: auth c1 100.00 stan 1 part yes -> approved_partially 30.00 EUR for 100.00 EUR
        headroom deposit 4.99
        later: auth c1 100.00 stan 2 part yes -> partner_deposit_insufficient
        headroom deposit 5.00
        later: auth c1 100.00 stan 3 part yes -> approved_partially 5.00 EUR for 100.00 EUR
        headroom deposit -1.00
        later: auth c1 100.00 stan 4 part yes -> partner_deposit_insufficient
        headroom deposit 900.00
        later: auth c1 100.00 stan 5 part yes -> approved_partially 5.00 EUR for 100.00 EUR
        held alice 40.00
        commit
        held alice 40.00
        pool-held deposit 40.00
        ",
    );
}
