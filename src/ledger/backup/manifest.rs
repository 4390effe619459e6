//! What a backup holds: every file with its length and digest, under the checkpoint it was made up to. The
//! manifest is not signed: what proves the journal is the checkpoint; this finds what is missing or rotten.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::super::handle::{JOURNAL, SUBJECT_KEYS};
use super::BackupFault;
use crate::crypto::Hasher;
use crate::model::Digest;

/// The file's name, in the backup's folder.
pub(in crate::ledger) const MANIFEST: &str = "manifest.json";

/// Raised when the layout of a backup changes.
const FORMAT: u64 = 1;

/// A backup's table of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u64,
    pub log: String,
    /// The log's verifier key.
    pub key: String,
    /// The signed note over everything in the backup.
    pub checkpoint: String,
    pub records: u64,
    /// When, in UTC.
    pub made: String,
    /// Path below the backup's folder, length and digest of each file.
    pub(super) files: Vec<Listed>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub path: String,
    pub bytes: u64,
    pub digest: String,
}

impl Manifest {
    pub(super) fn new(
        (log, key): (String, String),
        (records, checkpoint): (u64, String),
        made: String,
        files: Vec<Listed>,
    ) -> Self {
        Self { format: FORMAT, log, key, checkpoint, records, made, files }
    }

    /// What a backup's folder holds. `None` where there is no folder, or an empty one.
    pub fn read(folder: &Path) -> Result<Option<Self>, BackupFault> {
        let is_empty = fs::read_dir(folder).map_or_else(
            |error| error.kind() == io::ErrorKind::NotFound,
            |mut entries| entries.next().is_none(),
        );
        if is_empty {
            return Ok(None);
        }
        let path = folder.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupFault::NoBackup(folder.to_owned()));
            }
            Err(error) => return Err(BackupFault::Io { path, error }),
        };
        let read: Option<Self> = serde_json::from_slice(&bytes).ok();
        let legal = read.filter(|manifest| manifest.format == FORMAT && manifest.files.iter().all(stays));
        legal.map(Some).ok_or_else(|| BackupFault::NoBackup(folder.to_owned()))
    }

    /// Whether every file is there with its bytes.
    pub fn check(&self, folder: &Path) -> Result<(), BackupFault> {
        Self::check_all(self.files.iter(), folder)
    }

    /// As [`check`](Self::check), without the segments of journals, and wrapped keys that are gone.
    pub fn check_beside_journals(&self, folder: &Path) -> Result<(), BackupFault> {
        let is_beside = |listed: &&Listed| {
            let within = Path::new(&listed.path).parent();
            // A wrapped copy goes with its key.
            let is_gone =
                |within: &Path| within.ends_with(SUBJECT_KEYS) && !folder.join(&listed.path).exists();
            within.is_none_or(|within| !within.ends_with(JOURNAL) && !is_gone(within))
        };
        Self::check_all(self.files.iter().filter(is_beside), folder)
    }

    fn check_all<'l>(files: impl Iterator<Item = &'l Listed>, folder: &Path) -> Result<(), BackupFault> {
        for listed in files {
            let path = folder.join(&listed.path);
            let found = digest_of(&path).map_err(|error| BackupFault::Io { path: path.clone(), error })?;
            if found != (listed.bytes, listed.digest.clone()) {
                return Err(BackupFault::Rotten(path));
            }
        }
        Ok(())
    }

    /// Where its files are, below the backup's folder.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|listed| listed.path.as_str())
    }

    pub(super) fn listed(&self, path: &str) -> Option<&Listed> {
        self.files.iter().find(|listed| listed.path == path)
    }
}

/// A path that leads out of the folder is nobody's.
fn stays(listed: &Listed) -> bool {
    let mut parts = Path::new(&listed.path).components();
    !listed.path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Length and digest of a file's bytes.
pub(super) fn digest_of(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::default();
    let (mut buffer, mut bytes) = (vec![0; super::copy::CHUNK_BYTES], 0);
    loop {
        let read = file.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        hasher.update(chunk);
        bytes += read as u64;
    }
    Ok((bytes, Digest(hasher.finish()).to_string()))
}
