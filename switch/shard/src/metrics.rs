//! Every metric of the shards, with unit and help. It owns the names; others only record.

use metrics::{Counter, Gauge, Histogram, Unit};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use switch_domain::{Control, Event, Finding, Reason, Record, ShardId, StandIn};
use switch_engine::{Answer, Refusal};

/// Describes all metrics of this package to the installed recorder.
pub fn describe() {
    describe_counter!("cardswitch_decisions_total", "Messages decided, by recorded reason");
    describe_counter!(
        "cardswitch_advices_total",
        "Advices of what was decided in our stead, by what they came to; `suspense` is for people"
    );
    describe_counter!(
        "cardswitch_over_cleared_total",
        "Advices among them that settled more of an authorization than the merchant is allowed"
    );
    describe_counter!("cardswitch_repeats_total", "Repeats answered from the stored answer");
    describe_counter!("cardswitch_shed_total", "Messages not taken, by cause");
    describe_counter!(
        "cardswitch_shed_in_silence_total",
        "Authorizations among them that were not declined, by why not"
    );
    describe_counter!(
        "cardswitch_late_total",
        "Messages past their deadline, by what became of them"
    );
    describe_counter!(
        "cardswitch_lookups_total",
        "Look-ups in the tables of what memory had let go, by what they found"
    );
    describe_counter!(
        "cardswitch_hold_ends_total",
        "Holds that lived their life, by what there was to end"
    );
    describe_gauge!(
        "cardswitch_hold_sweep_late_seconds",
        Unit::Seconds,
        "How late the oldest hold ends that is yet to be looked at, by shard and life"
    );
    describe_counter!(
        "cardswitch_hold_sweep_rows_total",
        "Authorizations that were looked at for holds that lived their life"
    );
    describe_counter!(
        "cardswitch_hold_sweep_errors_total",
        "Rounds of that which ended before their end, by cause; the next goes on"
    );
    describe_counter!("cardswitch_malfunctions_total", "Commands that failed by a defect");
    describe_counter!(
        "cardswitch_controls_refused_total",
        "Spend controls that were not made, by the limit in the way"
    );
    describe_counter!(
        "cardswitch_shadow_declines_total",
        "Messages that were decided, and that a spend control in shadow would have declined"
    );
    describe_counter!(
        "cardswitch_verified_total",
        "What was found out about cards and holders, by what was looked at and what was found"
    );
    describe_counter!(
        "cardswitch_pin_locks_total",
        "Cards locked since their PIN was wrong too often"
    );
    describe_state();
}

/// Of those, what tells how a shard is, rather than what it was asked.
fn describe_state() {
    describe_gauge!("cardswitch_clock_fault", Unit::Count, "1 while the wall clock is wrong");
    describe_counter!(
        "cardswitch_freshness_rows_total",
        "Journal rows that only found out whose a shard is, before an answer from memory"
    );
    describe_gauge!("cardswitch_shard_queue", Unit::Count, "Messages waiting before a shard");
    describe_gauge!("cardswitch_open_transfers", Unit::Count, "Transfers sent and not closed");
    describe_counter!("cardswitch_transfers_total", "Transfers closed, by what became of them");
    describe_gauge!("cardswitch_exchange_rates", Unit::Count, "Pairs of currencies with a rate");
    describe_gauge!(
        "cardswitch_exchange_rate_oldest_seconds",
        Unit::Seconds,
        "When the oldest rate in force was quoted, in seconds since 1970; 0 where there is none"
    );
    describe_gauge!("cardswitch_projection_lag", Unit::Count, "Records not yet in the tables");
    describe_gauge!(
        "cardswitch_projector_apart",
        Unit::Count,
        "1 where the projector alone can write its tables, 0 where every connection can"
    );
    describe_gauge!("cardswitch_answers_remembered", Unit::Count, "Answers kept for repeats");
    describe_histogram!("cardswitch_batch_records", Unit::Count, "Records in a journal row");
    describe_histogram!("cardswitch_commit_seconds", Unit::Seconds, "From append to commit");
}

/// The handles of one shard, made once so that recording costs no look-up.
pub(crate) struct ShardMetrics {
    pub(crate) queue: Gauge,
    pub(crate) open_transfers: Gauge,
    pub(crate) remembered: Gauge,
    pub(crate) batch: Histogram,
    pub(crate) commit: Histogram,
    pub(crate) repeats: Counter,
    pub(crate) malfunctions: Counter,
    decisions: Vec<(Reason, Counter)>,
}

impl ShardMetrics {
    pub(crate) fn new(shard: ShardId) -> Self {
        let shard = shard.to_string();
        let decisions = Reason::ALL
            .into_iter()
            .map(|reason| {
                let count = counter!(
                    "cardswitch_decisions_total",
                    "reason" => reason.name(), "shard" => shard.clone()
                );
                (reason, count)
            })
            .collect();
        Self {
            queue: gauge!("cardswitch_shard_queue", "shard" => shard.clone()),
            open_transfers: gauge!("cardswitch_open_transfers", "shard" => shard.clone()),
            remembered: gauge!("cardswitch_answers_remembered", "shard" => shard.clone()),
            batch: histogram!("cardswitch_batch_records", "shard" => shard.clone()),
            commit: histogram!("cardswitch_commit_seconds", "shard" => shard.clone()),
            repeats: counter!("cardswitch_repeats_total", "shard" => shard.clone()),
            malfunctions: counter!("cardswitch_malfunctions_total", "shard" => shard),
            decisions,
        }
    }

    pub(crate) fn decided(&self, reason: Reason) {
        if let Some((_, count)) = self.decisions.iter().find(|(known, _)| *known == reason) {
            count.increment(1);
        }
    }
}

/// Records of a shard that are not yet in the tables: the shard adds what it commits, its projector
/// takes off what it has written.
pub(crate) fn projection_lag(shard: ShardId) -> Gauge {
    gauge!("cardswitch_projection_lag", "shard" => shard.to_string())
}

/// Says how many exchange rates there are, and of when.
pub(crate) fn rates(control: &Control) {
    let oldest = control.rates().map(|rate| rate.at).min().unwrap_or_default();
    gauge!("cardswitch_exchange_rates").set(control.rates().len() as f64);
    gauge!("cardswitch_exchange_rate_oldest_seconds").set(oldest.0 as f64 / 1_000_000.0);
}

/// Counts an advice that was recorded; without a record, one that is refused for its key.
pub(crate) fn advised(record: Option<&Record>) {
    let stand_in = record.and_then(|record| match &record.event {
        Event::Authorized(one) => one.stand_in,
        _ => None,
    });
    if stand_in == Some(StandIn::Forced(Reason::ExceedsPreauthorizedAmount)) {
        counter!("cardswitch_over_cleared_total").increment(1);
    }
    let became = stand_in.map_or("refused", StandIn::name);
    counter!("cardswitch_advices_total", "became" => became).increment(1);
}

/// Counts what a spend control in shadow would have declined.
pub(crate) fn shadowed(record: Option<&Record>) {
    let findings = record.and_then(|record| match &record.event {
        Event::Authorized(one) => one.findings.as_deref(),
        _ => None,
    });
    if findings.is_some_and(|findings| !findings.would_decline.is_empty()) {
        counter!("cardswitch_shadow_declines_total").increment(1);
    }
}

/// Counts what verification found, as it is recorded, and the cards that it locks.
pub(crate) fn verified(record: Option<&Record>) {
    let Some(Record { event: Event::Authorized(one), effects, .. }) = record else { return };
    let Some(found) = one.evidence.as_deref() else { return };
    let cryptogram = found.chip.map_or(Finding::Absent, |chip| chip.cryptogram);
    let all = [
        ("stripe", found.stripe),
        ("code", found.code),
        ("pin", found.pin),
        ("cryptogram", cryptogram),
    ];
    for (what, finding) in all.into_iter().filter(|(_, finding)| *finding != Finding::Absent) {
        counter!("cardswitch_verified_total", "what" => what, "found" => finding.name())
            .increment(1);
    }
    if effects.counters.as_ref().is_some_and(|effect| effect.locks) {
        counter!("cardswitch_pin_locks_total").increment(1);
    }
}

/// Counts a spend control that there was no room for.
pub(crate) fn control_refused(answer: Answer) {
    let limit = match answer {
        Answer::Refused(Refusal::TooManyControls) => "per_subject",
        Answer::Refused(Refusal::ControlListTooLong) => "list",
        _ => return,
    };
    counter!("cardswitch_controls_refused_total", "limit" => limit).increment(1);
}

/// Counts a look-up in the tables.
pub(crate) fn looked_up(found: &'static str) {
    counter!("cardswitch_lookups_total", "found" => found).increment(1);
}

/// Counts a message that no shard took.
pub(crate) fn shed(cause: &'static str) {
    counter!("cardswitch_shed_total", "cause" => cause).increment(1);
}

/// Counts an authorization that was not taken and could not be declined.
pub(crate) fn shed_in_silence(why: &'static str) {
    counter!("cardswitch_shed_in_silence_total", "why" => why).increment(1);
}

/// Counts a transfer that is closed.
pub(crate) fn transferred(credited: bool) {
    let became = if credited { "credited" } else { "given_back" };
    counter!("cardswitch_transfers_total", "became" => became).increment(1);
}

/// Counts a message past its deadline.
pub(crate) fn late(became: &'static str) {
    counter!("cardswitch_late_total", "became" => became).increment(1);
}

/// Counts a row that only finds out whose a shard is.
pub(crate) fn found_out_whose() {
    counter!("cardswitch_freshness_rows_total").increment(1);
}
