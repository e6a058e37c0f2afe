//! Limits and rules of cards over the API. It owns their defaults, which are those of the
//! configuration.

use std::time::Duration;

use switch_domain::{KeyLabel, LockCode, LockCodes};

use super::lock_policy::{Channel, LockPolicy, LockRights};

/// Limits and rules of cards.
#[derive(Clone, Debug)]
pub struct CardSettings {
    /// Cards of an account, removed ones aside.
    pub most: u32,
    /// For how many months a card is good, the one in which it is issued aside.
    pub months: u32,
    /// Changes of one card that wait for each other; one more is refused.
    pub in_turn: usize,
    /// So long before its end a card may be renewed, and ever after.
    pub renew_before: Duration,
    /// Who may set and lift which lock.
    pub locks: LockPolicy,
    /// Which PINs may be chosen, and how they go to the security module.
    pub pins: PinRules,
    /// Cards that are made while nobody waits.
    pub jobs: JobSettings,
}

/// Which PINs may be chosen.
#[derive(Clone, Debug)]
pub struct PinRules {
    /// The zone key that they are encrypted under on their way; empty: none can be set.
    pub key: KeyLabel,
    /// Digits at least.
    pub least: u8,
    /// Digits at most.
    pub most: u8,
    /// Those that nobody may have, beside rows and repetitions.
    pub refused: Vec<String>,
}

/// Cards that are made while nobody waits.
#[derive(Clone, Copy, Debug)]
pub struct JobSettings {
    /// How many may wait; then no more are taken.
    pub waiting_most: u32,
    /// How many are made at a step.
    pub at_once: u32,
    /// How long after a try the next one comes; each time twice as long.
    pub pause: Duration,
    /// The longest of those pauses.
    pub pause_most: Duration,
    /// For how long is tried at most.
    pub give_up_after: Duration,
    /// For how long it is told what became of one.
    pub kept: Duration,
}

impl Default for CardSettings {
    fn default() -> Self {
        let all = LockRights { sets: LockCodes::all(), lifts: reversible() };
        Self {
            most: 100,
            months: 48,
            in_turn: 16,
            renew_before: Duration::from_secs(60 * 24 * 3600),
            locks: LockPolicy::new(|_: Channel| all, false),
            pins: PinRules::default(),
            jobs: JobSettings::default(),
        }
    }
}

/// Those that can be taken back (SR-174): the seed lets everybody do it.
fn reversible() -> LockCodes {
    let codes = LockCode::ALL.into_iter().filter(|code| !code.is_irreversible());
    codes.collect()
}

impl Default for PinRules {
    fn default() -> Self {
        let refused = ["0852", "1004", "1122", "1212", "1313", "2000", "2580", "5683", "6969"];
        Self {
            key: KeyLabel::EMPTY,
            least: 4,
            most: 4,
            refused: refused.map(str::to_owned).to_vec(),
        }
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            waiting_most: 10_000,
            at_once: 8,
            pause: Duration::from_secs(5),
            pause_most: Duration::from_secs(600),
            give_up_after: Duration::from_secs(24 * 3600),
            kept: Duration::from_secs(30 * 24 * 3600),
        }
    }
}
