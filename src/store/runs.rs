//! Where exchanges are, as sorted runs: what one stretch of the journal holds is sorted by id and
//! kept in pieces of a few hundred. Ids begin with their time, so that pieces of different stretches
//! hardly overlap; a key for each exchange would cost sled more than the exchange cost the road.

use super::fold::Place;
use super::{Batch, Store, StoreError};
use crate::model::ExchangeId;

/// Entries of one piece: 16 KiB.
const PIECE_ENTRIES: usize = 512;
/// An id and its place.
const ENTRY_BYTES: usize = 32;
/// Pieces looked at for one id. Stretches overlap only as far as exchanges under way at one time, so
/// this is never reached in a store that is whole.
const PIECES_MAX: usize = 1024;

/// Puts a stretch's exchanges into the batch, in any order given.
pub(super) fn put(batch: &mut Batch, space: u8, mut exchanges: Vec<(ExchangeId, Place)>) {
    exchanges.sort_unstable_by_key(|(id, _)| *id);
    for piece in exchanges.chunks(PIECE_ENTRIES) {
        let Some((first, _)) = piece.first() else { continue };
        let mut bytes = Vec::with_capacity(piece.len() * ENTRY_BYTES);
        for (id, place) in piece {
            bytes.extend_from_slice(id.bytes());
            bytes.extend_from_slice(&place.bytes());
        }
        batch.put(space, first.bytes(), &bytes);
    }
}

/// Where an exchange is, if a run holds it.
pub(super) fn find(store: &Store, space: u8, id: &ExchangeId) -> Result<Option<Place>, StoreError> {
    store.backwards(space, id.bytes(), PIECES_MAX, |piece| within(piece, id))
}

fn within(piece: &[u8], id: &ExchangeId) -> Result<Option<Place>, StoreError> {
    let entries: Vec<&[u8; ENTRY_BYTES]> =
        piece.chunks_exact(ENTRY_BYTES).filter_map(|entry| entry.try_into().ok()).collect();
    if entries.len() * ENTRY_BYTES != piece.len() {
        return Err(StoreError::Damaged);
    }
    let key = |entry: &&[u8; ENTRY_BYTES]| *entry.split_at(16).0 == *id.bytes();
    let at = entries.partition_point(|entry| entry.split_at(16).0 < id.bytes().as_slice());
    entries
        .get(at)
        .filter(|entry| key(entry))
        .map(|entry| Place::from_bytes(entry.split_at(16).1))
        .transpose()
}
