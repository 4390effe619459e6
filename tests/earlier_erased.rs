//! Sealed parts of earlier logs go as those of the present one do: named first by a record of the present log, and
//! then blank. A blank that no record names is damage, in whichever log.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;
use std::process::Command;

use jiff::SignedDuration;
use serde_json::{Value, json};
use support::restored::{Restored, must};
use support::site::{Ran, run};
use support::until;
use tolbooth::ledger::{Cause, Erasure, Ranges, Record};

fn verify(home: &Path, folder: &str) -> Ran {
    run(home, &["ledger", "verify", folder, "--key", "data/keys/ledger.vkey", "--json"])
}

fn sound(home: &Path, folder: &str) -> Value {
    let ran = verify(home, folder);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.lines().remove(0)
}

/// Erases an exchange by order. The gateway may still be reading the earlier logs.
fn order(of: &Restored, id: &str) -> Value {
    let arguments = ["ledger", "erase", "--exchange", id, "--reason", "an order", "--json"];
    let done = until("it is erased", || {
        let ran = run(of.home(), &arguments);
        (ran.code == Some(0)).then_some(ran)
    });
    done.lines().remove(0)
}

/// Whether the sealed part of an exchange is there, in whichever log it is.
fn is_sealed(of: &Restored, id: &str) -> bool {
    let search = ["ledger", "search", "--json", "--sealed", "--purpose", "is it there", "--exchange", id];
    let found = must(of.home(), &search, "").lines().remove(0);
    assert_eq!(found["erased"].as_bool().unwrap(), found["sealed"].is_null(), "{found}");
    found["sealed"].is_object()
}

fn copy(home: &Path, from: &str, to: &str) {
    assert!(Command::new("cp").args(["-a", from, to]).current_dir(home).status().unwrap().success());
}

/// Of the log before and of the one before that; in a sealed segment and in the last one, of a log that has but
/// one segment too.
#[test]
fn a_sealed_part_of_an_earlier_log_goes_by_a_record_of_the_present_one() {
    let mut of = Restored::begin("earlier-erased");
    of.ask("nurse-1");
    of.ask_once("nurse-2");
    of.restore();
    of.ask_once("nurse-3");
    of.restore();
    let mut of = of.settled();
    let ids: Vec<(String, String)> =
        of.about.iter().map(|(log, said)| (log.clone(), said.exchange().to_owned())).collect();
    assert_eq!(ids.len(), 3);
    for (log, id) in &ids {
        assert!(is_sealed(&of, id), "{log}");
        assert_eq!(order(&of, id)["erased"], 1, "{log}");
        assert!(!is_sealed(&of, id), "{log}");
        assert_eq!(order(&of, id)["erased"], 0, "once");
        let erasures = of.gateway.search(json!({ "kind": "erasure" }));
        let named = &erasures.last().unwrap()["envelope"];
        assert_eq!((&named["log"], &named["erases"]), (&json!(of.logs[0]), &json!([])));
        assert_eq!(named["earlier"]["log"], log.as_str());
        assert_eq!(named["earlier"]["erases"].as_array().unwrap().len(), 1);
        sound(of.home(), "data/ledger");
    }
    let told = must(of.home(), &["ledger", "search", "--purpose", "x", "--kind", "exchange"], "");
    assert!(told.out.contains("its sealed part is erased"), "{told:?}");

    // So it stays over a start, in a backup, and in what is restored of that.
    of.gateway.restart();
    sound(of.home(), "data/ledger");
    of.restore();
    let of = of.settled();
    assert_eq!(sound(of.home(), "data/ledger")["earlier"].as_array().unwrap().len(), 3);
    assert!(ids.iter().all(|(_, id)| !is_sealed(&of, id)));
    assert_eq!(of.gateway.running().app.ledger.erased_in_all(), Some(3));
    assert_eq!(order(&of, &ids[0].1)["erased"], 0);
}

/// What is blank in an earlier log is accepted with the record alone that names it.
#[test]
fn a_blank_that_no_later_record_names_is_damage() {
    let mut of = Restored::begin("earlier-blank");
    of.ask("nurse-1");
    of.restore();
    let mut of = of.settled();
    let (home, id) = (of.home().to_owned(), of.about[0].1.exchange().to_owned());
    let folder = of.folder(1);
    of.gateway.stop();
    copy(&home, "data/ledger/journal", "journal.before");
    of.gateway.restart();
    let of = of.settled();
    assert_eq!(order(&of, &id)["erased"], 1);
    let named = of.gateway.running().app.ledger.earlier().unwrap().remove(0);
    let home = of.home().to_owned();
    let _of = of.stopped();
    sound(&home, "data/ledger");
    // The present log without its erasure: an older copy, as whoever wants something gone unseen would put it back.
    std::fs::rename(home.join("data/ledger/journal"), home.join("journal.after")).unwrap();
    copy(&home, "journal.before", "data/ledger/journal");
    let refused = verify(&home, "data/ledger");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let fault = refused.lines()[0]["fault"].as_str().unwrap().to_owned();
    assert!(fault.contains(&named.log) && fault.contains("no erasure record names it"), "{fault}");
    assert!(folder.is_dir());
}

/// Killed after the record and before the blanking, and between two segments of it: the next run goes on, and
/// nothing of what it finds is damage.
#[test]
fn a_crash_between_record_and_blanking_in_an_earlier_log_is_finished() {
    let mut of = Restored::begin("earlier-crash");
    of.ask("nurse-1");
    of.ask("nurse-2");
    of.restore();
    let of = of.settled();
    let home = of.home().to_owned();
    let ids: Vec<String> = of.about.iter().map(|(_, said)| said.exchange().to_owned()).collect();
    let index = |id: &str| of.gateway.search(json!({ "exchange": id }))[0]["index"].as_u64().unwrap();
    let erases: Ranges = ids.iter().map(|id| index(id)).collect();
    let (by, purpose) = ("uid 1000".to_owned(), "an order".to_owned());
    let erasure = Erasure { cause: Cause::Order, of: Some(of.logs[1].clone()), erases, by, purpose };
    of.gateway.running().app.ledger.append_blocking(Record::Erasure(Box::new(erasure))).unwrap();
    let journal = of.folder(1).join("journal");
    copy(&home, journal.to_str().unwrap(), "journal.whole");
    let mut of = of;
    of.gateway.stop();
    sound(&home, "data/ledger");

    of.gateway.restart();
    let of = of.settled();
    assert!(ids.iter().all(|id| is_sealed(&of, id)));
    let finish = ["ledger", "erase", "--due", "--purpose", "go on", "--json"];
    let done = must(&home, &finish, "").lines().remove(0);
    assert_eq!((&done["finished"], &done["erased"]), (&json!(2), &json!(0)), "{done}");
    assert!(ids.iter().all(|id| !is_sealed(&of, id)));
    assert_eq!(of.gateway.search(json!({ "kind": "erasure" })).len(), 1, "it was recorded before");
    sound(&home, "data/ledger");

    // As a crash between two segments leaves it: of one of them the file before is there.
    let mut of = of;
    of.gateway.stop();
    let packed = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        path.extension().is_some_and(|end| end == "packed").then_some(path)
    };
    let mut blanked: Vec<_> = std::fs::read_dir(&journal).unwrap().filter_map(packed).collect();
    blanked.sort();
    let name = blanked[0].file_stem().unwrap().to_str().unwrap().to_owned();
    std::fs::remove_file(&blanked[0]).unwrap();
    for form in ["packed", "segment"] {
        let file = home.join("journal.whole").join(format!("{name}.{form}"));
        if file.is_file() {
            std::fs::copy(file, journal.join(format!("{name}.{form}"))).unwrap();
        }
    }
    sound(&home, "data/ledger");
    of.gateway.restart();
    let of = of.settled();
    assert!(ids.iter().any(|id| is_sealed(&of, id)) && ids.iter().any(|id| !is_sealed(&of, id)));
    let done = must(&home, &finish, "").lines().remove(0);
    assert_eq!(done["finished"], 1, "{done}");
    assert!(ids.iter().all(|id| !is_sealed(&of, id)));
    sound(&home, "data/ledger");
}

/// By the term that was signed, whichever log it is in, and not a day before.
#[test]
fn what_is_past_its_term_goes_in_every_log() {
    let of_a_year = |text: String| format!("{text}\n[retention]\naudit_years = 1\n");
    let mut of = Restored::begin_with("earlier-due", "", of_a_year);
    of.ask_once("nurse-1");
    of.restore();
    of.ask_once("nurse-2");
    let of = of.settled();
    let home = of.home().to_owned();
    let ids: Vec<String> = of.about.iter().map(|(_, said)| said.exchange().to_owned()).collect();
    let due = ["ledger", "erase", "--due", "--purpose", "yearly review", "--json"];
    let dry = [&due[..], &["--dry-run"]].concat();
    let count = |arguments: &[&str]| {
        let done = must(&home, arguments, "").lines().remove(0);
        let of_a_year = done["due"].as_array().unwrap().iter().find(|class| class["years"] == 1).cloned();
        of_a_year.map_or(0, |class| class["count"].as_u64().unwrap())
    };
    of.gateway.clock.shift(SignedDuration::from_hours(24 * 360));
    assert_eq!(count(&due), 0);
    assert!(ids.iter().all(|id| is_sealed(&of, id)));
    of.gateway.clock.shift(SignedDuration::from_hours(24 * 10));
    assert_eq!(count(&dry), 2, "one in each log");
    assert_eq!(count(&due), 2);
    assert!(ids.iter().all(|id| !is_sealed(&of, id)));
    assert_eq!(count(&dry), 0);
    let erasures = of.gateway.search(json!({ "kind": "erasure" }));
    let of_earlier = |one: &&Value| one["envelope"]["earlier"]["log"] == of.logs[1].as_str();
    assert!(erasures.iter().any(|one| of_earlier(&one)) && !erasures.iter().all(|one| of_earlier(&one)));
    sound(&home, "data/ledger");
}
