//! Folding the journal's sealed segments into the store, behind the road. The store may be deleted
//! at any moment: folding begins anew, and nothing but the time of a search changes.
//!
//! sled is open only while something is folded or looked up: it takes more memory than all else that an
//! idle gateway keeps, and neither readiness nor the road asks it anything.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::erased::KnownErased;
use super::look::{Filing, Tail, sought};
use super::versions::{FoldFault, last_segment, note_rare, note_versions, read_versions};
use crate::journal::{JournalFault, Position};
use crate::ledger::facts::Facts;
use crate::ledger::search::{Index, Progress, Query};
use crate::ledger::{Archive, Ledger, Stored};
use crate::merkle::leaf_hash;
use crate::model::ExchangeId;
use crate::store::{self, Fold, Gathered, IndexKey, Place, StoreError, Versions};

/// Under load there is a checkpoint for a few dozen records; one for a few thousand, and the last of
/// each segment, is what others will ask for.
const RECORDS_PER_CHECKPOINT: u64 = 4096;

/// Who looks for one exchange often looks for the next; a segment is filled in seconds at most.
const OPEN_UNUSED_MAX: Duration = Duration::from_secs(30);

/// So much between two steps is little, and read as it comes: some hundred records a second, for a thousandth of a
/// core. What comes faster is soon folded.
const QUIET_BYTES: u64 = 4 << 20;

/// How often, and how long each time, the end of looks under way is waited for before a store is thrown away.
const LOOKS_TRIES: u32 = 50;
const LOOKS_WAIT: Duration = Duration::from_millis(20);

/// What is folded from the journal, opened when it is asked and closed when nobody asks. Whoever looks
/// something up never waits for the folding.
pub struct FoldedIndex {
    directory: PathBuf,
    open: Mutex<Option<Arc<Fold>>>,
    /// One folds at a time.
    folding: Mutex<Step>,
    /// Looked into since the last look at the clock.
    used: AtomicBool,
    /// Folded into since it was opened last.
    grown: AtomicBool,
    /// The first segment that is not known to be folded.
    next_segment: AtomicU64,
    /// Somebody read what cannot be: it is thrown away before anything else is folded.
    damaged: AtomicBool,
    /// How many sealed parts were erased before what is folded was read, once the store has been asked.
    erased: KnownErased,
    key: IndexKey,
    /// What is not folded yet.
    pub(super) tail: Tail,
}

/// How the last step of folding found things.
#[derive(Default)]
struct Step {
    /// When the store was last known to be used, on the monotonic clock.
    used_at: Duration,
    /// Where the journal ended.
    ended: Option<Position>,
}

impl FoldedIndex {
    /// Of the store in a directory, which is as far as its versions say.
    pub fn new(directory: &Path, versions: &Versions, key: IndexKey) -> Self {
        Self {
            directory: directory.to_owned(),
            open: Mutex::default(),
            folding: Mutex::default(),
            used: AtomicBool::new(false),
            grown: AtomicBool::new(false),
            next_segment: AtomicU64::new(versions.next_segment()),
            damaged: AtomicBool::new(false),
            erased: KnownErased::default(),
            key,
            tail: Tail::default(),
        }
    }

    pub(super) fn key(&self) -> &IndexKey {
        &self.key
    }

    /// Somebody was led where no such record is: it is folded anew.
    pub(super) fn is_damaged(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    fn open(&self) -> MutexGuard<'_, Option<Arc<Fold>>> {
        // Opening and closing are one step each: whoever panicked left nothing half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> Result<Arc<Fold>, StoreError> {
        let mut open = self.open();
        if let Some(fold) = &*open {
            return Ok(Arc::clone(fold));
        }
        let (fold, found) = Fold::open(&self.directory, self.key.clone())?;
        tracing::debug!(?found, "the store is open");
        // One that was deleted or damaged meanwhile knows less than was thought.
        let folded = fold.folded_up_to()?.map_or(0, |place| place.segment);
        self.next_segment.fetch_min(folded, Ordering::Relaxed);
        Ok(Arc::clone(open.insert(Arc::new(fold))))
    }

    /// Asks the store; `None` where there is none yet.
    pub(super) fn look<T>(
        &self,
        look: impl FnOnce(&Fold) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.open().is_none() && !store::is_there(&self.directory) {
            return Ok(None);
        }
        self.used.store(true, Ordering::Relaxed);
        let found = self.opened().and_then(|fold| look(&fold));
        if matches!(found, Err(StoreError::Damaged)) {
            self.damaged.store(true, Ordering::Relaxed);
        }
        found.map(Some)
    }

    /// Folds every sealed segment that is not folded yet, and closes what has not been used for long. Gives
    /// how many there were. `now` is monotonic.
    pub fn fold_sealed(&self, ledger: &Ledger, now: Duration) -> Result<u64, FoldFault> {
        self.fold_while(ledger, now, &mut |_| ControlFlow::Continue(()))
    }

    /// Throws away what is folded and folds it anew. `progress` can break it off: then the rest is folded as
    /// any other. Gives how many segments were folded.
    pub fn rebuild(
        &self,
        ledger: &Ledger,
        now: Duration,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<u64, FoldFault> {
        self.is_damaged();
        self.fold_while(ledger, now, progress)
    }

    /// How many sealed segments are not folded.
    pub fn unfolded(&self, ledger: &Ledger) -> Result<u64, JournalFault> {
        let next = self.folded_before();
        let sealed = ledger.archive().sealed_segments()?;
        Ok(sealed.iter().filter(|segment| u64::from(**segment) >= next).count() as u64)
    }

    /// As [`fold_sealed`](Self::fold_sealed), until `progress`, told after each segment, breaks it off.
    pub fn fold_while(
        &self,
        ledger: &Ledger,
        now: Duration,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<u64, FoldFault> {
        // A panic left a batch that is in or is not.
        let mut step = self.folding.lock().unwrap_or_else(PoisonError::into_inner);
        let archive = ledger.archive();
        let sealed = archive.sealed_segments()?.last().map_or(0, |last| u64::from(*last) + 1);
        // A store that was deleted begins anew; whoever still looks into it reads files without a name.
        if !store::is_there(&self.directory) {
            self.open().take();
            self.next_segment.store(0, Ordering::Relaxed);
        }
        let erased = ledger.erased_at_rest();
        self.forget_erased(erased)?;
        let damaged = self.damaged.load(Ordering::Relaxed);
        if !damaged && sealed <= self.next_segment.load(Ordering::Relaxed).max(1) {
            if self.used.swap(false, Ordering::Relaxed) {
                step.used_at = now;
            }
            self.close_unused(now.saturating_sub(step.used_at))?;
            self.keep_up(&archive, &mut step)?;
            return Ok(0);
        }
        step.used_at = now;
        if damaged {
            self.throw_away()?;
        }
        let folded = self.fold_of(&archive).and_then(|fold| {
            self.erased.begin(&fold, erased)?;
            let versions = read_versions(&self.directory, ledger, &self.key)?;
            let file = Versions::beside(&self.directory);
            let folded = fold_segments(&archive, &fold, &self.key, versions, &file, progress)?;
            self.tail.begin(fold.reach()?.unwrap_or_default());
            Ok(folded)
        });
        match folded {
            Ok((next_segment, folded)) => {
                self.next_segment.store(next_segment, Ordering::Relaxed);
                self.grown.store(true, Ordering::Relaxed);
                Ok(folded)
            }
            Err(fault) => {
                if matches!(fault, FoldFault::Store(StoreError::Damaged)) {
                    self.throw_away()?;
                }
                Err(fault)
            }
        }
    }

    /// Throws away, with the next step, what was folded before sealed parts were erased.
    fn forget_erased(&self, erased: Option<u64>) -> Result<(), StoreError> {
        let outdated = store::is_there(&self.directory) && {
            let known = self.erased.is_outdated(erased, || self.opened());
            matches!(known, Err(StoreError::Damaged)) || known?
        };
        if outdated {
            tracing::info!("the index is folded anew: sealed parts were erased since, or it cannot say");
            self.is_damaged();
            self.tail.forget();
        }
        Ok(())
    }

    /// Whether the store is open.
    pub fn is_open(&self) -> bool {
        self.open().is_some()
    }

    /// The first segment that is not known to be folded.
    pub fn folded_before(&self) -> u64 {
        self.next_segment.load(Ordering::Relaxed)
    }

    /// The store of this journal: one that has folded more than there is, is of another.
    fn fold_of(&self, archive: &Archive) -> Result<Arc<Fold>, FoldFault> {
        let last = last_segment(archive)?;
        let folded = self.opened()?.folded_up_to()?;
        if folded.is_some_and(|place| place.segment > last + 1) {
            self.throw_away()?;
        }
        Ok(self.opened()?)
    }

    /// What is damaged, or of another journal, is folded anew; not before everybody has let go of it.
    fn throw_away(&self) -> Result<(), StoreError> {
        self.damaged.store(true, Ordering::Relaxed);
        let mut open = self.open();
        let fold = match open.take() {
            Some(fold) => Self::alone(fold).map_err(|fold| {
                *open = Some(fold);
                StoreError::Busy
            })?,
            None => Fold::open(&self.directory, self.key.clone())?.0,
        };
        *open = Some(Arc::new(fold.wipe()?));
        self.next_segment.store(0, Ordering::Relaxed);
        self.damaged.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until nobody else looks; nobody can begin to, while the caller holds the door.
    fn alone(mut fold: Arc<Fold>) -> Result<Fold, Arc<Fold>> {
        for _ in 0..LOOKS_TRIES {
            fold = match Arc::try_unwrap(fold) {
                Ok(fold) => return Ok(fold),
                Err(fold) => fold,
            };
            std::thread::sleep(LOOKS_WAIT);
        }
        Err(fold)
    }

    fn close_unused(&self, unused: Duration) -> Result<(), StoreError> {
        if unused < OPEN_UNUSED_MAX {
            return Ok(());
        }
        let mut open = self.open();
        if open.take().is_none() {
            return Ok(());
        }
        // Opening reads everything that was folded since the last time it was opened: seconds, which nobody
        // who looks something up should wait for.
        if self.grown.swap(false, Ordering::Relaxed) {
            drop(Fold::open(&self.directory, self.key.clone())?);
        }
        drop(open);
        store::let_go();
        tracing::debug!("the store is closed until it is asked");
        Ok(())
    }

    /// Holds the end of a quiet journal in memory: to read a segment takes a sixth of a second, which nobody who
    /// looks something up should wait for either.
    fn keep_up(&self, archive: &Archive, step: &mut Step) -> Result<(), FoldFault> {
        let end = archive.end();
        let quiet = |before: Position| {
            before.segment == end.segment && end.offset.saturating_sub(before.offset) <= QUIET_BYTES
        };
        if !step.ended.replace(end).is_some_and(quiet) {
            return Ok(());
        }
        self.tail.keep_up(archive, &self.key, || Ok(self.look(Fold::reach)?.flatten().unwrap_or_default()))
    }
}

/// Folds what sled or the versions do not hold yet. Gives the first segment that is not in, and how many
/// are new in sled.
fn fold_segments(
    archive: &Archive,
    fold: &Fold,
    key: &IndexKey,
    mut versions: Versions,
    file: &Path,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(u64, u64), FoldFault> {
    let begin = fold.folded_up_to()?.map_or(0, |place| place.segment);
    let known = versions.next_segment();
    let mut folded = 0;
    let sealed = archive.sealed_segments()?;
    for (place, segment) in sealed.iter().copied().enumerate() {
        let (number, next) = (u64::from(segment), u64::from(segment) + 1);
        if number >= begin {
            fold_segment(archive, segment, fold, key, &mut versions)?;
            fold.tidy()?;
            folded += 1;
        } else if number >= known {
            note_versions(archive, segment, &mut versions)?;
        }
        versions.folded_before(next);
        let records = fold.reach()?.map_or(0, |reach| reach.record);
        if progress(Progress { records, segments: place + 1, segments_all: sealed.len() }).is_break() {
            break;
        }
    }
    // If we crash here the versions are behind sled: the next time they are read from the journal.
    versions.write(file, key)?;
    Ok((versions.next_segment(), folded))
}

fn fold_segment(
    archive: &Archive,
    segment: u32,
    fold: &Fold,
    key: &IndexKey,
    versions: &mut Versions,
) -> Result<(), FoldFault> {
    let mut folder = fold.folder();
    let mut gathered = Gathered::behind(fold.reach()?.unwrap_or_default());
    let mut filing = Filing::new(key);
    let mut kept = 0;
    let mut last = None;
    let mut damage = Ok(());
    let _whole = archive.each_of(segment, &mut |stored| {
        match stored {
            Stored::Entry(entry) => {
                folder.leaf(entry.index, leaf_hash(entry.envelope));
                let facts = Facts::read(&entry);
                filing.file(&mut gathered, &entry, facts.as_ref());
                let told = ["ruleset", "origin", "act", "stop", "grant"];
                if facts.is_none_or(|facts| told.contains(&&*facts.kind)) {
                    damage = note_rare(&entry, versions);
                }
            }
            Stored::Checkpoint { size, note, .. } if size >= kept + RECORDS_PER_CHECKPOINT => {
                folder.checkpoint(size, note.as_bytes());
                (kept, last) = (size, None);
            }
            Stored::Checkpoint { size, note, .. } => last = Some((size, note.to_owned())),
        }
        if damage.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    damage?;
    if let Some((size, note)) = last {
        folder.checkpoint(size, note.as_bytes());
    }
    Ok(folder.commit(segment, &gathered)?)
}

impl Index for FoldedIndex {
    fn locate(&self, id: &ExchangeId) -> Option<Position> {
        // What it cannot say, the journal knows as well.
        let sought = sought(&Query::Exchange(*id), &self.key);
        let look = |fold: &Fold| match fold.reach()? {
            Some(reach) => fold.newest(&sought, reach.record, 1),
            None => Ok(Vec::new()),
        };
        let (_, place) = self.look(look).ok()??.first().copied()?;
        position(place)
    }
}

/// `None` for a place that no journal has.
pub(super) fn position(place: Place) -> Option<Position> {
    Some(Position { segment: u32::try_from(place.segment).ok()?, offset: place.offset })
}
