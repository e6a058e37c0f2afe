//! The load: one thread that writes requests and reads answers over many connections, and charges
//! each answer from the moment when its request ought to have been sent.
//!
//! It costs a few microseconds a message, for it shares the machine with what it measures: frames
//! are prepared, sockets are read and written in large pieces, and nothing is allocated on the way.

mod book;
mod drive;
mod faults;
mod link;
mod schedule;
mod tally;

use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::wire::request::TestPan;
use super::wire::signed::{Code, Deck};

pub(crate) use book::Mix;
pub(crate) use drive::{come_first, drive, rest, wake_in_time};
pub(crate) use faults::Faults;
pub(crate) use link::Link;
pub(crate) use schedule::Schedule;
pub(crate) use tally::{Latencies, LoadResult, latencies};

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// So many in flight on each connection; each answer is followed by the next request.
    Closed {
        /// Requests in flight on a connection.
        window: usize,
    },
    /// So many a second, whatever happens to earlier ones.
    Open {
        /// Requests a second.
        rate: u32,
    },
}

/// One load.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) shape: Shape,
    pub(crate) mix: Mix,
    /// Before anything counts.
    pub(crate) warm_up: Duration,
    /// Windows that are measured one after the other.
    pub(crate) windows: usize,
    /// Each of them.
    pub(crate) window_time: Duration,
    /// How long what is in flight at the end may take.
    pub(crate) patience: Duration,
    pub(crate) cards: Arc<[TestPan]>,
    /// Purchases are signed by the chips of these cards, where there are any.
    pub(crate) chips: Option<Chips>,
}

/// The chips of a load's cards, and how its link authenticates messages.
#[derive(Clone, Debug)]
pub(crate) struct Chips {
    pub(crate) deck: Arc<Mutex<Deck>>,
    pub(crate) code: Code,
}

/// The start of a window, and after the last its end. Told while the load runs, so that others can
/// read their meters at the same moment.
pub(crate) type Marks = Sender<usize>;
