//! When each request ought to be sent: fixed before the run, whatever the switch does. Must never
//! skip or move a slot because an earlier one was late, or latencies would leave out the waiting.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

/// One request's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Number of the slot, from 0.
    pub index: u64,
    /// When it ought to be sent; its latency counts from here.
    pub intended: Instant,
}

/// So many slots a second for so many seconds, evenly spaced.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Slots a second.
    pub rate: u32,
    /// Slots in all.
    pub count: u64,
}

impl Schedule {
    /// At `rate` a second for `seconds`.
    #[must_use]
    pub const fn new(rate: u32, seconds: u32) -> Schedule {
        Schedule { rate, count: rate as u64 * seconds as u64 }
    }

    /// When a slot of a run with this start comes.
    #[must_use]
    pub fn slot(&self, start: Instant, index: u64) -> Slot {
        let rate = u64::from(self.rate.max(1));
        let part = Duration::from_nanos(index % rate * 1_000_000_000 / rate);
        Slot { index, intended: start + Duration::from_secs(index / rate) + part }
    }
}

/// Stops its pacer when dropped.
#[derive(Debug)]
pub struct PacerGuard(#[expect(dead_code, reason = "dropping it is the signal")] Sender<()>);

/// Hands every slot out when its time comes, from a thread of its own: the runtime's timers tick in
/// whole milliseconds, which would show in every latency.
#[must_use]
pub fn run_pacer(schedule: Schedule) -> (mpsc::UnboundedReceiver<Slot>, PacerGuard) {
    let (slots, receiver) = mpsc::unbounded_channel();
    let (guard, stop) = channel::<()>();
    let start = Instant::now();
    std::thread::spawn(move || {
        for index in 0..schedule.count {
            let slot = schedule.slot(start, index);
            loop {
                let left =
                    slot.intended.into_std().saturating_duration_since(std::time::Instant::now());
                if left.is_zero() {
                    break;
                }
                match stop.recv_timeout(left) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            if slots.send(slot).is_err() {
                return;
            }
        }
    });
    (receiver, PacerGuard(guard))
}
