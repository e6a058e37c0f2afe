//! Issuer scripts. It owns where the PIN of a script comes from: an encrypted block, read here and
//! wiped when the script is made.

use crate::SecurityError;
use crate::card_security::{ProtectScript, Script, ScriptCommand};
use crate::emv::{CardCommand, ChipCard, MasterKeys, Occasion, protect as protected};
use crate::key::Function;
use crate::pin::{AsciiPin, ClearPin};

use super::cryptogram::{error, named};
use super::held::Held;
use super::pin::clear;

pub(super) fn protect(held: &Held, command: &ProtectScript<'_>) -> Result<Script, SecurityError> {
    let ProtectScript { profile, keys, pan, sequence, .. } = *command;
    let profile = named(profile)?;
    let keys = MasterKeys {
        integrity: held.active_pair(keys.integrity, Function::DeriveScriptMacKey)?,
        confidentiality: held.active_pair(keys.confidentiality, Function::DeriveScriptCipherKey)?,
        cryptogram: held.active_pair(keys.cryptogram, Function::DeriveCryptogramKey)?,
    };
    let card = ChipCard { pan, sequence };
    let ProtectScript { atc, cryptogram, position, .. } = *command;
    let occasion = Occasion { atc, cryptogram, position };
    let made = match command.command {
        ScriptCommand::UnblockPin => {
            protected(profile, &keys, &card, occasion, &CardCommand::UnblockPin)
        }
        ScriptCommand::ChangePin { new, current } => {
            let new = clear(held, &new, pan)?.ascii();
            let current = current.map(|current| clear(held, &current, pan)).transpose()?;
            let current = current.as_ref().map(ClearPin::ascii);
            let command = CardCommand::ChangePin {
                new: new.as_slice(),
                current: current.as_ref().map(AsciiPin::as_slice),
            };
            protected(profile, &keys, &card, occasion, &command)
        }
    };
    made.map_err(error)
}
