//! The keys of one card: from an issuer's master key, its number and its sequence number (EMV Book
//! 2 annex A1.4). It owns both options and the parity of what is derived; a key has no printable
//! form and is wiped on drop.

use sha1::{Digest, Sha1};
use switch_domain::Pan;
use zeroize::Zeroizing;

use super::EmvError;
use crate::decimal::{self, decimalise};
use crate::des_pair::{BLOCK, Block, DesPair};

/// Digits that option A takes: those of one block.
const OPTION_A_DIGITS: usize = 16;
/// Digits of the longest number and its sequence number, in bytes.
const NUMBER_BYTES: usize = 11;
const SEQUENCE_DIGITS: usize = 2;
/// The largest sequence number (tag 5F34): two decimal digits.
const LAST_SEQUENCE: u8 = 99;

/// How a card's key is made from the master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardKeyOption {
    /// The last sixteen digits of number and sequence number.
    A,
    /// A hash of all digits where the number has more than sixteen; else option A.
    B,
}

/// A card: its number and which of the cards of that number it is.
pub(crate) struct ChipCard<'a> {
    pub(crate) pan: &'a Pan,
    pub(crate) sequence: u8,
}

/// A key that is derived for one card or one session, with its bytes: Visa's PIN blocks and session
/// keys are made of them.
pub(crate) struct DerivedKey {
    bytes: Zeroizing<[u8; 16]>,
    cipher: DesPair,
}

impl DerivedKey {
    /// Of two blocks, with the parity of each byte made odd.
    pub(super) fn of_halves(left: Block, right: Block) -> Self {
        let (left, right) = (Zeroizing::new(odd(left)), Zeroizing::new(odd(right)));
        let mut bytes = Zeroizing::new([0; 16]);
        for (slot, byte) in bytes.iter_mut().zip(left.iter().chain(right.iter())) {
            *slot = *byte;
        }
        Self { bytes, cipher: DesPair::of_halves(&left, &right) }
    }

    pub(crate) fn cipher(&self) -> &DesPair {
        &self.cipher
    }

    pub(super) fn left(&self) -> &Block {
        self.bytes.first_chunk().unwrap_or(&[0; BLOCK])
    }

    pub(super) fn right(&self) -> &Block {
        self.bytes.last_chunk().unwrap_or(&[0; BLOCK])
    }
}

fn odd(block: Block) -> Block {
    block.map(|byte| {
        let key = byte & 0xFE;
        key | u8::from(key.count_ones() & 1 == 0)
    })
}

/// The key of a card.
pub(crate) fn derive(
    option: CardKeyOption,
    master: &DesPair,
    card: &ChipCard<'_>,
) -> Result<DerivedKey, EmvError> {
    if card.sequence > LAST_SEQUENCE {
        return Err(EmvError::Malformed);
    }
    let by_hash =
        option == CardKeyOption::B && card.pan.digits_for_security().len() > OPTION_A_DIGITS;
    let left = if by_hash { hashed(card) } else { packed::<BLOCK>(card) };
    let right = Zeroizing::new(left.map(|byte| !byte));
    Ok(DerivedKey::of_halves(master.encrypt(*left), master.encrypt(*right)))
}

/// The last digits of number and sequence number, as many as fit, with zeros before them.
fn packed<const N: usize>(card: &ChipCard<'_>) -> Zeroizing<[u8; N]> {
    let sequence = [card.sequence % 10, card.sequence / 10];
    let number = card.pan.digits_for_security().iter().rev().map(|digit| digit & 0x0F);
    let mut digits = sequence.into_iter().chain(number);
    let mut bytes = Zeroizing::new([0; N]);
    for slot in bytes.iter_mut().rev() {
        let low = digits.next().unwrap_or(0);
        *slot = digits.next().unwrap_or(0) << 4 | low;
    }
    bytes
}

/// Sixteen digits of the SHA-1 of all digits: those that are decimal, and where they are too few,
/// the others as 0 to 5 behind them.
fn hashed(card: &ChipCard<'_>) -> Zeroizing<Block> {
    let all = packed::<NUMBER_BYTES>(card);
    let digits = card.pan.digits_for_security().len().saturating_add(SEQUENCE_DIGITS);
    let unused = NUMBER_BYTES.saturating_sub(digits.div_ceil(2));
    let hash = Zeroizing::new(<[u8; 20]>::from(Sha1::digest(all.get(unused..).unwrap_or(&[]))));
    let digits = Zeroizing::new(decimalise::<OPTION_A_DIGITS>(&*hash));
    Zeroizing::new(decimal::packed(*digits))
}
