//! The local master key: the one under which every other key lies on disk. It owns that it is put
//! together at the start from components that different people hold, and is nowhere whole but in
//! memory; what lies under it is the affair of `key_store`.

mod component;

use std::path::{Path, PathBuf};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use component::Component;

use crate::key::{InvalidKey, Key, KeyCheckValue, KeyCipher, KeyUsage};
use crate::private_file::Refused;

/// Bytes of the key, and of each component: AES-256, so that no key is stronger than it.
pub(crate) const LMK_BYTES: usize = 32;
/// How many people hold a component.
const COMPONENTS: std::ops::RangeInclusive<usize> = 2..=3;

/// Why there is no local master key. Never says anything of a component but its check value.
#[derive(Debug, thiserror::Error)]
pub enum LmkError {
    /// One component would be the key; more than three are not worth their ceremony.
    #[error("a local master key has two or three components, and {0} are named")]
    Number(usize),
    /// A file cannot be read.
    #[error("the key component {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file cannot be made.
    #[error("the key component {path} cannot be written: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody other than the owner may use a file.
    #[error("the key component {path} has mode {mode:04o}; it must be 0600: run chmod 600 on it")]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file has another form.
    #[error(
        "{0} is not a key component: expected one line with 64 hexadecimal digits and, behind \
         them, their check value"
    )]
    Form(PathBuf),
    /// A digit was mistaken.
    #[error("the key component {path} has check value {found}, not the one in it: no key was made")]
    CheckValue {
        /// The file.
        path: PathBuf,
        /// What its digits give.
        found: KeyCheckValue,
    },
    /// Two that are equal cancel out.
    #[error("the key component {0} is the same as one before it")]
    Twice(PathBuf),
    /// Together they are no key.
    #[error("the components make no key: {0}")]
    Key(#[from] InvalidKey),
    /// The random generator failed.
    #[error(transparent)]
    NoRandomness(#[from] crate::NoRandomness),
}

impl LmkError {
    fn refused(path: &Path, refused: Refused) -> Self {
        let path = path.to_owned();
        match refused {
            Refused::Unreadable(source) => Self::Unreadable { path, source },
            Refused::OpenToOthers(mode) => Self::OpenToOthers { path, mode },
            Refused::NotAKeyFile => Self::Form(path),
        }
    }
}

/// The local master key. Wiped on drop; it cannot be printed:
///
/// ```compile_fail
/// fn print<T: std::fmt::Debug>() {}
/// print::<switch_security::LocalMasterKey>();
/// ```
pub struct LocalMasterKey(Key);

impl LocalMasterKey {
    /// From the files of its components: their exclusive or. One that fails refuses them all.
    ///
    /// # Errors
    /// There are too few or too many, one cannot be read or is not what it says, or they make no
    /// key.
    pub fn load(paths: &[PathBuf]) -> Result<Self, LmkError> {
        if !COMPONENTS.contains(&paths.len()) {
            return Err(LmkError::Number(paths.len()));
        }
        let mut sum = Zeroizing::new([0; LMK_BYTES]);
        let mut before: Vec<Component> = Vec::with_capacity(paths.len());
        for path in paths {
            let component = Component::load(path)?;
            let same = |other: &Component| bool::from(other.bytes().ct_eq(component.bytes()));
            if before.iter().any(same) {
                return Err(LmkError::Twice(path.clone()));
            }
            sum.iter_mut().zip(component.bytes()).for_each(|(slot, byte)| *slot ^= byte);
            before.push(component);
        }
        Ok(Self(Key::new(KeyUsage::K1, KeyCipher::Aes, &*sum)?))
    }

    /// What tells it from others, and may be shown.
    #[must_use]
    pub const fn check_value(&self) -> KeyCheckValue {
        self.0.check_value()
    }

    /// Whether it is a key of examples.
    #[must_use]
    pub fn is_well_known(&self) -> bool {
        self.0.is_well_known()
    }

    pub(crate) const fn key(&self) -> &Key {
        &self.0
    }
}

/// The local master key that keys are written under, and during a move the one from before.
pub struct LocalMasterKeys {
    current: LocalMasterKey,
    previous: Option<LocalMasterKey>,
}

impl LocalMasterKeys {
    /// This one alone.
    #[must_use]
    pub const fn new(current: LocalMasterKey) -> Self {
        Self { current, previous: None }
    }

    /// And this one for what still lies under it.
    #[must_use]
    pub fn with_previous(self, previous: LocalMasterKey) -> Self {
        Self { previous: Some(previous), ..self }
    }

    /// The one that keys are written under.
    #[must_use]
    pub const fn current(&self) -> &LocalMasterKey {
        &self.current
    }

    /// Each of them, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &LocalMasterKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}
