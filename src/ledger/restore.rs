//! Restoring a backup. What is restored lies beside the new log, to be read, and is never gone on from: others
//! may hold receipts of what came after it, and a second record under one number would look like a forgery.
//! What is left here is `previous.json`, which the first record of the new log repeats.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::syncfs;

use super::backup::{BackupFault, Manifest, WRAPPED, make_folder, names};
use super::handle::journal_directory;
use super::previous::{EARLIER, Previous, Restored};
use super::search::Progress;
use super::verify::{VerifyFault, follow, held_note};
use crate::journal::{Disk, JournalFault, SegmentFiles, Shelf as _};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// The log that ends here.
    pub log: String,
    pub records: u64,
    /// How many records others are known to hold proof of, if that is more.
    pub known: Option<u64>,
    /// Where the old log lies, to be read.
    pub folder: PathBuf,
    /// Changes that were under way: whether they were made is not known.
    pub open_intents: usize,
    pub wrapped_keys: u64,
}

/// Why nothing was restored.
#[derive(Debug)]
pub enum RestoreFault {
    /// There is a log already.
    Begun(PathBuf),
    /// The backup cannot be read, or is not what its manifest says.
    Backup(BackupFault),
    /// The key given is not the one the backup is of.
    OtherKey {
        log: String,
    },
    /// The backup, or what others hold, does not verify.
    Verify(VerifyFault),
    /// A gateway holds the folder, or it cannot be made.
    Journal(JournalFault),
    Io {
        path: PathBuf,
        error: io::Error,
    },
}

impl fmt::Display for RestoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun(ledger) => {
                let ledger = ledger.display();
                write!(
                    f,
                    "{ledger} holds a log: move it away first, and keep it, since it may hold records the backup lacks\n    mv {ledger} {ledger}.before-restore"
                )
            }
            Self::Backup(fault) => write!(f, "the backup: {fault}"),
            Self::OtherKey { log } => {
                write!(f, "the backup is of the log {log}, and the key given is not its key")
            }
            Self::Verify(fault) => write!(f, "the backup does not verify: {fault}"),
            Self::Journal(fault) => fault.fmt(f),
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for RestoreFault {}

impl From<BackupFault> for RestoreFault {
    fn from(fault: BackupFault) -> Self {
        Self::Backup(fault)
    }
}

impl From<VerifyFault> for RestoreFault {
    fn from(fault: VerifyFault) -> Self {
        Self::Verify(fault)
    }
}

/// Restores a backup into a ledger's folder in which no log has begun. `known` is what others hold of the old
/// log: checkpoints and receipts, of which the largest goes on the record of the new one. Verifies all of it
/// first, under `key` or, without one, the backup's own.
pub fn restore(
    from: &Path,
    ledger: &Path,
    key: Option<&VerifierKey>,
    known: &[&str],
    progress: &mut dyn FnMut(Progress),
) -> Result<Restore, RestoreFault> {
    let manifest = Manifest::read(from)?.ok_or_else(|| BackupFault::NoBackup(from.to_owned()))?;
    manifest.check(from)?;
    let own = VerifierKey::parse(&manifest.key).map_err(|_| BackupFault::NoBackup(from.to_owned()))?;
    if key.is_some_and(|key| *key != own) {
        return Err(RestoreFault::OtherKey { log: manifest.log });
    }
    let known = Known::read(known, &own)?;
    let against = known.within(manifest.records);
    let (chain, _) = follow(&journal_directory(from), &own, &against, progress)?;
    chain.finish().map_err(|what| VerifyFault::at_end(chain.edge().size(), what))?;
    let records = chain.edge().size();
    let beyond = known.beyond(records);
    let checkpoint = chain.last().map(|(_, note)| note.clone()).unwrap_or_default();
    let names = (own.name(), manifest.key.as_str());
    let beyond_note = beyond.map(|(_, note)| note.clone());
    let previous = Previous::new(names, (checkpoint, beyond_note), chain.in_force(), chain.life());
    let open_intents = chain.open_intents().count();
    let restored = Restored { previous, time_ms: chain.time_ms() };

    let _lock = locked(ledger)?;
    let folder = put_beside(from, ledger, &manifest)?;
    let wrapped_keys = put_keys(&folder, ledger)?;
    // If we crash before here no log begins from what was copied; after, the next start begins one that names it.
    restored.write(ledger).map_err(|error| RestoreFault::Io { path: ledger.to_owned(), error })?;
    let known = beyond.map(|(checkpoint, _)| checkpoint.size);
    Ok(Restore { log: manifest.log, records, known, folder, open_intents, wrapped_keys })
}

/// What others hold, as a checkpoint and its signed note.
struct Known(Vec<(Checkpoint, String)>);

impl Known {
    fn read(texts: &[&str], key: &VerifierKey) -> Result<Self, VerifyFault> {
        let read: Result<Vec<_>, _> = texts.iter().map(|text| held_note(text, key)).collect();
        let mut read = read?;
        read.sort_by_key(|(checkpoint, _)| checkpoint.size);
        for pair in read.windows(2) {
            if let [(one, _), (other, _)] = pair
                && one.size == other.size
                && one.root != other.root
            {
                return Err(VerifyFault::Forked { size: one.size });
            }
        }
        Ok(Self(read))
    }

    /// What the backup can be held against.
    fn within(&self, records: u64) -> Vec<Checkpoint> {
        self.0.iter().map(|(checkpoint, _)| checkpoint).filter(|one| one.size <= records).cloned().collect()
    }

    /// The largest that speaks of more than there is.
    fn beyond(&self, records: u64) -> Option<&(Checkpoint, String)> {
        self.0.last().filter(|(checkpoint, _)| checkpoint.size > records)
    }
}

/// The journal's folder, held so that no gateway begins a log meanwhile. There may be none in it.
fn locked(ledger: &Path) -> Result<Disk, RestoreFault> {
    let journal = journal_directory(ledger);
    let failed = |error| RestoreFault::Io { path: journal.clone(), error };
    make_folder(ledger).map_err(failed)?;
    let lock = Disk::open(&journal).map_err(RestoreFault::Journal)?;
    if SegmentFiles::new(&journal).segments().map_err(failed)?.is_empty() {
        Ok(lock)
    } else {
        Err(RestoreFault::Begun(ledger.to_owned()))
    }
}

/// Copies the backup to where earlier logs lie, and reads it back. What a restore that was never started left
/// there gives way: it is a copy too.
fn put_beside(from: &Path, ledger: &Path, manifest: &Manifest) -> Result<PathBuf, RestoreFault> {
    let earlier = ledger.join(EARLIER);
    let (unfinished, folder) = (earlier.join(".unfinished"), earlier.join(Previous::folder(&manifest.log)));
    let failed = |error| RestoreFault::Io { path: folder.clone(), error };
    for left in [&unfinished, &folder] {
        match fs::remove_dir_all(left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    for path in manifest.paths().chain([super::backup::MANIFEST]) {
        copy(&from.join(path), &unfinished.join(path))?;
    }
    manifest.check(&unfinished)?;
    let held = File::open(&unfinished).map_err(failed)?;
    syncfs(&held).map_err(|error| failed(error.into()))?;
    fs::rename(&unfinished, &folder).map_err(failed)?;
    File::open(&earlier).and_then(|earlier| earlier.sync_all()).map_err(failed)?;
    Ok(folder)
}

/// Puts the wrapped subject keys where the gateway looks for them, but over none that is there. Gives how many
/// the backup has.
fn put_keys(folder: &Path, ledger: &Path) -> Result<u64, RestoreFault> {
    let (from, to) = (folder.join("subject-keys"), ledger.join("subject-keys"));
    let mut count = 0;
    for name in names(&from)?.iter().filter(|name| name.ends_with(WRAPPED)) {
        if !to.join(name).exists() {
            copy(&from.join(name), &to.join(name))?;
        }
        count += 1;
    }
    if let Ok(held) = File::open(&to) {
        syncfs(&held).map_err(|error| RestoreFault::Io { path: to, error: error.into() })?;
    }
    Ok(count)
}

/// Copies a file for this user's eyes alone.
fn copy(from: &Path, to: &Path) -> Result<(), RestoreFault> {
    let copied = || {
        to.parent().map_or(Ok(()), make_folder)?;
        let mut source = File::open(from)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        io::copy(&mut source, &mut file).map(drop)
    };
    copied().map_err(|error| RestoreFault::Io { path: to.to_owned(), error })
}
