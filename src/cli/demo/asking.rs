//! Asking as a partner does: one request over mutual TLS, and the `curl` that does the same.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::Stage;
use crate::cli::trial::Partner;
use crate::tls::{ClientTls, Credential};

type Fault = Box<dyn std::error::Error>;

/// A question as a partner puts it.
pub(super) struct Asking<'a> {
    pub(super) partner: &'a Partner,
    pub(super) path: &'static str,
    pub(super) headers: &'a [(&'static str, &'static str)],
    pub(super) body: String,
}

/// The whole answer.
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) outcome: String,
    pub(super) receipt: Option<String>,
    pub(super) exchange: String,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

impl Said {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn code(&self) -> String {
        self.json().get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Asking<'_> {
    /// The same question by hand, from within the demo's folder.
    pub(super) fn curl(&self, stage: &Stage) -> String {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("-H '{name}: {value}' ")).collect();
        format!(
            "curl --cert {} \\\n    --key {} \\\n    --cacert {} \\\n    {headers}--json '{}' \\\n    https://localhost:{}{}",
            stage.within(&self.partner.certificate),
            stage.within(&self.partner.key),
            stage.within(&stage.trial.ca),
            self.body,
            stage.gateway.port(),
            self.path
        )
    }

    pub(super) async fn ask(&self, ca: &Path, address: SocketAddr) -> Result<Said, Fault> {
        let credential = Credential::load(&self.partner.certificate, &self.partner.key)?;
        let tls = ClientTls::new(&std::fs::read(ca)?, Some(&credential))?;
        let stream = tls.connect("localhost", tokio::net::TcpStream::connect(address).await?).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request =
            Request::post(self.path).header("host", "localhost").header("content-type", "application/json");
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        let response = sender.send_request(request.body(Full::new(Bytes::from(self.body.clone())))?).await?;
        let (parts, body) = response.into_parts();
        let header =
            |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Said {
            status: parts.status.as_u16(),
            outcome: header("tolbooth-outcome").unwrap_or_default(),
            receipt: header("tolbooth-receipt"),
            exchange: header("tolbooth-exchange").unwrap_or_default(),
            content_type: header("content-type").unwrap_or_default(),
            body: body.collect().await?.to_bytes(),
        })
    }
}
