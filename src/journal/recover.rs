//! What a crash may have left at the end of a journal, told apart from damage.
//!
//! A batch is one write followed by a sync, and the next batch is written only after it. So at most one
//! batch, the last, may be incomplete: the disk wrote some of its sectors, and the others still hold the
//! zeros they were made with. Anything else that does not read was whole once: damage.

use super::fault::JournalFault;
use super::frame::{ALIGN, ENDS_BATCH, FRAME_HEADER_BYTES, HEAD_BYTES, Header, Position, frame_bytes};
use super::medium::Shelf;
use super::scan::{Scanner, is_zeros};

/// What a disk writes at once, at least.
const SECTOR_BYTES: u64 = 512;

/// How a journal ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The segments with a whole batch in them, ascending.
    pub segments: Vec<u32>,
    /// Behind the last whole batch: everything before it may have been acknowledged.
    pub at: Position,
    /// Where what was never acknowledged begins: at most one batch, to be dropped.
    pub torn: Vec<Position>,
}

/// Finds the end of a journal without changing anything. Damage at the end is told apart from what a
/// crash leaves; segments before the last are not read.
pub fn ending(shelf: &dyn Shelf) -> Result<Ending, JournalFault> {
    let mut segments = shelf.segments().map_err(JournalFault::io("listing the journal"))?;
    for (expected, segment) in (1..).zip(&segments) {
        if *segment != expected {
            return Err(JournalFault::Missing { segment: expected });
        }
    }
    let mut torn = Vec::new();
    let mut closed = false;
    while let Some(&segment) = segments.last() {
        if segment > 1 && !is_begun(shelf, segment)? {
            segments.pop();
            continue;
        }
        let found = tail(shelf, segment, closed)?;
        let at = Position { segment, offset: found.end };
        if found.torn {
            torn.push(at);
        }
        if found.end > HEAD_BYTES {
            return Ok(Ending { segments, at, torn });
        }
        segments.pop();
        if segment == 1 {
            return Ok(Ending { segments, at, torn });
        }
        // Its only batch was never acknowledged: it is empty again, and the one before is the last.
        closed = true;
    }
    Err(JournalFault::Missing { segment: 1 })
}

/// How one segment ends.
#[derive(Debug, PartialEq, Eq)]
struct Tail {
    /// Behind the last whole batch.
    end: u64,
    /// Whether anything but zeros follows.
    torn: bool,
}

/// Looks at the last segment that is not empty. `closed` says that a later segment was begun, so that
/// all of this one was durable.
fn tail(shelf: &dyn Shelf, segment: u32, closed: bool) -> Result<Tail, JournalFault> {
    let mut scanner = Scanner::new(shelf, segment)?;
    let mut end = HEAD_BYTES;
    let mut index = 0;
    loop {
        match scanner.next() {
            Ok(Some(frame)) => {
                let ends = frame.kind & ENDS_BATCH != 0;
                index = frame.index;
                if ends {
                    end = scanner.at();
                }
            }
            Ok(None) => break,
            Err(fault) => {
                if closed || !is_torn(&mut scanner)? {
                    return Err(fault);
                }
                break;
            }
        }
    }
    let broken_at = scanner.at();
    let torn = broken_at > end || !rest_is_zeros(&mut scanner)?;
    scanner.move_to(broken_at);
    if torn && (closed || a_later_batch_follows(&mut scanner, end)?) {
        scanner.move_to(broken_at);
        return Err(scanner.damaged(index, "frames are missing before a batch that was durable"));
    }
    Ok(Tail { end, torn })
}

/// Whether a segment has anything behind its head.
fn is_begun(shelf: &dyn Shelf, segment: u32) -> Result<bool, JournalFault> {
    let mut scanner = Scanner::new(shelf, segment)?;
    Ok(!rest_is_zeros(&mut scanner)?)
}

fn rest_is_zeros(scanner: &mut Scanner<'_>) -> Result<bool, JournalFault> {
    match scanner.finish() {
        Ok(()) => Ok(true),
        Err(JournalFault::Damaged { .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Whether the broken frame here lacks a sector: some part of it that one sector holds is all zeros,
/// which no frame of ours is (lengths, CRCs, salts and text are not).
fn is_torn(scanner: &mut Scanner<'_>) -> Result<bool, JournalFault> {
    let from = scanner.at();
    let header = scanner.header()?;
    let claimed = header.map_or(0, |header| FRAME_HEADER_BYTES as u64 + u64::from(header.length));
    let least = FRAME_HEADER_BYTES as u64;
    let to = if from + claimed <= scanner.length() { from + claimed.max(least) } else { from + least };
    let mut at = from;
    let mut torn = false;
    while at < to && !torn {
        let next = (at + 1).next_multiple_of(SECTOR_BYTES).min(to);
        scanner.move_to(at);
        torn = scanner.bytes(usize::try_from(next - at).unwrap_or(0))?.is_some_and(is_zeros);
        at = next;
    }
    scanner.move_to(from);
    Ok(torn)
}

/// Whether behind here stands a whole frame of a batch later than the one that begins at `begin`: then
/// that one was durable. A frame of the same batch proves nothing.
fn a_later_batch_follows(scanner: &mut Scanner<'_>, begin: u64) -> Result<bool, JournalFault> {
    let mut ended = false;
    let mut at = scanner.at().max(begin);
    while at + FRAME_HEADER_BYTES as u64 <= scanner.length() {
        scanner.move_to(at);
        let frame = match scanner.header()? {
            Some(header) if may_be_frame(&header, scanner) => scanner.next().ok().flatten().map(|f| f.kind),
            _ => None,
        };
        match frame {
            Some(_) if ended => return Ok(true),
            Some(kind) => {
                ended = kind & ENDS_BATCH != 0;
                at = scanner.at();
            }
            None => at += ALIGN,
        }
    }
    Ok(false)
}

fn may_be_frame(header: &Header, scanner: &Scanner<'_>) -> bool {
    header.segment == scanner.position().segment
        && header.length > 0
        && scanner.at() + frame_bytes(header.length) <= scanner.length()
}
