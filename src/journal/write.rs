//! The one writer of a journal.

use std::io;
use std::sync::Arc;

use super::fault::{AppendFault, JournalFault};
use super::frame::{Draft, HEAD_BYTES, Position, head};
use super::medium::{Medium, Shelf};
use super::recover::ending;

/// Large enough that making one is rare, small enough that reading the last at start is quick.
pub const SEGMENT_BYTES_DEFAULT: u64 = 32 << 20;
/// Below this a segment would hold only a few records.
pub const SEGMENT_BYTES_MIN: u64 = 64 << 10;

/// A journal open for writing.
pub struct Journal<M: Medium> {
    medium: M,
    segment_bytes: u64,
    /// Where the next batch goes.
    end: Position,
    /// Bytes of the current segment.
    length: u64,
    /// Batches in the current segment.
    batches: u32,
    /// Whether the next segment is ready.
    spare: bool,
}

/// What opening found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The segments with something in them, ascending.
    pub segments: Vec<u32>,
    /// Whether a batch that was never acknowledged was dropped at the end.
    pub dropped: bool,
}

impl<M: Medium> Journal<M> {
    /// Opens what is there, drops what a crash left unfinished, and makes the first segment if there is
    /// none. `segment_bytes` is for segments made from now on. Damage is not mended.
    pub fn open(mut medium: M, segment_bytes: u64) -> Result<(Self, Recovered), JournalFault> {
        let shelf = medium.shelf();
        let mut segments = shelf.segments().map_err(JournalFault::io("listing the journal"))?;
        let segment_bytes = segment_bytes.max(SEGMENT_BYTES_MIN);
        if segments.is_empty() {
            medium
                .create(1, segment_bytes, &head(1))
                .map_err(JournalFault::io("making the first segment"))?;
            segments.push(1);
        }
        for segment in segments.iter().rev().take(2) {
            medium.reread(*segment);
        }
        let found = ending(&*shelf)?;
        for torn in &found.torn {
            let wiping = JournalFault::io("dropping an unfinished batch");
            medium.wipe(torn.segment, torn.offset).map_err(wiping)?;
        }
        let end = found.at;
        let length = shelf.length(end.segment).map_err(JournalFault::io("reading a segment's length"))?;
        // What a killed process wrote and did not sync counts from here on, and the next batch may lie in the
        // next segment and be synced alone.
        medium.sync(end.segment).map_err(JournalFault::io("making the journal's end durable"))?;
        let spare = has_spare(&mut medium, &*shelf, &segments, (end.segment + 1, segment_bytes))?;
        let dropped = !found.torn.is_empty();
        let recovered = Recovered { segments: found.segments, dropped };
        Ok((Self { medium, segment_bytes, end, length, batches: found.batches, spare }, recovered))
    }

    pub fn shelf(&self) -> Arc<dyn Shelf> {
        self.medium.shelf()
    }

    /// Behind the last batch: everything before it is durable.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Whether the next segment is ready, so that the disk cannot be full for a while.
    pub fn has_spare(&self) -> bool {
        self.spare
    }

    /// The longest batch any segment takes.
    pub fn batch_bytes_max(&self) -> usize {
        usize::try_from((self.segment_bytes - HEAD_BYTES) / 4).unwrap_or(usize::MAX)
    }

    /// Makes the next segment ready if it is not. The only step that can fail for want of space, and
    /// nothing has been accepted by then.
    pub fn prepare(&mut self) -> io::Result<()> {
        if !self.spare {
            let next = self.end.segment + 1;
            self.medium.create(next, self.segment_bytes, &head(next))?;
            self.spare = true;
        }
        Ok(())
    }

    /// The next batch begins the next segment. Only where that [is ready](Self::has_spare).
    pub fn seal_segment(&mut self) {
        self.length = self.end.offset;
    }

    /// Writes and syncs one batch, whose last frame ends it. A segment's first batch is begun by what
    /// `first` drafts. When this returns `Ok` the batch is durable; after `Broken` the journal must not
    /// be used again.
    pub fn append(&mut self, batch: &mut Draft, first: impl FnOnce(&mut Draft)) -> Result<(), AppendFault> {
        if batch.len() > self.batch_bytes_max() {
            return Err(AppendFault::TooLarge);
        }
        let fits = self.end.offset + batch.len() as u64 <= self.length;
        if !fits && !self.spare {
            return Err(AppendFault::Full);
        }
        if !fits {
            self.end = Position { segment: self.end.segment + 1, offset: HEAD_BYTES };
            self.length = self.segment_bytes;
            self.batches = 0;
            self.spare = false;
        }
        let mut head = Draft::default();
        if self.end.offset == HEAD_BYTES {
            first(&mut head);
        }
        // A crash before the sync has ended may leave any sectors of this: recovery drops them.
        self.write(head, batch).map_err(AppendFault::Broken)
    }

    fn write(&mut self, mut head: Draft, batch: &mut Draft) -> io::Result<()> {
        let Position { segment, offset } = self.end;
        let number = self.batches + 1;
        let bytes = batch.seal(segment, number);
        let written = if head.is_empty() {
            self.medium.write(segment, offset, bytes)?;
            bytes.len()
        } else {
            let whole = [head.seal(segment, number), bytes].concat();
            self.medium.write(segment, offset, &whole)?;
            whole.len()
        };
        self.medium.sync(segment)?;
        self.end.offset += written as u64;
        self.batches = number;
        Ok(())
    }
}

/// Whether the next segment is there. One of another size was made under another setting, or by a start that
/// was cut off: its size would not be reserved.
fn has_spare<M: Medium>(
    medium: &mut M,
    shelf: &dyn Shelf,
    segments: &[u32],
    (next, bytes): (u32, u64),
) -> Result<bool, JournalFault> {
    if !segments.contains(&next) {
        return Ok(false);
    }
    let length = shelf.length(next).map_err(JournalFault::io("reading a segment's length"))?;
    Ok(length == bytes || medium.create(next, bytes, &head(next)).is_ok())
}
