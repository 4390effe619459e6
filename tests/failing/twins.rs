//! Two gateways over one folder: the second is none, and the first does not notice. And a copy of the folder, which no
//! lock can tell from a log that was moved: it is told apart by what partners hold.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tolbooth::journal::Disk;

use crate::support::gateway::{CHECK, CHI, NURSE, asks};
use crate::support::held::Held;
use crate::support::served::Served;
use crate::support::site::{Site, run};
use crate::support::until;

fn ask(site: &Site, served: &Served, held: &mut Held) -> String {
    let said = served.nhs(site).ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    held.take(said.header("tolbooth-receipt"), site);
    said.head()
}

/// The names of everything below a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return out };
    for entry in entries.map(Result::unwrap) {
        out.insert(entry.path().display().to_string());
        if entry.file_type().unwrap().is_dir() {
            out.extend(names(&entry.path()));
        }
    }
    out
}

/// It has ended, and said whose the folder is and what to do.
fn gave_way(mut served: Served) {
    until("the second ends", || served.ended());
    let log = served.whole_log();
    let told = log.last().and_then(|line| line.as_str()).unwrap_or_default();
    assert!(
        told.contains("data/ledger/journal is in use by another process: stop that one first"),
        "{log:?}"
    );
    assert_eq!(served.ended(), Some(Some(1)));
}

#[test]
fn a_second_gateway_over_a_folder_gives_way_and_the_first_goes_on() {
    let site = Site::new("twins");
    let mut held = Held::default();
    let first = Served::start(&site);
    ask(&site, &first, &mut held);
    let before = names(&site.home.join("data"));
    for _ in 0..3 {
        let second = Served::spawn(&site, &[]);
        ask(&site, &first, &mut held);
        gave_way(second);
        ask(&site, &first, &mut held);
    }
    assert_eq!(names(&site.home.join("data")), before, "the second made or took away something");
    // The lock ends with its process, however that ends.
    first.kill();
    let second = Served::start(&site);
    held.are_in(&site);
    ask(&site, &second, &mut held);
    held.are_in(&site);
}

#[test]
fn of_two_first_starts_at_once_one_begins_a_log_and_the_other_nothing() {
    let site = Site::new("twins-first");
    for round in 0..8 {
        let _ = std::fs::remove_dir_all(site.home.join("data"));
        let mut twins = vec![Served::spawn(&site, &[])];
        // Together, and at other moments of the first.
        std::thread::sleep(std::time::Duration::from_millis(round * 5));
        twins.push(Served::spawn(&site, &[]));
        let loser = until("one of them ends", || twins.iter_mut().position(|one| one.ended().is_some()));
        gave_way(twins.remove(loser));
        let mut winner = twins.remove(0);
        let serving = winner.wait_for_line("serving");
        winner.partners = serving["partners"].as_str().unwrap().parse().unwrap();
        let mut held = Held::default();
        ask(&site, &winner, &mut held);
        winner.kill();
        // The log goes on under the key it was begun with.
        let again = Served::start(&site);
        held.are_in(&site);
        ask(&site, &again, &mut held);
        held.are_in(&site);
    }
}

#[test]
fn whoever_does_not_hold_the_folder_makes_no_key_in_it() {
    let site = Site::new("twins-held");
    let data = site.home.join("data");
    let holding = Disk::open(&site.journal()).unwrap();
    let before = names(&data);
    gave_way(Served::spawn(&site, &[]));
    assert_eq!(names(&data), before);
    drop(holding);
    ask(&site, &Served::start(&site), &mut Held::default());
}

#[test]
fn a_copy_that_goes_on_is_told_from_the_log_by_any_receipt_of_it() {
    let site = Site::new("twins-copy");
    let mut held = Held::default();
    let first = Served::start(&site);
    ask(&site, &first, &mut held);
    first.kill();
    let (data, aside) = (site.home.join("data"), site.home.join("moved"));
    let copied = Command::new("cp").arg("-a").args([&data, &aside]).status().unwrap();
    assert!(copied.success());
    let first = Served::start(&site);
    let of_first = ask(&site, &first, &mut held);
    first.kill();
    std::fs::write(site.home.join("first.head"), of_first).unwrap();
    let verify = ["ledger", "verify", "data/ledger", "--against", "first.head"];
    assert_eq!(run(&site.home, &verify).code, Some(0));
    // The copy in its place: nothing in it says that the log has gone on elsewhere.
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&aside, &data).unwrap();
    let copy = Served::start(&site);
    let mut of_copy = Held::default();
    for _ in 0..4 {
        ask(&site, &copy, &mut of_copy);
    }
    copy.kill();
    let ran = run(&site.home, &verify);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    of_copy.are_in(&site);
}
