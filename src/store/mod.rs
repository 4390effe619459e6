//! The one door to sled, and one small file beside it. What lies here is folded from the journal and may
//! be deleted at any moment: nothing changes but a rebuild. So a store that cannot be read is thrown
//! away, not repaired.
//!
//! Facts about sled 0.34 this file works around, each measured:
//! - `flush` does not fsync on Linux, and a power cut then leaves the whole store unreadable, not only
//!   its tail: every commit here ends in `fdatasync` on an own descriptor of `<dir>/db`;
//! - a half-written `snap.*.generating` keeps it from opening: deleted first, the log holds everything;
//! - damage can show as a panic: every call is made under [`sound`].

mod catalogue;
mod fold;
mod gathered;
mod merge;
mod piece;
mod places;
mod postings;
mod runs;
mod term;
mod tiles;
mod versions;

pub use fold::{Fold, Folder, Place, Reach};
pub use gathered::Gathered;
pub use postings::Sought;
pub use term::{IndexKey, Term, TermKind};
pub use versions::Versions;

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// sled's resident memory is about three times this (issues #1410, #1388).
const CACHE_BYTES: u64 = 6 * 1024 * 1024;

/// sled lets go of its lock from a thread of its own some time after it was dropped: how often, and how
/// long each time, a held lock is waited for.
const LOCK_TRIES: u32 = 50;
const LOCK_WAIT: Duration = Duration::from_millis(20);

/// Why the store could not do what was asked.
#[derive(Debug)]
pub enum StoreError {
    /// The file system refused: a full disk, missing rights.
    Io(io::Error),
    /// Another process has the directory open.
    Busy,
    /// What is there cannot be read: [`Store::wipe`] and fold anew.
    Damaged,
    /// Less is folded than was asked about: the journal has to be read.
    Behind,
    /// The directory holds files that are not the store's, and so is not deleted.
    Foreign,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the index could not be read or written: {error}"),
            Self::Busy => f.write_str("the index is open in another process"),
            Self::Damaged => f.write_str("the index is damaged and has to be rebuilt from the journal"),
            Self::Behind => f.write_str("the index does not reach so far yet"),
            Self::Foreign => f.write_str("the index folder holds files that are not the index's"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Busy | Self::Damaged | Self::Behind | Self::Foreign => None,
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            // sled has no kind of its own for this.
            sled::Error::Io(error) if error.to_string().starts_with("could not acquire lock") => Self::Busy,
            sled::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => Self::Io(error),
            _ => Self::Damaged,
        }
    }
}

/// What was in the directory when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A store that opens.
    Whole,
    /// No store: this one is new.
    Nothing,
    /// A store that could not be used; it was deleted and this one is new.
    Damaged,
}

/// A key, without its space, and a value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Several changes that happen together or not at all.
#[derive(Default)]
pub struct Batch(sled::Batch);

impl Batch {
    pub fn put(&mut self, space: u8, key: &[u8], value: &[u8]) {
        self.0.insert(spaced(space, key), value);
    }

    fn delete(&mut self, space: u8, key: &[u8]) {
        self.0.remove(spaced(space, key));
    }
}

/// Each frees a few dozen things: some tens of thousands, in a few milliseconds.
const LET_GO_TRIES: usize = 1024;

/// One ordered map of bytes in a directory of its own. A *space* is the first byte of every key, so
/// that one atomic batch can span all of them.
pub struct Store {
    db: sled::Db,
    /// Ours, for the `fdatasync` that sled leaves out.
    file: File,
    dir: PathBuf,
}

impl Store {
    /// Opens what is there, or starts anew where that cannot be read. Blocks: not for a data-plane
    /// thread.
    pub fn open(dir: &Path) -> Result<(Self, Found), StoreError> {
        let there = is_there(dir);
        if misplaced(dir)? {
            delete(dir)?;
            return Ok((Self::open_as_is(dir)?, Found::Damaged));
        }
        match Self::open_as_is(dir) {
            Ok(store) if there => Ok((store, Found::Whole)),
            Ok(store) => Ok((store, Found::Nothing)),
            Err(StoreError::Damaged) => {
                delete(dir)?;
                Ok((Self::open_as_is(dir)?, Found::Damaged))
            }
            Err(error) => Err(error),
        }
    }

    fn open_as_is(dir: &Path) -> Result<Self, StoreError> {
        create_dir(dir)?;
        delete_half_written_snapshots(dir)?;
        let db = open_sled(dir)?;
        let file = File::open(dir.join("db"))?;
        sync_dir(dir)?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_dir(parent)?;
        }
        // If we crash here an empty store is there, which is whole.
        Ok(Self { db, file, dir: dir.to_owned() })
    }

    pub fn get(&self, space: u8, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = sound(|| self.db.get(spaced(space, key)))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// At most `max` keys and values of a space in order, from `start` on.
    pub fn range(&self, space: u8, start: &[u8], max: usize) -> Result<Vec<Entry>, StoreError> {
        sound(|| {
            self.db
                .range(spaced(space, start)..)
                .take_while(|entry| entry.as_ref().map_or(true, |(key, _)| key.first() == Some(&space)))
                .take(max)
                .map(|entry| {
                    entry.map(|(key, value)| (key.iter().skip(1).copied().collect(), value.to_vec()))
                })
                .collect()
        })
    }

    /// The greatest key of a space that is `at` or before it.
    pub fn last(&self, space: u8, at: &[u8]) -> Result<Option<Entry>, StoreError> {
        sound(|| {
            let entry = self.db.range(vec![space]..=spaced(space, at)).next_back().transpose()?;
            Ok(entry.map(|(key, value)| (key.iter().skip(1).copied().collect(), value.to_vec())))
        })
    }

    /// Durable when it returns. After an error nothing is known of the batch: wipe, and fold anew.
    pub fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        sound(|| {
            self.db.apply_batch(batch.0)?;
            self.db.flush()
        })?;
        // If we crash here the batch may be lost, whole.
        self.file.sync_data()?;
        // From here on no crash loses it.
        Ok(())
    }

    /// Deletes everything and starts anew.
    pub fn wipe(self) -> Result<Self, StoreError> {
        let Self { db, file, dir } = self;
        drop((db, file));
        delete(&dir)?;
        Self::open_as_is(&dir)
    }
}

fn open_sled(dir: &Path) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(dir)
        .mode(sled::Mode::LowSpace)
        .cache_capacity(CACHE_BYTES)
        // A background flush would add no durability and could fail unseen.
        .flush_every_ms(None);
    for _ in 1..LOCK_TRIES {
        match sound(|| config.open()) {
            Err(StoreError::Busy) => thread::sleep(LOCK_WAIT),
            opened => return opened,
        }
    }
    sound(|| config.open())
}

/// Runs a call into sled, where damage can show as a panic.
fn sound<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => Ok(result?),
        Err(_) => Err(StoreError::Damaged),
    }
}

fn spaced(space: u8, key: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + key.len());
    out.push(space);
    out.extend_from_slice(key);
    out
}

/// Frees what a store that was dropped has left for later: some MiB of pages that sled keeps until nobody can be
/// reading them, and looks at again when it is next used.
pub fn let_go() {
    for _ in 0..LET_GO_TRIES {
        crossbeam_epoch::pin().flush();
    }
}

/// Whether a store lies in the directory, whole or not.
pub fn is_there(dir: &Path) -> bool {
    dir.join("db").exists()
}

fn create_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn names(dir: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn delete_half_written_snapshots(dir: &Path) -> io::Result<()> {
    for name in names(dir)? {
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(dir.join(name))?;
        }
    }
    Ok(())
}

/// Whether what the store has of this name is a folder; `None` for what is not the store's.
fn is_folder(name: &str) -> Option<bool> {
    let file = matches!(name, "db" | "conf" | "conf.tmp");
    match name {
        "blobs" => Some(true),
        _ => (file || name.starts_with("snap.")).then_some(false),
    }
}

/// Whether a file is where the store has a folder, or the other way round: sled can make nothing of it.
fn misplaced(dir: &Path) -> io::Result<bool> {
    if !dir.is_dir() {
        return Ok(dir.symlink_metadata().is_ok());
    }
    let is_other = |name: &String| is_folder(name).is_some_and(|folder| folder != dir.join(name).is_dir());
    Ok(names(dir)?.iter().any(is_other))
}

/// Moves the directory away before deleting it: a sled that failed to open may still hold its lock.
fn delete(dir: &Path) -> Result<(), StoreError> {
    if !dir.is_dir() {
        return Ok(fs::remove_file(dir)?);
    }
    for name in names(dir)? {
        // Somebody's files may lie in a folder where the store has a file.
        let foreign = is_folder(&name).is_none_or(|folder| {
            let path = dir.join(&name);
            !folder && path.is_dir() && names(&path).map_or(true, |within| !within.is_empty())
        });
        if foreign {
            return Err(StoreError::Foreign);
        }
    }
    let mut away = dir.as_os_str().to_owned();
    away.push(".damaged");
    if Path::new(&away).exists() {
        fs::remove_dir_all(&away)?;
    }
    fs::rename(dir, &away)?;
    fs::remove_dir_all(&away)?;
    Ok(())
}

#[cfg(test)]
mod tests;
