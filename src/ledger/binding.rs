//! What ties a receipt to the question and the answer: HMAC-SHA-256 under the exchange's nonce.
//!
//! The bytes under the MAC are a list of parts, each as its length (8 bytes, big endian) and its
//! bytes. Request: `tolbooth/request/v1`, method, path, content type, then name and value of each
//! deciding header as used, then the body. Answer: `tolbooth/answer/v1`, status in decimal, outcome
//! as `Tolbooth-Outcome` says, content type, body. An absent content type is an empty part.

use super::entry::Nonce;
use crate::crypto::MacKey;

const REQUEST: &[u8] = b"tolbooth/request/v1";
const ANSWER: &[u8] = b"tolbooth/answer/v1";

/// The MAC over a question. `headers` are those that decided, in the order of the design:
/// names in small letters, values as used.
pub fn request_mac(
    nonce: &Nonce,
    method: &str,
    path: &str,
    content_type: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> [u8; 32] {
    let mut parts = vec![REQUEST, method.as_bytes(), path.as_bytes(), content_type.as_bytes()];
    for (name, value) in headers {
        parts.push(name.as_bytes());
        parts.push(value.as_bytes());
    }
    parts.push(body);
    tag(nonce, &parts)
}

/// The MAC over an answer or refusal as sent.
pub fn answer_mac(nonce: &Nonce, status: u16, outcome: &str, content_type: &str, body: &[u8]) -> [u8; 32] {
    let status = status.to_string();
    tag(nonce, &[ANSWER, status.as_bytes(), outcome.as_bytes(), content_type.as_bytes(), body])
}

fn tag(nonce: &Nonce, parts: &[&[u8]]) -> [u8; 32] {
    let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
    let framed: Vec<&[u8]> =
        lengths.iter().zip(parts).flat_map(|(length, part)| [length.as_slice(), part]).collect();
    MacKey::new(&nonce.0).tag(&framed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_questions_have_one_mac() {
        let nonce = Nonce([7; 32]);
        let mac = |path, headers: &[(&str, &str)], body| {
            request_mac(&nonce, "POST", path, "application/json", headers, body)
        };
        let one = mac("/a/v1/check", &[("tolbooth-user", "x")], b"{}");
        assert_eq!(one, mac("/a/v1/check", &[("tolbooth-user", "x")], b"{}"));
        assert_ne!(one, mac("/a/v1/chec", &[("ktolbooth-user", "x")], b"{}"));
        assert_ne!(one, mac("/a/v1/check", &[("tolbooth-userx", "")], b"{}"));
        assert_ne!(one, mac("/a/v1/check", &[], b"{}"));
        assert_ne!(one, mac("/a/v1/check", &[("tolbooth-user", "x")], b"{ }"));
        let other = Nonce([8; 32]);
        assert_ne!(
            answer_mac(&nonce, 200, "answered", "", b""),
            answer_mac(&other, 200, "answered", "", b"")
        );
        assert_ne!(
            answer_mac(&nonce, 200, "answered", "", b""),
            answer_mac(&nonce, 404, "answered", "", b"")
        );
    }
}
