//! Keys that verify tokens, and JWK sets (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
//!
//! A key says which algorithms it is used with, and no token can choose another: that `alg` is the
//! token's word is where the confusions of JWTs come from (RFC 8725 section 3.1).

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jsonwebtoken::DecodingKey;

use crate::json::{Document, Kind, Node};

use super::fault::JwksFault;

/// An issuer has a key, the one before and the one after; a large one has some for each.
const KEYS_MAX: usize = 64;
/// A set of as many of the largest keys.
pub const JWKS_BYTES_MAX: usize = 128 * 1024;
/// `keys`, a key, its `x5c` or `key_ops`.
const JWKS_DEPTH_MAX: usize = 8;
const KEY_ID_BYTES_MAX: usize = 256;
/// NIST SP 800-131A; and what a verification may cost.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Members that only private and secret keys have (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
const SECRET_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// The algorithms tokens are signed with here (RFC 7518 section 3.1, RFC 8037 section 3.1): closed, all
/// asymmetric. `none` and the MACs have no name in this house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256: of other issuers alone.
    Rs256,
    /// RSASSA-PSS with SHA-256: of other issuers alone.
    Ps256,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Rs256, Self::Ps256];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// By its one spelling (RFC 7515 section 4.1.1: case-sensitive).
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    fn of_jws(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
        }
    }
}

/// A public key of an issuer.
#[derive(Clone)]
pub struct Key {
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.algorithms)
    }
}

impl Key {
    /// An Ed25519 key, for `EdDSA` alone.
    pub fn ed25519(public: &[u8; 32]) -> Self {
        Self { algorithms: vec![Algorithm::EdDsa], public: DecodingKey::from_ed_der(public) }
    }

    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether `signature`, in base64url, is this key's over `message`.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &str) -> bool {
        self.allows(algorithm)
            && jsonwebtoken::crypto::verify(signature, message, &self.public, algorithm.of_jws())
                .unwrap_or(false)
    }
}

/// The keys of one issuer, by `kid`.
#[derive(Debug, Default)]
pub struct KeySet(HashMap<String, Key>);

impl KeySet {
    pub fn new(keys: impl IntoIterator<Item = (String, Key)>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// Reads a JWK set. Keys for encryption, of other kinds, without `kid` or for algorithms not in `allowed`
    /// are left out (RFC 7517 section 5); a set without any other is a fault.
    pub fn from_jwks(bytes: Bytes, allowed: &[Algorithm]) -> Result<Self, JwksFault> {
        if bytes.len() > JWKS_BYTES_MAX {
            return Err(JwksFault::NotAKeySet);
        }
        let document = Document::parse(bytes, JWKS_DEPTH_MAX).map_err(|_| JwksFault::NotAKeySet)?;
        let listed = document.root().get("keys").filter(|keys| keys.kind() == Kind::Array);
        let listed = listed.ok_or(JwksFault::NotAKeySet)?;
        if listed.items().count() > KEYS_MAX {
            return Err(JwksFault::TooManyKeys);
        }
        let mut keys = HashMap::new();
        for jwk in listed.items() {
            if SECRET_MEMBERS.iter().any(|name| jwk.get(name).is_some()) {
                return Err(JwksFault::NotPublic);
            }
            let Some((id, key)) = usable(&jwk, allowed) else { continue };
            if keys.insert(id, key).is_some() {
                return Err(JwksFault::KeyIdTwice);
            }
        }
        if keys.is_empty() { Err(JwksFault::NoUsableKey) } else { Ok(Self(keys)) }
    }

    pub fn get(&self, id: &str) -> Option<&Key> {
        self.0.get(id)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A key that may verify tokens, if this is one.
fn usable(jwk: &Node<'_>, allowed: &[Algorithm]) -> Option<(String, Key)> {
    let text = |name: &str| jwk.get(name).and_then(|node| node.text());
    let id = text("kid").filter(|id| !id.is_empty() && id.len() <= KEY_ID_BYTES_MAX)?;
    if jwk.get("use").is_some() && text("use").as_deref() != Some("sig") {
        return None;
    }
    let verifies = |operation: Node<'_>| operation.text().as_deref() == Some("verify");
    if jwk.get("key_ops").is_some_and(|operations| !operations.items().any(verifies)) {
        return None;
    }
    let (fitting, public) = match (text("kty")?.as_ref(), text("crv").as_deref()) {
        ("OKP", Some("Ed25519")) => (&[Algorithm::EdDsa][..], ed25519(&text("x")?)?),
        ("EC", Some("P-256")) => (&[Algorithm::Es256][..], p256(&text("x")?, &text("y")?)?),
        ("RSA", None) => (&[Algorithm::Rs256, Algorithm::Ps256][..], rsa(&text("n")?, &text("e")?)?),
        _ => return None,
    };
    let named = match jwk.get("alg") {
        Some(named) => Some(Algorithm::parse(&named.text()?)?),
        None => None,
    };
    let used = |algorithm: &Algorithm| allowed.contains(algorithm) && named.is_none_or(|it| it == *algorithm);
    let algorithms: Vec<Algorithm> = fitting.iter().copied().filter(used).collect();
    (!algorithms.is_empty()).then(|| (id.into_owned(), Key { algorithms, public }))
}

fn ed25519(x: &str) -> Option<DecodingKey> {
    let x: [u8; 32] = decode(x)?.try_into().ok()?;
    Some(DecodingKey::from_ed_der(&x))
}

/// The uncompressed point (SEC 1 section 2.3.3); whether it is on the curve is found when it verifies.
fn p256(x: &str, y: &str) -> Option<DecodingKey> {
    let (x, y): ([u8; 32], [u8; 32]) = (decode(x)?.try_into().ok()?, decode(y)?.try_into().ok()?);
    Some(DecodingKey::from_ec_der(&[&[4][..], &x, &y].concat()))
}

fn rsa(n: &str, e: &str) -> Option<DecodingKey> {
    let (n, e) = (decode(n)?, decode(e)?);
    // Without leading zeros (RFC 7518 section 2, Base64urlUInt), so that the length is that of the number.
    let first = n.first().filter(|first| **first != 0)?;
    let bits = n.len() * 8 - first.leading_zeros() as usize;
    let odd = e.last().is_some_and(|last| last % 2 == 1) && e.as_slice() != [1] && e.len() <= 4;
    (RSA_BITS.contains(&bits) && odd).then(|| DecodingKey::from_rsa_raw_components(&n, &e))
}

/// Base64url without padding, in the one spelling (RFC 7515 section 2).
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
