//! Officers' signatures under an agreement: C2SP signed notes in `<id>.sig` beside the file, one
//! line for each controller, over a text that names the kind, id, version and exact bytes.
//!
//! Not here: whether the signatures suffice ([`super::standing`]).

use std::collections::HashMap;
use std::fmt;

use crate::crypto::SigningKey;
use crate::merkle::note::{Note, NoteError, VerifierKey, sign_line};
use crate::model::OfficerKey;

use super::agreement::Agreement;
use super::template::Template;

/// The first line of the signed text: what kind of thing is signed.
const KIND: &str = "tolbooth/agreement/v1";
/// Of a grant, so that no signature under one can be passed off as under the other.
const KIND_OF_GRANT: &str = "tolbooth/grant/v1";

/// The text officers sign, with its last newline.
pub fn signature_text(agreement: &Agreement) -> String {
    let reference = &agreement.reference;
    let kind = if agreement.grant.is_some() { KIND_OF_GRANT } else { KIND };
    format!("{kind}\n{}\n{}\n{}\n", reference.id, reference.version, agreement.digest)
}

/// The name of the signature file beside an agreement file: `x.toml` has `x.sig`.
pub fn signature_file(file: &str) -> String {
    format!("{}.sig", file.strip_suffix(".toml").unwrap_or(file))
}

/// Why a signature was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignError {
    /// A signature over an unsealed agreement would never put it in force.
    Unsealed,
    /// The existing note signs other bytes: the agreement changed after it was signed. Beginning
    /// anew is for the caller to choose, by passing no note.
    OtherBytes,
    Note(NoteError),
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsealed => f.write_str("the agreement is not sealed: run `tolbooth agreement seal` first"),
            Self::OtherBytes => f.write_str(
                "these signatures are over other bytes: the agreement was changed after it was signed, and everybody must sign again",
            ),
            Self::Note(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SignError {}

impl From<NoteError> for SignError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

/// The note with this key's signature added, in place of an earlier one under the same name.
pub fn add_signature(
    existing: Option<&str>,
    agreement: &Agreement,
    name: &str,
    key: &SigningKey,
) -> Result<String, SignError> {
    if agreement.seal.is_none() {
        return Err(SignError::Unsealed);
    }
    VerifierKey::new(name, key.public())?;
    let text = signature_text(agreement);
    with_line(existing, &text, name, &sign_line(name, key, &text))
}

/// As [`add_signature`], under a template.
pub fn sign_template(
    existing: Option<&str>,
    template: &Template,
    name: &str,
    key: &SigningKey,
) -> Result<String, SignError> {
    VerifierKey::new(name, key.public())?;
    let text = template.signature_text();
    with_line(existing, &text, name, &sign_line(name, key, &text))
}

/// The note over this text with a line under this name, in place of an earlier one.
pub(super) fn with_line(
    existing: Option<&str>,
    text: &str,
    name: &str,
    line: &str,
) -> Result<String, SignError> {
    let mut lines = String::new();
    if let Some(existing) = existing {
        let note = Note::parse(existing)?;
        if note.text() != text {
            return Err(SignError::OtherBytes);
        }
        let mine = format!("\u{2014} {name} ");
        let signed = existing.strip_prefix(text).unwrap_or_default();
        let others = signed.lines().filter(|line| !line.is_empty() && !line.starts_with(&mine));
        lines.extend(others.flat_map(|line| [line, "\n"]));
    }
    let note = format!("{text}\n{lines}{line}");
    // Read back, so that no file is written that the gateway would not read (too many lines).
    Note::parse(&note)?;
    Ok(note)
}

/// The public keys of all members' officers.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    by_name: HashMap<String, Ring>,
}

#[derive(Debug, Clone)]
pub(super) struct Ring {
    pub(super) officer: OfficerKey,
    pub(super) verifier: VerifierKey,
}

/// Why keys do not make a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRingError {
    /// Not a name a signature line can hold.
    Name(String),
    /// Two officers with one name.
    NameTwice(String),
    /// Two officers with one key: the name in a signature line is not signed, so that one
    /// signature could be passed off as both.
    KeyTwice(String, String),
}

impl fmt::Display for KeyRingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "officer `{name}`: {}", NoteError::Name),
            Self::NameTwice(name) => write!(f, "two officers are named `{name}`"),
            Self::KeyTwice(a, b) => write!(f, "officers `{a}` and `{b}` have the same key"),
        }
    }
}

impl std::error::Error for KeyRingError {}

impl KeyRing {
    pub fn new(keys: Vec<OfficerKey>) -> Result<Self, KeyRingError> {
        let mut by_name: HashMap<String, Ring> = HashMap::with_capacity(keys.len());
        let mut by_key: HashMap<[u8; 32], String> = HashMap::with_capacity(keys.len());
        for officer in keys {
            let name = officer.name.clone();
            let verifier =
                VerifierKey::new(&name, officer.public).map_err(|_| KeyRingError::Name(name.clone()))?;
            if let Some(other) = by_key.insert(officer.public.0, name.clone()) {
                // The same officer listed twice is a name twice.
                return Err(if other == name {
                    KeyRingError::NameTwice(name)
                } else {
                    KeyRingError::KeyTwice(other, name)
                });
            }
            if by_name.insert(name.clone(), Ring { officer, verifier }).is_some() {
                return Err(KeyRingError::NameTwice(name));
            }
        }
        Ok(Self { by_name })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Ring> {
        self.by_name.get(name)
    }

    /// The officer whose key has this name.
    pub fn officer(&self, name: &str) -> Option<&OfficerKey> {
        self.get(name).map(|ring| &ring.officer)
    }
}
