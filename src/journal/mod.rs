//! An append-only journal of frames in preallocated segment files. Knows bytes, not what they mean.
//!
//! ```text
//! segment file   NNNNNNNN.segment, numbered from 1; preallocated, so what is not written is zeros
//!   head         32 bytes: "tolbooth journal", segment number (u32), CRC-32 of these 20 bytes (u32), 8 zeros
//!   frame ...    each at a multiple of 8 bytes, padded with zeros
//!     header     32 bytes: length of the body (u32), segment number (u32), kind (u8), 3 zeros, batch in
//!                this segment from 1 (u32), index (u64), CRC-32 of the body (u32), CRC-32 of these 28
//!                bytes (u32)
//!     body       length bytes, at least one
//!   zeros        to the end of the file
//!
//! packed file    NNNNNNNN.packed, in the place of a segment that grows no more: the same bytes in blocks
//!   head         32 bytes: "tolbooth packed1", segment number (u32), bytes of a block (u32), bytes of
//!                the segment (u64)
//!   index        for each block: how many bytes it takes here (u32), CRC-32 of them (u32); none and 0 for
//!                a block of zeros. Then CRC-32 of head and index (u32)
//!   blocks       one behind the other to the end of the file, each one Zstandard frame (RFC 8878)
//! ```
//!
//! All numbers are little endian; the CRC-32 is that of zlib. A frame whose body is all zeros under a
//! CRC of 0 is *blank*: erased on purpose, which only the reader's own rules can allow.
//!
//! One batch of frames is one write and one fdatasync; its last frame has [`ENDS_BATCH`] in its kind. A
//! batch lies in one segment. What a crash may leave is therefore at most one batch that was never
//! acknowledged, at the end of the last segment, whole or with holes of zeros where sectors were not
//! written. Recovery drops that and nothing else; anything else that does not read is damage.
//!
//! A segment is packed only when a later one has something durable in it. Everything above reads the same
//! bytes at the same places, packed or not.

mod disk;
mod fault;
mod files;
mod frame;
mod medium;
mod pack;
mod packed;
mod packing;
mod recover;
mod scan;
mod write;

pub use disk::Disk;
pub use fault::{AFTER_DAMAGE, AppendFault, JournalFault};
pub use files::SegmentFiles;
pub use frame::{Body, Draft, ENDS_BATCH, FRAME_HEADER_BYTES, Frame, Position};
pub use medium::{Medium, PackMedium, Shelf};
pub use pack::{blank, pack};
pub use packed::Packed;
pub use recover::{Ending, closed_ending, ending};
pub use scan::Scanner;
pub use write::{Journal, Recovered, SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MIN};
