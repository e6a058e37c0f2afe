//! Life times and limits of operators. It owns their defaults, which are those of the
//! configuration.

use std::time::Duration;

use crate::service::proof::HashingSettings;

/// Life times and limits.
#[derive(Clone, Copy, Debug)]
pub struct OperatorSettings {
    /// How many operators there may be, blocked ones included.
    pub most: u32,
    /// How passwords are hashed: in a pool of its own, so that customers do not keep operators out.
    pub hashing: HashingSettings,
    /// Tries that are looked at; then nobody gets in under that name for a time.
    pub tries: u32,
    /// For so long.
    pub locked: Duration,
    /// A session that nobody uses ends after this.
    pub idle: Duration,
    /// A session ends after this, however it is used.
    pub session: Duration,
    /// Sessions of an operator; one more ends the oldest.
    pub sessions_most: u32,
    /// For so long a password that somebody else gave opens.
    pub first_password: Duration,
    /// Who has not been in for so long is not let in.
    pub unseen: Duration,
    /// Which passwords may be chosen.
    pub passwords: PasswordRules,
}

/// Which passwords may be chosen.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules {
    /// Characters at least.
    pub least: u32,
    /// Whether there must be letters and digits.
    pub letters_and_digits: bool,
    /// How many of the latest, the one that is in use included, do not come again.
    pub not_of_latest: u32,
}

impl Default for OperatorSettings {
    fn default() -> Self {
        Self {
            most: 200,
            hashing: HashingSettings::default(),
            tries: 10,
            locked: Duration::from_secs(30 * 60),
            idle: Duration::from_secs(15 * 60),
            session: Duration::from_secs(12 * 3600),
            sessions_most: 5,
            first_password: Duration::from_secs(72 * 3600),
            unseen: Duration::from_secs(90 * 86_400),
            passwords: PasswordRules::default(),
        }
    }
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { least: 12, letters_and_digits: true, not_of_latest: 4 }
    }
}
