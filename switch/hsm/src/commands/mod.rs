//! The host commands that are spoken, a family a file: how each is written and how its answer is
//! read. They know no connection; docs/hsm.md has the same layouts as tables.

mod arqc;
mod arqc_emv;
mod card_value;
mod check_value;
mod clear_pin;
mod health;
mod keys;
mod mac;
mod offset;
mod pin;
mod pvv;
mod script;

pub use arqc::{VerifyArqc, VerifyArqcScheme};
pub use arqc_emv::{Arpc, ArpcMethod, CardKeyOption, VerifyArqcEmv};
pub use card_value::{GenerateCvv, VerifyCvv};
pub use check_value::GenerateCheckValue;
pub use clear_pin::{EncryptClearPin, LMK_PIN_LENGTHS, PinFromLmk, Reencrypt};
pub use health::{Diagnostics, DiagnosticsAnswer, Echo, Status, StatusAnswer};
pub use keys::{ExportKey, GenerateKey, ImportKey, KeyAnswer, KeyType};
pub use mac::{GenerateMac, MacScheme, VerifyMac};
pub use offset::{GenerateOffset, IbmTerms, OffsetAnswer, OffsetOfLmkPin, VerifyOffset};
pub use pin::{LmkPin, PinBlock, PinFormat, PinKey, PinToLmk, TranslatePinBlock, Translated};
pub use pvv::{GeneratePvv, PvvOfLmkPin, VerifyPvv};
pub use script::{GenerateScriptMac, NewPinForm, ProtectNewPin, ProtectedPin, ScriptScheme};

use crate::error_code::ErrorCode;
use crate::fields::{AnswerReader, CommandWriter, Malformed};

/// A host command: its letters, what follows them, and what comes back behind the error code.
pub trait HostCommand {
    /// The letters, where they do not depend on what is asked for.
    fn code(&self) -> [u8; 2];

    /// Error codes with which the answer has its data: `00`, and what is a warning only.
    const ACCEPTED: &'static [ErrorCode] = &[ErrorCode::NONE];

    /// Error codes by which a unit says that it is not set to do this at all. It is well, and the
    /// other ones are set alike: they count against nobody, and nobody else is asked.
    const NOT_SET: &'static [ErrorCode] = &[];

    /// What comes back.
    type Answer;

    /// Writes all fields behind the letters.
    ///
    /// # Errors
    /// A field does not fit; which one is said.
    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed>;

    /// Reads all fields behind the error code.
    ///
    /// # Errors
    /// A field is not what it should be; which one is said.
    fn read(answer: &mut AnswerReader<'_>) -> Result<Self::Answer, Malformed>;
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::proptest;

    use super::*;
    use crate::frame::Header;
    use crate::hsm_key::HsmKey;

    /// What a command puts behind its letters.
    pub(crate) fn sent(command: &impl HostCommand) -> Vec<u8> {
        let mut out = CommandWriter::new(4, 4096, command.code());
        command.write(&mut out).unwrap();
        let sent = out.finish().unwrap().under(Header::of(b"0000").unwrap());
        sent.as_slice()[6..].to_vec()
    }

    /// What is read of an answer to such a command; `None` where it is refused.
    pub(crate) fn read<C: HostCommand>(_: &C, rest: &[u8]) -> Option<C::Answer> {
        let (code, mut answer) = AnswerReader::new(rest).ok()?;
        C::ACCEPTED.contains(&code).then(|| C::read(&mut answer).ok())?
    }

    /// A key of a repeated digit.
    pub(crate) fn key(digit: char) -> HsmKey {
        HsmKey::parse(&format!("U{}", digit.to_string().repeat(32))).unwrap()
    }

    /// Text of a command, with `<A>` for the key of that digit.
    pub(crate) fn text(template: &str) -> Vec<u8> {
        let mut text = template.to_owned();
        for digit in ['A', 'B', 'C'] {
            text = text.replace(&format!("<{digit}>"), key(digit).as_str());
        }
        text.into_bytes()
    }

    /// Reads an answer, whatever it is.
    fn survives<C: HostCommand>(rest: &[u8]) {
        if let Ok((_, mut answer)) = AnswerReader::new(rest) {
            let _ = C::read(&mut answer);
        }
    }

    fn all_survive(rest: &[u8]) {
        survives::<Status>(rest);
        survives::<Diagnostics>(rest);
        survives::<Echo>(rest);
        survives::<GenerateCvv<'_>>(rest);
        survives::<VerifyCvv<'_>>(rest);
        survives::<GeneratePvv<'_>>(rest);
        survives::<GenerateOffset<'_>>(rest);
        survives::<TranslatePinBlock<'_>>(rest);
        survives::<PinToLmk<'_>>(rest);
        survives::<EncryptClearPin<'_>>(rest);
        survives::<Reencrypt>(rest);
        survives::<VerifyArqc<'_>>(rest);
        survives::<VerifyArqcEmv<'_>>(rest);
        survives::<GenerateScriptMac<'_>>(rest);
        survives::<ProtectNewPin<'_>>(rest);
        survives::<GenerateMac<'_>>(rest);
        survives::<GenerateKey>(rest);
        survives::<GenerateCheckValue<'_>>(rest);
    }

    proptest! {
        #[test]
        fn no_answer_makes_a_reader_fall(rest: Vec<u8>) {
            all_survive(&rest);
        }

        /// Nearly good ones get further in.
        #[test]
        fn nor_does_one_that_begins_well(rest in "00[USTR0-9A-F]{0,80}") {
            all_survive(rest.as_bytes());
        }
    }
}
