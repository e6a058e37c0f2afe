//! Commands to a card behind an answer (issuer scripts, tags 71 and 72), protected by secure
//! messaging (EMV Book 2 section 9). It owns the commands there are and how each is protected;
//! which of them a card shall get, and whether it took it, is others' to know.

use zeroize::Zeroizing;

use super::card_key::{ChipCard, DerivedKey, derive};
use super::retail_mac::retail_mac;
use super::session_key::{common, visa_exclusive_or};
use super::{CRYPTOGRAM, CryptogramProfile, EmvError};
use crate::card_security::Script;
use crate::des_pair::{BLOCK, Block, DesPair};
use crate::mac::MacPadding;

const MOST: usize = Script::MAX_BYTES;
/// Bytes of the authentication code.
const MAC: usize = 8;
/// The class of commands under secure messaging of format 2.
const CLASS: u8 = 0x84;
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=12;
const FILLER: u8 = 0x0F;
const FORMAT_2: u8 = 2;
/// Eight bytes of it, before the block; padding method 2, behind it.
const BLOCK_LENGTH: u8 = 8;
const ONE_BIT: u8 = 0x80;

/// How the session keys of commands are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptSession {
    /// Visa's: the transaction counter over the card's key.
    VisaExclusiveOr,
    /// EMV common session key, from the cryptogram of the request.
    Cryptogram,
}

/// How a new PIN is put into a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPinBlock {
    /// Visa's: with the end of the left half of the card's cryptogram key laid over it.
    VisaCardKey,
    /// Format 2 of ISO 9564.
    Format2,
}

/// How that block is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinEncryption {
    /// Its length before it and padding method 2 behind it, each block by itself.
    LengthAndPadding,
    /// As it is.
    BlockAlone,
}

/// What is different in the second command behind an answer, and each after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextCommand {
    /// There is none: such cards get one command behind an answer.
    None,
    /// It takes the cryptogram plus one in the place of the cryptogram, and so on (Mastercard).
    CryptogramPlusOne,
}

/// How commands to cards of a profile are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptMethod {
    /// The session keys.
    pub session: ScriptSession,
    /// The block of a new PIN.
    pub pin_block: NewPinBlock,
    /// Its encryption.
    pub pin_encryption: PinEncryption,
    /// The commands after the first.
    pub next: NextCommand,
}

/// A command to a card. It may hold PINs, in ASCII digits, and cannot be printed.
#[derive(Clone, Copy)]
pub(crate) enum CardCommand<'a> {
    /// What the vectors have where a card is to get a code alone.
    #[cfg(test)]
    UnblockApplication,
    /// The card's own counter of wrong PINs begins anew.
    UnblockPin,
    /// The card's own PIN is the new one from now on; its counter begins anew.
    ChangePin { new: &'a [u8], current: Option<&'a [u8]> },
}

impl CardCommand<'_> {
    /// Instruction and parameters. The last one says whether the present PIN is in the block.
    const fn header(&self, form: NewPinBlock) -> [u8; 3] {
        match (self, form) {
            #[cfg(test)]
            (Self::UnblockApplication, _) => [0x18, 0x00, 0x00],
            (Self::UnblockPin, _) => [0x24, 0x00, 0x00],
            (Self::ChangePin { current: Some(_), .. }, NewPinBlock::VisaCardKey) => {
                [0x24, 0x00, 0x01]
            }
            (Self::ChangePin { .. }, _) => [0x24, 0x00, 0x02],
        }
    }
}

/// The issuer's master keys that commands take.
pub(crate) struct MasterKeys<'a> {
    /// For authentication codes (IMK-SMI).
    pub(crate) integrity: &'a DesPair,
    /// For encryption (IMK-SMC): of a new PIN alone.
    pub(crate) confidentiality: &'a DesPair,
    /// For cryptograms (IMK-AC): of Visa's block of a new PIN alone.
    pub(crate) cryptogram: &'a DesPair,
}

/// The answer that a command goes with, and which of its commands it is, from 0.
#[derive(Clone, Copy)]
pub(crate) struct Occasion {
    pub(crate) atc: u16,
    pub(crate) cryptogram: [u8; CRYPTOGRAM],
    pub(crate) position: u8,
}

/// Protects a command.
pub(crate) fn protect(
    profile: &CryptogramProfile,
    keys: &MasterKeys<'_>,
    card: &ChipCard<'_>,
    occasion: Occasion,
    command: &CardCommand<'_>,
) -> Result<Script, EmvError> {
    let method = profile.script.ok_or(EmvError::NotOffered)?;
    let cryptogram = match (method.next, occasion.position) {
        (_, 0) => occasion.cryptogram,
        (NextCommand::None, _) => return Err(EmvError::NotOffered),
        (NextCommand::CryptogramPlusOne, position) => {
            let number = u64::from_be_bytes(occasion.cryptogram);
            number.wrapping_add(u64::from(position)).to_be_bytes()
        }
    };
    let session = |master: &DesPair| {
        let of_card = derive(profile.card_key, master, card)?;
        Ok::<_, EmvError>(match method.session {
            ScriptSession::VisaExclusiveOr => visa_exclusive_or(&of_card, occasion.atc),
            ScriptSession::Cryptogram => common(&of_card, cryptogram),
        })
    };
    let mut data = Piece::default();
    if let CardCommand::ChangePin { new, current } = *command {
        let block = match method.pin_block {
            NewPinBlock::Format2 => pin_block(FORMAT_2, new)?,
            NewPinBlock::VisaCardKey => {
                let of_card = derive(profile.card_key, keys.cryptogram, card)?;
                visa_pin_block(&of_card, new, current)?
            }
        };
        data = encrypted(&session(keys.confidentiality)?, method.pin_encryption, &block);
    }
    let [instruction, p1, p2] = command.header(method.pin_block);
    let length = data.length.saturating_add(MAC);
    let length = u8::try_from(length).or(Err(EmvError::Malformed))?;
    let header = [CLASS, instruction, p1, p2, length];
    let protected = header.into_iter().chain(occasion.atc.to_be_bytes()).chain(cryptogram);
    let message = protected.chain(data.bytes());
    let code = retail_mac(session(keys.integrity)?.cipher(), MacPadding::OneThenZeros, message);
    let mut command = [0; MOST];
    let bytes = header.into_iter().chain(data.bytes()).chain(code);
    let length = command.iter_mut().zip(bytes).map(|(slot, byte)| *slot = byte).count();
    command.get(..length).and_then(Script::new).ok_or(EmvError::Malformed)
}

/// The data of a command: up to two blocks.
#[derive(Default)]
struct Piece {
    blocks: [Block; 2],
    length: usize,
}

impl Piece {
    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.blocks.iter().flatten().copied().take(self.length)
    }
}

fn encrypted(key: &DerivedKey, method: PinEncryption, block: &Block) -> Piece {
    let encrypt = |block: Block| key.cipher().encrypt(block);
    match method {
        // From a vector of zeros, chained or not is the same for one block.
        PinEncryption::BlockAlone => {
            Piece { blocks: [encrypt(*block), Block::default()], length: BLOCK }
        }
        PinEncryption::LengthAndPadding => {
            let [a, b, c, d, e, f, g, h] = *block;
            let plain = Zeroizing::new([
                [BLOCK_LENGTH, a, b, c, d, e, f, g],
                [h, ONE_BIT, 0, 0, 0, 0, 0, 0],
            ]);
            Piece { blocks: plain.map(encrypt), length: 2 * BLOCK }
        }
    }
}

/// The block with no number, the end of the left half of the card's key over it, and the present
/// PIN over that where it is known.
fn visa_pin_block(
    of_card: &DerivedKey,
    new: &[u8],
    current: Option<&[u8]>,
) -> Result<Zeroizing<Block>, EmvError> {
    let mut block = pin_block(0, new)?;
    let over = block.iter_mut().zip(of_card.left()).skip(BLOCK / 2);
    over.for_each(|(slot, byte)| *slot ^= byte);
    if let Some(current) = current {
        let digits = well_formed(current)?;
        let mut nibbles = digits.iter().map(|digit| digit & 0x0F);
        for slot in block.iter_mut() {
            *slot ^= nibbles.next().unwrap_or(0) << 4 | nibbles.next().unwrap_or(0);
        }
    }
    Ok(block)
}

fn well_formed(digits: &[u8]) -> Result<&[u8], EmvError> {
    let good = PIN_DIGITS.contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if good { Ok(digits) } else { Err(EmvError::Malformed) }
}

/// Control, number of digits, digits, filler.
fn pin_block(control: u8, digits: &[u8]) -> Result<Zeroizing<Block>, EmvError> {
    let digits = well_formed(digits)?;
    let length = u8::try_from(digits.len()).or(Err(EmvError::Malformed))?;
    let digits = digits.iter().map(|digit| digit & 0x0F);
    let mut nibbles = [control, length].into_iter().chain(digits);
    let mut block = Zeroizing::new(Block::default());
    for slot in block.iter_mut() {
        *slot = nibbles.next().unwrap_or(FILLER) << 4 | nibbles.next().unwrap_or(FILLER);
    }
    Ok(block)
}
