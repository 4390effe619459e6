//! The health of agreements (R7): each status from what it is derived from, what needs a decision first, and what only
//! the running gateway knows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Value, json};
use support::agreements::CHILD;
use support::gateway::{CHECK, CHI, NURSE, asks};
use support::grants::{GRANT, grant, named, words};
use support::judged::{entries, judged, whole};
use support::served::Served;
use support::site::{Ran, Site, run};
use tolbooth::clock::Clock;
use tolbooth::desk::paper::{Health, Look, Record, Row, Urgency, health, html, text};
use tolbooth::model::{Action, AgreementRef, MemberId};
use tolbooth::policy::{Agreement, Entry, Reason};

fn name_of(member: &MemberId) -> String {
    format!("Name of {member}")
}

/// What a register is made with, beside agreements.
struct Given {
    today: &'static str,
    record: Option<Record>,
    recorded: Vec<Reason>,
    templates: BTreeMap<String, u32>,
}

impl Given {
    fn on(today: &'static str) -> Self {
        Self { today, record: None, recorded: Vec::new(), templates: BTreeMap::new() }
    }

    fn made(&self, entries: &[Arc<Entry>]) -> Health {
        let today: Date = self.today.parse().unwrap();
        let next = |_: &[Reason], agreement: &Agreement| Some(format!("next for {}", agreement.reference));
        let now = today.at(12, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
        let look = Look {
            now,
            today,
            member: &MemberId::new("glenmore").unwrap(),
            names: &name_of,
            record: self.record.as_ref(),
            recorded: &|_: &AgreementRef| self.recorded.clone(),
            templates: &self.templates,
            next: &next,
        };
        health(entries, &look)
    }

    fn of(&self, text: &str) -> Row {
        self.made(&entries(vec![judged(text, true)])).rows.remove(0)
    }
}

fn whys(row: &Row) -> String {
    row.needs.iter().map(|need| format!("{}: {}\n", need.urgency.as_str(), need.why)).collect()
}

/// A record that begins on a day, with one line.
fn record(begun: &str, line: Value) -> Record {
    let mut record = Record::new(&json!({ "begun": begun }));
    record.take(&line).unwrap();
    record
}

fn used(version: u32, last: Option<&str>, limits: u64) -> Value {
    json!({
        "agreement": format!("{CHILD}@{version}"), "answers": 1, "last": last, "recent_answers": 7,
        "recent_refusals": limits, "recent_limits": limits, "used": false,
    })
}

#[test]
fn a_status_follows_from_dates_signatures_and_acts() {
    let child = whole("child-protection");
    let status = |today, text: &str| Given::on(today).of(text).status.to_string();
    assert_eq!(status("2026-11-30", &child), "scheduled");
    assert_eq!(status("2026-12-01", &child), "active");
    assert_eq!(status("2027-12-01", &child), "active", "due on a day is not overdue on that day");
    assert_eq!(status("2027-12-02", &child), "review_overdue");
    assert_eq!(status("2028-12-01", &child), "expired");
    let by = |action| Given {
        recorded: vec![Reason::Against { action, member: MemberId::new("nhs-lomond").unwrap(), on: None }],
        ..Given::on("2027-01-01")
    };
    assert_eq!(by(Action::Suspend).of(&child).status.to_string(), "suspended");
    assert_eq!(by(Action::Withdraw).of(&child).status.to_string(), "terminated");
    let unsigned = Given::on("2026-11-23").made(&entries(vec![judged(&child, false)])).rows.remove(0);
    assert_eq!(unsigned.status.to_string(), "awaiting_signature");
    assert_eq!(unsigned.unsigned, ["Name of glenmore"]);
    let [need] = unsigned.needs.as_slice() else { panic!("{unsigned:?}") };
    assert_eq!((need.urgency, need.days), (Urgency::Soon, Some(8)), "it begins in eight days");
    assert_eq!(need.who, "who has not signed: Name of glenmore");
    assert!(need.act.starts_with("next for"), "{need:?}");
    // The record has answers under a newer version: this one never returns, whatever its files say.
    let newer = record("2026-01-01T00:00:00Z", used(4, Some("2027-01-01T09:00:00Z"), 0));
    let given = Given { record: Some(newer), ..Given::on("2027-02-01") };
    assert_eq!(given.of(&child).status.to_string(), "superseded");
}

#[test]
fn what_has_a_day_is_told_before_it_and_after_it() {
    let child = whole("child-protection");
    let told = |today| whys(&Given::on(today).of(&child));
    assert_eq!(told("2027-01-01"), "", "nothing is due");
    let assurance = told("2027-03-02");
    assert_eq!(
        assurance,
        "soon: Cyber Essentials Plus of Name of nhs-lomond ends on 1 May 2027, in 60 days\n"
    );
    assert_eq!(told("2027-03-01"), "", "and not a day before");
    let passed = told("2027-10-03");
    assert!(
        passed.contains("now: the impact assessment was to be reviewed by 2 October 2027, 1 day ago"),
        "{passed}"
    );
    assert!(
        passed.contains("now: Cyber Essentials Plus of Name of nhs-lomond ended on 1 May 2027"),
        "{passed}"
    );
    assert!(passed.contains("soon: its review is due on 1 December 2027, in 59 days"), "{passed}");
    assert!(told("2028-11-01").contains("soon: it ends after 30 November 2028, in 29 days"));
    let row = Given::on("2027-12-11").of(&child);
    let review = row.needs.iter().find(|need| need.why.starts_with("its review")).unwrap();
    assert_eq!(review.why, "its review was due on 1 December 2027, 10 days ago");
    assert_eq!(review.who, "Data Protection Officer of Name of glenmore, dpo@glenmore.example");
    assert_eq!((row.review_days, row.days_left), (Some(-10), Some(355)));
}

#[test]
fn use_is_asked_about_only_where_the_record_can_tell() {
    let child = whole("child-protection");
    let told = |begun, last| {
        let record = Some(record(begun, used(3, last, 2)));
        whys(&Given { record, ..Given::on("2027-03-01") }.of(&child))
    };
    let unused = "later: nothing was answered under it in 90 days\n";
    let limits = "later: its limits refused 2 questions in 90 days\n";
    let old = "2026-01-01T00:00:00Z";
    assert_eq!(told(old, None), format!("{unused}{limits}"));
    assert_eq!(told(old, Some("2026-12-01T11:00:00Z")), format!("{unused}{limits}"));
    assert_eq!(told(old, Some("2026-12-01T13:00:00Z")), limits, "89 days and 23 hours ago");
    assert_eq!(told("2026-12-02T00:00:00Z", None), limits, "the record does not go back so far");
    let early = Given { record: Some(record(old, used(3, None, 0))), ..Given::on("2027-02-28") };
    assert_eq!(whys(&early.of(&child)), "", "in force for 89 days");
    assert!(Given::on("2027-03-01").of(&child).used.is_none());
    let template = [("digital-office/child-protection-check".to_owned(), 3)].into();
    let given = Given { templates: template, ..Given::on("2027-01-01") };
    let why =
        "later: its template is digital-office/child-protection-check@2, and there is version 3 of that\n";
    assert_eq!(whys(&given.of(&child)), why);
}

#[test]
fn what_needs_a_decision_first_stands_first_and_every_row_says_what_to_do_and_who() {
    let all = entries(vec![
        judged(&whole("premises"), true),
        judged(&whole("child-protection"), true),
        judged(&whole("taxi-licence"), false),
    ]);
    let made = Given::on("2027-12-11").made(&all);
    let urgencies: Vec<Urgency> = made.rows.iter().map(Row::urgency).collect();
    assert!(urgencies.is_sorted(), "{urgencies:?}");
    let sheet = made.sheet();
    let column = |name| sheet.columns.iter().position(|one| *one == name).unwrap();
    for row in &sheet.rows {
        assert_eq!(row.len(), sheet.columns.len());
        assert!(!row[column("do")].is_empty() && !row[column("who")].is_empty(), "{row:?}");
        assert_eq!(row[column("last-used")], "unknown");
    }
    let (page, html) = (text(&made.document()), html(&made.document()));
    assert!(page.contains("Needs a decision now"), "{page}");
    assert!(
        page.lines().all(|line| line.chars().count() <= 80 || !line.trim_start().contains(' ')),
        "{page}"
    );
    assert!(html.contains("<th scope=\"col\" role=\"columnheader\">What to do</th>"));
    assert_eq!(made.json()["rows"].as_array().unwrap().len(), 3);
}

/// The register as JSON, by agreement.
fn register(site: &Site) -> (BTreeMap<String, Value>, Value) {
    let ran = run(&site.home, &["agreement", "register", "--format", "health", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let all: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = all["rows"].as_array().unwrap().iter();
    (
        rows.map(|row| (row["agreement"].as_str().unwrap().to_owned(), row.clone())).collect(),
        all["record"].clone(),
    )
}

#[test]
fn the_running_gateway_says_what_only_the_record_knows_and_records_the_look() {
    let site = Site::new("health");
    let clock = Clock::new().unwrap();
    grant(&site.home, GRANT, &words(GRANT, &clock), &[CHI]);
    let (child, taken) = (format!("{CHILD}@1"), format!("{GRANT}@1"));
    let served = Served::start(&site);
    let nhs = served.nhs(&site);
    assert_eq!(nhs.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    assert_eq!(nhs.ask(CHECK, &NURSE, &asks("0101010009")).status, 404);
    let (before, record) = register(&site);
    assert_eq!(record, json!({ "asked": true, "why_not": null }));
    assert_eq!((&before[&child]["status"], &before[&child]["uses_90_days"]), (&json!("active"), &json!(2)));
    assert!(before[&child]["last_used"].as_str().unwrap().ends_with('Z'), "{before:?}");
    assert_eq!((&before[&taken]["kind"], &before[&taken]["last_used"]), (&json!("grant"), &json!("never")));
    assert_eq!(nhs.ask(CHECK, &[NURSE[0], named(GRANT)], &asks(CHI)).status, 200);
    suspend(&site);
    let (after, _) = register(&site);
    assert_eq!(after[&taken]["status"], "terminated", "a grant is used once: {}", after[&taken]);
    assert_eq!(after[&child]["status"], "suspended", "the file of the act is gone: {}", after[&child]);
    let looks = search(&site, "read");
    let of_register = |look: &&Value| look["sealed"]["asked"] == "uses";
    let looks: Vec<&Value> = looks.iter().filter(of_register).collect();
    assert_eq!(looks.len(), 2, "{looks:?}");
    assert_eq!(looks[0]["sealed"]["purpose"], "health of agreements (R7)");
    drop(served);
    let (stopped, record) = register(&site);
    assert_eq!(record["asked"], false);
    assert_eq!(stopped[&child]["last_used"], Value::Null);
    let ran = run(&site.home, &["agreement", "register", "--format", "health"]);
    assert!(ran.out.contains("When each was last used is unknown here"), "{ran:?}");
    assert!(ran.err.contains("is the gateway running?") && ran.code == Some(0), "{ran:?}");
    let csv = run(&site.home, &["agreement", "register", "--format", "health", "--as", "csv"]).out;
    assert!(csv.starts_with("agreement,version,kind,") && csv.contains(",unknown,"), "{csv}");
}

/// By NHS Lomond's officer; the act is recorded, and its file taken away.
fn suspend(site: &Site) {
    let key = site.scratch.path().join("keys/nhs-lomond/officer.key");
    let file = format!("policies/agreements/{CHILD}.toml");
    let words =
        ["agreement", "suspend", &file, "--key", key.to_str().unwrap(), "--reason", "An account was misused"];
    let ran: Ran = run(&site.home, &words);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    support::until("the act is on the record", || (!search(site, "act").is_empty()).then_some(()));
    for entry in std::fs::read_dir(site.home.join("policies/agreements")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "act") {
            std::fs::remove_file(path).unwrap();
        }
    }
}

fn search(site: &Site, kind: &str) -> Vec<Value> {
    support::ledger::search(&site.home.join("data/admin.sock"), json!({ "kind": kind, "purpose": "test" }))
}
