//! KU and KY: the authentication code of a command to a chip card, and in mode 4 that of one which
//! brings a new PIN, with that PIN encrypted for the card. No PIN passes here but in such blocks.

use switch_domain::Pan;

use super::HostCommand;
use super::pin::{PinBlock, PinKey};
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
        self.write_in_mode(*b"0", out)
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<[u8; 8], Malformed> {
        let mac = answer.array("MAC")?;
        answer.end()?;
        Ok(mac)
    }
}

impl GenerateScriptMac<'_> {
    /// The fields that every mode begins with.
    fn write_in_mode(&self, mode: [u8; 1], out: &mut CommandWriter) -> Result<(), Malformed> {
        out.bytes(&mode);
        out.bytes(match self.scheme {
            ScriptScheme::Counter(_) => b"0",
            ScriptScheme::CryptogramA(_) => b"1",
            ScriptScheme::CryptogramB(_) => b"3",
        });
        self.key.write(out);
        match self.scheme {
            ScriptScheme::Counter(_) | ScriptScheme::CryptogramA(_) => {
                pan_fields::write_formatted(self.pan, self.sequence, out);
            }
            ScriptScheme::CryptogramB(_) => {
                pan_fields::write_packed_whole(self.pan, self.sequence, out)?;
            }
        }
        out.bytes(&self.session_data());
        out.hex_number("length of the message", self.message.len(), 4)?;
        out.bytes(self.message);
        out.bytes(pan_fields::DELIMITER);
        Ok(())
    }

    fn session_data(&self) -> [u8; 8] {
        match self.scheme {
            ScriptScheme::Counter(atc) => u64::from(atc).to_be_bytes(),
            ScriptScheme::CryptogramA(cryptogram) | ScriptScheme::CryptogramB(cryptogram) => {
                cryptogram
            }
        }
    }
}

/// How a chip wants its new PIN.
#[derive(Clone, Copy)]
pub enum NewPinForm<'a> {
    /// In a block of format 2, the EMV one.
    Format2,
    /// In Visa's, with a part of the card's own key of cryptograms over it: the issuer's master
    /// key of these.
    VisaCardKey(&'a HsmKey),
}

/// `KU` or `KY` in mode 4: the code is over the message and the encrypted PIN behind it.
pub struct ProtectNewPin<'a> {
    /// The code, of the message without its PIN.
    pub code: GenerateScriptMac<'a>,
    /// The issuer master key for the confidentiality of scripts.
    pub confidentiality: &'a HsmKey,
    /// The new PIN, as it came.
    pub pin: PinBlock<'a>,
    /// How the chip wants it.
    pub form: NewPinForm<'a>,
}

/// An encrypted PIN for a chip, and the code over it and the message before it.
pub struct ProtectedPin {
    data: [u8; 16],
    length: usize,
    /// The code.
    pub code: [u8; 8],
}

impl ProtectedPin {
    /// What is encrypted: one block or two.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.data.get(..self.length).unwrap_or_default()
    }
}

impl HostCommand for ProtectNewPin<'_> {
    type Answer = ProtectedPin;

    fn code(&self) -> [u8; 2] {
        self.code.code()
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.code.write_in_mode(*b"4", out)?;
        self.confidentiality.write(out);
        out.bytes(&self.code.session_data());
        out.hex_number("place of the PIN", self.code.message.len(), 4)?;
        out.bytes(match self.pin.key {
            PinKey::Zone(_) => b"0",
            PinKey::Terminal(_) => b"1",
        });
        self.pin.key.key().write(out);
        self.pin.write_block(out)?;
        out.bytes(match self.form {
            NewPinForm::Format2 => b"34",
            NewPinForm::VisaCardKey(_) => b"41",
        });
        self.pin.write_account(out);
        if let NewPinForm::VisaCardKey(key) = self.form {
            key.write(out);
        }
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<ProtectedPin, Malformed> {
        let code = answer.array("MAC")?;
        let length = usize::from(u16::from_be_bytes(answer.hex("length of the PIN")?));
        let mut data = [0; 16];
        let slots = data.get_mut(..length).ok_or(Malformed("length of the PIN"))?;
        slots.copy_from_slice(answer.bytes("encrypted PIN", length)?);
        answer.end()?;
        Ok(ProtectedPin { data, length, code })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pin::PinFormat;
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

    #[test]
    fn new_pins_as_they_are_on_the_wire() {
        let (integrity, hidden, zone) = (key('A'), key('B'), key('C'));
        let pan = Pan::from_digits(b"9999991234567894").unwrap();
        let message = b"\x84\x24".as_slice();
        let scheme = ScriptScheme::Counter(0x0102);
        let code = GenerateScriptMac { key: &integrity, scheme, pan: &pan, sequence: 0, message };
        let (key, block) = (PinKey::Zone(&zone), [0xC5; 8].as_slice());
        let pin = PinBlock { key, block, format: PinFormat::Iso0, pan: &pan };
        let form = NewPinForm::VisaCardKey(&integrity);
        let make = ProtectNewPin { code, confidentiality: &hidden, pin, form };
        let card = b"\x99\x99\x12\x34\x56\x78\x94\x00".as_slice();
        let session = b"\0\0\0\0\0\0\x01\x02".as_slice();
        let (data, block) = (b"0002\x84\x24;".as_slice(), "C5".repeat(8));
        let behind = text(&format!("00020<C>{block}0141999123456789<A>"));
        let expected = [&text("KU40<A>"), card, session, data, &text("<B>"), session, &behind];
        assert_eq!(sent(&make), expected.concat());

        let scheme = ScriptScheme::CryptogramB([7; 8]);
        let code = GenerateScriptMac { scheme, ..make.code };
        let pin = PinBlock { key: PinKey::Terminal(&zone), ..pin };
        let make = ProtectNewPin { code, pin, form: NewPinForm::Format2, ..make };
        let card = b"09\x99\x99\x99\x12\x34\x56\x78\x94\x00;".as_slice();
        let behind = text(&format!("00021<C>{block}0134999123456789"));
        let expected = [&text("KY43<A>"), card, &[7; 8], data, &text("<B>"), &[7; 8], &behind];
        assert_eq!(sent(&make), expected.concat());

        let said = |rest: &[u8]| read(&make, rest).map(|made| (made.code, made.data().to_vec()));
        assert_eq!(said(b"0012345678000812345678"), Some((*b"12345678", b"12345678".to_vec())));
        let both = said(b"00123456780010abcdefghijklmnop");
        assert_eq!(both, Some((*b"12345678", b"abcdefghijklmnop".to_vec())));
        for wrong in [
            &b"00123456780011abcdefghijklmnopq"[..],
            b"001234567800081234567",
            b"00123456780008123456789",
            b"00123456780G0812345678",
            b"0012345678",
        ] {
            assert_eq!(said(wrong), None);
        }
    }
}
