//! The one door to the cryptographic library (AWS-LC): hashing, MACs, key derivation, Ed25519,
//! randomness, constant-time comparison, and sealing to a key or under a passphrase. TLS and certificates
//! reach the same library through rustls and rcgen in `tls/`.
//!
//! Pure in the house's sense: no I/O and no clock; randomness is the only effect.

mod hpke;
mod keys;
mod memory_hard;
mod passphrase;

pub use hpke::{OpeningKey, SealedTo, SealingKey};
pub use keys::{KeyError, PublicKey, SigningKey};
pub use memory_hard::{Effort, HardSalt, open_hard, seal_hard};
pub use passphrase::{SealedUnder, open_under, seal_under};

use aws_lc_rs::{constant_time, digest, hmac, rand};

/// A SHA-256 digest (FIPS 180-4).
pub type Sha256 = [u8; 32];

/// SHA-256 over the parts as if they were one string of bytes.
pub fn sha256(parts: &[&[u8]]) -> Sha256 {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    array_of(context.finish().as_ref())
}

/// SHA-256 of what comes piece by piece.
pub struct Hasher(digest::Context);

impl Default for Hasher {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Hasher {
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub fn finish(self) -> Sha256 {
        array_of(self.0.finish().as_ref())
    }
}

/// SHA-512 (FIPS 180-4), which partners may use for the digest of a body.
pub fn sha512(bytes: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA512, bytes).as_ref()) {
        *to = *from;
    }
    out
}

/// A keyed HMAC-SHA-256 (RFC 2104); the key schedule is made once and shared.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// HMAC-SHA-256 over the parts as if they were one string of bytes.
    pub fn tag(&self, parts: &[&[u8]]) -> Sha256 {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        array_of(context.sign().as_ref())
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(***)")
    }
}

/// Derives 32 bytes by HKDF-SHA-256 (RFC 5869) without salt. `info` says what for; its parts are
/// length-prefixed, so that no two lists of parts derive the same bytes.
pub fn derive(master: &[u8; 32], info: &[&[u8]]) -> [u8; 32] {
    let mut framed = Vec::new();
    for part in info {
        framed.extend_from_slice(&(part.len() as u64).to_be_bytes());
        framed.extend_from_slice(part);
    }
    // Sections 2.2 and 2.3: extract under a salt of zeros, then the first block of expand.
    let extracted = MacKey::new(&[0; 32]).tag(&[master]);
    MacKey::new(&extracted).tag(&[&framed, &[1]])
}

/// Fresh random bytes from the operating system. `None` only if it has none to give.
pub fn random<const N: usize>() -> Option<[u8; N]> {
    let mut out = [0; N];
    rand::fill(&mut out).ok()?;
    Some(out)
}

/// Whether two secrets are equal, in time that depends on their lengths only.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

fn array_of(bytes: &[u8]) -> Sha256 {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests;
