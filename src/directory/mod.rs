//! Who the members are: their anchors, officers and keys. Before there is a signed directory this is
//! the local file `members.toml`.
//!
//! What is here is believed because the host put it here; the rest of the house believes a
//! certificate or signature because of what is here.

mod identity;
mod members;
mod sandbox;

pub use identity::{Identity, IdentityFault};
pub use members::load;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::merkle::note::VerifierKey;
use crate::model::{Digest, Fault, MemberClass, MemberId, OfficerKey};
use crate::tls::{Anchor, AnchorId, Serial, TrustDomain};

/// One immutable reading of the members' file and every file it names.
#[derive(Debug, Clone)]
pub struct Directory {
    federation: String,
    members: HashMap<MemberId, Member>,
    /// Names and digests of all files, in the order read: two directories with one digest are the
    /// same.
    digest: Digest,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// One organisation.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: MemberId,
    pub name: String,
    pub class: MemberClass,
    /// Official codes by their name, such as `nhs_board`.
    pub codes: BTreeMap<String, String>,
    pub officers: Vec<OfficerKey>,
    /// Keys under this member's log origins.
    pub ledger_keys: Vec<VerifierKey>,
    anchors: Vec<ListedAnchor>,
    revoked: Revoked,
    /// Issuers of tokens whose word counts for this member's systems and users, as tokens name them.
    issuers: Vec<String>,
}

/// An anchor and the file that holds it.
#[derive(Debug, Clone)]
struct ListedAnchor {
    anchor: Anchor,
    file: String,
}

/// A plain deny-list.
#[derive(Debug, Clone, Default)]
struct Revoked {
    certificates: HashSet<Digest>,
    serials: HashSet<Serial>,
}

impl Member {
    fn lists(&self, anchor: &AnchorId) -> bool {
        self.anchors.iter().any(|listed| listed.anchor.id() == *anchor)
    }

    /// Whether the issuer of that name may say something of this member's systems and users.
    pub fn hears(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|listed| listed == issuer)
    }

    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }
}

/// Whether a certificate is that of a sandbox's CA, by the URI name `certs sandbox` gives it.
fn is_of_sandbox(anchor: &Anchor) -> bool {
    let uris = &anchor.certificate().uris;
    uris.iter().filter_map(|uri| TrustDomain::from_uri(uri)).any(|domain| domain.is_sandbox())
}

impl Directory {
    /// The DNS-like name all trust domains end in.
    pub fn federation(&self) -> &str {
        &self.federation
    }

    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }

    /// All members, sorted by id.
    pub fn members(&self) -> Vec<&Member> {
        let mut all: Vec<&Member> = self.members.values().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// The officers of all members, in the order of [`members`](Self::members) and their files.
    pub fn officers(&self) -> Vec<OfficerKey> {
        self.members().iter().flat_map(|member| member.officers.iter().cloned()).collect()
    }

    /// The anchors of all members, for the listener.
    pub fn anchors(&self) -> Vec<Anchor> {
        let listed = self.members().into_iter().flat_map(|member| &member.anchors);
        listed.map(|listed| listed.anchor.clone()).collect()
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Every file read, with the path it was read from, for the ledger's evidence.
    pub fn files(&self) -> &[(PathBuf, Vec<u8>)] {
        &self.files
    }

    /// What is not wrong but will hurt: anchors that have expired (nobody under them can connect),
    /// are not valid yet, or expire within 30 days.
    pub fn warnings(&self, now: Timestamp) -> Vec<Fault> {
        const SOON_DAYS: i64 = 30;
        let mut warnings = Vec::new();
        for member in self.members() {
            for listed in &member.anchors {
                let certificate = listed.anchor.certificate();
                let id = &member.id;
                let message = match certificate.days_left(now) {
                    days if days < 0 => format!("this CA of {id} has expired: nobody under it can connect"),
                    _ if now < certificate.not_before => format!("this CA of {id} is not valid yet"),
                    days if days < SOON_DAYS => format!("this CA of {id} expires in {days} days"),
                    _ => continue,
                };
                warnings.push(Fault::new(listed.file.clone(), None, message));
            }
        }
        warnings
    }
}

#[cfg(test)]
mod tests;
