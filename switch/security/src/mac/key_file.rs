//! The file of MAC keys: one a line, readable by its owner alone. It owns the file's form; it never
//! repairs a line that is wrong and never takes one away.
//!
//! ```text
//! name = usage cipher check-value key
//! acquirer = M3 T 08D7B4 hexadecimal digits of the key
//! ```
//! Usage and cipher in the letters of ANSI X9.143. Empty lines and lines that start with `#` say
//! nothing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::{KeyCheckValue, MAX_KEY};
use super::{InvalidMacKey, MacAlgorithm, MacCipher, MacKey};
use crate::private_file::{self, Refused};

/// Most keys of a file: links are counted by the dozen.
const MAX_KEYS: usize = 256;
const MAX_NAME: usize = 32;
/// Room for that many lines of the longest form, and comments.
const MAX_BYTES: u64 = 64 * 1024;
const FORM: &str = "`name = usage cipher check-value key`, as in `acquirer = M3 T 08D7B4 0123...`";
const HEAD: &[u8] = b"# MAC keys: name = usage cipher check-value key.\n";

/// What a MAC key is called: 1 to 32 small letters, digits and hyphens. It may be shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacKeyName(String);

impl MacKeyName {
    /// From its text; `None` where that is not of the form.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let named = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain);
        named.then(|| Self(name.to_owned()))
    }
}

impl fmt::Display for MacKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MacKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKeyName({self})")
    }
}

/// A key and what it is called.
pub struct NamedMacKey {
    /// What it is called.
    pub name: MacKeyName,
    /// The key.
    pub key: MacKey,
}

/// Why there are no MAC keys. Never says anything of a key's content.
#[derive(Debug, thiserror::Error)]
pub enum MacKeyFileError {
    /// The file cannot be opened or read.
    #[error("the MAC key file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the MAC key file {path} cannot be written: {source}")]
    Unwritable {
        /// The file, or the one beside it that is to take its place.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody other than the owner may use the file.
    #[error("the MAC key file {path} has mode {mode:04o}; it must be 0600: run chmod 600 on it")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a regular file of a few thousand bytes.
    #[error("{0} is not a MAC key file: it is no regular file, or too large for one")]
    NotAKeyFile(PathBuf),
    /// A line is not of the form.
    #[error("line {line} of the MAC key file: expected {expected}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A line's key is none.
    #[error("line {line} of the MAC key file: {source}")]
    Key {
        /// Which line, from 1.
        line: usize,
        /// Why not.
        source: InvalidMacKey,
    },
    /// A digit of the key was changed.
    #[error(
        "line {line} of the MAC key file: the key has check value {found}, not that of the line"
    )]
    CheckValue {
        /// Which line, from 1.
        line: usize,
        /// What the key gives.
        found: KeyCheckValue,
    },
    /// There is a key of this name; peers may have its codes under way.
    #[error("there is a MAC key {0} already, and no key is written over: take another name")]
    Exists(MacKeyName),
    /// At the limit.
    #[error("the MAC key file has {MAX_KEYS} keys, and takes no more")]
    Full,
}

/// The MAC keys of a switch.
#[derive(Default)]
pub struct MacKeys(Vec<NamedMacKey>);

impl IntoIterator for MacKeys {
    type Item = NamedMacKey;
    type IntoIter = std::vec::IntoIter<NamedMacKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl MacKeys {
    /// Reads a key file.
    ///
    /// # Errors
    /// The file is missing, open to others than its owner, or not of the form above.
    pub fn load(path: &Path) -> Result<Self, MacKeyFileError> {
        let text = private_file::read(path, MAX_BYTES).map_err(|refused| {
            let path = path.to_owned();
            match refused {
                Refused::Unreadable(source) => MacKeyFileError::Unreadable { path, source },
                Refused::OpenToOthers(mode) => MacKeyFileError::OpenToOthers { path, mode },
                Refused::NotAKeyFile => MacKeyFileError::NotAKeyFile(path),
            }
        })?;
        Self::parse(&text)
    }

    /// From the text of a key file.
    ///
    /// # Errors
    /// The text is not of the form above; says which line.
    pub fn parse(text: &str) -> Result<Self, MacKeyFileError> {
        let mut keys = Self::default();
        for (line, content) in (1usize..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            keys.insert(parse_line(line, content)?)?;
        }
        Ok(keys)
    }

    /// What keys there are: names, uses and check values.
    pub fn iter(&self) -> impl Iterator<Item = &NamedMacKey> {
        self.0.iter()
    }

    /// Takes a key in.
    ///
    /// # Errors
    /// There is one of its name, or no room.
    pub fn insert(&mut self, named: NamedMacKey) -> Result<(), MacKeyFileError> {
        if self.0.iter().any(|other| other.name == named.name) {
            return Err(MacKeyFileError::Exists(named.name));
        }
        if self.0.len() >= MAX_KEYS {
            return Err(MacKeyFileError::Full);
        }
        self.0.push(named);
        Ok(())
    }

    /// Writes the keys to `path` in the place of what is there, with mode 0600. Lines that say
    /// nothing are not kept.
    ///
    /// # Errors
    /// The file cannot be written; then the one that was there still is.
    pub fn save(&self, path: &Path) -> Result<(), MacKeyFileError> {
        private_file::replace(path, &self.to_text()).map_err(|source| {
            let path = match source.kind() {
                io::ErrorKind::AlreadyExists => private_file::beside(path),
                _ => path.to_owned(),
            };
            MacKeyFileError::Unwritable { path, source }
        })
    }

    /// Built in buffers of their final size: one that grows leaves copies of the keys behind.
    fn to_text(&self) -> Zeroizing<Vec<u8>> {
        let room = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
        let mut text = Zeroizing::new(Vec::with_capacity(room));
        text.extend(HEAD);
        for NamedMacKey { name, key } in &self.0 {
            let (usage, cipher) = (key.algorithm().usage(), key.cipher().letter());
            text.extend(format!("{name} = {usage} {cipher} {} ", key.check_value()).as_bytes());
            let mut digits = Zeroizing::new([0; MAX_KEY * 2]);
            let written = digits.get_mut(..key.bytes().len().saturating_mul(2));
            let written = written.unwrap_or_default();
            // Cannot fail: the room is exactly twice the key.
            let encoded = hex::encode_to_slice(key.bytes(), written);
            debug_assert!(encoded.is_ok());
            text.extend(&*written);
            text.push(b'\n');
        }
        text
    }
}

fn parse_line(line: usize, content: &str) -> Result<NamedMacKey, MacKeyFileError> {
    let wrong = |expected| MacKeyFileError::Line { line, expected };
    let (name, value) = content.split_once('=').ok_or(wrong(FORM))?;
    let expected = "a name of 1 to 32 small letters, digits and hyphens";
    let name = MacKeyName::new(name.trim()).ok_or(wrong(expected))?;
    let mut words = value.split_whitespace();
    let mut word = || words.next().ok_or(wrong(FORM));
    let usage = MacAlgorithm::from_usage(word()?).ok_or(wrong("usage M1, M3 or M6"))?;
    let cipher = MacCipher::from_letter(word()?).ok_or(wrong("cipher D, T or A"))?;
    let check = KeyCheckValue::parse(word()?).ok_or(wrong("a check value of 6 digits"))?;
    let digits = word()?;
    if words.next().is_some() {
        return Err(wrong(FORM));
    }
    let mut room = Zeroizing::new([0; MAX_KEY]);
    let expected = "a key of up to 64 hexadecimal digits";
    let bytes = room.get_mut(..digits.len() >> 1).ok_or(wrong(expected))?;
    hex::decode_to_slice(digits, bytes).map_err(|_| wrong(expected))?;
    let key = MacKey::new(usage, cipher, bytes);
    let key = key.map_err(|source| MacKeyFileError::Key { line, source })?;
    if key.check_value() != check {
        return Err(MacKeyFileError::CheckValue { line, found: key.check_value() });
    }
    Ok(NamedMacKey { name, key })
}
