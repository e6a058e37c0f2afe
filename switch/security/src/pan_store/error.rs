//! Why the file of card-number keys is not read or not written. Never says anything of a key but
//! its id and check value.

use std::io;
use std::path::PathBuf;

use crate::key::KeyCheckValue;
use crate::key_block::KeyBlockError;
use crate::private_file::Refused;
use crate::private_lock::NotHeld;
use crate::{KeyFileError, KeyId};

/// Why the file of card-number keys is not read or not written.
#[derive(Debug, thiserror::Error)]
pub enum PanStoreError {
    /// The file cannot be opened or read.
    #[error("the file of card-number keys {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the file of card-number keys {path} cannot be written: {source}")]
    Unwritable {
        /// The file, or the one beside it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody other than the owner may use the file.
    #[error(
        "the file of card-number keys {path} has mode {mode:04o}; it must be 0600: run chmod 600 \
         on it"
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a regular file of a few thousand bytes.
    #[error("{0} is no file of card-number keys: it is no regular file, or too large for one")]
    NotAKeyFile(PathBuf),
    /// There is such a file already; writing over it would lose every stored card number.
    #[error("{0} exists already and is not written over: PANs may be stored under its keys")]
    Exists(PathBuf),
    /// Its keys are in clear.
    #[error(
        "{0}: the keys of card numbers are in clear: put them under the local master key with \
         `cardswitch keys migrate`"
    )]
    Clear(PathBuf),
    /// Two that change it at a time would lose one's change.
    #[error("another process is changing {0}: try again when it is done")]
    Busy(PathBuf),
    /// A line is not of the form.
    #[error("line {line} of the file of card-number keys is not as `cardswitch vault` writes it")]
    Line {
        /// Which line, from 1.
        line: usize,
    },
    /// A line is under a key that is not at hand.
    #[error(
        "line {line} of the file of card-number keys is under local master key {found}, which is \
         not at hand: name its components in security.lmk_components, or in \
         security.previous_lmk_components while keys are moved from it"
    )]
    OtherMasterKey {
        /// Which line, from 1.
        line: usize,
        /// What tells the key that it is under.
        found: KeyCheckValue,
    },
    /// A line's block does not open, or cannot be made.
    #[error("line {line} of the file of card-number keys: {source}")]
    Block {
        /// Which line, from 1.
        line: usize,
        /// Why not.
        source: KeyBlockError,
    },
    /// A whole file has one index key, one active key, and any older ones.
    #[error("the file of card-number keys has {found} {what} keys; it must have one")]
    Number {
        /// Which.
        what: &'static str,
        /// How many there are.
        found: usize,
    },
    /// The keys are none.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// There is no such key.
    #[error("there is no key {0} of card numbers")]
    NoSuchKey(KeyId),
    /// New numbers are encrypted with it.
    #[error("key {0} is the active one: make another with `cardswitch vault rotate` first")]
    Active(KeyId),
}

impl PanStoreError {
    pub(super) fn refused(path: PathBuf, refused: Refused) -> Self {
        match refused {
            Refused::Unreadable(source) => Self::Unreadable { path, source },
            Refused::OpenToOthers(mode) => Self::OpenToOthers { path, mode },
            Refused::NotAKeyFile => Self::NotAKeyFile(path),
        }
    }

    pub(super) fn not_held(path: PathBuf, not_held: NotHeld) -> Self {
        match not_held {
            NotHeld::Busy => Self::Busy(path),
            NotHeld::Failed(path, source) => Self::Unwritable { path, source },
        }
    }
}
