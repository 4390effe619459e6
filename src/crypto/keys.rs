//! Ed25519 keys (RFC 8032).

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::Zeroizing;

/// Why a key could not be made or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Not 32 bytes, or not a point of the curve.
    Malformed,
    /// The operating system gave no randomness.
    NoRandomness,
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an Ed25519 key of 32 bytes",
            Self::NoRandomness => "the operating system gave no random bytes",
        })
    }
}

impl std::error::Error for KeyError {}

/// An Ed25519 private key. Prints as stars.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
}

impl SigningKey {
    pub fn generate() -> Result<Self, KeyError> {
        let seed = Zeroizing::new(super::random::<32>().ok_or(KeyError::NoRandomness)?);
        Self::from_seed(&seed)
    }

    /// From the 32-byte seed (RFC 8032 section 5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Malformed)?;
        Ok(Self { pair, seed: Zeroizing::new(*seed) })
    }

    /// The seed, for writing to a key file.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The key as other programs read it: PKCS#8 (RFC 8410 section 7), DER.
    pub fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        // Version 1, the algorithm 1.3.101.112, and the seed in two strings of bytes.
        const HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let mut der = Zeroizing::new(Vec::with_capacity(HEAD.len() + self.seed.len()));
        der.extend_from_slice(&HEAD);
        der.extend_from_slice(self.seed.as_slice());
        der
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(super::array_of(self.pair.public_key().as_ref()))
    }

    /// The 64-byte signature over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        for (to, from) in out.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *to = *from;
        }
        out
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// An Ed25519 public key: 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// Points of small order, in every encoding, without the sign bit (RFC 8032 section 5.1.2): under such a
/// key one signature verifies over many messages, so that it proves nothing.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    with_ends(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    with_ends(0xec, 0xff, 0x7f),
    with_ends(0xed, 0xff, 0x7f),
    with_ends(0xee, 0xff, 0x7f),
];

const fn with_ends(first: u8, between: u8, last: u8) -> [u8; 32] {
    let b = between;
    [first, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, last]
}

impl PublicKey {
    /// Whether a signature under this key proves anything; for keys that others made.
    pub fn is_of_small_order(&self) -> bool {
        let mut unsigned = self.0;
        unsigned[31] &= 0x7f;
        SMALL_ORDER.contains(&unsigned)
    }

    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}
