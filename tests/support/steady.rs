//! A partner's system that keeps its connection, as real ones do.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tolbooth::cli::trial;
use tolbooth::tls::{ClientTls, Credential};

use super::partner::Said;

pub struct Steady {
    runtime: tokio::runtime::Runtime,
    sender: SendRequest<Full<Bytes>>,
}

impl Steady {
    pub fn connect(ca: &Path, partner: &trial::Partner, address: SocketAddr) -> Result<Self, String> {
        let credential = Credential::load(&partner.certificate, &partner.key).unwrap();
        let tls = ClientTls::new(&std::fs::read(ca).unwrap(), Some(&credential)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sender = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            stream.set_nodelay(true).unwrap();
            let stream = tls.connect("localhost", stream).await.map_err(|error| error.to_string())?;
            let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
            let (sender, connection) = shaken.map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            Ok::<_, String>(sender)
        })?;
        Ok(Self { runtime, sender })
    }

    pub fn ask(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Said, String> {
        let mut request =
            Request::post(path).header("host", "localhost").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let Self { runtime, sender } = self;
        runtime.block_on(async {
            sender.ready().await.map_err(|error| error.to_string())?;
            let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Said { status: parts.status.as_u16(), version: parts.version, headers: parts.headers, body })
        })
    }
}
