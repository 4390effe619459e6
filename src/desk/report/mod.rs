//! Reports: answers an auditor hands on, made of the whole record (R1, R2, R4, R10 and a part of R7 of the auditors'
//! questions). A report is one pass over records, oldest first: those the index names where they are few, else
//! the journal's, and neither changes what is counted.
//!
//! Memory is bounded by what is shown and never by what is read: at most [`PERSON_ROWS_MAX`] accesses or
//! [`GROUPS_MAX`] lines, each with the field names of contracts, and [`DISTINCT_MAX`] subjects and users. What
//! would be more is refused or left open, never cut.
//!
//! Nothing is shown here and no look is recorded: whoever asks does both, in that order.

mod activity;
mod distinct;
mod each;
mod known;
mod make;
mod period;
mod person;
mod recipients;
mod refusals;
mod seen;
mod uses;
mod withheld;

pub use distinct::DISTINCT_MAX;
pub use known::Known;
pub use make::report;
pub use period::{Per, Period};
pub use seen::PERSONS_KINDS_MAX;
pub use uses::{RECENT_DAYS, begun};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::journal::JournalFault;
use crate::ledger::SubjectRef;
use crate::merkle::checkpoint::Checkpoint;
use crate::model::{AgreementId, DatasetId, MemberId};

use seen::Seen;

/// Accesses in one report about a person: some 10 MiB.
pub const PERSON_ROWS_MAX: usize = 20_000;
/// Lines of a report that counts: some 20 MiB.
pub const GROUPS_MAX: usize = 50_000;

/// What is wanted.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// R1: every access about a person.
    Person { subjects: Vec<SubjectRef>, cut: Cut },
    /// R10: to whom data of a person went, by member and purpose.
    RecipientsOfPerson { subjects: Vec<SubjectRef>, cut: Cut },
    /// R10: to whom data of a dataset went.
    RecipientsOfDataset { dataset: DatasetId },
    /// R4: what was refused.
    Refusals { only: Only, per: Per },
    /// R2: what was asked and answered.
    Activity { only: Only, per: Per },
    /// R7: what agreements were used for, and lately.
    Uses { since: Timestamp },
}

/// For whose eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The data protection officer's.
    Full,
    /// The person's own: without what must not, or may not safely, be told to them.
    Releasable,
}

impl Cut {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "full" => Some(Self::Full),
            "releasable" => Some(Self::Releasable),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Releasable => "releasable",
        }
    }
}

/// All of what is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Only {
    pub consumer: Option<MemberId>,
    pub dataset: Option<DatasetId>,
    pub agreement: Option<AgreementId>,
}

/// A report, whole: what it shows is known before any of it is shown.
pub struct Report {
    pub rows: Vec<Row>,
    /// Sums over the rows, by name; empty where the rows are not counts.
    pub totals: Map<String, Value>,
    /// What it is about: of each log, newest first, the checkpoint over all that was read.
    pub checkpoints: Vec<Checkpoint>,
    /// Exchanges of the period without a sealed part: whom they were about cannot be read any more.
    pub erased: u64,
}

/// Why there is no report.
#[derive(Debug)]
pub enum ReportFault {
    Journal(JournalFault),
    /// A record that does not read: a count without it would be wrong.
    Unread {
        index: u64,
    },
    /// Something of an earlier log.
    Earlier {
        log: String,
        fault: Box<ReportFault>,
    },
    TooMany {
        rows_max: usize,
    },
    /// Whoever asked has gone.
    Broken,
}

impl fmt::Display for ReportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => write!(f, "the journal: {fault}"),
            Self::Unread { index } => {
                write!(f, "record {index} does not read, and a count without it is wrong")
            }
            Self::Earlier { log, fault } => write!(f, "the earlier log {log}: {fault}"),
            Self::TooMany { rows_max } => write!(
                f,
                "the report would have more than {rows_max} lines, and is not cut short: ask for a shorter \
                 period, or a coarser --per"
            ),
            Self::Broken => f.write_str("nobody waits for the report any more"),
        }
    }
}

impl std::error::Error for ReportFault {}

/// What gathers one report's lines from the records it is shown.
trait Gather {
    fn take(&mut self, seen: &Seen, known: &Known) -> Result<(), ReportFault>;
    fn rows(self: Box<Self>, known: &Known) -> (Vec<Row>, Map<String, Value>);
}

fn gatherer(wanted: &Wanted, zone: &TimeZone) -> Box<dyn Gather> {
    match wanted {
        Wanted::Person { subjects, cut } => Box::new(person::Person::new(subjects, *cut, zone)),
        Wanted::RecipientsOfPerson { subjects, cut } => {
            Box::new(recipients::Recipients::of_person(subjects, *cut, zone))
        }
        Wanted::RecipientsOfDataset { dataset } => {
            Box::new(recipients::Recipients::of_dataset(dataset, zone))
        }
        Wanted::Refusals { only, per } => Box::new(refusals::Refusals::new(only, *per, zone)),
        Wanted::Activity { only, per } => Box::new(activity::Activity::new(only, *per, zone)),
        Wanted::Uses { since } => Box::new(uses::Uses::new(*since)),
    }
}

/// Lines by what they count, bounded.
struct Groups<K, C>(BTreeMap<K, C>);

impl<K: Ord, C: Default> Groups<K, C> {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn of(&mut self, key: K) -> Result<&mut C, ReportFault> {
        if self.0.len() >= GROUPS_MAX && !self.0.contains_key(&key) {
            return Err(ReportFault::TooMany { rows_max: GROUPS_MAX });
        }
        Ok(self.0.entry(key).or_default())
    }
}

/// The first and the last of what a line counts, as records write times: they sort as they are.
#[derive(Debug, Clone, Default)]
struct Span(Option<(String, String)>);

impl Span {
    fn take(&mut self, time: &str) {
        match &mut self.0 {
            None => self.0 = Some((time.to_owned(), time.to_owned())),
            Some((first, last)) => {
                if time < first.as_str() {
                    time.clone_into(first);
                }
                if time > last.as_str() {
                    time.clone_into(last);
                }
            }
        }
    }

    fn first(&self) -> &str {
        self.0.as_ref().map_or("", |(first, _)| first)
    }

    fn last(&self) -> &str {
        self.0.as_ref().map_or("", |(_, last)| last)
    }
}

/// One line of a report, as it is sent: an object of JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Row(Box<str>);

impl Row {
    fn of(line: impl Serialize) -> Self {
        // Plain structs of texts and numbers are always written.
        Self(serde_json::to_string(&line).unwrap_or_default().into())
    }

    pub fn json(&self) -> &str {
        &self.0
    }
}

fn list(names: &BTreeSet<String>) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn totals(sums: &[(&str, u64)]) -> Map<String, Value> {
    sums.iter().map(|(name, sum)| ((*name).to_owned(), Value::from(*sum))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_too_long_is_refused_and_not_cut() {
        let mut groups: Groups<usize, u64> = Groups::new();
        for key in 0..GROUPS_MAX {
            *groups.of(key).unwrap() += 1;
        }
        assert!(groups.of(0).is_ok(), "a line that is there goes on counting");
        assert!(matches!(groups.of(GROUPS_MAX), Err(ReportFault::TooMany { .. })));
    }

    #[test]
    fn a_span_holds_the_first_and_the_last_in_any_order() {
        let mut span = Span::default();
        for time in ["2026-02-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"] {
            span.take(time);
        }
        assert_eq!((span.first(), span.last()), ("2026-01-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"));
    }
}
