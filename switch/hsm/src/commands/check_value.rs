//! BU: the check value of a key that a unit's configuration names.

use super::HostCommand;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;

/// `BU`: three bytes by which a key is known and not given away.
pub struct GenerateCheckValue<'a> {
    /// The key.
    pub key: &'a HsmKey,
    /// Its type, as in A0, where it is no key block.
    pub kind: [u8; 3],
}

impl HostCommand for GenerateCheckValue<'_> {
    type Answer = [u8; 3];

    fn code(&self) -> [u8; 2] {
        *b"BU"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.bytes(b"FF"); // its type follows
        out.bytes(match self.key.as_str().as_bytes().first() {
            Some(b'S' | b'R') => b"F",
            Some(b'T' | b'Y') => b"2",
            _ => b"1",
        });
        self.key.write(out);
        out.bytes(b";");
        out.bytes(if self.key.is_block() { b"FFF" } else { &self.kind });
        out.bytes(b";001"); // six digits of it
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<[u8; 3], Malformed> {
        let value = answer.hex("check value")?;
        answer.end()?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, read, sent, text};
    use super::*;

    #[test]
    fn check_values_as_they_are_on_the_wire() {
        let key = key('A');
        let command = GenerateCheckValue { key: &key, kind: *b"402" };
        assert_eq!(sent(&command), text("BUFF1<A>;402;001"));
        assert_eq!(read(&command, b"0008D7B4"), Some([0x08, 0xD7, 0xB4]));
        assert_eq!(read(&command, b"0008D7B40000000000"), None);
    }
}
