//! What a start reads of the journal before it writes to it: enough to continue the tree, and as far back as a
//! checkpoint that was kept outside.

use std::path::Path;

use super::chain::Chain;
use super::erase::{Erased, Erasures};
use super::fault::LedgerError;
use super::previous::Restored;
use super::walk::{WalkFault, walk_segment};
use crate::journal::{JournalFault, Scanner, Shelf};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;

/// A journal of no more segments and bytes is read whole at start; of a longer one only the last segment,
/// so that a gateway is ready at once after years. The host then has the rest verified behind the road.
const READ_WHOLE_SEGMENTS_MAX: usize = 4;
const READ_WHOLE_BYTES_MAX: u64 = 64 << 20;

/// What a restore left for a log that begins now.
pub(super) fn restored(directory: &Path) -> Result<Option<Restored>, LedgerError> {
    let failed = |error| LedgerError::File { what: "reading previous.json, which a restore left", error };
    Restored::read(directory).map_err(failed)
}

/// How many of the first segments a start leaves unread; none in which the held checkpoint was signed.
pub(super) fn unread(
    shelf: &dyn Shelf,
    segments: &[u32],
    held: Option<&Checkpoint>,
) -> Result<usize, LedgerError> {
    let mut bytes = 0;
    for segment in segments {
        bytes += shelf.length(*segment).map_err(JournalFault::io("reading a segment's length"))?;
    }
    let whole = segments.len() <= READ_WHOLE_SEGMENTS_MAX && bytes <= READ_WHOLE_BYTES_MAX;
    let mut unread = if whole { 0 } else { segments.len().saturating_sub(1) };
    while let (Some(held), Some(segment)) = (held, segments.get(unread).filter(|_| unread > 0)) {
        // The tree's edge comes first in a segment, and its index is its size.
        let begins_at = Scanner::new(shelf, *segment)?.next()?.map_or(0, |frame| frame.index);
        if begins_at < held.size {
            break;
        }
        unread -= 1;
    }
    Ok(unread)
}

pub(super) fn read<'k>(
    key: &'k VerifierKey,
    shelf: &dyn Shelf,
    segments: &[u32],
    held: Option<&Checkpoint>,
) -> Result<Chain<'k>, LedgerError> {
    // One signature over the last root covers every record before it.
    let mut chain = Chain::new(key, false);
    for (place, segment) in segments.iter().enumerate() {
        let adopt = place == 0 && *segment > 1;
        let mut forked = false;
        let walked = walk_segment(&mut chain, shelf, *segment, adopt, None, &mut |chain| {
            let at_held = held.filter(|held| held.size == chain.edge().size());
            forked = at_held.is_some_and(|held| held.root != chain.edge().root());
            if forked { Err("it is not the one a checkpoint kept outside was signed over") } else { Ok(()) }
        });
        match (forked, held) {
            (true, Some(held)) => return Err(LedgerError::Forked { size: held.size }),
            _ => walked.map_err(unreadable)?,
        }
    }
    if let Some(segment) = segments.last() {
        finish(&chain, *segment)?;
    }
    match held.filter(|held| held.size > chain.edge().size()) {
        Some(held) => Err(LedgerError::Behind { records: chain.edge().size(), held: held.size }),
        None => Ok(chain),
    }
}

pub(super) fn read_segment(
    chain: &mut Chain<'_>,
    shelf: &dyn Shelf,
    segment: u32,
    adopt: bool,
    upto: Option<u64>,
) -> Result<(), LedgerError> {
    walk_segment(chain, shelf, segment, adopt, upto, &mut |_| Ok(())).map_err(unreadable)
}

fn unreadable(fault: WalkFault) -> LedgerError {
    match fault {
        WalkFault::Journal(fault) => LedgerError::Journal(fault),
        WalkFault::Record { at, index, what } => {
            LedgerError::Record { segment: at.segment, offset: at.offset, index, what }
        }
    }
}

pub(super) fn finish(chain: &Chain<'_>, segment: u32) -> Result<(), LedgerError> {
    let index = chain.edge().size();
    chain.finish().map_err(|what| LedgerError::Record { segment, offset: 0, index, what })
}

/// What of a log that was read whole is blank, and whether an erasure was not finished.
pub(super) fn erased_in(chain: &Chain<'_>) -> Erased {
    Erased { blank: chain.erased(), unfinished: chain.unfinished() }
}

/// As [`erased_in`], of the present log.
pub(super) fn erasures_in(chain: &Chain<'_>) -> Erasures {
    let (own, named_before) = (Some(erased_in(chain)), chain.erased_before().clone());
    Erasures { own, named_before, ..Erasures::default() }
}
