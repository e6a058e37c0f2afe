//! What the proxy between client and switch does to the next frames. It owns how often a trick is
//! done and that each time is counted.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// One thing done to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trick {
    /// Only so many bytes of a request pass, then the link ends; `n` counts up from here.
    CutRequests { from: usize, reset: bool },
    /// Half of a request passes, and then nothing for as long as the switch waits.
    HalfThenSilence,
    /// Only so many bytes of a reply pass, then the link is reset; counts up from here.
    CutReplies { from: usize },
    /// One byte a packet.
    Trickle,
    /// Passes so many times more, each copy on another link if wanted.
    Copies { times: u32, elsewhere: bool },
    /// Passes so many milliseconds later, the link behind it as well.
    Late { millis: u64 },
    /// Passes after the next so many frames of its link.
    Overtaken { by: usize },
    /// So many frames pass in one write.
    Glued { count: usize },
    /// Bytes that are no message, in a frame of the right length.
    Garbage { length: usize },
    /// A length that no frame may have.
    HostileLength,
}

/// The trick in force. A trick is done until its budget is used up.
pub(crate) struct Tricks {
    state: Mutex<State>,
    fired: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    trick: Option<Trick>,
    budget: usize,
    done: usize,
}

/// A trick to be done now, and how often it was done before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) trick: Trick,
    pub(super) before: usize,
}

impl Tricks {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::default()), fired: watch::Sender::new(0) }
    }

    /// Puts a trick in force, to be done so often.
    pub(crate) fn set(&self, trick: Trick, budget: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { trick: Some(trick), budget, done: 0 };
    }

    pub(crate) fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.trick = None;
    }

    /// Follows how often a trick was done.
    pub(crate) fn fired(&self) -> watch::Receiver<usize> {
        self.fired.subscribe()
    }

    /// A turn, if a trick of the wanted kind is in force and has some left.
    pub(super) fn take(&self, wanted: impl Fn(&Trick) -> bool) -> Option<Turn> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let trick = state.trick.filter(wanted)?;
        if state.done >= state.budget {
            return None;
        }
        let before = state.done;
        state.done += 1;
        drop(state);
        self.fired.send_modify(|fired| *fired += 1);
        Some(Turn { trick, before })
    }
}
