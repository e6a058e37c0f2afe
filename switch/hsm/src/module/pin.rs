//! PINs by EC, EA, FW, BK, CC, BA and JG. It owns which method takes which command, and that no
//! format is asked for in which no PIN may come.

use switch_domain::Pan;
use switch_security::{
    EncryptPin, EncryptedPin, EncryptedPinBlock, GeneratePinReference, Ibm3624, KeyUsage,
    PinBlockFormat, PinMethod, PinReference, Reply, SecurityError, TranslatePin, VerifyPin,
};

use super::{HsmModule, reply, said};
use crate::client::Answer;
use crate::commands::{
    EncryptClearPin, GenerateOffset, GeneratePvv, IbmTerms, OffsetAnswer, PinBlock, PinFormat,
    PinFromLmk, PinKey, TranslatePinBlock, VerifyOffset, VerifyPvv,
};
use crate::hsm_key::HsmKey;
use crate::pan_fields::Validation;

/// The fewest digits of a PIN, for how many an offset is asked.
const SHORTEST_PIN: u8 = 4;

pub(super) fn verify(
    module: &HsmModule,
    command: &VerifyPin<'_>,
) -> Result<Answer<()>, SecurityError> {
    let VerifyPin { pin, pan, reference, key, ibm3624 } = *command;
    let pin = pin_block(module, &pin, pan, "verify_pin")?;
    match reference {
        PinReference::Pvv { key_index, value } => {
            let key = module.keys.get(key, KeyUsage::V2, "verify_pvv")?;
            Ok(module.client.call(&VerifyPvv { pin, key, index: *key_index, value }))
        }
        PinReference::Offset { digits } => {
            let key = module.keys.get(key, KeyUsage::V1, "verify_offset")?;
            let offset = digits.ascii();
            let length = u8::try_from(offset.len()).unwrap_or(0); // one of 4 to 12, or refused
            let tables = Tables::new(&ibm3624, pan)?;
            let terms = tables.terms(key, length);
            Ok(module.client.call(&VerifyOffset { terms, pin, offset }))
        }
    }
}

pub(super) fn generate<'a>(
    module: &'a HsmModule,
    command: &GeneratePinReference<'_>,
) -> Reply<'a, PinReference> {
    let GeneratePinReference { pin, pan, method, key } = *command;
    let pin = match pin_block(module, &pin, pan, "generate_pin_reference") {
        Ok(pin) => pin,
        Err(error) => return Reply::ready(Err(error)),
    };
    match method {
        PinMethod::Pvv { key_index } => {
            let key = module.keys.get(key, KeyUsage::V2, "generate_pvv");
            let asked =
                key.map(|key| module.client.call(&GeneratePvv { pin, key, index: key_index }));
            reply(asked, move |value| {
                PinReference::pvv(key_index, &value).map_err(|_| SecurityError::Unavailable)
            })
        }
        PinMethod::Ibm3624(ibm3624) => {
            let asked = module.keys.get(key, KeyUsage::V1, "generate_offset").and_then(|key| {
                let tables = Tables::new(&ibm3624, pan)?;
                let terms = tables.terms(key, SHORTEST_PIN);
                Ok(module.client.call(&GenerateOffset { terms, pin }))
            });
            reply(asked, |offset| offset_on_file(&offset))
        }
    }
}

fn offset_on_file(offset: &OffsetAnswer) -> Result<PinReference, SecurityError> {
    PinReference::offset(offset.digits()).map_err(|_| SecurityError::Unavailable)
}

pub(super) fn translate<'a>(
    module: &'a HsmModule,
    command: &TranslatePin<'_>,
) -> Reply<'a, EncryptedPinBlock> {
    let TranslatePin { pin, pan, to, to_key } = *command;
    let refused = SecurityError::TranslationRefused { from: pin.format, to };
    let asked = || {
        // PCI PIN 3-3: what is bound to a card number stays so.
        let loosens = to == PinBlockFormat::Iso1 && pin.format != PinBlockFormat::Iso1;
        let format = pin_format(to).filter(|_| !loosens).ok_or(refused)?;
        let source =
            pin_block(module, &pin, pan, "translate_pin").map_err(|error| match error {
                SecurityError::FormatRefused(_) => refused,
                other => other,
            })?;
        let destination = module.keys.get(to_key, KeyUsage::P0, "translate_pin")?;
        Ok((module.client.call(&TranslatePinBlock { source, destination, format }), format))
    };
    match asked() {
        Err(error) => Reply::ready(Err(error)),
        Ok((asked, format)) => reply(Ok(asked), move |translated| {
            let block = translated.in_format(format).and_then(EncryptedPinBlock::new);
            block.ok_or(SecurityError::Unavailable)
        }),
    }
}

const NO_CLEAR_PINS: SecurityError =
    SecurityError::ClearPinRefused("hsm.clear_pins is not set: PINs are set at machines alone");

/// A PIN that was just chosen: under the units' own key, and from there under the zone's.
pub(super) fn encrypt<'a>(
    module: &'a HsmModule,
    command: &EncryptPin<'_>,
) -> Reply<'a, EncryptedPinBlock> {
    let EncryptPin { pin, pan, format, key } = *command;
    let asked = || {
        let length = module.clear_pins.ok_or(NO_CLEAR_PINS)?;
        // Format 1 is bound to no card (PCI PIN 3-3).
        let format = pin_format(format).filter(|format| *format != PinFormat::Iso1);
        let format = format.ok_or(SecurityError::FormatRefused(command.format))?;
        let zone = module.keys.get(key, KeyUsage::P0, "encrypt_pin")?;
        let next = PinFromLmk::new(zone, format, pan);
        Ok((module.client.call(&EncryptClearPin { pin, pan, length }), next))
    };
    match asked() {
        Err(error) => Reply::ready(Err(error)),
        Ok((under_lmk, next)) => Reply::waiting(async move {
            let bytes = next.format().bytes();
            let under_lmk = under_lmk.await.map_err(said)?;
            let block = module.client.call(&next.of(under_lmk)).await.map_err(said)?;
            let block = EncryptedPinBlock::new(&block).filter(|_| block.len() == bytes);
            block.ok_or(SecurityError::Unavailable)
        }),
    }
}

/// A block that came in, as host commands have it.
pub(super) fn pin_block<'a>(
    module: &'a HsmModule,
    pin: &EncryptedPin<'a>,
    pan: &'a Pan,
    function: &'static str,
) -> Result<PinBlock<'a>, SecurityError> {
    let format = pin_format(pin.format).ok_or(SecurityError::FormatRefused(pin.format))?;
    let key = PinKey::Zone(module.keys.get(pin.key, KeyUsage::P0, function)?);
    let block = pin.block.bytes();
    // What cannot be a block of this format holds no PIN of this card (C-25).
    if block.len() != format.bytes() {
        return Err(SecurityError::Incorrect);
    }
    Ok(PinBlock { key, block, format, pan })
}

/// The format as units know it; format 2 is for chips, and no PIN comes in it.
const fn pin_format(format: PinBlockFormat) -> Option<PinFormat> {
    match format {
        PinBlockFormat::Iso0 => Some(PinFormat::Iso0),
        PinBlockFormat::Iso1 => Some(PinFormat::Iso1),
        PinBlockFormat::Iso2 => None,
        PinBlockFormat::Iso3 => Some(PinFormat::Iso3),
        PinBlockFormat::Iso4 => Some(PinFormat::Iso4),
    }
}

/// What the offset method takes, in characters.
struct Tables {
    decimalization: [u8; 16],
    validation: Validation,
}

impl Tables {
    fn new(ibm3624: &Ibm3624, pan: &Pan) -> Result<Self, SecurityError> {
        let decimalization = ibm3624.table.digits().map(|digit| b'0'.saturating_add(digit));
        let validation = Validation::of(pan, ibm3624.validation, ibm3624.pad)
            .map_err(|fault| SecurityError::Malformed(fault.0))?;
        Ok(Self { decimalization, validation })
    }

    fn terms<'a>(&'a self, key: &'a HsmKey, check_length: u8) -> IbmTerms<'a> {
        let (decimalization, validation) = (&self.decimalization, self.validation.digits());
        IbmTerms { key, check_length, decimalization, validation }
    }
}
