//! DE, BK, DA and EA: the offset of the IBM 3624 method, made and compared.

use switch_domain::Pan;
use zeroize::Zeroizing;

use super::HostCommand;
use super::pin::{LmkPin, MAX_PIN, PinBlock, PinKey};
use crate::error_code::ErrorCode;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;
use crate::pan_fields;

/// Digits of the account that units put into the validation data where its `N` stands.
const OF_ACCOUNT: usize = 5;

/// What the method computes with, besides PIN and card.
#[derive(Clone, Copy)]
pub struct IbmTerms<'a> {
    /// The PIN verification key.
    pub key: &'a HsmKey,
    /// How many digits are compared, 4 to 12.
    pub check_length: u8,
    /// Which decimal digit stands for each hexadecimal one: 16 digits, in ASCII.
    pub decimalization: &'a [u8; 16],
    /// The validation data: 16 hexadecimal digits, in ASCII.
    pub validation: &'a [u8; 16],
}

impl IbmTerms<'_> {
    fn write_check_length(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        if !(4..=12).contains(&self.check_length) {
            return Err(Malformed("check length"));
        }
        out.number("check length", usize::from(self.check_length), 2)
    }

    /// The table and the validation data. Where the last five digits of the account stand in it,
    /// the twelve characters that all units take; else `P` and all sixteen.
    fn write_tables(&self, pan: &Pan, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.digits("decimalization table", self.decimalization)?;
        if !self.validation.iter().all(u8::is_ascii_hexdigit) {
            return Err(Malformed("validation data"));
        }
        match pan_fields::place_of_account::<OF_ACCOUNT>(pan, self.validation) {
            Some(place) => {
                let after = place.saturating_add(OF_ACCOUNT);
                out.bytes(self.validation.get(..place).unwrap_or_default());
                out.bytes(b"N");
                out.bytes(self.validation.get(after..).unwrap_or_default());
            }
            None => {
                out.bytes(b"P");
                out.bytes(self.validation);
            }
        }
        Ok(())
    }
}

/// An offset: twelve characters, digits and then `F`.
pub struct OffsetAnswer(Zeroizing<[u8; 12]>);

impl OffsetAnswer {
    /// Its digits, in ASCII.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        let end = self.0.iter().position(|digit| !digit.is_ascii_digit());
        self.0.get(..end.unwrap_or(self.0.len())).unwrap_or_default()
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<Self, Malformed> {
        let offset = Self(Zeroizing::new(answer.array("offset")?));
        answer.end()?;
        let digits = offset.digits().len();
        let filled = offset.0.iter().skip(digits).all(|filler| *filler == b'F');
        (digits >= 4 && filled).then_some(offset).ok_or(Malformed("offset"))
    }
}

/// A key longer than the method's own single DES is a warning only: it computes with triple DES.
const ACCEPTED: &[ErrorCode] = &[ErrorCode::NONE, ErrorCode::KEY_LENGTH];

/// `DE`: of a PIN under the unit's own key.
pub struct OffsetOfLmkPin<'a> {
    /// What it is computed with.
    pub terms: IbmTerms<'a>,
    /// The PIN.
    pub pin: &'a LmkPin,
    /// The card.
    pub pan: &'a Pan,
}

impl HostCommand for OffsetOfLmkPin<'_> {
    const ACCEPTED: &'static [ErrorCode] = ACCEPTED;
    type Answer = OffsetAnswer;

    fn code(&self) -> [u8; 2] {
        *b"DE"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.terms.key.write(out);
        self.pin.write(out);
        self.terms.write_check_length(out)?;
        pan_fields::write_account(self.pan, out);
        self.terms.write_tables(self.pan, out)
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<OffsetAnswer, Malformed> {
        OffsetAnswer::read(answer)
    }
}

/// `BK`: of a PIN that its holder has chosen, in a block.
pub struct GenerateOffset<'a> {
    /// What it is computed with.
    pub terms: IbmTerms<'a>,
    /// The block.
    pub pin: PinBlock<'a>,
}

impl HostCommand for GenerateOffset<'_> {
    const ACCEPTED: &'static [ErrorCode] = ACCEPTED;
    type Answer = OffsetAnswer;

    fn code(&self) -> [u8; 2] {
        *b"BK"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.bytes(self.pin.key.kind());
        self.pin.key.key().write(out);
        self.terms.key.write(out);
        self.pin.write_block(out)?;
        self.terms.write_check_length(out)?;
        self.pin.write_account(out);
        self.terms.write_tables(self.pin.pan, out)
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<OffsetAnswer, Malformed> {
        OffsetAnswer::read(answer)
    }
}

/// `EA` for a block under a zone's key, `DA` for one under a terminal's.
pub struct VerifyOffset<'a> {
    /// What it is computed with.
    pub terms: IbmTerms<'a>,
    /// The block.
    pub pin: PinBlock<'a>,
    /// What is on file: 4 to 12 digits, in ASCII.
    pub offset: &'a [u8],
}

impl HostCommand for VerifyOffset<'_> {
    const ACCEPTED: &'static [ErrorCode] = ACCEPTED;
    type Answer = ();

    fn code(&self) -> [u8; 2] {
        match self.pin.key {
            PinKey::Zone(_) => *b"EA",
            PinKey::Terminal(_) => *b"DA",
        }
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.pin.key.key().write(out);
        self.terms.key.write(out);
        out.number("longest PIN", MAX_PIN, 2)?;
        self.pin.write_block(out)?;
        self.terms.write_check_length(out)?;
        self.pin.write_account(out);
        self.terms.write_tables(self.pin.pan, out)?;
        if !(4..=MAX_PIN).contains(&self.offset.len()) {
            return Err(Malformed("offset"));
        }
        out.digits("offset", self.offset)?;
        let filler = MAX_PIN.saturating_sub(self.offset.len());
        out.bytes(b"FFFFFFFFFFFF".get(..filler).unwrap_or_default());
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<(), Malformed> {
        answer.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::PinToLmk;
    use super::super::pin::PinFormat;
    use super::super::tests::{key, read, sent, text};
    use super::*;

    #[test]
    fn offsets_as_they_are_on_the_wire() {
        let (zone, pvk) = (key('A'), key('B'));
        let pan = Pan::from_digits(b"9999991234567894").unwrap();
        let block = [0x11; 8];
        let (zone, format) = (PinKey::Zone(&zone), PinFormat::Iso0);
        let pin = PinBlock { key: zone, block: &block, format, pan: &pan };
        let (decimalization, validation) = (b"0123456789012345", b"9999991234567894");
        let terms = IbmTerms { key: &pvk, check_length: 4, decimalization, validation };
        let verify = VerifyOffset { terms, pin, offset: b"1234" };
        let tables = "0123456789012345".to_owned() + "9999991234N4";
        let head = "<A><B>12111111111111111101".to_owned() + "04" + "999123456789";
        assert_eq!(sent(&verify), text(&format!("EA{head}{tables}1234FFFFFFFF")));
        assert_eq!(read(&verify, b"00"), Some(()));
        assert_eq!(read(&verify, b"02"), Some(()));
        assert_eq!(read(&verify, b"01"), None);

        let make = GenerateOffset { terms, pin };
        let head = "BK001<A><B>11111111111111110104999123456789";
        assert_eq!(sent(&make), text(&format!("{head}{tables}")));
        assert_eq!(read(&make, b"001234FFFFFFFF").unwrap().digits(), b"1234");
        for wrong in [b"00123FFFFFFFFF".as_slice(), b"001234FFFFFFF0", b"001234FFFFFFF"] {
            assert!(read(&make, wrong).is_none());
        }

        let lmk_pin = read(&PinToLmk(pin), b"0012345").unwrap();
        let other = IbmTerms { validation: b"00000000000000AF", check_length: 6, ..terms };
        let make = OffsetOfLmkPin { terms: other, pin: &lmk_pin, pan: &pan };
        let expected = "DE<B>1234506999123456789".to_owned() + "0123456789012345P00000000000000AF";
        assert_eq!(sent(&make), text(&expected));
    }

    #[test]
    fn what_does_not_fit_is_not_sent() {
        let (zone, pvk) = (key('A'), key('B'));
        let pan = Pan::from_digits(b"9999991234567894").unwrap();
        let block = [0x11; 8];
        let (key, format) = (PinKey::Zone(&zone), PinFormat::Iso0);
        let pin = PinBlock { key, block: &block, format, pan: &pan };
        let (decimalization, validation) = (b"0123456789012345", b"9999991234567894");
        let terms = IbmTerms { key: &pvk, check_length: 4, decimalization, validation };
        for (command, fault) in [
            (VerifyOffset { terms, pin, offset: b"123" }, "offset"),
            (VerifyOffset { terms, pin, offset: b"12345678901F" }, "offset"),
            (
                VerifyOffset { terms: IbmTerms { check_length: 3, ..terms }, pin, offset: b"1234" },
                "check length",
            ),
        ] {
            let mut out = CommandWriter::new(4, 4096, *b"EA");
            assert_eq!(command.write(&mut out), Err(Malformed(fault)));
        }
    }
}
