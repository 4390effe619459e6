//! A hostile system behind: whatever it answers, the partner gets the documented refusal or what was agreed, and
//! not one byte else; the record says what became of it; and the next question is answered as ever.

use std::time::Duration;

use serde_json::json;

use crate::case::goes_on;
use crate::support::agreements::edit;
use crate::support::gateway::{CHECK, CHI, NURSE, asks, records};
use crate::support::here::Here;
use crate::support::ledger;
use crate::support::site::Site;
use crate::support::system::{Heard, Reply};

/// In whatever must not reach the partner.
const MARK: &str = "HOSTILE";

const INVALID: &str = "502 source_invalid";
const UNAVAILABLE: &str = "502 source_unavailable";
const TIMEOUT: &str = "504 source_timeout";
const ANSWERED: &str = "200 answered";

struct Hostile {
    name: &'static str,
    says: Box<dyn Fn(&Heard) -> Reply + Send>,
    /// What the partner is told.
    may: &'static [&'static str],
}

fn says(
    name: &'static str,
    may: &'static [&'static str],
    says: impl Fn(&Heard) -> Reply + Send + 'static,
) -> Hostile {
    Hostile { name, says: Box::new(says), may }
}

/// The true record as the system behind writes it.
fn record() -> String {
    let heard = Heard {
        method: String::new(),
        target: format!("?chi={CHI}"),
        headers: vec![],
        body: vec![],
        head: String::new(),
    };
    match records(&heard) {
        Reply::Json(_, body) => body,
        _ => unreachable!(),
    }
}

/// A whole answer under some head, with its length.
fn whole(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\nx-internal: {MARK}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

const JSON: &str = "200 OK\r\ncontent-type: application/json";

/// A good head without its end.
fn head(more: &str) -> String {
    format!("HTTP/1.1 {JSON}\r\nx-internal: {MARK}\r\n{more}\r\n")
}

fn raw(name: &'static str, may: &'static [&'static str], bytes: impl Into<Vec<u8>>) -> Hostile {
    let bytes = bytes.into();
    says(name, may, move |_| Reply::Raw(bytes.clone()))
}

fn kept(name: &'static str, may: &'static [&'static str], bytes: impl Into<Vec<u8>>) -> Hostile {
    let bytes = bytes.into();
    says(name, may, move |_| Reply::Kept(bytes.clone()))
}

/// Where an answer ends, and whose it is.
fn framing() -> Vec<Hostile> {
    let body = record();
    let length = body.len();
    let good = whole(JSON, &body);
    let forged = whole(JSON, &body.replace("Protection", MARK).replace(CHI, "0000000000"));
    let twice = [good.clone(), forged.clone()].concat();
    let late = (good.clone(), forged.clone());
    let chunked =
        |tail: &str| format!("{}{length:x}\r\n{body}\r\n{tail}", head("transfer-encoding: chunked\r\n"));
    vec![
        kept("two answers at once", &[ANSWERED], twice),
        says("another answer a moment later", &[ANSWERED], move |_| {
            Reply::Late(late.0.clone(), Duration::from_millis(100), late.1.clone())
        }),
        kept("an answer and half of another", &[ANSWERED], [good.clone(), forged[..60].to_vec()].concat()),
        kept("a length too short", &[INVALID], format!("{}{body}", head("content-length: 10\r\n"))),
        raw(
            "a length too long, and closed",
            &[UNAVAILABLE],
            format!("{}{body}", head(&format!("content-length: {}\r\n", length + 5))),
        ),
        says("a length too long, and held", &[TIMEOUT], {
            let bytes = format!("{}{body}", head(&format!("content-length: {}\r\n", length + 5)));
            move |_| Reply::Stalled(bytes.clone().into())
        }),
        kept(
            "two equal lengths",
            &[INVALID],
            format!("{}{body}", head(&format!("content-length: {length}\r\ncontent-length: {length}\r\n"))),
        ),
        kept(
            "two lengths",
            &[INVALID],
            format!("{}{body}", head(&format!("content-length: {length}\r\ncontent-length: 2\r\n"))),
        ),
        kept(
            "a list of lengths",
            &[INVALID],
            format!("{}{body}", head(&format!("content-length: {length}, {length}\r\n"))),
        ),
        kept("a negative length", &[INVALID], format!("{}{body}", head("content-length: -1\r\n"))),
        kept(
            "a length of 18 exabytes",
            &[INVALID],
            format!("{}{body}", head("content-length: 18446744073709551615\r\n")),
        ),
        kept(
            "a length and chunks",
            &[INVALID],
            chunked("0\r\n\r\n")
                .replace("transfer-encoding", &format!("content-length: {length}\r\ntransfer-encoding")),
        ),
        kept(
            "chunks of an unknown coding",
            &[INVALID],
            chunked("0\r\n\r\n").replace(": chunked", ": gzip, chunked"),
        ),
        raw("no length and no chunks", &[ANSWERED], format!("{}{body}", head(""))),
        kept(
            "chunks of a size that is none",
            &[UNAVAILABLE],
            format!("{}{MARK}\r\n{body}", head("transfer-encoding: chunked\r\n")),
        ),
        kept("chunks without an end", &[TIMEOUT], chunked("")),
        kept("trailers", &[ANSWERED], chunked(&format!("0\r\nx-internal: {MARK}\r\n\r\n"))),
        raw("closed within the body", &[UNAVAILABLE], good[..good.len() - 10].to_vec()),
        raw("closed within the head", &[UNAVAILABLE], good[..40].to_vec()),
        raw("closed without a byte", &[UNAVAILABLE], ""),
    ]
}

/// Heads that are too much, or none.
fn heads() -> Vec<Hostile> {
    let good = whole(JSON, &record());
    let text = String::from_utf8(good.clone()).unwrap();
    let interim = format!("HTTP/1.1 103 Early Hints\r\nlink: <{MARK}>\r\n\r\n");
    vec![
        kept(
            "a thousand interim answers, then a good one",
            &[ANSWERED],
            [interim.repeat(1000).into_bytes(), good.clone()].concat(),
        ),
        says("interim answers without end", &[TIMEOUT, INVALID], {
            let interim = interim.clone();
            move |_| Reply::Endless(vec![], interim.clone().into(), Duration::ZERO)
        }),
        kept(
            "a change of protocol",
            &[INVALID],
            format!(
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: {MARK}\r\nconnection: upgrade\r\n\r\n{MARK}"
            ),
        ),
        kept(
            "a header of a megabyte",
            &[INVALID, UNAVAILABLE],
            text.replacen(MARK, &MARK.repeat(150_000), 1),
        ),
        kept(
            "a thousand headers",
            &[INVALID],
            text.replacen("x-internal", &format!("{}x-internal", format!("x-a: {MARK}\r\n").repeat(1000)), 1),
        ),
        says("headers without end", &[INVALID, UNAVAILABLE, TIMEOUT], |_| {
            Reply::Endless(
                format!("HTTP/1.1 {JSON}\r\n").into(),
                format!("x-a: {MARK}\r\n").into(),
                Duration::ZERO,
            )
        }),
        says("a head that stalls", &[TIMEOUT], |_| {
            Reply::Stalled(format!("HTTP/1.1 {JSON}\r\nx-internal: {MARK}\r\n").into())
        }),
        says("a head that trickles", &[TIMEOUT], |_| {
            Reply::Endless(
                b"HTTP/1.1 200 OK\r\nx-internal: ".to_vec(),
                b"a".to_vec(),
                Duration::from_millis(20),
            )
        }),
        kept("line feeds alone as ends of lines", &[ANSWERED], text.replace("\r\n", "\n")),
        raw("no head", &[INVALID], record()),
        raw("HTTP/0.9", &[INVALID], format!("<html>{MARK}</html>")),
        kept("a status line that is none", &[INVALID], text.replacen("HTTP/1.1 200", "HTTP/1.1 abc", 1)),
        kept("a status of four digits", &[INVALID], text.replacen("200", "2000", 1)),
        kept("a status of 999", &[INVALID], text.replacen("200 OK", "999 Odd", 1)),
        kept("another version", &[INVALID], text.replacen("HTTP/1.1", "HTTP/9.9", 1)),
        kept("a folded header", &[INVALID], text.replacen(MARK, &format!("a\r\n {MARK}"), 1)),
        kept("a nul in a header", &[INVALID], text.replacen(MARK, &format!("a\0{MARK}"), 1)),
        kept("a carriage return in a header", &[INVALID], text.replacen(MARK, &format!("a\r{MARK}"), 1)),
        raw("bare line feeds", &[ANSWERED, INVALID], text.replace("\r\n", "\n")),
        raw("an alert of TLS", &[INVALID, UNAVAILABLE], b"\x15\x03\x03\x00\x02\x02\x28".to_vec()),
        raw("another protocol", &[INVALID], "SSH-2.0-HOSTILE\r\n\r\n"),
        kept(
            "a redirect",
            &[INVALID],
            whole(&format!("302 Found\r\nlocation: http://127.0.0.1:1/{MARK}"), MARK),
        ),
        kept(
            "a redirect that keeps the method",
            &[INVALID],
            whole(&format!("307 Temporary Redirect\r\nlocation: //{MARK}/"), ""),
        ),
        kept(
            "a redirect in another header",
            &[ANSWERED],
            whole(&format!("{JSON}\r\nlocation: /{MARK}\r\nrefresh: 0; url={MARK}"), &record()),
        ),
        kept(
            "204 with a body",
            &[INVALID],
            whole("204 No Content\r\ncontent-type: application/json", &record()),
        ),
        kept("304", &[INVALID], whole("304 Not Modified\r\ncontent-type: application/json", "")),
        kept(
            "206 with a part",
            &[INVALID],
            whole(
                "206 Partial Content\r\ncontent-range: bytes 0-9/10\r\ncontent-type: application/json",
                &record(),
            ),
        ),
        kept(
            "401 with a challenge",
            &[INVALID],
            whole(&format!("401 Unauthorized\r\nwww-authenticate: Basic realm={MARK}"), MARK),
        ),
        kept(
            "a challenge of a proxy",
            &[INVALID],
            whole(&format!("407 Proxy Authentication Required\r\nproxy-authenticate: {MARK}"), MARK),
        ),
        kept(
            "not here",
            &[INVALID],
            whole(
                "404 Not Found\r\ncontent-type: application/json",
                &format!("{{\"clients\":[],\"why\":\"{MARK}\"}}"),
            ),
        ),
    ]
}

/// Bodies that are not the answer.
fn bodies() -> Vec<Hostile> {
    let body = record();
    let trace = format!("<html><pre>{MARK} at org.example.Records.find(Records.java:12)</pre></html>");
    let json = |name, may, body: String| kept(name, may, whole(JSON, &body));
    let typed = |name, value: &str, body: &str| {
        kept(name, &[INVALID], whole(&format!("200 OK\r\ncontent-type: {value}"), body))
    };
    let spaces = head("transfer-encoding: chunked\r\n");
    vec![
        kept(
            "a stack trace with 500",
            &[UNAVAILABLE],
            whole("500 Internal Server Error\r\ncontent-type: text/html", &trace),
        ),
        kept("a stack trace with 200", &[INVALID], whole("200 OK\r\ncontent-type: text/html", &trace)),
        kept(
            "an error of a proxy with 503",
            &[UNAVAILABLE],
            whole(&format!("503 {MARK}\r\nretry-after: 9\r\nserver: {MARK}"), &trace),
        ),
        json(
            "a stack trace as a field",
            &[ANSWERED],
            body.replacen("{\"clients\"", &format!("{{\"error\":{:?},\"clients\"", trace), 1),
        ),
        json(
            "more fields than agreed",
            &[ANSWERED],
            body.replace("\"chi\"", &format!("\"{MARK}\":\"{MARK}\",\"chi\"")),
        ),
        kept(
            "cookies and names of servers",
            &[ANSWERED],
            whole(
                &format!(
                    "{JSON}\r\nset-cookie: id={MARK}\r\nserver: {MARK}\r\nx-powered-by: {MARK}\r\ntolbooth-outcome: {MARK}\r\ntolbooth-receipt: {MARK}\r\netag: \"{MARK}\""
                ),
                &body,
            ),
        ),
        says("a body without end", &[INVALID, TIMEOUT], move |_| {
            Reply::Endless(
                spaces.clone().into(),
                [b"1000\r\n".to_vec(), vec![b' '; 4096], b"\r\n".to_vec()].concat(),
                Duration::ZERO,
            )
        }),
        says("a body that stalls", &[TIMEOUT], |_| {
            Reply::Stalled(format!("{}{{\"clients\":[", head("content-length: 1000\r\n")).into())
        }),
        says("a body that trickles", &[TIMEOUT], |_| {
            Reply::Endless(
                format!("{}[", head("content-length: 1000000\r\n")).into(),
                b" ".to_vec(),
                Duration::from_millis(20),
            )
        }),
        kept(
            "a body of gzip",
            &[INVALID],
            [whole(&format!("{JSON}\r\ncontent-encoding: gzip"), "\u{1f}").as_slice(), b""].concat(),
        ),
        kept(
            "a coding twice",
            &[INVALID],
            whole(&format!("{JSON}\r\ncontent-encoding: identity\r\ncontent-encoding: br"), &body),
        ),
        kept("no type", &[INVALID], whole("200 OK", &body)),
        kept("two types", &[INVALID], whole(&format!("{JSON}\r\ncontent-type: text/html"), &body)),
        typed("another type", "text/plain", &body),
        typed("another character set", "application/json; charset=utf-16", &body),
        json("a byte order mark", &[INVALID], format!("\u{feff}{body}")),
        json("a nul", &[INVALID], format!("{body}\0{MARK}")),
        kept("bytes that are not UTF-8", &[INVALID], {
            let mut bytes = whole(JSON, &body.replacen("\"chi\"", "\"@@@\"", 1));
            bytes.iter_mut().filter(|byte| **byte == b'@').for_each(|byte| *byte = 0xff);
            bytes
        }),
        json("a lone surrogate", &[INVALID], body.replacen("\"chi\"", "\"\\ud800\"", 1)),
        json("depth", &[INVALID], "[".repeat(100_000)),
        json("a name twice", &[INVALID], body.replacen("{\"clients\"", "{\"clients\":[],\"clients\"", 1)),
        json(
            "a name twice, deep within",
            &[INVALID],
            body.replacen("\"chi\"", &format!("\"chi\":\"{MARK}\",\"chi\""), 1),
        ),
        json("two documents", &[INVALID], format!("{body}{body}")),
        json(
            "a number without end",
            &[INVALID],
            format!("{{\"clients\":[{{\"cp\":{{\"enquiries_90d\":1e{}}}}}]}}", "9".repeat(1000)),
        ),
        json("a list of another kind", &[INVALID], "{\"clients\":{\"0\":1}}".to_owned()),
        json("nothing", &[INVALID], String::new()),
        json("a text", &[INVALID], format!("\"{MARK}\"")),
        json("an error that is no answer", &[INVALID], format!("{{\"error\":\"{MARK}\"}}")),
    ]
}

fn all() -> Vec<Hostile> {
    [framing(), heads(), bodies()].into_iter().flatten().collect()
}

#[test]
fn a_hostile_answer_never_reaches_the_partner_nor_the_next_question() {
    let site = Site::new("behind");
    edit(&site.home.join("policies/datasets/child-protection.toml"), |text| {
        text.replace("timeout_ms = 3000", "timeout_ms = 1500")
    });
    let here = Here::start(site);
    let good = here.nhs().ask(CHECK, &NURSE, &asks(CHI)).body;
    let cases = all();
    assert!(cases.len() >= 70, "{}", cases.len());
    let mut wrong = Vec::new();
    for hostile in cases {
        let Hostile { name, says, may } = hostile;
        here.site.system.now_says(says);
        let said = here.nhs().ask(CHECK, &NURSE, &asks(CHI));
        let told = match said.status {
            200 => format!("200 {}", said.outcome()),
            status => format!("{status} {}", said.code()),
        };
        let shown = format!("{}{}", said.head(), String::from_utf8_lossy(&said.body)).to_uppercase();
        if !may.contains(&told.as_str()) || shown.contains(MARK) {
            wrong.push(format!("{name}: {told}, wanted {may:?}: {shown}"));
            continue;
        }
        if told == ANSWERED && said.body != good {
            wrong.push(format!("{name}: another answer: {shown}"));
        }
        // The record says what the caller was told.
        let record = ledger::exchange(&here.running().admin_socket, said.exchange());
        let envelope = &record["envelope"];
        assert_eq!(envelope["status"], said.status, "{name}");
        assert_eq!(envelope["outcome"], said.outcome(), "{name}");
        assert_eq!(envelope["rows"], i32::from(told == ANSWERED), "{name}");
        assert!(
            !record.to_string().to_uppercase().contains(MARK) || name.contains("field"),
            "{name}: {record}"
        );
        here.site.system.now_says(records);
        let next = here.nhs().ask(CHECK, &NURSE, &asks(CHI));
        if (next.status, &next.body) != (200, &good) {
            wrong.push(format!("{name}: the next question: {next:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    let refused = ledger::search(&here.running().admin_socket, json!({ "outcome": "refused" }));
    assert!(refused.len() > 50, "{}", refused.len());
    goes_on(&here.nhs(), here.running());
}

/// A second answer behind the first waits for whoever asks next: nobody may get it, on any thread.
#[test]
fn an_answer_nobody_asked_for_is_given_to_nobody() {
    let here = Here::start(Site::new("poison"));
    let good = here.nhs().ask(CHECK, &NURSE, &asks(CHI)).body;
    let body = record();
    let forged = whole(JSON, &body.replacen(CHI, "0000000000", 1));
    for pause in [0, 5, 50] {
        let (first, forged) = (whole(JSON, &body), forged.clone());
        here.site.system.now_says(move |_| match pause {
            0 => Reply::Kept([first.clone(), forged.clone()].concat()),
            pause => Reply::Late(first.clone(), Duration::from_millis(pause), forged.clone()),
        });
        here.nhs().ask(CHECK, &NURSE, &asks(CHI));
        here.site.system.now_says(records);
        std::thread::sleep(Duration::from_millis(100));
        for _ in 0..8 {
            let said = here.nhs().ask(CHECK, &NURSE, &asks(CHI));
            assert_eq!((said.status, &said.body), (200, &good), "after {pause} ms");
        }
    }
}
