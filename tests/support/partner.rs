//! A partner's system: TLS with its own certificate, one request, the whole answer.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tolbooth::cli::trial;
use tolbooth::tls::{ClientTls, Credential};

pub struct Partner {
    tls: ClientTls,
    address: SocketAddr,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Said {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Said {
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
}

impl Partner {
    pub fn new(ca: &Path, partner: &trial::Partner, address: SocketAddr) -> Self {
        let credential = Credential::load(&partner.certificate, &partner.key).unwrap();
        let tls = ClientTls::new(&std::fs::read(ca).unwrap(), Some(&credential)).unwrap();
        Self { tls, address }
    }

    /// Asks with a JSON body on a new connection.
    pub fn ask(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Said {
        let mut request =
            Request::post(path).header("host", "localhost").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap())
    }

    pub fn send(&self, request: Request<Full<Bytes>>) -> Said {
        self.try_send(request).unwrap()
    }

    pub fn try_send(&self, request: Request<Full<Bytes>>) -> Result<Said, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream =
                tokio::net::TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
            let stream = self.tls.connect("localhost", stream).await.map_err(|error| error.to_string())?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Said { status: parts.status.as_u16(), headers: parts.headers, body })
        })
    }
}
