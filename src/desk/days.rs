//! What was answered today under agreements that limit it, counted from the journal: what a start and a new version
//! begin with. Only the segments of today are read, and of a record only what is on it.
//!
//! Not here: the counting of what is answered from then on (`policy/daily.rs`).

use std::collections::HashMap;
use std::ops::ControlFlow;

use jiff::{Timestamp, Zoned};

use crate::journal::{JournalFault, Position};
use crate::ledger::facts::Facts;
use crate::ledger::{Archive, Entry, Stored};
use crate::model::{Code, Outcome};
use crate::policy::{Daily, Recount, Register};

/// How much was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CountedToday {
    pub agreements: usize,
    pub records: u64,
}

/// Counts for every agreement whose limits of the day are not counted yet; nothing is read where there is none.
/// `proceed` is asked from time to time, and nothing is counted if it says no.
///
/// # Errors
/// The journal does not read: then nothing is admitted under these agreements.
pub fn count_today(
    archive: &Archive,
    register: &Register,
    now: &Zoned,
    proceed: &mut dyn FnMut() -> bool,
) -> Result<CountedToday, JournalFault> {
    let mut counts = uncounted(register);
    let mut told = CountedToday { agreements: counts.len(), records: 0 };
    let Some(midnight) = now.start_of_day().ok().filter(|_| !counts.is_empty()) else { return Ok(told) };
    let from = Position { segment: first_segment(archive, midnight.timestamp())?, offset: 0 };
    let mut broken_off = false;
    archive.each_from(from, &mut |stored| {
        let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
        told.records += 1;
        note(&entry, midnight.timestamp(), &mut counts);
        broken_off = told.records.is_multiple_of(RECORDS_PER_STEP) && !proceed();
        if broken_off { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if !broken_off {
        counts.into_values().for_each(|count| count.begin(now.date()));
    }
    Ok(told)
}

/// How often it is asked whether to go on.
const RECORDS_PER_STEP: u64 = 4096;

/// By the agreement's id: all its versions share one count.
fn uncounted(register: &Register) -> HashMap<String, Recount> {
    let all = register.all().iter();
    let uncounted =
        all.filter_map(|entry| Some((entry, entry.daily.as_ref().filter(|daily| !daily.is_counted())?)));
    let recount = |daily: &Daily| daily.recount();
    uncounted.map(|(entry, daily)| (entry.agreement.reference.id.to_string(), recount(daily))).collect()
}

/// The last segment that begins before this moment: what was recorded since lies in it and behind it.
fn first_segment(archive: &Archive, moment: Timestamp) -> Result<u32, JournalFault> {
    let segments = archive.segments()?;
    for segment in segments.iter().rev().copied() {
        let mut begins_before = false;
        let _found = archive.each_of(segment, &mut |stored| match stored {
            Stored::Entry(entry) => {
                begins_before =
                    Facts::of_envelope(&entry).and_then(|facts| facts.at()).is_some_and(|at| at < moment);
                ControlFlow::Break(())
            }
            Stored::Checkpoint { .. } => ControlFlow::Continue(()),
        })?;
        if begins_before {
            return Ok(segment);
        }
    }
    Ok(segments.first().copied().unwrap_or_default())
}

fn note(entry: &Entry<'_>, midnight: Timestamp, counts: &mut HashMap<String, Recount>) {
    // The sealed part of one that counts, and of no other.
    let Some(facts) = Facts::of_envelope(entry).filter(Facts::is_exchange) else { return };
    let Some(count) = facts.agreement_id().and_then(|id| counts.get_mut(id)) else { return };
    if facts.at().is_none_or(|at| at < midnight) || !counts_for_the_day(&facts) {
        return;
    }
    let whole = Facts::read(entry);
    let user = whole.as_ref().and_then(|facts| facts.sealed.as_ref()?.user.as_deref());
    count.add(facts.consumer_member().zip(user));
}

/// An outcome that this version does not know counts: it may have told something.
fn counts_for_the_day(facts: &Facts<'_>) -> bool {
    let outcome =
        Outcome::RECORDED.into_iter().find(|known| Some(known.as_str()) == facts.outcome.as_deref());
    let code = Code::ALL.iter().copied().find(|known| Some(known.as_str()) == facts.code.as_deref());
    outcome.is_none_or(|outcome| outcome.counts_for_the_day(code))
}
