//! What can be looked for, and finding it by reading the journal, newest segment first, with progress: without
//! any index everything is found. `desk/look/` finds it through what is folded.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::facts::Facts;
use super::read::{Archive, Entry, Stored};
use super::subject::SubjectRef;
use crate::journal::{JournalFault, Position};
use crate::model::{AgreementId, DatasetId, ExchangeId, MemberId};

/// How often progress is told.
const RECORDS_PER_STEP: u64 = 4096;

/// Where exchanges are, folded behind the road: it may lag, and may know nothing.
pub trait Index {
    fn locate(&self, id: &ExchangeId) -> Option<Position>;
}

/// What is looked for.
#[derive(Debug, Clone)]
pub enum Query {
    Exchange(ExchangeId),
    /// Any of the references one subject has, under every year's key.
    Subject(Vec<SubjectRef>),
    Filter(Box<Filter>),
}

/// All of what is given must hold. Prints without names of people.
#[derive(Clone, Default)]
pub struct Filter {
    pub kind: Option<String>,
    pub consumer: Option<MemberId>,
    pub provider: Option<MemberId>,
    pub dataset: Option<DatasetId>,
    pub agreement: Option<AgreementId>,
    /// As the caller was told.
    pub outcome: Option<String>,
    /// The refusal's code.
    pub code: Option<String>,
    /// `member/system`.
    pub system: Option<String>,
    /// The true outcome, of the sealed part.
    pub truly: Option<String>,
    /// As stated or proven, of the sealed part.
    pub user: Option<String>,
    /// Any of the references one subject has.
    pub subjects: Option<Vec<SubjectRef>>,
    /// Not before this time.
    pub from: Option<jiff::Timestamp>,
    /// Before this time.
    pub to: Option<jiff::Timestamp>,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Filter(***)")
    }
}

/// A record found. Prints without its sealed part.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    pub at: Position,
    pub index: u64,
    /// JSON.
    pub envelope: String,
    /// JSON without its salt; `None` where it was erased. The caller shows it by role.
    pub sealed: Option<String>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Found({:?}, {}, {}, ***)", self.at, self.index, self.envelope)
    }
}

impl Found {
    /// The name of the log it is in.
    pub fn log(&self) -> Option<String> {
        Facts::log_of(&self.envelope)
    }

    pub fn bytes(&self) -> usize {
        self.envelope.len() + self.sealed.as_ref().map_or(0, String::len)
    }
}

/// The bytes of all.
pub fn bytes_of(found: &[Found]) -> usize {
    found.iter().map(Found::bytes).sum()
}

/// How far a search or verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records read so far.
    pub records: u64,
    /// Segments read so far, and in all.
    pub segments: usize,
    pub segments_all: usize,
}

/// Bytes of records that one look holds: with as many looks at once as there may be, some 70 MiB. Whatever few
/// more the last one has are held too.
pub const FOUND_BYTES_MAX: usize = 16 << 20;

/// Which stretch of the journal is read, and how many records of it are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// Of this segment and those behind it.
    pub from_segment: u32,
    /// Before this record.
    pub below: u64,
    pub max: usize,
    /// And not many more bytes than these; at least one record.
    pub bytes_max: usize,
}

/// Finds the newest `limit` records, newest first. `progress` can break the search off, which gives what was
/// found until then.
pub fn search(
    archive: &Archive,
    index: Option<&dyn Index>,
    query: &Query,
    limit: usize,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<Found>, JournalFault> {
    if let Query::Exchange(id) = query
        && let Some(at) = index.and_then(|index| index.locate(id))
        // An index may be of another journal: a place that does not read is no answer.
        && let Ok(Some(Some(found))) = found_at(archive, at, query)
    {
        return Ok(vec![found]);
    }
    read(
        archive,
        query,
        Stretch { from_segment: 0, below: u64::MAX, max: limit, bytes_max: FOUND_BYTES_MAX },
        progress,
    )
}

/// The record whose envelope begins at a place: `None` if there is none, and if it is not looked for.
pub fn found_at(
    archive: &Archive,
    at: Position,
    query: &Query,
) -> Result<Option<Option<Found>>, JournalFault> {
    archive.at(at, |entry| query.matches(&entry).then(|| found(&entry)))
}

/// Finds the newest records by reading a stretch of the journal, newest segment first. Newest first.
pub fn read(
    archive: &Archive,
    query: &Query,
    stretch: Stretch,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Vec<Found>, JournalFault> {
    let mut segments = archive.segments()?;
    segments.retain(|segment| *segment >= stretch.from_segment);
    let mut told = Progress { records: 0, segments: 0, segments_all: segments.len() };
    let mut out = Vec::new();
    for segment in segments.into_iter().rev() {
        let room = stretch.max.min(query.found_max()).saturating_sub(out.len());
        let bytes_room = stretch.bytes_max.saturating_sub(bytes_of(&out));
        if room == 0 || bytes_room == 0 {
            break;
        }
        // Which of a segment's are its newest is known at its end.
        let (mut newest, mut bytes) = (VecDeque::new(), 0);
        let mut gone = false;
        let _all = archive.each_of(segment, &mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            if entry.index >= stretch.below {
                return ControlFlow::Break(());
            }
            told.records += 1;
            if query.matches(&entry) {
                let one = found(&entry);
                bytes += one.bytes();
                newest.push_back(one);
                // The oldest goes, unless the others are few enough bytes without it.
                while let Some(oldest) = newest.front().map(Found::bytes)
                    && (newest.len() > room || bytes.saturating_sub(oldest) >= bytes_room)
                {
                    bytes -= oldest;
                    newest.pop_front();
                }
            }
            gone = told.records.is_multiple_of(RECORDS_PER_STEP) && progress(told).is_break();
            if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        out.extend(newest.into_iter().rev());
        told.segments += 1;
        if gone || progress(told).is_break() {
            break;
        }
    }
    Ok(out)
}

fn found(entry: &Entry<'_>) -> Found {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Found {
        at: entry.at,
        index: entry.index,
        envelope: text(entry.envelope),
        sealed: entry.sealed_json().map(text),
    }
}

impl Query {
    /// Whether a record is one of those looked for.
    pub fn matches(&self, entry: &Entry<'_>) -> bool {
        Facts::read(entry).is_some_and(|facts| self.is_met(&facts))
    }

    fn is_met(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Exchange(id) => {
                facts.is_exchange() && facts.exchange.as_deref().and_then(ExchangeId::parse) == Some(*id)
            }
            Self::Subject(references) => is_about(facts, references),
            Self::Filter(filter) => filter.is_met(facts),
        }
    }

    /// The time before which nothing is looked for.
    pub fn not_before(&self) -> Option<jiff::Timestamp> {
        match self {
            Self::Filter(filter) => filter.from,
            Self::Exchange(_) | Self::Subject(_) => None,
        }
    }

    /// How many there can be.
    pub fn found_max(&self) -> usize {
        if matches!(self, Self::Exchange(_)) { 1 } else { usize::MAX }
    }
}

fn is_about(facts: &Facts<'_>, references: &[SubjectRef]) -> bool {
    let sealed = facts.sealed.as_ref();
    sealed
        .is_some_and(|sealed| sealed.subjects().any(|tag| references.iter().any(|wanted| wanted.tag == tag)))
}

impl Filter {
    fn is_met(&self, facts: &Facts<'_>) -> bool {
        let sealed = facts.sealed.as_ref();
        is(self.kind.as_deref(), Some(&facts.kind))
            && is(self.consumer.as_ref().map(MemberId::as_str), facts.consumer_member())
            && is(self.system.as_deref(), facts.consumer.as_deref())
            && is(self.provider.as_ref().map(MemberId::as_str), facts.provider.as_deref())
            && is(self.dataset.as_ref().map(DatasetId::as_str), facts.dataset_id())
            && is(self.agreement.as_ref().map(AgreementId::as_str), facts.agreement_id())
            && is(self.outcome.as_deref(), facts.outcome.as_deref())
            && is(self.code.as_deref(), facts.code.as_deref())
            && is(self.truly.as_deref(), sealed.and_then(|sealed| sealed.outcome.as_deref()))
            && is(self.user.as_deref(), sealed.and_then(|sealed| sealed.user.as_deref()))
            && self.subjects.as_ref().is_none_or(|subjects| is_about(facts, subjects))
            && self.holds(facts)
    }

    fn holds(&self, facts: &Facts<'_>) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        let time = facts.at();
        self.from.is_none_or(|from| time.is_some_and(|time| time >= from))
            && self.to.is_none_or(|to| time.is_some_and(|time| time < to))
    }
}

/// Whether what is wanted, if anything, is what is given.
fn is(wanted: Option<&str>, given: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| given == Some(wanted))
}
