//! Every metric of the links, with unit and help. It owns the names; others only record.

use codecs::iso8583::Mti;
use jiff::Timestamp;
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::standing::LinkState;

const CONNECTIONS: &str = "cardswitch_link_connections";
const IN_FLIGHT: &str = "cardswitch_link_in_flight";
const SIGNED_ON: &str = "cardswitch_link_signed_on";
const OPENED: &str = "cardswitch_link_opened_total";
const REFUSED: &str = "cardswitch_link_refused_total";
const CLOSED: &str = "cardswitch_link_closed_total";
const FRAMES_IN: &str = "cardswitch_link_frames_in_total";
const FRAMES_OUT: &str = "cardswitch_link_frames_out_total";
const MESSAGES: &str = "cardswitch_link_messages_total";
const FORMAT_ERRORS: &str = "cardswitch_link_format_errors_total";
const UNSUPPORTED: &str = "cardswitch_link_unsupported_total";
const MAC_FAILURES: &str = "cardswitch_link_mac_failures_total";
const STRANGERS: &str = "cardswitch_link_strangers_total";
const LOCK_REFUSALS: &str = "cardswitch_link_lock_refusals_total";
const DROPPED: &str = "cardswitch_link_dropped_total";
const UNANSWERED: &str = "cardswitch_link_unanswered_total";
const STATE: &str = "cardswitch_link_state";
const DIAL_ATTEMPTS: &str = "cardswitch_link_dial_attempts_total";
const DIAL_FAILURES: &str = "cardswitch_link_dial_failures_total";
const TLS_RELOADS: &str = "cardswitch_link_tls_reloads_total";
const TLS_EXPIRES: &str = "cardswitch_link_certificate_expires_seconds";
const OUTSTANDING: &str = "cardswitch_link_outstanding";
const REQUESTS: &str = "cardswitch_link_requests_total";
const ANSWERS: &str = "cardswitch_link_answers_total";
const CUT_OVERS: &str = "cardswitch_link_cut_overs_total";
const STATEMENTS: &str = "cardswitch_link_statements_total";
const UNVERIFIED: &str = "cardswitch_link_unverified_total";
const PIN_SERVICES: &str = "cardswitch_link_pin_services_total";
const VERIFYING: &str = "cardswitch_link_verifying";
const ANSWER_SECONDS: &str = "cardswitch_link_answer_seconds";

/// Describes all metrics of this package to the installed recorder.
pub fn describe() {
    describe_gauge!(CONNECTIONS, Unit::Count, "Open connections");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Messages that wait for their decision");
    describe_gauge!(SIGNED_ON, Unit::Count, "1 while the link's peer is signed on");
    describe_gauge!(STATE, Unit::Count, "1 for the state in which the link is, 0 for the others");
    describe_gauge!(OUTSTANDING, Unit::Count, "Requests of ours that wait for their answer");
    describe_counter!(REQUESTS, "Requests of ours that have ended, by kind and outcome");
    describe_counter!(ANSWERS, "Answers from peers, by whether a request of ours was waiting");
    describe_counter!(CUT_OVERS, "Cut-overs, by who asked for them");
    describe_counter!(OPENED, "Connections accepted or dialled");
    describe_counter!(DIAL_ATTEMPTS, "Attempts to connect to a peer");
    describe_counter!(DIAL_FAILURES, "Attempts without a connection of use, by cause");
    describe_counter!(TLS_RELOADS, "Times that certificates were read again: loaded, or kept");
    describe_gauge!(TLS_EXPIRES, Unit::Seconds, "When our certificate ends, since 1970");
    describe_counter!(REFUSED, "Connections closed at once, by cause");
    describe_counter!(CLOSED, "Connections ended, by cause");
    describe_counter!(FRAMES_IN, "Frames received");
    describe_counter!(FRAMES_OUT, "Frames queued to be sent");
    describe_counter!(MESSAGES, "Messages received, by class of their type");
    describe_counter!(FORMAT_ERRORS, "Messages answered as unreadable, by the field at fault");
    describe_counter!(UNSUPPORTED, "Messages that ask for what the switch does not do, by kind");
    describe_counter!(MAC_FAILURES, "Messages refused for their authentication code, by cause");
    describe_counter!(STRANGERS, "Messages refused for the institution they name, by field");
    describe_counter!(LOCK_REFUSALS, "Locks asked for without authority, and refusals off record");
    describe_counter!(DROPPED, "Messages without any answer, by cause");
    describe_counter!(UNANSWERED, "Requests whose outcome was not sent, by cause");
    describe_counter!(STATEMENTS, "Mini-statement inquiries that were granted, by what was told");
    describe_counter!(UNVERIFIED, "Things presented that could not be verified, by cause");
    describe_counter!(PIN_SERVICES, "Changes of PINs and unblockings that were granted, by end");
    describe_gauge!(VERIFYING, Unit::Count, "Messages that wait for the security module");
    describe_histogram!(ANSWER_SECONDS, Unit::Seconds, "From a decided request's frame to answer");
}

/// The handles of one link, made once so that recording on the path of a message is cheap.
pub(crate) struct LinkMetrics {
    link: String,
    pub(crate) connections: Gauge,
    pub(crate) in_flight: Gauge,
    pub(crate) signed_on: Gauge,
    pub(crate) outstanding: Gauge,
    pub(crate) verifying: Gauge,
    pub(crate) opened: Counter,
    pub(crate) dial_attempts: Counter,
    pub(crate) tls_loaded: Counter,
    pub(crate) tls_kept: Counter,
    states: [Gauge; LinkState::ALL.len()],
    pub(crate) frames_in: Counter,
    pub(crate) frames_out: Counter,
    pub(crate) answer_seconds: Histogram,
    authorizations: Counter,
    reversals: Counter,
    network: Counter,
    file_actions: Counter,
    administrative: Counter,
    others: Counter,
}

impl LinkMetrics {
    pub(crate) fn new(link: &str) -> Self {
        let link = link.to_owned();
        let reloads = |result| counter!(TLS_RELOADS, "link" => link.clone(), "result" => result);
        let state =
            |state: LinkState| gauge!(STATE, "link" => link.clone(), "state" => state.name());
        let class = |class| counter!(MESSAGES, "link" => link.clone(), "class" => class);
        Self {
            connections: gauge!(CONNECTIONS, "link" => link.clone()),
            in_flight: gauge!(IN_FLIGHT, "link" => link.clone()),
            signed_on: gauge!(SIGNED_ON, "link" => link.clone()),
            outstanding: gauge!(OUTSTANDING, "link" => link.clone()),
            verifying: gauge!(VERIFYING, "link" => link.clone()),
            opened: counter!(OPENED, "link" => link.clone()),
            dial_attempts: counter!(DIAL_ATTEMPTS, "link" => link.clone()),
            tls_loaded: reloads("loaded"),
            tls_kept: reloads("kept"),
            states: LinkState::ALL.map(state),
            frames_in: counter!(FRAMES_IN, "link" => link.clone()),
            frames_out: counter!(FRAMES_OUT, "link" => link.clone()),
            answer_seconds: histogram!(ANSWER_SECONDS, "link" => link.clone()),
            authorizations: class("authorization"),
            reversals: class("reversal"),
            network: class("network_management"),
            file_actions: class("file_action"),
            administrative: class("administrative"),
            others: class("other"),
            link,
        }
    }

    pub(crate) fn message(&self, mti: Mti) {
        match mti.class() {
            1 => self.authorizations.increment(1),
            4 => self.reversals.increment(1),
            3 => self.file_actions.increment(1),
            6 => self.administrative.increment(1),
            8 => self.network.increment(1),
            _ => self.others.increment(1),
        }
    }

    pub(crate) fn state(&self, now: LinkState) {
        for (state, gauge) in LinkState::ALL.into_iter().zip(&self.states) {
            gauge.set(if state == now { 1.0 } else { 0.0 });
        }
    }

    pub(crate) fn request(&self, kind: &'static str, outcome: &'static str) {
        let link = self.link.clone();
        counter!(REQUESTS, "link" => link, "kind" => kind, "outcome" => outcome).increment(1);
    }

    pub(crate) fn answer(&self, result: &'static str) {
        counter!(ANSWERS, "link" => self.link.clone(), "result" => result).increment(1);
    }

    pub(crate) fn cut_over(&self, by: &'static str) {
        counter!(CUT_OVERS, "link" => self.link.clone(), "by" => by).increment(1);
    }

    pub(crate) fn dial_failed(&self, cause: &'static str) {
        counter!(DIAL_FAILURES, "link" => self.link.clone(), "cause" => cause).increment(1);
    }

    pub(crate) fn refused(&self, cause: &'static str) {
        counter!(REFUSED, "link" => self.link.clone(), "cause" => cause).increment(1);
    }

    pub(crate) fn closed(&self, cause: &'static str) {
        counter!(CLOSED, "link" => self.link.clone(), "cause" => cause).increment(1);
    }

    /// `field` is 0 to 128, so the label has few values whatever a peer sends.
    pub(crate) fn format_error(&self, field: u8) {
        let field = field.to_string();
        counter!(FORMAT_ERRORS, "link" => self.link.clone(), "field" => field).increment(1);
    }

    pub(crate) fn unsupported(&self, kind: &'static str) {
        counter!(UNSUPPORTED, "link" => self.link.clone(), "kind" => kind).increment(1);
    }

    pub(crate) fn mac_failure(&self, cause: &'static str) {
        counter!(MAC_FAILURES, "link" => self.link.clone(), "cause" => cause).increment(1);
    }

    pub(crate) fn certificate_expires(&self, at: Timestamp) {
        gauge!(TLS_EXPIRES, "link" => self.link.clone()).set(at.as_second() as f64);
    }

    /// `field` is 32 or 33.
    pub(crate) fn stranger(&self, field: u8) {
        let field = field.to_string();
        counter!(STRANGERS, "link" => self.link.clone(), "field" => field).increment(1);
    }

    /// `cause` is `bin`, `code` or `not_recorded`.
    pub(crate) fn lock_refused(&self, cause: &'static str) {
        counter!(LOCK_REFUSALS, "link" => self.link.clone(), "cause" => cause).increment(1);
    }

    /// `outcome` is `told`, `not_in_time` or `no_room`.
    pub(crate) fn statement(&self, outcome: &'static str) {
        counter!(STATEMENTS, "link" => self.link.clone(), "outcome" => outcome).increment(1);
    }

    /// `outcome` is `changed`, `unblocked` or `not_changed`.
    pub(crate) fn pin_service(&self, outcome: &'static str) {
        let link = self.link.clone();
        counter!(PIN_SERVICES, "link" => link, "outcome" => outcome).increment(1);
    }

    /// `what` is `stripe`, `code`, `pin`, `cryptogram`, `new_pin`, `script`, or `any` where none is
    /// told apart.
    pub(crate) fn unverified(&self, what: &'static str, cause: &'static str) {
        let link = self.link.clone();
        counter!(UNVERIFIED, "link" => link, "what" => what, "cause" => cause).increment(1);
    }

    pub(crate) fn dropped(&self, cause: &'static str) {
        counter!(DROPPED, "link" => self.link.clone(), "cause" => cause).increment(1);
    }

    pub(crate) fn unanswered(&self, cause: &'static str, count: u64) {
        counter!(UNANSWERED, "link" => self.link.clone(), "cause" => cause).increment(count);
    }
}

/// Raises a gauge by one for as long as it lives.
pub(crate) struct Held(Gauge);

impl Held {
    pub(crate) fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
