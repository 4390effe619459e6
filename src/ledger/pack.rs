//! What is done to sealed segments beside the writer: packing them, and making sealed parts blank.
//! Whether a sealed part may be erased is not decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::PoisonError;

use super::fault::LedgerError;
use super::handle::Ledger;
use super::queue::wait;
use super::walk::{ENVELOPE, SEALED};
use crate::journal::{self, JournalFault, PackMedium, Position, Scanner, Shelf};

impl Ledger {
    /// Packs sealed segments before `segment`, the oldest first, and gives how many there were. Blocks for
    /// long: `proceed` is asked all the time, and nothing half packed is left if it says no.
    pub fn pack(&self, before: u32, proceed: &mut dyn FnMut() -> bool) -> Result<u64, LedgerError> {
        let mut packed = 0;
        let listing = JournalFault::io("listing the journal");
        for segment in self.with_packing(|medium| Ok(medium.unpacked().segments().map_err(listing)?))? {
            // A segment is sealed when something behind it is durable.
            let sealed = segment < self.0.shared.durable().end.segment;
            if !sealed || segment >= before || !proceed() {
                break;
            }
            // Others may have a turn between two segments.
            let done = self.with_packing(|medium| Ok(journal::pack(medium, segment, proceed)?))?;
            packed += u64::from(done);
        }
        Ok(packed)
    }

    /// Makes the sealed parts of records blank, durably, wherever they are. Each place is that of an
    /// envelope, as a search gives it. Either all places are of records or nothing is done; a failure on
    /// the way leaves whole segments done or not, and asking again is right. Blocks for long. An erasure
    /// record that names the records must be durable before: without it they count as damaged.
    pub fn blank(&self, envelopes: &[Position]) -> Result<(), LedgerError> {
        let end = self.0.shared.durable().end;
        let by_segment = sealed_frames_of(&*self.0.shelf, envelopes, end)?;
        if by_segment.keys().any(|segment| *segment == end.segment) {
            // Only what no writer writes to is replaced. If we crash here a segment is shorter than others.
            wait(self.0.shared.push_sealing()).map_err(LedgerError::Unrecorded)?;
        }
        for (segment, frames) in &by_segment {
            self.with_packing(|medium| Ok(journal::blank(medium, *segment, frames)?))?;
        }
        Ok(())
    }

    fn with_packing<T>(
        &self,
        work: impl FnOnce(&mut dyn PackMedium) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        // Whoever panicked left what a crash leaves.
        let mut packing = self.0.packing.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *packing {
            Some(medium) => work(&mut **medium),
            None => Err(LedgerError::File {
                what: "changing a sealed segment of a ledger that is closed or cannot be packed",
                error: io::ErrorKind::Unsupported.into(),
            }),
        }
    }
}

/// Where the sealed parts of records begin, by segment.
pub(super) fn sealed_frames_of(
    shelf: &dyn Shelf,
    envelopes: &[Position],
    end: Position,
) -> Result<BTreeMap<u32, Vec<u64>>, LedgerError> {
    let mut by_segment: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for at in envelopes {
        by_segment.entry(at.segment).or_default().push(at.offset);
    }
    for (segment, offsets) in &mut by_segment {
        let upto = if *segment == end.segment { end.offset } else { u64::MAX };
        *offsets = sealed_frames(shelf, *segment, offsets, upto)?;
    }
    Ok(by_segment)
}

/// Where the sealed parts of records begin. All of the segment is read from its first frame on, so that
/// nothing is taken for a frame that is none.
fn sealed_frames(
    shelf: &dyn Shelf,
    segment: u32,
    envelopes: &[u64],
    upto: u64,
) -> Result<Vec<u64>, LedgerError> {
    let mut scanner = Scanner::new(shelf, segment)?;
    // By place, until its sealed part has come.
    let mut wanted: BTreeSet<u64> = envelopes.iter().copied().collect();
    let mut found = Vec::with_capacity(wanted.len());
    let mut envelope = None;
    while scanner.position().offset < upto && !wanted.is_empty() {
        let Some(frame) = scanner.next()? else { break };
        match envelope.take() {
            Some((index, place)) if frame.kind == SEALED && frame.index == index => {
                wanted.remove(&place);
                found.push(frame.at.offset);
            }
            _ => {}
        }
        if frame.kind == ENVELOPE && wanted.contains(&frame.at.offset) {
            envelope = Some((frame.index, frame.at.offset));
        }
    }
    match wanted.first() {
        None => Ok(found),
        Some(offset) => {
            let (offset, index) = (*offset, 0);
            Err(LedgerError::Record {
                segment,
                offset,
                index,
                what: "no record begins here: nothing was erased",
            })
        }
    }
}
