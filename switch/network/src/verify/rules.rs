//! By what a link verifies cards: the module, the names of its keys, how it is waited for, and what
//! is agreed with the peer. It owns these settings and their defaults.

use std::sync::Arc;
use std::time::Duration;

use switch_domain::ChipDifferences;
use switch_security::{CardSecurity, KeyHandle, KeyRing, KeyUsage};

use crate::presented::PinRule;

/// Where the names of keys become what the security module knows them by.
pub trait CardKeys: Send + Sync {
    /// The key of this name for this use.
    fn card_key(&self, name: &str, usage: KeyUsage) -> Option<KeyHandle>;
}

impl CardKeys for KeyRing {
    fn card_key(&self, name: &str, usage: KeyUsage) -> Option<KeyHandle> {
        self.find_named(name, usage)
    }
}

/// What is done with chip data that cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnusableChip {
    /// The request goes on with a cryptogram that nobody can tell, and is declined for that.
    #[default]
    Decline,
    /// The message is answered with a format error that names field 55.
    FormatError,
}

/// How a module is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For so long; then nobody can tell.
    pub deadline: Duration,
    /// So many messages of a connection at a time; one more does not wait.
    pub most: usize,
}

/// What a link lays down for verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardCheckRules {
    /// What is agreed about PIN blocks.
    pub pin: PinRule,
    /// What the chip may say otherwise than the message.
    pub tolerated: ChipDifferences,
    /// What is done with chip data that cannot be used.
    pub unusable_chip: UnusableChip,
    /// Where issuers of this switch put the value of track 1 and of track 2: the place of its first
    /// digit among the discretionary data, from 1.
    pub value_at: [usize; 2],
}

/// The usual place: behind the index and the four digits of a PIN verification value.
const USUAL_PLACE: usize = 6;

impl Default for CardCheckRules {
    fn default() -> Self {
        Self {
            pin: PinRule::default(),
            tolerated: ChipDifferences::NONE,
            unusable_chip: UnusableChip::default(),
            value_at: [USUAL_PLACE; 2],
        }
    }
}

/// All that a link verifies cards by.
#[derive(Clone)]
pub struct CardChecks {
    /// Who has the keys and compares.
    pub module: Arc<dyn CardSecurity>,
    /// The names of keys.
    pub keys: Arc<dyn CardKeys>,
    /// How the module is waited for; `None` where it answers at once, as the software module does.
    pub waits: Option<Waits>,
    /// What the link lays down.
    pub rules: CardCheckRules,
}

impl std::fmt::Debug for CardChecks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { waits, rules, .. } = self;
        f.debug_struct("CardChecks").field("waits", waits).field("rules", rules).finish()
    }
}
