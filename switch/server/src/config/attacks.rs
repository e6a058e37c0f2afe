//! `[attacks]`: how many attempts at guessing cards are too many, and what comes of it. It owns the
//! names in the file and the defaults; what is counted is `switch-attacks`' affair.

use std::sync::Arc;

use serde::Deserialize;
use switch_attacks::{Limits, Mode, Settings, Watch};
use switch_domain::MinorUnits;

use super::check::Faults;

/// What comes of too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttackMode {
    /// Nothing is counted.
    Off,
    /// Whoever would be refused is named.
    Shadow,
    /// The merchant is refused the BIN.
    #[default]
    Block,
}

/// How often a kind may come in the window; 0: as often as it likes.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttackLimits {
    /// At one merchant and of one BIN.
    pub pair: u32,
    /// The same, while BIN, merchant or acquirer is in alarm.
    pub pair_in_alarm: u32,
    /// At one merchant.
    pub merchant: u32,
    /// Of one BIN.
    pub bin: u32,
    /// By one acquirer.
    pub acquirer: u32,
}

/// Attempts at guessing cards.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attacks {
    /// What comes of too many.
    pub mode: AttackMode,
    /// How long what was counted counts.
    pub window_s: u32,
    /// How long a pair is blocked.
    pub block_s: u32,
    /// Of a pair's attempts at least so many in a hundred must be of the kind.
    pub share_percent: u8,
    /// An amount up to this is small, in minor units.
    pub small_minor: u32,
    /// Pairs, merchants, BINs and acquirers that are counted, of each.
    pub entries: usize,
    /// Blocks in force at a time.
    pub blocks: usize,
    /// Alarms told in a minute.
    pub alarms_a_minute: u32,
    /// Alarms and blocks waiting to be kept.
    pub untold: usize,
    /// For how many days alarms and blocks are kept.
    pub keep_days: u32,
    /// Numbers of no card.
    pub unknown_card: AttackLimits,
    /// Months that are not the card's.
    pub wrong_expiry: AttackLimits,
    /// Printed codes that are not the card's.
    pub wrong_code: AttackLimits,
    /// Small amounts without the card, right or wrong.
    pub small_amount: AttackLimits,
}

impl Default for Attacks {
    fn default() -> Self {
        let limits = |pair, pair_in_alarm, merchant, bin, acquirer| AttackLimits {
            pair,
            pair_in_alarm,
            merchant,
            bin,
            acquirer,
        };
        Self {
            mode: AttackMode::Block,
            window_s: 600,
            block_s: 3_600,
            share_percent: 50,
            small_minor: 200,
            entries: 20_000,
            blocks: 5_000,
            alarms_a_minute: 60,
            untold: 1_000,
            keep_days: 400,
            unknown_card: limits(20, 5, 50, 200, 500),
            wrong_expiry: limits(30, 10, 100, 400, 1_000),
            wrong_code: limits(20, 10, 100, 400, 1_000),
            small_amount: limits(500, 100, 2_000, 5_000, 20_000),
        }
    }
}

impl AttackLimits {
    const fn as_counted(self) -> Limits {
        let Self { pair, pair_in_alarm, merchant, bin, acquirer } = self;
        Limits { pair, pair_in_alarm, merchant, bin, acquirer }
    }
}

impl Attacks {
    /// Who counts; `None` where nobody does.
    #[must_use]
    pub fn watch(&self) -> Option<Arc<Watch>> {
        let mode = match self.mode {
            AttackMode::Off => return None,
            AttackMode::Shadow => Mode::Shadow,
            AttackMode::Block => Mode::Block,
        };
        let kinds = [self.unknown_card, self.wrong_expiry, self.wrong_code, self.small_amount];
        Some(Arc::new(Watch::new(Settings {
            mode,
            window_s: i64::from(self.window_s),
            block_s: i64::from(self.block_s),
            share_percent: self.share_percent,
            small: MinorUnits(i64::from(self.small_minor)),
            entries: self.entries,
            blocks: self.blocks,
            alarms_a_minute: self.alarms_a_minute,
            untold: self.untold,
            limits: kinds.map(AttackLimits::as_counted),
        })))
    }

    /// What cannot work.
    pub(super) fn check(&self, faults: &mut Faults) {
        let path = |key| ["attacks", key];
        let seconds = |value: u32, low: u32| (low..=604_800).contains(&value);
        faults.require(seconds(self.window_s, 60), &path("window_s"), "from 60 to 604800");
        faults.require(seconds(self.block_s, 60), &path("block_s"), "from 60 to 604800");
        faults.require(self.share_percent <= 100, &path("share_percent"), "from 0 to 100");
        let entries = (100..=1_000_000).contains(&self.entries);
        faults.require(entries, &path("entries"), "from 100 to 1000000");
        let blocks = self.blocks > 0 && self.blocks <= self.entries / 2;
        faults.require(
            blocks,
            &path("blocks"),
            "from 1 to half of entries: those are never dropped",
        );
        let told = (1..=10_000).contains(&self.alarms_a_minute);
        faults.require(told, &path("alarms_a_minute"), "from 1 to 10000");
        let untold = (10..=100_000).contains(&self.untold);
        faults.require(untold, &path("untold"), "from 10 to 100000");
        // They are entries of the audit trail.
        let kept = (366..=3_660).contains(&self.keep_days);
        faults.require(kept, &path("keep_days"), "from 366 to 3660: a year has to be at hand");
    }
}
