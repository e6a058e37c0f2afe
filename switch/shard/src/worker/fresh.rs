//! Whether a shard was ours a moment ago (W-13). A process that was paused, or whose machine slept,
//! may have been taken over meanwhile: what it has in memory is then no answer to anybody. It owns
//! how long a proof lasts; the proof itself is a row that was committed.

use std::time::Duration;

use switch_store::PROOF_LASTS;
use tokio::time::Instant;

use crate::clock_watch::slept;

/// That the shard was ours at a moment: a row sent then was committed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proof {
    sent: Instant,
    /// How long the machine had slept by then: the clock of `sent` stands still meanwhile.
    slept: Duration,
}

impl Proof {
    /// A proof, should the row that is sent now be committed.
    pub(super) fn at(sent: Instant) -> Self {
        Self { sent, slept: slept() }
    }

    /// Whether it is too old.
    pub(super) fn is_stale(self) -> bool {
        !self.is_fresh()
    }

    /// Whether it is recent enough.
    pub(super) fn is_fresh(self) -> bool {
        let awake = Instant::now().saturating_duration_since(self.sent);
        awake.saturating_add(slept().saturating_sub(self.slept)) < PROOF_LASTS
    }
}
