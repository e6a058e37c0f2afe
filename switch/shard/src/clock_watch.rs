//! Watches the wall clock (W-16): one that jumps, or that differs from PostgreSQL's at start, makes
//! the switch not ready, for expiry dates, limit windows and history would be wrong. It owns the
//! limit and what counts as a jump. It never sets a clock, and never stops a reversal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use switch_domain::Timestamp;
use switch_store::Store;
use tokio::task::JoinHandle;

use crate::clock::wall;
use crate::worker::Shared;

/// A difference beyond this is a wrong clock and not a slow network.
const LIMIT_MICROS: i64 = 5_000_000;
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// What is wrong with the wall clock. It differs by so many microseconds; ahead is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    /// It moved against the clock that counts since the machine was started.
    #[error(
        "the clock jumped by {:.3} s and PostgreSQL cannot be asked which of the two is right",
        seconds(.0)
    )]
    Jumped(i64),
    /// It is not the time that PostgreSQL has.
    #[error(
        "the clock differs from PostgreSQL's by {:.3} s: set it right; authorizations are declined \
         until then",
        seconds(.0)
    )]
    Differs(i64),
}

/// For messages alone: the fraction is of no account.
fn seconds(micros: &i64) -> f64 {
    *micros as f64 / 1e6
}

/// The wall clock and the boot-time clock at one moment. The latter counts while the machine is
/// asleep, as the wall clock does.
#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    boot: Duration,
}

impl Reading {
    fn now() -> Self {
        Self { wall: wall(), boot: since_boot() }
    }

    /// By how much the wall clock has moved more than time has passed.
    fn jump_to(&self, later: &Self) -> i64 {
        let passed = later.boot.saturating_sub(self.boot).as_micros();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        later.wall.0.saturating_sub(self.wall.0).saturating_sub(passed)
    }
}

/// Time since the machine was started, sleep included.
fn since_boot() -> Duration {
    read(boot_clock())
}

/// How long the machine has slept since it was started: changes over a sleep, and only then.
pub(crate) fn slept() -> Duration {
    read(boot_clock()).saturating_sub(read(ClockId::Monotonic))
}

const fn boot_clock() -> ClockId {
    #[cfg(target_os = "linux")]
    return ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    return ClockId::Monotonic;
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

const fn is_off(micros: i64) -> bool {
    micros.saturating_abs() > LIMIT_MICROS
}

/// By how much this machine's clock is ahead of PostgreSQL's; the middle of the question's way
/// there and back is when it was answered.
async fn ahead_of_postgres(store: &Store) -> Option<i64> {
    let before = wall();
    let theirs = tokio::time::timeout(Duration::from_secs(5), store.clock()).await.ok()?.ok()?;
    let after = wall();
    let middle = before.0.saturating_add(after.0.saturating_sub(before.0) / 2);
    Some(middle.saturating_sub(theirs.0))
}

/// Compares with PostgreSQL once, before anything is served, and then watches.
pub(crate) async fn start(store: Store, shared: Arc<Shared>) -> JoinHandle<()> {
    let ahead = ahead_of_postgres(&store).await.filter(|ahead| is_off(*ahead));
    note(&shared, ahead.map(ClockFault::Differs));
    tokio::spawn(watch(store, shared))
}

async fn watch(store: Store, shared: Arc<Shared>) {
    let mut last = Reading::now();
    let mut every = tokio::time::interval(EVERY);
    while !shared.stopping.is_cancelled() {
        every.tick().await;
        let now = Reading::now();
        let jump = last.jump_to(&now);
        let was_off = shared.clock_fault.borrow().is_some();
        if !is_off(jump) && !was_off {
            // Slow drift is what time services are for: only the last moment counts.
            last = now;
            continue;
        }
        let fault = match ahead_of_postgres(&store).await {
            Some(ahead) if is_off(ahead) => Some(ClockFault::Differs(ahead)),
            Some(_) => None,
            None if was_off => continue,
            None => Some(ClockFault::Jumped(jump)),
        };
        note(&shared, fault);
        last = Reading::now();
    }
}

/// Puts a finding in force.
pub(crate) fn note(shared: &Shared, fault: Option<ClockFault>) {
    match &fault {
        Some(fault) => tracing::error!(%fault, "not ready"),
        None if shared.clock_fault.borrow().is_some() => tracing::info!("the clock is right again"),
        None => {}
    }
    metrics::gauge!("cardswitch_clock_fault").set(if fault.is_some() { 1.0 } else { 0.0 });
    shared.clock_is_off.store(fault.is_some(), Ordering::Release);
    shared.clock_fault.send_replace(fault);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_time_does_not_explain_is_a_jump() {
        let at = |wall, boot| Reading { wall: Timestamp(wall), boot: Duration::from_micros(boot) };
        let start = at(1_000_000_000, 50);
        for (later, jump) in [
            (at(1_000_000_000, 50), 0),
            (at(1_060_000_000, 60_000_050), 0),
            (at(1_070_000_000, 60_000_050), 10_000_000),
            (at(0, 50), -1_000_000_000),
            (at(i64::MAX, 60_000_050), i64::MAX - 1_060_000_000),
        ] {
            assert_eq!(start.jump_to(&later), jump);
        }
        for (micros, off) in [
            (0, false),
            (LIMIT_MICROS, false),
            (-LIMIT_MICROS, false),
            (LIMIT_MICROS + 1, true),
            (-LIMIT_MICROS - 1, true),
            (i64::MIN, true),
        ] {
            assert_eq!(is_off(micros), off, "{micros}");
        }
    }

    #[test]
    fn the_clock_of_this_machine_does_not_jump() {
        let first = Reading::now();
        let second = Reading::now();
        assert!(!is_off(first.jump_to(&second)));
        assert!(second.boot >= first.boot);
    }
}
