//! Our side of TLS towards a system behind, and the clients of `demo` and `doctor`.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Credential, TlsError, pem, provider};

/// Which CAs a server may be under, and what we show it. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls {
    connector: TlsConnector,
}

/// Why no connection came about.
#[derive(Debug)]
pub enum ConnectError {
    /// Neither a DNS name nor an IP address.
    Name,
    /// The server's certificate was not accepted, or the peer does not speak TLS 1.3.
    Tls(rustls::Error),
    Io(io::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("the host is neither a DNS name nor an IP address"),
            Self::Tls(error) => write!(f, "TLS failed: {error}"),
            Self::Io(error) => write!(f, "the connection failed: {error}"),
        }
    }
}

impl std::error::Error for ConnectError {}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => Self::Tls(tls.clone()),
            None => Self::Io(error),
        }
    }
}

impl ClientTls {
    /// `ca` is PEM with one or more CA certificates (`/etc/ssl/certs/ca-certificates.crt` for the
    /// public ones); `credential` is shown to a server that asks. HTTP/1.1 is offered.
    pub fn new(ca: &[u8], credential: Option<&Credential>) -> Result<Self, TlsError> {
        let ders = pem::chain(ca).map_err(|_| TlsError::NoAnchors)?;
        let roots = anchors(ders)?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|_| TlsError::Provider)?
            .with_root_certificates(roots);
        let mut config = match credential {
            Some(own) => builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key())?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Connections are pooled, so resumption would save little and keep secrets in memory.
        config.resumption = Resumption::disabled();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)) })
    }

    /// A handshake over a connected stream; `host` is the name or address the server must prove.
    /// Limiting its time is the caller's.
    pub async fn connect<IO>(&self, host: &str, io: IO) -> Result<TlsStream<IO>, ConnectError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(host).map_err(|_| ConnectError::Name)?.to_owned();
        Ok(self.connector.connect(name, io).await?)
    }
}

fn anchors(ders: Vec<CertificateDer<'static>>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // A bundle of public CAs may hold one that is too odd to use; the others still count.
    let (added, _) = roots.add_parsable_certificates(ders);
    if added == 0 { Err(TlsError::NoAnchors) } else { Ok(roots) }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}
