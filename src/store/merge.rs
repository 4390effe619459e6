//! Merging runs as they age: their pieces are read once, in order, and written as those of one run.
//!
//! The new run is written first, then one batch puts it into the catalogue in place of the others, and only then
//! are their pieces deleted. If we crash before the batch, the next merge writes the same pieces again; behind
//! it, the catalogue says what is still to be deleted.

use super::catalogue::{Catalogue, Run};
use super::runs::{Reader, RunId, Shelf, Writer};
use super::term::Term;
use super::{Batch, StoreError};

/// Bytes of one batch: each costs a sync, and all of it lies in memory.
const BATCH_BYTES: usize = 1 << 20;
/// Pieces deleted in one batch.
const DELETED_PIECES: usize = 256;

/// Merges the newest runs if there are enough of one level. Whether it did.
pub(super) fn merge(shelf: Shelf<'_>, space: u8, catalogue: &mut Catalogue) -> Result<bool, StoreError> {
    let Some([oldest, others @ ..]) = catalogue.to_merge() else { return Ok(false) };
    let end = others.last().map_or(oldest.end, |newest| newest.end);
    let id = RunId { level: oldest.id.level + 1, segment: oldest.id.segment };
    let into = Run { id, first: oldest.first, end };
    let readers = [oldest].into_iter().chain(others).map(|run| shelf.reader(run.id)).collect();
    write(shelf, id, readers)?;
    catalogue.merged(into);
    let mut batch = Batch::default();
    catalogue.put(&mut batch, shelf.key, space);
    shelf.store.apply(batch)?;
    Ok(true)
}

fn write(shelf: Shelf<'_>, id: RunId, mut readers: Vec<Reader<'_>>) -> Result<(), StoreError> {
    let mut writer = Writer::new(shelf.key, shelf.space, id);
    let (mut batch, mut bytes) = (Batch::default(), 0);
    let mut records = Vec::new();
    while let Some(term) = least(&mut readers)? {
        // Oldest run first: so a term's records stay in order.
        for reader in &mut readers {
            while reader.term()? == Some(term) {
                records.clear();
                reader.take(&mut records)?;
                bytes += records.iter().map(|record| writer.add(&mut batch, term, *record)).sum::<usize>();
                if bytes >= BATCH_BYTES {
                    shelf.store.apply(std::mem::take(&mut batch))?;
                    bytes = 0;
                }
            }
        }
    }
    writer.end(&mut batch);
    shelf.store.apply(batch)
}

fn least(readers: &mut [Reader<'_>]) -> Result<Option<Term>, StoreError> {
    let mut least: Option<Term> = None;
    for reader in readers {
        let next = reader.term()?;
        least = match (least, next) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    Ok(least)
}

/// Deletes the pieces of runs that were merged.
pub(super) fn delete_doomed(
    shelf: Shelf<'_>,
    space: u8,
    catalogue: &mut Catalogue,
) -> Result<(), StoreError> {
    if catalogue.doomed.is_empty() {
        return Ok(());
    }
    for id in &catalogue.doomed {
        let name = id.bytes();
        loop {
            let pieces = shelf.store.range(shelf.space, &name, DELETED_PIECES)?;
            let mut of_run = pieces.iter().filter(|(piece, _)| piece.starts_with(&name)).peekable();
            if of_run.peek().is_none() {
                break;
            }
            let mut batch = Batch::default();
            of_run.for_each(|(piece, _)| batch.delete(shelf.space, piece));
            shelf.store.apply(batch)?;
        }
    }
    catalogue.doomed.clear();
    let mut batch = Batch::default();
    catalogue.put(&mut batch, shelf.key, space);
    // If we crash before this they are deleted again, which changes nothing.
    shelf.store.apply(batch)
}
