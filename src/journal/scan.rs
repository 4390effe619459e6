//! Reads the frames of one segment in order, with little memory.

use std::io;

use super::fault::JournalFault;
use super::frame::{
    ALIGN, Body, FRAME_HEADER_BYTES, Frame, HEAD_BYTES, Header, Position, crc32, frame_bytes, head,
};
use super::medium::Shelf;

/// How much is read at once, from one multiple of it to the next; a longer frame is read whole.
const WINDOW_BYTES: usize = 256 * 1024;
/// As much at first, and twice as much each time: who looks up one record wants no more.
const FIRST_WINDOW_BYTES: usize = 16 * 1024;

/// A reader of one segment from some frame on.
pub struct Scanner<'s> {
    shelf: &'s dyn Shelf,
    segment: u32,
    length: u64,
    /// Where the next frame begins.
    at: u64,
    /// The index of the last whole frame, for naming damage after it.
    last_index: Option<u64>,
    window: Vec<u8>,
    /// Where in the segment the window begins.
    window_at: u64,
    /// How much is read next.
    ahead: usize,
}

impl<'s> Scanner<'s> {
    /// From the first frame on. Checks the segment's head.
    pub fn new(shelf: &'s dyn Shelf, segment: u32) -> Result<Self, JournalFault> {
        let mut scanner = Self::from(shelf, Position { segment, offset: HEAD_BYTES })?;
        scanner.at = 0;
        let good = scanner.bytes(HEAD_BYTES as usize)? == Some(&head(segment));
        if !good {
            return Err(scanner.damaged(None, "the head of the segment is not one"));
        }
        scanner.at = HEAD_BYTES;
        Ok(scanner)
    }

    /// From the frame at `position` on.
    pub fn from(shelf: &'s dyn Shelf, position: Position) -> Result<Self, JournalFault> {
        let Position { segment, offset } = position;
        let length = shelf.length(segment).map_err(JournalFault::reading(position, 0))?;
        let (window, ahead) = (Vec::new(), FIRST_WINDOW_BYTES);
        Ok(Self { shelf, segment, length, at: offset, last_index: None, window, window_at: 0, ahead })
    }

    /// Where the next frame begins.
    pub fn position(&self) -> Position {
        Position { segment: self.segment, offset: self.at }
    }

    /// The next frame; `None` where zeros begin or the segment ends.
    #[expect(clippy::should_implement_trait, reason = "a frame borrows from its scanner")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, JournalFault> {
        if self.at_zeros()? {
            return Ok(None);
        }
        let Some(header) = self.header()? else {
            return Err(self.damaged(None, "the header of a frame is not one"));
        };
        let at = self.position();
        let whole = frame_bytes(header.length);
        let index = header.index;
        let count = FRAME_HEADER_BYTES + header.length as usize;
        let body = self.bytes(count)?.and_then(|bytes| bytes.get(FRAME_HEADER_BYTES..));
        let sound = body.is_some_and(|body| is_blank(&header, body) || crc32(&[body]) == header.crc);
        if !sound {
            return Err(self.damaged(Some(index), "the checksum of a frame does not match"));
        }
        self.at += whole;
        self.last_index = Some(index);
        let start = usize::try_from(at.offset - self.window_at).unwrap_or(usize::MAX);
        let body = self.window.get(start + FRAME_HEADER_BYTES..start + count).unwrap_or_default();
        let body = if is_blank(&header, body) { Body::Blank } else { Body::Bytes(body) };
        Ok(Some(Frame { at, kind: header.kind, batch: header.batch, index, body }))
    }

    /// Fails unless nothing but zeros follows.
    pub fn finish(&mut self) -> Result<(), JournalFault> {
        while self.skip_unwritten()? {
            let next = (self.at + 1).next_multiple_of(WINDOW_BYTES as u64).min(self.length);
            let count = usize::try_from(next - self.at).unwrap_or(WINDOW_BYTES);
            let zeros = self.bytes(count)?.is_some_and(is_zeros);
            if !zeros {
                return Err(self.damaged(None, "bytes follow where the segment should be empty"));
            }
            self.at += count as u64;
        }
        Ok(())
    }

    /// Moves on, at most to the end, to where something may be written. Whether there is such a place.
    pub(super) fn skip_unwritten(&mut self) -> Result<bool, JournalFault> {
        let found = self.shelf.written_from(self.segment, self.at).map_err(|error| self.unread(error))?;
        // Frames, and what is looked for in their place, begin at multiples of `ALIGN`.
        self.at = found.map_or(self.length, |at| self.at.max(at / ALIGN * ALIGN));
        Ok(self.at < self.length)
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn move_to(&mut self, at: u64) {
        self.at = at;
    }

    /// Whether no frame begins here: zeros, or no room for one.
    pub(super) fn at_zeros(&mut self) -> Result<bool, JournalFault> {
        Ok(self.bytes(FRAME_HEADER_BYTES)?.is_none_or(is_zeros))
    }

    /// The header here; `None` where it is not one of this segment.
    pub(super) fn header(&mut self) -> Result<Option<Header>, JournalFault> {
        let (segment, room) = (self.segment, self.length.saturating_sub(self.at));
        let header =
            self.bytes(FRAME_HEADER_BYTES)?.and_then(|bytes| bytes.first_chunk()).and_then(Header::read);
        Ok(header.filter(|h| h.segment == segment && h.length > 0 && frame_bytes(h.length) <= room))
    }

    /// The next `count` bytes, without moving; `None` if the segment ends before.
    pub(super) fn bytes(&mut self, count: usize) -> Result<Option<&[u8]>, JournalFault> {
        if self.at + count as u64 > self.length {
            return Ok(None);
        }
        let held =
            self.at >= self.window_at && self.at + count as u64 <= self.window_at + self.window.len() as u64;
        if !held {
            // To a boundary: a page of which a part was read would count as written from then on.
            let end = (self.at + count as u64).next_multiple_of(self.ahead as u64).min(self.length);
            let ahead = usize::try_from(end - self.at).unwrap_or(usize::MAX);
            self.ahead = (self.ahead * 2).min(WINDOW_BYTES);
            // What cannot be read may lie behind what is wanted: then that is read alone, and what is
            // named in the end is the first frame that lacks bytes.
            self.fill(ahead).or_else(|_| self.fill(count)).map_err(|error| self.unread(error))?;
        }
        let start = usize::try_from(self.at - self.window_at).unwrap_or(usize::MAX);
        Ok(self.window.get(start..start.saturating_add(count)))
    }

    fn fill(&mut self, count: usize) -> io::Result<()> {
        self.window.resize(count, 0);
        let read = self.shelf.read(self.segment, self.at, &mut self.window);
        // Nothing is held that was not read.
        self.window.truncate(*read.as_ref().unwrap_or(&0));
        self.window_at = self.at;
        read.map(drop)
    }

    /// Reading failed here.
    fn unread(&self, error: io::Error) -> JournalFault {
        JournalFault::reading(self.position(), self.last_index.unwrap_or(0))(error)
    }

    /// Damage here. `claimed` is the index in the broken frame's header, which is named if it is the one
    /// that could come here.
    pub(super) fn damaged(&self, claimed: Option<u64>, what: &'static str) -> JournalFault {
        let index = match (self.last_index, claimed) {
            // A journal begins with index 0; a later segment's first frame has only its own word.
            (None, claimed) => claimed.filter(|_| self.segment > 1).unwrap_or(0),
            (Some(last), Some(claimed)) if claimed == last || claimed == last + 1 => claimed,
            (Some(last), _) => last,
        };
        JournalFault::Damaged { segment: self.segment, offset: self.at, index, what }
    }
}

fn is_blank(header: &Header, body: &[u8]) -> bool {
    header.crc == 0 && is_zeros(body)
}

/// By stretches rather than bytes: what is looked at may be a whole segment.
pub(super) fn is_zeros(bytes: &[u8]) -> bool {
    bytes.chunks(64).all(|stretch| stretch.iter().fold(0, |any, byte| any | byte) == 0)
}
