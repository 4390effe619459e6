//! Making a connection to the system behind.

use std::path::Path;
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Key;
use super::file::HttpFile;
use super::pool::Whole;
use crate::model::Fault;
use crate::source::SourceFault;

/// Answers' heads are small; what does not fit is not an answer we know.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;

/// Where to connect to, and how.
#[derive(Debug)]
pub struct Upstream {
    pub key: Key,
    host: String,
    port: u16,
    connect_timeout: Duration,
}

impl Upstream {
    pub fn build(name: &str, file: &HttpFile, _base: &Path) -> Result<Self, Fault> {
        if let Some(tls) = &file.tls {
            return Err(Fault::new(name, Some(tls.line), "an https source is not possible yet"));
        }
        let key = format!("http://{}:{}", file.url.host, file.url.port);
        Ok(Self {
            key: key.into(),
            host: file.url.host.clone(),
            port: file.url.port,
            connect_timeout: file.connect_timeout,
        })
    }

    pub async fn connect(&self) -> Result<SendRequest<Whole>, SourceFault> {
        let stream = timeout(self.connect_timeout, TcpStream::connect((self.host.as_str(), self.port)))
            .await
            .map_err(|_| SourceFault::Timeout)?
            .map_err(|error| unavailable(&error))?;
        stream.set_nodelay(true).map_err(|error| unavailable(&error))?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| SourceFault::Unavailable("the connection broke at once".into()))?;
        // Ends when the sender is dropped or the other side closes; what went wrong, the sender hears.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }
}

fn unavailable(error: &std::io::Error) -> SourceFault {
    SourceFault::Unavailable(format!("no connection: {}", error.kind()).into())
}
