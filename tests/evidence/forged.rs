//! Packs a host with the log's real key could forge: consistent to the last hash, and of something that was
//! never agreed.

use std::path::Path;

use serde_json::{Value, json};
use tolbooth::ledger::verify::pack::{Pack, Part, Sealed};
use tolbooth::merkle::checkpoint::Checkpoint;
use tolbooth::merkle::signer::SignerKey;
use tolbooth::merkle::{RightEdge, leaf_hash, prove_inclusion};
use tolbooth::model::Digest;
use tolbooth::policy;

/// A pack taken apart.
#[derive(Clone)]
pub struct Forge {
    pub files: Vec<(String, Vec<u8>)>,
    pub record: Value,
    pub entry: Value,
    pub next: Option<Value>,
    pub sealed: Option<Value>,
    pub chain: Vec<u8>,
    /// How the file of the agreement it was under ends.
    pub agreed: String,
    key: String,
}

impl Forge {
    /// `home` is the gateway's: its ledger's private key is used.
    pub fn new(pack: &Pack, home: &Path) -> Self {
        let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let entry = json(&pack.ruleset.as_ref().unwrap().envelope);
        let kept = |digest: &Value| pack.evidence[&Digest::parse(digest.as_str().unwrap()).unwrap()].clone();
        let manifest = json(&kept(&entry["manifest"]));
        let files = manifest["files"].as_array().unwrap().iter();
        let sealed = pack.sealed.as_ref().map(|sealed| json(sealed.json()));
        Self {
            files: files.map(|file| (file[0].as_str().unwrap().to_owned(), kept(&file[1]))).collect(),
            record: json(&pack.record.envelope),
            entry,
            next: pack.next.as_ref().map(|next| json(&next.envelope)),
            chain: sealed.as_ref().map(|sealed| kept(&sealed["chain"])).unwrap_or_default(),
            sealed,
            agreed: "child-protection.toml".to_owned(),
            key: std::fs::read_to_string(home.join("data/keys/ledger.key")).unwrap(),
        }
    }

    /// The bytes of a file whose name ends so.
    pub fn file(&mut self, ending: &str) -> &mut Vec<u8> {
        &mut self.files.iter_mut().find(|(name, _)| name.ends_with(ending)).unwrap().1
    }

    /// Changes a file's text.
    pub fn edit(&mut self, ending: &str, change: impl FnOnce(&str) -> String) {
        let bytes = self.file(ending);
        let before = String::from_utf8(bytes.clone()).unwrap();
        let after = change(&before);
        assert_ne!(before, after, "{ending}");
        *bytes = after.into_bytes();
    }

    /// As they follow from the files and the sealed part.
    pub fn pack(self) -> Pack {
        self.pack_with(|_, _, _| {})
    }

    /// As [`pack`](Self::pack), with the envelopes of record, entry and next changed at the end.
    pub fn pack_with(mut self, change: impl FnOnce(&mut Value, &mut Value, &mut Value)) -> Pack {
        let mut pack = Pack { readme: "forged".into(), ..Pack::default() };
        let mut keep = |bytes: &[u8]| {
            pack.evidence.insert(Digest::of(bytes), bytes.to_vec());
            Digest::of(bytes).to_string()
        };
        let files: Vec<Value> = self.files.iter().map(|(name, bytes)| json!([name, keep(bytes)])).collect();
        let lines = files.iter().map(|file| {
            let hex = file[1].as_str().unwrap().trim_start_matches("sha256:");
            format!("{hex} {}\n", file[0].as_str().unwrap())
        });
        let ruleset = Digest::of(lines.collect::<String>().as_bytes()).to_string();
        let manifest = keep(json!({ "ruleset": ruleset, "files": files }).to_string().as_bytes());
        let ending = self.agreed.clone();
        let agreed = keep(&self.file(&ending).clone());
        // The dataset's file has that ending too: the agreement's is the first in order of name.
        self.record["agreement_digest"] = agreed.clone().into();
        self.record["ruleset"] = ruleset.clone().into();
        for listed in self.entry["agreements"].as_array_mut().unwrap() {
            if listed[0] == self.record["agreement"] {
                listed[1] = agreed.clone().into();
            }
        }
        self.entry["ruleset"] = ruleset.clone().into();
        self.entry["manifest"] = manifest.into();
        if let Some(sealed) = &mut self.sealed {
            sealed["chain"] = keep(&self.chain).into();
            let bytes = [[7; 32].as_slice(), sealed.to_string().as_bytes()].concat();
            self.record["sealed"] = Digest::of(&bytes).to_string().into();
            pack.sealed = Some(Sealed(bytes));
        }
        let mut next = self.next.unwrap_or_default();
        if next.is_object() {
            next["before"] = ruleset.into();
        }
        change(&mut self.record, &mut self.entry, &mut next);
        let all: Vec<Value> =
            [self.record, self.entry].into_iter().chain(Some(next).filter(Value::is_object)).collect();
        let mut parts = logged(&all, &self.key).into_iter();
        pack.key = format!("{}\n", SignerKey::parse(&self.key).unwrap().verifier());
        pack.record = parts.next().unwrap();
        pack.ruleset = parts.next();
        pack.next = parts.next();
        pack
    }
}

/// A log with these records in their places, signed with its key.
fn logged(records: &[Value], key: &str) -> Vec<Part> {
    let key = SignerKey::parse(key).unwrap();
    let place = |record: &Value| usize::try_from(record["index"].as_u64().unwrap()).unwrap();
    let size = records.iter().map(place).max().unwrap() + 2;
    let mut leaves = vec![leaf_hash(b"another record"); size];
    for record in records {
        leaves[place(record)] = leaf_hash(record.to_string().as_bytes());
    }
    let mut edge = RightEdge::default();
    leaves.iter().for_each(|leaf| edge.append(*leaf));
    let origin = key.verifier().name().to_owned();
    let note = Checkpoint { origin, size: size as u64, root: edge.root() }.sign(key.key());
    let part = |record: &Value| Part {
        envelope: record.to_string().into_bytes(),
        index: record["index"].as_u64().unwrap(),
        proof: prove_inclusion(&leaves, record["index"].as_u64().unwrap()).unwrap(),
        note: note.clone(),
    };
    records.iter().map(part).collect()
}

/// Signatures under an agreement's text as it is, by these officers of the trial.
pub fn signed(home: &Path, text: &[u8], members: &[&str]) -> Vec<u8> {
    let agreement = policy::load("agreement", text).unwrap_or_else(|faults| panic!("{faults}"));
    let mut note: Option<String> = None;
    for member in members {
        let key = home.parent().unwrap().join(format!("keys/{member}/officer.key"));
        let officer = SignerKey::parse(&std::fs::read_to_string(key).unwrap()).unwrap();
        let name = officer.verifier().name();
        note = Some(policy::add_signature(note.as_deref(), &agreement, name, officer.key()).unwrap());
    }
    note.unwrap().into_bytes()
}
