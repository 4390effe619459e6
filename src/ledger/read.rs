//! Reads what is durable: entries and checkpoints in order, without a lock and without the writer.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::chain::{Chain, EdgeFrame};
use super::fault::LedgerError;
use super::opening::read_segment;
use super::walk::{CHECKPOINT, EDGE, ENVELOPE, SEALED};
use crate::journal::{
    Body, Frame, JournalFault, Position, Scanner, SegmentFiles, Shelf, closed_ending, ending,
};
use crate::merkle::{Hash, leaf_hash};

/// Salt before the JSON of a sealed part.
pub(super) const SALT_BYTES: usize = 32;

/// The readable part of a journal.
#[derive(Clone)]
pub struct Archive {
    shelf: Arc<dyn Shelf>,
    /// Nothing from here on is read: it may not be durable yet.
    end: Position,
}

/// One thing read, in the order written.
#[derive(Debug, Clone, Copy)]
pub enum Stored<'a> {
    Entry(Entry<'a>),
    Checkpoint {
        at: Position,
        /// The tree's size under it.
        size: u64,
        note: &'a str,
    },
}

/// A record as stored.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Of its envelope's frame; reading can begin here.
    pub at: Position,
    pub index: u64,
    /// JSON, the exact bytes of the leaf.
    pub envelope: &'a [u8],
    /// Salt and JSON; `None` where it was erased.
    pub sealed: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// The sealed part without its salt.
    pub fn sealed_json(&self) -> Option<&'a [u8]> {
        self.sealed.and_then(|sealed| sealed.get(SALT_BYTES..))
    }
}

impl Archive {
    /// A journal's directory that nobody writes to, or a copy of one, up to its last whole batch.
    pub fn offline(journal: &Path) -> Result<Self, JournalFault> {
        let shelf = SegmentFiles::new(journal);
        let end = ending(&shelf)?.at;
        Ok(Self { shelf: Arc::new(shelf), end })
    }

    /// As [`offline`](Self::offline), of a journal that is never written to again: how many records it had the
    /// log after it says.
    pub(super) fn closed(journal: &Path) -> Result<Self, JournalFault> {
        let shelf = SegmentFiles::new(journal);
        let end = closed_ending(&shelf)?.at;
        Ok(Self { shelf: Arc::new(shelf), end })
    }

    pub(super) fn shelf(&self) -> &dyn Shelf {
        &*self.shelf
    }

    /// Everything of one segment, by the rules of the log it is of.
    pub(super) fn follow(&self, chain: &mut Chain<'_>, segment: u32) -> Result<(), LedgerError> {
        let upto = (segment == self.end.segment).then_some(self.end.offset);
        read_segment(chain, &*self.shelf, segment, false, upto)
    }

    /// How many records are under the last checkpoint.
    pub(super) fn size(&self) -> Result<u64, JournalFault> {
        let mut under = 0;
        if let Some(last) = self.segments()?.last() {
            let _whole = self.each_of(*last, &mut |stored| {
                if let Stored::Checkpoint { size, .. } = stored {
                    under = size;
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(under)
    }

    /// Where to begin reading what is not before a time: no record of an older segment is that young.
    pub fn begin_at(&self, from_ms: i64) -> Result<Option<Position>, JournalFault> {
        // A segment's edge is as late as the last record before it; before the first there is none.
        let is_behind =
            |segment| Ok(segment == 1 || self.edge_ms(segment)?.is_some_and(|edge| edge < from_ms));
        Ok(self.last_where(is_behind)?.map(|segment| Position { segment, offset: 0 }))
    }

    /// The last segment of those for which something holds; they come before all others.
    pub(super) fn last_where(
        &self,
        holds: impl Fn(u32) -> Result<bool, JournalFault>,
    ) -> Result<Option<u32>, JournalFault> {
        let segments = self.segments()?;
        let (mut low, mut high) = (0, segments.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(segment) = segments.get(middle) else { break };
            if holds(*segment)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.checked_sub(1).and_then(|last| segments.get(last)).copied())
    }

    /// The time no record of a segment is before, in milliseconds since 1970; `None` where nothing is written.
    fn edge_ms(&self, segment: u32) -> Result<Option<i64>, JournalFault> {
        let mut scanner = Scanner::new(&*self.shelf, segment)?;
        let frame = scanner.next()?;
        let Some(Frame { kind: EDGE, body: Body::Bytes(bytes), .. }) = frame else { return Ok(None) };
        Ok(serde_json::from_slice::<EdgeFrame>(bytes).ok().map(|edge| edge.time_ms))
    }

    pub(super) fn upto(shelf: Arc<dyn Shelf>, end: Position) -> Self {
        Self { shelf, end }
    }

    /// The segments with anything readable, ascending.
    pub fn segments(&self) -> Result<Vec<u32>, JournalFault> {
        let mut all = self.shelf.segments().map_err(JournalFault::io("listing the journal"))?;
        all.retain(|segment| *segment <= self.end.segment);
        Ok(all)
    }

    /// The segments that will not change any more: what can be folded for good.
    pub fn sealed_segments(&self) -> Result<Vec<u32>, JournalFault> {
        let mut all = self.segments()?;
        all.retain(|segment| *segment < self.end.segment);
        Ok(all)
    }

    /// Everything of one segment, in order, until `visit` breaks. Whether it did.
    pub fn each_of(
        &self,
        segment: u32,
        visit: &mut dyn FnMut(Stored<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, JournalFault> {
        self.each_in(Scanner::new(&*self.shelf, segment)?, visit)
    }

    /// Everything, in order, until `visit` breaks.
    pub fn each(&self, visit: &mut dyn FnMut(Stored<'_>) -> ControlFlow<()>) -> Result<(), JournalFault> {
        for segment in self.segments()? {
            if self.each_of(segment, visit)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Everything from a place on, in order. The place is where a frame begins, the end of what was read
    /// before, or 0 for a whole segment.
    pub fn each_from(
        &self,
        from: Position,
        visit: &mut dyn FnMut(Stored<'_>) -> ControlFlow<()>,
    ) -> Result<(), JournalFault> {
        for segment in self.segments()?.into_iter().filter(|segment| *segment >= from.segment) {
            let scanner = if segment == from.segment && from.offset > 0 {
                Scanner::from(&*self.shelf, from)?
            } else {
                Scanner::new(&*self.shelf, segment)?
            };
            if self.each_in(scanner, visit)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The hashes of the leaves from one index up to another, as many as there are.
    pub fn leaves(&self, first: u64, end: u64) -> Result<Vec<Hash>, JournalFault> {
        let mut out = Vec::new();
        let Some(segment) = self.segment_of(first)? else { return Ok(out) };
        self.each_from(Position { segment, offset: 0 }, &mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            if entry.index >= end {
                return ControlFlow::Break(());
            }
            if entry.index >= first {
                out.push(leaf_hash(entry.envelope));
            }
            ControlFlow::Continue(())
        })?;
        Ok(out)
    }

    /// Behind everything readable.
    pub fn end(&self) -> Position {
        self.end
    }

    /// The index of a segment's first record, or of the one that will be; `None` where nothing is written.
    pub(super) fn begins_at(&self, segment: u32) -> Result<Option<u64>, JournalFault> {
        // The tree's edge, whose index is its size.
        Ok(Scanner::new(&*self.shelf, segment)?.next()?.map(|frame| frame.index))
    }

    /// The entry whose envelope begins at `at`, given to `visit`; `None` if there is none.
    pub fn at<T>(&self, at: Position, visit: impl FnOnce(Entry<'_>) -> T) -> Result<Option<T>, JournalFault> {
        let mut visit = Some(visit);
        let mut out = None;
        let _found = self.each_in(Scanner::from(&*self.shelf, at)?, &mut |stored| {
            if let (Stored::Entry(entry), Some(visit)) = (stored, visit.take()) {
                out = (entry.at == at).then(|| visit(entry));
            }
            ControlFlow::Break(())
        })?;
        Ok(out)
    }

    fn each_in(
        &self,
        mut scanner: Scanner<'_>,
        visit: &mut dyn FnMut(Stored<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, JournalFault> {
        // The envelope read last, until its sealed part has come.
        let mut envelope = Vec::new();
        let mut envelope_at = scanner.position();
        while scanner.position() < self.end {
            let Some(frame) = scanner.next()? else { break };
            let bytes = match frame.body {
                Body::Bytes(bytes) => Some(bytes),
                Body::Blank => None,
            };
            let stored = match (frame.kind, bytes) {
                (ENVELOPE, Some(bytes)) => {
                    envelope.clear();
                    envelope.extend_from_slice(bytes);
                    envelope_at = frame.at;
                    continue;
                }
                (SEALED, sealed) => {
                    Stored::Entry(Entry { at: envelope_at, index: frame.index, envelope: &envelope, sealed })
                }
                (CHECKPOINT, Some(bytes)) => {
                    let note = std::str::from_utf8(bytes).unwrap_or_default();
                    Stored::Checkpoint { at: frame.at, size: frame.index, note }
                }
                _ => continue,
            };
            if visit(stored).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
