//! A partner's system: TLS with its own certificate, one request, the whole answer.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tolbooth::cli::trial;
use tolbooth::tls::{ClientTls, Credential};

use super::line::{RawLine, Stream};

pub struct Partner {
    tls: ClientTls,
    address: SocketAddr,
    /// The address it comes from, if that matters.
    from: Option<std::net::IpAddr>,
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Said {
    pub status: u16,
    pub version: http::Version,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Said {
    pub async fn read(response: http::Response<hyper::body::Incoming>) -> Result<Self, String> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Self { status: parts.status.as_u16(), version: parts.version, headers: parts.headers, body })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn outcome(&self) -> &str {
        self.header("tolbooth-outcome")
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn receipt(&self) -> Option<&str> {
        self.headers.get("tolbooth-receipt").map(|value| value.to_str().unwrap())
    }

    /// The id of the exchange.
    pub fn exchange(&self) -> &str {
        self.header("tolbooth-exchange")
    }

    /// Status line and headers, as `curl -D` writes them.
    pub fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        head
    }
}

impl Partner {
    pub fn new(ca: &Path, partner: &trial::Partner, address: SocketAddr) -> Self {
        let credential = Credential::load(&partner.certificate, &partner.key).unwrap();
        let tls = ClientTls::new(&std::fs::read(ca).unwrap(), Some(&credential)).unwrap();
        let (certificate, key) = (partner.certificate.clone(), partner.key.clone());
        Self { tls, address, from: None, ca: ca.to_owned(), certificate, key }
    }

    /// As it is, from another address of this machine.
    pub fn coming_from(mut self, address: &str) -> Self {
        self.from = Some(address.parse().unwrap());
        self
    }

    /// A connection on the caller's own runtime.
    pub async fn sender(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let stream = TokioIo::new(self.tls().await?);
        let shaken = hyper::client::conn::http1::handshake(stream).await;
        let (sender, connection) = shaken.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Asks with a JSON body on a new connection.
    pub fn ask(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Said {
        self.send(question(path, headers, body))
    }

    /// A token for whatever the endpoint gives, or for what `more` of a form narrows it to.
    pub fn token(&self, more: &str) -> String {
        let form = format!("grant_type=client_credentials&{more}");
        let request = Request::post("/token")
            .header("host", "localhost")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .unwrap();
        let said = self.send(request);
        assert_eq!(said.status, 200, "{said:?}");
        said.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub fn send(&self, request: Request<Full<Bytes>>) -> Said {
        self.try_send(request).unwrap()
    }

    pub fn try_send(&self, request: Request<Full<Bytes>>) -> Result<Said, String> {
        self.connect()?.try_send(request)
    }

    /// A connection that stays open.
    pub fn connect(&self) -> Result<Line, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(self.tls().await?))
                .await
                .map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            Ok::<_, String>(sender)
        })?;
        Ok(Line { runtime, sender })
    }

    /// Sends bytes as they are, and gives whatever comes back until the gateway closes.
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut stream = self.tls().await.unwrap();
            // The gateway may have seen enough before it has seen all.
            let _written = stream.write_all(bytes).await;
            let mut all = Vec::new();
            let _closed = stream.read_to_end(&mut all).await;
            all
        })
    }

    /// A connection with nothing of HTTP in it yet; `http2` says what TLS agrees on.
    pub fn line(&self, http2: bool) -> Result<RawLine, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream: Box<dyn Stream> = runtime.block_on(async {
            Ok::<_, String>(match http2 {
                true => Box::new(self.tls_http2().await?) as Box<dyn Stream>,
                false => Box::new(self.tls().await?),
            })
        })?;
        Ok(RawLine::new(runtime, stream))
    }

    /// As [`raw`](Self::raw), in two parts with something done between them.
    pub fn raw_in_two(&self, first: &[u8], between: impl FnOnce(), second: &[u8]) -> Vec<u8> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut stream = self.tls().await.unwrap();
            stream.write_all(first).await.unwrap();
            stream.flush().await.unwrap();
            between();
            let _written = stream.write_all(second).await;
            let mut all = Vec::new();
            let _closed = stream.read_to_end(&mut all).await;
            all
        })
    }

    /// Sends bytes as they are and breaks the connection off.
    pub fn hang_up_after(&self, bytes: &[u8]) {
        self.hang_up_after_told(bytes, || {});
    }

    /// As [`hang_up_after`](Self::hang_up_after), once `told` returns.
    pub fn hang_up_after_told(&self, bytes: &[u8], told: impl FnOnce()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut stream = self.tls().await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.flush().await.unwrap();
            told();
        });
    }

    /// As [`ask`](Self::ask), over HTTP/2.
    pub fn ask_http2(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Said {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = self.tls_http2().await.unwrap();
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .unwrap();
            tokio::spawn(connection);
            let mut question = question(&format!("https://localhost{path}"), headers, body);
            question.headers_mut().remove("host");
            Said::read(sender.send_request(question).await.unwrap()).await.unwrap()
        })
    }

    /// A stream on which HTTP/2 was agreed.
    pub(super) async fn tls_http2(
        &self,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, String> {
        let stream = self.tcp().await?;
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(self.http2_config()));
        connector.connect(name, stream).await.map_err(|error| error.to_string())
    }

    fn http2_config(&self) -> rustls::ClientConfig {
        use rustls::pki_types::pem::PemObject as _;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.ca).unwrap()).unwrap();
        let chain = CertificateDer::pem_file_iter(&self.certificate).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(&self.key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    async fn tcp(&self) -> Result<tokio::net::TcpStream, String> {
        let connect = async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            if let Some(from) = self.from {
                socket.bind((from, 0).into())?;
            }
            socket.connect(self.address).await
        };
        connect.await.map_err(|error: std::io::Error| error.to_string())
    }

    async fn tls(&self) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, String> {
        let stream = self.tcp().await?;
        self.tls.connect("localhost", stream).await.map_err(|error| error.to_string())
    }
}

/// A question as partners send it.
pub fn question(path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request =
        Request::post(path).header("host", "localhost").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()
}

/// An open connection.
pub struct Line {
    runtime: tokio::runtime::Runtime,
    sender: SendRequest<Full<Bytes>>,
}

impl Line {
    /// Whether the gateway still keeps the connection.
    pub fn is_open(&mut self) -> bool {
        let Self { runtime, sender } = self;
        runtime.block_on(async {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            !sender.is_closed()
        })
    }

    pub fn ask(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> Said {
        self.try_send(question(path, headers, body)).unwrap()
    }

    pub fn try_send(&mut self, request: Request<Full<Bytes>>) -> Result<Said, String> {
        let Self { runtime, sender } = self;
        runtime.block_on(async {
            sender.ready().await.map_err(|error| error.to_string())?;
            let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
            Said::read(response).await
        })
    }
}
