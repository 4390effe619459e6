//! Signed notes (C2SP signed-note v1): a text and lines of Ed25519 signatures under it. Checkpoints
//! and agreements are signed so.
//!
//! ```text
//! the text, which ends in a newline
//!
//! — name base64(key id | signature)
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::{PublicKey, SigningKey, sha256};

/// The algorithm byte of Ed25519 (C2SP signed-note, "Signature types").
const ED25519: u8 = 0x01;
/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// More lines than any note of ours needs; the specification wants at least 16 accepted.
const SIGNATURES_MAX: usize = 64;

/// A named public key: `name+<key id in hex>+base64(0x01 | key)`, the C2SP "vkey" encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: PublicKey,
}

/// Why a note or key could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteError {
    /// A name is empty or holds a space or a plus sign.
    Name,
    /// Not `name+id+key`, or the id is not that of the name and key.
    VerifierKey,
    /// No blank line before the signatures, or a text without its last newline.
    Shape,
    /// A line after the text that is not a signature.
    SignatureLine,
    /// More signature lines than are read.
    TooMany,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "a key name may not be empty nor hold a space or `+`",
            Self::VerifierKey => "not a verifier key: wanted `name+id+key` as `tolbooth` prints it",
            Self::Shape => "not a signed note: wanted a text, an empty line and signature lines",
            Self::SignatureLine => "a signature line that is not `— name base64`",
            Self::TooMany => "more signature lines than a note may have",
        })
    }
}

impl std::error::Error for NoteError {}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control())
}

fn key_id(name: &str, key: &PublicKey) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", &[ED25519], &key.0]);
    [a, b, c, d]
}

impl VerifierKey {
    pub fn new(name: &str, key: PublicKey) -> Result<Self, NoteError> {
        if is_key_name(name) { Ok(Self { name: name.to_owned(), key }) } else { Err(NoteError::Name) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn public(&self) -> &PublicKey {
        &self.key
    }

    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::VerifierKey);
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::VerifierKey)?;
        let Some((&ED25519, key)) = bytes.split_first() else { return Err(NoteError::VerifierKey) };
        let key = PublicKey(key.try_into().map_err(|_| NoteError::VerifierKey)?);
        let made = Self::new(name, key)?;
        if id == made.id_hex() { Ok(made) } else { Err(NoteError::VerifierKey) }
    }

    pub(super) fn id_hex(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(key_id(&self.name, &self.key)))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([&[ED25519], self.key.0.as_slice()].concat());
        write!(f, "{}+{}+{encoded}", self.name, self.id_hex())
    }
}

/// The signature line for `text`, with its newline. `text` must end in a newline.
pub fn sign_line(name: &str, key: &SigningKey, text: &str) -> String {
    line(name, &key.public(), &key.sign(text.as_bytes()))
}

/// The line of a signature that was made elsewhere, with its newline.
pub fn signature_line(key: &VerifierKey, signature: &[u8]) -> String {
    line(&key.name, &key.key, signature)
}

fn line(name: &str, key: &PublicKey, signature: &[u8]) -> String {
    format!("{DASH}{name} {}\n", STANDARD.encode([&key_id(name, key), signature].concat()))
}

/// A note read but not yet believed: ask [`Note::is_signed_by`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl Note {
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        let at = note.rfind("\n\n").ok_or(NoteError::Shape)?;
        let (text, lines) = note.split_at_checked(at + 1).ok_or(NoteError::Shape)?;
        let lines = lines.strip_prefix('\n').ok_or(NoteError::Shape)?;
        let signatures = parse_lines(lines)?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names in the signature lines, believed or not.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|signature| signature.name.as_str())
    }

    /// Whether one of the lines is this key's signature over the text. A line with the key's name
    /// and id that does not verify makes the answer no, whatever other lines say.
    pub fn is_signed_by(&self, key: &VerifierKey) -> bool {
        self.signature_by(key).is_some()
    }

    /// This key's signature over the text, as [`is_signed_by`](Self::is_signed_by) believes it.
    pub fn signature_by(&self, key: &VerifierKey) -> Option<&[u8]> {
        let id = key_id(&key.name, &key.key);
        let mine = || self.signatures.iter().filter(|line| line.name == key.name && line.id == id);
        let good = mine().all(|line| key.key.verifies(self.text.as_bytes(), &line.bytes));
        mine().next().filter(|_| good).map(|line| line.bytes.as_slice())
    }
}

fn parse_lines(lines: &str) -> Result<Vec<Signature>, NoteError> {
    if lines.is_empty() || !lines.ends_with('\n') {
        return Err(NoteError::Shape);
    }
    let mut signatures = Vec::new();
    for line in lines.lines() {
        if signatures.len() == SIGNATURES_MAX {
            return Err(NoteError::TooMany);
        }
        let (name, encoded) =
            line.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or(NoteError::SignatureLine)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::SignatureLine)?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(NoteError::SignatureLine)?;
        if !is_key_name(name) {
            return Err(NoteError::SignatureLine);
        }
        signatures.push(Signature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() });
    }
    Ok(signatures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_signed_by_its_keys_over_its_bytes_only() {
        let key = SigningKey::from_seed(&[3; 32]).unwrap();
        let verifier = VerifierKey::new("glenmore/ledger", key.public()).unwrap();
        let text = "glenmore/ledger\n1\nabc\n";
        let note = format!("{text}\n{}", sign_line("glenmore/ledger", &key, text));
        assert!(Note::parse(&note).unwrap().is_signed_by(&verifier));
        let changed = note.replace("abc", "abd");
        assert!(!Note::parse(&changed).unwrap().is_signed_by(&verifier));
        let other = VerifierKey::new("other", key.public()).unwrap();
        assert!(!Note::parse(&note).unwrap().is_signed_by(&other));
    }

    #[test]
    fn a_verifier_key_reads_what_it_writes() {
        let key = SigningKey::from_seed(&[3; 32]).unwrap();
        let verifier = VerifierKey::new("glenmore/ledger", key.public()).unwrap();
        assert_eq!(VerifierKey::parse(&verifier.to_string()), Ok(verifier.clone()));
        let renamed = verifier.to_string().replace("glenmore", "glenmare");
        assert_eq!(VerifierKey::parse(&renamed), Err(NoteError::VerifierKey));
    }
}
