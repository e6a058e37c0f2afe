//! A queue and a map that never move much at once. It owns that adding an item costs about the same
//! however many there are: the standard ones copy all they hold when they grow, and every message
//! waits meanwhile. It must know nothing of what it holds.

use std::collections::VecDeque;

use super::Map;

/// Items of a page.
const PAGE: usize = 1_024;

/// A queue in pages.
#[derive(Clone, Debug)]
pub(super) struct PagedQueue<T> {
    /// All are full but the first, which has lost `gone` items, and the last.
    pages: VecDeque<VecDeque<T>>,
    gone: usize,
    len: usize,
    /// The page that was emptied last: room that is warm, for the next one.
    spare: VecDeque<T>,
}

impl<T> Default for PagedQueue<T> {
    fn default() -> Self {
        Self { pages: VecDeque::new(), gone: 0, len: 0, spare: VecDeque::new() }
    }
}

impl<T> PagedQueue<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The page of an item, and its place there.
    const fn place(&self, index: usize) -> (usize, usize) {
        let from_start = index.saturating_add(self.gone);
        let (page, place) = (from_start / PAGE, from_start % PAGE);
        (page, if page == 0 { place.saturating_sub(self.gone) } else { place })
    }

    pub(super) fn get(&self, index: usize) -> Option<&T> {
        let (page, place) = self.place(index);
        self.pages.get(page)?.get(place)
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let (page, place) = self.place(index);
        self.pages.get_mut(page)?.get_mut(place)
    }

    pub(super) fn front(&self) -> Option<&T> {
        self.get(0)
    }

    pub(super) fn back(&self) -> Option<&T> {
        self.get(self.len.checked_sub(1)?)
    }

    pub(super) fn push_back(&mut self, item: T) {
        let (page, _) = self.place(self.len);
        if page >= self.pages.len() {
            let mut page = std::mem::take(&mut self.spare);
            page.reserve_exact(PAGE);
            self.pages.push_back(page);
        }
        if let Some(last) = self.pages.back_mut() {
            last.push_back(item);
            self.len = self.len.saturating_add(1);
        }
    }

    /// Lets go of the first item where it lies: items are large, and nobody wants to have it.
    /// False where there is none.
    pub(super) fn drop_front(&mut self) -> bool {
        let Some(page) = self.pages.front_mut() else { return false };
        if page.pop_front().is_none() {
            return false;
        }
        self.len = self.len.saturating_sub(1);
        self.gone = self.gone.saturating_add(1);
        if self.gone == PAGE {
            self.spare = self.pages.pop_front().unwrap_or_default();
            self.gone = 0;
        }
        true
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten()
    }

    /// The index of the item with this key, where all are in the order of their keys.
    pub(super) fn find_by_key<K: Ord>(&self, key: &K, of: impl Fn(&T) -> K) -> Option<usize> {
        let (mut from, mut to) = (0, self.len);
        while from < to {
            let middle = usize::midpoint(from, to);
            match of(self.get(middle)?).cmp(key) {
                std::cmp::Ordering::Less => from = middle.saturating_add(1),
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }
}

impl<T> IntoIterator for PagedQueue<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::collections::vec_deque::IntoIter<VecDeque<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.pages.into_iter().flatten()
    }
}

/// Parts of a map: as many as grow at different times.
const PARTS: u64 = 256;

/// A map from numbers in parts, each of which grows by itself.
#[derive(Clone, Debug)]
pub(super) struct PartedMap<V> {
    parts: Vec<Map<i64, V>>,
}

impl<V> Default for PartedMap<V> {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Map::default()).collect() }
    }
}

impl<V> PartedMap<V> {
    /// Where a key belongs. Multiplying spreads whatever bits the keys differ in over the upper
    /// ones.
    fn part(key: i64) -> usize {
        let spread = key.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(spread.wrapping_shr(56) % PARTS).unwrap_or(0)
    }

    pub(super) fn get(&self, key: i64) -> Option<&V> {
        self.parts.get(Self::part(key))?.get(&key)
    }

    /// Puts a value in the place of the one before, which is returned.
    pub(super) fn insert(&mut self, key: i64, value: V) -> Option<V> {
        self.parts.get_mut(Self::part(key))?.insert(key, value)
    }

    pub(super) fn remove(&mut self, key: i64) -> Option<V> {
        self.parts.get_mut(Self::part(key))?.remove(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paged_queue_is_a_queue_wherever_its_pages_begin() {
        for popped in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE] {
            let mut queue = PagedQueue::default();
            assert!(queue.is_empty() && queue.front().is_none() && queue.back().is_none());
            let all = 3 * PAGE;
            (0..all).for_each(|item| queue.push_back(item));
            for item in 0..popped {
                assert_eq!(queue.front(), Some(&item));
                assert!(queue.drop_front());
            }
            (all..all + 5).for_each(|item| queue.push_back(item));
            assert_eq!(queue.len(), all + 5 - popped);
            assert_eq!((queue.front(), queue.back()), (Some(&popped), Some(&(all + 4))));
            for index in 0..queue.len() {
                assert_eq!(queue.get(index), Some(&(popped + index)));
                assert_eq!(queue.get_mut(index).copied(), Some(popped + index));
                assert_eq!(queue.find_by_key(&(popped + index), |item| *item), Some(index));
            }
            assert_eq!(queue.get(queue.len()), None);
            assert_eq!(queue.find_by_key(&(all + 5), |item| *item), None);
            assert!(queue.iter().copied().eq(popped..all + 5));
            assert!(queue.clone().into_iter().eq(popped..all + 5));
            while queue.drop_front() {}
            queue.push_back(7);
            assert_eq!((queue.len(), queue.get(0), queue.back()), (1, Some(&7), Some(&7)));
        }
    }

    #[test]
    fn a_map_in_parts_is_a_map_and_spreads_keys_that_differ_in_any_bits() {
        for shift in [0, 20, 43] {
            let mut map = PartedMap::default();
            let keys: Vec<i64> = (0..100_000).map(|n: i64| n << shift).collect();
            for (value, key) in keys.iter().enumerate() {
                assert_eq!(map.insert(*key, value), None);
            }
            let most = map.parts.iter().map(Map::len).max();
            assert!(most < Some(1_600), "four times an even share: {most:?}");
            assert_eq!(map.insert(keys[5], 7), Some(5));
            assert_eq!(map.get(keys[5]), Some(&7));
            assert_eq!(map.remove(keys[5]), Some(7));
            assert_eq!((map.get(keys[5]), map.get(keys[6])), (None, Some(&6)));
        }
    }
}
