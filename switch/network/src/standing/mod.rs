//! How a link stands: what it was told to do, which connections it has, whether it is signed on. It
//! owns the one state that follows from all that, and says every change of it to log and metrics.
//! Any connection signs the link on, and it stays so until a sign-off or until its last connection
//! has closed.

mod view;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

pub use self::view::{ConnectionView, CutOver, LinkState, LinkView};
use crate::config::{LinkConfig, Side};
use crate::metrics::LinkMetrics;
use crate::requests::Order;

/// Trace numbers go from 1 to this, and begin again.
const TRACES: u32 = 999_999;

/// What a link was told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To serve.
    Open,
    /// To take no new authorizations.
    Paused,
    /// To close its connections and to have none.
    Drained,
}

/// Shared by a link, its connections and its handle.
pub(crate) struct Standing {
    name: String,
    id: u16,
    listens_on: Option<SocketAddr>,
    dials: Vec<String>,
    mode: watch::Sender<Mode>,
    /// Both are read by every request, and written only with the table locked.
    paused: AtomicBool,
    signed_on: AtomicBool,
    table: Mutex<Table>,
    counts: Counts,
    /// Of the last request of ours. The first one is any: a restart must not repeat the numbers
    /// that the peer has just seen.
    trace: AtomicU32,
    metrics: Arc<LinkMetrics>,
}

struct Table {
    next: u64,
    connections: BTreeMap<u64, Arc<Facts>>,
    /// Frames of connections that are gone.
    gone: (u64, u64),
    state: LinkState,
    since: Timestamp,
    cut_over: Option<CutOver>,
}

#[derive(Default)]
struct Counts {
    opened: AtomicU64,
    refused: AtomicU64,
    dial_attempts: AtomicU64,
    dial_failures: AtomicU64,
}

/// What is known of one connection. The numbers are written by its own task, once a turn.
pub(crate) struct Facts {
    peer: SocketAddr,
    tls: Option<&'static str>,
    since: Timestamp,
    orders: mpsc::Sender<Order>,
    pub(crate) in_flight: AtomicU64,
    pub(crate) frames_in: AtomicU64,
    pub(crate) frames_out: AtomicU64,
}

/// One open connection of the link; ends with it.
pub(crate) struct Presence {
    standing: Arc<Standing>,
    key: u64,
    facts: Arc<Facts>,
}

impl Standing {
    pub(crate) fn new(
        config: &LinkConfig,
        listens_on: Option<SocketAddr>,
        metrics: Arc<LinkMetrics>,
    ) -> Self {
        let dials = match &config.side {
            Side::Listen(_) => Vec::new(),
            Side::Dial(dialling) => dialling.addresses.clone(),
        };
        let state = waiting(listens_on.is_some());
        metrics.state(state);
        let table = Table {
            next: 0,
            connections: BTreeMap::new(),
            gone: (0, 0),
            state,
            since: Timestamp::now(),
            cut_over: None,
        };
        Self {
            name: config.name.clone(),
            id: config.id.0,
            listens_on,
            dials,
            mode: watch::Sender::new(Mode::Open),
            paused: AtomicBool::new(false),
            signed_on: AtomicBool::new(false),
            table: Mutex::new(table),
            counts: Counts::default(),
            trace: AtomicU32::new(rand::random_range(0..TRACES)),
            metrics,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn modes(&self) -> watch::Receiver<Mode> {
        self.mode.subscribe()
    }

    pub(crate) fn is_drained(&self) -> bool {
        *self.mode.borrow() == Mode::Drained
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    pub(crate) fn is_signed_on(&self) -> bool {
        self.signed_on.load(Ordering::Acquire)
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        let mut table = self.table();
        self.paused.store(mode == Mode::Paused, Ordering::Release);
        self.mode.send_replace(mode);
        self.refresh(&mut table);
    }

    pub(crate) fn set_signed_on(&self, signed_on: bool) {
        let mut table = self.table();
        self.sign(signed_on);
        self.refresh(&mut table);
    }

    /// Counts a connection for as long as the result lives.
    pub(crate) fn enter(
        self: &Arc<Self>,
        peer: SocketAddr,
        tls: Option<&'static str>,
        orders: mpsc::Sender<Order>,
    ) -> Presence {
        let facts = Arc::new(Facts {
            peer,
            tls,
            since: Timestamp::now(),
            orders,
            in_flight: AtomicU64::new(0),
            frames_in: AtomicU64::new(0),
            frames_out: AtomicU64::new(0),
        });
        let mut table = self.table();
        let key = table.next;
        table.next = key.wrapping_add(1);
        table.connections.insert(key, Arc::clone(&facts));
        self.refresh(&mut table);
        drop(table);
        Presence { standing: Arc::clone(self), key, facts }
    }

    /// The way to the newest connection; none where there is no connection.
    pub(crate) fn orders(&self) -> Option<mpsc::Sender<Order>> {
        self.table().connections.values().next_back().map(|facts| facts.orders.clone())
    }

    /// The trace number of the next request of ours, 1 to 999999.
    pub(crate) fn next_trace(&self) -> u32 {
        let step = |trace: u32| Some(trace.checked_rem(TRACES).unwrap_or(0).saturating_add(1));
        let before = self.trace.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
        let before = before.unwrap_or_else(|before| before);
        step(before).unwrap_or(1)
    }

    /// Both sides have agreed on the end of a day.
    pub(crate) fn cut_over(&self, cut_over: CutOver) {
        let CutOver { settlement_date, by, .. } = &cut_over;
        self.metrics.cut_over(by);
        tracing::info!(link = %self.name, settlement_date, by, "cut-over");
        self.table().cut_over = Some(cut_over);
    }

    pub(crate) fn opened(&self) {
        self.counts.opened.fetch_add(1, Ordering::Relaxed);
        self.metrics.opened.increment(1);
    }

    pub(crate) fn refused(&self, cause: &'static str) {
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
        self.metrics.refused(cause);
    }

    pub(crate) fn dials(&self) {
        self.counts.dial_attempts.fetch_add(1, Ordering::Relaxed);
        self.metrics.dial_attempts.increment(1);
    }

    pub(crate) fn dial_failed(&self, cause: &'static str) {
        self.counts.dial_failures.fetch_add(1, Ordering::Relaxed);
        self.metrics.dial_failed(cause);
    }

    /// How it stands now.
    pub(crate) fn view(&self) -> LinkView {
        let table = self.table();
        let connections: Vec<_> = table.connections.values().map(|facts| facts.view()).collect();
        let sum = |gone: u64, of: fn(&ConnectionView) -> u64| {
            connections.iter().map(of).fold(gone, u64::saturating_add)
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LinkView {
            name: self.name.clone(),
            id: self.id,
            state: table.state,
            since: table.since.to_string(),
            signed_on: self.is_signed_on(),
            listens_on: self.listens_on,
            dials: self.dials.clone(),
            certificates_since: None,
            cut_over: table.cut_over.clone(),
            in_flight: sum(0, |connection| connection.in_flight),
            frames_in: sum(table.gone.0, |connection| connection.frames_in),
            frames_out: sum(table.gone.1, |connection| connection.frames_out),
            opened: count(&self.counts.opened),
            refused: count(&self.counts.refused),
            dial_attempts: count(&self.counts.dial_attempts),
            dial_failures: count(&self.counts.dial_failures),
            connections,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sign(&self, signed_on: bool) {
        self.signed_on.store(signed_on, Ordering::Release);
        self.metrics.signed_on.set(if signed_on { 1.0 } else { 0.0 });
    }

    fn refresh(&self, table: &mut Table) {
        let connected = !table.connections.is_empty();
        let state = match (*self.mode.borrow(), connected) {
            (Mode::Drained, true) => LinkState::Draining,
            (Mode::Drained, false) => LinkState::Drained,
            (Mode::Paused, _) => LinkState::Paused,
            (Mode::Open, true) if self.is_signed_on() => LinkState::SignedOn,
            (Mode::Open, true) => LinkState::Connected,
            (Mode::Open, false) => waiting(self.listens_on.is_some()),
        };
        if state != table.state {
            tracing::info!(link = %self.name, %state, before = %table.state, "link state");
            table.state = state;
            table.since = Timestamp::now();
            self.metrics.state(state);
        }
    }
}

/// What a link does that has no connection and wants one.
const fn waiting(listens: bool) -> LinkState {
    if listens { LinkState::Listening } else { LinkState::Dialling }
}

impl Presence {
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let Self { standing, key, facts } = self;
        let mut table = standing.table();
        table.connections.remove(key);
        let (frames_in, frames_out) = table.gone;
        table.gone = (
            frames_in.saturating_add(facts.frames_in.load(Ordering::Relaxed)),
            frames_out.saturating_add(facts.frames_out.load(Ordering::Relaxed)),
        );
        if table.connections.is_empty() {
            standing.sign(false);
        }
        standing.refresh(&mut table);
    }
}

impl Facts {
    fn view(&self) -> ConnectionView {
        let number = |number: &AtomicU64| number.load(Ordering::Relaxed);
        ConnectionView {
            peer: self.peer,
            since: self.since.to_string(),
            tls: self.tls,
            in_flight: number(&self.in_flight),
            frames_in: number(&self.frames_in),
            frames_out: number(&self.frames_out),
        }
    }
}

#[cfg(test)]
mod tests {
    use codecs::framing::{Framing, LengthHeader};
    use codecs::iso8583::Dialect;
    use switch_domain::LinkId;

    use super::*;

    fn standing(dials: bool) -> Arc<Standing> {
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let framing = Framing::new(LengthHeader::Binary2);
        let dialect = Dialect::shipped("iso87-ascii").expect("shipped");
        let mut config = LinkConfig::new("a", LinkId(1), here, framing, dialect.into());
        if dials {
            config.side = Side::Dial(crate::Dialling::new(["a:1"]));
        }
        let address = (!dials).then_some(here);
        Arc::new(Standing::new(&config, address, Arc::new(LinkMetrics::new("a"))))
    }

    fn enter(standing: &Arc<Standing>) -> Presence {
        standing.enter(SocketAddr::from(([127, 0, 0, 1], 9)), None, mpsc::channel(1).0)
    }

    #[test]
    fn a_link_stays_signed_on_until_its_last_connection_closes() {
        let link = standing(false);
        let (first, second) = (enter(&link), enter(&link));
        assert!(!link.is_signed_on());
        link.set_signed_on(true);
        drop(first);
        assert!(link.is_signed_on());
        drop(second);
        assert!(!link.is_signed_on());
        let _third = enter(&link);
        link.set_signed_on(true);
        link.set_signed_on(false);
        assert!(!link.is_signed_on());
    }

    #[test]
    fn one_state_follows_from_connections_sign_on_and_command() {
        let link = standing(true);
        let state = || link.view().state;
        assert_eq!(state(), LinkState::Dialling);
        let connection = enter(&link);
        assert_eq!(state(), LinkState::Connected);
        link.set_signed_on(true);
        assert_eq!(state(), LinkState::SignedOn);
        link.set_mode(Mode::Paused);
        assert_eq!(state(), LinkState::Paused);
        link.set_mode(Mode::Drained);
        assert_eq!(state(), LinkState::Draining);
        drop(connection);
        assert_eq!(state(), LinkState::Drained);
        link.set_mode(Mode::Open);
        assert_eq!(state(), LinkState::Dialling);
        assert_eq!(standing(false).view().state, LinkState::Listening);
    }

    #[test]
    fn trace_numbers_go_round() {
        let link = standing(false);
        link.trace.store(TRACES - 1, Ordering::Relaxed);
        assert_eq!([link.next_trace(), link.next_trace(), link.next_trace()], [TRACES, 1, 2]);
    }

    #[test]
    fn what_a_connection_did_is_counted_when_it_is_gone() {
        let link = standing(false);
        let first = enter(&link);
        first.facts().frames_in.store(5, Ordering::Relaxed);
        drop(first);
        let second = enter(&link);
        second.facts().frames_in.store(2, Ordering::Relaxed);
        let view = link.view();
        assert_eq!((view.frames_in, view.connections.len()), (7, 1));
    }
}
