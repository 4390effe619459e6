//! What is no question: a GET without a query may read the caller's own view or the log (`own_view.rs`, `log.rs`).
//! It takes the road as far as a question is read, so that what is odd, revoked or wrongly signed is refused as
//! ever, and leaves it before anything is decided.

use http::Method;
use http::header::HOST;
use http::request::Parts;

/// Where the asking is done from if the request does not say.
const SOMEWHERE: &str = "gateway.example:8443";

/// A request that may read.
pub(super) struct Reading {
    /// The host and port the caller knows the gateway by, for its examples. It is the caller's own word, shown to
    /// nobody else, and yet only what a host and port are made of is taken.
    pub(super) authority: String,
}

impl Reading {
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        let reads = parts.method == Method::GET && parts.uri.query().is_none();
        reads.then(|| Self { authority: authority(parts) })
    }
}

fn authority(parts: &Parts) -> String {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let said = parts.uri.authority().map(http::uri::Authority::as_str).or(host).unwrap_or_default();
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    if !said.is_empty() && said.len() <= 255 && said.bytes().all(legal) {
        said.to_owned()
    } else {
        SOMEWHERE.to_owned()
    }
}
