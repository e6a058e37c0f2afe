//! PIN blocks in host commands, and CA, CC and JE, which carry them over to another key. Only
//! encrypted blocks pass here, and nothing that they hold comes back.

use switch_domain::Pan;
use zeroize::Zeroizing;

use super::HostCommand;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;
use crate::pan_fields;

/// What PINs may have at most.
pub(super) const MAX_PIN: usize = 12;

/// A format of PIN blocks, of ISO 9564.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinFormat {
    /// Format 0.
    Iso0,
    /// Format 1.
    Iso1,
    /// Format 3.
    Iso3,
    /// Format 4: 16 bytes, under AES.
    Iso4,
}

impl PinFormat {
    /// The two digits by which units know it.
    #[must_use]
    pub const fn code(self) -> [u8; 2] {
        match self {
            Self::Iso0 => *b"01",
            Self::Iso1 => *b"05",
            Self::Iso3 => *b"47",
            Self::Iso4 => *b"48",
        }
    }

    /// From these two digits.
    fn of(code: [u8; 2]) -> Option<Self> {
        let all = [Self::Iso0, Self::Iso1, Self::Iso3, Self::Iso4];
        all.into_iter().find(|format| format.code() == code)
    }

    /// Bytes of a block.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Iso4 => 16,
            Self::Iso0 | Self::Iso1 | Self::Iso3 => 8,
        }
    }
}

/// Whose key a block is under: that decides the command.
#[derive(Clone, Copy)]
pub enum PinKey<'a> {
    /// A zone's.
    Zone(&'a HsmKey),
    /// A terminal's.
    Terminal(&'a HsmKey),
}

impl<'a> PinKey<'a> {
    pub(super) const fn key(self) -> &'a HsmKey {
        match self {
            Self::Zone(key) | Self::Terminal(key) => key,
        }
    }

    /// The three digits of its type, for commands that take either; a key block says it itself.
    pub(super) fn kind(self) -> &'static [u8; 3] {
        match self {
            _ if self.key().is_block() => b"FFF",
            Self::Zone(_) => b"001",
            Self::Terminal(_) => b"002",
        }
    }
}

/// An encrypted PIN block with what it is bound to.
#[derive(Clone, Copy)]
pub struct PinBlock<'a> {
    /// The key that it is under.
    pub key: PinKey<'a>,
    /// The block.
    pub block: &'a [u8],
    /// Its format.
    pub format: PinFormat,
    /// The card.
    pub pan: &'a Pan,
}

impl PinBlock<'_> {
    /// The block, then its format.
    pub(super) fn write_block(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        if self.block.len() != self.format.bytes() {
            return Err(Malformed("PIN block"));
        }
        out.hex(self.block);
        out.bytes(&self.format.code());
        Ok(())
    }

    /// The account number: twelve digits, or where format 4 takes part the whole PAN.
    pub(super) fn write_account(&self, out: &mut CommandWriter) {
        write_account(self.pan, self.format == PinFormat::Iso4, out);
    }
}

pub(super) fn write_account(pan: &Pan, whole: bool, out: &mut CommandWriter) {
    if whole {
        pan_fields::write_whole(pan, out);
    } else {
        pan_fields::write_account(pan, out);
    }
}

/// `CC` from a zone's key, `CA` from a terminal's: the block under another zone's key.
pub struct TranslatePinBlock<'a> {
    /// What is there.
    pub source: PinBlock<'a>,
    /// The key to put it under.
    pub destination: &'a HsmKey,
    /// The format to put it into.
    pub format: PinFormat,
}

/// A block under another key.
pub struct Translated {
    block: Zeroizing<[u8; 16]>,
    format: PinFormat,
}

impl Translated {
    /// The block, where it has the format that was asked for.
    #[must_use]
    pub fn in_format(&self, format: PinFormat) -> Option<&[u8]> {
        self.block.get(..format.bytes()).filter(|_| self.format == format)
    }
}

impl HostCommand for TranslatePinBlock<'_> {
    type Answer = Translated;

    fn code(&self) -> [u8; 2] {
        match self.source.key {
            PinKey::Zone(_) => *b"CC",
            PinKey::Terminal(_) => *b"CA",
        }
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.source.key.key().write(out);
        self.destination.write(out);
        out.number("longest PIN", MAX_PIN, 2)?;
        self.source.write_block(out)?;
        out.bytes(&self.format.code());
        let whole = [self.source.format, self.format].contains(&PinFormat::Iso4);
        write_account(self.source.pan, whole, out);
        Ok(())
    }

    /// Length of the PIN 2, which is not told further, the block, its format 2: who asked compares.
    fn read(answer: &mut AnswerReader<'_>) -> Result<Translated, Malformed> {
        answer.digits::<2>("length of the PIN")?;
        let bytes = answer.left().len().saturating_sub(2).saturating_div(2).min(16);
        let mut block = Zeroizing::new([0; 16]);
        answer.hex_into("PIN block", block.get_mut(..bytes).unwrap_or_default())?;
        let format = PinFormat::of(answer.digits("format of the PIN block")?);
        answer.end()?;
        let format = format.filter(|format| format.bytes() == bytes);
        let format = format.ok_or(Malformed("format of the PIN block"))?;
        Ok(Translated { block, format })
    }
}

/// A PIN under a unit's local master key: only that unit, and those with the same key, can use it.
pub struct LmkPin(Zeroizing<Vec<u8>>);

impl LmkPin {
    pub(super) fn write(&self, out: &mut CommandWriter) {
        out.bytes(&self.0);
    }

    /// The rest of an answer: a digit more than the longest PIN of the unit, or a letter and 32
    /// digits.
    pub(super) fn read(answer: &mut AnswerReader<'_>) -> Result<Self, Malformed> {
        let pin = answer.bytes("PIN", answer.left().len())?;
        let plain = pin.iter().all(u8::is_ascii_alphanumeric);
        let fits = (5..=33).contains(&pin.len()) && plain;
        fits.then(|| Self(Zeroizing::new(pin.to_vec()))).ok_or(Malformed("PIN"))
    }
}

/// `JE` from a zone's key, `JC` from a terminal's: the PIN under the unit's own key.
pub struct PinToLmk<'a>(
    /// What is there.
    pub PinBlock<'a>,
);

impl HostCommand for PinToLmk<'_> {
    type Answer = LmkPin;

    fn code(&self) -> [u8; 2] {
        match self.0.key {
            PinKey::Zone(_) => *b"JE",
            PinKey::Terminal(_) => *b"JC",
        }
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.0.key.key().write(out);
        self.0.write_block(out)?;
        self.0.write_account(out);
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<LmkPin, Malformed> {
        LmkPin::read(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, read, sent, text};
    use super::*;

    #[test]
    fn translation_as_it_is_on_the_wire() {
        let (from, to) = (key('A'), key('B'));
        let pan = Pan::from_digits(b"9999991234567894").unwrap();
        let block = [0x11; 8];
        let format = PinFormat::Iso0;
        let source = PinBlock { key: PinKey::Zone(&from), block: &block, format, pan: &pan };
        let command = TranslatePinBlock { source, destination: &to, format: PinFormat::Iso3 };
        let expected = text("CC<A><B>1211111111111111110147999123456789");
        assert_eq!(sent(&command), expected);
        let translated = read(&command, b"0004222222222222222247").unwrap();
        assert_eq!(translated.in_format(PinFormat::Iso3), Some(&[0x22; 8][..]));
        assert_eq!(translated.in_format(PinFormat::Iso0), None);
        for wrong in [b"0004222222222222222248".as_slice(), b"000422222222222222224", b"20", b"00"]
        {
            assert!(read(&command, wrong).is_none());
        }
        let source = PinBlock { key: PinKey::Terminal(&from), ..source };
        let command = TranslatePinBlock { source, destination: &to, format: PinFormat::Iso4 };
        assert_eq!(sent(&command), text("CA<A><B>12111111111111111101489999991234567894;"));
        let mut out = CommandWriter::new(4, 4096, *b"CC");
        let short = PinBlock { block: &block[..7], ..source };
        assert_eq!(short.write_block(&mut out), Err(Malformed("PIN block")));
    }

    #[test]
    fn a_pin_under_the_units_own_key_is_taken_as_it_is() {
        let (from, pan) = (key('A'), Pan::from_digits(b"9999991234567894").unwrap());
        let block = [0x11; 8];
        let (key, format) = (PinKey::Zone(&from), PinFormat::Iso0);
        let command = PinToLmk(PinBlock { key, block: &block, format, pan: &pan });
        assert_eq!(sent(&command), text("JE<A>111111111111111101999123456789"));
        assert!(read(&command, b"0012345").is_some());
        assert!(read(&command, b"001234").is_none() && read(&command, b"00123 5").is_none());
    }
}
