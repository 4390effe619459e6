//! The log as others may read it (C2SP tlog-tiles): checkpoint and hash tiles, a receipt again, and a
//! member's own envelopes. Tiles of sealed segments come from the store; what is not folded yet is hashed
//! from the journal's end once and held until it is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use crate::journal::{JournalFault, Position};
use crate::ledger::search::Index as _;
use crate::ledger::{Archive, Folded, Ledger, LedgerError, Present};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::{
    Hash, TILE_WIDTH, Tile, Tiles, edge_at, leaf_hash, prove_by_tiles, root_of, verify_inclusion,
};
use crate::model::{ExchangeId, MemberId, SystemId};
use crate::store::{Fold, StoreError};

use super::closed::ClosedLogs;
use super::fold::FoldedIndex;

/// Checkpoints are published no more often (design 5).
const PUBLISHED_EVERY: Duration = Duration::from_secs(1);
/// Records not folded yet whose hashes are held: more than a segment of 1 GiB has. 100 MiB.
const UNFOLDED_MAX: usize = 1 << 20;
/// Envelopes of one page, of a few KiB each.
const PAGE_MAX: usize = 100;

/// Why the log cannot be read now.
#[derive(Debug)]
pub enum ReadFault {
    Journal(JournalFault),
    /// An earlier log cannot be read.
    Ledger(LedgerError),
    Store(StoreError),
    /// Folding is too far behind.
    Behind,
    /// What was folded is not the tree that was signed.
    NotTheTree,
}

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => write!(f, "the journal: {fault}"),
            Self::Ledger(fault) => write!(f, "an earlier log: {fault}"),
            Self::Store(fault) => write!(f, "the store: {fault}"),
            Self::Behind => f.write_str("too much of the journal is not folded yet"),
            Self::NotTheTree => f.write_str("what was folded is not the tree that was signed"),
        }
    }
}

impl std::error::Error for ReadFault {}

impl From<JournalFault> for ReadFault {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}

impl From<StoreError> for ReadFault {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

/// What is not folded yet.
#[derive(Default)]
struct Unfolded {
    /// The index of the first leaf.
    first: u64,
    leaves: Vec<(u32, Hash)>,
    /// Roots of full tiles made of these leaves.
    roots: BTreeMap<(u8, u64), Hash>,
    exchanges: BTreeMap<ExchangeId, Position>,
    /// Where reading goes on.
    next: Option<Position>,
}

/// The log, for whoever may read it. All but [`checkpoint`](Self::checkpoint) blocks.
pub struct Published {
    ledger: Ledger,
    fold: Arc<FoldedIndex>,
    /// The checkpoint shown now, its size, and since when on the monotonic clock.
    shown: Mutex<Option<(Duration, u64, String)>>,
    unfolded: Mutex<Unfolded>,
    closed: ClosedLogs,
}

impl Published {
    pub fn new(ledger: Ledger, fold: Arc<FoldedIndex>) -> Self {
        let (shown, unfolded, closed) = (Mutex::default(), Mutex::default(), ClosedLogs::default());
        Self { ledger, fold, shown, unfolded, closed }
    }

    /// Reads the logs before this one, so that what is in them can be proved. Blocks for long, unless it was done:
    /// `proceed` is asked all the time.
    pub fn read_earlier(&self, proceed: &mut dyn FnMut() -> bool) -> Result<(), LedgerError> {
        self.closed.read(&self.ledger, proceed)
    }

    /// The size and note of the published checkpoint; `now` is of the monotonic clock.
    pub fn checkpoint(&self, now: Duration) -> (u64, String) {
        // Each change is one step, so a holder that panicked left nothing half done.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, size, note)) = &*shown
            && now.saturating_sub(*since) < PUBLISHED_EVERY
        {
            return (*size, note.clone());
        }
        let Present { size, checkpoint, .. } = self.ledger.present();
        *shown = Some((now, size, checkpoint.clone()));
        (size, checkpoint)
    }

    /// A tile under the published checkpoint; `None` where the tree does not reach so far.
    pub fn tile(&self, tile: Tile, now: Duration) -> Result<Option<Vec<u8>>, ReadFault> {
        let (size, _) = self.checkpoint(now);
        if !tile.is_within(size) {
            return Ok(None);
        }
        let mut unfolded = self.follow(&self.ledger.present().archive)?;
        let hashes = Held { fold: &self.fold, unfolded: &mut unfolded }.tile(tile)?;
        Ok(Some(hashes.as_flattened().to_vec()))
    }

    /// The receipt of an exchange again, for the system whose question it was: under the present checkpoint, or the
    /// last of an earlier log. `None` for anybody else, as for an exchange that is not there.
    pub fn receipt(&self, id: &ExchangeId, system: &SystemId) -> Result<Option<String>, ReadFault> {
        match self.present_receipt(id, system)? {
            None => self.closed.receipt(&self.ledger, id, system),
            found => Ok(found),
        }
    }

    fn present_receipt(&self, id: &ExchangeId, system: &SystemId) -> Result<Option<String>, ReadFault> {
        let Present { archive, size, checkpoint } = self.ledger.present();
        let mut unfolded = self.follow(&archive)?;
        let place = unfolded.exchanges.get(id).copied().or_else(|| self.fold.locate(id));
        let Some(place) = place else { return Ok(None) };
        let entry = archive.exchange_at(place)?;
        let own = |entry: &crate::ledger::PartyEntry| entry.exchange == *id && entry.is_by(system);
        let Some(entry) = entry.filter(own) else { return Ok(None) };
        if entry.index >= size {
            // It became durable after the checkpoint was taken; asking again finds it.
            return Ok(None);
        }
        let leaf = (entry.index, leaf_hash(&entry.envelope));
        let proof = self.prove(&mut unfolded, &[leaf], &checkpoint)?.into_iter().next().unwrap_or_default();
        Ok(Some(entry.receipt(&proof, &checkpoint)))
    }

    /// The inclusion proofs of these leaves, each with its index, under the checkpoint of just this moment.
    pub fn proofs(&self, leaves: &[(u64, Hash)], present: &Present) -> Result<Vec<Vec<Hash>>, ReadFault> {
        let mut unfolded = self.follow(&present.archive)?;
        self.prove(&mut unfolded, leaves, &present.checkpoint)
    }

    /// As [`proofs`](Self::proofs), of an earlier log, under its last checkpoint. Reads it first if that was not
    /// done.
    pub fn earlier_proofs(&self, log: &str, leaves: &[(u64, Hash)]) -> Result<Vec<Vec<Hash>>, ReadFault> {
        self.closed.read(&self.ledger, &mut || true).map_err(ReadFault::Ledger)?;
        self.closed.proofs(log, leaves)
    }

    /// Whatever the store says: nothing is handed out that does not verify.
    fn prove(
        &self,
        unfolded: &mut Unfolded,
        leaves: &[(u64, Hash)],
        checkpoint: &str,
    ) -> Result<Vec<Vec<Hash>>, ReadFault> {
        let signed =
            Checkpoint::open(checkpoint, self.ledger.verifier()).map_err(|_| ReadFault::NotTheTree)?;
        let mut tiles = Held { fold: &self.fold, unfolded };
        let edge = edge_at(&mut tiles, signed.size)?;
        let mut proofs = Vec::with_capacity(leaves.len());
        for (index, leaf) in leaves {
            let proof = prove_by_tiles(&mut tiles, &edge, *index)?;
            if !verify_inclusion(leaf, *index, signed.size, &proof, &signed.root) {
                return Err(ReadFault::NotTheTree);
            }
            proofs.push(proof);
        }
        Ok(proofs)
    }

    /// A page of the envelopes of a member's own questions, after record `after` and under the published
    /// checkpoint. JSON; each envelope is text, since its bytes are the leaf.
    pub fn envelopes(&self, member: &MemberId, after: u64, now: Duration) -> Result<String, ReadFault> {
        let (size, _) = self.checkpoint(now);
        let from = after.saturating_add(1).min(size);
        let archive = self.ledger.present().archive;
        let paged = archive.page_of(member, (from, size), PAGE_MAX)?;
        let envelopes: Vec<_> = paged
            .entries
            .iter()
            .map(
                |entry| json!({ "index": entry.index, "envelope": String::from_utf8_lossy(&entry.envelope) }),
            )
            .collect();
        let log = self.ledger.verifier().name();
        let (next, more) = (paged.next.saturating_sub(1), paged.next < size);
        let page = json!({ "log": log, "size": size, "envelopes": envelopes, "after": next, "more": more });
        Ok(format!("{page}\n"))
    }

    /// Reads on to the journal's end, and lets go of what has been folded.
    fn follow(&self, archive: &Archive) -> Result<MutexGuard<'_, Unfolded>, ReadFault> {
        let folded = self
            .fold
            .look(Fold::folded_up_to)?
            .flatten()
            .map_or(0, |place| u32::try_from(place.segment).unwrap_or(u32::MAX));
        let mut unfolded = self.unfolded.lock().unwrap_or_else(PoisonError::into_inner);
        unfolded.let_go_before(folded);
        let from = unfolded.goes_on_at(folded.max(1));
        if from >= archive.end() {
            return Ok(unfolded);
        }
        let (mut full, mut damage) = (false, Ok(()));
        let read = archive.each_from(from, &mut |stored| {
            full |= unfolded.leaves.len() >= UNFOLDED_MAX;
            let crate::ledger::Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            if full {
                return ControlFlow::Break(());
            }
            damage = crate::ledger::fold_entry(&entry, &mut |found| unfolded.take(entry.at, found));
            if damage.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let read = read.and(damage);
        if let (Ok(()), false) = (&read, full) {
            unfolded.next = Some(archive.end());
            return Ok(unfolded);
        }
        // Half read is not read: it begins anew.
        *unfolded = Unfolded::default();
        read?;
        Err(ReadFault::Behind)
    }
}

impl Unfolded {
    fn take(&mut self, at: Position, found: Folded) {
        match found {
            Folded::Leaf { index, hash } => {
                if self.leaves.is_empty() {
                    self.first = index;
                }
                self.leaves.push((at.segment, hash));
            }
            Folded::Exchange { id, at } => drop(self.exchanges.insert(id, at)),
            Folded::Checkpoint { .. }
            | Folded::InForce { .. }
            | Folded::Life(_)
            | Folded::GrantUsed { .. } => {}
        }
    }

    fn let_go_before(&mut self, segment: u32) {
        let gone = self.leaves.partition_point(|(of, _)| *of < segment);
        if gone > 0 {
            self.leaves.drain(..gone);
            self.first += gone as u64;
            self.exchanges.retain(|_, at| at.segment >= segment);
            self.roots.clear();
        }
    }

    /// Where reading goes on. Of what was folded since the last look nothing is held or wanted: after a quiet time
    /// that is all, and may be more than can be held.
    fn goes_on_at(&mut self, segment: u32) -> Position {
        if self.next.is_none_or(|next| next.segment < segment) {
            *self = Self::default();
        }
        self.next.unwrap_or(Position { segment, offset: 0 })
    }

    fn leaf(&self, index: u64) -> Option<Hash> {
        let at = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.leaves.get(at).map(|(_, hash)| *hash)
    }
}

/// The tree: what is folded, and what is not yet.
struct Held<'h> {
    fold: &'h FoldedIndex,
    unfolded: &'h mut Unfolded,
}

impl Held<'_> {
    /// One hash of a tile that the store does not have: a leaf, or the root of the full tile below.
    fn hash(&mut self, level: u8, index: u64) -> Result<Hash, ReadFault> {
        let Some(below) = level.checked_sub(1) else {
            return self.unfolded.leaf(index).ok_or(ReadFault::NotTheTree);
        };
        if let Some(root) = self.unfolded.roots.get(&(level, index)) {
            return Ok(*root);
        }
        let hashes = self.tile(Tile { level: below, index, width: TILE_WIDTH })?;
        let root = root_of(&hashes).ok_or(ReadFault::NotTheTree)?;
        self.unfolded.roots.insert((level, index), root);
        Ok(root)
    }
}

impl Tiles for Held<'_> {
    type Fault = ReadFault;

    fn tile(&mut self, Tile { level, index, width }: Tile) -> Result<Vec<Hash>, ReadFault> {
        let width = usize::try_from(width).unwrap_or(usize::MAX);
        let mut hashes = self.fold.look(|fold| fold.tile(level, index))?.unwrap_or_default();
        hashes.truncate(width);
        while hashes.len() < width {
            hashes.push(self.hash(level, index * TILE_WIDTH + hashes.len() as u64)?);
        }
        Ok(hashes)
    }

    fn broken() -> ReadFault {
        ReadFault::NotTheTree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_folded_since_the_last_look_is_not_read_again() {
        let at = |segment, offset| Position { segment, offset };
        let mut unfolded = Unfolded::default();
        assert_eq!(unfolded.goes_on_at(1), at(1, 0));
        unfolded.next = Some(at(3, 500));
        unfolded.take(at(3, 0), Folded::Leaf { index: 40, hash: [1; 32] });
        assert_eq!(unfolded.goes_on_at(3), at(3, 500), "nothing is folded of it");
        assert!(unfolded.leaf(40).is_some());
        // Long after, segments 3 to 8 were folded.
        unfolded.let_go_before(9);
        assert_eq!(unfolded.goes_on_at(9), at(9, 0));
        unfolded.take(at(9, 0), Folded::Leaf { index: 90, hash: [2; 32] });
        assert_eq!((unfolded.leaf(40), unfolded.leaf(90)), (None, Some([2; 32])));
    }
}
