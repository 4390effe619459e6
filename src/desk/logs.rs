//! The logs a look goes through: the present one, and those before it where backups were restored. Each log's time
//! begins where that of the one before ends, so that all of them in a row are in the order of time; and each is
//! there once, since a restore begins a log of another name.
//!
//! Earlier logs are read and not indexed: they are closed, a restore is rare, and a second store would be open
//! beside the first. Of a period only the segments that have it are read.

use std::fmt;
use std::ops::ControlFlow;

use super::fold::FoldedIndex;
use super::look::{Page, find};
use crate::journal::JournalFault;
use crate::ledger::search::{Found, Progress, Query, bytes_of, read};
use crate::ledger::{Archive, Earlier, Ledger, LedgerError, Present};

/// Which logs are looked into.
#[derive(Debug, Clone)]
pub struct Chosen {
    with_present: bool,
    /// Newest first.
    earlier: Vec<Earlier>,
    left_out: Vec<String>,
}

/// Logs, open to be read.
pub struct Logs {
    /// `None` where it was not asked for.
    pub present: Option<Present>,
    /// Newest first.
    pub earlier: Vec<Closed>,
    /// Logs that were not asked for, by their names.
    pub left_out: Vec<String>,
    /// Logs that are not where they should be.
    pub absent: Vec<Earlier>,
}

/// A log that grows no more.
pub struct Closed {
    pub earlier: Earlier,
    pub archive: Archive,
}

/// Where a page begins: before this record, of the earlier log of this name, or of the newest that is looked into.
#[derive(Debug, Clone, Default)]
pub struct Begin {
    pub log: Option<String>,
    pub below: Option<u64>,
}

/// Why logs are not looked into.
#[derive(Debug)]
pub enum LogsFault {
    /// No log here has that name.
    Unknown {
        there: Vec<String>,
    },
    Present(JournalFault),
    Earlier {
        log: String,
        fault: LedgerError,
    },
    /// Which logs there were cannot be read.
    Names(LedgerError),
}

impl fmt::Display for LogsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { there } => write!(f, "no log here has that name: there are {}", there.join(", ")),
            Self::Present(fault) => fault.fmt(f),
            Self::Earlier { log, fault } => write!(
                f,
                "the earlier log {log}: {fault}. To look into another one alone, name it with --log"
            ),
            Self::Names(fault) => write!(f, "the earlier logs cannot be read: {fault}"),
        }
    }
}

impl std::error::Error for LogsFault {}

impl Chosen {
    /// All logs of a ledger, or one by its name. Reads the first record of each.
    pub fn of(ledger: &Ledger, only: Option<&str>) -> Result<Self, LogsFault> {
        let earlier = ledger.earlier().map_err(LogsFault::Names)?;
        let present = ledger.verifier().name();
        let names = || std::iter::once(present).chain(earlier.iter().map(|earlier| earlier.log.as_str()));
        let is_chosen = |log: &str| only.is_none_or(|only| only == log);
        if !names().any(is_chosen) {
            return Err(LogsFault::Unknown { there: names().map(str::to_owned).collect() });
        }
        let left_out = names().filter(|log| !is_chosen(log)).map(str::to_owned).collect();
        let with_present = is_chosen(present);
        Ok(Self {
            with_present,
            earlier: earlier.into_iter().filter(|earlier| is_chosen(&earlier.log)).collect(),
            left_out,
        })
    }

    /// Whether an earlier log of this name is among them.
    pub fn has_earlier(&self, log: &str) -> bool {
        self.earlier.iter().any(|earlier| earlier.log == log)
    }

    /// The one earlier log, if that is what was asked for.
    pub fn into_earlier(self) -> Option<Earlier> {
        if self.with_present { None } else { self.earlier.into_iter().next() }
    }

    /// Opens them, as they are now. Blocks.
    pub fn open(self, ledger: &Ledger) -> Result<Logs, LogsFault> {
        let Self { with_present, earlier, left_out } = self;
        let present = with_present.then(|| ledger.present());
        let mut logs = Logs { present, earlier: Vec::new(), left_out, absent: Vec::new() };
        for earlier in earlier {
            let opened = earlier.archive();
            match opened.map_err(|fault| LogsFault::Earlier { log: earlier.log.clone(), fault })? {
                Some(archive) => logs.earlier.push(Closed { earlier, archive }),
                None => logs.absent.push(earlier),
            }
        }
        Ok(logs)
    }
}

impl Logs {
    /// Finds the newest records that are looked for, newest first, over all logs. `progress` can break it off,
    /// which gives what was found until then.
    pub fn find(
        &self,
        index: &FoldedIndex,
        query: &Query,
        (begin, page): (&Begin, Page),
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Found>, LogsFault> {
        let mut found = Vec::new();
        let mut below = begin.below.unwrap_or(u64::MAX);
        let closed = self.earlier.iter().map(Log::Closed);
        let all = self.present.iter().map(Log::Present).chain(closed);
        for log in all.skip_while(|log| !log.is_begun(begin)) {
            let page = Page {
                below,
                max: page.max.min(query.found_max()).saturating_sub(found.len()),
                bytes_max: page.bytes_max.saturating_sub(bytes_of(&found)),
            };
            below = u64::MAX;
            if page.max == 0 || page.bytes_max == 0 {
                break;
            }
            found.extend(match log {
                Log::Present(present) => {
                    find(&present.archive, index, query, page, progress).map_err(LogsFault::Present)?
                }
                Log::Closed(closed) => closed.find(query, page, progress)?,
            });
        }
        Ok(found)
    }
}

/// One of the logs.
enum Log<'l> {
    Present(&'l Present),
    Closed(&'l Closed),
}

impl Log<'_> {
    /// Whether a page that begins there has anything of this log.
    fn is_begun(&self, begin: &Begin) -> bool {
        match (self, &begin.log) {
            (_, None) => true,
            (Self::Closed(closed), Some(log)) => closed.earlier.log == *log,
            (Self::Present(_), Some(_)) => false,
        }
    }
}

impl Closed {
    fn find(
        &self,
        query: &Query,
        page: Page,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Vec<Found>, LogsFault> {
        let from = query.not_before();
        if from.is_some_and(|from| self.earlier.ended < from) {
            return Ok(Vec::new());
        }
        let begin = from.map(|from| self.archive.begin_at(from.as_millisecond())).transpose();
        let begin = begin.map_err(|fault| self.fault(fault))?.flatten();
        let stretch = page.from_segment(begin.map_or(0, |begin| begin.segment));
        read(&self.archive, query, stretch, progress).map_err(|fault| self.fault(fault))
    }

    /// What is wrong, and with which log.
    pub fn fault(&self, fault: impl Into<LedgerError>) -> LogsFault {
        LogsFault::Earlier { log: self.earlier.log.clone(), fault: fault.into() }
    }
}
