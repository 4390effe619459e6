//! Backup, restore and what is kept outside: a backup while the gateway serves, a new log that names the old
//! one, and an older copy that does not pass for the present.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::gateway::CHI;
use support::here::Here;
use support::partner::Said;
use support::site::{Ran, Site, run};
use tolbooth::ledger::verify::held;
use tolbooth::ledger::{Alarm, Record};

fn ask(here: &Here) -> Said {
    let body = format!("{{\"chi\":\"{CHI}\"}}");
    here.nhs().ask("/child-protection/v1/check", &[("tolbooth-role", "ed_nurse")], &body)
}

/// Enough records that segments of one MiB are sealed.
fn fill(here: &Here, records: usize) {
    for _ in 0..records {
        let detail = Some("x".repeat(8000));
        let alarm = Alarm { cause: "drift", dataset: None, detail, dropped: Vec::new() };
        here.ledger().append_blocking(Record::Alarm(alarm)).unwrap();
    }
}

fn must(home: &Path, arguments: &[&str]) -> Ran {
    let ran = run(home, arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
    ran
}

fn back_up(here: &Here) -> Value {
    let arguments = ["ledger", "backup", "--purpose", "a test", "--out", "../kept/backup", "--json"];
    must(&here.site.home, &arguments).lines().remove(0)
}

/// Beside the gateway's folder, as on another disk.
fn kept(here: &Here) -> PathBuf {
    let kept = here.site.scratch.path().join("kept");
    std::fs::create_dir_all(&kept).unwrap();
    kept
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push(path);
        }
    }
}

#[test]
fn a_backup_while_serving_verifies_as_it_is_and_is_on_the_record() {
    let here = Here::start(Site::new("backup"));
    let kept = kept(&here);
    let before = ask(&here);
    assert_eq!(before.outcome(), "answered");
    fill(&here, 300);
    let made = back_up(&here);
    assert_eq!(made["incremental"], false);
    let records = made["records"].as_u64().unwrap();
    assert!(records > 301);
    // As it is, under its own key, and against what a partner held.
    std::fs::write(kept.join("receipt"), before.header("tolbooth-receipt")).unwrap();
    let verified = must(
        &here.site.home,
        &["ledger", "verify", "../kept/backup", "--against", "../kept/receipt", "--json"],
    );
    assert_eq!(verified.lines()[0]["records"], records);
    // No secret is in it.
    let mut all = Vec::new();
    files(&kept.join("backup"), &mut all);
    assert!(all.iter().any(|path| path.ends_with("journal/00000002.segment")), "{all:?}");
    assert!(all.iter().all(|path| path.extension().is_none_or(|end| end != "key")), "{all:?}");
    let seed = std::fs::read_to_string(here.site.home.join("data/keys/ledger.key")).unwrap();
    for path in &all {
        let bytes = std::fs::read(path).unwrap();
        assert!(!bytes.windows(20).any(|window| window == &seed.as_bytes()[..20]), "{path:?}");
    }
    // Only what is new is copied the second time.
    fill(&here, 200);
    let again = back_up(&here);
    assert_eq!(again["incremental"], true);
    assert!(again["records"].as_u64().unwrap() > records + 200);
    assert!(again["new_bytes"].as_u64().unwrap() < made["new_bytes"].as_u64().unwrap(), "{made} {again}");
    must(&here.site.home, &["ledger", "verify", "../kept/backup", "--against", "../kept/receipt"]);
    let looks = support::ledger::search(&here.running().admin_socket, json!({ "kind": "read" }));
    let actions: Vec<_> = looks.iter().map(|look| look["envelope"]["action"].clone()).collect();
    assert_eq!(actions, ["backup", "backup"]);
    assert_eq!(looks[0]["sealed"]["purpose"], "a test");
    let _ = held(before.header("tolbooth-receipt"), here.ledger().verifier()).unwrap();
}

#[test]
fn a_restored_backup_begins_a_new_log_that_names_the_old_one() {
    let mut here = Here::start(Site::new("restore"));
    let kept = kept(&here);
    ask(&here);
    let made = back_up(&here);
    let old = here.ledger().verifier().name().to_owned();
    // What came after the backup, and is lost with the machine.
    let lost = ask(&here);
    std::fs::write(kept.join("receipt"), lost.header("tolbooth-receipt")).unwrap();
    let known = held(lost.header("tolbooth-receipt"), here.ledger().verifier()).unwrap();
    here.stop();
    let home = here.site.home.clone();
    let arguments =
        ["ledger", "restore", "--from", "../kept/backup", "--into", "data", "--known", "../kept/receipt"];
    // Over a log that is there nothing is restored.
    let refused = run(&home, &arguments);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("mv data/ledger data/ledger.before-restore"), "{refused:?}");
    std::fs::rename(home.join("data"), home.join("data.lost")).unwrap();
    let restored = must(&home, &[&arguments[..], &["--json"]].concat()).lines().remove(0);
    assert_eq!((&restored["records"], &restored["known"]), (&made["records"], &json!(known.size)));

    here.restart();
    let new = here.ledger().verifier().name().to_owned();
    assert_ne!(new, old);
    let origin = support::ledger::search(&here.running().admin_socket, json!({ "kind": "origin" }));
    let previous =
        origin.iter().map(|found| &found["envelope"]["previous"]).find(|previous| !previous.is_null());
    let previous = previous.unwrap();
    assert_eq!(previous["log"], old.as_str());
    assert_eq!(previous["checkpoint"], made["checkpoint"]);
    assert!(previous["known"].as_str().unwrap().starts_with(&format!("{old}\n{}\n", known.size)));
    assert_eq!(ask(&here).outcome(), "answered");
    must(&home, &["ledger", "verify", "data/ledger"]);
}
