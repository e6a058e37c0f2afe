//! BA and JG: a PIN in clear to one under the unit's own key, and that to a block under a zone's
//! key. BA is the one command with a PIN in clear; it is wiped with the command, and nothing of it
//! comes back. Whether it may go is not decided here.

use std::ops::RangeInclusive;

use switch_domain::Pan;
use switch_security::ChosenPin;
use switch_security::exit::pin_for_host_command;
use zeroize::Zeroizing;

use super::HostCommand;
use super::pin::{LmkPin, PinFormat, write_account};
use crate::error_code::ErrorCode;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;
use crate::pan_fields;
use crate::secret::Secret;

/// Digits of a PIN under a local master key, as it is set in the units: one more than the longest
/// PIN that they take.
pub const LMK_PIN_LENGTHS: RangeInclusive<u8> = 5..=13;

/// `BA`: the PIN under the unit's own key, where its security officer allows that.
pub struct EncryptClearPin<'a> {
    /// The PIN.
    pub pin: &'a ChosenPin,
    /// The card that it is bound to.
    pub pan: &'a Pan,
    /// How long the units keep PINs, one of [`LMK_PIN_LENGTHS`].
    pub length: u8,
}

impl HostCommand for EncryptClearPin<'_> {
    const NOT_SET: &'static [ErrorCode] = &[ErrorCode::NOT_AUTHORIZED, ErrorCode::DISABLED];

    type Answer = LmkPin;

    fn code(&self) -> [u8; 2] {
        *b"BA"
    }

    /// The PIN, filled up to that length, which is longer than any PIN; the account 12.
    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        let length = usize::from(self.length);
        pin_for_host_command(self.pin, self.pan, |digits| {
            if !LMK_PIN_LENGTHS.contains(&self.length) || digits.len() >= length {
                return Err(Malformed("length of the PIN"));
            }
            out.digits("PIN", digits)?;
            for _ in digits.len()..length {
                out.bytes(b"F");
            }
            Ok(())
        })?;
        pan_fields::write_account(self.pan, out);
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<LmkPin, Malformed> {
        LmkPin::read(answer)
    }
}

/// What `JG` is asked beside the PIN, which the unit gives out only when it was asked `BA`.
pub struct PinFromLmk {
    fields: Secret,
    format: PinFormat,
}

impl PinFromLmk {
    /// A block of this format for this card, under the key of a zone.
    #[must_use]
    pub fn new(destination: &HsmKey, format: PinFormat, pan: &Pan) -> Self {
        let mut out = CommandWriter::new(0, usize::MAX, *b"JG");
        destination.write(&mut out);
        out.bytes(&format.code());
        write_account(pan, format == PinFormat::Iso4, &mut out);
        Self { fields: out.into_fields(), format }
    }

    /// Of this PIN.
    #[must_use]
    pub const fn of(self, pin: LmkPin) -> Reencrypt {
        Reencrypt { rest: self, pin }
    }

    /// The format that was asked for.
    #[must_use]
    pub const fn format(&self) -> PinFormat {
        self.format
    }
}

/// `JG`: the PIN as a block under the key of a zone.
pub struct Reencrypt {
    rest: PinFromLmk,
    pin: LmkPin,
}

impl HostCommand for Reencrypt {
    const NOT_SET: &'static [ErrorCode] = &[ErrorCode::NOT_AUTHORIZED, ErrorCode::DISABLED];

    type Answer = Zeroizing<Vec<u8>>;

    fn code(&self) -> [u8; 2] {
        *b"JG"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.bytes(self.rest.fields.as_slice());
        self.pin.write(out);
        Ok(())
    }

    /// The block, of 8 bytes or 16: who asked compares.
    fn read(answer: &mut AnswerReader<'_>) -> Result<Self::Answer, Malformed> {
        let bytes = if answer.left().len() == 32 { 16 } else { 8 };
        let mut block = Zeroizing::new(vec![0; bytes]);
        answer.hex_into("PIN block", &mut block)?;
        answer.end()?;
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, read, sent, text};
    use super::*;

    fn pan() -> Pan {
        Pan::from_digits(b"9999991234567894").unwrap()
    }

    fn pin(digits: &[u8]) -> ChosenPin {
        ChosenPin::from_ascii(digits).unwrap()
    }

    #[test]
    fn a_pin_in_clear_is_filled_up_to_the_length_of_the_units() {
        let pan = pan();
        let (mut out, pins) = (Vec::new(), [pin(b"8264"), pin(b"271828182845")]);
        for (pin, length) in [(&pins[0], 5), (&pins[0], 7), (&pins[1], 13)] {
            out.push(String::from_utf8(sent(&EncryptClearPin { pin, pan: &pan, length })).unwrap());
        }
        let account = "999123456789";
        let wanted = ["BA8264F", "BA8264FFF", "BA271828182845F"];
        assert_eq!(out, wanted.map(|fields| format!("{fields}{account}")));
        // It has to be longer than the PIN, and one that there is.
        for (pin, length) in [(&pins[0], 4), (&pins[1], 12), (&pins[1], 5), (&pins[0], 14)] {
            let mut out = CommandWriter::new(4, 4096, *b"BA");
            let refused = EncryptClearPin { pin, pan: &pan, length }.write(&mut out);
            assert_eq!(refused, Err(Malformed("length of the PIN")), "{length}");
        }
        let command = EncryptClearPin { pin: &pins[0], pan: &pan, length: 5 };
        assert!(read(&command, b"0012345").is_some());
        for wrong in [b"001234".as_slice(), b"00123 5", b"17", b"6812345", b"00"] {
            assert!(read(&command, wrong).is_none());
        }
    }

    #[test]
    fn a_pin_under_the_units_own_key_goes_under_a_zones() {
        let (to, pan, chosen) = (key('B'), pan(), pin(b"8264"));
        let asked = EncryptClearPin { pin: &chosen, pan: &pan, length: 5 };
        let lmk = || read(&asked, b"0098765").unwrap();
        let command = PinFromLmk::new(&to, PinFormat::Iso0, &pan).of(lmk());
        assert_eq!(sent(&command), text("JG<B>0199912345678998765"));
        assert_eq!(read(&command, b"001122334455667788").unwrap().len(), 8);
        let long = PinFromLmk::new(&to, PinFormat::Iso4, &pan).of(lmk());
        assert_eq!(sent(&long), text("JG<B>489999991234567894;98765"));
        assert_eq!(read(&long, &[b"00".as_slice(), &[b'A'; 32]].concat()).unwrap().len(), 16);
        for wrong in [b"0011223344556677".as_slice(), b"00112233445566778", b"00112233445566778X"] {
            assert!(read(&command, wrong).is_none());
        }
    }
}
