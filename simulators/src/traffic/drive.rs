//! The run itself: sends at every slot, takes answers as they come, follows up. One task owns it
//! all. Must never wait for an answer before sending what is due.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep_until};

use super::check::Checker;
use super::pace::Slot;
use super::plan::{Next, Plan, RepeatForm, ReverseForm};
use super::progress::Progress;
use super::request::{FirstAnswer, FollowUp, FollowUpKind, InFlight, Kind};
use super::tally::{Outcome, Tally};
use crate::acquirer::{
    Acquirer, Arrival, Incoming, Matched, Matcher, NetworkCode, Original, Purchase, completion_of,
    increment_of, partial_reversal_of, purchase, repeat_of, reversal_advice_of, reversal_of,
    varied,
};
use crate::demo_file::TestCard;
use crate::iso::{Message, amount, mask_pan};

/// What a run needs beside its slots and connections.
#[derive(Debug)]
pub struct Options {
    /// The test cards.
    pub cards: Vec<TestCard>,
    /// ISO 4217 number, three digits.
    pub currency: String,
    /// What all choices follow from.
    pub seed: u64,
    /// How long a request may go unanswered.
    pub patience: Duration,
    /// What is shown meanwhile.
    pub progress: Progress,
}

/// Sends one request for every slot, checks every answer, and waits for the last ones. Signs on and
/// tests the link with an echo before, signs off after.
///
/// # Errors
/// When the link cannot be signed on; what happens later is counted, not an error.
pub async fn drive(
    mut acquirer: Acquirer,
    options: Options,
    start_slots: impl FnOnce() -> mpsc::UnboundedReceiver<Slot>,
) -> Result<Outcome> {
    acquirer.network_management(NetworkCode::SignOn).await?;
    acquirer.network_management(NetworkCode::Echo).await?;
    let connections = acquirer.connections();
    let mut run = Run {
        plan: Plan::new(&options.cards, options.seed),
        matcher: Matcher::new(options.patience),
        checker: Checker::default(),
        tally: Tally::new(options.seed),
        follow_ups: VecDeque::new(),
        open: vec![true; connections],
        turn: 0,
        acquirer,
        options,
    };
    run.traffic(start_slots()).await?;
    run.settle().await;
    run.options.progress.done();
    if run.open.iter().all(|open| *open)
        && let Err(why) = run.acquirer.network_management(NetworkCode::SignOff).await
    {
        run.tally.unexpected(format!("sign-off failed: {why:#}"));
    }
    Ok(run.tally.finish())
}

struct Run {
    acquirer: Acquirer,
    options: Options,
    plan: Plan,
    matcher: Matcher<InFlight>,
    checker: Checker,
    tally: Tally,
    follow_ups: VecDeque<FollowUp>,
    open: Vec<bool>,
    turn: usize,
}

impl Run {
    /// Until the slots or the connections end.
    async fn traffic(&mut self, mut slots: mpsc::UnboundedReceiver<Slot>) -> Result<()> {
        let period = self.options.progress.interval();
        let mut shown = interval_at(Instant::now() + period, period);
        loop {
            tokio::select! {
                // Answers first: they may hold follow-ups for the slots that are due.
                biased;
                arrival = self.acquirer.next_arrival() => match arrival {
                    Some(arrival) => self.take(arrival),
                    None => return Ok(()),
                },
                slot = slots.recv() => match slot {
                    Some(slot) => self.send_due(slot)?,
                    None => return Ok(()),
                },
                _ = shown.tick() => self.show(),
            }
        }
    }

    /// Waits for what is in flight, at most as long as a request may go unanswered.
    async fn settle(&mut self) {
        let end = Instant::now() + self.options.patience;
        while self.matcher.in_flight() > 0 {
            tokio::select! {
                biased;
                arrival = self.acquirer.next_arrival() => match arrival {
                    Some(arrival) => self.take(arrival),
                    None => break,
                },
                () = sleep_until(end) => break,
            }
        }
        for sent in self.matcher.give_up() {
            let what = self.describe(&sent);
            self.tally.unanswered(format!("{what}: not answered"));
        }
        self.show();
    }

    fn show(&self) {
        let p99 = self.tally.latencies.percentiles().p99_ms;
        self.options.progress.show(&self.tally.report, self.matcher.in_flight(), p99);
    }

    /// The request of this slot: a follow-up if one waits, otherwise a new purchase.
    fn send_due(&mut self, slot: Slot) -> Result<()> {
        let sent = match self.follow_ups.pop_front() {
            Some(follow_up) => self.follow_up(follow_up, slot)?,
            None => self.new_purchase(slot)?,
        };
        self.tally.sent(slot.intended);
        let (connection, request) = (sent.connection, sent.request.clone());
        self.acquirer.send(connection, &request)?;
        self.matcher.sent(connection, &request, Instant::now(), sent)
    }

    fn new_purchase(&mut self, slot: Slot) -> Result<InFlight> {
        let (planned, other) = match self.plan.other() {
            Some((planned, variant)) => (planned, Some(variant)),
            None => (self.plan.purchase(), None),
        };
        let numbers = self.acquirer.numbers().next(Timestamp::now());
        let what = Purchase {
            channel: planned.channel,
            card: &self.options.cards[planned.card],
            minor: planned.minor,
            currency: &self.options.currency,
        };
        let request = purchase(&what, &numbers)?;
        let (request, kind) = match other {
            Some(variant) => (varied(request, variant)?, Kind::Other(variant)),
            None => (request, Kind::Purchase),
        };
        Ok(InFlight {
            request,
            kind,
            channel: planned.channel,
            card: planned.card,
            connection: self.next_connection(),
            intended: slot.intended,
        })
    }

    fn follow_up(&mut self, follow_up: FollowUp, slot: Slot) -> Result<InFlight> {
        let FollowUp { kind, of } = follow_up;
        let connection =
            if self.open[of.connection] { of.connection } else { self.next_connection() };
        let mut next = InFlight { connection, intended: slot.intended, ..of };
        match kind {
            FollowUpKind::Reverse(form) => {
                let numbers = self.acquirer.numbers().next(Timestamp::now());
                let (request, original) = (&next.request, Original::of(&next.request)?);
                let half = minor_of(request) / 2;
                next.request = match form {
                    ReverseForm::Whole => reversal_of(request, &original, &numbers)?,
                    ReverseForm::Part => partial_reversal_of(request, &original, &numbers, half)?,
                    ReverseForm::Advice => reversal_advice_of(request, &original, &numbers)?,
                };
                next.kind = Kind::Reversal;
            }
            FollowUpKind::Add => {
                let numbers = self.acquirer.numbers().next(Timestamp::now());
                let (request, original) = (&next.request, Original::of(&next.request)?);
                let half = (minor_of(request) / 2).max(1);
                next.request = increment_of(request, &original, &numbers, half)?;
                next.kind = Kind::Increment;
            }
            FollowUpKind::Complete => {
                let numbers = self.acquirer.numbers().next(Timestamp::now());
                let (request, original) = (&next.request, Original::of(&next.request)?);
                let minor = minor_of(request);
                next.request = completion_of(request, &original, &numbers, minor)?;
                next.kind = Kind::Completion;
            }
            FollowUpKind::Repeat(form, first) => {
                if form != RepeatForm::Identical {
                    next.request = repeat_of(&next.request, Timestamp::now())?;
                }
                if form == RepeatForm::DigitElsewhere {
                    next.connection = self.connection_after(connection);
                }
                next.kind = Kind::Repeat(form, first);
            }
        }
        Ok(next)
    }

    fn next_connection(&mut self) -> usize {
        self.turn = self.connection_after(self.turn);
        self.turn
    }

    /// The next open one; the same when no other is.
    fn connection_after(&self, connection: usize) -> usize {
        let count = self.open.len();
        let others = (1..=count).map(|step| (connection + step) % count);
        others.into_iter().find(|index| self.open[*index]).unwrap_or(connection)
    }

    fn take(&mut self, arrival: Arrival) {
        let Arrival { connection, at, incoming } = arrival;
        match incoming {
            Incoming::Message(answer, raw) => {
                match self.matcher.answered(connection, &answer, at) {
                    Matched::InTime(sent) => self.judge(sent, answer, raw, at),
                    Matched::Late(sent, took) => {
                        let what = self.describe(&sent);
                        self.tally.unanswered(format!("{what}: answered late, after {took:.1?}"));
                    }
                    Matched::Duplicate => self.stray("answered a second time", &answer),
                    Matched::Unmatched => self.stray("answers no request", &answer),
                }
            }
            Incoming::Unreadable(why) => {
                self.tally.unexpected(format!("connection {connection}: unreadable: {why}"));
            }
            Incoming::Closed(why) => {
                self.open[connection] = false;
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                self.tally.unexpected(format!("connection {connection} ended{why}"));
            }
        }
    }

    fn stray(&mut self, what: &str, answer: &Message) {
        let stan = answer.text(11).unwrap_or("absent");
        self.tally.unexpected(format!("{} with STAN {stan} {what}", answer.mti()));
    }

    fn judge(&mut self, sent: InFlight, answer: Message, raw: Bytes, at: Instant) {
        let card = &self.options.cards[sent.card];
        let code = answer.text(39).unwrap_or("none").to_owned();
        let faults = self.checker.faults(&sent, &answer, &raw, &card.expect);
        let good = faults.is_empty();
        self.tally.answered(sent.row(), &code, sent.intended, at);
        let report = &mut self.tally.report;
        match &sent.kind {
            Kind::Purchase if code == "00" => report.approved += 1,
            Kind::Purchase => {
                *report.declined_by_de39.entry(code.clone()).or_default() += 1;
                *report.declined_by_kind.entry(card.state.clone()).or_default() += 1;
            }
            Kind::Other(variant) => {
                *report.others.entry(variant.name().to_owned()).or_default() += 1;
            }
            Kind::Reversal => report.reversed += u64::from(code == "00"),
            Kind::Increment => report.incremented += u64::from(code == "00"),
            Kind::Completion => report.completed += u64::from(code == "00"),
            Kind::Repeat(..) => report.repeated += u64::from(good),
        }
        if good {
            self.plan_after(sent, &code, answer, raw);
        } else {
            // Nothing follows a faulty answer: what came of it would be counted as another fault.
            let what = self.describe(&sent);
            self.tally.unexpected(format!("{what}: {}", faults.join("; ")));
        }
    }

    fn plan_after(&mut self, sent: InFlight, code: &str, answer: Message, raw: Bytes) {
        let next = match &sent.kind {
            Kind::Purchase => self.plan.after_purchase(code == "00"),
            Kind::Other(variant) => self.plan.after_other(*variant),
            Kind::Increment => self.plan.after_increment(),
            Kind::Reversal => self.plan.after_reversal(),
            Kind::Completion | Kind::Repeat(..) => Next::Nothing,
        };
        let kind = match next {
            Next::Nothing => return,
            Next::Reverse(form) => FollowUpKind::Reverse(form),
            Next::Add => FollowUpKind::Add,
            Next::Complete => FollowUpKind::Complete,
            Next::Repeat(form) => {
                let first = FirstAnswer { request: sent.request.clone(), answer, raw };
                FollowUpKind::Repeat(form, Arc::new(first))
            }
        };
        self.follow_ups.push_back(FollowUp { kind, of: sent });
    }

    fn describe(&self, sent: &InFlight) -> String {
        let card = &self.options.cards[sent.card];
        let minor = minor_of(&sent.request);
        format!(
            "{} {} STAN {} of {} with card {} ({}) on connection {}",
            sent.request.mti(),
            sent.row(),
            sent.request.text(11).unwrap_or("-"),
            amount(minor),
            mask_pan(card.pan.digits()),
            card.state,
            sent.connection
        )
    }
}

/// DE4.
fn minor_of(request: &Message) -> u64 {
    request.text(4).and_then(|text| text.parse().ok()).unwrap_or(0)
}
