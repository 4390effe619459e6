//! Finds records by reading the journal, newest segment first, with progress. A store can say where an
//! exchange is; what it says is checked, and without it everything is still found.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use serde::Deserialize;

use super::chain::EnvelopeHead;
use super::read::{Archive, Entry, Stored};
use super::subject::SubjectRef;
use crate::journal::{JournalFault, Position};
use crate::model::{AgreementId, DatasetId, Digest, ExchangeId, MemberId};

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
    Filter(Filter),
}

/// All of what is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub kind: Option<String>,
    pub consumer: Option<MemberId>,
    pub provider: Option<MemberId>,
    pub dataset: Option<DatasetId>,
    pub agreement: Option<AgreementId>,
    pub outcome: Option<String>,
    /// Not before this time.
    pub from: Option<jiff::Timestamp>,
    /// Before this time.
    pub to: Option<jiff::Timestamp>,
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

/// How far a search or verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records read so far.
    pub records: u64,
    /// Segments read so far, and in all.
    pub segments: usize,
    pub segments_all: usize,
}

/// Finds the newest `limit` records, newest segment first and in order within each. `progress` can break
/// the search off, which gives what was found until then.
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
        && let Ok(Some(Some(found))) = archive.at(at, |entry| query.matches(&entry).then(|| found(&entry)))
    {
        return Ok(vec![found]);
    }
    let segments = archive.segments()?;
    let mut told = Progress { records: 0, segments: 0, segments_all: segments.len() };
    let mut out = Vec::new();
    for segment in segments.into_iter().rev() {
        let room = limit.saturating_sub(out.len());
        if room == 0 {
            break;
        }
        // Which of a segment's are its newest is known at its end.
        let mut newest = VecDeque::new();
        let flow = archive.each_of(segment, &mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            told.records += 1;
            if query.matches(&entry) {
                newest.push_back(found(&entry));
                if newest.len() > room {
                    newest.pop_front();
                }
                if matches!(query, Query::Exchange(_)) {
                    return ControlFlow::Break(());
                }
            }
            if told.records.is_multiple_of(RECORDS_PER_STEP) {
                progress(told)
            } else {
                ControlFlow::Continue(())
            }
        })?;
        out.extend(newest);
        told.segments += 1;
        if flow.is_break() || progress(told).is_break() {
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

/// The references in a sealed part.
#[derive(Deserialize)]
struct Subjects {
    #[serde(default)]
    subjects: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "ref")]
    tag: String,
}

/// What a filter looks at in an envelope.
#[derive(Deserialize, Default)]
struct Facts {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    time: String,
    consumer: Option<String>,
    provider: Option<String>,
    dataset: Option<String>,
    agreement: Option<String>,
    outcome: Option<String>,
}

impl Query {
    fn matches(&self, entry: &Entry<'_>) -> bool {
        match self {
            Self::Exchange(id) => EnvelopeHead::read(entry.envelope).is_some_and(|head| {
                head.kind == "exchange" && head.exchange.as_deref().and_then(ExchangeId::parse) == Some(*id)
            }),
            Self::Subject(references) => {
                let sealed =
                    entry.sealed_json().and_then(|json| serde_json::from_slice::<Subjects>(json).ok());
                sealed.is_some_and(|sealed| {
                    let mut tags = sealed.subjects.iter().filter_map(|one| Digest::from_hex(&one.tag));
                    tags.any(|tag| references.iter().any(|wanted| wanted.tag == tag.0))
                })
            }
            Self::Filter(filter) => {
                serde_json::from_slice::<Facts>(entry.envelope).is_ok_and(|facts| filter.matches(&facts))
            }
        }
    }
}

impl Filter {
    fn matches(&self, facts: &Facts) -> bool {
        let time: Option<jiff::Timestamp> = facts.time.parse().ok();
        // `member/system`, `dataset/v1` and `agreement@3` are known by what comes first.
        is(self.kind.as_deref(), Some(&facts.kind), None)
            && is(self.consumer.as_ref().map(MemberId::as_str), facts.consumer.as_deref(), Some('/'))
            && is(self.provider.as_ref().map(MemberId::as_str), facts.provider.as_deref(), None)
            && is(self.dataset.as_ref().map(DatasetId::as_str), facts.dataset.as_deref(), Some('/'))
            && is(self.agreement.as_ref().map(AgreementId::as_str), facts.agreement.as_deref(), Some('@'))
            && is(self.outcome.as_deref(), facts.outcome.as_deref(), None)
            && self.from.is_none_or(|from| time.is_some_and(|time| time >= from))
            && self.to.is_none_or(|to| time.is_some_and(|time| time < to))
    }
}

/// Whether what is wanted, if anything, is what stands before `end`.
fn is(wanted: Option<&str>, given: Option<&str>, end: Option<char>) -> bool {
    let Some(wanted) = wanted else { return true };
    given.is_some_and(|given| match end {
        Some(end) => given.split(end).next() == Some(wanted),
        None => given == wanted,
    })
}
