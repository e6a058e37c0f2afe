//! Amounts as `/admin` has them, and as people read them.

use serde::{Deserialize, Serialize};

use crate::page::Cell;

/// An amount with its currency: `12.50`, `EUR`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Money {
    pub(crate) value: String,
    pub(crate) currency: String,
}

impl Money {
    pub(crate) fn text(&self) -> String {
        format!("{} {}", self.value, self.currency)
    }

    pub(crate) fn cell(&self) -> Cell {
        Cell::number(self.text())
    }

    /// Whether it is none.
    pub(crate) fn is_zero(&self) -> bool {
        self.value.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-'))
    }
}
