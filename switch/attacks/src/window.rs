//! Counts of a window that slides. It owns how time is cut: into parts of a sixth of the window, of
//! which the one that has begun and the six before it count. So what is counted has come within one
//! window and a sixth of another, and nothing that came within one window is missing.

use crate::kind::Kind;

/// Parts of a window.
pub(crate) const SLOTS: usize = 6;
/// Those that are kept: the one that has begun, too.
const KEPT: usize = SLOTS + 1;
/// A row of counts: the kinds, and attempts of any.
const COLUMNS: usize = Kind::COUNT + 1;

/// What is counted in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Of(Kind),
    /// Attempts, whatever came of them.
    Attempts,
}

impl Column {
    const fn index(self) -> usize {
        match self {
            Self::Of(kind) => kind.index(),
            Self::Attempts => Kind::COUNT,
        }
    }
}

/// The counts of one subject.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    newest: i64,
    parts: [[u32; COLUMNS]; KEPT],
}

impl Window {
    /// Counts one. A moment before the latest that came counts as that: shards read the clock by
    /// themselves.
    pub(crate) fn add(&mut self, slot: i64, column: Column) {
        self.move_to(slot);
        let part = self.parts.get_mut(place(self.newest));
        if let Some(count) = part.and_then(|part| part.get_mut(column.index())) {
            *count = count.saturating_add(1);
        }
    }

    /// How many there are.
    pub(crate) fn sum(&self, slot: i64, column: Column) -> u32 {
        let slot = slot.max(self.newest);
        let first = slot.saturating_sub(SLOTS as i64);
        let kept = first..=self.newest;
        let parts = kept.filter_map(|slot| self.parts.get(place(slot))?.get(column.index()));
        parts.fold(0, |sum: u32, count| sum.saturating_add(*count))
    }

    /// Forgets what is too old at this moment.
    fn move_to(&mut self, slot: i64) {
        let passed = slot.saturating_sub(self.newest).clamp(0, KEPT as i64);
        for back in 0..passed {
            if let Some(part) = self.parts.get_mut(place(slot.saturating_sub(back))) {
                *part = [0; COLUMNS];
            }
        }
        self.newest = self.newest.max(slot);
    }
}

/// Where a part of the window stands.
fn place(slot: i64) -> usize {
    usize::try_from(slot.rem_euclid(KEPT as i64)).unwrap_or(0)
}
