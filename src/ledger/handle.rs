//! The handle through which everybody records.

use std::path::PathBuf;

use super::entry::Record;
use super::fault::{LedgerError, Unrecorded};
use super::receipt::Receipt;
use crate::clock::Clock;
use crate::crypto::SigningKey;
use crate::model::{AgreementRef, Digest};

/// What a ledger is opened with.
#[derive(Debug)]
pub struct LedgerConfig {
    /// Holds the journal, the evidence and the subject keys.
    pub directory: PathBuf,
    /// The one name of the log, such as `glenmore.caledonia.example/ledger`; also its key's name.
    pub origin: String,
    pub key: SigningKey,
    /// See [`SEGMENT_BYTES_DEFAULT`](crate::journal::SEGMENT_BYTES_DEFAULT).
    pub segment_bytes: u64,
    /// How many records may wait; more are refused as [`Unrecorded::Busy`].
    pub waiting_max: usize,
}

/// What opening found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// How many records the log had.
    pub records: u64,
    /// Whether a batch that was never acknowledged was dropped.
    pub dropped: bool,
    /// Older segments that were not read: the host should have them verified behind the road.
    pub unread_segments: u32,
}

/// Whether the ledger records, for readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    Healthy,
    /// Recording, but the next segment could not be made yet.
    LowSpace,
    /// Refusing for want of space; recovers by itself.
    DiskFull,
    /// Ended by a failed write or by damage; only a restart helps.
    Stopped,
}

/// The ledger. Copies share one writer; it ends with the last copy.
#[derive(Clone)]
pub struct Ledger {}

impl Ledger {
    /// Opens or begins the log in a directory, and holds it alone.
    pub fn open(_config: LedgerConfig, _clock: Clock) -> Result<(Self, Opened), LedgerError> {
        Err(LedgerError::Origin)
    }

    /// Records, and answers when the record is durable. Without a receipt nothing may leave.
    pub async fn append(&self, _record: Record) -> Result<Receipt, Unrecorded> {
        Err(Unrecorded::Stopped)
    }

    /// As [`append`](Self::append), for a thread of its own.
    pub fn append_blocking(&self, _record: Record) -> Result<Receipt, Unrecorded> {
        Err(Unrecorded::Stopped)
    }

    /// Keeps bytes as `evidence/<sha256>`, durably. Blocks.
    pub fn keep_evidence(&self, _bytes: &[u8]) -> Result<Digest, LedgerError> {
        Err(LedgerError::Origin)
    }

    /// Records that a ruleset comes into force; its files are kept as evidence before. Blocks.
    pub fn ruleset(
        &self,
        _digest: Digest,
        _files: &[(String, Digest)],
        _agreements: Vec<(AgreementRef, Digest)>,
    ) -> Result<Receipt, LedgerError> {
        Err(LedgerError::Origin)
    }

    pub fn state(&self) -> State {
        State::Stopped
    }

    /// The last signed checkpoint.
    pub fn checkpoint(&self) -> String {
        String::new()
    }
}
