//! Where segments lie. A trait, so that tests can lie on something that fails.

use std::io;
use std::sync::Arc;

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
}
