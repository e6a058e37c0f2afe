//! Commands to cards by KU and KY: those that need a code alone. It owns their bytes; commands that
//! bring a new PIN are not made (docs/hsm.md says why).

use switch_security::{
    CardKeyOption, CryptogramProfile, KeyUsage, NextCommand, ProtectScript, Reply, Script,
    ScriptCommand, ScriptSession, SecurityError,
};

use super::{HsmModule, reply};
use crate::client::Answer;
use crate::commands::{GenerateScriptMac, ScriptScheme};
use crate::pan_fields;

/// PIN CHANGE/UNBLOCK under secure messaging, with a code of eight bytes and nothing else.
const UNBLOCK_PIN: [u8; 5] = [0x84, 0x24, 0x00, 0x00, 0x08];

pub(super) fn protect<'a>(module: &'a HsmModule, command: &ProtectScript<'_>) -> Reply<'a, Script> {
    let header = match header(&command.command) {
        Ok(header) => header,
        Err(error) => return Reply::ready(Err(error)),
    };
    reply(ask(module, command, header), move |mac| {
        let mut bytes = [0; 13];
        for (slot, byte) in bytes.iter_mut().zip(header.iter().chain(&mac)) {
            *slot = *byte;
        }
        Script::new(&bytes).ok_or(SecurityError::Unavailable)
    })
}

/// The command without its code, where it needs that alone. Every command is named here: one more
/// does not compile before somebody has said which bytes it is, or that it is none of these.
const fn header(command: &ScriptCommand<'_>) -> Result<[u8; 5], SecurityError> {
    match command {
        ScriptCommand::UnblockPin => Ok(UNBLOCK_PIN),
        ScriptCommand::ChangePin { .. } => {
            Err(SecurityError::Prohibited("the hardware module puts no PIN into a script"))
        }
    }
}

fn ask(
    module: &HsmModule,
    command: &ProtectScript<'_>,
    header: [u8; 5],
) -> Result<Answer<[u8; 8]>, SecurityError> {
    let ProtectScript { profile, keys, pan, sequence, atc, cryptogram, position, .. } = *command;
    let row =
        CryptogramProfile::named(profile.as_str()).ok_or(SecurityError::UnknownProfile(profile))?;
    let none = SecurityError::Prohibited("such cards take no such command");
    let method = row.script.ok_or(none)?;
    let cryptogram = match (method.next, position) {
        (_, 0) => cryptogram,
        (NextCommand::None, _) => return Err(none),
        (NextCommand::CryptogramPlusOne, _) => {
            u64::from_be_bytes(cryptogram).wrapping_add(u64::from(position)).to_be_bytes()
        }
    };
    // Behind sixteen digits or fewer both options give one key; for more KU has no field.
    let a = row.card_key == CardKeyOption::A || pan_fields::fits_formatted(pan);
    let scheme = match (method.session, a) {
        (ScriptSession::VisaExclusiveOr, true) => ScriptScheme::Counter(atc),
        (ScriptSession::Cryptogram, true) => ScriptScheme::CryptogramA(cryptogram),
        (ScriptSession::Cryptogram, false) => ScriptScheme::CryptogramB(cryptogram),
        (ScriptSession::VisaExclusiveOr, false) => {
            return Err(SecurityError::Prohibited("no host command for a number this long"));
        }
    };
    let key = module.keys.get(keys.integrity, KeyUsage::E2, "derive_script_mac_key")?;
    let mut message = [0; 15];
    let bytes = header.into_iter().chain(atc.to_be_bytes()).chain(cryptogram);
    for (slot, byte) in message.iter_mut().zip(bytes) {
        *slot = byte;
    }
    let message = message.as_slice();
    Ok(module.client.call(&GenerateScriptMac { key, scheme, pan, sequence, message }))
}
