//! Subject keys of years of which nothing is left: every sealed part that could be about somebody is erased, in all
//! logs, and none anywhere names the key. Then the key tells nothing and can only do harm, and is destroyed.
//!
//! Never the present year's, never while a log is not there or not read, and never one that nothing was recorded
//! under.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde::Deserialize;

use super::{Asker, Chosen, Closed, Logs, RetentionFault};
use crate::ledger::{Archive, Entry, Ledger, Stored};

/// The kinds of record that are about somebody.
const ABOUT_SOMEBODY: [&str; 3] = ["exchange", "intent", "read"];

/// How far each key's records were looked at: what is erased stays so.
#[derive(Default)]
pub(super) struct Keyless(Mutex<BTreeMap<String, Seen>>);

/// Where the first sealed part was found that still wants a key, or where to begin.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// The log's place, the oldest first, and the segment.
    log: usize,
    segment: u32,
    /// Whether anything was erased before there.
    erased: bool,
}

#[derive(Deserialize)]
struct Facts<'e> {
    kind: &'e str,
    time: &'e str,
}

impl Keyless {
    /// Destroys the keys of which nothing is left, on the record, and gives their ids.
    pub fn destroy(
        &self,
        ledger: &Ledger,
        now: Timestamp,
        asker: &Asker,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<Vec<String>, RetentionFault> {
        let this_year = now.to_zoned(TimeZone::UTC).year();
        let mut old: Vec<(i16, String)> = Vec::new();
        for key in ledger.subject_key_ids() {
            let year = key.split('-').next().and_then(|year| year.parse().ok());
            old.extend(year.filter(|year| *year < this_year).map(|year| (year, key)));
        }
        let mut destroyed = Vec::new();
        // Who has not read all cannot say that nothing is left.
        if old.is_empty() || !ledger.missing_subject_keys().all_known {
            return Ok(destroyed);
        }
        let logs = Chosen::of(ledger, None).and_then(|chosen| chosen.open(ledger))?;
        if !logs.absent.is_empty() {
            return Ok(destroyed);
        }
        for (year, key) in old {
            if self.is_keyless(&logs, year, &key, proceed)? {
                let by = (&*asker.by, &*asker.purpose);
                if ledger.destroy_subject_key(&key, by).map_err(RetentionFault::Key)? {
                    destroyed.push(key);
                }
            }
        }
        Ok(destroyed)
    }

    fn is_keyless(
        &self,
        logs: &Logs,
        year: i16,
        key: &str,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<bool, RetentionFault> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let mut seen = seen.unwrap_or_default();
        let closed = logs.earlier.iter().rev().map(|Closed { archive, .. }| archive);
        let all = closed.chain(logs.present.iter().map(|present| &present.archive));
        for (log, archive) in all.enumerate().skip(seen.log) {
            let begin = archive.begin_at(begins_ms(year))?.map_or(1, |begin| begin.segment);
            let from = if log == seen.log { begin.max(seen.segment) } else { begin };
            for segment in archive.segments()?.into_iter().filter(|segment| *segment >= from) {
                if !proceed() {
                    return Err(RetentionFault::Broken);
                }
                if wants(archive, segment, (year, key), &mut seen.erased)? {
                    (seen.log, seen.segment) = (log, segment);
                    self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), seen);
                    return Ok(false);
                }
            }
        }
        Ok(seen.erased)
    }
}

/// The first millisecond of a year in UTC, by which records have their keys.
fn begins_ms(year: i16) -> i64 {
    let begins = civil::date(year, 1, 1).to_zoned(TimeZone::UTC);
    begins.map_or(i64::MIN, |begins| begins.timestamp().as_millisecond())
}

/// Whether a sealed part of a segment still wants a key.
fn wants(
    archive: &Archive,
    segment: u32,
    (year, key): (i16, &str),
    erased: &mut bool,
) -> Result<bool, RetentionFault> {
    let (named, of_year) = (format!("\"key\":\"{key}\""), format!("{year:04}-"));
    let broken = archive.each_of(segment, &mut |stored| {
        let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
        let is_of_year = is_about_somebody(&entry, &of_year);
        // A change that a crash cut off in another year is closed under the key it was begun with.
        let names = |json: &[u8]| json.windows(named.len()).any(|bytes| bytes == named.as_bytes());
        match entry.sealed_json() {
            Some(json) if is_of_year || names(json) => return ControlFlow::Break(()),
            Some(_) => {}
            None => *erased |= is_of_year,
        }
        ControlFlow::Continue(())
    })?;
    Ok(broken.is_break())
}

/// Whether a record is of the year and may be about somebody. What does not read may be.
fn is_about_somebody(entry: &Entry<'_>, of_year: &str) -> bool {
    let facts: Result<Facts<'_>, _> = serde_json::from_slice(entry.envelope);
    facts.map_or(true, |facts| ABOUT_SOMEBODY.contains(&facts.kind) && facts.time.starts_with(of_year))
}
