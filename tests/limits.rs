//! The hours of an agreement and its limits by the day and by the answer, over real sockets: outside them nothing is
//! told, and neither a restart, a kill, a reload nor several questions at once let more through.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use jiff::{SignedDuration, ToSpan as _};
use serde_json::{Value, json};
use tolbooth::clock::{Clock, date_in_words};
use tolbooth::model::DAYS;

use support::agreements::{self, CHILD, TAXI, agree, edit, reword};
use support::federation::Federation;
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks, records};
use support::partner::Said;
use support::served::Served;
use support::site::Site;
use support::steady::Steady;
use support::system::Reply;
use support::{ledger, until};

/// A child nobody knows.
const ABSENT: &str = "1111111111";
const TAXI_CHECK: &str = "/taxi-licence/v1/check";
const LICENCE: &str = r#"{"licence_no":"TX-1042"}"#;

/// Adds limits to the agreement about children.
fn limited(home: &Path, more: &str) {
    reword(home, CHILD, |text| {
        let text = text.replace("per_day = 400\n", "");
        text.replace("per_minute = 30", &format!("per_minute = 1000\n{more}"))
    });
}

fn start(name: &str, more: &str) -> Gateway {
    away_from_midnight();
    Gateway::start_changed(name, |home| limited(home, more))
}

/// What is counted on one day is asked on one day.
fn away_from_midnight() {
    let clock = Clock::new().unwrap();
    let midnight = || clock.london().tomorrow().unwrap().start_of_day().unwrap().timestamp();
    while midnight().duration_since(clock.now()) < SignedDuration::from_mins(3) {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// What is said once today's answers are counted, as they are behind a start.
fn counted(ask: impl Fn() -> Said) -> Said {
    until("the day's answers are counted", || Some(ask()).filter(|said| said.code() != "cannot_decide"))
}

fn is_over(said: &Said) {
    assert_eq!(
        (said.status, said.code().as_str(), said.outcome()),
        (429, "limit_reached", "refused"),
        "{said:?}"
    );
}

fn truth(gateway: &Gateway, said: &Said) -> Value {
    ledger::exchange(&gateway.running().admin_socket, said.exchange())["sealed"]["note"].clone()
}

/// Open all day, the day after tomorrow alone.
fn day_after_tomorrow(clock: &Clock) -> (jiff::civil::Date, String) {
    let date = clock.today() + 2.days();
    let (_, name) = DAYS.iter().find(|(day, _)| *day == date.weekday()).unwrap();
    (date, format!("[access.hours]\n{name} = [\"00:00-24:00\"]\n"))
}

#[test]
fn a_question_outside_the_hours_is_refused_and_told_when_it_opens() {
    away_from_midnight();
    let (date, hours) = day_after_tomorrow(&Clock::new().unwrap());
    let gateway = Gateway::start_changed("hours", |home| {
        reword(home, CHILD, |text| text.replace("\n[data]", &format!("\n{hours}\n[data]")));
    });
    let said = gateway.check(CHI);
    assert_eq!((said.status, said.code().as_str(), said.outcome()), (403, "hours", "refused"), "{said:?}");
    let detail = said.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(&date_in_words(date)) && detail.contains("at 00:00, London time"), "{detail}");
    assert_eq!(gateway.system.heard().len(), 0, "the system behind was asked");
    let (role, body) = (
        NURSE[0],
        json!({ "dataset": "child-protection/v1", "operation": "check",
        "question": { "chi": CHI } }),
    );
    let explained = gateway.nhs().ask("/explain", &[role], &body.to_string()).json();
    assert_eq!((&explained["code"], &explained["stands_on"]), (&json!("hours"), &json!(["access.hours"])));
    assert!(explained["fact"].as_str().unwrap().contains(&date_in_words(date)), "{explained}");
    // Another agreement is another's hours.
    assert_eq!(gateway.police().ask(TAXI_CHECK, &[("tolbooth-user", "n.macleod")], LICENCE).status, 200);
    // When it said it would open it does, and not a second sooner.
    let wait: i64 = said.header("retry-after").parse().unwrap();
    gateway.clock.shift(SignedDuration::from_secs(wait - 120));
    assert_eq!(gateway.check(CHI).code(), "hours");
    gateway.clock.shift(SignedDuration::from_secs(120));
    assert_eq!(gateway.check(CHI).status, 200);
}

#[test]
fn an_answer_of_more_records_than_agreed_is_refused_whole() {
    let gazetteer = |name: &str, most: u32| {
        let mut federation = Federation::new(name);
        federation.copy("policies/scenarios/12-address-look-up", "");
        let file = agreements::file(&federation.home, "glenmore-partners-address");
        edit(&file, |text| text.replace("rows_per_answer = 100", &format!("rows_per_answer = {most}")));
        federation.agree();
        federation.start();
        federation
    };
    let ask = |federation: &Federation| {
        let asking = federation.system("nhs-lomond/registration");
        asking.ask("/addresses/v1/by-postcode", &[], r#"{"postcode":"ZZ99 3AA"}"#)
    };
    // Two may leave and a third may not: that one is not counted.
    let enough = gazetteer("rows-enough", 2);
    let said = ask(&enough);
    assert_eq!((said.status, said.json().as_array().unwrap().len()), (200, 2), "{said:?}");
    let few = gazetteer("rows-few", 1);
    let said = ask(&few);
    assert_eq!((said.status, said.code().as_str(), said.outcome()), (403, "too_many_matches", "refused"));
    assert!(!String::from_utf8_lossy(&said.body).contains("Tobar Road"), "{said:?}");
    let envelope = ledger::envelope(&few.home, &said);
    assert_eq!((&envelope["rows"], &envelope["fields"]), (&json!(0), &json!([])));
    let record = ledger::exchange(&few.running().admin_socket, said.exchange());
    assert_eq!(record["sealed"]["note"], "2 records, at most 1");
    assert_eq!(record["sealed"]["subjects"], json!([]), "nobody's record left");
}

#[test]
fn a_limit_of_the_day_counts_what_was_told_and_ends_at_midnight() {
    let gateway = start("day", "per_day = 2");
    gateway.system.now_says(|_| Reply::Json(500, "{}".to_owned()));
    assert_eq!(counted(|| gateway.check(CHI)).code(), "source_unavailable");
    gateway.system.now_says(records);
    assert_eq!(gateway.check("14031701x9").code(), "question_invalid");
    // What failed told nothing; that nobody is known was told.
    assert_eq!(gateway.check(ABSENT).outcome(), "no_match");
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    let said = gateway.check(CHI);
    is_over(&said);
    assert_eq!(truth(&gateway, &said), "limits.per_day");
    let wait: i64 = said.header("retry-after").parse().unwrap();
    let tomorrow = gateway.clock.london().tomorrow().unwrap().start_of_day().unwrap();
    let left = tomorrow.timestamp().duration_since(gateway.clock.now()).as_secs();
    assert!((left - 60..=left + 60).contains(&wait), "{wait} s, and the day has {left} s left");
    gateway.clock.shift(SignedDuration::from_secs(wait + 60));
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    is_over(&gateway.check(CHI));
}

#[test]
fn a_restart_forgives_nothing_of_the_day() {
    let mut gateway = start("day-restart", "per_day = 3");
    assert_eq!(counted(|| gateway.check(CHI)).outcome(), "answered");
    assert_eq!(gateway.check(ABSENT).outcome(), "no_match");
    gateway.restart();
    assert_eq!(counted(|| gateway.check(CHI)).outcome(), "answered");
    is_over(&gateway.check(CHI));
    gateway.restart();
    is_over(&counted(|| gateway.check(CHI)));
    // Refused questions, and explanations, are on the record and count for nothing.
    gateway.clock.shift(SignedDuration::from_hours(24));
    gateway.restart();
    assert_eq!(counted(|| gateway.check(CHI)).outcome(), "answered");
}

#[test]
fn a_limit_of_the_day_holds_over_a_kill() {
    away_from_midnight();
    let site = Site::new("day-kill");
    reword(&site.home, CHILD, |text| text.replace("per_day = 1000000000", "per_day = 60"));
    let mut answered = 0;
    for _ in 0..4 {
        let mut served = Served::start(&site);
        served.wait_for_line("what was answered today is counted");
        let asking = Barrier::new(3);
        let told: usize = std::thread::scope(|scope| {
            let one = || {
                let mut partner = Steady::connect(&site.trial.ca, &site.trial.nhs, served.partners).unwrap();
                asking.wait();
                let told = (0..8).map(|_| partner.ask(CHECK, &NURSE, &asks(CHI)).unwrap());
                told.filter(|said| said.outcome() == "answered").count()
            };
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        answered += told;
        served.kill();
    }
    // 96 were asked, 24 in each life, on several connections at once.
    assert_eq!(answered, 60);
}

#[test]
fn of_several_questions_at_once_no_more_are_answered_than_may_be() {
    let gateway = start("day-at-once", "per_day = 4");
    assert_eq!(counted(|| gateway.check(CHI)).outcome(), "answered");
    gateway.system.now_says(|heard| {
        // All are under way before the first answer is there.
        std::thread::sleep(Duration::from_millis(500));
        records(heard)
    });
    let asking = Barrier::new(8);
    let told: Vec<Said> = std::thread::scope(|scope| {
        let one = || {
            asking.wait();
            gateway.check(CHI)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let answered = told.iter().filter(|said| said.outcome() == "answered").count();
    assert_eq!(answered, 3, "{told:?}");
    told.iter().filter(|said| said.outcome() != "answered").for_each(is_over);
}

#[test]
fn a_user_has_a_limit_of_their_own_and_nobody_has_none() {
    away_from_midnight();
    let mut gateway = Gateway::start_changed("day-user", |home| {
        reword(home, TAXI, |text| text.replace("per_minute = 60", "per_minute = 60\nper_user_per_day = 2"));
    });
    let ask =
        |gateway: &Gateway, user: &str| gateway.police().ask(TAXI_CHECK, &[("tolbooth-user", user)], LICENCE);
    assert_eq!(counted(|| ask(&gateway, "n.macleod")).outcome(), "answered");
    assert_eq!(ask(&gateway, "n.macleod").outcome(), "answered");
    let said = ask(&gateway, "n.macleod");
    is_over(&said);
    assert_eq!(truth(&gateway, &said), "limits.per_user_per_day");
    assert_eq!(ask(&gateway, "i.ferguson").outcome(), "answered");
    assert_eq!(gateway.police().ask(TAXI_CHECK, &[], LICENCE).code(), "user_missing");
    gateway.restart();
    is_over(&counted(|| ask(&gateway, "n.macleod")));
    assert_eq!(ask(&gateway, "i.ferguson").outcome(), "answered");
    is_over(&ask(&gateway, "i.ferguson"));
}

#[test]
fn a_new_version_with_a_limit_begins_with_what_was_told_that_day() {
    away_from_midnight();
    let gateway = Gateway::start_changed("day-new", |home| {
        reword(home, CHILD, |text| text.replace("per_day = 400\n", ""));
    });
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    let text = agreements::unsealed(&agreements::text(&gateway.home, CHILD));
    let text =
        text.replace("version = 1", "version = 2").replace("per_minute = 30", "per_minute = 30\nper_day = 3");
    agree(&gateway.home, CHILD, &text);
    let said = until("the new version is in force", || {
        let ruleset = gateway.running().app.ruleset.load();
        ruleset
            .register
            .all()
            .iter()
            .any(|entry| entry.agreement.reference.version == 2)
            .then(|| gateway.check(CHI))
    });
    assert_eq!(said.outcome(), "answered", "{said:?}");
    is_over(&gateway.check(CHI));
}

#[test]
fn explanations_say_what_the_limits_are_and_count_for_nothing() {
    let gateway = start("day-explain", "per_day = 1\nrows_per_answer = 1");
    let body = json!({ "dataset": "child-protection/v1", "operation": "check", "question": { "chi": CHI } });
    let explain = || gateway.nhs().ask("/explain", &NURSE, &body.to_string()).json();
    let told = until("the day's answers are counted", || {
        Some(explain()).filter(|told| told["code"] != "cannot_decide")
    });
    assert_eq!((&told["would_be"], &told["per_day"]), (&json!("answered"), &json!(1)));
    assert_eq!((&told["hours"], &told["rows_per_answer"]), (&json!("24x7"), &json!(1)));
    assert_eq!(explain()["would_be"], "answered");
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    let told = explain();
    assert_eq!((&told["code"], &told["stands_on"]), (&json!("limit_reached"), &json!(["limits.per_day"])));
}
