//! Reads the journal's frames as records and follows the chain's rules over them.

use super::chain::{Broken, Chain};
use crate::journal::{Body, ENDS_BATCH, Frame, JournalFault, Position, Scanner, Shelf};

/// Kinds of frames.
pub(super) const ENVELOPE: u8 = 1;
pub(super) const SEALED: u8 = 2;
pub(super) const EDGE: u8 = 3;
pub(super) const CHECKPOINT: u8 = 4 | ENDS_BATCH;

/// Why a walk ends early.
#[derive(Debug)]
pub(super) enum WalkFault {
    Journal(JournalFault),
    /// The frames read, but what they say is not a log.
    Record {
        at: Position,
        index: u64,
        what: Broken,
    },
}

impl From<JournalFault> for WalkFault {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}

/// Follows the chain over one segment. `adopt` takes the segment's edge frame as the beginning;
/// `upto` ends before a byte of the segment, where later bytes may still be on their way. `seen` is
/// told of each record as it joins.
pub(super) fn walk_segment(
    chain: &mut Chain<'_>,
    shelf: &dyn Shelf,
    segment: u32,
    adopt: bool,
    upto: Option<u64>,
    seen: &mut dyn FnMut(&Chain<'_>) -> Result<(), Broken>,
) -> Result<(), WalkFault> {
    let mut scanner = Scanner::new(shelf, segment)?;
    let mut first = true;
    loop {
        if upto.is_some_and(|end| scanner.position().offset >= end) {
            return Ok(());
        }
        let Some(frame) = scanner.next()? else { break };
        let (at, index) = (frame.at, frame.index);
        take(chain, &frame, first, adopt && first)
            .and_then(|joined| if joined { seen(chain) } else { Ok(()) })
            .map_err(|what| WalkFault::Record { at, index, what })?;
        first = false;
    }
    Ok(scanner.finish()?)
}

/// Whether the frame made a record join.
fn take(chain: &mut Chain<'_>, frame: &Frame<'_>, first: bool, adopt: bool) -> Result<bool, Broken> {
    let bytes = match frame.body {
        Body::Bytes(bytes) => Some(bytes),
        Body::Blank if frame.kind == SEALED => None,
        Body::Blank => return Err("a frame that is not a sealed part is blank"),
    };
    let body = bytes.unwrap_or_default();
    match frame.kind {
        EDGE if first => chain.edge_frame(body, adopt).map(|()| false),
        ENVELOPE if frame.index == chain.edge().size() => chain.envelope(body).map(|_| true),
        SEALED if frame.index + 1 == chain.edge().size() => chain.sealed(bytes).map(|()| false),
        CHECKPOINT => {
            let note = std::str::from_utf8(body).map_err(|_| "the checkpoint is not text")?;
            chain.checkpoint(note).map(|()| false)
        }
        ENVELOPE | SEALED => Err("the frame's index is not the next"),
        _ => Err("a frame of a kind that does not belong here"),
    }
}
