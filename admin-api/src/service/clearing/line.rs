//! One line of a clearing file as it was read. It owns that the text, which may hold a card number,
//! is never shown and is wiped when it is done with.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A line, and where it stands in its file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearingLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What stands in it, without the end of the line.
    text: String,
}

impl ClearingLine {
    /// The line of this number.
    #[must_use]
    pub fn new(line: u64, text: String) -> Self {
        Self { line, text }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for ClearingLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClearingLine({}, hidden)", self.line)
    }
}

impl Drop for ClearingLine {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}
