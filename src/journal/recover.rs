//! What a crash may have left at the end of a journal, told apart from damage.
//!
//! A batch is one write followed by a sync, and the next batch is written only after it. So at most one
//! batch, the last, may be incomplete: the disk wrote some of its sectors, and the others still hold the
//! zeros they were made with. Anything else that does not read was whole once: damage.

use super::fault::JournalFault;
use super::frame::{ALIGN, ENDS_BATCH, FRAME_HEADER_BYTES, HEAD_BYTES, Position};
use super::medium::Shelf;
use super::scan::{Scanner, is_zeros};

/// What a disk writes at once, at least.
const SECTOR_BYTES: u64 = 512;
/// How often, in bytes, it is asked whether anything more was written.
const PAGE_BYTES: u64 = 4096;

const GONE: &str = "records are gone: the segment before is packed, and so something durable followed it";

/// How a journal ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The segments with a whole batch in them, ascending.
    pub segments: Vec<u32>,
    /// Behind the last whole batch: everything before it may have been acknowledged.
    pub at: Position,
    /// How many batches the segment at the end has.
    pub batches: u32,
    /// Where what was never acknowledged begins: at most one batch, to be dropped.
    pub torn: Vec<Position>,
}

/// Finds the end of a journal without changing anything. Damage at the end is told apart from what a
/// crash leaves; segments before the last are not read.
pub fn ending(shelf: &dyn Shelf) -> Result<Ending, JournalFault> {
    ending_where(shelf, false)
}

/// As [`ending`], of a journal that grows no more, whose last segment may be packed too. That nothing followed it
/// is for the caller to know.
pub fn closed_ending(shelf: &dyn Shelf) -> Result<Ending, JournalFault> {
    ending_where(shelf, true)
}

fn ending_where(shelf: &dyn Shelf, may_end_packed: bool) -> Result<Ending, JournalFault> {
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
        if !may_end_packed && is_packed(shelf, segment)? {
            // It was packed when a later one had a durable batch, which is gone.
            let (segment, offset) = (segment + 1, HEAD_BYTES);
            return Err(JournalFault::Damaged { segment, offset, index: 0, what: GONE });
        }
        let found = tail(shelf, segment, closed)?;
        let at = Position { segment, offset: found.end };
        if found.torn {
            torn.push(at);
        }
        if found.end > HEAD_BYTES {
            return Ok(Ending { segments, at, batches: found.batches, torn });
        }
        segments.pop();
        if segment == 1 {
            return Ok(Ending { segments, at, batches: found.batches, torn });
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
    /// How many whole batches there are.
    batches: u32,
    /// Whether anything but zeros follows.
    torn: bool,
}

fn is_packed(shelf: &dyn Shelf, segment: u32) -> Result<bool, JournalFault> {
    shelf.is_packed(segment).map_err(JournalFault::reading(Position { segment, offset: 0 }, 0))
}

/// Looks at the last segment that is not empty. `closed` says that a later segment was begun, so that
/// all of this one was durable.
fn tail(shelf: &dyn Shelf, segment: u32, closed: bool) -> Result<Tail, JournalFault> {
    let mut scanner = Scanner::new(shelf, segment)?;
    let mut end = HEAD_BYTES;
    let (mut last, mut batches) = (None, 0);
    loop {
        match scanner.next() {
            Ok(Some(frame)) => {
                last = Some(frame.index);
                if frame.kind & ENDS_BATCH != 0 {
                    batches = frame.batch;
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
    if torn && (closed || a_later_batch_follows(&mut scanner, batches + 1)?) {
        scanner.move_to(broken_at);
        return Err(scanner.damaged(last, "frames are missing before a batch that was durable"));
    }
    Ok(Tail { end, batches, torn })
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

/// Whether the broken frame here lacks a sector, or its end: some part of it that one sector holds is
/// all zeros, which no frame of ours is (lengths, CRCs, salts and text are not).
fn is_torn(scanner: &mut Scanner<'_>) -> Result<bool, JournalFault> {
    let from = scanner.at();
    // A header that reads is believed: it has a CRC of its own.
    let body = scanner.header()?.map_or(0, |header| u64::from(header.length));
    let to = from + FRAME_HEADER_BYTES as u64 + body;
    // A write cut short anywhere: no body of ours ends in zeros.
    scanner.move_to(to - ALIGN);
    let mut torn = scanner.bytes(ALIGN as usize)?.is_some_and(is_zeros);
    let mut at = from;
    while at < to && !torn {
        let next = (at + 1).next_multiple_of(SECTOR_BYTES).min(to);
        scanner.move_to(at);
        torn = scanner.bytes(usize::try_from(next - at).unwrap_or(0))?.is_some_and(is_zeros);
        at = next;
    }
    scanner.move_to(from);
    Ok(torn)
}

/// Whether behind here stands a frame of a batch later than `batch`: then that one was durable.
fn a_later_batch_follows(scanner: &mut Scanner<'_>, batch: u32) -> Result<bool, JournalFault> {
    while scanner.at() + FRAME_HEADER_BYTES as u64 <= scanner.length() {
        let begins_page = scanner.at().is_multiple_of(PAGE_BYTES);
        if begins_page && scanner.at_zeros()? && !scanner.skip_unwritten()? {
            break;
        }
        if scanner.header()?.is_some_and(|header| header.batch > batch) {
            return Ok(true);
        }
        scanner.move_to(scanner.at() + ALIGN);
    }
    Ok(false)
}
