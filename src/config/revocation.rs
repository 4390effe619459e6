//! `[revocation]` of `tolbooth.toml`: how soon a revocation acts, and what is done once a CA's list is too old.

use std::time::Duration;

use super::gateway::count;
use super::strict::Table;

/// How revocations are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    pub expired_crl: ExpiredCrl,
    /// Time between two looks at the members' file and what it names. A revocation acts within 2 s, so at most
    /// half of that is spent waiting.
    pub look: Duration,
}

/// What becomes of systems whose CA's revocation list has expired (decision 0013).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiredCrl {
    /// They are refused until there is a newer list.
    Refuse,
    /// They are answered unless the old list or the deny-list revokes them.
    Keep,
}

impl ExpiredCrl {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Keep => "keep",
        }
    }
}

pub(super) fn revocation(table: Option<&Table<'_>>) -> Option<Revocation> {
    let expired_crl = match table.and_then(|table| table.optional("expired_crl")) {
        Some(item) => item.word(&[ExpiredCrl::Refuse, ExpiredCrl::Keep], ExpiredCrl::as_str)?,
        None => ExpiredCrl::Keep,
    };
    let look = Duration::from_millis(count(table, "look_ms", 500, 50..=1000));
    Some(Revocation { expired_crl, look })
}
