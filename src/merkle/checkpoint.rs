//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of a log, as a signed note.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::edge::Hash;
use super::note::{Note, VerifierKey, sign_line};
use crate::crypto::SigningKey;

/// The state of a log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The one name of the log; also the name of the key that signs for it.
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointError {
    /// Not a signed note with origin, size and root.
    Malformed,
    /// No valid signature of the key asked for.
    Unsigned,
    /// Signed by the key, but for a log of another name.
    Origin,
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a checkpoint: wanted origin, size and root hash under a signature",
            Self::Unsigned => "the checkpoint bears no valid signature of this log's key",
            Self::Origin => "the checkpoint is of another log",
        })
    }
}

impl std::error::Error for CheckpointError {}

impl Checkpoint {
    /// The three lines that are signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The signed note, with the origin as the key's name.
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.text();
        let line = sign_line(&self.origin, key, &text);
        format!("{text}\n{line}")
    }

    /// Reads the three lines; extension lines are allowed and ignored.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Malformed);
        };
        let canonical = size == "0" || (!size.starts_with('0') && size.bytes().all(|b| b.is_ascii_digit()));
        let size = size.parse().ok().filter(|_| canonical);
        let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        match (size, root) {
            (Some(size), Some(root)) if !origin.is_empty() => {
                Ok(Self { origin: origin.to_owned(), size, root })
            }
            _ => Err(CheckpointError::Malformed),
        }
    }

    /// Reads a note and believes it if `key` signed it for the log of the key's name.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note).map_err(|_| CheckpointError::Malformed)?;
        if !note.is_signed_by(key) {
            return Err(CheckpointError::Unsigned);
        }
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin == key.name() { Ok(checkpoint) } else { Err(CheckpointError::Origin) }
    }
}
