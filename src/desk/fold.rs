//! Folding the journal's sealed segments into the store, behind the road. The store may be deleted
//! at any moment: folding begins anew, and nothing but the time of a search changes.

use std::fmt;

use crate::journal::{JournalFault, Position};
use crate::ledger::search::Index;
use crate::ledger::{Folded, Ledger};
use crate::model::ExchangeId;
use crate::store::{Fold, Place, StoreError};

/// Under load there is a checkpoint for a few dozen records; one for a few thousand, and the last of
/// each segment, is what others will ask for.
const RECORDS_PER_CHECKPOINT: u64 = 4096;

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

/// Folds every sealed segment that is not folded yet. Gives how many there were.
pub fn fold_sealed(ledger: &Ledger, fold: &Fold) -> Result<u64, FoldFault> {
    let archive = ledger.archive();
    let begin = fold.folded_up_to()?.map_or(0, |place| place.segment);
    let mut folded = 0;
    for segment in archive.sealed_segments()?.into_iter().filter(|segment| u64::from(*segment) >= begin) {
        let mut folder = fold.folder();
        let mut kept = 0;
        let mut last = None;
        archive.fold(segment, &mut |found| match found {
            Folded::Leaf { index, hash } => folder.leaf(index, hash),
            Folded::Exchange { id, at } => folder.exchange(&id, place(at)),
            Folded::Checkpoint { size, note, .. } if size >= kept + RECORDS_PER_CHECKPOINT => {
                folder.checkpoint(size, note.as_bytes());
                (kept, last) = (size, None);
            }
            Folded::Checkpoint { size, note, .. } => last = Some((size, note)),
            Folded::InForce { agreement, .. } => folder.in_force(&agreement),
        })?;
        if let Some((size, note)) = last {
            folder.checkpoint(size, note.as_bytes());
        }
        folder.commit(Place { segment: u64::from(segment) + 1, offset: 0 })?;
        folded += 1;
    }
    Ok(folded)
}

/// At start, also the agreements in force of the segment that is still open: an older version may
/// not come back because the gateway was restarted.
pub fn fold_at_start(ledger: &Ledger, fold: &Fold) -> Result<u64, FoldFault> {
    let folded = fold_sealed(ledger, fold)?;
    let archive = ledger.archive();
    let begin = fold.folded_up_to()?.unwrap_or(Place { segment: 0, offset: 0 });
    let mut folder = fold.folder();
    for segment in archive.segments()?.into_iter().filter(|segment| u64::from(*segment) >= begin.segment) {
        archive.fold(segment, &mut |found| {
            if let Folded::InForce { agreement, .. } = found {
                folder.in_force(&agreement);
            }
        })?;
    }
    folder.commit(begin)?;
    Ok(folded)
}

/// Whether the store can be of this journal: it has not folded more than there is.
pub fn is_behind(ledger: &Ledger, fold: &Fold) -> Result<bool, FoldFault> {
    let last = ledger.archive().segments()?.last().copied().map_or(0, u64::from);
    Ok(fold.folded_up_to()?.is_none_or(|place| place.segment <= last + 1))
}

fn place(at: Position) -> Place {
    Place { segment: u64::from(at.segment), offset: at.offset }
}

/// Where the store says exchanges are.
pub struct FoldedIndex<'f>(pub &'f Fold);

impl Index for FoldedIndex<'_> {
    fn locate(&self, id: &ExchangeId) -> Option<Position> {
        let place = self.0.exchange(id).ok().flatten()?;
        Some(Position { segment: u32::try_from(place.segment).ok()?, offset: place.offset })
    }
}
