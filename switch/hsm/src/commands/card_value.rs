//! CW and CY: card verification values. Which of them it is (CVV, CVV2, iCVV) follows from service
//! code and date, which are the caller's.

use switch_domain::Pan;

use super::HostCommand;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;
use crate::pan_fields;

/// `CW`: makes a value.
pub struct GenerateCvv<'a> {
    /// The card verification key.
    pub key: &'a HsmKey,
    /// The card.
    pub pan: &'a Pan,
    /// The four digits of its date, in the order of the value.
    pub expiry: [u8; 4],
    /// Three digits.
    pub service_code: [u8; 3],
}

impl GenerateCvv<'_> {
    fn write_card(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        pan_fields::write_whole(self.pan, out);
        out.digits("expiry", &self.expiry)?;
        out.digits("service code", &self.service_code)
    }
}

impl HostCommand for GenerateCvv<'_> {
    /// Three digits, in ASCII.
    type Answer = [u8; 3];

    fn code(&self) -> [u8; 2] {
        *b"CW"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.key.write(out);
        self.write_card(out)
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<[u8; 3], Malformed> {
        let value = answer.digits("CVV")?;
        answer.end()?;
        Ok(value)
    }
}

/// `CY`: compares a value.
pub struct VerifyCvv<'a> {
    /// What it is made of.
    pub of: GenerateCvv<'a>,
    /// What was claimed: three digits, in ASCII.
    pub claimed: &'a [u8; 3],
}

impl HostCommand for VerifyCvv<'_> {
    type Answer = ();

    fn code(&self) -> [u8; 2] {
        *b"CY"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.of.key.write(out);
        out.digits("CVV", self.claimed)?;
        self.of.write_card(out)
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
    fn card_values_as_they_are_on_the_wire() {
        let (key, pan) = (key('A'), Pan::from_digits(b"9999991234567894").unwrap());
        let of = GenerateCvv { key: &key, pan: &pan, expiry: *b"2912", service_code: *b"201" };
        assert_eq!(sent(&of), text("CW<A>9999991234567894;2912201"));
        assert_eq!(read(&of, b"00123"), Some(*b"123"));
        for wrong in [b"0012".as_slice(), b"001234", b"0012a", b"01123", b"00"] {
            assert_eq!(read(&of, wrong), None);
        }
        let verify = VerifyCvv { of, claimed: b"345" };
        assert_eq!(sent(&verify), text("CY<A>3459999991234567894;2912201"));
        assert_eq!(read(&verify, b"00"), Some(()));
        assert_eq!(read(&verify, b"00x"), None);
        assert_eq!(read(&verify, b"01"), None);
    }
}
