//! The rules by which records make one log, followed while reading it from the beginning or from a
//! segment's edge. Opening and verifying use the same.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::encode::ENTRY_VERSION;
use super::intent::OpenIntent;
use super::previous::Previous;
use super::ranges::Ranges;
use super::read::SALT_BYTES;
use super::rules::LastRules;
use super::wrapped::year_of;
use crate::crypto::sha256;
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::{Note, VerifierKey};
use crate::merkle::{Hash, RightEdge, leaf_hash};
use crate::model::{AgreementId, AgreementRef, Digest, Life};

/// What breaks a rule.
pub(super) type Broken = &'static str;

/// What every envelope says, and the little of some kinds that other records depend on.
#[derive(Debug, Deserialize)]
pub(super) struct EnvelopeHead<'e> {
    pub v: u64,
    #[serde(borrow)]
    pub kind: Cow<'e, str>,
    #[serde(borrow)]
    pub log: Cow<'e, str>,
    pub index: u64,
    #[serde(borrow)]
    pub time: Cow<'e, str>,
    #[serde(borrow)]
    pub sealed: Cow<'e, str>,
    /// The exchange's id, of an exchange or intent.
    #[serde(default)]
    pub exchange: Option<String>,
    /// The first and the last of each range of records an erasure names.
    #[serde(default)]
    pub erases: Vec<(u64, u64)>,
    /// The grant that was used, or the agreement of an exchange.
    #[serde(default)]
    pub agreement: Option<Cow<'e, str>>,
    /// The agreements of a ruleset.
    #[serde(default)]
    pub agreements: Vec<(String, String)>,
    /// The log before this one, of a first record.
    #[serde(default)]
    pub previous: Option<Previous>,
    /// The ruleset that came into force, or that an exchange ran under.
    #[serde(default)]
    pub ruleset: Option<&'e str>,
    /// What was taken into use, or refused.
    #[serde(default)]
    pub taken: bool,
    #[serde(default)]
    pub items: Vec<(&'e str, Option<&'e str>, Option<&'e str>)>,
}

impl<'e> EnvelopeHead<'e> {
    pub(super) fn read(envelope: &'e [u8]) -> Option<Self> {
        serde_json::from_slice(envelope).ok()
    }

    /// The agreements a ruleset brought into force, or the log before this one saw in force, with the digests
    /// of their bytes.
    pub(super) fn in_force(&self) -> impl Iterator<Item = (AgreementRef, Digest)> + '_ {
        let named = match (&*self.kind, &self.previous) {
            ("ruleset", _) => self.agreements.as_slice(),
            ("origin", Some(previous)) => previous.agreements.as_slice(),
            _ => &[],
        };
        named.iter().filter_map(|(agreement, bytes)| Some((agreement_ref(agreement)?, Digest::parse(bytes)?)))
    }

    /// The grant that this record says was used.
    pub(super) fn used(&self) -> Option<AgreementId> {
        let grant = self.agreement.as_deref().filter(|_| self.kind == "grant")?;
        agreement_ref(grant).map(|grant| grant.id)
    }
}

/// Reads `id@version`.
pub(super) fn agreement_ref(text: &str) -> Option<AgreementRef> {
    let (id, version) = text.split_once('@')?;
    Some(AgreementRef { id: AgreementId::new(id).ok()?, version: version.parse().ok()? })
}

/// The first frame of every segment: the state of the tree before it, so that a
/// start need not read what came before. It is not believed: the next checkpoint must fit it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EdgeFrame {
    pub size: u64,
    /// No record behind here is earlier, in milliseconds since 1970.
    pub time_ms: i64,
    pub nodes: Vec<String>,
}

impl EdgeFrame {
    pub(super) fn new(edge: &RightEdge, time_ms: i64) -> Self {
        let nodes = edge.nodes().iter().map(|node| Digest(*node).hex()).collect();
        Self { size: edge.size(), time_ms, nodes }
    }

    fn edge(&self) -> Option<RightEdge> {
        let nodes: Option<Vec<Hash>> =
            self.nodes.iter().map(|hex| Digest::from_hex(hex).map(|d| d.0)).collect();
        RightEdge::from_parts(self.size, nodes?)
    }
}

/// A log as far as it has been read.
pub(super) struct Chain<'k> {
    key: &'k VerifierKey,
    /// Whether every checkpoint's signature is verified, or only the last by [`Chain::finish`].
    every_signature: bool,
    edge: RightEdge,
    time_ms: i64,
    /// What the last envelope says of its sealed part, until that has been seen.
    awaited: Option<Digest>,
    /// Intents whose exchange has not come yet, by its id.
    intents: BTreeMap<String, OpenIntent>,
    /// The last envelope's, if it is one of them.
    intent: Option<String>,
    /// Records whose sealed part was blank, and those an erasure names.
    blank: Ranges,
    erased: Ranges,
    /// The last checkpoint and its note.
    last: Option<(Checkpoint, String)>,
    checkpoints: u64,
    /// Of every agreement a ruleset named, the highest version, and the digest of its bytes.
    in_force: BTreeMap<AgreementId, (u32, Digest)>,
    /// Grants that were used.
    used: BTreeSet<AgreementId>,
    /// What the first record says of the log before this one.
    previous: Option<Previous>,
    rules: LastRules,
    life: Life,
    /// The subject keys that sealed parts name.
    subject_keys: BTreeSet<String>,
}

impl<'k> Chain<'k> {
    pub(super) fn new(key: &'k VerifierKey, every_signature: bool) -> Self {
        Self {
            key,
            every_signature,
            edge: RightEdge::default(),
            time_ms: i64::MIN,
            awaited: None,
            intents: BTreeMap::new(),
            intent: None,
            blank: Ranges::default(),
            erased: Ranges::default(),
            last: None,
            checkpoints: 0,
            in_force: BTreeMap::new(),
            used: BTreeSet::new(),
            previous: None,
            rules: LastRules::default(),
            life: Life::default(),
            subject_keys: BTreeSet::new(),
        }
    }

    /// Begins where a segment's edge frame says, or checks it against what was read before.
    pub(super) fn edge_frame(&mut self, body: &[u8], adopt: bool) -> Result<(), Broken> {
        let frame: EdgeFrame =
            serde_json::from_slice(body).map_err(|_| "the edge of a segment is not one")?;
        let edge = frame.edge().ok_or("the edge of a segment is not one")?;
        if adopt {
            self.edge = edge;
            self.time_ms = frame.time_ms;
        }
        if self.edge != frame.edge().unwrap_or_default() || frame.time_ms < self.time_ms {
            return Err("the edge of the segment does not continue the one before");
        }
        self.time_ms = frame.time_ms;
        Ok(())
    }

    /// The next record's envelope.
    pub(super) fn envelope<'e>(&mut self, bytes: &'e [u8]) -> Result<EnvelopeHead<'e>, Broken> {
        if self.awaited.is_some() {
            return Err("the record before has no sealed part");
        }
        let head = EnvelopeHead::read(bytes).ok_or("the envelope is not one")?;
        if head.v != ENTRY_VERSION {
            return Err("the envelope is of a version this program does not know");
        }
        if head.log != self.key.name() {
            return Err("the envelope is of another log");
        }
        if head.index != self.edge.size() {
            return Err("the envelope's index is not the next");
        }
        if (head.index == 0) != (head.kind == "origin") {
            return Err("the first record, and only it, names the origin");
        }
        let time: Timestamp = head.time.parse().map_err(|_| "the envelope's time is not one")?;
        if time.as_millisecond() < self.time_ms {
            return Err("the envelope's time is before that of the record before");
        }
        self.awaited = Some(Digest::parse(&head.sealed).ok_or("the envelope names no sealed part")?);
        self.time_ms = time.as_millisecond();
        if head.kind == "erasure" {
            let erases = Ranges::read(&head.erases, head.index);
            self.erased.extend(&erases.ok_or("the erasure names records that are not before it, or twice")?);
        }
        self.note_in_force(&head);
        head.life(bytes).into_iter().for_each(|event| self.life.note(event));
        if head.previous.is_some() {
            self.previous.clone_from(&head.previous);
        }
        self.note_intent(&head, bytes);
        self.edge.append(leaf_hash(bytes));
        Ok(head)
    }

    /// What officers and the host did, as far as it was read.
    pub(super) fn life(&self) -> &Life {
        &self.life
    }

    fn note_in_force(&mut self, head: &EnvelopeHead<'_>) {
        self.rules.note(head);
        self.used.extend(head.used());
        for (agreement, bytes) in head.in_force() {
            let seen = self.in_force.entry(agreement.id).or_insert((agreement.version, bytes));
            if agreement.version > seen.0 {
                *seen = (agreement.version, bytes);
            }
        }
    }

    fn note_intent(&mut self, head: &EnvelopeHead<'_>, bytes: &[u8]) {
        self.intent = head.exchange.clone().filter(|_| head.kind == "intent");
        if let Some(id) = &self.intent {
            self.intents.insert(id.clone(), OpenIntent::new(head.index, bytes));
        } else if let Some(id) = &head.exchange {
            self.intents.remove(id);
        }
    }

    /// The sealed part of the envelope just read: salt and JSON, or `None` where it was erased.
    pub(super) fn sealed(&mut self, bytes: Option<&[u8]>) -> Result<(), Broken> {
        let wanted = self.awaited.take().ok_or("a sealed part without its envelope")?;
        match bytes {
            Some(bytes) if Digest(sha256(&[bytes])) == wanted => {
                self.note_subject_keys(bytes.get(SALT_BYTES..).unwrap_or_default());
                let intent = self.intent.as_ref().and_then(|id| self.intents.get_mut(id));
                if let (Some(intent), Some(json)) = (intent, bytes.get(SALT_BYTES..)) {
                    intent.sealed_is(json);
                }
                Ok(())
            }
            Some(_) => Err("the sealed part is not the one the envelope names"),
            None => {
                self.blank.insert(self.edge.size() - 1);
                Ok(())
            }
        }
    }

    /// A quote within a text is escaped, so that these bytes are a key of the JSON and nothing somebody said.
    fn note_subject_keys(&mut self, json: &[u8]) {
        const KEY: &[u8] = b"\"key\":\"";
        let mut rest = json;
        while let Some(at) = rest.windows(KEY.len()).position(|bytes| bytes == KEY) {
            rest = rest.get(at + KEY.len()..).unwrap_or_default();
            let name = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
            match std::str::from_utf8(name) {
                Ok(name) if year_of(name).is_some() && !self.subject_keys.contains(name) => {
                    self.subject_keys.insert(name.to_owned());
                }
                _ => {}
            }
        }
    }

    /// A sealed part that was left out of a copy on purpose.
    pub(super) fn sealed_left_out(&mut self) {
        self.awaited = None;
    }

    /// A leaf of which only the hash is known.
    pub(super) fn leaf(&mut self, hash: Hash) {
        self.edge.append(hash);
    }

    /// The checkpoint over everything so far.
    pub(super) fn checkpoint(&mut self, note: &str) -> Result<(), Broken> {
        if self.awaited.is_some() {
            return Err("the record before has no sealed part");
        }
        let checkpoint = if self.every_signature { self.signed(note)? } else { unsigned(note)? };
        if checkpoint.size != self.edge.size() || checkpoint.root != self.edge.root() {
            return Err("the records before the checkpoint are not those it was signed over");
        }
        self.checkpoints += 1;
        self.last = Some((checkpoint, note.to_owned()));
        Ok(())
    }

    fn signed(&self, note: &str) -> Result<Checkpoint, Broken> {
        Checkpoint::open(note, self.key).map_err(|_| "the checkpoint is not signed by this log's key")
    }

    /// At the end: the last checkpoint must be signed and cover everything, and no sealed part may be
    /// missing that no erasure names.
    pub(super) fn finish(&self) -> Result<(), Broken> {
        match &self.last {
            Some((checkpoint, note)) if checkpoint.size == self.edge.size() => self.signed(note)?,
            _ => return Err("records follow the last checkpoint"),
        };
        if self.blank.is_subset(&self.erased) {
            Ok(())
        } else {
            Err("a sealed part is blank and no erasure record names it")
        }
    }

    pub(super) fn edge(&self) -> &RightEdge {
        &self.edge
    }

    pub(super) fn time_ms(&self) -> i64 {
        self.time_ms
    }

    pub(super) fn last(&self) -> Option<&(Checkpoint, String)> {
        self.last.as_ref()
    }

    /// Intents whose exchange has not come.
    pub(super) fn open_intents(&self) -> impl Iterator<Item = &OpenIntent> {
        self.intents.values()
    }

    /// The agreements rulesets named, each with its highest version and the digest of its bytes.
    pub(super) fn in_force(&self) -> impl Iterator<Item = (AgreementRef, Digest)> + '_ {
        let agreement = |id: &AgreementId, version| AgreementRef { id: id.clone(), version };
        self.in_force.iter().map(move |(id, (version, bytes))| (agreement(id, *version), *bytes))
    }

    /// The grants that were used.
    pub(super) fn used(&self) -> impl Iterator<Item = &AgreementId> {
        self.used.iter()
    }

    /// What the first record says of the log before this one.
    pub(super) fn previous(&self) -> Option<&Previous> {
        self.previous.as_ref()
    }

    /// What was said last of the rules.
    pub(super) fn rules(&self) -> &LastRules {
        &self.rules
    }

    /// The ids of the subject keys that what was read names.
    pub(super) fn subject_keys(&self) -> impl Iterator<Item = &str> {
        self.subject_keys.iter().map(String::as_str)
    }

    pub(super) fn checkpoints(&self) -> u64 {
        self.checkpoints
    }

    pub(super) fn erased(&self) -> u64 {
        self.blank.len()
    }

    /// What erasures name and is there all the same: a crash came between the two. Only of a log read from
    /// its first record on.
    pub(super) fn unfinished(&self) -> Ranges {
        self.erased.without(&self.blank)
    }
}

fn unsigned(note: &str) -> Result<Checkpoint, Broken> {
    let note = Note::parse(note).map_err(|_| "the checkpoint is not a signed note")?;
    Checkpoint::parse(note.text()).map_err(|_| "the checkpoint has no origin, size and root")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SigningKey;

    const LOG: &str = "glenmore.caledonia.example/ledger";

    fn envelope(index: u64, kind: &str, more: &str) -> Vec<u8> {
        let sealed = Digest(sha256(&[b"salt and sealed part"]));
        format!(
            r#"{{"v":1,"kind":"{kind}","log":"{LOG}","index":{index},"time":"2026-01-0{}T00:00:00.000Z",{more}"sealed":"{sealed}"}}"#,
            index + 1
        )
        .into_bytes()
    }

    /// A log of three records, the second with its sealed part erased; the third may name it.
    fn finished(third: &str, more: &str) -> Result<(), Broken> {
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        let verifier = VerifierKey::new(LOG, key.public()).unwrap();
        let mut chain = Chain::new(&verifier, true);
        let part = b"salt and sealed part".as_slice();
        for (bytes, sealed) in [
            (envelope(0, "origin", ""), Some(part)),
            (envelope(1, "exchange", ""), None),
            (envelope(2, third, more), Some(part)),
        ] {
            chain.envelope(&bytes)?;
            chain.sealed(sealed)?;
        }
        let (size, root) = (chain.edge().size(), chain.edge().root());
        chain.checkpoint(&Checkpoint { origin: LOG.into(), size, root }.sign(&key))?;
        chain.finish()
    }

    #[test]
    fn a_blank_sealed_part_is_accepted_only_if_an_erasure_names_it() {
        assert_eq!(finished("erasure", "\"erases\":[[1,1]],"), Ok(()));
        assert!(finished("erasure", "\"erases\":[[0,0]],").is_err());
        assert!(finished("exchange", "\"erases\":[[1,1]],").is_err());
        assert!(finished("erasure", "\"erases\":[[1,2]],").is_err(), "itself");
        assert!(finished("erasure", "\"erases\":[[0,18446744073709551615]],").is_err(), "all there will be");
    }

    #[test]
    fn records_after_the_last_checkpoint_are_refused() {
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        let verifier = VerifierKey::new(LOG, key.public()).unwrap();
        let mut chain = Chain::new(&verifier, true);
        assert!(chain.finish().is_err(), "there is none");
        chain.envelope(&envelope(0, "origin", "")).unwrap();
        chain.sealed(Some(b"salt and sealed part")).unwrap();
        let (size, root) = (chain.edge().size(), chain.edge().root());
        chain.checkpoint(&Checkpoint { origin: LOG.into(), size, root }.sign(&key)).unwrap();
        assert_eq!(chain.finish(), Ok(()));
        chain.envelope(&envelope(1, "exchange", "")).unwrap();
        chain.sealed(Some(b"salt and sealed part")).unwrap();
        assert!(chain.finish().is_err());
    }

    #[test]
    fn a_record_out_of_place_is_refused() {
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        let verifier = VerifierKey::new(LOG, key.public()).unwrap();
        let begun = || {
            let mut chain = Chain::new(&verifier, true);
            chain.envelope(&envelope(0, "origin", "")).unwrap();
            chain.sealed(Some(b"salt and sealed part")).unwrap();
            chain
        };
        assert!(begun().envelope(&envelope(1, "exchange", "")).is_ok());
        assert!(begun().envelope(&envelope(2, "exchange", "")).is_err(), "one is missing");
        assert!(begun().envelope(&envelope(1, "origin", "")).is_err(), "a second origin");
        assert!(begun().sealed(Some(b"salt and sealed part")).is_err(), "no envelope");
        let earlier = String::from_utf8(envelope(1, "exchange", "")).unwrap().replace("2026", "2025");
        assert!(begun().envelope(earlier.as_bytes()).is_err(), "time went back");
        let elsewhere =
            String::from_utf8(envelope(1, "exchange", "")).unwrap().replace("glenmore", "glenmare");
        assert!(begun().envelope(elsewhere.as_bytes()).is_err(), "another log");
        let mut chain = begun();
        chain.envelope(&envelope(1, "exchange", "")).unwrap();
        assert!(chain.sealed(Some(b"another sealed part")).is_err());
        let mut chain = begun();
        chain.envelope(&envelope(1, "exchange", "")).unwrap();
        assert!(chain.envelope(&envelope(2, "exchange", "")).is_err(), "no sealed part between");
    }
}
