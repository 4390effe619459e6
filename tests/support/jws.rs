//! What a client signs for itself (RFC 7523) in tests; by hand, so that the product's own code is not its judge.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Value, json};
use tolbooth::clock::Clock;

/// A signed assertion that `client` is who asks `audience`, good for a minute.
pub fn assertion(key: &Path, client: &str, audience: &str) -> String {
    let key = KeyPair::from_pem(&std::fs::read_to_string(key).unwrap()).unwrap();
    let now = Clock::new().unwrap().now();
    let id = format!("{}-{}", std::process::id(), now.as_nanosecond());
    let (now, until) = (now.as_second(), now.as_second() + 60);
    let claims =
        json!({ "iss": client, "sub": client, "aud": audience, "iat": now, "exp": until, "jti": id });
    signed(&key, &json!({ "alg": "ES256", "typ": "JWT" }), &claims)
}

/// A JWS (RFC 7515) by a P-256 key.
pub fn signed(key: &KeyPair, header: &Value, claims: &Value) -> String {
    assert_eq!(key.algorithm(), &rcgen::PKCS_ECDSA_P256_SHA256);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = fixed(&key.sign(input.as_bytes()).unwrap());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// From DER, `SEQUENCE { INTEGER r, INTEGER s }`, to the 64 bytes of RFC 7518 section 3.4.
fn fixed(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    let mut rest = &der[2..];
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[number.len().saturating_sub(32)..];
        out.resize(out.len() + 32 - number.len(), 0);
        out.extend_from_slice(number);
        rest = &rest[2 + length..];
    }
    out
}
