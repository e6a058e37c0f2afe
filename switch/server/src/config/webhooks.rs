//! `[api.webhooks]`: what partners are told, and how. It owns the names in the file and the limits
//! of what may be written; what is done with them stands in `admin-api`.

use std::path::PathBuf;
use std::time::Duration;

use admin_api::webhooks::{AddressRules, Schedule, SenderSettings, WebhookSettings};
use serde::Deserialize;

use super::Mode;
use super::check::Faults;

/// Webhooks.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiWebhooks {
    /// The key of secrets, under the local master key.
    pub key_file: PathBuf,
    /// Whom receivers' certificates must come from; without it nothing is sent.
    pub ca: Option<PathBuf>,
    /// What is shown to receivers that ask for a certificate.
    pub certificate: Option<PathBuf>,
    /// The key of that.
    pub key: Option<PathBuf>,
    /// Whether receivers may be on this machine: for a developer.
    pub allow_loopback: bool,
    /// Endpoints of a partner.
    pub endpoints: u32,
    /// For how long the secret of before a rotation signs as well.
    pub overlap_hours: u32,
    /// How often is looked for what is to be told, and what is to be sent.
    pub every_ms: u64,
    /// Pauses before the second try and those after it.
    pub retry_s: Vec<u32>,
    /// For a connection: its name looked up, and TCP.
    pub connect_ms: u64,
    /// For a try, the connection included.
    pub patience_ms: u64,
    /// Connections to one place that are kept open, and for how long without a message.
    pub idle_connections: usize,
    /// See `idle_connections`.
    pub idle_ms: u64,
    /// Tries at a time to one endpoint.
    pub at_once_each: u32,
    /// Tries at a time.
    pub at_once: u32,
    /// Messages that may wait for one endpoint.
    pub waiting: u32,
    /// Bytes of an answer that are kept.
    pub answer_bytes: u32,
    /// Rows of the journal that are read in one transaction.
    pub rows: u32,
    /// For how many days messages are kept.
    pub keep_days: u32,
}

impl Default for ApiWebhooks {
    fn default() -> Self {
        Self {
            key_file: PathBuf::from("data/keys/webhooks.key"),
            ca: None,
            certificate: None,
            key: None,
            allow_loopback: false,
            endpoints: 10,
            overlap_hours: 24,
            every_ms: 500,
            retry_s: vec![5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400],
            connect_ms: 5_000,
            patience_ms: 10_000,
            idle_connections: 2,
            idle_ms: 30_000,
            at_once_each: 4,
            at_once: 64,
            waiting: 100_000,
            answer_bytes: 256,
            rows: 64,
            keep_days: 30,
        }
    }
}

impl ApiWebhooks {
    const fn addresses(&self) -> AddressRules {
        AddressRules { loopback: self.allow_loopback }
    }

    /// As the service takes them.
    #[must_use]
    pub fn settings(&self) -> WebhookSettings {
        let pauses = self.retry_s.iter().map(|pause| Duration::from_secs(u64::from(*pause)));
        WebhookSettings {
            sends: self.ca.is_some(),
            addresses: self.addresses(),
            endpoints_most: self.endpoints,
            overlap: Duration::from_secs(u64::from(self.overlap_hours).saturating_mul(3_600)),
            schedule: Schedule::new(pauses.collect()),
            at_once_each: self.at_once_each,
            at_once: self.at_once,
            waiting_most: self.waiting,
            rows_at_once: self.rows,
            keep: Duration::from_secs(u64::from(self.keep_days).saturating_mul(86_400)),
        }
    }

    /// How receivers are reached, if any are.
    #[must_use]
    pub fn sender(&self) -> Option<SenderSettings> {
        Some(SenderSettings {
            ca: self.ca.clone()?,
            own: self.certificate.clone().zip(self.key.clone()),
            addresses: self.addresses(),
            connect: Duration::from_millis(self.connect_ms),
            patience: Duration::from_millis(self.patience_ms),
            idle_connections: self.idle_connections,
            idle: Duration::from_millis(self.idle_ms),
            answer_most: self.answer_bytes,
        })
    }

    /// How often is looked for what is to be done.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }

    pub(super) fn check(&self, mode: Mode, faults: &mut Faults) {
        let path = |key| ["api", "webhooks", key];
        faults.require(
            !self.allow_loopback || mode == Mode::Development,
            &path("allow_loopback"),
            "true for a developer alone: in production nothing goes to this machine",
        );
        faults.require(
            self.certificate.is_some() == self.key.is_some(),
            &path("certificate"),
            "certificate and key together, or neither",
        );
        for (key, wait) in [
            ("connect_ms", self.connect_ms),
            ("patience_ms", self.patience_ms),
            ("idle_ms", self.idle_ms),
        ] {
            faults.require((50..=60_000).contains(&wait), &path(key), "from 50 to 60000");
        }
        let every = (10..=60_000).contains(&self.every_ms);
        faults.require(every, &path("every_ms"), "from 10 to 60000");
        let pauses = self.retry_s.len() <= 20 && self.retry_s.iter().all(|pause| *pause <= 86_400);
        faults.require(pauses, &path("retry_s"), "at most 20 pauses of at most 86400");
        let idle = self.idle_connections <= 64;
        faults.require(idle, &path("idle_connections"), "at most 64");
        for (key, value, least, most) in [
            ("endpoints", self.endpoints, 1, 100),
            ("overlap_hours", self.overlap_hours, 1, 720),
            ("at_once_each", self.at_once_each, 1, 64),
            ("at_once", self.at_once, 1, 1_024),
            ("waiting", self.waiting, 100, 10_000_000),
            ("answer_bytes", self.answer_bytes, 0, 4_096),
            ("rows", self.rows, 1, 256),
            ("keep_days", self.keep_days, 1, 366),
        ] {
            let within = (least..=most).contains(&value);
            faults.require(within, &path(key), format!("from {least} to {most}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::check::faults;

    /// What is wrong, by its key.
    fn wrong(mode: &str, line: &str) -> Vec<String> {
        let text = format!("mode = \"{mode}\"\n[api.webhooks]\n{line}\n");
        let config: Config = toml::from_str(&text).expect("its form is right");
        let faults = faults(&config);
        let paths = faults.iter().map(|fault| fault.path.join("."));
        paths.filter(|path| path.starts_with("api.webhooks")).collect()
    }

    // covers: API-07
    #[test]
    fn every_limit_is_held_and_loopback_is_for_developers() {
        for good in ["", "ca = \"roots.pem\"", "allow_loopback = true", "retry_s = []"] {
            assert_eq!(wrong("development", good), [""; 0], "{good}");
        }
        assert_eq!(wrong("production", "allow_loopback = true"), ["api.webhooks.allow_loopback"]);
        assert_eq!(wrong("production", "allow_loopback = false"), [""; 0]);
        for (line, key) in [
            ("certificate = \"own.pem\"", "certificate"),
            ("connect_ms = 49", "connect_ms"),
            ("patience_ms = 60001", "patience_ms"),
            ("idle_ms = 1", "idle_ms"),
            ("idle_connections = 65", "idle_connections"),
            ("every_ms = 9", "every_ms"),
            ("retry_s = [86401]", "retry_s"),
            ("endpoints = 0", "endpoints"),
            ("overlap_hours = 721", "overlap_hours"),
            ("at_once_each = 0", "at_once_each"),
            ("at_once = 1025", "at_once"),
            ("waiting = 99", "waiting"),
            ("answer_bytes = 4097", "answer_bytes"),
            ("rows = 0", "rows"),
            ("keep_days = 0", "keep_days"),
        ] {
            assert_eq!(wrong("development", line), [format!("api.webhooks.{key}")], "{line}");
        }
    }
}
