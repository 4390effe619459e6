//! The gate end to end: a partner with a certificate asks, gets exactly what the agreement releases,
//! and holds a receipt; everybody else learns nothing.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;
use std::process::Command;

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use support::agreements::{CHILD, edit, reword};
use support::binary::{Served, TOLBOOTH};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::{Partner, Said};
use support::scratch::Scratch;
use support::system::Reply;
use support::{ledger, until};

/// A child whom the records system has and the agreement excludes, and one nobody has.
const EXCLUDED: &str = "2708180838";
const ABSENT: &str = "1111111111";
/// A child whose registration ended long ago: excluded by the other half of the condition.
const ENDED: &str = "0505110639";

#[test]
fn a_child_protection_check_is_answered_with_what_was_agreed_and_no_more() {
    let gateway = Gateway::start("check");
    let said = gateway.check(CHI);
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!(said.outcome(), "answered");
    let names: Vec<String> = said.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        names,
        ["registered", "status", "start_date", "lead_officer", "date_of_birth", "recent_enquiries"]
    );
    assert_eq!(said.json()["date_of_birth"], 2017);
    let envelope = ledger::envelope(&gateway.home, &said);
    assert_eq!(envelope["outcome"], "answered");
    assert_eq!(envelope["rows"], 1);
    assert_eq!(envelope["purpose"], "safeguarding_child");
}

#[test]
fn without_an_agreement_every_question_has_one_answer() {
    let gateway = Gateway::start("one-answer");
    let (nhs, police) = (gateway.nhs(), gateway.police());
    let post = |path: &str| nhs.ask(path, &NURSE, &asks(CHI));
    let get = Request::get(CHECK).header("host", "localhost").header("content-type", "application/json");
    let all = [
        ("no agreement", police.ask(CHECK, &NURSE, &asks(CHI))),
        ("no agreement, and not a question", police.ask(CHECK, &NURSE, "nonsense")),
        ("an unknown dataset", post("/adult-protection/v1/check")),
        ("an unknown version", post("/child-protection/v2/check")),
        ("a version spelt otherwise", post("/child-protection/v01/check")),
        ("an unknown operation", post("/child-protection/v1/list")),
        ("a slash more", post("/child-protection/v1/check/")),
        ("an encoded letter", post("/child-protection/v1/chec%6b")),
        ("a dot segment", post("/x/../child-protection/v1/check")),
        ("another case", post("/Child-protection/v1/check")),
        ("a query string", post(&format!("{CHECK}?chi={CHI}"))),
        ("the wrong method", nhs.send(get.body(Full::from(asks(CHI))).unwrap())),
        ("the root", post("/")),
    ];
    let shown = |said: &Said| without_ids(said, &["exchange"]);
    let (_, first) = &all[0];
    assert_eq!((first.status, first.code().as_str()), (403, "not_agreed"));
    for (what, said) in &all {
        assert_eq!(shown(said), shown(first), "{what}");
        // The receipt is theirs too, and says no more.
        let mut told = ledger::envelope(&gateway.home, said);
        let mut other = ledger::envelope(&gateway.home, first);
        for own in ["exchange", "index", "time", "sealed", "request", "answer", "consumer"] {
            told[own] = Value::Null;
            other[own] = Value::Null;
        }
        assert_eq!(told, other, "{what}");
        assert_eq!(told["dataset"], Value::Null, "{what}");
    }
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    // The provider's own record still says what was asked for.
    let record = ledger::exchange(&gateway.running().admin_socket, first.exchange());
    assert_eq!(record["sealed"]["note"], "asked for child-protection/v1 check");
}

#[test]
fn a_question_too_large_tells_a_stranger_nothing_of_datasets() {
    let gateway = Gateway::start("large-stranger");
    let large = asks(&"1".repeat(70_000));
    for path in [CHECK, "/adult-protection/v1/check"] {
        let said = gateway.police().ask(path, &[], &large);
        assert_eq!(said.code(), "too_large");
        assert_eq!(ledger::envelope(&gateway.home, &said)["dataset"], Value::Null, "{path}");
    }
}

#[test]
fn what_is_wrong_with_a_question_is_told_only_after_a_permit() {
    let gateway = Gateway::start("after");
    for bad in ["", "nonsense", "{}", r#"{"chi":1}"#, r#"{"chi":"1403170129","chi":"1403170129"}"#] {
        assert_eq!(gateway.nhs().ask(CHECK, &NURSE, bad).code(), "question_invalid", "{bad}");
        // The role is wrong, and that is all that is said.
        let stranger = gateway.nhs().ask(CHECK, &[("tolbooth-role", "porter")], bad);
        assert_eq!(stranger.code(), "role_not_allowed", "{bad}");
        assert_eq!(gateway.police().ask(CHECK, &[], bad).code(), "not_agreed", "{bad}");
    }
    // The record says which of the contract's fields was wrong, and no name the caller made up.
    for (bad, wrong) in [
        (r#"{"chi":1}"#, "/chi is not of type string"),
        (r#"{"chi":"1403170129","x1403170129":1}"#, "the whole has a name the contract does not know"),
    ] {
        let said = gateway.nhs().ask(CHECK, &NURSE, bad);
        let record = ledger::exchange(&gateway.running().admin_socket, said.exchange());
        let note = record["sealed"]["note"].as_str().unwrap();
        assert!(note.ends_with(wrong) && !note.contains("x1403170129"), "{note}");
    }
}

#[test]
fn an_absent_and_an_excluded_row_are_answered_alike() {
    let gateway = Gateway::start("absent");
    let absent = gateway.check(ABSENT);
    assert_eq!((absent.status, absent.outcome()), (404, "no_match"));
    for excluded in [EXCLUDED, ENDED] {
        let said = gateway.check(excluded);
        assert_eq!(said.status, absent.status);
        assert_eq!(said.body, absent.body);
        assert_eq!(lengths(&said), lengths(&absent));
        assert_eq!(without_ids(&said, &[]), without_ids(&absent, &[]));
        // What the partner's own receipt holds differs only in what is each exchange's own.
        let (mut one, mut other) =
            (ledger::envelope(&gateway.home, &said), ledger::envelope(&gateway.home, &absent));
        for own in ["exchange", "index", "time", "sealed", "request", "answer"] {
            one[own] = Value::Null;
            other[own] = Value::Null;
        }
        assert_eq!(one, other);
        // The provider's sealed part knows.
        let socket = &gateway.running().admin_socket;
        let sealed = |said: &Said| ledger::exchange(socket, said.exchange())["sealed"].clone();
        assert_eq!(sealed(&absent)["outcome"], "no_match");
        assert_eq!(sealed(&said)["outcome"], "row_excluded");
        assert_eq!(sealed(&said)["rows_excluded"], 1);
    }
    assert_eq!(gateway.system.heard().len(), 3, "the system behind had them");
}

/// What is fixed by the agreement need not be said, and is recorded as coming from there.
#[test]
fn a_single_role_and_purpose_are_fixed_by_the_agreement() {
    let gateway = Gateway::start_changed("fixed", one_role);
    let said = gateway.nhs().ask(CHECK, &[], &asks(CHI));
    assert_eq!(said.status, 200, "{said:?}");
    let envelope = ledger::envelope(&gateway.home, &said);
    assert_eq!(envelope["role"], "ed_nurse");
    assert_eq!(envelope["role_origin"], "agreement");
    assert_eq!(envelope["assurance"], "certificate");
    assert_eq!(envelope["purpose_origin"], "agreement");
    // Stated, it is the caller's word.
    let stated = [("tolbooth-purpose", "safeguarding_child"), NURSE[0]];
    let envelope = ledger::envelope(&gateway.home, &gateway.nhs().ask(CHECK, &stated, &asks(CHI)));
    assert_eq!(envelope["role_origin"], "claimed");
    assert_eq!(envelope["purpose_origin"], "claimed");
}

#[test]
fn who_why_and_which_case_are_sealed_as_claimed() {
    let gateway = Gateway::start("claims");
    let said = gateway.nhs().ask(
        CHECK,
        &[
            NURSE[0],
            ("tolbooth-user", "n.synthetic"),
            ("tolbooth-reason", "seen in A&E"),
            ("tolbooth-case", "C-1"),
        ],
        &asks(CHI),
    );
    let record = ledger::exchange(&gateway.running().admin_socket, said.exchange());
    assert_eq!(record["sealed"]["user"], "n.synthetic");
    assert_eq!(record["sealed"]["reason"], "seen in A&E");
    assert_eq!(record["sealed"]["case"], "C-1");
    for word in ["n.synthetic", "seen in", "C-1", CHI] {
        assert!(!record["envelope"].to_string().contains(word), "{word} is in the envelope");
    }
    assert!(!record.to_string().contains(CHI), "an identifier as given is in the record");
}

#[test]
fn the_callers_own_ids_are_mirrored() {
    let gateway = Gateway::start("mirror");
    let ids = [NURSE[0], ("x-request-id", "r-17"), ("x-correlation-id", "c-4")];
    for path in [CHECK, "/nothing/v1/check"] {
        let said = gateway.nhs().ask(path, &ids, &asks(CHI));
        assert_eq!((said.header("x-request-id"), said.header("x-correlation-id")), ("r-17", "c-4"), "{path}");
        assert_eq!(ledger::envelope(&gateway.home, &said)["correlation"], "c-4");
    }
    let said = gateway.check(CHI);
    assert!(!said.headers.contains_key("x-request-id"));
}

#[test]
fn one_connection_carries_question_after_question() {
    let gateway = Gateway::start("keep-alive");
    let mut line = gateway.nhs().connect().unwrap();
    for chi in [CHI, ABSENT, CHI] {
        let said = line.ask(CHECK, &NURSE, &asks(chi));
        assert_eq!(said.status, if chi == CHI { 200 } else { 404 });
    }
}

#[test]
fn http_2_gets_the_same_answer() {
    let gateway = Gateway::start("http2");
    let (one, two) = (gateway.check(CHI), gateway.nhs().ask_http2(CHECK, &NURSE, &asks(CHI)));
    assert_eq!(two.version, http::Version::HTTP_2);
    assert_eq!((two.status, &two.body), (200, &one.body));
    ledger::envelope(&gateway.home, &two);
    let refused = gateway.nhs().ask_http2(&format!("{CHECK}?chi={CHI}"), &NURSE, &asks(CHI));
    assert_eq!(refused.code(), "not_agreed");
}

#[test]
fn debians_curl_with_only_a_certificate_gets_an_answer_whose_receipt_verifies() {
    let Some(curl) = curl() else { return };
    let gateway = Gateway::start_changed("curl", one_role);
    let scratch = Scratch::new("curl");
    let (head, body) = (scratch.path().join("head"), scratch.path().join("body"));
    let done = Command::new(curl)
        .args(["--silent", "--show-error", "--max-time", "60", "--json", &asks(CHI)])
        .arg("--cert")
        .arg(&gateway.trial.nhs.certificate)
        .arg("--key")
        .arg(&gateway.trial.nhs.key)
        .arg("--cacert")
        .arg(&gateway.trial.ca)
        .arg("-D")
        .arg(&head)
        .arg("-o")
        .arg(&body)
        .arg(format!("https://localhost:{}{CHECK}", gateway.running().partners.port()))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let answer: Value = serde_json::from_slice(&std::fs::read(&body).unwrap()).unwrap();
    assert_eq!(answer["registered"], true);
    assert!(verify(&gateway.home, &head, &body), "the receipt does not verify");
    edit(&body, |text| text.replace("true", "false"));
    assert!(!verify(&gateway.home, &head, &body), "another body verifies");
    edit(&body, |text| text.replace("false", "true"));
    edit(&head, |text| text.replace("olbooth-outcome: answered", "olbooth-outcome: no_match"));
    assert!(!verify(&gateway.home, &head, &body), "another outcome verifies");
}

/// `tolbooth ledger verify --receipt --body`, as the partner's own auditor runs it.
fn verify(home: &Path, head: &Path, body: &Path) -> bool {
    let done = Command::new(TOLBOOTH)
        .args(["ledger", "verify", "--receipt"])
        .arg(head)
        .arg("--body")
        .arg(body)
        .arg("--key")
        .arg(home.join("data/keys/ledger.vkey"))
        .output()
        .unwrap();
    assert!(matches!(done.status.code(), Some(0 | 1)), "{done:?}");
    done.status.success()
}

#[test]
fn a_caller_that_hangs_up_in_mid_question_leaves_a_record() {
    let gateway = Gateway::start("hang-up");
    let head = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         tolbooth-role: ed_nurse\r\nx-request-id: half\r\ncontent-length: 20\r\n\r\n"
    );
    gateway.nhs().hang_up_after(format!("{head}{{\"chi\":").as_bytes());
    let record = until("the record is there", || recorded_as(&gateway, "half"));
    assert_eq!(record["envelope"]["code"], "malformed_http");
    assert_eq!(gateway.system.heard().len(), 0, "half a question was asked");
}

#[test]
fn a_caller_that_hangs_up_before_the_answer_leaves_a_record_of_it() {
    let gateway = Gateway::start("gone");
    let body = asks(CHI);
    let whole = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         tolbooth-role: ed_nurse\r\nx-request-id: gone\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    // The system behind answers only once the caller is gone.
    let (gone, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    gateway.system.now_says(move |heard| {
        let _told = wait.lock().unwrap().recv();
        support::gateway::records(heard)
    });
    gateway.nhs().hang_up_after_told(whole.as_bytes(), || {
        until("the system behind is asked", || (!gateway.system.heard().is_empty()).then_some(()));
    });
    gone.send(()).unwrap();
    let record = until("the record is there", || recorded_as(&gateway, "gone"));
    assert_eq!(record["envelope"]["outcome"], "answered");
}

/// A field the contract does not know, in answer after answer: each record has its name, and the alarm is
/// raised once, not with every answer.
#[test]
fn drift_is_alarmed_on_the_record_and_not_with_every_answer() {
    let gateway = Gateway::start("drift");
    gateway.system.now_says(|heard| {
        let Reply::Json(status, body) = support::gateway::records(heard) else { panic!("JSON") };
        Reply::Json(status, body.replacen("[{", "[{\"shoe_size\":4,", 1))
    });
    let said: Vec<_> = (0..5).map(|_| gateway.check(CHI)).collect();
    for one in &said {
        assert_eq!(one.status, 200, "{one:?}");
        let record = ledger::exchange(&gateway.running().admin_socket, one.exchange());
        assert_eq!(record["sealed"]["dropped"], json!(["shoe_size"]), "{record}");
    }
    let alarms = until("the alarm is on the record", || {
        let alarms = gateway.search(json!({ "kind": "alarm" }));
        (!alarms.is_empty()).then_some(alarms)
    });
    // Two if a minute ended meanwhile.
    assert!(alarms.len() <= 2, "{alarms:?}");
    let alarm = &alarms[0];
    assert_eq!(alarm["envelope"]["cause"], "drift");
    assert_eq!(alarm["envelope"]["dataset"], "child-protection/v1");
    assert_eq!(alarm["sealed"]["dropped"], json!(["shoe_size"]));
    assert_eq!(gateway.metric("tolbooth_alarms_total{alarm=\"drift\",dataset=\"child-protection\"}"), 5);
}

fn recorded_as(gateway: &Gateway, correlation: &str) -> Option<Value> {
    let records = gateway.search(json!({ "kind": "exchange" }));
    records.into_iter().find(|found| found["envelope"]["correlation"] == correlation)
}

/// The binary itself at its most talkative, while everything that can hold a value does.
#[test]
fn no_identifier_or_value_is_in_any_log_line_metric_or_refusal() {
    let mut gateway = Gateway::start_changed("quiet", |home| {
        edit(&home.join("tolbooth.toml"), |text| text.replace("level = \"warn\"", "level = \"debug\""));
    });
    gateway.stop();
    let mut served = Served::start(&gateway.trial.configuration);
    let said = leaking(&gateway, &served);
    let (_, metrics) = support::gateway::local(served.local, "/metrics");
    served.signal(rustix::process::Signal::TERM);
    assert!(served.wait().success());
    let log = until("the last line is written", || Some(served.log()).filter(|log| log.contains("stopped")));
    // Every exchange is there by its id, so that nothing is quiet because it is missing.
    for one in &said {
        assert!(log.contains(one.exchange()), "{} is not in the log", one.exchange());
    }
    assert!(log.contains("safe_address_dropped"), "{log}");
    assert!(log.contains("it answered with status 500"), "why a source is not available is nowhere: {log}");
    let people = ["TX-1042", "Eilidh", "NicLe", "01632", "ZZ99", "2017-03-14", "Quigley"];
    for value in [CHI, ABSENT, EXCLUDED, "leak"].into_iter().chain(people) {
        for (place, text) in [("log", &log), ("metrics", &metrics)] {
            let line = text.lines().find(|line| line.contains(value));
            assert_eq!(line, None, "`{value}` is in the {place}");
        }
    }
    for one in said.iter().filter(|one| one.status != 200) {
        let body = String::from_utf8_lossy(&one.body);
        // The name of an unknown field goes back to whoever sent it, and nowhere else.
        assert!(!body.contains(CHI) && !body.replace("`name-leak`", "").contains("leak"), "{body}");
    }
    // Nor does the record hold what was asked about, or what a stray name might be.
    gateway.restart();
    for record in gateway.search(json!({ "kind": "exchange" })) {
        let (envelope, sealed) = (record["envelope"].to_string(), record["sealed"].to_string());
        for value in [CHI, ABSENT, EXCLUDED, "value-leak", "name-leak", "path-leak"].into_iter().chain(people)
        {
            assert!(!envelope.contains(value) && !sealed.contains(value), "`{value}` is in {record}");
        }
    }
}

/// Asks with something that must not leak in every place there is.
fn leaking(gateway: &Gateway, served: &Served) -> Vec<Said> {
    let nhs = Partner::new(&gateway.trial.ca, &gateway.trial.nhs, served.partners);
    let police = Partner::new(&gateway.trial.ca, &gateway.trial.police, served.partners);
    let told = [
        NURSE[0],
        ("tolbooth-user", "user.leak"),
        ("tolbooth-reason", "reason-leak"),
        ("tolbooth-case", "case-leak"),
        ("x-request-id", "request-leak"),
        ("x-correlation-id", "correlation-leak"),
        ("traceparent", "trace-leak"),
    ];
    let mut said = vec![
        nhs.ask(CHECK, &told, &asks(CHI)),
        nhs.ask(CHECK, &told, &asks(ABSENT)),
        nhs.ask(CHECK, &told, &asks(EXCLUDED)),
        nhs.ask(CHECK, &told, &asks("value-leak")),
        nhs.ask(CHECK, &told, &format!("{{\"name-leak\":\"{CHI}\"}}")),
        nhs.ask(&format!("{CHECK}?chi={CHI}"), &told, &asks(CHI)),
        nhs.ask(&format!("/path-leak/v1/{CHI}"), &told, &asks(CHI)),
        nhs.ask(CHECK, &[NURSE[0], ("tolbooth-purpose", "purpose-leak")], &asks(CHI)),
        nhs.ask(CHECK, &[("tolbooth-role", "role-leak")], &asks(CHI)),
        nhs.ask(CHECK, &[NURSE[0], ("tolbooth-agreement", "agreement-leak")], &asks(CHI)),
        nhs.ask(CHECK, &[NURSE[0], ("tolbooth-user", "a"), ("tolbooth-user", "user.leak")], &asks(CHI)),
        police.ask("/taxi-licence/v1/check", &told[1..], r#"{"licence_no":"TX-1042"}"#),
    ];
    for (status, odd) in [
        (200, r#"{"clients":[{"value-leak":1}]}"#),
        (200, r#"{"clients":[{"cp":{"on_register":"value-leak"}}]}"#),
        (200, "value-leak"),
        (500, "value-leak"),
    ] {
        gateway.system.now_says(move |_| Reply::Json(status, odd.to_owned()));
        said.push(nhs.ask(CHECK, &told, &asks(CHI)));
    }
    gateway.system.now_says(|heard| {
        let Reply::Json(status, body) = support::gateway::records(heard) else { panic!("JSON") };
        let more = "\"safe_address\":\"value-leak\",\"person\"";
        Reply::Json(status, body.replacen("\"person\"", more, 1))
    });
    said.push(nhs.ask(CHECK, &told, &asks(CHI)));
    said
}

fn one_role(home: &Path) {
    reword(home, CHILD, |text| text.replace("\"ed_clinician\", ", ""));
}

/// Names and lengths of headers.
fn lengths(said: &Said) -> Vec<(String, usize)> {
    let own = ["tolbooth-receipt"];
    let of = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (!own.contains(&name.as_str())).then(|| (name.to_string(), value.len()))
    };
    said.headers.iter().filter_map(of).collect()
}

/// Status, headers but ids, receipt and date, and the body without the members named.
fn without_ids(said: &Said, members: &[&str]) -> (u16, Vec<(String, String)>, Value) {
    let own = ["tolbooth-receipt", "tolbooth-exchange", "date"];
    let headers = said
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let mut body = said.json();
    for member in members {
        body[*member] = Value::Null;
    }
    (said.status, headers, body)
}

/// Debian's curl, if it is here.
fn curl() -> Option<&'static str> {
    let found = Command::new("curl").arg("--version").output().is_ok_and(|done| done.status.success());
    if !found {
        eprintln!("skipped: there is no curl on this machine");
    }
    found.then_some("curl")
}
