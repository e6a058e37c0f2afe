//! What a chip makes of the issuer's answer. Must believe nothing that is not authenticated.

use super::cipher::{Block, Key, over, retail_mac, triple};
use super::kind::CardKind;
use super::tlv;

/// What a chip found in an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IssuerAnswer {
    /// No issuer authentication data (tag 91).
    Absent,
    /// It is the issuer's, and says whether the card may approve.
    Right {
        /// It may.
        approved: bool,
    },
    /// It is not the issuer's, or is none of such cards.
    Wrong,
}

/// What a chip must remember to judge the answer.
#[derive(Clone)]
pub(super) struct Expected {
    pub(super) kind: CardKind,
    pub(super) key: Key,
    pub(super) cryptogram: Block,
}

impl Expected {
    /// Judges field 55 of an answer.
    pub(super) fn judge(&self, chip_data: &[u8]) -> IssuerAnswer {
        let Some(came) = tlv::find(chip_data, 0x91) else { return IssuerAnswer::Absent };
        match self.approval(came) {
            Some(approved) => IssuerAnswer::Right { approved },
            None => IssuerAnswer::Wrong,
        }
    }

    /// Whether the card may approve; `None` where nobody who has the key says so.
    fn approval(&self, came: &[u8]) -> Option<bool> {
        let [first, second, ..] = *came.get(8..).unwrap_or_default() else {
            return self.approval_by_status(came);
        };
        match self.kind {
            CardKind::Visa18 | CardKind::Visa22 => self.approval_by_status(came),
            CardKind::Visa10 | CardKind::MChip10 | CardKind::MChip15 => {
                let code = [first, second, 0, 0, 0, 0, 0, 0];
                let made = triple(&self.key, over(self.cryptogram, code));
                let whole = came.len() == 10 && came.starts_with(&made);
                let visa = self.kind == CardKind::Visa10;
                // Visa's has the response code, M/Chip's a bit of its own.
                let approved = if visa { [first, second] == *b"00" } else { second & 0x10 != 0 };
                whole.then_some(approved)
            }
        }
    }

    fn approval_by_status(&self, came: &[u8]) -> Option<bool> {
        let (code, behind) = came.split_at_checked(4)?;
        let by_status = matches!(self.kind, CardKind::Visa18 | CardKind::Visa22);
        let approved = behind.get(1)? & 0x80 != 0;
        let message = [&self.cryptogram[..], behind].concat();
        let made = retail_mac(&self.key, true, &message);
        (by_status && (4..=12).contains(&behind.len()) && made.starts_with(code))
            .then_some(approved)
    }
}
