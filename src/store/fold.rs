//! What sled holds of the journal so far: checkpoints by size, where an exchange lies, and how far the
//! folding has come.
//!
//! One batch holds what was found and the new position, so that a crash at any instant leaves a state
//! from which folding goes on; folding the same records twice changes nothing.

use std::path::Path;

use super::{Batch, Found, Store, StoreError, runs, tiles};
use crate::merkle::Hash;
use crate::model::ExchangeId;

/// Raised when the meaning of a space changes: an older store is then folded anew.
const FORMAT: &[u8] = b"tolbooth/fold/v4";

const VERSION: u8 = b'v';
const FOLDED: u8 = b'f';
const CHECKPOINT: u8 = b'c';
const EXCHANGE: u8 = b'x';
const TILE: u8 = b't';

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

/// The folded state. All reads can say [`StoreError::Damaged`]: then [`Fold::wipe`] and fold anew.
pub struct Fold {
    store: Store,
}

impl Fold {
    /// Opens the state in `dir`, a directory of its own. A state that does not read as ours is thrown
    /// away, which [`Found::Damaged`] says; [`Fold::folded_up_to`] then is `None`.
    pub fn open(dir: &Path) -> Result<(Self, Found), StoreError> {
        let (store, found) = Store::open(dir)?;
        let fold = Self { store };
        match fold.check() {
            Ok(true) => Ok((fold, found)),
            Ok(false) if found != Found::Whole => Ok((fold.begin()?, found)),
            Ok(false) | Err(StoreError::Damaged) => Ok((fold.wipe()?, Found::Damaged)),
            Err(error) => Err(error),
        }
    }

    /// Whether the state is of our format with a readable position.
    fn check(&self) -> Result<bool, StoreError> {
        let version = self.store.get(VERSION, b"")?;
        Ok(version.as_deref() == Some(FORMAT) && (self.folded_up_to()?.is_some() || self.is_empty()?))
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        let spaces = [CHECKPOINT, EXCHANGE, TILE];
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
        Self { store: self.store.wipe()? }.begin()
    }

    /// Where folding goes on: everything before this place is in. `None`: from the beginning.
    pub fn folded_up_to(&self) -> Result<Option<Place>, StoreError> {
        self.store.get(FOLDED, b"")?.map(|bytes| Place::from_bytes(&bytes)).transpose()
    }

    pub fn exchange(&self, id: &ExchangeId) -> Result<Option<Place>, StoreError> {
        runs::find(&self.store, EXCHANGE, id)
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

    /// Begins a batch.
    pub fn folder(&self) -> Folder<'_> {
        Folder { fold: self, batch: Batch::default(), exchanges: Vec::new(), leaves: None }
    }
}

fn size_of(key: &[u8]) -> Result<u64, StoreError> {
    Ok(u64::from_be_bytes(key.try_into().map_err(|_| StoreError::Damaged)?))
}

/// What was found in a stretch of the journal; nothing of it is seen before [`Folder::commit`].
pub struct Folder<'f> {
    fold: &'f Fold,
    batch: Batch,
    exchanges: Vec<(ExchangeId, Place)>,
    /// The index of the first leaf, and the hashes from there on.
    leaves: Option<(u64, Vec<Hash>)>,
}

impl Folder<'_> {
    pub fn exchange(&mut self, id: &ExchangeId, place: Place) {
        self.exchanges.push((*id, place));
    }

    /// The next leaf of the tree; the first may be any that follows what was committed before, or is in it.
    pub fn leaf(&mut self, index: u64, hash: Hash) {
        self.leaves.get_or_insert_with(|| (index, Vec::new())).1.push(hash);
    }

    /// `note` is the whole signed note.
    pub fn checkpoint(&mut self, size: u64, note: &[u8]) {
        self.batch.put(CHECKPOINT, &size.to_be_bytes(), note);
    }

    /// Makes the batch durable together with how far it goes.
    pub fn commit(mut self, up_to: Place) -> Result<(), StoreError> {
        if let Some((first, leaves)) = self.leaves {
            tiles::put(&self.fold.store, &mut self.batch, TILE, first, leaves)?;
        }
        runs::put(&mut self.batch, EXCHANGE, self.exchanges);
        self.batch.put(FOLDED, b"", &up_to.bytes());
        self.fold.store.apply(self.batch)
    }
}
