//! A partner's system that signs its questions, with a key its member lists.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use tolbooth::crypto::SigningKey;
use tolbooth::signature::{Component, Input, Message, TAG, Value, content_digest, covered};

use super::agreements::edit;
use super::gateway::Gateway;
use super::partner::question;

static NEXT: AtomicU32 = AtomicU32::new(0);

pub struct Signer {
    key: SigningKey,
    pub keyid: String,
}

/// What a signature says beside what it covers.
#[derive(Clone)]
pub struct Terms {
    pub created: i64,
    pub expires: i64,
    pub nonce: String,
    pub keyid: String,
    pub cover: fn(Vec<Component>) -> Vec<Component>,
}

/// Has a member list a key for one of its systems; `more` are further lines of its table.
pub fn list(home: &Path, member: &str, system: &str, keyid: &str, more: &str) -> Signer {
    let key = SigningKey::generate().unwrap();
    let public = STANDARD.encode(key.public().0);
    edit(&home.join("members.toml"), |text| {
        let anchors = format!("anchors = [\"certs/{member}-ca.pem\"]\n");
        let table = format!(
            "\n[[member.system_key]]\nsystem = \"{system}\"\nkeyid = \"{keyid}\"\nkey = \"{public}\"\n{more}"
        );
        text.replace(&anchors, &format!("{anchors}{table}"))
    });
    Signer { key, keyid: keyid.to_owned() }
}

/// A question with everything a signature covers, not yet signed.
pub fn unsigned(path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = question(path, headers, body);
    let id = format!("q-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let digest = content_digest(body.as_bytes());
    let fields = request.headers_mut();
    fields.insert("x-request-id", HeaderValue::from_str(&id).unwrap());
    fields.insert("content-digest", HeaderValue::from_str(&digest).unwrap());
    request
}

impl Signer {
    /// Terms that hold now.
    pub fn terms(&self, gateway: &Gateway) -> Terms {
        let created = gateway.clock.now().as_second();
        let nonce = format!("nonce-of-a-test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Terms { created, expires: created + 60, nonce, keyid: self.keyid.clone(), cover: |all| all }
    }

    pub fn sign(&self, request: &mut Request<Full<Bytes>>, terms: &Terms) {
        self.sign_as(request, terms, "sig", TAG);
    }

    /// Adds a signature under a label and a tag.
    pub fn sign_as(&self, request: &mut Request<Full<Bytes>>, terms: &Terms, label: &str, tag: &str) {
        let parameters = [
            ("created", Value::Integer(terms.created)),
            ("expires", Value::Integer(terms.expires)),
            ("nonce", Value::Text(&terms.nonce)),
            ("keyid", Value::Text(&terms.keyid)),
            ("tag", Value::Text(tag)),
        ];
        let components = (terms.cover)(covered(request.headers()).unwrap());
        let input = Input::new(label, &components, &parameters).unwrap();
        let target = request.uri().clone();
        let message = Message::request(request.method().as_str(), "https", &target, request.headers());
        let (input, signature) = input.sign(&message, &self.key).unwrap();
        let fields = request.headers_mut();
        fields.append("signature-input", HeaderValue::from_str(&input).unwrap());
        fields.append("signature", HeaderValue::from_str(&signature).unwrap());
    }

    /// A question as it should be.
    pub fn question(&self, gateway: &Gateway, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
        let mut request = unsigned(super::gateway::CHECK, headers, body);
        self.sign(&mut request, &self.terms(gateway));
        request
    }
}
