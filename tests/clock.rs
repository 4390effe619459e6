//! A clock that is set back: time used is never before the last record, so that what has ended stays
//! ended, in this life of the gateway and in the next.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::Duration;

use jiff::SignedDuration;
use support::agreements::{CHILD, reword};
use support::gateway::{CHI, Gateway};
use support::until;
use tolbooth::clock::Clock;

/// The agreement is in force today and no longer.
fn for_today(home: &std::path::Path) {
    let today = Clock::new().unwrap().today();
    reword(home, CHILD, |text| {
        let line = text.lines().find(|line| line.starts_with("until = ")).unwrap().to_owned();
        text.replace(&line, &format!("until = {today}"))
    });
}

#[test]
fn a_clock_set_back_brings_no_agreement_back() {
    let mut gateway = Gateway::start_changed("clock", for_today);
    assert_eq!(gateway.check(CHI).status, 200);
    gateway.clock.shift(SignedDuration::from_hours(25));
    assert_eq!(gateway.check(CHI).code(), "agreement_not_in_force");
    until("the step is noticed", || (gateway.light("clock") == "red").then_some(()));
    let record = gateway.running().app.ledger.time_ms();
    until("time used has its floor", || {
        gateway.clock.shift(SignedDuration::from_hours(-25));
        let behind = gateway.clock.behind() > Duration::from_secs(24 * 3600);
        if !behind {
            gateway.clock.shift(SignedDuration::from_hours(25));
        }
        behind.then_some(())
    });
    assert_eq!(gateway.check(CHI).code(), "agreement_not_in_force");
    assert!(gateway.running().app.ledger.time_ms() >= record);
    // Another process with the wall clock as it is now.
    gateway.clock = Clock::new().unwrap();
    gateway.restart();
    assert_eq!(gateway.check(CHI).code(), "agreement_not_in_force");
    until("readiness is red", || (gateway.local("/ready").0 == 503).then_some(()));
    assert!(gateway.local("/ready").1.contains("behind the last record"));
}
