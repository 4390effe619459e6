//! The signatures that lie beside a file: signatures that cannot be read are not signatures that are not there.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use crate::merkle::note::Note;

use super::Exit;

/// Why the signatures were not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The system would not give the file: whether it is signed nobody knows.
    NotGiven(String),
    /// The file is there, and is no file of signatures.
    Malformed(String),
}

impl Unread {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::NotGiven(_) => Exit::Undecided,
            Self::Malformed(_) => Exit::No,
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGiven(why) => {
                write!(f, "{why}\n    whoever runs this machine can say why it is not to be read")
            }
            Self::Malformed(why) => write!(
                f,
                "{why}\n    ask whoever sent it for the file as it was, or sign again: the first adds --anew"
            ),
        }
    }
}

impl std::error::Error for Unread {}

/// The text of the signatures' file; `None` if there is none.
pub(super) fn text_beside(beside: &Path) -> Result<Option<String>, Unread> {
    let name = beside.display();
    let bytes = match std::fs::read(beside) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unread::NotGiven(format!("{name}: {error}"))),
    };
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = 1 + good.filter(|b| **b == b'\n').count();
        Unread::Malformed(format!("{name}:{line}: not UTF-8, and so no signatures"))
    })
}

/// As [`text_beside`], of a file that has to be a signed note.
pub(super) fn note_beside(beside: &Path) -> Result<Option<String>, Unread> {
    let text = text_beside(beside)?;
    if let Some(Err(error)) = text.as_deref().map(Note::parse) {
        return Err(Unread::Malformed(format!("{}: {error}", beside.display())));
    }
    Ok(text)
}
