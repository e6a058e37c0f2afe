//! KQ: the cryptogram of a card whose keys are derived in the schemes' first ways, and its answer
//! of method 1. The unit pads with zeros; what a scheme wants else stands in the data already.

use switch_domain::Pan;

use super::HostCommand;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;
use crate::pan_fields;

/// How the session key comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyArqcScheme {
    /// Not at all: the card's key itself.
    CardKey,
    /// Of counter and unpredictable number.
    CounterAndNumber,
}

/// `KQ`: compares a cryptogram, and makes the answer where an authorization response code is given.
pub struct VerifyArqc<'a> {
    /// The issuer master key for cryptograms.
    pub key: &'a HsmKey,
    /// How the session key comes about.
    pub scheme: VerifyArqcScheme,
    /// The card.
    pub pan: &'a Pan,
    /// Its sequence number.
    pub sequence: u8,
    /// Its counter.
    pub atc: u16,
    /// The terminal's number.
    pub unpredictable_number: u32,
    /// What the cryptogram is over, 1 to 255 bytes.
    pub data: &'a [u8],
    /// What came.
    pub cryptogram: &'a [u8; 8],
    /// What an answer is made for.
    pub response_code: Option<[u8; 2]>,
}

impl HostCommand for VerifyArqc<'_> {
    /// The ARPC, where one was asked for: who asked looks.
    type Answer = Option<[u8; 8]>;

    fn code(&self) -> [u8; 2] {
        *b"KQ"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.number("mode", usize::from(self.response_code.is_some()), 1)?;
        out.bytes(match self.scheme {
            VerifyArqcScheme::CardKey => b"0",
            VerifyArqcScheme::CounterAndNumber => b"1",
        });
        self.key.write(out);
        pan_fields::write_formatted(self.pan, self.sequence, out);
        out.bytes(&self.atc.to_be_bytes());
        out.bytes(&self.unpredictable_number.to_be_bytes());
        write_data(self.data, out)?;
        out.bytes(self.cryptogram);
        if let Some(response_code) = self.response_code {
            out.bytes(&response_code);
        }
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<Option<[u8; 8]>, Malformed> {
        let arpc = if answer.left().is_empty() { None } else { Some(answer.array("ARPC")?) };
        answer.end()?;
        Ok(arpc)
    }
}

/// Behind its length, and with a delimiter at its end.
pub(super) fn write_data(data: &[u8], out: &mut CommandWriter) -> Result<(), Malformed> {
    if data.is_empty() {
        return Err(Malformed("transaction data"));
    }
    out.hex_number("transaction data", data.len(), 2)?;
    out.bytes(data);
    out.bytes(pan_fields::DELIMITER);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, read, sent, text};
    use super::*;

    #[test]
    fn cryptograms_as_they_are_on_the_wire() {
        let (key, pan) = (key('A'), Pan::from_digits(b"9999991234567894").unwrap());
        let verify = VerifyArqc {
            key: &key,
            scheme: VerifyArqcScheme::CounterAndNumber,
            pan: &pan,
            sequence: 1,
            atc: 0x0102,
            unpredictable_number: 0x0304_0506,
            data: &[0xAB; 32],
            cryptogram: &[0xCD; 8],
            response_code: None,
        };
        let card = b"\x99\x99\x12\x34\x56\x78\x94\x01\x01\x02\x03\x04\x05\x06".as_slice();
        let data = [b"20".as_slice(), &[0xAB; 32], b";", &[0xCD; 8]].concat();
        assert_eq!(sent(&verify), [&text("KQ01<A>"), card, &data].concat());
        assert_eq!(read(&verify, b"00"), Some(None));
        assert_eq!(read(&verify, b"00\x01\x02"), None);
        let code = VerifyArqc { response_code: Some(*b"00"), ..verify };
        assert_eq!(sent(&code), [&text("KQ11<A>"), card, &data, b"00"].concat());
        assert_eq!(read(&code, b"0012345678"), Some(Some(*b"12345678")));
        assert_eq!(read(&code, b"01"), None);
        for data in [vec![], vec![0; 256]] {
            let mut out = CommandWriter::new(4, 4096, *b"KQ");
            let wrong = VerifyArqc { data: &data, ..code };
            assert_eq!(wrong.write(&mut out), Err(Malformed("transaction data")));
        }
    }
}
