//! Signing a message with a private key from a PEM file, as JWS wants it (RFC 7518 section 3, RFC 8037):
//! for proving to a token issuer who we are (`private_key_jwt`).

use std::fmt;
use std::sync::Arc;

use rustls::{SignatureAlgorithm, SignatureScheme};

use super::{PemError, pem, provider};

/// How a message is signed: the name JWS has for it, and TLS's. RS256 to RS512 because issuers ask for them.
const METHODS: [(&str, SignatureScheme); 7] = [
    ("ES256", SignatureScheme::ECDSA_NISTP256_SHA256),
    ("ES384", SignatureScheme::ECDSA_NISTP384_SHA384),
    ("EdDSA", SignatureScheme::ED25519),
    ("PS256", SignatureScheme::RSA_PSS_SHA256),
    ("RS256", SignatureScheme::RSA_PKCS1_SHA256),
    ("RS384", SignatureScheme::RSA_PKCS1_SHA384),
    ("RS512", SignatureScheme::RSA_PKCS1_SHA512),
];

/// A private key and the one way it is used. Prints without the key.
#[derive(Clone)]
pub struct MessageKey {
    algorithm: &'static str,
    scheme: SignatureScheme,
    key: Arc<dyn rustls::sign::SigningKey>,
}

/// Why a key cannot sign messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKeyError {
    Pem(PemError),
    /// Of a kind nobody here knows.
    Kind,
    /// Not a name of JWS, or not one for a key of this kind.
    Algorithm,
}

impl fmt::Display for MessageKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => error.fmt(f),
            Self::Kind => f.write_str("wanted an ECDSA P-256 or P-384, Ed25519 or RSA key"),
            Self::Algorithm => f.write_str("a key of this kind does not sign so"),
        }
    }
}

impl std::error::Error for MessageKeyError {}

impl MessageKey {
    /// The names of JWS there are.
    pub fn algorithms() -> impl Iterator<Item = &'static str> {
        METHODS.into_iter().map(|(name, _)| name)
    }

    /// `algorithm` is a name of JWS; without one it is the first that fits the key.
    pub fn from_pem(bytes: &[u8], algorithm: Option<&str>) -> Result<Self, MessageKeyError> {
        let key = pem::private_key(bytes).map_err(MessageKeyError::Pem)?;
        let key = provider().key_provider.load_private_key(key).map_err(|_| MessageKeyError::Kind)?;
        let fits = |(name, scheme): &(&str, SignatureScheme)| {
            algorithm.is_none_or(|wanted| wanted == *name) && key.choose_scheme(&[*scheme]).is_some()
        };
        let (algorithm, scheme) = METHODS.into_iter().find(fits).ok_or(MessageKeyError::Algorithm)?;
        Ok(Self { algorithm, scheme, key })
    }

    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The signature as JWS has it; `None` only if the cryptographic library fails.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signature = self.key.choose_scheme(&[self.scheme])?.sign(message).ok()?;
        match (self.key.algorithm(), self.scheme) {
            (SignatureAlgorithm::ECDSA, SignatureScheme::ECDSA_NISTP384_SHA384) => fixed(&signature, 48),
            (SignatureAlgorithm::ECDSA, _) => fixed(&signature, 32),
            _ => Some(signature),
        }
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageKey({}, ***)", self.algorithm)
    }
}

/// From DER, `SEQUENCE { INTEGER r, INTEGER s }` (RFC 3279 section 2.2.3), to `r` and `s` of a fixed length
/// (RFC 7518 section 3.4). Both curves' signatures are short enough for lengths in one byte.
fn fixed(der: &[u8], length: usize) -> Option<Vec<u8>> {
    let [0x30, _, rest @ ..] = der else { return None };
    let mut rest = rest;
    let mut out = Vec::with_capacity(2 * length);
    for _ in 0..2 {
        let [0x02, size, after @ ..] = rest else { return None };
        let (number, next) = after.split_at_checked(usize::from(*size))?;
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let (_, number) = number.split_at_checked(zeros)?;
        out.extend(std::iter::repeat_n(0, length.checked_sub(number.len())?));
        out.extend_from_slice(number);
        rest = next;
    }
    rest.is_empty().then_some(out)
}

#[cfg(test)]
mod tests {
    use rcgen::{KeyPair, PublicKeyData as _};

    use super::*;

    #[test]
    fn a_signature_is_one_of_jws() {
        use aws_lc_rs::signature::{
            ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, UnparsedPublicKey,
        };
        for (kind, algorithm, verifies) in [
            (
                &rcgen::PKCS_ECDSA_P256_SHA256,
                "ES256",
                &ECDSA_P256_SHA256_FIXED as &dyn aws_lc_rs::signature::VerificationAlgorithm,
            ),
            (&rcgen::PKCS_ECDSA_P384_SHA384, "ES384", &ECDSA_P384_SHA384_FIXED),
            (&rcgen::PKCS_ED25519, "EdDSA", &ED25519),
        ] {
            let pair = KeyPair::generate_for(kind).unwrap();
            let key = MessageKey::from_pem(pair.serialize_pem().as_bytes(), None).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            // Often enough that a number with a leading zero comes by.
            for n in 0_u16..600 {
                let message = n.to_be_bytes();
                let public = UnparsedPublicKey::new(verifies, pair.der_bytes());
                public.verify(&message, &key.sign(&message).unwrap()).unwrap();
            }
        }
    }

    #[test]
    fn a_key_signs_only_as_its_kind_can() {
        let pair = KeyPair::generate().unwrap().serialize_pem();
        let fault = |algorithm| MessageKey::from_pem(pair.as_bytes(), algorithm).unwrap_err();
        for other in ["ES384", "RS256", "none", "HS256", "es256"] {
            assert_eq!(fault(Some(other)), MessageKeyError::Algorithm, "{other}");
        }
        let none = MessageKey::from_pem(b"", None).unwrap_err();
        assert_eq!(none, MessageKeyError::Pem(PemError::PrivateKey));
        let key = MessageKey::from_pem(pair.as_bytes(), Some("ES256")).unwrap();
        assert_eq!(format!("{key:?}"), "MessageKey(ES256, ***)");
    }
}
