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
//! ```
//!
//! All numbers are little endian; the CRC-32 is that of zlib. A frame whose body is all zeros under a
//! CRC of 0 is *blank*: erased on purpose, which only the reader's own rules can allow.
//!
//! One batch of frames is one write and one fdatasync; its last frame has [`ENDS_BATCH`] in its kind. A
//! batch lies in one segment. What a crash may leave is therefore at most one batch that was never
//! acknowledged, at the end of the last segment, whole or with holes of zeros where sectors were not
//! written. Recovery drops that and nothing else; anything else that does not read is damage.

mod disk;
mod fault;
mod frame;
mod medium;
mod recover;
mod scan;
mod write;

pub use disk::{Disk, SegmentFiles};
pub use fault::{AFTER_DAMAGE, AppendFault, JournalFault};
pub use frame::{Body, Draft, ENDS_BATCH, FRAME_HEADER_BYTES, Frame, Position};
pub use medium::{Medium, Shelf};
pub use recover::{Ending, ending};
pub use scan::Scanner;
pub use write::{Journal, Recovered, SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MIN};
