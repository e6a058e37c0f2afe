//! Fields of a message that is not whole yet: encoded, with a gap for those that come later. An
//! answer is begun from its request and ended by a decision; in between only this is kept. Must
//! never hold a field of the gap.

use std::ops::RangeInclusive;

use zeroize::Zeroize;

use super::field_set::FieldSet;

/// Encoded fields on both sides of a gap; wiped when dropped, for a card number may be one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedFields {
    pub(super) bytes: Box<[u8]>,
    /// Where the gap is in `bytes`.
    pub(super) split: usize,
    pub(super) present: FieldSet,
    pub(super) gap: RangeInclusive<u8>,
    /// More fields that may come, behind the gap and in ascending order, and their places in
    /// `bytes`.
    pub(super) late: [Option<(u8, usize)>; EncodedFields::MOST_LATE],
}

impl EncodedFields {
    /// How many fields may come behind the gap.
    pub const MOST_LATE: usize = 2;

    /// The fields that are there.
    #[must_use]
    pub const fn present(&self) -> FieldSet {
        self.present
    }

    /// Whether a field may still come.
    #[must_use]
    pub fn may_take(&self, field: u8) -> bool {
        self.gap.contains(&field) || self.late.iter().flatten().any(|(late, _)| *late == field)
    }
}

impl Drop for EncodedFields {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
