//! DG, FW, DC and EC: the PIN verification value, made and compared.

use switch_domain::Pan;

use super::HostCommand;
use super::pin::{LmkPin, PinBlock, PinKey};
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;
use crate::pan_fields;

/// `DG`: of a PIN under the unit's own key.
pub struct PvvOfLmkPin<'a> {
    /// The PIN verification key.
    pub key: &'a HsmKey,
    /// The PIN.
    pub pin: &'a LmkPin,
    /// The card.
    pub pan: &'a Pan,
    /// Which of the verification keys it is, 0 to 9.
    pub index: u8,
}

impl HostCommand for PvvOfLmkPin<'_> {
    /// Four digits, in ASCII.
    type Answer = [u8; 4];

    fn code(&self) -> [u8; 2] {
        *b"DG"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.key.write(out);
        self.pin.write(out);
        pan_fields::write_account(self.pan, out);
        out.number("key index", usize::from(self.index), 1)
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<[u8; 4], Malformed> {
        pvv(answer)
    }
}

fn pvv(answer: &mut AnswerReader<'_>) -> Result<[u8; 4], Malformed> {
    let value = answer.digits("PVV")?;
    answer.end()?;
    Ok(value)
}

/// `FW`: of a PIN that its holder has chosen, in a block.
pub struct GeneratePvv<'a> {
    /// The block.
    pub pin: PinBlock<'a>,
    /// The PIN verification key.
    pub key: &'a HsmKey,
    /// Which of the verification keys it is, 0 to 9.
    pub index: u8,
}

impl HostCommand for GeneratePvv<'_> {
    type Answer = [u8; 4];

    fn code(&self) -> [u8; 2] {
        *b"FW"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.bytes(self.pin.key.kind());
        self.pin.key.key().write(out);
        self.key.write(out);
        self.pin.write_block(out)?;
        self.pin.write_account(out);
        out.number("key index", usize::from(self.index), 1)
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<[u8; 4], Malformed> {
        pvv(answer)
    }
}

/// `EC` for a block under a zone's key, `DC` for one under a terminal's.
pub struct VerifyPvv<'a> {
    /// The block.
    pub pin: PinBlock<'a>,
    /// The PIN verification key.
    pub key: &'a HsmKey,
    /// Which of the verification keys it is, 0 to 9.
    pub index: u8,
    /// What is on file: four digits, in ASCII.
    pub value: &'a [u8; 4],
}

impl HostCommand for VerifyPvv<'_> {
    type Answer = ();

    fn code(&self) -> [u8; 2] {
        match self.pin.key {
            PinKey::Zone(_) => *b"EC",
            PinKey::Terminal(_) => *b"DC",
        }
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.pin.key.key().write(out);
        self.key.write(out);
        self.pin.write_block(out)?;
        self.pin.write_account(out);
        out.number("key index", usize::from(self.index), 1)?;
        out.digits("PVV", self.value)
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
    fn verification_values_as_they_are_on_the_wire() {
        let (zone, pvk) = (key('A'), key('B'));
        let pan = Pan::from_digits(b"9999991234567894").unwrap();
        let block = [0x11; 8];
        let (key, format) = (PinKey::Zone(&zone), PinFormat::Iso0);
        let pin = PinBlock { key, block: &block, format, pan: &pan };
        let verify = VerifyPvv { pin, key: &pvk, index: 1, value: b"4321" };
        assert_eq!(sent(&verify), text("EC<A><B>11111111111111110199912345678914321"));
        assert_eq!(read(&verify, b"00"), Some(()));
        assert_eq!(read(&verify, b"01"), None);
        let terminal = PinBlock { key: PinKey::Terminal(&zone), ..pin };
        let verify = VerifyPvv { pin: terminal, ..verify };
        assert_eq!(&sent(&verify)[..2], b"DC");
        let make = GeneratePvv { pin, key: &pvk, index: 1 };
        assert_eq!(sent(&make), text("FW001<A><B>1111111111111111019991234567891"));
        assert_eq!(read(&make, b"004321"), Some(*b"4321"));
        assert_eq!(read(&make, b"0043210"), None);
        let lmk_pin = read(&PinToLmk(pin), b"0012345").unwrap();
        let make = PvvOfLmkPin { key: &pvk, pin: &lmk_pin, pan: &pan, index: 12 };
        let mut out = CommandWriter::new(4, 4096, *b"DG");
        assert_eq!(make.write(&mut out), Err(Malformed("key index")));
        let make = PvvOfLmkPin { index: 2, ..make };
        assert_eq!(sent(&make), text("DG<B>123459991234567892"));
    }
}
