//! The deadlines of a connection. It owns which of them run and which comes first; what happens
//! when one has passed is the connection's affair.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::LinkConfig;

/// One timer for all deadlines of a connection. It is set earlier when it must be and never later:
/// a timer that fires too early costs one look, and moving it for every message would cost more.
pub(super) struct Clock {
    limits: Limits,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires; `None` while it is not set.
    set: Option<Instant>,
    /// Since when an incomplete frame has been read.
    frame_since: Option<Instant>,
    /// Since when answers have waited without a byte leaving.
    output_since: Option<Instant>,
    /// Since when nothing has come; `None` while answers are owed or the peer is slow to take them.
    idle_since: Option<Instant>,
    /// Since when nothing has come and we have not asked why.
    quiet_since: Instant,
    /// Until when a closing connection waits for what it owes.
    drain_until: Option<Instant>,
}

struct Limits {
    frame: Duration,
    idle: Duration,
    give_up: Duration,
    drain: Duration,
    request: Duration,
    echo: Option<Duration>,
}

/// Since when the longest wait has gone on, either way.
#[derive(Clone, Copy)]
pub(super) struct Oldest {
    /// For a decision on a message of the peer.
    pub(super) message: Option<Instant>,
    /// For the peer's answer to a request of ours.
    pub(super) request: Option<Instant>,
}

/// A deadline that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A frame was begun and not finished.
    Frame,
    /// Nothing came for too long.
    Idle,
    /// The oldest message in flight is not waited for any longer.
    GiveUp,
    /// The peer did not answer the oldest request of ours.
    Request,
    /// Nothing came for so long that we ask whether anybody is there.
    Echo,
    /// Answers were not taken by the peer.
    Write,
    /// A closing connection has waited long enough.
    Drain,
}

impl Clock {
    pub(super) fn new(config: &LinkConfig, now: Instant) -> Self {
        let limits = Limits {
            frame: config.frame_deadline,
            idle: config.idle_deadline,
            give_up: config.answer_deadline.saturating_mul(2),
            drain: config.drain_deadline,
            request: config.requests.deadline,
            echo: config.requests.echo_interval,
        };
        Self {
            limits,
            timer: Box::pin(sleep_until(now)),
            set: None,
            frame_since: None,
            output_since: None,
            idle_since: Some(now),
            quiet_since: now,
            drain_until: None,
        }
    }

    /// Bytes came.
    pub(super) const fn read(&mut self, now: Instant) {
        self.idle_since = Some(now);
        self.quiet_since = now;
    }

    /// We asked whether anybody is there.
    pub(super) const fn asked(&mut self, now: Instant) {
        self.quiet_since = now;
    }

    /// A whole frame was cut: what follows it is another one.
    pub(super) const fn frame(&mut self) {
        self.frame_since = None;
    }

    /// Bytes left.
    pub(super) const fn written(&mut self, now: Instant) {
        self.output_since = Some(now);
    }

    /// From now on the connection only waits for what it owes.
    pub(super) fn drain(&mut self, now: Instant) {
        self.drain_until = after(now, self.limits.drain);
    }

    /// Messages that came by the result are not waited for any longer.
    pub(super) fn given_up_by(&self, now: Instant) -> Instant {
        now.checked_sub(self.limits.give_up).unwrap_or(now)
    }

    /// Requests of ours that were sent by the result are not waited for any longer.
    pub(super) fn unanswered_by(&self, now: Instant) -> Instant {
        now.checked_sub(self.limits.request).unwrap_or(now)
    }

    /// Sets the timer for the first of the deadlines that run. A frame is `partial` only while it
    /// is being read: a connection that is not read for its many messages in flight is not blamed.
    pub(super) fn arm(&mut self, now: Instant, partial: bool, has_output: bool, oldest: Oldest) {
        self.frame_since = if partial { self.frame_since.or(Some(now)) } else { None };
        self.output_since = if has_output { self.output_since.or(Some(now)) } else { None };
        let busy = oldest.message.is_some() || has_output;
        self.idle_since = if busy { None } else { self.idle_since.or(Some(now)) };
        let first = self.deadlines(oldest).map(|(at, _)| at).min();
        if let Some(first) = first
            && self.set.is_none_or(|set| first < set)
        {
            self.timer.as_mut().reset(first);
            self.set = Some(first);
        }
    }

    /// Waits until the timer fires.
    pub(super) async fn due(&mut self) {
        if self.set.is_none() {
            return std::future::pending().await;
        }
        self.timer.as_mut().await;
        self.set = None;
    }

    /// The deadline that passed first, if one has.
    pub(super) fn judge(&self, now: Instant, oldest: Oldest) -> Option<Due> {
        let passed = self.deadlines(oldest).filter(|(at, _)| *at <= now);
        passed.min_by_key(|(at, _)| *at).map(|(_, due)| due)
    }

    fn deadlines(&self, oldest: Oldest) -> impl Iterator<Item = (Instant, Due)> + use<> {
        let Limits { frame, idle, give_up, request, echo, .. } = self.limits;
        let open = self.drain_until.is_none();
        let idle_since = self.idle_since.filter(|_| open);
        let echo = echo.filter(|_| open);
        [
            (self.frame_since.and_then(|since| after(since, frame)), Due::Frame),
            (idle_since.and_then(|since| after(since, idle)), Due::Idle),
            (self.output_since.and_then(|since| after(since, frame)), Due::Write),
            (oldest.message.and_then(|since| after(since, give_up)), Due::GiveUp),
            (oldest.request.and_then(|since| after(since, request)), Due::Request),
            (echo.and_then(|echo| after(self.quiet_since, echo)), Due::Echo),
            (self.drain_until, Due::Drain),
        ]
        .into_iter()
        .filter_map(|(at, due)| at.map(|at| (at, due)))
    }
}

/// `None` past the end of time, which no deadline reaches.
fn after(since: Instant, limit: Duration) -> Option<Instant> {
    since.checked_add(limit)
}
