//! A flood of refusals, from a member and from strangers, fills no disk and hides nobody else's exchange: what one
//! member's records take of the ledger in a day has a bound, and a reserve in it for what is permitted (design 5).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rcgen::KeyPair;
use serde_json::json;
use tolbooth::cli::trial;

use support::agreements::{CHILD, edit, reword};
use support::forge;
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::Said;
use support::steady::Steady;

const MIB: u64 = 1 << 20;
/// The largest record there may be of a refusal here, with all of a checkpoint of its own.
const RECORD_MAX: u64 = 6 * 1024;
const THREADS: u64 = 4;
/// Far more than a budget holds of any record here, so that a bound that is missing is seen and not filled.
const ASKED_MAX: usize = 4000;

/// One mebibyte of records a day for each member, and one in reserve; no other limit is met.
fn small(name: &str) -> Gateway {
    Gateway::start_changed(name, |home| {
        reword(home, CHILD, |text| {
            text.replace("per_minute = 30", "per_minute = 10000000")
                .replace("per_day = 400", "per_day = 10000000")
        });
        edit(&home.join("tolbooth.toml"), |text| {
            format!(
                "{text}\n[limits]\nrecorded_mib_per_member_per_day = 1\n\
                 recorded_reserve_mib_per_member_per_day = 1\n\
                 recorded_refusals_per_minute = 1000000\nrequests_per_member_per_second = 10000000\n"
            )
        });
    })
}

fn steady(gateway: &Gateway, partner: &trial::Partner) -> Steady {
    Steady::connect(&gateway.trial.ca, partner, gateway.running().partners).unwrap()
}

/// Bytes of the journal that are written.
fn written(gateway: &Gateway) -> u64 {
    let end = gateway.running().app.ledger.archive().end();
    let segment = gateway.running().app.gateway.segment_bytes;
    u64::from(end.segment - 1) * segment + end.offset
}

/// What makes a refusal's record as large as its caller can.
fn wordy() -> [(&'static str, String); 4] {
    ["tolbooth-role", "tolbooth-reason", "tolbooth-user", "tolbooth-case"].map(|name| (name, "w".repeat(256)))
}

/// Asks from several threads what is refused until nothing more of it is recorded, and a while longer. How many were
/// told so.
fn flood(gateway: &Gateway, partner: &trial::Partner, path: &str, body: &str) -> usize {
    let counted = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let wordy = wordy();
                let headers: Vec<(&str, &str)> =
                    wordy.iter().map(|(name, value)| (*name, &**value)).collect();
                let mut line = steady(gateway, partner);
                for _ in 0..ASKED_MAX / 4 {
                    if counted.load(Ordering::Relaxed) >= 200 {
                        return;
                    }
                    let said = line.ask(path, &headers, body).unwrap();
                    assert_ne!(said.status, 200);
                    if said.outcome() == "unrecorded" {
                        is_limited(&said);
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    counted.into_inner()
}

/// Told when to come again: the next day.
fn is_limited(said: &Said) {
    assert_eq!((said.status, said.code().as_str()), (429, "limit_reached"), "{said:?}");
    assert_eq!((said.outcome(), said.receipt()), ("unrecorded", None));
    assert!(said.header("retry-after").parse::<u64>().unwrap() > 3600, "{said:?}");
}

/// Answered, on the record, and found there.
fn is_answered_and_found(gateway: &Gateway, said: &Said) {
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    let found = gateway.search(json!({ "exchange": said.exchange() }));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["envelope"]["outcome"], "answered");
}

/// Counts of summaries, by member and cause.
fn summaries(gateway: &Gateway) -> BTreeMap<(String, String), u64> {
    let mut out = BTreeMap::new();
    for found in gateway.search(json!({ "kind": "summary" })) {
        let text = |name: &str| found["envelope"][name].as_str().unwrap_or_default().to_owned();
        *out.entry((text("member"), text("cause"))).or_default() +=
            found["envelope"]["count"].as_u64().unwrap();
    }
    out
}

#[test]
fn a_member_that_floods_with_refusals_fills_its_own_budget_and_hides_nobody() {
    let mut gateway = small("flood");
    let begun = written(&gateway);
    let over = AtomicBool::new(false);
    let (counted, answered) = std::thread::scope(|scope| {
        let nurse = scope.spawn(|| {
            let mut line = steady(&gateway, &gateway.trial.nhs);
            let mut answered = vec![line.ask(CHECK, &NURSE, &asks(CHI)).unwrap()];
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(std::time::Duration::from_millis(50));
                answered.push(line.ask(CHECK, &NURSE, &asks(CHI)).unwrap());
            }
            answered
        });
        let counted = flood(&gateway, &gateway.trial.police, CHECK, &asks(CHI));
        over.store(true, Ordering::Relaxed);
        (counted, nurse.join().unwrap())
    });
    let bound = MIB + (THREADS + answered.len() as u64) * RECORD_MAX;
    let took = written(&gateway) - begun;
    assert!((MIB / 2..=bound).contains(&took), "{took} bytes, and at most {bound}");
    // The nurse was answered all the while, and is now.
    answered.iter().for_each(|said| assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}"));
    is_answered_and_found(&gateway, &answered[0]);
    is_answered_and_found(&gateway, answered.last().unwrap());
    is_answered_and_found(&gateway, &gateway.check(CHI));
    // What was counted is on the record, once the minute or the gateway ends.
    gateway.restart();
    let police = ("police-caledonia".to_owned(), "not_agreed".to_owned());
    assert_eq!(summaries(&gateway)[&police], counted as u64);
}

#[test]
fn a_member_that_was_refused_without_measure_is_answered_from_its_reserve_until_that_is_gone() {
    let gateway = small("reserve");
    let begun = written(&gateway);
    let nhs = &gateway.trial.nhs;
    // A role nobody agreed to.
    flood(&gateway, nhs, CHECK, &asks(CHI));
    let refused = written(&gateway) - begun;
    assert!(refused <= MIB + THREADS * RECORD_MAX, "{refused}");
    // An explanation releases nothing either, permitted or not.
    let explain =
        json!({ "dataset": "child-protection/v1", "operation": "check", "question": { "chi": CHI } });
    let explanation = gateway.nhs().ask("/explain", &NURSE, &explain.to_string());
    is_limited(&explanation);
    is_answered_and_found(&gateway, &gateway.check(CHI));
    let mut line = steady(&gateway, nhs);
    let mut answers = (0..ASKED_MAX).map(|_| line.ask(CHECK, &NURSE, &asks(CHI)).unwrap());
    is_limited(&answers.find(|said| said.status != 200).unwrap());
    drop(answers);
    let all = written(&gateway) - begun;
    assert!((MIB + MIB / 2..=2 * MIB + (THREADS + 8) * RECORD_MAX).contains(&all), "{all}");
    // Beyond both nothing is asked of the system behind, and nothing is written.
    let (heard, size) = (gateway.system.heard().len(), gateway.running().app.ledger.size());
    is_limited(&line.ask(CHECK, &NURSE, &asks(CHI)).unwrap());
    assert_eq!((gateway.system.heard().len(), gateway.running().app.ledger.size()), (heard, size));
    // Nobody else is held up.
    let other = gateway.police().ask(
        "/taxi-licence/v1/check",
        &[("tolbooth-user", "n.macleod")],
        r#"{"licence_no":"TX-1042"}"#,
    );
    is_answered_and_found(&gateway, &other);
}

/// A certificate of the member's CA that names no system.
fn nameless(home: &Path) -> trial::Partner {
    let key = KeyPair::generate().unwrap();
    forge::client(home, "nhs-lomond", "nameless", &key, |leaf| leaf.subject_alt_names.clear())
}

#[test]
fn strangers_write_nothing_but_a_line_for_each_cause_and_minute() {
    let mut gateway = Gateway::start("strangers");
    let stranger = nameless(&gateway.home);
    let begun = written(&gateway);
    let mut line = steady(&gateway, &stranger);
    for _ in 0..400 {
        let said = line.ask(CHECK, &NURSE, &asks(CHI)).unwrap();
        assert_eq!((said.outcome(), said.receipt()), ("unrecorded", None), "{said:?}");
    }
    for _ in 0..40 {
        // Nothing of TLS: the handshake fails.
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(gateway.running().partners).unwrap();
        let _sent = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
    }
    is_answered_and_found(&gateway, &gateway.check(CHI));
    // The exchange, the look at it, and the lines of a minute's end or two.
    let took = written(&gateway) - begun;
    assert!(took <= 10 * RECORD_MAX, "{took} bytes");
    gateway.restart();
    let told = summaries(&gateway);
    let certificate = told.get(&(String::new(), "certificate_not_accepted".to_owned()));
    assert_eq!(certificate, Some(&400), "{told:?}");
}
