//! A disk that does not keep what it is given, or does not give it back: a sync that fails is the end of recording,
//! and nobody is told of a record that may not be there.

use crate::support::gateway::{CHECK, CHI, NURSE, asks, local};
use crate::support::held::{Held, each};
use crate::support::image::{Image, Mounted, skipped};
use crate::support::served::Served;
use crate::support::shim::Shim;
use crate::support::site::{Site, run};
use crate::support::steady::Steady;
use crate::support::until;

fn steady(site: &Site, served: &Served) -> Steady {
    Steady::connect(&site.trial.ca, &site.trial.nhs, served.partners).unwrap()
}

/// Asks until it is refused; every answer until then has a receipt that holds.
fn until_refused(site: &Site, served: &Served, held: &mut Held) {
    let mut partner = steady(site, served);
    loop {
        let said = partner.ask(CHECK, &NURSE, &asks(CHI)).unwrap();
        if said.status != 200 {
            assert_eq!((said.status, said.outcome()), (503, "unrecorded"), "{said:?}");
            assert_eq!((said.code().as_str(), said.receipt()), ("cannot_record", None));
            return;
        }
        held.take(said.header("tolbooth-receipt"), site);
    }
}

/// Whatever the disk does now, this process records no more.
fn stays_ended(site: &Site, served: &Served) {
    for _ in 0..5 {
        let said = steady(site, served).ask(CHECK, &NURSE, &asks(CHI)).unwrap();
        assert_eq!((said.status, said.receipt()), (503, None), "{said:?}");
    }
    until("readiness is red", || (local(served.local, "/ready").0 == 503).then_some(()));
    let ready = local(served.local, "/ready").1;
    assert!(ready.contains("recording has ended until a restart: writing the journal failed"), "{ready}");
    let told = |line: &serde_json::Value| line["why"].as_str().is_some_and(|why| why.contains("os error"));
    until("the log says why", || served.log().iter().any(told).then_some(()));
}

fn records(site: &Site) -> u64 {
    let mut count = 0;
    each(site, |_, _, _| count += 1);
    count
}

#[test]
fn a_sync_that_fails_ends_recording_and_no_receipt_is_given_for_it() {
    let site = Site::new("sync");
    let Some(shim) = Shim::build(site.scratch.path(), "a sync that fails") else { return };
    let mut held = Held::default();
    // At another sync each time: of the batch at once, of one under load, and of one behind a segment's end.
    for syncs in [0, 1, 17, 700] {
        let served = Served::start_with(&site, &shim.environment()).unwrap();
        let said = steady(&site, &served).ask(CHECK, &NURSE, &asks(CHI)).unwrap();
        held.take(said.header("tolbooth-receipt"), &site);
        let before = held.len();
        shim.syncs_fail_after(syncs);
        std::thread::scope(|scope| {
            let beside = scope.spawn(|| {
                let mut held = Held::default();
                until_refused(&site, &served, &mut held);
                held
            });
            until_refused(&site, &served, &mut held);
            held.join(beside.join().unwrap());
        });
        // A batch is one sync: with two that ask, one sync may give two receipts and not more.
        let given = held.len() - before;
        assert!(given <= 2 * usize::try_from(syncs).unwrap(), "{given} receipts for {syncs} syncs");
        shim.syncs_work();
        stays_ended(&site, &served);
        let there = records(&site);
        served.kill();
        held.are_in(&site);
        // What was written and not acknowledged may be there; more was not written.
        assert!(there <= records(&site) + 1);
    }
    let served = Served::start_with(&site, &shim.environment()).unwrap();
    held.are_in(&site);
    assert_eq!(steady(&site, &served).ask(CHECK, &NURSE, &asks(CHI)).unwrap().status, 200);
}

#[test]
fn a_start_whose_syncs_fail_is_none_and_says_so() {
    let site = Site::new("sync-start");
    let Some(shim) = Shim::build(site.scratch.path(), "a start whose syncs fail") else { return };
    // The first start syncs keys, segments, evidence and records, one after the other; the second the last alone.
    let mut served = 0;
    for syncs in 0..30 {
        shim.syncs_fail_after(syncs);
        match Served::start_with(&site, &shim.environment()) {
            Ok(_) => served += 1,
            Err(log) => {
                let told = log.last().and_then(|line| line.as_str()).unwrap_or_default();
                let why = ["Input/output error", "the ledger has stopped after a fault"];
                assert!(why.iter().any(|why| told.contains(why)), "after {syncs}: {log:?}");
            }
        }
        shim.syncs_work();
        if syncs % 3 == 0 {
            let _ = std::fs::remove_dir_all(site.home.join("data"));
        }
    }
    assert!(served < 30);
    let served = Served::start_with(&site, &shim.environment()).unwrap();
    let mut held = Held::default();
    let said = steady(&site, &served).ask(CHECK, &NURSE, &asks(CHI)).unwrap();
    held.take(said.header("tolbooth-receipt"), &site);
    held.are_in(&site);
}

#[test]
fn a_journal_that_cannot_be_read_is_no_empty_one() {
    let site = Site::new("read");
    let Some(shim) = Shim::build(site.scratch.path(), "a journal that cannot be read") else { return };
    let mut held = Held::default();
    let served = Served::start_with(&site, &shim.environment()).unwrap();
    let said = steady(&site, &served).ask(CHECK, &NURSE, &asks(CHI)).unwrap();
    held.take(said.header("tolbooth-receipt"), &site);
    // While it runs: whoever searches is told, and not that there is nothing; questions are answered.
    shim.reads_fail(true);
    let ran =
        run(&site.home, &["ledger", "search", "--purpose", "a complaint", "--kind", "exchange", "--json"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(format!("{}{}", ran.out, ran.err).contains("Input/output error"), "{ran:?}");
    let said = steady(&site, &served).ask(CHECK, &NURSE, &asks(CHI)).unwrap();
    held.take(said.header("tolbooth-receipt"), &site);
    served.kill();
    // At the start: it refuses, names the step, and changes nothing.
    let before = std::fs::read(site.journal().join("00000001.segment")).unwrap();
    let log = Served::start_with(&site, &shim.environment()).map(|_| ()).unwrap_err();
    let told = log.last().and_then(|line| line.as_str()).unwrap_or_default();
    assert!(told.contains("reading") && told.contains("Input/output error"), "{log:?}");
    assert_eq!(std::fs::read(site.journal().join("00000001.segment")).unwrap(), before);
    shim.reads_fail(false);
    let served = Served::start_with(&site, &shim.environment()).unwrap();
    held.are_in(&site);
    served.kill();
}

/// A disk whose own disk is full: ext4 that has promised space which is not there, as thinly provisioned storage does.
/// What it is given to write then fails when it is synced.
#[test]
fn a_real_disk_that_fails_at_the_sync_ends_recording_and_loses_nothing_acknowledged() {
    let site = Site::new("sync-real");
    let (data, below) = (site.home.join("data"), site.scratch.path().join("below"));
    std::fs::create_dir_all(&data).unwrap();
    std::fs::create_dir_all(&below).unwrap();
    let mounted = Mounted::tmpfs(&below, 24 << 20, 100).and_then(|tmpfs| {
        let disk = Image::holding(&data, below.join("disk"), 64 << 20)?;
        Ok((disk.mount(&data)?, disk, tmpfs))
    });
    let (mounted, disk, _below) = match mounted {
        Ok(there) => there,
        Err(why) => return skipped("a disk that fails at the sync", &why),
    };
    let mut held = Held::default();
    let served = Served::start(&site);
    let said = steady(&site, &served).ask(CHECK, &NURSE, &asks(CHI)).unwrap();
    held.take(said.header("tolbooth-receipt"), &site);
    let filler = below.join("filler");
    let _full = std::fs::write(&filler, vec![1; 24 << 20]);
    until_refused(&site, &served, &mut held);
    std::fs::remove_file(&filler).unwrap();
    stays_ended(&site, &served);
    served.kill();
    drop(mounted);
    let mounted = disk.mount(&data).unwrap();
    let served = Served::start(&site);
    held.are_in(&site);
    let said = steady(&site, &served).ask(CHECK, &NURSE, &asks(CHI)).unwrap();
    held.take(said.header("tolbooth-receipt"), &site);
    held.are_in(&site);
    served.kill();
    drop(mounted);
}
