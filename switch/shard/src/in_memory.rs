//! A node over the journal in memory, for tests of the shards' own behaviour: deadlines, voids,
//! fences, hangs. It owns nothing of production; it exists with the feature `testing` alone.

use switch_domain::{OwnerId, Placement, Seq, ShardImage};
use switch_engine::State;
use switch_store::{ModelJournalHandle, ModelTables};
use tokio::sync::watch;

use crate::node::Node;
use crate::running::Running;
use crate::settings::ShardSettings;
use crate::start::{Loaded, Seat, assemble, empty_head};

/// Starts an empty node whose rows go to `journal`, and whose tables follow at once; while
/// `silent` is true they answer no question.
#[must_use]
pub fn start_in_memory(
    journal: &ModelJournalHandle,
    silent: watch::Receiver<bool>,
    settings: ShardSettings,
    owner: OwnerId,
) -> (Node, Running) {
    let placement = Placement::founding(settings.data_shards);
    let seats = placement.shards().map(|shard| Seat {
        head: empty_head(shard, owner),
        loaded: Loaded {
            state: State::from_image(ShardImage::empty(shard)),
            projected: Seq::NONE,
            tail: Vec::new(),
            cards: Vec::new(),
        },
        journal: journal.journal(),
    });
    let tables = ModelTables::new(journal.clone(), silent);
    assemble(
        seats.collect(),
        placement,
        settings,
        &tables,
        |_, mut batches, progress, _| async move {
            while let Some(batch) = batches.recv().await {
                progress.send_replace(batch.seq);
            }
            Ok(())
        },
    )
}
