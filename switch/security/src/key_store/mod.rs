//! The key file: every key of the switch, each in a key block under the local master key (K-01). It
//! owns how the file is read, changed and moved to another local master key; a key stands in it in
//! no other form, and a file that is wrong in any line is not read at all.
//!
//! ```text
//! # Keys under local master key 1A2B3C.
//! D0208M3TC00S0300LB0Cacquirer...        one block a line
//! destroyed acquirer 1 M3 T C 08D7B4 1796083200
//! ```
//! What a block says of its key stands in its header, under the same code as the key: nobody can
//! give it another name, another use or another state. Lines of what was destroyed are for people.

mod line;

use std::io;
use std::path::{Path, PathBuf};

use switch_domain::Timestamp;
use zeroize::Zeroizing;

use crate::key::{KeyCheckValue, KeyRing, KeyRingError};
use crate::key_block::KeyBlockError;
use crate::lmk::LocalMasterKeys;
use crate::private_file::{self, Refused};
use crate::private_lock::{Exclusive, NotHeld};

pub use line::ListedKey;

/// Room for the keys that a ring takes, with as many old ones.
const MAX_BYTES: u64 = 1 << 20;

/// Why the key file is not read or not written. Never says anything of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The file cannot be opened or read.
    #[error("the key file {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the key file {path} cannot be written: {source}")]
    Unwritable {
        /// The file, or the one beside it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody other than the owner may use the file.
    #[error("the key file {path} has mode {mode:04o}; it must be 0600: run chmod 600 on it")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a regular file of at most a mebibyte.
    #[error("{0} is not a key file: it is no regular file, or too large for one")]
    NotAKeyFile(PathBuf),
    /// Two that change it at a time would lose one's change.
    #[error("another process is changing the key file {0}: try again when it is done")]
    Busy(PathBuf),
    /// A line is not of the form.
    #[error("line {line} of the key file: expected {expected}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A line is under a key that is not at hand.
    #[error(
        "line {line} of the key file is under local master key {found}, which is not at hand: name \
         its components in security.lmk_components, or in security.previous_lmk_components while \
         keys are moved from it"
    )]
    OtherMasterKey {
        /// Which line, from 1.
        line: usize,
        /// What tells the key that it is under.
        found: KeyCheckValue,
    },
    /// A line's block does not open.
    #[error("line {line} of the key file: {source}")]
    Block {
        /// Which line, from 1.
        line: usize,
        /// Why not.
        source: KeyBlockError,
    },
    /// A line is not what can follow the ones before it.
    #[error("line {line} of the key file: {source}")]
    Ring {
        /// Which line, from 1.
        line: usize,
        /// Why not.
        source: KeyRingError,
    },
    /// A key cannot be written.
    #[error("key {name} cannot be written: {source}")]
    Unwrappable {
        /// The key.
        name: String,
        /// Why not.
        source: KeyBlockError,
    },
}

/// A key file with the local master keys that open it.
pub struct KeyStore {
    path: PathBuf,
    master: LocalMasterKeys,
}

impl KeyStore {
    /// Of the file at `path`, which need not be there yet.
    #[must_use]
    pub const fn new(path: PathBuf, master: LocalMasterKeys) -> Self {
        Self { path, master }
    }

    /// The local master keys that open it.
    #[must_use]
    pub const fn master(&self) -> &LocalMasterKeys {
        &self.master
    }

    /// The keys of the file; none where there is no file.
    ///
    /// # Errors
    /// The file is open to others, or wrong in any line.
    pub fn load(&self) -> Result<KeyRing, KeyStoreError> {
        let mut ring = KeyRing::default();
        let Some(text) = read(&self.path)? else { return Ok(ring) };
        for (number, content) in lines(&text) {
            line::take(&mut ring, &self.master, number, content)?;
        }
        Ok(ring)
    }

    /// Changes the keys of the file: reads it, lets `change` work on them, and writes it anew,
    /// under the current local master key. Killed at any point it leaves the one file or the other,
    /// whole.
    ///
    /// # Errors
    /// As [`Self::load`]; another process is changing it; it cannot be written; or what `change`
    /// says, and then the file stays as it was.
    pub fn change<T, E: From<KeyStoreError>>(
        &self,
        now: Timestamp,
        change: impl FnOnce(&mut KeyRing) -> Result<T, E>,
    ) -> Result<T, E> {
        let _lock = self.lock()?;
        let mut ring = self.load()?;
        ring.destroy_overdue(now);
        let result = change(&mut ring)?;
        self.save(&ring)?;
        Ok(result)
    }

    /// Whether every key is under the current local master key.
    ///
    /// # Errors
    /// The file is open to others, or no key file.
    pub fn is_current(&self) -> Result<bool, KeyStoreError> {
        let current = self.master.current().check_value();
        let keys = list(&self.path)?;
        Ok(keys.iter().all(|key| key.master.is_none_or(|master| master == current)))
    }

    fn lock(&self) -> Result<Exclusive, KeyStoreError> {
        Exclusive::take(&self.path).map_err(|not_held| match not_held {
            NotHeld::Busy => KeyStoreError::Busy(self.path.clone()),
            NotHeld::Failed(path, source) => KeyStoreError::Unwritable { path, source },
        })
    }

    fn save(&self, ring: &KeyRing) -> Result<(), KeyStoreError> {
        let current = self.master.current();
        let mut text = format!(
            "# Keys under local master key {}. Change it by `cardswitch keys` alone.\n",
            current.check_value()
        );
        for (name, usage, versions) in ring.iter() {
            for version in versions {
                let line = line::to_text(current, name, usage, version).map_err(|source| {
                    KeyStoreError::Unwrappable { name: name.to_string(), source }
                })?;
                text.push_str(&line);
                text.push('\n');
            }
        }
        private_file::replace_alone(&self.path, text.as_bytes())
            .map_err(|source| KeyStoreError::Unwritable { path: self.path.clone(), source })
    }
}

/// What keys a file has, by what their headers say: without the local master key, and so without
/// anything that could tell whether somebody changed them. None where there is no file.
///
/// # Errors
/// The file is open to others, or no key file.
pub fn list(path: &Path) -> Result<Vec<ListedKey>, KeyStoreError> {
    let Some(text) = read(path)? else { return Ok(Vec::new()) };
    lines(&text).map(|(number, content)| line::listed(number, content)).collect()
}

fn read(path: &Path) -> Result<Option<Zeroizing<String>>, KeyStoreError> {
    match private_file::read(path, MAX_BYTES) {
        Ok(text) => Ok(Some(text)),
        Err(Refused::Unreadable(source)) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(refused) => Err(match (refused, path.to_owned()) {
            (Refused::Unreadable(source), path) => KeyStoreError::Unreadable { path, source },
            (Refused::OpenToOthers(mode), path) => KeyStoreError::OpenToOthers { path, mode },
            (Refused::NotAKeyFile, path) => KeyStoreError::NotAKeyFile(path),
        }),
    }
}

/// The lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1usize..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
