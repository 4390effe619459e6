//! The partner listener's side of TLS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ServerConfig, SupportedProtocolVersion};
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

const NEW: &[&SupportedProtocolVersion] = &[&TLS13];
const OLD_AND_NEW: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// All of TLS 1.3, and of TLS 1.2 what partners with older systems need: no CBC, no RSA key exchange (which the
/// library has neither of), and no ChaCha20, which those systems have not.
fn profile() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| suite.tls13().is_some() || GCM.contains(&suite.suite()));
    Arc::new(provider)
}

const GCM: [CipherSuite; 4] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

impl ServerTls {
    /// `anchors` are those of every member. With none, nobody can connect. `tls12` offers TLS 1.2 too, by
    /// ECDHE with AES-GCM alone (RFC 9325 section 4.2).
    pub fn new(credential: &Credential, anchors: &[Anchor], tls12: bool) -> Result<Self, TlsError> {
        let verifier = Arc::new(ClientVerifier::new(anchors, tls12));
        let (provider, versions) = if tls12 { (profile(), OLD_AND_NEW) } else { (provider(), NEW) };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|_| TlsError::Provider)?
            .with_client_cert_verifier(Arc::clone(&verifier) as _)
            .with_single_cert(credential.chain.clone(), credential.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // One identity path: a resumed session would skip the client's certificate (RFC 8446
        // section 2.2), and with it expiry and anchors.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.max_early_data_size = 0;
        // RFC 7627: without it what is proven in one TLS 1.2 session can be passed off in another.
        config.require_ems = true;
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
