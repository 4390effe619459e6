//! What strangers' bytes reach first, each as a function of bytes: it must not panic, hang or overflow, and
//! what it accepts must mean one thing. `fuzz/` runs these under libFuzzer, and `tests/fuzz_corpus.rs` over the
//! corpora that are committed.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tolbooth::crypto::SigningKey;
use tolbooth::inbound::Claims;
use tolbooth::json::Document;
use tolbooth::model::{MemberId, MessageKey, SystemId, SystemName};
use tolbooth::serve::{Oddities, Wire};
use tolbooth::signature::{self, Asker, Message, Verifier};
use tolbooth::tls::{Certificate, Serial, SpiffeId, TrustDomain};
use tolbooth::token::{Issuers, KeySet, Mint, MintKeys};

/// No question is larger.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A connection's bytes, as the partners' listener reads them: by the first byte as HTTP/1.1, past the strict
/// reader, or as HTTP/2, to the headers we read and the signature.
pub fn head(data: &[u8]) {
    let Some((&version, wire)) = data.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (mut partner, gateway) = tokio::io::duplex(64 * 1024);
        let served = async move {
            let service = service_fn(asked);
            if version & 1 == 0 {
                let io = TokioIo::new(Wire::new(gateway, Oddities::default()));
                let _ended = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
            } else {
                let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ended = http2.serve_connection(TokioIo::new(gateway), service).await;
            }
        };
        let asking = async move {
            let _written = partner.write_all(wire).await;
            let _ended = partner.shutdown().await;
            let mut answers = Vec::new();
            let _read = partner.read_to_end(&mut answers).await;
        };
        tokio::join!(served, asking);
    });
}

async fn asked(
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, std::convert::Infallible> {
    let (parts, body) = request.into_parts();
    let claimed = Claims::read(&parts.headers).is_ok();
    let body =
        Limited::new(body, BODY_BYTES_MAX).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let question = Message::request(parts.method.as_str(), "https", &parts.uri, &parts.headers);
    let signed = verified(&question, &body);
    assert!(!signed || claimed, "a question was verified whose headers could be read in two ways");
    Ok(http::Response::new(Full::from(body)))
}

fn verified(question: &Message<'_>, body: &[u8]) -> bool {
    let system = SystemId {
        member: MemberId::new("nhs-lomond").unwrap(),
        system: SystemName::new("ed-trak").unwrap(),
    };
    let public = SigningKey::from_seed(&[1; 32]).unwrap().public();
    let keys = [MessageKey {
        system: system.system.clone(),
        id: "ed-trak-1".to_owned(),
        public,
        not_before: None,
        not_after: None,
    }];
    let asker = Asker { system: &system, keys: &keys, signing_members: 1 };
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let verifier = Verifier::new(Timestamp::UNIX_EPOCH, 10);
    verifier.verify(question, body, &asker, &now.to_zoned(jiff::tz::TimeZone::UTC)).is_ok()
}

/// Lines `name: value`, then a blank line and a body: the fields of a signed question. Its target is the first
/// line.
pub fn signature(data: &[u8]) {
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &data[data.len()..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let target = lines.next().and_then(|line| Uri::try_from(line).ok()).unwrap_or_default();
    let mut fields = HeaderMap::new();
    for line in lines.take(64) {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) =
            (HeaderName::from_bytes(&line[..at]), HeaderValue::from_bytes(line[at + 1..].trim_ascii()));
        if let (Ok(name), Ok(value)) = (name, value) {
            fields.append(name, value);
        }
    }
    let question = Message::request("POST", "https", &target, &fields);
    if let Ok(all) = signature::read(&fields) {
        for signed in all {
            // A base is printable, and each component stands on a line of its own.
            let Ok(base) = signed.input.base(&question) else { continue };
            assert!(base.bytes().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~')));
            assert_eq!(base.lines().count(), signed.input.components().len() + 1);
        }
    }
    let _verified = verified(&question, body);
    if let Some(digest) = fields.get("content-digest").and_then(|value| value.to_str().ok()) {
        let _compared = signature::is_digest_of(digest, body);
    }
    assert!(signature::is_digest_of(&signature::content_digest(body), body).is_ok());
}

/// A token, by the first byte, or a JWK set.
pub fn token(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    if kind & 1 == 1 {
        let _keys = KeySet::from_jwks(Bytes::copy_from_slice(rest), &tolbooth::token::Algorithm::ALL);
        return;
    }
    let Ok(text) = std::str::from_utf8(rest) else { return };
    // Nobody has signed anything with this key.
    assert!(tolbooth::token::verify(text, issuers()).is_err());
}

fn issuers() -> &'static Issuers {
    static ISSUERS: OnceLock<Issuers> = OnceLock::new();
    ISSUERS.get_or_init(|| {
        let keys = MintKeys::parse("").unwrap().renewed(1_800_000_000, 86_400).unwrap().unwrap();
        let mint = Mint::new("https://localhost", 300, keys);
        Issuers::new([mint.issuer().clone()])
    })
}

/// A certificate's DER, and the same bytes as the names in one.
pub fn certificate(data: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(data) {
        for uri in &certificate.uris {
            name(uri);
        }
    }
    let _pem = tolbooth::tls::certificates(data);
    if let Ok(text) = std::str::from_utf8(data) {
        name(text);
        let _serial = Serial::parse(text);
        let _domain = TrustDomain::parse(text);
    }
}

/// A name that is read has one spelling.
fn name(uri: &str) {
    if let Some(id) = SpiffeId::parse(uri) {
        assert_eq!(id.to_string(), uri);
    }
    if let Some(domain) = TrustDomain::from_uri(uri) {
        assert_eq!(domain.uri(), uri);
    }
}

/// A JSON text. The first byte says how deep it may be.
pub fn json(data: &[u8]) {
    let Some((&depth, text)) = data.split_first() else { return };
    let Ok(document) = Document::parse(Bytes::copy_from_slice(text), usize::from(depth)) else { return };
    walk(&document.root());
    let _found = document.root().pointer("/a/0/b");
    // What is strict enough for us is JSON to everybody.
    let known: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(text);
    assert!(known.is_ok(), "read here and nowhere else");
}

fn walk(node: &tolbooth::json::Node<'_>) {
    let (_, _, _) = (node.integer(), node.number(), node.text());
    assert!(node.range().len() == node.raw().len());
    for (name, value) in node.members() {
        let found = node.get(&name).expect("a member is found by its name");
        assert_eq!(found.raw(), value.raw());
        walk(&value);
    }
    for item in node.items() {
        walk(&item);
    }
}
