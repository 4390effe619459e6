//! R7, the part only the record knows: under which agreements there were answers, when last, and how often somebody
//! was refused under one lately, for a limit or for anything else. One line for each version, over all of the record.
//!
//! Which released fields nobody ever needed it cannot say: a record names the fields an agreement lets out, and not
//! those a row had a value in.

use std::ops::ControlFlow;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::known::Known;
use super::seen::{Ending, Seen};
use super::{Gather, Groups, ReportFault, Row, Span, totals};
use crate::journal::Position;
use crate::ledger::{Archive, Stored};
use crate::model::Code;

/// What is lately: an agreement that nobody asked under for so long is one to ask about (Q7 of the auditors'
/// questions).
pub const RECENT_DAYS: i32 = 90;

#[derive(Debug, Serialize)]
struct Line<'a> {
    agreement: &'a str,
    answers: u64,
    /// UTC, as recorded; nothing where there was no answer.
    last: Option<&'a str>,
    recent_answers: u64,
    recent_refusals: u64,
    recent_limits: u64,
    /// A grant's record: it is spent.
    used: bool,
}

#[derive(Debug, Default)]
struct Count {
    answers: u64,
    span: Span,
    recent_answers: u64,
    recent_refusals: u64,
    recent_limits: u64,
    used: bool,
}

pub(super) struct Uses {
    /// What is lately: not before this.
    since: Timestamp,
    groups: Groups<String, Count>,
}

impl Uses {
    pub(super) fn new(since: Timestamp) -> Self {
        Self { since, groups: Groups::new() }
    }
}

impl Gather for Uses {
    fn take(&mut self, seen: &Seen, _known: &Known) -> Result<(), ReportFault> {
        let Some(agreement) = &seen.agreement else { return Ok(()) };
        if seen.kind == "grant" {
            self.groups.of(agreement.clone())?.used = true;
            return Ok(());
        }
        if !seen.is_exchange() {
            return Ok(());
        }
        let recent = u64::from(seen.at >= self.since);
        let count = self.groups.of(agreement.clone())?;
        match seen.ending() {
            Ending::WithData | Ending::NothingFound => {
                count.answers += 1;
                count.recent_answers += recent;
                count.span.take(&seen.time);
            }
            Ending::Refused => {
                count.recent_refusals += recent;
                let of_limit = seen.code.as_deref() == Some(Code::LimitReached.as_str());
                count.recent_limits += recent * u64::from(of_limit);
            }
            Ending::Explained => {}
        }
        Ok(())
    }

    fn rows(self: Box<Self>, _known: &Known) -> (Vec<Row>, Map<String, Value>) {
        let row = |(agreement, count): (&String, &Count)| {
            Row::of(Line {
                agreement,
                answers: count.answers,
                last: Some(count.span.last()).filter(|last| !last.is_empty()),
                recent_answers: count.recent_answers,
                recent_refusals: count.recent_refusals,
                recent_limits: count.recent_limits,
                used: count.used,
            })
        };
        let answers = self.groups.0.values().map(|count| count.answers).sum();
        (self.groups.0.iter().map(row).collect(), totals(&[("answers", answers)]))
    }
}

/// When the record begins: what was not used since then may have been used before. `None` where its first record
/// does not read.
pub fn begun(archive: &Archive) -> Option<Timestamp> {
    let mut first = None;
    let read = archive.each_from(Position { segment: 0, offset: 0 }, &mut |stored| {
        let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
        first = Seen::read(&entry).map(|seen| seen.at);
        ControlFlow::Break(())
    });
    read.ok().and(first)
}
