//! `tolbooth stop` and `start`: on the record first, in force with the next question, told to whom it concerns alone,
//! and still in force after whatever happens to the process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use serde_json::json;
use tolbooth::clock::Clock;
use tolbooth::crypto::SigningKey;
use tolbooth::ledger::{Ledger, LedgerConfig, Record, StopEvent, Stopped};
use tolbooth::merkle::signer::SignerKey;
use tolbooth::model::{Halt, StopScope};

use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::{Partner, Said};
use support::served::Served;
use support::site::{Ran, Site, run};
use support::until;

const TAXI: &str = "/taxi-licence/v1/check";
const POLICE: [(&str, &str); 1] = [("tolbooth-user", "pc.1234")];
const TAXI_ASKED: &str = "{\"licence_no\":\"TX-1042\"}";

fn stop(home: &Path, more: &[&str]) -> Ran {
    run(home, &[&["stop", "--purpose", "a test"], more].concat())
}

fn start(home: &Path, more: &[&str]) -> Ran {
    run(home, &[&["start", "--purpose", "a test"], more].concat())
}

fn is_stopped(said: &Said) {
    assert_eq!((said.status, said.code().as_str(), said.outcome()), (503, "stopped", "refused"), "{said:?}");
    let wait: u64 = said.header("retry-after").parse().unwrap();
    assert!(wait >= 1, "{said:?}");
}

#[test]
fn a_stopped_dataset_is_not_answered_on_open_connections_and_the_others_are() {
    let gateway = Gateway::start("stops-dataset");
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    let stranger = gateway.police().ask(CHECK, &NURSE, &asks(CHI));
    let heard = gateway.system.heard().len();
    let until_then = "2199-12-04 10:00";
    let message = "The register moves to a new system";
    let done =
        stop(&gateway.home, &["--dataset", "child-protection", "--message", message, "--until", until_then]);
    assert!(done.code == Some(0) && done.out.contains("until 4 December 2199 at 10:00"), "{done:?}");
    let said = line.ask(CHECK, &NURSE, &asks(CHI));
    is_stopped(&said);
    assert_eq!(said.json()["detail"], format!("{message}."));
    // Until then, by the clock of the gateway.
    assert!(said.header("retry-after").parse::<u64>().unwrap() > 60 * 60 * 24 * 365, "{said:?}");
    assert_eq!(gateway.system.heard().len(), heard, "the system behind was asked");
    // Who may not ask sees what they saw before.
    let after = gateway.police().ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!((after.status, after.code()), (stranger.status, stranger.code()));
    assert_eq!(gateway.police().ask(TAXI, &POLICE, TAXI_ASKED).outcome(), "answered");
    // On the record, why with it; seen from outside.
    let found = gateway.search(json!({ "kind": "stop" }));
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (&one["envelope"]["stopped"], &one["envelope"]["scope"]),
        (&json!(true), &json!("dataset:child-protection"))
    );
    assert_eq!(one["sealed"]["purpose"], "a test");
    until("the light and the metric say so", || {
        (gateway.light("stops") == "amber" && gateway.metric("tolbooth_stops") == 1).then_some(())
    });
    assert_eq!(gateway.local("/ready").0, 200);
    let listed = run(&gateway.home, &["stop", "--list"]);
    assert!(listed.out.contains("dataset:child-protection: stopped, until 4 December 2199"), "{listed:?}");
    // What was not stopped is not started, and what was is started by its own name.
    let all = start(&gateway.home, &["--all"]);
    assert!(all.code == Some(1) && all.err.contains("stopped: dataset:child-protection"), "{all:?}");
    is_stopped(&line.ask(CHECK, &NURSE, &asks(CHI)));
    assert_eq!(start(&gateway.home, &["--dataset", "child-protection"]).code, Some(0));
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
}

#[test]
fn a_partner_or_everybody_is_stopped_and_a_name_mistyped_is_told() {
    let gateway = Gateway::start("stops-partner");
    let refused = stop(&gateway.home, &["--partner", "nhs-lomnd"]);
    assert!(refused.code == Some(1) && refused.err.contains("did you mean `nhs-lomond`"), "{refused:?}");
    let refused = stop(&gateway.home, &["--dataset", "child-protecton"]);
    assert!(refused.code == Some(1) && refused.err.contains("child-protection"), "{refused:?}");
    let past = stop(&gateway.home, &["--all", "--until", "2020-01-01 10:00"]);
    assert!(past.code == Some(1) && past.err.contains("has passed"), "{past:?}");
    assert_eq!(run(&gateway.home, &["stop", "--all"]).code, Some(2), "nobody said why");
    assert_eq!(gateway.check(CHI).status, 200);
    assert_eq!(stop(&gateway.home, &["--partner", "nhs-lomond"]).code, Some(0));
    is_stopped(&gateway.check(CHI));
    assert_eq!(gateway.police().ask(TAXI, &POLICE, TAXI_ASKED).outcome(), "answered");
    assert_eq!(stop(&gateway.home, &["--all"]).code, Some(0));
    assert_eq!(start(&gateway.home, &["--partner", "nhs-lomond"]).code, Some(0));
    is_stopped(&gateway.check(CHI));
    assert_eq!(gateway.police().ask(TAXI, &POLICE, TAXI_ASKED).code(), "stopped");
    assert_eq!(start(&gateway.home, &["--all"]).code, Some(0));
    assert_eq!(gateway.check(CHI).status, 200);
}

#[test]
fn a_stop_that_cannot_be_recorded_is_no_stop_and_nothing_leaves() {
    let gateway = Gateway::start("stops-unrecorded");
    gateway.running().app.ledger.stop();
    let refused = stop(&gateway.home, &["--all"]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert_eq!(gateway.running().app.lived.now().halts().count(), 0);
    assert_eq!(gateway.check(CHI).code(), "cannot_record");
}

fn asked(site: &Site, served: &Served) -> Said {
    Partner::new(&site.trial.ca, &site.trial.nhs, served.partners).ask(CHECK, &NURSE, &asks(CHI))
}

#[test]
fn a_stop_outlives_kill_9_and_the_store() {
    let site = Site::new("stops-kill");
    let served = Served::start(&site);
    assert_eq!(asked(&site, &served).status, 200);
    assert_eq!(stop(&site.home, &["--all"]).code, Some(0));
    served.kill();
    // There is one once a segment was filled.
    let _gone = std::fs::remove_dir_all(site.home.join("data/store"));
    let served = Served::start(&site);
    is_stopped(&asked(&site, &served));
    assert_eq!(start(&site.home, &["--all"]).code, Some(0));
    served.kill();
    let served = Served::start(&site);
    assert_eq!(asked(&site, &served).status, 200, "what was started stays so");
    served.kill();
}

/// The record is durable, and the process is gone before it did anything by it: the journal as it lies there then.
#[test]
fn a_stop_that_was_recorded_and_never_acted_on_is_in_force_with_the_next_start() {
    let site = Site::new("stops-between");
    let served = Served::start(&site);
    assert_eq!(asked(&site, &served).status, 200);
    served.kill();
    let key = std::fs::read_to_string(site.home.join("data/keys/ledger.key")).unwrap();
    let key = SignerKey::parse(&key).unwrap();
    let config = LedgerConfig {
        directory: site.ledger(),
        origin: key.verifier().name().to_owned(),
        key: SigningKey::from_seed(key.key().seed()).unwrap(),
        segment_bytes: 1024 * 1024,
        waiting_max: 16,
        recovery_keys: Vec::new(),
    };
    let (ledger, _) = Ledger::open(config, Clock::new().unwrap()).unwrap();
    let halt = Halt { scope: StopScope::All, message: "Stopped".to_owned(), until: None };
    let event = StopEvent::Stop(halt);
    let stopped = Stopped { event, by: "uid 0".to_owned(), purpose: "a test".to_owned() };
    ledger.append_blocking(Record::Stop(Box::new(stopped))).unwrap();
    ledger.close();
    drop(ledger);
    let served = Served::start(&site);
    is_stopped(&asked(&site, &served));
    served.kill();
}
