//! The journal's end in memory: what is not folded yet, filed as it will be.

use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::terms::Filing;
use crate::journal::{JournalFault, Position};
use crate::ledger::facts::Facts;
use crate::ledger::{Archive, Stored};
use crate::store::{Gathered, IndexKey, Reach};

/// Records held: some 25 MiB, and more than a segment of 64 MiB has. Of more the journal is read.
const RECORDS_MAX: u64 = 1 << 17;

/// What was read last.
#[derive(Default)]
struct Read {
    gathered: Option<Gathered>,
    /// Where reading goes on.
    next: Option<Position>,
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
        let (gathered, next) = match (read.gathered.take(), read.next.take()) {
            (Some(gathered), Some(next)) if gathered.first() == reach.record => (gathered, next),
            _ => {
                let segment = u32::try_from(reach.segment).unwrap_or(u32::MAX).max(1);
                (Gathered::behind(reach), Position { segment, offset: 0 })
            }
        };
        let Some(gathered) = follow(archive, key, gathered, next)? else { return Ok(None) };
        let found = look(&gathered);
        // Somebody with an older archive may have come in between: then this one's end is before what was read.
        *read = Read { gathered: Some(gathered), next: Some(next.max(archive.end())) };
        Ok(Some(found))
    }

    /// Forgets everything: nobody has asked for long, or it is folded.
    pub(in crate::desk) fn forget(&self) {
        *self.read() = Read::default();
    }
}

/// `None` if there would be too much.
fn follow(
    archive: &Archive,
    key: &IndexKey,
    mut gathered: Gathered,
    from: Position,
) -> Result<Option<Gathered>, JournalFault> {
    if from >= archive.end() {
        return Ok(Some(gathered));
    }
    let mut filing = Filing::new(key);
    let mut full = false;
    archive.each_from(from, &mut |stored| {
        let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
        full = gathered.end() - gathered.first() >= RECORDS_MAX;
        if full {
            return ControlFlow::Break(());
        }
        filing.file(&mut gathered, &entry, Facts::read(&entry).as_ref());
        ControlFlow::Continue(())
    })?;
    Ok((!full).then_some(gathered))
}
