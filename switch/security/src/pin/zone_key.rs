//! PIN blocks under a zone key. It owns which cipher goes with which format, and format 4's two
//! turns of AES with the card number between them. A key of single DES cannot come here: there is
//! no form for it (P-28).

use switch_domain::Pan;
use zeroize::Zeroizing;

use super::block::{Field, decode, encode, over, pan_field_4};
use super::{ClearPin, Fill, ReadPin};
use crate::block_cipher::{Aes, TripleDes};
use crate::{EncryptedPinBlock, PinBlockFormat, SecurityError};

/// A zone key, scheduled.
#[derive(Clone, Copy)]
pub(crate) enum ZoneKey<'a> {
    /// Of formats 0, 1 and 3.
    Tdes(&'a TripleDes),
    /// Of format 4.
    Aes(&'a Aes),
}

const OTHER_CIPHER: SecurityError =
    SecurityError::Malformed("the zone key is of a cipher that the format does not take");
const OTHER_LENGTH: SecurityError =
    SecurityError::Malformed("the block has another length than the format");

impl ZoneKey<'_> {
    /// The PIN of a block, or what stands in its place where the block is no good. What is an error
    /// here is no guess of anybody: it does not depend on what is in the block.
    pub(crate) fn read(
        self,
        format: PinBlockFormat,
        block: &EncryptedPinBlock,
        pan: &Pan,
    ) -> Result<ReadPin, SecurityError> {
        match (format, self) {
            (PinBlockFormat::Iso2, _) => Err(SecurityError::FormatRefused(format)),
            (PinBlockFormat::Iso4, Self::Aes(key)) => {
                let block = block.bytes().try_into().or(Err(OTHER_LENGTH))?;
                let between = Zeroizing::new(key.decrypt(block));
                let field = key.decrypt(*over(&between, &pan_field_4(pan)));
                let field = Zeroizing::new(field);
                let [pin, _] = halves(&field);
                Ok(decode(format, &pin, pan))
            }
            (PinBlockFormat::Iso4, Self::Tdes(_)) | (_, Self::Aes(_)) => Err(OTHER_CIPHER),
            (_, Self::Tdes(key)) => {
                let block = block.bytes().try_into().or(Err(OTHER_LENGTH))?;
                let field = Zeroizing::new(key.decrypt(block));
                Ok(decode(format, &field, pan))
            }
        }
    }

    /// The block of a PIN.
    pub(crate) fn write(
        self,
        format: PinBlockFormat,
        pin: &ClearPin,
        pan: &Pan,
        fill: &Fill,
    ) -> Result<EncryptedPinBlock, SecurityError> {
        let block = match (format, self) {
            (PinBlockFormat::Iso2, _) => return Err(SecurityError::FormatRefused(format)),
            (PinBlockFormat::Iso4, Self::Aes(key)) => {
                let field = pin_field_4(pin, pan, fill);
                let between = Zeroizing::new(key.encrypt(*field));
                EncryptedPinBlock::new(&key.encrypt(*over(&between, &pan_field_4(pan))))
            }
            (PinBlockFormat::Iso4, Self::Tdes(_)) | (_, Self::Aes(_)) => return Err(OTHER_CIPHER),
            (_, Self::Tdes(key)) => {
                EncryptedPinBlock::new(&key.encrypt(*encode(format, pin, pan, fill)))
            }
        };
        block.ok_or(OTHER_LENGTH)
    }
}

/// The PIN in eight bytes, and eight by chance behind them.
pub(super) fn pin_field_4(pin: &ClearPin, pan: &Pan, fill: &Fill) -> Zeroizing<[u8; 16]> {
    let digits = encode(PinBlockFormat::Iso4, pin, pan, fill);
    let chance: Field = Zeroizing::new(crate::decimal::packed(fill.nibbles().iter().copied()));
    let mut field = Zeroizing::new([0; 16]);
    let bytes = digits.iter().chain(chance.iter());
    field.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    field
}

fn halves(field: &[u8; 16]) -> [Field; 2] {
    let (mut left, mut right) = (Field::default(), Field::default());
    let both = left.iter_mut().chain(right.iter_mut());
    both.zip(field).for_each(|(slot, byte)| *slot = *byte);
    [left, right]
}
