//! What was told today, counted from a journal of several days and many segments.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::Date;
use tolbooth::clock::Clock;
use tolbooth::desk::{CountedToday, count_today};
use tolbooth::ledger::{Exchange, Ledger, Record};
use tolbooth::model::{AgreementId, Code, MemberId, Origin, Outcome, Stated};
use tolbooth::policy::{self, Daily, Over, Register, Standing};

use super::logbook::{Folder, config, exchange};

const TAXI: &str = include_str!("../../policies/agreements/glenmore-police-caledonia-taxi-licence.toml");

/// The taxi agreement, under the id that the logbook's exchanges name.
fn register(limits: &str) -> Register {
    let text = TAXI
        .replace("glenmore-police-caledonia-taxi-licence", "glenmore-nhs-lomond-child-protection")
        .replace("per_day = 200", limits);
    let agreement =
        policy::load("agreement.toml", text.as_bytes()).unwrap_or_else(|faults| panic!("{faults}"));
    let standing = Standing::supposed(&agreement);
    Register::new(&MemberId::new("glenmore").unwrap(), vec![(Arc::new(agreement), standing)], None).unwrap()
}

fn daily(register: &Register) -> &Daily {
    register.all()[0].daily.as_ref().unwrap()
}

fn by(user: &str, exchange: Exchange) -> Exchange {
    let mut exchange = exchange;
    exchange.sealed.user = Some(Stated { value: user.to_owned(), origin: Origin::Claimed });
    exchange
}

fn ended(outcome: Outcome, code: Option<Code>) -> Exchange {
    Exchange { outcome, code, ..exchange(1) }
}

fn of_another(n: u64) -> Exchange {
    let mut exchange = exchange(n);
    exchange.agreement.as_mut().unwrap().0.id = AgreementId::new("another").unwrap();
    exchange
}

fn append(ledger: &Ledger, all: impl IntoIterator<Item = Exchange>) {
    ledger.append_many(all.into_iter().map(|one| Record::Exchange(Box::new(one))).collect()).wait().unwrap();
}

/// Noon, two days ago: far from any midnight.
fn clock() -> Clock {
    let clock = Clock::new().unwrap();
    let noon = clock.today().at(12, 0, 0, 0).to_zoned(clock.zone().clone()).unwrap();
    clock.shift(noon.timestamp().duration_since(clock.now()) - SignedDuration::from_hours(48));
    clock
}

#[test]
fn only_what_was_told_today_counts_whatever_segment_it_lies_in() {
    let (folder, clock) = (Folder::new(), clock());
    let (ledger, _) = Ledger::open(config(folder.path()), clock.clone()).unwrap();
    for _ in 0..2 {
        append(&ledger, (0..200).map(exchange));
        clock.shift(SignedDuration::from_hours(24));
    }
    let before = ledger.archive().segments().unwrap().len();
    append(&ledger, (0..7).map(exchange));
    append(&ledger, (0..200).map(of_another));
    append(&ledger, [by("i.ross", ended(Outcome::NoMatch, None))]);
    append(&ledger, [by("i.ross", ended(Outcome::Refused, Some(Code::TooManyMatches)))]);
    for (outcome, code) in [
        (Outcome::Refused, Some(Code::LimitReached)),
        (Outcome::Refused, Some(Code::SourceUnavailable)),
        (Outcome::Explained, None),
    ] {
        append(&ledger, [ended(outcome, code)]);
    }
    let segments = ledger.archive().segments().unwrap().len();
    assert!(before > 2 && segments > before, "{before} segments before today, {segments} in all");
    let (today, archive) = (clock.london(), ledger.archive());
    let count = |limits: &str| {
        let register = register(limits);
        let told = count_today(&archive, &register, &today, &mut || true).unwrap();
        (register, told)
    };
    let admits = |register: &Register, user: &str| {
        daily(register).admit(today.date(), Some(("nhs-lomond", user))).map(drop)
    };
    let (nine, told) = count("per_day = 9");
    assert_eq!(admits(&nine, "somebody"), Err(Over::PerDay));
    assert!(told.agreements == 1 && (212..420).contains(&told.records), "{told:?}: not the days before");
    assert_eq!(admits(&count("per_day = 10").0, "somebody"), Ok(()));
    let (users, _) = count("per_user_per_day = 7");
    assert_eq!(admits(&users, "c.munro"), Err(Over::PerUser));
    assert_eq!(admits(&users, "i.ross"), Ok(()));
    let (two, _) = count("per_user_per_day = 2");
    assert_eq!(admits(&two, "i.ross"), Err(Over::PerUser));
    // Tomorrow is another day.
    let tomorrow: Date = today.date().tomorrow().unwrap();
    assert!(daily(&nine).admit(tomorrow, None).is_ok());
}

#[test]
fn a_count_that_is_broken_off_counts_nothing_and_one_for_nobody_reads_nothing() {
    let (folder, clock) = (Folder::new(), clock());
    let (ledger, _) = Ledger::open(config(folder.path()), clock.clone()).unwrap();
    append(&ledger, (0..4096).map(exchange));
    let (limited, today) = (register("per_day = 9"), clock.london());
    count_today(&ledger.archive(), &limited, &today, &mut || false).unwrap();
    assert_eq!(daily(&limited).admit(today.date(), None).map(drop), Err(Over::Uncounted));
    let free = register("");
    let told = count_today(&ledger.archive(), &free, &today, &mut || true).unwrap();
    assert_eq!(told, CountedToday::default());
}
