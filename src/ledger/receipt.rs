//! Receipts: an envelope and its inclusion proof under a signed checkpoint, in one header value.
//!
//! `Tolbooth-Receipt` is the base64url (RFC 4648 section 5, without padding) of a C2SP tlog-proof:
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra base64(nonce of 32 bytes | envelope)
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
//!
//! The record proved is the envelope: its leaf hash is SHA-256(0x00 | envelope). The nonce keys the two
//! MACs in the envelope (`binding.rs`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::entry::Nonce;
use crate::merkle::checkpoint::{Checkpoint, CheckpointError};
use crate::merkle::note::VerifierKey;
use crate::merkle::{Hash, leaf_hash, verify_inclusion};

pub(super) const TITLE: &str = "c2sp.org/tlog-proof@v1";
/// A proof in a tree of 2^63 leaves.
pub(super) const HASHES_MAX: usize = 63;

/// Proof that a record is durable: made only by the writer, only after the sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    index: u64,
    header: String,
    bytes: usize,
}

impl Receipt {
    pub(super) fn new(
        nonce: &Nonce,
        envelope: &[u8],
        index: u64,
        (proof, note): (&[Hash], &str),
        bytes: usize,
    ) -> Self {
        Self { index, header: header(nonce, envelope, index, proof, note), bytes }
    }

    /// What the record took of the journal, at most: its own frames, and all of the checkpoint it shares with
    /// its batch.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where the record stands in the log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The value of `Tolbooth-Receipt`; for an exchange at most
    /// [`RECEIPT_BYTES_MAX`](crate::model::limits::RECEIPT_BYTES_MAX).
    pub fn header(&self) -> &str {
        &self.header
    }
}

/// The text of a receipt, which is no [`Receipt`]: with it nothing can be sent.
pub(super) fn header(nonce: &Nonce, envelope: &[u8], index: u64, proof: &[Hash], note: &str) -> String {
    let extra = [nonce.0.as_slice(), envelope].concat();
    let mut text = String::with_capacity(extra.len() * 4 / 3 + proof.len() * 45 + note.len() + 64);
    text.push_str(TITLE);
    text.push_str("\nextra ");
    // Every answer has one, of some 2 KiB that are encoded twice: by the crate that takes many bytes at once.
    base64_simd::STANDARD.encode_append(&extra, &mut text);
    text.push_str(&format!("\nindex {index}\n"));
    for hash in proof {
        base64_simd::STANDARD.encode_append(hash, &mut text);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(note);
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(text)
}

/// Why a receipt is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptFault {
    /// Not base64url of a tlog-proof with nonce and envelope.
    Malformed,
    Checkpoint(CheckpointError),
    /// The envelope is not in the log its checkpoint speaks of.
    NotIncluded,
}

impl fmt::Display for ReceiptFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("not a receipt: wanted the value of Tolbooth-Receipt"),
            Self::Checkpoint(error) => error.fmt(f),
            Self::NotIncluded => f.write_str("the envelope is not in the tree of the receipt's checkpoint"),
        }
    }
}

impl std::error::Error for ReceiptFault {}

/// A receipt somebody holds up: read, and to be believed only through [`Presented::check`].
#[derive(Debug, Clone)]
pub struct Presented {
    nonce: Nonce,
    envelope: Vec<u8>,
    index: u64,
    proof: Vec<Hash>,
    note: String,
}

/// A receipt whose signature and proof are right.
#[derive(Debug, Clone)]
pub struct Checked {
    pub nonce: Nonce,
    /// The JSON as it stands in the log.
    pub envelope: Vec<u8>,
    pub index: u64,
    pub checkpoint: Checkpoint,
}

impl Presented {
    /// Reads the header's value; spaces around it are allowed.
    pub fn parse(header: &str) -> Result<Self, ReceiptFault> {
        let text = URL_SAFE_NO_PAD.decode(header.trim()).ok().and_then(|text| String::from_utf8(text).ok());
        text.as_deref().and_then(read).ok_or(ReceiptFault::Malformed)
    }

    /// The checkpoint's note, not believed yet.
    pub(super) fn note(&self) -> &str {
        &self.note
    }

    /// Verifies the checkpoint's signature and the envelope's place under it.
    pub fn check(self, key: &VerifierKey) -> Result<Checked, ReceiptFault> {
        let checkpoint = Checkpoint::open(&self.note, key).map_err(ReceiptFault::Checkpoint)?;
        let leaf = leaf_hash(&self.envelope);
        if !verify_inclusion(&leaf, self.index, checkpoint.size, &self.proof, &checkpoint.root) {
            return Err(ReceiptFault::NotIncluded);
        }
        Ok(Checked { nonce: self.nonce, envelope: self.envelope, index: self.index, checkpoint })
    }
}

fn read(text: &str) -> Option<Presented> {
    let (proof, note) = text.split_once("\n\n")?;
    let mut lines = proof.lines();
    if lines.next()? != TITLE {
        return None;
    }
    let extra = STANDARD.decode(lines.next()?.strip_prefix("extra ")?).ok()?;
    let (nonce, envelope) = extra.split_first_chunk::<32>()?;
    let index = lines.next()?.strip_prefix("index ")?.parse().ok()?;
    let mut hashes = Vec::new();
    for line in lines {
        if hashes.len() == HASHES_MAX {
            return None;
        }
        hashes.push(STANDARD.decode(line).ok()?.try_into().ok()?);
    }
    Some(Presented {
        nonce: Nonce(*nonce),
        envelope: envelope.to_vec(),
        index,
        proof: hashes,
        note: note.to_owned(),
    })
}
