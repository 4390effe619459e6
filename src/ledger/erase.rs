//! Erasing sealed parts: first a record that names them, durable, then the frames are made blank. Envelopes,
//! proofs and receipts stay as they are.
//!
//! What is due is not decided here: `desk/retention.rs` does that.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{MutexGuard, PoisonError};

use super::entry::Record;
use super::fault::{LedgerError, Unrecorded};
use super::handle::Ledger;
use super::object::{Object, number};
use super::ranges::Ranges;
use super::read::Stored;
use crate::journal::Position;

/// Ranges in one record: with ten digits to an index some 24 KiB, which fits the smallest segment.
const RANGES_MAX: usize = 1000;

/// An erasure, as it is recorded: exactly what, and why. Prints without who and why.
pub struct Erasure {
    pub cause: Cause,
    pub erases: Ranges,
    /// Sealed: who asked, as the gateway knows them.
    pub by: String,
    /// Sealed: why, in their words.
    pub purpose: String,
}

/// Why sealed parts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// They were kept for so many years, as agreed.
    Due { years: u8 },
    /// A court, a regulator or the controller says so.
    Order,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Due { .. } => "due",
            Self::Order => "order",
        }
    }
}

impl fmt::Debug for Erasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Erasure({:?}, {} sealed parts, ***)", self.cause, self.erases.len())
    }
}

/// Writes what an erasure's envelope says beside its head.
pub(super) fn envelope(object: &mut Object<'_>, erasure: &Erasure) {
    object.text("cause", erasure.cause.as_str());
    match erasure.cause {
        Cause::Due { years } => object.number("years", u64::from(years)),
        Cause::Order => object.null("years"),
    }
    object.number("count", erasure.erases.len());
    let ranges: Vec<(u64, u64)> = erasure.erases.iter().collect();
    object.list("erases", &ranges, |out, (first, last)| {
        out.push(b'[');
        number(out, *first);
        out.push(b',');
        number(out, *last);
        out.push(b']');
    });
}

/// A record whose sealed part may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasable {
    pub index: u64,
    /// Of its envelope.
    pub at: Position,
}

/// What is known of erasures in the whole log.
#[derive(Debug, Default)]
pub(super) struct Erased {
    /// Sealed parts that are blank.
    pub blank: u64,
    /// Named by an erasure and not blank yet: a crash came between.
    pub unfinished: Ranges,
}

/// Why nothing, or not all, was erased.
#[derive(Debug)]
pub enum EraseFault {
    /// The older segments are still being read: a blank in one that was not reached yet would be taken for damage.
    NotReadYet,
    /// Somebody else erases, or the journal is being read whole.
    Busy,
    /// The erasure could not be recorded: nothing was made blank.
    Unrecorded(Unrecorded),
    /// Recorded, and not all is blank: the next run goes on.
    Unfinished(LedgerError),
}

impl fmt::Display for EraseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReadYet => f.write_str(
                "the gateway has not read all of its journal since it started: nothing is erased before it has; try \
                 again in a while",
            ),
            Self::Busy => f.write_str("the journal is being read or erased from already: try again in a while"),
            Self::Unrecorded(why) => write!(f, "the erasure could not be recorded, and nothing was erased: {why}"),
            Self::Unfinished(why) => write!(
                f,
                "the erasure is on the record and not all of it is done: {why}. The next run, or the next start, \
                 goes on with it"
            ),
        }
    }
}

impl std::error::Error for EraseFault {}

impl Ledger {
    /// Erases the sealed parts of records. Blocks for long. A crash between record and blanking is finished by
    /// [`finish_erasures`](Self::finish_erasures) at the next start.
    pub fn erase(
        &self,
        cause: Cause,
        (by, purpose): (&str, &str),
        records: &[Erasable],
    ) -> Result<(), EraseFault> {
        let _alone = self.0.erasing.try_lock().map_err(|_| EraseFault::Busy)?;
        if self.erased().is_none() {
            return Err(EraseFault::NotReadYet);
        }
        let named: Ranges = records.iter().map(|record| record.index).collect();
        for erases in named.pieces(RANGES_MAX) {
            let (by, purpose) = (by.to_owned(), purpose.to_owned());
            // Noted first: what fails behind here may be durable all the same.
            self.with_erased(|erased| erased.unfinished.extend(&erases));
            let record = Record::Erasure(Box::new(Erasure { cause, erases: erases.clone(), by, purpose }));
            if let Err(why) = self.append_blocking(record) {
                self.with_erased(|erased| erased.unfinished = erased.unfinished.without(&erases));
                return Err(EraseFault::Unrecorded(why));
            }
        }
        // If we crash here the records name sealed parts that are there: the next start makes them blank.
        self.make_blank(records)
    }

    /// Makes blank what erasures name and a crash left. How many that were; nothing is recorded anew.
    pub fn finish_erasures(&self) -> Result<u64, EraseFault> {
        let _alone = self.0.erasing.try_lock().map_err(|_| EraseFault::Busy)?;
        let unfinished =
            self.with_erased(|erased| erased.unfinished.clone()).ok_or(EraseFault::NotReadYet)?;
        if unfinished.is_empty() {
            return Ok(0);
        }
        let left = self.places(&unfinished).map_err(EraseFault::Unfinished)?;
        self.make_blank(&left)?;
        // What is not there as a sealed part any more is blank.
        self.with_erased(|erased| erased.unfinished = erased.unfinished.without(&unfinished));
        Ok(left.len() as u64)
    }

    fn make_blank(&self, records: &[Erasable]) -> Result<(), EraseFault> {
        let mut by_segment: BTreeMap<u32, Vec<Erasable>> = BTreeMap::new();
        for record in records {
            by_segment.entry(record.at.segment).or_default().push(*record);
        }
        for records in by_segment.values() {
            let places: Vec<Position> = records.iter().map(|record| record.at).collect();
            self.blank(&places).map_err(EraseFault::Unfinished)?;
            let done: Ranges = records.iter().map(|record| record.index).collect();
            self.with_erased(|erased| {
                erased.blank += done.len();
                erased.unfinished = erased.unfinished.without(&done);
            });
        }
        Ok(())
    }

    /// Where these records are whose sealed parts are there.
    fn places(&self, records: &Ranges) -> Result<Vec<Erasable>, LedgerError> {
        let archive = self.archive();
        let segments = archive.segments()?;
        let mut out = Vec::new();
        for (place, segment) in segments.iter().enumerate() {
            let begins = |segment: &u32| archive.begins_at(*segment);
            let first = begins(segment)?.unwrap_or_default();
            let end = segments.get(place + 1).map(begins).transpose()?.flatten().unwrap_or(u64::MAX);
            if !records.meets(first, end) {
                continue;
            }
            let _all = archive.each_of(*segment, &mut |stored| {
                if let Stored::Entry(entry) = stored
                    && entry.sealed.is_some()
                    && records.contains(entry.index)
                {
                    out.push(Erasable { index: entry.index, at: entry.at });
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(out)
    }

    /// How many sealed parts are erased in all; `None` until the whole journal has been read.
    pub fn erased(&self) -> Option<u64> {
        self.with_erased(|erased| erased.blank)
    }

    /// How many sealed parts are erased in all, while none is being erased and none is left half done; `None`
    /// else, and until the whole journal has been read.
    pub fn erased_at_rest(&self) -> Option<u64> {
        let _alone = self.0.erasing.try_lock().ok()?;
        self.with_erased(|erased| erased.unfinished.is_empty().then_some(erased.blank)).flatten()
    }

    /// Holds off erasures while the journal is read whole.
    pub(super) fn unerased(&self) -> MutexGuard<'_, ()> {
        // It guards no value that a panic could leave half done.
        self.0.erasing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn with_erased<T>(&self, change: impl FnOnce(&mut Erased) -> T) -> Option<T> {
        let mut erased = self.0.erased.lock().unwrap_or_else(PoisonError::into_inner);
        erased.as_mut().map(change)
    }

    pub(super) fn set_erased(&self, found: Erased) {
        let mut erased = self.0.erased.lock().unwrap_or_else(PoisonError::into_inner);
        *erased = Some(found);
    }
}
