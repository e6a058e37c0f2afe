//! The file of the vault's keys as it was before there were key blocks: three lines, in clear,
//! readable by its owner alone. It owns how the file is read, so that its keys can move under the
//! local master key; it never repairs a file that is wrong.
//!
//! ```text
//! key_id = 16 hexadecimal digits
//! encryption = 64 hexadecimal digits
//! fingerprint = 64 hexadecimal digits
//! ```
//! Empty lines and lines that start with `#` say nothing.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::keys::KEY_BYTES;
use crate::private_file::{self, Refused};
use crate::{KeyId, PanKeys};

const KEY_ID: &str = "key_id";
const ENCRYPTION: &str = "encryption";
const FINGERPRINT: &str = "fingerprint";

/// A key file has about 200 bytes; a larger file is something else.
const MAX_BYTES: u64 = 4096;

/// Why there are no keys. Never says anything of a key's content.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be opened or read.
    #[error("the PAN key file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody other than the owner may use the file.
    #[error("the PAN key file {path} has mode {mode:04o}; it must be 0600: run chmod 600 on it")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a regular file of a few hundred bytes.
    #[error("{0} is not a PAN key file: it is no regular file, or too large for one")]
    NotAKeyFile(PathBuf),
    /// A line is not `name = hexadecimal digits`, or its name is unknown or comes twice.
    #[error("line {line} of the PAN key file: expected {expected}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A line is not there.
    #[error("the PAN key file has no line `{0} = ...`")]
    Missing(&'static str),
    /// Two keys are the same or have one id, or one is all zeros.
    #[error("the PAN keys must differ and come from a random generator")]
    WeakKeys,
    /// A key file with the index key of another installation.
    #[error("the key of the index is another one: the file is of another installation")]
    OtherIndexKey,
    /// More keys than are kept at a time.
    #[error("8 keys of card numbers are kept at a time: encrypt their rows again, and retire some")]
    TooMany,
    /// The system's random generator failed.
    #[error("the system's random generator failed: no keys were made")]
    NoRandomness,
}

impl PanKeys {
    /// Reads a key file.
    ///
    /// # Errors
    /// The file is missing, open to others than its owner, or not of the form above.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let content = private_file::read(path, MAX_BYTES).map_err(|refused| {
            let path = path.to_owned();
            match refused {
                Refused::Unreadable(source) => KeyFileError::Unreadable { path, source },
                Refused::OpenToOthers(mode) => KeyFileError::OpenToOthers { path, mode },
                Refused::NotAKeyFile => KeyFileError::NotAKeyFile(path),
            }
        })?;
        Self::parse(&content)
    }

    /// Whether the text is of this form, and so has keys in clear.
    pub(crate) fn is_clear(text: &str) -> bool {
        let says = |line: &str| !line.is_empty() && !line.starts_with('#');
        let first = text.lines().map(str::trim).find(|line| says(line));
        first.is_some_and(|line| line.contains('='))
    }

    /// From the text of a key file.
    ///
    /// # Errors
    /// The text is not of the form above; says which line.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let (mut id, mut encryption, mut fingerprint) = (None, None, None);
        for (line, content) in (1usize..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let wrong = |expected| KeyFileError::Line { line, expected };
            let (name, value) = content.split_once('=').ok_or(wrong("`name = digits`"))?;
            let value = value.trim();
            let twice = wrong("each name once");
            match name.trim() {
                KEY_ID => {
                    let value: KeyId =
                        value.parse().map_err(|_| wrong("key_id = 16 hexadecimal digits"))?;
                    id.replace(value).map_or(Ok(()), |_| Err(twice))?;
                }
                ENCRYPTION => {
                    let key = key(value).ok_or(wrong("encryption = 64 hexadecimal digits"))?;
                    encryption.replace(key).map_or(Ok(()), |_| Err(twice))?;
                }
                FINGERPRINT => {
                    let key = key(value).ok_or(wrong("fingerprint = 64 hexadecimal digits"))?;
                    fingerprint.replace(key).map_or(Ok(()), |_| Err(twice))?;
                }
                _ => return Err(wrong("one of the names key_id, encryption, fingerprint")),
            }
        }
        Self::from_parts(
            id.ok_or(KeyFileError::Missing(KEY_ID))?,
            encryption.ok_or(KeyFileError::Missing(ENCRYPTION))?,
            fingerprint.ok_or(KeyFileError::Missing(FINGERPRINT))?,
        )
    }
}

fn key(digits: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    hex::decode_to_slice(digits, &mut *bytes).ok()?;
    Some(bytes)
}
