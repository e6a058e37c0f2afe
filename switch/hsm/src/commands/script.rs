//! KU and KY: the authentication code of a command to a chip card. Only codes, no encrypted data:
//! commands that carry a PIN are not made by these.

use switch_domain::Pan;

use super::HostCommand;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;
use crate::pan_fields;

/// How the session key of a command comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptScheme {
    /// Visa's: of the counter. `KU`, card key of option A.
    Counter(u16),
    /// Of a cryptogram, behind a card key of option A. `KU`.
    CryptogramA([u8; 8]),
    /// EMV's common one, of a cryptogram, behind a card key of option B. `KY`.
    CryptogramB([u8; 8]),
}

/// `KU` or `KY` in mode 0.
pub struct GenerateScriptMac<'a> {
    /// The issuer master key for the integrity of scripts.
    pub key: &'a HsmKey,
    /// How the session key comes about.
    pub scheme: ScriptScheme,
    /// The card.
    pub pan: &'a Pan,
    /// Its sequence number.
    pub sequence: u8,
    /// What the code is over, not padded: the unit does that.
    pub message: &'a [u8],
}

impl HostCommand for GenerateScriptMac<'_> {
    type Answer = [u8; 8];

    fn code(&self) -> [u8; 2] {
        match self.scheme {
            ScriptScheme::Counter(_) | ScriptScheme::CryptogramA(_) => *b"KU",
            ScriptScheme::CryptogramB(_) => *b"KY",
        }
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.bytes(b"0"); // a code alone
        match self.scheme {
            ScriptScheme::Counter(atc) => {
                out.bytes(b"0");
                self.key.write(out);
                pan_fields::write_formatted(self.pan, self.sequence, out);
                out.bytes(&u64::from(atc).to_be_bytes());
            }
            ScriptScheme::CryptogramA(cryptogram) => {
                out.bytes(b"1");
                self.key.write(out);
                pan_fields::write_formatted(self.pan, self.sequence, out);
                out.bytes(&cryptogram);
            }
            ScriptScheme::CryptogramB(cryptogram) => {
                out.bytes(b"3");
                self.key.write(out);
                pan_fields::write_packed_whole(self.pan, self.sequence, out)?;
                out.bytes(&cryptogram);
            }
        }
        out.hex_number("length of the message", self.message.len(), 4)?;
        out.bytes(self.message);
        out.bytes(pan_fields::DELIMITER);
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<[u8; 8], Malformed> {
        let mac = answer.array("MAC")?;
        answer.end()?;
        Ok(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, read, sent, text};
    use super::*;

    #[test]
    fn scripts_as_they_are_on_the_wire() {
        let (key, pan) = (key('A'), Pan::from_digits(b"9999991234567894").unwrap());
        let scheme = ScriptScheme::Counter(0x0102);
        let message = b"\x84\x24".as_slice();
        let make = GenerateScriptMac { key: &key, scheme, pan: &pan, sequence: 0, message };
        let card = b"\x99\x99\x12\x34\x56\x78\x94\x00".as_slice();
        let session = b"\0\0\0\0\0\0\x01\x02".as_slice();
        let data = b"0002\x84\x24;".as_slice();
        assert_eq!(sent(&make), [&text("KU00<A>"), card, session, data].concat());
        assert_eq!(read(&make, b"0012345678"), Some(*b"12345678"));
        assert_eq!(read(&make, b"001234"), None);
        let scheme = ScriptScheme::CryptogramA([7; 8]);
        let make = GenerateScriptMac { scheme, ..make };
        assert_eq!(sent(&make), [&text("KU01<A>"), card, &[7; 8], data].concat());
        let scheme = ScriptScheme::CryptogramB([7; 8]);
        let make = GenerateScriptMac { scheme, ..make };
        let card = b"09\x99\x99\x99\x12\x34\x56\x78\x94\x00;".as_slice();
        assert_eq!(sent(&make), [&text("KY03<A>"), card, &[7; 8], data].concat());
    }
}
