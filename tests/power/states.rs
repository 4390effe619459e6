//! Every state a disk may be in after a power cut at any step of a run, opened again: whoever was given a receipt by
//! then finds the record, byte for byte, and the log goes on. Cut once more while it recovers, it still does.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use tolbooth::clock::Clock;
use tolbooth::crypto::SigningKey;
use tolbooth::ledger::{Alarm, Ledger, LedgerConfig, LedgerError, Opened, Presented, Record, Stored};
use tolbooth::merkle::note::VerifierKey;

use super::medium::{Recording, Segments};
use crate::support::scratch::Scratch;

const LOG: &str = "glenmore.caledonia.example/ledger";

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

/// The smallest segments, so that a run crosses some.
fn open(medium: Recording, directory: &Path) -> Result<(Ledger, Opened), LedgerError> {
    let config = LedgerConfig {
        directory: directory.to_owned(),
        origin: LOG.to_owned(),
        key: key(),
        segment_bytes: 64 << 10,
        waiting_max: 10_000,
        recovery_keys: Vec::new(),
    };
    Ledger::open_on(medium, config, Clock::new().unwrap())
}

fn record(bytes: usize) -> Record {
    let detail = Some("x".repeat(bytes));
    Record::Alarm(Alarm { cause: "drift", dataset: None, detail, dropped: Vec::new() })
}

/// A receipt somebody holds, and after how many steps it was in hand.
struct Given {
    after: usize,
    index: u64,
    envelope: Vec<u8>,
}

/// Appends from this thread records of many sizes, and then from several threads at once so that batches are long.
fn run(medium: &Recording, directory: &Path) -> Vec<Given> {
    let (ledger, _) = open(medium.clone(), directory).unwrap();
    let key = VerifierKey::new(LOG, key().public()).unwrap();
    let give = |bytes: usize| {
        let receipt = ledger.append_blocking(record(bytes)).unwrap();
        let after = medium.len();
        let checked = Presented::parse(receipt.header()).unwrap().check(&key).unwrap();
        Given { after, index: checked.index, envelope: checked.envelope }
    };
    let mut given: Vec<Given> = [1, 400, 1500, 7000, 30, 7000, 7000, 7000].map(&give).into();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                scope.spawn({
                    let give = &give;
                    move || [give(900 + n), give(3000)]
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| given.extend(thread.join().unwrap()));
    });
    given.extend([7000, 7000, 7000, 10].map(&give));
    ledger.close();
    given
}

/// Opens what a cut left; everything given by then is there, and the log goes on.
fn is_whole(disk: Segments, given: &[&Given], directory: &Path, what: &str) -> Recording {
    let medium = Recording::of(disk);
    let (ledger, _) = open(medium.clone(), directory).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    let mut missing: BTreeMap<u64, &[u8]> =
        given.iter().map(|given| (given.index, &*given.envelope)).collect();
    let mut look = |stored: Stored<'_>| {
        if let Stored::Entry(entry) = stored
            && let Some(envelope) = missing.remove(&entry.index)
        {
            assert!(envelope == entry.envelope, "{what}: record {} is another", entry.index);
        }
        ControlFlow::Continue(())
    };
    ledger.archive().each(&mut look).unwrap();
    assert!(missing.is_empty(), "{what}: lost {:?}", missing.keys());
    let size = ledger.size();
    assert_eq!(ledger.append_blocking(record(700)).unwrap().index(), size, "{what}");
    ledger.close();
    medium
}

/// The steps that recovery itself took are cut as well.
fn is_whole_cut_twice(first: &Recording, given: &[&Given], directory: &Path, what: &str) -> usize {
    let mut states = 0;
    for cut in 1..=first.len() {
        for disk in first.upto(cut).states() {
            is_whole(disk, given, directory, &format!("{what}, and again after {cut}"));
            states += 1;
        }
    }
    states
}

#[test]
fn every_state_a_cut_may_leave_opens_with_all_that_was_given() {
    let scratch = Scratch::new("states");
    let medium = Recording::default();
    let given = run(&medium, scratch.path());
    let (mut states, mut twice) = (0, 0);
    for cut in 0..=medium.len() {
        let by_then: Vec<&Given> = given.iter().filter(|given| given.after <= cut).collect();
        for (number, disk) in medium.upto(cut).states().into_iter().enumerate() {
            let what = format!("cut after {cut}, state {number}");
            let opened = is_whole(disk, &by_then, scratch.path(), &what);
            states += 1;
            // One state of each cut: going through all would be squared.
            if number == 1 {
                twice += is_whole_cut_twice(&opened, &by_then, scratch.path(), &what);
            }
        }
    }
    assert!(medium.upto(medium.len()).states()[0].len() >= 3, "the run crosses segments");
    assert!(states > 500 && twice > 100, "{states} states, {twice} cut twice");
}
