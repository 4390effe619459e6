//! Backup, restore and what is kept outside: a backup while the gateway serves, a new log that names the old
//! one, and an older copy that does not pass for the present.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::agreements::CHILD;
use support::gateway::{CHECK, CHI, NURSE, asks};
use support::grants::{GRANT, grant, named, open_from, words};
use support::here::Here;
use support::partner::Said;
use support::site::{Ran, Site, run};
use support::until;
use tolbooth::clock::Clock;
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
    let is_second = |path: &PathBuf| path.to_str().unwrap().contains("journal/00000002.");
    assert!(all.iter().any(is_second), "{all:?}");
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

    // Both logs are searched; nobody who looks into one alone is left to think it is all.
    let search = ["ledger", "search", "--purpose", "where is it", "--dataset", "child-protection"];
    let in_both = must(&home, &[&search[..], &["--json"]].concat());
    assert_eq!(in_both.lines().len(), 2, "{in_both:?}");
    let new_alone = must(&home, &[&search[..], &["--log", &new]].concat());
    assert!(new_alone.out.contains(&format!("not searched: the log {old}")), "{new_alone:?}");
    let in_old = must(&home, &[&search[..], &["--log", &old, "--json"]].concat());
    assert_eq!(in_old.lines().len(), 2, "one record, and what was not searched: {in_old:?}");
    assert_eq!(in_old.lines()[0]["envelope"]["log"], old.as_str());
    let nowhere = run(&home, &[&search[..], &["--log", "glenmore/other"]].concat());
    assert!(nowhere.code == Some(1) && nowhere.err.contains(&old), "{nowhere:?}");
    let looks = support::ledger::search(&here.running().admin_socket, json!({ "kind": "read" }));
    assert!(
        looks.iter().any(|look| {
            let asked = look["sealed"]["asked"].as_str().unwrap();
            asked.starts_with("by filter") && asked.ends_with(&format!("in the log {old}"))
        }),
        "{looks:?}"
    );
    let report = must(&home, &["report", "activity", "--purpose", "counting"]);
    assert!(report.out.contains(&format!("records of the earlier log {old}, root ")), "{report:?}");
    let export =
        ["ledger", "export", "--purpose", "for the court", "--log", &old, "--out", "old.export", "--json"];
    must(&home, &export);
    must(&home, &["ledger", "verify", "old.export", "--key", "../kept/backup/ledger.vkey"]);

    // Verifying covers both, and holds each against what others kept of it.
    let verified =
        must(&home, &["ledger", "verify", "data/ledger", "--against", "../kept/receipt", "--json"]);
    let verified = verified.lines().remove(0);
    assert_eq!(verified["earlier"].as_array().unwrap().len(), 1, "{verified}");
    let not_proven = verified["not_proven"].to_string();
    assert!(not_proven.contains("they were lost before the restore"), "{not_proven}");
    let folder = home.join("data/ledger/earlier");
    let folder = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let evidence = std::fs::read_dir(folder.join("evidence")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&evidence, "other bytes").unwrap();
    let rotten = run(&home, &["ledger", "verify", "data/ledger"]);
    assert!(rotten.code == Some(1) && rotten.err.contains("the earlier log"), "{rotten:?}");
}

/// What the restored log saw in force is not forgotten, though its journal is not gone on from.
#[test]
fn an_older_agreement_does_not_come_back_by_way_of_a_restore() {
    let mut here = Here::new(Site::new("restore-versions"));
    let home = here.site.home.clone();
    let signatures = support::agreements::signatures(&home, CHILD);
    let file = support::agreements::file(&home, CHILD);
    let (first, first_note) = (std::fs::read(&file).unwrap(), std::fs::read(&signatures).unwrap());
    here.restart();
    assert_eq!(ask(&here).outcome(), "answered");
    here.stop();
    support::agreements::reword(&home, CHILD, |text| text.replace("version = 1\n", "version = 2\n"));
    here.restart();
    assert_eq!(ask(&here).outcome(), "answered");
    kept(&here);
    back_up(&here);
    here.stop();

    std::fs::rename(home.join("data"), home.join("data.lost")).unwrap();
    must(&home, &["ledger", "restore", "--from", "../kept/backup", "--into", "data"]);
    std::fs::write(&file, first).unwrap();
    std::fs::write(&signatures, first_note).unwrap();
    for start in 0..3 {
        here.restart();
        let said = ask(&here);
        assert_eq!(
            (said.status, said.code()),
            (403, "agreement_not_in_force".to_owned()),
            "start {start}: {said:?}"
        );
        here.stop();
        // It is on the record itself: what is folded of it may be deleted.
        let _gone = std::fs::remove_dir_all(home.join("data/store"));
        assert!(start > 0 || home.join("data/ledger/previous.json").exists());
        let _gone = std::fs::remove_file(home.join("data/ledger/previous.json"));
    }
}

/// A restored gateway whose log is restored again: the chain of logs is whole.
#[test]
fn logs_before_the_one_before_are_kept_and_verified_too() {
    let mut here = Here::start(Site::new("restore-twice"));
    let home = here.site.home.clone();
    kept(&here);
    for round in 1..=2 {
        ask(&here);
        let made = run(&home, &["ledger", "backup", "--purpose", "x", "--out", &format!("../kept/{round}")]);
        assert_eq!(made.code, Some(0), "{made:?}");
        here.stop();
        std::fs::rename(home.join("data"), home.join(format!("data.{round}"))).unwrap();
        let from = format!("../kept/{round}");
        must(&home, &["ledger", "restore", "--from", &from, "--into", "data"]);
        // Again, before any start: the copy gives way.
        must(&home, &["ledger", "restore", "--from", &from, "--into", "data"]);
        here.restart();
    }
    let verified = must(&home, &["ledger", "verify", "data/ledger", "--json"]).lines().remove(0);
    assert_eq!(verified["earlier"].as_array().unwrap().len(), 2, "{verified}");
    assert_eq!(here.ledger().earlier().unwrap().len(), 2);
    // And a backup of this one holds all three.
    back_up(&here);
    let verified = must(&home, &["ledger", "verify", "../kept/backup", "--json"]).lines().remove(0);
    assert_eq!(verified["earlier"].as_array().unwrap().len(), 2, "{verified}");
}

#[test]
fn a_backup_is_refused_where_it_would_harm_or_hide() {
    let mut here = Here::start(Site::new("backup-refused"));
    let (home, kept) = (here.site.home.clone(), kept(&here));
    let back_up_to = |out: &str| run(&home, &["ledger", "backup", "--purpose", "x", "--out", out]);
    std::fs::create_dir(kept.join("other")).unwrap();
    std::fs::write(kept.join("other/letter.txt"), "somebody's").unwrap();
    let refused = back_up_to("../kept/other");
    assert!(refused.code != Some(0) && refused.err.contains("holds files that are no backup"), "{refused:?}");
    assert!(kept.join("other/letter.txt").exists());
    let refused = back_up_to("data/ledger/backup");
    assert!(refused.code != Some(0) && refused.err.contains("a backup is kept elsewhere"), "{refused:?}");
    let refused = run(&home, &["ledger", "backup", "--purpose", " ", "--out", "../kept/x"]);
    assert!(refused.code == Some(1) && refused.err.contains("a purpose must be stated"), "{refused:?}");

    // A backup that is there is not replaced by less, or by what does not verify.
    back_up(&here);
    let manifest = std::fs::read(kept.join("backup/manifest.json")).unwrap();
    let older = home.join("data.older");
    here.stop();
    assert!(
        std::process::Command::new("cp")
            .args(["-a", "data", "data.older"])
            .current_dir(&home)
            .status()
            .unwrap()
            .success()
    );
    here.restart();
    fill(&here, 5);
    back_up(&here);
    here.stop();
    std::fs::remove_dir_all(home.join("data")).unwrap();
    std::fs::rename(&older, home.join("data")).unwrap();
    here.restart();
    let refused = back_up_to("../kept/backup");
    assert!(refused.code != Some(0) && refused.err.contains("an older copy of the journal"), "{refused:?}");
    while here.ledger().size() < 40 {
        ask(&here);
    }
    let refused = back_up_to("../kept/backup");
    assert!(refused.code != Some(0) && refused.err.contains("does not verify"), "{refused:?}");
    assert!(std::fs::read(kept.join("backup/manifest.json")).unwrap() != manifest);
    must(&home, &["ledger", "verify", "../kept/backup"]);
    // Nothing is left beside it, and a rotten one is named.
    let names: Vec<_> = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_str().unwrap().starts_with('.')), "{names:?}");
    let segment = kept.join("backup/checkpoint");
    std::fs::write(&segment, "rotten").unwrap();
    let refused = run(&home, &["ledger", "restore", "--from", "../kept/backup", "--into", "new"]);
    assert!(refused.code == Some(1) && refused.err.contains("not what the manifest says"), "{refused:?}");
    assert!(!home.join("new/ledger/previous.json").exists());
}

/// Damage in the middle is named to the record by everybody who comes upon it, with what to do next, and `verify`
/// says how far it goes.
#[test]
fn damage_is_named_by_whoever_comes_upon_it_and_its_extent_told() {
    let mut here = Here::start(Site::new("damage-named"));
    let home = here.site.home.clone();
    ask(&here);
    fill(&here, 500);
    let journal = here.site.journal();
    // Packed behind the road, at whatever moment.
    let file = |number: &str| {
        let forms = ["packed", "segment"].map(|form| journal.join(format!("{number}.{form}")));
        forms.into_iter().find(|path| path.exists())
    };
    assert!(file("00000004").is_some());
    let (damaged, mut bytes) = support::until("it is read", || {
        let path = file("00000002")?;
        let bytes = std::fs::read(&path).ok()?;
        Some((path, bytes))
    });
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, &bytes).unwrap();
    let place = "in segment 2 at byte ";
    let asked = ["ledger", "search", "--purpose", "x", "--kind", "summary"];
    for command in [
        &asked[..],
        &["report", "activity", "--purpose", "x"],
        &["ledger", "export", "--purpose", "x", "--out", "x.export"],
        &["ledger", "backup", "--purpose", "x", "--out", "x.backup"],
    ] {
        let ran = run(&home, command);
        assert!(ran.code != Some(0) && ran.err.contains("damage at record "), "{command:?}: {ran:?}");
        assert!(ran.err.contains(place) && ran.err.contains("docs/runbook.md"), "{command:?}: {ran:?}");
    }
    assert!(!home.join("x.export").exists() && !home.join("x.backup").exists());
    here.stop();
    let verify = run(&home, &["ledger", "verify", "data/ledger"]);
    assert!(verify.code == Some(1) && verify.err.contains(place), "{verify:?}");
    for wanted in [
        "segment 1: records 0 to",
        "segment 2: records",
        "behind them damage at record",
        "segment 3: records",
    ] {
        assert!(verify.err.contains(wanted), "{wanted}: {verify:?}");
    }
    assert!(verify.err.contains("docs/runbook.md"), "{verify:?}");
    // A start that reads it stops.
    let start = run(&home, &["serve"]);
    assert!(start.code == Some(1) && start.err.contains("damage at record "), "{start:?}");
    assert!(start.err.contains(place) && start.err.contains("docs/runbook.md"), "{start:?}");
}

/// Used after the backup was made: the log that is restored does not say so, and nobody knows it.
#[test]
fn a_grant_from_before_a_restore_counts_as_used() {
    let site = Site::new("restore-grant");
    let clock = Clock::new().unwrap();
    grant(&site.home, GRANT, &words(GRANT, &clock), &[CHI]);
    let mut here = Here::start(site);
    let _kept = kept(&here);
    back_up(&here);
    let ask = |here: &Here, id: &str| here.nhs().ask(CHECK, &[NURSE[0], named(id)], &asks(CHI));
    assert_eq!(ask(&here, GRANT).outcome(), "answered");
    here.stop();
    let home = here.site.home.clone();
    std::fs::rename(home.join("data"), here.site.scratch.path().join("lost")).unwrap();
    must(&home, &["ledger", "restore", "--from", "../kept/backup", "--into", "data"]);
    here.restart();
    let said = ask(&here, GRANT);
    assert_eq!((said.status, said.code().as_str()), (403, "grant_spent"), "{said:?}");
    // As after every later start; and one that is decided since is not touched.
    let decided = clock.now() + jiff::SignedDuration::from_secs(1);
    grant(
        &home,
        "since",
        &open_from("since", decided, decided + jiff::SignedDuration::from_hours(1)),
        &[CHI],
    );
    here.restart();
    assert_eq!(ask(&here, GRANT).code(), "grant_spent");
    until("it is open", || (ask(&here, "since").outcome() == "answered").then_some(()));
}
