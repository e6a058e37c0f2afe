//! Transfers between accounts (W-17): debited when decided, credited and given back when committed,
//! each step once, and every refusal in words. Both accounts are in one shard here: a shard cannot
//! tell.

use switch_domain::{
    AsciiText, BalanceId, Event, IdempotencyKey, MinorUnits, Transfer, TransferId, TransferOutcome,
};
use switch_engine::{Act, Answer, Command, Manage, Refusal, judge_target};

use crate::harness::{CARDS, World};

const TWO: &str = "
    partner acme
    pool deposit EUR 1000.00
    programme gold deposit
    balance alice 50.00
    balance bob 5.00
    card c1 alice exp 2712
";

fn id(world: &World, name: &str) -> BalanceId {
    world.names.balances[name].0
}

fn order(world: &World, key: u8, from: &str, to: &str, minor: i64) -> Command {
    let (from, to) = (id(world, from), id(world, to));
    let state = &world.cluster.states[CARDS];
    let programmes = state.control().programmes.clone();
    let funding = |balance: &switch_domain::Balance| {
        programmes.get(&balance.programme).map(|programme| programme.funding)
    };
    let target = judge_target(state.balance(from), state.balance(to), funding);
    let reference = AsciiText::new(b"RENT").expect("short");
    let act = Act::Transfer { from, to, amount: MinorUnits(minor), reference, target };
    let actor = AsciiText::new(b"operator:7").expect("short");
    Command::Manage(Manage { key: IdempotencyKey([key; 16]), actor, act })
}

fn send(world: &mut World, key: u8, from: &str, to: &str, minor: i64) -> Answer {
    let order = order(world, key, from, to, minor);
    world.cluster.submit(CARDS, &order)
}

fn open(world: &World) -> Vec<Transfer> {
    world.cluster.states[CARDS].open_transfers().cloned().collect()
}

fn receive(world: &mut World, transfer: &Transfer) -> Answer {
    let settled_below = open(world).first().map_or(transfer.id, |oldest| oldest.id);
    let command = Command::Receive { transfer: transfer.clone(), settled_below };
    world.cluster.submit(CARDS, &command)
}

fn close(world: &mut World, transfer: TransferId, outcome: TransferOutcome) -> Answer {
    world.cluster.submit(CARDS, &Command::Close { transfer, outcome })
}

/// Everything in flight is committed, and everything adds up.
fn commit(world: &mut World) {
    world.cluster.commit_all();
    world.cluster.audit();
}

fn amounts(world: &World) -> (i64, i64) {
    let ledger = |name| world.cluster.states[CARDS].balance(id(world, name)).expect("there").ledger;
    (ledger("alice").0, ledger("bob").0)
}

#[test]
fn a_transfer_is_debited_when_decided_and_credited_when_committed() {
    let mut world = World::after(TWO);
    assert!(matches!(send(&mut world, 1, "alice", "bob", 1_000), Answer::Done(Some(_))));
    assert_eq!(amounts(&world), (4_000, 500), "the debit restricts");
    world.run("later: auth c1 45.00 stan 1 -> insufficient_funds");
    commit(&mut world);
    let [transfer] = &open(&world)[..] else { panic!("one transfer is open") };
    assert_eq!(receive(&mut world, transfer), Answer::Transferred(TransferOutcome::Credited));
    assert_eq!(amounts(&world), (4_000, 500), "the credit relaxes");
    commit(&mut world);
    assert_eq!(amounts(&world), (4_000, 1_500));
    close(&mut world, transfer.id, TransferOutcome::Credited);
    commit(&mut world);
    assert_eq!((amounts(&world), open(&world)), ((4_000, 1_500), vec![]));
}

#[test]
fn every_step_of_a_transfer_is_done_once() {
    let mut world = World::after(TWO);
    let first = send(&mut world, 1, "alice", "bob", 1_000);
    assert_eq!(send(&mut world, 1, "alice", "bob", 1_000), first);
    assert_eq!(
        send(&mut world, 1, "alice", "bob", 1_001),
        Answer::Refused(Refusal::KeyReused),
        "another command under the key"
    );
    commit(&mut world);
    let [transfer] = &open(&world)[..] else { panic!("one transfer is open") };
    // The second while the first is on its way to the journal, the third after it.
    for _ in 0..2 {
        assert_eq!(receive(&mut world, transfer), Answer::Transferred(TransferOutcome::Credited));
        assert_eq!(receive(&mut world, transfer), Answer::Transferred(TransferOutcome::Credited));
        commit(&mut world);
    }
    for _ in 0..3 {
        close(&mut world, transfer.id, TransferOutcome::Credited);
    }
    commit(&mut world);
    close(&mut world, transfer.id, TransferOutcome::BalanceClosed);
    commit(&mut world);
    assert_eq!(amounts(&world), (4_000, 1_500));
    let closed = |event: &Event| matches!(event, Event::TransferClosed { .. });
    let records = world.cluster.journals[CARDS].iter();
    assert_eq!(records.filter(|record| closed(&record.event)).count(), 1);
}

#[test]
fn what_the_target_refuses_is_given_back_when_committed_and_once() {
    let mut world = World::after(TWO);
    send(&mut world, 1, "alice", "bob", 1_000);
    commit(&mut world);
    world.run("block bob");
    let [transfer] = &open(&world)[..] else { panic!("one transfer is open") };
    let refused = TransferOutcome::BalanceBlocked;
    assert_eq!(receive(&mut world, transfer), Answer::Transferred(refused));
    commit(&mut world);
    world.run("unblock bob");
    assert_eq!(receive(&mut world, transfer), Answer::Transferred(refused), "for good");
    close(&mut world, transfer.id, refused);
    close(&mut world, transfer.id, refused);
    assert_eq!(amounts(&world), (4_000, 500));
    commit(&mut world);
    close(&mut world, transfer.id, refused);
    commit(&mut world);
    assert_eq!((amounts(&world), open(&world)), ((5_000, 500), vec![]));
}

#[test]
fn refusals_are_coded_and_nothing_moves() {
    let mut world = World::after(TWO);
    world.run(
        "
        partner other
        pool deposit EUR 10.00 as theirs
        programme silver theirs bins 99999914-99999914
        balance carol 5.00
        pool credit EUR 10.00 as credit of acme
        programme real credit of acme bins 99999915-99999915
        open-balance dave
        pool deposit JPY 1000 as yen of acme
        programme blue yen of acme bins 99999916-99999916
        open-balance emi
        ",
    );
    let target = |outcome| Refusal::Target(outcome);
    let cases = [
        ("alice", "bob", 0, Refusal::AmountNotPositive),
        ("alice", "bob", 5_001, Refusal::InsufficientFunds),
        ("alice", "alice", 1, Refusal::SameBalance),
        ("alice", "carol", 1, target(TransferOutcome::OtherPartner)),
        ("alice", "dave", 1, target(TransferOutcome::OtherFunding)),
        ("alice", "emi", 1, target(TransferOutcome::OtherCurrency)),
    ];
    for (key, (from, to, minor, refusal)) in (1..).zip(cases) {
        assert_eq!(send(&mut world, key, from, to, minor), Answer::Refused(refusal), "{from} {to}");
    }
    world.run("block bob");
    let blocked = target(TransferOutcome::BalanceBlocked);
    assert_eq!(send(&mut world, 20, "alice", "bob", 1), Answer::Refused(blocked));
    assert_eq!(send(&mut world, 21, "bob", "alice", 1), Answer::Refused(Refusal::BalanceBlocked));
    let nowhere = judge_target(None, None, |_| None);
    assert_eq!(nowhere, TransferOutcome::NoSuchBalance);
    assert_eq!(amounts(&world), (5_000, 500));
    assert_eq!(open(&world), []);
}

#[test]
fn an_account_with_money_on_its_way_is_not_closed() {
    let mut world = World::after(TWO);
    send(&mut world, 1, "bob", "alice", 500);
    commit(&mut world);
    world.run("close bob -> refused BalanceNotEmpty");
    let [transfer] = &open(&world)[..] else { panic!("one transfer is open") };
    receive(&mut world, transfer);
    commit(&mut world);
    close(&mut world, transfer.id, TransferOutcome::Credited);
    world.run("later: close bob -> refused BalanceNotEmpty");
    commit(&mut world);
    world.run("close bob");
}

/// A shard that is rebuilt knows what is on its way, and what it said to what came.
#[test]
fn a_rebuilt_shard_goes_on_with_every_transfer() {
    let mut world = World::after(TWO);
    for key in 1..=3 {
        send(&mut world, key, "alice", "bob", 100 * i64::from(key));
        commit(&mut world);
    }
    let transfers = open(&world);
    assert_eq!(transfers.len(), 3);
    receive(&mut world, &transfers[1]);
    commit(&mut world);
    world.run("restart");
    assert_eq!(open(&world), transfers);
    for transfer in &transfers {
        receive(&mut world, transfer);
        commit(&mut world);
        world.run("restart");
        close(&mut world, transfer.id, TransferOutcome::Credited);
        commit(&mut world);
    }
    assert_eq!((amounts(&world), open(&world)), ((4_400, 1_100), vec![]));
}
