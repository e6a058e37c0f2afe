//! Both loops against the stand-in, over in-memory streams in virtual time: what is sent, and from
//! when latency counts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use codecs::framing::{Framing, LengthHeader};
use load_tests::{ClosedLoop, LoadResult, Purchases, closed_loop, open_loop};
use simulators::acquirer::Acquirer;
use simulators::demo_file::{TestCard, TestPan};
use simulators::responder::{Fault, Issuer, Misbehaviour, serve};
use simulators::traffic::{Schedule, Slot};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

const PATIENCE: Duration = Duration::from_secs(10);

fn cards() -> Vec<TestCard> {
    let card = |number: u32| TestCard {
        pan: TestPan::new(format!("99999912{number:08}")),
        expiry: "3012".into(),
        state: "good".into(),
        expect: "00".into(),
    };
    (0..50).map(card).collect()
}

fn against(faults: &[Fault], connections: usize) -> (Acquirer, Purchases) {
    let framing = Framing::new(LengthHeader::Binary2);
    let issuer = Arc::new(Mutex::new(Issuer::new(&cards(), faults)));
    let mut streams = Vec::new();
    for _ in 0..connections {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(serve(theirs, framing, Arc::clone(&issuer)));
        streams.push(ours);
    }
    let acquirer = Acquirer::over(streams, &framing).unwrap();
    (acquirer, Purchases::new(&cards(), "978").unwrap())
}

fn virtual_pacer(schedule: Schedule) -> mpsc::UnboundedReceiver<Slot> {
    let (slots, receiver) = mpsc::unbounded_channel();
    let start = Instant::now();
    tokio::spawn(async move {
        for index in 0..schedule.count {
            let slot = schedule.slot(start, index);
            sleep_until(slot.intended).await;
            let _ = slots.send(slot);
        }
    });
    receiver
}

async fn open(faults: &[Fault], connections: usize) -> LoadResult {
    let (acquirer, purchases) = against(faults, connections);
    let start = || virtual_pacer(Schedule::new(500, 4));
    open_loop(acquirer, purchases, PATIENCE, start).await.unwrap()
}

fn fault(nth: u64, what: Misbehaviour) -> Fault {
    Fault { at: "0100", nth, what }
}

#[tokio::test(start_paused = true)]
async fn rate_times_seconds_requests_are_sent() {
    let result = open(&[], 3).await;
    assert_eq!((result.sent, result.approved), (2000, 2000));
    assert!(result.errors.is_empty() && result.declined.is_empty());
    assert_eq!(result.latencies.count_from(Duration::from_millis(5)), 0);
    let summary = result.summary();
    assert!((499.0..=501.0).contains(&summary.throughput), "{summary}");
}

/// The stand-in stops for one second at 500 requests a second. Everything that should have been
/// sent in that second waited: 500 requests by between 0 and 1 s, evenly. A driver that stopped
/// with it would see one.
#[tokio::test(start_paused = true)]
async fn a_stall_is_charged_to_every_request_that_waited() {
    let stall = Misbehaviour::StallFor(Duration::from_secs(1));
    let result = open(&[fault(700, stall)], 1).await;
    assert_eq!((result.sent, result.approved), (2000, 2000), "no slot is skipped");
    for (least_ms, waited) in [(900, 50), (750, 125), (500, 250), (250, 375), (100, 450)] {
        let count = result.latencies.count_from(Duration::from_millis(least_ms));
        // Two either way: the histogram's three digits, and a timer's whole milliseconds.
        assert!(count.abs_diff(waited) <= 2, "{count} of {waited} above {least_ms} ms");
    }
    let latency = result.summary().latency;
    assert!(latency.p99_ms > 900.0 && latency.p50_ms < 5.0, "{latency:?}");
}

/// The same, with the loop itself held up: slots that come late keep their intended times.
#[tokio::test(start_paused = true)]
async fn a_late_slot_keeps_its_intended_time() {
    let (acquirer, purchases) = against(&[], 1);
    let start = || {
        let (slots, receiver) = mpsc::unbounded_channel();
        let late = Instant::now();
        let schedule = Schedule::new(100, 1);
        tokio::spawn(async move {
            sleep_until(late + Duration::from_secs(3)).await;
            for index in 0..schedule.count {
                slots.send(schedule.slot(late, index)).unwrap();
            }
        });
        receiver
    };
    let result = open_loop(acquirer, purchases, PATIENCE, start).await.unwrap();
    assert_eq!(result.latencies.count_from(Duration::from_secs(2)), 100);
}

#[tokio::test(start_paused = true)]
async fn faults_are_counted_as_errors_and_declines_are_not() {
    use Misbehaviour::{Change, Close, Garbage, Silence, Twice, WrongResponseCode};
    for (what, errors) in [
        (Silence, &[("unanswered", 1)][..]),
        (Twice, &[("duplicate", 1)]),
        (Change(37), &[("unanswered", 1), ("unmatched", 1)]),
        (Garbage, &[("unanswered", 1), ("unreadable", 1)]),
        (Close, &[("connection closed", 1), ("unanswered", 1)]),
        (WrongResponseCode, &[]),
    ] {
        let result = open(&[fault(9, what)], 3).await;
        let counted: Vec<_> = result.errors.iter().map(|(what, count)| (*what, *count)).collect();
        assert_eq!(counted, errors, "{what:?}");
        assert_eq!(result.sent, 2000, "{what:?}: the rest goes on");
        let declined = u64::from(what == WrongResponseCode);
        assert_eq!(result.declined.get("96").copied().unwrap_or(0), declined);
    }
}

#[tokio::test(start_paused = true)]
async fn the_closed_loop_keeps_its_window_full() {
    // Every answer is held back by 100 ms of the one before it, so 20 come in two seconds.
    let stall = Misbehaviour::StallFor(Duration::from_millis(100));
    let faults: Vec<_> = (0..100).map(|nth| fault(nth, stall)).collect();
    let (acquirer, purchases) = against(&faults, 1);
    let how = ClosedLoop { window: 5, time: Duration::from_secs(2), patience: PATIENCE };
    let result = closed_loop(acquirer, purchases, how).await.unwrap();
    assert!((24..=26).contains(&result.sent), "5 and one for each answer: {}", result.sent);
    assert_eq!(result.sent, result.approved, "those in flight at the end are waited for");
    // With five in flight and one answered each 100 ms, each waits for five.
    let waited = result.latencies.count_from(Duration::from_millis(480));
    assert!(waited >= result.sent - 5, "{waited}");
}
