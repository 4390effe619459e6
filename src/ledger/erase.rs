//! Erasing sealed parts: first a record that names them, durable, then the frames are made blank. Envelopes,
//! proofs and receipts stay as they are.
//!
//! What is due is not decided here: `desk/retention.rs` does that.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{MutexGuard, PoisonError};

use super::earlier::Earlier;
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
    /// The log the sealed parts are in, where it is an earlier one.
    pub of: Option<String>,
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
    let named: Vec<(u64, u64)> = erasure.erases.iter().collect();
    let (own, earlier) = if erasure.of.is_some() {
        ([].as_slice(), named.as_slice())
    } else {
        (named.as_slice(), [].as_slice())
    };
    object.list("erases", own, range);
    match &erasure.of {
        // Under a key of its own: whoever knows only of `erases` must not take these for this log's.
        Some(log) => {
            let mut of = Object::begin(object.key("earlier"));
            of.text("log", log);
            of.list("erases", earlier, range);
            of.end();
        }
        None => object.null("earlier"),
    }
}

fn range(out: &mut Vec<u8>, (first, last): &(u64, u64)) {
    out.push(b'[');
    number(out, *first);
    out.push(b',');
    number(out, *last);
    out.push(b']');
}

/// A record whose sealed part may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasable {
    pub index: u64,
    /// Of its envelope.
    pub at: Position,
}

/// In which log.
#[derive(Debug, Clone, Copy)]
pub enum In<'l> {
    Present,
    Earlier(&'l Earlier),
}

/// What is known of erasures in the whole log.
#[derive(Debug, Default)]
pub(super) struct Erased {
    /// Sealed parts that are blank.
    pub blank: u64,
    /// Named by an erasure and not blank yet: a crash came between.
    pub unfinished: Ranges,
}

/// What is known of erasures in all logs.
#[derive(Debug, Default)]
pub(super) struct Erasures {
    /// `None` until the whole journal has been read.
    pub own: Option<Erased>,
    /// Of earlier logs that were read, by their names.
    pub earlier: BTreeMap<String, Erased>,
    /// What the present log named of earlier ones when it was read.
    pub named_before: BTreeMap<String, Ranges>,
}

/// Why nothing, or not all, was erased.
#[derive(Debug)]
pub enum EraseFault {
    /// The older segments are still being read: a blank in one that was not reached yet would be taken for damage.
    NotReadYet,
    /// Somebody else erases, or the journal is being read whole.
    Busy,
    /// The erasure could not be recorded whole: nothing was made blank yet.
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
            Self::Unrecorded(why) => write!(
                f,
                "the erasure could not be recorded, or not all of it: {why}. What is on the record of it is erased by \
                 the next run, or the next start, and nothing else"
            ),
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
    /// Erases the sealed parts of records of one log. Blocks for long. A crash between record and blanking is
    /// finished by [`finish_erasures`](Self::finish_erasures) at the next start.
    pub fn erase(
        &self,
        log: In<'_>,
        cause: Cause,
        (by, purpose): (&str, &str),
        records: &[Erasable],
    ) -> Result<(), EraseFault> {
        let _alone = self.0.erasing.try_lock().map_err(|_| EraseFault::Busy)?;
        self.with_erased(log, |_| ()).ok_or(EraseFault::NotReadYet)?;
        let of = match log {
            In::Present => None,
            In::Earlier(earlier) => Some(earlier.log.clone()),
        };
        let named: Ranges = records.iter().map(|record| record.index).collect();
        for erases in named.pieces(RANGES_MAX) {
            let (of, by, purpose) = (of.clone(), by.to_owned(), purpose.to_owned());
            // Noted first: what fails behind here may be durable all the same.
            self.with_erased(log, |erased| erased.unfinished.extend(&erases));
            let record = Erasure { cause, of, erases: erases.clone(), by, purpose };
            if let Err(why) = self.append_blocking(Record::Erasure(Box::new(record))) {
                self.with_erased(log, |erased| erased.unfinished = erased.unfinished.without(&erases));
                return Err(EraseFault::Unrecorded(why));
            }
        }
        // If we crash here the records name sealed parts that are there: the next start makes them blank.
        self.make_blank(log, records)
    }

    /// Makes blank what erasures name of one log and a crash left. How many that were; nothing is recorded anew.
    pub fn finish_erasures(&self, log: In<'_>) -> Result<u64, EraseFault> {
        let _alone = self.0.erasing.try_lock().map_err(|_| EraseFault::Busy)?;
        let unfinished =
            self.with_erased(log, |erased| erased.unfinished.clone()).ok_or(EraseFault::NotReadYet)?;
        if unfinished.is_empty() {
            return Ok(0);
        }
        let left = self.places(log, &unfinished).map_err(EraseFault::Unfinished)?;
        self.make_blank(log, &left)?;
        // What is not there as a sealed part any more is blank.
        self.with_erased(log, |erased| erased.unfinished = erased.unfinished.without(&unfinished));
        Ok(left.len() as u64)
    }

    fn make_blank(&self, log: In<'_>, records: &[Erasable]) -> Result<(), EraseFault> {
        let mut by_segment: BTreeMap<u32, Vec<Erasable>> = BTreeMap::new();
        for record in records {
            by_segment.entry(record.at.segment).or_default().push(*record);
        }
        for records in by_segment.values() {
            let places: Vec<Position> = records.iter().map(|record| record.at).collect();
            let blanked = match log {
                In::Present => self.blank(&places),
                In::Earlier(earlier) => earlier.blank(&places),
            };
            blanked.map_err(EraseFault::Unfinished)?;
            let done: Ranges = records.iter().map(|record| record.index).collect();
            self.with_erased(log, |erased| {
                erased.blank += done.len();
                erased.unfinished = erased.unfinished.without(&done);
            });
        }
        Ok(())
    }

    /// Where these records are whose sealed parts are there.
    fn places(&self, log: In<'_>, records: &Ranges) -> Result<Vec<Erasable>, LedgerError> {
        let archive = match log {
            In::Present => self.archive(),
            In::Earlier(earlier) => earlier.archive()?.ok_or_else(|| earlier.absent())?,
        };
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

    /// How many sealed parts of the present log are erased in all; `None` until the whole journal has been read.
    pub fn erased(&self) -> Option<u64> {
        self.with_erased(In::Present, |erased| erased.blank)
    }

    /// As [`erased`](Self::erased), with those of earlier logs as far as they were read.
    pub fn erased_in_all(&self) -> Option<u64> {
        let earlier: u64 = self.erasures().earlier.values().map(|erased| erased.blank).sum();
        self.erased().map(|own| own + earlier)
    }

    /// How many sealed parts of the present log are erased in all, while none is being erased and none is left half
    /// done; `None` else, and until the whole journal has been read.
    pub fn erased_at_rest(&self) -> Option<u64> {
        let _alone = self.0.erasing.try_lock().ok()?;
        self.with_erased(In::Present, |erased| erased.unfinished.is_empty().then_some(erased.blank)).flatten()
    }

    /// Holds off erasures while a journal is read whole.
    pub(super) fn unerased(&self) -> MutexGuard<'_, ()> {
        // It guards no value that a panic could leave half done.
        self.0.erasing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn erasures(&self) -> MutexGuard<'_, Erasures> {
        // Each change is one step.
        self.0.erased.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_erased<T>(&self, log: In<'_>, change: impl FnOnce(&mut Erased) -> T) -> Option<T> {
        let mut erasures = self.erasures();
        let erased = match log {
            In::Present => erasures.own.as_mut(),
            In::Earlier(earlier) => erasures.earlier.get_mut(&earlier.log),
        };
        erased.map(change)
    }

    pub(super) fn set_erased(&self, found: Erasures) {
        let Erasures { own, named_before, .. } = found;
        let mut erasures = self.erasures();
        (erasures.own, erasures.named_before) = (own, named_before);
    }

    /// What erasures of the present log name of earlier ones; `None` until the whole journal has been read.
    pub(super) fn names_before(&self) -> Option<BTreeMap<String, Ranges>> {
        let erasures = self.erasures();
        erasures.own.is_some().then(|| erasures.named_before.clone())
    }

    /// An earlier log was read.
    pub(super) fn set_erased_before(&self, log: &str, found: Erased) {
        self.erasures().earlier.insert(log.to_owned(), found);
    }
}
