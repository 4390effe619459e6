//! Where segments lie. A trait, so that tests can lie on something that fails.

use std::io;
use std::sync::Arc;

use super::packed::Packed;

/// Segments that can be read.
pub trait Shelf: Send + Sync {
    /// The numbers of all segments, ascending.
    fn segments(&self) -> io::Result<Vec<u32>>;

    /// How many bytes a segment has.
    fn length(&self, segment: u32) -> io::Result<u64>;

    /// Fills `into` from `offset`; fewer bytes only at the end of the segment.
    fn read(&self, segment: u32, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Where, from `offset` on, something other than zeros may stand; `None` if nothing does. So that
    /// what was made in advance and never written need not be read.
    fn written_from(&self, segment: u32, offset: u64) -> io::Result<Option<u64>> {
        Ok((offset < self.length(segment)?).then_some(offset))
    }

    /// Whether a segment is packed: then a later one has something durable in it.
    fn is_packed(&self, _segment: u32) -> io::Result<bool> {
        Ok(false)
    }
}

/// Segments that can be written, by one process for as long as this lives.
pub trait Medium: Send + 'static {
    /// The same segments for readers, who need no lock.
    fn shelf(&self) -> Arc<dyn Shelf>;

    /// Makes a segment of `bytes` bytes: `head`, then zeros that cost no space later. Durable with its
    /// name when this returns; on an error there is no such segment.
    fn create(&mut self, segment: u32, bytes: u64, head: &[u8]) -> io::Result<()>;

    /// Overwrites bytes of a segment. Not durable until [`sync`](Self::sync).
    fn write(&mut self, segment: u32, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable (fdatasync).
    fn sync(&mut self, segment: u32) -> io::Result<()>;

    /// Makes everything from `offset` on zeros again, durably, with its space still reserved; cut short, it has
    /// zeroed some of it and nothing else.
    fn wipe(&mut self, segment: u32, offset: u64) -> io::Result<()>;

    /// What is read of a segment from now on is what its disk has, as far as can be told: after a sync that
    /// failed, memory may hold what the disk does not.
    fn reread(&mut self, _segment: u32) {}

    /// What packs the sealed segments of this medium beside its writer, under the same lock; `None` where
    /// it cannot.
    fn packing(&self) -> Option<Box<dyn PackMedium>> {
        None
    }
}

/// Where packed segments are made. One is made at a time.
pub trait PackMedium: Send {
    /// The segments as everybody reads them.
    fn shelf(&self) -> Arc<dyn Shelf>;

    /// Only those segments that are not packed, or still lie beside their packed file.
    fn unpacked(&self) -> Arc<dyn Shelf>;

    /// The packed file of a segment as it lies there, whether or not it is read.
    fn packed(&self, segment: u32) -> io::Result<Packed>;

    /// Begins a packed file that nobody reads yet.
    fn begin(&mut self, segment: u32) -> io::Result<()>;

    /// Writes to what was begun.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was begun durable.
    fn sync(&mut self) -> io::Result<()>;

    /// What was begun, to read it back.
    fn unfinished(&self, segment: u32) -> io::Result<Packed>;

    /// Puts what was begun in its place, in one step; durable under its name when this returns.
    fn put(&mut self, segment: u32) -> io::Result<()>;

    /// Forgets what was begun.
    fn abandon(&mut self, segment: u32) -> io::Result<()>;

    /// Removes the unpacked file of a segment that is packed.
    fn remove_unpacked(&mut self, segment: u32) -> io::Result<()>;
}
