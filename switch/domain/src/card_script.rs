//! A command for a card's chip that an answer took along (issuer script), and what became of it. It
//! owns how what the chip reports later is understood; the command itself is kept nowhere.

use crate::{Chip, ChipFact};

/// What a chip was told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptKind {
    /// Its PIN is another one.
    ChangePin,
    /// Its counter of wrong PINs begins anew.
    UnblockPin,
}

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptStanding {
    /// It went with an approval; the chip has not said more.
    Sent,
    /// The chip says that it was performed.
    Performed,
    /// The chip or its terminal says that it was not.
    Failed,
}

/// The last command of a card. There is one at most: the next takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardScript {
    /// What it does.
    pub kind: ScriptKind,
    /// Of which of the card's chips, by sequence number.
    pub sequence: u8,
    /// The transaction counter of the request whose answer took it along.
    pub atc: u16,
    /// What became of it.
    pub standing: ScriptStanding,
}

impl CardScript {
    /// The same after the chip has said this, in a transaction that its cryptogram vouches for.
    /// Where it says nothing of commands, nobody knows more than before.
    #[must_use]
    pub const fn heard(self, chip: &Chip) -> Self {
        let later = chip.sequence == self.sequence && chip.atc > self.atc;
        if !later || !matches!(self.standing, ScriptStanding::Sent) {
            return self;
        }
        let standing = if chip.facts.contains(ChipFact::ScriptFailed) {
            ScriptStanding::Failed
        } else if chip.facts.contains(ChipFact::ScriptPerformed) {
            ScriptStanding::Performed
        } else {
            ScriptStanding::Sent
        };
        Self { standing, ..self }
    }
}

impl ScriptKind {
    /// All of them, for tables.
    pub const ALL: [Self; 2] = [Self::ChangePin, Self::UnblockPin];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChangePin => "change_pin",
            Self::UnblockPin => "unblock_pin",
        }
    }
}

impl ScriptStanding {
    /// All of them, for tables.
    pub const ALL: [Self; 3] = [Self::Sent, Self::Performed, Self::Failed];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Performed => "performed",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChipDifferences, CryptogramType, Finding};

    #[test]
    fn the_first_that_the_chip_says_of_it_later_stands() {
        let sent = CardScript {
            kind: ScriptKind::ChangePin,
            sequence: 1,
            atc: 7,
            standing: ScriptStanding::Sent,
        };
        let said = |sequence, atc, facts: &[ChipFact]| Chip {
            atc,
            sequence,
            cryptogram: Finding::Matched,
            kind: CryptogramType::Request,
            differs: ChipDifferences::NONE,
            tolerated: ChipDifferences::NONE,
            facts: facts.iter().copied().collect(),
        };
        let (performed, failed) = (ChipFact::ScriptPerformed, ChipFact::ScriptFailed);
        for (chip, standing) in [
            (said(1, 8, &[]), ScriptStanding::Sent),
            (said(1, 8, &[performed]), ScriptStanding::Performed),
            (said(1, 9, &[failed]), ScriptStanding::Failed),
            (said(1, 9, &[performed, failed]), ScriptStanding::Failed),
            (said(2, 8, &[performed]), ScriptStanding::Sent),
            (said(1, 7, &[performed]), ScriptStanding::Sent),
        ] {
            assert_eq!(sent.heard(&chip).standing, standing, "{chip:?}");
        }
        let known = sent.heard(&said(1, 8, &[performed]));
        assert_eq!(known.heard(&said(1, 9, &[failed])), known, "that is of another");
    }
}
