//! The client: units, connections and calls. It owns where a call goes, that it ends in its time,
//! and that it is asked again elsewhere where its connection ended; what it says is its command's.

mod backoff;
mod breaker;
mod connection;
mod exchange;
mod serve;
mod settings;
mod tls;
mod unit;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::Gauge;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::settings::Settings;
pub use self::tls::{TlsFault, UnitTls};
use self::unit::{Failure, Lane, Unit};
use crate::commands::HostCommand;
use crate::error_code::{ErrorCode, Verdict};
use crate::fields::{AnswerReader, CommandFrame, CommandWriter, Malformed};
use crate::metrics as metric;

/// How often a call is sent at most: a connection may end under it, or a unit be unfit for it.
const ATTEMPTS: usize = 3;

/// Why a call was not answered with what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The command itself cannot be made.
    #[error("the command cannot be made: {0}")]
    Command(#[from] Malformed),
    /// The unit took it and said no.
    #[error("the module answers with error code {0}")]
    Refused(ErrorCode),
    /// There are too many calls already.
    #[error("too many calls wait for the module")]
    Full,
    /// No unit can be used.
    #[error("no module can be used")]
    NoUnit,
    /// It was not answered in time.
    #[error("the module did not answer in time")]
    Deadline,
    /// Each connection that it was sent on ended, or the unit was unfit or answered nonsense.
    #[error("the module did not answer what was asked")]
    Lost,
}

impl CallError {
    const fn outcome(self) -> &'static str {
        match self {
            Self::Command(_) => "malformed",
            Self::Refused(code) => match code.verdict() {
                Verdict::Incorrect => "incorrect",
                _ => "refused",
            },
            Self::Full => "full",
            Self::NoUnit => "no_unit",
            Self::Deadline => "deadline",
            Self::Lost => "lost",
        }
    }
}

/// A client of one or more units with the same local master key. Dropped, it closes all
/// connections.
pub struct HsmClient {
    calls: Arc<Calls>,
    all_up: watch::Receiver<usize>,
    _stop: DropGuard,
}

/// What calls need; they may outlive the client.
struct Calls {
    settings: Arc<Settings>,
    lanes: Vec<Arc<Lane>>,
    places: Semaphore,
    /// Where the search for the least loaded connection begins, so that ties are spread.
    turn: AtomicUsize,
    waiting: Gauge,
}

impl HsmClient {
    /// Begins to connect to every unit, on the runtime that it is called on, and goes on for ever.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let stop = CancellationToken::new();
        let (sender, all_up) = watch::channel(0);
        let mut lanes = Vec::new();
        for (index, address) in settings.units.iter().enumerate() {
            let unit = Arc::new(Unit::new(index, address, &settings, sender.clone()));
            for _ in 0..settings.connections {
                let (lane, orders) = Lane::new(Arc::clone(&unit));
                let kept = (Arc::clone(&lane), Arc::clone(&settings));
                tokio::spawn(connection::keep(kept.0, kept.1, orders, stop.clone()));
                lanes.push(lane);
            }
        }
        let calls = Calls {
            places: Semaphore::new(settings.queue_limit),
            settings,
            lanes,
            turn: AtomicUsize::new(0),
            waiting: metric::waiting(),
        };
        Self { calls: Arc::new(calls), all_up, _stop: stop.drop_guard() }
    }

    /// Follows how many connections can be used.
    #[must_use]
    pub fn connections(&self) -> watch::Receiver<usize> {
        self.all_up.clone()
    }

    /// Asks for something. The command is written now; what it borrows need not live until its
    /// answer.
    pub fn call<C: HostCommand>(&self, command: &C) -> Answer<C::Answer>
    where
        C::Answer: 'static,
    {
        Box::pin(run(Arc::clone(&self.calls), Prepared::new(&self.calls.settings, command)))
    }
}

/// The answer to a call, on its way.
pub type Answer<A> = Pin<Box<dyn Future<Output = Result<A, CallError>> + Send>>;

/// A command without what it borrowed.
struct Prepared<A> {
    code: [u8; 2],
    frame: Result<Arc<CommandFrame>, Malformed>,
    accepted: &'static [ErrorCode],
    not_set: &'static [ErrorCode],
    read: fn(&mut AnswerReader<'_>) -> Result<A, Malformed>,
}

impl<A> Prepared<A> {
    fn new<C: HostCommand<Answer = A>>(settings: &Settings, command: &C) -> Self {
        let (header, most) = (settings.header_length, settings.message_limit);
        let mut out = CommandWriter::new(header, most, command.code());
        let frame = command.write(&mut out).and_then(|()| out.finish()).map(Arc::new);
        let (accepted, not_set) = (C::ACCEPTED, C::NOT_SET);
        Self { code: command.code(), frame, accepted, not_set, read: C::read }
    }
}

async fn run<A>(calls: Arc<Calls>, prepared: Prepared<A>) -> Result<A, CallError> {
    let began = Instant::now();
    let answer = calls.ask(&prepared, began).await;
    let outcome = answer.as_ref().map_or_else(|error| error.outcome(), |_| "good");
    metric::call_ended(prepared.code, outcome, began.elapsed());
    answer
}

impl Calls {
    async fn ask<A>(&self, prepared: &Prepared<A>, began: Instant) -> Result<A, CallError> {
        let frame = prepared.frame.as_ref().map_err(|fault| *fault)?;
        let _place = self.places.try_acquire().map_err(|_| CallError::Full)?;
        let _counted = Counted::new(&self.waiting);
        let deadline = began.checked_add(self.settings.deadline).unwrap_or(began);
        let mut avoid = Avoid::Nothing;
        for _ in 0..ATTEMPTS {
            let lane = self.choose(avoid)?;
            let unit = lane.unit.index;
            match lane.ask(Arc::clone(frame), deadline).await {
                Err(Failure::Deadline) => return Err(CallError::Deadline),
                Err(Failure::Lost) => avoid = Avoid::IfThereIsAnother(unit),
                Ok(answer) => match judge(&lane.unit, prepared, answer.rest()) {
                    Some(judged) => return judged,
                    None => avoid = Avoid::Always(unit),
                },
            }
        }
        Err(CallError::Lost)
    }

    /// The connection with the least to do, of a unit that can be used.
    fn choose(&self, avoid: Avoid) -> Result<&Arc<Lane>, CallError> {
        let from = self.turn.fetch_add(1, Ordering::Relaxed);
        let from = from.checked_rem(self.lanes.len()).unwrap_or(0);
        let (before, after) = self.lanes.split_at_checked(from).unwrap_or_default();
        let usable = after
            .iter()
            .chain(before)
            .filter(|lane| lane.is_usable() && avoid != Avoid::Always(lane.unit.index));
        let least = usable
            .min_by_key(|lane| (avoid == Avoid::IfThereIsAnother(lane.unit.index), lane.load()));
        let none = if avoid == Avoid::Nothing { CallError::NoUnit } else { CallError::Lost };
        least.ok_or(none)
    }
}

/// Where a call is not sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Avoid {
    Nothing,
    /// To the unit whose connection ended under it, where another can be used.
    IfThereIsAnother(usize),
    /// To the unit that is not fit for it.
    Always(usize),
}

/// What an answer says; `None` where it says that the unit is not fit for it.
fn judge<A>(unit: &Unit, prepared: &Prepared<A>, rest: &[u8]) -> Option<Result<A, CallError>> {
    let Ok((code, mut answer)) = AnswerReader::new(rest) else {
        unit.metrics.stray("malformed");
        unit.failed("an answer cannot be read");
        return None;
    };
    if code != ErrorCode::NONE {
        unit.metrics.error_code(&code.to_string());
    }
    if prepared.accepted.contains(&code) {
        return match (prepared.read)(&mut answer) {
            Ok(answer) => {
                unit.answered();
                Some(Ok(answer))
            }
            Err(fault) => {
                tracing::warn!(unit = %unit.address, %fault, "an answer of a security module");
                unit.metrics.stray("malformed");
                unit.failed("an answer cannot be read");
                None
            }
        };
    }
    if prepared.not_set.contains(&code) {
        let asked = String::from_utf8_lossy(&prepared.code);
        let unit = &unit.address;
        tracing::warn!(unit, %asked, %code, "a security module is not set to do it");
    } else if code.verdict() == Verdict::Unit {
        tracing::warn!(unit = %unit.address, %code, "a security module cannot do what it is asked");
        unit.failed("an error code of its own");
        return None;
    }
    unit.answered();
    Some(Err(CallError::Refused(code)))
}

/// One that waits, in the gauge until it is dropped.
struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
