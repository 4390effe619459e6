//! What a signed question must be: our profile of RFC 9421 (its section 1.4 asks for one).
//!
//! One signature, tagged as ours, over everything that decides what is asked and what is answered, made
//! at most a minute ago with a key of the very system whose certificate the connection proved.

use http::HeaderMap;
use jiff::Zoned;

use super::component::{Component, Source};
use super::digest::is_digest_of;
use super::fault::{ComponentFault, SignatureFault};
use super::input::{Input, read};
use super::message::Message;
use super::verifier::Asker;
use crate::model::MessageKey;

/// Says that a signature is meant for this, and not for another use of the same key.
pub const TAG: &str = "tolbooth/v1";

/// The longest between `created` and `expires`: long enough for slow lines, short enough that every
/// nonce of the window can be remembered.
pub const WINDOW_SECONDS: i64 = 60;

/// How far a partner's clock may be ahead of ours.
pub const AHEAD_SECONDS: i64 = 5;

const ALWAYS: [&str; 7] =
    ["@method", "@authority", "@path", "@query", "content-type", "content-digest", "x-request-id"];
/// Covered where they are there; and so is everything called `tolbooth-*`.
const WHERE_PRESENT: [&str; 3] = ["authorization", "idempotency-key", "x-correlation-id"];
const OURS: &str = "tolbooth-";

const PARAMETERS: [&str; 6] = ["created", "expires", "nonce", "keyid", "tag", "alg"];
const NONCE_CHARS: std::ops::RangeInclusive<usize> = 16..=64;

/// What a signature over a question with these fields covers, in the order we sign.
pub fn covered(fields: &HeaderMap) -> Result<Vec<Component>, ComponentFault> {
    required(fields)
        .map(|name| {
            let beyond_ascii = fields.get_all(name).iter().any(|value| value.to_str().is_err());
            if beyond_ascii { Component::wrapped(name) } else { Component::named(name) }
        })
        .collect()
}

fn required(fields: &HeaderMap) -> impl Iterator<Item = &str> {
    let present = WHERE_PRESENT.into_iter().filter(|name| fields.contains_key(*name));
    let ours = fields.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with(OURS));
    ALWAYS.into_iter().chain(present).chain(ours)
}

/// A signature that is right, but for whether it was seen before.
pub(super) struct Right<'k> {
    pub(super) key: &'k MessageKey,
    pub(super) nonce: String,
    pub(super) created: i64,
    pub(super) expires: i64,
}

/// Holds a question to the profile.
pub(super) fn examine<'k>(
    question: &Message<'_>,
    body: &[u8],
    asker: &Asker<'k>,
    now: &Zoned,
) -> Result<Right<'k>, SignatureFault> {
    let signatures = read(question.fields())?;
    let [signed] = signatures.as_slice() else {
        return Err(if signatures.is_empty() { SignatureFault::Unpaired } else { SignatureFault::Several });
    };
    let input = &signed.input;
    let (created, expires) = window(input)?;
    covers(input, question.fields())?;
    let seconds = now.timestamp().as_second();
    if seconds < created - AHEAD_SECONDS {
        return Err(SignatureFault::Future);
    }
    if seconds > expires {
        return Err(SignatureFault::Expired);
    }
    let nonce = nonce(input)?;
    let keyid = input.text("keyid").ok_or(SignatureFault::Parameter("keyid"))?;
    let key = asker.keys.iter().find(|key| key.id == keyid).ok_or(SignatureFault::Key)?;
    if !key.counts_on(now.date()) {
        return Err(SignatureFault::KeyNotNow);
    }
    if !signed.verify(question, &key.public)? {
        return Err(SignatureFault::Wrong);
    }
    // Last, because it costs with the body; the signature vouches for the digest by now.
    let digest = question.fields().get("content-digest").and_then(|value| value.to_str().ok());
    is_digest_of(digest.ok_or(SignatureFault::Digest)?, body)?;
    Ok(Right { key, nonce: nonce.to_owned(), created, expires })
}

/// The parameters, and the time between the two of them.
fn window(input: &Input) -> Result<(i64, i64), SignatureFault> {
    if let Some(unknown) = input.parameter_names().find(|name| !PARAMETERS.contains(name)) {
        return Err(SignatureFault::UnknownParameter(unknown.to_owned()));
    }
    if input.text("tag") != Some(TAG) {
        return Err(SignatureFault::Tag);
    }
    if input.parameter_names().any(|name| name == "alg") && input.text("alg") != Some("ed25519") {
        return Err(SignatureFault::Algorithm);
    }
    let created = input.integer("created").ok_or(SignatureFault::Parameter("created"))?;
    let expires = input.integer("expires").ok_or(SignatureFault::Parameter("expires"))?;
    // Structured integers have 15 digits, so that nothing here overflows.
    if !(0..=WINDOW_SECONDS).contains(&(expires - created)) {
        return Err(SignatureFault::Window);
    }
    Ok((created, expires))
}

/// Everything that must be covered is, from one line each.
fn covers(input: &Input, fields: &HeaderMap) -> Result<(), SignatureFault> {
    let of_the_question = |component: &&Component| !component.of_the_question();
    for name in required(fields) {
        let mut own = input.components().iter().filter(of_the_question);
        if !own.any(|component| component.name() == name) {
            return Err(SignatureFault::Uncovered(name.to_owned()));
        }
    }
    for component in input.components() {
        if let Source::Field { name, .. } = component.source()
            && fields.get_all(name).iter().nth(1).is_some()
        {
            return Err(SignatureFault::TwoLines(name.to_string()));
        }
    }
    Ok(())
}

fn nonce(input: &Input) -> Result<&str, SignatureFault> {
    let nonce = input.text("nonce").ok_or(SignatureFault::Parameter("nonce"))?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+/=".contains(&byte);
    if NONCE_CHARS.contains(&nonce.len()) && nonce.bytes().all(legal) {
        Ok(nonce)
    } else {
        Err(SignatureFault::Nonce)
    }
}
