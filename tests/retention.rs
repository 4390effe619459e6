//! Promise 4 over the years: sealed parts go when their term is over and not a millisecond before, on the record,
//! and nothing that anybody could prove before is lost with them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the ledger's own tests use all of their logbook")]

#[path = "ledger/logbook.rs"]
mod logbook;
mod support;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use logbook::{BODY, Folder, config, exchange, id, verifier};
use serde_json::{Value, json};
use support::agreements;
use support::gateway::{CHI, Gateway};
use support::site::{Ran, run, run_with_input};
use tolbooth::clock::Clock;
use tolbooth::desk::{Asker, Retained, Retention, RetentionFault, due_at};
use tolbooth::ledger::search::{Query, search};
use tolbooth::ledger::verify::{held, verify_journal, verify_receipt};
use tolbooth::ledger::{
    Cause, EraseFault, Erasure, Ledger, Opened, Ranges, Read, Receipt, Record, Stored, journal_directory,
};
use tolbooth::model::{Digest, Subject, SubjectKind};

const CHILD: &str = include_str!("../policies/agreements/glenmore-nhs-lomond-child-protection.toml");
const TAXI: &str = include_str!("../policies/agreements/glenmore-police-caledonia-taxi-licence.toml");
/// Of records that no agreement speaks for, in these tests.
const HOST_YEARS: u8 = 3;

struct Book {
    folder: Folder,
    clock: Clock,
    ledger: Ledger,
    opened: Opened,
    retention: Retention,
}

impl Book {
    fn new() -> Self {
        Self::open(Folder::new(), Clock::new().unwrap())
    }

    fn open(folder: Folder, clock: Clock) -> Self {
        let (ledger, opened) = Ledger::open(config(folder.path()), clock.clone()).unwrap();
        let retention = Retention::new(ledger.clone(), HOST_YEARS);
        Self { folder, clock, ledger, opened, retention }
    }

    fn reopen(self) -> Self {
        let Self { folder, clock, ledger, retention, .. } = self;
        drop(retention);
        ledger.close();
        drop(ledger);
        Self::open(folder, clock)
    }

    /// An exchange under an agreement of these words, whose bytes are evidence.
    fn asked(&self, n: u64, agreement: &str) -> Receipt {
        let digest = self.ledger.keep_evidence(agreement.as_bytes()).unwrap();
        let mut exchange = exchange(n);
        exchange.agreement = exchange.agreement.map(|(named, _)| (named, digest));
        self.ledger.append_blocking(Record::Exchange(Box::new(exchange))).unwrap()
    }

    fn looked(&self) -> Receipt {
        let (by, purpose) = ("uid 1000".to_owned(), "a complaint".to_owned());
        let read = Read { action: "search", shown: 1, by, purpose, asked: None, subjects: Vec::new() };
        self.ledger.append_blocking(Record::Read(read)).unwrap()
    }

    fn run(&self, now: Timestamp) -> Retained {
        self.retention.run(now, Some(&asker()), &mut || true).unwrap()
    }

    fn kept(&self) -> BTreeMap<u64, Kept> {
        let mut out = BTreeMap::new();
        let taken = self.ledger.archive().each(&mut |stored| {
            if let Stored::Entry(entry) = stored {
                let envelope: Value = serde_json::from_slice(entry.envelope).unwrap();
                let time = envelope["time"].as_str().unwrap().parse().unwrap();
                let (bytes, sealed) = (entry.envelope.to_vec(), entry.sealed.map(<[u8]>::to_vec));
                out.insert(entry.index, Kept { time, envelope, bytes, sealed });
            }
            ControlFlow::Continue(())
        });
        taken.unwrap();
        out
    }

    fn verify(&self, with: &[&str]) -> Result<u64, String> {
        let held: Vec<_> = with.iter().map(|text| held(text, &verifier()).unwrap()).collect();
        let journal = journal_directory(self.folder.path());
        let report = verify_journal(&journal, &verifier(), &held, &mut |_| ());
        report.map(|report| report.erased).map_err(|fault| fault.to_string())
    }

    /// The indexes of records about the person of the `n`th exchange.
    fn about(&self, n: u64) -> Vec<u64> {
        let kind = SubjectKind::new("chi").unwrap();
        let identifier = format!("{:010}", 9_000_000_000u64 + n);
        let query = Query::Subject(self.ledger.references(&Subject { kind, identifier }));
        let all = &mut |_| ControlFlow::Continue(());
        let found = search(&self.ledger.archive(), None, &query, 100, all).unwrap();
        found.into_iter().map(|found| found.index).collect()
    }
}

struct Kept {
    time: Timestamp,
    envelope: Value,
    bytes: Vec<u8>,
    sealed: Option<Vec<u8>>,
}

fn asker() -> Asker {
    Asker { by: "uid 1000".to_owned(), purpose: "yearly review".to_owned() }
}

/// A trial agreement's words with a term of their own.
fn years(text: &str, years: u8) -> String {
    format!("{text}\n[retention]\naudit_years = {years}\n")
}

fn earlier(than: Timestamp) -> Timestamp {
    than.checked_sub(SignedDuration::from_millis(1)).unwrap()
}

#[test]
fn each_class_goes_at_its_term_and_nothing_before() {
    let book = Book::new();
    let receipts = [
        book.asked(1, TAXI),
        book.asked(2, CHILD),
        book.asked(3, &years(TAXI, 2)),
        book.asked(4, &years(CHILD, 1)),
        book.looked(),
    ];
    let terms = [7, 25, 2, 1, HOST_YEARS];
    let time = |receipt: &Receipt| book.kept()[&receipt.index()].time;
    let mut due: Vec<(Timestamp, u64, u8)> = receipts
        .iter()
        .zip(terms)
        .map(|(receipt, years)| (due_at(time(receipt), years), receipt.index(), years))
        .collect();
    due.sort_unstable();
    assert_eq!(due.iter().map(|(_, _, years)| *years).collect::<Vec<_>>(), [1, 2, 3, 7, 25]);
    for (at, index, years) in due {
        // The records of erasures before are due too by now, by the host's term.
        let early = book.run(earlier(at));
        assert!(!early.due.contains_key(&years) || years == HOST_YEARS, "{years} years, a millisecond early");
        assert!(book.kept()[&index].sealed.is_some(), "{years} years, a millisecond early");
        let done = book.run(at);
        assert_eq!(done.due.get(&years), Some(&1));
        let kept = book.kept();
        assert!(kept[&index].sealed.is_none());
        let last = kept.values().rfind(|kept| kept.envelope["years"] == years).unwrap();
        let envelope = &last.envelope;
        assert_eq!((&envelope["kind"], &envelope["cause"]), (&json!("erasure"), &json!("due")));
        assert_eq!((&envelope["years"], &envelope["count"]), (&json!(years), &json!(1)));
        assert_eq!(envelope["erases"], json!([[index, index]]));
        let sealed: Value = serde_json::from_slice(&last.sealed.as_ref().unwrap()[32..]).unwrap();
        assert_eq!(sealed, json!({ "by": "uid 1000", "purpose": "yearly review" }));
        assert!(book.verify(&[]).is_ok());
    }
    let named = book.kept().into_values().filter_map(|kept| kept.envelope["count"].as_u64()).sum();
    assert_eq!(book.verify(&[]), Ok(named));
    assert!(named > 5, "those five, and erasures themselves");
}

#[test]
fn what_could_be_proven_before_can_be_proven_after() {
    let book = Book::new();
    let receipts: Vec<Receipt> = (1..=40).map(|n| book.asked(n, &years(TAXI, 1))).collect();
    let young = book.asked(41, TAXI);
    let before = book.kept();
    let heads: Vec<String> = receipts.iter().map(|receipt| receipt.header().to_owned()).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    assert_eq!(book.verify(&heads), Ok(0));
    assert_eq!(book.about(7), [receipts[6].index()]);
    let last = before.last_key_value().unwrap().1.time;
    let done = book.run(due_at(last, 1));
    assert_eq!(done.due, BTreeMap::from([(1, 40)]));
    let after = book.kept();
    for (index, kept) in &before {
        assert_eq!(after[index].bytes, kept.bytes, "the leaf is the same");
        let is_young = *index == young.index() || kept.envelope["kind"] == "origin";
        assert_eq!(after[index].sealed.is_some(), is_young, "record {index}");
    }
    // Neighbours are one range, in the record of each segment.
    let erasures: Vec<&Value> =
        after.range(before.len() as u64..).map(|(_, kept)| &kept.envelope["erases"]).collect();
    assert!(erasures.iter().all(|erases| erases.as_array().unwrap().len() == 1), "{erasures:?}");
    assert_eq!((&erasures[0][0][0], &erasures[erasures.len() - 1][0][1]), (&json!(1), &json!(40)));
    assert_eq!(book.verify(&heads), Ok(40));
    for (receipt, n) in receipts.iter().zip(1..) {
        let report = verify_receipt(receipt.header(), &verifier(), None, &[]).unwrap();
        assert!(report.envelope.contains(&id(n).to_string()));
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntolbooth-outcome: answered\r\ntolbooth-receipt: {}\r\n\r\n",
        receipts[0].header()
    );
    assert!(verify_receipt(&head, &verifier(), Some(BODY), &[]).is_ok(), "the answer too");
    // Whom they were about is gone; the rest is found as before.
    assert_eq!(book.about(7), Vec::<u64>::new());
    assert_eq!(book.about(41), [young.index()]);
    let one =
        search(&book.ledger.archive(), None, &Query::Exchange(id(7)), 1, &mut |_| ControlFlow::Continue(()));
    assert!(one.unwrap()[0].sealed.is_none());
    // A start accepts what is blank, and knows how much of it there is.
    let book = book.reopen();
    assert_eq!((book.opened.dropped, book.ledger.erased()), (false, Some(40)));
    assert_eq!(book.run(due_at(last, 1)), Retained::default(), "nothing is erased twice");
}

#[test]
fn an_agreement_whose_text_cannot_be_read_holds_its_records() {
    let book = Book::new();
    let words = years(TAXI, 1);
    let receipt = book.asked(1, &words);
    let digest = Digest::of(words.as_bytes());
    let file = book.folder.path().join("evidence").join(digest.hex());
    let now = due_at(book.kept()[&receipt.index()].time, 100);
    let held = Retained { held: BTreeMap::from([(digest.to_string(), 1)]), ..Retained::default() };
    for (bytes, what) in [(None, "gone"), (Some("format = 1\n"), "changed")] {
        match bytes {
            Some(bytes) => std::fs::write(&file, bytes).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        assert_eq!(book.run(now), held, "{what}");
        assert!(book.kept()[&receipt.index()].sealed.is_some(), "{what}");
    }
    std::fs::write(&file, &words).unwrap();
    assert_eq!(book.run(now).due, BTreeMap::from([(1, 1)]));
    // Words that are evidence and are no agreement say nothing of a term either.
    let other = book.asked(2, "format = 2\n");
    assert_eq!(book.run(due_at(book.kept()[&other.index()].time, 100)).held.len(), 1);
}

/// Terms count from the record's own time, which no clock moves back.
#[test]
fn a_clock_set_back_erases_nothing_early() {
    let book = Book::new();
    let day = SignedDuration::from_hours(24);
    let wall = book.clock.now();
    book.clock.shift(day);
    book.asked(1, &years(TAXI, 1));
    book.clock.shift(-day);
    let receipt = book.asked(2, &years(TAXI, 1));
    let recorded = book.kept()[&receipt.index()].time;
    assert!(recorded > wall.checked_add(SignedDuration::from_hours(23)).unwrap());
    let by_the_wall = due_at(wall.checked_add(SignedDuration::from_hours(1)).unwrap(), 1);
    assert_eq!(book.run(by_the_wall), Retained::default());
    assert_eq!(book.run(earlier(due_at(recorded, 1))), Retained::default());
    assert_eq!(book.run(due_at(recorded, 1)).count(), 2);
    // And time as used stands still meanwhile.
    book.clock.not_before(book.ledger.time_ms());
    assert!(book.clock.now() >= recorded);
}

#[test]
fn a_crash_between_record_and_blanking_is_finished() {
    let mut book = Book::new();
    let receipts: Vec<Receipt> = (1..=3).map(|n| book.asked(n, TAXI)).collect();
    let erases: Ranges = [1, 3].into_iter().collect();
    let (by, purpose) = ("uid 1000".to_owned(), "an order".to_owned());
    let erasure = Erasure { cause: Cause::Order, of: None, erases, by, purpose };
    book.ledger.append_blocking(Record::Erasure(Box::new(erasure))).unwrap();
    // Killed here. Nothing is wrong with such a log, but that it is not done.
    book = book.reopen();
    assert_eq!(book.verify(&[]), Ok(0));
    assert!(book.kept()[&1].sealed.is_some());
    let now = book.clock.now();
    assert_eq!(book.run(now), Retained { finished: 2, ..Retained::default() });
    let sealed: Vec<bool> = receipts.iter().map(|r| book.kept()[&r.index()].sealed.is_some()).collect();
    assert_eq!(sealed, [false, true, false]);
    let kinds = book.kept().into_values().filter(|kept| kept.envelope["kind"] == "erasure").count();
    assert_eq!(kinds, 1, "it was recorded before");
    assert_eq!(book.verify(&[]), Ok(2));
    assert_eq!(book.run(now), Retained::default());
}

/// A start after years reads the last segment alone; until the rest is read nobody knows what is unfinished,
/// and a blank would look like damage to whoever reads.
#[test]
fn nothing_is_erased_before_the_whole_journal_is_read() {
    let mut book = Book::new();
    for n in 0..400 {
        book.asked(n, &years(TAXI, 1));
    }
    let last = book.kept().last_key_value().unwrap().1.time;
    book = book.reopen();
    assert!(book.opened.unread_segments > 0);
    let fault = book.retention.run(due_at(last, 1), Some(&asker()), &mut || true).unwrap_err();
    assert!(matches!(fault, RetentionFault::Erase(EraseFault::NotReadYet)), "{fault}");
    assert!(book.ledger.missing_subject_keys().keys.is_empty());
    assert!(!book.ledger.missing_subject_keys().all_known);
    book.ledger.read_whole(&mut || true).unwrap().unwrap();
    assert_eq!(book.run(due_at(last, 1)).due, BTreeMap::from([(1, 400)]));
    assert_eq!(book.verify(&[]), Ok(400));
    assert!(book.ledger.read_whole(&mut || true).unwrap().is_some());
    book = book.reopen();
    book.ledger.read_whole(&mut || true).unwrap().unwrap();
    assert_eq!(book.ledger.erased(), Some(400));
}

#[test]
fn a_dry_run_counts_and_erases_nothing() {
    let book = Book::new();
    let receipt = book.asked(1, &years(TAXI, 1));
    let now = due_at(book.kept()[&receipt.index()].time, 1);
    let before = book.ledger.size();
    for _ in 0..2 {
        let counted = book.retention.run(now, None, &mut || true).unwrap();
        assert_eq!(counted.due, BTreeMap::from([(1, 1)]));
    }
    assert_eq!(book.ledger.size(), before);
    assert!(book.kept()[&receipt.index()].sealed.is_some());
    assert_eq!(book.run(now).count(), 1);
}

#[test]
fn an_exchange_goes_by_order_and_one_under_way_stays() {
    let book = Book::new();
    let receipt = book.asked(1, CHILD);
    let other = book.asked(2, CHILD);
    let order = |n| book.retention.erase_exchange(&id(n), &asker(), &mut || true);
    assert!(matches!(order(9), Err(RetentionFault::NoExchange)));
    let intent = tolbooth::ledger::Intent {
        id: id(5),
        consumer: exchange(5).consumer,
        provider: exchange(5).provider,
        dataset: exchange(5).dataset.unwrap(),
        operation: exchange(5).operation.unwrap(),
        agreement: exchange(5).agreement.unwrap(),
        ruleset: Digest::of(b"ruleset"),
        nonce: exchange(5).nonce,
        request_mac: [5; 32],
        subjects: exchange(5).sealed.subjects,
    };
    book.ledger.append_blocking(Record::Intent(Box::new(intent))).unwrap();
    assert!(matches!(order(5), Err(RetentionFault::UnderWay)));
    book.asked(5, CHILD);
    assert_eq!(order(5).unwrap(), 2, "the intent and the exchange");
    assert_eq!(order(1).unwrap(), 1);
    assert_eq!(order(1).unwrap(), 0, "once");
    let kept = book.kept();
    assert!(kept[&receipt.index()].sealed.is_none() && kept[&other.index()].sealed.is_some());
    let last = &kept.last_key_value().unwrap().1.envelope;
    assert_eq!((&last["cause"], &last["years"]), (&json!("order"), &Value::Null));
    assert_eq!(book.verify(&[receipt.header()]), Ok(3));
}

fn erase(home: &Path, arguments: &[&str]) -> Ran {
    run(home, &[&["ledger", "erase"], arguments].concat())
}

/// Through the real binary: asked for, on the record, and told of wherever somebody looks afterwards.
#[test]
fn an_erasure_is_asked_for_recorded_and_told_of() {
    let gateway = Gateway::start("retention-order");
    let home = gateway.home.clone();
    let said = gateway.check(CHI);
    assert_eq!(said.status, 200, "{said:?}");
    let found =
        run_with_input(&home, &["ledger", "search", "--json", "--purpose", "a", "--subject", "chi"], CHI);
    let exchange = found.lines()[0]["envelope"]["exchange"].as_str().unwrap().to_owned();

    let nothing = erase(&home, &["--due", "--dry-run", "--purpose", "review"]);
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
    assert!(nothing.out.contains("nothing is past its term"), "{nothing:?}");
    assert_eq!(erase(&home, &["--exchange", &exchange]).code, Some(2), "a reason is wanted");
    assert_eq!(erase(&home, &["--purpose", "review"]).code, Some(2), "of what is wanted");
    let blank = erase(&home, &["--exchange", &exchange, "--reason", " "]);
    assert_eq!(blank.code, Some(1), "{blank:?}");
    let done = erase(&home, &["--exchange", &exchange, "--reason", "order of 4 December 2026"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("1 sealed part is erased, on the record"), "{done:?}");

    let erasures = gateway.search(json!({ "purpose": "what went", "kind": "erasure", "sealed": true }));
    assert_eq!(erasures.len(), 1);
    assert_eq!(erasures[0]["sealed"]["purpose"], "order of 4 December 2026");
    let looks = gateway.search(json!({ "purpose": "who looked", "kind": "read" }));
    assert!(looks.iter().any(|look| look["envelope"]["action"] == "erase_look"), "{looks:?}");
    let by_id = run(&home, &["ledger", "search", "--purpose", "b", "--exchange", &exchange]);
    assert!(by_id.out.contains("its sealed part is erased"), "{by_id:?}");
    let by_person = run_with_input(&home, &["ledger", "search", "--purpose", "c", "--subject", "chi"], CHI);
    assert!(by_person.out.contains("1 records have no sealed part any more"), "{by_person:?}");
    let report = run_with_input(&home, &["report", "person", "--purpose", "d", "--subject", "chi"], CHI);
    assert!(report.out.contains("1 exchanges of the period have no sealed part any more"), "{report:?}");
    let verified = run(&home, &["ledger", "verify", "data/ledger", "--key", "data/keys/ledger.vkey"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

/// The gateway does it by itself, but not by a clock that nobody has looked at.
#[test]
fn what_is_past_its_term_goes_by_itself() {
    let mut gateway = Gateway::start_changed("retention-daily", |home| {
        agreements::reword(home, agreements::CHILD, |text| years(&text, 1));
    });
    assert_eq!(gateway.check(CHI).status, 200);
    let sealed = |gateway: &Gateway| {
        let found = gateway.search(json!({ "purpose": "is it there", "kind": "exchange", "sealed": true }));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]["sealed"].is_object()
    };
    assert!(sealed(&gateway));
    // To noon of a day more than a year later: whoever set the clock so may have been wrong.
    let hours = 12 - i64::from(gateway.clock.london().hour());
    gateway.stop();
    gateway.clock.shift(SignedDuration::from_hours(hours + 24 * 400));
    gateway.restart();
    support::until("the clock is watched", || (gateway.light("clock") == "green").then_some(()));
    let due = erase(&gateway.home, &["--due", "--dry-run", "--purpose", "review", "--json"]);
    assert_eq!(due.lines()[0]["due"], json!([{ "years": 1, "count": 1 }]), "{due:?}");
    assert!(sealed(&gateway), "not by itself");
    // The record itself says so much time has passed now.
    gateway.restart();
    support::until("it is erased", || (!sealed(&gateway)).then_some(()));
    let erasures = gateway.search(json!({ "purpose": "what went", "kind": "erasure", "sealed": true }));
    assert_eq!(erasures[0]["sealed"]["by"], "the gateway");
}

#[test]
fn nothing_goes_by_itself_where_it_is_done_by_hand() {
    let mut gateway = Gateway::start_changed("retention-by-hand", |home| {
        agreements::reword(home, agreements::CHILD, |text| years(&text, 1));
        let path = home.join("tolbooth.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}\n[ledger]\nerase = \"by_hand\"\n")).unwrap();
    });
    assert_eq!(gateway.check(CHI).status, 200);
    let hours = 12 - i64::from(gateway.clock.london().hour());
    gateway.stop();
    gateway.clock.shift(SignedDuration::from_hours(hours + 24 * 400));
    gateway.restart();
    gateway.restart();
    let done = erase(&gateway.home, &["--due", "--purpose", "yearly review"]);
    assert!(done.out.contains("1 sealed parts are past their term of 1 years and are erased"), "{done:?}");
    let erasures = gateway.search(json!({ "purpose": "what went", "kind": "erasure", "sealed": true }));
    assert_eq!(erasures.len(), 1);
    assert_ne!(erasures[0]["sealed"]["by"], "the gateway");
}
