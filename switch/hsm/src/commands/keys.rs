//! A0, A6 and A8: keys made inside a unit, brought into it, and given out under a zone master key.
//! Nothing here is a clear key.

use super::HostCommand;
use crate::error_code::ErrorCode;
use crate::fields::{AnswerReader, CommandWriter, Malformed};
use crate::hsm_key::HsmKey;

/// What a key is for, as units name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Under a unit whose keys are of the old form: three hexadecimal digits, as `001` for a ZPK.
    Variant([u8; 3]),
    /// Under a unit whose keys are key blocks.
    Block {
        /// Usage of X9.143, as `P0`.
        usage: [u8; 2],
        /// Cipher and length, as `T2` or `A3`.
        algorithm: [u8; 2],
        /// Mode of use, as `N`.
        mode: u8,
        /// Whether it may leave, as `N`, `E` or `S`.
        exportability: u8,
    },
}

impl KeyType {
    fn write_type(self, out: &mut CommandWriter) {
        out.bytes(match &self {
            Self::Variant(digits) => digits,
            Self::Block { .. } => b"FFF",
        });
    }

    /// Behind all else: what the header of the key block is to say.
    fn write_attributes(self, out: &mut CommandWriter) {
        if let Self::Block { usage, algorithm, mode, exportability } = self {
            out.bytes(b"#");
            out.bytes(&usage);
            out.bytes(&algorithm);
            out.bytes(&[mode]);
            out.bytes(b"00"); // no version
            out.bytes(&[exportability]);
            out.bytes(b"00"); // no optional blocks
        }
    }

    /// The letter of the form that the unit is to give it out in under its own key.
    fn own_scheme(self) -> &'static [u8; 1] {
        match self {
            Self::Variant(_) => b"U",
            Self::Block { .. } => b"S",
        }
    }
}

/// A key as it comes back.
#[derive(Debug)]
pub struct KeyAnswer {
    /// The key.
    pub key: HsmKey,
    /// The first three bytes of its check value.
    pub check_value: [u8; 3],
}

impl KeyAnswer {
    fn read(answer: &mut AnswerReader<'_>) -> Result<Self, Malformed> {
        let key = HsmKey::read(answer)?;
        let check_value = answer.hex("check value")?;
        answer.end()?;
        Ok(Self { key, check_value })
    }
}

/// `A0`: a new key, under the unit's own.
pub struct GenerateKey(
    /// What it is for.
    pub KeyType,
);

impl HostCommand for GenerateKey {
    type Answer = KeyAnswer;

    fn code(&self) -> [u8; 2] {
        *b"A0"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        out.bytes(b"0"); // under the unit's own key alone
        self.0.write_type(out);
        out.bytes(self.0.own_scheme());
        self.0.write_attributes(out);
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<KeyAnswer, Malformed> {
        KeyAnswer::read(answer)
    }
}

/// `A6`: a key under a zone master key, put under the unit's own.
pub struct ImportKey<'a> {
    /// What it is for.
    pub kind: KeyType,
    /// The zone master key.
    pub zone_key: &'a HsmKey,
    /// The key under it.
    pub key: &'a HsmKey,
}

impl HostCommand for ImportKey<'_> {
    /// 01: its parity was set right, and the data are there.
    const ACCEPTED: &'static [ErrorCode] = &[ErrorCode::NONE, ErrorCode::NOT_VERIFIED];
    type Answer = KeyAnswer;

    fn code(&self) -> [u8; 2] {
        *b"A6"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.kind.write_type(out);
        self.zone_key.write(out);
        self.key.write(out);
        out.bytes(self.kind.own_scheme());
        self.kind.write_attributes(out);
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<KeyAnswer, Malformed> {
        KeyAnswer::read(answer)
    }
}

/// `A8`: a key under the unit's own, put under a zone master key.
pub struct ExportKey<'a> {
    /// What it is for.
    pub kind: KeyType,
    /// The zone master key.
    pub zone_key: &'a HsmKey,
    /// The key under the unit's own.
    pub key: &'a HsmKey,
}

impl HostCommand for ExportKey<'_> {
    type Answer = KeyAnswer;

    fn code(&self) -> [u8; 2] {
        *b"A8"
    }

    fn write(&self, out: &mut CommandWriter) -> Result<(), Malformed> {
        self.kind.write_type(out);
        self.zone_key.write(out);
        self.key.write(out);
        out.bytes(match self.kind {
            KeyType::Variant(_) => b"U",
            KeyType::Block { .. } => b"R",
        });
        Ok(())
    }

    fn read(answer: &mut AnswerReader<'_>) -> Result<KeyAnswer, Malformed> {
        KeyAnswer::read(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, read, sent, text};
    use super::*;

    #[test]
    fn keys_as_they_are_on_the_wire() {
        let (zmk, zpk) = (key('A'), key('B'));
        let variant = KeyType::Variant(*b"001");
        let block =
            KeyType::Block { usage: *b"P0", algorithm: *b"T2", mode: b'N', exportability: b'E' };
        assert_eq!(sent(&GenerateKey(variant)), b"A00001U");
        assert_eq!(sent(&GenerateKey(block)), b"A00FFFS#P0T2N00E00");
        let import = ImportKey { kind: variant, zone_key: &zmk, key: &zpk };
        assert_eq!(sent(&import), text("A6001<A><B>U"));
        let with_parity = text("01<C>08D7B4");
        let answer = read(&import, &with_parity).unwrap();
        assert_eq!((answer.key, answer.check_value), (key('C'), [0x08, 0xD7, 0xB4]));
        let export = ExportKey { kind: block, zone_key: &zmk, key: &zpk };
        assert_eq!(sent(&export), text("A8FFF<A><B>R"));
        assert!(read(&export, &with_parity).is_none());
        for wrong in [text("00<C>08D7"), text("00<C>08D7B4C"), text("00<C>"), b"00".to_vec()] {
            assert!(read(&export, &wrong).is_none());
        }
    }
}
