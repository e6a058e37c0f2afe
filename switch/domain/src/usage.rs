//! What was used of limits: sums by control, holder and part of a window. It owns when a part is
//! too old to count; it never knows why something counts.

use crate::{ControlId, MinorUnits};

/// A part of a window in which something counts: a day, a month, a merchant. Parts of one control
/// are in the order of time, but for merchants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part(pub i64);

/// Where an authorization counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counted {
    /// Towards which control.
    pub control: ControlId,
    /// For which card or account: its identifier.
    pub holder: i64,
    /// In which part of its window.
    pub part: Part,
}

/// Change of what was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageDelta {
    /// Where.
    pub counted: Counted,
    /// Where an authorization begins to count: the oldest part that still does, for what is older
    /// is forgotten. `None` where more or less of it counts than before, which makes no part anew.
    pub oldest: Option<Part>,
    /// Added to the amount, in minor units of the account's currency.
    pub amount: MinorUnits,
    /// Added to the count.
    pub count: i32,
}

impl UsageDelta {
    /// The half that counts when decided, and the half that counts when committed (W-14).
    #[must_use]
    pub const fn split(self) -> (Self, Self) {
        let (up, down) = if self.amount.0 > 0 { (self.amount.0, 0) } else { (0, self.amount.0) };
        let (more, fewer) = if self.count > 0 { (self.count, 0) } else { (0, self.count) };
        (
            Self { amount: MinorUnits(up), count: more, ..self },
            Self { amount: MinorUnits(down), count: fewer, oldest: None, ..self },
        )
    }

    /// True where it changes nothing.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.amount.is_zero() && self.count == 0
    }
}

/// What was used in one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// In minor units of the account's currency.
    pub amount: MinorUnits,
    /// How many.
    pub count: i32,
}

/// What was used of one control by one holder, by part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage(Vec<(Part, Used)>);

impl Usage {
    /// From parts in any order.
    #[must_use]
    pub fn from_parts(mut parts: Vec<(Part, Used)>) -> Self {
        parts.sort_unstable_by_key(|(part, _)| *part);
        Self(parts)
    }

    /// Every part, in order.
    #[must_use]
    pub fn parts(&self) -> &[(Part, Used)] {
        &self.0
    }

    /// What was used in one part.
    #[must_use]
    pub fn of(&self, part: Part) -> Used {
        self.0.iter().find(|(one, _)| *one == part).map_or(Used::default(), |(_, used)| *used)
    }

    /// What was used from one part on.
    #[must_use]
    pub fn since(&self, part: Part) -> Used {
        let parts = self.0.iter().filter(|(one, _)| *one >= part);
        parts.fold(Used::default(), |sum, (_, used)| sum.plus(*used))
    }

    /// Adds a change. What is given back to a part that was forgotten is nobody's any more.
    pub fn add(&mut self, delta: &UsageDelta) {
        if let Some(oldest) = delta.oldest {
            self.0.retain(|(part, _)| *part >= oldest);
        }
        let change = Used { amount: delta.amount, count: delta.count };
        let part = delta.counted.part;
        match self.0.binary_search_by_key(&part, |(one, _)| *one) {
            Ok(at) => {
                if let Some((_, used)) = self.0.get_mut(at) {
                    *used = used.plus(change);
                }
            }
            Err(at) if delta.oldest.is_some() => self.0.insert(at, (part, change)),
            Err(_) => {}
        }
    }
}

impl Used {
    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            amount: MinorUnits(self.amount.0.saturating_add(other.amount.0)),
            count: self.count.saturating_add(other.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(part: i64, oldest: Option<i64>, amount: i64, count: i32) -> UsageDelta {
        let counted = Counted { control: ControlId(1), holder: 2, part: Part(part) };
        UsageDelta { counted, oldest: oldest.map(Part), amount: MinorUnits(amount), count }
    }

    fn used(amount: i64, count: i32) -> Used {
        Used { amount: MinorUnits(amount), count }
    }

    #[test]
    fn parts_add_up_and_old_ones_are_forgotten() {
        let mut usage = Usage::default();
        usage.add(&delta(10, Some(8), 500, 1));
        usage.add(&delta(11, Some(9), 300, 1));
        usage.add(&delta(11, Some(9), 200, 1));
        assert_eq!((usage.of(Part(11)), usage.since(Part(9))), (used(500, 2), used(1000, 3)));
        usage.add(&delta(10, None, -500, -1));
        assert_eq!((usage.of(Part(10)), usage.since(Part(9))), (used(0, 0), used(500, 2)));
        usage.add(&delta(13, Some(11), 100, 1));
        assert_eq!(usage.parts(), [(Part(11), used(500, 2)), (Part(13), used(100, 1))]);
        usage.add(&delta(10, None, -7, -1));
        usage.add(&delta(12, None, 7, 0));
        assert_eq!(usage.of(Part(10)), Used::default(), "nobody's any more");
        assert_eq!(usage.parts().len(), 2);
    }

    #[test]
    fn what_takes_counts_at_once_and_what_gives_back_when_committed() {
        for (amount, count) in [(5, 1), (-5, -1), (0, 0), (5, 0), (0, -1)] {
            let whole = delta(1, Some(1), amount, count);
            let (decided, committed) = whole.split();
            assert!(decided.amount.0 >= 0 && decided.count >= 0);
            assert!(committed.amount.0 <= 0 && committed.count <= 0);
            assert_eq!(decided.amount.0 + committed.amount.0, amount);
            assert_eq!(decided.count + committed.count, count);
        }
    }
}
