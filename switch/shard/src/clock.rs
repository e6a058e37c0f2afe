//! The wall clock of the decisions. It owns the rule that time never goes back behind what was
//! journalled (W-16), and that what is remembered does not age faster than time passes. Deadlines
//! use tokio's monotonic clock instead.

use std::time::{SystemTime, UNIX_EPOCH};

use switch_domain::Timestamp;
use tokio::time::Instant;

/// Where shards read the wall clock: the system's, or in a simulation one that follows its time.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    read: fn() -> Timestamp,
    /// PostgreSQL's can be held against it.
    is_systems: bool,
}

impl WallClock {
    /// The system's.
    pub const SYSTEM: Self = Self { read: wall, is_systems: true };

    /// Any other.
    #[must_use]
    pub const fn reading(read: fn() -> Timestamp) -> Self {
        Self { read, is_systems: false }
    }

    /// The time now.
    pub(crate) fn now(self) -> Timestamp {
        (self.read)()
    }

    /// Whether it is the system's.
    pub(crate) const fn is_systems(self) -> bool {
        self.is_systems
    }

    /// The time now, at least `last`.
    pub(crate) fn now_after(self, last: Timestamp) -> Timestamp {
        self.now().max(last)
    }
}

/// The time by which what is remembered grows old: the wall clock's, but that no more has passed by
/// it than by the clock that nobody can set. A wall clock that jumps ahead by a day would empty a
/// window of a day at once, just when everybody asks again. Where the machine slept, or the wall
/// clock was behind at the start, more is kept, up to the limit on how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    wall: Timestamp,
    since: Instant,
}

impl Age {
    /// From a moment on, by the wall clock.
    pub(crate) fn since(wall: Timestamp) -> Self {
        Self { wall, since: Instant::now() }
    }

    /// The time now, where the wall clock says this.
    pub(crate) fn now(&self, wall: Timestamp) -> Timestamp {
        let passed = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        wall.min(Timestamp(self.wall.0.saturating_add(passed)))
    }
}

/// The time now by the system's wall clock.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_grows_no_older_than_time_passes() {
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        let age = Age::since(at(1_000));
        assert_eq!(age.now(at(1_000)), at(1_000));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(age.now(at(1_060)), at(1_060));
        assert_eq!(age.now(at(1_060 + 86_400)), at(1_060), "it jumped ahead");
        assert_eq!(age.now(at(1_010)), at(1_010), "it jumped back: more is kept");
        assert_eq!(age.now(Timestamp(i64::MAX)), at(1_060));
    }
}
