//! Moments a span away. It owns that none of them overflows.

use std::time::Duration;

use switch_domain::Timestamp;

pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn after(now: Timestamp, span: Duration) -> Timestamp {
    Timestamp(now.0.saturating_add(micros(span)))
}

pub(crate) fn before(now: Timestamp, span: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(micros(span)))
}
