//! Posting runs: for each sealed segment the records filed under each term, sorted by term and kept in pieces of
//! some KiB. Runs are merged as they age, so that a search looks into a few however many segments there are.
//!
//! ```text
//! name    level (u8), first segment (u32), the term and record the piece begins with
//! body    the term and record the next piece begins with; then for each term of the piece
//!         the term, how many records, the first and the last, bytes that follow, steps from one to the next
//! ```
//!
//! Each piece names where the next begins, and the first begins below every term: one that is gone is missed.

use super::postings::Descends;
use super::term::{IndexKey, TERM_BYTES, Term};
use super::{Batch, Store, StoreError, piece};

/// A piece is full with so many bytes: few keys, and little to read for a rare term.
const PIECE_BYTES: usize = 8 * 1024;
const NAME_BYTES: usize = 5;

/// Which run: a level, and the first of its segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunId {
    pub level: u8,
    pub segment: u32,
}

impl RunId {
    pub(super) fn bytes(self) -> [u8; NAME_BYTES] {
        let [a, b, c, d] = self.segment.to_be_bytes();
        [self.level, a, b, c, d]
    }

    pub(super) fn from_bytes([level, a, b, c, d]: [u8; NAME_BYTES]) -> Self {
        Self { level, segment: u32::from_be_bytes([a, b, c, d]) }
    }

    fn name(self, (term, record): Fence) -> Vec<u8> {
        [&self.bytes(), term.bytes().as_slice(), &record.to_be_bytes()].concat()
    }
}

/// Where a piece begins.
type Fence = (Term, u64);
const BEGIN: Fence = (Term::FIRST, 0);
const END: Fence = (Term::LAST, u64::MAX);

fn fence(mut bytes: &[u8]) -> Result<Fence, StoreError> {
    let term = Term::from_bytes(piece::take_array::<TERM_BYTES>(&mut bytes)?);
    Ok((term, u64::from_be_bytes(piece::take_array(&mut bytes)?)))
}

/// Where runs lie.
#[derive(Clone, Copy)]
pub(super) struct Shelf<'s> {
    pub store: &'s Store,
    pub key: &'s IndexKey,
    pub space: u8,
}

/// A piece that was read.
struct Piece {
    begins: Fence,
    next: Fence,
    /// Behind both fences.
    entries: Vec<u8>,
}

impl<'s> Shelf<'s> {
    /// The piece of a run that holds, or would hold, what is sorted here.
    fn piece(&self, run: RunId, at: Fence) -> Result<Piece, StoreError> {
        let (name, value) = self.store.last(self.space, &run.name(at))?.ok_or(StoreError::Damaged)?;
        let (of_run, begins) = name.split_first_chunk::<NAME_BYTES>().ok_or(StoreError::Damaged)?;
        let mut body = piece::open(self.key, self.space, &name, &value)?;
        let begins = fence(begins)?;
        let next = fence(&piece::take_array::<16>(&mut body)?)?;
        if RunId::from_bytes(*of_run) != run || next <= at {
            return Err(StoreError::Damaged);
        }
        Ok(Piece { begins, next, entries: body.to_vec() })
    }

    /// A term's records in a run, from the newest down.
    pub(super) fn walk(self, run: RunId, term: Term) -> Walk<'s> {
        Walk { shelf: self, run, term, chunk: Vec::new(), ended: false }
    }

    /// A run from its beginning, entry by entry.
    pub(super) fn reader(self, run: RunId) -> Reader<'s> {
        Reader { shelf: self, run, piece: None, at: 0 }
    }
}

/// A term and some of its records.
struct Entry<'p> {
    term: Term,
    count: u64,
    first: u64,
    last: u64,
    steps: &'p [u8],
}

impl<'p> Entry<'p> {
    fn take(from: &mut &'p [u8]) -> Result<Self, StoreError> {
        let term = Term::from_bytes(piece::take_array(from)?);
        let (count, first) = (piece::take(from)?, piece::take(from)?);
        let last = first.checked_add(piece::take(from)?).ok_or(StoreError::Damaged)?;
        let bytes = piece::take(from)?;
        Ok(Self { term, count, first, last, steps: piece::take_bytes(from, bytes)? })
    }

    /// Its records of at most `at_most`, appended in order.
    fn records(&self, at_most: u64, out: &mut Vec<u64>) -> Result<(), StoreError> {
        let (mut record, mut steps) = (self.first, self.steps);
        for place in 0..self.count {
            if place > 0 {
                record = record.checked_add(piece::take(&mut steps)?).ok_or(StoreError::Damaged)?;
            }
            if record > at_most {
                return Ok(());
            }
            out.push(record);
        }
        if record == self.last { Ok(()) } else { Err(StoreError::Damaged) }
    }
}

/// A term's records in one run, gone down.
pub(super) struct Walk<'s> {
    shelf: Shelf<'s>,
    run: RunId,
    term: Term,
    /// In order; what was asked for is cut off its end.
    chunk: Vec<u64>,
    ended: bool,
}

impl Walk<'_> {
    /// Reads the piece in which the greatest record of at most this is, if there is one.
    fn read(&mut self, at_most: u64) -> Result<(), StoreError> {
        self.chunk.clear();
        let piece = self.shelf.piece(self.run, (self.term, at_most))?;
        let mut entries = piece.entries.as_slice();
        while !entries.is_empty() {
            let entry = Entry::take(&mut entries)?;
            if entry.term == self.term {
                entry.records(at_most, &mut self.chunk)?;
            } else if entry.term > self.term {
                break;
            }
        }
        // Only where the piece begins within the term can the one before hold more of it.
        self.ended = piece.begins.0 != self.term;
        Ok(())
    }
}

impl Descends for Walk<'_> {
    fn seek(&mut self, at_most: u64) -> Result<Option<u64>, StoreError> {
        loop {
            let end = self.chunk.partition_point(|record| *record <= at_most);
            self.chunk.truncate(end);
            if let Some(record) = self.chunk.last() {
                return Ok(Some(*record));
            }
            if self.ended {
                return Ok(None);
            }
            self.read(at_most)?;
        }
    }
}

/// A run read from its beginning.
pub(super) struct Reader<'s> {
    shelf: Shelf<'s>,
    run: RunId,
    piece: Option<Piece>,
    /// Bytes of the piece behind which reading goes on.
    at: usize,
}

impl Reader<'_> {
    /// The term that comes next; `None` at the end.
    pub(super) fn term(&mut self) -> Result<Option<Term>, StoreError> {
        loop {
            let Some(piece) = &self.piece else {
                self.piece = Some(self.shelf.piece(self.run, BEGIN)?);
                continue;
            };
            let mut rest = piece.entries.get(self.at..).unwrap_or_default();
            if !rest.is_empty() {
                return Ok(Some(Entry::take(&mut rest)?.term));
            }
            if piece.next == END {
                return Ok(None);
            }
            let next = self.shelf.piece(self.run, piece.next)?;
            if next.begins != piece.next {
                return Err(StoreError::Damaged);
            }
            (self.piece, self.at) = (Some(next), 0);
        }
    }

    /// The records of the entry that comes next, after [`term`](Self::term) has named it; appended.
    pub(super) fn take(&mut self, out: &mut Vec<u64>) -> Result<(), StoreError> {
        let entries = self.piece.as_ref().map_or(&[][..], |piece| &piece.entries);
        let mut rest = entries.get(self.at..).unwrap_or_default();
        let entry = Entry::take(&mut rest)?;
        entry.records(u64::MAX, out)?;
        self.at = entries.len() - rest.len();
        Ok(())
    }
}

/// Writes a run, in the order of its terms and of each one's records.
pub(super) struct Writer<'k> {
    key: &'k IndexKey,
    space: u8,
    run: RunId,
    begins: Fence,
    /// What is in the piece so far, without the entry that is open.
    piece: Vec<u8>,
    open: Option<Open>,
}

/// The entry that is being written.
struct Open {
    term: Term,
    count: u64,
    first: u64,
    last: u64,
    steps: Vec<u8>,
}

impl<'k> Writer<'k> {
    pub(super) fn new(key: &'k IndexKey, space: u8, run: RunId) -> Self {
        Self { key, space, run, begins: BEGIN, piece: Vec::new(), open: None }
    }

    /// The next record of a term, or the first of the next. Gives how many bytes went into the batch.
    pub(super) fn add(&mut self, batch: &mut Batch, term: Term, record: u64) -> usize {
        let mut written = 0;
        let room = self.piece.len() + self.open.as_ref().map_or(0, |open| open.steps.len()) < PIECE_BYTES;
        match &mut self.open {
            Some(open) if open.term == term && room => {
                piece::push(&mut open.steps, record.saturating_sub(open.last));
                open.last = record;
                open.count += 1;
            }
            _ => {
                self.close();
                if !room {
                    written = self.put(batch, (term, record));
                }
                self.open = Some(Open { term, count: 1, first: record, last: record, steps: Vec::new() });
            }
        }
        written
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.piece.extend_from_slice(open.term.bytes());
            for number in [open.count, open.first, open.last - open.first, open.steps.len() as u64] {
                piece::push(&mut self.piece, number);
            }
            self.piece.extend_from_slice(&open.steps);
        }
    }

    fn put(&mut self, batch: &mut Batch, next: Fence) -> usize {
        let body = [next.0.bytes().as_slice(), &next.1.to_be_bytes(), &self.piece].concat();
        self.piece.clear();
        let name = self.run.name(std::mem::replace(&mut self.begins, next));
        piece::put(batch, self.key, self.space, &name, &body)
    }

    /// Ends the run.
    pub(super) fn end(mut self, batch: &mut Batch) {
        self.close();
        self.put(batch, END);
    }
}
