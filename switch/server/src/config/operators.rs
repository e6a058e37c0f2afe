//! `[api.operators]`: how operators prove themselves, and for how long. It owns the limits within
//! which these may be set; what is done with them stands in `admin-api`.

use std::path::PathBuf;
use std::time::Duration;

use admin_api::HashingSettings;
use admin_api::operators::{OperatorSettings, PasswordRules};
use serde::Deserialize;

use super::Mode;
use super::check::Faults;

/// Which passwords operators choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PasswordProfile {
    /// PCI DSS 8.3.6: letters and digits.
    #[default]
    Pci,
    /// ASVS 6.2.5: no rule but the length.
    Asvs,
}

/// Operators.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiOperators {
    /// The key of their second factors, under the local master key.
    pub key_file: PathBuf,
    /// How many there may be.
    pub most: u32,
    /// Argon2id: memory of one, in KiB.
    pub hash_memory_kib: u32,
    /// Argon2id: passes.
    pub hash_passes: u32,
    /// Argon2id: lanes.
    pub hash_lanes: u32,
    /// Passwords that are hashed at a time.
    pub hashing: u32,
    /// Passwords that wait for it.
    pub hashing_waiting: u32,
    /// Tries that are looked at; then there are none for `locked_minutes`.
    pub tries: u32,
    /// For how long nobody gets in under a name with too many tries.
    pub locked_minutes: u32,
    /// After which time a session ends that nobody uses.
    pub idle_s: u32,
    /// After which time a session ends.
    pub session_hours: u32,
    /// Sessions of an operator at a time.
    pub sessions_most: u32,
    /// For how long a password that somebody else gave opens.
    pub first_password_hours: u32,
    /// Who was not here for so long is not let in.
    pub unseen_days: u32,
    /// Which rules passwords follow.
    pub password_profile: PasswordProfile,
    /// Characters of a password, at least.
    pub password_least: u32,
    /// How many of the latest passwords do not come again.
    pub password_not_of_latest: u32,
}

impl Default for ApiOperators {
    fn default() -> Self {
        Self {
            key_file: PathBuf::from("data/keys/operators.key"),
            most: 200,
            hash_memory_kib: 19_456,
            hash_passes: 2,
            hash_lanes: 1,
            hashing: 2,
            hashing_waiting: 32,
            tries: 10,
            locked_minutes: 30,
            idle_s: 900,
            session_hours: 12,
            sessions_most: 5,
            first_password_hours: 72,
            unseen_days: 90,
            password_profile: PasswordProfile::Pci,
            password_least: 12,
            password_not_of_latest: 4,
        }
    }
}

impl ApiOperators {
    /// As the service takes them.
    #[must_use]
    pub fn settings(&self) -> OperatorSettings {
        let seconds = |count: u32, each: u64| Duration::from_secs(u64::from(count) * each);
        OperatorSettings {
            most: self.most,
            hashing: HashingSettings {
                memory_kib: self.hash_memory_kib,
                passes: self.hash_passes,
                lanes: self.hash_lanes,
                at_once: self.hashing,
                waiting_most: self.hashing_waiting,
            },
            tries: self.tries,
            locked: seconds(self.locked_minutes, 60),
            idle: seconds(self.idle_s, 1),
            session: seconds(self.session_hours, 3_600),
            sessions_most: self.sessions_most,
            first_password: seconds(self.first_password_hours, 3_600),
            unseen: seconds(self.unseen_days, 86_400),
            passwords: PasswordRules {
                least: self.password_least,
                letters_and_digits: self.password_profile == PasswordProfile::Pci,
                not_of_latest: self.password_not_of_latest,
            },
        }
    }

    pub(super) fn check(&self, mode: Mode, faults: &mut Faults) {
        // In development a hash may cost next to nothing; Argon2 itself wants 8 KiB for each lane.
        let least_memory = if mode == Mode::Development { 64 } else { 19_456 };
        for (key, value, least, most) in [
            ("most", self.most, 1, 10_000),
            ("hash_memory_kib", self.hash_memory_kib, least_memory, 1_048_576),
            ("hash_passes", self.hash_passes, 1, 100),
            ("hash_lanes", self.hash_lanes, 1, 8),
            ("hashing", self.hashing, 1, 64),
            ("hashing_waiting", self.hashing_waiting, 0, 10_000),
            ("tries", self.tries, 1, 10),
            ("locked_minutes", self.locked_minutes, 30, 10_080),
            ("idle_s", self.idle_s, 60, 900),
            ("session_hours", self.session_hours, 1, 24),
            ("sessions_most", self.sessions_most, 1, 100),
            ("first_password_hours", self.first_password_hours, 1, 168),
            ("unseen_days", self.unseen_days, 1, 90),
            ("password_least", self.password_least, 12, 64),
            ("password_not_of_latest", self.password_not_of_latest, 4, 24),
        ] {
            faults.require(
                (least..=most).contains(&value),
                &["api", "operators", key],
                format!("from {least} to {most}"),
            );
        }
    }
}
