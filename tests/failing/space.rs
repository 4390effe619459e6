//! No space, at each allocation in turn: what cannot be made is named, nothing leaves without its record, and with
//! space again all goes on. And real file systems that fill, in bytes and in names.

use std::path::Path;

use crate::support::agreements::CHILD;
use crate::support::gateway::{CHECK, CHI, NURSE, asks, local};
use crate::support::held::Held;
use crate::support::image::{Mounted, skipped};
use crate::support::partner::Said;
use crate::support::served::Served;
use crate::support::shim::Shim;
use crate::support::site::{Site, run};
use crate::support::steady::Steady;
use crate::support::until;

fn ask(site: &Site, served: &Served) -> Said {
    served.nhs(site).ask(CHECK, &NURSE, &asks(CHI))
}

/// Answered with a receipt that holds, or refused with nothing of the answer: no third way.
fn is_recorded_or_refused(said: &Said, site: &Site, held: &mut Held) {
    match (said.status, said.outcome()) {
        (200, "answered") => held.take(said.header("tolbooth-receipt"), site),
        _ => is_cannot_record(said),
    }
}

fn is_cannot_record(said: &Said) {
    assert_eq!((said.status, said.outcome()), (503, "unrecorded"), "{said:?}");
    assert_eq!((said.code().as_str(), said.receipt()), ("cannot_record", None));
    let body = String::from_utf8_lossy(&said.body);
    assert!(!body.contains("lead_officer") && !body.contains(CHI), "{body}");
}

/// It ended by itself, and said what there was no space for.
fn says_no_space(log: &[serde_json::Value], step: &str) {
    let told = log.last().and_then(|line| line.as_str()).unwrap_or_default();
    let told = told.strip_prefix("tolbooth: ").unwrap_or_else(|| panic!("{step}: {log:?}"));
    let said = ["No space left on device", "no disk space for another segment of the journal"];
    assert!(said.iter().any(|words| told.contains(words) && told.len() > words.len() + 10), "{step}: {told}");
}

/// Whatever was begun without space is gone on with: a gateway serves, answers, and holds all that was given.
fn goes_on(site: &Site, shim: &Shim, held: &mut Held, step: &str) {
    let served = Served::start_with(site, &shim.environment());
    let served = served.unwrap_or_else(|log| panic!("{step}: no start with space again: {log:?}"));
    let said = ask(site, &served);
    assert_eq!(said.status, 200, "{step}: {said:?}");
    held.take(said.header("tolbooth-receipt"), site);
    held.are_in(site);
    served.kill();
}

/// Which of the allocations are tried: all, but of the files of evidence, which are alike, every seventh.
fn tried(allocations: &[String]) -> Vec<usize> {
    let alike = |at: &usize| allocations[*at].contains("/evidence/");
    let (evidence, others): (Vec<usize>, Vec<usize>) = (0..allocations.len()).partition(alike);
    evidence.into_iter().step_by(7).chain(others).collect()
}

#[test]
fn a_first_start_without_space_says_so_at_every_step_and_hinders_no_later_one() {
    let site = Site::new("space-first");
    let Some(shim) = Shim::build(site.scratch.path(), "a first start without space") else { return };
    goes_on(&site, &shim, &mut Held::default(), "as things are");
    let allocations = shim.take_allocations();
    for wanted in
        ["keys/ledger.new", "subject-keys/", "00000002.new", "/evidence/", "admin.sock", "token.new"]
    {
        assert!(allocations.iter().any(|made| made.contains(wanted)), "no {wanted} in {allocations:?}");
    }
    let mut refused = 0;
    for at in tried(&allocations) {
        let step = format!("allocation {at}, {}", allocations[at]);
        std::fs::remove_dir_all(site.home.join("data")).unwrap();
        let mut held = Held::default();
        shim.is_full_after(i64::try_from(at).unwrap());
        match Served::start_with(&site, &shim.environment()) {
            Ok(served) => {
                is_recorded_or_refused(&ask(&site, &served), &site, &mut held);
                served.kill();
            }
            Err(log) => {
                says_no_space(&log, &step);
                refused += 1;
            }
        }
        shim.has_space();
        goes_on(&site, &shim, &mut held, &step);
    }
    // Only the second segment can wait.
    assert!(refused > 15, "{refused}");
}

/// Fills segments, so that there is something to fold.
fn fill(site: &Site, served: &Served, held: &mut Held, segments: u32) {
    let wanted = site.journal().join(format!("{:08}.segment", segments + 1));
    let mut partner = Steady::connect(&site.trial.ca, &site.trial.nhs, served.partners).unwrap();
    while !wanted.exists() {
        let said = partner.ask(CHECK, &NURSE, &asks(CHI)).unwrap();
        assert_eq!(said.status, 200, "{said:?}");
        held.take(said.header("tolbooth-receipt"), site);
    }
}

/// How many records of questions a search shows.
fn found(site: &Site) -> usize {
    let look =
        ["ledger", "search", "--purpose", "a complaint", "--kind", "exchange", "--limit", "10000", "--json"];
    let ran = run(&site.home, &look);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.lines().iter().filter(|line| line.get("envelope").is_some()).count()
}

#[test]
fn a_store_without_space_at_any_step_hides_nothing_and_stops_nothing() {
    let site = Site::new("space-store");
    let Some(shim) = Shim::build(site.scratch.path(), "a store without space") else { return };
    let mut held = Held::default();
    let served = Served::start(&site);
    fill(&site, &served, &mut held, 2);
    served.kill();
    let store = site.home.join("data/store");
    let versions = site.home.join("data/versions");
    let folded = || versions.exists();
    let delete = || {
        let _ = (std::fs::remove_dir_all(&store), std::fs::remove_file(&versions));
    };
    delete();
    shim.take_allocations();
    let served = Served::start_with(&site, &shim.environment()).unwrap();
    until("the store is folded", || folded().then_some(()));
    let allocations = shim.take_allocations();
    served.kill();
    let of_store: Vec<usize> = (0..allocations.len())
        .filter(|at| ["data/store", "data/versions"].iter().any(|of| allocations[*at].contains(of)))
        .collect();
    assert!(of_store.len() >= 3, "{allocations:?}");
    for at in of_store.iter().copied() {
        let step = format!("allocation {at}, {}", allocations[at]);
        delete();
        shim.is_full_after(i64::try_from(at).unwrap());
        let served =
            Served::start_with(&site, &shim.environment()).unwrap_or_else(|log| panic!("{step}: {log:?}"));
        is_recorded_or_refused(&ask(&site, &served), &site, &mut held);
        assert_eq!(found(&site), held.len(), "{step}: without a store the journal is read");
        shim.has_space();
        // By itself within seconds, which is waited for once, or by the next start.
        let served = match at == of_store[0] {
            true => served,
            false => {
                served.kill();
                Served::start(&site)
            }
        };
        until("the store is folded after all", || folded().then_some(()));
        assert_eq!(found(&site), held.len(), "{step}");
        served.kill();
    }
    held.are_in(&site);
}

/// Asks until it is refused.
fn until_refused(site: &Site, served: &Served, held: &mut Held) {
    let mut partner = Steady::connect(&site.trial.ca, &site.trial.nhs, served.partners).unwrap();
    loop {
        let said = partner.ask(CHECK, &NURSE, &asks(CHI)).unwrap();
        is_recorded_or_refused(&said, site, held);
        if said.status != 200 {
            return;
        }
    }
}

#[test]
fn a_file_system_that_fills_refuses_loses_nothing_and_heals() {
    let site = Site::new("space-real");
    let data = site.home.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let mounted = match Mounted::tmpfs(&data, 4 << 20, 10_000) {
        Ok(mounted) => mounted,
        Err(why) => return skipped("a file system that fills", &why),
    };
    let mut held = Held::default();
    let served = Served::start(&site);
    until_refused(&site, &served, &mut held);
    until("readiness is red", || (local(served.local, "/ready").0 == 503).then_some(()));
    assert!(local(served.local, "/ready").1.contains("no disk space"), "{:?}", local(served.local, "/ready"));
    assert!(held.len() > 100);
    // Killed while full: the record is whole, and the next start says what it wants or serves and refuses.
    served.kill();
    held.are_in(&site);
    match Served::start_with(&site, &[]) {
        Ok(served) => is_recorded_or_refused(&ask(&site, &served), &site, &mut held),
        Err(log) => says_no_space(&log, "a start on a full disk"),
    }
    mounted.grow(32 << 20, 10_000);
    let served = Served::start(&site);
    until("readiness is green", || (local(served.local, "/ready").0 == 200).then_some(()));
    is_recorded_or_refused(&ask(&site, &served), &site, &mut held);
    held.are_in(&site);
    // And once more, to see it heal by itself under the running gateway.
    let filler = data.join("filler");
    let _full = std::fs::write(&filler, vec![1; 32 << 20]);
    until_refused(&site, &served, &mut held);
    std::fs::remove_file(&filler).unwrap();
    until("it answers again", || {
        let said = ask(&site, &served);
        is_recorded_or_refused(&said, &site, &mut held);
        (said.status == 200).then_some(())
    });
    until("readiness is green again", || (local(served.local, "/ready").0 == 200).then_some(()));
    held.are_in(&site);
    a_suspension_without_space_holds_everything_back(&site, &served, &filler);
    served.kill();
    drop(mounted);
}

/// Segments made before take answers for a while yet. A party's word that cannot be kept as evidence is not in force;
/// what it would end must not go on leaving.
fn a_suspension_without_space_holds_everything_back(site: &Site, served: &Served, filler: &Path) {
    let _full = std::fs::write(filler, vec![1; 32 << 20]);
    assert_eq!(ask(site, served).status, 200, "there is room for a few more");
    let key = site.scratch.path().join("keys/nhs-lomond/officer.key");
    let file = format!("policies/agreements/{CHILD}.toml");
    let words =
        ["agreement", "suspend", &file, "--key", key.to_str().unwrap(), "--reason", "A misused account"];
    let ran = run(&site.home, &words);
    assert!(ran.out.contains(".act") && ran.code == Some(1), "written, and not in force: {ran:?}");
    let ready = || local(served.local, "/ready").1;
    until("readiness says why", || ready().contains("nothing leaves until").then_some(()));
    is_cannot_record(&ask(site, served));
    std::fs::remove_file(filler).unwrap();
    until("the suspension acts", || {
        let said = ask(site, served);
        assert_ne!(said.status, 200, "{said:?}");
        (said.code() == "agreement_not_in_force").then_some(())
    });
}
