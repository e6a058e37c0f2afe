//! Ends holds that lived their life. Memory forgets an authorization after a day, its hold lives on
//! in the tables alone: so their rows are gone through in the order in which they were decided,
//! once for every life that there is, behind a watermark that moves only after the ends of all
//! before it are committed. A crash repeats some and leaves none out. It owns the pace, which
//! leaves room for everybody else; it decides nothing: the shard of an account says what there was
//! to end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics::{counter, gauge};
use switch_domain::{Hold, HoldLives, ShardId, Timestamp};
use switch_engine::HoldEnd;
use switch_store::{HoldMark, HoldWatermark, OpenHold, Store, StoreError};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::node::Node;

/// How holds are looked for.
#[derive(Clone, Debug)]
pub struct SweepSettings {
    /// How long they live.
    pub lives: HoldLives,
    /// How far rounds are apart.
    pub every: Duration,
    /// Rows that are looked at in one statement.
    pub piece: u32,
    /// Ends that wait for their commit at a time. Each that memory has forgotten is a question to
    /// the tables, among those of late reversals.
    pub at_a_time: usize,
}

/// Why a round ended before its end. The next goes on where it was: late, nothing is lost.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database does not answer, or what it holds cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody knows what time it is (W-16).
    #[error("the wall clock is wrong: no hold ends until it is right")]
    Clock,
    /// A shard has too much to do, ends, or could not look up what it has forgotten.
    #[error("a shard has no room for the end of a hold now, or cannot say what became of it")]
    Shard,
}

impl SweepError {
    const fn cause(&self) -> &'static str {
        match self {
            Self::Store(_) => "database",
            Self::Clock => "clock",
            Self::Shard => "shard",
        }
    }
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows that were looked at, for each life again.
    pub rows: u64,
    /// Holds that were given back.
    pub given_back: u64,
    /// Holds that had ended meanwhile.
    pub held_nothing: u64,
    /// Holds that an increment was added to meanwhile: their life has begun again.
    pub begun_again: u64,
    /// Holds of authorizations that their shard does not find: for people to look at.
    pub not_there: u64,
}

/// Rows of a shard, for holds of one life.
type Track = (ShardId, Duration);

/// Where a track stands.
#[derive(Clone, Copy, Debug)]
struct Standing {
    at: HoldMark,
    /// What was decided up to then was looked at.
    until: Timestamp,
}

/// The sweep of a node that serves.
pub struct HoldSweep {
    store: Store,
    node: Node,
    settings: SweepSettings,
    tracks: BTreeMap<Track, Standing>,
}

impl HoldSweep {
    /// A sweep over the tables that a node's shards are projected to. There is one for a database:
    /// that of the process that owns the shards.
    #[must_use]
    pub const fn new(store: Store, node: Node, settings: SweepSettings) -> Self {
        Self { store, node, settings, tracks: BTreeMap::new() }
    }

    /// Runs until the switch stops, round after round. Dropped in the middle of one it leaves
    /// nothing half done: what was asked for and not noted is asked for again, and holds nothing.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut every = tokio::time::interval(self.settings.every);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = every.tick() => {}
            }
            let swept = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                swept = self.round() => swept,
            };
            match swept {
                Ok(Swept { given_back: 0, .. }) => {}
                Ok(swept) => tracing::info!(?swept, "holds that lived their life have ended"),
                Err(error) => {
                    let cause = error.cause();
                    counter!("cardswitch_hold_sweep_errors_total", "cause" => cause).increment(1);
                    tracing::warn!(%error, "holds end later: the next round goes on");
                    self.show_lateness();
                }
            }
        }
    }

    /// Ends everything that is due, a piece of every shard and life in turn.
    ///
    /// # Errors
    /// See [`SweepError`]: what was ended before it is, and the next round goes on.
    pub async fn round(&mut self) -> Result<Swept, SweepError> {
        self.find_tracks().await?;
        let mut swept = Swept::default();
        let mut behind: Vec<Track> = self.tracks.keys().copied().collect();
        while !behind.is_empty() {
            let mut further = Vec::new();
            for track in behind {
                if self.next_piece(track, &mut swept).await? {
                    further.push(track);
                }
            }
            behind = further;
        }
        Ok(swept)
    }

    /// Every shard that ever was, for every life there is or was. A life that is taken out of the
    /// configuration stays, for the sweeps of shorter ones are past what was decided under it.
    async fn find_tracks(&mut self) -> Result<(), SweepError> {
        let noted = self.store.hold_watermarks().await?;
        let noted: BTreeMap<Track, HoldMark> =
            noted.into_iter().map(|one| ((one.shard, one.life), one.at)).collect();
        let lives = self.settings.lives.all().into_iter();
        let lives: BTreeSet<Duration> = lives.chain(noted.keys().map(|(_, life)| *life)).collect();
        let shards = self.store.stored_shards().await?;
        for shard in shards.into_iter().filter(|shard| *shard != ShardId::CONTROL) {
            for life in &lives {
                let track = (shard, *life);
                let at = match noted.get(&track) {
                    Some(at) => *at,
                    None => self.begin(track).await?,
                };
                let until = self.tracks.get(&track).map_or(at.decided_at, |known| known.until);
                self.tracks.insert(track, Standing { at, until });
            }
        }
        Ok(())
    }

    /// Notes that a track is, before anything in it is old enough: it is remembered from then on.
    async fn begin(&self, (shard, life): Track) -> Result<HoldMark, SweepError> {
        let at = HoldMark::start(shard);
        self.store.move_hold_watermark(HoldWatermark { shard, life, at }).await?;
        Ok(at)
    }

    /// Looks at the next rows of a track and ends what is due in them. True where there are more.
    async fn next_piece(&mut self, track: Track, swept: &mut Swept) -> Result<bool, SweepError> {
        let Some(&Standing { at, .. }) = self.tracks.get(&track) else { return Ok(false) };
        let ((shard, life), most) = (track, self.settings.piece);
        let began = Instant::now();
        let until = born_before(self.agreed_time().await?, life);
        let piece = self.store.open_holds(shard, at, until, most).await?;
        counter!("cardswitch_hold_sweep_rows_total").increment(piece.rows);
        swept.rows = swept.rows.saturating_add(piece.rows);
        let lives = &self.settings.lives;
        let due = |one: &OpenHold| lives.of(one.link, one.category, one.kind) <= life;
        let due: Vec<Hold> =
            piece.holds.iter().filter(|one| due(one)).map(|one| one.hold).collect();
        for some in due.chunks(self.settings.at_a_time.max(1)) {
            self.end(some, swept).await?;
        }
        let more = piece.rows >= u64::from(most);
        if let Some(last) = piece.last {
            self.store.move_hold_watermark(HoldWatermark { shard, life, at: last }).await?;
            let until = if more { last.decided_at } else { until };
            self.tracks.insert(track, Standing { at: last, until });
        } else {
            self.tracks.insert(track, Standing { at, until });
        }
        self.show_lateness();
        if more {
            // Half of the time at most: who waits for rows or for a processor gets the other.
            tokio::time::sleep(began.elapsed()).await;
        }
        Ok(more)
    }

    /// Ends holds, and waits until all of it is committed.
    async fn end(&self, holds: &[Hold], swept: &mut Swept) -> Result<(), SweepError> {
        let begun: Vec<_> = holds.iter().map_while(|hold| self.node.begin_expiry(*hold)).collect();
        let mut known = 0;
        for (hold, end) in holds.iter().zip(begun) {
            let Some(end) = self.told(end).await else { continue };
            known += 1;
            let (count, became) = match end {
                HoldEnd::GivenBack(_) => (&mut swept.given_back, "given_back"),
                HoldEnd::HeldNothing => (&mut swept.held_nothing, "held_nothing"),
                HoldEnd::BegunAgain => (&mut swept.begun_again, "begun_again"),
                HoldEnd::NotThere => {
                    tracing::warn!(authorization = %hold.authorization, "its shard finds no hold");
                    (&mut swept.not_there, "not_there")
                }
            };
            *count = count.saturating_add(1);
            counter!("cardswitch_hold_ends_total", "became" => became).increment(1);
        }
        if known == holds.len() { Ok(()) } else { Err(SweepError::Shard) }
    }

    /// What there was to end, once that is committed: while PostgreSQL is away that takes as long
    /// as it does, and how late holds are is shown meanwhile.
    async fn told(&self, mut end: oneshot::Receiver<HoldEnd>) -> Option<HoldEnd> {
        loop {
            tokio::select! {
                biased;
                end = &mut end => return end.ok(),
                () = tokio::time::sleep(self.settings.every) => self.show_lateness(),
            }
        }
    }

    /// The earlier of our clock and PostgreSQL's, so that one which has just jumped, and was not
    /// found out yet, ends nothing.
    async fn agreed_time(&self) -> Result<Timestamp, SweepError> {
        if self.node.clock_fault().is_some() {
            return Err(SweepError::Clock);
        }
        let ours = self.node.clock().now();
        Ok(if self.node.clock().is_systems() { ours.min(self.store.clock().await?) } else { ours })
    }

    fn show_lateness(&self) {
        let now = self.node.clock().now();
        for ((shard, life), standing) in &self.tracks {
            let late = born_before(now, *life).0.saturating_sub(standing.until.0).max(0);
            let (shard, life) = (shard.to_string(), life.as_secs().to_string());
            gauge!("cardswitch_hold_sweep_late_seconds", "shard" => shard, "life_s" => life)
                .set(late as f64 / 1e6);
        }
    }
}

/// When that was decided whose life ends now.
fn born_before(now: Timestamp, life: Duration) -> Timestamp {
    now.minus_micros(i64::try_from(life.as_micros()).unwrap_or(i64::MAX))
}
