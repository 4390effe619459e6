//! What proving a chain leaves behind (RFC 5280 section 6): the anchor it ends in, how long every part of it
//! holds, and what revocation lists call each certificate in it. Also proving one outside a handshake.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::handshake::{self, HandshakeFault};
use super::verifier::ClientVerifier;
use super::{Anchor, AnchorId, Certificate, Name, Serial};
use crate::model::Digest;

/// A chain that was proven, from the leaf to below its anchor. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenPath {
    anchor: AnchorId,
    links: Arc<[Link]>,
    within: Validity,
}

/// One certificate of a path, as what revokes it names it: by issuer and serial number, or by its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub certificate: Digest,
    pub issuer: Name,
    pub serial: Serial,
}

impl Link {
    pub(super) fn of(certificate: &Certificate) -> Self {
        Self {
            certificate: certificate.digest,
            issuer: certificate.issuer_name.clone(),
            serial: certificate.serial.clone(),
        }
    }
}

impl ProvenPath {
    pub(super) fn new(anchor: AnchorId, links: Vec<Link>, within: Validity) -> Self {
        Self { anchor, links: links.into(), within }
    }

    /// The anchor the chain ends in.
    pub fn anchor(&self) -> AnchorId {
        self.anchor
    }

    /// The leaf first; without the anchor, which is not in the chain but in its member's entry.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// When the first certificate of the path ends, the anchor's included.
    pub fn not_after(&self) -> Timestamp {
        // A certificate's own end was a timestamp before it was a number.
        Timestamp::from_second(self.within.to).unwrap_or(Timestamp::MIN)
    }

    pub(super) fn within(&self) -> Validity {
        self.within
    }

    /// As proven of a leaf directly under `anchor`, without proof.
    #[cfg(test)]
    pub fn claimed(leaf: &Certificate, anchor: AnchorId) -> Self {
        Self::new(anchor, vec![Link::of(leaf)], Validity::of(leaf))
    }
}

/// Proves a client's chain (leaf first) as the listener would in a handshake, or says why it would not.
pub fn prove(anchors: &[Anchor], chain: &[Vec<u8>], at: Timestamp) -> Result<ProvenPath, HandshakeFault> {
    let chain: Vec<CertificateDer<'_>> =
        chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let seconds = u64::try_from(at.as_second()).map_err(|_| HandshakeFault::NotYetValid)?;
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    ClientVerifier::new(anchors, false).path(&chain, at).map_err(|error| handshake::of_error(&error))
}

/// Seconds since 1970, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    from: i64,
    to: i64,
}

impl Validity {
    pub(super) fn of(certificate: &Certificate) -> Self {
        Self { from: certificate.not_before.as_second(), to: certificate.not_after.as_second() }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    pub(super) fn holds(self, now: UnixTime) -> bool {
        i64::try_from(now.as_secs()).is_ok_and(|now| self.from <= now && now <= self.to)
    }
}
