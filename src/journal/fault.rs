//! What can go wrong with a journal.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::frame::Position;
use super::packed::Broken;

/// Why a journal does not open or read.
#[derive(Debug)]
pub enum JournalFault {
    /// Another process holds the directory.
    Locked { directory: PathBuf },
    /// The operating system refused; `what` names the step.
    Io { what: &'static str, error: io::Error },
    /// Something that is not a crash's doing. `index` is that of the broken frame where its header can
    /// still be read, else of the last whole one before it.
    Damaged { segment: u32, offset: u64, index: u64, what: &'static str },
    /// A segment is missing between others.
    Missing { segment: u32 },
}

/// What whoever comes upon damage is told to do: a repair by hand would destroy what can still be proved.
pub const AFTER_DAMAGE: &str = "change nothing: docs/runbook.md says how to go on";

impl JournalFault {
    /// For `map_err`.
    pub fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { what, error }
    }

    /// For `map_err` where a segment is read: what of a packed one does not read is damage at the frame
    /// that was wanted, and never an end. `index` as in [`Damaged`](Self::Damaged).
    pub(super) fn reading(at: Position, index: u64) -> impl FnOnce(io::Error) -> Self {
        move |error| match Broken::of(&error) {
            Some(what) => Self::Damaged { segment: at.segment, offset: at.offset, index, what },
            None => Self::Io { what: "reading a segment", error },
        }
    }
}

impl fmt::Display for JournalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { directory } => {
                write!(f, "{} is in use by another process: stop that one first", directory.display())
            }
            Self::Io { what, error } => write!(f, "{what}: {error}"),
            Self::Damaged { segment, offset, index, what } => {
                write!(
                    f,
                    "damage at record {index}, in segment {segment} at byte {offset}: {what} ({AFTER_DAMAGE})"
                )
            }
            Self::Missing { segment } => {
                write!(f, "segment {segment} of the journal is missing ({AFTER_DAMAGE})")
            }
        }
    }
}

impl std::error::Error for JournalFault {}

/// Why a batch was not appended.
#[derive(Debug)]
pub enum AppendFault {
    /// It does not fit into this segment, and there is no next one. Nothing was written.
    Full,
    /// It fits into no segment. Nothing was written.
    TooLarge,
    /// A write or sync failed: what is on the disk is not known. Never tried again.
    Broken(io::Error),
}

impl fmt::Display for AppendFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("there is no next segment for this batch"),
            Self::TooLarge => f.write_str("the batch is larger than a segment"),
            Self::Broken(error) => write!(f, "writing the journal failed: {error}"),
        }
    }
}

impl std::error::Error for AppendFault {}
