//! A key as a unit knows it: encrypted under its local master key, in one of the forms of the host
//! commands. It owns the forms; it cannot be read without the unit's master key, and is shown only
//! by its form all the same.

use std::fmt;

use crate::fields::{AnswerReader, CommandWriter, Malformed};

/// The longest key block that is taken.
const MAX_KEY: usize = 512;
/// Characters of the header of a key block.
const BLOCK_HEADER: usize = 16;

/// A key under a unit's local master key: `U` and 32 digits, `T` and 48, or a key block behind `S`
/// or `R`.
#[derive(Clone, PartialEq, Eq)]
pub struct HsmKey(Box<str>);

/// Why a text is no key as units take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write U and 32 hexadecimal digits, T and 48, or S or R and a key block of its own length")]
pub struct InvalidHsmKey;

impl HsmKey {
    /// From the text in which units give keys out.
    ///
    /// # Errors
    /// It has none of the forms.
    pub fn parse(text: &str) -> Result<Self, InvalidHsmKey> {
        let length = length_of(text.as_bytes()).ok_or(InvalidHsmKey)?;
        let plain = |byte: &u8| byte.is_ascii_graphic();
        let whole = length == text.len() && text.as_bytes().iter().all(plain);
        whole.then(|| Self(text.into())).ok_or(InvalidHsmKey)
    }

    /// As it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a key block, which says itself what it is for.
    #[must_use]
    pub fn is_block(&self) -> bool {
        matches!(self.0.as_bytes().first(), Some(b'S' | b'R'))
    }

    pub(crate) fn write(&self, out: &mut CommandWriter) {
        out.bytes(self.0.as_bytes());
    }

    /// From an answer, where another field may follow.
    pub(crate) fn read(answer: &mut AnswerReader<'_>) -> Result<Self, Malformed> {
        const FIELD: Malformed = Malformed("key");
        let length = length_of(answer.left()).ok_or(FIELD)?;
        let text = std::str::from_utf8(answer.bytes("key", length)?).map_err(|_| FIELD)?;
        Self::parse(text).map_err(|_| FIELD)
    }
}

/// How long the key at the beginning of these bytes is by its own account.
fn length_of(bytes: &[u8]) -> Option<usize> {
    let (scheme, rest) = bytes.split_first()?;
    let digits = |count: usize| {
        let digits = rest.get(..count)?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(count)
    };
    let key = match scheme {
        b'U' | b'X' => digits(32)?,
        b'T' | b'Y' => digits(48)?,
        b'S' | b'R' => {
            let length = rest.get(1..5).filter(|length| length.iter().all(u8::is_ascii_digit))?;
            let length = std::str::from_utf8(length).ok()?.parse::<usize>().ok()?;
            let fits = (BLOCK_HEADER..MAX_KEY).contains(&length) && rest.len() >= length;
            fits.then_some(length)?
        }
        _ => return None,
    };
    key.checked_add(1)
}

impl fmt::Debug for HsmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HsmKey({}…)", self.0.get(..1).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_keys() {
        let double = format!("U{}", "0A".repeat(16));
        let triple = format!("T{}", "0A".repeat(24));
        let block = format!("S10048C0TN00N0000{}", "F".repeat(32));
        for good in [&double, &triple, &block] {
            assert_eq!(HsmKey::parse(good).unwrap().as_str(), good);
        }
        for wrong in [
            "",
            "U",
            "U00",
            &double.replace('A', "G"),
            &format!("{double}0"),
            &block.replace("0048", "0049"),
            &block.replace("0048", "0047"),
            &block.replace("0048", "+048"),
            "S100",
            "Z0011223344556677",
        ] {
            assert!(HsmKey::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", HsmKey::parse(&double).unwrap()), "HsmKey(U…)");
    }

    #[test]
    fn a_key_ends_by_itself_in_an_answer() {
        let text = format!("00U{}A1B2C3", "0B".repeat(16));
        let (_, mut answer) = AnswerReader::new(text.as_bytes()).unwrap();
        assert!(HsmKey::read(&mut answer).is_ok());
        assert_eq!(answer.hex::<3>("check").unwrap(), [0xA1, 0xB2, 0xC3]);
        for hostile in ["00S19999", "00S1abcd", "00", "00U123"] {
            let (_, mut answer) = AnswerReader::new(hostile.as_bytes()).unwrap();
            assert_eq!(HsmKey::read(&mut answer).err(), Some(Malformed("key")));
        }
    }
}
