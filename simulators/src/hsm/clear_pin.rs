//! BA and JG of a simulated unit: a PIN in clear to one under its own key, and that to a block
//! under the key of a zone. Must take a PIN in clear only as it is set, and give none out.

use switch_security::{CardSecurity, ChosenPin, EncryptPin, PinBlockFormat};

use super::fields::{Code, Fields, INVALID};
use super::keys::{Keys, now};
use super::offset_terms::Account;
use super::pin::{Block, carry_over, format, hex_digits, zone_key};
use super::settings::Settings;

/// Digits of a PIN that there can be: the answer of units to others is this.
const LENGTH: Code = *b"24";

/// `BA`.
pub(super) fn encrypt(
    settings: &Settings,
    keys: &Keys,
    mut fields: Fields<'_>,
) -> Result<Vec<u8>, Code> {
    let field = fields.bytes(settings.pin_length)?;
    let digits = field.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let (pin, filler) = field.split_at(digits);
    if filler.is_empty() || filler.iter().any(|one| *one != b'F') {
        return Err(INVALID);
    }
    let pin = ChosenPin::from_ascii(pin).ok_or(LENGTH)?;
    let account = Account::read(&mut fields, false)?;
    fields.end()?;
    let (format, key) = (PinBlockFormat::Iso0, keys.own_pin_key());
    let command = EncryptPin { pin: &pin, pan: &account.pan, format, key };
    let block = now(keys.module().encrypt_pin(command))?;
    Ok(hex_digits(block.bytes()).into_bytes())
}

/// `JG`.
pub(super) fn from_lmk(keys: &Keys, mut fields: Fields<'_>) -> Result<Vec<u8>, Code> {
    let (zone, bytes) = zone_key(keys, &mut fields)?;
    let to = format(&mut fields)?;
    if to == PinBlockFormat::Iso1 || to.bytes() != bytes {
        return Err(INVALID);
    }
    let account = Account::read(&mut fields, to == PinBlockFormat::Iso4)?;
    let pin = Block::of_lmk(keys, &mut fields)?;
    fields.end()?;
    let block = carry_over(keys, &pin, &account.pan, to, zone)?;
    Ok(hex_digits(&block).into_bytes())
}
