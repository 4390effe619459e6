//! A record in a pack: its envelope as stored, and the proof that it is in the log.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index 123
//! base64(hash)                 the inclusion proof of RFC 6962, from the leaf up
//! ...
//!
//! origin                       the checkpoint, a C2SP signed note
//! size
//! base64(root)
//!
//! — origin base64(signature)
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::ledger::receipt::{HASHES_MAX, ReceiptFault, TITLE};
use crate::merkle::checkpoint::Checkpoint;
use crate::merkle::note::VerifierKey;
use crate::merkle::{Hash, leaf_hash, verify_inclusion};

/// One record and its proof, read and not believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The exact bytes of the leaf.
    pub envelope: Vec<u8>,
    pub index: u64,
    pub proof: Vec<Hash>,
    /// The signed note of the checkpoint.
    pub note: String,
}

impl Part {
    /// The files of a record, by the folder it lies in.
    pub(super) fn names(folder: &str) -> (String, String) {
        (format!("{folder}/envelope.json"), format!("{folder}/proof.txt"))
    }

    pub(super) fn files(&self, folder: &str) -> [(String, Vec<u8>); 2] {
        let (envelope, proof) = Self::names(folder);
        [(envelope, self.envelope.clone()), (proof, self.text().into_bytes())]
    }

    fn text(&self) -> String {
        let mut text = format!("{TITLE}\nindex {}\n", self.index);
        for hash in &self.proof {
            STANDARD.encode_string(hash, &mut text);
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.note);
        text
    }

    pub(super) fn read(envelope: &[u8], proof: &[u8]) -> Option<Self> {
        let (proof, note) = std::str::from_utf8(proof).ok()?.split_once("\n\n")?;
        let mut lines = proof.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let index = lines.next()?.strip_prefix("index ")?.parse().ok()?;
        let mut hashes = Vec::new();
        for line in lines {
            if hashes.len() == HASHES_MAX {
                return None;
            }
            hashes.push(STANDARD.decode(line).ok()?.try_into().ok()?);
        }
        Some(Self { envelope: envelope.to_vec(), index, proof: hashes, note: note.to_owned() })
    }

    /// Verifies the checkpoint's signature and the envelope's place under it.
    pub fn check(&self, key: &VerifierKey) -> Result<Checkpoint, ReceiptFault> {
        let checkpoint = Checkpoint::open(&self.note, key).map_err(ReceiptFault::Checkpoint)?;
        let leaf = leaf_hash(&self.envelope);
        if verify_inclusion(&leaf, self.index, checkpoint.size, &self.proof, &checkpoint.root) {
            Ok(checkpoint)
        } else {
            Err(ReceiptFault::NotIncluded)
        }
    }
}
