//! What is forged in the claims of a token, or does not fit whoever shows it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::samples::{
    CLIENT, Forge, ISSUER, NOW, b64, certificate, claims, plus, presenter, system, with, without,
};
use crate::token::{Algorithm, Cache, ClientNames, Issuer, Issuers, Mapping, SKEW_SECONDS, TokenFault};

#[test]
fn claims_are_there_once_and_of_their_type() {
    use TokenFault::{Audience, Claim, Claims, Issuer};
    let forge = Forge::new();
    let with = |name: &str, value: &str| forge.claims(&with(name, value));
    let without = |name: &str| forge.claims(&without(name));
    let plus = |member: &str| forge.claims(&plus(member));
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
    assert_eq!(count, 36);
}

#[test]
fn times_are_whole_seconds_and_hold_now() {
    use TokenFault::{Claim, Expired, Lifetime, NotYetValid};
    let forge = Forge::new();
    let with = |name: &str, value: &str| forge.claims(&with(name, value));
    let without = |name: &str| forge.claims(&without(name));
    let at = |name: &str, seconds: i64| with(name, &seconds.to_string());
    let count = forge.check(vec![
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
                let text = super::samples::with("iat", &(NOW + 100).to_string());
                forge.claims(&format!("{},\"nbf\":0}}", text.strip_suffix('}').unwrap()))
            },
            NotYetValid,
        ),
        ("iat a string", with("iat", "\"0\""), Claim("iat")),
    ]);
    assert_eq!(count, 18);
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
