//! Where a body ends (RFC 9112 sections 6 and 7): lengths, chunks, both, and neither.

use crate::case::{ANSWERED, CLOSED, Case, INVALID, MALFORMED, asked, case, drive, post, sized};
use crate::support::gateway::{CHECK, CHI, asks};

const NONE: &[&str] = &[MALFORMED];

/// The header alone decides; the body is there whole.
fn lengths() -> Vec<Case> {
    let body = asks(CHI);
    let with = |name: &str, fields: &str, may| case(name, post(fields, &body), may);
    let mut cases = vec![
        with("one length", "Content-Length: 20\r\n", &[ANSWERED]),
        with("a length among white space", "content-length: \t20 \t\r\n", &[ANSWERED]),
        with("a length without white space", "content-length:20\r\n", &[ANSWERED]),
        with("a length of 0 before a body", "content-length: 0\r\n", &[INVALID]),
        with("no length before a body", "", &[INVALID]),
        with("a length one short", "content-length: 19\r\n", &[INVALID]),
        with("a length one long", "content-length: 21\r\n", NONE),
        with("a length of a gigabyte", "content-length: 1073741824\r\n", &["413 too_large"]),
        with("a length of 15 digits", "content-length: 999999999999999\r\n", &["413 too_large"]),
    ];
    for value in [
        "20, 20",
        "20,21",
        "20,",
        ",20",
        "+20",
        "-20",
        "-0",
        "020",
        "00",
        "0x14",
        "0X14",
        "14h",
        "2 0",
        "20 20",
        "20.0",
        "20.",
        "2e1",
        "20;",
        "20;q=1",
        "\"20\"",
        "'20'",
        "",
        "twenty",
        "\u{ff12}\u{ff10}",
        "20\u{b}",
        "20\u{c}",
        "20\0",
        "18446744073709551636",
        "9223372036854775808",
        "4294967316",
        "340282366920938463463374607431768211476",
        "1000000000000000",
        "20#",
        "20\u{a0}",
        "\u{661}",
    ] {
        let may: &[&str] = if value == "4294967316" { &["413 too_large"] } else { NONE };
        cases.push(with(&format!("the length {value:?}"), &format!("content-length: {value}\r\n"), may));
    }
    for (name, fields) in [
        ("two equal lengths", "content-length: 20\r\ncontent-length: 20\r\n"),
        ("two lengths", "content-length: 20\r\ncontent-length: 21\r\n"),
        ("two lengths, the other way", "content-length: 0\r\nContent-Length: 20\r\n"),
        ("a length and an empty one", "content-length: 20\r\ncontent-length:\r\n"),
        ("two lengths far apart", "content-length: 20\r\nx-a: b\r\nx-c: d\r\ncontent-length: 20\r\n"),
        ("a length with an underscore", "content-length: 20\r\ncontent_length: 0\r\n"),
        ("a length with a space before the colon", "content-length : 20\r\n"),
        ("a length in a folded line", "content-length:\r\n 20\r\n"),
        ("a length behind a bare line feed", "x-a: b\ncontent-length: 20\r\n"),
        ("a length behind a bare carriage return", "x-a: b\rcontent-length: 0\r\ncontent-length: 20\r\n"),
    ] {
        cases.push(with(name, fields, NONE));
    }
    cases
}

fn codings() -> Vec<Case> {
    let body = "14\r\n{\"chi\":\"1403170129\"}\r\n0\r\n\r\n";
    let with = |name: &str, fields: &str, may| case(name, post(fields, body), may);
    let mut cases = vec![
        with("chunks", "transfer-encoding: chunked\r\n", &[ANSWERED]),
        with("chunks in capitals", "TRANSFER-ENCODING: CHUNKED\r\n", &[ANSWERED]),
        with("chunks among white space", "transfer-encoding: \tchunked\t \r\n", &[ANSWERED]),
        with("length and chunks", "content-length: 20\r\ntransfer-encoding: chunked\r\n", NONE),
        with("chunks and length", "transfer-encoding: chunked\r\ncontent-length: 30\r\n", NONE),
        with("chunks and a length of 0", "transfer-encoding: chunked\r\ncontent-length: 0\r\n", NONE),
        with("chunks twice", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", NONE),
        with("chunks, then identity", "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", NONE),
        with("identity, then chunks", "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n", NONE),
        with(
            "chunks and an unknown coding",
            "transfer-encoding: chunked\r\ntransfer-encoding: cow\r\n",
            NONE,
        ),
        with("chunks with an underscore", "transfer_encoding: chunked\r\ncontent-length: 20\r\n", NONE),
        with("chunks with a space before the colon", "transfer-encoding : chunked\r\n", NONE),
        with("chunks with a space before the name", " transfer-encoding: chunked\r\n", NONE),
        with("chunks in a folded line", "transfer-encoding:\r\n chunked\r\n", NONE),
        with("chunks in a line folded by a tab", "transfer-encoding:\r\n\tchunked\r\n", NONE),
        with("chunks behind a bare line feed", "x-a: b\ntransfer-encoding: chunked\r\n", NONE),
        with("chunks behind a bare carriage return", "x-a: b\rtransfer-encoding: chunked\r\n", NONE),
        with("chunks with a nul in the name", "transfer-encoding\0: chunked\r\n", NONE),
        with("chunks behind another name", "x-a:\r\n transfer-encoding: chunked\r\n", NONE),
    ];
    for value in [
        "chunked, chunked",
        "chunked, identity",
        "identity, chunked",
        "gzip, chunked",
        "identity",
        "gzip",
        "",
        "xchunked",
        "chunkedx",
        "chunked;q=1",
        "\"chunked\"",
        "'chunked'",
        "chunked,",
        ",chunked",
        "chunk",
        "chun ked",
        "\u{b}chunked",
        "chunked\0",
        "c\u{f6}hunked",
    ] {
        cases.push(with(&format!("the coding {value:?}"), &format!("transfer-encoding: {value}\r\n"), NONE));
    }
    let old = format!("POST {CHECK} HTTP/1.0");
    cases.push(case("chunks in HTTP/1.0", asked(&old, "transfer-encoding: chunked\r\n"), NONE));
    cases.push(case("a length in HTTP/1.0", asked(&old, ""), &[ANSWERED]));
    cases
}

/// The framing of the chunks themselves.
fn chunks() -> Vec<Case> {
    let with = |name: &str, body: &str, may| case(name, post("transfer-encoding: chunked\r\n", body), may);
    let json = "{\"chi\":\"1403170129\"}";
    let mut cases = vec![
        with("a size with zeros before it", &format!("00000014\r\n{json}\r\n0\r\n\r\n"), &[ANSWERED]),
        with("a last chunk of many zeros", &format!("14\r\n{json}\r\n00000000\r\n\r\n"), &[ANSWERED]),
        with("small and capital digits", "a\r\n{\"chi\":\"14\r\nA\r\n03170129\"}\r\n0\r\n\r\n", &[ANSWERED]),
        with(
            "chunks of one byte",
            &(json.chars().map(|c| format!("1\r\n{c}\r\n")).collect::<String>() + "0\r\n\r\n"),
            &[ANSWERED],
        ),
        with("no chunk but the last", "0\r\n\r\n", &[INVALID]),
        with("no last chunk", &format!("14\r\n{json}\r\n"), NONE),
        with("no line after the last chunk", &format!("14\r\n{json}\r\n0\r\n"), NONE),
        with(
            "chunks of more than a question",
            &format!("11000\r\n{}\r\n0\r\n\r\n", "x".repeat(0x11000)),
            &["413 too_large"],
        ),
        with("a chunk of 4 GiB", "ffffffff\r\nx", NONE),
    ];
    for (name, size) in [
        ("an extension", "14;a=b"),
        ("an empty extension", "14;"),
        ("an extension in quotes", "14;a=\"\r\n0\r\n\r\n\""),
        ("an extension behind white space", "14 ;a"),
        ("a space after the size", "14 "),
        ("a tab after the size", "14\t"),
        ("a space before the size", " 14"),
        ("a size of 0x14", "0x14"),
        ("a size of +14", "+14"),
        ("a size of -14", "-14"),
        ("no size", ""),
        ("a size that is no number", "g"),
        ("a size of 16 digits", "ffffffffffffffff"),
        ("a size that wraps around", "10000000000000014"),
        ("a size of nine digits", "000000014"),
        ("a size with an underscore", "1_4"),
        ("a size with a comma", "1,4"),
        ("a size in quotes", "\"14\""),
        ("a size with a nul", "14\0"),
        ("a bare line feed after a size", "14\n"),
        ("a bare carriage return after a size", "14\r"),
        ("two carriage returns after a size", "14\r\r"),
    ] {
        let end = if size.ends_with(['\r', '\n']) && !size.ends_with("\r\r") { "" } else { "\r\n" };
        cases.push(with(&format!("in a chunk, {name}"), &format!("{size}{end}{json}\r\n0\r\n\r\n"), NONE));
    }
    for (name, tail) in [
        ("no line end after a chunk", "0\r\n\r\n"),
        ("a bare line feed after a chunk", "\n0\r\n\r\n"),
        ("a bare carriage return after a chunk", "\r0\r\n\r\n"),
        ("a byte more than a chunk", "x\r\n0\r\n\r\n"),
        ("a header after the body", "\r\n0\r\nx-a: b\r\n\r\n"),
        ("a role after the body", "\r\n0\r\ntolbooth-role: ed_clinician\r\n\r\n"),
        ("a length after the body", "\r\n0\r\ncontent-length: 0\r\n\r\n"),
        ("a host after the body", "\r\n0\r\nhost: other\r\n\r\n"),
        ("a bare line feed after the last chunk", "\r\n0\n\n"),
        ("an extension of the last chunk", "\r\n0;x\r\n\r\n"),
        ("a space in the last line", "\r\n0\r\n \r\n"),
        ("a bare line feed in the last line", "\r\n0\r\n\n"),
    ] {
        cases.push(with(name, &format!("14\r\n{json}{tail}"), NONE));
    }
    cases
}

/// A second question behind the first, for whoever finds another end.
fn smuggled() -> Vec<Case> {
    let inner = sized("").replace("connection: close\r\n", "");
    let keep = |fields: &str, body: &str| post(fields, body).replace("connection: close\r\n", "");
    let both = keep("content-length: 4\r\ntransfer-encoding: chunked\r\n", &format!("0\r\n\r\n{inner}"));
    let other = keep("transfer-encoding: chunked\r\ncontent-length: 4\r\n", &format!("0\r\n\r\n{inner}"));
    let hidden = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    let old = inner.replace("HTTP/1.1", "HTTP/1.0");
    vec![
        case("a question behind a length and chunks", both, NONE),
        case("a question behind chunks and a length", other, NONE),
        case(
            "a question in a chunk",
            keep("transfer-encoding: chunked\r\nconnection: close\r\n", &hidden),
            &[INVALID],
        ),
        case(
            "a question behind an extension",
            keep("transfer-encoding: chunked\r\n", &format!("0;\r\n\r\n{inner}")),
            NONE,
        ),
        case(
            "a question in a trailer",
            keep("transfer-encoding: chunked\r\n", &format!("0\r\nx: {inner}")),
            NONE,
        ),
        case("a question behind a length of a list", keep("content-length: 0, 20\r\n", &inner), NONE),
        case(
            "a question in a length",
            keep(&format!("connection: close\r\ncontent-length: {}\r\n", inner.len()), &inner),
            &[INVALID],
        ),
        case("a question behind one that closes", format!("{}{inner}", sized("")), &[ANSWERED]),
        case("a question behind HTTP/1.0", format!("{old}{inner}"), &[ANSWERED]),
        case("a body that never comes", keep("content-length: 20\r\n", ""), &[MALFORMED, CLOSED]),
    ]
}

pub fn cases() -> Vec<Case> {
    [lengths(), codings(), chunks(), smuggled()].into_iter().flatten().collect()
}

#[test]
fn a_body_ends_in_one_place_or_is_none() {
    drive("lengths", &cases());
}

/// Length and chunks together are what request smuggling is made of (RFC 9112 section 6.3).
#[test]
fn what_follows_an_ambiguous_length_is_never_a_second_question() {
    drive("smuggled", &smuggled());
}
