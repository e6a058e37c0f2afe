//! `[clearing]`: limits of the import of clearing files. It owns their names in the file; what is
//! done with a file stands in `admin-api`.

use std::sync::Arc;
use std::time::Duration;

use admin_api::ClearingSettings;
use serde::Deserialize;
use switch_domain::Tolerances;

use super::check::Faults;

/// A line in quotes must fit into one request of the control socket.
const LONGEST_LINE: usize = 8_192;

/// Limits of an import.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clearing {
    /// Bytes of a file.
    pub max_file_bytes: u64,
    /// Bytes of a line.
    pub max_line_bytes: usize,
    /// Records of one import that wait for their commit at a time.
    pub in_flight: usize,
    /// For how many days the numbers of records are kept.
    pub keep_days: u32,
    /// For how long records that get silence are sent again, in milliseconds.
    pub patience_ms: u64,
}

impl Default for Clearing {
    fn default() -> Self {
        Self {
            max_file_bytes: 1 << 30,
            max_line_bytes: 4_096,
            in_flight: 128,
            keep_days: 400,
            patience_ms: 30_000,
        }
    }
}

impl Clearing {
    /// As the service takes them.
    #[must_use]
    pub fn settings(&self, tolerances: Arc<Tolerances>) -> ClearingSettings {
        ClearingSettings {
            max_file_bytes: self.max_file_bytes,
            max_line_bytes: self.max_line_bytes,
            in_flight: self.in_flight,
            kept: Duration::from_secs(u64::from(self.keep_days).saturating_mul(86_400)),
            patience: Duration::from_millis(self.patience_ms),
            tolerances,
        }
    }

    /// What cannot work beside so much room for what is no authorization.
    pub(super) fn check(&self, reserved_queue: usize, faults: &mut Faults) {
        let path = |key| ["clearing", key];
        faults.require(
            (256..=LONGEST_LINE).contains(&self.max_line_bytes),
            &path("max_line_bytes"),
            format!("from 256 to {LONGEST_LINE}"),
        );
        faults.require(
            (1..=reserved_queue.min(4_096)).contains(&self.in_flight),
            &path("in_flight"),
            "from 1 to 4096, and at most reserved_queue: reversals and advices of links need room",
        );
        faults.require(
            (1..=3_660).contains(&self.keep_days),
            &path("keep_days"),
            "from 1 to 3660: a file that comes again later is known by the history alone",
        );
        faults.require(
            (100..=600_000).contains(&self.patience_ms),
            &path("patience_ms"),
            "from 100 to 600000",
        );
    }
}
