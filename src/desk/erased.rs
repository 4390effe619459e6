//! How many sealed parts were erased before what is folded was read. Where more are by now, the store may still
//! say whom one of them was about, and is folded anew: sled leaves the bytes behind of what is deleted in it, so
//! that nothing less than throwing all of it away makes it forget.
//!
//! The journal is the truth of what is erased, and the store says how much of that it knows: a crash at any
//! moment leaves two numbers that differ, and the next look at them goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{Fold, StoreError};

/// The number, once the store has been asked for it.
#[derive(Debug, Default)]
pub(super) struct KnownErased(Mutex<Option<u64>>);

impl KnownErased {
    fn known(&self) -> MutexGuard<'_, Option<u64>> {
        // It is there or it is not.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether sealed parts may be filed that are erased now. `erased` is how many are, `None` while some are being
    /// erased: then the next look asks again.
    pub fn is_outdated(
        &self,
        erased: Option<u64>,
        open: impl FnOnce() -> Result<Arc<Fold>, StoreError>,
    ) -> Result<bool, StoreError> {
        // The store of a log of which nothing was ever erased is not opened for this.
        let Some(erased) = erased.filter(|erased| *erased > 0) else { return Ok(false) };
        let known = *self.known();
        let known = match known {
            Some(known) => known,
            None => {
                let fold = open()?;
                let known = if fold.reach()?.is_some() { fold.erased()? } else { erased };
                *self.known().insert(known)
            }
        };
        Ok(known != erased)
    }

    /// Before the first record is filed. What is erased while they are is more than this says.
    pub fn begin(&self, fold: &Fold, erased: Option<u64>) -> Result<(), StoreError> {
        if fold.reach()?.is_none() {
            let erased = erased.unwrap_or(0);
            fold.begins_behind(erased)?;
            // If we crash here nothing is filed yet, and this is written again.
            *self.known() = Some(erased);
        }
        Ok(())
    }
}
