//! Headers that say something: of the host, the connection, the caller, the body (RFC 9110). What decides is there
//! once; what a proxy adds is neither believed nor forwarded; what would make another request of this one
//! is refused.

use crate::case::{
    ANSWERED, Case, INVALID, MALFORMED, NOT_AGREED, asked, case, drive, gateway, post, seen_since, sized,
    told,
};
use crate::support::gateway::{CHECK, CHI, asks};

const NONE: &[&str] = &[MALFORMED];

fn hosts() -> Vec<Case> {
    let line = format!("POST {CHECK} HTTP/1.1");
    let mut cases = Vec::new();
    for (name, fields) in [
        ("none", ""),
        ("two", "host: localhost\r\nhost: localhost\r\n"),
        ("two that differ", "host: localhost\r\nHost: other\r\n"),
        ("an empty one", "host:\r\n"),
        ("a user", "host: user@localhost\r\n"),
        ("a list", "host: localhost, other\r\n"),
        ("a path", "host: localhost/child-protection\r\n"),
        ("an odd port", "host: localhost:x\r\n"),
        ("a port too large", "host: localhost:99999\r\n"),
        ("no port after the colon", "host: localhost:\r\n"),
        ("two ports", "host: localhost:1:2\r\n"),
        ("a space", "host: local host\r\n"),
        ("a url", "host: https://localhost\r\n"),
        ("half an address", "host: [::1\r\n"),
        ("an address without brackets", "host: ::1\r\n"),
        ("a query", "host: localhost?a\r\n"),
        ("a fragment", "host: localhost#a\r\n"),
        ("an encoded name", "host: local%68ost\r\n"),
        ("a name that is not ASCII", "host: l\u{f6}calhost\r\n"),
        ("a backslash", "host: localhost\\other\r\n"),
        ("a quoted name", "host: \"localhost\"\r\n"),
    ] {
        cases.push(case(&format!("host: {name}"), asked(&line, fields), NONE));
    }
    for (name, fields) in [
        ("another name, which is not believed", "host: admin.internal\r\n"),
        ("an address", "host: 127.0.0.1:8443\r\n"),
        ("an address in brackets", "host: [::1]:8443\r\n"),
        ("in capitals", "HOST: LOCALHOST\r\n"),
    ] {
        cases.push(case(&format!("host: {name}"), asked(&line, fields), &[ANSWERED]));
    }
    let old = format!("POST {CHECK} HTTP/1.0");
    cases.push(case("host: none in HTTP/1.0", asked(&old, ""), &[ANSWERED]));
    cases.push(case("host: two in HTTP/1.0", asked(&old, "host: a\r\nhost: b\r\n"), NONE));
    cases
}

/// What is between one hop and the next.
fn hops() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, fields) in [
        ("that names the role", "connection: close, tolbooth-role\r\n"),
        ("that names the purpose", "connection: Tolbooth-Purpose\r\n"),
        ("that names the length", "connection: content-length\r\n"),
        ("that names the host", "connection: host\r\n"),
        ("that names a header that is not there", "connection: x-a\r\n"),
        ("with an empty option", "connection: close,,\r\n"),
        ("without an option", "connection:\r\n"),
        ("that is not ASCII", "connection: cl\u{f6}se\r\n"),
        ("in quotes", "connection: \"close\"\r\n"),
        (
            "to h2c",
            "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
        ),
        (
            "to a web socket",
            "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        ),
        ("to TLS", "connection: upgrade\r\nupgrade: TLS/1.2\r\n"),
        ("to what the connection does not say", "upgrade: h2c\r\n"),
        ("with settings alone", "http2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"),
    ] {
        cases.push(case(&format!("connection: {name}"), sized(fields), NONE));
    }
    for (name, fields) in [
        ("that goes on and closes", "connection: keep-alive\r\n"),
        ("in capitals", "Connection: CLOSE\r\n"),
        ("with te", "connection: te\r\nte: trailers\r\n"),
        ("of a proxy", "proxy-connection: keep-alive\r\nkeep-alive: timeout=5\r\n"),
        ("with odd te", "te: gzip;q=0.5, chunked\r\n"),
    ] {
        cases.push(case(&format!("connection: {name}"), sized(fields), &[ANSWERED]));
    }
    for expected in
        ["200-ok", "100-continue, x", "", "100", "continue", "100-continue;a=b", "\"100-continue\""]
    {
        cases.push(case(&format!("expect: {expected:?}"), sized(&format!("expect: {expected}\r\n")), NONE));
    }
    cases.push(case("expect twice", sized("expect: 100-continue\r\nexpect: x\r\n"), NONE));
    cases.push(case("expect: 100-continue", sized("expect: 100-continue\r\n"), &["100 + 200 answered"]));
    cases.push(case("expect: 100-Continue", sized("expect: 100-Continue\r\n"), &["100 + 200 answered"]));
    cases.push(case("a trailer announced", sized("trailer: tolbooth-role\r\n"), NONE));
    cases
}

/// Who somebody before us says that it was. A certificate says who it is.
const SAID_OF_THE_CALLER: &[(&str, &str)] = &[
    ("forwarded", "for=10.0.0.1;host=admin.internal;proto=http"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-host", "admin.internal"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-port", "9464"),
    ("x-forwarded-prefix", "/admin"),
    ("x-real-ip", "127.0.0.1"),
    ("x-client-ip", "127.0.0.1"),
    ("true-client-ip", "127.0.0.1"),
    ("via", "1.1 gateway"),
    ("x-client-cert", "MIIB"),
    ("x-client-dn", "CN=ed-trak"),
    ("ssl-client-cert", "MIIB"),
    ("ssl-client-verify", "SUCCESS"),
    ("ssl-client-s-dn", "CN=ed-trak"),
    ("x-ssl-client-verify", "SUCCESS"),
    ("x-forwarded-client-cert", "URI=spiffe://nhs-lomond.caledonia.example/ed-trak"),
    ("client-cert", ":MIIB:"),
    ("x-spiffe-id", "spiffe://nhs-lomond.caledonia.example/ed-trak"),
    ("x-remote-user", "admin"),
    ("remote-user", "admin"),
    ("x-user", "admin"),
    ("x-authenticated-user", "admin"),
    ("tolbooth-member", "glenmore"),
    ("tolbooth-consumer", "nhs-lomond"),
    ("tolbooth-system", "ed-trak"),
    ("cookie", "session=1"),
    ("range", "bytes=0-1"),
    ("if-none-match", "*"),
    ("accept-encoding", "gzip, br"),
    ("origin", "null"),
    ("max-forwards", "0"),
];

fn callers() -> Vec<Case> {
    let of = |(name, value): &(&str, &str)| {
        case(&format!("{name}: {value}"), sized(&format!("{name}: {value}\r\n")), &[ANSWERED])
    };
    SAID_OF_THE_CALLER.iter().map(of).collect()
}

/// Headers of ours, twice.
fn deciding() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, fields) in [
        ("two roles", "tolbooth-role: ed_clinician\r\n"),
        ("the role twice", "tolbooth-role: ed_nurse\r\n"),
        ("an empty second role", "tolbooth-role:\r\n"),
        ("a second role in capitals", "TOLBOOTH-ROLE: ed_nurse\r\n"),
        ("two purposes", "tolbooth-purpose: a\r\ntolbooth-purpose: b\r\n"),
        ("two agreements", "tolbooth-agreement: a\r\ntolbooth-agreement: a\r\n"),
        ("two users", "tolbooth-user: a\r\ntolbooth-user: b\r\n"),
        ("two reasons", "tolbooth-reason: a\r\ntolbooth-reason: b\r\n"),
        ("two cases", "tolbooth-case: a\r\ntolbooth-case: b\r\n"),
        ("two emergencies", "tolbooth-emergency: a\r\ntolbooth-emergency: b\r\n"),
        ("two idempotency keys", "idempotency-key: a\r\nidempotency-key: b\r\n"),
        ("two request ids", "x-request-id: a\r\nx-request-id: b\r\n"),
        ("two correlation ids", "x-correlation-id: a\r\nx-correlation-id: b\r\n"),
        ("two traces", "traceparent: a\r\ntraceparent: b\r\n"),
        ("two content types", "content-type: application/json\r\n"),
        ("two content types that differ", "content-type: text/plain\r\n"),
        ("a tab in a user", "tolbooth-user: a\tb\r\n"),
        ("a user in C1 controls", "tolbooth-user: a\u{85}b\r\n"),
    ] {
        cases.push(case(name, sized(fields), NONE));
    }
    let role = |value: &str| sized("").replace("tolbooth-role: ed_nurse", &format!("tolbooth-role: {value}"));
    for value in [
        "ed_nurse, ed_clinician",
        "ed_nurse;q=1",
        "ED_NURSE",
        "ed%5fnurse",
        "\"ed_nurse\"",
        "ed_nurse\u{200b}",
    ] {
        cases.push(case(&format!("the role {value:?}"), role(value), &["403 role_not_allowed"]));
    }
    cases.push(case("a role of 300 bytes", role(&"x".repeat(300)), NONE));
    cases
}

/// What the body is said to be, and is.
fn bodies() -> Vec<Case> {
    let body = asks(CHI);
    let typed =
        |value: &str| sized("").replace("content-type: application/json", &format!("content-type: {value}"));
    let mut cases = Vec::new();
    for coding in
        ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "identity", "", "gzip, gzip", "aes128gcm"]
    {
        cases.push(case(
            &format!("content-encoding: {coding:?}"),
            sized(&format!("content-encoding: {coding}\r\n")),
            NONE,
        ));
    }
    cases.push(case(
        "a bomb of gzip",
        [post("content-encoding: gzip\r\ncontent-length: 20\r\n", "").into_bytes(), BOMB.to_vec()].concat(),
        NONE,
    ));
    cases.push(case(
        "a bomb that is not announced",
        [post("content-length: 20\r\n", "").into_bytes(), BOMB.to_vec()].concat(),
        &[INVALID],
    ));
    cases.push(case("a part of a body", sized("content-range: bytes 0-19/40\r\n"), NONE));
    for value in [
        "text/plain",
        "text/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json, text/plain",
        "application/ld+json",
        "application/*",
        "*/*",
        "application/json/x",
        "application / json",
        "",
    ] {
        cases.push(case(&format!("content-type: {value:?}"), typed(value), &[INVALID]));
    }
    cases.push(case("content-type: in capitals", typed("Application/JSON; Charset=UTF-8"), &[ANSWERED]));
    cases.push(case(
        "no content type",
        sized("").replace("content-type: application/json\r\n", ""),
        &[INVALID],
    ));
    let odd: &[(&str, Vec<u8>)] = &[
        ("a byte order mark", format!("\u{feff}{body}").into_bytes()),
        ("UTF-16", body.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("a nul after it", format!("{body}\0").into_bytes()),
        ("two documents", format!("{body}{body}").into_bytes()),
        ("a name twice", format!("{{\"chi\":\"{CHI}\",\"chi\":\"{CHI}\"}}").into_bytes()),
        ("a name twice, once escaped", format!("{{\"chi\":\"{CHI}\",\"\\u0063hi\":\"{CHI}\"}}").into_bytes()),
        ("a name nobody knows", format!("{{\"chi\":\"{CHI}\",\"_method\":\"GET\"}}").into_bytes()),
        ("bytes that are not UTF-8", b"{\"chi\":\"\xc0\xb1403170129\"}".to_vec()),
        ("a lone surrogate", b"{\"chi\":\"\\ud800\"}".to_vec()),
        ("a comment", format!("/**/{body}").into_bytes()),
        ("single quotes", body.replace('"', "'").into_bytes()),
        ("a comma at the end", body.replace('}', ",}").into_bytes()),
        ("depth", "[".repeat(10_000).into_bytes()),
        ("a second parameter", b"{\"chi\":\"1403170129&chi=0000000000\"}".to_vec()),
        ("a line end", b"{\"chi\":\"1403170129\\r\\nx: y\"}".to_vec()),
        ("a number", b"{\"chi\":1403170129}".to_vec()),
        ("a list", b"{\"chi\":[\"1403170129\"]}".to_vec()),
        (
            "digits of another script",
            "{\"chi\":\"\u{661}\u{664}\u{660}\u{663}\u{661}\u{667}\u{660}\u{661}\u{662}\u{669}\"}"
                .as_bytes()
                .to_vec(),
        ),
    ];
    for (name, body) in odd {
        let head = post(&format!("content-length: {}\r\n", body.len()), "");
        cases.push(case(
            &format!("a body with {name}"),
            [head.into_bytes(), body.clone()].concat(),
            &[INVALID],
        ));
    }
    cases
}

/// The first bytes of what unpacks to a megabyte of zeros.
const BOMB: &[u8; 20] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7";

pub fn cases() -> Vec<Case> {
    [hosts(), hops(), callers(), deciding(), bodies()].into_iter().flatten().collect()
}

#[test]
fn a_header_that_decides_is_there_once_and_no_other_is_believed() {
    drive("fields", &cases());
}

/// The police have no agreement for this dataset, whoever a header says that they are.
#[test]
fn nobody_is_whom_a_header_names() {
    let here = gateway("named");
    for (name, value) in SAID_OF_THE_CALLER {
        let said = told(&here.police().raw(sized(&format!("{name}: {value}\r\n")).as_bytes()));
        assert_eq!(said, NOT_AGREED, "{name}: {value}");
    }
    assert_eq!(seen_since(&here, 0, "the police"), 0);
}
