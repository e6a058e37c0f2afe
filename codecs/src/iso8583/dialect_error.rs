//! What is wrong with a dialect file, and on which line. Must be readable by whoever edits the
//! file.

/// A dialect file that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}{}: {problem}", named(.field))]
pub struct DialectError {
    pub(super) line: usize,
    pub(super) field: Option<u8>,
    pub(super) problem: String,
}

impl DialectError {
    /// Line of the file, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The field concerned, if it is one.
    #[must_use]
    pub const fn field(&self) -> Option<u8> {
        self.field
    }

    /// What is wrong, and what would be right.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

fn named(field: &Option<u8>) -> String {
    field.map(|field| format!(", field {field}")).unwrap_or_default()
}
