//! A set of field numbers 1 to 192 in the order of the bitmaps. Must hold no content.

use std::fmt;

/// The largest field number: the last bit of a third bitmap.
pub const MAX_FIELD: u8 = 192;

/// Field numbers 1 to 192 as one 64-bit word for each bitmap; the highest bit is the first field,
/// as on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FieldSet([u64; 3]);

impl FieldSet {
    /// No field.
    pub const EMPTY: FieldSet = FieldSet([0; 3]);

    /// The fields of both.
    #[must_use]
    pub const fn union(self, other: FieldSet) -> FieldSet {
        let (FieldSet([a, b, c]), FieldSet([x, y, z])) = (self, other);
        FieldSet([a | x, b | y, c | z])
    }

    /// The fields of this one that are not in the other.
    #[must_use]
    pub const fn without(self, other: FieldSet) -> FieldSet {
        let (FieldSet([a, b, c]), FieldSet([x, y, z])) = (self, other);
        FieldSet([a & !x, b & !y, c & !z])
    }

    /// Those with a smaller number.
    #[must_use]
    pub const fn before(self, field: u8) -> FieldSet {
        let FieldSet([a, b, c]) = self;
        FieldSet([a & in_front(field, 0), b & in_front(field, 64), c & in_front(field, 128)])
    }

    /// True when there is a field in both.
    #[must_use]
    pub const fn intersects(self, other: FieldSet) -> bool {
        let (FieldSet([a, b, c]), FieldSet([x, y, z])) = (self, other);
        (a & x) | (b & y) | (c & z) != 0
    }

    /// From primary, secondary and third bitmap.
    #[must_use]
    pub const fn from_words(words: [u64; 3]) -> FieldSet {
        FieldSet(words)
    }

    /// Primary, secondary and third bitmap.
    #[must_use]
    pub const fn words(self) -> [u64; 3] {
        self.0
    }

    /// The bit within its bitmap.
    const fn bit(field: u8) -> u64 {
        1u64.rotate_right(field as u32)
    }

    /// True when the field is in the set; false for numbers that are no field.
    #[inline]
    #[must_use]
    pub const fn contains(self, field: u8) -> bool {
        let FieldSet([primary, secondary, third]) = self;
        let word = match field {
            1..=64 => primary,
            65..=128 => secondary,
            129..=MAX_FIELD => third,
            _ => 0,
        };
        word & FieldSet::bit(field) != 0
    }

    /// Adds a field; a number outside 1 to 192 changes nothing.
    #[inline]
    pub const fn insert(&mut self, field: u8) {
        let FieldSet([primary, secondary, third]) = self;
        match field {
            1..=64 => *primary |= FieldSet::bit(field),
            65..=128 => *secondary |= FieldSet::bit(field),
            129..=MAX_FIELD => *third |= FieldSet::bit(field),
            _ => {}
        }
    }

    /// Takes a field out.
    pub const fn remove(&mut self, field: u8) {
        let FieldSet([primary, secondary, third]) = self;
        match field {
            1..=64 => *primary &= !FieldSet::bit(field),
            65..=128 => *secondary &= !FieldSet::bit(field),
            129..=MAX_FIELD => *third &= !FieldSet::bit(field),
            _ => {}
        }
    }

    /// True when there is no field.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        matches!(self.0, [0, 0, 0])
    }

    /// How many fields there are.
    #[must_use]
    pub const fn len(self) -> u32 {
        let FieldSet([a, b, c]) = self;
        a.count_ones().saturating_add(b.count_ones()).saturating_add(c.count_ones())
    }

    /// The last field.
    #[must_use]
    pub const fn last(self) -> Option<u8> {
        let FieldSet([primary, secondary, third]) = self;
        let (word, done) = match (primary, secondary, third) {
            (0, 0, 0) => return None,
            (word, 0, 0) => (word, 0),
            (_, word, 0) => (word, 64),
            (_, _, word) => (word, 128),
        };
        // At most 63 zeros: the word is not zero.
        Some(64u8.wrapping_sub(word.trailing_zeros() as u8).wrapping_add(done))
    }

    /// The field numbers in ascending order.
    #[must_use]
    pub const fn iter(self) -> FieldNumbers {
        FieldNumbers { words: self.0, done: 0 }
    }
}

/// The bits in front of a field's in the bitmap that begins behind `done` fields.
const fn in_front(field: u8, done: u8) -> u64 {
    match field.saturating_sub(done) {
        0 | 1 => 0,
        bit @ 2..=64 => !(u64::MAX >> bit.wrapping_sub(1)),
        _ => u64::MAX,
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
pub struct FieldNumbers {
    /// What is left of the three bitmaps, the one at work in front.
    words: [u64; 3],
    /// Fields of the bitmaps that are done.
    done: u8,
}

impl Iterator for FieldNumbers {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        loop {
            let [word, second, third] = self.words;
            if word != 0 {
                let zeros = word.leading_zeros() as u8; // at most 63: the word is not zero
                self.words = [word & !((1 << 63) >> zeros), second, third];
                return Some(self.done.wrapping_add(zeros).wrapping_add(1));
            }
            if (second | third) == 0 {
                return None;
            }
            self.words = [second, third, 0];
            self.done = self.done.wrapping_add(64);
        }
    }
}
