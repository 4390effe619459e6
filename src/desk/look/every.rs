//! Every record a report is made of, oldest first: the places of few among many, or where in the journal to
//! begin reading them.

use std::collections::BTreeSet;

use super::terms::all;
use super::{NoWay, position};
use crate::desk::FoldedIndex;
use crate::journal::Position;
use crate::ledger::Archive;
use crate::ledger::facts::Facts;
use crate::store::{Fold, Gathered, Place, Reach, Sought, StoreError, TermKind};

/// Places held for one report: 6 MiB. Reading more of them one by one is slower than reading all.
const PLACES_MAX: u64 = 1 << 18;
/// Reading a record by its place costs about as much as reading so many in a row.
const RECORDS_PER_PLACE: u64 = 8;
/// So few are always read by their places.
const PLACES_FEW: u64 = 1024;

/// How a report comes to its records.
pub(in crate::desk) enum Every {
    /// Those that are filed under what is sought, and how many exchanges of the time were erased.
    At { places: Vec<(u64, Position)>, erased: u64 },
    /// All from here on: there are too many to be read one by one.
    From(Position),
}

/// The way to what is sought, among all that the archive holds.
pub(in crate::desk) fn every(
    archive: &Archive,
    index: &FoldedIndex,
    sought: &Sought,
) -> Result<Every, NoWay> {
    let reach = index.look(Fold::reach)?.flatten().unwrap_or_default();
    let looked = index
        .tail
        .look(archive, index.key(), reach, |tail| Way { archive, index, reach, tail, sought }.find())?;
    looked.unwrap_or_else(|| Err(StoreError::Behind.into()))
}

struct Way<'w> {
    archive: &'w Archive,
    index: &'w FoldedIndex,
    reach: Reach,
    tail: &'w Gathered,
    sought: &'w Sought,
}

impl Way<'_> {
    fn find(&self) -> Result<Every, NoWay> {
        let unread = all([vec![self.index.key().term(TermKind::Unread, b"")]]);
        if self.count(&unread)? > 0 {
            // Whoever reads everything finds which.
            return Err(NoWay::Unread);
        }
        let worth = (self.tail.end() / RECORDS_PER_PLACE).clamp(PLACES_FEW, PLACES_MAX);
        let max = usize::try_from(worth).unwrap_or(usize::MAX);
        let mut places = self.tail.newest(self.sought, u64::MAX, max + 1);
        places.extend(self.folded(|fold| {
            fold.newest(self.sought, self.reach.record, (max + 1).saturating_sub(places.len()))
        })?);
        if places.len() > max {
            return self.begin().map(Every::From);
        }
        places.reverse();
        let at = |(record, place): &(u64, Place)| Some((*record, position(*place)?));
        let places: Option<Vec<_>> = places.iter().map(at).collect();
        let mut places = places.ok_or(NoWay::Astray)?;
        places.retain(|(_, at)| *at < self.archive.end());
        Ok(Every::At { places, erased: self.erased(max)? })
    }

    /// Asks what is folded; nothing is asked where nothing is.
    fn folded<T: Default>(&self, look: impl FnOnce(&Fold) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.reach.record == 0 {
            return Ok(T::default());
        }
        self.index.look(look)?.ok_or(StoreError::Behind)
    }

    fn count(&self, sought: &Sought) -> Result<u64, StoreError> {
        let folded = self.folded(|fold| fold.count(sought, self.reach.record))?;
        Ok(folded + self.tail.count(sought))
    }

    /// Where the first record of the time is.
    fn begin(&self) -> Result<Position, NoWay> {
        let (from, _) = self.folded(|fold| fold.within(self.sought, self.reach.record))?;
        let place = self.folded(|fold| fold.place(from))?;
        // None of what is folded: then all that is not.
        let place = place.unwrap_or(Place { segment: self.reach.segment.max(1), offset: 0 });
        position(place).ok_or(NoWay::Astray)
    }

    /// How many exchanges of the time have lost their sealed part: those that had when they were folded, and
    /// those an erasure has named since.
    fn erased(&self, max: usize) -> Result<u64, NoWay> {
        let key = self.index.key();
        let sought = Sought {
            all: vec![vec![key.term(TermKind::Erased, b"")]],
            from_ms: self.sought.from_ms,
            before_ms: self.sought.before_ms,
        };
        let erasures = all([vec![key.term(TermKind::Kind, b"erasure")]]);
        let mut late = 0;
        for record in self.named(&erasures, max)? {
            late += u64::from(self.is_erased_since(record, &sought)?);
        }
        Ok(self.count(&sought)? + late)
    }

    /// The records that erasures name.
    fn named(&self, erasures: &Sought, max: usize) -> Result<BTreeSet<u64>, NoWay> {
        let mut places = self.tail.newest(erasures, u64::MAX, usize::MAX);
        places.extend(self.folded(|fold| fold.newest(erasures, self.reach.record, max))?);
        let mut named = BTreeSet::new();
        for (_, place) in places {
            let at = position(place).ok_or(NoWay::Astray)?;
            let read = self.archive.at(at, |entry| Facts::read(&entry).map(|facts| facts.erases))?;
            for (first, last) in read.flatten().ok_or(NoWay::Astray)? {
                if last.saturating_sub(first) >= max as u64 || named.len() > max {
                    return Err(NoWay::Unread);
                }
                named.extend(first..=last);
            }
        }
        Ok(named)
    }

    /// Whether a record of the time is an exchange without its sealed part, and was none when it was filed.
    fn is_erased_since(&self, record: u64, erased: &Sought) -> Result<bool, NoWay> {
        let of_time = Sought { all: Vec::new(), ..erased.clone() };
        let newest = |sought: &Sought| -> Result<Option<(u64, Place)>, StoreError> {
            let below = record + 1;
            let one = if record >= self.reach.record {
                self.tail.newest(sought, below, 1)
            } else {
                self.folded(|fold| fold.newest(sought, below, 1))?
            };
            Ok(one.first().copied().filter(|(found, _)| *found == record))
        };
        let Some((_, place)) = newest(&of_time)? else { return Ok(false) };
        if newest(erased)?.is_some() {
            return Ok(false);
        }
        let at = position(place).ok_or(NoWay::Astray)?;
        let is_erased = self.archive.at(at, |entry| {
            entry.sealed.is_none() && Facts::read(&entry).is_some_and(|facts| facts.is_exchange())
        })?;
        Ok(is_erased.unwrap_or(false))
    }
}
