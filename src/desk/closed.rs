//! The trees of logs that grow no more, by which their records are proved as those of the present one are: for
//! evidence packs, and for partners who want a receipt again.
//!
//! Behind the road each earlier log is read once, and of every 256 leaves one hash is held: 1 MiB for eight
//! million records. A proof then reads a segment or two. Until a log was read nothing of it is proved to partners,
//! so that what they ask costs no more.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use super::published::ReadFault;
use crate::journal::Position;
use crate::ledger::{Archive, Earlier, Ledger, LedgerError, PartyEntry, Stored};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::{
    Hash, TILE_WIDTH, Tile, Tiles, edge_at, leaf_hash, prove_by_tiles, root_of, verify_inclusion,
};
use crate::model::{ExchangeId, SystemId};

/// From the time in an exchange's id to its record: 600 s for the source and 300 s for the ledger are the most that
/// can be configured. What came later is held by its place.
const UNDER_WAY_MS_MAX: i64 = 900_000;
/// Exchanges recorded later than that are changes a crash left open: some 3 MiB of them. More are not found again
/// by partners, and are by searches.
const LATE_MAX: usize = 65_536;

/// An earlier log, read once.
struct Outline {
    earlier: Earlier,
    end: Position,
    signed: Checkpoint,
    /// The roots of full tiles of leaves.
    roots: Vec<Hash>,
    late: BTreeMap<ExchangeId, Position>,
}

/// Earlier logs as far as they were read.
#[derive(Default)]
pub(super) struct ClosedLogs(Mutex<Option<Vec<Arc<Outline>>>>);

impl ClosedLogs {
    fn held(&self) -> MutexGuard<'_, Option<Vec<Arc<Outline>>>> {
        // It is put in whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all of them, if that was not done. Blocks for long: `proceed` is asked all the time, and nothing is
    /// held if it says no.
    pub fn read(&self, ledger: &Ledger, proceed: &mut dyn FnMut() -> bool) -> Result<(), LedgerError> {
        if self.held().is_some() {
            return Ok(());
        }
        let mut outlines = Vec::new();
        for earlier in ledger.earlier()? {
            let Some(archive) = earlier.archive()? else { break };
            match Outline::read(earlier, &archive, proceed)? {
                Some(outline) => outlines.push(Arc::new(outline)),
                None => return Ok(()),
            }
        }
        self.held().get_or_insert(outlines);
        Ok(())
    }

    /// The proofs of these leaves of an earlier log, each with its index, under its last checkpoint.
    pub fn proofs(&self, log: &str, leaves: &[(u64, Hash)]) -> Result<Vec<Vec<Hash>>, ReadFault> {
        let held = self.held().clone().ok_or(ReadFault::Behind)?;
        let outline = held.iter().find(|outline| outline.earlier.log == log).ok_or(ReadFault::Behind)?;
        outline.prove(leaves)
    }

    /// The receipt of an exchange again, under the last checkpoint of the log it is in.
    pub fn receipt(
        &self,
        ledger: &Ledger,
        id: &ExchangeId,
        system: &SystemId,
    ) -> Result<Option<String>, ReadFault> {
        let held = self.held().clone();
        let Some(held) = held else {
            // Nothing can be said yet of what is in none of them.
            let there_are_some = ledger.has_earlier().map_err(|_| ReadFault::Behind)?;
            return if there_are_some { Err(ReadFault::Behind) } else { Ok(None) };
        };
        for outline in held {
            if let Some(entry) = outline.exchange(id)? {
                let leaf = (entry.index, leaf_hash(&entry.envelope));
                let proof = outline.prove(&[leaf])?.into_iter().next().unwrap_or_default();
                let own = entry.is_by(system);
                return Ok(own.then(|| entry.receipt(&proof, outline.earlier.note())));
            }
        }
        Ok(None)
    }
}

/// What is asked of an envelope.
#[derive(Deserialize)]
struct Facts<'e> {
    kind: &'e str,
    time: &'e str,
    #[serde(default)]
    exchange: Option<&'e str>,
}

impl Facts<'_> {
    /// The exchange a record is the end of, and when that was.
    fn exchange(envelope: &[u8]) -> Option<(ExchangeId, i64)> {
        let facts: Facts<'_> = serde_json::from_slice(envelope).ok()?;
        let id = facts.exchange.filter(|_| facts.kind == "exchange")?;
        let time: jiff::Timestamp = facts.time.parse().ok()?;
        Some((ExchangeId::parse(id)?, time.as_millisecond()))
    }
}

impl Outline {
    fn read(
        earlier: Earlier,
        archive: &Archive,
        proceed: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Self>, LedgerError> {
        // Without one it would not have been opened.
        let Some(signed) = earlier.checkpoint() else { return Ok(None) };
        let (mut roots, mut tile, mut late) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut is_broken_off = false;
        archive.each(&mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            tile.push(leaf_hash(entry.envelope));
            if tile.len() as u64 == TILE_WIDTH {
                roots.extend(root_of(&tile));
                tile.clear();
                is_broken_off = !proceed();
            }
            if let Some((id, ms)) = Facts::exchange(entry.envelope)
                && ms - id.unix_ms() > UNDER_WAY_MS_MAX
                && late.len() < LATE_MAX
            {
                late.insert(id, entry.at);
            }
            if is_broken_off { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let end = archive.end();
        Ok((!is_broken_off).then_some(Self { earlier, end, signed, roots, late }))
    }

    /// The files as they are now: sealed parts may have been erased since.
    fn archive(&self) -> Archive {
        self.earlier.upto(self.end)
    }

    fn exchange(&self, id: &ExchangeId) -> Result<Option<PartyEntry>, ReadFault> {
        let archive = self.archive();
        if let Some(at) = self.late.get(id) {
            return Ok(archive.exchange_at(*at)?);
        }
        let began = id.unix_ms();
        if began > self.earlier.ended.as_millisecond() {
            return Ok(None);
        }
        let Some(from) = archive.begin_at(began)? else { return Ok(None) };
        let mut found = None;
        archive.each_from(from, &mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            match Facts::exchange(entry.envelope) {
                Some((there, _)) if there == *id => found = Some(entry.at),
                Some((_, ms)) if ms - began > UNDER_WAY_MS_MAX => {}
                _ => return ControlFlow::Continue(()),
            }
            ControlFlow::Break(())
        })?;
        Ok(found.map(|at| archive.exchange_at(at)).transpose()?.flatten())
    }

    /// Whatever the files say: nothing is handed out that does not verify.
    fn prove(&self, leaves: &[(u64, Hash)]) -> Result<Vec<Vec<Hash>>, ReadFault> {
        let mut tiles = Tree { archive: self.archive(), roots: &self.roots };
        let edge = edge_at(&mut tiles, self.signed.size)?;
        let mut proofs = Vec::with_capacity(leaves.len());
        for (index, leaf) in leaves {
            let proof = prove_by_tiles(&mut tiles, &edge, *index)?;
            if !verify_inclusion(leaf, *index, self.signed.size, &proof, &self.signed.root) {
                return Err(ReadFault::NotTheTree);
            }
            proofs.push(proof);
        }
        Ok(proofs)
    }
}

/// The tree of one log: leaves from its journal, what is above them from memory.
struct Tree<'o> {
    archive: Archive,
    roots: &'o [Hash],
}

impl Tiles for Tree<'_> {
    type Fault = ReadFault;

    fn tile(&mut self, Tile { level, index, width }: Tile) -> Result<Vec<Hash>, ReadFault> {
        let (first, end) = (index * TILE_WIDTH, index * TILE_WIDTH + width);
        let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
        match level {
            0 => {
                let leaves = self.archive.leaves(first, end)?;
                if leaves.len() as u64 == width { Ok(leaves) } else { Err(ReadFault::NotTheTree) }
            }
            1 => {
                let roots = self.roots.get(place(first)..place(end));
                roots.map(<[Hash]>::to_vec).ok_or(ReadFault::NotTheTree)
            }
            _ => (first..end)
                .map(|index| {
                    let below = self.tile(Tile { level: level - 1, index, width: TILE_WIDTH })?;
                    root_of(&below).ok_or(ReadFault::NotTheTree)
                })
                .collect(),
        }
    }

    fn broken() -> ReadFault {
        ReadFault::NotTheTree
    }
}
