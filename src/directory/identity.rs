//! From a verified certificate to the system it names (design 3, "Identify").

use std::fmt;

use jiff::Timestamp;

use super::Directory;
use crate::model::{Code, Digest, MemberClass, SystemId};
use crate::tls::{AnchorId, Certificate, Serial, SpiffeId};

/// Who is at the other end, as proven by a certificate. Made by [`Directory::identity`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    system: SystemId,
    class: MemberClass,
    not_after: Timestamp,
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

    /// The identity ends with the certificate, also on a connection that is open by then.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
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
    /// On the member's deny-list.
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
    /// The system a certificate names. `leaf` is its DER and `anchor` where its chain ends, both as
    /// TLS proved them; expiry was TLS's to check and is the caller's from then on. Also run again
    /// for open connections when the directory changes.
    pub fn identity(&self, leaf: &[u8], anchor: &AnchorId) -> Result<Identity, IdentityFault> {
        let certificate = Certificate::from_der(leaf).map_err(|_| IdentityFault::Unreadable)?;
        if certificate.is_ca {
            return Err(IdentityFault::IsCa);
        }
        let [uri] = certificate.uris.as_slice() else { return Err(IdentityFault::NotOneName) };
        let id = SpiffeId::parse(uri).ok_or(IdentityFault::NotASystem)?;
        if id.domain.federation() != self.federation {
            return Err(IdentityFault::OtherFederation);
        }
        let member = self.member(id.domain.member()).ok_or(IdentityFault::UnknownMember)?;
        if !member.lists(anchor) {
            return Err(IdentityFault::NotItsAnchor);
        }
        if member.revoked.certificates.contains(&certificate.digest)
            || member.revoked.serials.contains(&certificate.serial)
        {
            return Err(IdentityFault::Revoked);
        }
        Ok(Identity {
            system: id.system_id(),
            class: member.class,
            not_after: certificate.not_after,
            certificate: certificate.digest,
            serial: certificate.serial,
        })
    }
}
