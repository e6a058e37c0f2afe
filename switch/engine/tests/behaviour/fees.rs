//! Schedules of fees that are put in force, and fees for acts and periods: who is charged, what is
//! posted, what is refused, and that each is charged once. Fees of purchases are `fee_lives`'.

use crate::harness::{CARDS, CONTROL, World, check};

const THERE: &str = "
    partner acme
    pool credit EUR 1000.00
    programme gold credit
    balance alice 50.00
    card c1 alice exp 2712
";

fn world(table: &str) -> World {
    let mut world = World::after(THERE);
    world.run(table);
    world
}

#[test]
fn a_schedule_is_of_its_programmes_currency_and_seen_by_every_shard() {
    let mut world = world(
        "
        fees gold card_monthly 1.99 0 in EUR
        around gold ES FR,PT
        fees gold pos_world_cleared 0 150 in JPY -> refused FeeCurrency
        fees no-gold card_monthly 1.99 0 -> refused NoSuchProgramme
        ",
    );
    let gold = world.programme_called("gold");
    for shard in [CONTROL, CARDS] {
        let schedule = world.cluster.states[shard].fees_of(gold).expect("a schedule");
        assert_eq!((schedule.rules().len(), schedule.around().region.len()), (1, 2));
    }
    let version = world.cluster.states[CARDS].control().version;
    world.run("around gold ES FR,PT");
    assert_eq!(world.cluster.states[CARDS].control().version, version, "nothing changed");
    world.run("no-fees gold");
    assert_eq!(world.cluster.states[CARDS].fees_of(gold), None);
}

#[test]
fn a_fee_at_once_is_posted_and_one_that_is_invoiced_is_not() {
    for pool in ["credit", "deposit"] {
        check(&format!(
            "
            partner acme
            pool {pool} EUR 1000.00
            programme gold {pool}
            balance alice 50.00
            card c1 alice exp 2712
            memorandum acme EUR {contra}
            charge alice account_created 4.90
            ledger alice 45.10
            income acme EUR 4.90
            charge alice card_monthly 1.99 of c1
            charge alice other:paper_statement 3.00 taken invoiced
            ledger alice 43.11
            income acme EUR 6.89
            memorandum acme EUR {contra}
            give-back alice card_monthly 1.99 of c1
            give-back alice other:paper_statement 3.00 taken invoiced
            ledger alice 45.10
            income acme EUR 4.90
            restart
            ledger alice 45.10
            ",
            contra = if pool == "deposit" { "-50.00" } else { "0.00" },
        ));
    }
}

#[test]
fn what_cannot_be_charged_is_refused_and_nothing_moves() {
    let world = world(
        "
        balance bob 5.00
        card c2 bob exp 2712
        auth c1 40.00 stan 1 -> approved
        charge alice account_created 10.01 -> refused InsufficientFunds
        charge alice account_created 10.01 taken invoiced
        charge alice account_created 0.00 -> refused AmountNotPositive
        charge alice card_created 1.00 of c2 -> refused NoSuchCard
        charge alice card_created 1.00 of no-card -> refused NoSuchCard
        charge no-alice account_created 1.00 -> refused NoSuchBalance
        charge alice account_created 20000000000000.00 taken invoiced -> refused AmountTooLarge
        give-back alice account_created 9999999999999.00 -> refused AmountTooLarge
        give-back alice account_created 9999999999999.00 taken invoiced
        income acme EUR 0.00
        block alice
        charge alice account_created 10.00
        available alice 0.00
        open-balance carol
        close carol
        charge carol account_created 1.00 taken invoiced -> refused BalanceClosed
        ",
    );
    let charged = world.cluster.journals[CARDS].iter();
    let charged = charged.filter(|one| matches!(one.event, switch_domain::Event::FeeCharged(_)));
    assert_eq!(charged.count(), 3);
}

/// A run that was killed asks again under the same keys, and charges nobody twice.
#[test]
fn a_fee_is_charged_once_for_its_key() {
    world(
        "
        charge alice card_monthly 1.99 of c1 key june
        charge alice card_monthly 1.99 of c1 key june
        ledger alice 48.01
        charge alice card_monthly 2.99 of c1 key june -> refused KeyReused
        charge alice card_weekly 1.99 of c1 key june -> refused KeyReused
        give-back alice card_monthly 1.99 of c1 key june -> refused KeyReused
        restart
        charge alice card_monthly 1.99 of c1 key june
        ledger alice 48.01
        income acme EUR 1.99
        ",
    );
}

/// What is charged counts when it is decided, what is given back when it is committed (W-14).
#[test]
fn a_fee_restricts_at_once_and_comes_back_at_the_commit() {
    world(
        "
        later: charge alice card_monthly 10.00
        available alice 40.00
        later: charge alice card_monthly 1.00 -> busy
        auth c1 40.01 stan 1 -> insufficient_funds
        commit
        later: give-back alice card_monthly 10.00
        available alice 40.00
        auth c1 40.01 stan 2 -> insufficient_funds
        commit
        available alice 50.00
        ",
    );
}
