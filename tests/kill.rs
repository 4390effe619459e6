//! Promise 3 against the kernel: `kill -9` of the real binary, under load, again and again. Whoever holds
//! a receipt finds the exchange on the record, and a change that was under way is not passed over.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::gateway::CHI;
use support::held::{Held, each};
use support::served::Served;
use support::site::{Site, run_with_input};
use support::steady::Steady;
use support::system::Reply;
use tolbooth::ledger::verify::verify_journal;

const ROUNDS: usize = 20;
const THREADS: usize = 4;
const CHECK: &str = "/child-protection/v1/check";
const NURSE: (&str, &str) = ("tolbooth-role", "ed_nurse");

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
    // The shipped guardrails keep trials from changing anything.
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
