//! The digest of a body (RFC 9530): `Content-Digest` with sha-256 or sha-512.

use sfv::{BareItem, Dictionary, ListEntry, Parser};

use super::fault::SignatureFault;
use crate::crypto;

/// The `Content-Digest` of a body, with sha-256.
pub fn content_digest(body: &[u8]) -> String {
    use base64::Engine as _;
    let digest = crypto::sha256(&[body]);
    format!("sha-256=:{}:", base64::engine::general_purpose::STANDARD.encode(digest))
}

/// Whether a `Content-Digest` is that of a body: every digest of a kind we know is compared, and there
/// is at least one. Kinds we do not know prove nothing and are passed over (section 2).
pub fn is_digest_of(field: &str, body: &[u8]) -> Result<(), SignatureFault> {
    let digests: Dictionary = Parser::new(field).parse().map_err(|_| SignatureFault::Digest)?;
    let mut compared = false;
    for (kind, entry) in &digests {
        let ListEntry::Item(item) = entry else { return Err(SignatureFault::Digest) };
        let BareItem::ByteSequence(given) = &item.bare_item else { return Err(SignatureFault::Digest) };
        let same = match kind.as_str() {
            "sha-256" => crypto::sha256(&[body]).as_slice() == given.as_slice(),
            "sha-512" => crypto::sha512(body).as_slice() == given.as_slice(),
            _ => continue,
        };
        if !same {
            return Err(SignatureFault::Body);
        }
        compared = true;
    }
    if compared { Ok(()) } else { Err(SignatureFault::Digest) }
}
