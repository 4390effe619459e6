//! Packs sealed segments, and blanks frames in them: a file that holds the same bytes, or the same but
//! for the blank frames, takes the place of the one before in one step.
//!
//! Nothing is ever changed in place, so that readers, who hold no lock, never see half a change, and a
//! crash leaves the file before or the file after. Where a segment and its packed file both lie there,
//! they hold the same bytes: a segment is packed before anything in it is blanked.

use std::io;

use super::fault::JournalFault;
use super::frame::{Body, FRAME_HEADER_BYTES, Frame, Header, Position, crc32};
use super::medium::{PackMedium, Shelf};
use super::packed::{BLOCK_BYTES, Broken, Entry, Index, Packed};
use super::scan::{Scanner, is_zeros};

/// Chosen by measure, with the size of a block: `docs/decisions/0021-segments-are-packed.md`.
const LEVEL: i32 = 1;

const DIFFER: &str = "the packed segment and the unpacked one beside it differ";

/// Puts a packed file in the place of a segment that grows no more. Does nothing where that was done.
/// `proceed` is asked before every block; gives whether it is packed now.
pub fn pack(
    medium: &mut dyn PackMedium,
    segment: u32,
    proceed: &mut dyn FnMut() -> bool,
) -> Result<bool, JournalFault> {
    let unpacked = medium.unpacked();
    let segments = unpacked.segments().map_err(JournalFault::io("listing the journal"))?;
    if !segments.contains(&segment) {
        return Ok(true);
    }
    let source = Source { shelf: &*unpacked, segment, blanks: &[] };
    if !is_there_already(medium, &source)? && !replace(medium, &source, proceed)? {
        return Ok(false);
    }
    // Both are durable now, and the same: if we crash here, the next time ends at once what is left to do.
    medium.remove_unpacked(segment).map_err(JournalFault::io("removing a segment that is packed"))?;
    Ok(true)
}

/// Makes frames of a sealed segment blank, durably: each place is where a frame begins. Those that are
/// blank already stay so.
pub fn blank(medium: &mut dyn PackMedium, segment: u32, frames: &[u64]) -> Result<(), JournalFault> {
    pack(medium, segment, &mut || true)?;
    // If we crash here nothing is blank yet, and the segment is whole.
    let shelf = medium.shelf();
    let mut blanks = Vec::new();
    for offset in frames {
        blanks.extend(Blank::of(&*shelf, Position { segment, offset: *offset })?);
    }
    blanks.sort_by_key(|blank| blank.offset);
    if !blanks.is_empty() {
        let source = Source { shelf: &*shelf, segment, blanks: &blanks };
        // If we crash within, either none of the frames is blank or all are.
        replace(medium, &source, &mut || true)?;
    }
    Ok(())
}

/// A frame that will be blank.
struct Blank {
    offset: u64,
    header: [u8; FRAME_HEADER_BYTES],
    body_bytes: u64,
}

impl Blank {
    /// `None` where it is blank already.
    fn of(shelf: &dyn Shelf, at: Position) -> Result<Option<Self>, JournalFault> {
        let mut scanner = Scanner::from(shelf, at)?;
        let header = scanner.header()?;
        let header = header.ok_or_else(|| scanner.damaged(None, "the header of a frame is not one"))?;
        // What is damaged is not made to look erased.
        if matches!(scanner.next()?, Some(Frame { body: Body::Blank, .. })) {
            return Ok(None);
        }
        let body_bytes = u64::from(header.length);
        let header = Header { crc: 0, ..header }.write();
        Ok(Some(Self { offset: at.offset, header, body_bytes }))
    }

    fn end(&self) -> u64 {
        self.offset + FRAME_HEADER_BYTES as u64 + self.body_bytes
    }

    /// Puts what of the frame lies in a block into it.
    fn apply(&self, block: &mut [u8], block_at: u64) {
        let body = std::iter::repeat_n(0, usize::try_from(self.body_bytes).unwrap_or(usize::MAX));
        let frame = self.header.iter().copied().chain(body);
        let before = usize::try_from(block_at.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let skip = usize::try_from(self.offset.saturating_sub(block_at)).unwrap_or(usize::MAX);
        for (to, from) in block.iter_mut().skip(skip).zip(frame.skip(before)) {
            *to = from;
        }
    }
}

/// The bytes a packed file is to hold.
struct Source<'s> {
    shelf: &'s dyn Shelf,
    segment: u32,
    /// By offset, ascending.
    blanks: &'s [Blank],
}

impl Source<'_> {
    fn length(&self) -> Result<u64, JournalFault> {
        self.shelf.length(self.segment).map_err(JournalFault::io("reading a segment's length"))
    }

    /// Fills `into` with one block.
    fn block(&self, number: u64, into: &mut Vec<u8>, length: u64) -> Result<(), JournalFault> {
        let at = number * u64::from(BLOCK_BYTES);
        let count = length.saturating_sub(at).min(u64::from(BLOCK_BYTES));
        into.clear();
        into.resize(usize::try_from(count).unwrap_or(0), 0);
        let read = self
            .shelf
            .read(self.segment, at, into)
            .map_err(JournalFault::reading(Position { segment: self.segment, offset: at }, 0))?;
        if read != into.len() {
            let error = io::ErrorKind::UnexpectedEof.into();
            return Err(JournalFault::Io { what: "reading a segment", error });
        }
        // Frames do not overlap, so that those before end before.
        let first = self.blanks.partition_point(|blank| blank.end() <= at);
        let here = self.blanks.iter().skip(first).take_while(|blank| blank.offset < at + count);
        here.for_each(|blank| blank.apply(into, at));
        Ok(())
    }

    /// Whether a packed file holds just these bytes. What of it does not read is an `Io` fault.
    fn is(&self, packed: &Packed) -> Result<Option<u64>, JournalFault> {
        let length = self.length()?;
        if packed.length() != length {
            return Ok(Some(length.min(packed.length())));
        }
        let (mut wanted, mut found) = (Vec::new(), Vec::new());
        for number in 0..length.div_ceil(u64::from(BLOCK_BYTES)) {
            let at = number * u64::from(BLOCK_BYTES);
            self.block(number, &mut wanted, length)?;
            found.clear();
            found.resize(wanted.len(), 0);
            let read = packed.read(at, &mut found).map_err(JournalFault::io("reading a packed segment"))?;
            if read != wanted.len() || wanted != found {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

/// Whether a whole packed file of these bytes lies there, as a crash leaves one. One that does not read is
/// a copy that nobody relied on yet, and is made again; one that reads and differs is not a crash's doing.
fn is_there_already(medium: &mut dyn PackMedium, source: &Source<'_>) -> Result<bool, JournalFault> {
    let damaged = |offset, what| JournalFault::Damaged { segment: source.segment, offset, index: 0, what };
    let packed = match medium.packed(source.segment) {
        Ok(packed) => packed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) if Broken::of(&error).is_some() => return Ok(false),
        Err(error) => return Err(JournalFault::io("reading a packed segment")(error)),
    };
    match source.is(&packed) {
        Ok(None) => Ok(true),
        Ok(Some(offset)) => Err(damaged(offset, DIFFER)),
        Err(JournalFault::Io { error, .. }) if Broken::of(&error).is_some() => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Makes a packed file and puts it in the place of what is there. Gives whether it was, or stopped before.
fn replace(
    medium: &mut dyn PackMedium,
    source: &Source<'_>,
    proceed: &mut dyn FnMut() -> bool,
) -> Result<bool, JournalFault> {
    let made = make(medium, source, proceed);
    if !matches!(made, Ok(true)) {
        // Nobody reads it. The space is wanted back, and that it may not be there is no matter.
        let _ = medium.abandon(source.segment);
        return made;
    }
    // If we crash here the file lies beside the segment under a name that nobody reads: the next start
    // removes it. From here on it is read, and durable under its name when this returns.
    medium.put(source.segment).map_err(JournalFault::io("putting a packed segment in its place"))?;
    Ok(true)
}

/// Writes the file, syncs it, and reads it back.
fn make(
    medium: &mut dyn PackMedium,
    source: &Source<'_>,
    proceed: &mut dyn FnMut() -> bool,
) -> Result<bool, JournalFault> {
    let writing = JournalFault::io;
    medium.begin(source.segment).map_err(writing("making a packed segment"))?;
    let length = source.length()?;
    let count = length.div_ceil(u64::from(BLOCK_BYTES));
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(writing("packing a segment"))?;
    let (mut block, mut blocks) = (Vec::new(), Vec::new());
    let mut at = Index::bytes(count);
    for number in 0..count {
        if !proceed() {
            return Ok(false);
        }
        source.block(number, &mut block, length)?;
        if is_zeros(&block) {
            blocks.push(Entry { stored: 0, crc: 0 });
            continue;
        }
        let stored = compressor.compress(&block).map_err(writing("packing a segment"))?;
        medium.write(at, &stored).map_err(writing("writing a packed segment"))?;
        at += stored.len() as u64;
        let bytes = u32::try_from(stored.len()).unwrap_or(u32::MAX);
        blocks.push(Entry { stored: bytes, crc: crc32(&[&stored]) });
    }
    let index = Index { segment: source.segment, length, block_bytes: BLOCK_BYTES, blocks };
    medium.write(0, &index.write()).map_err(writing("writing a packed segment"))?;
    medium.sync().map_err(writing("syncing a packed segment"))?;
    let made = medium.unfinished(source.segment).map_err(writing("reading a packed segment back"))?;
    match source.is(&made)? {
        None => Ok(true),
        Some(offset) => {
            let what = "what was packed does not read back as it was";
            Err(JournalFault::Damaged { segment: source.segment, offset, index: 0, what })
        }
    }
}
