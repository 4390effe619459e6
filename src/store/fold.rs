//! What sled holds of the journal so far: tiles of the tree, checkpoints by size, where and when records are,
//! what they are filed under, and how far the folding has come.
//!
//! One batch holds what was found in a segment and the new position, so that a crash at any instant leaves a
//! state from which folding goes on; folding the same records twice changes nothing.

use std::path::Path;

use super::catalogue::{Catalogue, Run};
use super::gathered::Gathered;
use super::merge;
use super::places::{self, Places};
use super::postings::{Descends, Sought, all_of};
use super::runs::{RunId, Shelf, Writer};
use super::term::IndexKey;
use super::{Batch, Found, Store, StoreError, piece, tiles};
use crate::merkle::Hash;

/// Raised when the meaning of a space changes: an older store is then folded anew.
const FORMAT: &[u8] = b"tolbooth/fold/v5";

const VERSION: u8 = b'v';
const CATALOGUE: u8 = b'f';
const CHECKPOINT: u8 = b'c';
const ERASED: u8 = b'e';
const PLACES: u8 = b'n';
const POSTINGS: u8 = b'p';
const TILE: u8 = b't';

/// How often a look begins again because runs were merged under it. Each time a merge has to end within it.
const LOOKS_MAX: u32 = 8;

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub segment: u64,
    /// Bytes from the segment's start.
    pub offset: u64,
}

impl Place {
    pub(super) fn bytes(self) -> [u8; 16] {
        (u128::from(self.segment) << 64 | u128::from(self.offset)).to_be_bytes()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes = u128::from_be_bytes(bytes.try_into().map_err(|_| StoreError::Damaged)?);
        let low = |number: u128| u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0);
        Ok(Self { segment: low(bytes >> 64), offset: low(bytes) })
    }
}

/// How far the folding has come: everything before this segment, and before this record, is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    pub segment: u64,
    pub record: u64,
    /// No record behind is earlier, in milliseconds since 1970.
    pub time_ms: i64,
}

/// The folded state. All reads can say [`StoreError::Damaged`]: then [`Fold::wipe`] and fold anew.
pub struct Fold {
    store: Store,
    key: IndexKey,
}

impl Fold {
    /// Opens the state in `dir`, a directory of its own. A state that does not read as ours is thrown
    /// away, which [`Found::Damaged`] says; [`Fold::folded_up_to`] then is `None`.
    pub fn open(dir: &Path, key: IndexKey) -> Result<(Self, Found), StoreError> {
        let (store, found) = Store::open(dir)?;
        let fold = Self { store, key };
        match fold.check() {
            Ok(true) => Ok((fold, found)),
            Ok(false) if found != Found::Whole => Ok((fold.begin()?, found)),
            Ok(false) | Err(StoreError::Damaged) => Ok((fold.wipe()?, Found::Damaged)),
            Err(error) => Err(error),
        }
    }

    /// Whether the state is of our format, of this log, and with a readable position.
    fn check(&self) -> Result<bool, StoreError> {
        let version = self.store.get(VERSION, b"")?;
        Ok(version.as_deref() == Some(FORMAT) && (self.folded_up_to()?.is_some() || self.is_empty()?))
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        let spaces = [CHECKPOINT, PLACES, POSTINGS, TILE];
        for space in spaces {
            if !self.store.range(space, b"", 1)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn begin(self) -> Result<Self, StoreError> {
        let mut batch = Batch::default();
        batch.put(VERSION, b"", FORMAT);
        self.store.apply(batch)?;
        Ok(self)
    }

    /// Throws the state away, to fold anew from the journal's beginning.
    pub fn wipe(self) -> Result<Self, StoreError> {
        let Self { store, key } = self;
        Self { store: store.wipe()?, key }.begin()
    }

    fn catalogue(&self) -> Result<Option<Catalogue>, StoreError> {
        Catalogue::read(&self.store, &self.key, CATALOGUE)
    }

    fn shelf(&self) -> Shelf<'_> {
        Shelf { store: &self.store, key: &self.key, space: POSTINGS }
    }

    /// Where folding goes on: everything before this place is in. `None`: from the beginning.
    pub fn folded_up_to(&self) -> Result<Option<Place>, StoreError> {
        Ok(self.reach()?.map(|reach| Place { segment: reach.segment, offset: 0 }))
    }

    /// How far the folding has come; `None` where nothing is in.
    pub fn reach(&self) -> Result<Option<Reach>, StoreError> {
        let reach = |of: Catalogue| Reach { segment: of.segment, record: of.end(), time_ms: of.time_ms };
        Ok(self.catalogue()?.map(reach))
    }

    /// The newest `max` records before `below` that are filed under what is sought, newest first.
    /// [`StoreError::Behind`] if not all records before `below` are in.
    pub fn newest(&self, sought: &Sought, below: u64, max: usize) -> Result<Vec<(u64, Place)>, StoreError> {
        let records = self.whole(below, |catalogue| self.down(catalogue, sought, below, max))?;
        let mut places = Places::new(&self.store, &self.key, PLACES);
        records.into_iter().map(|record| Ok((record, places.of(record)?))).collect()
    }

    /// How many records before `below` are filed under what is sought.
    pub fn count(&self, sought: &Sought, below: u64) -> Result<u64, StoreError> {
        self.whole(below, |catalogue| Ok(self.down(catalogue, sought, below, usize::MAX)?.len() as u64))
    }

    /// The records of a time, of those before `below`: from the first on, and before the second.
    pub fn within(&self, sought: &Sought, below: u64) -> Result<(u64, u64), StoreError> {
        let mut places = Places::new(&self.store, &self.key, PLACES);
        let mut at = |ms: Option<i64>, open: u64| ms.map_or(Ok(open), |ms| places.since(ms, below));
        Ok((at(sought.from_ms, 0)?, at(sought.before_ms, below)?))
    }

    /// Where a record is; `None` if it is not in.
    pub fn place(&self, record: u64) -> Result<Option<Place>, StoreError> {
        if self.reach()?.is_none_or(|reach| record >= reach.record) {
            return Ok(None);
        }
        Places::new(&self.store, &self.key, PLACES).of(record).map(Some)
    }

    /// How many sealed parts of the log were erased before the first record was filed here. Nothing is filed
    /// that they held.
    pub fn erased(&self) -> Result<u64, StoreError> {
        let Some(value) = self.store.get(ERASED, b"")? else { return Ok(0) };
        piece::take(&mut piece::open(&self.key, ERASED, b"", &value)?)
    }

    /// Notes how many sealed parts are erased, before anything is filed.
    pub fn begins_behind(&self, erased: u64) -> Result<(), StoreError> {
        let (mut body, mut batch) = (Vec::new(), Batch::default());
        piece::push(&mut body, erased);
        piece::put(&mut batch, &self.key, ERASED, b"", &body);
        self.store.apply(batch)
    }

    /// Looks into runs that are whole from the beginning of the look to its end: pieces of merged ones are
    /// deleted only after the catalogue has let go of them.
    fn whole<T>(
        &self,
        below: u64,
        look: impl Fn(&Catalogue) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        for _ in 0..LOOKS_MAX {
            let catalogue = self.catalogue()?.unwrap_or_default();
            if catalogue.end() < below {
                return Err(StoreError::Behind);
            }
            let found = look(&catalogue);
            let after = self.catalogue()?.unwrap_or_default();
            if catalogue.runs.iter().all(|run| after.runs.contains(run)) {
                return found;
            }
        }
        Err(StoreError::Busy)
    }

    fn down(
        &self,
        catalogue: &Catalogue,
        sought: &Sought,
        below: u64,
        max: usize,
    ) -> Result<Vec<u64>, StoreError> {
        let (from, before) = self.within(sought, below)?;
        let mut found = Vec::new();
        for run in catalogue.runs.iter().rev() {
            let (first, end) = (run.first.max(from), run.end.min(before));
            if first >= end {
                continue;
            }
            let shelf = self.shelf();
            let walk = |term: &_| Box::new(shelf.walk(run.id, *term)) as Box<dyn Descends + '_>;
            let mut wanted: Vec<Vec<_>> =
                sought.all.iter().map(|any| any.iter().map(walk).collect()).collect();
            found.extend(all_of(&mut wanted, first, end, max - found.len())?);
            if found.len() >= max {
                break;
            }
        }
        Ok(found)
    }

    /// The signed note of the checkpoint of exactly this size.
    pub fn checkpoint(&self, size: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(CHECKPOINT, &size.to_be_bytes())
    }

    /// The greatest checkpoint of at most this size, with its size.
    pub fn checkpoint_up_to(&self, size: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let entry = self.store.last(CHECKPOINT, &size.to_be_bytes())?;
        entry.map(|(key, note)| Ok((size_of(&key)?, note))).transpose()
    }

    /// The smallest checkpoint of at least this size, with its size.
    pub fn checkpoint_from(&self, size: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let entry = self.store.range(CHECKPOINT, &size.to_be_bytes(), 1)?.into_iter().next();
        entry.map(|(key, note)| Ok((size_of(&key)?, note))).transpose()
    }

    /// What is there of a tile of the tree, at most 256 hashes.
    pub fn tile(&self, level: u8, index: u64) -> Result<Vec<Hash>, StoreError> {
        tiles::get(&self.store, TILE, level, index)
    }

    /// Begins the batch of one segment.
    pub fn folder(&self) -> Folder<'_> {
        Folder { fold: self, batch: Batch::default(), leaves: None }
    }

    /// Merges runs until there are few, and deletes what they replace.
    pub fn tidy(&self) -> Result<(), StoreError> {
        let Some(mut catalogue) = self.catalogue()? else { return Ok(()) };
        merge::delete_doomed(self.shelf(), CATALOGUE, &mut catalogue)?;
        while merge::merge(self.shelf(), CATALOGUE, &mut catalogue)? {
            merge::delete_doomed(self.shelf(), CATALOGUE, &mut catalogue)?;
        }
        Ok(())
    }

    /// How many runs a look goes through.
    pub fn runs(&self) -> Result<usize, StoreError> {
        Ok(self.catalogue()?.map_or(0, |catalogue| catalogue.runs.len()))
    }
}

fn size_of(key: &[u8]) -> Result<u64, StoreError> {
    Ok(u64::from_be_bytes(key.try_into().map_err(|_| StoreError::Damaged)?))
}

/// What was found in a segment of the journal; nothing of it is seen before [`Folder::commit`].
pub struct Folder<'f> {
    fold: &'f Fold,
    batch: Batch,
    /// The index of the first leaf, and the hashes from there on.
    leaves: Option<(u64, Vec<Hash>)>,
}

impl Folder<'_> {
    /// The next leaf of the tree; the first may be any that follows what was committed before, or is in it.
    pub fn leaf(&mut self, index: u64, hash: Hash) {
        self.leaves.get_or_insert_with(|| (index, Vec::new())).1.push(hash);
    }

    /// `note` is the whole signed note.
    pub fn checkpoint(&mut self, size: u64, note: &[u8]) {
        self.batch.put(CHECKPOINT, &size.to_be_bytes(), note);
    }

    /// Makes the batch durable: all of a segment, the next that was not in.
    pub fn commit(mut self, segment: u32, gathered: &Gathered) -> Result<(), StoreError> {
        let Fold { store, key, .. } = self.fold;
        let mut catalogue = self.fold.catalogue()?.unwrap_or_default();
        if gathered.first() != catalogue.end() {
            // What comes before is missing: it was folded from another journal, or lost.
            return Err(StoreError::Damaged);
        }
        if let Some((first, leaves)) = self.leaves {
            tiles::put(store, &mut self.batch, TILE, first, leaves)?;
        }
        places::put(&mut self.batch, key, PLACES, gathered.first(), gathered.spots());
        let id = RunId { level: 0, segment };
        let mut writer = Writer::new(key, POSTINGS, id);
        for (term, records) in gathered.in_order() {
            for record in records {
                writer.add(&mut self.batch, term, gathered.first() + u64::from(*record));
            }
        }
        writer.end(&mut self.batch);
        (catalogue.segment, catalogue.time_ms) = (u64::from(segment) + 1, gathered.last_ms());
        catalogue.runs.push(Run { id, first: gathered.first(), end: gathered.end() });
        catalogue.put(&mut self.batch, key, CATALOGUE);
        store.apply(self.batch)
    }
}
