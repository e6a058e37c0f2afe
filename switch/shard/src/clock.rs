//! The wall clock of the decisions. It owns the rule that time never goes back behind what was
//! journalled (W-16). Deadlines use tokio's monotonic clock instead.

use std::time::{SystemTime, UNIX_EPOCH};

use switch_domain::Timestamp;

/// The time now, at least `last`.
pub(crate) fn now_after(last: Timestamp) -> Timestamp {
    wall().max(last)
}

/// The time now by the wall clock.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
