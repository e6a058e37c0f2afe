//! What has to be done again and again while a switch serves: room ahead for rows to come, old days
//! let go, the disk watched, the heads of the journal noted. It owns when; each task tries again at
//! its next time, and none of them can hold up an authorization.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{counter, gauge};
use metrics::{describe_counter, describe_gauge};
use switch_domain::Timestamp;
use switch_store::{Keep, Store, StoreError, free_bytes};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Disk, Retention};
use crate::forecast::Forecast;
use crate::heads;

/// Describes the metrics of this file to the installed recorder.
pub(crate) fn describe() {
    describe_gauge!(
        "cardswitch_disk_full_in_seconds",
        "When PostgreSQL's disk is full at the pace of the last hour; +Inf while nothing grows"
    );
    describe_gauge!("cardswitch_disk_free_bytes", "What PostgreSQL may still fill");
    describe_gauge!("cardswitch_disk_growth_bytes", "Growth of database and log, a second");
    describe_gauge!("cardswitch_database_bytes", "The whole database");
    describe_gauge!("cardswitch_journal_bytes", "Parts of the journal in the database");
    describe_gauge!("cardswitch_history_bytes", "Days of history in the database");
    describe_gauge!("cardswitch_wal_bytes", "Files of PostgreSQL's write-ahead log");
    describe_gauge!("cardswitch_wal_written_bytes", "Ever written to that log");
    describe_gauge!("cardswitch_journal_room_rows", "Rows that a shard's parts have room for");
    describe_counter!("cardswitch_retention_dropped_days_total", "Days let go, by table");
    describe_gauge!("cardswitch_retention_open_days", "Old days kept for what is open, by table");
    describe_counter!(
        "cardswitch_history_summarized_ranges_total",
        "Ranges of pages of history that were given a summary"
    );
    describe_gauge!(
        "cardswitch_history_unsummarized_ranges",
        "Full ranges of pages of history without a summary: who asks for history reads them"
    );
    describe_gauge!("cardswitch_retention_last_run_timestamp", "When it last ran to its end");
    describe_counter!("cardswitch_upkeep_errors_total", "Tasks of upkeep that failed, by task");
}

/// Ranges of pages of history that are summarised at a time, 16 MiB of them,
const RANGES: u32 = 64;
/// after which those who append go first for so long,
const REST: Duration = Duration::from_millis(100);
/// and at most so many times in a round.
const TURNS: u32 = 64;

/// Why readiness warns, if it does.
pub(crate) type Warning = watch::Receiver<Option<String>>;

/// The tasks, and what they remember.
pub(crate) struct Upkeep {
    store: Store,
    journal_part_rows: u32,
    window: Duration,
    retention: Retention,
    disk: Disk,
    /// Of the private server, whose disk we can look at.
    data_dir: Option<PathBuf>,
    lost_dir: PathBuf,
    forecast: Forecast,
    warning: watch::Sender<Option<String>>,
    began: Instant,
    next_retention: Instant,
}

impl Upkeep {
    pub(crate) fn new(config: &Config, store: Store, data_dir: Option<PathBuf>) -> (Self, Warning) {
        let (warning, warned) = watch::channel(None);
        let now = Instant::now();
        let upkeep = Self {
            store,
            journal_part_rows: config.shards.journal_part_rows,
            window: Duration::from_secs(config.shards.repeat_window_s),
            retention: config.retention,
            disk: config.disk,
            data_dir,
            lost_dir: config.journal.lost_dir.clone(),
            forecast: Forecast::default(),
            warning,
            began: now,
            next_retention: now,
        };
        (upkeep, warned)
    }

    /// Runs until the switch stops. The first round is at once: a start has made room already, and
    /// days may have grown old while nobody served.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut every = tokio::time::interval(Duration::from_secs(self.disk.every_s.max(1)));
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut first = true;
        loop {
            tokio::select! {
                _ = every.tick() => {}
                () = stop.cancelled() => return,
            }
            // Dropped in the middle it leaves nothing half done: each step is one transaction.
            tokio::select! {
                () = self.round(first) => {}
                () = stop.cancelled() => return,
            }
            first = false;
        }
    }

    async fn round(&mut self, first: bool) {
        let room = self.make_room().await;
        note_error("room", room);
        let measured = self.measure().await;
        note_error("disk", measured);
        let summarized = self.summarize().await;
        note_error("summaries", summarized);
        if Instant::now() >= self.next_retention {
            let every = Duration::from_secs(self.retention.every_s.max(1));
            self.next_retention = Instant::now() + every;
            let kept = self.let_old_days_go().await;
            note_error("retention", kept);
        }
        if !first && let Err(error) = heads::follow(&self.store, &self.lost_dir).await {
            counter!("cardswitch_upkeep_errors_total", "task" => "heads").increment(1);
            tracing::warn!(%error, "the heads of the journal cannot be noted");
        }
    }

    async fn make_room(&self) -> Result<(), StoreError> {
        switch_shard::make_room(&self.store, self.journal_part_rows).await?;
        for (shard, rows) in self.store.journal_room().await? {
            gauge!("cardswitch_journal_room_rows", "shard" => shard.to_string()).set(rows as f64);
        }
        Ok(())
    }

    /// For who asks for history: what was filled since the last round.
    async fn summarize(&self) -> Result<(), StoreError> {
        for _ in 0..TURNS {
            let turn = self.store.summarize_history(RANGES).await?;
            counter!("cardswitch_history_summarized_ranges_total").increment(turn.done);
            gauge!("cardswitch_history_unsummarized_ranges").set(turn.waiting as f64);
            if turn.done < u64::from(RANGES) {
                break;
            }
            tokio::time::sleep(REST).await;
        }
        Ok(())
    }

    async fn measure(&mut self) -> Result<(), StoreError> {
        let used = self.store.storage_use().await?;
        gauge!("cardswitch_database_bytes").set(used.database as f64);
        gauge!("cardswitch_journal_bytes").set(used.journal as f64);
        gauge!("cardswitch_history_bytes").set(used.history as f64);
        gauge!("cardswitch_wal_written_bytes").set(used.wal_written as f64);
        if let Some(wal) = used.wal {
            gauge!("cardswitch_wal_bytes").set(wal as f64);
        }
        self.forecast.note(self.began.elapsed(), used.on_disk());
        gauge!("cardswitch_disk_growth_bytes").set(self.forecast.pace().unwrap_or(0.0));
        let Some(free) = self.free(used.on_disk()) else { return Ok(()) };
        let full_in = self.forecast.full_in(free);
        gauge!("cardswitch_disk_free_bytes").set(free as f64);
        gauge!("cardswitch_disk_full_in_seconds").set(full_in);
        let warns = full_in <= self.disk.warn_within_s as f64;
        self.warning.send_replace(warns.then(|| {
            format!(
                "PostgreSQL's disk is full in {full_in:.0} s at the pace of the last hour: \
                 {free} bytes are free. Archive the journal, or make room"
            )
        }));
        Ok(())
    }

    /// What is free: on the disk of the private server, else of the capacity that is configured.
    fn free(&self, used: u64) -> Option<u64> {
        match (&self.data_dir, self.disk.capacity_bytes) {
            (Some(directory), 0) => free_bytes(directory).ok(),
            (Some(directory), most) => {
                free_bytes(directory).ok().map(|free| free.min(most.saturating_sub(used)))
            }
            (None, 0) => None,
            (None, most) => Some(most.saturating_sub(used)),
        }
    }

    async fn let_old_days_go(&self) -> Result<(), StoreError> {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(wall.as_micros()).unwrap_or(i64::MAX);
        // The earlier of two clocks, so that one that is wrong lets nothing go.
        let now = Timestamp(micros).min(self.store.clock().await?);
        // Events before their authorizations: what is about something open stays with it.
        for (table, days) in [
            ("authorization_event", self.retention.authorization_event_days),
            ("card_authorization", self.retention.card_authorization_days),
            ("posting", self.retention.posting_days),
            ("audit_entry", self.retention.audit_entry_days),
        ] {
            let keep = Keep { table, days };
            let old = self.store.drop_old_days(keep, self.window, now).await?;
            let (dropped, open) = (old.dropped.len() as u64, old.open.len());
            counter!("cardswitch_retention_dropped_days_total", "table" => table)
                .increment(dropped);
            gauge!("cardswitch_retention_open_days", "table" => table).set(open as f64);
            if open > 0 {
                tracing::warn!(
                    table, days = ?old.open,
                    "old days are kept: holds of theirs are open, until they are cleared, reversed \
                     or end by [holds]"
                );
            }
            if dropped > 0 {
                tracing::info!(table, days = ?old.dropped, "old days of history were let go");
            }
        }
        gauge!("cardswitch_retention_last_run_timestamp").set(wall.as_secs_f64());
        Ok(())
    }
}

fn note_error(task: &'static str, result: Result<(), StoreError>) {
    if let Err(error) = result {
        counter!("cardswitch_upkeep_errors_total", "task" => task).increment(1);
        tracing::warn!(task, %error, "upkeep is tried again at its next time");
    }
}
