//! What is forged in a token's form, header and signature.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::samples::{Forge, HEADER, NOW, b64, claims, plus, with};
use crate::crypto::MacKey;
use crate::model::{AgreementId, Digest, PurposeCode};
use crate::token::{SKEW_SECONDS, TOKEN_BYTES_MAX, TokenFault};

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
    let other_bits = format!("{}{next}", good.strip_suffix(last).unwrap());
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
        let (before, after) = good.split_at(at);
        let changed = format!("{before}{other}{}", after.strip_prefix(letter).unwrap());
        assert!(forge.present(&changed).is_err(), "letter {at}");
    }
}
