//! A subject key goes when nothing is left that it keyed: in no log, of no class, and on the record first.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde_json::{Value, json};
use support::gateway::CHI;
use support::restored::{Restored, must};
use support::scratch::Scratch;
use support::site::{run, run_with_input};
use support::until;
use tolbooth::ledger::{KeyDestroyed, Record};

const DUE: [&str; 6] = ["ledger", "erase", "--due", "--purpose", "yearly review", "--json"];
const SEARCH: [&str; 6] = ["ledger", "search", "--purpose", "again", "--subject", "chi"];

fn of_a_year(text: String) -> String {
    format!("{text}\n[retention]\naudit_years = 1\n")
}

/// A line for the configuration, as a keeper of a recovery key hands it in.
fn recovery_key(name: &str) -> String {
    let folder = Scratch::new(name);
    let arguments = ["ledger", "recovery-key", "make", "--json", "--out", "offline.key"];
    let made = run_with_input(folder.path(), &arguments, "four words of mine\n");
    assert_eq!(made.code, Some(0), "{made:?}");
    made.lines()[0]["key"].as_str().unwrap().to_owned()
}

/// The files of a key below a ledger's folder, in earlier logs too.
fn files_of(folder: &Path, key: &str, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_of(&path, key, out);
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let year = key.split('-').next().unwrap();
        if name.starts_with(key) || name == format!("{year}.key") {
            out.push(path);
        }
    }
}

fn files(of: &Restored, key: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files_of(&of.home().join("data/ledger"), key, &mut found);
    found
}

fn erase(of: &Restored) -> Value {
    let done = until("it is erased", || {
        let ran = run(of.home(), &DUE);
        (ran.code == Some(0)).then_some(ran)
    });
    done.lines().remove(0)
}

fn keys(of: &Restored) -> Vec<String> {
    of.gateway.running().app.ledger.subject_key_ids()
}

/// Asked in two logs, and years later; with the key wrapped to somebody's recovery key.
fn years_later(name: &str, agreement: fn(String) -> String) -> (Restored, String) {
    let line = recovery_key(&format!("{name}-keeper"));
    let ledger = format!("audit_years = 1\nrecovery_keys = [\"{line}\"]\n");
    let mut of = Restored::begin_with(name, &ledger, agreement);
    of.ask_once("nurse-1");
    of.restore();
    of.ask_once("nurse-2");
    let found = must(of.home(), &SEARCH, CHI);
    assert!(found.out.contains("2 found"), "{found:?}");
    let key = keys(&of).remove(0);
    assert_eq!(keys(&of), std::slice::from_ref(&key));
    // The key, its copy, and the copy that was in the backup.
    assert_eq!(files(&of, &key).len(), 3, "{:?}", files(&of, &key));
    of.gateway.clock.shift(SignedDuration::from_hours(24 * 800));
    (of.settled(), key)
}

#[test]
fn the_key_of_a_year_goes_when_all_of_it_is_erased_in_every_log() {
    let (of, key) = years_later("keyless", of_a_year);
    let done = erase(&of);
    assert_eq!(done["destroyed_keys"], json!([key]), "{done}");
    assert_eq!(files(&of, &key), Vec::<PathBuf>::new());
    assert!(!keys(&of).contains(&key));
    let found = of.gateway.search(json!({ "kind": "key_destroyed" }));
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["envelope"]["key"], &found[0]["sealed"]["purpose"]),
        (&json!(key), &json!("yearly review"))
    );
    // A search by person says which year has ended, and is whole without it.
    let year = key.split('-').next().unwrap();
    let ended = format!("nothing recorded in {year} can be searched by person any more");
    let search = run_with_input(of.home(), &[&SEARCH[..], &["--outcome", "answered"]].concat(), CHI);
    assert_eq!(search.code, Some(1), "{search:?}");
    assert!(search.out.contains(&ended) && !search.out.contains("this is not all"), "{search:?}");
    let report =
        run_with_input(of.home(), &["report", "recipients", "--purpose", "x", "--subject", "chi"], CHI);
    assert!(report.code == Some(1) && report.out.contains(&ended), "{report:?}");
    must(of.home(), &["ledger", "verify", "data/ledger"], "");
    // The present year has a key by now, and keeps it.
    let present = keys(&of);
    assert_eq!(present.len(), 1);
    assert_eq!(erase(&of)["destroyed_keys"], json!([]));
    assert_eq!(keys(&of), present);
    let mut of = of;
    of.gateway.restart();
    let of = of.settled();
    assert!(keys(&of) == present && of.gateway.running().app.ledger.missing_subject_keys().keys.is_empty());
    let search = run_with_input(of.home(), &SEARCH, CHI);
    assert!(search.out.contains(&ended), "{search:?}");
}

/// A child's record stays for 25 years: while it is there in any log, so does the key, and it is found.
#[test]
fn a_key_stays_while_one_log_has_a_sealed_part_of_its_year() {
    let (of, key) = years_later("keyless-stays", |text| text);
    let done = erase(&of);
    assert!(done["erased"].as_u64().unwrap() > 0, "the looks are: {done}");
    assert_eq!(done["destroyed_keys"], json!([]), "{done}");
    let order = |said: &support::partner::Said| {
        let id = said.exchange();
        must(of.home(), &["ledger", "erase", "--exchange", id, "--reason", "an order"], "");
    };
    // Those of the present log go, and the one of the earlier log is left.
    order(&of.about[0].1);
    assert_eq!(erase(&of)["destroyed_keys"], json!([]));
    assert_eq!(files(&of, &key).len(), 3);
    let found = must(of.home(), &[&SEARCH[..], &["--outcome", "answered"]].concat(), CHI);
    assert!(found.out.contains("1 found"), "{found:?}");
    order(&of.about[1].1);
    assert_eq!(erase(&of)["destroyed_keys"], json!([key]));
    assert_eq!(files(&of, &key), Vec::<PathBuf>::new());
}

/// Killed between the record and the end of the key, or the key put back from a copy: the next start destroys it.
#[test]
fn a_key_that_a_record_calls_destroyed_is_destroyed_by_the_next_start() {
    let (of, key) = years_later("keyless-crash", of_a_year);
    let kept = files(&of, &key);
    let bytes: Vec<Vec<u8>> = kept.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let (by, purpose) = ("the gateway".to_owned(), "past the term agreed".to_owned());
    let record = KeyDestroyed { key: key.clone(), by, purpose };
    of.gateway.running().app.ledger.append_blocking(Record::KeyDestroyed(Box::new(record))).unwrap();
    let mut of = of;
    for what in ["left by a crash", "put back"] {
        of.gateway.stop();
        for (path, bytes) in kept.iter().zip(&bytes) {
            std::fs::write(path, bytes).unwrap();
        }
        of.gateway.restart();
        of = of.settled();
        assert!(!keys(&of).contains(&key), "{what}");
        until("its files are gone", || files(&of, &key).is_empty().then_some(()));
    }
    assert_eq!(of.gateway.search(json!({ "kind": "key_destroyed" })).len(), 1);
}
