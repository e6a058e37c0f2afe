//! The file of MAC keys as it was before there were key blocks: one key a line, in clear, readable
//! by its owner alone. It owns how the file is read, so that its keys can move to the key file, and
//! how it is destroyed then; it never writes one.
//!
//! ```text
//! name = usage cipher check-value key
//! acquirer = M3 T 08D7B4 hexadecimal digits of the key
//! ```
//! Usage and cipher in the letters of ANSI X9.143. Empty lines and lines that start with `#` say
//! nothing.

use std::io;
use std::path::{Path, PathBuf};

use switch_domain::Timestamp;
use zeroize::Zeroizing;

use super::MacAlgorithm;
use crate::key::{
    InvalidKey, Key, KeyCheckValue, KeyCipher, KeyName, KeyRing, KeyRingError, KeyUsage, MAX_KEY,
    NamedKey,
};
use crate::private_file::{self, Refused};

/// Most keys of a file: links are counted by the dozen.
const MAX_KEYS: usize = 256;
/// Room for that many lines of the longest form, and comments.
const MAX_BYTES: u64 = 64 * 1024;
const FORM: &str = "`name = usage cipher check-value key`, as in `acquirer = M3 T 08D7B4 0123...`";

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
    /// The file cannot be destroyed.
    #[error("the MAC key file {path} cannot be destroyed: {source}")]
    Unwritable {
        /// The file.
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
        source: InvalidKey,
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
    /// There is a key of this name.
    #[error("the MAC key file has a key {0} already: names differ")]
    Exists(KeyName),
    /// At the limit.
    #[error("the MAC key file has {MAX_KEYS} keys, and takes no more")]
    Full,
}

/// The MAC keys of a switch.
#[derive(Default)]
pub struct MacKeys(Vec<NamedKey>);

impl IntoIterator for MacKeys {
    type Item = NamedKey;
    type IntoIter = std::vec::IntoIter<NamedKey>;

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
    pub fn iter(&self) -> impl Iterator<Item = &NamedKey> {
        self.0.iter()
    }

    fn insert(&mut self, named: NamedKey) -> Result<(), MacKeyFileError> {
        if self.0.iter().any(|other| other.name == named.name) {
            return Err(MacKeyFileError::Exists(named.name));
        }
        if self.0.len() >= MAX_KEYS {
            return Err(MacKeyFileError::Full);
        }
        self.0.push(named);
        Ok(())
    }

    /// Writes zeros over a key file and takes it away, once its keys are elsewhere.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn destroy_file(path: &Path) -> Result<(), MacKeyFileError> {
        let path = path.to_owned();
        private_file::shred(&path).map_err(|source| MacKeyFileError::Unwritable { path, source })
    }

    /// The keys for a module, each the active and only version of its name.
    ///
    /// # Errors
    /// Not seen: a file has fewer keys than a ring, and no name twice.
    pub fn into_ring(self) -> Result<KeyRing, KeyRingError> {
        let (mut ring, long_ago) = (KeyRing::default(), Timestamp(0));
        for named in self.0 {
            let name = named.name.clone();
            let number = ring.add(named, long_ago)?;
            ring.activate(&name, number, long_ago)?;
        }
        Ok(ring)
    }
}

fn parse_line(line: usize, content: &str) -> Result<NamedKey, MacKeyFileError> {
    let wrong = |expected| MacKeyFileError::Line { line, expected };
    let (name, value) = content.split_once('=').ok_or(wrong(FORM))?;
    let expected = "a name of 1 to 32 small letters, digits and hyphens";
    let name = KeyName::new(name.trim()).ok_or(wrong(expected))?;
    let mut words = value.split_whitespace();
    let mut word = || words.next().ok_or(wrong(FORM));
    let usage = KeyUsage::from_code(word()?).and_then(MacAlgorithm::from_usage);
    let usage = usage.ok_or(wrong("usage M1, M3 or M6"))?.usage();
    let cipher = KeyCipher::from_letter(word()?).ok_or(wrong("cipher D, T or A"))?;
    let check = KeyCheckValue::parse(word()?).ok_or(wrong("a check value of 6 digits"))?;
    let digits = word()?;
    if words.next().is_some() {
        return Err(wrong(FORM));
    }
    let mut room = Zeroizing::new([0; MAX_KEY]);
    let expected = "a key of up to 64 hexadecimal digits";
    let bytes = room.get_mut(..digits.len() >> 1).ok_or(wrong(expected))?;
    hex::decode_to_slice(digits, bytes).map_err(|_| wrong(expected))?;
    let key = Key::new(usage, cipher, bytes);
    let key = key.map_err(|source| MacKeyFileError::Key { line, source })?;
    if key.check_value() != check {
        return Err(MacKeyFileError::CheckValue { line, found: key.check_value() });
    }
    Ok(NamedKey { name, key })
}
