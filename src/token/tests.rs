//! Forgeries and misuses of tokens, each with its refusal, as tables; then caching, minting and keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::crypto::{MacKey, SigningKey};
use crate::model::{AgreementId, Digest, MemberId, PurposeCode, SystemId, SystemName};

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://id.example";
const CLIENT: &str = "spiffe://nhs-lomond.caledonia.example/ed-trak";

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An issuer with a key of each kind, and what it signs with.
struct Forge {
    ed: SigningKey,
    p256: EcdsaKeyPair,
    pkcs8: Vec<u8>,
    rsa: RsaKeyPair,
    stranger: SigningKey,
    issuers: Issuers,
}

/// The modulus and exponent of a key, in base64url.
fn rsa_parts(rsa: &RsaKeyPair) -> (String, String) {
    let public = rsa.public_key();
    let (n, e) = (public.modulus(), public.exponent());
    (b64(n.big_endian_without_leading_zero()), b64(e.big_endian_without_leading_zero()))
}

impl Forge {
    fn new() -> Self {
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

    fn issuer(&self) -> &Arc<Issuer> {
        self.issuers.get(ISSUER).unwrap()
    }

    /// Signed by the Ed25519 key over these texts, whatever they say.
    fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", b64(header), b64(claims));
        format!("{message}.{}", b64(self.ed.sign(message.as_bytes())))
    }

    fn claims(&self, claims: &str) -> String {
        self.signed(HEADER, claims)
    }

    fn header(&self, header: &str) -> String {
        self.signed(header, &claims())
    }

    fn es256(&self, header: &str) -> (String, Vec<u8>) {
        let message = format!("{}.{}", b64(header), b64(claims()));
        let signature = self.p256.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        (message, signature.as_ref().to_vec())
    }

    fn rsa(&self, header: &str, padding: &'static dyn RsaEncoding) -> String {
        let message = format!("{}.{}", b64(header), b64(claims()));
        let mut signature = vec![0; 256];
        self.rsa.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", b64(signature))
    }

    /// As presented twice, so that a token the cache has seen is judged as one it has not.
    fn present(&self, token: &str) -> Result<Arc<Claims>, TokenFault> {
        let mut cache = Cache::new(4);
        let first = cache.present(token, &self.issuers, 1, &presenter(&system(), NOW));
        let second = cache.present(token, &self.issuers, 1, &presenter(&system(), NOW));
        assert_eq!(first.as_ref().err(), second.as_ref().err());
        second
    }

    fn check(&self, table: Vec<(&str, String, TokenFault)>) -> usize {
        for (name, token, wanted) in &table {
            assert_eq!(self.present(token).err(), Some(*wanted), "{name}");
        }
        table.len()
    }
}

const HEADER: &str = r#"{"typ":"at+jwt","alg":"EdDSA","kid":"d1"}"#;

fn certificate() -> Digest {
    Digest::of(b"the certificate")
}

fn system() -> SystemId {
    SystemId { member: MemberId::new("nhs-lomond").unwrap(), system: SystemName::new("ed-trak").unwrap() }
}

fn presenter(system: &SystemId, now: i64) -> Presenter<'_> {
    static CERTIFICATE: std::sync::LazyLock<Digest> = std::sync::LazyLock::new(certificate);
    let now = Timestamp::from_second(now).unwrap();
    Presenter { system, federation: "caledonia.example", certificate: &CERTIFICATE, hears: &[], now }
}

/// Good claims, as text.
fn claims() -> String {
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
fn with(name: &str, value: &str) -> String {
    let mut parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&claims()).unwrap();
    parsed.insert(name.to_owned(), json!("@"));
    serde_json::Value::Object(parsed).to_string().replace("\"@\"", value)
}

fn without(name: &str) -> String {
    let mut parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&claims()).unwrap();
    parsed.remove(name).unwrap();
    serde_json::Value::Object(parsed).to_string()
}

/// Good claims with a member more at the end.
fn plus(member: &str) -> String {
    format!("{},{member}}}", claims().strip_suffix('}').unwrap())
}

#[test]
fn honest_tokens_are_accepted() {
    let forge = Forge::new();
    let (message, signature) = forge.es256(r#"{"typ":"at+jwt","alg":"ES256","kid":"e1"}"#);
    for (name, token) in [
        ("EdDSA", forge.claims(&claims())),
        ("ES256", format!("{message}.{}", b64(signature))),
        ("RS256", forge.rsa(r#"{"typ":"at+jwt","alg":"RS256","kid":"r1"}"#, &RSA_PKCS1_SHA256)),
        ("PS256", forge.rsa(r#"{"typ":"at+jwt","alg":"PS256","kid":"p1"}"#, &RSA_PSS_SHA256)),
        ("media type", forge.header(r#"{"typ":"application/at+jwt","alg":"EdDSA","kid":"d1"}"#)),
        ("x5t", forge.header(r#"{"typ":"at+jwt","alg":"EdDSA","kid":"d1","x5t":"AA"}"#)),
        ("several audiences", forge.claims(&with("aud", r#"["urn:other","urn:glenmore"]"#))),
        ("nbf within the skew", forge.claims(&with("nbf", &(NOW + SKEW_SECONDS).to_string()))),
        ("iat within the skew", forge.claims(&with("iat", &(NOW + SKEW_SECONDS).to_string()))),
        ("exp within the skew", forge.claims(&with("exp", &(NOW - SKEW_SECONDS + 1).to_string()))),
        ("claims of the issuer's own", forge.claims(&plus(r#""acr":"1","x":{"y":[1]}"#))),
    ] {
        let said = forge.present(&token);
        assert!(said.is_ok(), "{name}: {said:?}");
    }
    let said =
        forge.present(&forge.claims(&plus(r#""preferred_username":"m.macleod","role":"Nurse""#))).unwrap();
    assert_eq!((said.user.as_deref(), said.role.as_deref()), (Some("m.macleod"), Some("ed_nurse")));
    assert!(!format!("{said:?}").contains("macleod"));
    let scope = said.scope.as_ref().unwrap();
    let id = |id| AgreementId::new(id).unwrap();
    assert!(scope.covers(&id("x"), PurposeCode::SafeguardingChild));
    assert!(!scope.covers(&id("y"), PurposeCode::SafeguardingChild));
    assert!(!scope.covers(&id("x"), PurposeCode::DirectCare));
}

#[test]
fn forged_forms_are_refused() {
    use TokenFault::{Form, TooLarge};
    let forge = Forge::new();
    let good = forge.claims(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    // 64 bytes leave four bits in the last letter that mean nothing: only zeros are read.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    let other_bits = format!("{}{next}", &good[..good.len() - 1]);
    let count = forge.check(vec![
        ("nothing", String::new(), Form),
        ("a word", "token".into(), Form),
        ("two parts", format!("{header}.{body}"), Form),
        ("three parts, no signature", format!("{header}.{body}."), Form),
        ("four parts", format!("{good}.{signature}"), Form),
        ("five parts, as of a JWE", format!("{header}.{body}.{signature}.{body}.{signature}"), Form),
        ("no header", format!(".{body}.{signature}"), TokenFault::Header),
        ("no claims", format!("{header}..{signature}"), TokenFault::Claims),
        ("padding", format!("{good}=="), Form),
        ("padding inside", format!("{header}=.{body}.{signature}"), Form),
        ("a blank before", format!(" {good}"), Form),
        ("a blank behind", format!("{good} "), Form),
        ("a line break inside", format!("{header}.{body}\n.{signature}"), Form),
        ("the other alphabet", format!("{header}.{body}.{}", STANDARD.encode([0xfb; 64])), Form),
        ("another spelling of the last bits", other_bits, Form),
        ("a letter outside", format!("{header}.{body}.\u{e9}{signature}"), Form),
        ("the JSON serialization", r#"{"payload":"","signatures":[]}"#.into(), Form),
        ("too large", forge.claims(&plus(&format!("\"x\":\"{}\"", "x".repeat(TOKEN_BYTES_MAX)))), TooLarge),
    ]);
    assert_eq!(count, 18);
}

#[test]
fn algorithms_are_not_the_tokens_to_choose() {
    use TokenFault::{Algorithm, Form, Signature};
    let forge = Forge::new();
    let alg = |alg: &str| forge.header(&format!(r#"{{"typ":"at+jwt","alg":{alg},"kid":"d1"}}"#));
    let under =
        |alg: &str, kid: &str| forge.header(&format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#));
    let hmac = |secret: &[u8]| {
        let message = format!("{}.{}", b64(r#"{"typ":"at+jwt","alg":"HS256","kid":"d1"}"#), b64(claims()));
        format!("{message}.{}", b64(MacKey::new(secret).tag(&[message.as_bytes()])))
    };
    let unsigned = |alg: &str| {
        format!("{}.{}.", b64(format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"d1"}}"#)), b64(claims()))
    };
    let public = forge.ed.public().0;
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(public));
    let (message, fixed) = forge.es256(r#"{"typ":"at+jwt","alg":"EdDSA","kid":"d1"}"#);
    let count = forge.check(vec![
        ("none, unsigned", unsigned("none"), Form),
        ("None, unsigned", unsigned("None"), Form),
        ("none, with a signature", alg("\"none\""), Algorithm),
        ("None", alg("\"None\""), Algorithm),
        ("NONE", alg("\"NONE\""), Algorithm),
        ("nOnE", alg("\"nOnE\""), Algorithm),
        ("empty", alg("\"\""), Algorithm),
        ("null", alg("null"), Algorithm),
        ("a number", alg("1"), Algorithm),
        ("a list", alg("[\"EdDSA\"]"), Algorithm),
        ("none behind an escape", alg("\"\\u006eone\""), Algorithm),
        ("missing", forge.header(r#"{"typ":"at+jwt","kid":"d1"}"#), Algorithm),
        ("another case", alg("\"eddsa\""), Algorithm),
        ("HS256 with the public key", hmac(&public), Algorithm),
        ("HS256 with the public key as PEM", hmac(pem.as_bytes()), Algorithm),
        ("HS256 with its base64url", hmac(b64(public).as_bytes()), Algorithm),
        ("HS256 without a secret", hmac(b""), Algorithm),
        ("an algorithm of another length", alg("\"ES384\""), Algorithm),
        ("a curve not of the list", alg("\"ES256K\""), Algorithm),
        ("ES256 under the Ed25519 key", under("ES256", "d1"), Algorithm),
        ("EdDSA under the P-256 key", under("EdDSA", "e1"), Algorithm),
        ("RS256 under the P-256 key", under("RS256", "e1"), Algorithm),
        ("PS256 under the key for RS256", under("PS256", "r1"), Algorithm),
        ("a P-256 signature under EdDSA", format!("{message}.{}", b64(fixed)), Signature),
        (
            "PKCS #1 padding under PSS",
            forge.rsa(r#"{"typ":"at+jwt","alg":"PS256","kid":"p1"}"#, &RSA_PKCS1_SHA256),
            Signature,
        ),
    ]);
    assert_eq!(count, 25);
}

#[test]
fn keys_are_looked_up_and_never_taken_from_a_token() {
    use TokenFault::{Header, HeaderNotAllowed, Key, Signature, Type};
    let forge = Forge::new();
    let kid = |kid: &str| forge.header(&format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":{kid}}}"#));
    let more = |more: &str| forge.header(&format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"d1",{more}}}"#));
    let typ = |typ: &str| forge.header(&format!(r#"{{"typ":{typ},"alg":"EdDSA","kid":"d1"}}"#));
    let own = b64(forge.stranger.public().0);
    let embedded = format!(
        r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"d1","jwk":{{"kty":"OKP","crv":"Ed25519","x":"{own}"}}}}"#
    );
    let by_stranger = |header: &str| {
        let message = format!("{}.{}", b64(header), b64(claims()));
        format!("{message}.{}", b64(forge.stranger.sign(message.as_bytes())))
    };
    let count = forge.check(vec![
        ("no kid", forge.header(r#"{"typ":"at+jwt","alg":"EdDSA"}"#), Key),
        ("an empty kid", kid("\"\""), Key),
        ("an unknown kid", kid("\"d2\""), Key),
        ("a kid in another case", kid("\"D1\""), Key),
        ("a kid that is a path", kid("\"../../../../dev/null\""), Key),
        ("a kid that is a query", kid("\"d1' OR '1'='1\""), Key),
        ("a kid that is a command", kid("\"d1;id\""), Key),
        ("a kid that is an address", kid("\"https://evil.example/jwks\""), Key),
        ("a kid with a null", kid("\"d1\\u0000\""), Key),
        ("a kid that is a number", kid("1"), Key),
        ("a kid that is a list", kid("[\"d1\"]"), Key),
        ("jwk, signed by its key", by_stranger(&embedded), HeaderNotAllowed),
        ("jwk beside a good signature", more("\"jwk\":{}"), HeaderNotAllowed),
        ("jku", more("\"jku\":\"https://evil.example/jwks\""), HeaderNotAllowed),
        ("jku of the issuer", more("\"jku\":\"https://id.example/jwks\""), HeaderNotAllowed),
        ("x5u", more("\"x5u\":\"https://evil.example/x.pem\""), HeaderNotAllowed),
        ("x5c", more("\"x5c\":[\"AA==\"]"), HeaderNotAllowed),
        ("crit", more("\"crit\":[\"exp\"],\"exp\":1"), HeaderNotAllowed),
        ("crit of nothing", more("\"crit\":[]"), HeaderNotAllowed),
        ("b64", more("\"b64\":false"), HeaderNotAllowed),
        ("zip", more("\"zip\":\"DEF\""), HeaderNotAllowed),
        ("enc", more("\"enc\":\"A128GCM\""), HeaderNotAllowed),
        ("an escaped name of jku", more("\"\\u006aku\":\"x\""), HeaderNotAllowed),
        ("another's signature", by_stranger(HEADER), Signature),
        ("alg twice", more("\"alg\":\"none\""), Header),
        ("kid twice", more("\"kid\":\"d1\""), Header),
        ("alg twice, escaped", more("\"\\u0061lg\":\"none\""), Header),
        ("a list", forge.header("[]"), Header),
        ("no JSON", forge.header("typ=at+jwt"), Header),
        ("something behind", forge.header(&format!("{HEADER} {{}}")), Header),
        ("a byte order mark", forge.header(&format!("\u{feff}{HEADER}")), Header),
        ("an ID token", typ("\"JWT\""), Type),
        ("a DPoP proof", typ("\"dpop+jwt\""), Type),
        ("a logout token", typ("\"logout+jwt\""), Type),
        ("no type", forge.header(r#"{"alg":"EdDSA","kid":"d1"}"#), Type),
        ("a type in another case", typ("\"AT+JWT\""), Type),
        ("a type with a blank", typ("\"at+jwt \""), Type),
        ("a type of null", typ("null"), Type),
    ]);
    assert_eq!(count, 38);
}

#[test]
fn signatures_are_exact() {
    use TokenFault::{Form, Signature};
    let forge = Forge::new();
    let good = forge.claims(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        format!("{message}.{}", b64(bytes))
    };
    let header = r#"{"typ":"at+jwt","alg":"ES256","kid":"e1"}"#;
    let (es, fixed) = forge.es256(header);
    let of_es = |bytes: &[u8]| format!("{es}.{}", b64(bytes));
    let der = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &forge.pkcs8).unwrap();
    let der = der.sign(&SystemRandom::new(), es.as_bytes()).unwrap();
    let order =
        Digest::from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap().0;
    let (_, body) = message.split_once('.').unwrap();
    let escalated = claims().replace("agreement:x", "agreement:y");
    let count = forge.check(vec![
        ("cut off", format!("{message}.{}", b64(&bytes[..63])), Signature),
        ("extended", format!("{message}.{}", b64([&bytes[..], &[0]].concat())), Signature),
        ("the first bit", flipped(0), Signature),
        ("a bit of S", flipped(32), Signature),
        ("the last bit", flipped(63), Signature),
        ("zeros", format!("{message}.{}", b64([0; 64])), Signature),
        ("one byte", format!("{message}.AA"), Signature),
        ("one letter", format!("{message}.A"), Form),
        ("other claims under it", format!("{}.{}.{signature}", b64(HEADER), b64(escalated)), Signature),
        ("another header over it", format!("{}.{body}.{signature}", b64(format!("{HEADER} "))), Signature),
        ("ECDSA in DER", of_es(der.as_ref()), Signature),
        ("ECDSA with r = s = 0", of_es(&[0; 64]), Signature),
        ("ECDSA with r = 0", of_es(&[&[0; 32], &fixed[32..]].concat()), Signature),
        ("ECDSA with s = 0", of_es(&[&fixed[..32], &[0; 32]].concat()), Signature),
        ("ECDSA with r = s = n", of_es(&[order, order].concat()), Signature),
        ("ECDSA cut off", of_es(&fixed[..63]), Signature),
        ("ECDSA of the other halves", of_es(&[&fixed[32..], &fixed[..32]].concat()), Signature),
    ]);
    assert_eq!(count, 17);
    // No letter of a token is without meaning.
    for (at, letter) in good.char_indices().filter(|(_, letter)| *letter != '.') {
        let other = if letter == 'A' { 'B' } else { 'A' };
        let changed = format!("{}{other}{}", &good[..at], &good[at + 1..]);
        assert!(forge.present(&changed).is_err(), "letter {at}");
    }
}

#[test]
fn claims_are_there_once_and_of_their_type() {
    use TokenFault::{Audience, Claim, Claims, Expired, Issuer, Lifetime, NotYetValid};
    let forge = Forge::new();
    let with = |name: &str, value: &str| forge.claims(&with(name, value));
    let without = |name: &str| forge.claims(&without(name));
    let plus = |member: &str| forge.claims(&plus(member));
    let at = |name: &str, seconds: i64| with(name, &seconds.to_string());
    let nested = format!("{}1{}", "[".repeat(20), "]".repeat(20));
    let many = format!("[{}\"urn:glenmore\"]", "\"x\",".repeat(16));
    let count = forge.check(vec![
        ("a list", forge.claims("[]"), Claims),
        ("no JSON", forge.claims("x"), Claims),
        ("an exp more", plus(&format!("\"exp\":{}", NOW + 9)), Claims),
        ("an escaped iss more", plus("\"\\u0069ss\":\"https://evil.example\""), Claims),
        ("a name twice inside cnf", with("cnf", r#"{"x5t#S256":"AA","x5t#S256":"AA"}"#), Claims),
        ("a name twice deep inside", plus(r#""x":{"y":[{"z":1,"z":1}]}"#), Claims),
        ("nested deep", plus(&format!("\"x\":{nested}")), Claims),
        ("half a surrogate", plus(r#""x":"\ud800""#), Claims),
        ("something behind", forge.claims(&format!("{}x", claims())), Claims),
        ("no iss", without("iss"), Claim("iss")),
        ("iss a number", with("iss", "1"), Claim("iss")),
        ("iss a list", with("iss", "[\"https://id.example\"]"), Claim("iss")),
        ("another iss", with("iss", "\"https://evil.example\""), Issuer),
        ("iss with a slash", with("iss", "\"https://id.example/\""), Issuer),
        ("iss in another case", with("iss", "\"https://ID.example\""), Issuer),
        ("no aud", without("aud"), Audience),
        ("another aud", with("aud", "\"urn:other\""), Audience),
        ("an empty aud", with("aud", "\"\""), Audience),
        ("aud of none", with("aud", "[]"), Audience),
        ("aud of others", with("aud", "[\"urn:other\",\"urn:more\"]"), Audience),
        ("aud of too many", with("aud", &many), Audience),
        ("aud a number", with("aud", "1"), Audience),
        ("aud of numbers", with("aud", "[\"urn:glenmore\",1]"), Audience),
        ("aud an object", with("aud", "{}"), Audience),
        ("aud with more behind", with("aud", "\"urn:glenmore/x\""), Audience),
        ("no exp", without("exp"), Claim("exp")),
        ("exp a string", with("exp", &format!("\"{}\"", NOW + 290)), Claim("exp")),
        ("exp with a fraction", with("exp", &format!("{}.0", NOW + 290)), Claim("exp")),
        ("exp with an exponent", with("exp", "1.8000003e9"), Claim("exp")),
        ("exp null", with("exp", "null"), Claim("exp")),
        ("exp negative", at("exp", -1), Claim("exp")),
        ("exp after the year 9999", with("exp", "253402300800"), Claim("exp")),
        ("exp beyond 64 bits", with("exp", "99999999999999999999"), Claim("exp")),
        ("exp zero", at("exp", 0), Expired),
        ("exp past", at("exp", NOW - SKEW_SECONDS), Expired),
        ("exp far away", at("exp", NOW + 9_999), Lifetime),
        ("nbf to come", at("nbf", NOW + SKEW_SECONDS + 1), NotYetValid),
        ("nbf a string", with("nbf", "\"0\""), Claim("nbf")),
        ("nbf null", with("nbf", "null"), Claim("nbf")),
        ("no iat", without("iat"), Claim("iat")),
        ("iat to come", at("iat", NOW + SKEW_SECONDS + 1), NotYetValid),
        (
            "iat to come behind an early nbf",
            {
                let text = super::tests::with("iat", &(NOW + 100).to_string());
                forge.claims(&format!("{},\"nbf\":0}}", text.strip_suffix('}').unwrap()))
            },
            NotYetValid,
        ),
        ("iat a string", with("iat", "\"0\""), Claim("iat")),
        ("no jti", without("jti"), Claim("jti")),
        ("an empty jti", with("jti", "\"\""), Claim("jti")),
        ("jti a number", with("jti", "1"), Claim("jti")),
        ("no scope", without("scope"), Claim("scope")),
        ("a scope of other words", with("scope", "\"openid\""), Claim("scope")),
        ("a scope with two blanks", with("scope", "\"agreement:x  purpose:research\""), Claim("scope")),
        ("a scope that is a list", with("scope", "[\"agreement:x\"]"), Claim("scope")),
        ("an empty user", plus(r#""preferred_username":"""#), Claim("of the user")),
        ("a user of two lines", plus(r#""preferred_username":"a\nb""#), Claim("of the user")),
        ("a role that is not mapped", plus(r#""role":"Porter""#), Claim("of the role")),
        ("a role in another case", plus(r#""role":"nurse""#), Claim("of the role")),
    ]);
    assert_eq!(count, 54);
}

#[test]
fn a_token_is_one_systems_with_one_certificate() {
    use TokenFault::{Claim, OtherCertificate, OtherClient, Unbound};
    let forge = Forge::new();
    let with = |name: &str, value: &str| forge.claims(&with(name, value));
    let without = |name: &str| forge.claims(&without(name));
    let both = |client: &str| forge.claims(&claims().replace(CLIENT, client));
    let thumb = b64(certificate().0);
    let count = forge.check(vec![
        ("no cnf", without("cnf"), Unbound),
        ("cnf null", with("cnf", "null"), Unbound),
        ("cnf a string", with("cnf", &format!("\"{thumb}\"")), Unbound),
        ("cnf a list", with("cnf", &format!("[\"{thumb}\"]")), Unbound),
        ("cnf of nothing", with("cnf", "{}"), Unbound),
        ("bound to a DPoP key", with("cnf", &format!(r#"{{"jkt":"{thumb}"}}"#)), Unbound),
        (
            "bound to a DPoP key as well",
            with("cnf", &format!(r#"{{"x5t#S256":"{thumb}","jkt":"x"}}"#)),
            Unbound,
        ),
        ("bound by SHA-1", with("cnf", r#"{"x5t":"AAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#), Unbound),
        ("an empty thumbprint", with("cnf", r#"{"x5t#S256":""}"#), Unbound),
        (
            "a short thumbprint",
            with("cnf", &format!(r#"{{"x5t#S256":"{}"}}"#, b64(&certificate().0[..31]))),
            Unbound,
        ),
        ("a padded thumbprint", with("cnf", &format!(r#"{{"x5t#S256":"{thumb}="}}"#)), Unbound),
        (
            "a thumbprint in hex",
            with("cnf", &format!(r#"{{"x5t#S256":"{}"}}"#, certificate().hex())),
            Unbound,
        ),
        ("a thumbprint of null", with("cnf", r#"{"x5t#S256":null}"#), Unbound),
        (
            "another's certificate",
            with("cnf", &format!(r#"{{"x5t#S256":"{}"}}"#, b64([7; 32]))),
            OtherCertificate,
        ),
        ("no client_id", without("client_id"), Claim("client_id")),
        ("no sub", without("sub"), Claim("sub")),
        ("another sub", with("sub", "\"somebody\""), Claim("sub")),
        ("a client that is no system", both("ed-trak"), Claim("client_id")),
        ("another system", both("spiffe://nhs-lomond.caledonia.example/other"), OtherClient),
        ("another member's system", both("spiffe://police-caledonia.caledonia.example/ed-trak"), OtherClient),
        ("another federation's system", both("spiffe://nhs-lomond.other.example/ed-trak"), OtherClient),
    ]);
    assert_eq!(count, 21);
}

#[test]
fn a_client_may_be_known_by_another_name() {
    let forge = Forge::new();
    let listed = Issuer {
        name: ISSUER.into(),
        audience: "urn:glenmore".to_owned(),
        keys: Arc::clone(&forge.issuer().keys),
        algorithms: vec![Algorithm::EdDsa],
        lifetime_seconds_max: 600,
        mapping: Mapping {
            clients: ClientNames::Listed(BTreeMap::from([("app-7".to_owned(), system())])),
            scoped: false,
            ..forge.issuer().mapping.clone()
        },
        listed: false,
        missed: AtomicBool::default(),
    };
    let issuers = Issuers::new([Arc::new(listed)]);
    let present = |claims: &str| {
        let system = system();
        let now = presenter(&system, NOW);
        Cache::new(1).present(&forge.claims(claims), &issuers, 1, &now).map(|claims| claims.scope.is_none())
    };
    assert_eq!(present(&claims().replace(CLIENT, "app-7")), Ok(true));
    assert_eq!(present(&claims().replace(CLIENT, "app-8")), Err(TokenFault::OtherClient));
    let users = with("sub", "\"user-1\"").replace(CLIENT, "app-7");
    assert_eq!(present(&users), Ok(true), "the subject is the user");
    // The issuer's keys are more than the issuer may use.
    let (message, signature) = forge.es256(r#"{"typ":"at+jwt","alg":"ES256","kid":"e1"}"#);
    let token = format!("{message}.{}", b64(signature));
    let said = Cache::new(1).present(&token, &issuers, 1, &presenter(&system(), NOW));
    assert_eq!(said.err(), Some(TokenFault::Algorithm));
}

#[test]
fn what_is_cached_is_compared_on_every_use() {
    let forge = Forge::new();
    let token = forge.claims(&claims());
    let mut cache = Cache::new(8);
    let mut present = |issuers: &Issuers, epoch: u64, presenter: &Presenter<'_>| {
        cache.present(&token, issuers, epoch, presenter).err()
    };
    let (one, other) = (system(), SystemId { system: SystemName::new("other").unwrap(), ..system() });
    let stolen = Digest::of(b"another certificate");
    let now = presenter(&one, NOW);
    assert_eq!(present(&forge.issuers, 1, &now), None);
    assert_eq!(
        present(&forge.issuers, 1, &Presenter { certificate: &stolen, ..now }),
        Some(TokenFault::OtherCertificate)
    );
    assert_eq!(present(&forge.issuers, 1, &presenter(&other, NOW)), Some(TokenFault::OtherClient));
    assert_eq!(
        present(&forge.issuers, 1, &Presenter { federation: "other.example", ..now }),
        Some(TokenFault::OtherClient)
    );
    assert_eq!(
        present(&forge.issuers, 1, &presenter(&one, NOW + 290 + SKEW_SECONDS)),
        Some(TokenFault::Expired)
    );
    assert_eq!(present(&forge.issuers, 1, &presenter(&one, NOW - 41)), Some(TokenFault::NotYetValid));
    assert_eq!(present(&forge.issuers, 1, &now), None);
    // An issuer that is gone, or calls this gateway otherwise.
    assert_eq!(present(&Issuers::default(), 1, &now), Some(TokenFault::Issuer));
    let renamed = Issuer {
        name: ISSUER.into(),
        audience: "urn:glenmore:2".to_owned(),
        keys: Arc::clone(&forge.issuer().keys),
        algorithms: Algorithm::ALL.to_vec(),
        lifetime_seconds_max: 600,
        mapping: forge.issuer().mapping.clone(),
        listed: false,
        missed: AtomicBool::default(),
    };
    assert_eq!(present(&Issuers::new([Arc::new(renamed)]), 1, &now), Some(TokenFault::Audience));
    assert_eq!(present(&forge.issuers, 2, &now), None, "a new epoch verifies anew");
    // A key that is taken away ends what it signed, in the same epoch.
    forge.issuer().keys.store(Arc::new(KeySet::default()));
    assert_eq!(present(&forge.issuers, 2, &now), Some(TokenFault::NoKeys));
}

#[test]
fn a_new_epoch_asks_the_signature_again() {
    let forge = Forge::new();
    let token = forge.claims(&claims());
    let now = system();
    let now = presenter(&now, NOW);
    let mut cache = Cache::new(1);
    cache.present(&token, &forge.issuers, 1, &now).unwrap();
    let verified = |cache: &Cache| cache.claims_at(0).map(|claims| Arc::as_ptr(&claims));
    let first = verified(&cache);
    cache.present(&token, &forge.issuers, 1, &now).unwrap();
    assert_eq!(verified(&cache), first, "remembered");
    let kept = cache.claims_at(0);
    cache.present(&token, &forge.issuers, 2, &now).unwrap();
    assert_ne!(verified(&cache), first, "verified anew");
    drop(kept);
}

#[test]
fn a_key_set_is_public_and_names_each_key_once() {
    let forge = Forge::new();
    let read = |keys: serde_json::Value| {
        KeySet::from_jwks(Bytes::from(json!({ "keys": keys }).to_string()), &Algorithm::ALL)
            .map(|keys| keys.ids().map(str::to_owned).collect::<Vec<_>>())
    };
    let x = b64(forge.ed.public().0);
    let (n, e) = rsa_parts(&forge.rsa);
    let good = json!({ "kid": "a", "kty": "OKP", "crv": "Ed25519", "x": x });
    assert_eq!(read(json!([good])), Ok(vec!["a".to_owned()]));
    let with = |name: &str, value: serde_json::Value| {
        let mut key = good.clone();
        key[name] = value;
        key
    };
    // Left out, each beside one that is not.
    for (name, other) in [
        ("no kid", json!({ "kty": "OKP", "crv": "Ed25519", "x": x })),
        ("for encryption", with("use", json!("enc"))),
        ("for signing alone", with("key_ops", json!(["sign"]))),
        ("another algorithm", with("alg", json!("ES256"))),
        ("an unknown algorithm", with("alg", json!("HS256"))),
        ("another curve", with("crv", json!("Ed448"))),
        ("another kind", with("kty", json!("oct"))),
        ("no point", with("x", json!("AA"))),
        ("a small RSA key", json!({ "kid": "b", "kty": "RSA", "n": b64([0xff; 128]), "e": e })),
        (
            "a padded RSA key",
            json!({ "kid": "b", "kty": "RSA", "n": b64([&[0; 200][..], &[0xff; 128]].concat()), "e": e }),
        ),
        ("an RSA key that costs", json!({ "kid": "b", "kty": "RSA", "n": b64([0xff; 1025]), "e": e })),
        ("an exponent of one", json!({ "kid": "b", "kty": "RSA", "n": n, "e": b64([1]) })),
        ("an even exponent", json!({ "kid": "b", "kty": "RSA", "n": n, "e": b64([4]) })),
    ] {
        assert_eq!(read(json!([other])), Err(JwksFault::NoUsableKey), "{name}");
        let mut beside = good.clone();
        beside["kid"] = json!("z");
        assert_eq!(read(json!([other, beside])), Ok(vec!["z".to_owned()]), "{name}");
    }
    assert_eq!(read(json!([good, good])), Err(JwksFault::KeyIdTwice));
    assert_eq!(read(json!([good, with("d", json!("AA"))])), Err(JwksFault::NotPublic));
    assert_eq!(read(json!([good, { "kty": "oct", "k": "AA" }])), Err(JwksFault::NotPublic));
    assert_eq!(read(json!(vec![json!({}); 65])), Err(JwksFault::TooManyKeys));
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
        let said = KeySet::from_jwks(Bytes::from(text), &Algorithm::ALL).map(|_| ());
        assert_eq!(said, Err(JwksFault::NotAKeySet), "{text}");
    }
}

const MONTH: i64 = 30 * 24 * 60 * 60;

fn granted(mint: &Mint, now: i64) -> String {
    let scope = Scope::parse("agreement:x purpose:research").unwrap();
    mint.mint(&Grant { client: CLIENT, certificate: &certificate(), scope: &scope, now }).unwrap()
}

#[test]
fn what_is_minted_verifies_and_ends() {
    let keys = MintKeys::parse("").unwrap().renewed(NOW, MONTH).unwrap().unwrap();
    let mint = Mint::new("https://localhost:8443", 300, keys);
    let issuers = Issuers::new([Arc::clone(mint.issuer())]);
    let token = granted(&mint, NOW);
    let at = |now| Cache::new(1).present(&token, &issuers, 1, &presenter(&system(), now)).map(|_| ());
    assert_eq!(at(NOW), Ok(()));
    assert_eq!(at(NOW + 299 + SKEW_SECONDS), Ok(()));
    assert_eq!(at(NOW + 300 + SKEW_SECONDS), Err(TokenFault::Expired));
    // The published set is enough to verify by, and publishes nothing else.
    let jwks = mint.jwks();
    assert!(KeySet::from_jwks(Bytes::from(jwks.clone()), &[Algorithm::EdDsa]).is_ok());
    assert!(!jwks.contains("\"d\""));
    assert_ne!(granted(&mint, NOW), token, "no two tokens are one");
}

#[test]
fn the_largest_token_is_one_that_is_read() {
    let label = "x".repeat(63);
    let domain = [&label[1..]; 3].join(".");
    let client = format!("spiffe://{label}.{domain}/{label}");
    let name = format!("https://{}", "x".repeat(255));
    let agreements = (0..48).map(|at| format!("agreement:a{at:062}"));
    let purposes = PurposeCode::ALL.iter().map(|code| format!("purpose:{code}"));
    let scope = agreements.chain(purposes).collect::<Vec<_>>().join(" ");
    let keys = MintKeys::parse("").unwrap().renewed(NOW, MONTH).unwrap().unwrap();
    let mint = Mint::new(&name, 900, keys);
    let scope = Scope::parse(&scope).unwrap();
    assert_eq!(scope.agreements.len(), 48);
    let grant = Grant { client: &client, certificate: &certificate(), scope: &scope, now: NOW };
    let token = mint.mint(&grant).unwrap();
    assert!(token.len() <= TOKEN_BYTES_MAX, "{}", token.len());
    assert!(verify(&token, &Issuers::new([Arc::clone(mint.issuer())])).is_ok());
}

#[test]
fn keys_overlap_until_the_last_token_of_the_old_one_has_ended() {
    let first = MintKeys::parse("").unwrap().renewed(NOW, MONTH).unwrap().unwrap();
    assert!(first.renewed(NOW + MONTH - 1, MONTH).is_none());
    let mint = Mint::new("https://localhost", 900, first);
    let issuers = Issuers::new([Arc::clone(mint.issuer())]);
    let due = NOW + MONTH;
    let last = granted(&mint, due);
    mint.replace(mint.keys().renewed(due, MONTH).unwrap().unwrap());
    assert_eq!(mint.keys().count(), 2);
    let new = granted(&mint, due);
    let present =
        |token: &str, now| Cache::new(1).present(token, &issuers, 1, &presenter(&system(), now)).map(|_| ());
    assert_eq!((present(&last, due), present(&new, due)), (Ok(()), Ok(())));
    assert_eq!(present(&last, due + 900 + SKEW_SECONDS - 1), Ok(()));
    assert!(mint.keys().renewed(due + 900 + SKEW_SECONDS, MONTH).is_none(), "not before its last token");
    let later = due + 900 + SKEW_SECONDS + 60;
    mint.replace(mint.keys().renewed(later, MONTH).unwrap().unwrap());
    assert_eq!(mint.keys().count(), 1);
    assert_eq!(present(&last, due), Err(TokenFault::Key));
    assert_eq!(present(&granted(&mint, later), later), Ok(()));
    // A file written and read again is the same keys, the newest signing.
    let again = MintKeys::parse(&mint.keys().reveal()).unwrap();
    let other = Mint::new("https://localhost", 900, again);
    assert_eq!(other.jwks(), mint.jwks());
    assert!(!format!("{:?}", mint.keys()).contains("token/v1"));
}

#[test]
fn a_key_file_holds_token_keys_alone() {
    let seed = "00".repeat(32);
    let line = format!("tolbooth/token/v1 {NOW} {seed}\n");
    assert_eq!(MintKeys::parse(&line).unwrap().count(), 1);
    for bad in [
        format!("{line}\n"),
        format!("{line}{seed}\n"),
        format!("{line}tolbooth/ledger/v1 {NOW} {seed}\n"),
        format!("{line}tolbooth/token/v1 {NOW} {}\n", "00".repeat(31)),
        format!("{line}tolbooth/token/v1 -1 {seed}\n"),
        format!("{line}tolbooth/token/v1 {NOW}  {seed}\n"),
        format!("{line}PRIVATE+KEY+x+00000000+AAAA\n"),
    ] {
        assert_eq!(MintKeys::parse(&bad).err(), Some(KeyFileFault(2)), "{bad}");
    }
    // Made by a clock that ran ahead: it must not sign for years.
    let ahead = MintKeys::parse(&format!("tolbooth/token/v1 {} {seed}\n", NOW + 10 * MONTH)).unwrap();
    let renewed = ahead.renewed(NOW, MONTH).unwrap().unwrap();
    assert_eq!(renewed.count(), 1);
    assert!(!renewed.reveal().contains(&seed));
}

#[test]
fn an_issuer_of_others_speaks_for_members_that_list_it_on_every_use() {
    let forge = Forge::new();
    let mine = forge.issuer();
    let mut outside = Issuer::outside(
        ISSUER.to_owned(),
        "urn:glenmore".to_owned(),
        mine.mapping.clone(),
        vec![Algorithm::EdDsa],
        600,
    );
    outside.keys = Arc::clone(&mine.keys);
    let issuers = Issuers::new([Arc::new(outside)]);
    let (system, mut cache) = (system(), Cache::new(1));
    let mut present = |hears: &[&str]| {
        let hears: Vec<String> = hears.iter().map(|name| (*name).to_owned()).collect();
        let presenter = Presenter { hears: &hears, ..presenter(&system, NOW) };
        cache.present(&forge.claims(&claims()), &issuers, 1, &presenter).err()
    };
    assert_eq!(present(&[ISSUER]), None);
    // The token is remembered by now.
    for hears in [&[][..], &["https://other.example"], &["https://other.example", "urn:x"]] {
        assert_eq!(present(hears), Some(TokenFault::NotHeard), "{hears:?}");
    }
    assert_eq!(present(&["https://other.example", ISSUER]), None);
}

#[test]
fn of_several_roles_exactly_one_must_be_ours() {
    let forge = Forge::new();
    let present = |role: &str| {
        let token = forge.claims(&with("role", role));
        let system = system();
        let now = presenter(&system, NOW);
        Cache::new(1).present(&token, &forge.issuers, 1, &now).map(|claims| claims.role.clone())
    };
    let nurse = Ok(Some("ed_nurse".to_owned()));
    for good in ["\"Nurse\"", "[\"Nurse\"]", "[\"Porter\",\"Nurse\"]", "[\"Nurse\",\"Nurse\"]"] {
        assert_eq!(present(good), nurse, "{good}");
    }
    let many = format!("[{}]", ["\"Nurse\""; 65].join(","));
    for bad in ["\"Porter\"", "[]", "[\"Nurse\",7]", "{}", "null", "\"ed_nurse\"", "[[\"Nurse\"]]", &many] {
        assert_eq!(present(bad), Err(TokenFault::Claim("of the role")), "{bad}");
    }
}
