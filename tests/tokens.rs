//! Tokens over real sockets: asked for with a certificate, shown with a question; each misuse refused with
//! its challenge, and on the record.
#![cfg(test)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tolbooth::crypto::SigningKey;
use tolbooth::model::Digest;

use support::agreements::{CHILD, edit, replace, reword};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::{Partner, Said};
use support::{forge, jws, ledger, until};

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "grant_type=client_credentials";

/// A gateway whose agreement on children wants a token.
fn wants_tokens(name: &str) -> Gateway {
    Gateway::start_changed(name, |home| wants(home, "token"))
}

fn wants(home: &std::path::Path, assurance: &str) {
    let wanted = format!("assurance = \"{assurance}\"");
    reword(home, CHILD, |text| {
        // As often as a test that waits likes to ask.
        text.replace("assurance = \"certificate\"", &wanted)
            .replace("per_minute = 30", "per_minute = 100000")
            .replace("per_day = 400", "per_day = 100000")
    });
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()
}

fn post(partner: &Partner, headers: &[(&str, &str)], form: &str) -> Said {
    let headers: Vec<_> = [("content-type", FORM)].into_iter().chain(headers.iter().copied()).collect();
    partner.send(request("POST", "/token", &headers, form))
}

fn get(partner: &Partner, path: &str) -> Said {
    partner.send(request("GET", path, &[], ""))
}

fn token(partner: &Partner) -> String {
    partner.token("")
}

fn ask(partner: &Partner, token: &str) -> Said {
    let bearer = format!("Bearer {token}");
    partner.ask(CHECK, &[NURSE[0], ("authorization", &bearer)], &asks(CHI))
}

/// The three parts of a token, the first two as JSON.
fn opened(token: &str) -> (Value, Value, String) {
    let parts: Vec<&str> = token.split('.').collect();
    let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(parts[0]), json(parts[1]), parts[2].to_owned())
}

/// Signed with the gateway's own key, as only who has read its key file could.
fn signed(gateway: &Gateway, header: &str, claims: &str) -> String {
    let file = std::fs::read_to_string(gateway.home.join("data/keys/token.key")).unwrap();
    let seed = file.trim().rsplit(' ').next().unwrap();
    let key = SigningKey::from_seed(&Digest::from_hex(seed).unwrap().0).unwrap();
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())))
}

/// A refusal of a token: as the page says, with its challenge, and on the record.
fn refused(gateway: &Gateway, said: &Said, code: &str, challenge: &str) {
    assert_eq!((said.code().as_str(), said.outcome()), (code, "refused"), "{said:?}");
    let told = said.header("www-authenticate");
    assert!(told.starts_with("Bearer realm=\"tolbooth\"") && told.contains(challenge), "{told}");
    let envelope = ledger::envelope(&gateway.home, said);
    assert_eq!((&envelope["code"], &envelope["consumer"]), (&code.into(), &"nhs-lomond/ed-trak".into()));
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
}

#[test]
fn a_token_is_asked_for_with_a_certificate_and_shown_with_a_question() {
    let gateway = wants_tokens("token-good");
    let nhs = gateway.nhs();
    let metadata = get(&nhs, "/.well-known/oauth-authorization-server").json();
    let issuer = format!("https://localhost:{}", gateway.running().partners.port());
    assert_eq!(metadata["issuer"], issuer);
    assert_eq!(metadata["token_endpoint"], format!("{issuer}/token"));
    assert_eq!(metadata["jwks_uri"], format!("{issuer}/jwks"));
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["tls_client_auth"]));
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);

    let before = gateway.check(CHI);
    assert_eq!((before.status, before.code().as_str()), (401, "token_missing"));
    let said = post(&nhs, &[], GRANT);
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!((said.header("cache-control"), said.header("pragma")), ("no-store", "no-cache"));
    let told = said.json();
    assert_eq!((&told["token_type"], &told["expires_in"]), (&"Bearer".into(), &300.into()));
    assert_eq!(told["scope"], format!("agreement:{CHILD} purpose:safeguarding_child"));
    let token = told["access_token"].as_str().unwrap();
    let (header, claims, _) = opened(token);
    assert_eq!((&header["typ"], &header["alg"]), (&"at+jwt".into(), &"EdDSA".into()));
    assert_eq!(claims["client_id"], forge::ED_TRAK);
    assert_eq!(get(&nhs, "/jwks").json()["keys"][0]["kid"], header["kid"]);

    for (said, version) in [(ask(&nhs, token), "HTTP/1.1"), (ask(&nhs, token), "HTTP/1.1")] {
        assert_eq!((said.status, said.outcome()), (200, "answered"), "{version} {said:?}");
    }
    let bearer = format!("bearer {token}");
    let headers = [NURSE[0], ("authorization", bearer.as_str())];
    assert_eq!(nhs.ask_http2(CHECK, &headers, &asks(CHI)).status, 200);
    assert_eq!(gateway.metric("tolbooth_tokens_issued_total"), 1);
}

#[test]
fn misuses_are_refused_with_their_challenge_and_recorded() {
    let gateway = wants_tokens("token-misuse");
    let nhs = gateway.nhs();
    let good = token(&nhs);
    let (header, claims, signature) = opened(&good);
    let invalid = "error=\"invalid_token\", error_description=\"";
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        signed(&gateway, &header.to_string(), &claims.to_string())
    };
    // What this test signs is what the gateway signs.
    let same = signed(&gateway, &header.to_string(), &claims.to_string());
    assert_eq!(opened(&same).1, claims);
    let mut unsigned = header.clone();
    unsigned["alg"] = "none".into();
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(unsigned.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let headed = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        signed(&gateway, &header.to_string(), &claims.to_string())
    };
    let now = gateway.clock.now().as_second();
    let mut unbound = claims.clone();
    unbound.as_object_mut().unwrap().remove("cnf");
    let twice = format!("{},\"aud\":\"x\"}}", claims.to_string().strip_suffix('}').unwrap());
    for (name, token, told) in [
        ("alg none", unsigned, "three parts"),
        ("HS256", headed("alg", "HS256".into()), "algorithm"),
        ("jku", headed("jku", "https://evil.example/jwks".into()), "other than typ, alg and kid"),
        ("an unknown kid", headed("kid", "../../dev/null".into()), "no key of its issuer"),
        ("an ID token", headed("typ", "JWT".into()), "not at+jwt"),
        ("another signature", good.replace(&signature, &URL_SAFE_NO_PAD.encode([0; 64])), "does not verify"),
        ("cut off", good.get(..good.len() - 2).unwrap().to_owned(), "does not verify"),
        ("another audience", with("aud", "https://other.example".into()), "another audience"),
        ("another issuer", with("iss", "https://other.example".into()), "issuer"),
        ("expired", with("exp", (now - 60).into()), "has expired"),
        ("not yet valid", with("nbf", (now + 120).into()), "not valid yet"),
        ("exp as a text", with("exp", now.to_string().into()), "claim exp"),
        ("valid for a day", with("exp", (now + 86_400).into()), "longer"),
        ("another's certificate", with("cnf", json!({ "x5t#S256": "A".repeat(43) })), "another certificate"),
        ("unbound", signed(&gateway, &header.to_string(), &unbound.to_string()), "not bound"),
        ("a claim twice", signed(&gateway, &header.to_string(), &twice), "reads in one way"),
    ] {
        let said = ask(&nhs, &token);
        assert_eq!(said.status, 401, "{name}: {said:?}");
        refused(&gateway, &said, "token_not_accepted", invalid);
        let challenge = said.header("www-authenticate");
        assert!(challenge.contains(told), "{name}: {challenge}");
        assert_eq!(said.json()["detail"].as_str().unwrap(), challenge.split('"').nth(5).unwrap(), "{name}");
    }
    assert_eq!(gateway.metric("tolbooth_tokens_refused_total{cause=\"expired\"}"), 1);

    let bearer = format!("Bearer {good}");
    let said =
        nhs.ask(CHECK, &[NURSE[0], ("authorization", &bearer), ("authorization", &bearer)], &asks(CHI));
    assert_eq!(said.status, 400);
    refused(&gateway, &said, "malformed_http", "error=\"invalid_request\"");
    for scheme in ["Basic", "DPoP", "MAC"] {
        let said = nhs.ask(CHECK, &[NURSE[0], ("authorization", &format!("{scheme} {good}"))], &asks(CHI));
        refused(&gateway, &said, "token_not_accepted", "");
        assert!(!said.header("www-authenticate").contains("error"), "no error: {said:?}");
    }
    // Where no token is looked for, none is found.
    let cookie = format!("token={good}");
    let said = nhs.ask(CHECK, &[NURSE[0], ("cookie", &cookie), ("access-token", &good)], &asks(CHI));
    refused(&gateway, &said, "token_missing", "");
    let said = nhs.ask(&format!("{CHECK}?access_token={good}"), &NURSE, &asks(CHI));
    assert_eq!(said.code(), "not_agreed", "a query is no address of an operation");
}

#[test]
fn a_stolen_token_is_worth_nothing() {
    let gateway = wants_tokens("token-stolen");
    let stolen = token(&gateway.nhs());
    // By another member, and by the same system with a certificate of a new key.
    let said = ask(&gateway.police(), &stolen);
    assert_eq!((said.status, said.code().as_str()), (401, "token_not_accepted"));
    assert_eq!(ledger::envelope(&gateway.home, &said)["consumer"], "police-caledonia/control-room");
    let key = KeyPair::generate().unwrap();
    let renewed = forge::client(&gateway.home, "nhs-lomond", "renewed", &key, |_| {});
    let renewed = gateway.partner(&renewed);
    let said = ask(&renewed, &stolen);
    refused(&gateway, &said, "token_not_accepted", "bound to another certificate");
    assert_eq!(ask(&renewed, &token(&renewed)).status, 200, "it asks for one of its own");
}

#[test]
fn a_token_is_verified_also_where_a_certificate_is_enough() {
    let gateway = Gateway::start("token-unasked");
    let nhs = gateway.nhs();
    assert_eq!(ask(&nhs, &token(&nhs)).status, 200);
    let said = ask(&nhs, "x.y.z");
    assert_eq!((said.status, said.code().as_str()), (401, "token_not_accepted"));
    assert_eq!(gateway.check(CHI).status, 200);
}

#[test]
fn a_question_outside_its_tokens_scope_is_refused() {
    let other = "other-agreement";
    let gateway = Gateway::start_changed("token-scope", |home| {
        wants(home, "token");
        let text = support::agreements::unsealed(&support::agreements::text(home, CHILD));
        let text = text.replace(CHILD, other).replace("safeguarding_child", "direct_care");
        support::agreements::agree(home, other, &text);
    });
    let nhs = gateway.nhs();
    let given = |scope: &str| post(&nhs, &[], &format!("{GRANT}&scope={scope}"));
    let token = |scope: &str| given(scope).json()["access_token"].as_str().unwrap().to_owned();
    let all = post(&nhs, &[], GRANT).json()["scope"].as_str().unwrap().to_owned();
    assert_eq!(
        all,
        format!("agreement:{CHILD} agreement:{other} purpose:safeguarding_child purpose:direct_care")
    );
    let ask = |token: &str, purpose: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [NURSE[0], ("authorization", bearer.as_str()), ("tolbooth-purpose", purpose)];
        nhs.ask(CHECK, &headers, &asks(CHI))
    };
    let narrow = token(&format!("agreement:{CHILD}"));
    assert_eq!(ask(&narrow, "safeguarding_child").status, 200);
    let said = ask(&narrow, "direct_care");
    assert_eq!((said.status, said.code().as_str()), (403, "token_insufficient"));
    let wanted = format!("error=\"insufficient_scope\", scope=\"agreement:{other} purpose:direct_care\"");
    assert!(said.header("www-authenticate").contains(&wanted), "{said:?}");
    assert_eq!(ledger::envelope(&gateway.home, &said)["agreement"], format!("{other}@1"));
    let by_purpose = token("purpose:direct_care");
    assert_eq!(ask(&by_purpose, "direct_care").status, 200);
    assert_eq!(ask(&by_purpose, "safeguarding_child").code(), "token_insufficient");
    // Asked for whole or not at all.
    for scope in [
        "agreement:unknown".to_owned(),
        format!("agreement:{CHILD}+agreement:unknown"),
        format!("agreement:{CHILD}+purpose:direct_care"),
        "purpose:research".to_owned(),
        "openid".to_owned(),
        "agreement:x++purpose:research".to_owned(),
    ] {
        let said = given(&scope);
        assert_eq!((said.status, &said.json()["error"]), (400, &"invalid_scope".into()), "{scope}");
    }
}

#[test]
fn the_endpoint_refuses_as_the_rfc_says() {
    let gateway = Gateway::start("token-endpoint");
    let nhs = gateway.nhs();
    let error = |said: &Said, status: u16, error: &str| {
        assert_eq!((said.status, &said.json()["error"]), (status, &error.into()), "{said:?}");
        assert_eq!(said.header("cache-control"), "no-store");
        assert!(said.json()["error_description"].as_str().unwrap().ends_with('.'));
        assert!(!said.headers.contains_key("tolbooth-receipt"));
    };
    for (form, wanted) in [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
        ("grant_type=password&username=a&password=b", "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&client_secret=x", "invalid_request"),
        ("grant_type=client_credentials&client_assertion=x", "invalid_request"),
        ("grant_type=client_credentials&client_id=somebody", "invalid_client"),
        ("grant_type=%zz", "invalid_request"),
    ] {
        error(&post(&nhs, &[], form), 400, wanted);
    }
    let own = format!("{GRANT}&client_id={}", forge::ED_TRAK.replace(':', "%3A"));
    assert_eq!(post(&nhs, &[], &own).status, 200, "its own name is what it is");
    assert_eq!(post(&nhs, &[], &format!("{GRANT}&resource_owner=x")).status, 200, "unknown ones are ignored");
    let json = nhs.send(request("POST", "/token", &[("content-type", "application/json")], "{}"));
    error(&json, 400, "invalid_request");
    let query = nhs.send(request("POST", &format!("/token?{GRANT}"), &[("content-type", FORM)], GRANT));
    error(&query, 400, "invalid_request");
    error(&post(&nhs, &[], &format!("{GRANT}&x={}", "x".repeat(20_000))), 400, "invalid_request");
    let tried = post(&nhs, &[("authorization", "Basic ZWQtdHJhazp4")], GRANT);
    error(&tried, 401, "invalid_client");
    assert_eq!(tried.header("www-authenticate"), "Basic realm=\"tolbooth\"");
    let got = get(&nhs, "/token");
    error(&got, 405, "invalid_request");
    assert_eq!(got.header("allow"), "POST");
    assert_eq!(nhs.send(request("POST", "/jwks", &[], "")).header("allow"), "GET");
    // Paths are compared byte for byte: others are the road's.
    assert_eq!(get(&nhs, "/token/").code(), "not_agreed");
    // A system without an agreement has nothing to ask for.
    error(&post(&gateway.partner(&gateway.trial.stranger), &[], GRANT), 400, "invalid_scope");
    let nameless =
        forge::client(&gateway.home, "nhs-lomond", "nameless", &KeyPair::generate().unwrap(), |leaf| {
            leaf.subject_alt_names.clear();
        });
    error(&post(&gateway.partner(&nameless), &[], GRANT), 400, "invalid_client");
    assert!(gateway.metric("tolbooth_tokens_not_issued_total{cause=\"invalid_client\"}") >= 3);
}

#[test]
fn a_member_is_given_so_many_tokens_in_a_minute() {
    let gateway = Gateway::start_changed("token-rate", |home| {
        edit(&home.join("tolbooth.toml"), |text| {
            format!("{text}\n[token]\nper_member_per_minute = 2\nminutes = 1\n")
        });
    });
    // Both within one minute of the gateway's clock, if not the first pair.
    let nhs = gateway.nhs();
    let said = until("a third is too many", || {
        let said = post(&nhs, &[], GRANT);
        (said.status != 200).then_some(said)
    });
    assert_eq!((said.status, &said.json()["error"]), (429, &"temporarily_unavailable".into()));
    let wait: u64 = said.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(post(&gateway.police(), &[], GRANT).status, 200, "another member has its own");
}

#[test]
fn keys_outlive_a_restart_and_end_when_they_are_taken_away() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut gateway = wants_tokens("token-keys");
    let file = gateway.home.join("data/keys/token.key");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // The address is part of the name, and a restart here takes another port.
    let port = gateway.running().partners.port();
    edit(&gateway.home.join("tolbooth.toml"), |text| {
        format!("{text}\n[token]\nissuer = \"https://localhost:{port}\"\n")
    });
    let before = token(&gateway.nhs());
    gateway.restart();
    let nhs = gateway.nhs();
    assert_eq!(ask(&nhs, &before).status, 200, "the key and the name are as before");
    let kid = |said: Said| said.json()["keys"][0]["kid"].as_str().unwrap().to_owned();
    let old = kid(get(&nhs, "/jwks"));
    // A key nobody trusts any more: an operator takes it away, and nothing it signed counts.
    std::fs::remove_file(&file).unwrap();
    let said = until("the key is gone", || {
        let said = ask(&nhs, &before);
        (said.status != 200).then_some(said)
    });
    assert_eq!(said.json()["detail"], "The token names no key of its issuer.");
    assert_ne!(kid(get(&nhs, "/jwks")), old);
    assert_eq!(ask(&nhs, &token(&nhs)).status, 200);
    // A key past its time signs no more, and verifies what it signed.
    let mine = token(&nhs);
    let text = std::fs::read_to_string(&file).unwrap();
    let parts: Vec<&str> = text.trim().split(' ').collect();
    let aged = parts[1].parse::<i64>().unwrap() - 31 * 24 * 60 * 60;
    support::agreements::replace(&file, format!("{} {aged} {}\n", parts[0], parts[2]).as_bytes());
    let keys = until("a new key signs", || {
        let keys = get(&nhs, "/jwks").json()["keys"].clone();
        (keys.as_array().unwrap().len() == 2).then_some(keys)
    });
    assert_eq!(opened(&token(&nhs)).0["kid"], keys[0]["kid"]);
    assert_eq!(opened(&mine).0["kid"], keys[1]["kid"]);
    assert_eq!(ask(&nhs, &mine).status, 200);
}

#[test]
fn a_revocation_ends_a_token_that_was_just_used() {
    let gateway = wants_tokens("token-revoked");
    let nhs = gateway.nhs();
    let given = token(&nhs);
    let bearer = format!("Bearer {given}");
    let headers = [NURSE[0], ("authorization", bearer.as_str())];
    let mut line = nhs.connect().unwrap();
    assert_eq!(line.ask(CHECK, &headers, &asks(CHI)).status, 200);
    forge::revoke(&gateway.home, "nhs-lomond", "ed-trak");
    let said = until("the certificate is revoked", || {
        let said = line.ask(CHECK, &headers, &asks(CHI));
        (said.status != 200).then_some(said)
    });
    assert_eq!(said.code(), "certificate_revoked");
    let again = post(&nhs, &[], GRANT);
    assert_eq!((again.status, &again.json()["error"]), (400, &"invalid_client".into()));
}

/// A gateway that hears an issuer of others, whose one key lies in a file and with the test.
fn hears_another(name: &str) -> (Gateway, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let point = key.public_key_raw();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let keys = json!({ "keys": [{ "kid": "e1", "kty": "EC", "crv": "P-256", "x": x, "y": y }] });
    let gateway = Gateway::start_changed(name, |home| {
        wants(home, "token");
        std::fs::write(home.join("keys.json"), keys.to_string()).unwrap();
        std::fs::create_dir_all(home.join("policies/issuers")).unwrap();
        std::fs::write(home.join("policies/issuers/other.toml"), OTHER_FILE).unwrap();
        edit(&home.join("members.toml"), |text| {
            forge::with_member(&text, "nhs-lomond", &format!("issuers = [\"{OTHER}\"]\n"))
        });
    });
    (gateway, key)
}

const OTHER: &str = "https://id.nhs-lomond.example";
const OTHER_FILE: &str = "format = 1\n[issuer]\nname = \"https://id.nhs-lomond.example\"\naudience = \"urn:glenmore\"\n\
                          tokens = \"jwt\"\n[keys]\nfile = \"keys.json\"\nalgorithms = [\"ES256\"]\n\
                          [clients]\ntrak = \"nhs-lomond/ed-trak\"\n";

/// What the other issuer says of NHS Lomond's system, for its certificate.
fn token_of_another(gateway: &Gateway, key: &KeyPair) -> String {
    let pem = std::fs::read_to_string(&gateway.trial.nhs.certificate).unwrap();
    let thumbprint = Digest::of(&tolbooth::tls::issue::der_of(&pem).unwrap());
    let now = gateway.clock.now().as_second();
    let claims = json!({
        "iss": OTHER, "aud": "urn:glenmore", "sub": "trak", "client_id": "trak", "jti": "1",
        "iat": now - 1, "exp": now + 600, "cnf": { "x5t#S256": URL_SAFE_NO_PAD.encode(thumbprint.0) },
    });
    jws::signed(key, &json!({ "typ": "at+jwt", "alg": "ES256", "kid": "e1" }), &claims)
}

/// An exchange runs wholly under one ruleset: its issuers too come and go with it and not after it.
#[test]
fn an_issuer_counts_as_long_as_the_ruleset_that_names_it() {
    let (gateway, key) = hears_another("token-other");
    let token = token_of_another(&gateway, &key);
    let mut line = gateway.nhs().connect().unwrap();
    let bearer = format!("Bearer {token}");
    let mut ask = || line.ask(CHECK, &[NURSE[0], ("authorization", &bearer)], &asks(CHI)).status;
    assert_eq!(ask(), 200);
    let file = gateway.home.join("policies/issuers/other.toml");
    let loaded = || gateway.metric("tolbooth_reloads_total{cause=\"loaded\"}");
    for _ in 0..3 {
        let before = loaded();
        std::fs::remove_file(&file).unwrap();
        until("it is out of force", || (loaded() > before).then_some(()));
        assert_eq!(ask(), 401, "it counted after its ruleset");
        let before = loaded();
        replace(&file, OTHER_FILE.as_bytes());
        until("it is in force", || (loaded() > before).then_some(()));
        assert_eq!(ask(), 200, "it counted later than its ruleset");
    }
}
