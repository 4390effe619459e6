//! A packed segment: the bytes of a segment that grows no more, in compressed blocks. Read here; made in
//! `pack.rs`. The layout is in the module's own text.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use zstd::bulk::Decompressor;

use super::frame::crc32;

/// How much of a segment is one block: larger ones pack a little better, and a look-up inflates one whole.
/// Chosen by measure: `docs/decisions/0043-smaller-blocks-and-the-end-held.md`.
pub(super) const BLOCK_BYTES: u32 = 16 << 10;
/// A reader holds a few blocks, so that what a file says of their size is bounded.
const BLOCK_BYTES_MAX: u32 = 1 << 20;
/// Blocks a reader keeps inflated: as many as a scan's window goes over.
const HELD_BLOCKS_MAX: usize = 16;

const MAGIC: &[u8; 16] = b"tolbooth packed1";
const HEAD_BYTES: usize = 32;
const ENTRY_BYTES: usize = 8;
const CRC_BYTES: usize = 4;

/// What is wrong with a packed file, within an `io::Error` of kind `InvalidData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken(pub &'static str);

impl Broken {
    pub(super) fn error(what: &'static str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Self(what))
    }

    /// What is wrong, if that is why reading failed.
    pub(super) fn of(error: &io::Error) -> Option<&'static str> {
        Some(error.get_ref()?.downcast_ref::<Self>()?.0)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Broken {}

const NOT_ONE: &str = "the head or index of the packed segment is not one";
const OTHER: &str = "the packed segment is another segment's";
const CUT: &str = "the packed segment is shorter or longer than its index says";
const BLOCK: &str = "a block of the packed segment does not read";

/// What the front of a packed file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    pub segment: u32,
    /// Of the segment as it was.
    pub length: u64,
    pub block_bytes: u32,
    pub blocks: Vec<Entry>,
}

/// One block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// How many bytes it takes here; none if it is all zeros.
    pub stored: u32,
    /// Over these.
    pub crc: u32,
}

impl Index {
    /// How many bytes the front of a file with so many blocks takes.
    pub(super) fn bytes(blocks: u64) -> u64 {
        (HEAD_BYTES + CRC_BYTES) as u64 + blocks * ENTRY_BYTES as u64
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.segment.to_le_bytes());
        out.extend(self.block_bytes.to_le_bytes());
        out.extend(self.length.to_le_bytes());
        for entry in &self.blocks {
            out.extend(entry.stored.to_le_bytes());
            out.extend(entry.crc.to_le_bytes());
        }
        out.extend(crc32(&[&out]).to_le_bytes());
        out
    }

    /// Reads the front of a file of `file_bytes` bytes.
    fn read(file: &File, file_bytes: u64) -> io::Result<Self> {
        let mut head = [0; HEAD_BYTES];
        file.read_exact_at(&mut head, 0).map_err(cut)?;
        let word = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let words = (word(16), word(20), word(24), word(28));
        let (Some(segment), Some(block_bytes), Some(low), Some(high)) = words else {
            return Err(Broken::error(NOT_ONE));
        };
        let length = u64::from(low) | u64::from(high) << 32;
        if !head.starts_with(MAGIC) || !(1..=BLOCK_BYTES_MAX).contains(&block_bytes) {
            return Err(Broken::error(NOT_ONE));
        }
        let count = length.div_ceil(u64::from(block_bytes));
        // Before any memory is taken for it: a file holds its own index.
        if count.checked_mul(ENTRY_BYTES as u64).is_none_or(|bytes| bytes > file_bytes) {
            return Err(Broken::error(CUT));
        }
        let mut rest = vec![0; usize::try_from(Self::bytes(count)).unwrap_or(0).saturating_sub(HEAD_BYTES)];
        file.read_exact_at(&mut rest, HEAD_BYTES as u64).map_err(cut)?;
        let (entries, crc) = rest.split_last_chunk::<CRC_BYTES>().ok_or_else(|| Broken::error(CUT))?;
        if u32::from_le_bytes(*crc) != crc32(&[&head, entries]) {
            return Err(Broken::error(NOT_ONE));
        }
        let entry = |bytes: &[u8; ENTRY_BYTES]| {
            let [a, b, c, d, e, f, g, h] = *bytes;
            Entry { stored: u32::from_le_bytes([a, b, c, d]), crc: u32::from_le_bytes([e, f, g, h]) }
        };
        let blocks = entries.as_chunks::<ENTRY_BYTES>().0.iter().map(entry).collect();
        Ok(Self { segment, length, block_bytes, blocks })
    }
}

fn cut(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { Broken::error(CUT) } else { error }
}

/// A packed segment, open to read. Whoever replaces the file leaves this one whole.
pub struct Packed {
    file: File,
    index: Index,
    /// Where each block begins in the file.
    starts: Vec<u64>,
    /// The blocks inflated last, the latest in front.
    held: Mutex<VecDeque<(usize, Arc<[u8]>)>>,
}

thread_local! {
    /// Some 100 KiB, and made anew for each block it would take as long as the block; for each segment, as long as
    /// opening that.
    static INFLATER: RefCell<Decompressor<'static>> = RefCell::default();
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed(segment {})", self.index.segment)
    }
}

impl Packed {
    /// Opens the file of a segment. Its front is checked whole, its blocks as they are read.
    pub(super) fn open(path: &Path, segment: u32) -> io::Result<Self> {
        let file = File::open(path)?;
        let file_bytes = file.metadata()?.len();
        let index = Index::read(&file, file_bytes)?;
        if index.segment != segment {
            return Err(Broken::error(OTHER));
        }
        let mut at = Index::bytes(index.blocks.len() as u64);
        let mut starts = Vec::with_capacity(index.blocks.len());
        for entry in &index.blocks {
            starts.push(at);
            at += u64::from(entry.stored);
        }
        if at != file_bytes {
            return Err(Broken::error(CUT));
        }
        Ok(Self { file, index, starts, held: Mutex::default() })
    }

    /// How many bytes the segment has.
    pub(super) fn length(&self) -> u64 {
        self.index.length
    }

    /// As [`Shelf::read`](super::Shelf::read).
    pub(super) fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset + done as u64;
            if at >= self.index.length {
                break;
            }
            let block_bytes = u64::from(self.index.block_bytes);
            let number = usize::try_from(at / block_bytes).unwrap_or(usize::MAX);
            let skip = usize::try_from(at % block_bytes).unwrap_or(usize::MAX);
            let block = self.block(number)?;
            let from = block.get(skip..).unwrap_or_default();
            let count = from.len().min(rest.len());
            match (rest.get_mut(..count), from.get(..count)) {
                (Some(to), Some(from)) if count > 0 => to.copy_from_slice(from),
                _ => return Err(Broken::error(BLOCK)),
            }
            done += count;
        }
        Ok(done)
    }

    /// As [`Shelf::written_from`](super::Shelf::written_from): blocks of zeros are known as such.
    pub(super) fn written_from(&self, offset: u64) -> Option<u64> {
        let block_bytes = u64::from(self.index.block_bytes);
        let first = usize::try_from(offset / block_bytes).unwrap_or(usize::MAX);
        let written = self.index.blocks.get(first..)?.iter().position(|entry| entry.stored > 0)?;
        Some(offset.max((first + written) as u64 * block_bytes))
    }

    /// One block's bytes, inflated.
    pub(super) fn block(&self, number: usize) -> io::Result<Arc<[u8]>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, block)) = held.iter().find(|(known, _)| *known == number) {
            return Ok(Arc::clone(block));
        }
        // Under the lock: two who want one block inflate it once, and no more is ever in memory.
        let block: Arc<[u8]> = self.inflate(number)?.into();
        held.truncate(HELD_BLOCKS_MAX - 1);
        held.push_front((number, Arc::clone(&block)));
        Ok(block)
    }

    fn inflate(&self, number: usize) -> io::Result<Vec<u8>> {
        let entry = self.index.blocks.get(number).zip(self.starts.get(number));
        let (entry, start) = entry.ok_or_else(|| Broken::error(CUT))?;
        let block_bytes = u64::from(self.index.block_bytes);
        let length = self.index.length.saturating_sub(number as u64 * block_bytes).min(block_bytes);
        let length = usize::try_from(length).unwrap_or(0);
        if entry.stored == 0 {
            return Ok(vec![0; length]);
        }
        let mut stored = vec![0; entry.stored as usize];
        self.file.read_exact_at(&mut stored, *start).map_err(cut)?;
        if crc32(&[&stored]) != entry.crc {
            return Err(Broken::error(BLOCK));
        }
        // Never longer than a block, whatever the bytes say.
        let inflated = INFLATER.with_borrow_mut(|inflater| inflater.decompress(&stored, length));
        let block = inflated.map_err(|_| Broken::error(BLOCK))?;
        if block.len() == length { Ok(block) } else { Err(Broken::error(BLOCK)) }
    }
}
