//! A stretch of the journal's records in memory, by what they are filed under: a segment on its way into the
//! store, and the open one, which is not there yet.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::StoreError;
use super::fold::{Place, Reach};
use super::postings::{Descends, Sought, all_of};
use super::term::Term;

/// Where and when a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub place: Place,
    /// Milliseconds since 1970.
    pub time_ms: i64,
}

/// Records in order, and which of them are filed under each term.
#[derive(Debug, Clone)]
pub struct Gathered {
    first: u64,
    /// No record here is earlier.
    last_ms: i64,
    spots: Vec<Spot>,
    terms: HashMap<Term, List, BuildHasherDefault<ByTerm>>,
}

/// The records under one term, ascending. Every exchange has a term of its own, so that most lists hold one.
#[derive(Debug, Clone)]
enum List {
    One([u32; 1]),
    More(Vec<u32>),
}

impl List {
    fn push(&mut self, at: u32) {
        match self {
            Self::One([one]) if *one == at => {}
            Self::One([one]) => *self = Self::More(vec![*one, at]),
            Self::More(more) if more.last() == Some(&at) => {}
            Self::More(more) => more.push(at),
        }
    }

    fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(one) => one,
            Self::More(more) => more,
        }
    }
}

/// Terms are keyed hashes and random numbers: nobody can choose them to collide.
#[derive(Default)]
struct ByTerm(u64);

impl Hasher for ByTerm {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // An odd number of many bits (2^64 by the golden ratio): the kind, the same in many, comes to the top alone.
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Gathered {
    /// Nothing yet, behind everything that is folded.
    pub fn behind(reach: Reach) -> Self {
        Self { first: reach.record, last_ms: reach.time_ms, spots: Vec::new(), terms: HashMap::default() }
    }

    /// The next record, under its terms. Times never go back in a log; where one does not read, the record
    /// stands with the one before it.
    pub fn add(&mut self, place: Place, time_ms: Option<i64>, terms: &[Term]) {
        self.last_ms = time_ms.map_or(self.last_ms, |time_ms| time_ms.max(self.last_ms));
        let spot = Spot { place, time_ms: self.last_ms };
        // A segment of the largest size has fewer records.
        let at = u32::try_from(self.spots.len()).unwrap_or(u32::MAX);
        self.spots.push(spot);
        for term in terms {
            self.terms.entry(*term).and_modify(|list| list.push(at)).or_insert(List::One([at]));
        }
    }

    /// The first record.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The record that would come next.
    pub fn end(&self) -> u64 {
        self.first + self.spots.len() as u64
    }

    /// The time of the last record.
    pub(super) fn last_ms(&self) -> i64 {
        self.last_ms
    }

    pub(super) fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// The terms in order, each with its records.
    pub(super) fn in_order(&self) -> Vec<(Term, &[u32])> {
        let mut terms: Vec<(Term, &[u32])> =
            self.terms.iter().map(|(term, list)| (*term, list.as_slice())).collect();
        terms.sort_unstable_by_key(|(term, _)| *term);
        terms
    }

    /// The newest `max` records before `below` that are filed under what is sought, newest first.
    pub fn newest(&self, sought: &Sought, below: u64, max: usize) -> Vec<(u64, Place)> {
        let list = |term: &Term| self.terms.get(term).map_or(&[][..], List::as_slice);
        let listed =
            |term: &Term| Box::new(Listed { first: self.first, list: list(term) }) as Box<dyn Descends>;
        let mut wanted: Vec<Vec<_>> = sought.all.iter().map(|any| any.iter().map(listed).collect()).collect();
        let (from, to) = self.within(sought);
        let found = all_of(&mut wanted, from, to.min(below), max).unwrap_or_default();
        found.into_iter().filter_map(|record| Some((record, self.spot(record)?.place))).collect()
    }

    /// How many records are filed under what is sought.
    pub fn count(&self, sought: &Sought) -> u64 {
        self.newest(sought, u64::MAX, usize::MAX).len() as u64
    }

    /// The records of a time: from the first on, and before the second.
    pub fn within(&self, sought: &Sought) -> (u64, u64) {
        let before = |ms: i64| self.first + self.spots.partition_point(|spot| spot.time_ms < ms) as u64;
        (sought.from_ms.map_or(self.first, before), sought.before_ms.map_or(self.end(), before))
    }

    fn spot(&self, record: u64) -> Option<&Spot> {
        self.spots.get(usize::try_from(record.checked_sub(self.first)?).ok()?)
    }
}

struct Listed<'g> {
    first: u64,
    list: &'g [u32],
}

impl Descends for Listed<'_> {
    fn seek(&mut self, at_most: u64) -> Result<Option<u64>, StoreError> {
        let end = self.list.partition_point(|at| self.first + u64::from(*at) <= at_most);
        self.list = self.list.get(..end).unwrap_or_default();
        Ok(self.list.last().map(|at| self.first + u64::from(*at)))
    }
}
