//! The store, spoiled in every way files are: the gateway starts and answers, whoever searches finds everything by
//! the journal meanwhile, the store is made anew, and nothing beside it changes. (A store that is deleted:
//! `tests/store.rs`.)

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tolbooth::ledger::search::Index as _;
use tolbooth::ledger::{Alarm, Record};
use tolbooth::model::ExchangeId;

use crate::support::gateway::{CHECK, CHI, NURSE, asks};
use crate::support::here::Here;
use crate::support::site::{Ran, Site, run, run_with_input};
use crate::support::until;

/// A gateway, and the ids of all that was asked of it.
struct Asked {
    here: Here,
    exchanges: Vec<String>,
}

impl Asked {
    fn new(name: &str) -> Self {
        Self { here: Here::start(Site::new(name)), exchanges: Vec::new() }
    }

    fn home(&self) -> &Path {
        &self.here.site.home
    }

    fn store(&self) -> PathBuf {
        self.home().join("data/store")
    }

    fn ask(&mut self) {
        let said = self.here.nhs().ask(CHECK, &NURSE, &asks(CHI));
        assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
        self.exchanges.push(said.exchange().to_owned());
    }

    /// Ends segments, so that what is in them is folded.
    fn end_segments(&self) {
        let sealed = || self.here.ledger().archive().sealed_segments().unwrap().len();
        let begun = sealed();
        while sealed() < begun + 2 {
            let detail = Some("x".repeat(8000));
            let alarm = Alarm { cause: "drift", dataset: None, detail, dropped: Vec::new() };
            self.here.ledger().append_blocking(Record::Alarm(alarm)).unwrap();
        }
    }

    fn until_folded(&self, what: &str) {
        let first = ExchangeId::parse(&self.exchanges[0]).unwrap();
        until(&format!("it is folded: {what}"), || self.here.running().app.fold.locate(&first).map(drop));
    }

    /// Whatever is asked, every exchange is found and none twice.
    fn all_are_found(&self, what: &str) {
        let look = |more: &[&str], input: &str| {
            let arguments = [&["ledger", "search", "--purpose", "a complaint", "--json"], more].concat();
            run_with_input(self.home(), &arguments, input)
        };
        let person = look(&["--subject", "chi"], &format!("{CHI}\n"));
        let consumer = look(&["--consumer", "nhs-lomond", "--kind", "exchange"], "");
        for ran in [person, consumer] {
            let mut found = exchanges(&ran);
            found.sort_unstable();
            let mut asked = self.exchanges.clone();
            asked.sort_unstable();
            assert_eq!(found, asked, "{what}: {ran:?}");
        }
        for one in [self.exchanges.first().unwrap(), self.exchanges.last().unwrap()] {
            assert_eq!(exchanges(&look(&["--exchange", one], "")), [one.as_str()], "{what}");
        }
    }

    /// What may not change, by name.
    fn beside(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut out = BTreeMap::new();
        for folder in ["keys", "ledger/evidence", "ledger/subject-keys"] {
            for entry in fs::read_dir(self.home().join("data").join(folder)).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_file() {
                    out.insert(entry.path(), fs::read(entry.path()).unwrap());
                }
            }
        }
        out
    }
}

fn exchanges(ran: &Ran) -> Vec<String> {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let id = |line: &serde_json::Value| line["envelope"]["exchange"].as_str().map(str::to_owned);
    ran.lines().iter().filter_map(id).collect()
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

/// Turns a bit of every so many bytes.
fn flip(bytes: &mut [u8], from: usize, every: usize) {
    bytes.iter_mut().skip(from).step_by(every).for_each(|byte| *byte ^= 0x10);
}

/// Takes what is there away and puts this in its place.
fn replace(path: &Path, put: impl FnOnce(&Path)) {
    let _ = fs::remove_dir_all(path);
    let _ = fs::remove_file(path);
    put(path);
}

fn empty(path: &Path) {
    fs::write(path, []).unwrap();
}

fn folder(path: &Path) {
    fs::create_dir(path).unwrap();
}

type Spoil = (&'static str, Box<dyn Fn(&Path)>);

/// Each is done to a whole store.
fn ways() -> Vec<Spoil> {
    fn way(name: &'static str, spoil: impl Fn(&Path) + 'static) -> Spoil {
        (name, Box::new(spoil))
    }
    vec![
        way("db is cut in half", |store| change(&store.join("db"), |bytes| bytes.truncate(bytes.len() / 2))),
        way("db is empty", |store| empty(&store.join("db"))),
        way("pages of db are zeros", |store| {
            change(&store.join("db"), |bytes| {
                bytes.chunks_mut(4096).step_by(3).for_each(|page| page.fill(0))
            });
        }),
        way("the first bytes of db are others", |store| {
            change(&store.join("db"), |bytes| flip(&mut bytes[..64], 0, 1));
        }),
        way("bits are turned all over db", |store| change(&store.join("db"), |bytes| flip(bytes, 11, 509))),
        way("bits are turned late in db", |store| {
            change(&store.join("db"), |bytes| {
                let from = bytes.len() * 3 / 4;
                flip(bytes, from, 97);
            });
        }),
        way("conf is gone", |store| fs::remove_file(store.join("conf")).unwrap()),
        way("conf is something else", |store| fs::write(store.join("conf"), b"half a conf").unwrap()),
        way("a snapshot is half written", |store| {
            fs::write(store.join("snap.00000000000FFFFF.generating"), [0x5a; 100]).unwrap();
        }),
        way("a snapshot is another's", |store| {
            fs::write(store.join("snap.00000000000FFFFF"), [0x5a; 4096]).unwrap();
        }),
        way("blobs is gone", |store| fs::remove_dir_all(store.join("blobs")).unwrap()),
        way("the versions are half written", |store| {
            change(&store.with_file_name("versions"), |bytes| bytes.truncate(bytes.len() / 2));
        }),
        way("the versions are something else", |store| {
            fs::write(store.with_file_name("versions"), [0xff; 64]).unwrap()
        }),
        way("all of it is empty", |store| replace(store, folder)),
        way("nobody may read it", |store| {
            for path in [store.join("db"), store.join("conf"), store.with_file_name("versions")] {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
            }
        }),
    ]
}

/// Spoils a store in every third way: what is waited for is mostly the next look at it.
fn spoil(third: usize) {
    let mut asked = Asked::new("spoiled");
    asked.ask();
    asked.end_segments();
    asked.ask();
    asked.until_folded("at first");
    asked.here.stop();
    let (store, sound) = (asked.store(), asked.home().join("sound"));
    copy(&store, &sound);
    let beside = asked.beside();
    for (name, spoil) in ways().into_iter().skip(third).step_by(3) {
        replace(&store, |store| copy(&sound, store));
        spoil(&store);
        asked.here.restart();
        asked.ask();
        asked.all_are_found(name);
        asked.until_folded(name);
        asked.all_are_found(&format!("{name}, and made anew"));
        assert_eq!(asked.here.local("/ready").0, 200, "{name}: {:?}", asked.here.local("/ready"));
        asked.here.stop();
        // The token's key is made at each start; everything else is as it was.
        for (path, bytes) in &beside {
            assert!(path.ends_with("token.key") || fs::read(path).unwrap() == *bytes, "{name}: {path:?}");
        }
    }
    let verified = run(asked.home(), &["ledger", "verify", "data/ledger"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn a_store_that_is_spoiled_in_any_way_hides_nothing_and_is_made_anew() {
    assert!(ways().len() >= 15);
    spoil(0);
}

#[test]
fn a_store_spoiled_in_other_ways_hides_nothing_and_is_made_anew() {
    spoil(1);
}

#[test]
fn a_store_spoiled_in_still_others_hides_nothing_and_is_made_anew() {
    spoil(2);
}

/// Whatever lies where the store has something else, a start and searches go on, and the store is made anew.
#[test]
fn a_folder_or_file_in_the_place_of_the_other_hides_nothing() {
    let mut asked = Asked::new("misplaced");
    asked.ask();
    asked.end_segments();
    asked.until_folded("at first");
    asked.here.stop();
    let store = asked.store();
    let ways = [("blobs", empty as fn(&Path)), ("db", folder), ("../versions", folder), ("", empty)];
    for (name, put) in ways {
        let path = if name.is_empty() { store.clone() } else { store.join(name) };
        replace(&path, put);
        asked.here.restart();
        asked.ask();
        asked.all_are_found(name);
        assert_eq!(asked.here.local("/ready").0, 200, "{name}");
        asked.end_segments();
        asked.until_folded(name);
        asked.all_are_found(&format!("{name}, and made anew"));
        assert_eq!(path.is_dir(), matches!(name, "" | "blobs"), "{name}");
        asked.here.stop();
    }
    // Somebody's files are nobody's to delete, and hinder nothing either.
    replace(&store.join("db"), folder);
    fs::write(store.join("db/notes"), b"somebody's").unwrap();
    asked.here.restart();
    asked.ask();
    asked.all_are_found("a folder with files");
    assert_eq!(fs::read(store.join("db/notes")).unwrap(), b"somebody's");
}

#[test]
fn an_older_store_and_another_ledgers_store_hide_nothing() {
    let mut asked = Asked::new("older");
    asked.ask();
    asked.end_segments();
    asked.until_folded("at first");
    asked.here.stop();
    let (store, older) = (asked.store(), asked.home().join("older"));
    copy(&store, &older);
    asked.here.restart();
    asked.ask();
    asked.end_segments();
    asked.ask();
    let second = ExchangeId::parse(&asked.exchanges[1]).unwrap();
    until("more is folded", || asked.here.running().app.fold.locate(&second).map(drop));
    asked.here.stop();
    replace(&store, |store| copy(&older, store));
    asked.here.restart();
    asked.ask();
    asked.all_are_found("an older copy");
    until("what it lacks is folded", || asked.here.running().app.fold.locate(&second).map(drop));
    asked.all_are_found("an older copy, and gone on with");
    asked.here.stop();

    let mut other = Asked::new("others");
    other.ask();
    other.end_segments();
    other.until_folded("the other");
    other.here.stop();
    replace(&store, |store| copy(&other.store(), store));
    asked.here.restart();
    asked.ask();
    asked.all_are_found("another ledger's store");
    asked.end_segments();
    asked.ask();
    asked.all_are_found("another ledger's store, and gone on with");
    let of_other = ExchangeId::parse(&other.exchanges[0]).unwrap();
    let ran = run(
        asked.home(),
        &["ledger", "search", "--purpose", "a complaint", "--json", "--exchange", &of_other.to_string()],
    );
    assert_eq!(ran.code, Some(1), "an exchange of another log: {ran:?}");
}

/// What is not the store's is never deleted with it: then it is not made anew, and searches read the journal.
#[test]
fn a_spoiled_store_with_somebody_elses_files_is_left_alone() {
    let mut asked = Asked::new("foreign");
    asked.ask();
    asked.end_segments();
    asked.until_folded("at first");
    asked.here.stop();
    let (store, mine) = (asked.store(), asked.store().join("thesis.odt"));
    fs::write(&mine, "years of work").unwrap();
    // Beside a sound store it is no matter.
    asked.here.restart();
    asked.all_are_found("a foreign file beside a sound store");
    asked.until_folded("a foreign file");
    asked.here.stop();
    empty(&store.join("conf"));
    change(&store.join("db"), |bytes| bytes.fill(0xa5));
    asked.here.restart();
    asked.ask();
    asked.all_are_found("a foreign file in a spoiled store");
    assert_eq!(fs::read(&mine).unwrap(), b"years of work");
    asked.here.stop();
    fs::remove_file(&mine).unwrap();
    asked.here.restart();
    asked.until_folded("once the file is gone");
    asked.all_are_found("once the file is gone");
}
