//! What is remembered, the sets of keys, and what this gateway mints.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use serde_json::json;

use super::samples::{CLIENT, Forge, ISSUER, NOW, b64, certificate, claims, presenter, rsa_parts, system};
use crate::model::{Digest, PurposeCode, SystemId, SystemName};
use crate::token::{
    Algorithm, Cache, Grant, Issuer, Issuers, JwksFault, KeyFileFault, KeySet, Mint, MintKeys, Presenter,
    SKEW_SECONDS, Scope, TOKEN_BYTES_MAX, TokenFault, verify,
};

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
    let domain = [label.strip_prefix('x').unwrap(); 3].join(".");
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
