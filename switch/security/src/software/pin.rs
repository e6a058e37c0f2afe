//! PINs: verified, made into what is kept of them, and put under another zone key. It owns that a
//! block is read under whichever version of the zone key opens it, and that a bad one goes on to be
//! verified like a good one: nothing but the end of it tells them apart (C-25).

use switch_domain::PinReference;

use crate::SecurityError;
use crate::card_security::{
    EncryptPin, EncryptedPin, EncryptedPinBlock, GeneratePinReference, Ibm3624, PinBlockFormat,
    PinMethod, TranslatePin, VerifyPin,
};
use crate::key::{Function, Key, KeyHandle};
use crate::pin::{
    ClearPin, Fill, ReadPin, ZoneKey, generate_offset, generate_pvv, is_allowed, verify_offset,
    verify_pvv,
};
use switch_domain::Pan;

use super::held::Held;

const GIVES_AWAY: SecurityError =
    SecurityError::Malformed("the decimalisation table maps too many to one digit");
const NO_REFERENCE: SecurityError = SecurityError::Malformed("a PIN has 4 to 12 digits");

pub(super) fn verify(held: &Held, command: &VerifyPin<'_>) -> Result<(), SecurityError> {
    let VerifyPin { pin, pan, reference, key, ibm3624 } = command;
    let read = read(held, pin, pan)?;
    match reference {
        PinReference::Pvv { key_index, value } => {
            held.first_right_pair(*key, Function::VerifyPvv, |key| {
                verify_pvv(key, (*key_index, value), &read, pan)
            })
        }
        PinReference::Offset { digits } => {
            refuse_plain(ibm3624)?;
            held.first_right_pair(*key, Function::VerifyOffset, |key| {
                verify_offset(key, ibm3624, digits.ascii(), &read, pan)
            })
        }
    }
}

pub(super) fn generate_reference(
    held: &Held,
    command: &GeneratePinReference<'_>,
) -> Result<PinReference, SecurityError> {
    let GeneratePinReference { pin, pan, method, key } = command;
    match method {
        PinMethod::Pvv { key_index } => {
            let key = held.active_pair(*key, Function::GeneratePvv)?;
            let pin = read(held, pin, pan)?.into_pin()?;
            let value = generate_pvv(key, *key_index, &pin, pan)?;
            PinReference::pvv(*key_index, &value).or(Err(NO_REFERENCE))
        }
        PinMethod::Ibm3624(rules) => {
            refuse_plain(rules)?;
            let key = held.active_pair(*key, Function::GenerateOffset)?;
            let pin = read(held, pin, pan)?.into_pin()?;
            let offset = generate_offset(key, rules, &pin, pan)?;
            let digits = offset.get(..usize::from(pin.length())).unwrap_or_default();
            PinReference::offset(digits).or(Err(NO_REFERENCE))
        }
    }
}

pub(super) fn translate(
    held: &Held,
    command: &TranslatePin<'_>,
) -> Result<EncryptedPinBlock, SecurityError> {
    let TranslatePin { pin, pan, to, to_key } = *command;
    if !is_allowed(pin.format, to) {
        return Err(SecurityError::TranslationRefused { from: pin.format, to });
    }
    let function = Function::EncryptPin;
    let out = zone_key(held.active(to_key, function)?, to_key, function)?;
    let fill = Fill::by_chance(to)?;
    let pin = clear(held, &pin, pan)?;
    out.write(to, &pin, pan, &fill)
}

pub(super) fn encrypt(
    held: &Held,
    command: &EncryptPin<'_>,
) -> Result<EncryptedPinBlock, SecurityError> {
    let EncryptPin { pin, pan, format, key } = *command;
    // Format 1 is bound to no card, and format 2 is for chips (PCI PIN 3-3).
    if !matches!(format, PinBlockFormat::Iso0 | PinBlockFormat::Iso3 | PinBlockFormat::Iso4) {
        return Err(SecurityError::FormatRefused(format));
    }
    let function = Function::EncryptPin;
    let out = zone_key(held.active(key, function)?, key, function)?;
    let fill = Fill::by_chance(format)?;
    out.write(format, pin.clear(), pan, &fill)
}

/// The PIN of a block, in clear; [`SecurityError::Incorrect`] where the block is no good.
pub(super) fn clear(
    held: &Held,
    pin: &EncryptedPin<'_>,
    pan: &Pan,
) -> Result<ClearPin, SecurityError> {
    read(held, pin, pan)?.into_pin()
}

/// What a block holds, good or not, under the version of the zone key that opens it, or else under
/// the last one. A version of another cipher than the format's is passed over: zones go from triple
/// DES to AES.
fn read(held: &Held, pin: &EncryptedPin<'_>, pan: &Pan) -> Result<ReadPin, SecurityError> {
    let function = Function::DecryptPin;
    let mut last = Err(SecurityError::UnknownKey(pin.key));
    let found = held.first_right(pin.key, function, |material| {
        let read = zone_key(material, pin.key, function)
            .and_then(|key| key.read(pin.format, pin.block, pan));
        match read {
            Ok(read) if read.is_good() => return Ok(read),
            Ok(read) => last = Ok(read),
            // Another version may do what this one cannot.
            Err(error) if last.is_err() => last = Err(error),
            Err(_) => {}
        }
        Err(SecurityError::Incorrect)
    });
    match found {
        Err(SecurityError::Incorrect) => last,
        other => other,
    }
}

fn zone_key(
    material: &Key,
    key: KeyHandle,
    function: Function,
) -> Result<ZoneKey<'_>, SecurityError> {
    let tdes = material.triple_des().map(ZoneKey::Tdes);
    let either = tdes.or_else(|| material.aes().map(ZoneKey::Aes));
    either.ok_or(SecurityError::UsageRefused { key, function: function.name() })
}

fn refuse_plain(rules: &Ibm3624) -> Result<(), SecurityError> {
    if rules.table.gives_pins_away() { Err(GIVES_AWAY) } else { Ok(()) }
}
