use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::{HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::model::{Effect, Operation};
use crate::source::fixtures::{Folder, build, id, json, list, rebuild, single};
use crate::source::{Fetched, Pool, Source, SourceFault};

/// What the system behind does with one request.
#[derive(Clone)]
enum Does {
    /// Sends these bytes and waits for the next request.
    Answers(Vec<u8>),
    /// Sends these bytes and closes.
    Ends(Vec<u8>),
    /// Sends these bytes and nothing more until the other side gives up.
    Stalls(Vec<u8>),
}
use Does::{Answers, Ends, Stalls};

/// A system behind that follows a script, one list for each connection.
struct Upstream {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    fn new(script: Vec<Vec<Does>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = requests.clone();
        std::thread::spawn(move || {
            for steps in script {
                let Ok((stream, _)) = listener.accept() else { return };
                let heard = heard.clone();
                std::thread::spawn(move || converse(stream, &steps, &heard));
            }
        });
        Self { port, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn source(&self, more: &str, operations: Vec<Operation>) -> Source {
        let base = Folder::new();
        base.write("secret", "Bearer s3cret\n");
        let port = self.port;
        let text = format!("[source]\nkind = \"http\"\nurl = \"http://127.0.0.1:{port}/api\"\n{more}");
        build(&text, operations, &base).unwrap()
    }

    /// The operation `check`, which looks a record up by `k`.
    fn check(&self, source: &str, operation: &str) -> Source {
        let more = format!(
            "{source}\n[[operation]]\nid = \"check\"\nmethod = \"GET\"\npath = \"/r/{{k}}\"\n{operation}"
        );
        self.source(&more, vec![single("check", &["k! string key"], &["name! string"])])
    }
}

fn converse(mut stream: TcpStream, steps: &[Does], heard: &Mutex<Vec<String>>) {
    for step in steps {
        let Some(request) = read_request(&mut stream) else { return };
        heard.lock().unwrap().push(request);
        match step {
            Answers(bytes) => stream.write_all(bytes).unwrap(),
            Ends(bytes) => {
                stream.write_all(bytes).unwrap();
                return;
            }
            Stalls(bytes) => {
                stream.write_all(bytes).unwrap();
                let _ = stream.read(&mut [0; 64]);
                return;
            }
        }
    }
}

/// One request, by its `Content-Length`.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut byte = [0];
    let wanted = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let told = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        Some(told.map_or(0, |told| told.parse::<usize>().unwrap()) <= body.len())
    };
    while wanted(&text) != Some(true) {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        text.push(char::from(byte[0]));
    }
    Some(text)
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn ok(body: &str) -> Vec<u8> {
    answer("200 OK\r\ncontent-type: application/json", body)
}

async fn fetch(source: &Source, pool: &Pool, question: &str) -> Result<Option<String>, SourceFault> {
    let question = json(question);
    let deadline = Instant::now() + Duration::from_secs(60);
    match source.fetch(pool, &id("check"), question.root(), &|_| None, deadline).await? {
        Fetched::NoMatch => Ok(None),
        Fetched::Document(found) => Ok(Some(String::from_utf8(found.node().raw().to_vec()).unwrap())),
    }
}

/// Asks once a system that answers once so.
async fn once(does: Does, source: &str, operation: &str) -> Result<Option<String>, SourceFault> {
    let upstream = Upstream::new(vec![vec![does]]);
    fetch(&upstream.check(source, operation), &Pool::new(), r#"{"k":"x"}"#).await
}

#[tokio::test]
async fn a_question_becomes_the_mapped_request() {
    let upstream = Upstream::new(vec![vec![Answers(ok("{}"))]]);
    let more = "headers = [{ name = \"authorization\", file = \"secret\" }]\nforward_headers = [\"x-correlation-id\"]\n\
        [[operation]]\nid = \"check\"\nmethod = \"POST\"\npath = \"/r/{k}/x/\"\n\
        query = { mode = \"full text\", area = \"{area}\", n = \"{n}\" }\nheaders = { x-area = \"a-{area}\", x-n = \"{n}\" }\n\
        body = { key = \"{k}\", n = \"{n}\", gone = \"{area}\", text = \"n is {n}\", deep = { l = [1, 2.5, true, \"{k}\"] } }\n";
    let question = ["k! string key", "area string", "n! integer"];
    let source = upstream.source(more, vec![single("check", &question, &["name! string"])]);
    let asked = json(r#"{"k":"a b?\u0026","area":null,"n":7}"#);
    let forwarded = [
        (HeaderName::from_static("x-correlation-id"), HeaderValue::from_static("c-1")),
        (HeaderName::from_static("cookie"), HeaderValue::from_static("theirs")),
        (HeaderName::from_static("tolbooth-user"), HeaderValue::from_static("somebody")),
    ];
    let theirs = |name: &HeaderName| {
        let found = forwarded.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    source.fetch(&Pool::new(), &id("check"), asked.root(), &theirs, deadline).await.unwrap();
    let requests = upstream.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /api/r/a%20b%3F%26/x/?mode=full%20text&n=7 HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: 127.0.0.1:{}", upstream.port);
    assert_eq!(
        lines,
        [
            "accept-encoding: identity",
            "accept: application/json",
            "authorization: Bearer s3cret",
            &format!("content-length: {}", body.len()),
            "content-type: application/json",
            &host,
            "x-correlation-id: c-1",
            "x-n: 7",
        ]
    );
    let wanted = r#"{"deep":{"l":[1,2.5,true,"a b?\u0026"]},"key":"a b?\u0026","n":7,"text":"n is 7"}"#;
    assert_eq!(body, wanted);
    assert!(!format!("{source:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_value_that_would_move_the_path_never_reaches_the_source() {
    let upstream = Upstream::new(vec![vec![Answers(ok("{}"))]]);
    let source = upstream.check("", "");
    for value in ["..", ".", "", "a/b", r"..\\..", r"a\u000d\u000ab", r"\u0000"] {
        let fault = fetch(&source, &Pool::new(), &format!(r#"{{"k":"{value}"}}"#)).await.unwrap_err();
        assert!(matches!(fault, SourceFault::Question(_)), "{value}");
    }
    assert!(matches!(fetch(&source, &Pool::new(), "{}").await, Err(SourceFault::Question(_))));
    assert_eq!(upstream.requests(), [""; 0]);
}

#[tokio::test]
async fn a_connection_is_kept_and_used_again() {
    let upstream = Upstream::new(vec![vec![Answers(ok("{\"a\":1}")), Answers(ok("{\"a\":2}"))]]);
    let (source, pool) = (upstream.check("", ""), Pool::new());
    assert_eq!(fetch(&source, &pool, r#"{"k":"1"}"#).await.unwrap().unwrap(), "{\"a\":1}");
    assert_eq!(pool.len(), 1);
    // There is no second connection in the script.
    assert_eq!(fetch(&source, &pool, r#"{"k":"2"}"#).await.unwrap().unwrap(), "{\"a\":2}");
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced_for_reads() {
    // The second request reaches a connection whose other side then closes without a byte.
    let script = || vec![vec![Answers(ok("{\"a\":1}")), Ends(Vec::new())], vec![Answers(ok("{\"a\":2}"))]];
    let upstream = Upstream::new(script());
    let (source, pool) = (upstream.check("", ""), Pool::new());
    fetch(&source, &pool, r#"{"k":"1"}"#).await.unwrap();
    assert_eq!(fetch(&source, &pool, r#"{"k":"2"}"#).await.unwrap().unwrap(), "{\"a\":2}");
    assert_eq!(upstream.requests().len(), 3);

    // What changes something is never sent twice.
    let upstream = Upstream::new(script());
    let more = "forward_headers = [\"idempotency-key\"]\n\
                [[operation]]\nid = \"check\"\nmethod = \"POST\"\npath = \"/r/{k}\"\n";
    let operation = single("check", &["k! string key"], &["name! string"]);
    let source = upstream.source(more, vec![Operation { effect: Effect::Changes, ..operation }]);
    let pool = Pool::new();
    fetch(&source, &pool, r#"{"k":"1"}"#).await.unwrap();
    let fault = fetch(&source, &pool, r#"{"k":"2"}"#).await.unwrap_err();
    assert!(matches!(fault, SourceFault::Unavailable(_)), "{fault}");
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_new_connection_that_closes_is_not_tried_again() {
    let upstream = Upstream::new(vec![vec![Ends(Vec::new())], vec![Answers(ok("{}"))]]);
    let fault = fetch(&upstream.check("", ""), &Pool::new(), r#"{"k":"x"}"#).await.unwrap_err();
    assert!(matches!(fault, SourceFault::Unavailable(_)));
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn bytes_after_an_answer_are_never_the_next_answer() {
    let mut two = ok("{\"a\":1}");
    two.extend(ok("{\"forged\":true}"));
    let upstream = Upstream::new(vec![vec![Answers(two), Answers(ok("{}"))], vec![Answers(ok("{\"a\":2}"))]]);
    let (source, pool) = (upstream.check("", ""), Pool::new());
    assert_eq!(fetch(&source, &pool, r#"{"k":"1"}"#).await.unwrap().unwrap(), "{\"a\":1}");
    assert_eq!(fetch(&source, &pool, r#"{"k":"2"}"#).await.unwrap().unwrap(), "{\"a\":2}");
}

#[tokio::test]
async fn only_a_plain_bounded_json_answer_is_one() {
    let json_head = "200 OK\r\ncontent-type: application/json";
    let chunked = format!("HTTP/1.1 {json_head}\r\ntransfer-encoding: chunked\r\n\r\n");
    let small_chunks = format!("40\r\n{}\r\n", "1".repeat(64)).repeat(4);
    for (bytes, wanted) in [
        (ok("{\"a\":1}"), Ok("{\"a\":1}")),
        (answer("200 OK\r\ncontent-type: application/fhir+json; charset=UTF-8", "[]"), Ok("[]")),
        (format!("{chunked}3\r\n{{\"a\r\n4\r\n\":1}}\r\n0\r\n\r\n").into_bytes(), Ok("{\"a\":1}")),
        ([b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".to_vec(), ok("{}")].concat(), Ok("{}")),
        (answer("200 OK\r\ncontent-type: text/html", "{}"), Err("content type")),
        (answer("200 OK", "{}"), Err("content type")),
        (answer(&format!("{json_head}\r\ncontent-type: text/html"), "{}"), Err("content type")),
        (answer("200 OK\r\ncontent-type: application/json; charset=utf-16", "{}"), Err("character set")),
        (answer(&format!("{json_head}\r\ncontent-encoding: gzip"), "\u{1f}"), Err("compressed")),
        (answer("302 Found\r\nlocation: http://127.0.0.1:1/", ""), Err("status 302")),
        (answer("201 Created\r\ncontent-type: application/json", "{}"), Err("status 201")),
        (answer("204 No Content", ""), Err("status 204")),
        (answer("404 Not Found", ""), Err("status 404")),
        (answer("403 Forbidden", ""), Err("status 403")),
        (ok("{\"a\":1,\"a\":2}"), Err("a name twice")),
        (ok("{\"a\":1"), Err("JSON")),
        (ok(""), Err("JSON")),
        (ok(&"[".repeat(100)), Err("too deep")),
        (ok(&format!("\"{}\"", "x".repeat(200))), Err("answer_bytes_max")),
        (format!("{chunked}{small_chunks}0\r\n\r\n").into_bytes(), Err("answer_bytes_max")),
        (
            format!("HTTP/1.1 {json_head}\r\ncontent-length: 99999999\r\n\r\n").into_bytes(),
            Err("answer_bytes_max"),
        ),
        (format!("{chunked}c8\r\n{}", "x".repeat(200)).into_bytes(), Err("answer_bytes_max")),
        (answer(&format!("{json_head}\r\ncontent-length: 2"), "{}"), Err("two ways")),
        (
            answer(&format!("{json_head}\r\ntransfer-encoding: chunked"), "2\r\n{}\r\n0\r\n\r\n"),
            Err("two ways"),
        ),
        (
            format!("HTTP/1.1 {json_head}\r\ntransfer-encoding: gzip\r\n\r\n{{}}").into_bytes(),
            Err("two ways"),
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec(), Err("HTTP/1.1")),
        (
            format!("HTTP/1.1 {json_head}\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{{}}")
                .into_bytes(),
            Err("HTTP/1.1"),
        ),
    ] {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        match (once(Ends(bytes), "answer_bytes_max = 150", "").await, wanted) {
            (Ok(got), Ok(wanted)) => assert_eq!(got.as_deref(), Some(wanted), "{shown}"),
            (Err(SourceFault::Invalid(reason)), Err(wanted)) => {
                assert!(reason.contains(wanted), "{reason}: {shown}")
            }
            (got, _) => panic!("{got:?}: {shown}"),
        }
    }
}

#[tokio::test]
async fn what_fails_is_unavailable_and_never_no_match() {
    let json_head = "200 OK\r\ncontent-type: application/json";
    let every = "no_match = [\"status 404\", \"empty document\", \"missing document\"]";
    for bytes in [
        answer("500 Internal Server Error\r\ncontent-type: application/json", "null"),
        answer("503 Service Unavailable", ""),
        answer("429 Too Many Requests", ""),
        format!("HTTP/1.1 {json_head}\r\ncontent-length: 10\r\n\r\n{{\"a").into_bytes(),
        format!("HTTP/1.1 {json_head}\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{{}}").into_bytes(),
        Vec::new(),
    ] {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let fault = once(Ends(bytes), "", every).await.unwrap_err();
        assert!(matches!(fault, SourceFault::Unavailable(_)), "{fault}: {shown}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let upstream = Upstream { port: closed, requests: Arc::default() };
    let fault = fetch(&upstream.check("", every), &Pool::new(), r#"{"k":"x"}"#).await.unwrap_err();
    assert!(matches!(fault, SourceFault::Unavailable(_)), "{fault}");
}

#[tokio::test]
async fn a_stalled_answer_ends_at_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{\"a";
    for bytes in [head.as_bytes(), b"HTTP/1.1 200", b""] {
        let fault = once(Stalls(bytes.to_vec()), "timeout_ms = 50", "").await.unwrap_err();
        assert_eq!(fault, SourceFault::Timeout);
    }
    // The exchange's own deadline counts where it is earlier.
    let upstream = Upstream::new(vec![vec![Stalls(Vec::new())]]);
    let source = upstream.check("timeout_ms = 60000", "");
    let (question, deadline) = (json(r#"{"k":"x"}"#), Instant::now() + Duration::from_millis(50));
    let fetched = source.fetch(&Pool::new(), &id("check"), question.root(), &|_| None, deadline).await;
    assert_eq!(fetched.unwrap_err(), SourceFault::Timeout);
}

#[tokio::test]
async fn waiting_for_a_place_ends_at_the_deadline_and_frees_it() {
    let upstream = Upstream::new(vec![vec![Stalls(Vec::new())], vec![Answers(ok("{}"))]]);
    let source = upstream.check("timeout_ms = 60000\nconnections_max = 1", "");
    let pool = Pool::new();
    let question = json(r#"{"k":"x"}"#);
    let check = id("check");
    let ask = |ms| {
        let deadline = Instant::now() + Duration::from_millis(ms);
        source.fetch(&pool, &check, question.root(), &|_| None, deadline)
    };
    // The first holds the one place until its own deadline; the second waits less than that.
    let (first, second) = tokio::join!(ask(200), ask(100));
    assert_eq!(first.unwrap_err(), SourceFault::Timeout);
    assert_eq!(second.unwrap_err(), SourceFault::Timeout);
    assert_eq!(upstream.requests().len(), 1, "the second was never sent");
    assert!(ask(60_000).await.is_ok(), "the place is free again");
}

#[tokio::test]
async fn places_taken_under_the_ruleset_before_are_taken() {
    let upstream = Upstream::new(vec![vec![Stalls(Vec::new())], vec![Answers(ok("{}"))]]);
    let text = format!(
        "[source]\nkind = \"http\"\nurl = \"http://127.0.0.1:{}\"\ntimeout_ms = 60000\nconnections_max = 1\n\
         [[operation]]\nid = \"check\"\nmethod = \"GET\"\npath = \"/r/{{k}}\"\n",
        upstream.port
    );
    let base = Folder::new();
    let operations = || vec![single("check", &["k! string key"], &["name! string"])];
    let before = rebuild(&text, operations(), &base, None).unwrap();
    let after = rebuild(&text, operations(), &base, Some(&before)).unwrap();
    let (pool, question, check) = (Pool::new(), json(r#"{"k":"x"}"#), id("check"));
    let ask = |source, ms| {
        let deadline = Instant::now() + Duration::from_millis(ms);
        Source::fetch(source, &pool, &check, question.root(), &|_| None, deadline)
    };
    let (first, second) = tokio::join!(ask(&before, 200), ask(&after, 100));
    assert_eq!(first.unwrap_err(), SourceFault::Timeout);
    assert_eq!(second.unwrap_err(), SourceFault::Timeout);
    assert_eq!(upstream.requests().len(), 1, "the second was never sent");
    assert!(ask(&after, 60_000).await.is_ok(), "the place is free again");
}

#[tokio::test]
async fn no_match_is_only_what_the_mapping_lists() {
    let gone = || answer("404 Not Found\r\ncontent-type: text/html", "<h1>gone</h1>");
    assert_eq!(once(Answers(gone()), "", "no_match = [\"status 404\"]").await.unwrap(), None);
    assert!(once(Answers(gone()), "", "no_match = [\"status 410\"]").await.is_err());

    let at = "document = \"/list/0\"\n";
    for (body, empty, missing) in [
        (r#"{"list":[]}"#, "no match", "fault"),
        (r#"{"list":null}"#, "no match", "fault"),
        (r#"null"#, "no match", "fault"),
        (r#"{"list":[null]}"#, "no match", "found"),
        (r#"{"list":[{}]}"#, "no match", "found"),
        (r#"{"list":[[]]}"#, "no match", "found"),
        (r#"{"list":[""]}"#, "found", "found"),
        (r#"{"list":[{"a":1}]}"#, "found", "found"),
        // A member that is not there may as well be an error told with status 200.
        (r#"{"error":"database down"}"#, "fault", "no match"),
        (r#"{"list":{}}"#, "fault", "no match"),
        (r#"{"list":"x"}"#, "fault", "no match"),
        ("[]", "fault", "no match"),
    ] {
        for (word, wanted) in [("empty", empty), ("missing", missing)] {
            let operation = format!("{at}no_match = [\"{word} document\"]");
            let got = match once(Answers(ok(body)), "", &operation).await {
                Ok(None) => "no match",
                Ok(Some(_)) => "found",
                Err(SourceFault::Invalid(_)) => "fault",
                Err(fault) => panic!("{fault}"),
            };
            assert_eq!(got, wanted, "{body} with {word}");
        }
    }
}

#[tokio::test]
async fn an_empty_list_of_a_list_operation_is_an_empty_list() {
    let upstream = Upstream::new(vec![vec![Answers(ok(r#"{"list":[]}"#)), Answers(ok(r#"{"list":null}"#))]]);
    let more = "[[operation]]\nid = \"check\"\nmethod = \"GET\"\npath = \"/r\"\ndocument = \"/list\"\n\
        no_match = [\"empty document\"]\n";
    let source = upstream.source(more, vec![list("check", &[], &["name! string"])]);
    let pool = Pool::new();
    assert_eq!(fetch(&source, &pool, "{}").await.unwrap().unwrap(), "[]");
    assert_eq!(fetch(&source, &pool, "{}").await.unwrap(), None);
}

#[tokio::test]
async fn a_connection_with_an_unread_answer_is_not_kept() {
    let script = vec![vec![Answers(answer("404 Not Found", "x"))], vec![Answers(ok("{}"))]];
    let upstream = Upstream::new(script);
    let (source, pool) = (upstream.check("", ""), Pool::new());
    assert!(fetch(&source, &pool, r#"{"k":"1"}"#).await.is_err());
    assert!(pool.is_empty());
    assert!(fetch(&source, &pool, r#"{"k":"2"}"#).await.unwrap().is_some());
}
