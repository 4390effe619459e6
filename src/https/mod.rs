//! One request to somebody else's HTTPS server, such as a token issuer, and its whole answer.
//!
//! HTTP/1.1 (RFC 9112) over TLS as `tls/` speaks it, to the one place a file names: the server proves its
//! name under the CA that file gives, no redirect is followed, nothing compressed is accepted, time and
//! size are bounded. Connections are not kept: what is asked here is asked seldom.

mod client;
mod url;

pub use client::{HttpsBounds, HttpsClient, HttpsFault};
pub use url::{HttpsUrl, Server};

#[cfg(test)]
mod tests;
