//! Access tokens: JSON Web Tokens (RFC 7519, signed by RFC 7515) of the profile of RFC 9068, bound to
//! the client certificate (RFC 8705 section 3). The one door to `jsonwebtoken`, which checks signatures;
//! what is signed is read by the house's own strict reader first, so that nothing has two readings.
//!
//! A token proves what its [`Issuer`] says of a system that TLS has already proven. It adds nothing to who
//! the system is, and releases nothing by itself. Issuers are data: this gateway's own is one of them.
//!
//! Not here: the endpoint that gives tokens out (`serve/`), and what a question under a token may be
//! (`inbound/`).

mod cache;
mod claims;
mod fault;
mod issuer;
mod key;
mod mint;
mod outside;
mod verify;

pub use cache::Cache;
pub use claims::{Claims, Presenter, Says, Scope};
pub use fault::{JwksFault, TokenFault};
pub use issuer::{ClientNames, Issuer, Issuers, Mapping};
pub use key::{Algorithm, Key, KeySet};
pub use mint::{Grant, KeyFileFault, Mint, MintKeys};
pub use outside::{Fetched, Outsider, Outsiders};
pub use verify::{Verified, issuer_said, verify};

/// A whole token: one with 48 agreements of the longest names fits, and a request's head has 32 KiB.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// How far two honest clocks may be apart, in seconds, when a token's times are compared.
pub const SKEW_SECONDS: i64 = 30;

/// The longest a token of this gateway's own lasts: it cannot be called back one by one.
pub const LIFETIME_SECONDS_MAX: i64 = 15 * 60;

#[cfg(test)]
mod tests;
