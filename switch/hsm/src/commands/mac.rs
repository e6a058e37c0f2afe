//! M6 and M8: message authentication codes, of messages that fit into one command.

use super::HostCommand;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;

/// How a code is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacScheme {
    /// ISO 9797-1 algorithm 1, padding method 1 or 2.
    Algorithm1(u8),
    /// ISO 9797-1 algorithm 3, padding method 1 or 2.
    Algorithm3(u8),
    /// CMAC: it pads by itself.
    Cmac,
}

/// `M6`: makes a code of eight bytes.
pub struct GenerateMac<'a> {
    /// The key.
    pub key: &'a HsmKey,
    /// How.
    pub scheme: MacScheme,
    /// Over what.
    pub message: &'a [u8],
}

impl GenerateMac<'_> {
    fn write_all(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        // The only block of a message, in binary, for a code of sixteen digits.
        out.bytes(b"001");
        let (algorithm, padding) = match self.scheme {
            MacScheme::Algorithm1(padding @ 1..=2) => (1, padding),
            MacScheme::Algorithm3(padding @ 1..=2) => (3, padding),
            MacScheme::Cmac => (6, 0),
            MacScheme::Algorithm1(_) | MacScheme::Algorithm3(_) => {
                return Err(Malformed("padding method"));
            }
        };
        out.number("algorithm", algorithm, 1)?;
        out.number("padding method", usize::from(padding), 1)?;
        out.bytes(if self.key.is_block() { b"FFF" } else { b"008" });
        self.key.write(out);
        out.hex_number("length of the message", self.message.len(), 4)?;
        out.bytes(self.message);
        Ok(())
    }
}

impl HostCommand for GenerateMac<'_> {
    type Answer = [u8; 8];

    fn code(&self) -> [u8; 2] {
        *b"M6"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.write_all(out)
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<[u8; 8], Malformed> {
        let mac = answer.hex("MAC")?;
        answer.end()?;
        Ok(mac)
    }
}

/// `M8`: compares a code of eight bytes.
pub struct VerifyMac<'a> {
    /// What it is made of.
    pub of: GenerateMac<'a>,
    /// What came.
    pub claimed: &'a [u8; 8],
}

impl HostCommand for VerifyMac<'_> {
    type Answer = ();

    fn code(&self) -> [u8; 2] {
        *b"M8"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.of.write_all(out)?;
        out.hex(self.claimed);
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<(), Malformed> {
        answer.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, read, sent, text};
    use super::*;

    #[test]
    fn codes_as_they_are_on_the_wire() {
        let key = key('A');
        let make = GenerateMac { key: &key, scheme: MacScheme::Algorithm3(2), message: b"hello" };
        assert_eq!(sent(&make), text("M600132008<A>0005hello"));
        assert_eq!(read(&make, b"000102030405060708"), Some([1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(read(&make, b"0001020304"), None);
        let verify = VerifyMac { of: make, claimed: &[0xFF; 8] };
        assert_eq!(sent(&verify), text("M800132008<A>0005helloFFFFFFFFFFFFFFFF"));
        assert_eq!(read(&verify, b"00"), Some(()));
        assert_eq!(read(&verify, b"01"), None);
        let block = HsmKey::parse(&format!("S10048M6AG00N0000{}", "F".repeat(32))).unwrap();
        let cmac = GenerateMac { key: &block, scheme: MacScheme::Cmac, message: b"" };
        assert!(sent(&cmac).starts_with(b"M600160FFFS10048"));
        let mut out = CommandWriter::new(4, 4096, *b"M6");
        let wrong = GenerateMac { scheme: MacScheme::Algorithm1(3), ..cmac };
        assert_eq!(wrong.write(&mut out), Err(Malformed("padding method")));
    }
}
