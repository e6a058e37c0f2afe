//! Bad input and the edges of numbers: an answer with its own reason for each, nothing moved, and
//! never a panic.

use switch_domain::{
    Amount, AuthorizationId, Balance, BalanceId, BalanceState, Card, CardId, CardStatus, Expiry,
    Fingerprint, MessageClass, MinorUnits, PoolId, PoolShare, Reason, ShardImage, VaultRef,
};
use switch_engine::{Act, Answer, Command, Manage, Refusal, State};

use crate::harness::{
    CARDS, CONTROL, Pools, World, authorize, check, currency, fingerprint, key, reversal,
};

/// The largest amount of DE4: twelve digits.
const LARGEST: i64 = 999_999_999_999;

#[test]
fn what_cannot_be_granted_is_answered_with_its_own_reason() {
    let mut world = World::after(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit bins 99999910-99999912
        balance alice 50.00
        card c1 alice exp 2712
        ",
    );
    world.run(
        "
        auth c1 1.00 stan 1 fault format_error          -> format_error
        auth c1 1.00 stan 2 fault invalid_transaction   -> invalid_transaction
        auth c1 1.00 stan 3 fault pan_sources_differ    -> pan_sources_differ
        auth c1 1.00 stan 4 fault invalid_amount        -> invalid_amount
        auth c1 0.00 stan 5                             -> invalid_amount
        auth c1 -1.00 stan 6                            -> invalid_amount
        auth c1 1.00 in USD stan 7                      -> currency_unacceptable
        auth c1 1 in JPY stan 8                         -> currency_unacceptable
        auth no-card 1.00 stan 9                        -> invalid_card_number
        auth no-card 1.00 stan 10 bin 99999909          -> no_route
        auth no-card 1.00 stan 11 bin 99999913          -> no_route
        auth no-card 1.00 stan 12 bin 99999910          -> invalid_card_number
        auth no-card 1.00 stan 13 bin 0                 -> no_route
        auth no-card 1.00 stan 14 bin 4294967295        -> no_route
        auth c1 9999999999.99 stan 15                   -> partner_deposit_insufficient
        held alice 0.00
        pool-held deposit 0.00
        auth c1 0.00 stan 5                             -> invalid_amount repeated
        reverse stan 5                                  -> reversal_accepted of 5
        ",
    );
}

#[test]
fn the_largest_amount_of_a_message_can_be_held() {
    check(
        "
        partner acme
        pool deposit EUR 9999999999.99
        programme gold deposit
        balance alice 9999999999.99
        card c1 alice exp 2712
        auth c1 9999999999.99 stan 1     -> approved
        available alice 0.00
        pool-available deposit 0.00
        auth c1 0.01 stan 2              -> partner_deposit_insufficient
        reverse stan 1                   -> reversal_accepted of 1
        auth c1 9999999999.98 stan 3     -> approved
        auth c1 0.02 stan 4              -> partner_deposit_insufficient
        auth c1 0.01 stan 5              -> approved
        ",
    );
    check(&format!(
        "
        partner acme
        pool deposit JPY {LARGEST}
        programme gold deposit
        balance alice {LARGEST}
        card c1 alice exp 2712
        auth c1 {LARGEST} stan 1         -> approved
        available alice 0
        "
    ));
}

#[test]
fn amounts_of_commands_are_above_zero_and_bounded() {
    check(
        "
        partner acme
        open-pool credit EUR
        reload credit 0.00                        -> refused AmountNotPositive
        reload credit -0.01                       -> refused AmountNotPositive
        reload credit 10000000000000.01           -> refused AmountTooLarge
        reload credit 92233720368547758.07        -> refused AmountTooLarge
        reload credit -92233720368547758.08       -> refused AmountNotPositive
        reload no-pool 1.00                       -> refused NoSuchPool
        reload credit 10000000000000.00
        reload credit 10000000000000.00
        programme gold credit
        open-balance alice
        credit alice 0.00                         -> refused AmountNotPositive
        credit alice -1.00                        -> refused AmountNotPositive
        credit alice 92233720368547758.07         -> refused AmountTooLarge
        credit alice 10000000000000.01            -> refused AmountTooLarge
        credit alice 10000000000000.00
        credit alice 0.01                         -> refused AmountTooLarge
        pool-available credit 10000000000000.00
        ",
    );
}

#[test]
fn a_pool_has_an_upper_bound_far_from_the_range_of_numbers() {
    let mut world = World::after("partner acme\n open-pool credit EUR");
    for _ in 0..1_000 {
        world.cluster.submit(CONTROL, &reload(&world, world.cluster.now.0));
    }
    world.cluster.commit_all();
    world.run("reload credit 0.01 -> refused AmountTooLarge");
}

fn reload(world: &World, seed: i64) -> Command {
    let mut key = [3; 16];
    key[..8].copy_from_slice(&seed.to_be_bytes());
    Command::Manage(Manage {
        key: switch_domain::IdempotencyKey(key),
        actor: Default::default(),
        act: Act::ReloadPool {
            pool: world.names.pools["credit"].0,
            amount: MinorUnits(1_000_000_000_000_000),
            reference: Default::default(),
        },
    })
}

/// A shard loaded with figures at the edges of an i64, such as no sequence of commands makes.
fn at_the_edges(setup: &World, ledger: i64, held: i64) -> (State, PoolId) {
    let control = setup.cluster.states[CONTROL].control().as_ref().clone();
    let (programme, eur) = setup.names.programmes["gold"];
    let (pool, ..) = setup.names.pools["deposit"];
    let partner = setup.names.partners["acme"];
    let mut image = ShardImage::empty(switch_domain::ShardId(1));
    image.control = control;
    image.last_counter = 10;
    image.balances.push(Balance {
        id: BalanceId(1),
        programme,
        partner,
        customer: switch_domain::CustomerId(1),
        currency: eur,
        state: BalanceState::Active,
        ledger: MinorUnits(ledger),
        held: MinorUnits(held),
    });
    let card = Card {
        id: CardId(2),
        balance: BalanceId(1),
        programme,
        vault: VaultRef { row: 1, version: 1 },
        expiry: Expiry::from_yymm(2712).expect("a month"),
        status: CardStatus::Active,
        lock: None,
        approvals: u32::MAX,
        references: None,
    };
    image.cards.push((card, Fingerprint([1; 16])));
    image.shares.push((pool, PoolShare { level: MinorUnits(i64::MIN), held: MinorUnits::ZERO }));
    (State::from_image(image), pool)
}

#[test]
fn the_edges_of_numbers_neither_overflow_nor_approve_too_much() {
    let setup = World::after("partner acme\n pool deposit EUR 1.00\n programme gold deposit");
    let edges = [i64::MIN, i64::MIN + 1, -1, 0, 1, LARGEST, i64::MAX - 1, i64::MAX];
    for ledger in edges {
        for held in edges.into_iter().filter(|held| *held >= 0) {
            for asked in edges {
                for left in edges {
                    one_edge(&setup, ledger, held, asked, left);
                }
            }
        }
    }
}

/// Asks for `asked` of `ledger` less `held` with `left` in the pool, and takes it back again.
fn one_edge(setup: &World, ledger: i64, held: i64, asked: i64, left: i64) {
    let now = setup.cluster.now;
    let (mut state, pool) = at_the_edges(setup, ledger, held);
    let key = key(MessageClass::AuthorizationRequest, 1, fingerprint("c1"));
    let amount = Amount { minor: MinorUnits(asked), currency: currency("EUR") };
    let mut request = authorize(key, amount);
    request.card = Some(CardId(2));
    let pools = Pools([(pool, MinorUnits(left))].into());
    let outcome = state.decide(&Command::Authorize(request), &pools, now);
    let Answer::Decided(decision) = outcome.answer else { panic!("{:?}", outcome.answer) };
    let room = i128::from(ledger) - i128::from(held);
    let approved = asked > 0 && asked <= left && i128::from(asked) <= room;
    let what = format!("{asked} of {ledger} less {held} with {left} in the pool");
    assert_eq!(decision.reason == Reason::Approved, approved, "{what}");
    assert_eq!(outcome.pool_take().map(|take| take.amount.0), approved.then_some(asked), "{what}");
    state.replay(&outcome.record.expect("recorded")).expect("it was judged to fit");
    assert_eq!(state.open_authorizations(), usize::from(approved), "{what}");
    let back = state.decide(&Command::Reverse(reversal(9, &key)), &pools, now);
    state.replay(&back.record.expect("recorded")).expect("what was held can be given back");
    let balance = state.balance(BalanceId(1)).expect("there");
    assert_eq!((balance.ledger.0, balance.held.0), (ledger, held), "{what}");
}

/// Forced clearing may leave a ledger amount of nothing under an open hold.
#[test]
fn a_balance_of_nothing_with_a_hold_on_it_is_not_closed() {
    let setup = World::after("partner acme\n pool deposit EUR 1.00\n programme gold deposit");
    let close = Command::Manage(Manage {
        key: switch_domain::IdempotencyKey([1; 16]),
        actor: Default::default(),
        act: Act::SetBalanceState { balance: BalanceId(1), state: BalanceState::Closed },
    });
    for (ledger, held, answer) in [
        (0, 5, Answer::Refused(Refusal::BalanceNotEmpty)),
        (5, 0, Answer::Refused(Refusal::BalanceNotEmpty)),
        (-5, 0, Answer::Refused(Refusal::BalanceNotEmpty)),
        (0, 0, Answer::Done(None)),
    ] {
        let (state, _) = at_the_edges(&setup, ledger, held);
        let outcome = state.decide(&close, &Pools::default(), setup.cluster.now);
        assert_eq!(outcome.answer, answer, "ledger {ledger}, held {held}");
    }
}

#[test]
fn a_record_that_does_not_fit_is_an_error_and_no_panic() {
    let world = World::after(
        "
        partner acme
        pool deposit EUR 1000.00
        programme gold deposit
        balance alice 50.00
        card c1 alice exp 2712
        auth c1 5.00 stan 1                -> approved
        reverse stan 1                     -> reversal_accepted
        lock c1 3
        block alice
        remove c1
        void 1 issuer_inoperative          -> issuer_inoperative
        ",
    );
    let mut refused = 0;
    for record in &world.cluster.journals[CARDS] {
        let mut empty = State::from_image(ShardImage::empty(switch_domain::ShardId(1)));
        refused += usize::from(empty.replay(record).is_err());
    }
    // All but the balance, the card and what has no account to change: they need nothing before.
    assert_eq!(refused, world.cluster.journals[CARDS].len() - 2, "of {refused}");
}

#[test]
fn a_release_of_more_than_is_held_is_an_error() {
    for funding in ["credit", "deposit"] {
        let mut world = World::after(&format!(
            "
            partner acme
            pool {funding} EUR 1000.00
            programme gold {funding}
            balance alice 50.00
            card c1 alice exp 2712
            auth c1 5.00 stan 1                -> approved
            reverse stan 1                     -> reversal_accepted
            "
        ));
        let journal = &world.cluster.journals[CARDS];
        let reversal = journal.last().expect("the reversal").clone();
        assert!(world.cluster.states[CARDS].replay(&reversal).is_err(), "a record counts once");
    }
}

/// The last identifier of a shard is used; after it every message is answered, and none approved.
#[test]
fn identifiers_that_run_out_end_in_answers_and_refusals() {
    let mut image = ShardImage::empty(switch_domain::ShardId(1));
    image.last_counter = (1 << 40) - 2;
    let mut state = State::from_image(image);
    let (pools, now) = (Pools::default(), World::new().cluster.now);
    let ask = |state: &State, stan| {
        let key = key(MessageClass::AuthorizationRequest, stan, fingerprint("c1"));
        let amount = Amount { minor: MinorUnits(1), currency: currency("EUR") };
        state.decide(&Command::Authorize(authorize(key, amount)), &pools, now)
    };
    let last = ask(&state, 1);
    let Answer::Decided(decision) = last.answer else { panic!() };
    assert_eq!(decision.authorization.map(AuthorizationId::counter), Some((1 << 40) - 1));
    state.replay(&last.record.expect("recorded")).expect("fits");
    let past = ask(&state, 2);
    let Answer::Decided(decision) = past.answer else { panic!() };
    assert_eq!((decision.reason, past.record), (Reason::SystemMalfunction, None));
    let partner = Command::Manage(Manage {
        key: switch_domain::IdempotencyKey([1; 16]),
        actor: Default::default(),
        act: Act::DefinePartner { name: Default::default() },
    });
    let answer = state.decide(&partner, &pools, now).answer;
    assert_eq!(answer, Answer::Refused(Refusal::IdentifiersExhausted));
}
