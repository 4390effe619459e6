//! Sealing something under a passphrase: PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2) to a key of
//! AES-256-GCM (NIST SP 800-38D).
//!
//! Not here: asking for a passphrase, and the file the sealed bytes lie in.

use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use super::random;

/// What OWASP asks of PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet, 2023): half a second of one core,
/// done once a year by whoever recovers, and for each guess by whoever stole the file.
pub const ITERATIONS: u32 = 600_000;
/// More is a file that would keep a machine busy for minutes, whoever wrote it.
const ITERATIONS_MAX: u32 = 10_000_000;

/// What was sealed, and what with the passphrase opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedUnder {
    pub iterations: u32,
    /// Random, so that the key is of this one message.
    pub salt: [u8; 32],
    /// With its tag of 16 bytes.
    pub ciphertext: Vec<u8>,
}

/// Seals `secret`; `with` is not sealed, but must be shown again to open. `None` only without randomness.
pub fn seal_under(passphrase: &str, with: &[u8], secret: &[u8]) -> Option<SealedUnder> {
    let salt = random()?;
    let mut ciphertext = secret.to_vec();
    let (key, nonce) = derived(passphrase, ITERATIONS, &salt)?;
    key.seal_in_place_append_tag(nonce, Aad::from(with), &mut ciphertext).ok()?;
    Some(SealedUnder { iterations: ITERATIONS, salt, ciphertext })
}

/// What was sealed. `None` under another passphrase, or if it was changed.
pub fn open_under(passphrase: &str, with: &[u8], sealed: &SealedUnder) -> Option<Zeroizing<Vec<u8>>> {
    let (key, nonce) = derived(passphrase, sealed.iterations, &sealed.salt)?;
    let mut bytes = Zeroizing::new(sealed.ciphertext.clone());
    let length = key.open_in_place(nonce, Aad::from(with), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

fn derived(passphrase: &str, iterations: u32, salt: &[u8; 32]) -> Option<(LessSafeKey, Nonce)> {
    let iterations = NonZeroU32::new(iterations).filter(|count| count.get() <= ITERATIONS_MAX)?;
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, passphrase.as_bytes(), &mut *key);
    cipher(&key)
}

/// The cipher under a key that was derived for one message.
pub(super) fn cipher(key: &[u8; 32]) -> Option<(LessSafeKey, Nonce)> {
    // The salt is of this message alone, and so the key: a nonce never comes twice under one.
    let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
    Some((LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?), nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_passphrase_opens_what_was_sealed_under_it() {
        let sealed = seal_under("correct horse", b"with", b"secret").unwrap();
        assert_eq!(open_under("correct horse", b"with", &sealed).unwrap().as_slice(), b"secret");
        assert!(open_under("correct hearse", b"with", &sealed).is_none());
        assert!(open_under("correct horse", b"without", &sealed).is_none());
        let busy = SealedUnder { iterations: u32::MAX, ..sealed };
        assert!(open_under("correct horse", b"with", &busy).is_none());
    }

    /// The parameters of RFC 7914 section 11, second vector, whose first 32 bytes these are.
    #[test]
    fn the_derivation_is_that_of_the_rfc() {
        let mut key = [0; 32];
        let iterations = NonZeroU32::new(80_000).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, b"NaCl", b"Password", &mut key);
        let wanted = "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56";
        let shown: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(shown, wanted);
    }
}
