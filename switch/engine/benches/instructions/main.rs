//! Machine instructions of one authorization in the engine, decided and applied, counted by
//! valgrind: the same on a busy machine as on a quiet one. It shows that a spend control costs
//! nothing where it is not used: a card without controls takes as many instructions beside a
//! hundred cards that have some as where there are none, but for two look-ups that find nothing.
//! Fails where that is not so, or where a count rose by more than 5 %.

#[path = "../../../../codecs/benches/instructions/callgrind.rs"]
mod callgrind;
#[allow(dead_code, unused_imports)] // tables have words that nothing here says
#[path = "../../tests/behaviour/harness/mod.rs"]
mod harness;

use std::hint::black_box;
use std::process::ExitCode;

use switch_domain::{Amount, MessageClass, MinorUnits, Reason};
use switch_engine::{Answer, Command};

use self::harness::{CARDS, World};

const BENCH: callgrind::Bench = callgrind::Bench {
    counted: &["no_controls", "controls_of_others", "one_limit", "eight_controls"],
    expected: include_str!("expected.json"),
    expected_path: "switch/engine/benches/instructions/expected.json",
    report: "instructions-engine.json",
    alike: Some(("no_controls", "controls_of_others")),
};
/// What the others have: of each kind one.
const CONTROLS: [&str; 8] = [
    "forbid mcc 7995",
    "forbid use stripe",
    "forbid abroad ES",
    "forbid at CASINO-1,CASINO-2",
    "forbid hours 127/120/180 zone Europe/Madrid",
    "amount 90000.00 window day zone Europe/Madrid",
    "count 100000 window rolling:24",
    "amount 500.00",
];

fn main() -> ExitCode {
    callgrind::main(&BENCH, run)
}

/// Cards of two programmes: `c1`, which is counted, and a hundred others.
fn world(name: &str) -> World {
    let mut table = "
        partner acme
        pool deposit EUR 900000.00
        programme silver deposit bins 11111111-11111111
        balance bob 900000.00
        programme gold deposit
        balance alice 900000.00
        card c1 alice exp 2912
    "
    .to_owned();
    (2..=101).for_each(|card| table.push_str(&format!("card c{card} alice exp 2912\n")));
    let mut control = |whose: &str, terms: &str| {
        let name = table.lines().count();
        table.push_str(&format!("control n{name} {whose} {terms}\n"));
    };
    match name {
        "controls_of_others" => {
            CONTROLS.iter().for_each(|terms| control("programme silver", terms));
            CONTROLS.iter().for_each(|terms| control("balance bob", terms));
            (2..=101).for_each(|card| control(&format!("card c{card}"), CONTROLS[card % 8]));
        }
        "one_limit" => control("card c1", CONTROLS[5]),
        "eight_controls" => CONTROLS.iter().for_each(|terms| control("card c1", terms)),
        _ => {}
    }
    World::after(&table)
}

/// Does the work that is counted. No two of the requests are the same.
fn run(name: &str, calls: u64) {
    let world = world(name);
    let pools = world.cluster.pools();
    let (card, currency) = world.names.cards["c1"];
    let (mut state, now) = (world.cluster.states[CARDS].clone(), world.cluster.now);
    for stan in 1..=calls {
        let stan = u32::try_from(stan).expect("few");
        let class = MessageClass::AuthorizationRequest;
        let key = harness::key(class, stan, harness::fingerprint("c1"));
        let amount = Amount { minor: MinorUnits(100), currency };
        let mut request = harness::authorize(key, amount);
        request.card = Some(card);
        let outcome = state.decide(black_box(&Command::Authorize(request)), &pools, now);
        let Answer::Decided(decision) = outcome.answer else { panic!("an authorization") };
        assert_eq!(decision.reason, Reason::Approved, "{name}");
        let record = outcome.record.expect("an approval has a record");
        state.apply_decided(&record).expect("it fits");
        state.apply_committed(&record).expect("it fits");
        black_box(&state);
    }
}
