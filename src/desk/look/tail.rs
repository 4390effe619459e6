//! The journal's end in memory: what is not folded yet, filed as it will be.

use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::terms::Filing;
use crate::desk::versions::FoldFault;
use crate::journal::{JournalFault, Position};
use crate::ledger::facts::Facts;
use crate::ledger::{Archive, Stored};
use crate::store::{Gathered, IndexKey, Reach, StoreError};

/// Records held: some 25 MiB, and four times what a segment of 32 MiB has. Of more the journal is read.
const RECORDS_MAX: u64 = 1 << 17;

/// What was read last.
#[derive(Default)]
struct Read {
    gathered: Option<Gathered>,
    /// Where reading goes on.
    next: Option<Position>,
    /// There was too much to hold.
    full: bool,
}

impl Read {
    /// Nothing yet, behind what is folded.
    fn behind(reach: Reach) -> Self {
        let segment = u32::try_from(reach.segment).unwrap_or(u32::MAX).max(1);
        let next = Position { segment, offset: 0 };
        Self { gathered: Some(Gathered::behind(reach)), next: Some(next), full: false }
    }
}

/// Everything behind what is folded, as far as it was asked for.
#[derive(Default)]
pub(in crate::desk) struct Tail(Mutex<Read>);

impl Tail {
    fn read(&self) -> MutexGuard<'_, Read> {
        // A panic in the middle leaves a stretch without an end to go on from, which is read anew.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on to the archive's end, and gives what `look` finds. `None` where there is too much to hold.
    pub(super) fn look<T>(
        &self,
        archive: &Archive,
        key: &IndexKey,
        reach: Reach,
        look: impl FnOnce(&Gathered) -> T,
    ) -> Result<Option<T>, JournalFault> {
        let mut read = self.read();
        let first = read.gathered.as_ref().map(Gathered::first);
        if first != Some(reach.record) {
            *read = Read::behind(reach);
        }
        Ok(follow(archive, key, &mut read)?.map(look))
    }

    /// Begins behind what has just been folded.
    pub(in crate::desk) fn begin(&self, reach: Reach) {
        *self.read() = Read::behind(reach);
    }

    /// Reads on to the archive's end, so that whoever looks need not wait for that. `reach` is asked where nothing
    /// was begun.
    pub(in crate::desk) fn keep_up(
        &self,
        archive: &Archive,
        key: &IndexKey,
        reach: impl FnOnce() -> Result<Reach, StoreError>,
    ) -> Result<(), FoldFault> {
        let mut read = self.read();
        if read.full {
            return Ok(());
        }
        if read.gathered.is_none() {
            *read = Read::behind(reach()?);
        }
        follow(archive, key, &mut read)?;
        Ok(())
    }

    /// Forgets everything: it is not what the journal holds any more.
    pub(in crate::desk) fn forget(&self) {
        *self.read() = Read::default();
    }
}

/// `None` if there would be too much: then nothing is held. After a fault nothing is either.
fn follow<'r>(
    archive: &Archive,
    key: &IndexKey,
    read: &'r mut Read,
) -> Result<Option<&'r Gathered>, JournalFault> {
    let Read { gathered: Some(mut gathered), next: Some(from), .. } = std::mem::take(read) else {
        return Ok(None);
    };
    let mut full = false;
    // Somebody with an older archive may have come in between: then this one's end is before what was read.
    if from < archive.end() {
        let mut filing = Filing::new(key);
        archive.each_from(from, &mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            full = gathered.end() - gathered.first() >= RECORDS_MAX;
            if full {
                return ControlFlow::Break(());
            }
            filing.file(&mut gathered, &entry, Facts::read(&entry).as_ref());
            ControlFlow::Continue(())
        })?;
    }
    *read = Read { gathered: (!full).then_some(gathered), next: Some(from.max(archive.end())), full };
    Ok(read.gathered.as_ref())
}
