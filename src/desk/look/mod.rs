//! Finding records: what is folded and what is in memory lead to places in the journal, and only what the
//! journal says there is shown. Where neither reaches, the journal is read.
//!
//! A record is never missed: what is folded says how far it reaches and is kept under a key, its pieces name
//! one another so that none can be absent, and on any doubt the whole journal is read instead.

mod every;
mod tail;
mod terms;

pub(super) use every::{Every, every};
pub(super) use tail::Tail;
pub(super) use terms::{Filing, about, sought};

use std::ops::ControlFlow;

use super::fold::FoldedIndex;
pub(super) use super::fold::position;
use crate::journal::JournalFault;
use crate::ledger::Archive;
use crate::ledger::search::{Found, Progress, Query, Stretch, bytes_of, found_at, read};
use crate::store::{Fold, Place, StoreError};

/// Places looked up at once: a page's, and not many more than are shown.
const PLACES_MIN: usize = 16;
const PLACES_MAX: usize = 1024;

/// Which records are wanted, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Before this record.
    pub below: u64,
    pub max: usize,
    /// And not many more bytes than these; at least one record.
    pub bytes_max: usize,
}

impl Page {
    /// The same, of what lies in a segment and behind it.
    pub fn from_segment(self, from_segment: u32) -> Stretch {
        let Self { below, max, bytes_max } = self;
        Stretch { from_segment, below, max, bytes_max }
    }
}

/// Why what is folded does not lead to an answer. The journal does.
pub(super) enum NoWay {
    Store(StoreError),
    Journal(JournalFault),
    /// A record that does not read, or more erasures than are worth looking up one by one.
    Unread,
    /// It led to a place where no such record is.
    Astray,
}

impl From<StoreError> for NoWay {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

impl From<JournalFault> for NoWay {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}

impl std::fmt::Display for NoWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::Journal(fault) => fault.fmt(f),
            Self::Unread => f.write_str("not all records can be filed"),
            Self::Astray => f.write_str("the index names a place where no such record is"),
        }
    }
}

/// Finds the newest records that are looked for, newest first. `progress` can break it off, which gives what
/// was found until then.
pub fn find(
    archive: &Archive,
    index: &FoldedIndex,
    query: &Query,
    page: Page,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<Found>, JournalFault> {
    let page = Page { max: page.max.min(query.found_max()), ..page };
    let look = Look { archive, index, query, page };
    match look.led(progress) {
        Ok(found) => Ok(found),
        Err(why) => {
            if matches!(why, NoWay::Astray) {
                index.is_damaged();
            }
            tracing::warn!(%why, "a search reads the whole journal");
            read(archive, query, page.from_segment(0), progress)
        }
    }
}

struct Look<'l> {
    archive: &'l Archive,
    index: &'l FoldedIndex,
    query: &'l Query,
    page: Page,
}

impl Look<'_> {
    fn led(&self, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Vec<Found>, NoWay> {
        let reach = self.index.look(Fold::reach)?.flatten().unwrap_or_default();
        let sought = sought(self.query, self.index.key());
        let Page { below, max, .. } = self.page;
        let in_tail = self
            .index
            .tail
            .look(self.archive, self.index.key(), reach, |tail| tail.newest(&sought, below, usize::MAX))?;
        let mut found = Vec::new();
        match in_tail {
            Some(places) => self.take(&places, &mut found)?,
            None => {
                let from_segment = u32::try_from(reach.segment).unwrap_or(u32::MAX);
                found = read(self.archive, self.query, self.page.from_segment(from_segment), progress)?;
            }
        }
        let mut below = below.min(reach.record);
        let mut records = 0;
        while !self.is_full(&found) && below > 0 {
            let count = (max - found.len()).clamp(PLACES_MIN, PLACES_MAX);
            let places = self.index.look(|fold| fold.newest(&sought, below, count))?;
            // Deleted in this moment.
            let places = places.ok_or(StoreError::Behind)?;
            if places.iter().any(|(record, _)| *record >= below) {
                return Err(NoWay::Astray);
            }
            self.take(&places, &mut found)?;
            records += places.len() as u64;
            let told = Progress { records, segments: 0, segments_all: 0 };
            if places.len() < count || progress(told).is_break() {
                break;
            }
            below = places.last().map_or(0, |(record, _)| *record);
        }
        Ok(found)
    }

    fn is_full(&self, found: &[Found]) -> bool {
        found.len() >= self.page.max || bytes_of(found) >= self.page.bytes_max
    }

    /// Shows what the journal has at these places, until there is enough.
    fn take(&self, places: &[(u64, Place)], found: &mut Vec<Found>) -> Result<(), NoWay> {
        let mut bytes = bytes_of(found);
        for (record, place) in places {
            if found.len() >= self.page.max || bytes >= self.page.bytes_max {
                break;
            }
            let at = position(*place).ok_or(NoWay::Astray)?;
            // Newer than this look: somebody else has read on.
            if at >= self.archive.end() {
                continue;
            }
            let there = found_at(self.archive, at, self.query).ok().flatten().ok_or(NoWay::Astray)?;
            if let Some(one) = there {
                if one.index != *record {
                    return Err(NoWay::Astray);
                }
                bytes += one.bytes();
                found.push(one);
            }
        }
        Ok(())
    }
}
