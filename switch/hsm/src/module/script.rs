//! Commands to cards by KU and KY: those that need a code alone, and a change of the PIN, whose new
//! one the unit takes out of the block that it came in. It owns their bytes; no PIN is seen here.

use switch_security::{
    CardKeyOption, CryptogramProfile, EncryptedPin, KeyUsage, NewPinBlock, NextCommand,
    PinEncryption, ProtectScript, Reply, Script, ScriptCommand, ScriptMethod, ScriptSession,
    SecurityError,
};

use super::{HsmModule, pin, reply};
use crate::client::Answer;
use crate::commands::{GenerateScriptMac, NewPinForm, ProtectNewPin, ProtectedPin, ScriptScheme};
use crate::pan_fields;

/// Class, instruction and parameters of PIN CHANGE/UNBLOCK under secure messaging, and how many
/// bytes follow: here a code of eight and nothing else.
const UNBLOCK_PIN: [u8; HEADER] = [0x84, 0x24, 0x00, 0x00, 0x08];
/// The same with an encrypted PIN of one block and of two before the code.
const CHANGE_PIN: [u8; HEADER] = [0x84, 0x24, 0x00, 0x02, 0x10];
const CHANGE_PADDED_PIN: [u8; HEADER] = [0x84, 0x24, 0x00, 0x02, 0x18];
const HEADER: usize = 5;
const CODE: usize = 8;
/// Header, counter and cryptogram: what a code is over, before data.
const MESSAGE: usize = HEADER + 2 + 8;
const LONGEST: usize = HEADER + 16 + CODE;

/// Every command is named here: one more does not compile before somebody has said how it is made.
pub(super) fn protect<'a>(module: &'a HsmModule, command: &ProtectScript<'_>) -> Reply<'a, Script> {
    match command.command {
        ScriptCommand::UnblockPin => {
            reply(unblock(module, command), |code| script(UNBLOCK_PIN, &[], code))
        }
        ScriptCommand::ChangePin { new, current: None } => match header_of_change(command) {
            Ok(header) => reply(change(module, command, &new, header), move |made| {
                script(header, made.data(), made.code)
            }),
            Err(error) => Reply::ready(Err(error)),
        },
        ScriptCommand::ChangePin { current: Some(_), .. } => Reply::ready(Err(
            SecurityError::Prohibited("no host command is spoken that takes the present PIN too"),
        )),
    }
}

/// A unit that encrypts another way than the card does is of no use here.
fn script(header: [u8; HEADER], data: &[u8], code: [u8; CODE]) -> Result<Script, SecurityError> {
    let [.., follows] = header;
    let length = HEADER.saturating_add(usize::from(follows));
    let mut bytes = [0; LONGEST];
    let all = header.iter().chain(data).chain(&code);
    let written = bytes.iter_mut().zip(all).map(|(slot, byte)| *slot = *byte).count();
    let whole = bytes.get(..length).filter(|_| written == length);
    whole.and_then(Script::new).ok_or(SecurityError::Unavailable)
}

/// How the card wants it.
fn method(
    command: &ProtectScript<'_>,
) -> Result<(&'static CryptogramProfile, ScriptMethod), SecurityError> {
    let profile = command.profile;
    let row =
        CryptogramProfile::named(profile.as_str()).ok_or(SecurityError::UnknownProfile(profile))?;
    let method = row.script.ok_or(SecurityError::Prohibited("such cards take no such command"))?;
    Ok((row, method))
}

/// The cryptogram that this command behind the answer takes.
fn cryptogram(command: &ProtectScript<'_>, next: NextCommand) -> Result<[u8; 8], SecurityError> {
    let ProtectScript { cryptogram, position, .. } = *command;
    match (next, position) {
        (_, 0) => Ok(cryptogram),
        (NextCommand::None, _) => Err(SecurityError::Prohibited("such cards take one command")),
        (NextCommand::CryptogramPlusOne, _) => {
            let number = u64::from_be_bytes(cryptogram);
            Ok(number.wrapping_add(u64::from(position)).to_be_bytes())
        }
    }
}

fn message(header: [u8; HEADER], atc: u16, cryptogram: [u8; 8]) -> [u8; MESSAGE] {
    let mut message = [0; MESSAGE];
    let bytes = header.into_iter().chain(atc.to_be_bytes()).chain(cryptogram);
    message.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    message
}

fn unblock(
    module: &HsmModule,
    command: &ProtectScript<'_>,
) -> Result<Answer<[u8; CODE]>, SecurityError> {
    let ProtectScript { keys, pan, sequence, atc, .. } = *command;
    let (row, method) = method(command)?;
    let cryptogram = cryptogram(command, method.next)?;
    // Behind sixteen digits or fewer both options give one key; for more KU has no field.
    let a = row.card_key == CardKeyOption::A || pan_fields::fits_formatted(pan);
    let scheme = match (method.session, a) {
        (ScriptSession::VisaExclusiveOr, true) => ScriptScheme::Counter(atc),
        (ScriptSession::Cryptogram, true) => ScriptScheme::CryptogramA(cryptogram),
        (ScriptSession::Cryptogram, false) => ScriptScheme::CryptogramB(cryptogram),
        (ScriptSession::VisaExclusiveOr, false) => return Err(too_long()),
    };
    let key = module.keys.get(keys.integrity, KeyUsage::E2, "derive_script_mac_key")?;
    let message = &message(UNBLOCK_PIN, atc, cryptogram);
    Ok(module.client.call(&GenerateScriptMac { key, scheme, pan, sequence, message }))
}

const fn too_long() -> SecurityError {
    SecurityError::Prohibited("no host command for a number this long")
}

fn header_of_change(command: &ProtectScript<'_>) -> Result<[u8; HEADER], SecurityError> {
    let (_, method) = method(command)?;
    Ok(match method.pin_encryption {
        PinEncryption::BlockAlone => CHANGE_PIN,
        PinEncryption::LengthAndPadding => CHANGE_PADDED_PIN,
    })
}

/// A unit knows by the scheme how the PIN is encrypted: 1 of KU is M/Chip's, whose block is alone,
/// 3 of KY is EMV's common one, with length and padding.
fn change(
    module: &HsmModule,
    command: &ProtectScript<'_>,
    new: &EncryptedPin<'_>,
    header: [u8; HEADER],
) -> Result<Answer<ProtectedPin>, SecurityError> {
    let ProtectScript { keys, pan, sequence, atc, .. } = *command;
    let (row, method) = method(command)?;
    let cryptogram = cryptogram(command, method.next)?;
    let scheme = match (method.session, method.pin_encryption) {
        (ScriptSession::VisaExclusiveOr, PinEncryption::LengthAndPadding) => {
            ScriptScheme::Counter(atc)
        }
        (ScriptSession::Cryptogram, PinEncryption::BlockAlone) => {
            ScriptScheme::CryptogramA(cryptogram)
        }
        (ScriptSession::Cryptogram, PinEncryption::LengthAndPadding) => {
            ScriptScheme::CryptogramB(cryptogram)
        }
        (ScriptSession::VisaExclusiveOr, PinEncryption::BlockAlone) => {
            return Err(SecurityError::Prohibited("no host command for such cards"));
        }
    };
    let by_whole = matches!(scheme, ScriptScheme::CryptogramB(_));
    if !by_whole && row.card_key == CardKeyOption::B && !pan_fields::fits_formatted(pan) {
        return Err(too_long());
    }
    let key = module.keys.get(keys.integrity, KeyUsage::E2, "derive_script_mac_key")?;
    let confidentiality =
        module.keys.get(keys.confidentiality, KeyUsage::E1, "derive_script_cipher_key")?;
    let form = match method.pin_block {
        NewPinBlock::Format2 => NewPinForm::Format2,
        NewPinBlock::VisaCardKey => {
            let of_cards = module.keys.get(keys.cryptogram, KeyUsage::E0, "derive_cryptogram_key");
            NewPinForm::VisaCardKey(of_cards?)
        }
    };
    let pin = pin::pin_block(module, new, pan, "protect_script")?;
    let message = &message(header, atc, cryptogram);
    let code = GenerateScriptMac { key, scheme, pan, sequence, message };
    Ok(module.client.call(&ProtectNewPin { code, confidentiality, pin, form }))
}
