//! A system behind that speaks HTTP/1.1: one request for each question, on a kept connection.
//!
//! No redirect is followed, no answer is decompressed, no caller's header goes on but those the dataset
//! file names. Everything happens within one deadline: waiting for a place, connecting, the answer.

mod answer;
mod body;
mod connect;
mod file;
mod operation;
mod pool;
mod url;

pub use file::{HttpFile, count};
pub use pool::Pool;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use self::answer::Read;
use self::connect::Upstream;
use self::file::SecretHeader;
use self::operation::HttpOperation;
use self::pool::Whole;
use super::{Fetched, Forwarded, Found, Mappings, SourceFault};
use crate::json::Node;
use crate::model::{Contract, Fault, Faults, Mapping, OperationId};

pub struct HttpSource {
    upstream: Upstream,
    operations: Vec<HttpOperation>,
    forward: Vec<HeaderName>,
    timeout: Duration,
    /// Over all threads, and over reloads.
    places: Arc<Semaphore>,
    connections_max: usize,
}

impl HttpSource {
    pub fn build(
        name: &str,
        file: &HttpFile,
        contract: &Contract,
        base: &Path,
        before: Option<&Self>,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let upstream = Upstream::build(name, file, base).map_err(|more| faults.extend(more)).ok();
        let mut headers = own_headers(&file.url.server.authority);
        for secret in &file.headers {
            match secret_value(name, secret, base) {
                Ok(value) => drop(headers.insert(secret.name.clone(), value)),
                Err(fault) => faults.push(fault),
            }
        }
        let mut operations = Vec::new();
        for operation in &file.operations {
            let Some(contracted) = contract.operation(&operation.head.id) else { continue };
            match HttpOperation::build(name, operation, file, &headers, contracted) {
                Ok(operation) => operations.push(operation),
                Err(more) => faults.extend(more),
            }
        }
        match upstream {
            Some(upstream) if faults.is_empty() => Ok(Self {
                places: places(&upstream, file.connections_max, before),
                upstream,
                operations,
                forward: file.forward.clone(),
                timeout: file.timeout,
                connections_max: file.connections_max,
            }),
            _ => Err(faults),
        }
    }

    /// The mapping of each operation, read without secrets, certificates or a system behind.
    pub fn mappings(name: &str, file: &HttpFile, contract: &Contract) -> Result<Mappings, Faults> {
        let mut mappings = Mappings::new();
        for operation in &file.operations {
            let Some(contracted) = contract.operation(&operation.head.id) else { continue };
            let built = HttpOperation::build(name, operation, file, &HeaderMap::new(), contracted)?;
            mappings.insert(built.id, built.mapping);
        }
        Ok(mappings)
    }

    fn operation(&self, id: &OperationId) -> Option<&HttpOperation> {
        self.operations.iter().find(|operation| operation.id == *id)
    }

    pub fn mapping(&self, operation: &OperationId) -> Option<&Mapping> {
        Some(&self.operation(operation)?.mapping)
    }

    pub async fn fetch(
        &self,
        pool: &Pool,
        operation: &OperationId,
        question: Node<'_>,
        forwarded: &Forwarded<'_>,
        deadline: Instant,
    ) -> Result<Fetched, SourceFault> {
        let operation = self
            .operation(operation)
            .ok_or_else(|| SourceFault::Invalid("the source does not know the operation".into()))?;
        let make = || {
            let mut request = operation.request(question)?;
            let allowed = self.forward.iter().filter_map(|name| Some((name.clone(), forwarded(name)?)));
            request.headers_mut().extend(allowed);
            Ok(request)
        };
        // Before a place is taken: a question that cannot be asked costs the source nothing.
        let request = make()?;
        let until = deadline.min(Instant::now() + self.timeout);
        let exchange = self.exchange(pool, operation, request, make);
        timeout_at(until, exchange).await.unwrap_or(Err(SourceFault::Timeout))
    }

    async fn exchange(
        &self,
        pool: &Pool,
        operation: &HttpOperation,
        request: Request<Whole>,
        again: impl FnOnce() -> Result<Request<Whole>, SourceFault>,
    ) -> Result<Fetched, SourceFault> {
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| SourceFault::Unavailable("the gateway is stopping".into()))?;
        let (response, sender) = self.send(pool, operation, request, again).await?;
        let reading = &operation.reading;
        let answer = match reading.read(response).await? {
            Read::NoMatch { whole } => {
                if whole {
                    pool.give(&self.upstream.key, sender, self.connections_max);
                }
                return Ok(Fetched::NoMatch);
            }
            Read::Answer(answer) => answer,
        };
        pool.give(&self.upstream.key, sender, self.connections_max);
        if !reading.is_there(&answer)? {
            return Ok(Fetched::NoMatch);
        }
        Ok(Fetched::Document(Found { answer, pointer: reading.pointer.clone() }))
    }

    /// Sends on a kept connection if there is one, else on a new one.
    ///
    /// A kept connection may have been closed by the other side meanwhile. The request then goes once
    /// more on a new one, if it was never written, or if the operation only reads.
    async fn send(
        &self,
        pool: &Pool,
        operation: &HttpOperation,
        request: Request<Whole>,
        again: impl FnOnce() -> Result<Request<Whole>, SourceFault>,
    ) -> Result<(Response<Incoming>, SendRequest<Whole>), SourceFault> {
        let mut request = request;
        if let Some(mut sender) = pool.take(&self.upstream.key) {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, sender)),
                Err(mut failed) => {
                    request = match failed.take_message() {
                        Some(unsent) => unsent,
                        None if operation.reads && is_closed(failed.error()) => again()?,
                        None => return Err(broken(failed.error())),
                    };
                }
            }
        }
        let mut sender = self.upstream.connect().await?;
        match sender.send_request(request).await {
            Ok(response) => Ok((response, sender)),
            Err(error) => Err(broken(&error)),
        }
    }
}

/// Those of the source before, where it is the same system and the same number: exchanges of the ruleset
/// before may still hold some.
fn places(upstream: &Upstream, connections_max: usize, before: Option<&HttpSource>) -> Arc<Semaphore> {
    match before {
        Some(before) if before.upstream.key == upstream.key && before.connections_max == connections_max => {
            Arc::clone(&before.places)
        }
        _ => Arc::new(Semaphore::new(connections_max)),
    }
}

/// Whether the connection ended before an answer began.
fn is_closed(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    error.is_incomplete_message()
        || error.is_closed()
        || error.is_canceled()
        || source.is_some_and(|source| source.is::<std::io::Error>())
}

fn broken(error: &hyper::Error) -> SourceFault {
    if error.is_parse() || error.is_parse_too_large() {
        SourceFault::Invalid("it is not HTTP/1.1".into())
    } else {
        SourceFault::Unavailable("the connection broke before an answer".into())
    }
}

fn own_headers(authority: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(host) = HeaderValue::from_str(authority) {
        headers.insert(header::HOST, host);
    }
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

fn secret_value(name: &str, secret: &SecretHeader, base: &Path) -> Result<HeaderValue, Fault> {
    let fault = |why: String| Fault::new(name, Some(secret.line), format!("`{}`: {why}", secret.file));
    let text = std::fs::read_to_string(base.join(&secret.file)).map_err(|error| fault(error.to_string()))?;
    let text = Zeroizing::new(text);
    let value = text.trim_end_matches(['\r', '\n']);
    let visible = !value.is_empty() && value.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    let value = HeaderValue::from_str(value).ok().filter(|_| visible);
    let mut value =
        value.ok_or_else(|| fault("one line of visible ASCII is wanted in the file".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

impl std::fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpSource({})", self.upstream.key)
    }
}

/// An upstream's name in the pool: connections are shared by all datasets that reach it the same way.
type Key = Arc<str>;

#[cfg(test)]
mod tests;
