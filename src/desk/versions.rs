//! The versions of agreements ever in force and the grants that were used, as a start and the folding read them
//! from the journal; and why either ends early.

use std::fmt;
use std::io;
use std::path::Path;

use crate::journal::JournalFault;
use crate::ledger::{Archive, Entry, Folded, Ledger, Opened, fold_entry};
use crate::store::{IndexKey, StoreError, Versions};

/// Why folding ended early.
#[derive(Debug)]
pub enum FoldFault {
    Journal(JournalFault),
    Store(StoreError),
}

impl fmt::Display for FoldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => write!(f, "the journal: {fault}"),
            Self::Store(fault) => write!(f, "the store: {fault}"),
        }
    }
}

impl std::error::Error for FoldFault {}

impl From<JournalFault> for FoldFault {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}

impl From<StoreError> for FoldFault {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

impl From<io::Error> for FoldFault {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What was ever in force or used, read before anything is decided: an older version may not come back because
/// the gateway was restarted. Segments that neither the store's file nor the ledger's opening has read are
/// read here.
pub fn versions_at_start(
    directory: &Path,
    ledger: &Ledger,
    opened: &Opened,
    key: &IndexKey,
) -> Result<Versions, FoldFault> {
    let mut versions = read_versions(directory, ledger, key)?;
    opened.in_force.iter().for_each(|(agreement, bytes)| versions.note(agreement, *bytes));
    opened.used.iter().for_each(|grant| versions.note_used(grant.clone()));
    let archive = ledger.archive();
    let unread = archive.segments()?.into_iter().take(opened.unread_segments);
    let begin = versions.next_segment();
    for segment in unread.filter(|segment| u64::from(*segment) >= begin) {
        note_versions(&archive, segment, &mut versions)?;
    }
    // What was read last is the last word.
    opened.life.events().for_each(|event| versions.lived(event));
    Ok(versions)
}

/// Versions of more segments than the journal has are of another one, whatever its name.
pub(super) fn read_versions(
    directory: &Path,
    ledger: &Ledger,
    key: &IndexKey,
) -> Result<Versions, FoldFault> {
    let log = ledger.verifier().name();
    let versions = Versions::read(&Versions::beside(directory), log, key);
    let last = last_segment(&ledger.archive())?;
    Ok(if versions.next_segment() <= last + 1 { versions } else { Versions::nothing(log) })
}

pub(super) fn note_versions(
    archive: &Archive,
    segment: u32,
    versions: &mut Versions,
) -> Result<(), JournalFault> {
    archive.fold(segment, &mut |found| note(found, versions))
}

pub(super) fn note_rare(entry: &Entry<'_>, versions: &mut Versions) {
    // Rare, and read a second time: what is in force or used has one reader.
    fold_entry(entry, &mut |found| note(found, versions));
}

fn note(found: Folded, versions: &mut Versions) {
    match found {
        Folded::InForce { agreement, bytes } => versions.note(&agreement, bytes),
        Folded::GrantUsed { grant } => versions.note_used(grant),
        Folded::Life(event) => versions.lived(event),
        Folded::Leaf { .. } | Folded::Exchange { .. } | Folded::Checkpoint { .. } => {}
    }
}

pub(super) fn last_segment(archive: &Archive) -> Result<u64, JournalFault> {
    Ok(archive.segments()?.last().copied().map_or(0, u64::from))
}
