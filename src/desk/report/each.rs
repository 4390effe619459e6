//! A report's records, oldest first: by their places where few are wanted of many, else by reading the
//! journal. Both show the same; where the first does not hold, nothing of it counts.

use std::ops::ControlFlow;

use super::period::Period;
use super::seen::Seen;
use super::{Only, ReportFault, Wanted};
use crate::desk::FoldedIndex;
use crate::desk::look::about;
use crate::journal::Position;
use crate::ledger::search::Progress;
use crate::ledger::{Archive, Entry, Stored, SubjectRef};
use crate::store::{IndexKey, Sought, Term, TermKind};

/// How often progress is told.
const RECORDS_PER_STEP: u64 = 4096;

/// Told how far a report is; can break it off.
pub(super) type Tell<'t> = &'t mut dyn FnMut(Progress) -> ControlFlow<()>;
/// Shown each record of the period.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&Seen) -> Result<(), ReportFault>;

/// What a report's records are filed under: all that it counts, and what it does not count besides.
pub(super) fn sought(wanted: &Wanted, period: &Period, key: &IndexKey) -> Sought {
    let word = |kind: TermKind, text: &str| key.term(kind, text.as_bytes());
    let person = |subjects: &[SubjectRef]| {
        let tags: Vec<[u8; 32]> = subjects.iter().map(|subject| subject.tag).collect();
        about(&tags)
    };
    let summary = word(TermKind::Kind, "summary");
    let all = match wanted {
        Wanted::Person { subjects, .. } | Wanted::RecipientsOfPerson { subjects, .. } => {
            vec![person(subjects)]
        }
        Wanted::RecipientsOfDataset { dataset } => vec![vec![word(TermKind::Dataset, dataset.as_str())]],
        Wanted::Refusals { only, .. } => {
            [vec![vec![word(TermKind::Refused, ""), summary]], terms_of(only, key)].concat()
        }
        Wanted::Activity { only, .. } => {
            [vec![vec![word(TermKind::Kind, "exchange"), summary]], terms_of(only, key)].concat()
        }
        Wanted::Uses { .. } => vec![vec![word(TermKind::Kind, "exchange"), word(TermKind::Kind, "grant")]],
    };
    let (from_ms, before_ms) = period.bounds_ms();
    Sought { all, from_ms, before_ms }
}

fn terms_of(only: &Only, key: &IndexKey) -> Vec<Vec<Term>> {
    let texts = [
        (TermKind::Member, only.consumer.as_ref().map(|id| id.as_str())),
        (TermKind::Dataset, only.dataset.as_ref().map(|id| id.as_str())),
        (TermKind::Agreement, only.agreement.as_ref().map(|id| id.as_str())),
    ];
    texts.into_iter().filter_map(|(kind, text)| Some(vec![key.term(kind, text?.as_bytes())])).collect()
}

/// Shows the records at these places. `None` if one is not there: it was filed for another journal.
pub(super) fn each_at(
    archive: &Archive,
    index: &FoldedIndex,
    places: &[(u64, Position)],
    period: &Period,
    progress: Tell<'_>,
    visit: Visit<'_>,
) -> Result<Option<()>, ReportFault> {
    for (number, (record, at)) in (1..).zip(places) {
        let read = archive.at(*at, |entry| (entry.index == *record).then(|| Seen::read(&entry)));
        let Ok(Some(Some(seen))) = read else {
            index.is_damaged();
            return Ok(None);
        };
        let seen = seen.ok_or(ReportFault::Unread { index: *record })?;
        if period.holds(seen.at) {
            visit(&seen)?;
        }
        let told = Progress { records: number, segments: 0, segments_all: 0 };
        if number.is_multiple_of(RECORDS_PER_STEP) && progress(told).is_break() {
            return Err(ReportFault::Broken);
        }
    }
    Ok(Some(()))
}

/// Shows every record of the period that lies at `from` or behind; without it every one.
pub(super) fn each_from(
    archive: &Archive,
    from: Option<Position>,
    period: &Period,
    progress: Tell<'_>,
    visit: Visit<'_>,
) -> Result<(), ReportFault> {
    let segments = archive.segments().map_err(ReportFault::Journal)?;
    let segments_all = segments.len();
    let mut told = Progress { records: 0, segments: 0, segments_all };
    let mut ended = Ok(ControlFlow::Continue(()));
    let read = archive.each_from(from.unwrap_or(Position { segment: 0, offset: 0 }), &mut |stored| {
        let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
        told.records += 1;
        told.segments = segments.partition_point(|segment| *segment < entry.at.segment);
        if told.records.is_multiple_of(RECORDS_PER_STEP) && progress(told).is_break() {
            ended = Err(ReportFault::Broken);
            return ControlFlow::Break(());
        }
        ended = one(&entry, from.is_some(), period, visit);
        if matches!(ended, Ok(ControlFlow::Continue(()))) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    read.map_err(ReportFault::Journal)?;
    let _all_or_enough = ended?;
    told.segments = segments_all;
    if progress(told).is_break() { Err(ReportFault::Broken) } else { Ok(()) }
}

/// Shows a record if it is of the period. Breaks where none of the period can follow: that counts only where
/// all that read before and behind are known to.
fn one(
    entry: &Entry<'_>,
    all_read: bool,
    period: &Period,
    visit: Visit<'_>,
) -> Result<ControlFlow<()>, ReportFault> {
    let seen = Seen::read(entry).ok_or(ReportFault::Unread { index: entry.index })?;
    if period.holds(seen.at) {
        visit(&seen)?;
    } else if all_read && period.is_before(seen.at) {
        return Ok(ControlFlow::Break(()));
    }
    Ok(ControlFlow::Continue(()))
}
