//! Whether PostgreSQL answers, as one appender sees it. It owns the two states and nothing that
//! follows from them: shedding and readiness are decided elsewhere.

use std::time::Instant;

/// Whether appends go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreHealth {
    /// The last append, if any, got a definite outcome at the first attempt or has since.
    Up,
    /// An append has failed or outlived its timer, and no attempt has succeeded yet.
    Down {
        /// When the first attempt of that append failed.
        since: Instant,
    },
}
