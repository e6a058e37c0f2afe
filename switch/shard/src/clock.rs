//! The wall clock of the decisions. It owns the rule that time never goes back behind what was
//! journalled (W-16). Deadlines use tokio's monotonic clock instead.

use std::time::{SystemTime, UNIX_EPOCH};

use switch_domain::Timestamp;

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

/// The time now by the system's wall clock.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
