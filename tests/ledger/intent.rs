//! Intents that a crash left open, and what a start leaves to be read behind the road.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serde_json::Value;
use tolbooth::ledger::search::{Query, search};
use tolbooth::ledger::verify::verify_journal;
use tolbooth::ledger::{Intent, Ledger, LedgerError, Nonce, Record, journal_directory};
use tolbooth::model::Digest;

use super::logbook::*;

/// The change before the `n`th exchange.
fn intent(n: u64) -> Record {
    let exchange = exchange(n);
    Record::Intent(Box::new(Intent {
        id: exchange.id,
        consumer: exchange.consumer,
        provider: exchange.provider,
        dataset: exchange.dataset.unwrap(),
        operation: exchange.operation.unwrap(),
        agreement: exchange.agreement.unwrap(),
        ruleset: exchange.ruleset,
        nonce: Nonce([n as u8; 32]),
        request_mac: exchange.request_mac,
        subjects: exchange.sealed.subjects,
    }))
}

fn found(ledger: &Ledger, query: &Query) -> Vec<(Value, Value)> {
    let all = search(&ledger.archive(), None, query, 100, &mut |_| ControlFlow::Continue(())).unwrap();
    let json = |text: &str| serde_json::from_str(text).unwrap();
    all.iter().map(|one| (json(&one.envelope), json(one.sealed.as_deref().unwrap()))).collect()
}

#[test]
fn an_intent_without_its_exchange_is_closed_from_what_it_says_itself() {
    let folder = Folder::new();
    let (ledger, opened) = open(folder.path());
    assert!(opened.intents.is_empty());
    for n in 0..3 {
        ledger.append_blocking(intent(n)).unwrap();
    }
    // One was answered, two were under way.
    ledger.append_blocking(record(1)).unwrap();
    drop(ledger);

    let (ledger, opened) = open(folder.path());
    assert_eq!(opened.intents.iter().map(|open| open.index).collect::<BTreeSet<_>>(), [1, 3].into());
    for open in &opened.intents {
        ledger.append_blocking(open.closing().unwrap()).unwrap();
    }
    let (envelope, sealed) = found(&ledger, &Query::Exchange(id(2))).remove(0);
    let told = (&envelope["outcome"], &envelope["code"], &envelope["status"]);
    assert_eq!(told, (&"refused".into(), &"outcome_unknown".into(), &0.into()));
    assert_eq!(sealed["outcome"], "outcome_unknown");
    let schema: Value = serde_json::from_str(include_str!("../../schemas/entry/exchange.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap().validate(&envelope).unwrap();
    // Who asked, for what, under what, and about whom is as in the intent.
    let subject = ledger.references(&exchange(2).sealed.subjects[0]);
    let both = found(&ledger, &Query::Subject(subject));
    // The newest first.
    let [(closing, of_closing), (intent, of_intent)] = &both[..] else { panic!("{both:?}") };
    assert_eq!((&intent["kind"], &closing["kind"]), (&"intent".into(), &"exchange".into()));
    for key in ["exchange", "consumer", "provider", "dataset", "operation", "agreement", "ruleset", "request"]
    {
        assert_eq!(intent[key], closing[key], "{key}");
    }
    assert_eq!(
        (&of_intent["nonce"], &of_intent["subjects"]),
        (&of_closing["nonce"], &of_closing["subjects"])
    );
    drop(ledger);

    let (ledger, opened) = open(folder.path());
    assert!(opened.intents.is_empty(), "closed once and for all");
    ledger.close();
    verify_journal(&journal_directory(folder.path()), &verifier(), &[], &mut |_| ()).unwrap();
}

/// A log whose start reads only its last segment, with one intent in its first.
fn long_log(folder: &Folder) {
    let (ledger, _) = open(folder.path());
    ledger.append_blocking(intent(1000)).unwrap();
    ledger.append_blocking(intent(1001)).unwrap();
    for n in 0..500 {
        ledger.append_blocking(record(n)).unwrap();
    }
    ledger.append_blocking(record(1001)).unwrap();
}

#[test]
fn an_intent_in_a_segment_the_start_did_not_read_is_found_behind_the_road() {
    let folder = Folder::new();
    long_log(&folder);
    let (ledger, opened) = open(folder.path());
    assert!(opened.unread_segments > 3 && opened.intents.is_empty(), "{opened:?}");
    assert_eq!(ledger.read_whole(&mut || false).unwrap(), None);
    // One is under way meanwhile: it can be told by its place.
    ledger.append_blocking(intent(2000)).unwrap();
    let intents = ledger.read_whole(&mut || true).unwrap().unwrap();
    let places: BTreeSet<u64> = intents.iter().map(|open| open.index).collect();
    assert_eq!(places, [1, opened.records].into());
}

#[test]
fn damage_in_a_segment_the_start_did_not_read_is_named_behind_the_road() {
    let folder = Folder::new();
    long_log(&folder);
    let segment = journal_directory(folder.path()).join("00000002.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let (ledger, opened) = open(folder.path());
    assert!(opened.unread_segments > 3);
    let fault = ledger.read_whole(&mut || true).unwrap_err();
    assert!(matches!(fault, LedgerError::Journal(_)), "{fault}");
    assert!(fault.to_string().contains("segment 2"), "{fault}");
}

#[test]
fn many_files_are_kept_at_once() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let files: Vec<String> = (0..1000).map(|n| format!("agreement {n}")).collect();
    let bytes: Vec<&[u8]> = files.iter().map(|file| file.as_bytes()).collect();
    for _ in 0..2 {
        let digests = ledger.keep_all_evidence(&bytes).unwrap();
        for (digest, bytes) in digests.iter().zip(&bytes) {
            assert_eq!(*digest, Digest::of(bytes));
            assert_eq!(std::fs::read(folder.path().join("evidence").join(digest.hex())).unwrap(), *bytes);
        }
    }
}
