//! The limits of a shard. It owns their meaning; the server reads them from the configuration file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use switch_attacks::Watch;
use switch_engine::ControlLimits;
use switch_store::ProjectionSettings;
use tokio::runtime::Handle;

use crate::clock::WallClock;

/// Limits of every shard of the node. Each has a metric and a documented result when it is hit.
#[derive(Clone, Debug)]
pub struct ShardSettings {
    /// Shards that own balances, beside the control shard. Two make two rows where one would have
    /// done, so more than one is for machines on which one processor decides too little. Changing
    /// it is [`crate::reshard()`]'s (W-12).
    pub data_shards: u16,
    /// Messages that may wait before a shard. Past it an authorization is declined (91) at once.
    pub queue_limit: usize,
    /// Room beyond that for reversals and commands. Past it they get silence, and are repeated.
    pub reserved_queue: usize,
    /// Records in one journal row. Past it the rest waits for the next row.
    pub batch_limit: usize,
    /// Records committed and not yet in the tables. Past it authorizations are declined (91).
    pub projection_lag_limit: usize,
    /// How long an answer is remembered for repeats.
    pub repeat_window: Duration,
    /// How many authorizations and answers a shard remembers at most; older ones are looked up.
    pub repeat_limit: usize,
    /// Questions to the tables about what memory let go, waiting at a time. Past it the message
    /// that asks gets silence, and the command an unknown outcome.
    pub lookup_limit: usize,
    /// How long such a question may take. Past it the same.
    pub lookup_timeout: Duration,
    /// Transfers of a shard's accounts that may be on their way at a time. Past it the command is
    /// refused as for a full queue, and may be sent again.
    pub transfer_limit: usize,
    /// How old an exchange rate may be. Past it what needs it is declined, or goes to suspense.
    pub rate_life: Duration,
    /// Spend controls that may be made. Past it the command is refused.
    pub control_limits: ControlLimits,
    /// Who counts attempts at guessing cards, and says which are refused; `None`: nobody.
    pub attacks: Option<Arc<Watch>>,
    /// Rows of one part of a shard's journal. As many more have room at any time.
    pub journal_part_rows: u32,
    /// Where rows go that PostgreSQL lost by going back in time; `None` writes none.
    pub lost_dir: Option<PathBuf>,
    /// How fast the tables follow.
    pub projection: ProjectionSettings,
    /// Where projectors run; `None`: where the shards do.
    pub projectors: Option<Handle>,
    /// Where decisions read their time.
    pub clock: WallClock,
}

impl Default for ShardSettings {
    fn default() -> Self {
        Self {
            data_shards: 1,
            queue_limit: 32_768,
            reserved_queue: 1_024,
            batch_limit: 1_024,
            projection_lag_limit: 1_000_000,
            repeat_window: Duration::from_secs(24 * 3_600),
            repeat_limit: 500_000,
            lookup_limit: 256,
            lookup_timeout: Duration::from_secs(2),
            transfer_limit: 1_024,
            rate_life: Duration::from_secs(72 * 3_600),
            control_limits: ControlLimits::default(),
            attacks: None,
            journal_part_rows: 1_000_000,
            lost_dir: None,
            projection: ProjectionSettings::default(),
            projectors: None,
            clock: WallClock::SYSTEM,
        }
    }
}
