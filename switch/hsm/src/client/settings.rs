//! How a client reaches its units and how patient it is. It owns which settings can work.

use std::time::Duration;

use super::tls::UnitTls;
use crate::frame::HEADER_LENGTHS;

/// Limits and patience of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the units are: `host:port`. All have the same local master key.
    pub units: Vec<String>,
    /// Connections to each.
    pub connections: usize,
    /// Bytes of the header, as it is set in the units.
    pub header_length: usize,
    /// For a call, waiting for its turn and a second attempt included. Shorter than the deadline
    /// of the message that it is made for.
    pub deadline: Duration,
    /// For connecting, and for the unit's diagnostics after it.
    pub connect_deadline: Duration,
    /// The longest wait before the second attempt to connect; it doubles with every failure.
    pub first_wait: Duration,
    /// Where that doubling ends.
    pub longest_wait: Duration,
    /// Commands on one connection without an answer; one more waits.
    pub in_flight: usize,
    /// Calls at a time, waiting or sent; one more is refused.
    pub queue_limit: usize,
    /// Failures in a row after which a unit gets no more calls.
    pub breaker_failures: u32,
    /// For how long: then it is asked for an echo, and gets calls again when it answers.
    pub breaker_open: Duration,
    /// A connection is asked for an echo so far apart.
    pub health_interval: Duration,
    /// Bytes of a command or an answer behind the length.
    pub message_limit: usize,
    /// The check value of the units' local master key; a unit with another is not used.
    pub lmk_check_value: Option<[u8; 3]>,
    /// TLS to all of them; `None`: in clear.
    pub tls: Option<UnitTls>,
}

impl Settings {
    /// To these units, with the usual patience.
    #[must_use]
    pub fn new(units: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            units: units.into_iter().map(Into::into).collect(),
            connections: 2,
            header_length: 8,
            deadline: Duration::from_millis(1000),
            connect_deadline: Duration::from_millis(2000),
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(5),
            in_flight: 16,
            queue_limit: 1024,
            breaker_failures: 5,
            breaker_open: Duration::from_secs(2),
            health_interval: Duration::from_secs(5),
            message_limit: 4096,
            lmk_check_value: None,
            tls: None,
        }
    }

    /// The first setting that cannot work, and what to write instead.
    #[must_use]
    pub fn unfit(&self) -> Option<(&'static str, String)> {
        let some = |key, message: &str| Some((key, message.to_owned()));
        if self.units.is_empty() || self.units.len() > 16 {
            return some("units", "from 1 to 16");
        }
        if let Some(wrong) = self.units.iter().find(|unit| !is_address(unit)) {
            return Some(("units", format!("{wrong:?}: write host:port")));
        }
        if !(1..=64).contains(&self.connections) {
            return some("connections", "from 1 to 64");
        }
        if !HEADER_LENGTHS.contains(&self.header_length) {
            return some("header_length", "from 4 to 16, as it is set in the units");
        }
        if !(1..=1024).contains(&self.in_flight) {
            return some("in_flight", "from 1 to 1024");
        }
        if !(1..=100_000).contains(&self.queue_limit) {
            return some("queue_limit", "from 1 to 100000");
        }
        if !(1..=1000).contains(&self.breaker_failures) {
            return some("breaker_failures", "from 1 to 1000");
        }
        if !(256..=65_535).contains(&self.message_limit) {
            return some("message_limit_bytes", "from 256 to 65535");
        }
        self.unfit_time()
    }

    fn unfit_time(&self) -> Option<(&'static str, String)> {
        let fit = Duration::from_millis(10)..=Duration::from_secs(60);
        let times = [
            ("deadline_ms", self.deadline),
            ("connect_deadline_ms", self.connect_deadline),
            ("reconnect_first_ms", self.first_wait),
            ("reconnect_longest_ms", self.longest_wait),
            ("breaker_open_ms", self.breaker_open),
            ("health_interval_ms", self.health_interval),
        ];
        if let Some((key, _)) = times.into_iter().find(|(_, time)| !fit.contains(time)) {
            return Some((key, "from 10 to 60000".to_owned()));
        }
        if self.longest_wait < self.first_wait {
            return Some((
                "reconnect_longest_ms",
                "not shorter than reconnect_first_ms".to_owned(),
            ));
        }
        None
    }
}

fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '[' | ']');
    let named = !host.is_empty() && host.chars().all(plain);
    named && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[test]
fn what_cannot_work_is_named() {
    let good = Settings::new(["hsm-a.example:1500", "[::1]:1500"]);
    assert_eq!(good.unfit(), None);
    let wrong = |change: fn(&mut Settings)| {
        let mut settings = good.clone();
        change(&mut settings);
        settings.unfit().map(|(key, _)| key)
    };
    assert_eq!(wrong(|s| s.units.clear()), Some("units"));
    assert_eq!(wrong(|s| s.units.push("hsm".into())), Some("units"));
    assert_eq!(wrong(|s| s.units.push("hsm:0".into())), Some("units"));
    assert_eq!(wrong(|s| s.connections = 0), Some("connections"));
    assert_eq!(wrong(|s| s.header_length = 3), Some("header_length"));
    assert_eq!(wrong(|s| s.in_flight = 0), Some("in_flight"));
    assert_eq!(wrong(|s| s.queue_limit = 0), Some("queue_limit"));
    assert_eq!(wrong(|s| s.breaker_failures = 0), Some("breaker_failures"));
    assert_eq!(wrong(|s| s.message_limit = 100), Some("message_limit_bytes"));
    assert_eq!(wrong(|s| s.deadline = Duration::ZERO), Some("deadline_ms"));
    assert_eq!(wrong(|s| s.longest_wait = s.first_wait / 2), Some("reconnect_longest_ms"));
}
