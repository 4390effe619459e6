//! Promise 3 on a disk that fails: whatever breaks, and wherever the power is cut, nothing that was
//! acknowledged is lost, and damage is named instead of mended.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use tolbooth::journal::{Journal, JournalFault, SEGMENT_BYTES_MIN};
use tolbooth::ledger::verify::{held, verify_journal};
use tolbooth::ledger::{Ledger, LedgerError, Record, State, Stored, Unrecorded};

use super::faulty::{Cut, Fail, Faulty};
use super::logbook::*;

/// What somebody was told: the exchange's number and its receipt.
type Acknowledged = BTreeMap<u64, String>;

/// A record of several sectors.
fn bulky(n: u64) -> Record {
    let mut exchange = exchange(n);
    exchange.sealed.note = Some("n".repeat(2500));
    Record::Exchange(Box::new(exchange))
}

/// Appends until something fails.
fn fill(ledger: &Ledger, from: u64, count: u64, acknowledged: &mut Acknowledged) {
    for n in from..from + count {
        match ledger.append_blocking(bulky(n)) {
            Ok(receipt) => {
                acknowledged.insert(n, receipt.header().to_owned());
            }
            // A segment that could not be made is no space, and nothing is lost by it.
            Err(Unrecorded::DiskFull) => {
                assert_eq!(ledger.state(), State::DiskFull);
                break;
            }
            Err(why) => {
                assert_eq!(why, Unrecorded::Stopped);
                assert_eq!(ledger.state(), State::Stopped);
                break;
            }
        }
    }
}

/// Everything acknowledged is in the log, which verifies, also against every receipt.
fn check(medium: &Faulty, acknowledged: &Acknowledged) {
    let folder = Folder::new();
    medium.save(folder.path());
    let receipts: Vec<_> = acknowledged.values().map(|text| held(text, &verifier()).unwrap()).collect();
    let report = verify_journal(folder.path(), &verifier(), &receipts, &mut |_| ()).unwrap();
    assert!(report.records >= acknowledged.len() as u64);
    let mut there = std::collections::BTreeSet::new();
    let archive = tolbooth::ledger::Archive::offline(folder.path()).unwrap();
    archive
        .each(&mut |stored| {
            if let Stored::Entry(entry) = stored {
                let value: serde_json::Value = serde_json::from_slice(entry.envelope).unwrap();
                there.extend(value["exchange"].as_str().map(str::to_owned));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    for n in acknowledged.keys() {
        assert!(there.contains(&id(*n).to_string()), "exchange {n} is lost");
    }
}

/// Enough to fill a small segment and go on in the next.
const RECORDS: u64 = 20;

fn steps_of_a_sound_run() -> u64 {
    let (medium, folder) = (Faulty::default(), Folder::new());
    let (ledger, _) = open_on(medium.clone(), folder.path()).unwrap();
    fill(&ledger, 0, RECORDS, &mut Acknowledged::new());
    ledger.close();
    assert!(medium.bytes(2).iter().skip(32).any(|byte| *byte != 0), "the run reaches a second segment");
    medium.steps()
}

#[test]
fn a_failure_before_or_after_any_step_loses_nothing_acknowledged() {
    // For the subject key alone; the journal lies on the medium.
    let folder = Folder::new();
    for step in 0..steps_of_a_sound_run() {
        for after in [false, true] {
            let medium = Faulty::failing(Fail { step, after });
            let mut acknowledged = Acknowledged::new();
            if let Ok((ledger, _)) = open_on(medium.clone(), folder.path()) {
                fill(&ledger, 0, RECORDS, &mut acknowledged);
                ledger.close();
            }
            for cut in [Cut::KeepAll, Cut::LoseAll, Cut::Some(step + 1)] {
                let next = medium.cut(cut);
                let mut acknowledged = acknowledged.clone();
                let (ledger, _) = open_on(next.clone(), folder.path())
                    .unwrap_or_else(|error| panic!("step {step}, after {after}, {cut:?}: {error}"));
                // It goes on where it was.
                fill(&ledger, 1000, 2, &mut acknowledged);
                assert!(acknowledged.contains_key(&1001), "step {step}, after {after}, {cut:?}");
                ledger.close();
                check(&next, &acknowledged);
            }
        }
    }
}

/// A power cut while a batch of many sectors is being written, sector by sector.
#[test]
fn a_torn_batch_is_dropped_whole_and_nothing_before_it() {
    let (medium, folder) = (Faulty::default(), Folder::new());
    let (ledger, _) = open_on(medium.clone(), folder.path()).unwrap();
    let mut acknowledged = Acknowledged::new();
    fill(&ledger, 0, 5, &mut acknowledged);
    ledger.close();
    let steps = medium.steps();
    for seed in 0..200 {
        // The write succeeds, the sync after it does not.
        let failing = medium.cut(Cut::LoseAll);
        let (ledger, opened) = open_on(failing.clone(), folder.path()).unwrap();
        failing.fail_next_sync();
        assert_eq!(opened.records, 6);
        let mut large = exchange(6);
        large.sealed.reason = Some("r".repeat(3000));
        let refused = ledger.append_blocking(Record::Exchange(Box::new(large)));
        assert_eq!(refused.unwrap_err(), Unrecorded::Stopped);
        ledger.close();
        let next = failing.cut(Cut::Some(seed));
        let (ledger, opened) = open_on(next.clone(), folder.path()).unwrap();
        // Either all of it happens to be there, or none of it counts.
        assert!(opened.records == 6 || !opened.dropped, "seed {seed}: {opened:?}");
        let mut acknowledged = acknowledged.clone();
        fill(&ledger, 7, 1, &mut acknowledged);
        ledger.close();
        check(&next, &acknowledged);
    }
    assert!(steps > 5);
}

/// A kill between write and sync, a restart that goes on behind what it finds, and a power cut: what the first
/// process wrote must not be gone from under what the second acknowledged, wherever that came to lie.
#[test]
fn what_a_killed_process_did_not_sync_is_durable_before_anything_follows_it() {
    let folder = Folder::new();
    for before in 1..RECORDS {
        let (medium, mut acknowledged) = (Faulty::default(), Acknowledged::new());
        let (ledger, _) = open_on(medium.clone(), folder.path()).unwrap();
        fill(&ledger, 0, before, &mut acknowledged);
        medium.fail_next_sync();
        fill(&ledger, 100, 1, &mut acknowledged);
        ledger.close();
        let next = medium.killed();
        let (ledger, _) = open_on(next.clone(), folder.path()).unwrap();
        fill(&ledger, 200, 1, &mut acknowledged);
        ledger.close();
        let last = next.cut(Cut::LoseAll);
        let opened = open_on(last.clone(), folder.path()).map(|_| ());
        assert!(opened.is_ok(), "after {before} records: {opened:?}");
        assert!(acknowledged.contains_key(&200));
        check(&last, &acknowledged);
    }
}

/// A segment made in advance under another size is made again: else its end would not be reserved, and a disk
/// that is full there would look broken.
#[test]
fn a_spare_segment_of_another_size_is_made_again() {
    for sizes in [(SEGMENT_BYTES_MIN, 2 * SEGMENT_BYTES_MIN), (2 * SEGMENT_BYTES_MIN, SEGMENT_BYTES_MIN)] {
        let medium = Faulty::default();
        let (mut journal, _) = Journal::open(medium.clone(), sizes.0).unwrap();
        journal.prepare().unwrap();
        assert_eq!(medium.bytes(2).len() as u64, sizes.0);
        drop(journal);
        let (journal, _) = Journal::open(medium.clone(), sizes.1).unwrap();
        assert!(journal.has_spare());
        assert_eq!(medium.bytes(2).len() as u64, sizes.1);
    }
}

/// Every byte of every frame counts: a change anywhere but in what was never written is refused, and
/// the place is named.
#[test]
fn a_flipped_byte_is_named() {
    let (medium, folder) = (Faulty::default(), Folder::new());
    let (ledger, _) = open_on(medium.clone(), folder.path()).unwrap();
    fill(&ledger, 0, 3, &mut Acknowledged::new());
    ledger.close();
    let written = medium.bytes(1).iter().rposition(|byte| *byte != 0).unwrap();
    for at in (0..=written).filter(|at| at % 512 < 128 || at % 5 == 0) {
        let next = medium.cut(Cut::KeepAll);
        next.tamper(1, |bytes| bytes[at] ^= 0x20);
        match open_on(next, folder.path()).map(|(_, opened)| opened) {
            Err(LedgerError::Journal(JournalFault::Damaged { segment: 1, offset, index, .. })) => {
                assert!(offset <= at as u64 && index <= 4, "byte {at}: offset {offset}, index {index}");
            }
            // Padding between frames carries nothing and is in no checksum.
            Ok(opened) => {
                assert_eq!((medium.bytes(1)[at], opened.records, opened.dropped), (0, 4, false), "byte {at}");
            }
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn a_segment_that_is_missing_or_in_another_place_is_named() {
    let (medium, folder) = (Faulty::default(), Folder::new());
    let (ledger, _) = open_on(medium.clone(), folder.path()).unwrap();
    fill(&ledger, 0, 50, &mut Acknowledged::new());
    ledger.close();
    let next = medium.cut(Cut::KeepAll);
    next.remove(2);
    let missing = open_on(next, folder.path()).map(|_| ());
    assert!(
        matches!(missing, Err(LedgerError::Journal(JournalFault::Missing { segment: 2 }))),
        "{missing:?}"
    );
    let next = medium.cut(Cut::KeepAll);
    let first = medium.bytes(1);
    next.tamper(2, |bytes| *bytes = first);
    let moved = open_on(next, folder.path()).map(|_| ());
    assert!(
        matches!(moved, Err(LedgerError::Journal(JournalFault::Damaged { segment: 2, .. }))),
        "{moved:?}"
    );
}

/// An older batch that lost bytes was durable once: that is damage, not a crash. The last but one counts
/// as older, whichever of its sectors is missing.
#[test]
fn a_hole_before_the_last_batch_is_damage() {
    let (medium, folder) = (Faulty::default(), Folder::new());
    let (ledger, _) = open_on(medium.clone(), folder.path()).unwrap();
    fill(&ledger, 0, 10, &mut Acknowledged::new());
    ledger.close();
    let written = medium.bytes(1).iter().rposition(|byte| *byte != 0).unwrap();
    let sectors = written / 512 - 10;
    assert!(sectors > 20);
    for sector in 1..sectors {
        let next = medium.cut(Cut::KeepAll);
        next.tamper(1, |bytes| bytes[sector * 512..(sector + 1) * 512].fill(0));
        let opened = open_on(next, folder.path()).map(|_| ());
        assert!(
            matches!(opened, Err(LedgerError::Journal(JournalFault::Damaged { .. }))),
            "sector {sector}: {opened:?}"
        );
    }
}

#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    let (medium, folder) = (Faulty::default(), Folder::new());
    let (ledger, _) = open_on(medium.clone(), folder.path()).unwrap();
    assert_eq!(ledger.append_blocking(record(0)).unwrap().index(), 1);
    medium.set_full(true);
    let mut acknowledged = Acknowledged::new();
    let mut next = 1;
    let refused = loop {
        match ledger.append_blocking(record(next)) {
            Ok(receipt) => drop(acknowledged.insert(next, receipt.header().to_owned())),
            Err(why) => break why,
        }
        next += 1;
    };
    assert_eq!(refused, Unrecorded::DiskFull);
    assert_eq!(ledger.state(), State::DiskFull);
    assert!(acknowledged.len() > 10, "what was reserved before was used");
    assert_eq!(ledger.append_blocking(record(next)).unwrap_err(), Unrecorded::DiskFull);
    medium.set_full(false);
    // Nobody needs to ask: it looks for space about once a second.
    while ledger.state() == State::DiskFull {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for n in next..next + 100 {
        acknowledged.insert(n, ledger.append_blocking(record(n)).unwrap().header().to_owned());
    }
    assert_eq!(ledger.state(), State::Healthy);
    ledger.close();
    check(&medium, &acknowledged);
}

#[test]
fn a_full_disk_at_the_first_start_is_an_error_and_not_a_log() {
    let (medium, folder) = (Faulty::default(), Folder::new());
    medium.set_full(true);
    assert!(open_on(medium.clone(), folder.path()).is_err());
    medium.set_full(false);
    assert_eq!(open_on(medium, folder.path()).unwrap().1.records, 0);
}

/// What is not read because it was never written must not hide what was: here a batch of which only a
/// late sector reached the next segment.
#[test]
fn a_sector_far_into_the_next_segment_is_seen_and_dropped() {
    use std::os::unix::fs::FileExt as _;
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    ledger.append_blocking(record(0)).unwrap();
    ledger.close();
    let next = tolbooth::ledger::journal_directory(folder.path()).join("00000002.segment");
    let file = std::fs::OpenOptions::new().write(true).open(&next).unwrap();
    file.write_all_at(&[7; 100], 40_960).unwrap();
    drop(file);
    let (ledger, opened) = open(folder.path());
    assert_eq!((opened.records, opened.dropped), (2, true));
    ledger.close();
    let bytes = std::fs::read(&next).unwrap();
    assert!(bytes.len() as u64 == SMALL && bytes[32..].iter().all(|byte| *byte == 0));
    assert!(!open(folder.path()).1.dropped);
}
