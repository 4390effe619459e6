//! The people who sign for a member.

use super::MemberId;
use crate::crypto::PublicKey;

/// A key of a directory authority, which signs templates and sees no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityKey {
    /// The authority's name, with which the names of its templates begin.
    pub authority: String,
    /// The name in signature lines.
    pub name: String,
    pub public: PublicKey,
    /// Counts for templates of trials only.
    pub trial: bool,
}

/// An officer's public key, as the directory lists it. The private key never lies on a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficerKey {
    pub member: MemberId,
    /// The name in signature lines, unique within the federation, such as `j.smith.glenmore`.
    pub name: String,
    /// The office held, such as `Data Protection Officer`.
    pub office: String,
    pub public: PublicKey,
    /// Made by `init` or `demo` for everybody at once: counts only for a trial.
    pub trial: bool,
}
