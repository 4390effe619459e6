//! What is asked for: targets in every form and encoding, methods, and headers that name another of either.
//! A target is compared byte for byte: each other spelling of the right one is another one.

use crate::case::{ANSWERED, Case, MALFORMED, NOT_AGREED, asked, case, drive};
use crate::support::gateway::CHECK;

const NONE: &[&str] = &[MALFORMED];
const UNKNOWN: &[&str] = &[NOT_AGREED];

fn targets() -> Vec<Case> {
    let mut cases = Vec::new();
    let with = |name: String, target: &str, may| {
        case(&name, asked(&format!("POST {target} HTTP/1.1"), "host: localhost\r\n"), may)
    };
    for target in [
        "https://localhost/child-protection/v1/check",
        "http://localhost/child-protection/v1/check",
        "HTTPS://localhost/child-protection/v1/check",
        "https://user@localhost/child-protection/v1/check",
        "file:///child-protection/v1/check",
        "localhost:443",
        "localhost",
        "*",
        "child-protection/v1/check",
        "./child-protection/v1/check",
        "?",
        "#",
        "/child-protection/v1/check#",
        "/child-protection/v1/check#a",
        "/child-protection/v1/check?#",
        "/child-protection/v1#/check",
        "/child-protection\\v1\\check",
        "\\child-protection\\v1\\check",
        "/child-protection/v1\\..\\v1/check",
        "/child-protection/v1/check\\",
        "/child-protection/v1/che\u{441}k",
        "/child-protection/v1/check\u{e4}",
        "/child-protection\u{2215}v1\u{2215}check",
        "/child-protection/v1/check\0",
        "/child-protection/v1/check\t",
        "/child-protection/v1/check\u{7f}",
        "/child-protection/v1/\"check\"",
        "/child-protection/v1/<check>",
        "/child-protection/v1/{check}",
        "/child-protection/v1/check|",
        "/child-protection/v1/check^",
        "/child-protection/v1/check`",
        "/child-protection/v1/[check]",
        "/child-protection/v1/che ck",
        "://localhost/child-protection/v1/check",
        "data:,",
        "%2fchild-protection/v1/check",
    ] {
        cases.push(with(format!("target {target:?}"), target, NONE));
    }
    for target in [
        "/",
        "//",
        "//child-protection/v1/check",
        "/child-protection//v1/check",
        "/child-protection/v1//check",
        "/child-protection/v1/check/",
        "/child-protection/v1/check//",
        "//localhost/child-protection/v1/check",
        "/./child-protection/v1/check",
        "/child-protection/./v1/check",
        "/child-protection/v1/./check",
        "/child-protection/v1/check/.",
        "/x/../child-protection/v1/check",
        "/child-protection/v1/x/../check",
        "/child-protection/v1/check/..",
        "/../child-protection/v1/check",
        "/..;/child-protection/v1/check",
        "/%2e/child-protection/v1/check",
        "/%2E%2E/child-protection/v1/check",
        "/child-protection/v1/%2e%2e/v1/check",
        "/.%2e/child-protection/v1/check",
        "/child-protection%2fv1%2fcheck",
        "/child-protection%2Fv1/check",
        "/child-protection/v1%2fcheck",
        "/child-protection%5cv1%5ccheck",
        "/child-protection/v1/check%00",
        "/child-protection/v1/check%00.json",
        "/%00/child-protection/v1/check",
        "/child-protection/v1/check%0d%0a",
        "/child-protection/v1/check%0a",
        "/child-protection/v1/check%20",
        "/child-protection/v1/check%09",
        "/child-protection/v1/check%23",
        "/child-protection/v1/check%3f",
        "/%252e%252e/child-protection/v1/check",
        "/child-protection%252fv1%252fcheck",
        "/child-protection/v1/check%2500",
        "/%c0%ae/child-protection/v1/check",
        "/%c0%ae%c0%ae/child-protection/v1/check",
        "/child-protection%c0%afv1%c0%afcheck",
        "/%e0%80%ae/child-protection/v1/check",
        "/child-protection%e0%80%afv1/check",
        "/%u002e/child-protection/v1/check",
        "/child-protection%u2215v1/check",
        "/child-protection/v1/check%",
        "/child-protection/v1/check%2",
        "/child-protection/v1/check%zz",
        "/child-protection/v1/%63heck",
        "/%63hild-protection/v1/check",
        "/child-protection/%761/check",
        "/child%2dprotection/v1/check",
        "/child-protection/v1/check;",
        "/child-protection/v1/check;a=b",
        "/child-protection;a=b/v1/check",
        "/child-protection/v1;/check",
        "/;/child-protection/v1/check",
        "/child-protection/v1/check,",
        "/child-protection/v1/check.json",
        "/child-protection/v1/check~",
        "/child-protection/v1/check+",
        "/child-protection/v1/check:443",
        "/child-protection/v1/check?",
        "/child-protection/v1/check?chi=1",
        "/child-protection/v1/check??",
        "/child-protection/v1/check?a=%00",
        "/child-protection?/v1/check",
        "/Child-Protection/v1/check",
        "/child-protection/V1/check",
        "/child-protection/v1/CHECK",
        "/child-protection/v01/check",
        "/child-protection/v1.0/check",
        "/child-protection/v+1/check",
        "/child-protection/v-1/check",
        "/child-protection/v/check",
        "/child-protection/v18446744073709551617/check",
        "/child-protection/v2/check",
        "/child_protection/v1/check",
        "/http://localhost/child-protection/v1/check",
        "/localhost/child-protection/v1/check",
        "/@localhost/child-protection/v1/check",
        "/:443/child-protection/v1/check",
        "/child-protection/v1/*",
        "/*/v1/check",
        "/child-protection/v1/check/check",
    ] {
        cases.push(with(format!("target {target:?}"), target, UNKNOWN));
    }
    cases.push(with("the right target".to_owned(), CHECK, &[ANSWERED]));
    cases.push(with("a target of 16 KiB".to_owned(), &format!("{CHECK}/{}", "a".repeat(16 * 1024)), UNKNOWN));
    cases.push(with(
        "a target of 8,000 segments".to_owned(),
        &format!("{CHECK}{}", "/.".repeat(8000)),
        UNKNOWN,
    ));
    cases
}

fn methods() -> Vec<Case> {
    let mut cases = Vec::new();
    let with = |method: &str, target: &str, may| {
        let line = format!("{method} {target} HTTP/1.1");
        case(&format!("{method:?} {target}"), asked(&line, "host: localhost\r\n"), may)
    };
    for method in [
        "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "post", "Post", "POSTPOST", "POS",
        "PROPFIND", "QUERY", "SEARCH", "PURGE",
    ] {
        cases.push(with(method, CHECK, UNKNOWN));
    }
    cases.push(with("HEAD", CHECK, &["403 refused"]));
    cases.push(with(&"X".repeat(4000), CHECK, UNKNOWN));
    for method in [
        "P0ST",
        "PO-ST",
        "POST:",
        "\"POST\"",
        "P\u{d6}ST",
        "",
        "POST\u{7f}",
        "M-SEARCH",
        "%50OST",
        "POST,GET",
    ] {
        cases.push(with(method, CHECK, NONE));
    }
    cases.push(with("CONNECT", "localhost:443", NONE));
    cases.push(with("OPTIONS", "*", NONE));
    cases
}

/// Headers that some server takes for another method or another path.
fn overrides() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, value) in [
        ("X-HTTP-Method-Override", "GET"),
        ("X-HTTP-Method-Override", "POST"),
        ("x-http-method", "DELETE"),
        ("X-Method-Override", "PUT"),
        ("X-Original-URL", "/taxi-licence/v1/check"),
        ("X-Rewrite-URL", "/taxi-licence/v1/check"),
    ] {
        let fields = format!("host: localhost\r\n{name}: {value}\r\n");
        cases.push(case(
            &format!("{name}: {value}"),
            asked(&format!("POST {CHECK} HTTP/1.1"), &fields),
            NONE,
        ));
    }
    let line = format!("GET {CHECK} HTTP/1.1");
    let fields = "host: localhost\r\nx-http-method-override: POST\r\n";
    cases.push(case("GET that says it is POST", asked(&line, fields), NONE));
    let line = format!("POST {CHECK}?_method=GET HTTP/1.1");
    cases.push(case("a method in the query", asked(&line, "host: localhost\r\n"), UNKNOWN));
    cases
}

pub fn cases() -> Vec<Case> {
    [targets(), methods(), overrides()].into_iter().flatten().collect()
}

#[test]
fn another_spelling_is_another_target_and_another_method_is_no_question() {
    drive("targets", &cases());
}
