//! The tree's tiles (C2SP tlog-tiles), full ones and the last of each level as far as it goes. A stretch of
//! leaves goes on where the last ended, or is folded again: then the same hashes take the same places.

use super::{Batch, Store, StoreError};
use crate::merkle::{Hash, TILE_WIDTH, root_of};

const HASH_BYTES: usize = 32;

fn key(level: u8, index: u64) -> Vec<u8> {
    [&[level], index.to_be_bytes().as_slice()].concat()
}

/// What is there of a tile.
pub(super) fn get(store: &Store, space: u8, level: u8, index: u64) -> Result<Vec<Hash>, StoreError> {
    let bytes = store.get(space, &key(level, index))?.unwrap_or_default();
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if !rest.is_empty() || hashes.len() as u64 > TILE_WIDTH {
        return Err(StoreError::Damaged);
    }
    Ok(hashes.to_vec())
}

/// Puts the leaves from `first` on into the batch, and every node above that is complete with them.
pub(super) fn put(
    store: &Store,
    batch: &mut Batch,
    space: u8,
    mut first: u64,
    mut hashes: Vec<Hash>,
) -> Result<(), StoreError> {
    for level in 0..8 {
        if hashes.is_empty() {
            break;
        }
        let begun = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
        first /= TILE_WIDTH;
        let before = if begun == 0 { Vec::new() } else { get(store, space, level, first)? };
        // Without what comes before there is no tree: it was folded from another journal, or lost.
        let before = before.get(..begun).ok_or(StoreError::Damaged)?;
        hashes.splice(0..0, before.iter().copied());
        let mut above = Vec::new();
        for (index, tile) in (first..).zip(hashes.chunks(TILE_WIDTH as usize)) {
            batch.put(space, &key(level, index), tile.as_flattened());
            if tile.len() as u64 == TILE_WIDTH {
                above.extend(root_of(tile));
            }
        }
        hashes = above;
    }
    Ok(())
}
