//! Reads the frames of one segment in order, with little memory.

use super::fault::JournalFault;
use super::frame::{Body, FRAME_HEADER_BYTES, Frame, HEAD_BYTES, Header, Position, frame_bytes, head};
use super::medium::Shelf;

/// How much is read at once; a longer frame is read whole.
const WINDOW_BYTES: usize = 256 * 1024;

/// A reader of one segment from some frame on.
pub struct Scanner<'s> {
    shelf: &'s dyn Shelf,
    segment: u32,
    length: u64,
    /// Where the next frame begins.
    at: u64,
    /// The index of the last whole frame, for naming damage after it.
    last_index: u64,
    window: Vec<u8>,
    /// Where in the segment the window begins.
    window_at: u64,
}

impl<'s> Scanner<'s> {
    /// From the first frame on. Checks the segment's head.
    pub fn new(shelf: &'s dyn Shelf, segment: u32) -> Result<Self, JournalFault> {
        let mut scanner = Self::from(shelf, Position { segment, offset: HEAD_BYTES })?;
        scanner.at = 0;
        let good = scanner.bytes(HEAD_BYTES as usize)? == Some(&head(segment));
        if !good {
            return Err(scanner.damaged(0, "the head of the segment is not one"));
        }
        scanner.at = HEAD_BYTES;
        Ok(scanner)
    }

    /// From the frame at `position` on.
    pub fn from(shelf: &'s dyn Shelf, position: Position) -> Result<Self, JournalFault> {
        let Position { segment, offset } = position;
        let length = shelf.length(segment).map_err(JournalFault::io("reading a segment's length"))?;
        let window = Vec::new();
        Ok(Self { shelf, segment, length, at: offset, last_index: 0, window, window_at: 0 })
    }

    /// Where the next frame begins.
    pub fn position(&self) -> Position {
        Position { segment: self.segment, offset: self.at }
    }

    /// The next frame; `None` where zeros begin or the segment ends.
    #[expect(clippy::should_implement_trait, reason = "a frame borrows from its scanner")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, JournalFault> {
        let Some(header) = self.header()? else { return Ok(None) };
        let at = self.position();
        let whole = frame_bytes(header.length);
        if header.segment != self.segment || header.length == 0 || at.offset + whole > self.length {
            return Err(self.damaged(self.last_index, "the header of a frame is not one"));
        }
        let index = header.index;
        let count = FRAME_HEADER_BYTES + header.length as usize;
        let body = self.bytes(count)?.and_then(|bytes| bytes.get(FRAME_HEADER_BYTES..));
        let sound = body.is_some_and(|body| is_blank(&header, body) || header.crc_with(body) == header.crc);
        if !sound {
            return Err(self.damaged(index, "the checksum of a frame does not match"));
        }
        self.at += whole;
        self.last_index = index;
        let start = usize::try_from(at.offset - self.window_at).unwrap_or(usize::MAX);
        let body = self.window.get(start + FRAME_HEADER_BYTES..start + count).unwrap_or_default();
        let body = if is_blank(&header, body) { Body::Blank } else { Body::Bytes(body) };
        Ok(Some(Frame { at, kind: header.kind, index, body }))
    }

    /// Fails unless nothing but zeros follows.
    pub fn finish(&mut self) -> Result<(), JournalFault> {
        while self.at < self.length {
            let count = usize::try_from(self.length - self.at).unwrap_or(WINDOW_BYTES).min(WINDOW_BYTES);
            let zeros = self.bytes(count)?.is_some_and(is_zeros);
            if !zeros {
                return Err(self.damaged(self.last_index, "bytes follow where the segment should be empty"));
            }
            self.at += count as u64;
        }
        Ok(())
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

    /// The header here; `None` where it is zeros or no longer fits.
    pub(super) fn header(&mut self) -> Result<Option<Header>, JournalFault> {
        let bytes = self.bytes(FRAME_HEADER_BYTES)?.and_then(|bytes| bytes.first_chunk());
        Ok(bytes.filter(|bytes| !is_zeros(&bytes[..])).map(Header::read))
    }

    /// The next `count` bytes, without moving; `None` if the segment ends before.
    pub(super) fn bytes(&mut self, count: usize) -> Result<Option<&[u8]>, JournalFault> {
        if self.at + count as u64 > self.length {
            return Ok(None);
        }
        let held =
            self.at >= self.window_at && self.at + count as u64 <= self.window_at + self.window.len() as u64;
        if !held {
            let want = usize::try_from(self.length - self.at).unwrap_or(usize::MAX);
            self.window.resize(want.min(WINDOW_BYTES.max(count)), 0);
            let read = self
                .shelf
                .read(self.segment, self.at, &mut self.window)
                .map_err(JournalFault::io("reading a segment"))?;
            self.window.truncate(read);
            self.window_at = self.at;
        }
        let start = usize::try_from(self.at - self.window_at).unwrap_or(usize::MAX);
        Ok(self.window.get(start..start.saturating_add(count)))
    }

    pub(super) fn damaged(&self, index: u64, what: &'static str) -> JournalFault {
        JournalFault::Damaged { segment: self.segment, offset: self.at, index, what }
    }
}

fn is_blank(header: &Header, body: &[u8]) -> bool {
    header.crc == 0 && is_zeros(body)
}

pub(super) fn is_zeros(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
