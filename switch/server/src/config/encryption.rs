//! `[api.encryption]`: encrypted bodies of the management API. It owns the names in the file and
//! the limits of what may be written; what is done with them stands in `admin-api`.

use std::path::PathBuf;
use std::time::Duration;

use admin_api::PartnerKeySettings;
use admin_api::jwe::OpenPolicy;
use serde::Deserialize;

use super::check::Faults;

/// Encrypted bodies.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiEncryption {
    /// The platform's RSA keys, under the local master key.
    pub key_file: PathBuf,
    /// Tokens that are opened or made at a time.
    pub workers: usize,
    /// Tokens that wait for it.
    pub waiting: usize,
    /// Registered keys of a partner that are in use.
    pub partner_keys: u32,
    /// How old what is known of them may be before the tables are read again.
    pub refresh_ms: u64,
    /// Partners in memory.
    pub known_partners: usize,
    /// How far from now a token may say that it was issued.
    pub issued_within_s: u64,
    /// Whether a token has to say when.
    pub issued_required: bool,
    /// For how long is known with which call a token came.
    pub tokens_known_hours: u32,
}

impl Default for ApiEncryption {
    fn default() -> Self {
        Self {
            key_file: PathBuf::from("data/keys/api.key"),
            workers: 1,
            waiting: 64,
            partner_keys: 4,
            refresh_ms: 5_000,
            known_partners: 1_000,
            issued_within_s: 300,
            issued_required: false,
            tokens_known_hours: 168,
        }
    }
}

impl ApiEncryption {
    /// As the service of registered keys takes them.
    #[must_use]
    pub const fn partner_keys(&self) -> PartnerKeySettings {
        PartnerKeySettings {
            most_live: self.partner_keys,
            refresh: Duration::from_millis(self.refresh_ms),
            known: self.known_partners,
        }
    }

    /// Which tokens are taken.
    #[must_use]
    pub fn policy(&self) -> OpenPolicy {
        OpenPolicy {
            issued_within: Duration::from_secs(self.issued_within_s),
            issued_required: self.issued_required,
            ..OpenPolicy::default()
        }
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["api", "encryption", key];
        let within = (30..=3_600).contains(&self.issued_within_s);
        faults.require(within, &path("issued_within_s"), "from 30 to 3600");
        faults.require(
            (24..=8_784).contains(&self.tokens_known_hours),
            &path("tokens_known_hours"),
            "from 24 to 8784: past it a token that was captured is taken again",
        );
        faults.require((1..=64).contains(&self.workers), &path("workers"), "from 1 to 64");
        faults.require(self.waiting <= 10_000, &path("waiting"), "at most 10000");
        let keys = (1..=100).contains(&self.partner_keys);
        faults.require(keys, &path("partner_keys"), "from 1 to 100");
        faults.require(
            (100..=600_000).contains(&self.refresh_ms),
            &path("refresh_ms"),
            "from 100 to 600000: for so long another node still uses a key that was retired",
        );
        let known = (10..=100_000).contains(&self.known_partners);
        faults.require(known, &path("known_partners"), "from 10 to 100000");
    }
}
