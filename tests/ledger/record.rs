//! Promise 3, "no record, no release", on a sound disk: what is recorded, what a receipt proves, what
//! never gets into an envelope.

use std::ops::ControlFlow;
use std::sync::Barrier;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::logbook::*;
use tolbooth::clock::Clock;
use tolbooth::journal::JournalFault;
use tolbooth::ledger::search::{Filter, Index, Query, search};
use tolbooth::ledger::verify::{verify_journal, verify_receipt};
use tolbooth::ledger::{
    Act, Alarm, Cause, Erasure, Folded, KeyDestroyed, Ledger, LedgerError, Read, Record, Rules, RulesItem,
    State, StopEvent, Stopped, Stored, Summary, Unrecorded, journal_directory,
};
use tolbooth::model::limits::RECEIPT_BYTES_MAX;
use tolbooth::model::{
    ActDone, Action, AgreementId, AgreementRef, DatasetId, DatasetVersion, Digest, ExchangeId, Halt,
    MemberId, OperationId, RoleId, StopScope, Subject, SubjectKind, SystemId, SystemName,
};

fn all(_: tolbooth::ledger::search::Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn a_receipt_proves_its_record_and_its_answer() {
    let folder = Folder::new();
    let (ledger, opened) = open(folder.path());
    assert_eq!((opened.records, opened.dropped), (0, false));
    let receipt = ledger.append_blocking(record(1)).unwrap();
    assert_eq!(receipt.index(), 1);

    let report = verify_receipt(receipt.header(), &verifier(), None, &[]).unwrap();
    assert!(report.envelope.contains(&id(1).to_string()));
    let head = |status: u16| {
        format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 {status} OK\r\ncontent-type: application/json\r\n\
             Tolbooth-Outcome: answered\r\ntolbooth-receipt: {}\r\n\r\n",
            receipt.header()
        )
    };
    assert!(verify_receipt(&head(200), &verifier(), Some(BODY), &[]).is_ok());
    assert!(verify_receipt(&head(200), &verifier(), Some(b"{\"known\":false}"), &[]).is_err());
    assert!(verify_receipt(&head(404), &verifier(), Some(BODY), &[]).is_err());
    assert!(verify_receipt(receipt.header(), &verifier(), Some(BODY), &[]).is_err());
    let other = tolbooth::merkle::note::VerifierKey::new(
        LOG,
        tolbooth::crypto::SigningKey::from_seed(&[7; 32]).unwrap().public(),
    );
    assert!(verify_receipt(receipt.header(), &other.unwrap(), None, &[]).is_err());
}

/// The signature is real and so is the proof: of another record.
#[test]
fn a_receipt_is_of_its_own_envelope_in_its_own_place() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    ledger.append_blocking(record(1)).unwrap();
    let receipt = ledger.append_blocking(record(2)).unwrap();
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(receipt.header()).unwrap()).unwrap();
    let verifies = |text: &str| {
        verify_receipt(&URL_SAFE_NO_PAD.encode(text), &verifier(), None, &[])
            .map(|report| report.index)
            .map_err(|fault| fault.to_string())
    };
    assert_eq!(verifies(&text), Ok(2));
    let extra = text.lines().nth(1).unwrap().strip_prefix("extra ").unwrap();
    let mut other = STANDARD.decode(extra).unwrap();
    let last = other.len() - 1;
    other[last] = b' ';
    let not_included = Err("the envelope is not in the tree of the receipt's checkpoint".to_owned());
    assert_eq!(verifies(&text.replace(extra, &STANDARD.encode(other))), not_included);
    assert_eq!(verifies(&text.replace("\nindex 2\n", "\nindex 1\n")), not_included);
}

#[test]
fn every_exchange_of_many_at_once_gets_a_receipt_that_verifies() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let ledger = ledger.clone();
            scope.spawn(move || {
                for n in 0..50 {
                    let n = thread * 50 + n;
                    let receipt = ledger.append_blocking(record(n)).unwrap();
                    let report = verify_receipt(receipt.header(), &verifier(), None, &[]).unwrap();
                    assert!(report.envelope.contains(&id(n).to_string()));
                    assert_eq!(report.index, receipt.index());
                }
            });
        }
    });
    ledger.close();
    let report = verify_journal(&journal_directory(folder.path()), &verifier(), &[], &mut |_| ()).unwrap();
    assert_eq!(report.records, 401);
    // Several small segments were filled.
    assert!(ledger.archive().segments().unwrap().len() > 4);
    assert!(matches!(ledger.append_blocking(record(1)), Err(Unrecorded::Stopped)));
}

/// Ids as long as ids may be, many fields, and a log as large as logs get.
#[test]
fn a_receipt_always_fits_its_header() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let long = "a".repeat(63);
    let mut exchange = exchange(1);
    exchange.consumer =
        SystemId { member: MemberId::new(&long).unwrap(), system: SystemName::new(&long).unwrap() };
    exchange.provider = MemberId::new(&long).unwrap();
    exchange.dataset = Some(DatasetVersion { dataset: DatasetId::new(&long).unwrap(), major: u32::MAX });
    exchange.operation = Some(OperationId::new(&long).unwrap());
    exchange.agreement = Some((
        AgreementRef { id: AgreementId::new(&long).unwrap(), version: u32::MAX },
        Digest::of(b"agreement"),
    ));
    if let Some(role) = &mut exchange.role {
        role.value = RoleId::new(&long).unwrap();
    }
    exchange.correlation = Some("c".repeat(64));
    let mut narrow = exchange.fields.to_vec();
    exchange.fields = (0..100).map(|n| format!("a_field_with_a_long_name_{n}")).collect::<Vec<_>>().into();
    let wide = ledger.append_blocking(Record::Exchange(Box::new(exchange))).unwrap();
    // A proof in a log of 2^32 records has 32 hashes; 45 characters each, encoded twice.
    let grown = wide.header().len() + 32 * 45 * 4 / 3;
    assert!(grown <= RECEIPT_BYTES_MAX, "{grown}");

    // And with as many names as an envelope takes.
    let mut second = super::logbook::exchange(2);
    narrow.extend((0..15).map(|n| format!("a_field_with_a_name_{n:04}")));
    second.fields = narrow.into();
    let receipt = ledger.append_blocking(Record::Exchange(Box::new(second))).unwrap();
    let report = verify_receipt(receipt.header(), &verifier(), None, &[]).unwrap();
    assert!(report.envelope.contains("a_field_with_a_name_0014"), "listed");
    let report = verify_receipt(wide.header(), &verifier(), None, &[]).unwrap();
    assert!(report.envelope.contains("\"fields\":null,\"fields_digest\":\"sha256:"), "by digest");
}

#[test]
fn what_is_sealed_is_in_no_envelope_and_an_identifier_is_nowhere() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let mut exchange = exchange(7);
    exchange.correlation = Some("9000000007 is not an id".into());
    exchange.sealed.outcome = "row_excluded".into();
    exchange.sealed.dropped = (0..20).map(|n| format!("field_{n}_{}", "é".repeat(60))).collect();
    ledger.append_blocking(Record::Exchange(Box::new(exchange))).unwrap();
    ledger.close();
    let mut seen = 0;
    ledger
        .archive()
        .each(&mut |stored| {
            if let Stored::Entry(entry) = stored
                && entry.index == 1
            {
                seen += 1;
                let envelope = std::str::from_utf8(entry.envelope).unwrap();
                let sealed: serde_json::Value = serde_json::from_slice(entry.sealed_json().unwrap()).unwrap();
                for secret in ["row_excluded", "c.munro", "injury", "field_", "9000000007", &"07".repeat(32)]
                {
                    assert!(!envelope.contains(secret), "{secret}");
                }
                assert_eq!(sealed["outcome"], "row_excluded");
                assert_eq!(sealed["nonce"], "07".repeat(32));
                let dropped = sealed["dropped"].as_array().unwrap();
                assert_eq!(dropped.len(), 16);
                assert!(dropped.iter().all(|name| name.as_str().unwrap().len() <= 64));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, 1);
    for file in std::fs::read_dir(journal_directory(folder.path())).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|window| window == b"9000000007"));
    }
}

fn other_kinds() -> Vec<Record> {
    let first = exchange(2);
    let dataset = Some(DatasetVersion { dataset: DatasetId::new("taxi").unwrap(), major: 1 });
    vec![
        Record::Intent(Box::new(tolbooth::ledger::Intent {
            id: first.id,
            consumer: first.consumer,
            provider: first.provider,
            dataset: first.dataset.unwrap(),
            operation: first.operation.unwrap(),
            agreement: first.agreement.unwrap(),
            ruleset: first.ruleset,
            nonce: first.nonce,
            request_mac: first.request_mac,
            subjects: first.sealed.subjects,
        })),
        Record::GrantUse(Box::new(tolbooth::ledger::GrantUse {
            exchange: first.id,
            consumer: exchange(2).consumer,
            provider: exchange(2).provider,
            grant: exchange(2).agreement.unwrap(),
        })),
        Record::Rules(Rules {
            taken: false,
            items: vec![RulesItem { what: "ruleset", before: Some(Digest::of(b"r")), after: None }],
            detail: Some("members.toml:3: an unknown key".into()),
        }),
        Record::Read(Read {
            action: "search",
            shown: 3,
            by: "uid 1000".into(),
            purpose: "complaint 12/2026".into(),
            asked: None,
            subjects: vec![],
        }),
        Record::Erasure(Box::new(Erasure {
            cause: Cause::Due { years: 7 },
            of: None,
            erases: [0, 1, 3].into_iter().collect(),
            by: "uid 1000".into(),
            purpose: "yearly review".into(),
        })),
        Record::Erasure(Box::new(Erasure {
            cause: Cause::Order,
            of: Some("glenmore.caledonia.example/ledger/2025-01-01-00000000".into()),
            erases: [0, 1, 900].into_iter().collect(),
            by: "uid 1000".into(),
            purpose: "an order".into(),
        })),
        Record::KeyDestroyed(Box::new(KeyDestroyed {
            key: "2019-0a1b2c3d".into(),
            by: "the gateway".into(),
            purpose: "past the term agreed".into(),
        })),
        Record::Alarm(Alarm { cause: "drift", dataset, detail: None, dropped: vec!["x".into()] }),
        Record::Summary(Summary {
            member: None,
            cause: "handshake".into(),
            count: 12,
            from_ms: 1_800_000_000_000,
            to_ms: 1_800_000_060_000,
            source: Some("192.0.2.1".into()),
        }),
        Record::Shutdown,
    ]
}

/// What officers and the host did.
fn deeds() -> Vec<Record> {
    vec![
        Record::Act(Box::new(Act {
            done: ActDone {
                action: Action::Resume,
                agreement: AgreementRef { id: AgreementId::new("one").unwrap(), version: 2 },
                member: MemberId::new("glenmore").unwrap(),
                statement: Digest::of(b"s"),
                lifts: Some(Digest::of(b"l")),
                at: jiff::Timestamp::UNIX_EPOCH,
            },
            agreement_digest: Digest::of(b"a"),
            officer: "m.macleod.glenmore".into(),
            reason: "\"over\"\n".into(),
        })),
        Record::Stop(Box::new(Stopped {
            event: StopEvent::Stop(Halt {
                scope: StopScope::All,
                message: "\"moving\"".into(),
                until: Some(jiff::Timestamp::UNIX_EPOCH),
            }),
            by: "uid 0".into(),
            purpose: "a test".into(),
        })),
    ]
}

#[test]
fn every_kind_has_its_own_schema_and_keeps_its_key_order() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let agreement = AgreementRef { id: AgreementId::new("one").unwrap(), version: 2 };
    ledger.append_blocking(record(1)).unwrap();
    ledger
        .ruleset(
            (Digest::of(b"r"), Some(Digest::of(b"q"))),
            &[("a.toml".into(), Digest::of(b"a"))],
            vec![(agreement, Digest::of(b"a"))],
        )
        .unwrap();
    for record in other_kinds().into_iter().chain(deeds()) {
        ledger.append_blocking(record).unwrap();
    }
    let mut kinds = Vec::new();
    ledger
        .archive()
        .each(&mut |stored| {
            let Stored::Entry(entry) = stored else { return ControlFlow::Continue(()) };
            let value: serde_json::Value = serde_json::from_slice(entry.envelope).unwrap();
            let kind = value["kind"].as_str().unwrap().to_owned();
            let file = format!("{}/schemas/entry/{kind}.json", env!("CARGO_MANIFEST_DIR"));
            let schema: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&file).expect(&file)).unwrap();
            let validator = jsonschema::draft202012::new(&schema).unwrap();
            let errors: Vec<_> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{kind}: {errors:?}");
            // The order is that of `required`, which names every key.
            let text = std::str::from_utf8(entry.envelope).unwrap();
            let mut from = 0;
            let required = schema["required"].as_array().unwrap();
            for key in required {
                let key = format!("\"{}\":", key.as_str().unwrap());
                from += text
                    .get(from..)
                    .unwrap()
                    .find(&key)
                    .unwrap_or_else(|| panic!("{kind}: {key} out of order"));
            }
            assert_eq!(required.len(), value.as_object().unwrap().len(), "{kind}");
            kinds.push(kind);
            ControlFlow::Continue(())
        })
        .unwrap();
    kinds.sort();
    kinds.dedup();
    let all = [
        "act",
        "alarm",
        "erasure",
        "exchange",
        "grant",
        "intent",
        "key_destroyed",
        "origin",
        "read",
        "rules",
        "ruleset",
        "shutdown",
        "stop",
        "summary",
    ];
    assert_eq!(kinds, all);
}

#[test]
fn one_process_holds_a_directory() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let second = Ledger::open(config(folder.path()), Clock::new().unwrap());
    assert!(matches!(second, Err(LedgerError::Journal(JournalFault::Locked { .. }))));
    drop(ledger);
    let (ledger, opened) = open(folder.path());
    assert_eq!(opened.records, 1);
    assert_eq!(ledger.state(), State::Healthy);
}

#[test]
fn a_log_is_continued_only_with_its_own_key_and_name() {
    let folder = Folder::new();
    drop(open(folder.path()));
    let mut other = config(folder.path());
    other.key = tolbooth::crypto::SigningKey::from_seed(&[7; 32]).unwrap();
    assert!(matches!(Ledger::open(other, Clock::new().unwrap()), Err(LedgerError::Record { .. })));
    let mut other = config(folder.path());
    other.origin = "elsewhere.caledonia.example/ledger".into();
    assert!(matches!(Ledger::open(other, Clock::new().unwrap()), Err(LedgerError::Record { .. })));
    assert_eq!(open(folder.path()).1.records, 1);
}

#[test]
fn time_never_goes_back() {
    let folder = Folder::new();
    let clock = Clock::new().unwrap();
    let (ledger, _) = Ledger::open(config(folder.path()), clock.clone()).unwrap();
    clock.shift(jiff::SignedDuration::from_hours(1));
    ledger.append_blocking(record(1)).unwrap();
    clock.shift(jiff::SignedDuration::from_hours(-2));
    ledger.append_blocking(record(2)).unwrap();
    drop(ledger);
    let (ledger, _) = Ledger::open(config(folder.path()), clock).unwrap();
    ledger.append_blocking(record(3)).unwrap();
    ledger.close();
    verify_journal(&journal_directory(folder.path()), &verifier(), &[], &mut |_| ()).unwrap();
}

#[test]
fn a_long_log_opens_from_its_last_segment() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    for n in 0..500 {
        ledger.append_blocking(record(n)).unwrap();
    }
    drop(ledger);
    let (ledger, opened) = open(folder.path());
    assert_eq!(opened.records, 501);
    assert!(opened.unread_segments > 3, "{opened:?}");
    let receipt = ledger.append_blocking(record(500)).unwrap();
    assert_eq!(receipt.index(), 501);
    ledger.close();
    let report = verify_journal(&journal_directory(folder.path()), &verifier(), &[], &mut |_| ()).unwrap();
    assert_eq!(report.records, 502);
}

#[test]
fn evidence_is_kept_once_under_its_digest() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let digest = ledger.keep_evidence(b"an agreement").unwrap();
    assert_eq!(digest, Digest::of(b"an agreement"));
    let file = folder.path().join("evidence").join(digest.hex());
    assert_eq!(std::fs::read(&file).unwrap(), b"an agreement");
    // What somebody put in its place is put right.
    std::fs::write(&file, b"another").unwrap();
    ledger.keep_evidence(b"an agreement").unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"an agreement");
}

#[test]
fn the_subject_key_is_for_the_gateway_alone_and_outlives_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let subject = Subject { kind: SubjectKind::new("chi").unwrap(), identifier: "9000000001".into() };
    let (ledger, _) = open(folder.path());
    let before = ledger.references(&subject);
    drop(ledger);
    assert_eq!(open(folder.path()).0.references(&subject), before);
    for file in std::fs::read_dir(folder.path().join("subject-keys")).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_search_finds_by_exchange_by_subject_and_by_filter() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    for n in 0..200 {
        ledger.append_blocking(record(n)).unwrap();
    }
    let archive = ledger.archive();
    let by_id = search(&archive, None, &Query::Exchange(id(77)), 10, &mut all).unwrap();
    assert_eq!(by_id.len(), 1);
    assert_eq!(by_id[0].index, 78);

    let subject = Subject { kind: SubjectKind::new("chi").unwrap(), identifier: "90000 00123".into() };
    let found = search(&archive, None, &Query::Subject(ledger.references(&subject)), 10, &mut all).unwrap();
    assert_eq!(found.iter().map(|found| found.index).collect::<Vec<_>>(), [124]);

    let member = |name| Some(MemberId::new(name).unwrap());
    let filter = Filter { consumer: member("nhs-lomond"), ..Filter::default() };
    assert_eq!(search(&archive, None, &Query::Filter(Box::new(filter)), 1000, &mut all).unwrap().len(), 200);
    let filter = Filter { consumer: member("nhs"), ..Filter::default() };
    assert_eq!(search(&archive, None, &Query::Filter(Box::new(filter)), 1000, &mut all).unwrap().len(), 0);

    // The folded index is believed only where it is right.
    struct One(ExchangeId, tolbooth::journal::Position);
    impl Index for One {
        fn locate(&self, id: &ExchangeId) -> Option<tolbooth::journal::Position> {
            (*id == self.0).then_some(self.1)
        }
    }
    let mut folded = Vec::new();
    for segment in archive.segments().unwrap() {
        archive.fold(segment, &mut |one| folded.push(one)).unwrap();
    }
    let at = folded.iter().find_map(|one| match one {
        Folded::Exchange { id: found, at } if *found == id(5) => Some(*at),
        _ => None,
    });
    let at = at.unwrap();
    let right =
        search(&archive, Some(&One(id(5), at)), &Query::Exchange(id(5)), 1, &mut |_| panic!()).unwrap();
    assert_eq!(right[0].at, at);
    let wrong = search(&archive, Some(&One(id(6), at)), &Query::Exchange(id(6)), 1, &mut all).unwrap();
    assert_eq!(wrong[0].index, 7);
}

#[test]
fn a_full_queue_refuses_rather_than_grows() {
    let folder = Folder::new();
    let mut config = config(folder.path());
    config.waiting_max = 0;
    let (ledger, _) = Ledger::open(config, Clock::new().unwrap()).unwrap();
    assert_eq!(ledger.append_blocking(record(1)).unwrap_err(), Unrecorded::Busy);
}

#[test]
fn a_record_larger_than_a_batch_is_refused_alone() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let mut large = exchange(1);
    large.sealed.reason = Some("r".repeat(SMALL as usize));
    let refused = ledger.append_blocking(Record::Exchange(Box::new(large)));
    assert_eq!(refused.unwrap_err(), Unrecorded::TooLarge);
    assert_eq!(ledger.append_blocking(record(2)).unwrap().index(), 1);
    ledger.close();
    verify_journal(&journal_directory(folder.path()), &verifier(), &[], &mut |_| ()).unwrap();
}

#[test]
fn a_task_gets_its_receipt_too() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert_eq!(ledger.append(record(1)).await.unwrap().index(), 1);
        // Unwise on a runtime's thread, but no panic.
        assert_eq!(ledger.append_blocking(record(2)).unwrap().index(), 2);
    });
}

/// The daily run of a gateway and somebody's `ledger erase --due` may meet.
#[test]
fn a_subject_key_is_destroyed_once_by_however_many_meet() {
    let folder = Folder::new();
    let (ledger, _) = open(folder.path());
    ledger.append_blocking(record(1)).unwrap();
    let key = ledger.subject_key_ids().pop().unwrap();

    let meeting = Barrier::new(8);
    let destroy = || {
        meeting.wait();
        ledger.destroy_subject_key(&key, ("operator:1001", "yearly review")).unwrap()
    };
    let done = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(destroy)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|done| *done).count()
    });
    assert_eq!(done, 1);
    assert_eq!(ledger.size(), 3);
    assert!(!ledger.destroy_subject_key(&key, ("operator:1001", "yearly review")).unwrap());
}
