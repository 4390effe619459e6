//! This gateway as an issuer: its keys, the tokens it signs with them, and the JWK set others may check
//! them by. Ed25519 alone (RFC 8037).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use zeroize::Zeroizing;

use crate::crypto::{KeyError, SigningKey, random, sha256};
use crate::model::Digest;

use super::claims::Scope;
use super::issuer::{ClientNames, Issuer, Mapping};
use super::key::{Algorithm, Key, KeySet};
use super::{LIFETIME_SECONDS_MAX, SKEW_SECONDS};

/// Begins each line of the file: a key of another role is not read as one of these.
const ROLE: &str = "tolbooth/token/v1";
/// The key that signs, the one before, and what a busy operator leaves.
const KEYS_MAX: usize = 16;
/// How long a key verifies after another has begun to sign: until the last token it can have signed has
/// ended. A thread that loaded it a moment before is given a minute.
const OVERLAP_SECONDS: i64 = LIFETIME_SECONDS_MAX + SKEW_SECONDS + 60;
/// A key from further in the future was made by a clock that was wrong, and is dropped.
const FUTURE_SECONDS_MAX: i64 = 86_400;

/// A signing key with its name and the time it was made.
pub struct MintKey {
    id: String,
    key: SigningKey,
    made: i64,
}

impl MintKey {
    fn of((key, made): (SigningKey, i64)) -> Self {
        // The JWK's thumbprint (RFC 7638 section 3, RFC 8037 appendix A.3).
        let members =
            format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{}\"}}", encode(&key.public().0));
        Self { id: encode(&sha256(&[members.as_bytes()])), key, made }
    }

    /// Whether it may still sign.
    fn serves(&self, now: i64, seconds_max: i64) -> bool {
        self.made.saturating_add(seconds_max) > now
    }

    /// Not made by a clock that ran far ahead.
    fn is_of_its_time(&self, now: i64) -> bool {
        self.made <= now.saturating_add(FUTURE_SECONDS_MAX)
    }
}

/// The gateway's token keys, newest first. Prints no key.
pub struct MintKeys(Vec<MintKey>);

impl fmt::Debug for MintKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MintKeys({}, ***)", self.0.len())
    }
}

/// The line of a key file, from 1, that is not a token key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFileFault(pub usize);

impl fmt::Display for KeyFileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: wanted `{ROLE}`, a time in seconds and 64 hex digits", self.0)
    }
}

impl std::error::Error for KeyFileFault {}

impl MintKeys {
    /// Reads a key file: one key a line, in any order. One without keys is legal, and gets a new one.
    pub fn parse(text: &str) -> Result<Self, KeyFileFault> {
        let mut keys = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let key = (keys.len() < KEYS_MAX).then(|| parse_line(line)).flatten();
            keys.push(key.ok_or(KeyFileFault(at + 1))?);
        }
        keys.sort_by_key(|key: &MintKey| std::cmp::Reverse(key.made));
        Ok(Self(keys))
    }

    /// The text of the key file.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(self.0.len() * 128));
        for key in &self.0 {
            let seed = Zeroizing::new(Digest(*key.key.seed()).hex());
            out.push_str(&format!("{ROLE} {} ", key.made));
            out.push_str(&seed);
            out.push('\n');
        }
        out
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether the newest is there and still signs, and all others still have tokens to verify.
    pub fn are_current(&self, now: i64, seconds_max: i64) -> bool {
        self.0.first().is_some_and(|newest| newest.serves(now, seconds_max))
            && self.ends().zip(&self.0).all(|(ends, key)| ends > now && key.is_of_its_time(now))
    }

    /// When each has verified its last token: a while after the one that came after it began.
    fn ends(&self) -> impl Iterator<Item = i64> {
        let began = self.0.iter().map(|key| key.made.saturating_add(OVERLAP_SECONDS));
        std::iter::once(i64::MAX).chain(began)
    }

    /// The keys as they should be now, if that is not how they are: with a new one where there is none or
    /// the newest has signed for `seconds_max`, and without those whose last token has ended.
    pub fn renewed(&self, now: i64, seconds_max: i64) -> Option<Result<Self, KeyError>> {
        if self.are_current(now, seconds_max) {
            return None;
        }
        let copy = |key: &MintKey| Some((SigningKey::from_seed(key.key.seed()).ok()?, key.made));
        let mut keys: Vec<MintKey> =
            self.0.iter().filter(|key| key.is_of_its_time(now)).filter_map(copy).map(MintKey::of).collect();
        if !keys.first().is_some_and(|newest| newest.serves(now, seconds_max)) {
            match SigningKey::generate() {
                Ok(key) => keys.insert(0, MintKey::of((key, now))),
                Err(error) => return Some(Err(error)),
            }
        }
        let all = Self(keys);
        let kept = all.ends().take_while(|ends| *ends > now).count();
        Some(Ok(Self(all.0.into_iter().take(kept.min(KEYS_MAX)).collect())))
    }

    fn public(&self) -> KeySet {
        KeySet::new(self.0.iter().map(|key| (key.id.clone(), Key::ed25519(&key.key.public().0))))
    }
}

fn parse_line(line: &str) -> Option<MintKey> {
    let (made, seed) = line.strip_prefix(ROLE)?.strip_prefix(' ')?.split_once(' ')?;
    let seed = Zeroizing::new(Digest::from_hex(seed)?.0);
    let made = made.parse().ok().filter(|made| *made >= 0)?;
    Some(MintKey::of((SigningKey::from_seed(&seed).ok()?, made)))
}

/// What a token is given out for.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The system's SPIFFE id.
    pub client: &'a str,
    /// Of the DER of the certificate it was asked with.
    pub certificate: &'a Digest,
    pub scope: &'a Scope,
    /// Seconds since 1970.
    pub now: i64,
}

/// Signs tokens, and is the issuer they are verified by.
pub struct Mint {
    issuer: Arc<Issuer>,
    keys: ArcSwap<MintKeys>,
    seconds: i64,
}

impl Mint {
    /// `name` is the issuer's and the audience's: the gateway's own address. Tokens last `seconds`.
    pub fn new(name: &str, seconds: i64, keys: MintKeys) -> Self {
        let issuer = Issuer {
            name: name.into(),
            audience: name.to_owned(),
            keys: Arc::new(ArcSwap::from_pointee(keys.public())),
            algorithms: vec![Algorithm::EdDsa],
            lifetime_seconds_max: LIFETIME_SECONDS_MAX,
            mapping: Mapping {
                clients: ClientNames::Spiffe,
                user: None,
                role: None,
                roles: std::collections::BTreeMap::new(),
                scoped: true,
            },
            // It speaks of itself, to itself: no member lists it.
            listed: false,
            missed: AtomicBool::new(false),
        };
        let seconds = seconds.clamp(1, LIFETIME_SECONDS_MAX);
        Self { issuer: Arc::new(issuer), keys: ArcSwap::from_pointee(keys), seconds }
    }

    pub fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    /// How long its tokens last.
    pub fn seconds(&self) -> i64 {
        self.seconds
    }

    pub fn keys(&self) -> Arc<MintKeys> {
        self.keys.load_full()
    }

    /// Signs with other keys from now on. What they verify is known before anything is signed with them.
    pub fn replace(&self, keys: MintKeys) {
        self.issuer.keys.store(Arc::new(keys.public()));
        self.keys.store(Arc::new(keys));
    }

    /// A token (RFC 9068 section 2). `None` only without a key, or where there is no randomness.
    pub fn mint(&self, grant: &Grant<'_>) -> Option<String> {
        let keys = self.keys.load();
        let key = keys.0.first()?;
        let jti = random::<16>()?;
        let header = json!({ "typ": "at+jwt", "alg": Algorithm::EdDsa.as_str(), "kid": key.id });
        let claims = json!({
            "iss": &*self.issuer.name,
            "aud": self.issuer.audience,
            "sub": grant.client,
            "client_id": grant.client,
            "iat": grant.now,
            "exp": grant.now.saturating_add(self.seconds),
            "jti": encode(&jti),
            "scope": grant.scope.to_string(),
            "cnf": { "x5t#S256": encode(&grant.certificate.0) },
        });
        let message =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let signature = key.key.sign(message.as_bytes());
        Some(format!("{message}.{}", encode(&signature)))
    }

    /// The public keys (RFC 7517 section 5).
    pub fn jwks(&self) -> String {
        let jwk = |key: &MintKey| {
            json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "x": encode(&key.key.public().0),
                "kid": key.id,
                "use": "sig",
                "alg": Algorithm::EdDsa.as_str(),
            })
        };
        json!({ "keys": self.keys.load().0.iter().map(jwk).collect::<Vec<_>>() }).to_string()
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
