//! A backup while the gateway serves: the journal up to a checkpoint, evidence, and subject keys in their wrapped
//! form, in a folder that `verify` reads as it is and that is replaced whole or not at all.
//!
//! ```text
//! manifest.json        what is here, with digests
//! checkpoint           the signed note over it
//! ledger.vkey          the log's public key
//! journal/             segments, as they are
//! evidence/<sha256>    bytes that records name
//! subject-keys/        wrapped to the recovery keys
//! earlier/<log>/       the logs before this one, each in just this form
//! ```
//!
//! Never here: the key that signs the log, which no other log may use, and subject keys as they are, which with
//! the journal re-identify people.

mod copy;
mod manifest;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::copy::{Staging, put_back};
use super::handle::{Ledger, journal_directory};
use super::previous::EARLIER;
use super::search::Progress;
use super::verify::{VerifyFault, held, verify_journal};
use crate::journal::SegmentFiles;
use crate::model::Digest;

pub(super) use self::copy::make_folder;
pub(super) use self::manifest::MANIFEST;
pub use self::manifest::Manifest;

/// The ending of a subject key wrapped to recovery keys: no other file of that folder is copied.
pub(super) const WRAPPED: &str = ".wrapped";

/// How files of earlier logs end that are no part of them: keys as they are, a journal's lock, and a segment that an
/// erasure had not finished.
const NOT_COPIED: [&str; 3] = [".key", "lock", ".packing"];

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub log: String,
    pub records: u64,
    pub checkpoint: String,
    /// Whether an older backup was there, and only what is new was copied.
    pub incremental: bool,
    pub new_files: u64,
    pub new_bytes: u64,
    /// Evidence whose bytes are not those of its name: it could not be copied.
    pub rotten: Vec<String>,
    pub wrapped_keys: u64,
}

/// Why there is no new backup. The older one is as it was.
#[derive(Debug)]
pub enum BackupFault {
    /// The folder holds something else.
    NoBackup(PathBuf),
    /// The folder holds the backup of another log.
    OtherLog {
        folder: PathBuf,
        log: String,
    },
    /// The older backup holds more than the journal.
    Ahead {
        held: u64,
        records: u64,
    },
    /// The folder lies in what is to be saved.
    Inside(PathBuf),
    /// A file is not what the manifest says.
    Rotten(PathBuf),
    Io {
        path: PathBuf,
        error: io::Error,
    },
    /// What was written does not verify.
    Verify(VerifyFault),
}

impl fmt::Display for BackupFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBackup(folder) => {
                let folder = folder.display();
                write!(f, "{folder} holds files that are no backup: name a new or an empty folder")
            }
            Self::OtherLog { folder, log } => {
                let folder = folder.display();
                write!(f, "{folder} holds a backup of the log {log}: each log has a folder of its own")
            }
            Self::Ahead { held, records } => write!(
                f,
                "the backup has {held} records and the journal {records}: an older copy of the journal was put in its place"
            ),
            Self::Inside(folder) => {
                let folder = folder.display();
                write!(f, "{folder} lies in the ledger's own folder: a backup is kept elsewhere")
            }
            Self::Rotten(path) => {
                let path = path.display();
                write!(f, "{path} is not what the manifest says: take that backup away, and make a new one")
            }
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Verify(fault) => write!(f, "what was written does not verify: {fault}"),
        }
    }
}

impl std::error::Error for BackupFault {}

impl Ledger {
    /// Makes a backup at `into`, or brings the one there up to now. Blocks for as long as copying takes and reads
    /// everything back; records go on meanwhile.
    pub fn backup(
        &self,
        into: &Path,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Backup, BackupFault> {
        let source = self.directory();
        let older = self.older(into, source)?;
        let against = older.as_ref().map(|older| held(&older.checkpoint, self.verifier())).transpose();
        let against: Vec<_> = against.map_err(BackupFault::Verify)?.into_iter().collect();
        let incremental = older.is_some();
        let mut staging = Staging::begin(into, older)?;
        self.copy_earlier(&mut staging, source)?;
        let (records, checkpoint) = self.copy_journal(&mut staging, progress)?;
        // Evidence is durable before a record names it: what the journal above names is there by now.
        let rotten = copy_evidence(&mut staging, source)?;
        let wrapped_keys = copy_wrapped(&mut staging, source)?;
        let key = self.verifier().to_string();
        staging.bytes(checkpoint.as_bytes(), "checkpoint")?;
        staging.bytes(format!("{key}\n").as_bytes(), "ledger.vkey")?;
        let log = self.verifier().name().to_owned();
        let names = (log.clone(), key);
        let made = format!("{now:.0}");
        let manifest = Manifest::new(names, (records, checkpoint.clone()), made, staging.listed());
        staging.seal(&manifest)?;
        verify_journal(&journal_directory(staging.folder()), self.verifier(), &against, progress)
            .map_err(BackupFault::Verify)?;
        manifest.check(staging.folder())?;
        let (new_files, new_bytes) = (staging.new_files, staging.new_bytes);
        staging.take_name()?;
        Ok(Backup { log, records, checkpoint, incremental, new_files, new_bytes, rotten, wrapped_keys })
    }

    /// The backup that is there, if it is one of this log and not ahead of it.
    fn older(&self, into: &Path, source: &Path) -> Result<Option<Manifest>, BackupFault> {
        let absolute = std::path::absolute(into).unwrap_or_else(|_| into.to_owned());
        let source = std::path::absolute(source).unwrap_or_else(|_| source.to_owned());
        if absolute.starts_with(&source) {
            return Err(BackupFault::Inside(into.to_owned()));
        }
        put_back(into)?;
        let Some(older) = Manifest::read(into)? else { return Ok(None) };
        if older.log != self.verifier().name() {
            return Err(BackupFault::OtherLog { folder: into.to_owned(), log: older.log });
        }
        let records = self.size();
        if older.records > records {
            return Err(BackupFault::Ahead { held: older.records, records });
        }
        Ok(Some(older))
    }

    /// The logs before this one, before this one and with no erasure under way: what is blank in them by then has
    /// its erasure in the journal that is copied after.
    fn copy_earlier(&self, staging: &mut Staging, source: &Path) -> Result<(), BackupFault> {
        let _unerased = self.unerased();
        copy_all(staging, &source.join(EARLIER), EARLIER)
    }

    /// Sealed segments first, and the checkpoint after them: a sealed part that was blanked meanwhile has its
    /// erasure record before the checkpoint then. Gives the size and the note.
    fn copy_journal(
        &self,
        staging: &mut Staging,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(u64, String), BackupFault> {
        let journal = journal_directory(self.directory());
        let shelf = SegmentFiles::new(&journal);
        let mut copied = 0;
        let mut present = self.present();
        loop {
            let end = present.archive.end();
            for segment in copied + 1..end.segment {
                copy_sealed(staging, &journal, segment)?;
                let (done, all) = (segment as usize, end.segment as usize);
                progress(Progress { records: 0, segments: done, segments_all: all });
            }
            copied = end.segment - 1;
            present = self.present();
            if present.archive.end().segment == end.segment {
                let end = present.archive.end();
                staging.segment(&shelf, end.segment, end.offset)?;
                return Ok((present.size, present.checkpoint));
            }
        }
    }
}

/// A segment that grows no more, in whatever form it is kept; it may change its form meanwhile.
fn copy_sealed(staging: &mut Staging, journal: &Path, segment: u32) -> Result<(), BackupFault> {
    let forms = ["packed", "segment", "packed"];
    let mut missing = None;
    for form in forms {
        let name = format!("{segment:08}.{form}");
        match staging.file(&journal.join(&name), &format!("journal/{name}")) {
            Err(BackupFault::Io { path, error }) if error.kind() == io::ErrorKind::NotFound => {
                missing = Some(BackupFault::Io { path, error });
            }
            done => return done,
        }
    }
    missing.map_or(Ok(()), Err)
}

/// Gives the names of what could not be copied, since its bytes are not those of its name.
fn copy_evidence(staging: &mut Staging, source: &Path) -> Result<Vec<String>, BackupFault> {
    let mut rotten = Vec::new();
    for name in names(&source.join("evidence"))? {
        let Some(digest) = Digest::from_hex(&name) else { continue };
        let path = source.join("evidence").join(&name);
        let found =
            manifest::digest_of(&path).map_err(|error| BackupFault::Io { path: path.clone(), error })?;
        if found.1 == digest.to_string() {
            staging.file(&path, &format!("evidence/{name}"))?;
        } else {
            rotten.push(name);
        }
    }
    Ok(rotten)
}

/// Gives how many there are.
fn copy_wrapped(staging: &mut Staging, source: &Path) -> Result<u64, BackupFault> {
    let mut copied = 0;
    for name in names(&source.join("subject-keys"))? {
        if name.ends_with(WRAPPED) {
            staging.file(&source.join("subject-keys").join(&name), &format!("subject-keys/{name}"))?;
            copied += 1;
        }
    }
    Ok(copied)
}

/// Every file of a folder and those below, but keys as they are, and what an erasure works with.
fn copy_all(staging: &mut Staging, from: &Path, path: &str) -> Result<(), BackupFault> {
    for name in names(from)? {
        let (from, path) = (from.join(&name), format!("{path}/{name}"));
        if from.is_dir() {
            copy_all(staging, &from, &path)?;
        } else if !NOT_COPIED.iter().any(|end| name.ends_with(end)) {
            staging.file(&from, &path)?;
        }
    }
    Ok(())
}

/// The names in a folder that are not hidden, in order; none where there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, BackupFault> {
    let failed = |error| BackupFault::Io { path: folder.to_owned(), error };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        names.extend(name.to_str().filter(|name| !name.starts_with('.')).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}
