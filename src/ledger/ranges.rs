//! Sets of records as ranges of indexes: what erasures name, and what is blank. Neighbours are one range, so
//! that a year of records that went together takes two numbers.

use std::collections::BTreeMap;

/// A set of indexes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges {
    /// The last of each range by its first; they neither meet nor touch.
    last_by_first: BTreeMap<u64, u64>,
    count: u64,
}

impl Ranges {
    /// Ranges as an envelope writes them: ascending, apart, and all before `end`. `None` otherwise.
    pub(super) fn read(pairs: &[(u64, u64)], end: u64) -> Option<Self> {
        let mut out = Self::default();
        let mut from = 0;
        for (first, last) in pairs {
            if *first < from || last < first || *last >= end {
                return None;
            }
            // Two that touch are one, and are written as one.
            from = last.saturating_add(2);
            out.count += last - first + 1;
            out.last_by_first.insert(*first, *last);
        }
        Some(out)
    }

    pub fn insert(&mut self, index: u64) {
        self.insert_range(index, index);
    }

    /// However wide it is: what others wrote may name all there will ever be.
    fn insert_range(&mut self, mut first: u64, mut last: u64) {
        // Those it meets or touches become one with it.
        while let Some((known, end)) = self
            .last_by_first
            .range(..=last.saturating_add(1))
            .next_back()
            .map(|(known, end)| (*known, *end))
            .filter(|(_, end)| end.saturating_add(1) >= first)
        {
            self.last_by_first.remove(&known);
            self.count -= end - known + 1;
            (first, last) = (first.min(known), last.max(end));
        }
        self.last_by_first.insert(first, last);
        self.count = self.count.saturating_add((last - first).saturating_add(1));
    }

    pub fn extend(&mut self, other: &Self) {
        other.iter().for_each(|(first, last)| self.insert_range(first, last));
    }

    pub fn contains(&self, index: u64) -> bool {
        self.around(Some(index)).is_some()
    }

    /// The range an index lies in.
    fn around(&self, index: Option<u64>) -> Option<(u64, u64)> {
        let index = index?;
        let (first, last) = self.last_by_first.range(..=index).next_back()?;
        (*last >= index).then_some((*first, *last))
    }

    /// Whether any of these lies from `first` up to `end`.
    pub fn meets(&self, first: u64, end: u64) -> bool {
        let before = end.checked_sub(1).and_then(|last| self.last_by_first.range(..=last).next_back());
        before.is_some_and(|(_, last)| *last >= first)
    }

    pub(super) fn is_subset(&self, of: &Self) -> bool {
        self.iter().all(|(first, last)| of.around(Some(first)).is_some_and(|(_, end)| end >= last))
    }

    /// What of these is not among the others.
    pub(super) fn without(&self, others: &Self) -> Self {
        let mut out = Self::default();
        for (first, last) in self.iter() {
            (first..=last).filter(|index| !others.contains(*index)).for_each(|index| out.insert(index));
        }
        out
    }

    /// Those before an index.
    pub(super) fn before(&self, end: u64) -> Self {
        let mut out = Self::default();
        for (first, last) in self.iter().take_while(|(first, _)| *first < end) {
            out.insert_range(first, last.min(end - 1));
        }
        out
    }

    /// How many indexes.
    pub fn len(&self) -> u64 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The ranges, ascending, both ends included.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.last_by_first.iter().map(|(first, last)| (*first, *last))
    }

    /// In pieces of at most so many ranges.
    pub(super) fn pieces(&self, ranges_max: usize) -> Vec<Self> {
        let pairs: Vec<(u64, u64)> = self.iter().collect();
        pairs.chunks(ranges_max).filter_map(|piece| Self::read(piece, u64::MAX)).collect()
    }
}

impl FromIterator<u64> for Ranges {
    fn from_iter<I: IntoIterator<Item = u64>>(indexes: I) -> Self {
        let mut out = Self::default();
        indexes.into_iter().for_each(|index| out.insert(index));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range_whatever_the_order() {
        let set: Ranges = [5, 3, 9, 4, 3, 0].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [(0, 0), (3, 5), (9, 9)]);
        assert_eq!(set.len(), 5);
        assert!(set.contains(4) && !set.contains(6));
        assert!(set.meets(5, 8) && !set.meets(6, 9) && set.meets(6, 10) && !set.meets(1, 3));
        let some: Ranges = [3, 4, 9].into_iter().collect();
        assert!(some.is_subset(&set) && !set.is_subset(&some));
        assert_eq!(set.without(&some), [0, 5].into_iter().collect());
        assert_eq!(set.pieces(2).len(), 2);
    }

    #[test]
    fn whole_ranges_join_what_they_meet() {
        let mut set: Ranges = [1, 5, 6, 20].into_iter().collect();
        set.extend(&Ranges::read(&[(2, 4), (7, 9)], 100).unwrap());
        assert_eq!(set.iter().collect::<Vec<_>>(), [(1, 9), (20, 20)]);
        set.extend(&Ranges::read(&[(0, 30)], 100).unwrap());
        assert_eq!((set.iter().collect::<Vec<_>>(), set.len()), (vec![(0, 30)], 31));
        set.extend(&Ranges::read(&[(10, 12), (40, u64::MAX - 3)], u64::MAX).unwrap());
        assert_eq!(set.iter().collect::<Vec<_>>(), [(0, 30), (40, u64::MAX - 3)]);
    }

    #[test]
    fn what_an_envelope_may_write_is_ascending_apart_and_before_it() {
        let read = |pairs: &[(u64, u64)]| Ranges::read(pairs, 10).map(|set| set.len());
        assert_eq!(read(&[(0, 0), (2, 9)]), Some(9));
        for wrong in [&[(3, 2)][..], &[(0, 10)], &[(2, 3), (0, 0)], &[(0, 2), (2, 4)], &[(0, 2), (3, 4)]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
