//! Signatures brought back: an officer signs the statement with a tool of their own, on a machine that has no
//! Tolbooth, and what they send counts only after it was verified here.

use std::fmt;

use crate::merkle::note::{Note, NoteError, signature_line};
use crate::model::{MemberId, suggestion};

use super::agreement::Agreement;
use super::sign::{KeyRing, Ring, SignError, signature_text, with_line};

/// What an officer sent.
#[derive(Debug, Clone, Copy)]
pub enum Brought<'a> {
    /// A C2SP signed note over the statement, with one line or more.
    Note(&'a str),
    /// The bare 64 bytes of Ed25519 (RFC 8032) over the statement, and whose they are said to be.
    Bare { officer: &'a str, signature: &'a [u8] },
}

/// Why a signature that was brought is not attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachError {
    NotANote(NoteError),
    /// The note is over another text: another agreement, version or bytes.
    OtherStatement,
    UnknownOfficer {
        name: String,
        near: Option<String>,
    },
    /// An officer of a member that does not sign this agreement.
    NoParty {
        name: String,
        member: MemberId,
    },
    DoesNotVerify {
        name: String,
    },
    Sign(SignError),
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANote(error) => error.fmt(f),
            Self::OtherStatement => f.write_str(
                "a signature over another text: the officer signs exactly what `tolbooth agreement statement` prints \
                 of the file as it is now",
            ),
            Self::UnknownOfficer { name, near } => {
                write!(f, "no officer of the members' file is called `{name}`")?;
                near.as_ref().map_or(Ok(()), |near| write!(f, "; {near}"))
            }
            Self::NoParty { name, member } => {
                write!(f, "{name} is an officer of {member}, which does not sign this agreement")
            }
            Self::DoesNotVerify { name } => write!(
                f,
                "not a signature by the key that the members' file lists for {name}, over the statement as it is now"
            ),
            Self::Sign(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AttachError {}

impl From<SignError> for AttachError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

/// The note with what was brought added, each line verified, and who signed. Nothing is added unless all of it is
/// good.
pub fn attach(
    existing: Option<&str>,
    agreement: &Agreement,
    ring: &KeyRing,
    brought: Brought<'_>,
) -> Result<(String, Vec<String>), AttachError> {
    if agreement.seal.is_none() {
        return Err(SignError::Unsealed.into());
    }
    let text = signature_text(agreement);
    let lines = match brought {
        Brought::Bare { officer, signature } => {
            let ring = officer_of(agreement, ring, officer)?;
            if !ring.verifier.public().verifies(text.as_bytes(), signature) {
                return Err(AttachError::DoesNotVerify { name: officer.to_owned() });
            }
            vec![(officer.to_owned(), signature_line(&ring.verifier, signature))]
        }
        Brought::Note(note) => lines_of(note, &text, agreement, ring)?,
    };
    let mut all = existing.map(str::to_owned);
    for (name, line) in &lines {
        all = Some(with_line(all.as_deref(), &signature_text(agreement), name, line)?);
    }
    let note = all.ok_or(AttachError::NotANote(NoteError::Shape))?;
    Ok((note, lines.into_iter().map(|(name, _)| name).collect()))
}

fn lines_of(
    note: &str,
    text: &str,
    agreement: &Agreement,
    ring: &KeyRing,
) -> Result<Vec<(String, String)>, AttachError> {
    let note = Note::parse(note).map_err(AttachError::NotANote)?;
    if note.text() != text {
        return Err(AttachError::OtherStatement);
    }
    let verified = note.signers().map(|name| {
        let ring = officer_of(agreement, ring, name)?;
        let signature = note.signature_by(&ring.verifier);
        let signature = signature.ok_or_else(|| AttachError::DoesNotVerify { name: name.to_owned() })?;
        Ok((name.to_owned(), signature_line(&ring.verifier, signature)))
    });
    verified.collect()
}

fn officer_of<'r>(agreement: &Agreement, ring: &'r KeyRing, name: &str) -> Result<&'r Ring, AttachError> {
    let Some(found) = ring.get(name) else {
        return Err(AttachError::UnknownOfficer {
            name: name.to_owned(),
            near: suggestion(name, ring.names()),
        });
    };
    let member = &found.officer.member;
    if !agreement.controllers().any(|controller| controller == member) {
        return Err(AttachError::NoParty { name: name.to_owned(), member: member.clone() });
    }
    Ok(found)
}
