//! Layouts that others have written, as dialect files: jPOS packagers (XML) and moov specifications
//! (JSON). What an importer does not fully understand it leaves undefined and says so; it must
//! never guess a form that would misread a field.

mod draft;
mod jpos;
mod moov;
mod within;

pub use jpos::from_jpos;
pub use moov::from_moov;

use crate::iso8583::Version;

/// Bytes of a file at most.
pub const MAX_FILE: usize = 4 << 20;

/// A dialect file that was made of somebody else's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The file. It compiles.
    pub toml: String,
    /// What of the original is not in it, or was read in one of several ways: for a person to look
    /// at.
    pub remarks: Vec<String>,
}

/// What the file does not say itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// The dialect's name.
    pub name: String,
    /// The edition of the standard.
    pub version: Version,
}

/// Why nothing could be made of a file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ImportError {
    /// It is too long.
    #[error("the file has {found} bytes, at most {MAX_FILE} are read")]
    TooLong {
        /// Its length.
        found: usize,
    },
    /// It is not in that form.
    #[error("{0}")]
    Malformed(String),
    /// Something that every dialect needs is missing or not known.
    #[error("{what} (field {field}) is missing or has a form that is not known: {found:?}")]
    Head {
        /// Message type or bitmap.
        what: &'static str,
        /// Its number.
        field: u8,
        /// What was there.
        found: String,
    },
    /// What was made of it is no dialect: a fault of the original, or of this importer.
    #[error("what was made of it does not compile: {0}")]
    Unfit(String),
}
