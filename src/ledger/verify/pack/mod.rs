//! The evidence pack: one record and everything by which a stranger can judge it in ten years, as one file.
//!
//! A tar of plain files (`docs/evidence.md` names them all). The record, the entry of its ruleset and the
//! entry that came after it each have their envelope as stored and a C2SP tlog-proof; every other file lies
//! under the digest of its bytes, and is believed because a record in the log leads to that digest.
//!
//! Not here: what the records say and whether it was lawful (`desk/evidence`).

mod part;
mod tar;

use std::collections::BTreeMap;
use std::fmt;

use crate::model::Digest;

pub use part::Part;

/// Two contracts, a directory and its revocation lists, each of 64 MiB at most, and as much again: what
/// a machine of today holds in memory at once.
pub const PACK_BYTES_MAX: u64 = 512 * 1024 * 1024;

const README: &str = "README.txt";
const KEY: &str = "log.vkey";
const SEALED: &str = "record/sealed";
const RECORD: &str = "record";
const RULESET: &str = "ruleset";
const NEXT: &str = "next";
const EVIDENCE: &str = "evidence/";

/// Why bytes are no pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackFault {
    /// It is not a tar as packs are.
    Form(&'static str),
    /// A part that is there twice, or that no pack has.
    Part { name: String, what: &'static str },
    /// A part every pack has is not there.
    Missing(&'static str),
}

impl fmt::Display for PackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(what) => write!(f, "this is not an evidence pack: {what}"),
            Self::Part { name, what } => write!(f, "the part {name:?} of the pack {what}"),
            Self::Missing(name) => write!(f, "the pack has no `{name}`"),
        }
    }
}

impl std::error::Error for PackFault {}

/// The parts of a pack. Nothing of it is believed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pack {
    /// For people; nothing is proved by it.
    pub readme: String,
    /// The log's verifier key, as it came with the pack.
    pub key: String,
    pub record: Part,
    /// Salt and JSON of the record's sealed part, for those entitled.
    pub sealed: Option<Sealed>,
    /// The entry that brought the record's ruleset into force.
    pub ruleset: Option<Part>,
    /// The entry of the ruleset that came after it, if one did.
    pub next: Option<Part>,
    /// Everything the records name, each file under its digest; as they are, not as they should be.
    pub evidence: BTreeMap<Digest, Vec<u8>>,
}

/// A sealed part with its salt. Prints as stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl Sealed {
    /// Without the salt.
    pub fn json(&self) -> &[u8] {
        self.0.get(crate::ledger::read::SALT_BYTES..).unwrap_or_default()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(***)")
    }
}

impl Pack {
    /// The pack as one file.
    pub fn write(&self) -> Vec<u8> {
        let mut parts: Vec<(String, Vec<u8>)> = vec![
            (README.to_owned(), self.readme.clone().into_bytes()),
            (KEY.to_owned(), self.key.clone().into_bytes()),
        ];
        parts.extend(self.record.files(RECORD));
        parts.extend(self.sealed.iter().map(|sealed| (SEALED.to_owned(), sealed.0.clone())));
        parts.extend(self.ruleset.iter().flat_map(|part| part.files(RULESET)));
        parts.extend(self.next.iter().flat_map(|part| part.files(NEXT)));
        let small = parts.iter().map(|(name, bytes)| (name.clone(), bytes.as_slice()));
        let kept = self.evidence.iter();
        let kept = kept.map(|(digest, bytes)| (format!("{EVIDENCE}{}", digest.hex()), bytes.as_slice()));
        tar::write(small.chain(kept))
    }

    /// Whether bytes are a pack rather than an export or a receipt: the beginning is enough.
    pub fn is_one(beginning: &[u8]) -> bool {
        tar::is_one(beginning)
    }

    /// Reads a pack. A part no pack has is refused: it could only mislead whoever unpacks it.
    pub fn read(bytes: &[u8]) -> Result<Self, PackFault> {
        let mut parts = Parts(BTreeMap::new());
        for (name, bytes) in tar::read(bytes)? {
            if parts.0.insert(name, bytes).is_some() {
                return Err(PackFault::Part { name: name.to_owned(), what: "is there twice" });
            }
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let pack = Self {
            readme: text(parts.take(README).unwrap_or_default()),
            key: text(parts.take(KEY).ok_or(PackFault::Missing(KEY))?),
            record: parts.part(RECORD)?.ok_or(PackFault::Missing("record/envelope.json"))?,
            sealed: parts.take(SEALED).map(|sealed| Sealed(sealed.to_vec())),
            ruleset: parts.part(RULESET)?,
            next: parts.part(NEXT)?,
            evidence: parts.evidence(),
        };
        match parts.0.keys().next() {
            Some(name) => Err(PackFault::Part { name: (*name).to_owned(), what: "is none that a pack has" }),
            None => Ok(pack),
        }
    }
}

/// Parts by name, as far as they were not taken yet.
struct Parts<'p>(BTreeMap<&'p str, &'p [u8]>);

impl<'p> Parts<'p> {
    fn take(&mut self, name: &str) -> Option<&'p [u8]> {
        self.0.remove(name)
    }

    fn part(&mut self, folder: &str) -> Result<Option<Part>, PackFault> {
        let (envelope, proof) = Part::names(folder);
        match (self.take(&envelope), self.take(&proof)) {
            (Some(envelope), Some(proof)) => match Part::read(envelope, proof) {
                Some(part) => Ok(Some(part)),
                None => Err(PackFault::Part { name: proof_name(folder), what: "is not a tlog-proof" }),
            },
            (None, None) => Ok(None),
            _ => Err(PackFault::Part { name: folder.to_owned(), what: "wants an envelope and its proof" }),
        }
    }

    /// Files are taken under the names they have: that a name is the digest of its bytes is for whoever
    /// looks one up.
    fn evidence(&mut self) -> BTreeMap<Digest, Vec<u8>> {
        let digest = |name: &&str| name.strip_prefix(EVIDENCE).and_then(Digest::from_hex);
        let names: Vec<&str> = self.0.keys().copied().filter(|name| digest(name).is_some()).collect();
        let found = names.iter().filter_map(|name| Some((digest(name)?, self.take(name)?.to_vec())));
        let mut evidence = BTreeMap::new();
        evidence.extend(found.collect::<Vec<_>>());
        evidence
    }
}

fn proof_name(folder: &str) -> String {
    Part::names(folder).1
}
