//! What a handshake ends in: a connection with a proven peer, or a word for the summaries.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::pki_types::UnixTime;
use rustls::{CertificateError, Error, ProtocolVersion};
use tokio_rustls::server::TlsStream;

use super::path::ProvenPath;
use super::pem;
use super::verifier::ClientVerifier;

/// A client's certificate whose chain was verified and whose key was proven in this handshake.
/// Whether it names a system is not yet known.
#[derive(Clone)]
pub struct PeerCertificate {
    leaf: Arc<[u8]>,
    path: ProvenPath,
    /// All that was shown, leaf first, until somebody takes it.
    shown: Option<String>,
}

impl PeerCertificate {
    /// The DER of the client's own certificate.
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// Everything the peer showed, leaf first, as PEM; given once, and not held for the connection's life.
    pub fn take_shown(&mut self) -> Option<String> {
        self.shown.take()
    }

    /// How its chain was proven, to the anchor it ends in.
    pub fn path(&self) -> &ProvenPath {
        &self.path
    }
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerCertificate({:?})", self.path.anchor())
    }
}

/// A finished handshake.
#[derive(Debug)]
pub struct Connection<IO> {
    pub stream: TlsStream<IO>,
    pub peer: PeerCertificate,
    /// HTTP/2 was chosen by ALPN; else HTTP/1.1.
    pub http2: bool,
    /// What was agreed on, for the metrics: `1.3` and `TLS13_AES_256_GCM_SHA384`, say.
    pub version: &'static str,
    pub suite: &'static str,
}

/// Why a handshake did not finish; closed, for the summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandshakeFault {
    NoCertificate,
    UnknownIssuer,
    Expired,
    NotYetValid,
    /// A known issuer's certificate that is not for this: a CA's own, one not for client
    /// authentication, a weak key, a signature that does not verify.
    Unsuitable,
    /// Not TLS 1.3, not TLS at all, or the peer gave up with an alert.
    Protocol,
    Timeout,
    /// The connection broke.
    Other,
}

impl HandshakeFault {
    pub const ALL: [Self; 8] = [
        Self::NoCertificate,
        Self::UnknownIssuer,
        Self::Expired,
        Self::NotYetValid,
        Self::Unsuitable,
        Self::Protocol,
        Self::Timeout,
        Self::Other,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCertificate => "no_certificate",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Unsuitable => "unsuitable",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for HandshakeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for HandshakeFault {}

pub(super) fn classify(error: &io::Error) -> HandshakeFault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    inner.map_or(HandshakeFault::Other, of_error)
}

pub(super) fn of_error(error: &Error) -> HandshakeFault {
    match error {
        Error::NoCertificatesPresented => HandshakeFault::NoCertificate,
        Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => HandshakeFault::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => HandshakeFault::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                HandshakeFault::NotYetValid
            }
            _ => HandshakeFault::Unsuitable,
        },
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerIncompatible(_)
        | Error::PeerMisbehaved(_)
        | Error::AlertReceived(_)
        | Error::DecryptError
        | Error::PeerSentOversizedRecord
        | Error::NoApplicationProtocol => HandshakeFault::Protocol,
        _ => HandshakeFault::Other,
    }
}

/// The one maker of [`PeerCertificate`].
pub(super) fn finished<IO>(
    stream: TlsStream<IO>,
    verifier: &ClientVerifier,
) -> Result<Connection<IO>, HandshakeFault> {
    let session = stream.get_ref().1;
    let chain = session.peer_certificates().ok_or(HandshakeFault::NoCertificate)?;
    let leaf = chain.first().ok_or(HandshakeFault::NoCertificate)?;
    let path = verifier.path(chain, UnixTime::now()).map_err(|error| of_error(&error))?;
    let peer = PeerCertificate { leaf: leaf.as_ref().into(), path, shown: Some(pem::written(chain)) };
    let http2 = session.alpn_protocol() == Some(b"h2");
    let version = if session.protocol_version() == Some(ProtocolVersion::TLSv1_2) { "1.2" } else { "1.3" };
    let suite =
        session.negotiated_cipher_suite().and_then(|agreed| agreed.suite().as_str()).unwrap_or_default();
    Ok(Connection { stream, peer, http2, version, suite })
}
