//! The file of card-number keys: the key of the index, the active key and those before it, each in
//! a key block under the local master key (K-01, P-09). It owns how the file is made, read and
//! changed, and how the keys of a file in clear come under the local master key; it never knows
//! which rows are under which key. A file that is wrong in any line is not read at all.

mod error;
mod line;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use switch_domain::Timestamp;
use zeroize::Zeroizing;

pub use error::PanStoreError;

use crate::lmk::LocalMasterKeys;
use crate::private_file;
use crate::private_lock::Exclusive;
use crate::{KeyId, PanKeys};
use line::Line;

/// Room for as many keys as are kept, and more.
const MAX_BYTES: u64 = 16 * 1024;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PanKeyForm {
    /// Nothing.
    Missing,
    /// Keys in clear, as they were kept before.
    Clear,
    /// Key blocks.
    Blocks,
}

/// What changes when a file is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp([i64; 4]);

/// The file of card-number keys, with the local master keys that open it.
pub struct PanKeyStore {
    path: PathBuf,
    masters: LocalMasterKeys,
}

impl PanKeyStore {
    /// Of the file at `path`, which need not be there yet.
    #[must_use]
    pub const fn new(path: PathBuf, masters: LocalMasterKeys) -> Self {
        Self { path, masters }
    }

    /// What is at this path.
    ///
    /// # Errors
    /// It cannot be read, is open to others, or no key file.
    pub fn form(path: &Path) -> Result<PanKeyForm, PanStoreError> {
        Ok(match read(path)? {
            None => PanKeyForm::Missing,
            Some(text) if PanKeys::is_clear(&text) => PanKeyForm::Clear,
            Some(_) => PanKeyForm::Blocks,
        })
    }

    /// The keys of the file.
    ///
    /// # Errors
    /// There is no file, its keys are in clear, or it is wrong in any line.
    pub fn load(&self) -> Result<PanKeys, PanStoreError> {
        let text = read(&self.path)?.ok_or_else(|| self.missing())?;
        if PanKeys::is_clear(&text) {
            return Err(PanStoreError::Clear(self.path.clone()));
        }
        let (mut index, mut active, mut older) = (Vec::new(), Vec::new(), Vec::new());
        for (number, content) in lines(&text) {
            match line::open(&self.masters, number, content)? {
                Line::Index(key) => index.push(key),
                Line::Data(key, true) => active.push(key),
                Line::Data(key, false) => older.push(key),
            }
        }
        let number = |what, found: usize| PanStoreError::Number { what, found };
        let (indexes, actives) = (index.len(), active.len());
        match (index.pop(), active.pop()) {
            (Some(index), Some(active)) if indexes == 1 && actives == 1 => {
                Ok(PanKeys::from_keys(active, older, index)?)
            }
            _ if indexes != 1 => Err(number("index", indexes)),
            _ => Err(number("active", actives)),
        }
    }

    /// Makes fresh keys, and the file.
    ///
    /// # Errors
    /// There is a file already, or it cannot be written.
    pub fn create(&self, now: Timestamp) -> Result<PanKeys, PanStoreError> {
        let _lock = self.lock()?;
        if read(&self.path)?.is_some() {
            return Err(PanStoreError::Exists(self.path.clone()));
        }
        let mut keys = PanKeys::generate()?;
        keys.active.created = now;
        self.save(&keys)?;
        Ok(keys)
    }

    /// Makes a fresh active key; the one before stays for what is under it. Killed at any point it
    /// leaves the one file or the other, whole.
    ///
    /// # Errors
    /// As [`Self::load`]; there are as many keys as can be; the file cannot be written.
    pub fn rotate(&self, now: Timestamp) -> Result<PanKeys, PanStoreError> {
        let _lock = self.lock()?;
        let keys = self.load()?.rotated(now)?;
        self.save(&keys)?;
        Ok(keys)
    }

    /// Destroys a key that is not the active one. Whoever calls knows that no row is under it, and
    /// that none can come any more.
    ///
    /// # Errors
    /// As [`Self::load`]; there is no such key, or it is active; the file cannot be written.
    pub fn retire(&self, key: KeyId) -> Result<(), PanStoreError> {
        let _lock = self.lock()?;
        let mut keys = self.load()?;
        if keys.id() == key {
            return Err(PanStoreError::Active(key));
        }
        let at = keys.older.iter().position(|older| older.id == key);
        keys.older.remove(at.ok_or(PanStoreError::NoSuchKey(key))?);
        self.save(&keys)
    }

    /// Puts every key under the current local master key. How many there are, and whether they
    /// were before.
    ///
    /// # Errors
    /// As [`Self::load`]; the file cannot be written.
    pub fn rewrap(&self) -> Result<(usize, bool), PanStoreError> {
        let _lock = self.lock()?;
        let keys = self.load()?;
        let current = self.is_current()?;
        self.save(&keys)?;
        Ok((keys.list().len().saturating_add(1), current))
    }

    /// Whether every key is under the current local master key.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_current(&self) -> Result<bool, PanStoreError> {
        let current = self.masters.current().check_value();
        let text = read(&self.path)?.ok_or_else(|| self.missing())?;
        for (number, content) in lines(&text) {
            if line::under(number, content)? != current {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts the keys of a file in clear under the local master key, in its place, and destroys it:
    /// at no moment is there no file. Killed at any point and run again it goes on. The id of the
    /// active key, or `None` where nothing was in clear any more.
    ///
    /// # Errors
    /// The file is none of keys in clear; it cannot be written or destroyed.
    pub fn migrate(&self) -> Result<Option<KeyId>, PanStoreError> {
        let _lock = self.lock()?;
        let aside = aside(&self.path);
        let clear = Self::form(&self.path)? == PanKeyForm::Clear;
        let unwritable = |source| PanStoreError::Unwritable { path: aside.clone(), source };
        let moved = if clear {
            let keys = PanKeys::load(&self.path)?;
            set_aside(&self.path, &aside).map_err(unwritable)?;
            self.save(&keys)?;
            Some(keys.id())
        } else {
            None
        };
        match private_file::shred(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(error)),
            Err(_) => Ok(moved),
            // The run before this one was killed in between.
            Ok(()) => Ok(Some(self.load()?.id())),
        }
    }

    /// Whether keys in clear are left beside the file, of a migration that was killed.
    #[must_use]
    pub fn left_in_clear(path: &Path) -> bool {
        aside(path).exists()
    }

    pub(crate) fn stamp(&self) -> io::Result<Stamp> {
        let metadata = fs::metadata(&self.path)?;
        let inode = i64::from_ne_bytes(metadata.ino().to_ne_bytes());
        let length = i64::from_ne_bytes(metadata.len().to_ne_bytes());
        Ok(Stamp([inode, metadata.mtime(), metadata.mtime_nsec(), length]))
    }

    fn missing(&self) -> PanStoreError {
        let source = io::Error::from(io::ErrorKind::NotFound);
        PanStoreError::Unreadable { path: self.path.clone(), source }
    }

    fn lock(&self) -> Result<Exclusive, PanStoreError> {
        let not_held = |not_held| PanStoreError::not_held(self.path.clone(), not_held);
        Exclusive::take(&self.path).map_err(not_held)
    }

    fn save(&self, keys: &PanKeys) -> Result<(), PanStoreError> {
        let master = self.masters.current();
        let mut text = format!(
            "# Keys of card numbers under local master key {}. Change it by `cardswitch vault` \
             and `cardswitch keys` alone. Without it no stored PAN can be read.\n",
            master.check_value()
        );
        let wrapped = |source| PanStoreError::Block { line: 0, source };
        text.push_str(&line::index(master, &keys.fingerprint).map_err(wrapped)?);
        text.push('\n');
        for key in keys.data() {
            let active = key.id == keys.id();
            text.push_str(&line::data(master, key, active).map_err(wrapped)?);
            text.push('\n');
        }
        private_file::replace_alone(&self.path, text.as_bytes())
            .map_err(|source| PanStoreError::Unwritable { path: self.path.clone(), source })
    }
}

/// Gives the file a second name, under which it is destroyed once the new one is in its place.
fn set_aside(path: &Path, aside: &Path) -> io::Result<()> {
    match fs::metadata(aside) {
        // Of the run before, which was killed.
        Ok(there) if there.ino() == fs::metadata(path)?.ino() => return Ok(()),
        // Somebody brought back another file in clear since: this one would be forgotten.
        Ok(_) => private_file::shred(aside)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::hard_link(path, aside)
}

fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".clear");
    PathBuf::from(name)
}

fn read(path: &Path) -> Result<Option<Zeroizing<String>>, PanStoreError> {
    match private_file::read(path, MAX_BYTES) {
        Ok(text) => Ok(Some(text)),
        Err(private_file::Refused::Unreadable(source))
            if source.kind() == io::ErrorKind::NotFound =>
        {
            Ok(None)
        }
        Err(refused) => Err(PanStoreError::refused(path.to_owned(), refused)),
    }
}

/// The lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1usize..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
