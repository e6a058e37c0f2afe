//! Looks up in the tables what memory let go, off the shard's thread (W-21): one question after the
//! other, over a connection of its own, each for as long as patience goes. It decides nothing; what
//! it finds goes back through the worker.

use std::sync::Arc;
use std::time::Duration;

use switch_domain::{Forgotten, Recalled, Seq, ShardId};
use switch_store::Tables;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Between two looks at rows that are not far enough, or at a database that fails.
const PAUSE: Duration = Duration::from_millis(20);

/// A question.
struct Ask {
    what: Forgotten,
    at_least: Seq,
    by: Instant,
}

/// An answer; without `recalled` nobody knows.
pub(crate) struct Found {
    pub(crate) what: Forgotten,
    pub(crate) recalled: Option<Recalled>,
}

/// The worker's side.
pub(crate) struct Lookups {
    asks: mpsc::Sender<Ask>,
    found: mpsc::Receiver<Found>,
    patience: Duration,
    /// Ends with the worker.
    _task: AbortOnDropHandle<()>,
}

impl Lookups {
    /// Looks things up in `tables`, `limit` questions at a time at most. `behind` wakes whoever
    /// brings the tables up, where they are not far enough.
    pub(crate) fn new(
        shard: ShardId,
        tables: impl Tables,
        behind: Arc<Notify>,
        (limit, patience): (usize, Duration),
    ) -> Self {
        let (asks, questions) = mpsc::channel(limit.max(1));
        let (answers, found) = mpsc::channel(limit.max(1));
        let task = tokio::spawn(run(shard, (tables, behind), questions, answers));
        Self { asks, found, patience, _task: AbortOnDropHandle::new(task) }
    }

    /// Asks for something in rows that have everything up to `at_least`. False when too many
    /// questions wait.
    pub(crate) fn ask(&self, what: Forgotten, at_least: Seq) -> bool {
        let ask = Ask { what, at_least, by: Instant::now() + self.patience };
        self.asks.try_send(ask).is_ok()
    }

    /// The next answer.
    pub(crate) async fn found(&mut self) -> Option<Found> {
        self.found.recv().await
    }
}

async fn run(
    shard: ShardId,
    (mut tables, behind): (impl Tables, Arc<Notify>),
    mut questions: mpsc::Receiver<Ask>,
    answers: mpsc::Sender<Found>,
) {
    while let Some(ask) = questions.recv().await {
        let looked = look(shard, &mut tables, &behind, &ask);
        let recalled = tokio::time::timeout_at(ask.by, looked).await.ok();
        if answers.send(Found { what: ask.what, recalled }).await.is_err() {
            return;
        }
    }
}

async fn look(shard: ShardId, tables: &mut impl Tables, behind: &Notify, ask: &Ask) -> Recalled {
    loop {
        match tables.recall(shard, ask.at_least, &ask.what).await {
            Ok(Some(recalled)) => return recalled,
            Ok(None) => behind.notify_one(),
            Err(error) => tracing::warn!(shard = shard.0, %error, "a look-up is tried again"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}
