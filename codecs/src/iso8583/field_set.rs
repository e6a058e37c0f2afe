//! A set of field numbers 1 to 128 in the order of the bitmap. Must hold no content.

use std::fmt;

/// Field numbers 1 to 128 as one 128-bit word; field 1 is the highest bit, as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FieldSet(u128);

impl FieldSet {
    /// No field.
    pub const EMPTY: FieldSet = FieldSet(0);

    /// The fields of both.
    #[must_use]
    pub const fn union(self, other: FieldSet) -> FieldSet {
        FieldSet(self.0 | other.0)
    }

    /// From the bitmap's bits, the primary bitmap being the upper 64.
    #[must_use]
    pub const fn from_bits(bits: u128) -> FieldSet {
        FieldSet(bits)
    }

    /// The bitmap's bits, the primary bitmap being the upper 64.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    const fn bit(field: u8) -> u128 {
        match field {
            1..=128 => 1u128.rotate_right(field as u32),
            _ => 0,
        }
    }

    /// True when the field is in the set; false for numbers that are no field.
    #[must_use]
    pub const fn contains(self, field: u8) -> bool {
        self.0 & FieldSet::bit(field) != 0
    }

    /// Adds a field; a number outside 1 to 128 changes nothing.
    pub const fn insert(&mut self, field: u8) {
        self.0 |= FieldSet::bit(field);
    }

    /// Takes a field out.
    pub const fn remove(&mut self, field: u8) {
        self.0 &= !FieldSet::bit(field);
    }

    /// True when there is no field.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many fields there are.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The field numbers in ascending order.
    #[must_use]
    pub const fn iter(self) -> FieldNumbers {
        FieldNumbers(self.0)
    }
}

impl IntoIterator for FieldSet {
    type Item = u8;
    type IntoIter = FieldNumbers;

    fn into_iter(self) -> FieldNumbers {
        self.iter()
    }
}

impl FromIterator<u8> for FieldSet {
    fn from_iter<I: IntoIterator<Item = u8>>(fields: I) -> FieldSet {
        let mut set = FieldSet::EMPTY;
        for field in fields {
            set.insert(field);
        }
        set
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Field numbers in ascending order.
#[derive(Clone, Debug)]
pub struct FieldNumbers(u128);

impl Iterator for FieldNumbers {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        if self.0 == 0 {
            return None;
        }
        let zeros = self.0.leading_zeros() as u8; // at most 127: the word is not zero
        self.0 &= !(1u128.rotate_right(1) >> zeros);
        Some(zeros.wrapping_add(1))
    }
}
