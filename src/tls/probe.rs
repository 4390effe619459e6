//! A handshake that is looked at: what the server shows, whether it asks for a certificate, and what it
//! says when it refuses (RFC 8446 section 6). It trusts nothing more than [`super::ClientTls`] does: a
//! server that is not proven gets no certificate and no byte.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{
    CertificateError as Rejected, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Certificate, Credential, TlsError, pem, provider};

/// What was seen of a server, whether or not the handshake ended well.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The certificates it showed, its own first; empty if it showed none that can be read.
    pub chain: Vec<Certificate>,
    /// Whether it asked for a client certificate.
    pub asked: bool,
}

/// Why a handshake did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeFault {
    /// Neither a DNS name nor an IP address.
    Name,
    /// What answers does not speak TLS.
    NotTls,
    /// It speaks TLS, and not 1.3.
    NoTls13,
    /// Its certificate is not under the CAs given.
    UnknownIssuer,
    /// It is for other names.
    WrongName,
    Expired,
    NotYetValid,
    /// Another fault of the server's certificate.
    Certificate(String),
    /// The server ended it with this alert.
    Alert(String),
    /// It closed or broke the connection.
    Closed(String),
}

/// Ready for a handshake.
pub struct Probe {
    connector: TlsConnector,
    seen: Arc<Mutex<Seen>>,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

impl Probe {
    /// `ca` is PEM with the CAs the server may be under.
    pub fn new(ca: &[u8], credential: Option<&Credential>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(pem::chain(ca).map_err(|_| TlsError::NoAnchors)?);
        if added == 0 {
            return Err(TlsError::NoAnchors);
        }
        let seen = Arc::new(Mutex::new(Seen::default()));
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|_| TlsError::NoAnchors)?;
        let own = credential.map(certified).transpose()?.map(Arc::new);
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|_| TlsError::Provider)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Watcher { inner, seen: Arc::clone(&seen) }))
            .with_client_cert_resolver(Arc::new(Shower { own, seen: Arc::clone(&seen) }));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), seen })
    }

    /// A handshake over a connected stream. Limiting its time is the caller's.
    pub async fn connect<IO>(&self, host: &str, io: IO) -> Result<TlsStream<IO>, ProbeFault>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host).map_err(|_| ProbeFault::Name)?.to_owned();
        self.connector.connect(name, io).await.map_err(|error| fault_of(&error))
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn certified(own: &Credential) -> Result<CertifiedKey, TlsError> {
    let key = provider().key_provider.load_private_key(own.key.clone_key())?;
    let certified = CertifiedKey::new(own.chain.clone(), key);
    certified.keys_match()?;
    Ok(certified)
}

/// The alert that ended a conversation, by its name in RFC 8446, wherever in an error it lies.
pub fn alert_in(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls =
            inner.and_then(|inner| inner.downcast_ref::<Error>()).or_else(|| error.downcast_ref::<Error>());
        if let Some(Error::AlertReceived(alert)) = tls {
            return Some(format!("{alert:?}"));
        }
        next = error.source();
    }
    None
}

fn fault_of(error: &std::io::Error) -> ProbeFault {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return ProbeFault::Closed(error.to_string());
    };
    match tls {
        Error::InvalidMessage(_) => ProbeFault::NotTls,
        Error::PeerIncompatible(_) | Error::AlertReceived(rustls::AlertDescription::ProtocolVersion) => {
            ProbeFault::NoTls13
        }
        Error::AlertReceived(alert) => ProbeFault::Alert(format!("{alert:?}")),
        Error::InvalidCertificate(why) => match why {
            Rejected::UnknownIssuer | Rejected::BadSignature => ProbeFault::UnknownIssuer,
            Rejected::NotValidForName | Rejected::NotValidForNameContext { .. } => ProbeFault::WrongName,
            Rejected::Expired | Rejected::ExpiredContext { .. } => ProbeFault::Expired,
            Rejected::NotValidYet | Rejected::NotValidYetContext { .. } => ProbeFault::NotYetValid,
            other => ProbeFault::Certificate(format!("{other:?}")),
        },
        other => ProbeFault::Closed(other.to_string()),
    }
}

/// Keeps what the server showed, and judges as always.
#[derive(Debug)]
struct Watcher {
    inner: Arc<WebPkiServerVerifier>,
    seen: Arc<Mutex<Seen>>,
}

impl ServerCertVerifier for Watcher {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = std::iter::once(end_entity).chain(intermediates);
        let chain = shown.filter_map(|der| Certificate::from_der(der).ok()).collect();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).chain = chain;
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Keeps that the server asked, and shows what there is. It asks only once its own is verified.
#[derive(Debug)]
struct Shower {
    own: Option<Arc<CertifiedKey>>,
    seen: Arc<Mutex<Seen>>,
}

impl ResolvesClientCert for Shower {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).asked = true;
        self.own.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}
