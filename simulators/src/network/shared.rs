//! What the connections of one network have in common: which are open, what waits for an answer,
//! what was counted. Must tell everybody who waits whenever a count changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::BytesMut;
use codecs::framing::{Frame, FrameCodec, Header, HeaderForm};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::draft::Draft;
use super::management::Function;
use super::said::Said;
use super::settings::{Behaviour, Settings};
use super::settled::Settlement;
use super::tally::Tally;
use crate::acquirer::{Matched, Matcher};

/// Something for a connection to do.
pub(super) enum Order {
    Send(BytesMut),
    Kill,
    GoHalfOpen,
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    ByIssuer,
    Killed,
}

/// An answer to give to the issuer.
pub(super) struct Answer {
    pub(super) frame: BytesMut,
    pub(super) after: Duration,
    pub(super) times: usize,
}

struct Open {
    orders: mpsc::UnboundedSender<Order>,
    signed_on: bool,
    half_open: bool,
}

struct State {
    next_connection: usize,
    open: BTreeMap<usize, Open>,
    waiting: Matcher<oneshot::Sender<Said>>,
    behaviour: Behaviour,
    next_stan: u32,
    certificate: Option<Vec<u8>>,
    settled: Settlement,
}

pub(super) struct Shared {
    pub(super) settings: Settings,
    codec: FrameCodec,
    state: Mutex<State>,
    tally: watch::Sender<Tally>,
}

impl Shared {
    pub(super) fn new(settings: Settings, first_stan: u32) -> Result<Shared> {
        let codec = settings.framing.codec()?;
        let state = State {
            next_connection: 0,
            open: BTreeMap::new(),
            waiting: Matcher::new(settings.patience),
            behaviour: settings.behaviour,
            next_stan: first_stan,
            certificate: None,
            settled: Settlement::default(),
        };
        let (tally, _) = watch::channel(Tally::default());
        Ok(Shared { settings, codec, state: Mutex::new(state), tally })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn codec(&self) -> FrameCodec {
        self.codec.clone()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Tally)) {
        self.tally.send_modify(change);
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    /// The certificate that the issuer showed last.
    pub(super) fn certificate(&self) -> Option<Vec<u8>> {
        self.state().certificate.clone()
    }

    /// What was settled so far.
    pub(super) fn settled(&self) -> Settlement {
        self.state().settled
    }

    /// A message was answered with a yes.
    pub(super) fn note_settled(&self, kind: &str, draft: &Draft) {
        self.state().settled.note(kind, draft);
    }

    /// A trace number that no request of this network has had.
    pub(super) fn next_stan(&self) -> u32 {
        let mut state = self.state();
        let stan = state.next_stan;
        state.next_stan = if stan >= 999_998 { 1 } else { stan.saturating_add(1) };
        stan
    }

    /// A connection is open: its number, and what it is told to do.
    pub(super) fn enter(
        &self,
        certificate: Option<Vec<u8>>,
    ) -> (usize, mpsc::UnboundedReceiver<Order>) {
        let (orders, queue) = mpsc::unbounded_channel();
        let mut state = self.state();
        let index = state.next_connection;
        state.next_connection = index.saturating_add(1);
        state.certificate = certificate;
        state.open.insert(index, Open { orders, signed_on: false, half_open: false });
        drop(state);
        self.count(|tally| {
            tally.connected += 1;
            tally.open += 1;
        });
        (index, queue)
    }

    /// A connection has ended: nothing that it waits for can come any more.
    pub(super) fn leave(&self, index: usize, ending: Ending) {
        let mut state = self.state();
        let was_signed_on = state.open.remove(&index).is_some_and(|open| open.signed_on);
        let lost = state.waiting.give_up_on(index).len();
        drop(state);
        self.count(|tally| {
            tally.open -= 1;
            tally.signed_on -= u64::from(was_signed_on);
            tally.unanswered += u64::try_from(lost).unwrap_or(u64::MAX);
            match ending {
                Ending::ByIssuer => tally.ended += 1,
                Ending::Killed => tally.killed += 1,
            }
        });
    }

    /// Tells every connection to do it; how many were told.
    pub(super) fn order_all(&self, order: impl Fn() -> Order) -> usize {
        let mut state = self.state();
        let mut told = 0;
        for open in state.open.values_mut() {
            let order = order();
            open.half_open |= matches!(order, Order::GoHalfOpen);
            told += usize::from(open.orders.send(order).is_ok());
        }
        told
    }

    /// The newest connection that can be used: signed on where that is asked for.
    fn usable(state: &State, signed_on: bool) -> Option<(usize, &Open)> {
        let mut open = state.open.iter().rev();
        let found = open.find(|(_, open)| !open.half_open && (open.signed_on || !signed_on))?;
        Some((*found.0, found.1))
    }

    /// Sends a request over the newest connection that can be used; what comes is its answer.
    pub(super) fn ask(&self, request: &Said, signed_on: bool) -> Result<oneshot::Receiver<Said>> {
        let frame = self.framed(request.body())?;
        let (sender, answer) = oneshot::channel();
        let mut state = self.state();
        let (index, _) = Self::usable(&state, signed_on).context("no connection can be used")?;
        state.waiting.sent(index, request, Instant::now(), sender)?;
        if let Some(open) = state.open.get(&index) {
            let _ = open.orders.send(Order::Send(frame)); // its end is counted as it leaves
        }
        drop(state);
        self.count(|tally| tally.sent += 1);
        Ok(answer)
    }

    /// Sends bytes as they are over the newest connection; its number.
    pub(super) fn send_raw(&self, bytes: BytesMut) -> Result<usize> {
        let state = self.state();
        let (index, open) = Self::usable(&state, false).context("no connection is open")?;
        let _ = open.orders.send(Order::Send(bytes));
        Ok(index)
    }

    pub(super) fn is_open(&self, index: usize) -> bool {
        self.state().open.contains_key(&index)
    }

    /// A body in a frame of this link, behind a header of its form.
    pub(super) fn framed(&self, body: &[u8]) -> Result<BytesMut> {
        let form = self.settings.framing.header;
        let header = match form {
            HeaderForm::None => None,
            _ => {
                let mut bytes = vec![0x22; form.len()];
                if let Some(first) = bytes.first_mut() {
                    *first = u8::try_from(form.len())?; // a station header begins with its length
                }
                Header::take(form, &bytes)
            }
        };
        let mut out = BytesMut::new();
        self.codec.append(header, body, &mut out)?;
        Ok(out)
    }

    /// A frame came: an answer is given to whoever waits for it, a request gets one.
    pub(super) fn take(&self, index: usize, frame: &Frame) -> Option<Answer> {
        self.count(|tally| tally.frames += 1);
        let Ok(said) = self.settings.speech.read(frame.body.clone()) else {
            self.count(|tally| tally.unreadable += 1);
            return None;
        };
        match said.view().mti() {
            Some(mti) if mti.is_request() && mti.class() == 8 => self.manage(index, frame, &said),
            Some(mti) if mti.is_request() => {
                self.count(|tally| tally.unknown += 1);
                None
            }
            _ => {
                self.answered(index, said);
                None
            }
        }
    }

    fn answered(&self, index: usize, said: Said) {
        let matched = self.state().waiting.answered(index, &said, Instant::now());
        self.count(|tally| match &matched {
            Matched::InTime(waiting) if !waiting.is_closed() => {
                *tally.answered.entry(said.action()).or_default() += 1;
            }
            Matched::InTime(_) | Matched::Late(..) => tally.late += 1,
            Matched::Duplicate => tally.duplicate += 1,
            Matched::Unmatched => tally.unmatched += 1,
        });
        if let Matched::InTime(waiting) = matched {
            let _ = waiting.send(said);
        }
    }

    fn manage(&self, index: usize, frame: &Frame, request: &Said) -> Option<Answer> {
        let Ok((body, function)) = self.settings.speech.answer(request) else {
            self.count(|tally| tally.unreadable += 1);
            return None;
        };
        let behaviour = self.note(index, function);
        if behaviour.mute_to_echo && function == Some(Function::Echo) {
            return None;
        }
        let mut out = BytesMut::new();
        self.codec.append(frame.header.map(Header::reply), &body, &mut out).ok()?;
        let times = if behaviour.answer_twice { 2 } else { 1 };
        Some(Answer { frame: out, after: behaviour.answer_after, times })
    }

    /// Counts a request of the issuer, and whether it is signed on from here.
    fn note(&self, index: usize, function: Option<Function>) -> Behaviour {
        let mut state = self.state();
        let behaviour = state.behaviour;
        let signs = match function {
            Some(Function::SignOn) => Some(true),
            Some(Function::SignOff) => Some(false),
            _ => None,
        };
        if let (Some(signed_on), Some(open)) = (signs, state.open.get_mut(&index)) {
            open.signed_on = signed_on;
        }
        let signed_on = state.open.values().filter(|open| open.signed_on).count();
        drop(state);
        self.count(|tally| {
            tally.signed_on = u64::try_from(signed_on).unwrap_or(u64::MAX);
            match function {
                Some(Function::SignOn) => tally.sign_ons += 1,
                Some(Function::SignOff) => tally.sign_offs += 1,
                Some(Function::Echo) => tally.echoes += 1,
                Some(Function::CutOver) => tally.cut_overs += 1,
                None => tally.unknown += 1,
            }
        });
        behaviour
    }
}
