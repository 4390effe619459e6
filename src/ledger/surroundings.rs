//! A record as it stands in the journal, and the ruleset entries around it: the one it ran under and the one
//! that came after that. Reads no more than what lies between those two.

use std::ops::ControlFlow;

use serde::Deserialize;

use super::read::{Archive, Entry, Stored};
use super::search::Progress;
use crate::journal::{JournalFault, Position};
use crate::model::Digest;

/// A record as stored. Prints without its sealed part.
#[derive(Clone, PartialEq, Eq)]
pub struct Bare {
    pub at: Position,
    pub index: u64,
    /// The exact bytes of the leaf.
    pub envelope: Vec<u8>,
    /// Salt and JSON; `None` where it was erased.
    pub sealed: Option<Vec<u8>>,
}

impl std::fmt::Debug for Bare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bare({}, ***)", self.index)
    }
}

impl Bare {
    fn of(entry: &Entry<'_>) -> Self {
        let sealed = entry.sealed.map(<[u8]>::to_vec);
        Self { at: entry.at, index: entry.index, envelope: entry.envelope.to_vec(), sealed }
    }

    /// The ruleset a record of one brings into force.
    fn ruleset(&self) -> Option<Digest> {
        #[derive(Deserialize)]
        struct Named<'e> {
            ruleset: &'e str,
        }
        Digest::parse(serde_json::from_slice::<Named<'_>>(&self.envelope).ok()?.ruleset)
    }
}

/// The ruleset entries around a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The last before the record that brought its ruleset into force.
    pub ruleset: Option<Bare>,
    /// The first after that one, of whatever ruleset.
    pub next: Option<Bare>,
}

impl Archive {
    /// The record whose envelope begins at `at`, whole.
    pub fn bare(&self, at: Position) -> Result<Option<Bare>, JournalFault> {
        self.at(at, |entry| Bare::of(&entry))
    }

    /// The ruleset entries around a record that ran under `ruleset`. `progress` is told of each segment, and can
    /// break off, which gives what was found until then.
    pub fn surroundings(
        &self,
        of: &Bare,
        ruleset: &Digest,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Surroundings, JournalFault> {
        let mut found = Surroundings::default();
        let segments = self.segments()?;
        let mut told = Progress { records: 0, segments: 0, segments_all: segments.len() };
        for segment in segments.into_iter().rev().filter(|segment| *segment <= of.at.segment) {
            if progress(told).is_break() {
                return Ok(found);
            }
            let entries = self.rulesets_of(segment, of.index)?;
            told.segments += 1;
            let at = entries.iter().rposition(|entry| entry.ruleset().as_ref() == Some(ruleset));
            let after = at.map_or(0, |at| at + 1);
            found.next = entries.get(after).cloned().or(found.next);
            found.ruleset = at.and_then(|at| entries.get(at)).cloned();
            if found.ruleset.is_some() {
                break;
            }
        }
        if found.next.is_none() {
            found.next = self.next_ruleset(of, told, progress)?;
        }
        Ok(found)
    }

    /// The ruleset entries of one segment before a record.
    fn rulesets_of(&self, segment: u32, end: u64) -> Result<Vec<Bare>, JournalFault> {
        let mut entries = Vec::new();
        let _whole = self.each_of(segment, &mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            if entry.index >= end {
                return ControlFlow::Break(());
            }
            if is_ruleset(&entry) {
                entries.push(Bare::of(&entry));
            }
            ControlFlow::Continue(())
        })?;
        Ok(entries)
    }

    fn next_ruleset(
        &self,
        of: &Bare,
        mut told: Progress,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Bare>, JournalFault> {
        let (mut next, mut segment) = (None, of.at.segment);
        self.each_from(of.at, &mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            if entry.at.segment != segment {
                segment = entry.at.segment;
                told.segments += 1;
                if progress(told).is_break() {
                    return ControlFlow::Break(());
                }
            }
            if !is_ruleset(&entry) {
                return ControlFlow::Continue(());
            }
            next = Some(Bare::of(&entry));
            ControlFlow::Break(())
        })?;
        Ok(next)
    }
}

fn is_ruleset(entry: &Entry<'_>) -> bool {
    #[derive(Deserialize)]
    struct Kind<'e> {
        kind: &'e str,
    }
    let kind: Result<Kind<'_>, _> = serde_json::from_slice(entry.envelope);
    kind.is_ok_and(|kind| kind.kind == "ruleset")
}
