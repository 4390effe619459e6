//! Odd bytes on the wire: whatever comes over an accepted connection, nothing is asked, nothing leaves,
//! and the gateway goes on.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::agreements::edit;
use support::gateway::{CHECK, CHI, Gateway, asks};

/// Heads that could be read in two ways, or not at all.
fn odd_heads() -> Vec<(&'static str, String)> {
    let body = asks(CHI);
    let length = body.len();
    let head = |line: &str, more: &str| {
        format!(
            "{line}\r\nhost: localhost\r\ncontent-type: application/json\r\ntolbooth-role: ed_nurse\r\n\
             connection: close\r\n{more}\r\n{body}"
        )
    };
    let post = format!("POST {CHECK} HTTP/1.1");
    let one = format!("content-length: {length}\r\n");
    vec![
        ("not HTTP", "hello\r\n\r\n".to_owned()),
        ("HTTP/0.9", format!("GET {CHECK}\r\n\r\n")),
        ("two lengths", head(&post, &format!("{one}content-length: {}\r\n", length + 1))),
        ("a signed length", head(&post, &format!("content-length: +{length}\r\n"))),
        ("a folded header", head(&post, &format!("{one}tolbooth-user: a\r\n b\r\n"))),
        ("a space before the colon", head(&post, &format!("{one}tolbooth-user : a\r\n"))),
        ("a bare line end in a value", head(&post, &format!("{one}tolbooth-user: a\rb\r\n"))),
        ("a nul in a value", head(&post, &format!("{one}tolbooth-user: a\0b\r\n"))),
        ("an odd coding", head(&post, "transfer-encoding: gzip, chunked, identity\r\n")),
        ("a bad chunk", head(&post, "transfer-encoding: chunked\r\n")),
        ("a hundred headers", head(&post, &format!("{one}{}", "x: y\r\n".repeat(100)))),
        ("a head without end", format!("{post}\r\nx: {}\r\n", "y".repeat(70_000))),
    ]
}

#[test]
fn an_odd_head_asks_nothing_and_gets_nothing() {
    let gateway = Gateway::start("odd-heads");
    for (what, bytes) in odd_heads() {
        let said = gateway.nhs().raw(bytes.as_bytes());
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{what}: {said}");
        assert!(!said.contains("answered"), "{what}: {said}");
    }
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    assert_eq!(gateway.check(CHI).status, 200, "the gateway goes on");
}

/// Length and chunks together are what request smuggling is made of (RFC 9112 section 6.3).
#[test]
fn what_follows_an_ambiguous_length_is_never_a_second_question() {
    let gateway = Gateway::start("smuggle");
    let body = asks(CHI);
    let inner = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         tolbooth-role: ed_nurse\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let outer = format!(
        "POST /nothing/v1/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n{inner}"
    );
    let said = String::from_utf8_lossy(&gateway.nhs().raw(outer.as_bytes())).into_owned();
    assert!(said.matches("HTTP/1.1 ").count() <= 1, "{said}");
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
}

#[test]
fn a_question_in_chunks_is_a_question() {
    let gateway = Gateway::start("chunks");
    let body = asks(CHI);
    let (first, rest) = body.split_at(7);
    let bytes = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         tolbooth-role: ed_nurse\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
         {:x}\r\n{first}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n",
        first.len(),
        rest.len()
    );
    let said = String::from_utf8_lossy(&gateway.nhs().raw(bytes.as_bytes())).into_owned();
    assert!(said.starts_with("HTTP/1.1 200 ") && said.contains("tolbooth-outcome: answered"), "{said}");
}

#[test]
fn a_body_that_does_not_come_and_a_head_that_does_not_end_are_given_up() {
    let gateway = Gateway::start_changed("slow", |home| {
        edit(&home.join("tolbooth.toml"), |text| {
            text.replace("# connections_max = 4096", "head_seconds_max = 1\nbody_seconds_max = 1\n#")
                .replace("# head_seconds_max = 10", "#")
                .replace("# body_seconds_max = 10", "#")
        });
    });
    let head = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         tolbooth-role: ed_nurse\r\nconnection: close\r\ncontent-length: 20\r\n\r\n{{"
    );
    // Both come back by themselves: neither holds a place for ever.
    let said = String::from_utf8_lossy(&gateway.nhs().raw(head.as_bytes())).into_owned();
    assert!(said.contains("malformed_http") && said.contains("tolbooth-receipt"), "{said}");
    let said = gateway.nhs().raw(b"POST / HTTP/1.1\r\nhost: loc");
    assert!(!String::from_utf8_lossy(&said).contains("200 OK"));
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
}

#[test]
fn an_absolute_target_is_no_question() {
    let gateway = Gateway::start("absolute");
    let body = asks(CHI);
    let bytes = format!(
        "POST https://localhost{CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         tolbooth-role: ed_nurse\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let said = String::from_utf8_lossy(&gateway.nhs().raw(bytes.as_bytes())).into_owned();
    assert!(said.contains("not_agreed"), "{said}");
}
