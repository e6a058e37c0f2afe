//! Test cards, and a drive against the stand-in over in-memory streams in virtual time.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(unreachable_pub, reason = "a module of test binaries")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use codecs::framing::{Framing, LengthHeader};
use simulators::acquirer::Acquirer;
use simulators::demo_file::{TestCard, TestPan};
use simulators::expected::response_code;
use simulators::responder::{Fault, Issuer, Misbehaviour, serve};
use simulators::traffic::{Options, Outcome, Progress, Schedule, Slot, drive};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Every kind of card that is not good.
pub const BAD: [&str; 13] = [
    "lock-1", "lock-2", "lock-3", "lock-4", "lock-5", "lock-6", "lock-7", "lock-8", "lock-11",
    "expired", "short", "inactive", "unknown",
];

pub fn card(number: usize, state: &str) -> TestCard {
    TestCard {
        pan: TestPan::new(format!("99999912{number:08}")),
        expiry: if state == "expired" { "2001".into() } else { "3012".into() },
        state: state.into(),
        expect: response_code(state).expect("a state of the table").into(),
    }
}

/// Twenty good cards and two of each bad kind.
pub fn cards() -> Vec<TestCard> {
    let good = std::iter::repeat_n("good", 20);
    let states = good.chain(BAD).chain(BAD);
    states.enumerate().map(|(number, state)| card(number, state)).collect()
}

pub fn framing() -> Framing {
    Framing::new(LengthHeader::Binary2)
}

/// Hands slots out by the runtime's clock, which in these tests is virtual.
pub fn virtual_pacer(schedule: Schedule) -> mpsc::UnboundedReceiver<Slot> {
    let (slots, receiver) = mpsc::unbounded_channel();
    let start = Instant::now();
    tokio::spawn(async move {
        for index in 0..schedule.count {
            let slot = schedule.slot(start, index);
            sleep_until(slot.intended).await;
            if slots.send(slot).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A whole run of three seconds at fifty a second over three connections.
pub async fn run(faults: &[Fault], seed: u64) -> Outcome {
    run_with(faults, seed, &cards(), &cards()).await
}

/// As [`run`], with the cards that the stand-in and the driver know.
pub async fn run_with(
    faults: &[Fault],
    seed: u64,
    issued: &[TestCard],
    driven: &[TestCard],
) -> Outcome {
    let issuer = Arc::new(Mutex::new(Issuer::new(issued, faults)));
    let mut streams = Vec::new();
    for _ in 0..3 {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(serve(theirs, framing(), Arc::clone(&issuer)));
        streams.push(ours);
    }
    let acquirer = Acquirer::over(streams, &framing()).expect("framing is possible");
    let options = Options {
        cards: driven.to_vec(),
        currency: "978".into(),
        seed,
        patience: Duration::from_secs(10),
        progress: Progress::Silent,
    };
    drive(acquirer, options, || virtual_pacer(Schedule::new(50, 3))).await.expect("signs on")
}

pub fn fault(at: &'static str, nth: u64, what: Misbehaviour) -> Fault {
    Fault { at, nth, what }
}
