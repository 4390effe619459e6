//! The logs before the present one, which lie beside it where backups were restored: to be looked into as the
//! present one is. Nothing is ever added to them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::chain::Chain;
use super::fault::LedgerError;
use super::handle::{EVIDENCE, Ledger, journal_directory};
use super::opening::{erased_in, finish};
use super::pack::sealed_frames_of;
use super::previous::{EARLIER, Previous};
use super::read::Archive;
use crate::journal::{self, Disk, Medium as _, Position, SegmentFiles};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;
use crate::model::Digest;

/// A restore is rare, and folders lie within one another: more is no ledger of ours.
const LOGS_MAX: usize = 64;

/// A log before the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub log: String,
    /// Where it lies, or would: a host may have taken it away.
    pub folder: PathBuf,
    /// When the log after it began: no record of it is later.
    pub ended: Timestamp,
    key: String,
    checkpoint: String,
}

impl Earlier {
    /// Everything of it, to read; `None` where it is not there. Blocks.
    pub fn archive(&self) -> Result<Option<Archive>, LedgerError> {
        let journal = journal_directory(&self.folder);
        if !journal.is_dir() {
            return Ok(None);
        }
        let archive = Archive::closed(&journal)?;
        let (records, named) = (archive.size()?, self.checkpoint().map_or(0, |named| named.size));
        // A count over less than was restored would be wrong, and nobody would see it.
        if records == named { Ok(Some(archive)) } else { Err(LedgerError::NotAsNamed { records, named }) }
    }

    /// It is not where it should be.
    pub(super) fn absent(&self) -> LedgerError {
        LedgerError::File { what: "reading an earlier log's journal", error: io::ErrorKind::NotFound.into() }
    }

    /// Makes the sealed parts of records blank, as [`Ledger::blank`] does in the present log. Holds the journal
    /// alone meanwhile.
    pub(super) fn blank(&self, envelopes: &[Position]) -> Result<(), LedgerError> {
        let archive = self.archive()?.ok_or_else(|| self.absent())?;
        let by_segment = sealed_frames_of(archive.shelf(), envelopes, archive.end())?;
        let disk = Disk::open(&journal_directory(&self.folder))?;
        let mut medium = disk.packing().ok_or_else(|| self.absent())?;
        for (segment, frames) in &by_segment {
            journal::blank(&mut *medium, *segment, frames)?;
        }
        Ok(())
    }

    /// As it was up to there, from the files as they are now.
    pub fn upto(&self, end: Position) -> Archive {
        Archive::upto(Arc::new(SegmentFiles::new(&journal_directory(&self.folder))), end)
    }

    /// Its own key, as the log after it names it.
    pub fn verifier(&self) -> Option<VerifierKey> {
        VerifierKey::parse(&self.key).ok()
    }

    /// The signed note over all of it that was restored.
    pub fn note(&self) -> &str {
        &self.checkpoint
    }

    /// As its own key signed it.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        Checkpoint::open(&self.checkpoint, &self.verifier()?).ok()
    }
}

/// The logs before the one in a ledger's folder, newest first.
pub fn earlier(ledger: &Path) -> Result<Vec<Earlier>, LedgerError> {
    let mut all = Vec::new();
    let mut folder = ledger.to_owned();
    while let Some((previous, ended)) = Previous::with_end(&journal_directory(&folder))? {
        if all.len() == LOGS_MAX {
            break;
        }
        folder = folder.join(EARLIER).join(Previous::folder(&previous.log));
        let Previous { log, key, checkpoint, .. } = previous;
        all.push(Earlier { log, folder: folder.clone(), ended, key, checkpoint });
    }
    Ok(all)
}

impl Ledger {
    /// Bytes kept with a log before this one; `missing` if with none.
    pub(super) fn earlier_evidence(&self, digest: &Digest, missing: io::Error) -> io::Result<Vec<u8>> {
        let earlier = self.earlier().unwrap_or_default();
        let kept = |earlier: &Earlier| std::fs::read(earlier.folder.join(EVIDENCE).join(digest.hex())).ok();
        earlier.iter().find_map(kept).ok_or(missing)
    }

    /// Reads the logs before this one from their first records on, by the rules of a log. Blocks for long: `proceed`
    /// is asked before each segment, and nothing is found out if it says no, nor before the present log was read:
    /// it may name what is blank in them. Whether they were read.
    pub fn read_earlier(&self, proceed: &mut dyn FnMut() -> bool) -> Result<bool, LedgerError> {
        // A blank whose erasure is recorded meanwhile would look like damage.
        let _unerased = self.unerased();
        let Some(mut named) = self.names_before() else { return Ok(false) };
        let mut subject_keys = BTreeSet::new();
        for earlier in self.earlier()? {
            let (Some(archive), Some(key)) = (earlier.archive()?, earlier.verifier()) else { break };
            let mut chain = Chain::new(&key, false);
            for segment in archive.segments()? {
                if !proceed() {
                    return Ok(false);
                }
                archive.follow(&mut chain, segment)?;
            }
            named.get(&earlier.log).into_iter().for_each(|named| chain.erased_later(named));
            finish(&chain, archive.end().segment)?;
            self.set_erased_before(&earlier.log, erased_in(&chain));
            for (log, erases) in chain.erased_before() {
                named.entry(log.clone()).or_default().extend(erases);
            }
            self.0.subjects.are_destroyed(chain.destroyed().map(str::to_owned));
            subject_keys.extend(chain.subject_keys().map(str::to_owned));
        }
        self.0.subjects.are_named_before(subject_keys);
        Ok(true)
    }

    /// Whether there is a log before this one.
    pub fn has_earlier(&self) -> Result<bool, LedgerError> {
        Ok(Previous::of_journal(&journal_directory(self.directory()))?.is_some())
    }

    /// The logs before this one, newest first. Reads files.
    pub fn earlier(&self) -> Result<Vec<Earlier>, LedgerError> {
        earlier(self.directory())
    }
}
