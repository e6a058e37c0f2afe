//! `[api]`: the management API. It owns the names in the file and the limits of what may be
//! written; what is done with them stands in `admin-api`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use admin_api::UserSettings;
use admin_api::certificates::{AuthorityFiles, CertificateSettings};
use admin_api::http::{Rate, RatesSettings};
use admin_api::tls::{ListenLimits, ListenSettings, ServerFiles};
use serde::Deserialize;

use super::audit::ApiAudit;
use super::check::Faults;
use super::encryption::ApiEncryption;
use super::operators::ApiOperators;
use super::sessions::ApiSessions;
use super::{
    ApiCards, ApiCorporations, ApiCustomers, ApiFees, ApiHistory, ApiKyc, ApiMail,
    ApiPersonalisation, ApiPools, ApiProcessor, ApiProgrammes, ApiSandbox, ApiWebhooks, Mode,
    users,
};

/// The management API. Without a listener it is not served.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Where partners' systems call, and show their client certificates: /secure and /lifecycle.
    pub secure: ApiListener,
    /// Where customers' applications and operators call: /customers and /admin.
    pub open: ApiListener,
    /// Limits of each listener.
    pub limits: ApiLimits,
    /// Client certificates of partners.
    pub certificates: ApiCertificates,
    /// Requests, once they are through the handshake.
    pub requests: ApiRequests,
    /// Encrypted bodies.
    pub encryption: ApiEncryption,
    /// Customers' apps.
    pub sessions: ApiSessions,
    /// Customers of partners.
    pub customers: ApiCustomers,
    /// Companies of partners.
    pub corporations: ApiCorporations,
    /// Cards of both.
    pub cards: ApiCards,
    /// Who makes those of programmes that are not made by the switch itself, by name.
    pub processors: BTreeMap<String, ApiProcessor>,
    /// Partners and their products.
    pub programmes: ApiProgrammes,
    /// Pools of partners' money.
    pub pools: ApiPools,
    /// What acts and periods cost.
    pub fees: ApiFees,
    /// What was decided of them.
    pub history: ApiHistory,
    /// Who verifies them for the platform.
    pub kyc: ApiKyc,
    /// Plastic cards.
    pub personalisation: ApiPersonalisation,
    /// Simulations for a developer.
    pub sandbox: ApiSandbox,
    /// People at the panel.
    pub operators: ApiOperators,
    /// What partners are told.
    pub webhooks: ApiWebhooks,
    /// E-mail.
    pub mail: ApiMail,
    /// Records of what was done.
    pub audit: ApiAudit,
    /// Whether the listeners show the OpenAPI documents, and a page to try them on, at /docs. Where
    /// it is not said: in development alone.
    pub documents: Option<bool>,
}

/// A listener.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiListener {
    /// Where; without it the listener is not opened.
    pub listen: Option<SocketAddr>,
    /// Its own certificate, and those between it and a root.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
    /// Without TLS: for a developer, on a loopback address.
    pub in_clear: bool,
}

/// Limits of a listener.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiLimits {
    /// Connections at a time.
    pub connections: usize,
    /// For a handshake.
    pub handshake_ms: u64,
    /// From the handshake to the head of the first request.
    pub first_request_ms: u64,
    /// From the end of a request to the head of the next.
    pub next_request_ms: u64,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Header lines in it.
    pub headers: usize,
    /// How often the files of certificates are looked at.
    pub reload_s: u64,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            handshake_ms: 10_000,
            first_request_ms: 10_000,
            next_request_ms: 30_000,
            head_bytes: 16_384,
            headers: 64,
            reload_s: 60,
        }
    }
}

/// Client certificates of partners.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiCertificates {
    /// The key of the authority, under the local master key.
    pub key_file: PathBuf,
    /// Its certificate; behind it those of authorities of before that are still trusted.
    pub certificate_file: PathBuf,
    /// For how many days a certificate is good.
    pub days: u32,
    /// Of one partner that are good at a time.
    pub most_live: u32,
    /// How old what is known of revoked ones may be before the table is read again.
    pub refresh_ms: u64,
    /// How old it may be at most while the database does not answer.
    pub stale_ms: u64,
    /// Good ones in memory.
    pub known: usize,
}

impl Default for ApiCertificates {
    fn default() -> Self {
        Self {
            key_file: PathBuf::from("data/keys/ca.key"),
            certificate_file: PathBuf::from("data/keys/ca.pem"),
            days: 397,
            most_live: 10,
            refresh_ms: 5_000,
            stale_ms: 60_000,
            known: 10_000,
        }
    }
}

/// Requests: how long, how often, and for how long they are remembered.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiRequests {
    /// Bytes of a body.
    pub body_bytes: usize,
    /// In which time a body comes.
    pub body_ms: u64,
    /// Of a source address: in a second, in the long run.
    pub source_per_second: u32,
    /// Of a source address: at once, after a pause.
    pub source_burst: u32,
    /// Of a caller: in a second, in the long run.
    pub caller_per_second: u32,
    /// Of a caller: at once, after a pause.
    pub caller_burst: u32,
    /// Of a source address, by a PIN or a password: in a second, in the long run.
    pub proof_per_second: u32,
    /// Of a source address, by a PIN or a password: at once, after a pause.
    pub proof_burst: u32,
    /// Sources, and callers, that are told apart.
    pub told_apart: usize,
    /// For how long an answer to a request with an idempotency key is kept.
    pub keep_answers_hours: u32,
    /// For how long a request that was begun is nobody else's.
    pub claim_ms: u64,
    /// Records of the audit that may wait to be written.
    pub audit_waiting: usize,
}

impl Default for ApiRequests {
    fn default() -> Self {
        Self {
            body_bytes: 65_536,
            body_ms: 10_000,
            source_per_second: 50,
            source_burst: 100,
            caller_per_second: 50,
            caller_burst: 100,
            proof_per_second: 2,
            proof_burst: 20,
            told_apart: 10_000,
            keep_answers_hours: 24,
            claim_ms: 60_000,
            audit_waiting: 1_000,
        }
    }
}

impl Api {
    /// The listener of partners' systems.
    #[must_use]
    pub fn secure_settings(&self) -> Option<ListenSettings> {
        self.settings("secure", &self.secure)
    }

    /// The listener of everybody else.
    #[must_use]
    pub fn open_settings(&self) -> Option<ListenSettings> {
        self.settings("open", &self.open)
    }

    /// As the service of customers takes what is said of them.
    #[must_use]
    pub fn user_settings(&self) -> UserSettings {
        users::user_settings(&self.customers, &self.kyc, &self.sessions)
    }

    /// Whether /docs is served.
    #[must_use]
    pub fn shows_documents(&self, mode: Mode) -> bool {
        self.documents.unwrap_or(mode == Mode::Development)
    }

    fn settings(&self, name: &'static str, listener: &ApiListener) -> Option<ListenSettings> {
        let address = listener.listen?;
        let pair = listener.certificate.clone().zip(listener.key.clone());
        let files = pair.map(|(certificate, key)| ServerFiles { certificate, key });
        Some(ListenSettings { name, address, files, limits: self.limits.settings() })
    }

    pub(super) fn check(&self, mode: Mode, faults: &mut Faults) {
        self.secure.check("secure", mode, faults);
        self.open.check("open", mode, faults);
        self.limits.check(faults);
        self.certificates.check(faults);
        self.requests.check(faults);
        self.encryption.check(faults);
        self.sessions.check(mode, faults);
        self.customers.check(&self.kyc, faults);
        self.corporations.check(faults);
        self.cards.check(faults);
        self.programmes.check(faults);
        self.pools.check(faults);
        self.fees.check(faults);
        self.history.check(faults);
        self.kyc.check(faults);
        self.personalisation.check(faults);
        self.sandbox.check(mode, faults);
        self.operators.check(mode, faults);
        self.webhooks.check(mode, faults);
        self.mail.check(mode, faults);
        self.audit.check(faults);
    }
}

impl ApiListener {
    fn check(&self, name: &str, mode: Mode, faults: &mut Faults) {
        let path = |key| ["api", name, key];
        let Some(address) = self.listen else {
            let none = self.certificate.is_none() && self.key.is_none() && !self.in_clear;
            faults.require(none, &path("listen"), "where it listens; without it nothing is opened");
            return;
        };
        let pair = self.certificate.is_some() && self.key.is_some();
        if !self.in_clear {
            faults.require(
                pair,
                &path("certificate"),
                "set certificate and key: the management API is served over TLS",
            );
            return;
        }
        faults.require(
            name == "open",
            &path("in_clear"),
            "false: partners are known by the certificates that they show in the handshake",
        );
        faults.require(
            address.ip().is_loopback() && mode == Mode::Development,
            &path("in_clear"),
            "true for a developer alone: on a loopback address, and never in production",
        );
        let none = self.certificate.is_none() && self.key.is_none();
        faults.require(none, &path("in_clear"), "true without certificate and key, or false");
    }
}

impl ApiLimits {
    const fn settings(&self) -> ListenLimits {
        ListenLimits {
            connections: self.connections,
            handshake: Duration::from_millis(self.handshake_ms),
            first_request: Duration::from_millis(self.first_request_ms),
            next_request: Duration::from_millis(self.next_request_ms),
            head_bytes: self.head_bytes,
            headers: self.headers,
            reload: Duration::from_secs(self.reload_s),
        }
    }

    fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "limits", key];
        let connections = (1..=100_000).contains(&self.connections);
        faults.require(connections, &path("connections"), "from 1 to 100000");
        for (key, wait) in [
            ("handshake_ms", self.handshake_ms),
            ("first_request_ms", self.first_request_ms),
            ("next_request_ms", self.next_request_ms),
        ] {
            faults.require((50..=600_000).contains(&wait), &path(key), "from 50 to 600000");
        }
        let head = (8_192..=1_048_576).contains(&self.head_bytes);
        faults.require(head, &path("head_bytes"), "from 8192 to 1048576");
        faults.require((16..=1_000).contains(&self.headers), &path("headers"), "from 16 to 1000");
        let reload = (1..=86_400).contains(&self.reload_s);
        faults.require(reload, &path("reload_s"), "from 1 to 86400");
    }
}

impl ApiRequests {
    /// As the layers take them.
    #[must_use]
    pub fn rates(&self) -> RatesSettings {
        let rate = |per_second: u32, burst: u32| Rate {
            every: Duration::from_secs(1).checked_div(per_second).unwrap_or(Duration::MAX),
            burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN),
        };
        RatesSettings {
            source: rate(self.source_per_second, self.source_burst),
            caller: rate(self.caller_per_second, self.caller_burst),
            proof: rate(self.proof_per_second, self.proof_burst),
            buckets: self.told_apart,
        }
    }

    fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "requests", key];
        let body = (1_024..=1_048_576).contains(&self.body_bytes);
        faults.require(body, &path("body_bytes"), "from 1024 to 1048576");
        let slow = (100..=600_000).contains(&self.body_ms);
        faults.require(slow, &path("body_ms"), "from 100 to 600000");
        for (key, rate) in [
            ("source_per_second", self.source_per_second),
            ("source_burst", self.source_burst),
            ("caller_per_second", self.caller_per_second),
            ("caller_burst", self.caller_burst),
            ("proof_per_second", self.proof_per_second),
            ("proof_burst", self.proof_burst),
        ] {
            faults.require((1..=100_000).contains(&rate), &path(key), "from 1 to 100000");
        }
        let apart = (100..=1_000_000).contains(&self.told_apart);
        faults.require(apart, &path("told_apart"), "from 100 to 1000000");
        faults.require(
            (24..=8_784).contains(&self.keep_answers_hours),
            &path("keep_answers_hours"),
            "from 24 to 8784: callers rely on a day",
        );
        let claim = (5_000..=3_600_000).contains(&self.claim_ms);
        faults.require(claim, &path("claim_ms"), "from 5000 to 3600000");
        let waiting = (10..=100_000).contains(&self.audit_waiting);
        faults.require(waiting, &path("audit_waiting"), "from 10 to 100000");
    }
}

impl ApiCertificates {
    /// Where the authority lies.
    #[must_use]
    pub fn files(&self) -> AuthorityFiles {
        let (key, certificate) = (self.key_file.clone(), self.certificate_file.clone());
        AuthorityFiles { key, certificate }
    }

    /// As the service takes them.
    #[must_use]
    pub const fn settings(&self) -> CertificateSettings {
        CertificateSettings {
            days: self.days,
            most_live: self.most_live,
            refresh: Duration::from_millis(self.refresh_ms),
            stale: Duration::from_millis(self.stale_ms),
            known: self.known,
        }
    }

    fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "certificates", key];
        faults.require(
            (1..=825).contains(&self.days),
            &path("days"),
            "from 1 to 825: a key that is lost unnoticed must end by itself",
        );
        let live = (1..=1_000).contains(&self.most_live);
        faults.require(live, &path("most_live"), "from 1 to 1000");
        faults.require(
            (100..=600_000).contains(&self.refresh_ms),
            &path("refresh_ms"),
            "from 100 to 600000: for so long another node still takes one that was revoked",
        );
        faults.require(
            self.stale_ms > self.refresh_ms && self.stale_ms <= 3_600_000,
            &path("stale_ms"),
            "longer than refresh_ms, and at most 3600000",
        );
        let known = (100..=1_000_000).contains(&self.known);
        faults.require(known, &path("known"), "from 100 to 1000000");
        faults.require(
            self.key_file != self.certificate_file,
            &path("certificate_file"),
            "another file than key_file",
        );
    }
}
