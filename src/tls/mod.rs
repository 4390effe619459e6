//! The one door to TLS and X.509 (rustls, webpki, x509-parser, rcgen, p12-keystore): the partner
//! listener, our own clients, and the making and reading of certificates.
//!
//! TLS 1.3 alone (RFC 8446), no resumption and no 0-RTT: every connection proves its certificate by
//! a full handshake. What a certificate *means* (which system of which member) is `directory/`'s.

mod anchor;
mod certificate;
mod client;
mod credential;
mod crl;
mod handshake;
mod path;
mod pem;
mod probe;
mod server;
mod sign;
mod spiffe;
mod verifier;

pub mod issue;
pub mod pkcs12;

pub use anchor::{Anchor, AnchorError, AnchorId};
pub use certificate::{Certificate, CertificateError, KeyKind, Name, Serial};
pub use client::{ClientTls, ConnectError};
pub use credential::{Credential, key_file_warning};
pub use crl::{CRL_BYTES_MAX, CRL_ENTRIES_MAX, Crl, CrlError, revocation_lists};
pub use handshake::{Connection, HandshakeFault, PeerCertificate};
pub use path::{Link, ProvenPath, prove};
pub use pem::{PemError, certificates};
pub use probe::{Probe, ProbeFault, Seen, alert_in};
pub use server::{ServerTls, TlsError};
pub use sign::{MessageKey, MessageKeyError};
pub use spiffe::{SpiffeId, TrustDomain, TrustDomainError, is_federation, sandbox_of};

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// AWS-LC, named wherever a configuration is built so that no process-wide default matters. Key
/// exchange offers X25519MLKEM768 first (feature `prefer-post-quantum`).
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests;
