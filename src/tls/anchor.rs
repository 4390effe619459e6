//! Trust anchors: the CA certificates a member's entry lists.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::{Certificate, CertificateError, KeyKind};
use crate::model::Digest;

/// Names an anchor: the digest of its certificate's DER.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnchorId(pub Digest);

impl fmt::Debug for AnchorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnchorId({})", self.0)
    }
}

/// A CA certificate that client chains may end in.
#[derive(Debug, Clone)]
pub struct Anchor {
    id: AnchorId,
    certificate: Certificate,
    pub(super) der: Arc<[u8]>,
    pub(super) trust: TrustAnchor<'static>,
}

/// Why a certificate cannot be an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorError {
    Certificate(CertificateError),
    /// A certificate of a client or server: it may not issue others.
    NotCa,
    /// The kind of its key is not accepted.
    Key(KeyKind),
}

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(error) => error.fmt(f),
            Self::NotCa => f.write_str("not a CA certificate: its basic constraints do not say CA:TRUE"),
            Self::Key(kind) => write!(
                f,
                "its key is {kind}: wanted ECDSA P-256 or P-384, Ed25519, or RSA of at least {} bits",
                KeyKind::RSA_BITS_MIN
            ),
        }
    }
}

impl std::error::Error for AnchorError {}

impl Anchor {
    pub fn from_der(der: &[u8]) -> Result<Self, AnchorError> {
        let certificate = Certificate::from_der(der).map_err(AnchorError::Certificate)?;
        if !certificate.is_ca {
            return Err(AnchorError::NotCa);
        }
        if !certificate.key.is_strong() {
            return Err(AnchorError::Key(certificate.key));
        }
        let trust = webpki::anchor_from_trusted_cert(&CertificateDer::from(der))
            .map_err(|_| AnchorError::Certificate(CertificateError::Extensions))?
            .to_owned();
        Ok(Self { id: AnchorId(certificate.digest), certificate, der: der.into(), trust })
    }

    pub fn id(&self) -> AnchorId {
        self.id
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}
