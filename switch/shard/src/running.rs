//! The tasks of a started node, and why they may have to end. It owns the order of stopping (W-25):
//! take no more, commit what was taken, answer, project to the head, release ownership.

use std::sync::Arc;
use std::time::Duration;

use switch_domain::{Epoch, OwnerId, Seq, ShardId};
use switch_store::fault_points::{KillPoint, reach};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::worker::Shared;

/// Why the process must end. Nothing is answered after it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fatal {
    /// Another process owns the shard: its row stands where ours should.
    #[error(
        "fenced: shard {shard} was taken over by process {owner} (epoch {}); \
         nothing was answered since, and this process must end", epoch.0
    )]
    Fenced {
        /// The shard.
        shard: ShardId,
        /// The new owner.
        owner: OwnerId,
        /// Its epoch.
        epoch: Epoch,
    },
    /// The row before ours is gone: the database is not the one that we wrote to (W-24).
    #[error(
        "the journal of shard {shard} went back in time: the row before {seq} is gone. Was the \
         database restored, or failed over to a standby that was behind? Nothing more is approved"
    )]
    JournalWentBack {
        /// The shard.
        shard: ShardId,
        /// Where our row should have gone.
        seq: Seq,
    },
    /// The connection that shows the other processes who owns the shards is gone.
    #[error("the ownership lock was lost: another process may take over at any moment")]
    OwnershipLost,
    /// A defect, or a damaged journal.
    #[error("the state is broken: {0}")]
    Broken(String),
}

/// Runs a task of a shard: should it panic, the process ends. What it left half done is in memory
/// alone, and the next start makes it again from the journal.
pub(crate) fn watched(
    shared: &Arc<Shared>,
    shard: ShardId,
    on: &Handle,
    task: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let ends = EndsWithPanic { shared: Arc::clone(shared), shard };
    on.spawn(async move {
        let _ends = ends;
        task.await;
    })
}

struct EndsWithPanic {
    shared: Arc<Shared>,
    shard: ShardId,
}

impl Drop for EndsWithPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.end(Fatal::Broken(format!("shard {} panicked", self.shard)));
        }
    }
}

/// The tasks of a started node.
pub struct Running {
    pub(crate) shared: Arc<Shared>,
    pub(crate) workers: Vec<JoinHandle<()>>,
    pub(crate) projectors: Vec<JoinHandle<()>>,
    /// Watches the ownership lock; dropping what it holds releases the lock.
    pub(crate) ownership: Option<JoinHandle<()>>,
    /// Watches the wall clock.
    pub(crate) clock: Option<JoinHandle<()>>,
}

/// What was left when the time for stopping was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "stopping took longer than {0:?}: what was taken may be committed without having been \
     answered, and the tables are behind the journal; the next start finishes both"
)]
pub struct StoppedLate(pub Duration);

impl Running {
    /// Follows the reason to end, which is set at most once.
    #[must_use]
    pub fn fatal(&self) -> watch::Receiver<Option<Fatal>> {
        self.shared.fatal.subscribe()
    }

    /// Ends every task where it is, as the end of the process would; nobody is told anything.
    #[cfg(feature = "testing")]
    pub fn kill(self) {
        let tasks = self.workers.iter().chain(&self.projectors).chain(&self.ownership);
        tasks.for_each(JoinHandle::abort);
    }

    /// Takes no more, finishes what was taken, and lets go of the shards.
    ///
    /// # Errors
    /// It took longer than `within`: the tasks were ended where they were, as a crash would.
    pub async fn stop(mut self, within: Duration) -> Result<(), StoppedLate> {
        self.shared.stopping.cancel();
        reach(KillPoint::K13);
        if self.shared.fatal.borrow().is_some() {
            // Whoever owns the shards now makes their rows: what this process has left is not its
            // own to finish, and racing the new owner for the watermark could last for ever.
            self.projectors.iter().for_each(JoinHandle::abort);
        }
        let tasks = self.workers.drain(..).chain(self.projectors.drain(..)).collect::<Vec<_>>();
        let aborts: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
        let finished = tokio::time::timeout(within, async {
            for task in tasks {
                let _ = task.await;
            }
        });
        let in_time = finished.await.is_ok();
        if !in_time {
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
        if let Some(clock) = self.clock.take() {
            clock.abort();
        }
        if let Some(ownership) = self.ownership.take() {
            ownership.abort();
            let _ = ownership.await;
        }
        if in_time { Ok(()) } else { Err(StoppedLate(within)) }
    }
}
