//! Asking: connect, one request, its whole answer, all within one time.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::url::HttpsUrl;
use crate::tls::{ClientTls, ConnectError};

/// Answers' heads are small; what does not fit is not an answer we know.
const HEAD_BYTES_MAX: usize = 32 * 1024;
const HEADERS_MAX: usize = 64;

/// How long one answer may take, and how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpsBounds {
    pub time_max: Duration,
    pub bytes_max: usize,
}

/// Why there is no answer. Says nothing of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpsFault {
    Late,
    /// No connection, or the server did not prove its name.
    Unreachable(String),
    /// The connection broke, or what came is not HTTP/1.1.
    Broken,
    TooLarge,
    Compressed,
    /// The request cannot be written: a fault of this program.
    Request,
}

impl fmt::Display for HttpsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("it did not answer in time"),
            Self::Unreachable(why) => write!(f, "it cannot be reached: {why}"),
            Self::Broken => f.write_str("the connection broke before a whole answer in HTTP/1.1"),
            Self::TooLarge => f.write_str("its answer is too large"),
            Self::Compressed => f.write_str("its answer is compressed, which was not asked for"),
            Self::Request => f.write_str("the request could not be made"),
        }
    }
}

impl Error for HttpsFault {}

/// Asks servers under one CA, showing them one certificate or none. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpsClient {
    tls: ClientTls,
    bounds: HttpsBounds,
}

impl HttpsClient {
    pub fn new(tls: ClientTls, bounds: HttpsBounds) -> Self {
        Self { tls, bounds }
    }

    /// Sends a request to `url`, whatever its own URI says, and gives the whole answer of any status.
    pub async fn send(&self, url: &HttpsUrl, request: Request<Bytes>) -> Result<Response<Bytes>, HttpsFault> {
        let request = addressed(url, request).ok_or(HttpsFault::Request)?;
        let asked = async {
            let mut sender = self.connect(url).await?;
            let response = sender.send_request(request).await.map_err(|_| HttpsFault::Broken)?;
            self.whole(response).await
        };
        timeout(self.bounds.time_max, asked).await.unwrap_or(Err(HttpsFault::Late))
    }

    async fn connect(&self, url: &HttpsUrl) -> Result<http1::SendRequest<Full<Bytes>>, HttpsFault> {
        // An error of the system names the place and the cause; of neither is there more to say.
        let unreachable = |error: std::io::Error| HttpsFault::Unreachable(error.kind().to_string());
        let stream =
            TcpStream::connect((url.server.host.as_str(), url.server.port)).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let stream = self.tls.connect(&url.server.host, stream).await.map_err(|error| match error {
            ConnectError::Io(error) => unreachable(error),
            error => HttpsFault::Unreachable(error.to_string()),
        })?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| HttpsFault::Broken)?;
        // Ends when the sender is dropped or the other side closes; what went wrong, the sender hears.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn whole(&self, response: Response<hyper::body::Incoming>) -> Result<Response<Bytes>, HttpsFault> {
        let (head, body) = response.into_parts();
        let encoded = head.headers.get_all(header::CONTENT_ENCODING).iter();
        if encoded.into_iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(HttpsFault::Compressed);
        }
        // Told before a byte is read: what it says of itself, then what comes.
        if body.size_hint().lower() > self.bounds.bytes_max as u64 {
            return Err(HttpsFault::TooLarge);
        }
        let whole = Limited::new(body, self.bounds.bytes_max).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { HttpsFault::TooLarge } else { HttpsFault::Broken }
        })?;
        Ok(Response::from_parts(head, whole.to_bytes()))
    }
}

/// In the form an origin server wants (RFC 9112 section 3.2.1).
fn addressed(url: &HttpsUrl, request: Request<Bytes>) -> Option<Request<Full<Bytes>>> {
    let (mut head, body) = request.into_parts();
    head.uri = url.path.parse::<Uri>().ok()?;
    head.headers.insert(header::HOST, HeaderValue::from_str(&url.server.authority).ok()?);
    head.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Some(Request::from_parts(head, Full::new(body)))
}
