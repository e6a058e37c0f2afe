//! One writer at a time of a file of keys: a lock beside it, held while the file is read, changed
//! and written. It owns the lock alone; it goes with the process that holds it, however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Held until dropped.
pub(crate) struct Exclusive {
    _file: File,
}

/// Why it is not held.
pub(crate) enum NotHeld {
    /// Another process writes.
    Busy,
    /// The lock's own file.
    Failed(PathBuf, io::Error),
}

impl Exclusive {
    /// Takes it for the file at `path`, without waiting.
    pub(crate) fn take(path: &Path) -> Result<Self, NotHeld> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let beside = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let failed = |error| NotHeld::Failed(beside.clone(), error);
        let file = options.open(&beside).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(NotHeld::Busy),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
