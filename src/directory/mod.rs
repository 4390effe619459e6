//! Who the members are: their anchors, officers and keys. Before there is a signed directory this is
//! the local file `members.toml`.
//!
//! What is here is believed because the host put it here; the rest of the house believes a
//! certificate or signature because of what is here.

mod authority;
mod bindings;
mod identity;
mod lists;
mod members;
mod message_key;
mod revoked;
mod sandbox;

pub use identity::{Identity, IdentityFault};
pub use lists::ListStatus;
pub use members::load;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::merkle::note::VerifierKey;
use crate::model::{
    AuthorityKey, Digest, Fault, MemberClass, MemberId, MessageKey, OfficerKey, SystemId, SystemName,
};
use crate::tls::{Anchor, AnchorId, TrustDomain};

use bindings::Bindings;
use lists::ListFile;
use revoked::Revoked;

/// One immutable reading of the members' file and every file it names.
#[derive(Debug, Clone)]
pub struct Directory {
    federation: String,
    members: HashMap<MemberId, Member>,
    authorities: Vec<AuthorityKey>,
    /// Names and digests of all files, in the order read: two directories with one digest are the
    /// same.
    digest: Digest,
    files: Vec<(PathBuf, Vec<u8>)>,
    bindings: Bindings,
    list_files: Vec<ListFile>,
    refused_lists: Vec<Fault>,
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
    /// The keys its systems sign with.
    message_keys: HashMap<SystemName, Vec<MessageKey>>,
    anchors: Vec<ListedAnchor>,
    /// CAs that others use too: what they sign is this member's only where it is bound.
    shared_anchors: Vec<ListedAnchor>,
    revoked: Revoked,
    /// Issuers of tokens whose word counts for this member's systems and users, as tokens name them.
    issuers: Vec<String>,
}

/// An anchor and the file that holds it.
#[derive(Debug, Clone)]
struct ListedAnchor {
    anchor: Anchor,
    /// As the entry names it.
    name: String,
    file: String,
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

    fn all_anchors(&self) -> impl Iterator<Item = &ListedAnchor> {
        self.anchors.iter().chain(&self.shared_anchors)
    }

    /// Whether a chain that ends there can be a system of this member at all.
    fn vouches(&self, anchor: &AnchorId) -> bool {
        self.all_anchors().any(|listed| listed.anchor.id() == *anchor)
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

    /// The keys of those whose templates count.
    pub fn authorities(&self) -> &[AuthorityKey] {
        &self.authorities
    }

    /// The officers of all members, in the order of [`members`](Self::members) and their files.
    pub fn officers(&self) -> Vec<OfficerKey> {
        self.members().iter().flat_map(|member| member.officers.iter().cloned()).collect()
    }

    /// The message keys of one system.
    pub fn message_keys(&self, system: &SystemId) -> &[MessageKey] {
        let member = self.members.get(&system.member);
        member.and_then(|member| member.message_keys.get(&system.system)).map_or(&[], Vec::as_slice)
    }

    /// How many members have systems that sign.
    pub fn signing_members(&self) -> usize {
        self.members.values().filter(|member| !member.message_keys.is_empty()).count()
    }

    /// The anchors of all members, for the listener; a shared one once.
    pub fn anchors(&self) -> Vec<Anchor> {
        let listed = self.members().into_iter().flat_map(Member::all_anchors);
        let mut anchors: Vec<Anchor> = listed.map(|listed| listed.anchor.clone()).collect();
        anchors.sort_by_key(Anchor::id);
        anchors.dedup_by_key(|anchor| anchor.id());
        anchors
    }

    /// Whether agreements read the same under both: the same members, classes and officers.
    pub fn governs_as(&self, other: &Self) -> bool {
        let standing = |directory: &Self| -> Vec<_> {
            let members = directory.members();
            members.iter().map(|one| (one.id.clone(), one.class, one.officers.clone())).collect()
        };
        self.federation == other.federation
            && self.authorities == other.authorities
            && standing(self) == standing(other)
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
        let file = self.files.first().map(|(path, _)| path.display().to_string()).unwrap_or_default();
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        for member in self.members() {
            let mut keys: Vec<&MessageKey> = member.message_keys.values().flatten().collect();
            keys.sort_by(|a, b| a.id.cmp(&b.id));
            let ending = keys.into_iter().filter_map(|key| message_key::warning(key, today, SOON_DAYS));
            warnings.extend(
                ending.map(|message| Fault::new(file.clone(), None, format!("{}: {message}", member.id))),
            );
            for listed in member.all_anchors() {
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
