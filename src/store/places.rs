//! Where and when each record is: blocks of records in order, by the number of their first. Times never go
//! back in a log, so that a time leads to a record as a number does.

use super::fold::Place;
use super::gathered::Spot;
use super::term::IndexKey;
use super::{Batch, Store, StoreError, piece};

/// Records of one block: some 500 bytes. A block is read whole for one record, and a person's lie far apart.
const BLOCK_RECORDS: usize = 128;

/// A block that was read.
struct Block {
    first: u64,
    spots: Vec<Spot>,
}

/// Puts a segment's records into the batch, from `first` on.
pub(super) fn put(batch: &mut Batch, key: &IndexKey, space: u8, first: u64, spots: &[Spot]) {
    for (number, block) in (first..).step_by(BLOCK_RECORDS).zip(spots.chunks(BLOCK_RECORDS)) {
        let Some(Spot { place, time_ms }) = block.first().copied() else { continue };
        let mut body = Vec::with_capacity(BLOCK_RECORDS * 4);
        body.extend_from_slice(&place.bytes());
        body.extend_from_slice(&time_ms.to_be_bytes());
        piece::push(&mut body, block.len() as u64);
        let (mut offset, mut time) = (place.offset, time_ms);
        for spot in block {
            // Neither goes back; where one did, what is read is another place, which is seen when it is read.
            piece::push(&mut body, spot.place.offset.saturating_sub(offset));
            piece::push(&mut body, u64::try_from(spot.time_ms - time).unwrap_or(0));
            (offset, time) = (spot.place.offset, spot.time_ms);
        }
        piece::put(batch, key, space, &number.to_be_bytes(), &body);
    }
}

/// Finds records, with the block read last.
pub(super) struct Places<'s> {
    store: &'s Store,
    key: &'s IndexKey,
    space: u8,
    block: Option<Block>,
}

impl<'s> Places<'s> {
    pub(super) fn new(store: &'s Store, key: &'s IndexKey, space: u8) -> Self {
        Self { store, key, space, block: None }
    }

    /// Where a record is that is folded.
    pub(super) fn of(&mut self, record: u64) -> Result<Place, StoreError> {
        let block = self.block(record)?;
        let at = usize::try_from(record - block.first).map_err(|_| StoreError::Damaged)?;
        block.spots.get(at).map(|spot| spot.place).ok_or(StoreError::Damaged)
    }

    /// The first record of at least this time, of the first `end` records; `end` where there is none.
    pub(super) fn since(&mut self, time_ms: i64, end: u64) -> Result<u64, StoreError> {
        let (mut low, mut high) = (0, end);
        while low < high {
            let middle = low + (high - low) / 2;
            let block = self.block(middle)?;
            let earlier = block.spots.partition_point(|spot| spot.time_ms < time_ms);
            if earlier == 0 {
                high = block.first;
            } else if earlier == block.spots.len() {
                low = block.first + earlier as u64;
            } else {
                // The block may go on behind `end`.
                low = block.first + earlier as u64;
                break;
            }
        }
        Ok(low.min(end))
    }

    /// The block a record is in. One that is missing is no block that ends before the record.
    fn block(&mut self, record: u64) -> Result<&Block, StoreError> {
        let holds = |block: &Block| block.first <= record && record - block.first < block.spots.len() as u64;
        let held = self.block.take().filter(holds);
        let block = match held {
            Some(block) => block,
            None => self
                .read(record)
                .and_then(|block| holds(&block).then_some(block).ok_or(StoreError::Damaged))?,
        };
        Ok(self.block.insert(block))
    }

    fn read(&self, record: u64) -> Result<Block, StoreError> {
        let (name, value) = self.store.last(self.space, &record.to_be_bytes())?.ok_or(StoreError::Damaged)?;
        let mut body = piece::open(self.key, self.space, &name, &value)?;
        let first = u64::from_be_bytes(name.try_into().map_err(|_| StoreError::Damaged)?);
        let mut place = Place::from_bytes(&piece::take_array::<16>(&mut body)?)?;
        let mut time_ms = i64::from_be_bytes(piece::take_array(&mut body)?);
        let count = piece::take(&mut body)?;
        // Each takes two bytes at least, whatever the count says.
        let mut spots = Vec::with_capacity(body.len() / 2);
        for _ in 0..count {
            place.offset += piece::take(&mut body)?;
            time_ms += i64::try_from(piece::take(&mut body)?).map_err(|_| StoreError::Damaged)?;
            spots.push(Spot { place, time_ms });
        }
        Ok(Block { first, spots })
    }
}
