//! Every metric of the units, with unit and help. It owns the names; others only record.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};

const CALLS: &str = "cardswitch_hsm_calls_total";
const CALL_SECONDS: &str = "cardswitch_hsm_call_seconds";
const WAITING: &str = "cardswitch_hsm_calls_waiting";
const ERROR_CODES: &str = "cardswitch_hsm_error_codes_total";
const CONNECTIONS: &str = "cardswitch_hsm_connections";
const CONNECT_FAILURES: &str = "cardswitch_hsm_connect_failures_total";
const CLOSED: &str = "cardswitch_hsm_closed_total";
const STRAYS: &str = "cardswitch_hsm_strays_total";
const HEALTHY: &str = "cardswitch_hsm_unit_healthy";
const OPENED: &str = "cardswitch_hsm_breaker_opened_total";

/// Describes all metrics of this package to the installed recorder.
pub fn describe() {
    describe_counter!(CALLS, "Calls of hardware security modules, by command and outcome");
    describe_histogram!(CALL_SECONDS, Unit::Seconds, "From a call to its answer, retries included");
    describe_gauge!(WAITING, Unit::Count, "Calls that wait for a module, sent or not");
    describe_counter!(ERROR_CODES, "Answers of modules that were not 00, by error code");
    describe_gauge!(CONNECTIONS, Unit::Count, "Connections to a module that can be used");
    describe_counter!(CONNECT_FAILURES, "Attempts without a connection of use, by cause");
    describe_counter!(CLOSED, "Connections to modules that ended, by cause");
    describe_counter!(STRAYS, "Answers of modules that answered no call, by kind");
    describe_gauge!(HEALTHY, Unit::Count, "1 while a module gets calls, 0 while it gets none");
    describe_counter!(OPENED, "Times that a module stopped getting calls after failures");
}

/// One call has ended.
pub(crate) fn call_ended(code: [u8; 2], outcome: &'static str, took: Duration) {
    let command = String::from_utf8_lossy(&code).into_owned();
    counter!(CALLS, "command" => command.clone(), "outcome" => outcome).increment(1);
    histogram!(CALL_SECONDS, "command" => command).record(took);
}

/// The gauge of calls that wait.
pub(crate) fn waiting() -> Gauge {
    gauge!(WAITING)
}

/// The handles of one unit.
pub(crate) struct UnitMetrics {
    unit: String,
    pub(crate) connections: Gauge,
    pub(crate) healthy: Gauge,
    pub(crate) opened: Counter,
}

impl UnitMetrics {
    pub(crate) fn new(unit: &str) -> Self {
        let unit = unit.to_owned();
        Self {
            connections: gauge!(CONNECTIONS, "unit" => unit.clone()),
            healthy: gauge!(HEALTHY, "unit" => unit.clone()),
            opened: counter!(OPENED, "unit" => unit.clone()),
            unit,
        }
    }

    pub(crate) fn error_code(&self, code: &str) {
        counter!(ERROR_CODES, "unit" => self.unit.clone(), "code" => code.to_owned()).increment(1);
    }

    pub(crate) fn connect_failed(&self, cause: &'static str) {
        counter!(CONNECT_FAILURES, "unit" => self.unit.clone(), "cause" => cause).increment(1);
    }

    pub(crate) fn closed(&self, cause: &'static str) {
        counter!(CLOSED, "unit" => self.unit.clone(), "cause" => cause).increment(1);
    }

    pub(crate) fn stray(&self, kind: &'static str) {
        counter!(STRAYS, "unit" => self.unit.clone(), "kind" => kind).increment(1);
    }
}
