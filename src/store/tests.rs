use super::*;
use crate::model::{AgreementId, AgreementRef, Digest, ExchangeId};

/// A directory of its own, deleted with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let random = crate::crypto::random::<8>().unwrap();
        let name = format!("tolbooth-store-{}", u64::from_be_bytes(random));
        let dir = std::env::temp_dir().join(name);
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    fn store(&self) -> PathBuf {
        self.0.join("index")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn exchange(n: u64) -> ExchangeId {
    ExchangeId::new(1_700_000_000_000 + n, [n as u8; 10])
}

fn place(n: u64) -> Place {
    Place { segment: n / 100, offset: n * 512 }
}

fn agreement(version: u32) -> AgreementRef {
    AgreementRef { id: AgreementId::new("glenmore-lomond").unwrap(), version }
}

/// Folds the records `from..to`, one batch, as the ledger would.
fn fold_records(fold: &Fold, from: u64, to: u64) {
    let mut folder = fold.folder();
    for n in from..to {
        folder.exchange(&exchange(n), place(n));
    }
    folder.checkpoint(to, format!("checkpoint {to}").as_bytes());
    folder.commit(place(to)).unwrap();
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let scratch = Scratch::new();
    let (fold, found) = Fold::open(&scratch.store()).unwrap();
    assert_eq!(found, Found::Nothing);
    assert_eq!(fold.folded_up_to().unwrap(), None);
    fold_records(&fold, 0, 500);
    drop(fold);

    let (fold, found) = Fold::open(&scratch.store()).unwrap();
    assert_eq!(found, Found::Whole);
    assert_eq!(fold.folded_up_to().unwrap(), Some(place(500)));
    assert_eq!(fold.exchange(&exchange(499)).unwrap(), Some(place(499)));
    assert_eq!(fold.exchange(&exchange(500)).unwrap(), None);
    assert_eq!(fold.checkpoint(500).unwrap().as_deref(), Some(&b"checkpoint 500"[..]));
}

#[test]
fn nothing_is_seen_before_it_is_committed() {
    let scratch = Scratch::new();
    let (fold, _) = Fold::open(&scratch.store()).unwrap();
    let mut folder = fold.folder();
    folder.exchange(&exchange(1), place(1));
    assert_eq!(fold.exchange(&exchange(1)).unwrap(), None);
    drop(folder);
    assert_eq!(fold.exchange(&exchange(1)).unwrap(), None);
    assert_eq!(fold.folded_up_to().unwrap(), None);
}

const LOG: &str = "glenmore.caledonia.example/ledger";

#[test]
fn the_highest_version_in_force_never_falls() {
    let scratch = Scratch::new();
    let file = scratch.0.join(VERSIONS);
    for (round, noted) in [&[3, 2][..], &[1], &[4, 9, 2], &[]].into_iter().enumerate() {
        let mut versions = Versions::read(&file, LOG).unwrap();
        noted.iter().for_each(|version| versions.note(&agreement(*version)));
        versions.folded_before(5 - round as u64);
        versions.write(&file).unwrap();
    }
    let versions = Versions::read(&file, LOG).unwrap();
    assert_eq!(versions.highest().collect::<Vec<_>>(), [agreement(9)]);
    assert_eq!(versions.next_segment(), 5);
}

#[test]
fn versions_that_cannot_be_believed_are_folded_anew() {
    let scratch = Scratch::new();
    let file = scratch.0.join(VERSIONS);
    let nothing = Versions::nothing(LOG);
    assert_eq!(Versions::read(&file, LOG).unwrap(), nothing, "there is none");
    let mut versions = nothing.clone();
    versions.note(&agreement(7));
    versions.folded_before(3);
    versions.write(&file).unwrap();
    assert_eq!(Versions::read(&file, LOG).unwrap(), versions);
    assert_eq!(Versions::read(&file, "elsewhere/ledger").unwrap(), Versions::nothing("elsewhere/ledger"));
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&file, &changed).unwrap();
        assert_eq!(Versions::read(&file, LOG).unwrap(), nothing, "byte {at} changed");
        fs::write(&file, &whole[..at]).unwrap();
        assert_eq!(Versions::read(&file, LOG).unwrap(), nothing, "cut before byte {at}");
    }
    // Another format, though it says of itself that it is whole.
    let other = String::from_utf8(whole).unwrap().replace("versions/v1", "versions/v9");
    let (above, _) = other.trim_end().rsplit_once('\n').unwrap();
    let digest = Digest::of(format!("{above}\n").as_bytes());
    fs::write(&file, format!("{above}\n{digest}\n")).unwrap();
    assert_eq!(Versions::read(&file, LOG).unwrap(), nothing);
}

#[test]
fn checkpoints_are_found_from_both_sides() {
    let scratch = Scratch::new();
    let (fold, _) = Fold::open(&scratch.store()).unwrap();
    let mut folder = fold.folder();
    for size in [10, 300, 70_000] {
        folder.checkpoint(size, size.to_string().as_bytes());
    }
    folder.commit(place(1)).unwrap();
    let size = |entry: Option<(u64, Vec<u8>)>| entry.map(|(size, _)| size);
    assert_eq!(size(fold.checkpoint_up_to(u64::MAX).unwrap()), Some(70_000));
    assert_eq!(size(fold.checkpoint_up_to(299).unwrap()), Some(10));
    assert_eq!(size(fold.checkpoint_up_to(9).unwrap()), None);
    assert_eq!(size(fold.checkpoint_from(11).unwrap()), Some(300));
    assert_eq!(size(fold.checkpoint_from(70_001).unwrap()), None);
    assert_eq!(fold.checkpoint(11).unwrap(), None);
}

#[test]
fn a_half_written_snapshot_loses_nothing() {
    let scratch = Scratch::new();
    let (fold, _) = Fold::open(&scratch.store()).unwrap();
    fold_records(&fold, 0, 500);
    drop(fold);
    fs::write(scratch.store().join("snap.0000000000FFFFFF.generating"), b"half").unwrap();
    let (fold, found) = Fold::open(&scratch.store()).unwrap();
    assert_eq!(found, Found::Whole);
    assert_eq!(fold.folded_up_to().unwrap(), Some(place(500)));
    assert_eq!(fold.exchange(&exchange(7)).unwrap(), Some(place(7)));
}

#[test]
fn damage_anywhere_never_gives_a_wrong_answer() {
    let scratch = Scratch::new();
    let (fold, _) = Fold::open(&scratch.store()).unwrap();
    for n in 0..20 {
        fold_records(&fold, n * 100, n * 100 + 100);
    }
    drop(fold);
    let db = scratch.store().join("db");
    let whole = fs::read(&db).unwrap();
    let written = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for part in 0..12 {
        let mut bytes = whole.clone();
        let at = written * part / 12;
        for byte in &mut bytes[at..at + 64] {
            *byte ^= 0xa5;
        }
        // Only the log is left, as after a cut; a snapshot would hide what the log lost.
        fs::remove_dir_all(scratch.store()).unwrap();
        fs::create_dir(scratch.store()).unwrap();
        fs::write(&db, &bytes).unwrap();
        let (fold, _) = Fold::open(&scratch.store()).unwrap();
        let known = fold.folded_up_to().unwrap();
        for n in (0..2000).step_by(37) {
            match fold.exchange(&exchange(n)) {
                Ok(Some(at)) => assert_eq!(at, place(n)),
                Ok(None) => assert!(known.is_none_or(|known| known <= place(n)), "record {n}, part {part}"),
                Err(error) => assert!(matches!(error, StoreError::Damaged), "{error}"),
            }
        }
        drop(fold);
    }
}

#[test]
fn garbage_or_nothing_starts_anew_and_works() {
    let scratch = Scratch::new();
    for garbage in [vec![0xff; 1 << 20], b"not a store".to_vec(), Vec::new()] {
        let _ = fs::remove_dir_all(scratch.store());
        let (fold, _) = Fold::open(&scratch.store()).unwrap();
        fold_records(&fold, 0, 300);
        drop(fold);
        fs::write(scratch.store().join("db"), garbage).unwrap();
        let (fold, _) = Fold::open(&scratch.store()).unwrap();
        assert_eq!(fold.folded_up_to().unwrap(), None);
        assert_eq!(fold.exchange(&exchange(1)).unwrap(), None);
        fold_records(&fold, 0, 300);
        assert_eq!(fold.exchange(&exchange(1)).unwrap(), Some(place(1)));
    }
}

#[test]
fn another_format_is_folded_anew() {
    let scratch = Scratch::new();
    let (store, _) = Store::open(&scratch.store()).unwrap();
    let mut batch = Batch::default();
    batch.put(b'v', b"", b"tolbooth/fold/v0");
    batch.put(b'f', b"", &[0; 16]);
    store.apply(batch).unwrap();
    drop(store);
    let (fold, found) = Fold::open(&scratch.store()).unwrap();
    assert_eq!(found, Found::Damaged);
    assert_eq!(fold.folded_up_to().unwrap(), None);
}

#[test]
fn wiping_leaves_a_store_that_works() {
    let scratch = Scratch::new();
    let (fold, _) = Fold::open(&scratch.store()).unwrap();
    fold_records(&fold, 0, 300);
    let fold = fold.wipe().unwrap();
    assert_eq!(fold.folded_up_to().unwrap(), None);
    assert_eq!(fold.exchange(&exchange(1)).unwrap(), None);
    fold_records(&fold, 0, 300);
    drop(fold);
    fs::remove_dir_all(scratch.store()).unwrap();
    let (fold, found) = Fold::open(&scratch.store()).unwrap();
    assert_eq!(found, Found::Nothing);
    assert_eq!(fold.folded_up_to().unwrap(), None);
}

#[test]
fn a_store_in_use_is_left_alone() {
    let scratch = Scratch::new();
    let (fold, _) = Fold::open(&scratch.store()).unwrap();
    fold_records(&fold, 0, 300);
    assert!(matches!(Fold::open(&scratch.store()), Err(StoreError::Busy)));
    assert_eq!(fold.exchange(&exchange(1)).unwrap(), Some(place(1)));
}

#[test]
fn a_folder_with_other_files_is_never_deleted() {
    let scratch = Scratch::new();
    let (fold, _) = Fold::open(&scratch.store()).unwrap();
    fs::write(scratch.store().join("thesis.txt"), b"years of work").unwrap();
    assert!(matches!(fold.wipe(), Err(StoreError::Foreign)));
    assert!(scratch.store().join("thesis.txt").exists());
}
