//! Gathering a pack in the running gateway: the record, the ruleset entries around it, their proofs, and every
//! file they name.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use crate::desk::{Chosen, Closed, FoldedIndex, LogsFault, Published, ReadFault};
use crate::journal::{JournalFault, Position};
use crate::ledger::search::{Progress, Query, search};
use crate::ledger::verify::pack::{Pack, Part, Sealed};
use crate::ledger::{Archive, Bare, Ledger, Present};
use crate::merkle::leaf_hash;
use crate::merkle::note::VerifierKey;
use crate::model::{Digest, ExchangeId};

use super::readme::readme;
use super::record::{Exchange, Manifest, RulesetEntry, SealedPart};

/// Where evidence is gathered from.
#[derive(Clone, Copy)]
pub struct Shelves<'s> {
    pub ledger: &'s Ledger,
    pub published: &'s Published,
    pub fold: &'s FoldedIndex,
}

/// A pack, and what should be in it and is not.
#[derive(Debug)]
pub struct Gathered {
    pub pack: Pack,
    /// Of the log it is from.
    pub key: VerifierKey,
    /// Files that records name and that are gone from `evidence/`, or changed there.
    pub missing: Vec<Digest>,
}

/// Why there is no pack.
#[derive(Debug)]
pub enum EvidenceFault {
    Journal(JournalFault),
    Logs(LogsFault),
    Proof(ReadFault),
    /// The record found is none this program reads.
    Record,
}

impl fmt::Display for EvidenceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(fault) => write!(f, "the journal: {fault}"),
            Self::Logs(fault) => fault.fmt(f),
            Self::Proof(fault) => write!(f, "the record's proof: {fault}"),
            Self::Record => f.write_str("the record is not an exchange of a version this program knows"),
        }
    }
}

impl std::error::Error for EvidenceFault {}

impl From<JournalFault> for EvidenceFault {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}

impl From<LogsFault> for EvidenceFault {
    fn from(fault: LogsFault) -> Self {
        Self::Logs(fault)
    }
}

impl From<ReadFault> for EvidenceFault {
    fn from(fault: ReadFault) -> Self {
        Self::Proof(fault)
    }
}

/// The log the record is in.
struct Shelf<'l> {
    archive: &'l Archive,
    /// `None` of the present one.
    closed: Option<&'l Closed>,
}

impl Shelf<'_> {
    fn key(&self, ledger: &Ledger) -> VerifierKey {
        let earlier = self.closed.and_then(|closed| closed.earlier.verifier());
        earlier.unwrap_or_else(|| ledger.verifier().clone())
    }
}

impl Shelves<'_> {
    /// The pack of an exchange; with its sealed part for those entitled. `None` if there is no such exchange.
    pub fn gather(
        &self,
        id: &ExchangeId,
        sealed: bool,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Gathered>, EvidenceFault> {
        let present = self.ledger.present();
        let here = Shelf { archive: &present.archive, closed: None };
        let query = Query::Exchange(*id);
        if let Some(found) =
            search(&present.archive, Some(self.fold), &query, 1, progress)?.into_iter().next()
        {
            return self.pack((&here, &present), found.at, sealed, progress);
        }
        let logs = Chosen::of(self.ledger, None).and_then(|chosen| chosen.open(self.ledger))?;
        for closed in &logs.earlier {
            let there = Shelf { archive: &closed.archive, closed: Some(closed) };
            let found =
                search(&closed.archive, None, &query, 1, progress).map_err(|fault| closed.fault(fault))?;
            if let Some(found) = found.into_iter().next() {
                return self.pack((&there, &present), found.at, sealed, progress);
            }
        }
        Ok(None)
    }

    /// The pack of the exchange whose record is there.
    fn pack(
        &self,
        (shelf, present): (&Shelf<'_>, &Present),
        at: Position,
        sealed: bool,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Gathered>, EvidenceFault> {
        let Some(record) = shelf.archive.bare(at)? else { return Ok(None) };
        let exchange = Exchange::read(&record.envelope).ok_or(EvidenceFault::Record)?;
        let ruleset = Digest::parse(&exchange.ruleset).ok_or(EvidenceFault::Record)?;
        let around = shelf.archive.surroundings(&record, &ruleset, progress)?;
        let all = [Some(&record), around.ruleset.as_ref(), around.next.as_ref()];
        let records: Vec<_> = all.into_iter().flatten().collect();
        let mut parts = self.parts(&records, shelf, present)?.into_iter();
        let key = shelf.key(self.ledger);
        let sealed = record.sealed.clone().filter(|_| sealed).map(Sealed);
        let mut pack = Pack {
            key: format!("{key}\n"),
            record: parts.next().unwrap_or_default(),
            sealed,
            ruleset: around.ruleset.as_ref().and_then(|_| parts.next()),
            next: around.next.as_ref().and_then(|_| parts.next()),
            ..Pack::default()
        };
        let missing = self.evidence(&mut pack);
        pack.readme = readme(&exchange, &pack, &missing);
        Ok(Some(Gathered { pack, key, missing }))
    }

    /// The records with their proofs, all under one checkpoint.
    fn parts(&self, records: &[&Bare], shelf: &Shelf<'_>, present: &Present) -> Result<Vec<Part>, ReadFault> {
        let leaves: Vec<_> =
            records.iter().map(|record| (record.index, leaf_hash(&record.envelope))).collect();
        let (proofs, note) = match shelf.closed {
            None => (self.published.proofs(&leaves, present)?, present.checkpoint.as_str()),
            Some(Closed { earlier, .. }) => {
                (self.published.earlier_proofs(&earlier.log, &leaves)?, earlier.note())
            }
        };
        let part = |(record, proof): (&&Bare, _)| Part {
            envelope: record.envelope.clone(),
            index: record.index,
            proof,
            note: note.to_owned(),
        };
        Ok(records.iter().zip(proofs).map(part).collect())
    }

    /// Puts the files in that the records name. Gives those that are not there.
    fn evidence(&self, pack: &mut Pack) -> Vec<Digest> {
        let mut missing = Vec::new();
        let mut take = |evidence: &mut BTreeMap<Digest, Vec<u8>>, named: &str| {
            let Some(digest) = Digest::parse(named) else { return };
            match self.ledger.evidence(&digest) {
                Ok(bytes) => drop(evidence.insert(digest, bytes)),
                Err(_) => missing.push(digest),
            }
        };
        let entry = pack.ruleset.as_ref().and_then(|part| RulesetEntry::read(&part.envelope));
        if let Some(entry) = entry {
            take(&mut pack.evidence, &entry.manifest);
            let manifest = Digest::parse(&entry.manifest).and_then(|digest| pack.evidence.get(&digest));
            let files = manifest.and_then(|bytes| Manifest::read(bytes)).unwrap_or_default().files;
            files.iter().for_each(|(_, file)| take(&mut pack.evidence, file));
        }
        let sealed: Option<SealedPart> =
            pack.sealed.as_ref().and_then(|sealed| serde_json::from_slice(sealed.json()).ok());
        if let Some(chain) = sealed.filter(|sealed| sealed.chain_kept).and_then(|sealed| sealed.chain) {
            take(&mut pack.evidence, &chain);
        }
        missing
    }
}
