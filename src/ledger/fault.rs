//! What can go wrong in the ledger, by who must act.

use std::fmt;

use crate::journal::{AFTER_DAMAGE, JournalFault};

/// Why a record was not made. Nothing of it may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unrecorded {
    /// More is waiting than the ledger takes: try again.
    Busy,
    /// There is no room for another segment; recovers by itself when there is.
    DiskFull,
    /// A write or sync failed, or damage was found: recording has ended until a restart.
    Stopped,
    /// The record is larger than a record may be.
    TooLarge,
    /// No randomness, or no subject key for the year.
    NoKey,
    /// No answer in time. The record may yet become durable, of something that never left.
    Late,
}

impl fmt::Display for Unrecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "more records wait than the ledger takes",
            Self::DiskFull => "no disk space for another segment of the journal",
            Self::Stopped => "the ledger has stopped after a fault",
            Self::TooLarge => "the record is larger than a record may be",
            Self::NoKey => "no randomness or no subject key for the year",
            Self::Late => "the ledger did not answer in time",
        })
    }
}

impl std::error::Error for Unrecorded {}

/// Why a ledger does not open.
#[derive(Debug)]
pub enum LedgerError {
    /// The journal could not be opened, or is damaged.
    Journal(JournalFault),
    /// A record is not what this log's rules say; the place is named.
    Record { segment: u32, offset: u64, index: u64, what: &'static str },
    /// A file beside the journal could not be read or written.
    File { what: &'static str, error: std::io::Error },
    /// A subject key file is not one.
    SubjectKey { year: i16 },
    /// The origin is not a legal name of a key.
    Origin,
    /// Others hold a checkpoint over more records than there are.
    Behind { records: u64, held: u64 },
    /// Others hold a checkpoint over other records than these.
    Forked { size: u64 },
    /// An earlier log has more or fewer records than the log after it names.
    NotAsNamed { records: u64, named: u64 },
    /// A record could not be made.
    Unrecorded(Unrecorded),
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => fault.fmt(f),
            Self::Record { segment, offset, index, what } => {
                write!(
                    f,
                    "damage at record {index}, in segment {segment} at byte {offset}: {what} ({AFTER_DAMAGE})"
                )
            }
            Self::File { what, error } => write!(f, "{what}: {error}"),
            Self::SubjectKey { year } => write!(
                f,
                "the subject key file of {year} is not one: `tolbooth ledger recover-subject-keys` puts it back"
            ),
            Self::Origin => f.write_str("the name of the log may not be empty nor hold a space or `+`"),
            Self::Behind { records, held } => write!(
                f,
                "the journal has {records} records, and a checkpoint over {held} was kept outside: an older copy was put in its place"
            ),
            Self::Forked { size } => write!(
                f,
                "the first {size} records are not those the checkpoint kept outside was signed over: the log was rewritten"
            ),
            Self::NotAsNamed { records, named } => write!(
                f,
                "it has {records} records, and the log after it says {named}: its folder has to be put back from a backup"
            ),
            Self::Unrecorded(why) => write!(f, "a record could not be made: {why}"),
        }
    }
}

impl std::error::Error for LedgerError {}

impl From<JournalFault> for LedgerError {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}
