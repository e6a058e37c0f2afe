//! Life times and limits of pairing and sessions. It owns their defaults, which are those of the
//! configuration.

use std::time::Duration;

use crate::service::proof::HashingSettings;

/// Life times and limits.
#[derive(Clone, Copy, Debug)]
pub struct AccessSettings {
    /// How long a pairing code can be used.
    pub pairing_life: Duration,
    /// How often it can be tried.
    pub pairing_tries: u32,
    /// For how long a session may stand unused.
    pub idle: Duration,
    /// For how long it lasts at most.
    pub lifetime: Duration,
    /// For how long the user PIN counts as just given.
    pub step_up: Duration,
    /// Sessions of a customer; the one that was used least recently gives way.
    pub sessions_most: u32,
    /// Devices of a customer.
    pub devices_most: u32,
    /// Installations of a customer that are kept after they ended.
    pub ended_most: u32,
    /// For how long those are kept.
    pub ended_kept: Duration,
    /// The least number of digits of a PIN that is chosen.
    pub pin_least: u32,
    /// Wrong PINs after which an installation is blocked.
    pub pin_tries: u32,
    /// How PINs are hashed.
    pub hashing: HashingSettings,
    /// How many rows of a table a step of the upkeep removes.
    pub upkeep_batch: u32,
}

impl Default for AccessSettings {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes.saturating_mul(60));
        Self {
            pairing_life: minutes(10),
            pairing_tries: 5,
            idle: minutes(10),
            lifetime: minutes(12 * 60),
            step_up: minutes(1),
            sessions_most: 5,
            devices_most: 10,
            ended_most: 20,
            ended_kept: minutes(30 * 24 * 60),
            pin_least: 6,
            pin_tries: 5,
            hashing: HashingSettings::default(),
            upkeep_batch: 1000,
        }
    }
}
