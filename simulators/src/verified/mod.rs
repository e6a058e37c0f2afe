//! Traffic of cards that are verified: chips sign, holders enter PINs, web shops ask for the
//! printed code, and a share of it is wrong on purpose. Each answer is judged by this package's own
//! table of DE39, and by the chip. A card is in one place at a time, as cards are.

mod drive;
mod plan;
mod report;

pub use drive::{Options, drive};
pub use plan::{Place, Step, Wrong};
pub use report::Report;

use anyhow::Result;
use serde::Serialize;

use crate::chip::pin_verification_value;
use crate::demo_file::VerifiedCards;

/// The number of the key of PIN references.
const KEY_INDEX: u8 = 1;

/// What a card's PIN is to be verified against, as its bureau tells the issuer.
#[derive(Clone, Serialize)]
pub struct PinReferenceOfCard {
    /// Which of the cards.
    pub card: usize,
    /// The number of the key.
    pub key_index: u8,
    /// The value (PVV), four digits.
    pub digits: String,
}

/// Which card only.
impl std::fmt::Debug for PinReferenceOfCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PinReferenceOfCard({})", self.card)
    }
}

/// The references of all cards.
///
/// # Errors
/// Never, for cards with numbers of digits and PINs of four at least.
pub fn pin_references(of: &VerifiedCards) -> Result<Vec<PinReferenceOfCard>> {
    let one = |(card, facts): (usize, &crate::chip::CardFacts)| {
        let key = &of.keys.pin_values;
        let digits = pin_verification_value(key, facts.pan.digits(), KEY_INDEX, &facts.pin);
        anyhow::ensure!(digits.len() == 4, "a card without a PIN");
        Ok(PinReferenceOfCard { card, key_index: KEY_INDEX, digits })
    };
    of.cards.iter().enumerate().map(one).collect()
}
