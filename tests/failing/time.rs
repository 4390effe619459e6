//! A wall clock that jumps to and fro (design 5, "Time"): the times of records never go back, what has ended stays
//! ended, readiness says so, and limits by the minute do not care.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tolbooth::clock::Clock;

use crate::support::agreements::{CHILD, edit, reword};
use crate::support::gateway::{CHECK, CHI, Gateway, NURSE, asks, local};
use crate::support::held::{Held, each};
use crate::support::served::Served;
use crate::support::shim::Shim;
use crate::support::site::Site;
use crate::support::steady::Steady;
use crate::support::until;

const DAY: i64 = 24 * 3600;

/// The agreement is in force today and no longer.
fn for_today(home: &std::path::Path) {
    let today = Clock::new().unwrap().today();
    reword(home, CHILD, |text| {
        let line = text.lines().find(|line| line.starts_with("until = ")).unwrap().to_owned();
        text.replace(&line, &format!("until = {today}"))
    });
}

fn times(site: &Site) -> Vec<Timestamp> {
    let mut out = Vec::new();
    each(site, |_, envelope, _| {
        let envelope: Value = serde_json::from_slice(envelope).unwrap();
        out.push(envelope["time"].as_str().unwrap().parse().unwrap());
    });
    out
}

fn never_go_back(times: &[Timestamp]) {
    for pair in times.windows(2) {
        assert!(pair[0] <= pair[1], "{} is before {}", pair[1], pair[0]);
    }
}

fn clock_light(served: &Served) -> Value {
    let ready: Value = serde_json::from_str(&local(served.local, "/ready").1).unwrap();
    ready["lights"]["clock"].clone()
}

/// A real process whose clock jumps, and the next over the same folder.
#[test]
fn a_process_whose_clock_jumps_records_no_time_twice_lived_and_brings_nothing_back() {
    let site = Site::new("time");
    let Some(shim) = Shim::build(site.scratch.path(), "a process whose clock jumps") else { return };
    for_today(&site.home);
    // One connection for all: a handshake is judged by the wall clock alone, and refuses where that is far off.
    edit(&site.home.join("tolbooth.toml"), |text| {
        text.replace("[partners]", "[partners]\nhead_seconds_max = 300")
    });
    let connect =
        |served: &Served| Steady::connect(&site.trial.ca, &site.trial.nhs, served.partners).unwrap();
    let mut held = Held::default();
    let mut told = |partner: &mut Steady| {
        let said = partner.ask(CHECK, &NURSE, &asks(CHI)).unwrap();
        held.take(said.header("tolbooth-receipt"), &site);
        if said.status == 200 { "answered".to_owned() } else { said.code() }
    };
    let served = Served::start_with(&site, &shim.environment()).unwrap();
    let mut partner = connect(&served);
    assert_eq!(told(&mut partner), "answered");
    until("the clock is believed", || (clock_light(&served)["light"] == "green").then_some(()));
    // Back: what is in force is judged by the last record's time, and readiness says that the clock was set.
    shim.clock_is_off_by(-3 * DAY);
    assert_eq!(told(&mut partner), "answered");
    until("a step back is noticed", || (clock_light(&served)["light"] == "red").then_some(()));
    // To and fro within the day.
    for off in [-1, -DAY, 2, -40 * DAY, 0, -7200] {
        shim.clock_is_off_by(off);
        assert_eq!(told(&mut partner), "answered", "off by {off} s");
    }
    // Forward, past the agreement's last day, and back again.
    shim.clock_is_off_by(25 * 3600);
    assert_eq!(told(&mut partner), "agreement_not_in_force");
    for off in [0, -3 * DAY] {
        shim.clock_is_off_by(off);
        assert_eq!(told(&mut partner), "agreement_not_in_force", "off by {off} s");
    }
    until("readiness says so", || {
        let why = clock_light(&served)["why"].as_str().unwrap_or_default().to_owned();
        why.contains("behind the last record").then_some(())
    });
    served.kill();
    never_go_back(&times(&site));
    // The next process, with the clock as it is: from its first question on.
    shim.clock_is_off_by(0);
    let served = Served::start_with(&site, &shim.environment()).unwrap();
    assert_eq!(told(&mut connect(&served)), "agreement_not_in_force");
    until("readiness is red", || (local(served.local, "/ready").0 == 503).then_some(()));
    // Once time has caught up the light is green: this process has seen no step.
    served.kill();
    shim.clock_is_off_by(26 * 3600);
    let served = Served::start_with(&site, &shim.environment()).unwrap();
    until("readiness is green", || (local(served.local, "/ready").0 == 200).then_some(()));
    assert_eq!(told(&mut connect(&served)), "agreement_not_in_force");
    served.kill();
    held.are_in(&site);
    never_go_back(&times(&site));
}

#[test]
fn a_limit_by_the_minute_is_not_given_back_by_a_jump_of_the_clock() {
    let gateway = Gateway::start_changed("time-limit", |home| {
        reword(home, CHILD, |text| text.replace("per_minute = 30", "per_minute = 2"));
    });
    assert_eq!([gateway.check(CHI).status, gateway.check(CHI).status], [200, 200]);
    for hours in [2, -1, -24, 24] {
        gateway.clock.shift(SignedDuration::from_hours(hours));
        assert_eq!(gateway.check(CHI).code(), "limit_reached", "moved by {hours} h");
    }
}
