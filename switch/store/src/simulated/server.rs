//! Between a process and the simulated database: delays, failures, hangs, and processes that stand
//! still. It owns what a caller may learn of a call; what the call does is the database's affair.

use std::time::Duration;

use switch_domain::OwnerId;

use super::database::Database;
use super::{SimulatedStore, StoreEvent};
use crate::error::StoreError;

/// Whether the database can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reach {
    #[default]
    Up,
    Hanging,
    Refusing,
}

/// What stands between processes and the database.
#[derive(Debug, Default)]
pub(super) struct Border {
    pub(super) reach: Reach,
    pub(super) frozen: Vec<OwnerId>,
    pub(super) crashes: u64,
}

/// A connection lives until the database crashes or somebody ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    crashes: u64,
    ended: u64,
}

/// How long a caller waits before it gives a connection up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call that came to nothing, as far as its caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost;

impl From<Lost> for StoreError {
    fn from(_: Lost) -> Self {
        Self::database("simulating")(sqlx::Error::PoolClosed)
    }
}

/// Lets time pass. None at all still lets others go first.
pub(super) async fn pass(time: Duration) {
    if time.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(time).await;
    }
}

impl SimulatedStore {
    pub(super) fn life(&self, owner: OwnerId) -> Life {
        let inner = self.lock();
        let crashes = inner.border.crashes;
        let ended = inner.ended.iter().find(|(known, _)| *known == owner).map_or(0, |one| one.1);
        Life { crashes, ended }
    }

    /// Ends every connection of a process.
    pub(super) fn end_connections(&self, owner: OwnerId) {
        let mut inner = self.lock();
        match inner.ended.iter_mut().find(|(known, _)| *known == owner) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => inner.ended.push((owner, 1)),
        }
    }

    async fn until(&self, passes: impl Fn(&Border) -> bool) {
        loop {
            let changed = self.changed.notified();
            if passes(&self.lock().border) {
                return;
            }
            changed.await;
        }
    }

    /// Returns when the process runs.
    pub(super) async fn running(&self, owner: OwnerId) {
        self.until(|border| !border.frozen.contains(&owner)).await;
    }

    /// Returns when the server's processes run.
    pub(super) async fn not_hanging(&self) {
        self.until(|border| border.reach != Reach::Hanging).await;
    }

    /// Returns once the server takes a call, or fails where nobody listens.
    pub(super) async fn reached(&self) -> Result<(), Lost> {
        self.not_hanging().await;
        let up = self.lock().border.reach == Reach::Up;
        if up { Ok(()) } else { Err(Lost) }
    }

    /// A time from nothing to `longest`, in milliseconds.
    pub(super) fn some(&self, longest: Duration) -> Duration {
        let limit = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Duration::from_millis(self.lock().dice.below(limit))
    }

    /// One way to or from the database.
    pub(super) fn delay(&self) -> Duration {
        let longest = self.lock().weather.delay;
        self.some(longest)
    }

    /// How long a commit takes.
    pub(super) fn commit_time(&self) -> Duration {
        let longest = {
            let mut inner = self.lock();
            let weather = inner.weather;
            if inner.dice.in_thousand(weather.stalls) { weather.stall } else { weather.commit }
        };
        self.some(longest)
    }

    /// Whether a call fails before it has done anything.
    pub(super) fn fails(&self, call: &'static str) -> bool {
        let mut inner = self.lock();
        let times = inner.weather.failures;
        let fails = inner.dice.in_thousand(times);
        if fails {
            inner.database.events.push(StoreEvent::Failed { call, done: false });
        }
        fails
    }

    /// Whether the answer to a call is lost.
    pub(super) fn loses_answer(&self, call: &'static str) -> bool {
        let mut inner = self.lock();
        let times = inner.weather.lost_answers;
        let lost = inner.dice.in_thousand(times);
        if lost {
            inner.database.events.push(StoreEvent::Failed { call, done: true });
        }
        lost
    }

    /// One transaction of a process, done at once where it is done.
    pub(super) async fn call<T>(
        &self,
        owner: OwnerId,
        name: &'static str,
        work: impl FnOnce(&mut Database) -> T,
    ) -> Result<T, Lost> {
        self.running(owner).await;
        let served = tokio::time::timeout(PATIENCE, self.serve(owner, name, work)).await;
        self.running(owner).await;
        served.unwrap_or(Err(Lost))
    }

    async fn serve<T>(
        &self,
        owner: OwnerId,
        name: &'static str,
        work: impl FnOnce(&mut Database) -> T,
    ) -> Result<T, Lost> {
        let life = self.life(owner);
        pass(self.delay()).await;
        self.reached().await?;
        if self.fails(name) || self.life(owner) != life {
            return Err(Lost);
        }
        let done = work(&mut self.lock().database);
        pass(self.delay()).await;
        self.not_hanging().await;
        if self.loses_answer(name) || self.life(owner) != life {
            return Err(Lost);
        }
        Ok(done)
    }
}
