//! The partner listener's side of TLS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::handshake::{self, Connection, HandshakeFault};
use super::verifier::ClientVerifier;
use super::{Anchor, Credential, provider};

/// Our certificate and the anchors of all members, as one immutable snapshot: a reload makes a new
/// one and swaps it, which also forgets what was proven under the old anchors. Cheap to clone.
#[derive(Clone)]
pub struct ServerTls {
    acceptor: TlsAcceptor,
    verifier: Arc<ClientVerifier>,
}

/// Why a TLS configuration could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsError {
    /// The private key is not that of the certificate.
    KeyMismatch,
    /// The key or certificate is of a kind that is not supported.
    Unsupported,
    /// A CA file that holds no usable CA.
    NoAnchors,
    /// The cryptographic library refused its own defaults.
    Provider,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyMismatch => "the private key does not belong to the certificate",
            Self::Unsupported => "the certificate or its key is of a kind that cannot be used",
            Self::NoAnchors => "no usable CA certificate was found",
            Self::Provider => "the cryptographic library could not be set up",
        })
    }
}

impl std::error::Error for TlsError {}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(_) => Self::KeyMismatch,
            _ => Self::Unsupported,
        }
    }
}

impl ServerTls {
    /// `anchors` are those of every member. With none, nobody can connect.
    pub fn new(credential: &Credential, anchors: &[Anchor]) -> Result<Self, TlsError> {
        let verifier = Arc::new(ClientVerifier::new(anchors));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|_| TlsError::Provider)?
            .with_client_cert_verifier(Arc::clone(&verifier) as _)
            .with_single_cert(credential.chain.clone(), credential.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // One identity path: a resumed session would skip the client's certificate (RFC 8446
        // section 2.2), and with it expiry and anchors.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.max_early_data_size = 0;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), verifier })
    }

    /// Finishes a handshake within the given time, or says in a word why not. The peer has been
    /// told by an alert where TLS has one.
    pub async fn accept<IO>(&self, io: IO, within: Duration) -> Result<Connection<IO>, HandshakeFault>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = tokio::time::timeout(within, self.acceptor.accept(io))
            .await
            .map_err(|_| HandshakeFault::Timeout)?
            .map_err(|error| handshake::classify(&error))?;
        handshake::finished(stream, &self.verifier)
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerTls({:?})", self.verifier)
    }
}
