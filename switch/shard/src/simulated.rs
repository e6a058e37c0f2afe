//! A node over the simulated database, started by the steps that production takes: takeover, load,
//! replay, check, assemble, with the real projectors. It owns nothing of production; it exists with
//! the feature `testing` alone.

use std::time::Duration;

use switch_domain::{Placement, ShardId, ShardImage, Timestamp};
use switch_engine::State;
use switch_store::{Projector, SimulatedProcess};

use crate::node::Node;
use crate::running::Running;
use crate::settings::ShardSettings;
use crate::start::{Loaded, Seat, StartError, assemble, memory_faults, replay};
use crate::worker::Head;

/// Takes the shards over by force and starts them.
///
/// # Errors
/// As for [`crate::start()`]; nothing was served.
pub async fn start_simulated(
    process: &SimulatedProcess,
    settings: ShardSettings,
) -> Result<(Node, Running), StartError> {
    let shards = settings.data_shards.saturating_add(1);
    let taken = process.take_over(shards, settings.clock.now()).await?;
    let start = window_start(&settings);
    let mut loaded = Vec::new();
    let placement = Placement::founding(settings.data_shards);
    for shard in placement.shards() {
        let most = settings.repeat_limit;
        let image = process.load(shard, start, most).await?;
        loaded.push(complete(process, image).await?);
    }
    let faults = memory_faults(&loaded, placement);
    if !faults.is_empty() {
        return Err(StartError::Books(faults));
    }
    let seats = taken.into_iter().zip(loaded).map(|(taken, loaded)| Seat {
        head: Head {
            epoch: taken.epoch,
            owner: process.owner(),
            seq: taken.head,
            hash: taken.head_hash,
        },
        loaded,
        journal: process.journal(),
    });
    let projection = settings.projection.clone();
    let tables = process.tables();
    let projector = |shard, batches, progress, nudge| {
        let projector = Projector::new(process.tables(), projection.clone());
        projector.run(shard, batches, progress, nudge)
    };
    Ok(assemble(seats.collect(), placement, settings, &tables, projector))
}

/// A shard's state as the tables and the tail of the journal give it, everything included, and the
/// one that follows from the journal alone.
///
/// # Errors
/// A call failed, or something does not fit.
pub async fn both_states(
    process: &SimulatedProcess,
    shard: ShardId,
) -> Result<(State, State), StartError> {
    let image = process.load(shard, Timestamp(i64::MIN), usize::MAX).await?;
    let from_tables = complete(process, image).await?.state;
    let from_journal = complete(process, ShardImage::empty(shard)).await?.state;
    Ok((from_tables, from_journal))
}

fn window_start(settings: &ShardSettings) -> Timestamp {
    let window = Duration::as_micros(&settings.repeat_window);
    settings.clock.now().minus_micros(i64::try_from(window).unwrap_or(i64::MAX))
}

/// Replays the tail over an image, and finds the numbers of the cards in it.
async fn complete(process: &SimulatedProcess, image: ShardImage) -> Result<Loaded, StartError> {
    let tail = process.tail(image.shard, image.projected).await?;
    let mut loaded = replay(image, tail)?;
    for issued in loaded.issued_in_tail() {
        let fingerprint = process.fingerprint(issued.vault).await?;
        loaded.add_card(fingerprint, &issued);
    }
    Ok(loaded)
}
