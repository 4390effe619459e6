//! What is revoked among a member's certificates: its deny-list and its CAs' revocation lists, as one set. A
//! look-up costs the same however much is in it, and covers every certificate of a chain, since a sub-CA
//! that was taken back speaks for nobody either.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::Digest;
use crate::tls::{Crl, Name, ProvenPath, Serial};

/// One member's revoked certificates. The lists are shared by pointer from one reading to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Revoked {
    certificates: HashSet<Digest>,
    /// Of whatever issuer.
    serials: HashSet<Serial>,
    /// By issuer: a serial number is unique under one CA only (RFC 5280 section 4.1.2.2).
    lists: HashMap<Name, Vec<Arc<Crl>>>,
}

impl Revoked {
    pub(super) fn certificate(&mut self, digest: Digest) {
        self.certificates.insert(digest);
    }

    pub(super) fn serial(&mut self, serial: Serial) {
        self.serials.insert(serial);
    }

    pub(super) fn list(&mut self, list: Arc<Crl>) {
        self.lists.entry(list.issuer().clone()).or_default().push(list);
    }

    /// Whether a certificate of the path, or the anchor it ends in, is revoked.
    pub(super) fn breaks(&self, path: &ProvenPath) -> bool {
        let denied = path.links().iter().any(|link| {
            self.certificates.contains(&link.certificate)
                || self.serials.contains(&link.serial)
                || self.lists_of(&link.issuer).iter().any(|list| list.revokes(&link.serial))
        });
        denied || self.certificates.contains(&path.anchor().0)
    }

    /// When the first of the lists that speak of the path is due to be replaced; `None` where none does.
    pub(super) fn known_until(&self, path: &ProvenPath) -> Option<Timestamp> {
        let of_path = path.links().iter().flat_map(|link| self.lists_of(&link.issuer));
        of_path.map(|list| list.next_update()).min()
    }

    fn lists_of(&self, issuer: &Name) -> &[Arc<Crl>] {
        self.lists.get(issuer).map(Vec::as_slice).unwrap_or_default()
    }
}
