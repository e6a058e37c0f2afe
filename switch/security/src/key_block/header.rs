//! The header of a key block: what stands in clear before the key, and is authenticated with it. It
//! owns the form of the header and of its optional blocks; it judges nothing of what they say.

use super::{KeyBlockError, MAX_BLOCK};
use crate::key::{Exportability, KeyCipher, KeyMode, KeyUsage};

/// Characters of a header without optional blocks.
const FIXED: usize = 16;
/// Characters of an optional block before its data, in the short form.
const OPTIONAL_HEAD: usize = 4;
const PADDING: &str = "PB";
/// Longest data of an optional block that is written.
const MAX_DATA: usize = 251;

/// The versions of key blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockVersion {
    /// Variant binding under triple DES, of 2005. Legacy.
    A,
    /// Derivation binding under triple DES.
    B,
    /// Variant binding under triple DES, of 2010. Legacy.
    C,
    /// Derivation binding under AES.
    D,
}

impl BlockVersion {
    const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    /// The letter that a block begins with.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// The cipher of the key that protects such blocks.
    #[must_use]
    pub const fn cipher(self) -> KeyCipher {
        if matches!(self, Self::D) { KeyCipher::Aes } else { KeyCipher::Tdes }
    }

    pub(super) const fn is_legacy(self) -> bool {
        matches!(self, Self::A | Self::C)
    }

    /// Bytes of a block of the cipher.
    pub(super) const fn block_bytes(self) -> usize {
        if matches!(self, Self::D) { 16 } else { 8 }
    }

    /// Bytes of the code at the end.
    pub(super) const fn code_bytes(self) -> usize {
        match self {
            Self::A | Self::C => 4,
            Self::B => 8,
            Self::D => 16,
        }
    }
}

/// Something more that a header says of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionalBlock {
    /// Two letters or digits: `LB` a label, `TS` a time, numbers for whoever makes the block.
    pub id: [u8; 2],
    /// Printable characters.
    pub data: String,
}

/// What a key block says of its key. None of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBlockHeader {
    /// The version of the block.
    pub version: BlockVersion,
    /// What the key is for.
    pub usage: KeyUsage,
    /// Its cipher.
    pub cipher: KeyCipher,
    /// Which way round it may be used.
    pub mode: KeyMode,
    /// Its version number, `00` where it has none.
    pub number: [u8; 2],
    /// Whether it may leave again.
    pub exportability: Exportability,
    /// What else is said, without the block that fills the header up.
    pub optional: Vec<OptionalBlock>,
}

impl KeyBlockHeader {
    /// The header of a block, and its text.
    ///
    /// # Errors
    /// It has another form, says something that is not known here, or states another length.
    pub fn parse(block: &str) -> Result<(Self, &str), KeyBlockError> {
        let wrong = |at: usize, expected| KeyBlockError::Form { at, expected };
        let printable = |byte: u8| (b' '..=b'~').contains(&byte);
        if block.len() > MAX_BLOCK || !block.bytes().all(printable) {
            return Err(wrong(1, "up to 1024 printable characters of ASCII"));
        }
        let part = |from: usize, to: usize| block.get(from..to).unwrap_or_default();
        let number = |from: usize, to: usize| decimal(part(from, to));
        let version = BlockVersion::ALL.into_iter().find(|one| one.letter() == part(0, 1));
        let version = version.ok_or(wrong(1, "the version of a key block: B or D"))?;
        let stated = number(1, 5).ok_or(wrong(2, "the length of the block in four digits"))?;
        if stated != block.len() {
            return Err(KeyBlockError::Length { stated, found: block.len() });
        }
        let usage =
            KeyUsage::from_code(part(5, 7)).ok_or(wrong(6, "a usage that is known here"))?;
        let cipher = KeyCipher::from_letter(part(7, 8)).ok_or(wrong(8, "cipher D, T or A"))?;
        let mode = KeyMode::from_letter(part(8, 9)).ok_or(wrong(9, "a mode of use"))?;
        let version_number = part(9, 11).as_bytes().first_chunk().copied();
        let exportability = Exportability::from_letter(part(11, 12));
        let exportability = exportability.ok_or(wrong(12, "exportability N, S or E"))?;
        let blocks = number(12, 14).ok_or(wrong(13, "a number of optional blocks"))?;
        if part(14, 16) != "00" {
            return Err(wrong(15, "two zeros, which are reserved"));
        }
        let (mut optional, mut at) = (Vec::new(), FIXED);
        for _ in 0..blocks {
            let (one, next) = optional_block(block, at)?;
            optional.push(one);
            at = next;
        }
        if let Some(at) = optional.iter().position(is_padding) {
            if at.saturating_add(1) != optional.len() {
                return Err(wrong(FIXED, "the block PB behind the other optional blocks"));
            }
            optional.pop();
        }
        let head = block.get(..at).ok_or(wrong(at, "a key behind the header"))?;
        if head.len().checked_rem(version.block_bytes()) != Some(0) {
            return Err(wrong(FIXED, "optional blocks filled up by PB to whole cipher blocks"));
        }
        let number = version_number.ok_or(wrong(10, "a version number"))?;
        Ok((Self { version, usage, cipher, mode, number, exportability, optional }, head))
    }

    /// The data of the optional block of this id, if there is one.
    #[must_use]
    pub fn optional(&self, id: &str) -> Option<&str> {
        let found = self.optional.iter().find(|one| one.id == id.as_bytes());
        found.map(|one| one.data.as_str())
    }

    /// The text of the header of a block with so many bytes of content and code behind it.
    pub(super) fn to_text(&self, behind: usize) -> Result<String, KeyBlockError> {
        let mut optional = String::new();
        let mut blocks = self.optional.len();
        for OptionalBlock { id, data } in &self.optional {
            let printable = |byte: u8| (b' '..=b'~').contains(&byte);
            let named = id.iter().all(u8::is_ascii_alphanumeric);
            if data.len() > MAX_DATA || !data.bytes().all(printable) || !named {
                return Err(KeyBlockError::NoRoom);
            }
            put(&mut optional, id, data);
        }
        // Filled up to whole blocks of the cipher, by four characters at least.
        let block = self.version.block_bytes();
        let over = optional.len().checked_rem(block).unwrap_or_default();
        if over != 0 {
            let missing = block.saturating_sub(over);
            let missing =
                if missing < OPTIONAL_HEAD { missing.saturating_add(block) } else { missing };
            put(&mut optional, b"PB", &"0".repeat(missing.saturating_sub(OPTIONAL_HEAD)));
            blocks = blocks.saturating_add(1);
        }
        let head = FIXED.saturating_add(optional.len());
        let length = head.saturating_add(behind.saturating_mul(2));
        if length > MAX_BLOCK || blocks > 99 {
            return Err(KeyBlockError::NoRoom);
        }
        let (version, usage, cipher) = (self.version.letter(), self.usage, self.cipher.letter());
        let (mode, exportability) = (self.mode, self.exportability.letter());
        let number = std::str::from_utf8(&self.number).unwrap_or("00");
        let said = format!("{usage}{cipher}{mode}{number}{exportability}");
        Ok(format!("{version}{length:04}{said}{blocks:02}00{optional}"))
    }
}

fn is_padding(block: &OptionalBlock) -> bool {
    block.id == PADDING.as_bytes()
}

fn put(text: &mut String, id: &[u8; 2], data: &str) {
    let length = data.len().saturating_add(OPTIONAL_HEAD);
    text.extend(id.iter().map(|byte| char::from(*byte)));
    text.push_str(&format!("{length:02X}"));
    text.push_str(data);
}

/// The optional block that begins at this character, and where the next one does.
fn optional_block(block: &str, at: usize) -> Result<(OptionalBlock, usize), KeyBlockError> {
    let wrong = || KeyBlockError::Form {
        at: at.saturating_add(1),
        expected: "an optional block: two letters or digits, its length in hexadecimal, its data",
    };
    let rest = block.get(at..).ok_or_else(wrong)?;
    let id: [u8; 2] = rest.as_bytes().first_chunk().copied().ok_or_else(wrong)?;
    if !id.iter().all(u8::is_ascii_alphanumeric) {
        return Err(wrong());
    }
    let short = rest.get(2..4).and_then(hexadecimal).ok_or_else(wrong)?;
    // Zero announces how many digits of length follow; four, where a block has more than 255.
    let (length, head) = match short {
        0 if rest.get(4..6) == Some("02") => {
            (rest.get(6..10).and_then(hexadecimal).ok_or_else(wrong)?, 10)
        }
        short => (short, OPTIONAL_HEAD),
    };
    let data = rest.get(head..length).ok_or_else(wrong)?.to_owned();
    Ok((OptionalBlock { id, data }, at.saturating_add(length)))
}

fn decimal(digits: &str) -> Option<usize> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

fn hexadecimal(digits: &str) -> Option<usize> {
    let plain = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    if digits.bytes().all(plain) { usize::from_str_radix(digits, 16).ok() } else { None }
}
