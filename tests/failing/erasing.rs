//! A kill before each change that an erasure makes: nothing is gone that the record does not name, and what it names
//! is gone in the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::agreements::{CHILD, edit, reword};
use crate::support::gateway::{CHECK, CHI, NURSE, asks};
use crate::support::held::{Held, each};
use crate::support::served::Served;
use crate::support::shim::Shim;
use crate::support::site::{Ran, Site, run, run_with_input};
use crate::support::until;

const DAY: i64 = 24 * 3600;
const DUE: [&str; 6] = ["ledger", "erase", "--due", "--purpose", "yearly review", "--json"];
/// A record and its sync, a packed segment, blanks, the index, a key and its copy: no fewer changes than these.
const CHANGES_MIN: i64 = 12;

/// Everything of last year is past its term in two: what is asked, and what is looked at. There is a recovery key.
fn kept_for_a_year() -> Site {
    let site = Site::new("erasing");
    reword(&site.home, CHILD, |text| format!("{text}\n[retention]\naudit_years = 1\n"));
    let out = site.scratch.path().join("offline.key");
    let arguments = ["ledger", "recovery-key", "make", "--json", "--out", out.to_str().unwrap()];
    let made = run_with_input(&site.home, &arguments, "four words of mine\n");
    let line = made.lines()[0]["key"].as_str().unwrap().to_owned();
    edit(&site.home.join("tolbooth.toml"), |text| {
        let ledger = format!("\n[ledger]\naudit_years = 1\nrecovery_keys = [{line:?}]\n");
        text.replace("\n[ledger]\n", &ledger)
    });
    site
}

fn copy(from: &Path, to: &Path) {
    let _none = std::fs::remove_dir_all(to);
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

/// The key of the year and its wrapped copy.
fn key_files(site: &Site) -> Vec<PathBuf> {
    let folder = site.ledger().join("subject-keys");
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.is_file()).collect()
}

/// What the record says of itself.
#[derive(Default)]
struct Said {
    /// Exchanges and looks that have their sealed part.
    kept: BTreeSet<u64>,
    /// And those that have none.
    blank: BTreeSet<u64>,
    /// What erasures name.
    named: BTreeSet<u64>,
    destroyed: Vec<String>,
}

fn said(site: &Site) -> Said {
    let mut said = Said::default();
    each(site, |index, envelope, sealed| {
        let envelope: Value = serde_json::from_slice(envelope).unwrap();
        match envelope["kind"].as_str().unwrap() {
            "erasure" => {
                for range in envelope["erases"].as_array().unwrap() {
                    said.named.extend(range[0].as_u64().unwrap()..=range[1].as_u64().unwrap());
                }
            }
            "key_destroyed" => said.destroyed.push(envelope["key"].as_str().unwrap().to_owned()),
            _ if sealed.is_none() => drop(said.blank.insert(index)),
            "exchange" | "read" => drop(said.kept.insert(index)),
            _ => {}
        }
    });
    said
}

fn erase(site: &Site) -> Ran {
    until("it is erased", || {
        let ran = run(&site.home, &DUE);
        (ran.code == Some(0)).then_some(ran)
    })
}

#[test]
fn an_erasure_cut_off_anywhere_is_on_the_record_first_and_finished_by_the_next() {
    let site = kept_for_a_year();
    let Some(shim) = Shim::build(site.scratch.path(), "an erasure that is killed") else { return };
    let start = || Served::start_with(&site, &shim.environment()).unwrap();
    let mut held = Held::default();
    let served = start();
    let partner = served.nhs(&site);
    for _ in 0..3 {
        let said = partner.ask(CHECK, &NURSE, &asks(CHI));
        held.take(said.header("tolbooth-receipt"), &site);
    }
    drop(partner);
    served.kill();
    let old = said(&site).kept;
    let [key, wrapped] = &key_files(&site)[..] else { panic!("{:?}", key_files(&site)) };
    assert_ne!(key.extension(), wrapped.extension());
    let (data, before) = (site.home.join("data"), site.scratch.path().join("before"));
    copy(&data, &before);
    shim.clock_is_off_by(800 * DAY);

    let (mut changes, mut before_the_record, mut half_done) = (0, 0, 0);
    loop {
        copy(&before, &data);
        let mut served = start();
        until("the journal is read", || {
            let look = [&DUE[..], &["--dry-run"]].concat();
            (run(&site.home, &look).code == Some(0)).then_some(())
        });
        shim.is_killed_after(changes);
        let ran = run(&site.home, &DUE);
        shim.is_not_killed();
        if ran.code == Some(0) {
            break;
        }
        served.whole_log();
        assert_eq!(served.ended(), Some(None), "change {changes}: it ended by itself: {ran:?}");

        let cut = said(&site);
        assert!(cut.blank.is_subset(&cut.named), "change {changes}: {:?} are gone unsaid", cut.blank);
        let gone = [key, wrapped].iter().any(|file| !file.exists());
        assert!(!gone || cut.destroyed.len() == 1, "change {changes}: a key is gone unsaid");
        before_the_record += u32::from(cut.named.is_empty());
        half_done += u32::from(cut.named != cut.blank || gone == cut.destroyed.is_empty());

        let served = start();
        erase(&site);
        let done = said(&site);
        assert!(old.is_subset(&done.blank) && done.blank == done.named, "change {changes}: something stayed");
        assert_eq!(done.destroyed.len(), 1, "change {changes}");
        assert!(!key.exists() && !wrapped.exists(), "change {changes}: a destroyed key is there");
        served.kill();
        held.are_in(&site);
        changes += 1;
    }
    assert!(
        changes >= CHANGES_MIN && before_the_record > 0 && half_done > 0,
        "{changes} {before_the_record} {half_done}"
    );
}
