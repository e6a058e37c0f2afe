//! One of two units dies under load: no call fails but for those in flight, and not even those
//! where time is left to ask the other one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use switch_hsm::HsmClient;
use switch_hsm::commands::Echo;

use super::rig::{client, settings, soon, unit};

const CALLERS: usize = 16;

#[derive(Default)]
struct Counts {
    good: AtomicU64,
    failed: AtomicU64,
    stop: AtomicBool,
}

async fn caller(client: Arc<HsmClient>, counts: Arc<Counts>, number: u8) {
    while !counts.stop.load(Ordering::Acquire) {
        let own = [number; 16];
        match client.call(&Echo(own)).await {
            Ok(back) => {
                assert_eq!(back, own);
                counts.good.fetch_add(1, Ordering::AcqRel);
            }
            Err(_) => {
                counts.failed.fetch_add(1, Ordering::AcqRel);
            }
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_units_dies_under_load_and_no_call_beyond_those_in_flight_fails() {
    let (first, second) = (unit().await, unit().await);
    let mut settings = settings(&[&first, &second]);
    settings.deadline = std::time::Duration::from_secs(5);
    let client = Arc::new(client(settings).await);
    let counts = Arc::new(Counts::default());
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let number = u8::try_from(number).expect("few");
            tokio::spawn(caller(Arc::clone(&client), Arc::clone(&counts), number))
        })
        .collect();
    for round in 1..=3u64 {
        let busy = |tally: &simulators::hsm::Tally| tally.commands_of("B2") >= 500 * round;
        soon(first.until(busy)).await;
        first.die();
        let served = second.tally().commands_of("B2");
        soon(second.until(|tally| tally.commands_of("B2") >= served + 500)).await;
        let failed = counts.failed.load(Ordering::Acquire);
        assert!(failed <= CALLERS as u64 * round, "{failed} calls failed");
        let before = first.tally().commands_of("B2");
        first.revive().await.expect("the port is free again");
        soon(first.until(|tally| tally.commands_of("B2") > before)).await;
    }
    counts.stop.store(true, Ordering::Release);
    for caller in callers {
        soon(caller).await.expect("no call got another's answer");
    }
    // What was in flight was asked again of the other unit, within its deadline.
    assert_eq!(counts.failed.load(Ordering::Acquire), 0);
    assert!(counts.good.load(Ordering::Acquire) >= 3000);
}
