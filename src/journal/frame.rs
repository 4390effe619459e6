//! Frames: how they are drafted and read. The layout is in the module's own text.

/// The flag in a frame's kind that says: with this frame a batch is whole.
pub const ENDS_BATCH: u8 = 0x80;

/// Bytes of a frame before its body.
pub const FRAME_HEADER_BYTES: usize = 32;

/// Frames begin at multiples of this.
pub(super) const ALIGN: u64 = 8;

pub(super) const HEAD_BYTES: u64 = 32;
const MAGIC: &[u8; 16] = b"tolbooth journal";

/// Where a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Numbered from 1.
    pub segment: u32,
    /// Bytes from the beginning of the file.
    pub offset: u64,
}

/// A frame as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'b> {
    pub at: Position,
    pub kind: u8,
    /// Counts the batches of its segment from 1.
    pub batch: u32,
    /// Whatever number the writer gave; tells frames of one record apart from those of another.
    pub index: u64,
    pub body: Body<'b>,
}

/// What is in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'b> {
    Bytes(&'b [u8]),
    /// Erased on purpose: zeros under a CRC of zero.
    Blank,
}

/// The first bytes of a segment file.
pub(super) fn head(segment: u32) -> [u8; HEAD_BYTES as usize] {
    let mut out = [0; HEAD_BYTES as usize];
    let number = segment.to_le_bytes();
    let crc = crc32(&[MAGIC, &number]).to_le_bytes();
    let bytes = MAGIC.iter().chain(&number).chain(&crc);
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

pub(super) fn crc32(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// How many bytes a frame with a body of `length` takes.
pub(super) fn frame_bytes(length: u32) -> u64 {
    (FRAME_HEADER_BYTES as u64 + u64::from(length)).next_multiple_of(ALIGN)
}

/// A frame's header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub length: u32,
    pub segment: u32,
    pub kind: u8,
    /// Counts the batches of this segment from 1.
    pub batch: u32,
    pub index: u64,
    /// Over the body.
    pub crc: u32,
}

impl Header {
    /// Reads a header whose own CRC is right.
    pub(super) fn read(bytes: &[u8; FRAME_HEADER_BYTES]) -> Option<Self> {
        let (fields, crc) = bytes.split_last_chunk::<4>()?;
        if u32::from_le_bytes(*crc) != crc32(&[fields]) {
            return None;
        }
        let word = |at: usize| fields.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        Some(Self {
            length: word(0)?,
            segment: word(4)?,
            kind: *fields.get(8)?,
            batch: word(12)?,
            index: u64::from(word(16)?) | u64::from(word(20)?) << 32,
            crc: word(24)?,
        })
    }

    pub(super) fn write(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut out = [0; FRAME_HEADER_BYTES];
        let words = [self.length, self.segment, u32::from(self.kind), self.batch].map(u32::to_le_bytes);
        let fields = words
            .as_flattened()
            .iter()
            .copied()
            .chain(self.index.to_le_bytes())
            .chain(self.crc.to_le_bytes());
        for (to, from) in out.iter_mut().zip(fields) {
            *to = from;
        }
        if let Some((fields, crc)) = out.split_last_chunk_mut::<4>() {
            *crc = crc32(&[fields]).to_le_bytes();
        }
        out
    }
}

/// Frames being put together for one write. Kept and cleared, so that its memory is reused.
#[derive(Debug, Default)]
pub struct Draft {
    bytes: Vec<u8>,
    /// Where each frame begins in `bytes`, and its kind and index.
    frames: Vec<(usize, u8, u64)>,
}

impl Draft {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.frames.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes so far, headers included.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a frame whose body `fill` appends to the buffer it is given. A body may not be empty.
    pub fn frame(&mut self, kind: u8, index: u64, fill: impl FnOnce(&mut Vec<u8>)) {
        self.frames.push((self.bytes.len(), kind, index));
        self.bytes.extend_from_slice(&[0; FRAME_HEADER_BYTES]);
        fill(&mut self.bytes);
        let end = self.bytes.len().next_multiple_of(ALIGN as usize);
        if let Some((start, ..)) = self.frames.last() {
            let body = self.bytes.len() - start - FRAME_HEADER_BYTES;
            let length = u32::try_from(body).unwrap_or(u32::MAX).to_le_bytes();
            for (to, from) in self.bytes.iter_mut().skip(*start).zip(length) {
                *to = from;
            }
        }
        self.bytes.resize(end, 0);
    }

    /// Forgets all frames but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        if let Some((start, ..)) = self.frames.get(count) {
            self.bytes.truncate(*start);
            self.frames.truncate(count);
        }
    }

    /// How many frames there are.
    pub fn count(&self) -> usize {
        self.frames.len()
    }

    /// Bytes of so many frames from `place` on, headers included.
    pub fn bytes_of(&self, place: usize, count: usize) -> usize {
        let start = |place: usize| self.frames.get(place).map_or(self.bytes.len(), |(start, ..)| *start);
        start(place + count).saturating_sub(start(place))
    }

    /// The body of the frame at `place`.
    pub fn body(&self, place: usize) -> Option<&[u8]> {
        let (start, ..) = self.frames.get(place)?;
        let (length, rest) = self.bytes.get(*start..)?.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        rest.get(FRAME_HEADER_BYTES - 4..FRAME_HEADER_BYTES - 4 + length)
    }

    /// Puts in the header of every frame and gives the bytes to write.
    pub(super) fn seal(&mut self, segment: u32, batch: u32) -> &[u8] {
        for place in 0..self.frames.len() {
            let Some(&(start, kind, index)) = self.frames.get(place) else { continue };
            let Some(body) = self.body(place) else { continue };
            let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
            let header = Header { length, segment, kind, batch, index, crc: crc32(&[body]) };
            for (to, from) in self.bytes.iter_mut().skip(start).zip(header.write()) {
                *to = from;
            }
        }
        &self.bytes
    }
}
