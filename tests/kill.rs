//! Promise 3 against the kernel: `kill -9` of the real binary, under load, again and again. Whoever holds
//! a receipt finds the exchange on the record, and a change that was under way is not passed over.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::gateway::CHI;
use support::served::Served;
use support::site::{Site, run_with_input};
use support::steady::Steady;
use support::system::Reply;
use tolbooth::ledger::verify::verify_journal;
use tolbooth::ledger::{Archive, Presented, Stored};
use tolbooth::merkle::checkpoint::Checkpoint;

const ROUNDS: usize = 20;
const THREADS: usize = 4;
const CHECK: &str = "/child-protection/v1/check";
const NURSE: (&str, &str) = ("tolbooth-role", "ed_nurse");

/// What partners hold: envelopes by their place in the log, and the checkpoints over them.
#[derive(Default)]
struct Held {
    envelopes: BTreeMap<u64, Vec<u8>>,
    checkpoints: Vec<Checkpoint>,
}

impl Held {
    /// Believes a receipt only if it verifies by itself.
    fn take(&mut self, receipt: &str, site: &Site) {
        let checked = Presented::parse(receipt).unwrap().check(&site.key()).unwrap();
        let before = self.envelopes.insert(checked.index, checked.envelope);
        assert_eq!(before, None, "two receipts for one place");
        self.checkpoints.push(checked.checkpoint);
    }

    /// Every one of them is in the journal, byte for byte, and the journal is the one they were given for.
    fn are_in(&self, site: &Site) {
        let report = verify_journal(&site.journal(), &site.key(), &self.checkpoints, &mut |_| ()).unwrap();
        assert!(report.proven.iter().any(|line| line.contains("since others held")), "{report:?}");
        let mut missing = self.envelopes.clone();
        each(site, |index, envelope, _| {
            if let Some(held) = missing.remove(&index) {
                assert_eq!(held, envelope, "record {index}");
            }
        });
        assert!(missing.is_empty(), "lost: {:?}", missing.keys());
    }
}

fn each(site: &Site, mut visit: impl FnMut(u64, &[u8], Option<&[u8]>)) {
    let archive = Archive::offline(&site.journal()).unwrap();
    let mut visit = |stored: Stored<'_>| {
        if let Stored::Entry(entry) = stored {
            visit(entry.index, entry.envelope, entry.sealed_json());
        }
        ControlFlow::Continue(())
    };
    archive.each(&mut visit).unwrap();
}

/// Asks from several threads until the gateway is gone; kills it when `enough` answers are in hand.
fn round(site: &Site, served: Served, enough: usize, held: &mut Held) {
    let (sender, receipts) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (sender, address) = (sender.clone(), served.partners);
            scope.spawn(move || {
                let Ok(mut partner) = Steady::connect(&site.trial.ca, &site.trial.nhs, address) else {
                    return;
                };
                let body = format!("{{\"chi\":\"{CHI}\"}}");
                while let Ok(said) = partner.ask(CHECK, &[NURSE], &body) {
                    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
                    sender.send(said.header("tolbooth-receipt").to_owned()).unwrap();
                }
            });
        }
        drop(sender);
        let mut all: Vec<String> = receipts.iter().take(enough).collect();
        served.kill();
        // Those that were on their way are in hand too.
        all.extend(receipts.iter());
        assert!(all.len() >= enough);
        all.iter().for_each(|receipt| held.take(receipt, site));
    });
}

#[test]
fn a_kill_under_load_loses_nothing_that_anybody_holds_a_receipt_for() {
    let site = Site::new("kill");
    let mut held = Held::default();
    let mut whole_reads = 0;
    for number in 0..ROUNDS {
        let mut served = Served::start(&site);
        if number > 0 {
            held.are_in(&site);
        }
        let unread = served.wait_for_line("the ledger is open")["unread_segments"].as_u64().unwrap();
        if unread > 0 {
            served.wait_for_line("the whole journal was read, and is sound");
            whole_reads += 1;
        }
        // The kill falls at another point of a batch, and of a segment, each time.
        round(&site, served, 40 + number * 67 % 211, &mut held);
    }
    let served = Served::start(&site);
    held.are_in(&site);
    // It still answers, and on the same log.
    let said = served.nhs(&site).ask(CHECK, &[NURSE], &format!("{{\"chi\":\"{CHI}\"}}"));
    held.take(said.header("tolbooth-receipt"), &site);
    held.are_in(&site);
    assert!(whole_reads > 0, "the journal never grew beyond what a start reads");
}

/// Records of one exchange, with their sealed parts.
fn of_exchange(site: &Site, id: &Value) -> Vec<(Value, Value)> {
    let mut out = Vec::new();
    each(site, |_, envelope, sealed| {
        let envelope: Value = serde_json::from_slice(envelope).unwrap();
        if envelope["exchange"] == *id {
            out.push((envelope, serde_json::from_slice(sealed.unwrap()).unwrap()));
        }
    });
    out
}

fn kinds(site: &Site, wanted: &str) -> Vec<Value> {
    let mut out = Vec::new();
    each(site, |_, envelope, _| {
        let envelope: Value = serde_json::from_slice(envelope).unwrap();
        if envelope["kind"] == wanted {
            out.push(envelope);
        }
    });
    out
}

#[test]
fn a_change_under_way_when_the_gateway_is_killed_is_closed_as_of_unknown_outcome() {
    let site = Site::with("intent", |contract| {
        contract.replace("\"x-tolbooth-effect\": \"reads\"", "\"x-tolbooth-effect\": \"changes\"")
    });
    // By the guardrail that is shipped nothing is changed by a trial.
    std::fs::remove_file(site.home.join("policies/guardrails/changes.cedar")).unwrap();
    site.system.now_says(|_| Reply::Silence(Duration::from_secs(600)));
    let served = Served::start(&site);
    let partner = served.nhs(&site);
    let deadline = Instant::now() + Duration::from_secs(60);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let body = format!("{{\"chi\":\"{CHI}\"}}");
            let request = http::Request::post(CHECK)
                .header("host", "localhost")
                .header("content-type", "application/json")
                .header(NURSE.0, NURSE.1)
                .header("idempotency-key", "a1");
            partner.try_send(request.body(http_body_util::Full::from(body)).unwrap())
        });
        while site.system.heard().is_empty() {
            assert!(Instant::now() < deadline && !asked.is_finished(), "nothing was forwarded");
            std::thread::sleep(Duration::from_millis(5));
        }
        served.kill();
        assert!(asked.join().unwrap().is_err(), "the caller was told something");
    });

    let mut served = Served::start(&site);
    served.wait_for_line("whether a change was made is not known: its intent was closed as outcome_unknown");
    let intents = kinds(&site, "intent");
    assert_eq!(intents.len(), 1);
    let id = &intents[0]["exchange"];
    let records = of_exchange(&site, id);
    let [(_, intended), (closing, sealed)] = &records[..] else { panic!("{records:?}") };
    assert_eq!(closing["kind"], "exchange");
    assert_eq!((&closing["code"], &closing["status"]), (&"outcome_unknown".into(), &0.into()));
    assert_eq!(sealed["outcome"], "outcome_unknown");
    assert!(!sealed["subjects"].as_array().unwrap().is_empty());
    assert_eq!(sealed["subjects"], intended["subjects"]);
    // Whoever looks for the child finds it.
    let look =
        ["ledger", "search", "--purpose", "what became of it", "--subject", "chi", "--sealed", "--json"];
    let ran = run_with_input(&site.home, &look, &format!("{CHI}\n"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.lines().iter().any(|line| line["envelope"] == *closing), "{ran:?}");
    served.kill();

    // Once and for all.
    let served = Served::start(&site);
    assert_eq!(of_exchange(&site, id).len(), 2);
    assert_eq!(site.system.heard().len(), 1, "nothing was forwarded again");
    verify_journal(&site.journal(), &site.key(), &[], &mut |_| ()).unwrap();
    drop(served);
}
