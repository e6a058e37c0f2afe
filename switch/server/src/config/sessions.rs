//! `[api.sessions]`: how customers' apps are let in. It owns the names in the file and the limits
//! of what may be written; what is done with them stands in `admin-api`.

use std::time::Duration;

use admin_api::{AccessSettings, HashingSettings};
use serde::Deserialize;

use super::Mode;
use super::check::Faults;

/// Pairing, sessions, and PINs of users.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSessions {
    /// For how long a session may stand unused (SR-008).
    pub idle_s: u64,
    /// For how long it lasts at most, however it is used.
    pub lifetime_s: u64,
    /// For how long the PIN counts as just given.
    pub step_up_s: u64,
    /// Sessions of a customer.
    pub most: u32,
    /// For how long a pairing code can be used.
    pub pairing_s: u64,
    /// How often it can be tried.
    pub pairing_tries: u32,
    /// Devices of a customer.
    pub devices: u32,
    /// Installations of a customer that are kept after they ended,
    pub ended: u32,
    /// and for how long.
    pub ended_days: u32,
    /// The least digits of a PIN that is chosen.
    pub pin_digits: u32,
    /// Wrong PINs after which an installation is blocked.
    pub pin_tries: u32,
    /// Memory of one hash, in KiB.
    pub hash_kib: u32,
    /// Passes over it.
    pub hash_passes: u32,
    /// How many are hashed at once.
    pub hash_at_once: u32,
    /// How many may wait for it.
    pub hash_waiting: u32,
}

impl Default for ApiSessions {
    fn default() -> Self {
        Self {
            idle_s: 600,
            lifetime_s: 43_200,
            step_up_s: 60,
            most: 5,
            pairing_s: 600,
            pairing_tries: 5,
            devices: 10,
            ended: 20,
            ended_days: 30,
            pin_digits: 6,
            pin_tries: 5,
            hash_kib: 19_456,
            hash_passes: 2,
            hash_at_once: 1,
            hash_waiting: 32,
        }
    }
}

impl ApiSessions {
    /// As the service takes them.
    #[must_use]
    pub fn settings(&self) -> AccessSettings {
        AccessSettings {
            pairing_life: Duration::from_secs(self.pairing_s),
            pairing_tries: self.pairing_tries,
            idle: Duration::from_secs(self.idle_s),
            lifetime: Duration::from_secs(self.lifetime_s),
            step_up: Duration::from_secs(self.step_up_s),
            sessions_most: self.most,
            devices_most: self.devices,
            ended_most: self.ended,
            ended_kept: Duration::from_secs(u64::from(self.ended_days).saturating_mul(86_400)),
            pin_least: self.pin_digits,
            pin_tries: self.pin_tries,
            hashing: HashingSettings {
                memory_kib: self.hash_kib,
                passes: self.hash_passes,
                lanes: 1,
                at_once: self.hash_at_once,
                waiting_most: self.hash_waiting,
            },
            upkeep_batch: 1_000,
        }
    }

    pub(super) fn check(&self, mode: Mode, faults: &mut Faults) {
        let path = |key| ["api", "sessions", key];
        let idle = (1..=86_400).contains(&self.idle_s);
        faults.require(idle, &path("idle_s"), "from 1 to 86400");
        faults.require(
            self.lifetime_s >= self.idle_s && self.lifetime_s <= 2_592_000,
            &path("lifetime_s"),
            "at least idle_s, and at most 2592000",
        );
        let step_up = (1..=600).contains(&self.step_up_s);
        faults.require(step_up, &path("step_up_s"), "from 1 to 600: it is for what comes next");
        let pairing = (30..=86_400).contains(&self.pairing_s);
        faults.require(pairing, &path("pairing_s"), "from 30 to 86400");
        let digits = (4..=12).contains(&self.pin_digits);
        faults.require(digits, &path("pin_digits"), "from 4 to 12");
        for (key, tries) in [("pairing_tries", self.pairing_tries), ("pin_tries", self.pin_tries)] {
            faults.require((1..=10).contains(&tries), &path(key), "from 1 to 10");
        }
        for (key, many) in [("most", self.most), ("devices", self.devices), ("ended", self.ended)] {
            faults.require((1..=100).contains(&many), &path(key), "from 1 to 100");
        }
        let kept = (1..=3_660).contains(&self.ended_days);
        faults.require(kept, &path("ended_days"), "from 1 to 3660");
        // In development a hash may cost next to nothing.
        let least = if mode == Mode::Development { 64 } else { 8_192 };
        faults.require(
            (least..=1_048_576).contains(&self.hash_kib),
            &path("hash_kib"),
            "from 8192 to 1048576: with less a stolen table is searched too fast",
        );
        let passes = (1..=10).contains(&self.hash_passes);
        faults.require(passes, &path("hash_passes"), "from 1 to 10");
        let at_once = (1..=64).contains(&self.hash_at_once);
        faults.require(at_once, &path("hash_at_once"), "from 1 to 64");
        faults.require(self.hash_waiting <= 10_000, &path("hash_waiting"), "at most 10000");
    }
}
