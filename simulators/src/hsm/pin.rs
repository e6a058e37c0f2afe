//! PIN commands of a simulated unit. A PIN under its local master key is a block of format 0 under
//! a key that never leaves it: sixteen digits. Must give out no PIN otherwise.

use switch_domain::Pan;
use switch_security::{
    CardSecurity, EncryptedPin, EncryptedPinBlock, GeneratePinReference, Ibm3624, KeyHandle,
    KeyUsage, PinBlockFormat, PinMethod, PinReference, TranslatePin, VerifyPin,
};

use super::fields::{Code, FORMAT, Fields, INVALID};
use super::keys::{Keys, now};
use super::offset_terms::{Account, OffsetTerms};

/// The longest PIN, as units want it said.
const LONGEST: &[u8] = b"12";

/// A PIN block, where it came with its format.
pub(super) struct Block {
    block: EncryptedPinBlock,
    format: PinBlockFormat,
    key: KeyHandle,
}

impl Block {
    /// Under the key of a zone, which comes before it.
    pub(super) fn of_zone(keys: &Keys, fields: &mut Fields<'_>) -> Result<Self, Code> {
        let zone = zone_key(keys, fields)?;
        Self::read(zone, fields)
    }

    /// The block, as long as those of the key's cipher, then its format.
    fn read((key, bytes): (KeyHandle, usize), fields: &mut Fields<'_>) -> Result<Self, Code> {
        let block = fields.hex(bytes)?;
        let format = format(fields)?;
        if block.len() != format.bytes() {
            return Err(INVALID);
        }
        let block = EncryptedPinBlock::new(&block).ok_or(INVALID)?;
        Ok(Self { block, format, key })
    }

    /// Under the unit's own key.
    pub(super) fn of_lmk(keys: &Keys, fields: &mut Fields<'_>) -> Result<Self, Code> {
        let block = EncryptedPinBlock::new(&fields.hex(8)?).ok_or(INVALID)?;
        Ok(Self { block, format: PinBlockFormat::Iso0, key: keys.own_pin_key() })
    }

    const fn pin(&self) -> EncryptedPin<'_> {
        EncryptedPin { block: &self.block, format: self.format, key: self.key }
    }

    pub(super) fn account(&self, fields: &mut Fields<'_>) -> Result<Account, Code> {
        Account::read(fields, self.format == PinBlockFormat::Iso4)
    }
}

/// The key of a zone, and how many bytes its cipher has in a block: its header says which it is.
pub(super) fn zone_key(keys: &Keys, fields: &mut Fields<'_>) -> Result<(KeyHandle, usize), Code> {
    let text = fields.key()?;
    let bytes = if text.as_bytes().get(8) == Some(&b'A') { 16 } else { 8 };
    Ok((keys.handle(text, KeyUsage::P0)?, bytes))
}

pub(super) fn format(fields: &mut Fields<'_>) -> Result<PinBlockFormat, Code> {
    match fields.bytes(2)? {
        b"01" => Ok(PinBlockFormat::Iso0),
        b"05" => Ok(PinBlockFormat::Iso1),
        b"47" => Ok(PinBlockFormat::Iso3),
        b"48" => Ok(PinBlockFormat::Iso4),
        _ => Err(FORMAT),
    }
}

const fn code(format: PinBlockFormat) -> &'static [u8; 2] {
    match format {
        PinBlockFormat::Iso0 => b"01",
        PinBlockFormat::Iso1 => b"05",
        PinBlockFormat::Iso2 => b"34",
        PinBlockFormat::Iso3 => b"47",
        PinBlockFormat::Iso4 => b"48",
    }
}

/// `EC` and `DC`.
pub(super) fn verify_pvv(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let zone = zone_key(keys, &mut fields)?;
    let key = keys.handle(fields.key()?, KeyUsage::V2)?;
    let block = Block::read(zone, &mut fields)?;
    let Account { pan, .. } = block.account(&mut fields)?;
    let key_index = u8::try_from(fields.number(1)?).map_err(|_| INVALID)?;
    let reference = PinReference::pvv(key_index, fields.digits(4)?).map_err(|_| INVALID)?;
    fields.end()?;
    verify(keys, &block, &pan, &reference, key, Ibm3624::default())
}

/// `EA` and `DA`.
pub(super) fn verify_offset(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let zone = zone_key(keys, &mut fields)?;
    let key = keys.handle(fields.key()?, KeyUsage::V1)?;
    fields.is(LONGEST)?;
    let block = Block::read(zone, &mut fields)?;
    let check_length = fields.number(2)?;
    let account = block.account(&mut fields)?;
    let terms = OffsetTerms::read(&mut fields, &account)?;
    let given = fields.bytes(12)?;
    fields.end()?;
    let length = given.iter().take_while(|digit| digit.is_ascii_digit()).count();
    if length != check_length || given[length..].iter().any(|filler| *filler != b'F') {
        return Err(INVALID);
    }
    let reference = PinReference::offset(&given[..length]).map_err(|_| INVALID)?;
    verify(keys, &block, &terms.pan, &reference, key, terms.ibm3624)
}

fn verify(
    keys: &Keys,
    block: &Block,
    pan: &Pan,
    reference: &PinReference,
    key: KeyHandle,
    ibm3624: Ibm3624,
) -> Result<Vec<u8>, Code> {
    let command = VerifyPin { pin: block.pin(), pan, reference, key, ibm3624 };
    now(keys.module().verify_pin(command))?;
    Ok(Vec::new())
}

/// `FW`, and `DG` of a PIN under the unit's own key.
pub(super) fn generate_pvv(
    keys: &Keys,
    mut fields: Fields<'_>,
    of_lmk: bool,
) -> Result<Vec<u8>, Code> {
    let (block, key) = new_pin(keys, &mut fields, KeyUsage::V2, of_lmk)?;
    let Account { pan, .. } = block.account(&mut fields)?;
    let key_index = u8::try_from(fields.number(1)?).map_err(|_| INVALID)?;
    fields.end()?;
    let method = PinMethod::Pvv { key_index };
    generate(keys, &block, &pan, method, key)
}

/// `BK`, and `DE` of a PIN under the unit's own key.
pub(super) fn generate_offset(
    keys: &Keys,
    mut fields: Fields<'_>,
    of_lmk: bool,
) -> Result<Vec<u8>, Code> {
    let (block, key) = new_pin(keys, &mut fields, KeyUsage::V1, of_lmk)?;
    fields.number(2)?; // the offset is as long as the PIN, whatever is to be checked of it
    let account = block.account(&mut fields)?;
    let terms = OffsetTerms::read(&mut fields, &account)?;
    fields.end()?;
    let method = PinMethod::Ibm3624(terms.ibm3624);
    generate(keys, &block, &terms.pan, method, key)
}

/// The new PIN, and the key that its reference is made with.
fn new_pin(
    keys: &Keys,
    fields: &mut Fields<'_>,
    usage: KeyUsage,
    of_lmk: bool,
) -> Result<(Block, KeyHandle), Code> {
    if of_lmk {
        let key = keys.handle(fields.key()?, usage)?;
        return Ok((Block::of_lmk(keys, fields)?, key));
    }
    fields.bytes(3)?; // the type of the key, which its block says again
    let zone = zone_key(keys, fields)?;
    let key = keys.handle(fields.key()?, usage)?;
    Ok((Block::read(zone, fields)?, key))
}

fn generate(
    keys: &Keys,
    block: &Block,
    pan: &Pan,
    method: PinMethod,
    key: KeyHandle,
) -> Result<Vec<u8>, Code> {
    let command = GeneratePinReference { pin: block.pin(), pan, method, key };
    let made = now(keys.module().generate_pin_reference(command))?;
    let mut digits = made.ascii().to_vec();
    if made.key_index().is_none() {
        digits.resize(12, b'F'); // an offset: its field is longer than it may be
    }
    Ok(digits)
}

/// `CC` and `CA`.
pub(super) fn translate(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let zone = zone_key(keys, &mut fields)?;
    let to_key = keys.handle(fields.key()?, KeyUsage::P0)?;
    fields.is(LONGEST)?;
    let block = Block::read(zone, &mut fields)?;
    let to = format(&mut fields)?;
    let whole = [block.format, to].contains(&PinBlockFormat::Iso4);
    let account = Account::read(&mut fields, whole)?;
    fields.end()?;
    let made = carry_over(keys, &block, &account.pan, to, to_key)?;
    Ok([b"04", hex_digits(&made).as_bytes(), code(to)].concat())
}

/// `JE` and `JC`.
pub(super) fn to_lmk(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let zone = zone_key(keys, &mut fields)?;
    let block = Block::read(zone, &mut fields)?;
    let account = block.account(&mut fields)?;
    fields.end()?;
    let made = carry_over(keys, &block, &account.pan, PinBlockFormat::Iso0, keys.own_pin_key())?;
    Ok(hex_digits(&made).into_bytes())
}

/// The block under another key, in another format, bound to the same account.
pub(super) fn carry_over(
    keys: &Keys,
    block: &Block,
    pan: &Pan,
    to: PinBlockFormat,
    to_key: KeyHandle,
) -> Result<Vec<u8>, Code> {
    let command = TranslatePin { pin: block.pin(), pan, to, to_key };
    Ok(now(keys.module().translate_pin(command))?.bytes().to_vec())
}

pub(super) fn hex_digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
