//! Drives one run: the database, the processes over it, and the acquirer before them. It owns the
//! life of processes: start, clean stop, sudden end, standing still, takeover. What it does when is
//! the schedule's affair (`traffic`, `faults`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use switch_domain::OwnerId;
use switch_shard::{Fatal, Node, Reply, Running, ShardSettings, start_simulated};
use switch_store::{Dice, SimulatedStore, Weather};
use tokio::sync::{mpsc, watch};

use crate::history::Entry;
use crate::judge::Judge;
use crate::world::{Room, World};

/// A process.
pub(crate) struct Process {
    pub(crate) number: u8,
    pub(crate) owner: OwnerId,
    pub(crate) node: Node,
    pub(crate) link: mpsc::UnboundedSender<Reply>,
    fatal: watch::Receiver<Option<Fatal>>,
    /// Taken out when it ends.
    running: Option<Running>,
}

impl Process {
    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }
}

/// One run.
pub(crate) struct Driver {
    pub(crate) dice: Dice,
    pub(crate) store: SimulatedStore,
    pub(crate) judge: Arc<Mutex<Judge>>,
    pub(crate) settings: ShardSettings,
    pub(crate) room: Room,
    pub(crate) world: World,
    pub(crate) current: Process,
    /// Standing still since before the current one took over.
    pub(crate) old: Option<Process>,
    pub(crate) frozen: bool,
    /// Steps until the database comes back.
    pub(crate) outage: Option<u64>,
    /// The database may have forgotten what a projector takes for written.
    pub(crate) forgot: bool,
    processes: u8,
    pub(crate) next_stan: u32,
    pub(crate) next_key: u64,
}

/// Nothing goes wrong, and quickly.
pub(crate) const CALM: Weather = Weather {
    delay: Duration::ZERO,
    commit: Duration::from_millis(1),
    failures: 0,
    lost_answers: 0,
    stalls: 0,
    stall: Duration::ZERO,
};

/// How long a clean stop may take while all is well.
const STOP_WITHIN: Duration = Duration::from_secs(60);
/// How long a process that was taken over may take to notice.
const NOTICED_WITHIN: Duration = Duration::from_secs(300);

pub(crate) fn locked(judge: &Mutex<Judge>) -> MutexGuard<'_, Judge> {
    judge.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process; `None` where the database did not let it.
async fn start(
    store: &SimulatedStore,
    judge: &Arc<Mutex<Judge>>,
    settings: &ShardSettings,
    number: u8,
) -> Option<Process> {
    let owner = OwnerId([number; 16]);
    locked(judge).unheard.push(false);
    let (node, running) = match start_simulated(&store.process(owner), settings.clone()).await {
        Ok(started) => started,
        Err(error) => {
            let step = format!("process {number} does not start: {error}");
            let mut judge = locked(judge);
            judge.note(Entry::Step(step.clone()));
            judge.count("failed starts");
            if !matches!(error, switch_shard::StartError::Store(_)) {
                judge.blame(step, None);
            }
            return None;
        }
    };
    let (link, mut replies) = mpsc::unbounded_channel::<Reply>();
    let watching = Arc::clone(judge);
    tokio::spawn(async move {
        while let Some(reply) = replies.recv().await {
            locked(&watching).replied(number, reply);
        }
    });
    let (fatal, running) = (running.fatal(), Some(running));
    Some(Process { number, owner, node, link, fatal, running })
}

/// A process that starts in good weather.
pub(crate) async fn first(
    store: &SimulatedStore,
    judge: &Arc<Mutex<Judge>>,
    settings: &ShardSettings,
) -> Process {
    let number = u8::try_from(locked(judge).unheard.len()).expect("few processes");
    start(store, judge, settings, number).await.expect("in good weather a process starts")
}

impl Driver {
    pub(crate) fn new(
        (dice, store, judge): (Dice, SimulatedStore, Arc<Mutex<Judge>>),
        (settings, room): (ShardSettings, Room),
        (world, current): (World, Process),
    ) -> Self {
        Self {
            dice,
            store,
            judge,
            settings,
            room,
            world,
            current,
            old: None,
            frozen: false,
            outage: None,
            forgot: false,
            processes: 0,
            next_stan: 1,
            next_key: crate::world::FIRST_FREE_KEY,
        }
    }

    pub(crate) fn judge(&self) -> MutexGuard<'_, Judge> {
        locked(&self.judge)
    }

    pub(crate) fn step(&self, what: &'static str) {
        let mut judge = self.judge();
        judge.count(what);
        judge.note(Entry::Step(what.to_owned()));
    }

    /// The database is there again, if it was not.
    pub(crate) fn recover(&mut self) {
        if self.outage.take().is_some() {
            self.step("the database is back");
            self.store.recover();
        }
    }

    /// A new process takes over, and is tried until it can.
    async fn started(&mut self) -> Process {
        self.recover();
        loop {
            self.processes += 1;
            let number = self.processes;
            if number > 200 {
                self.store.set_weather(CALM);
            }
            let started = start(&self.store, &self.judge, &self.settings, number).await;
            if let Some(process) = started {
                self.forgot = false;
                return process;
            }
            let enough = number > 250 || self.judge().violation.is_some();
            assert!(!enough, "no process starts: {:?}", self.judge().violation);
        }
    }

    /// The process ends without warning, and another starts.
    pub(crate) async fn crash(&mut self) {
        self.step("process killed");
        self.end_old();
        self.unhear(self.current.number);
        self.current.kill();
        self.thaw();
        self.current = self.started().await;
    }

    /// The process stops as it should, and another starts.
    pub(crate) async fn restart(&mut self) {
        self.recover();
        self.thaw();
        self.store.set_weather(CALM);
        self.step("clean stop");
        if let Some(running) = self.current.running.take()
            && running.stop(STOP_WITHIN).await.is_err()
        {
            self.judge().blame("a clean stop took too long".into(), None);
        }
        if !self.forgot {
            self.tables_are_at_the_head("after a clean stop").await;
        }
        self.every_copy_was_answered();
        self.unhear(self.current.number);
        self.current = self.started().await;
    }

    /// The process stands still; what is sent to it waits in sockets.
    pub(crate) fn freeze(&mut self) {
        self.step("process stands still");
        self.frozen = true;
        self.store.freeze(self.current.owner);
    }

    pub(crate) fn thaw(&mut self) {
        if self.frozen {
            self.step("process goes on");
            self.frozen = false;
            self.store.thaw(self.current.owner);
        }
    }

    /// Another process takes over from one that stands still.
    pub(crate) async fn take_over(&mut self) {
        self.step("takeover");
        self.end_old();
        self.unhear(self.current.number);
        let next = self.started().await;
        self.old = Some(std::mem::replace(&mut self.current, next));
        self.frozen = false;
    }

    /// The old process wakes up, with requests waiting for it, and must notice.
    pub(crate) async fn wake_old(&mut self) {
        let Some(mut old) = self.old.take() else { return };
        self.recover();
        self.step("old process wakes up");
        self.old_gets_requests(&old);
        self.store.thaw(old.owner);
        let noticed = old.fatal.wait_for(Option::is_some);
        let noticed = tokio::time::timeout(NOTICED_WITHIN, noticed);
        let fenced = match noticed.await {
            Ok(Ok(fatal)) => matches!(*fatal, Some(Fatal::Fenced { .. })),
            // It took none, or declined them without a row because its tables are too far behind.
            _ => !self.judge().owes_answers(old.number),
        };
        if !fenced {
            let what = format!("process {} was taken over and goes on (I9)", old.number);
            self.judge().blame(what, None);
        }
        self.judge().count("fenced");
        old.kill();
    }

    fn end_old(&mut self) {
        if let Some(mut old) = self.old.take() {
            self.store.thaw(old.owner);
            old.kill();
        }
    }

    /// The acquirer hears nothing more from a process.
    fn unhear(&self, number: u8) {
        self.judge().unheard[usize::from(number)] = true;
    }

    /// A process that nobody took over has no reason to end.
    pub(crate) fn must_be_well(&self) {
        if let Some(fatal) = &*self.current.fatal.borrow() {
            let what = format!("process {} ends: {fatal}", self.current.number);
            self.judge().blame(what, None);
        }
    }
}
