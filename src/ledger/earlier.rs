//! The logs before the present one, which lie beside it where backups were restored: to be searched and exported,
//! and never written to.

use std::io;
use std::path::{Path, PathBuf};

use super::fault::LedgerError;
use super::handle::{EVIDENCE, Ledger, journal_directory};
use super::previous::{EARLIER, Previous};
use super::read::Archive;
use crate::journal::JournalFault;
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
    key: String,
}

impl Earlier {
    /// Everything of it, to read.
    pub fn archive(&self) -> Result<Archive, JournalFault> {
        Archive::offline(&journal_directory(&self.folder))
    }

    /// Its own key, as the log after it names it.
    pub fn verifier(&self) -> Option<VerifierKey> {
        VerifierKey::parse(&self.key).ok()
    }
}

/// The logs before the one in a ledger's folder, newest first.
pub fn earlier(ledger: &Path) -> Result<Vec<Earlier>, LedgerError> {
    let mut all = Vec::new();
    let mut folder = ledger.to_owned();
    while let Some(previous) = Previous::of_journal(&journal_directory(&folder))? {
        if all.len() == LOGS_MAX {
            break;
        }
        folder = folder.join(EARLIER).join(Previous::folder(&previous.log));
        all.push(Earlier { log: previous.log, folder: folder.clone(), key: previous.key });
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

    /// The logs before this one, newest first. Reads files.
    pub fn earlier(&self) -> Result<Vec<Earlier>, LedgerError> {
        earlier(self.directory())
    }
}
