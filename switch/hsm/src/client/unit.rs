//! One unit as its connections and its callers see it: whether it gets calls, and the ways to it.
//! It owns what counts for and against it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::breaker::Breaker;
use super::settings::Settings;
use crate::fields::CommandFrame;
use crate::frame::AnswerFrame;
use crate::metrics::UnitMetrics;

/// Why a command has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The connection ended, or nobody knows whose answer came.
    Lost,
    /// Its time was over.
    Deadline,
}

/// What comes of one command.
pub(super) type Outcome = Result<AnswerFrame, Failure>;

/// A command on its way to a connection.
pub(super) struct Order {
    pub(super) frame: Arc<CommandFrame>,
    pub(super) deadline: Instant,
    pub(super) reply: oneshot::Sender<Outcome>,
    /// Counted for as long as it waits.
    pub(super) load: Load,
}

/// One unit.
pub(super) struct Unit {
    pub(super) index: usize,
    pub(super) address: String,
    pub(super) metrics: UnitMetrics,
    breaker: Mutex<Breaker>,
    /// Of the breaker: connections send a trial when one is due.
    pub(super) changed: Notify,
    up: AtomicUsize,
    /// How many connections of all units can be used.
    all_up: watch::Sender<usize>,
}

impl Unit {
    pub(super) fn new(
        index: usize,
        address: &str,
        settings: &Settings,
        all_up: watch::Sender<usize>,
    ) -> Self {
        let metrics = UnitMetrics::new(address);
        metrics.connections.set(0.0);
        metrics.healthy.set(0.0);
        let breaker = Breaker::new(settings.breaker_failures, settings.breaker_open);
        Self {
            index,
            address: address.to_owned(),
            metrics,
            breaker: Mutex::new(breaker),
            changed: Notify::new(),
            up: AtomicUsize::new(0),
            all_up,
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it gets calls.
    pub(super) fn is_closed(&self) -> bool {
        self.breaker().is_closed()
    }

    /// When a trial is due; `None` while it gets calls.
    pub(super) fn trial_at(&self) -> Option<Instant> {
        self.breaker().trial_at()
    }

    /// It answered a call.
    pub(super) fn answered(&self) {
        self.breaker().answered();
    }

    /// A call or a trial failed.
    pub(super) fn failed(&self, why: &'static str) {
        let opened = self.breaker().failed(Instant::now());
        if opened {
            self.metrics.opened.increment(1);
            tracing::warn!(unit = %self.address, why, "the module gets no more calls for now");
            self.note_health();
        }
        self.changed.notify_waiters();
    }

    /// It answered a trial.
    pub(super) fn trial_passed(&self) {
        let closed = self.breaker().trial_passed(Instant::now());
        if closed {
            tracing::info!(unit = %self.address, "the module gets calls again");
            self.note_health();
        }
    }

    fn note_health(&self) {
        let healthy = self.is_closed() && self.up.load(Ordering::Acquire) > 0;
        self.metrics.healthy.set(if healthy { 1.0 } else { 0.0 });
    }
}

/// One connection as callers see it.
pub(super) struct Lane {
    pub(super) unit: Arc<Unit>,
    orders: mpsc::UnboundedSender<Order>,
    up: AtomicBool,
    load: Arc<AtomicUsize>,
}

impl Lane {
    pub(super) fn new(unit: Arc<Unit>) -> (Arc<Self>, mpsc::UnboundedReceiver<Order>) {
        let (orders, queue) = mpsc::unbounded_channel(); // bounded by the client's own limit
        let load = Arc::default();
        (Arc::new(Self { unit, orders, up: AtomicBool::new(false), load }), queue)
    }

    /// Whether calls may go here.
    pub(super) fn is_usable(&self) -> bool {
        self.up.load(Ordering::Acquire) && self.unit.is_closed()
    }

    /// How many wait here.
    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Acquire)
    }

    /// It can be used from now on, or no more.
    pub(super) fn set_up(&self, up: bool) {
        if self.up.swap(up, Ordering::AcqRel) == up {
            return;
        }
        let change = |count: usize| {
            if up { count.saturating_add(1) } else { count.saturating_sub(1) }
        };
        let _ =
            self.unit.up.fetch_update(Ordering::AcqRel, Ordering::Acquire, |up| Some(change(up)));
        self.unit.metrics.connections.increment(if up { 1.0 } else { -1.0 });
        self.unit.note_health();
        self.unit.all_up.send_modify(|count| *count = change(*count));
    }

    /// Sends a command and waits for what comes of it.
    pub(super) async fn ask(&self, frame: Arc<CommandFrame>, deadline: Instant) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        let load = Load::new(&self.load);
        if self.orders.send(Order { frame, deadline, reply, load }).is_err() {
            return Err(Failure::Lost);
        }
        match tokio::time::timeout_at(deadline, outcome).await {
            Ok(outcome) => outcome.unwrap_or(Err(Failure::Lost)),
            Err(_) => Err(Failure::Deadline),
        }
    }
}

/// One that waits on a connection; counted until it is dropped.
pub(super) struct Load(Arc<AtomicUsize>);

impl Load {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
