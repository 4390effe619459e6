//! Why an answer cannot be minimised: always `source_invalid` to the caller.

use std::fmt;
use std::sync::Arc;

/// What is wrong with which field. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinimiseFault {
    /// The contract's name for the field, such as `address.postcode`; empty for the document itself.
    pub field: Arc<str>,
    pub kind: MinimiseFaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MinimiseFaultKind {
    /// Listed, required by the contract, and not there.
    Missing,
    /// Not of the type the contract says, or null where it may not be.
    WrongType,
    /// Of the right type, but not something its transform can read.
    Unreadable,
    /// A code the agreement's table does not have.
    UnknownCode,
    /// Named by a row condition, and missing or not what the contract says: the row is neither
    /// admitted nor excluded.
    RowUnclear,
}

impl MinimiseFault {
    pub(super) fn new(field: &str, kind: MinimiseFaultKind) -> Self {
        Self { field: field.into(), kind }
    }
}

impl fmt::Display for MinimiseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            MinimiseFaultKind::Missing => "is missing",
            MinimiseFaultKind::WrongType => "is not of the type the contract says",
            MinimiseFaultKind::Unreadable => "is not something its transform can read",
            MinimiseFaultKind::UnknownCode => "holds a code that the agreement's table does not have",
            MinimiseFaultKind::RowUnclear => {
                "is needed to decide about a row, and is not what the contract says"
            }
        };
        match &*self.field {
            "" => write!(f, "the document {what}"),
            field => write!(f, "`{field}` {what}"),
        }
    }
}

impl std::error::Error for MinimiseFault {}
