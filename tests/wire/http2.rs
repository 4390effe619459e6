//! HTTP/2 (RFC 9113), frame by frame: what the protocol forbids ends the stream or the connection; what it allows and
//! could be read in two ways is refused; floods end.

use std::time::Duration;

use crate::case::{ANSWERED, INVALID, MALFORMED, NOT_AGREED, gateway, goes_on, seen_since};
use crate::support::frames::{self, *};
use crate::support::gateway::{CHECK, CHI, asks};
use crate::support::until;

const RESET: &[&str] = &["reset", "goaway", "closed"];
const NONE: &[&str] = &[MALFORMED];
const QUIET: Duration = Duration::from_secs(20);

pub struct Frames {
    pub name: String,
    pub bytes: Vec<u8>,
    /// What may become of the first stream.
    may: &'static [&'static str],
    heard: usize,
}

fn case(name: &str, frames: &[Vec<u8>], may: &'static [&'static str]) -> Frames {
    let bytes = [opening(&[]), frames.concat()].concat();
    Frames { name: format!("HTTP/2: {name}"), bytes, may, heard: usize::from(may == [ANSWERED]) }
}

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// The head of the question.
fn usual() -> Fields<'static> {
    vec![
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", CHECK),
        ("content-type", "application/json"),
        ("tolbooth-role", "ed_nurse"),
    ]
}

/// The head of the question with one field in place of another.
fn instead<'a>(name: &'a str, value: &'a str) -> Fields<'a> {
    usual().into_iter().map(|field| if field.0 == name { (name, value) } else { field }).collect()
}

fn with<'a>(name: &'a str, value: &'a str) -> Fields<'a> {
    let mut fields: Fields<'a> = usual();
    fields.push((name, value));
    fields
}

fn without(name: &str) -> Fields<'static> {
    usual().into_iter().filter(|field| field.0 != name).collect()
}

fn head(fields: &Fields<'_>) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, 1, &block(fields))
}

fn body() -> Vec<u8> {
    frame(DATA, END_STREAM, 1, asks(CHI).as_bytes())
}

fn heads() -> Vec<Frames> {
    let of = |name: &str, fields: Fields<'_>, may| case(name, &[head(&fields), body()], may);
    let mut cases = vec![
        of("the question", usual(), &[ANSWERED]),
        of("te: trailers", with("te", "trailers"), &[ANSWERED]),
        of("the right length", with("content-length", "20"), &[ANSWERED]),
        of("a host that is the authority", with("host", "localhost"), &[ANSWERED]),
        of("a header that is not believed", with("x-forwarded-for", "127.0.0.1"), &[ANSWERED]),
        of("a host that is not the authority", with("host", "other"), NONE),
        of("no method", without(":method"), RESET),
        of("no scheme", without(":scheme"), RESET),
        of("no path", without(":path"), RESET),
        of("no authority and no host", without(":authority"), NONE),
        of("an authority with a user", instead(":authority", "user@localhost"), NONE),
        of("an empty authority", instead(":authority", ""), RESET),
        of("an authority with a path", instead(":authority", "localhost/a"), RESET),
        of("an authority that is a list", instead(":authority", "localhost, other"), RESET),
        of("two methods", with(":method", "GET"), RESET),
        of("two paths", with(":path", "/"), RESET),
        of("two schemes", with(":scheme", "http"), RESET),
        of("two authorities", with(":authority", "other"), RESET),
        of("an unknown pseudo-header", with(":unknown", "a"), RESET),
        of("a status in a question", with(":status", "200"), RESET),
        of("a protocol in a question", with(":protocol", "websocket"), RESET),
        of(
            "a pseudo-header at the end",
            {
                let mut late = without(":path");
                late.push((":path", CHECK));
                late
            },
            RESET,
        ),
        of("a name in capitals", with("Tolbooth-User", "a"), RESET),
        of("an empty name", with("", "a"), RESET),
        of("a name with a space", with("x a", "b"), RESET),
        of("a name with a colon", with("x:a", "b"), RESET),
        of("a name with a line end", with("x\r\na", "b"), RESET),
        of("a name with a nul", with("x\0a", "b"), RESET),
        of("a name with an underscore", with("tolbooth_role", "a"), NONE),
        of("a value with a line end", with("x-a", "b\r\ntolbooth-agreement: c"), RESET),
        of("a value with a line feed", with("x-a", "b\nc"), RESET),
        of("a value with a nul", with("x-a", "b\0c"), RESET),
        of("a value with white space before it", with("tolbooth-user", " a"), NONE),
        of("a value with white space after it", with("tolbooth-user", "a\t"), NONE),
        of("te that is not trailers", with("te", "gzip"), RESET),
        of(
            "two lengths",
            {
                let mut two = with("content-length", "20");
                two.push(("content-length", "20"));
                two
            },
            NONE,
        ),
        of("two roles", with("tolbooth-role", "ed_nurse"), NONE),
        of("a coding of the body", with("content-encoding", "gzip"), NONE),
        of("another method in a header", with("x-http-method-override", "GET"), NONE),
        of("another path in a header", with("x-original-url", "/"), NONE),
        of("an odd expectation", with("expect", "x"), NONE),
        of("a trailer announced", with("trailer", "tolbooth-role"), NONE),
        of(
            "a list of more than 32 KiB",
            with("x-a", &"b".repeat(15_000)).into_iter().chain(vec![("x-c", LONG), ("x-d", LONG)]).collect(),
            &["goaway", "reset", "bare"],
        ),
    ];
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        cases.push(of(&format!("the header {name}"), with(name, "chunked"), RESET));
    }
    for length in ["19", "21", "0", "-20", "+20", "0x14", "20, 20", "18446744073709551636", ""] {
        let may: &[&str] = &["reset", "goaway", MALFORMED];
        cases.push(of(&format!("the length {length:?}"), with("content-length", length), may));
    }
    for path in [
        "child-protection/v1/check",
        "",
        " ",
        "/child protection",
        "/child-protection/v1/check\0",
        "https://localhost/child-protection/v1/check",
    ] {
        cases.push(of(
            &format!("the path {path:?}"),
            instead(":path", path),
            &["reset", "goaway", NOT_AGREED],
        ));
    }
    for path in [
        "*",
        "/",
        "//child-protection/v1/check",
        "/child-protection/v1/check?",
        "/child-protection/v1/check?a",
        "/child-protection/v1/./check",
        "/child-protection/v1/%63heck",
        "/child-protection%2fv1%2fcheck",
        "/child-protection/v1/check%00",
        "/child-protection/v1/check;a",
        "/Child-Protection/v1/check",
    ] {
        cases.push(of(&format!("the path {path:?}"), instead(":path", path), &[NOT_AGREED, "reset"]));
    }
    // The library cuts a fragment off before anybody sees it; what goes on has none (RFC 9113 section 8.3.1).
    cases.push(of("a path with a fragment", instead(":path", "/child-protection/v1/check#a"), &[ANSWERED]));
    for method in ["GET", "post", "TRACE", "PUT"] {
        cases.push(of(&format!("the method {method}"), instead(":method", method), &[NOT_AGREED]));
    }
    cases.push(of("the method CONNECT", instead(":method", "CONNECT"), RESET));
    cases.push(of("an empty method", instead(":method", ""), RESET));
    cases.push(of("a method with a line end", instead(":method", "POST / HTTP/1.1\r\nx: y"), RESET));
    cases
}

const LONG: &str = match std::str::from_utf8(&[b'x'; 12_000]) {
    Ok(long) => long,
    Err(_) => "",
};

fn streams() -> Vec<Frames> {
    let fields = usual();
    let (head, body) = (head(&fields), body());
    let ended = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields));
    let of = |name: &str, frames: &[Vec<u8>], may| case(name, frames, may);
    vec![
        of("a head that is the whole question", std::slice::from_ref(&ended), &[INVALID]),
        of("data before a head", std::slice::from_ref(&body), RESET),
        of("data after the end", &[ended.clone(), body.clone()], RESET_OR_INVALID),
        of("a second head", &[head.clone(), head.clone(), body.clone()], RESET),
        of(
            "headers after the body",
            &[
                head.clone(),
                frame(DATA, 0, 1, asks(CHI).as_bytes()),
                frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("tolbooth-role", "ed_clinician")])),
            ],
            &[MALFORMED, "reset"],
        ),
        of(
            "pseudo-headers after the body",
            &[
                head.clone(),
                frame(DATA, 0, 1, asks(CHI).as_bytes()),
                frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[(":path", "/")])),
            ],
            &[MALFORMED, "reset", "goaway"],
        ),
        of("an even stream", &[frame(HEADERS, END_HEADERS, 2, &block(&fields))], RESET),
        of("stream 0", &[frame(HEADERS, END_HEADERS, 0, &block(&fields))], RESET),
        of("data on stream 0", &[frame(DATA, END_STREAM, 0, b"x")], RESET),
        of(
            "a stream used again",
            &[head.clone(), body.clone(), frame(HEADERS, END_HEADERS, 1, &block(&fields))],
            RESET_OR_ANSWERED,
        ),
        of(
            "a stream before the last",
            &[frame(HEADERS, END_HEADERS | END_STREAM, 5, &block(&fields)), head.clone()],
            RESET,
        ),
        of(
            "a stream that depends on itself",
            &[
                frame(
                    HEADERS,
                    END_HEADERS | PRIORITISED,
                    1,
                    &[&[0, 0, 0, 1, 16][..], &block(&fields)].concat(),
                ),
                body.clone(),
            ],
            RESET,
        ),
        of(
            "a priority that depends on itself",
            &[frame(PRIORITY, 0, 1, &[0, 0, 0, 1, 16]), head.clone(), body.clone()],
            RESET_OR_ANSWERED,
        ),
        of("a priority of four bytes", &[frame(PRIORITY, 0, 1, &[0, 0, 0, 0])], RESET),
        of(
            "a promise from a client",
            &[frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &block(&fields)].concat())],
            RESET,
        ),
        of("a promise of being pushed", &[frame(SETTINGS, 0, 0, &pairs(&[(2, 2)]))], RESET),
        of("a reset of an idle stream", &[frame(RST_STREAM, 0, 1, &[0; 4])], RESET),
        of("a reset of three bytes", &[head.clone(), frame(RST_STREAM, 0, 1, &[0; 3])], RESET),
        of("a window of nothing more", &[head.clone(), frame(WINDOW_UPDATE, 0, 1, &[0; 4])], RESET),
        of(
            "a window too large",
            &[head.clone(), frame(WINDOW_UPDATE, 0, 1, &[0x7f, 0xff, 0xff, 0xff])],
            RESET,
        ),
        of(
            "a connection's window too large",
            &[frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])],
            RESET,
        ),
        of("a continuation of nothing", &[frame(CONTINUATION, END_HEADERS, 1, &block(&fields))], RESET),
        of(
            "a ping within a head",
            &[frame(HEADERS, 0, 1, &block(&fields)), frame(PING, 0, 0, &[0; 8])],
            RESET,
        ),
        of(
            "a continuation of another stream",
            &[frame(HEADERS, 0, 1, &block(&fields)), frame(CONTINUATION, END_HEADERS, 3, b"")],
            RESET,
        ),
        of(
            "a head in two frames",
            &[
                {
                    let all = block(&fields);
                    let (one, _) = all.split_at(40);
                    frame(HEADERS, 0, 1, one)
                },
                {
                    let all = block(&fields);
                    let (_, two) = all.split_at(40);
                    frame(CONTINUATION, END_HEADERS, 1, two)
                },
                body.clone(),
            ],
            &[ANSWERED],
        ),
        of(
            "a body with padding",
            &[
                head.clone(),
                frame(DATA, END_STREAM | PADDED, 1, &[&[3][..], asks(CHI).as_bytes(), &[0; 3]].concat()),
            ],
            &[ANSWERED],
        ),
        of(
            "more padding than there is",
            &[head.clone(), frame(DATA, END_STREAM | PADDED, 1, &[255, 1, 2])],
            RESET,
        ),
        of(
            "a frame of an unknown kind",
            &[frame(0x7f, 0xff, 0, b"anything"), head.clone(), body.clone()],
            &[ANSWERED],
        ),
        of("a frame larger than was agreed", &[head.clone(), frame(DATA, 0, 1, &vec![b'x'; 16_385])], RESET),
        of("a ping of seven bytes", &[frame(PING, 0, 0, &[0; 7])], RESET),
        of("a ping on a stream", &[frame(PING, 0, 1, &[0; 8])], RESET),
        of("settings of five bytes", &[frame(SETTINGS, 0, 0, &[0; 5])], RESET),
        of("settings on a stream", &[frame(SETTINGS, 0, 1, &[])], RESET),
        of("an acknowledgement with settings", &[frame(SETTINGS, ACK, 0, &[0; 6])], RESET),
        of("a window of 4 GiB in the settings", &[frame(SETTINGS, 0, 0, &pairs(&[(4, u32::MAX)]))], RESET),
        of("a frame size of 0 in the settings", &[frame(SETTINGS, 0, 0, &pairs(&[(5, 0)]))], RESET),
        of(
            "goodbye first",
            &[frame(GOAWAY, 0, 0, &[0; 8]), head.clone(), body.clone()],
            &["goaway", "closed", "reset", ANSWERED],
        ),
        of(
            "a table of headers that is not there",
            &[frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff, 0x00])],
            RESET,
        ),
        of(
            "a table of 4 GiB",
            &[frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                &[&[0x3f, 0xe1, 0xff, 0xff, 0xff, 0x0f][..], &block(&fields)].concat(),
            )],
            RESET,
        ),
        of(
            "a number in a head that does not end",
            &[frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            )],
            RESET,
        ),
        of(
            "a string longer than its head",
            &[frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x00, 0x7f, 0xff, 0x7f, b'a'])],
            RESET,
        ),
        of(
            "Huffman's end of string",
            &[frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x01, b'a'])],
            RESET,
        ),
        of("an index of 0", &[frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x80])], RESET),
        of(
            "a bomb of indexes",
            &[
                frame(HEADERS, 0, 1, &bomb()),
                frame(CONTINUATION, END_HEADERS | END_STREAM, 1, &[0xbe; 16_000]),
            ],
            &["reset", "goaway", "closed", "bare"],
        ),
        Frames {
            name: "HTTP/2: another preface".into(),
            bytes: b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec(),
            may: RESET,
            heard: 0,
        },
        Frames {
            name: "HTTP/2: HTTP/1.1 where HTTP/2 was agreed".into(),
            bytes: crate::case::sized("").into_bytes(),
            may: RESET,
            heard: 0,
        },
        Frames {
            name: "HTTP/2: no settings".into(),
            bytes: [PREFACE, &head, &body].concat(),
            may: RESET_OR_ANSWERED,
            heard: 0,
        },
    ]
}

const RESET_OR_INVALID: &[&str] = &["reset", "goaway", "closed", INVALID];
const RESET_OR_ANSWERED: &[&str] = &["reset", "goaway", "closed", ANSWERED];

/// The question, and one long header that goes into the table, to be named over and over.
fn bomb() -> Vec<u8> {
    let mut out = block(&usual());
    out.extend([0x40, 0x03]);
    out.extend(b"x-a");
    out.extend([0x7f, 0xa1, 0x1e]);
    out.extend([b'b'; 4000]);
    out
}

pub fn cases() -> Vec<Frames> {
    heads().into_iter().chain(streams()).collect()
}

#[test]
fn a_frame_out_of_order_ends_its_stream_and_an_odd_head_is_refused() {
    let here = gateway("frames");
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        let before = here.site.system.heard().len();
        let mut line = here.nhs().line(true).unwrap();
        line.send(&case.bytes);
        let said = frames::read(&mut line, &[1], QUIET).of(1);
        drop(line);
        // Where a stream may be answered and then misused, the question may have got through.
        let heard = seen_since(&here, before, &case.name);
        let most = if case.may.contains(&ANSWERED) { 1 } else { 0 };
        if !case.may.contains(&said.as_str()) || heard > most || heard < case.heard {
            wrong.push(format!("{}: {said}, heard {heard}; wanted {:?}", case.name, case.may));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    goes_on(&here.nhs(), here.running());
}

/// Sends the same frames until the gateway has had enough, or has taken all of them, and says which.
fn flood(
    here: &crate::support::here::Here,
    first: &[u8],
    piece: impl Fn(u32) -> Vec<u8>,
    pieces: u32,
) -> bool {
    let mut line = here.nhs().line(true).unwrap();
    line.send(&[opening(&[]), first.to_vec()].concat());
    let mut sent = Vec::new();
    for at in 0..pieces {
        sent.extend(piece(at));
        if sent.len() > 8 * 1024 && !line.send(&std::mem::take(&mut sent)) {
            break;
        }
    }
    line.send(&sent);
    let told = frames::read(&mut line, &[u32::MAX], Duration::from_secs(3));
    told.goaway.is_some() || told.closed
}

#[test]
fn floods_of_frames_end_and_leave_nothing_open() {
    let here = gateway("floods");
    let head = block(&usual());
    let one = |at: u32| at * 2 + 1;
    let unended = frame(HEADERS, 0, 1, &head);
    // Those that no honest peer sends end the connection.
    assert!(
        flood(&here, &unended, |_| frame(CONTINUATION, 0, 1, &block(&[("x", "y")])), 200_000),
        "CONTINUATION"
    );
    assert!(flood(&here, &unended, |_| frame(CONTINUATION, 0, 1, b""), 200_000), "empty CONTINUATION");
    let rapid = |at| {
        [frame(HEADERS, END_HEADERS, one(at), &head), frame(RST_STREAM, 0, one(at), &8_u32.to_be_bytes())]
            .concat()
    };
    assert!(flood(&here, &[], rapid, 20_000), "rapid reset");
    let malformed = |at| frame(HEADERS, END_HEADERS | END_STREAM, one(at), &block(&[("X", "y")]));
    assert!(flood(&here, &[], malformed, 20_000), "heads that are none");
    // These are answered or thrown away one by one, and cost no more than they bring.
    flood(&here, &[], |_| frame(SETTINGS, 0, 0, &pairs(&[(1, 0), (4, 1)])), 50_000);
    flood(&here, &[], |_| frame(PING, 0, 0, &[0; 8]), 50_000);
    flood(&here, &[], |at| frame(PRIORITY, 0, one(at), &[0, 0, 0, 0, 16]), 50_000);
    flood(&here, &frame(HEADERS, END_HEADERS, 1, &head), |_| frame(DATA, 0, 1, b""), 50_000);
    flood(&here, &[], |_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]), 50_000);
    flood(&here, &[], |at| frame(HEADERS, END_HEADERS, one(at), &head), 5_000);
    assert_eq!(seen_since(&here, 0, "floods"), 0, "no flood is a question");
    goes_on(&here.nhs(), here.running());
}

/// More streams than may be open at once are refused as streams, and those that may be are each answered.
#[test]
fn streams_over_the_limit_are_refused_and_the_others_answered() {
    let here = gateway("streams");
    let mut line = here.nhs().line(true).unwrap();
    let head = block(&usual());
    let heads = (0..100_u32).map(|at| frame(HEADERS, END_HEADERS, at * 2 + 1, &head));
    line.send(&[opening(&[]), heads.collect::<Vec<_>>().concat()].concat());
    let bodies = (0..100_u32).map(|at| frame(DATA, END_STREAM, at * 2 + 1, asks(CHI).as_bytes()));
    line.send(&bodies.collect::<Vec<_>>().concat());
    let streams: Vec<u32> = (0..100).map(|at| at * 2 + 1).collect();
    let told = frames::read(&mut line, &streams, QUIET);
    drop(line);
    let answered = streams.iter().filter(|stream| told.of(**stream) == ANSWERED).count();
    assert!(answered <= 64, "{answered} streams at once");
    until("what was heard is what was answered", || {
        (seen_since(&here, 0, "streams") >= answered).then_some(())
    });
    goes_on(&here.nhs(), here.running());
}

/// A peer that opens no window holds its own answers, at most as many as its streams, and nobody else's.
#[test]
fn a_peer_that_opens_no_window_holds_up_nobody_else() {
    let here = gateway("window");
    let mut line = here.nhs().line(true).unwrap();
    let fields = usual();
    line.send(&[opening(&[(4, 0)]), head(&fields), body()].concat());
    let told = frames::read(&mut line, &[1], Duration::from_secs(1));
    assert_eq!((told.answered.as_slice(), told.ended.as_slice()), (&[1][..], &[][..]));
    assert_eq!(here.nhs().ask(CHECK, &crate::support::gateway::NURSE, &asks(CHI)).status, 200);
    // It is asked whether it lives, does not say so, and is closed.
    let told = frames::read(&mut line, &[1], QUIET);
    assert!(told.closed || told.goaway.is_some(), "{told:?}");
    goes_on(&here.nhs(), here.running());
}
