//! `[shards]`: limits of the engine's shards and the pace of what follows them. It owns their names
//! in the file; what they mean is said in `switch-shard`.

use std::time::Duration;

use serde::Deserialize;
use switch_shard::{ProjectionSettings, ShardSettings, WallClock};

/// Limits of the engine's shards.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shards {
    /// Shards that own balances; changed by `cardswitch journal reshard` first.
    pub data_shards: u16,
    /// Authorizations that may wait before a shard.
    pub queue_limit: usize,
    /// Questions about what memory let go that may wait for the tables.
    pub lookup_limit: usize,
    /// How long such a question may take, in milliseconds.
    pub lookup_timeout_ms: u64,
    /// Room beyond that for reversals, advices and commands.
    pub reserved_queue: usize,
    /// Records in one journal row.
    pub batch_limit: usize,
    /// Records committed and not yet in the tables.
    pub projection_lag_limit: usize,
    /// How long an answer is remembered for repeats, in seconds.
    pub repeat_window_s: u64,
    /// How many authorizations and answers a shard remembers at most.
    pub repeat_limit: usize,
    /// How far transactions of history are apart, in milliseconds.
    pub projection_pace_ms: u64,
    /// As many records are not waited for any longer, and make one transaction.
    pub projection_chunk: usize,
    /// How far flushes of rows that move are apart, in milliseconds.
    pub flush_interval_ms: u64,
    /// Transfers of a shard's accounts that may be on their way at a time.
    pub transfer_limit: usize,
    /// Rows of one part of a shard's journal.
    pub journal_part_rows: u32,
    /// For tests: leaves the journal unprojected.
    pub hold_projection: bool,
}

impl Default for Shards {
    fn default() -> Self {
        let settings = ShardSettings::default();
        let projection = &settings.projection;
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            data_shards: settings.data_shards,
            queue_limit: settings.queue_limit,
            lookup_limit: settings.lookup_limit,
            lookup_timeout_ms: millis(settings.lookup_timeout),
            reserved_queue: settings.reserved_queue,
            batch_limit: settings.batch_limit,
            projection_lag_limit: settings.projection_lag_limit,
            repeat_window_s: settings.repeat_window.as_secs(),
            repeat_limit: settings.repeat_limit,
            projection_pace_ms: millis(projection.pace),
            projection_chunk: projection.chunk_records,
            flush_interval_ms: millis(projection.flush_interval),
            transfer_limit: settings.transfer_limit,
            journal_part_rows: settings.journal_part_rows,
            hold_projection: projection.hold,
        }
    }
}

impl Shards {
    /// As the shards take them; directories are told apart.
    #[must_use]
    pub fn settings(&self) -> ShardSettings {
        ShardSettings {
            data_shards: self.data_shards,
            queue_limit: self.queue_limit,
            lookup_limit: self.lookup_limit,
            lookup_timeout: Duration::from_millis(self.lookup_timeout_ms),
            reserved_queue: self.reserved_queue,
            batch_limit: self.batch_limit,
            projection_lag_limit: self.projection_lag_limit,
            repeat_window: Duration::from_secs(self.repeat_window_s),
            repeat_limit: self.repeat_limit,
            transfer_limit: self.transfer_limit,
            journal_part_rows: self.journal_part_rows,
            control_limits: Default::default(),
            attacks: None,
            lost_dir: None,
            rate_life: ShardSettings::default().rate_life,
            projection: ProjectionSettings {
                pace: Duration::from_millis(self.projection_pace_ms),
                chunk_records: self.projection_chunk,
                flush_interval: Duration::from_millis(self.flush_interval_ms),
                hold: self.hold_projection,
                jitter: None,
            },
            projectors: None,
            clock: WallClock::SYSTEM,
        }
    }
}
