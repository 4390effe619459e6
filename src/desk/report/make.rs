//! A report over all logs that are looked into, the oldest first: earlier ones are read, and of the present one what
//! the index names, where that is little. What is counted is the same either way.

use std::ops::ControlFlow;

use super::each::{Tell, each_at, each_from, sought};
use super::seen::Seen;
use super::{Gather, Known, Period, Report, ReportFault, Wanted, gatherer};
use crate::desk::look::{Every, every};
use crate::desk::{Closed, FoldedIndex, Logs};
use crate::journal::Position;
use crate::ledger::Archive;
use crate::ledger::search::Progress;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;

/// Makes a report of everything durable at one moment.
pub fn report(
    (logs, index): (&Logs, &FoldedIndex),
    key: &VerifierKey,
    known: &Known,
    wanted: &Wanted,
    period: &Period,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Report, ReportFault> {
    let present = logs.present.as_ref().map(|present| &present.archive);
    let mut way = present.map(|archive| Way::to(archive, index, wanted, period));
    let made = loop {
        let mut made = Made { gather: gatherer(wanted, period.zone()), known, period, erased: 0 };
        made.earlier(logs, progress)?;
        let Some((archive, way)) = present.zip(way.as_mut()) else { break made };
        match made.present((archive, index), way, progress)? {
            Led::Whole => break made,
            // Nothing of what it led to counts, and it is read anew with all before it.
            Led::Astray => *way = Way::From(None),
        }
    };
    let (rows, totals) = made.gather.rows(known);
    // Over all that was read, and all that was not because it is not counted.
    let present = logs.present.iter().filter_map(|present| Checkpoint::open(&present.checkpoint, key).ok());
    let earlier = logs.earlier.iter().filter_map(|closed| closed.earlier.checkpoint());
    Ok(Report { rows, totals, checkpoints: present.chain(earlier).collect(), erased: made.erased })
}

/// How a report comes to its records of the present log.
enum Way {
    At {
        places: Vec<(u64, Position)>,
        erased: u64,
    },
    /// From here on, or all.
    From(Option<Position>),
}

impl Way {
    fn to(archive: &Archive, index: &FoldedIndex, wanted: &Wanted, period: &Period) -> Self {
        match every(archive, index, &sought(wanted, period, index.key())) {
            Ok(Every::At { places, erased }) => Self::At { places, erased },
            Ok(Every::From(from)) => Self::From(Some(from)),
            Err(why) => {
                tracing::warn!(%why, "a report reads the whole journal");
                Self::From(None)
            }
        }
    }
}

/// Whether the index led to every record it named.
enum Led {
    Whole,
    Astray,
}

/// A report on its way.
struct Made<'r> {
    gather: Box<dyn Gather>,
    known: &'r Known,
    period: &'r Period,
    erased: u64,
}

impl Made<'_> {
    /// Takes what earlier logs have of the period, the oldest log first.
    fn earlier(&mut self, logs: &Logs, progress: Tell<'_>) -> Result<(), ReportFault> {
        for Closed { earlier, archive } in logs.earlier.iter().rev() {
            if self.period.is_after(earlier.ended) {
                continue;
            }
            let read = match self.period.bounds_ms().0 {
                Some(from_ms) => archive.begin_at(from_ms).map_err(ReportFault::Journal),
                // Not one segment is left out: the first is where all begins.
                None => Ok(Some(Position { segment: 1, offset: 0 })),
            };
            let of = |fault| match fault {
                ReportFault::Broken | ReportFault::TooMany { .. } => fault,
                fault => ReportFault::Earlier { log: earlier.log.clone(), fault: Box::new(fault) },
            };
            self.all_from(archive, read.map_err(of)?, progress).map_err(of)?;
        }
        Ok(())
    }

    fn present(
        &mut self,
        (archive, index): (&Archive, &FoldedIndex),
        way: &Way,
        progress: Tell<'_>,
    ) -> Result<Led, ReportFault> {
        match way {
            Way::At { places, erased } => {
                self.erased += erased;
                let Self { gather, known, period, .. } = self;
                let mut take = |seen: &Seen| gather.take(seen, known);
                let led = each_at(archive, index, places, period, progress, &mut take)?;
                return Ok(led.map_or(Led::Astray, |()| Led::Whole));
            }
            Way::From(from) => self.all_from(archive, *from, progress)?,
        }
        Ok(Led::Whole)
    }

    fn all_from(
        &mut self,
        archive: &Archive,
        from: Option<Position>,
        progress: Tell<'_>,
    ) -> Result<(), ReportFault> {
        let Self { gather, known, period, erased } = self;
        let mut take = |seen: &Seen| {
            *erased += u64::from(seen.kind == "exchange" && seen.sealed.is_none());
            gather.take(seen, known)
        };
        each_from(archive, from, period, progress, &mut take)
    }
}
