//! What a new log says of the one before it, where a backup was restored: a restored backup never goes on
//! as the log it was, since others may hold receipts of what came after. `restore` leaves a file beside the
//! journal that is not there yet; the new log's first record says the same for ever.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chain::Broken;
use super::durable::write_durably;
use super::fault::LedgerError;
use super::handle::journal_directory;
use super::head::{EnvelopeHead, agreement_ref};
use super::opening::restored;
use super::walk::ENVELOPE;
use crate::journal::{Body, JournalFault, Scanner, SegmentFiles, Shelf as _};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::Note;
use crate::model::{AgreementRef, Digest, Life, LifeEvent};

/// The file's name, in the ledger's directory.
pub(super) const PREVIOUS: &str = "previous.json";

/// Folder of the logs before this one, in the ledger's directory, each in a folder of its own.
pub(super) const EARLIER: &str = "earlier";

/// The log before this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    pub log: String,
    /// Its verifier key.
    pub key: String,
    /// The signed note over what was restored of it.
    pub checkpoint: String,
    /// The signed note over the most of it that others are known to hold, if that is more.
    pub known: Option<String>,
    /// Every agreement seen in force in it, in its highest version: an older one may not come back.
    pub(super) agreements: Vec<(String, String)>,
    /// What officers and the host did that still counts, one line for each; logs that began before this was kept
    /// say nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) life: Vec<String>,
}

/// What a restore leaves for the start of the new log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restored {
    pub previous: Previous,
    /// The time of the last record restored: the new log does not begin before it.
    pub time_ms: i64,
}

impl Previous {
    pub(super) fn new(
        (log, key): (&str, &str),
        (checkpoint, known): (String, Option<String>),
        in_force: impl Iterator<Item = (AgreementRef, Digest)>,
        life: &Life,
    ) -> Self {
        let agreements = in_force.map(|(agreement, bytes)| (agreement.to_string(), bytes.to_string()));
        Self {
            log: log.to_owned(),
            key: key.to_owned(),
            checkpoint,
            known,
            agreements: agreements.collect(),
            life: life.events().map(|event| event.line()).collect(),
        }
    }

    /// The agreements that may come back in no older version.
    pub(super) fn in_force(&self) -> impl Iterator<Item = (AgreementRef, Digest)> + '_ {
        let read =
            |(agreement, bytes): &(String, String)| Some((agreement_ref(agreement)?, Digest::parse(bytes)?));
        self.agreements.iter().filter_map(read)
    }

    /// What the log before knew of. One that does not read could be a withdrawal, and is never passed over.
    pub(super) fn life(&self) -> Result<Vec<LifeEvent>, Broken> {
        let read = self.life.iter().map(|line| LifeEvent::parse(line)).collect::<Option<Vec<_>>>();
        read.ok_or("what the log before knew of does not all read")
    }

    /// The name of the folder the log lies in, below `earlier`: its own name, without what leads out of a
    /// folder.
    pub fn folder(log: &str) -> String {
        let legal = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        log.chars().map(legal).collect()
    }

    /// How many records of it are known to have been.
    pub fn size(&self) -> u64 {
        let size = |note: &str| Some(Checkpoint::parse(Note::parse(note).ok()?.text()).ok()?.size);
        let known = self.known.as_deref().and_then(size);
        size(&self.checkpoint).max(known).unwrap_or(0)
    }

    /// What the log in a ledger's folder says, or will where a restore left word.
    pub fn of_ledger(ledger: &Path) -> Result<Option<Self>, LedgerError> {
        let begun = Self::of_journal(&journal_directory(ledger))?;
        Ok(begun.or(restored(ledger)?.map(|restored| restored.previous)))
    }

    /// What the first record of a journal says. `None` where there is no journal, or none before it.
    pub fn of_journal(journal: &Path) -> Result<Option<Self>, JournalFault> {
        Ok(Self::with_end(journal)?.map(|(previous, _)| previous))
    }

    /// As [`of_journal`](Self::of_journal), with the time of that record: nothing of the log before is later.
    pub(super) fn with_end(journal: &Path) -> Result<Option<(Self, Timestamp)>, JournalFault> {
        let read = |head: EnvelopeHead<'_>| Some((head.previous?, head.time.parse().ok()?));
        Ok(first_record(journal, read)?.flatten())
    }
}

/// When the log in a ledger's folder began, if that was after a backup was restored: what happened between the
/// backup and then is on no record here.
pub fn restored_at(ledger: &Path) -> Result<Option<Timestamp>, JournalFault> {
    Ok(Previous::with_end(&journal_directory(ledger))?.map(|(_, begun)| begun))
}

/// What the head of a journal's first record is turned into; `None` where there is none that reads.
fn first_record<T>(
    journal: &Path,
    read: impl FnOnce(EnvelopeHead<'_>) -> T,
) -> Result<Option<T>, JournalFault> {
    let shelf = SegmentFiles::new(journal);
    match shelf.segments() {
        Ok(there) if there.is_empty() => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        listed => drop(listed.map_err(JournalFault::io("listing the journal"))?),
    }
    let mut scanner = Scanner::new(&shelf, 1)?;
    while let Some(frame) = scanner.next()? {
        if let (ENVELOPE, Body::Bytes(bytes)) = (frame.kind, frame.body) {
            return Ok(EnvelopeHead::read(bytes).map(read));
        }
    }
    Ok(None)
}

impl Restored {
    /// What a restore left in a ledger's directory, if there was one.
    pub(super) fn read(directory: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(directory.join(PREVIOUS)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Durable when it returns.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        write_durably(directory, PREVIOUS, &serde_json::to_vec(self)?)
    }
}
