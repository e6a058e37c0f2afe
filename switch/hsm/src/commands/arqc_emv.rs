//! KW: the cryptogram of a card whose session keys are EMV's common ones, and its answer of method
//! 1 or 2. Data come padded.

use switch_domain::Pan;

use super::HostCommand;
use super::arqc::write_data;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;
use crate::pan_fields;

/// How the card's key is derived from the issuer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardKeyOption {
    /// Of the last sixteen digits.
    A,
    /// Of all digits, hashed where they are more than sixteen.
    B,
}

/// What an answer is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArpcMethod {
    /// Method 1: the authorization response code; eight bytes come back.
    One([u8; 2]),
    /// Method 2: the card status update; four bytes come back.
    Two([u8; 4]),
}

/// `KW`: compares a cryptogram, and makes the answer where it is asked for.
pub struct VerifyArqcEmv<'a> {
    /// The issuer master key for cryptograms.
    pub key: &'a HsmKey,
    /// How the card's key is derived.
    pub option: CardKeyOption,
    /// The card.
    pub pan: &'a Pan,
    /// Its sequence number.
    pub sequence: u8,
    /// Its counter.
    pub atc: u16,
    /// What the cryptogram is over, 1 to 255 bytes.
    pub data: &'a [u8],
    /// What came.
    pub cryptogram: &'a [u8; 8],
    /// What an answer is made for.
    pub arpc: Option<ArpcMethod>,
}

impl HostCommand for VerifyArqcEmv<'_> {
    /// The ARPC, where one was asked for: who asked looks whether it has the right length.
    type Answer = Arpc;

    fn code(&self) -> [u8; 2] {
        *b"KW"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.bytes(match self.arpc {
            None => b"0",
            Some(ArpcMethod::One(_)) => b"1",
            Some(ArpcMethod::Two(_)) => b"3",
        });
        // Schemes 2 and 3: the common session key, behind card keys of option A and B.
        match self.option {
            CardKeyOption::A => {
                out.bytes(b"2");
                self.key.write(out);
                pan_fields::write_formatted(self.pan, self.sequence, out);
            }
            CardKeyOption::B => {
                out.bytes(b"3");
                self.key.write(out);
                pan_fields::write_packed_whole(self.pan, self.sequence, out)?;
            }
        }
        out.bytes(&self.atc.to_be_bytes());
        write_data(self.data, out)?;
        out.bytes(self.cryptogram);
        match self.arpc {
            None => {}
            Some(ArpcMethod::One(response_code)) => out.bytes(&response_code),
            Some(ArpcMethod::Two(status_update)) => {
                out.bytes(&status_update);
                out.bytes(b"0"); // no proprietary data
            }
        }
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<Arpc, Malformed> {
        let arpc = match answer.left().len() {
            0 => Arpc::None,
            4 => Arpc::Four(answer.array("ARPC")?),
            _ => Arpc::Eight(answer.array("ARPC")?),
        };
        answer.end()?;
        Ok(arpc)
    }
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arpc {
    /// Nothing.
    None,
    /// Of method 2.
    Four([u8; 4]),
    /// Of method 1.
    Eight([u8; 8]),
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, read, sent, text};
    use super::*;

    #[test]
    fn common_session_keys_as_they_are_on_the_wire() {
        let (key, pan) = (key('A'), Pan::from_digits(b"99999912345678940").unwrap());
        let verify = VerifyArqcEmv {
            key: &key,
            option: CardKeyOption::B,
            pan: &pan,
            sequence: 1,
            atc: 0x0102,
            data: &[0xAB; 40],
            cryptogram: &[0xCD; 8],
            arpc: Some(ArpcMethod::Two([1, 2, 3, 4])),
        };
        let card = b"10\x09\x99\x99\x91\x23\x45\x67\x89\x40\x01;\x01\x02".as_slice();
        let data = [b"28".as_slice(), &[0xAB; 40], b";", &[0xCD; 8]].concat();
        let expected = [&text("KW33<A>"), card, &data, &[1, 2, 3, 4, b'0']].concat();
        assert_eq!(sent(&verify), expected);
        assert_eq!(read(&verify, b"001234"), Some(Arpc::Four(*b"1234")));
        assert_eq!(read(&verify, b"00"), Some(Arpc::None));
        assert_eq!(read(&verify, b"0012345"), None);
        let arpc = Some(ArpcMethod::One(*b"05"));
        let verify = VerifyArqcEmv { option: CardKeyOption::A, arpc, ..verify };
        let card = b"\x99\x91\x23\x45\x67\x89\x40\x01\x01\x02".as_slice();
        assert!(sent(&verify).starts_with(&[&text("KW12<A>"), card].concat()));
        assert!(sent(&verify).ends_with(b"05"));
        assert_eq!(read(&verify, b"0012345678"), Some(Arpc::Eight(*b"12345678")));
        assert_eq!(sent(&VerifyArqcEmv { arpc: None, ..verify })[2], b'0');
    }
}
