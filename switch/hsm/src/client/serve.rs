//! Commands and answers on a connection that works, until it does not. It owns which failures end
//! it: after any doubt about whose answer is whose nothing more is read from it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::until;
use super::exchange::{Answered, Call, Exchange};
use super::settings::Settings;
use super::tls::Wire;
use super::unit::{Failure, Load, Order, Outcome, Unit};
use crate::commands::{Echo, HostCommand};
use crate::error_code::Verdict;
use crate::fields::{AnswerReader, CommandWriter};
use crate::frame::{AnswerFrame, Input};
use crate::secret::Secret;

/// So much before its deadline a call is given up here.
const EARLY: Duration = Duration::from_millis(5);

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Stopped,
    ByUnit,
    Io,
    /// What came is no answer.
    Frame,
    /// An answer to no call, or with the letters of another one's.
    Stray,
    /// A call's time was over and nothing had come since it was sent.
    Hung,
    /// Too many calls without an answer.
    WornOut,
}

impl Ending {
    pub(super) const fn cause(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::ByUnit => "by_unit",
            Self::Io => "io",
            Self::Frame => "frame",
            Self::Stray => "stray",
            Self::Hung => "hung",
            Self::WornOut => "worn_out",
        }
    }
}

/// Who waits for an answer.
enum Purpose {
    Caller(oneshot::Sender<Outcome>, #[expect(dead_code, reason = "counted while it lives")] Load),
    /// Ourselves: the same bytes are to come back.
    Trial([u8; 16]),
}

/// A connection in use.
pub(super) struct Serving<'a> {
    unit: &'a Arc<Unit>,
    settings: &'a Settings,
    input: Input,
    exchange: Exchange<Purpose>,
    output: VecDeque<Secret>,
    /// Bytes of the first of them that are sent.
    sent: usize,
    /// Whether TLS may keep some of what was sent.
    unflushed: bool,
    last_answer: Instant,
    next_echo: Instant,
    trial_out: bool,
}

impl<'a> Serving<'a> {
    pub(super) fn new(unit: &'a Arc<Unit>, settings: &'a Settings, input: Input) -> Self {
        let now = Instant::now();
        Self {
            unit,
            settings,
            input,
            exchange: Exchange::new(settings.in_flight, settings.header_length),
            output: VecDeque::new(),
            sent: 0,
            unflushed: false,
            last_answer: now,
            next_echo: later(now, settings),
            trial_out: false,
        }
    }

    /// Serves it to its end, and tells all that wait.
    pub(super) async fn run(
        mut self,
        stream: Wire,
        orders: &mut UnboundedReceiver<Order>,
        stop: &CancellationToken,
    ) -> Ending {
        let ending = self.serve(stream, orders, stop).await;
        let lost = self.exchange.end().map(|call| tell(call, Err(Failure::Lost))).count();
        if lost > 0 && ending != Ending::Stopped && ending != Ending::Hung {
            self.unit.failed(ending.cause()); // of a hung one the call that ran out has counted
        }
        ending
    }

    async fn serve(
        &mut self,
        stream: Wire,
        orders: &mut UnboundedReceiver<Order>,
        stop: &CancellationToken,
    ) -> Ending {
        let unit = Arc::clone(self.unit);
        let (mut reader, mut writer) = tokio::io::split(stream);
        loop {
            if let Err(ending) = self.take_answers() {
                return ending;
            }
            // Registered before the breaker is looked at, so that no change is missed.
            let changed = unit.changed.notified();
            let has_room = self.exchange.has_room();
            let (deadline, echo) = (self.exchange.next_deadline(), self.echo_at());
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ending::Stopped,
                read = reader.read(self.input.room()) => match read {
                    Ok(0) => return Ending::ByUnit,
                    Ok(read) => self.input.fill(read),
                    Err(_) => return Ending::Io,
                },
                wrote = push(&mut writer, &self.output, self.sent, self.unflushed) => match wrote {
                    Ok(wrote) => self.wrote(wrote),
                    Err(_) => return Ending::Io,
                },
                () = until(deadline) => {
                    if let Some(ending) = self.expire() {
                        return ending;
                    }
                }
                order = orders.recv(), if has_room => match order {
                    Some(order) => self.send(order),
                    None => return Ending::Stopped,
                },
                () = until(echo), if has_room => self.send_echo(),
                () = changed => {}
            }
        }
    }

    /// When the unit is asked for an echo next: as a trial when it is due, else now and then.
    fn echo_at(&self) -> Option<Instant> {
        if self.trial_out {
            return None;
        }
        Some(self.unit.trial_at().map_or(self.next_echo, |trial| trial.min(self.next_echo)))
    }

    fn send(&mut self, order: Order) {
        let Order { frame, deadline, reply, load } = order;
        if reply.is_closed() {
            return; // its time was over while it waited: nobody would take the answer
        }
        // A little before its caller gives up: what it tells of the unit is to be known by then.
        let deadline = deadline.checked_sub(EARLY).unwrap_or(deadline);
        let purpose = Purpose::Caller(reply, load);
        let header = self.exchange.begin(frame.code(), Instant::now(), deadline, purpose);
        self.output.push_back(frame.copy_under(header));
    }

    fn send_echo(&mut self) {
        let (now, echo) = (Instant::now(), Echo(rand::random()));
        self.next_echo = later(now, self.settings);
        let Settings { header_length, message_limit, deadline, .. } = *self.settings;
        let mut out = CommandWriter::new(header_length, message_limit, echo.code());
        // It fits: its length does not depend on anything.
        let Ok(frame) = echo.write(&mut out).and_then(|()| out.finish()) else { return };
        let deadline = now.checked_add(deadline).unwrap_or(now);
        let header = self.exchange.begin(echo.code(), now, deadline, Purpose::Trial(echo.0));
        self.output.push_back(frame.under(header));
        self.trial_out = true;
    }

    /// So many bytes went out; none, where all were and nothing is kept any more.
    fn wrote(&mut self, bytes: usize) {
        self.unflushed = bytes > 0;
        self.sent = self.sent.saturating_add(bytes);
        if self.output.front().is_some_and(|front| front.len() <= self.sent) {
            self.output.pop_front();
            self.sent = 0;
        }
    }

    fn take_answers(&mut self) -> Result<(), Ending> {
        while let Some(frame) = self.input.take().map_err(|_| self.stray("frame", Ending::Frame))? {
            let header = frame.header().ok_or(Ending::Frame)?;
            self.last_answer = Instant::now();
            match self.exchange.answered(header, frame.code()) {
                Answered::Call(call) => self.deliver(call, frame)?,
                Answered::Late => self.unit.metrics.stray("late"),
                Answered::Stray => return Err(self.stray("unknown", Ending::Stray)),
                Answered::Mismatched(call) => {
                    tell(call, Err(Failure::Lost));
                    self.unit.failed("answers of another command");
                    return Err(self.stray("mismatched", Ending::Stray));
                }
            }
        }
        Ok(())
    }

    fn stray(&self, kind: &'static str, ending: Ending) -> Ending {
        self.unit.metrics.stray(kind);
        ending
    }

    fn deliver(&mut self, call: Call<Purpose>, frame: AnswerFrame) -> Result<(), Ending> {
        match call.purpose {
            Purpose::Caller(reply, _) => {
                let _ = reply.send(Ok(frame)); // who waited may have gone
            }
            Purpose::Trial(sent) => {
                self.trial_out = false;
                let read = AnswerReader::new(frame.rest());
                let back = read.and_then(|(code, mut answer)| match code.verdict() {
                    Verdict::Good => Echo::read(&mut answer).map(Some),
                    _ => Ok(None),
                });
                match back {
                    Ok(Some(back)) if back == sent => self.unit.trial_passed(),
                    Ok(None) => self.unit.failed("its echo ends with an error code"),
                    _ => {
                        self.unit.failed("its echo is another");
                        return Err(self.stray("echo", Ending::Stray));
                    }
                }
            }
        }
        Ok(())
    }

    /// Calls whose time is over have failed; where nothing came since, the connection has too.
    fn expire(&mut self) -> Option<Ending> {
        let (now, mut hung) = (Instant::now(), false);
        while let Some(call) = self.exchange.expire(now) {
            // One that had waited for its turn too long says nothing of the unit.
            let waited = now.saturating_duration_since(call.sent);
            if waited.saturating_mul(2) >= self.settings.deadline {
                hung |= call.sent >= self.last_answer;
                self.unit.failed("no answer in time");
            }
            if matches!(call.purpose, Purpose::Trial(_)) {
                self.trial_out = false;
            }
            tell(call, Err(Failure::Deadline));
        }
        if hung {
            return Some(Ending::Hung);
        }
        self.exchange.is_worn_out().then_some(Ending::WornOut)
    }
}

fn later(now: Instant, settings: &Settings) -> Instant {
    now.checked_add(settings.health_interval).unwrap_or(now)
}

fn tell(call: Call<Purpose>, outcome: Outcome) {
    if let Purpose::Caller(reply, _) = call.purpose {
        let _ = reply.send(outcome); // who waited may have gone
    }
}

/// Writes some of the first of what waits, and at the end of it what TLS keeps; never ends while
/// nothing waits.
async fn push(
    writer: &mut WriteHalf<Wire>,
    output: &VecDeque<Secret>,
    sent: usize,
    unflushed: bool,
) -> io::Result<usize> {
    match output.front().and_then(|front| front.as_slice().get(sent..)) {
        Some(bytes) => match writer.write(bytes).await? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            wrote => Ok(wrote),
        },
        None if unflushed => writer.flush().await.map(|()| 0),
        None => std::future::pending().await,
    }
}
