//! Reads what is durable: entries and checkpoints in order, without a lock and without the writer.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::walk::{CHECKPOINT, ENVELOPE, SEALED};
use crate::journal::{Body, JournalFault, Position, Scanner, SegmentFiles, Shelf, ending};

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
