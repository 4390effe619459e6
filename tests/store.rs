//! What is folded may be deleted at any moment, and nothing changes but a rebuild.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::gateway::CHI;
use support::here::Here;
use support::site::{Site, run};
use tolbooth::desk::versions_at_start;
use tolbooth::ledger::search::Index as _;
use tolbooth::ledger::{Alarm, GrantUse, Opened, Presented, Record};
use tolbooth::model::{AgreementId, AgreementRef, Digest, ExchangeId, MemberId, SystemId, SystemName};
use tolbooth::store::{IndexKey, Versions};

fn store(here: &Here) -> PathBuf {
    here.site.home.join("data/store")
}

/// Asks, and gives the exchange's id and envelope from the receipt.
fn ask(here: &Here) -> (String, Value) {
    let body = format!("{{\"chi\":\"{CHI}\"}}");
    let said = here.nhs().ask("/child-protection/v1/check", &[("tolbooth-role", "ed_nurse")], &body);
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    let receipt = Presented::parse(said.header("tolbooth-receipt")).unwrap();
    let checked = receipt.check(here.ledger().verifier()).unwrap();
    let envelope: Value = serde_json::from_slice(&checked.envelope).unwrap();
    (envelope["exchange"].as_str().unwrap().to_owned(), envelope)
}

/// Ends segments, so that what is in them is folded.
fn end_segments(here: &Here) {
    let begun = here.ledger().archive().sealed_segments().unwrap().len();
    while here.ledger().archive().sealed_segments().unwrap().len() < begun + 2 {
        let detail = Some("x".repeat(8000));
        let alarm = Alarm { cause: "drift", dataset: None, detail, dropped: Vec::new() };
        here.ledger().append_blocking(Record::Alarm(alarm)).unwrap();
    }
}

/// Whether the store knows where the exchange is.
fn is_folded(here: &Here, id: &str) -> bool {
    let id = ExchangeId::parse(id).unwrap();
    here.running().app.fold.locate(&id).is_some()
}

/// What the store is kept under.
fn key(here: &Here) -> IndexKey {
    let text = std::fs::read_to_string(here.site.home.join("data/keys/index.key")).unwrap();
    IndexKey::new(&Digest::from_hex(text.trim()).unwrap().0, here.ledger().verifier().name())
}

/// What the store says was ever in force, and how far it was read.
fn versions(here: &Here) -> Versions {
    Versions::read(&Versions::beside(&store(here)), here.ledger().verifier().name(), &key(here))
}

/// The file of versions is written when all there is to fold is folded.
fn until_written(here: &Here, seen: &[(AgreementRef, Digest)]) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while versions(here).highest().collect::<Vec<_>>() != seen {
        assert!(Instant::now() < deadline, "{:?}", versions(here));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn until_folded(here: &Here, id: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_folded(here, id) {
        assert!(Instant::now() < deadline, "never folded");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the auditor is shown for an exchange: the same envelope as in the receipt.
fn is_found(here: &Here, (id, envelope): &(String, Value)) {
    let look = ["ledger", "search", "--purpose", "a complaint", "--exchange", id, "--json"];
    let ran = run(&here.site.home, &look);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.lines().iter().map(|line| &line["envelope"]).collect::<Vec<_>>(), [envelope]);
}

#[test]
fn a_store_deleted_while_the_gateway_is_stopped_is_rebuilt() {
    let mut here = Here::start(Site::new("store-stopped"));
    let (old, new) = (ask(&here), {
        end_segments(&here);
        ask(&here)
    });
    is_found(&here, &old);
    until_folded(&here, &old.0);
    is_found(&here, &old);
    is_found(&here, &new);
    let (log, key) = (here.ledger().verifier().name().to_owned(), key(&here));
    let file = Versions::beside(&store(&here));

    here.stop();
    std::fs::remove_dir_all(store(&here)).unwrap();
    // A start has it still, without reading years of the journal.
    let seen: Vec<(AgreementRef, Digest)> = Versions::read(&file, &log, &key).highest().collect();
    assert!(!seen.is_empty());
    std::fs::remove_file(file).unwrap();
    here.restart();
    // Folded again from the journal alone, and with it what may not be forgotten: versions in force.
    until_folded(&here, &old.0);
    assert!(!is_folded(&here, &new.0));
    until_written(&here, &seen);
    for exchange in [&old, &new, &ask(&here)] {
        is_found(&here, exchange);
    }
}

#[test]
fn a_store_deleted_under_a_running_gateway_changes_nothing() {
    let mut here = Here::start(Site::new("store-running"));
    let old = ask(&here);
    end_segments(&here);
    until_folded(&here, &old.0);

    std::fs::remove_dir_all(store(&here)).unwrap();
    is_found(&here, &old);
    let new = ask(&here);
    end_segments(&here);
    is_found(&here, &new);
    is_found(&here, &old);
    assert_eq!(here.local("/ready").0, 200, "{:?}", here.local("/ready"));

    here.restart();
    for exchange in [&old, &new, &ask(&here)] {
        is_found(&here, exchange);
    }
    until_folded(&here, &old.0);
    until_folded(&here, &new.0);
}

/// A store that does not read is as good as none.
#[test]
fn a_store_that_is_damaged_is_rebuilt() {
    let mut here = Here::start(Site::new("store-damaged"));
    let old = ask(&here);
    end_segments(&here);
    until_folded(&here, &old.0);
    here.stop();
    let db = store(&here).join("db");
    let mut bytes = std::fs::read(&db).unwrap();
    let middle = bytes.len() / 3;
    bytes[..middle].fill(0xa5);
    std::fs::write(&db, bytes).unwrap();
    here.restart();
    is_found(&here, &old);
    until_folded(&here, &old.0);
}

/// What was ever in force is known from the file alone, from the journal alone, and from both.
#[test]
fn what_was_in_force_is_known_without_the_store_and_without_the_journal() {
    let here = Here::start(Site::new("store-versions"));
    let old = ask(&here);
    end_segments(&here);
    until_folded(&here, &old.0);
    let segments = here.ledger().archive().sealed_segments().unwrap().len();
    let read = |directory: &Path, unread_segments| {
        let opened = Opened { unread_segments, ..Opened::default() };
        let versions = versions_at_start(directory, here.ledger(), &opened, &key(&here)).unwrap();
        versions.highest().collect::<Vec<_>>()
    };
    let nowhere = here.site.home.join("nowhere");
    let seen = read(&nowhere, segments);
    assert!(!seen.is_empty(), "from the journal");
    until_written(&here, &seen);
    assert_eq!(read(&store(&here), 0), seen, "from the file");
    // Nobody read the journal, and the file is gone: only then is it not known.
    assert_eq!(read(&nowhere, 0), []);
}

/// As what was in force: from the journal where there is no store, and from the store where segments are folded.
#[test]
fn what_was_used_is_known_without_the_store_and_without_the_journal() {
    let here = Here::start(Site::new("store-used"));
    let (id, body) = (ExchangeId::new(1, [7; 10]), Digest::of(b"a grant"));
    let system = SystemId { member: MemberId::new("nhs").unwrap(), system: SystemName::new("ed").unwrap() };
    let grant = AgreementId::new("one-child").unwrap();
    let used = GrantUse {
        exchange: id,
        provider: system.member.clone(),
        consumer: system,
        grant: (AgreementRef { id: grant.clone(), version: 1 }, body),
    };
    here.ledger().append_blocking(Record::GrantUse(Box::new(used))).unwrap();
    end_segments(&here);
    let segments = here.ledger().archive().sealed_segments().unwrap().len();
    let read = |directory: &Path, unread_segments| {
        let opened = Opened { unread_segments, ..Opened::default() };
        let versions = versions_at_start(directory, here.ledger(), &opened, &key(&here)).unwrap();
        versions.used().cloned().collect::<Vec<_>>()
    };
    let nowhere = here.site.home.join("nowhere");
    assert_eq!(read(&nowhere, segments), std::slice::from_ref(&grant), "from the journal");
    let deadline = Instant::now() + Duration::from_secs(60);
    while read(&store(&here), 0) != std::slice::from_ref(&grant) {
        assert!(Instant::now() < deadline, "the store never said so");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Behind the road, once segments are folded. Whoever looks sees no difference.
#[test]
fn a_gateway_packs_what_it_has_folded_and_everything_is_found_as_before() {
    let mut here = Here::start(Site::new("store-packed"));
    let old = ask(&here);
    let export = |here: &Here, name: &str| {
        let file = here.site.home.join(name);
        let look = ["ledger", "export", "--purpose", "a copy", "--sealed", "--out", file.to_str().unwrap()];
        let ran = run(&here.site.home, &look);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let entries = lines.filter(|line| line["envelope"].is_string()).map(|line| line.to_string());
        (file, entries.collect::<Vec<String>>())
    };
    let (_, before) = export(&here, "before.export");
    end_segments(&here);
    let of = |name: &str| here.site.journal().join(name);
    let (unpacked, packed) = (of("00000001.segment"), of("00000001.packed"));
    let deadline = Instant::now() + Duration::from_secs(60);
    while unpacked.exists() || !packed.exists() {
        assert!(Instant::now() < deadline, "never packed");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(std::fs::metadata(&packed).unwrap().len() < 1 << 19, "a segment has 1 MiB");

    for name in ["after.export", "restarted.export"] {
        is_found(&here, &old);
        let (file, after) = export(&here, name);
        assert_eq!(after[..before.len()], before);
        let key = here.site.key_file();
        for what in [file, here.site.ledger()] {
            let verify = ["ledger", "verify", what.to_str().unwrap(), "--key", key.to_str().unwrap()];
            let ran = run(&here.site.home, &verify);
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        let report = ["report", "activity", "--purpose", "an inspection", "--json"];
        let ran = run(&here.site.home, &report);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        here.restart();
        ask(&here);
    }
}

/// The store takes nothing from a gateway that nobody searches.
#[test]
fn the_store_is_closed_while_nobody_uses_it() {
    let here = Here::start(Site::new("store-closed"));
    let index = &here.running().app.fold;
    let fold = |hour: u64| index.fold_sealed(here.ledger(), Duration::from_secs(hour * 3600)).unwrap();
    let old = ask(&here);
    assert_eq!(fold(1), 0);
    assert!(!is_folded(&here, &old.0) && !index.is_open(), "nothing to fold, and nothing to look into");
    end_segments(&here);
    until_folded(&here, &old.0);
    assert!(index.is_open());
    // Seen to have been used, and then not any more.
    assert_eq!((fold(2), fold(3)), (0, 0));
    assert!(!index.is_open());
    assert!(is_folded(&here, &old.0) && index.is_open(), "opened again for a look");
    is_found(&here, &old);
    // What comes while it is closed is read as it comes, and found with the rest; after the next segment as well.
    assert_eq!((fold(4), fold(5), index.is_open()), (0, 0, false));
    let resting = [ask(&here), ask(&here)];
    assert_eq!((fold(6), fold(7), index.is_open()), (0, 0, false), "reading on opens nothing");
    let late = ask(&here);
    for made in resting.iter().chain([&old, &late]) {
        is_found(&here, made);
    }
    end_segments(&here);
    until_folded(&here, &late.0);
    for made in resting.iter().chain([&old, &late]) {
        is_found(&here, made);
    }
}
