//! Folding the journal's sealed segments into the store, behind the road. The store may be deleted
//! at any moment: folding begins anew, and nothing but the time of a search changes.
//!
//! sled is open only while something is folded or looked up: it takes more memory than all else that an
//! idle gateway keeps, and neither readiness nor the road asks it anything.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use crate::journal::{JournalFault, Position};
use crate::ledger::search::Index;
use crate::ledger::{Archive, Folded, Ledger, Opened};
use crate::model::ExchangeId;
use crate::store::{self, Fold, Place, StoreError, VERSIONS, Versions};

/// Under load there is a checkpoint for a few dozen records; one for a few thousand, and the last of
/// each segment, is what others will ask for.
const RECORDS_PER_CHECKPOINT: u64 = 4096;

/// Who looks for one exchange often looks for the next; a segment is filled in seconds at most.
const OPEN_UNUSED_MAX: Duration = Duration::from_secs(30);

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

/// What was ever in force, read before anything is decided: an older version may not come back because
/// the gateway was restarted. Segments that neither the store's file nor the ledger's opening has read are
/// read here.
pub fn versions_at_start(directory: &Path, ledger: &Ledger, opened: &Opened) -> Result<Versions, FoldFault> {
    let mut versions = read_versions(directory, ledger)?;
    opened.in_force.iter().for_each(|agreement| versions.note(agreement));
    let archive = ledger.archive();
    let unread = archive.segments()?.into_iter().take(opened.unread_segments);
    let begin = versions.next_segment();
    for segment in unread.filter(|segment| u64::from(*segment) >= begin) {
        note_versions(&archive, segment, &mut versions)?;
    }
    Ok(versions)
}

/// Versions of more segments than the journal has are of another one, whatever its name.
fn read_versions(directory: &Path, ledger: &Ledger) -> Result<Versions, FoldFault> {
    let log = ledger.verifier().name();
    let versions = Versions::read(&directory.join(VERSIONS), log)?;
    let last = last_segment(&ledger.archive())?;
    Ok(if versions.next_segment() <= last + 1 { versions } else { Versions::nothing(log) })
}

fn note_versions(archive: &Archive, segment: u32, versions: &mut Versions) -> Result<(), JournalFault> {
    archive.fold(segment, &mut |found| {
        if let Folded::InForce { agreement, .. } = found {
            versions.note(&agreement);
        }
    })
}

fn last_segment(archive: &Archive) -> Result<u64, JournalFault> {
    Ok(archive.segments()?.last().copied().map_or(0, u64::from))
}

/// What is folded from the journal, opened when it is asked and closed when nobody asks.
pub struct FoldedIndex {
    directory: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    open: Option<Fold>,
    /// Looked into since the last look at the clock.
    used: bool,
    /// When it was last known to be used, on the monotonic clock.
    used_at: Duration,
    /// The first segment that is not known to be folded.
    next_segment: u64,
}

impl FoldedIndex {
    /// Of the store in a directory, which is as far as its versions say.
    pub fn new(directory: &Path, versions: &Versions) -> Self {
        let next_segment = versions.next_segment();
        let inner = Inner { open: None, used: false, used_at: Duration::ZERO, next_segment };
        Self { directory: directory.to_owned(), inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked folded nothing half: a batch is in or it is not.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Folds every sealed segment that is not folded yet, and closes what has not been used for long. Gives
    /// how many there were. `now` is monotonic.
    pub fn fold_sealed(&self, ledger: &Ledger, now: Duration) -> Result<u64, FoldFault> {
        let mut inner = self.inner();
        let archive = ledger.archive();
        let behind = archive.sealed_segments()?.last().map_or(0, |last| u64::from(*last) + 1);
        // A store that was deleted begins anew, unless it is open: then its files are still there.
        let deleted = inner.open.is_none() && !store::is_there(&self.directory);
        if deleted {
            inner.next_segment = 0;
        }
        if behind <= inner.next_segment.max(1) {
            inner.close_unused(now);
            return Ok(0);
        }
        inner.touch(now);
        let folded = inner.open_for(&self.directory, &archive).and_then(|fold| {
            let versions = read_versions(&self.directory, ledger)?;
            fold_segments(&archive, fold, versions, &self.directory.join(VERSIONS))
        });
        match folded {
            Ok((next_segment, folded)) => {
                inner.next_segment = next_segment;
                Ok(folded)
            }
            Err(fault) => {
                if matches!(fault, FoldFault::Store(StoreError::Damaged)) {
                    inner.throw_away()?;
                }
                Err(fault)
            }
        }
    }

    /// Whether the store is open.
    pub fn is_open(&self) -> bool {
        self.inner().open.is_some()
    }
}

impl Inner {
    fn open(&mut self, directory: &Path) -> Result<&Fold, StoreError> {
        let fold = match self.open.take() {
            Some(fold) => fold,
            None => {
                let (fold, found) = Fold::open(directory)?;
                tracing::debug!(?found, "the store is open");
                // One that was deleted or damaged meanwhile knows less than was thought.
                let folded = fold.folded_up_to()?.map_or(0, |place| place.segment);
                self.next_segment = self.next_segment.min(folded);
                fold
            }
        };
        Ok(self.open.insert(fold))
    }

    /// The store of this journal: one that has folded more than there is, is of another.
    fn open_for(&mut self, directory: &Path, archive: &Archive) -> Result<&Fold, FoldFault> {
        let last = last_segment(archive)?;
        let folded = self.open(directory)?.folded_up_to()?;
        if folded.is_some_and(|place| place.segment > last + 1) {
            self.throw_away()?;
        }
        Ok(self.open(directory)?)
    }

    /// What is damaged, or of another journal, is folded anew.
    fn throw_away(&mut self) -> Result<(), StoreError> {
        self.next_segment = 0;
        self.open = self.open.take().map(Fold::wipe).transpose()?;
        Ok(())
    }

    fn touch(&mut self, now: Duration) {
        self.used = false;
        self.used_at = now;
    }

    fn close_unused(&mut self, now: Duration) {
        if self.used {
            self.touch(now);
        }
        if self.open.is_some() && now.saturating_sub(self.used_at) >= OPEN_UNUSED_MAX {
            self.open = None;
            tracing::debug!("the store is closed until it is asked");
        }
    }
}

/// Folds what sled or the versions do not hold yet. Gives the first segment that is not in, and how many
/// are new in sled.
fn fold_segments(
    archive: &Archive,
    fold: &Fold,
    mut versions: Versions,
    file: &Path,
) -> Result<(u64, u64), FoldFault> {
    let begin = fold.folded_up_to()?.map_or(0, |place| place.segment);
    let known = versions.next_segment();
    let mut folded = 0;
    for segment in archive.sealed_segments()? {
        let (number, next) = (u64::from(segment), u64::from(segment) + 1);
        if number >= begin {
            fold_segment(archive, segment, fold, &mut versions)?;
            folded += 1;
        } else if number >= known {
            note_versions(archive, segment, &mut versions)?;
        }
        versions.folded_before(next);
    }
    // If we crash here the versions are behind sled: the next time they are read from the journal.
    versions.write(file)?;
    Ok((versions.next_segment(), folded))
}

fn fold_segment(
    archive: &Archive,
    segment: u32,
    fold: &Fold,
    versions: &mut Versions,
) -> Result<(), FoldFault> {
    let mut folder = fold.folder();
    let mut kept = 0;
    let mut last = None;
    archive.fold(segment, &mut |found| match found {
        Folded::Exchange { id, at } => folder.exchange(&id, place(at)),
        Folded::Checkpoint { size, note, .. } if size >= kept + RECORDS_PER_CHECKPOINT => {
            folder.checkpoint(size, note.as_bytes());
            (kept, last) = (size, None);
        }
        Folded::Checkpoint { size, note, .. } => last = Some((size, note)),
        Folded::InForce { agreement, .. } => versions.note(&agreement),
    })?;
    if let Some((size, note)) = last {
        folder.checkpoint(size, note.as_bytes());
    }
    Ok(folder.commit(Place { segment: u64::from(segment) + 1, offset: 0 })?)
}

fn place(at: Position) -> Place {
    Place { segment: u64::from(at.segment), offset: at.offset }
}

impl Index for FoldedIndex {
    fn locate(&self, id: &ExchangeId) -> Option<Position> {
        let mut inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(inner)) => inner.into_inner(),
            // It is being folded, which may take long: the journal knows as well.
            Err(TryLockError::WouldBlock) => return None,
        };
        if inner.open.is_none() && !store::is_there(&self.directory) {
            return None;
        }
        inner.used = true;
        let found = inner.open(&self.directory).and_then(|fold| fold.exchange(id));
        if matches!(found, Err(StoreError::Damaged)) {
            // Best effort: the next folding tries again, and says what is wrong.
            let _thrown_away = inner.throw_away();
        }
        let place = found.ok().flatten()?;
        Some(Position { segment: u32::try_from(place.segment).ok()?, offset: place.offset })
    }
}
