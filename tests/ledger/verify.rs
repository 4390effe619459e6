//! Promise 4: what an outsider's verifier catches, and what it says it cannot catch.

use std::path::Path;

use tolbooth::clock::Clock;
use tolbooth::crypto::SigningKey;
use tolbooth::journal::{JournalFault, ending};
use tolbooth::ledger::export::{Copy, export};
use tolbooth::ledger::verify::{Report, VerifyFault, held, verify_export, verify_journal, verify_receipt};
use tolbooth::ledger::{Ledger, journal_directory};
use tolbooth::merkle::checkpoint::Checkpoint;
use tolbooth::model::MemberId;

use super::logbook::*;

/// A closed log of `count` exchanges after its origin, its receipts and its checkpoint after each.
struct Log {
    folder: Folder,
    receipts: Vec<String>,
    checkpoints: Vec<String>,
}

impl Log {
    fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        let folder = Folder::new();
        let (ledger, _) = open(folder.path());
        let (mut receipts, mut checkpoints) = (Vec::new(), Vec::new());
        for n in numbers {
            receipts.push(ledger.append_blocking(record(n)).unwrap().header().to_owned());
            checkpoints.push(ledger.checkpoint());
        }
        ledger.close();
        Self { folder, receipts, checkpoints }
    }

    fn journal(&self) -> std::path::PathBuf {
        journal_directory(self.folder.path())
    }

    fn verify(&self, against: &[&str]) -> Result<Report, VerifyFault> {
        let held: Vec<Checkpoint> = against.iter().map(|text| held(text, &verifier()).unwrap()).collect();
        verify_journal(&self.journal(), &verifier(), &held, &mut |_| ())
    }

    fn segment(&self) -> std::path::PathBuf {
        self.journal().join("00000001.segment")
    }

    /// Makes everything from `offset` on as if it had never been written.
    fn cut_at(&self, offset: usize) {
        let mut bytes = std::fs::read(self.segment()).unwrap();
        bytes[offset..].fill(0);
        std::fs::write(self.segment(), bytes).unwrap();
    }
}

fn find(bytes: &[u8], what: &str) -> usize {
    bytes.windows(what.len()).position(|window| window == what.as_bytes()).unwrap()
}

/// Changes bytes and puts the frame's checksum right, as an insider would.
fn rewrite(path: &Path, from: &str, to: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = find(&bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    // The frame that holds it begins at the last header before.
    let start = (0..at).rev().find(|start| is_frame(&bytes, *start, at)).unwrap();
    seal(&mut bytes, start);
    std::fs::write(path, bytes).unwrap();
}

/// Puts a frame's checksums right.
fn seal(bytes: &mut [u8], start: usize) {
    let length = u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
    let body = crc32fast::hash(&bytes[start + 32..start + 32 + length]);
    bytes[start + 24..start + 28].copy_from_slice(&body.to_le_bytes());
    seal_header(bytes, start);
}

fn seal_header(bytes: &mut [u8], start: usize) {
    let header = crc32fast::hash(&bytes[start..start + 28]);
    bytes[start + 28..start + 32].copy_from_slice(&header.to_le_bytes());
}

fn is_frame(bytes: &[u8], start: usize, within: usize) -> bool {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    start.is_multiple_of(8)
        && word(start + 28) == crc32fast::hash(&bytes[start..start + 28])
        && start + 32 + word(start) as usize > within
}

#[test]
fn a_whole_log_verifies_and_says_what_it_does_not_prove() {
    let log = Log::of(0..5);
    let report = log.verify(&[]).unwrap();
    assert_eq!((report.records, report.checkpoints, report.unfinished), (6, 6, false));
    assert!(report.not_proven.iter().any(|line| line.contains("cut off together with their checkpoint")));
    assert!(report.not_proven.iter().any(|line| line.contains("did not rewrite any record and sign again")));
    let last = log.checkpoints.last().unwrap();
    let report = log.verify(&[last, &log.receipts[0]]).unwrap();
    assert!(report.proven.iter().any(|line| line.contains("first 6 records")));
    assert!(!report.not_proven.iter().any(|line| line.contains("rewrite")));
    // What the report gives to keep is what others can hold against the log.
    assert_eq!(held(&report.checkpoint, &verifier()).unwrap().size, 6);
}

#[test]
fn a_changed_byte_is_refused_even_with_its_checksum_put_right() {
    let log = Log::of(0..5);
    let mut bytes = std::fs::read(log.segment()).unwrap();
    let at = find(&bytes, "\"role\":\"ed_clinician\"");
    bytes[at + 10] ^= 1;
    std::fs::write(log.segment(), &bytes).unwrap();
    assert!(matches!(log.verify(&[]), Err(VerifyFault::Journal(JournalFault::Damaged { index: 1, .. }))));

    // Envelope, sealed part and checkpoint, each with a sound checksum.
    for (from, to) in [
        ("\"role\":\"ed_clinician\"", "\"role\":\"xx_clinician\""),
        ("attends with an injury", "ATTENDS with an injury"),
        ("glenmore.caledonia.example/ledger\n3\n", "glenmore.caledonia.example/ledger\n4\n"),
    ] {
        let log = Log::of(0..5);
        rewrite(&log.segment(), from, to);
        let verified = log.verify(&[]);
        assert!(matches!(verified, Err(VerifyFault::Record { .. })), "{to}: {verified:?}");
    }
}

#[test]
fn the_last_records_cut_without_their_checkpoint_are_refused() {
    let log = Log::of(0..5);
    let bytes = std::fs::read(log.segment()).unwrap();
    // Take out the frames of the last record, leave the checkpoint behind them.
    let shelf = tolbooth::journal::SegmentFiles::new(&log.journal());
    let end = ending(&shelf).unwrap().at.offset as usize;
    let note = log.checkpoints.last().unwrap();
    let checkpoint = find(&bytes, note) - 32;
    let before = find(&bytes, &log.checkpoints[3]) + log.checkpoints[3].len().next_multiple_of(8);
    let mut cut = bytes[..before].to_vec();
    cut.extend_from_slice(&bytes[checkpoint..end]);
    cut.resize(bytes.len(), 0);
    std::fs::write(log.segment(), cut).unwrap();
    let verified = log.verify(&[]);
    assert!(matches!(verified, Err(VerifyFault::Record { .. })), "{verified:?}");
}

#[test]
fn the_last_records_cut_with_their_checkpoint_need_a_later_one_to_be_missed() {
    let log = Log::of(0..5);
    let bytes = std::fs::read(log.segment()).unwrap();
    let third = &log.checkpoints[2];
    log.cut_at(find(&bytes, third) + third.len());
    // By itself this is a sound log of four records, and the report says what that is worth.
    let report = log.verify(&[]).unwrap();
    assert_eq!(report.records, 4);
    assert!(report.not_proven.iter().any(|line| line.contains("no records after 4 were cut off")));
    assert!(log.verify(&[&log.checkpoints[0]]).is_ok());
    // One later checkpoint or one receipt shows it.
    for later in [&log.checkpoints[4], &log.receipts[4]] {
        let verified = log.verify(&[later]);
        assert!(matches!(verified, Err(VerifyFault::Cut { records: 4, held: 6 })), "{verified:?}");
    }
}

#[test]
fn a_log_rebuilt_without_an_entry_and_signed_again_is_refused_by_an_older_checkpoint_or_one_receipt() {
    let honest = Log::of(0..6);
    let rebuilt = Log::of([0, 1, 3, 4, 5, 6, 7]);
    // The real key signed it: by itself it is sound.
    assert_eq!(rebuilt.verify(&[]).unwrap().records, 8);
    for older in [&honest.checkpoints[3], &honest.receipts[2], &honest.receipts[5]] {
        let verified = rebuilt.verify(&[older]);
        assert!(matches!(verified, Err(VerifyFault::Record { .. })), "{verified:?}");
    }
}

#[test]
fn two_logs_with_one_origin_are_told_apart() {
    let (one, other) = (Log::of(0..3), Log::of(10..13));
    let verified = one.verify(&[&other.checkpoints[1]]);
    assert!(matches!(verified, Err(VerifyFault::Record { .. })), "{verified:?}");
    // Even without either log, two checkpoints or receipts of one size suffice.
    let theirs = [held(&other.receipts[2], &verifier()).unwrap()];
    let fork = verify_receipt(&one.receipts[2], &verifier(), None, &theirs);
    assert!(matches!(fork, Err(VerifyFault::Forked { size: 4 })), "{fork:?}");
    let fork = one.verify(&[&one.checkpoints[1], &other.checkpoints[1]]);
    assert!(matches!(fork, Err(VerifyFault::Forked { size: 3 })), "{fork:?}");
}

#[test]
fn a_sealed_part_blanked_without_an_erasure_record_is_refused() {
    let log = Log::of(0..3);
    let mut bytes = std::fs::read(log.segment()).unwrap();
    let nonce = find(&bytes, "{\"nonce\":\"0101");
    let start = nonce - 32 - 32;
    let length = u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
    bytes[start + 24..start + 28].fill(0);
    bytes[start + 32..start + 32 + length].fill(0);
    seal_header(&mut bytes, start);
    std::fs::write(log.segment(), bytes).unwrap();
    let verified = log.verify(&[]);
    assert!(matches!(verified, Err(VerifyFault::Record { .. })), "{verified:?}");
    assert!(Ledger::open(config(log.folder.path()), Clock::new().unwrap()).is_err());
}

#[test]
fn an_unfinished_batch_is_reported_and_not_held_against_the_log() {
    let log = Log::of(0..3);
    let bytes = std::fs::read(log.segment()).unwrap();
    log.cut_at(find(&bytes, &log.checkpoints[2]) - 100);
    let report = log.verify(&[]).unwrap();
    assert_eq!((report.records, report.unfinished), (3, true));
}

#[test]
fn nobody_elses_key_verifies_the_log() {
    let log = Log::of(0..2);
    let other = SigningKey::from_seed(&[7; 32]).unwrap();
    let other = tolbooth::merkle::note::VerifierKey::new(LOG, other.public()).unwrap();
    assert!(verify_journal(&log.journal(), &other, &[], &mut |_| ()).is_err());
    assert!(held(&log.checkpoints[0], &other).is_err());
    assert!(held(&log.receipts[0], &other).is_err());
    assert!(held("not a receipt", &verifier()).is_err());
}

fn exported(log: &Log, copy: &Copy) -> Vec<u8> {
    let (ledger, _) = open(log.folder.path());
    let mut out = Vec::new();
    export(&ledger.archive(), &verifier(), copy, &mut out, &mut |_| ()).unwrap();
    out
}

fn verified(export: &[u8], against: &[&str]) -> Result<Report, VerifyFault> {
    let held: Vec<Checkpoint> = against.iter().map(|text| held(text, &verifier()).unwrap()).collect();
    verify_export(&mut &*export, &verifier(), &held, &mut |_| ())
}

#[test]
fn an_export_verifies_like_its_log() {
    let log = Log::of(0..5);
    for copy in [
        Copy::Envelopes,
        Copy::WithSealed,
        Copy::Party(MemberId::new("nhs-lomond").unwrap()),
        Copy::Party(MemberId::new("police-caledonia").unwrap()),
    ] {
        let export = exported(&log, &copy);
        let report = verified(&export, &[&log.receipts[1], &log.checkpoints[4]]).unwrap();
        assert_eq!(report.records, 6, "{copy:?}");
        let text = String::from_utf8(export.clone()).unwrap();
        let party = Copy::Party(MemberId::new("police-caledonia").unwrap());
        assert_eq!(text.contains("ed-trak"), copy != party, "{copy:?}");
        // Another's records are there by hash alone; sealed parts only where asked for.
        assert_eq!(
            text.contains("\"sealed\":\"") && !text.contains("\"leaf\""),
            copy == Copy::WithSealed,
            "{copy:?}"
        );

        // Without a line, with two exchanged, with a byte changed, cut short: refused.
        let lines: Vec<&str> = text.lines().collect();
        let without = [&lines[..3], &lines[4..]].concat().join("\n");
        assert!(verified(without.as_bytes(), &[]).is_err(), "{copy:?}");
        let mut exchanged = lines.clone();
        exchanged.swap(3, 4);
        assert!(verified(exchanged.join("\n").as_bytes(), &[]).is_err(), "{copy:?}");
        assert!(verified(lines[..6].join("\n").as_bytes(), &[]).is_err(), "{copy:?}");
        let changed = text.replacen("\"index\":2", "\"index\":3", 1);
        assert!(verified(changed.as_bytes(), &[]).is_err(), "{copy:?}");
        if copy != party {
            let changed = text.replacen("ed_clinician", "xx_clinician", 1);
            assert!(verified(changed.as_bytes(), &[]).is_err(), "{copy:?}");
        }
    }
    let other = Log::of(10..15);
    let export = exported(&log, &Copy::Envelopes);
    assert!(verified(&export, &[&other.checkpoints[2]]).is_err());
}

/// Whoever verifies a log that is written to, packed and erased in meanwhile reads no damage that is none.
#[test]
fn a_log_that_grows_is_verified_under_load() {
    // Writers end by themselves: the log stays small, and nobody waits for them where a round fails.
    const RECORDS: u64 = 400;
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let journal = journal_directory(folder.path());
    std::thread::scope(|scope| {
        let write = |writer: u64| {
            let ledger = &ledger;
            move || {
                for n in 1..=RECORDS {
                    ledger.append_blocking(record(writer * 1_000_000 + n)).unwrap();
                }
            }
        };
        let writers: Vec<_> = (0..3).map(|writer| scope.spawn(write(writer))).collect();
        let mut records = 0;
        while records < 3 * RECORDS {
            let report = verify_journal(&journal, &verifier(), &[], &mut |_| ());
            let report = report.unwrap_or_else(|fault| panic!("after {records} records: {fault}"));
            assert!(report.records >= records);
            records = report.records;
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
    ledger.close();
}
