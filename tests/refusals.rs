//! Every row of the refusal table, driven over a real socket: what the caller is told is what the
//! table says, and what is recorded has a receipt for exactly that answer.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use rcgen::KeyPair;
use serde_json::json;
use tolbooth::clock::Clock;
use tolbooth::model::Code;

use support::agreements::{self, CHILD, TAXI, agree, edit, reword};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks, records};
use support::grants::{self, GRANT};
use support::partner::Said;
use support::system::Reply;
use support::{forge, ledger, lists, notes, until};

/// A refusal as it came, and the gateway it came from.
struct Told {
    gateway: Gateway,
    said: Said,
    recorded: bool,
    retry_after: bool,
}

impl Told {
    fn recorded(gateway: Gateway, said: Said) -> Self {
        Self { gateway, said, recorded: true, retry_after: false }
    }

    fn unrecorded(gateway: Gateway, said: Said) -> Self {
        Self { gateway, said, recorded: false, retry_after: false }
    }

    fn is_as_the_table_says(&self, code: Code) {
        let said = &self.said;
        assert_eq!(said.status, code.status(), "{said:?}");
        assert_eq!(said.header("content-type"), "application/problem+json");
        assert_eq!(said.header("cache-control"), "no-store");
        let problem = said.json();
        assert_eq!(problem["code"], code.as_str(), "{problem}");
        assert_eq!(problem["type"], format!("urn:tolbooth:refusal:{code}"));
        assert_eq!(problem["title"], code.sentence());
        assert_eq!(problem["status"], code.status());
        assert_eq!(problem["retry"], code.retry());
        assert_eq!(problem["fixer"], code.fixer().as_str());
        // More than the title, in sentences, or nothing.
        if let Some(detail) = problem.get("detail") {
            let detail = detail.as_str().unwrap();
            assert!(!detail.contains(code.sentence()) && !detail.contains('('), "{problem}");
            assert!(detail.ends_with('.') && detail.starts_with(|c: char| !c.is_lowercase()), "{problem}");
        }
        assert_eq!(problem["exchange"], said.exchange());
        let wait = said.headers.get("retry-after").map(|value| value.to_str().unwrap().parse::<u64>());
        assert_eq!(wait.is_some(), self.retry_after, "{said:?}");
        assert!(wait.is_none_or(|seconds| seconds.is_ok_and(|seconds| seconds >= 1)));
        if self.recorded {
            assert_eq!(said.outcome(), "refused");
            let envelope = ledger::envelope(&self.gateway.home, said);
            assert_eq!(envelope["exchange"], said.exchange());
            assert_eq!(envelope["outcome"], "refused");
            assert_eq!(envelope["code"], code.as_str());
            assert_eq!(envelope["status"], code.status());
            assert_eq!(envelope["rows"], 0);
            assert_eq!(envelope["fields"], json!([]));
        } else {
            assert_eq!(said.outcome(), "unrecorded");
            assert_eq!(said.receipt(), None);
        }
    }
}

/// One test for each row, and the list of rows that have one.
macro_rules! rows {
    ($($code:ident => $drive:ident;)+) => {
        const DRIVEN: &[Code] = &[$(Code::$code),+];

        mod row {
            $(#[test]
            fn $drive() {
                super::$drive().is_as_the_table_says(super::Code::$code);
            })+
        }
    };
}

rows! {
    MalformedHttp => malformed_http;
    CertificateNotAccepted => certificate_not_accepted;
    CertificateRevoked => certificate_revoked;
    RevocationUnknown => revocation_unknown;
    TokenNotAccepted => token_not_accepted;
    SignatureNotAccepted => signature_not_accepted;
    NotAgreed => not_agreed;
    AgreementAmbiguous => agreement_ambiguous;
    AgreementNotInForce => agreement_not_in_force;
    GrantSpent => grant_spent;
    PurposeNotAllowed => purpose_not_allowed;
    RoleNotAllowed => role_not_allowed;
    UserMissing => user_missing;
    ReasonMissing => reason_missing;
    CaseMissing => case_missing;
    TokenMissing => token_missing;
    TokenInsufficient => token_insufficient;
    SignatureMissing => signature_missing;
    Guardrail => guardrail;
    OutsideHours => outside_hours;
    TooLarge => too_large;
    QuestionInvalid => question_invalid;
    Stopped => stopped;
    LimitReached => limit_reached;
    CannotDecide => cannot_decide;
    SourceUnavailable => source_unavailable;
    SourceTimeout => source_timeout;
    SourceInvalid => source_invalid;
    TooManyMatches => too_many_matches;
    OutcomeUnknown => outcome_unknown;
    CannotRecord => cannot_record;
}

#[test]
fn every_row_of_the_table_is_driven() {
    let driven: std::collections::BTreeSet<Code> = DRIVEN.iter().copied().collect();
    let table: std::collections::BTreeSet<Code> = Code::ALL.iter().copied().collect();
    assert_eq!(driven, table, "a row without a test");
    assert_eq!(DRIVEN.len(), Code::ALL.len());
}

fn malformed_http() -> Told {
    let gateway = Gateway::start("malformed");
    let twice = [NURSE[0], ("tolbooth-role", "ed_clinician")];
    let said = gateway.nhs().ask(CHECK, &twice, &asks(CHI));
    Told::recorded(gateway, said)
}

fn certificate_not_accepted() -> Told {
    let gateway = Gateway::start("nameless");
    let key = KeyPair::generate().unwrap();
    let nameless =
        forge::client(&gateway.home, "nhs-lomond", "nameless", &key, |leaf| leaf.subject_alt_names.clear());
    let said = gateway.partner(&nameless).ask(CHECK, &NURSE, &asks(CHI));
    Told::unrecorded(gateway, said)
}

fn certificate_revoked() -> Told {
    let gateway = Gateway::start_changed("revoked", |home| forge::revoke(home, "nhs-lomond", "ed-trak"));
    let said = gateway.check(CHI);
    Told::unrecorded(gateway, said)
}

fn signature_not_accepted() -> Told {
    let gateway = Gateway::start("signature");
    let half = [NURSE[0], ("signature", "sig=:AAAA:")];
    // The agreement asks for none, and all the same it counts.
    let said = gateway.nhs().ask(CHECK, &half, &asks(CHI));
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    Told::recorded(gateway, said)
}

fn token_not_accepted() -> Told {
    let gateway = Gateway::start("token-not-accepted");
    let said = gateway.nhs().ask(CHECK, &[NURSE[0], ("authorization", "Bearer x.y.z")], &asks(CHI));
    let challenge = said.header("www-authenticate");
    assert!(challenge.starts_with("Bearer realm=\"tolbooth\", error=\"invalid_token\""), "{challenge}");
    Told::recorded(gateway, said)
}

fn revocation_unknown() -> Told {
    let gateway = Gateway::start_changed("unknown", |home| {
        lists::put(home, "nhs-lomond", 1, &[]);
        edit(&home.join("members.toml"), |text| {
            forge::with_member(&text, "nhs-lomond", &lists::line("nhs-lomond"))
        });
        edit(&home.join("tolbooth.toml"), |text| format!("{text}\n[revocation]\nexpired_crl = \"refuse\"\n"));
    });
    gateway.clock.shift(jiff::SignedDuration::from_hours(25));
    let said = gateway.check(CHI);
    Told::unrecorded(gateway, said)
}

fn not_agreed() -> Told {
    let gateway = Gateway::start("not-agreed");
    let said = gateway.police().ask(CHECK, &NURSE, &asks(CHI));
    Told::recorded(gateway, said)
}

fn agreement_ambiguous() -> Told {
    let gateway = Gateway::start_changed("ambiguous", |home| {
        let other = agreements::unsealed(&agreements::text(home, CHILD))
            .replace(CHILD, "direct-care")
            .replace("safeguarding_child", "direct_care");
        agree(home, "direct-care", &other);
    });
    let said = gateway.check(CHI);
    // Stating the purpose, or naming the agreement, is all it takes.
    for header in [("tolbooth-purpose", "safeguarding_child"), ("tolbooth-agreement", CHILD)] {
        let helped = gateway.nhs().ask(CHECK, &[NURSE[0], header], &asks(CHI));
        assert_eq!(helped.status, 200, "{helped:?}");
    }
    Told::recorded(gateway, said)
}

fn grant_spent() -> Told {
    let gateway = Gateway::start_changed("grant-spent", |home| {
        grants::grant(home, GRANT, &grants::words(GRANT, &Clock::new().unwrap()), &[CHI]);
    });
    let ask = || gateway.nhs().ask(CHECK, &[NURSE[0], grants::named(GRANT)], &asks(CHI));
    assert_eq!(ask().status, 200);
    let said = ask();
    Told::recorded(gateway, said)
}

fn agreement_not_in_force() -> Told {
    let gateway = Gateway::start_changed("unsigned", |home| {
        std::fs::remove_file(agreements::signatures(home, CHILD)).unwrap();
    });
    let said = gateway.check(CHI);
    Told::recorded(gateway, said)
}

fn purpose_not_allowed() -> Told {
    let gateway = Gateway::start("purpose");
    let said = gateway.nhs().ask(CHECK, &[NURSE[0], ("tolbooth-purpose", "research")], &asks(CHI));
    Told::recorded(gateway, said)
}

fn role_not_allowed() -> Told {
    let gateway = Gateway::start("role");
    let unstated = gateway.nhs().ask(CHECK, &[], &asks(CHI));
    assert_eq!(unstated.code(), "role_not_allowed", "one of two roles has to be stated");
    let said = gateway.nhs().ask(CHECK, &[("tolbooth-role", "porter")], &asks(CHI));
    Told::recorded(gateway, said)
}

fn user_missing() -> Told {
    let gateway = Gateway::start("user");
    let said = gateway.police().ask("/taxi-licence/v1/check", &[], r#"{"licence_no":"TX-1042"}"#);
    Told::recorded(gateway, said)
}

/// A whole agreement of format 2 in the place of the trial about children, with the same dates.
fn whole(home: &std::path::Path, change: impl Fn(String) -> String) {
    let before = agreements::text(home, CHILD);
    let day = |key: &str| {
        let line = before.lines().find(|line| line.starts_with(key)).unwrap();
        line.trim_start_matches(key).split('#').next().unwrap().trim().to_owned()
    };
    let (from, until) = (day("from ="), day("until ="));
    let text = include_str!("golden/agreements/child-protection.toml")
        .replace("stage = \"live\"", "stage = \"trial\"")
        .replace("from = 2026-12-01", &format!("from = {from}"))
        .replace("until = 2028-11-30", &format!("until = {until}"))
        .replace("review_due = 2027-12-01", &format!("review_due = {until}"));
    agree(home, CHILD, &change(text));
}

fn reason_missing() -> Told {
    let gateway = Gateway::start_changed("reason", |home| whole(home, |text| text));
    let headers = [NURSE[0], ("tolbooth-user", "u-17"), ("tolbooth-reason", "R1")];
    assert_eq!(gateway.nhs().ask(CHECK, &headers, &asks(CHI)).outcome(), "answered");
    let asked = gateway.system.heard().len();
    let said = gateway.nhs().ask(CHECK, &headers[..2], &asks(CHI));
    assert_eq!(gateway.system.heard().len(), asked, "the system behind was asked");
    Told::recorded(gateway, said)
}

fn case_missing() -> Told {
    let gateway = Gateway::start_changed("case", |home| {
        whole(home, |text| text.replace("case_ref = false", "case_ref = true"));
    });
    let headers = [NURSE[0], ("tolbooth-user", "u-17"), ("tolbooth-reason", "R1"), ("tolbooth-case", "C-4")];
    assert_eq!(gateway.nhs().ask(CHECK, &headers, &asks(CHI)).outcome(), "answered");
    let said = gateway.nhs().ask(CHECK, &headers[..3], &asks(CHI));
    Told::recorded(gateway, said)
}

fn token_missing() -> Told {
    let gateway = Gateway::start_changed("token-missing", |home| {
        reword(home, CHILD, |text| text.replace("assurance = \"certificate\"", "assurance = \"token\""));
    });
    let said = gateway.check(CHI);
    assert_eq!(said.header("www-authenticate"), "Bearer realm=\"tolbooth\"");
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    Told::recorded(gateway, said)
}

fn token_insufficient() -> Told {
    let gateway = Gateway::start_changed("token-insufficient", |home| {
        let other = agreements::unsealed(&agreements::text(home, CHILD))
            .replace(CHILD, "direct-care")
            .replace("safeguarding_child", "direct_care");
        agree(home, "direct-care", &other);
    });
    let bearer = format!("Bearer {}", gateway.nhs().token("scope=agreement:direct-care"));
    let headers = [NURSE[0], ("authorization", &bearer), ("tolbooth-agreement", CHILD)];
    let said = gateway.nhs().ask(CHECK, &headers, &asks(CHI));
    let challenge = said.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    Told::recorded(gateway, said)
}

fn signature_missing() -> Told {
    let gateway = Gateway::start_changed("signature-missing", |home| {
        reword(home, CHILD, |text| text.replace("assurance = \"certificate\"", "assurance = \"signed\""));
    });
    assert_eq!(gateway.check(CHI).code(), "token_missing", "a signature stands on a token");
    let bearer = format!("Bearer {}", gateway.nhs().token(""));
    let said = gateway.nhs().ask(CHECK, &[NURSE[0], ("authorization", &bearer)], &asks(CHI));
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    Told::recorded(gateway, said)
}

fn guardrail() -> Told {
    let gateway = Gateway::start_changed("guardrail", |home| {
        add_guardrail(home, "no-health", r#"context.class == Tolbooth::Class::"health""#);
    });
    let said = gateway.check(CHI);
    assert!(said.json()["detail"].as_str().unwrap().contains("no-health"), "{said:?}");
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    Told::recorded(gateway, said)
}

fn outside_hours() -> Told {
    // Open the day after tomorrow alone.
    let day = (Clock::new().unwrap().today() + jiff::ToSpan::days(2)).weekday();
    let (_, name) = tolbooth::model::DAYS.iter().find(|(known, _)| *known == day).unwrap();
    let hours = format!("\n[access.hours]\n{name} = [\"00:00-24:00\"]\n\n[data]");
    let gateway = Gateway::start_changed("outside-hours", |home| {
        reword(home, CHILD, |text| text.replace("\n[data]", &hours));
    });
    let said = gateway.check(CHI);
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    Told { retry_after: true, ..Told::recorded(gateway, said) }
}

/// A contract that answers a list of what it answered one of.
fn as_list(contract: &str) -> String {
    let mut contract: serde_json::Value = serde_json::from_str(contract).unwrap();
    let answer =
        &mut contract["paths"]["/check"]["post"]["responses"]["200"]["content"]["application/json"]["schema"];
    *answer = json!({ "type": "array", "items": answer.take() });
    contract.to_string()
}

fn too_many_matches() -> Told {
    let gateway = Gateway::start_changed("many", |home| {
        // The register's contract, with a list for an answer.
        edit(&home.join("schemas/child-protection.v1.json"), |text| as_list(&text));
        edit(&home.join("policies/datasets/child-protection.toml"), |text| {
            text.replace("document = \"/clients/0\"", "document = \"/clients\"")
        });
        let text = agreements::unsealed(&agreements::text(home, CHILD));
        agree(home, CHILD, &text.replace("per_minute = 30", "per_minute = 30\nrows_per_answer = 1"));
    });
    gateway.system.now_says(|heard| {
        let Reply::Json(status, one) = records(heard) else { panic!("the register answers JSON") };
        let mut all: serde_json::Value = serde_json::from_str(&one).unwrap();
        let clients = all["clients"].as_array_mut().unwrap();
        clients.push(clients[0].clone());
        Reply::Json(status, all.to_string())
    });
    let said = gateway.check(CHI);
    assert!(!String::from_utf8_lossy(&said.body).contains("registered"), "{said:?}");
    Told::recorded(gateway, said)
}

fn too_large() -> Told {
    let gateway = Gateway::start("large");
    let said = gateway.check(&"1".repeat(70_000));
    Told::recorded(gateway, said)
}

fn question_invalid() -> Told {
    let gateway = Gateway::start("invalid");
    let said = gateway.check("14031701x9");
    assert!(!String::from_utf8_lossy(&said.body).contains("14031701x9"), "a value came back");
    let detail = said.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("/chi ") && !detail.contains("contract"), "{detail}");
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    Told::recorded(gateway, said)
}

fn stopped() -> Told {
    let gateway = Gateway::start("stopped");
    let stop = ["stop", "--dataset", "child-protection", "--purpose", "a test"];
    let done = support::site::run(&gateway.home, &stop);
    assert_eq!(done.code, Some(0), "{done:?}");
    let said = gateway.check(CHI);
    Told { retry_after: true, ..Told::recorded(gateway, said) }
}

fn limit_reached() -> Told {
    let gateway = Gateway::start_changed("limit", |home| {
        reword(home, CHILD, |text| text.replace("per_minute = 30", "per_minute = 1"));
    });
    assert_eq!(gateway.check(CHI).status, 200);
    let said = gateway.check(CHI);
    Told { retry_after: true, ..Told::recorded(gateway, said) }
}

fn cannot_decide() -> Told {
    // It overflows at every hour; Cedar alone would skip it and permit.
    let gateway = Gateway::start_changed("undecided", |home| {
        add_guardrail(home, "overflow", "(context.hour + 1) * 9223372036854775807 * 2 == 0");
    });
    let said = gateway.check(CHI);
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    Told::recorded(gateway, said)
}

fn source_unavailable() -> Told {
    let gateway = Gateway::start("unavailable");
    gateway.system.now_says(|_| Reply::Json(503, "{}".to_owned()));
    let said = gateway.check(CHI);
    Told::recorded(gateway, said)
}

fn source_timeout() -> Told {
    let gateway = Gateway::start_changed("timeout", |home| {
        let dataset = home.join("policies/datasets/child-protection.toml");
        edit(&dataset, |text| text.replace("timeout_ms = 3000", "timeout_ms = 200"));
    });
    gateway.system.now_says(|_| Reply::Silence(Duration::from_secs(90)));
    let said = gateway.check(CHI);
    Told::recorded(gateway, said)
}

fn source_invalid() -> Told {
    let gateway = Gateway::start("source-invalid");
    gateway.system.now_says(|heard| {
        let Reply::Json(status, body) = support::gateway::records(heard) else { panic!("JSON") };
        Reply::Json(status, body.replace("\"on_register\":true", "\"on_register\":\"maybe\""))
    });
    let said = gateway.check(CHI);
    assert!(!String::from_utf8_lossy(&said.body).contains("maybe"), "a value came back");
    Told::recorded(gateway, said)
}

fn outcome_unknown() -> Told {
    let gateway = Gateway::start_changed("unknown", notes::add);
    gateway.system.now_says(|_| Reply::Raw(Vec::new()));
    let keyless = gateway.nhs().ask(notes::PATH, &[], notes::QUESTION);
    assert_eq!(keyless.code(), "question_invalid", "a change without an idempotency key");
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    let said = gateway.nhs().ask(notes::PATH, &[("idempotency-key", "n-1")], notes::QUESTION);
    assert_eq!(gateway.system.heard().len(), 1, "a change is sent once, whatever becomes of it");
    // The intent was there before the exchange that closes it.
    let kinds: Vec<_> = ledger::search(&gateway.running().admin_socket, json!({}))
        .into_iter()
        .filter(|found| found["envelope"]["exchange"] == said.exchange())
        .map(|found| found["envelope"]["kind"].clone())
        .collect();
    assert_eq!(kinds, ["intent", "exchange"]);
    Told::recorded(gateway, said)
}

fn cannot_record() -> Told {
    let gateway = Gateway::start("unrecorded");
    gateway.running().app.ledger.stop();
    let said = gateway.check(CHI);
    until("readiness is red", || (gateway.local("/ready").0 == 503).then_some(()));
    assert_eq!(gateway.light("ledger"), "red");
    Told { retry_after: true, ..Told::unrecorded(gateway, said) }
}

#[test]
fn a_change_is_not_forwarded_without_its_intent_on_the_record() {
    let gateway = Gateway::start_changed("intent", notes::add);
    gateway.running().app.ledger.stop();
    let said = gateway.nhs().ask(notes::PATH, &[("idempotency-key", "n-1")], notes::QUESTION);
    assert_eq!((said.code().as_str(), said.receipt()), ("cannot_record", None), "{said:?}");
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
}

#[test]
fn a_change_whose_end_cannot_be_recorded_has_an_unknown_outcome_and_is_not_to_be_repeated() {
    let gateway = Gateway::start_changed("unended", notes::add);
    let ledger = gateway.running().app.ledger.clone();
    // The intent is durable and the change is made; then the ledger ends.
    gateway.system.now_says(move |_| {
        ledger.stop();
        Reply::Json(200, r#"{"reference":"N-7"}"#.to_owned())
    });
    let said = gateway.nhs().ask(notes::PATH, &[("idempotency-key", "n-1")], notes::QUESTION);
    assert_eq!((said.status, said.code().as_str()), (409, "outcome_unknown"), "{said:?}");
    assert_eq!((said.outcome(), said.receipt()), ("unrecorded", None));
    assert!(!said.headers.contains_key("retry-after"), "{said:?}");
    assert!(!String::from_utf8_lossy(&said.body).contains("N-7"), "the answer left");
}

#[test]
fn a_change_that_was_made_is_answered() {
    let gateway = Gateway::start_changed("change", notes::add);
    gateway.system.now_says(|_| Reply::Json(200, r#"{"reference":"N-7"}"#.to_owned()));
    let said = gateway.nhs().ask(notes::PATH, &[("idempotency-key", "n-1")], notes::QUESTION);
    assert_eq!((said.status, said.json()), (200, json!({ "reference": "N-7" })));
}

/// What the caller is told of a change whose answer cannot be used, whatever stage finds that out.
#[test]
fn a_change_whose_answer_cannot_be_used_has_an_unknown_outcome() {
    let gateway = Gateway::start_changed("odd-change", notes::add);
    for (number, odd) in [
        r#"{"reference":7}"#,
        r#"{}"#,
        "[]",
        "nonsense",
        // Fits the type, and not what the view allows.
        r#"{"reference":"a reference that is longer than the forty characters of the contract"}"#,
    ]
    .into_iter()
    .enumerate()
    {
        gateway.system.now_says(move |_| Reply::Json(200, odd.to_owned()));
        let key = format!("n-{number}");
        let said = gateway.nhs().ask(notes::PATH, &[("idempotency-key", &key)], notes::QUESTION);
        assert_eq!(said.code(), "outcome_unknown", "{odd}: {said:?}");
    }
}

#[test]
fn a_request_that_is_not_http_is_told_so_and_learns_nothing() {
    let gateway = Gateway::start("not-http");
    let said = gateway.nhs().raw(b"this is not HTTP\r\n\r\n");
    assert!(!String::from_utf8_lossy(&said).contains("200 OK"), "{said:?}");
    assert_eq!(gateway.check(CHI).status, 200, "the gateway goes on");
}

#[test]
fn refusals_beyond_a_members_rate_are_counted_and_not_recorded_one_by_one() {
    let mut gateway = Gateway::start_changed("rate", |home| {
        edit(&home.join("tolbooth.toml"), |text| {
            format!("{text}\n[limits]\nrecorded_refusals_per_minute = 1\n")
        });
    });
    let wrong = |gateway: &Gateway| gateway.nhs().ask("/nothing/v1/check", &[], "{}");
    // Two minutes may be touched, and so two may be recorded; not three.
    let told: Vec<Said> = (0..3).map(|_| wrong(&gateway)).collect();
    assert_eq!(told[0].outcome(), "refused");
    let counted: Vec<&Said> = told.iter().filter(|said| said.outcome() == "unrecorded").collect();
    assert!(!counted.is_empty(), "{told:?}");
    for said in counted {
        // One answer, whatever the refusal was.
        assert_eq!((said.status, said.code().as_str()), (429, "limit_reached"), "{said:?}");
        assert_eq!(said.header("retry-after"), "60");
        assert_eq!(said.receipt(), None);
    }
    // Another member's refusals go on being recorded.
    let other = gateway.police().ask(CHECK, &[], "{}");
    assert_eq!(other.outcome(), "refused");
    gateway.restart();
    let summaries = gateway.search(json!({ "kind": "summary" }));
    let counted = summaries.iter().any(|found| {
        let envelope = &found["envelope"];
        envelope["member"] == "nhs-lomond" && envelope["cause"] == "not_agreed"
    });
    assert!(counted, "{summaries:?}");
}

#[test]
fn an_answer_is_counted_without_the_code_of_a_refusal() {
    let gateway = Gateway::start("no-code");
    assert_eq!(gateway.check(CHI).status, 200);
    assert_eq!(gateway.metric("tolbooth_exchanges_total{outcome=\"answered\",code=\"none\"}"), 1);
}

#[test]
fn the_taxi_agreement_is_not_the_nurses() {
    let gateway = Gateway::start("other-partner");
    let named = [("tolbooth-agreement", TAXI), ("tolbooth-user", "n.macleod")];
    let said = gateway.nhs().ask("/taxi-licence/v1/check", &named, r#"{"licence_no":"TX-1042"}"#);
    assert_eq!(said.code(), "not_agreed");
}

#[test]
fn a_get_is_not_a_question() {
    let gateway = Gateway::start("get");
    let get = Request::get(CHECK).header("host", "localhost").body(Full::default()).unwrap();
    assert_eq!(gateway.nhs().send(get).code(), "not_agreed");
}

fn add_guardrail(home: &std::path::Path, id: &str, when: &str) {
    let text = format!("@id(\"{id}\")\nforbid (principal, action, resource) when {{ {when} }};\n");
    agreements::replace(&home.join(format!("policies/guardrails/{id}.cedar")), text.as_bytes());
}
