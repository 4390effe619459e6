use super::*;
use crate::model::{AgreementId, AgreementRef, Digest, ExchangeId, Halt, LifeEvent, StopScope};

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
    let [a, b, c, d, e, f, g, h] = n.to_be_bytes();
    ExchangeId::new(1_700_000_000_000 + n, [0, 0, a, b, c, d, e, f, g, h])
}

fn place(n: u64) -> Place {
    Place { segment: n / 100, offset: n * 512 }
}

fn agreement(version: u32) -> AgreementRef {
    AgreementRef { id: AgreementId::new("glenmore-lomond").unwrap(), version }
}

fn key(log: &str) -> IndexKey {
    IndexKey::new(&[7; 32], log)
}

fn open(scratch: &Scratch) -> Result<(Fold, Found), StoreError> {
    Fold::open(&scratch.store(), key(LOG))
}

/// The records of one segment, each filed under its exchange and whatever `more` says.
fn gather(fold: &Fold, segment: u64, more: impl Fn(u64) -> Vec<Term>) -> Gathered {
    let mut gathered = Gathered::behind(fold.reach().unwrap().unwrap_or_default());
    for n in segment * 100..segment * 100 + 100 {
        let mut terms = more(n);
        terms.push(Term::of_random(TermKind::Exchange, exchange(n).bytes()));
        gathered.add(place(n), Some(n as i64 * 10), &terms);
    }
    gathered
}

/// Folds the records `from..to`, a hundred to a segment, as the ledger would.
fn fold_records(fold: &Fold, from: u64, to: u64) {
    for segment in from / 100..to / 100 {
        let mut folder = fold.folder();
        let size = segment * 100 + 100;
        folder.checkpoint(size, format!("checkpoint {size}").as_bytes());
        folder.commit(segment as u32, &gather(fold, segment, |_| Vec::new())).unwrap();
        fold.tidy().unwrap();
    }
}

/// Where an exchange is, as far as it is folded.
fn known(fold: &Fold, n: u64) -> Result<Option<Place>, StoreError> {
    let term = Term::of_random(TermKind::Exchange, exchange(n).bytes());
    let sought = Sought { all: vec![vec![term]], ..Sought::default() };
    let Some(reach) = fold.reach()? else { return Ok(None) };
    Ok(fold.newest(&sought, reach.record, 1)?.first().map(|(_, place)| *place))
}

/// How far folding has come.
fn folded(fold: &Fold) -> Option<u64> {
    fold.reach().unwrap().map(|reach| reach.record)
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let scratch = Scratch::new();
    let (fold, found) = open(&scratch).unwrap();
    assert_eq!(found, Found::Nothing);
    assert_eq!(folded(&fold), None);
    fold_records(&fold, 0, 500);
    drop(fold);

    let (fold, found) = open(&scratch).unwrap();
    assert_eq!(found, Found::Whole);
    assert_eq!(folded(&fold), Some(500));
    assert_eq!(known(&fold, 499).unwrap(), Some(place(499)));
    assert_eq!(known(&fold, 500).unwrap(), None);
    assert_eq!(fold.checkpoint(500).unwrap().as_deref(), Some(&b"checkpoint 500"[..]));
}

#[test]
fn nothing_is_seen_before_it_is_committed() {
    let scratch = Scratch::new();
    let (fold, _) = open(&scratch).unwrap();
    let mut folder = fold.folder();
    folder.checkpoint(1, b"checkpoint");
    assert_eq!(fold.checkpoint(1).unwrap(), None);
    assert_eq!(known(&fold, 1).unwrap(), None);
    drop(folder);
    assert_eq!(known(&fold, 1).unwrap(), None);
    assert_eq!(folded(&fold), None);
}

const LOG: &str = "glenmore.caledonia.example/ledger";

#[test]
fn the_highest_version_in_force_never_falls() {
    let scratch = Scratch::new();
    let file = Versions::beside(&scratch.0.join("store"));
    for (round, noted) in [&[3, 2][..], &[1], &[4, 9, 2], &[]].into_iter().enumerate() {
        let mut versions = Versions::read(&file, LOG, &key(LOG));
        noted.iter().for_each(|version| versions.note(&agreement(*version), Digest::of(&[*version as u8])));
        versions.folded_before(5 - round as u64);
        versions.write(&file, &key(LOG)).unwrap();
    }
    let versions = Versions::read(&file, LOG, &key(LOG));
    assert_eq!(versions.highest().collect::<Vec<_>>(), [(agreement(9), Digest::of(&[9]))]);
    assert_eq!(versions.next_segment(), 5);
}

#[test]
fn versions_that_cannot_be_believed_are_folded_anew() {
    let scratch = Scratch::new();
    let file = Versions::beside(&scratch.0.join("store"));
    let nothing = Versions::nothing(LOG);
    assert_eq!(Versions::read(&file, LOG, &key(LOG)), nothing, "there is none");
    let mut versions = nothing.clone();
    versions.note(&agreement(7), Digest::of(b"7"));
    versions.note_used(agreement(1).id);
    // What the host stopped is not forgotten when the journal's segment is folded.
    let message = "A \"move\"\nto another house".to_owned();
    versions.lived(LifeEvent::Stopped(Halt { scope: StopScope::All, message, until: None }));
    versions.folded_before(3);
    versions.write(&file, &key(LOG)).unwrap();
    assert_eq!(Versions::read(&file, LOG, &key(LOG)), versions);
    assert_eq!(versions.life().halts().count(), 1);
    assert_eq!(
        Versions::read(&file, "elsewhere/ledger", &key("elsewhere/ledger")),
        Versions::nothing("elsewhere/ledger")
    );
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&file, &changed).unwrap();
        assert_eq!(Versions::read(&file, LOG, &key(LOG)), nothing, "byte {at} changed");
        fs::write(&file, &whole[..at]).unwrap();
        assert_eq!(Versions::read(&file, LOG, &key(LOG)), nothing, "cut before byte {at}");
    }
    // Another format, though it says of itself that it is whole; and what somebody wrote without the key.
    let text = String::from_utf8(whole).unwrap();
    for (other, key) in [
        (text.replace("versions/v3", "versions/v9"), key(LOG)),
        (text.clone(), key("elsewhere/ledger")),
        (text.clone(), IndexKey::new(&[8; 32], LOG)),
    ] {
        let (above, _) = other.trim_end().rsplit_once('\n').unwrap();
        let above = format!("{above}\n");
        fs::write(&file, format!("{above}mac:{}\n", Digest(key.tag(&[above.as_bytes()])).hex())).unwrap();
        assert_eq!(Versions::read(&file, LOG, &self::key(LOG)), nothing, "{other}");
    }
    let (above, _) = text.trim_end().rsplit_once('\n').unwrap();
    let digest = Digest::of(format!("{above}\n").as_bytes());
    fs::write(&file, format!("{above}\n{digest}\n")).unwrap();
    assert_eq!(Versions::read(&file, LOG, &key(LOG)), nothing);
}

#[test]
fn checkpoints_are_found_from_both_sides() {
    let scratch = Scratch::new();
    let (fold, _) = open(&scratch).unwrap();
    let mut folder = fold.folder();
    for size in [10, 300, 70_000] {
        folder.checkpoint(size, size.to_string().as_bytes());
    }
    folder.commit(0, &gather(&fold, 0, |_| Vec::new())).unwrap();
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
    let (fold, _) = open(&scratch).unwrap();
    fold_records(&fold, 0, 500);
    drop(fold);
    fs::write(scratch.store().join("snap.0000000000FFFFFF.generating"), b"half").unwrap();
    let (fold, found) = open(&scratch).unwrap();
    assert_eq!(found, Found::Whole);
    assert_eq!(folded(&fold), Some(500));
    assert_eq!(known(&fold, 7).unwrap(), Some(place(7)));
}

#[test]
fn damage_anywhere_never_gives_a_wrong_answer() {
    let scratch = Scratch::new();
    let (fold, _) = open(&scratch).unwrap();
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
        let (fold, _) = open(&scratch).unwrap();
        let reach = fold.reach().ok().flatten().map(|reach| reach.record);
        for n in (0..2000).step_by(37) {
            match known(&fold, n) {
                Ok(Some(at)) => assert_eq!(at, place(n)),
                Ok(None) => assert!(reach.is_none_or(|reach| reach <= n), "record {n}, part {part}"),
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
        let (fold, _) = open(&scratch).unwrap();
        fold_records(&fold, 0, 300);
        drop(fold);
        fs::write(scratch.store().join("db"), garbage).unwrap();
        let (fold, _) = open(&scratch).unwrap();
        assert_eq!(folded(&fold), None);
        assert_eq!(known(&fold, 1).unwrap(), None);
        fold_records(&fold, 0, 300);
        assert_eq!(known(&fold, 1).unwrap(), Some(place(1)));
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
    let (fold, found) = open(&scratch).unwrap();
    assert_eq!(found, Found::Damaged);
    assert_eq!(folded(&fold), None);
}

#[test]
fn wiping_leaves_a_store_that_works() {
    let scratch = Scratch::new();
    let (fold, _) = open(&scratch).unwrap();
    fold_records(&fold, 0, 300);
    let fold = fold.wipe().unwrap();
    assert_eq!(folded(&fold), None);
    assert_eq!(known(&fold, 1).unwrap(), None);
    fold_records(&fold, 0, 300);
    drop(fold);
    fs::remove_dir_all(scratch.store()).unwrap();
    let (fold, found) = open(&scratch).unwrap();
    assert_eq!(found, Found::Nothing);
    assert_eq!(folded(&fold), None);
}

#[test]
fn a_store_in_use_is_left_alone() {
    let scratch = Scratch::new();
    let (fold, _) = open(&scratch).unwrap();
    fold_records(&fold, 0, 300);
    assert!(matches!(open(&scratch), Err(StoreError::Busy)));
    assert_eq!(known(&fold, 1).unwrap(), Some(place(1)));
}

#[test]
fn a_folder_with_other_files_is_never_deleted() {
    let scratch = Scratch::new();
    let (fold, _) = open(&scratch).unwrap();
    fs::write(scratch.store().join("thesis.txt"), b"years of work").unwrap();
    assert!(matches!(fold.wipe(), Err(StoreError::Foreign)));
    assert!(scratch.store().join("thesis.txt").exists());
}

/// A word of each record: some are nearly everybody's, some nearly nobody's.
fn words(n: u64) -> Vec<Term> {
    let mix = |by: u64| (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(by as u32);
    let key = key(LOG);
    let word = |kind, text: String| key.term(kind, text.as_bytes());
    vec![
        word(TermKind::Kind, if mix(3) % 50 == 0 { "read" } else { "exchange" }.to_owned()),
        word(TermKind::Member, format!("member-{}", mix(7) % 7)),
        word(TermKind::Dataset, format!("dataset-{}", mix(11) % 3)),
        word(TermKind::Subject, format!("person-{}", mix(13) % 300)),
    ]
}

/// Whatever is asked, of however many runs, is what a look at each record gives.
#[test]
fn what_is_found_is_what_a_slow_look_finds_however_runs_are_merged() {
    let scratch = Scratch::new();
    let (mut fold, _) = open(&scratch).unwrap();
    let key = key(LOG);
    for segment in 0..75 {
        fold.folder().commit(segment as u32, &gather(&fold, segment, words)).unwrap();
        fold.tidy().unwrap();
        assert!(fold.runs().unwrap() <= 3 * 7, "runs grow with segments");
        if segment == 40 {
            drop(fold);
            fold = open(&scratch).unwrap().0;
        }
    }
    let term = |kind, text: &str| key.term(kind, text.as_bytes());
    let everyone = |count: u64| (0..count).map(|n| term(TermKind::Subject, &format!("person-{n}"))).collect();
    let asked: Vec<Vec<Vec<Term>>> = vec![
        vec![],
        vec![vec![term(TermKind::Kind, "exchange")]],
        vec![vec![term(TermKind::Kind, "read")], vec![term(TermKind::Member, "member-3")]],
        vec![vec![term(TermKind::Member, "member-0")], vec![term(TermKind::Dataset, "dataset-2")]],
        vec![vec![term(TermKind::Member, "member-0")], vec![term(TermKind::Member, "member-1")]],
        vec![everyone(1)],
        vec![everyone(40), vec![term(TermKind::Dataset, "dataset-1")]],
        vec![vec![term(TermKind::Dataset, "nobody's")]],
    ];
    for all in asked {
        for (from_ms, before_ms) in [
            (None, None),
            (Some(12_345), Some(60_000)),
            (Some(74_995), None),
            // A block goes on behind where a page begins.
            (None, Some(39_800)),
            (Some(39_700), Some(39_900)),
        ] {
            let sought = Sought { all: all.clone(), from_ms, before_ms };
            for below in [7500, 7499, 4000, 3950, 1] {
                let slow: Vec<u64> = (0..below)
                    .rev()
                    .filter(|n| {
                        let (time, words) = (*n as i64 * 10, words(*n));
                        from_ms.is_none_or(|from| time >= from)
                            && before_ms.is_none_or(|before| time < before)
                            && all.iter().all(|any| any.iter().any(|term| words.contains(term)))
                    })
                    .collect();
                let found = fold.newest(&sought, below, usize::MAX).unwrap();
                assert_eq!(found.iter().map(|(n, _)| *n).collect::<Vec<_>>(), slow);
                assert!(found.iter().all(|(n, at)| *at == place(*n)));
                assert_eq!(fold.count(&sought, below).unwrap(), slow.len() as u64);
                let page = fold.newest(&sought, below, 10).unwrap();
                assert_eq!(page, found[..found.len().min(10)]);
            }
        }
    }
    assert!(matches!(fold.newest(&Sought::default(), 7501, 1), Err(StoreError::Behind)));
}

/// One that is gone, changed, or of another log is damage, and never a miss.
#[test]
fn a_piece_that_is_missing_or_not_ours_is_damage_and_never_a_miss() {
    let scratch = Scratch::new();
    let (fold, _) = open(&scratch).unwrap();
    for segment in 0..20 {
        fold.folder().commit(segment as u32, &gather(&fold, segment, words)).unwrap();
        fold.tidy().unwrap();
    }
    drop(fold);
    let (store, _) = Store::open(&scratch.store()).unwrap();
    let pieces = store.range(b'p', b"", usize::MAX).unwrap();
    assert!(pieces.len() > 8);
    let everybody: Vec<Term> =
        (0..300).map(|n| key(LOG).term(TermKind::Subject, format!("person-{n}").as_bytes())).collect();
    let mut seen = 0;
    let mut store = Some(store);
    for (place, damage) in (0..pieces.len()).flat_map(|place| (0..3).map(move |damage| (place, damage))) {
        let (name, value) = &pieces[place];
        let mut batch = Batch::default();
        match damage {
            0 => batch.delete(b'p', name),
            // Another piece of ours, in its place.
            1 => batch.put(b'p', name, &pieces[(place + 1) % pieces.len()].1),
            _ => batch.put(b'p', name, &[&value[..value.len() - 1], &[value[value.len() - 1] ^ 1]].concat()),
        }
        store.as_ref().unwrap().apply(batch).unwrap();
        drop(store.take());
        let (fold, found) = open(&scratch).unwrap();
        assert_eq!(found, Found::Whole);
        for term in &everybody {
            let sought = Sought { all: vec![vec![*term]], ..Sought::default() };
            let slow = (0..2000).filter(|n| words(*n).contains(term)).count();
            match fold.count(&sought, 2000) {
                Ok(count) => assert_eq!(count, slow as u64, "piece {place}, damage {damage}"),
                Err(error) => {
                    assert!(matches!(error, StoreError::Damaged), "{error}");
                    seen += 1;
                }
            }
        }
        drop(fold);
        let mut batch = Batch::default();
        batch.put(b'p', name, value);
        store = Some(Store::open(&scratch.store()).unwrap().0);
        store.as_ref().unwrap().apply(batch).unwrap();
    }
    assert!(seen > 0);
    drop(store);
    let (fold, found) = Fold::open(&scratch.store(), key("elsewhere/ledger")).unwrap();
    assert_eq!((found, folded(&fold)), (Found::Damaged, None));
}
