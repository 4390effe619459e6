//! Why a gateway does not start, with what to do about it.

use std::fmt;
use std::io;

use crate::desk::FoldFault;
use crate::ledger::LedgerError;
use crate::model::{Fault, Faults};

/// Why a gateway does not start.
#[derive(Debug)]
pub enum StartFault {
    /// Files that are wrong.
    Files(Faults),
    /// The ledger does not open.
    Ledger(LedgerError),
    /// What was ever in force could not be read, neither from the store nor from the journal.
    Fold(FoldFault),
    /// A folder, key or socket.
    Io { what: String, error: io::Error },
}

impl fmt::Display for StartFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files(faults) => faults.fmt(f),
            Self::Ledger(error) => write!(f, "the ledger does not open: {error}"),
            Self::Fold(error) => write!(f, "what was in force before is not known: {error}"),
            Self::Io { what, error } => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for StartFault {}

impl From<Fault> for StartFault {
    fn from(fault: Fault) -> Self {
        Self::Files(fault.into())
    }
}

impl From<Faults> for StartFault {
    fn from(faults: Faults) -> Self {
        Self::Files(faults)
    }
}

impl From<LedgerError> for StartFault {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<FoldFault> for StartFault {
    fn from(error: FoldFault) -> Self {
        Self::Fold(error)
    }
}

pub(super) fn io_fault(what: impl Into<String>) -> impl FnOnce(io::Error) -> StartFault {
    let what = what.into();
    |error| StartFault::Io { what, error }
}
