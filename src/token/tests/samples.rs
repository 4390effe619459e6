//! An issuer with a key of each kind, and good claims; every test changes what it is about.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use crate::crypto::SigningKey;
use crate::model::{Digest, MemberId, SystemId, SystemName};
use crate::token::{
    Algorithm, Cache, Claims, ClientNames, Issuer, Issuers, KeySet, Mapping, Presenter, TokenFault,
};

pub const NOW: i64 = 1_800_000_000;
pub const ISSUER: &str = "https://id.example";
pub const CLIENT: &str = "spiffe://nhs-lomond.caledonia.example/ed-trak";

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An issuer with a key of each kind, and what it signs with.
pub struct Forge {
    pub ed: SigningKey,
    pub p256: EcdsaKeyPair,
    pub pkcs8: Vec<u8>,
    pub rsa: RsaKeyPair,
    pub stranger: SigningKey,
    pub issuers: Issuers,
}

/// The modulus and exponent of a key, in base64url.
pub fn rsa_parts(rsa: &RsaKeyPair) -> (String, String) {
    let public = rsa.public_key();
    let (n, e) = (public.modulus(), public.exponent());
    (b64(n.big_endian_without_leading_zero()), b64(e.big_endian_without_leading_zero()))
}

impl Forge {
    pub fn new() -> Self {
        let ed = SigningKey::generate().unwrap();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pkcs8 = pkcs8.as_ref().to_vec();
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let point = p256.public_key().as_ref()[1..].to_vec();
        let (n, e) = rsa_parts(&rsa);
        let jwks = json!({ "keys": [
            { "kid": "d1", "kty": "OKP", "crv": "Ed25519", "use": "sig", "x": b64(ed.public().0) },
            { "kid": "e1", "kty": "EC", "crv": "P-256", "x": b64(&point[..32]), "y": b64(&point[32..]) },
            { "kid": "r1", "kty": "RSA", "alg": "RS256", "n": n, "e": e },
            { "kid": "p1", "kty": "RSA", "key_ops": ["verify"], "alg": "PS256", "n": n, "e": e },
        ]});
        let keys = KeySet::from_jwks(Bytes::from(jwks.to_string()), &Algorithm::ALL).unwrap();
        let issuer = Issuer {
            name: ISSUER.into(),
            audience: "urn:glenmore".to_owned(),
            keys: Arc::new(ArcSwap::from_pointee(keys)),
            algorithms: Algorithm::ALL.to_vec(),
            lifetime_seconds_max: 600,
            mapping: Mapping {
                clients: ClientNames::Spiffe,
                user: Some("/preferred_username".to_owned()),
                role: Some("/role".to_owned()),
                roles: BTreeMap::from([("Nurse".to_owned(), "ed_nurse".to_owned())]),
                scoped: true,
            },
            listed: false,
            missed: AtomicBool::default(),
        };
        let issuers = Issuers::new([Arc::new(issuer)]);
        Self { ed, p256, pkcs8, rsa, stranger: SigningKey::generate().unwrap(), issuers }
    }

    pub fn issuer(&self) -> &Arc<Issuer> {
        self.issuers.get(ISSUER).unwrap()
    }

    /// Signed by the Ed25519 key over these texts, whatever they say.
    pub fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", b64(header), b64(claims));
        format!("{message}.{}", b64(self.ed.sign(message.as_bytes())))
    }

    pub fn claims(&self, claims: &str) -> String {
        self.signed(HEADER, claims)
    }

    pub fn header(&self, header: &str) -> String {
        self.signed(header, &claims())
    }

    pub fn es256(&self, header: &str) -> (String, Vec<u8>) {
        let message = format!("{}.{}", b64(header), b64(claims()));
        let signature = self.p256.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        (message, signature.as_ref().to_vec())
    }

    pub fn rsa(&self, header: &str, padding: &'static dyn RsaEncoding) -> String {
        let message = format!("{}.{}", b64(header), b64(claims()));
        let mut signature = vec![0; 256];
        self.rsa.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", b64(signature))
    }

    /// As presented twice, so that a token the cache has seen is judged as one it has not.
    pub fn present(&self, token: &str) -> Result<Arc<Claims>, TokenFault> {
        let mut cache = Cache::new(4);
        let first = cache.present(token, &self.issuers, 1, &presenter(&system(), NOW));
        let second = cache.present(token, &self.issuers, 1, &presenter(&system(), NOW));
        assert_eq!(first.as_ref().err(), second.as_ref().err());
        second
    }

    pub fn check(&self, table: Vec<(&str, String, TokenFault)>) -> usize {
        for (name, token, wanted) in &table {
            assert_eq!(self.present(token).err(), Some(*wanted), "{name}");
        }
        table.len()
    }
}

pub const HEADER: &str = r#"{"typ":"at+jwt","alg":"EdDSA","kid":"d1"}"#;

pub fn certificate() -> Digest {
    Digest::of(b"the certificate")
}

pub fn system() -> SystemId {
    SystemId { member: MemberId::new("nhs-lomond").unwrap(), system: SystemName::new("ed-trak").unwrap() }
}

pub fn presenter(system: &SystemId, now: i64) -> Presenter<'_> {
    static CERTIFICATE: std::sync::LazyLock<Digest> = std::sync::LazyLock::new(certificate);
    let now = Timestamp::from_second(now).unwrap();
    Presenter { system, federation: "caledonia.example", certificate: &CERTIFICATE, hears: &[], now }
}

/// Good claims, as text.
pub fn claims() -> String {
    json!({
        "iss": ISSUER,
        "aud": "urn:glenmore",
        "sub": CLIENT,
        "client_id": CLIENT,
        "iat": NOW - 10,
        "exp": NOW + 290,
        "jti": "1",
        "scope": "agreement:x purpose:safeguarding_child",
        "cnf": { "x5t#S256": b64(certificate().0) },
    })
    .to_string()
}

/// Good claims with one replaced by this text.
pub fn with(name: &str, value: &str) -> String {
    let mut parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&claims()).unwrap();
    parsed.insert(name.to_owned(), json!("@"));
    serde_json::Value::Object(parsed).to_string().replace("\"@\"", value)
}

pub fn without(name: &str) -> String {
    let mut parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&claims()).unwrap();
    parsed.remove(name).unwrap();
    serde_json::Value::Object(parsed).to_string()
}

/// Good claims with a member more at the end.
pub fn plus(member: &str) -> String {
    format!("{},{member}}}", claims().strip_suffix('}').unwrap())
}
