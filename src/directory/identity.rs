//! From a verified certificate to the system it names (design 3, "Identify").

use std::fmt;

use jiff::Timestamp;

use super::Directory;
use crate::model::{Code, Digest, MemberClass, SystemId};
use crate::tls::{AnchorId, Certificate, ProvenPath, Serial, SpiffeId};

/// Who is at the other end, as proven by a certificate. Made by [`Directory::identity`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    system: SystemId,
    class: MemberClass,
    not_after: Timestamp,
    known_until: Option<Timestamp>,
    certificate: Digest,
    serial: Serial,
}

impl Identity {
    pub fn system(&self) -> &SystemId {
        &self.system
    }

    pub fn class(&self) -> MemberClass {
        self.class
    }

    /// The identity ends with the first certificate of its chain, also on a connection that is open by then.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// When a revocation list that speaks of its chain is due to be replaced, if there is one: after that
    /// it may be revoked without our knowing.
    pub fn known_until(&self) -> Option<Timestamp> {
        self.known_until
    }

    /// The digest of the certificate's DER.
    pub fn certificate(&self) -> Digest {
        self.certificate
    }

    pub fn serial(&self) -> &Serial {
        &self.serial
    }
}

/// Why a certificate with a good chain names nobody. For our own log: the caller gets
/// [`code`](Self::code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityFault {
    /// It cannot be read.
    Unreadable,
    /// It is a CA's own.
    IsCa,
    /// It has no URI name, or several.
    NotOneName,
    /// Its URI is not `spiffe://<member>.<federation>/<system>` in the one spelling.
    NotASystem,
    /// Another federation's system.
    OtherFederation,
    /// The member is not in the directory.
    UnknownMember,
    /// The chain ends in an anchor the named member does not list.
    NotItsAnchor,
    /// Two bindings name it, or a binding and a name of its own that is another system's.
    SeveralSystems,
    /// On the member's deny-list or a revocation list of its CA, or a CA of its chain is.
    Revoked,
}

impl IdentityFault {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::IsCa => "is_ca",
            Self::NotOneName => "not_one_name",
            Self::NotASystem => "not_a_system",
            Self::OtherFederation => "other_federation",
            Self::UnknownMember => "unknown_member",
            Self::NotItsAnchor => "not_its_anchor",
            Self::SeveralSystems => "several_systems",
            Self::Revoked => "revoked",
        }
    }

    /// What the caller is told.
    pub fn code(self) -> Code {
        match self {
            Self::Revoked => Code::CertificateRevoked,
            _ => Code::CertificateNotAccepted,
        }
    }
}

impl fmt::Display for IdentityFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for IdentityFault {}

impl Directory {
    /// The one system a certificate is. `leaf` is its DER and `path` how its chain was proven by TLS; expiry was
    /// TLS's to check and is the caller's from then on. Also run again for open connections when the
    /// directory changes.
    pub fn identity(&self, leaf: &[u8], path: &ProvenPath) -> Result<Identity, IdentityFault> {
        let certificate = Certificate::from_der(leaf).map_err(|_| IdentityFault::Unreadable)?;
        if certificate.is_ca {
            return Err(IdentityFault::IsCa);
        }
        let system =
            match (self.bound(&certificate, path.anchor())?, self.named(&certificate, &path.anchor())) {
                (None, named) => named?,
                // A certificate from elsewhere: it has no name of the kind that could be a member's.
                (Some(bound), _) if !certificate.uris.iter().any(|uri| is_spiffe(uri)) => bound.clone(),
                (Some(bound), named) => {
                    Some(named?).filter(|named| named == bound).ok_or(IdentityFault::SeveralSystems)?
                }
            };
        let member = self.member(&system.member).ok_or(IdentityFault::UnknownMember)?;
        if member.revoked.breaks(path) {
            return Err(IdentityFault::Revoked);
        }
        Ok(Identity {
            class: member.class,
            system,
            not_after: path.not_after(),
            known_until: member.revoked.known_until(path),
            certificate: certificate.digest,
            serial: certificate.serial,
        })
    }

    /// The system a certificate says it is, under an anchor of the member it names.
    fn named(&self, certificate: &Certificate, anchor: &AnchorId) -> Result<SystemId, IdentityFault> {
        let [uri] = certificate.uris.as_slice() else { return Err(IdentityFault::NotOneName) };
        let id = SpiffeId::parse(uri).ok_or(IdentityFault::NotASystem)?;
        if id.domain.federation() != self.federation {
            return Err(IdentityFault::OtherFederation);
        }
        let member = self.member(id.domain.member()).ok_or(IdentityFault::UnknownMember)?;
        if !member.lists(anchor) {
            return Err(IdentityFault::NotItsAnchor);
        }
        Ok(id.system_id())
    }
}

/// Whether a URI is of the kind systems are named by, however its scheme is written (RFC 3986 section 3.1).
fn is_spiffe(uri: &str) -> bool {
    uri.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("spiffe:"))
}
