//! Field 55 of an answer: the issuer's authentication data, the response code that they are for
//! where the dialect wants it, and a command for the chip. It owns how these are written; what they
//! say is the security module's affair.

use codecs::iso8583::ScriptTemplate;
use switch_security::{IssuerAuthentication, Script};

const RESPONSE_CODE: u8 = 0x8A;
const AUTHENTICATION_DATA: u8 = 0x91;
const COMMAND: u8 = 0x86;
/// Tag and length, each of one byte: nothing here has more than 127.
const HEAD: usize = 2;
/// All objects.
const MOST_BYTES: usize =
    HEAD + 2 + HEAD + IssuerAuthentication::MAX_BYTES + HEAD + HEAD + Script::MAX_BYTES;

/// The field, in a buffer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChipAnswer {
    bytes: [u8; MOST_BYTES],
    length: usize,
}

impl ChipAnswer {
    /// Without anything in it.
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; MOST_BYTES], length: 0 }
    }

    /// With authentication data, and the code before them where it is wanted.
    pub(crate) fn with_authentication(mut self, data: &[u8], code: Option<[u8; 2]>) -> Self {
        if let Some(code) = code {
            self.push(RESPONSE_CODE, &code);
        }
        self.push(AUTHENTICATION_DATA, data);
        self
    }

    /// With a command in its template.
    pub(crate) fn with_script(mut self, template: ScriptTemplate, script: &Script) -> Self {
        let command = script.bytes();
        let length = u8::try_from(command.len().saturating_add(HEAD)).unwrap_or_default();
        self.put(&[template.tag(), length]);
        self.push(COMMAND, command);
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// An object whose tag and length have one byte each.
    fn push(&mut self, tag: u8, value: &[u8]) {
        let length = u8::try_from(value.len()).unwrap_or_default();
        self.put(&[tag, length]);
        self.put(value);
    }

    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(slot) = self.bytes.get_mut(self.length) {
                *slot = *byte;
                self.length = self.length.saturating_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_code_before_what_is_for_it_and_commands_last() {
        let data = [1, 2, 3, 4, 5, 6, 7, 8, 0x30, 0x30];
        let both = ChipAnswer::new().with_authentication(&data, Some(*b"00"));
        assert_eq!(hex::encode(both.bytes()), "8a023030910a01020304050607083030");
        let plain = ChipAnswer::new().with_authentication(&data, None);
        assert_eq!(hex::encode(plain.bytes()), "910a01020304050607083030");
        let script = Script::new(&[0x84, 0x24, 0, 0, 8]).expect("a command");
        let told = plain.with_script(ScriptTemplate::Behind, &script);
        assert_eq!(hex::encode(told.bytes()), "910a01020304050607083030720786058424000008");
        let alone = ChipAnswer::new().with_script(ScriptTemplate::Before, &script);
        assert_eq!(hex::encode(alone.bytes()), "710786058424000008");
        let longest = Script::new(&[7; Script::MAX_BYTES]).expect("a command");
        let whole = ChipAnswer::new()
            .with_authentication(&[9; IssuerAuthentication::MAX_BYTES], Some(*b"05"))
            .with_script(ScriptTemplate::Behind, &longest);
        assert_eq!(whole.bytes().len(), MOST_BYTES);
    }
}
