//! How long sealed parts are kept, by class, and which are past their term (domain 1.1, row 64).
//!
//! The class of a record is what its own agreement said, byte for byte as it was signed: the bytes are kept as
//! evidence under the digest in the envelope. Where they cannot be read, nothing under that agreement is erased.
//! A record that no agreement speaks for is kept as long as the host says.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use super::keyless::Keyless;
use super::{Chosen, Closed, LogsFault};
use crate::journal::JournalFault;
use crate::ledger::{Archive, Cause, Entry, Erasable, EraseFault, In, Ledger, LedgerError, Stored};
use crate::model::{Digest, ExchangeId};
use crate::policy;

/// No class is kept for less: what is younger is not even looked at.
const YEARS_MIN: u8 = 1;
/// Their sealed parts are empty.
const NOTHING_SEALED: [&str; 3] = ["origin", "ruleset", "shutdown"];

/// When something recorded then may be erased: the same day and time after so many years, and where there is no
/// such day (29 February) the day after.
pub fn due_at(recorded: Timestamp, years: u8) -> Timestamp {
    let at = recorded.to_zoned(TimeZone::UTC).datetime();
    let year = at.year().saturating_add(i16::from(years));
    let there = DateTime::new(
        year,
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.subsec_nanosecond(),
    );
    let due = there
        .or_else(|_| at.checked_add(1.day()).and_then(|next| next.checked_add(i32::from(years).years())));
    let due = due.and_then(|due| due.to_zoned(TimeZone::UTC));
    // Beyond what a clock can say nothing is ever due.
    due.map_or(Timestamp::MAX, |due| due.timestamp())
}

/// What a run found, and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retained {
    /// Sealed parts past their term, by the years of it.
    pub due: BTreeMap<u8, u64>,
    /// Records under agreements whose signed text cannot be read, by its digest: none of them is erased.
    pub held: BTreeMap<String, u64>,
    /// Left by a run that a crash ended, and blank now.
    pub finished: u64,
    /// Subject keys of which nothing was left, by their ids.
    pub destroyed: Vec<String>,
}

impl Retained {
    pub fn count(&self) -> u64 {
        self.due.values().sum()
    }
}

/// Why a run ended early. What it did until then is done.
#[derive(Debug)]
pub enum RetentionFault {
    Journal(JournalFault),
    /// An earlier log cannot be read.
    Earlier(LogsFault),
    Erase(EraseFault),
    /// A subject key could not be destroyed.
    Key(LedgerError),
    /// There is no such exchange on the record.
    NoExchange,
    /// Its change is under way, or was cut off and not closed yet.
    UnderWay,
    /// Whoever asked has gone, or the gateway stops.
    Broken,
}

impl fmt::Display for RetentionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => write!(f, "the journal: {fault}"),
            Self::Earlier(fault) => fault.fmt(f),
            Self::Erase(fault) => fault.fmt(f),
            Self::Key(fault) => fault.fmt(f),
            Self::NoExchange => f.write_str("there is no exchange of that id on the record"),
            Self::UnderWay => f.write_str("that exchange is not ended yet: nothing of it is erased"),
            Self::Broken => f.write_str("it was broken off; what was begun is finished by the next run"),
        }
    }
}

impl std::error::Error for RetentionFault {}

impl From<JournalFault> for RetentionFault {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}

impl From<LogsFault> for RetentionFault {
    fn from(fault: LogsFault) -> Self {
        Self::Earlier(fault)
    }
}

impl From<EraseFault> for RetentionFault {
    fn from(fault: EraseFault) -> Self {
        Self::Erase(fault)
    }
}

/// Whoever wants something erased, for the record.
#[derive(Clone)]
pub struct Asker {
    pub by: String,
    pub purpose: String,
}

/// Finds what is past its term. Knows of sealed segments when anything in them will be, so that a run a day
/// does not read ten years.
pub struct Retention {
    ledger: Ledger,
    /// Of records that no agreement speaks for.
    default_years: u8,
    /// Nothing of the segment, of an earlier log by its name, is due before.
    quiet_until: Mutex<BTreeMap<(Option<String>, u32), Timestamp>>,
    keyless: Keyless,
}

impl Retention {
    pub fn new(ledger: Ledger, default_years: u8) -> Self {
        Self { ledger, default_years, quiet_until: Mutex::default(), keyless: Keyless::default() }
    }

    /// Finds what is past its term at `now` in all logs, and erases it for `asker`; without one it only counts.
    /// Blocks for long: `proceed` is asked before each segment. What is wrong with an earlier log is told when the
    /// present one is done.
    pub fn run(
        &self,
        now: Timestamp,
        asker: Option<&Asker>,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<Retained, RetentionFault> {
        let mut told = Retained::default();
        let mut classes = Classes { retention: self, read: HashMap::new() };
        let mut run = Run { now, asker, proceed };
        self.run_in(In::Present, &self.ledger.archive(), (&mut run, &mut classes), &mut told)?;
        for closed in self.closed()? {
            let log = In::Earlier(&closed.earlier);
            self.run_in(log, &closed.archive, (&mut run, &mut classes), &mut told)?;
        }
        if let Some(asker) = asker {
            told.destroyed = self.keyless.destroy(&self.ledger, now, asker, run.proceed)?;
        }
        Ok(told)
    }

    /// Makes blank, in all logs, what erasures name and a crash left. How many that were.
    pub fn finish(&self) -> Result<u64, RetentionFault> {
        let mut finished = self.ledger.finish_erasures(In::Present)?;
        for earlier in self.ledger.earlier().map_err(LogsFault::Names)? {
            if earlier.folder.is_dir() {
                finished += self.ledger.finish_erasures(In::Earlier(&earlier))?;
            }
        }
        Ok(finished)
    }

    /// The earlier logs that are there.
    fn closed(&self) -> Result<Vec<Closed>, RetentionFault> {
        Ok(Chosen::of(&self.ledger, None).and_then(|chosen| chosen.open(&self.ledger))?.earlier)
    }

    fn run_in(
        &self,
        log: In<'_>,
        archive: &Archive,
        (run, classes): (&mut Run<'_>, &mut Classes<'_>),
        told: &mut Retained,
    ) -> Result<(), RetentionFault> {
        if run.asker.is_some() {
            told.finished += self.ledger.finish_erasures(log)?;
        }
        for segment in archive.segments()? {
            if !(run.proceed)() {
                return Err(RetentionFault::Broken);
            }
            let place = (name(log), segment);
            if self.is_quiet(&place, run.now) {
                continue;
            }
            let mut look = Look { now: run.now, ..Look::default() };
            let _all = archive.each_of(segment, &mut |stored| match stored {
                Stored::Entry(entry) => look.take(&entry, classes),
                Stored::Checkpoint { .. } => ControlFlow::Continue(()),
            })?;
            for (years, records) in &look.due {
                *told.due.entry(*years).or_default() += records.len() as u64;
                if let Some(asker) = run.asker {
                    let cause = Cause::Due { years: *years };
                    self.ledger.erase(log, cause, (&asker.by, &asker.purpose), records)?;
                }
            }
            let is_young = look.is_young;
            let is_sealed = segment < archive.end().segment || matches!(log, In::Earlier(_));
            let has_none_left = look.held.is_empty() && (look.due.is_empty() || run.asker.is_some());
            if !is_young && is_sealed && has_none_left {
                self.remember(place, look.next.unwrap_or(Timestamp::MAX));
            }
            look.held.into_iter().for_each(|(digest, count)| *told.held.entry(digest).or_default() += count);
            if is_young {
                // Segments are in the order of time.
                break;
            }
        }
        Ok(())
    }

    /// Erases one exchange, with the intent of a change, whatever its term and whichever log it is in. How many
    /// sealed parts that were: 0 if they are erased already.
    pub fn erase_exchange(
        &self,
        id: &ExchangeId,
        asker: &Asker,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<u64, RetentionFault> {
        if let Some(erased) = self.erase_in(In::Present, &self.ledger.archive(), id, asker, proceed)? {
            return Ok(erased);
        }
        for closed in self.closed()? {
            let log = In::Earlier(&closed.earlier);
            if let Some(erased) = self.erase_in(log, &closed.archive, id, asker, proceed)? {
                return Ok(erased);
            }
        }
        Err(RetentionFault::NoExchange)
    }

    /// `None` where it is not in this log.
    fn erase_in(
        &self,
        log: In<'_>,
        archive: &Archive,
        id: &ExchangeId,
        asker: &Asker,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<Option<u64>, RetentionFault> {
        self.ledger.finish_erasures(log)?;
        let wanted = id.to_string();
        // In a closed log nothing is under way any more.
        let (mut records, mut is_ended, mut is_there) = (Vec::new(), matches!(log, In::Earlier(_)), false);
        for segment in archive.segments()? {
            if !proceed() {
                return Err(RetentionFault::Broken);
            }
            let _all = archive.each_of(segment, &mut |stored| {
                let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
                let Some(facts) = Facts::read(&entry).filter(|facts| facts.exchange == Some(&*wanted)) else {
                    return ControlFlow::Continue(());
                };
                is_there = true;
                is_ended |= facts.kind == "exchange";
                if entry.sealed.is_some() {
                    records.push(Erasable { index: entry.index, at: entry.at });
                }
                ControlFlow::Continue(())
            })?;
        }
        if !is_there {
            return Ok(None);
        }
        if !is_ended {
            return Err(RetentionFault::UnderWay);
        }
        if !records.is_empty() {
            self.ledger.erase(log, Cause::Order, (&asker.by, &asker.purpose), &records)?;
        }
        Ok(Some(records.len() as u64))
    }

    fn is_quiet(&self, place: &(Option<String>, u32), now: Timestamp) -> bool {
        let quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        quiet.get(place).is_some_and(|until| now < *until)
    }

    fn remember(&self, place: (Option<String>, u32), until: Timestamp) {
        self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner).insert(place, until);
    }
}

/// Of an earlier log.
fn name(log: In<'_>) -> Option<String> {
    match log {
        In::Present => None,
        In::Earlier(earlier) => Some(earlier.log.clone()),
    }
}

/// One run through the logs.
struct Run<'r> {
    now: Timestamp,
    asker: Option<&'r Asker>,
    proceed: &'r mut dyn FnMut() -> bool,
}

/// What is asked of an envelope.
#[derive(Deserialize)]
struct Facts<'e> {
    kind: &'e str,
    time: &'e str,
    #[serde(default)]
    exchange: Option<&'e str>,
    #[serde(default, borrow)]
    agreement_digest: Option<Cow<'e, str>>,
}

impl<'e> Facts<'e> {
    fn read(entry: &Entry<'e>) -> Option<Self> {
        serde_json::from_slice(entry.envelope).ok()
    }
}

/// One segment, looked through.
#[derive(Default)]
struct Look {
    now: Timestamp,
    due: BTreeMap<u8, Vec<Erasable>>,
    held: BTreeMap<String, u64>,
    /// When the next of it is due.
    next: Option<Timestamp>,
    /// Nothing from here on can be due, whatever its class.
    is_young: bool,
}

impl Look {
    fn take(&mut self, entry: &Entry<'_>, classes: &mut Classes<'_>) -> ControlFlow<()> {
        // What does not read has no class: it stays.
        let Some((facts, time)) = Facts::read(entry).and_then(|facts| {
            let time = facts.time.parse::<Timestamp>().ok()?;
            Some((facts, time))
        }) else {
            return ControlFlow::Continue(());
        };
        if due_at(time, YEARS_MIN) > self.now {
            self.is_young = true;
            return ControlFlow::Break(());
        }
        if entry.sealed.is_none() || NOTHING_SEALED.contains(&facts.kind) {
            return ControlFlow::Continue(());
        }
        let Some(years) = classes.years(facts.agreement_digest.as_deref()) else {
            let digest = facts.agreement_digest.unwrap_or_default().into_owned();
            *self.held.entry(digest).or_default() += 1;
            return ControlFlow::Continue(());
        };
        let due = due_at(time, years);
        if due <= self.now {
            let record = Erasable { index: entry.index, at: entry.at };
            self.due.entry(years).or_default().push(record);
        } else {
            self.next = Some(self.next.map_or(due, |next| next.min(due)));
        }
        ControlFlow::Continue(())
    }
}

/// The terms agreements were signed with, each read once a run.
struct Classes<'r> {
    retention: &'r Retention,
    read: HashMap<String, Option<u8>>,
}

impl Classes<'_> {
    /// `None` where the agreement's signed text cannot be read.
    fn years(&mut self, agreement: Option<&str>) -> Option<u8> {
        let Some(digest) = agreement else { return Some(self.retention.default_years) };
        if let Some(known) = self.read.get(digest) {
            return *known;
        }
        let years = Digest::parse(digest)
            .and_then(|digest| self.retention.ledger.evidence(&digest).ok())
            .and_then(|bytes| policy::load("evidence", &bytes).ok())
            .map(|agreement| agreement.audit_years);
        self.read.insert(digest.to_owned(), years);
        years
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_ends_on_the_same_day_and_never_before() {
        let due = |recorded: &str, years| due_at(recorded.parse().unwrap(), years).to_string();
        assert_eq!(due("2026-12-04T09:00:00.001Z", 7), "2033-12-04T09:00:00.001Z");
        assert_eq!(due("2026-12-31T23:59:59.999Z", 25), "2051-12-31T23:59:59.999Z");
        // 29 February: there is one again, or there is not.
        assert_eq!(due("2024-02-29T12:00:00Z", 4), "2028-02-29T12:00:00Z");
        assert_eq!(due("2024-02-29T12:00:00Z", 7), "2031-03-01T12:00:00Z");
        assert_eq!(due("2027-02-28T12:00:00Z", 1), "2028-02-28T12:00:00Z");
        assert_eq!(due("2096-02-29T00:00:00Z", 4), "2100-03-01T00:00:00Z");
        assert_eq!(due_at(Timestamp::MAX, 100), Timestamp::MAX);
    }
}
