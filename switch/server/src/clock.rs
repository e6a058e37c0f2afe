//! The wall clock, which is that of the decisions. Whoever needs the time asks here.

use std::time::{SystemTime, UNIX_EPOCH};

use switch_domain::Timestamp;

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
