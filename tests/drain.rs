//! Stopping: what is under way is answered and recorded, nothing new is begun, and the process ends
//! with 0.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use rustix::process::Signal;
use serde_json::{Value, json};

use support::binary::Served;
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::Partner;
use support::{ledger, until};

/// Makes the system behind wait with each answer until it is told to go on.
fn hold(gateway: &Gateway) -> Sender<()> {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    gateway.system.now_says(move |heard| {
        let _told = wait.lock().unwrap().recv();
        support::gateway::records(heard)
    });
    go
}

fn is_asked(gateway: &Gateway, times: usize) {
    until("the system behind is asked", || (gateway.system.heard().len() == times).then_some(()));
}

#[test]
fn an_exchange_under_way_is_answered_and_recorded_before_the_gateway_ends() {
    let mut gateway = Gateway::start("drain");
    let go = hold(&gateway);
    let nhs = gateway.nhs();
    let mut idle = gateway.nhs().connect().unwrap();
    let address = gateway.running().partners;
    let asking = std::thread::spawn(move || nhs.ask(CHECK, &NURSE, &asks(CHI)));
    is_asked(&gateway, 1);
    gateway.running().stop();
    until("nobody new is let in", || TcpStream::connect(address).is_err().then_some(()));
    // A connection that was idle is closed, and begins nothing.
    until("the idle connection is closed", || {
        idle.try_send(support::partner::question("/nothing/v1/check", &[], "{}")).is_err().then_some(())
    });
    assert!(!asking.is_finished(), "it was cut off");
    go.send(()).unwrap();
    let said = asking.join().unwrap();
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    gateway.stop();
    ledger::envelope(&gateway.home, &said);
    drop(go);
    gateway.restart();
    let record = ledger::exchange(&gateway.running().admin_socket, said.exchange());
    assert_eq!(record["envelope"]["outcome"], "answered");
}

#[test]
fn a_gateway_that_stopped_in_good_order_says_so_last() {
    let mut gateway = Gateway::start("shutdown");
    let said = gateway.check(CHI);
    gateway.restart();
    let kinds: Vec<Value> =
        gateway.search(json!({})).into_iter().map(|found| found["envelope"]["kind"].clone()).collect();
    let at = kinds.iter().position(|kind| kind == "shutdown").unwrap_or_else(|| panic!("{kinds:?}"));
    // Before it everything that was answered, after it the next life's ruleset.
    let exchange = kinds.iter().position(|kind| kind == "exchange").unwrap();
    assert!(exchange < at && kinds[at + 1] == "ruleset", "{kinds:?}");
    ledger::envelope(&gateway.home, &said);
}

#[test]
fn an_exchange_that_never_ends_does_not_hold_the_gateway_for_ever() {
    let mut gateway = Gateway::start_changed("stuck", |home| {
        support::agreements::edit(&home.join("tolbooth.toml"), |text| {
            format!("{text}\n[limits]\ndrain_seconds = 0\n")
        });
    });
    let go = hold(&gateway);
    let nhs = gateway.nhs();
    let question = support::partner::question(CHECK, &NURSE, &asks(CHI));
    let asking = std::thread::spawn(move || nhs.try_send(question));
    is_asked(&gateway, 1);
    gateway.stop();
    assert!(asking.join().unwrap().is_err(), "it was answered");
    drop(go);
}

#[test]
fn sigterm_finishes_what_is_under_way_and_ends_with_0() {
    let mut gateway = Gateway::start("sigterm");
    gateway.stop();
    let mut served = Served::start(&gateway.trial.configuration);
    let go = hold(&gateway);
    let nhs = Partner::new(&gateway.trial.ca, &gateway.trial.nhs, served.partners);
    let asking = std::thread::spawn(move || nhs.ask(CHECK, &NURSE, &asks(CHI)));
    is_asked(&gateway, 1);
    served.signal(Signal::TERM);
    until("nobody new is let in", || TcpStream::connect(served.partners).is_err().then_some(()));
    go.send(()).unwrap();
    let said = asking.join().unwrap();
    assert_eq!(said.outcome(), "answered");
    assert_eq!(served.wait().code(), Some(0), "{}", served.log());
    ledger::envelope(&gateway.home, &said);
    gateway.restart();
    ledger::exchange(&gateway.running().admin_socket, said.exchange());
}

#[test]
fn sigint_ends_with_0_too() {
    let mut gateway = Gateway::start("sigint");
    gateway.stop();
    let mut served = Served::start(&gateway.trial.configuration);
    served.signal(Signal::INT);
    assert_eq!(served.wait().code(), Some(0), "{}", served.log());
}
