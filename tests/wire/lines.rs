//! Lines, names and values (RFC 9112 sections 2, 3 and 5).

use crate::case::{ANSWERED, CLOSED, Case, MALFORMED, asked, case, drive, sized};
use crate::support::gateway::CHECK;

const NONE: &[&str] = &[MALFORMED];

fn request_lines() -> Vec<Case> {
    let with = |name: &str, line: &str| case(name, asked(line, "host: localhost\r\n"), NONE);
    let mut cases = Vec::new();
    for (name, line) in [
        ("two spaces after the method", format!("POST  {CHECK} HTTP/1.1")),
        ("two spaces before the version", format!("POST {CHECK}  HTTP/1.1")),
        ("a space before the method", format!(" POST {CHECK} HTTP/1.1")),
        ("a space after the version", format!("POST {CHECK} HTTP/1.1 ")),
        ("a tab after the method", format!("POST\t{CHECK} HTTP/1.1")),
        ("a tab before the version", format!("POST {CHECK}\tHTTP/1.1")),
        ("a vertical tab after the method", format!("POST\u{b}{CHECK} HTTP/1.1")),
        ("a carriage return after the method", format!("POST\r{CHECK} HTTP/1.1")),
        ("a nul after the method", format!("POST\0 {CHECK} HTTP/1.1")),
        ("two versions", format!("POST {CHECK} HTTP/1.1 HTTP/1.1")),
        ("no version", format!("POST {CHECK}")),
        ("no target", "POST HTTP/1.1".to_owned()),
        ("no method", format!("{CHECK} HTTP/1.1")),
        ("only a method", "POST".to_owned()),
        ("an empty line first", format!("\r\nPOST {CHECK} HTTP/1.1")),
        ("a bare line feed first", format!("\nPOST {CHECK} HTTP/1.1")),
        ("a bare line feed after it", format!("POST {CHECK} HTTP/1.1\nx-a: b")),
        ("two carriage returns after it", format!("POST {CHECK} HTTP/1.1\r")),
        ("an answer", "HTTP/1.1 200 OK".to_owned()),
        ("a byte order mark first", format!("\u{feff}POST {CHECK} HTTP/1.1")),
    ] {
        cases.push(with(&format!("request line: {name}"), &line));
    }
    for version in [
        "HTTP/0.9",
        "HTTP/1.2",
        "HTTP/1.9",
        "HTTP/2.0",
        "HTTP/2",
        "HTTP/3",
        "HTTP/1.10",
        "HTTP/1.1.1",
        "HTTP/01.1",
        "HTTP/1.01",
        "HTTP/11",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/.1",
        "http/1.1",
        "Http/1.1",
        "HTTPS/1.1",
        "HTTP1.1",
        "HTTP /1.1",
        "HTTP/ 1.1",
        "HTTP/-1.1",
        "ICY/1.1",
        "SIP/2.0",
    ] {
        cases.push(with(&format!("version {version}"), &format!("POST {CHECK} {version}")));
    }
    cases.push(case("HTTP/0.9", format!("GET {CHECK}\r\n"), &[CLOSED, MALFORMED]));
    cases.push(case("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NONE));
    cases.push(case(
        "a TLS handshake within TLS",
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\n".to_vec(),
        NONE,
    ));
    cases.push(case("not HTTP", "hello\r\n\r\n", NONE));
    cases.push(case("nothing but line ends", "\r\n\r\n\r\n\r\n", NONE));
    cases.push(case(
        "a head that does not end",
        format!("POST {CHECK} HTTP/1.1\r\nhost: localhost\r\n"),
        &[CLOSED],
    ));
    cases
}

fn fields() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, field) in [
        ("a bare line feed for its end", "x-a: b\n".to_owned()),
        ("a bare carriage return for its end", "x-a: b\rx-c: d\r\n".to_owned()),
        ("a bare line feed that hides a role", "x-a: b\ntolbooth-agreement: c\r\n".to_owned()),
        ("two carriage returns for its end", "x-a: b\r\r\n".to_owned()),
        ("a line feed and a carriage return", "x-a: b\n\r\n".to_owned()),
        ("a carriage return in the name", "x-\ra: b\r\n".to_owned()),
        ("a line feed in the name", "x-\na: b\r\n".to_owned()),
        ("a nul in the name", "x-\0a: b\r\n".to_owned()),
        ("a nul in the value", "x-a: b\0c\r\n".to_owned()),
        ("a nul in a value of ours", "tolbooth-user: b\0c\r\n".to_owned()),
        ("a vertical tab in the value", "x-a: b\u{b}c\r\n".to_owned()),
        ("a form feed in the value", "x-a: b\u{c}c\r\n".to_owned()),
        ("an escape in the value", "x-a: b\u{1b}c\r\n".to_owned()),
        ("a delete in the value", "x-a: b\u{7f}c\r\n".to_owned()),
        ("a backspace in the value", "x-a: b\u{8}c\r\n".to_owned()),
        ("a line folded by a space", "x-a: b\r\n c\r\n".to_owned()),
        ("a line folded by a tab", "x-a: b\r\n\tc\r\n".to_owned()),
        ("a line of ours that is folded", "tolbooth-user: b\r\n c\r\n".to_owned()),
        ("a folded line without text", "x-a: b\r\n \r\n".to_owned()),
        ("a folded line that looks like a header", "x-a: b\r\n tolbooth-agreement: c\r\n".to_owned()),
        ("a space before the colon", "x-a : b\r\n".to_owned()),
        ("a tab before the colon", "x-a\t: b\r\n".to_owned()),
        ("a space in the name", "x a: b\r\n".to_owned()),
        ("no name", ": b\r\n".to_owned()),
        ("no name and no value", ":\r\n".to_owned()),
        ("no colon", "x-a\r\n".to_owned()),
        ("a name in brackets", "(x-a): b\r\n".to_owned()),
        ("a name in quotes", "\"x-a\": b\r\n".to_owned()),
        ("a name with a slash", "x/a: b\r\n".to_owned()),
        ("a name with a dot", "tolbooth.role: b\r\n".to_owned()),
        ("a name with an underscore", "tolbooth_role: b\r\n".to_owned()),
        ("a name with an exclamation mark", "x!a: b\r\n".to_owned()),
        ("a name with a percent sign", "tolbooth%2drole: b\r\n".to_owned()),
        ("a name that is not ASCII", "x-\u{e4}: b\r\n".to_owned()),
        ("a name with a hyphen that is none", "tolbooth\u{2010}role: b\r\n".to_owned()),
        ("65 of them", "x: y\r\n".repeat(61)),
        ("a value of 33 KiB", format!("x-a: {}\r\n", "b".repeat(33 * 1024))),
        ("a name of 33 KiB", format!("{}: b\r\n", "x".repeat(33 * 1024))),
    ] {
        // A head that is cut off unread may reset the connection before the refusal is read.
        let may: &[&str] = if name.ends_with("KiB") { &[MALFORMED, CLOSED] } else { NONE };
        cases.push(case(
            &format!("header: {name}"),
            sized(&format!("host: localhost\r\n{field}")).replacen("host: localhost\r\n", "", 1),
            may,
        ));
    }
    for (name, field) in [
        ("no value", "x-a:\r\n".to_owned()),
        ("white space around the value", "x-a: \t b \t \r\n".to_owned()),
        ("a value in UTF-8", "x-a: \u{e4}\r\n".to_owned()),
        ("a name in capitals", "X-A: b\r\n".to_owned()),
        ("64 of them", "x: y\r\n".repeat(59)),
        ("a value of 8 KiB", format!("x-a: {}\r\n", "b".repeat(8 * 1024))),
    ] {
        cases.push(case(&format!("header: {name}"), sized(&field), &[ANSWERED]));
    }
    let mut latin = sized("tolbooth-user: M@iri\r\n").into_bytes();
    latin.iter_mut().filter(|byte| **byte == b'@').for_each(|byte| *byte = 0xe0);
    cases.push(case("header: a value of ours in Latin-1", latin, NONE));
    let lone = sized("").replace("\r\n", "\n");
    cases.push(case("bare line feeds throughout", lone, NONE));
    let lone = sized("").replace("\r\n", "\r");
    cases.push(case("bare carriage returns throughout", lone, &[CLOSED]));
    cases.push(case(
        "a bare line feed at the end of the head",
        sized("x-a: b\r\n").replace("b\r\n\r\n", "b\r\n\n"),
        NONE,
    ));
    cases
}

pub fn cases() -> Vec<Case> {
    request_lines().into_iter().chain(fields()).collect()
}

#[test]
fn a_line_ends_in_one_place_and_says_one_thing() {
    drive("lines", &cases());
}
