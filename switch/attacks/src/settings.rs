//! The limits of the counts. It owns their meaning; the server reads them from the configuration
//! file and says what cannot work.

use switch_domain::{MinorUnits, Timestamp};

use crate::kind::Kind;
use crate::window::SLOTS;

const MICROS: i64 = 1_000_000;

/// What comes of a limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whoever would be refused is named, and refused nothing.
    Shadow,
    /// The merchant is refused that BIN for a while.
    Block,
}

/// How often a kind may come in the window. Zero: as often as it likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// At one merchant, of one BIN: then that pair is blocked.
    pub pair: u32,
    /// The same, while BIN, merchant or acquirer has reached its own limit.
    pub pair_in_alarm: u32,
    /// At one merchant: an alarm.
    pub merchant: u32,
    /// Of one BIN: an alarm.
    pub bin: u32,
    /// By one acquirer: an alarm.
    pub acquirer: u32,
}

/// All settings.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What comes of it.
    pub mode: Mode,
    /// How long what was counted counts, in seconds.
    pub window_s: i64,
    /// How long a pair is blocked, in seconds.
    pub block_s: i64,
    /// Of a pair's attempts without the card in the window, at least so many in a hundred must be
    /// of the kind: a large merchant has some wrong ones among many good ones.
    pub share_percent: u8,
    /// An amount up to this is small, in minor units of whatever currency.
    pub small: MinorUnits,
    /// Pairs, merchants, BINs and acquirers that are counted, so many of each. Beyond that the one
    /// of which nothing was counted for the longest time is forgotten, but for blocked pairs.
    pub entries: usize,
    /// Pairs that are blocked at a time. One more is named, and not blocked.
    pub blocks: usize,
    /// Alarms in a minute. More are counted only.
    pub alarms_a_minute: u32,
    /// News that nobody has taken yet. One more is counted only.
    pub untold: usize,
    /// By kind, in the order of [`Kind::ALL`].
    pub limits: [Limits; Kind::COUNT],
}

impl Settings {
    /// In which part of a window a moment lies.
    pub(crate) fn slot(&self, at: Timestamp) -> i64 {
        let length = self.window_s.saturating_mul(MICROS).checked_div(SLOTS as i64).unwrap_or(1);
        at.0.div_euclid(length.max(1))
    }

    /// When what was counted at a moment counts no more.
    pub(crate) const fn after_window(&self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.saturating_add(self.window_s.saturating_mul(MICROS)))
    }

    /// When a block that begins at a moment ends.
    pub(crate) const fn after_block(&self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.saturating_add(self.block_s.saturating_mul(MICROS)))
    }

    /// Those of a kind.
    pub(crate) fn of(&self, kind: Kind) -> Limits {
        self.limits.get(kind.index()).copied().unwrap_or_default()
    }
}

/// In which minute a moment lies.
pub(crate) const fn minute(at: Timestamp) -> i64 {
    at.0.div_euclid(60 * MICROS)
}
