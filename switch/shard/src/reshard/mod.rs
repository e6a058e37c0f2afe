//! Resharding (W-12): takes every shard over, brings the tables to the head, checks the books, and
//! has the old data shards sealed and new ones founded in one transaction of the store. It owns the
//! order of these steps. Killed before the commit it has changed nothing that a start would notice;
//! run again it does what is still to be done.

mod estates;

use std::sync::Arc;
use std::time::Duration;

use switch_domain::{Placement, Seq, ShardId, ShardImage, Timestamp};
use switch_engine::State;
use switch_store::{
    CommittedBatch, ProjectionSettings, Projector, ReshardError, Resharded, Store, StoreError,
    Takeover, TakeoverError, TakeoverMode,
};
use tokio::sync::{Notify, mpsc, watch};

use crate::clock;
use crate::start::{Loaded, StartError, check_books, load, make_room};

use estates::share_out;

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct ReshardOptions {
    /// How many data shards there are to be.
    pub data_shards: u16,
    /// Rows of one part of a shard's journal.
    pub journal_part_rows: u32,
    /// What to do where another process holds the shards.
    pub mode: TakeoverMode,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct ReshardReport {
    /// The shards that served.
    pub from: Placement,
    /// The shards that serve from now on.
    pub to: Placement,
    /// The rows that say so; `None` where there was nothing to do.
    pub done: Option<Resharded>,
    /// Accounts that moved.
    pub balances: usize,
    /// Cards that moved with them.
    pub cards: usize,
    /// Open holds that moved with them.
    pub open_authorizations: usize,
}

/// Why nothing was resharded.
#[derive(Debug, thiserror::Error)]
pub enum ReshardFailed {
    /// What would stop a start, too.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The transaction was not committed, or it is not known whether it was.
    #[error(transparent)]
    Store(#[from] ReshardError),
    /// Money is on its way between shards (W-17), and both ends of it must be there to take it.
    #[error(
        "transfers are still on their way between shards ({0} of them): start the switch, which \
         carries them to their end, stop it, and run this again"
    )]
    InTransit(usize),
    /// Shards are numbered up to 65,535, and no number is used twice.
    #[error(
        "there is no room for {0} more shards: their numbers end at 65535 and are never used again"
    )]
    NoNumbers(u16),
}

impl From<StoreError> for ReshardFailed {
    fn from(error: StoreError) -> Self {
        Self::Start(error.into())
    }
}

impl From<TakeoverError> for ReshardFailed {
    fn from(error: TakeoverError) -> Self {
        Self::Start(error.into())
    }
}

/// Reshards, unless there are as many data shards already.
///
/// # Errors
/// See [`ReshardFailed`]. Running it again does what is still to be done.
pub async fn reshard(
    store: &Store,
    options: ReshardOptions,
) -> Result<ReshardReport, ReshardFailed> {
    let unreconciled = store.unreconciled().await?;
    if !unreconciled.is_empty() {
        return Err(StartError::Unreconciled(unreconciled).into());
    }
    let asked = options.data_shards;
    if let Some(from) = store.placement().await?
        && from.data_shards() == asked
    {
        let (balances, cards, open_authorizations) = (0, 0, 0);
        let to = from;
        return Ok(ReshardReport { from, to, done: None, balances, cards, open_authorizations });
    }
    let takeover = store.take_over_all(options.mode).await?;
    let from = takeover.placement();
    let to = from.next(asked).ok_or(ReshardFailed::NoNumbers(asked))?;
    make_room(store, options.journal_part_rows).await?;
    let (images, at) = drain(store, &takeover).await?;
    let moved = |count: fn(&ShardImage) -> usize| images.iter().map(count).sum();
    let mut report = ReshardReport {
        from,
        to,
        done: None,
        balances: moved(|image| image.balances.len()),
        cards: moved(|image| image.cards.len()),
        open_authorizations: moved(|image| image.authorizations.len()),
    };
    let heirs = share_out(images, to);
    let part_rows = options.journal_part_rows;
    report.done = Some(store.reshard(&takeover, to, heirs, at, part_rows).await?);
    takeover.release().await;
    Ok(report)
}

/// Brings the tables to the head of every shard and checks the books, as a start does. What the
/// data shards have, and the time of the last record of all.
async fn drain(
    store: &Store,
    takeover: &Takeover,
) -> Result<(Vec<ShardImage>, Timestamp), ReshardFailed> {
    let placement = takeover.placement();
    let mut loaded = Vec::new();
    for shard in placement.shards() {
        store.check_anchor(shard).await?;
        loaded.push(load(store, shard, Duration::ZERO, 0).await?);
    }
    check_books(store, &loaded, placement).await?;
    let in_transit = loaded.iter().map(|shard| shard.state.open_transfer_count()).sum();
    if in_transit > 0 {
        return Err(ReshardFailed::InTransit(in_transit));
    }
    let mut at = clock::wall();
    let mut images = Vec::new();
    for Loaded { state, projected, tail, .. } in loaded {
        at = at.max(state.last_at());
        project(store, state.shard(), projected, tail).await?;
        if state.shard() != ShardId::CONTROL {
            images.push(open_image(store, &state).await?);
        }
    }
    Ok((images, at))
}

/// Projects and flushes everything that the tables do not have.
async fn project(
    store: &Store,
    shard: ShardId,
    projected: Seq,
    tail: Vec<(Seq, Vec<switch_domain::Record>)>,
) -> Result<(), StoreError> {
    let (batches, to_project) = mpsc::unbounded_channel();
    for (seq, records) in tail {
        let _ = batches.send(CommittedBatch { seq, records: records.into() });
    }
    drop(batches);
    let (progress, _follow) = watch::channel(projected);
    let settings = ProjectionSettings { pace: Duration::ZERO, ..ProjectionSettings::default() };
    let projector = Projector::new(store.tables(), settings);
    Ok(projector.run(shard, to_project, progress, Arc::new(Notify::new())).await?)
}

/// What a shard has in the tables, everything that is open included. It is what replay gave, and
/// its books balance to the last hold.
async fn open_image(store: &Store, replayed: &State) -> Result<ShardImage, ReshardFailed> {
    let shard = replayed.shard();
    let mut image = store.load_open(shard).await?;
    image.complete = true;
    let state = State::from_image(image.clone());
    let differences = state.differences(replayed);
    let mut faults: Vec<String> = differences.iter().map(ToString::to_string).collect();
    faults.extend(state.books().iter().map(ToString::to_string));
    if faults.is_empty() {
        return Ok(image);
    }
    let faults = faults.into_iter().map(|fault| format!("shard {shard}: {fault}"));
    Err(StartError::Books(faults.collect()).into())
}
