//! Asking the running gateway through its admin socket: JSON lines back, as they are made.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;

type Fault = Box<dyn std::error::Error>;

/// What the gateway would not do, in its words: asking the same again is no use.
#[derive(Debug)]
pub struct Refused(String);

impl Refused {
    pub(super) fn because(why: String) -> Self {
        Self(why)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// Where the running gateway is asked.
#[derive(Debug, Args)]
pub struct Asked {
    /// The gateway's configuration, which names its admin socket
    #[arg(long, value_name = "FILE", default_value = "tolbooth.toml")]
    pub config: PathBuf,
    /// The admin socket itself, instead of by configuration
    #[arg(long, value_name = "SOCKET")]
    pub socket: Option<PathBuf>,
}

impl Asked {
    pub fn at(socket: &Path) -> Self {
        Self { config: PathBuf::new(), socket: Some(socket.to_path_buf()) }
    }

    fn path(&self) -> Result<PathBuf, Fault> {
        match &self.socket {
            Some(socket) => Ok(socket.clone()),
            None => Ok(crate::config::load(&self.config)?.admin_socket),
        }
    }

    /// Asks, and hands each line of the answer to `each` as it comes, without its newline.
    pub fn ask(
        &self,
        path: &str,
        question: &impl serde::Serialize,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let socket = self.path()?;
        let body = serde_json::to_vec(question)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let stream = tokio::net::UnixStream::connect(&socket).await.map_err(|error| {
                format!("{}: {error} (is the gateway running? Only it can be asked, so that the look is recorded)", socket.display())
            })?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            let request = Request::post(path).header("host", "admin").body(Full::new(Bytes::from(body)))?;
            let mut response = sender.send_request(request).await?;
            if response.status().is_client_error() {
                let body = response.collect().await?.to_bytes();
                let told: serde_json::Value = serde_json::from_slice(&body)?;
                let why = told.get("refused").and_then(serde_json::Value::as_str).unwrap_or_default();
                return Err(Refused(why.to_owned()).into());
            }
            let mut rest: Vec<u8> = Vec::new();
            while let Some(frame) = response.frame().await {
                let Ok(data) = frame?.into_data() else { continue };
                rest.extend_from_slice(&data);
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    each(line.strip_suffix(b"\n").unwrap_or(&line))?;
                }
            }
            Ok(())
        })
    }
}
