//! Packed segments: less disk for the same bytes, and sealed parts made blank in them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::logbook::*;
use tolbooth::journal::Position;
use tolbooth::ledger::verify::verify_journal;
use tolbooth::ledger::{Archive, Ledger, Stored, journal_directory};

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
