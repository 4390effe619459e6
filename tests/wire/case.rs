//! One row of a table: bytes, what may come of them, and what the system behind must have seen.

use tolbooth::app::Running;

use crate::support::agreements::edit;
use crate::support::gateway::{CHECK, CHI, asks};
use crate::support::here::Here;
use crate::support::partner::Partner;
use crate::support::site::Site;

pub const CLOSED: &str = "closed";
pub const MALFORMED: &str = "400 malformed_http";
pub const NOT_AGREED: &str = "403 not_agreed";
pub const INVALID: &str = "422 question_invalid";
pub const ANSWERED: &str = "200 answered";

pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    /// What may come back, each all of it: statuses and codes with ` + ` between, or `closed`.
    pub may: &'static [&'static str],
    /// How many questions reach the system behind, each the canonical one.
    pub heard: usize,
}

pub fn case(name: &str, bytes: impl Into<Vec<u8>>, may: &'static [&'static str]) -> Case {
    let heard = may.first().map_or(0, |first| first.matches(ANSWERED).count());
    Case { name: name.to_owned(), bytes: bytes.into(), may, heard }
}

/// The question, with these lines in its head beside the usual ones, and this body.
pub fn post(fields: &str, body: &str) -> String {
    request(&format!("POST {CHECK} HTTP/1.1"), &format!("host: localhost\r\n{fields}"), body)
}

/// As [`post`], with its length.
pub fn sized(fields: &str) -> String {
    let body = asks(CHI);
    post(&format!("content-length: {}\r\n{fields}", body.len()), &body)
}

/// As [`sized`], with another request line and host.
pub fn asked(line: &str, fields: &str) -> String {
    let body = asks(CHI);
    request(line, &format!("content-length: {}\r\n{fields}", body.len()), &body)
}

fn request(line: &str, fields: &str, body: &str) -> String {
    format!(
        "{line}\r\ncontent-type: application/json\r\ntolbooth-role: ed_nurse\r\n\
         connection: close\r\n{fields}\r\n{body}"
    )
}

/// A gateway whose partner may ask as often as it likes, and that is soon out of patience.
pub fn gateway(name: &str) -> Here {
    let site = Site::new(name);
    edit(&site.home.join("tolbooth.toml"), |text| {
        text.replace("[partners]", "[partners]\nhead_seconds_max = 2\nbody_seconds_max = 2")
    });
    Here::start(site)
}

/// What came back, as a row of a table says it.
pub fn told(bytes: &[u8]) -> String {
    let mut rest = bytes;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (one, after) = answer(rest);
        all.push(one);
        rest = after;
    }
    if all.is_empty() { CLOSED.to_owned() } else { all.join(" + ") }
}

/// The first answer of some bytes, and what follows it.
fn answer(bytes: &[u8]) -> (String, &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head: {text}")) + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let (version, status) = lines.next().unwrap().split_once(' ').unwrap();
    assert!(matches!(version, "HTTP/1.1" | "HTTP/1.0"), "{text}");
    let status = status.split(' ').next().unwrap();
    if status == "100" {
        return (status.to_owned(), &bytes[end..]);
    }
    let field = |name: &str| {
        head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
    };
    let outcome = field("tolbooth-outcome");
    assert!(!outcome.is_empty(), "an answer that is not the gateway's: {text}");
    assert!(!field("tolbooth-receipt").is_empty(), "an answer without a receipt: {text}");
    let length: usize = field("content-length").parse().unwrap();
    let body = &bytes[end..];
    if body.is_empty() && length > 0 {
        // To HEAD.
        return (format!("{status} {outcome}"), body);
    }
    let (body, after) = body.split_at(length);
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    let what = body["code"].as_str().unwrap_or(outcome);
    (format!("{status} {what}"), after)
}

/// What the system behind must have seen of one question: these bytes and no others.
pub fn canonical(here: &Here) -> String {
    format!(
        "GET /clients?chi={CHI} HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n\
         accept-encoding: identity\r\n\r\n",
        here.site.system.address
    )
}

/// What the system behind has seen since it had seen `before`, which must be canonical.
pub fn seen_since(here: &Here, before: usize, name: &str) -> usize {
    let heard = here.site.system.heard();
    for one in &heard[before..] {
        assert_eq!((one.head.as_str(), one.body.len()), (canonical(here).as_str(), 0), "{name}");
    }
    heard.len() - before
}

/// Drives every row, and sees that the gateway goes on after them.
pub fn drive(name: &str, cases: &[Case]) {
    let here = gateway(name);
    let nhs = here.nhs();
    let mut wrong = Vec::new();
    for case in cases {
        let before = here.site.system.heard().len();
        let said = told(&nhs.raw(&case.bytes));
        let heard = seen_since(&here, before, &case.name);
        if !case.may.contains(&said.as_str()) || heard != case.heard {
            wrong
                .push(format!("{}: {said}, heard {heard}; wanted {:?}, {}", case.name, case.may, case.heard));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    goes_on(&nhs, here.running());
}

/// A plain question is answered, and nothing is left open.
pub fn goes_on(partner: &Partner, running: &Running) {
    let said = partner.ask(CHECK, &crate::support::gateway::NURSE, &asks(CHI));
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    crate::support::until("nothing is left open", || {
        let (_, text) = crate::support::gateway::local(running.local, "/metrics");
        let open = text.lines().find_map(|line| line.strip_prefix("tolbooth_connections "));
        (open == Some("0")).then_some(())
    });
}
