//! Packed segments: less disk for the same bytes, and sealed parts made blank in them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use std::sync::atomic::{AtomicBool, Ordering};

use super::logbook::*;
use tolbooth::clock::Clock;
use tolbooth::journal::{JournalFault, Position};
use tolbooth::ledger::verify::{VerifyFault, held, verify_journal};
use tolbooth::ledger::{Archive, Ledger, LedgerConfig, LedgerError, Stored, journal_directory};

/// What a record is, by its index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    at: Position,
    envelope: Vec<u8>,
    sealed: Option<Vec<u8>>,
}

fn kept(archive: &Archive) -> BTreeMap<u64, Kept> {
    let mut out = BTreeMap::new();
    archive
        .each(&mut |stored| {
            if let Stored::Entry(entry) = stored {
                let (envelope, sealed) = (entry.envelope.to_vec(), entry.sealed.map(<[u8]>::to_vec));
                out.insert(entry.index, Kept { at: entry.at, envelope, sealed });
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    out
}

/// The numbers of the files that end so.
fn files(directory: &Path, suffix: &str) -> Vec<u32> {
    let names = std::fs::read_dir(journal_directory(directory)).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut out: Vec<u32> = names.filter_map(|name| name.strip_suffix(suffix)?.parse().ok()).collect();
    out.sort_unstable();
    out
}

/// A log of a few segments.
fn filled(directory: &Path) -> Ledger {
    let (ledger, _) = open(directory);
    for n in 0..200 {
        ledger.append_blocking(record(n)).unwrap();
    }
    assert!(ledger.archive().end().segment > 3);
    ledger
}

#[test]
fn packed_segments_are_the_same_log() {
    let folder = Folder::new();
    let ledger = filled(folder.path());
    let before = kept(&ledger.archive());
    let open_segment = ledger.archive().end().segment;
    assert_eq!(ledger.pack(u32::MAX, &mut || true).unwrap(), u64::from(open_segment) - 1);
    assert_eq!(ledger.pack(u32::MAX, &mut || true).unwrap(), 0);
    assert_eq!(files(folder.path(), ".packed"), (1..open_segment).collect::<Vec<_>>());
    assert_eq!(files(folder.path(), ".segment"), [open_segment, open_segment + 1]);
    assert_eq!(kept(&ledger.archive()), before);
    ledger.append_blocking(record(1000)).unwrap();
    ledger.close();
    let journal = journal_directory(folder.path());
    assert_eq!(verify_journal(&journal, &verifier(), &[], &mut |_| ()).unwrap().records, 202);
    let (ledger, opened) = open(folder.path());
    assert_eq!(opened.records, 202);
    assert_eq!(ledger.append_blocking(record(1001)).unwrap().index(), 202);
}

/// Of a segment as it was written, of a packed one and of the one that is still open.
#[test]
fn a_blank_takes_the_sealed_parts_named_and_nothing_else() {
    let folder = Folder::new();
    let ledger = filled(folder.path());
    let before = kept(&ledger.archive());
    let open_segment = ledger.archive().end().segment;
    ledger.pack(2, &mut || true).unwrap();
    assert_eq!(files(folder.path(), ".packed"), [1]);
    let of = |segment: u32, place: usize| {
        before.iter().filter(|(_, kept)| kept.at.segment == segment).nth(place).map(|(index, _)| *index)
    };
    let erased = [of(1, 3), of(1, 7), of(2, 0), of(open_segment, 1)].map(Option::unwrap);
    ledger.blank(&erased.map(|index| before[&index].at)).unwrap();
    let mut wanted = before.clone();
    for index in erased {
        wanted.get_mut(&index).unwrap().sealed = None;
    }
    assert_eq!(kept(&ledger.archive()), wanted);
    // Again is no harm, and the log goes on in the next segment.
    ledger.blank(&erased.map(|index| before[&index].at)).unwrap();
    ledger.append_blocking(record(1000)).unwrap();
    assert_eq!(ledger.archive().end().segment, open_segment + 1);
    ledger.close();
    let after = kept(&Archive::offline(&journal_directory(folder.path())).unwrap());
    assert!(wanted.iter().all(|(index, kept)| after.get(index) == Some(kept)));
    // All that is wrong with it is that nothing was recorded of the erasure.
    let verified = verify_journal(&journal_directory(folder.path()), &verifier(), &[], &mut |_| ());
    assert!(verified.unwrap_err().to_string().contains("blank and no erasure record names it"));
}

/// Several at once, while the log goes on.
#[test]
fn blanks_at_once_are_all_done() {
    let folder = Folder::new();
    let ledger = filled(folder.path());
    let open_segment = ledger.archive().end().segment;
    let of_open = kept(&ledger.archive()).into_values().filter(|kept| kept.at.segment == open_segment);
    let places: Vec<Position> = of_open.take(4).map(|kept| kept.at).collect();
    std::thread::scope(|scope| {
        let each: Vec<_> = places.iter().map(|at| scope.spawn(|| ledger.blank(&[*at]))).collect();
        (1000..1050).for_each(|n| drop(ledger.append_blocking(record(n)).unwrap()));
        each.into_iter().for_each(|one| one.join().unwrap().unwrap());
    });
    let blank = kept(&ledger.archive()).into_values().filter(|kept| kept.sealed.is_none());
    assert!(blank.map(|kept| kept.at).eq(places));
}

/// A place that is no record's blanks nothing at all.
#[test]
fn a_blank_of_anything_but_a_record_is_refused() {
    let folder = Folder::new();
    let ledger = filled(folder.path());
    let before = kept(&ledger.archive());
    let end = ledger.archive().end();
    let sound = before[&5].at;
    let moved = |by: u64| Position { offset: sound.offset + by, ..sound };
    let sealed_frame = before[&6].at.offset - sound.offset;
    for wrong in [
        moved(8),
        moved(1),
        // Its own sealed part, the checkpoint behind it, or what lies between the two.
        moved(sealed_frame / 2 / 8 * 8),
        Position { segment: 1, offset: 0 },
        Position { segment: 1, offset: 32 },
        Position { segment: 2, offset: 32 },
        end,
        Position { segment: end.segment, offset: end.offset + 64 },
        Position { segment: end.segment + 1, offset: 32 },
        Position { segment: 1, offset: u64::MAX },
    ] {
        let refused = ledger.blank(&[sound, wrong]);
        assert!(matches!(&refused, Err(LedgerError::Record { .. })), "{wrong:?}: {refused:?}");
        assert!(kept(&ledger.archive()) == before, "{wrong:?}");
    }
    assert!(ledger.blank(&[Position { segment: 77, offset: 32 }]).is_err());
    assert!(files(folder.path(), ".packed").is_empty());
    ledger.blank(&[]).unwrap();
    // A ledger that is closed has given its directory back.
    ledger.close();
    assert!(ledger.blank(&[sound]).is_err());
}

/// Receipts bind the envelope, which stays.
#[test]
fn a_receipt_outlives_packing_and_the_blank_of_its_record() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let receipts: Vec<_> = (0..150).map(|n| ledger.append_blocking(record(n)).unwrap()).collect();
    ledger.pack(u32::MAX, &mut || true).unwrap();
    let held: Vec<_> = receipts.iter().map(|one| held(one.header(), &verifier()).unwrap()).collect();
    let journal = journal_directory(folder.path());
    assert_eq!(verify_journal(&journal, &verifier(), &held, &mut |_| ()).unwrap().records, 151);
    let at = kept(&ledger.archive())[&3].at;
    ledger.blank(&[at]).unwrap();
    let envelope = ledger.archive().at(at, |entry| (entry.envelope.to_vec(), entry.sealed.is_none()));
    let (envelope, is_blank) = envelope.unwrap().unwrap();
    assert!(is_blank);
    let proven = tolbooth::ledger::verify::verify_receipt(receipts[2].header(), &verifier(), None, &[]);
    assert_eq!(proven.unwrap().envelope.as_bytes(), envelope);
}

/// Segments four times as large.
fn wide(directory: &Path) -> Ledger {
    let config = LedgerConfig { segment_bytes: 4 * SMALL, ..config(directory) };
    let (ledger, _) = Ledger::open(config, Clock::new().unwrap()).unwrap();
    for n in 0..300 {
        ledger.append_blocking(record(n)).unwrap();
    }
    ledger.pack(u32::MAX, &mut || true).unwrap();
    assert!(ledger.archive().end().segment == 3, "{:?}", ledger.archive().end());
    ledger
}

#[test]
fn damage_in_a_block_is_that_of_the_first_record_that_lacks_bytes() {
    let folder = Folder::new();
    let ledger = wide(folder.path());
    let whole = kept(&ledger.archive());
    drop(ledger);
    let journal = journal_directory(folder.path());
    let path = journal.join("00000001.packed");
    let sound = std::fs::read(&path).unwrap();
    // The block that begins where a small segment would end: the blocks of 16 KiB follow their index.
    let blocks = usize::try_from(4 * SMALL).unwrap() / (16 << 10);
    let stored = |number: usize| {
        let at = 32 + number * 8;
        u32::from_le_bytes(sound[at..at + 4].try_into().unwrap()) as usize
    };
    let mut damaged = sound.clone();
    damaged[32 + blocks * 8 + 4 + (0..blocks / 4).map(stored).sum::<usize>()] ^= 1;
    std::fs::write(&path, &damaged).unwrap();

    let first = whole.values().find(|kept| kept.at.segment == 1 && kept.at.offset >= SMALL).unwrap().at;
    let is_there =
        |segment: u32, offset: u64| segment == 1 && offset <= first.offset && offset + 2000 > SMALL;
    let verified = verify_journal(&journal, &verifier(), &[], &mut |_| ());
    let Err(VerifyFault::Journal(JournalFault::Damaged { segment, offset, index, what })) = verified else {
        panic!("{verified:?}");
    };
    assert!(is_there(segment, offset) && index > 10, "{segment} {offset} {index}");
    assert!(what.contains("block of the packed segment"), "{what}");
    // Everything before reads, and a look-up behind it too.
    let archive = Archive::offline(&journal).unwrap();
    let mut read = 0;
    let fault = archive.each(&mut |stored| {
        read += u64::from(matches!(stored, Stored::Entry(_)));
        ControlFlow::Continue(())
    });
    assert!(matches!(fault, Err(JournalFault::Damaged { segment: 1, .. })), "{fault:?}");
    let before = whole.values().filter(|kept| kept.at.segment == 1 && kept.at.offset < SMALL).count() as u64;
    assert!(read >= before - 1 && read <= before, "{read} of {before}");
    let behind = whole.values().find(|kept| kept.at.segment == 1 && kept.at.offset > 2 * SMALL).unwrap();
    assert_eq!(archive.at(behind.at, |entry| entry.envelope.to_vec()).unwrap().unwrap(), behind.envelope);
}

/// It was packed because a later one had something durable in it.
#[test]
fn a_packed_segment_is_never_the_last() {
    let folder = Folder::new();
    drop(wide(folder.path()));
    let journal = journal_directory(folder.path());
    std::fs::remove_file(journal.join("00000003.segment")).unwrap();
    std::fs::remove_file(journal.join("00000004.segment")).unwrap();
    let config = LedgerConfig { segment_bytes: 4 * SMALL, ..config(folder.path()) };
    let opened = Ledger::open(config, Clock::new().unwrap()).map(|_| ());
    let is_named = |fault: &JournalFault| matches!(fault, JournalFault::Damaged { segment: 3, .. });
    assert!(matches!(&opened, Err(LedgerError::Journal(fault)) if is_named(fault)), "{opened:?}");
    let verified = verify_journal(&journal, &verifier(), &[], &mut |_| ());
    assert!(matches!(&verified, Err(VerifyFault::Journal(fault)) if is_named(fault)), "{verified:?}");
}

/// Readers hold no lock. Whatever is replaced meanwhile, nothing looks damaged to them.
#[test]
fn whoever_reads_meanwhile_sees_each_segment_before_or_after() {
    let folder = Folder::new();
    let ledger = filled(folder.path());
    let before = kept(&ledger.archive());
    let (archive, done) = (ledger.archive(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut reads = 0;
                    while !done.load(Ordering::Acquire) || reads < 2 {
                        for (index, found) in kept(&archive) {
                            let wanted = &before[&index];
                            assert_eq!((found.at, &found.envelope), (wanted.at, &wanted.envelope));
                            assert!(found.sealed.is_none() || found.sealed == wanted.sealed);
                        }
                        reads += 1;
                    }
                })
            })
            .collect();
        ledger.pack(u32::MAX, &mut || true).unwrap();
        let places: Vec<Position> = before.values().skip(1).step_by(9).map(|kept| kept.at).collect();
        for some in places.chunks(4) {
            ledger.blank(some).unwrap();
        }
        done.store(true, Ordering::Release);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        let blank = kept(&ledger.archive()).into_values().filter(|kept| kept.sealed.is_none());
        assert!(blank.map(|kept| kept.at).eq(places));
    });
}
