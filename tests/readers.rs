//! The log as others read it: checkpoint and tiles by an independent implementation, receipts again, and a
//! member's own envelopes.
#![cfg(test)]

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tlog_tiles::tlog::{self, Hash};
use tlog_tiles::{Tile, TileHashReader, TileReader};
use tolbooth::ledger::verify::verify_receipt;
use tolbooth::ledger::{Alarm, Presented, Record};
use tolbooth::merkle::checkpoint::Checkpoint;

use support::agreements::edit;
use support::gateway::CHI;
use support::here::Here;
use support::partner::{Partner, Said};
use support::site::{Site, run};
use support::{ledger, until};

fn get(partner: &Partner, path: &str) -> Said {
    partner.send(Request::get(path).header("host", "localhost").body(Full::default()).unwrap())
}

fn ask(here: &Here) -> Said {
    let body = format!("{{\"chi\":\"{CHI}\"}}");
    let said = here.nhs().ask("/child-protection/v1/check", &[("tolbooth-role", "ed_nurse")], &body);
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
    said
}

/// Small records, so that the tree grows over many tiles.
fn grow(here: &Here, records: u64) {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..records / 8 {
                    let alarm = Alarm { cause: "drift", dataset: None, detail: None, dropped: Vec::new() };
                    here.ledger().append_blocking(Record::Alarm(alarm)).unwrap();
                }
            });
        }
    });
}

/// The published checkpoint once it covers a record, verified.
fn checkpoint(here: &Here, records: u64) -> Checkpoint {
    until("a checkpoint is published", || {
        let said = get(&here.nhs(), "/checkpoint");
        assert_eq!((said.status, said.outcome()), (200, "log_read"), "{said:?}");
        let note = String::from_utf8(said.body.to_vec()).unwrap();
        let checkpoint = Checkpoint::open(&note, here.ledger().verifier()).unwrap();
        (checkpoint.size >= records).then_some(checkpoint)
    })
}

/// Tiles over mTLS, as the independent implementation asks for them.
struct Remote(Partner);

impl TileReader for Remote {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        let fetch = |tile: &Tile| {
            // C2SP tlog-tiles leaves out the height.
            let said = get(&self.0, &tile.path().replacen("tile/8/", "/tile/", 1));
            assert_eq!((said.status, said.outcome()), (200, "log_read"), "{said:?}");
            said.body.to_vec()
        };
        Ok(tiles.iter().map(fetch).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn consistent(remote: &Remote, old: &Checkpoint, new: &Checkpoint) {
    let reader = TileHashReader::new(new.size, Hash(new.root), remote);
    let proof = tlog::prove_tree(new.size, old.size, &reader).unwrap();
    tlog::check_tree(&proof, new.size, Hash(new.root), old.size, Hash(old.root)).unwrap();
}

fn included(here: &Here, remote: &Remote, said: &Said, under: &Checkpoint) {
    let receipt = Presented::parse(said.receipt().unwrap()).unwrap();
    let receipt = receipt.check(here.ledger().verifier()).unwrap();
    let reader = TileHashReader::new(under.size, Hash(under.root), remote);
    let proof = tlog::prove_record(under.size, receipt.index, &reader).unwrap();
    let leaf = tlog::record_hash(&receipt.envelope);
    tlog::check_record(&proof, under.size, Hash(under.root), receipt.index, leaf).unwrap();
}

#[test]
fn an_independent_reader_proves_receipts_and_growth_from_tiles() {
    let mut here = Here::start(Site::new("readers-tiles"));
    let first = ask(&here);
    let old = checkpoint(&here, 2);
    grow(&here, 1200);
    let second = ask(&here);
    let middle = checkpoint(&here, here.ledger().size());
    let remote = Remote(here.nhs());
    consistent(&remote, &old, &middle);
    included(&here, &remote, &first, &middle);
    included(&here, &remote, &second, &middle);
    // Segments are folded, and the store deleted: the tree is the same.
    grow(&here, 2400);
    until("segments are folded", || (here.running().app.fold.folded_before() > 1).then_some(()));
    let new = checkpoint(&here, here.ledger().size());
    let remote = Remote(here.nhs());
    consistent(&remote, &middle, &new);
    included(&here, &remote, &first, &new);
    let full = get(&here.nhs(), "/tile/0/001").body;
    here.stop();
    std::fs::remove_dir_all(here.site.home.join("data/store")).unwrap();
    here.restart();
    assert_eq!(get(&here.nhs(), "/tile/0/001").body, full);
    let last = checkpoint(&here, new.size + 1);
    let remote = Remote(here.nhs());
    consistent(&remote, &old, &last);
    included(&here, &remote, &second, &last);
    assert_eq!(get(&here.nhs(), "/tile/0/x999/000").status, 404);
    assert_eq!(get(&here.nhs(), "/tile/entries/000").code(), "not_agreed");
}

/// Tiles once fetched are kept, as a monitor keeps them.
struct Kept {
    remote: Remote,
    tiles: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl TileReader for Kept {
    fn height(&self) -> u8 {
        self.remote.height()
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        let mut kept = self.tiles.borrow_mut();
        let fetch = |tile: &Tile| {
            let read = || self.remote.read_tiles(std::slice::from_ref(tile)).unwrap().remove(0);
            kept.entry(tile.path()).or_insert_with(read).clone()
        };
        Ok(tiles.iter().map(fetch).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Receipts bind at any durable size: of each size some receipt was given under, the root.
#[test]
fn any_two_sizes_a_receipt_was_given_under_are_one_log() {
    let here = Here::start(Site::new("readers-sizes"));
    let wanted = |size: u64| matches!(size, 0..=40 | 125..=131 | 253..=259 | 509..=515 | 600..);
    let mut roots = BTreeMap::new();
    while here.ledger().size() < 606 {
        let alarm = Alarm { cause: "drift", dataset: None, detail: None, dropped: Vec::new() };
        let receipt = here.ledger().append_blocking(Record::Alarm(alarm)).unwrap();
        let checked = Presented::parse(receipt.header()).unwrap().check(here.ledger().verifier()).unwrap();
        if wanted(checked.checkpoint.size) {
            roots.insert(checked.checkpoint.size, Hash(checked.checkpoint.root));
        }
    }
    let published = checkpoint(&here, 606);
    let kept = Kept { remote: Remote(here.nhs()), tiles: RefCell::default() };
    let reader = TileHashReader::new(published.size, Hash(published.root), &kept);
    let mut pairs = 0;
    for (new, new_root) in &roots {
        for (old, old_root) in roots.range(..new) {
            let proof = tlog::prove_tree(*new, *old, &reader).unwrap();
            tlog::check_tree(&proof, *new, *new_root, *old, *old_root).unwrap();
            // And of another log it proves nothing.
            assert!(tlog::check_tree(&proof, *new, *old_root, *old, *new_root).is_err());
            pairs += 1;
        }
    }
    assert!(pairs > 1000, "{pairs} of {} sizes", roots.len());
}

#[test]
fn a_log_that_grows_under_load_is_one_log_at_every_look() {
    let site = Site::new("readers-load");
    // A quick machine asks more than a member may by default.
    edit(&site.home.join("tolbooth.toml"), |text| {
        format!("{text}\n[limits]\nrequests_per_member_per_second = 10000000\n")
    });
    let here = Here::start(site);
    let over = AtomicBool::new(false);
    let (held, looks) = std::thread::scope(|scope| {
        let asking = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut held = Vec::new();
                let mut line = here.nhs().connect().unwrap();
                while !over.load(Ordering::Relaxed) {
                    let body = format!("{{\"chi\":\"{CHI}\"}}");
                    let said =
                        line.ask("/child-protection/v1/check", &[("tolbooth-role", "ed_nurse")], &body);
                    assert_eq!(said.status, 200, "{said:?}");
                    held.push(said);
                }
                held
            })
        });
        let mut looks = vec![checkpoint(&here, 2)];
        while looks.len() < 6 {
            let before = looks.last().unwrap();
            let next = checkpoint(&here, before.size + 1);
            consistent(&Remote(here.nhs()), before, &next);
            looks.push(next);
        }
        over.store(true, Ordering::Relaxed);
        (asking.into_iter().flat_map(|one| one.join().unwrap()).collect::<Vec<Said>>(), looks)
    });
    let last = checkpoint(&here, here.ledger().size());
    let remote = Remote(here.nhs());
    looks.iter().for_each(|look| consistent(&remote, look, &last));
    let some = held.len().div_ceil(20);
    held.iter().step_by(some).for_each(|said| included(&here, &remote, said, &last));
}

#[test]
fn a_receipt_fetched_again_verifies_and_is_for_the_system_that_asked_alone() {
    let here = Here::start(Site::new("readers-receipts"));
    let answer = ask(&here);
    grow(&here, 300);
    let path = format!("/receipts/{}", answer.exchange());
    let again = get(&here.nhs(), &path);
    assert_eq!((again.status, again.outcome()), (200, "log_read"), "{again:?}");
    let text = String::from_utf8(again.body.to_vec()).unwrap();
    let key = ledger::key(&here.site.home);
    // It is the receipt of just that answer, under a later checkpoint.
    let head = answer.head().replace(answer.receipt().unwrap(), text.trim());
    let report = verify_receipt(&head, &key, Some(&answer.body), &[]).unwrap();
    assert!(report.size > 256, "{report:?}");
    std::fs::write(here.site.home.join("again.txt"), &text).unwrap();
    let ran = run(
        &here.site.home,
        &["ledger", "verify", "--receipt", "again.txt", "--key", "data/keys/ledger.vkey"],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // Anybody else learns as much as of an exchange that never was.
    let others = get(&here.police(), &path);
    let unknown = get(&here.police(), "/receipts/01939c3e-0000-7000-8000-000000000000");
    let without_id = |said: &Said| {
        let mut problem = said.json();
        problem["exchange"] = Value::Null;
        (said.status, problem)
    };
    assert_eq!((others.status, others.code().as_str()), (403, "not_agreed"));
    assert_eq!(without_id(&others), without_id(&unknown));
}

#[test]
fn a_member_sees_its_own_envelopes_and_no_other() {
    let here = Here::start(Site::new("readers-envelopes"));
    let mine = [ask(&here).exchange().to_owned(), ask(&here).exchange().to_owned()];
    checkpoint(&here, here.ledger().size());
    let page = get(&here.nhs(), "/envelopes/0").json();
    let envelopes: Vec<Value> = page["envelopes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| serde_json::from_str(one["envelope"].as_str().unwrap()).unwrap())
        .collect();
    let ids: Vec<&str> = envelopes.iter().map(|one| one["exchange"].as_str().unwrap()).collect();
    assert_eq!(ids, mine);
    assert_eq!(page["more"], false);
    let after = page["envelopes"][0]["index"].as_u64().unwrap();
    let rest = get(&here.nhs(), &format!("/envelopes/{after}")).json();
    assert_eq!(rest["envelopes"].as_array().unwrap().len(), 1);
    let theirs = get(&here.police(), "/envelopes/0").json();
    assert_eq!(theirs["envelopes"], json!([]));
}

#[test]
fn reads_are_counted_and_bounded_and_leave_no_exchange() {
    let here = Here::start(Site::new("readers-rate"));
    let nhs = here.nhs();
    let beyond = until("a minute is used up", || {
        let said = get(&nhs, "/envelopes/0");
        (said.status != 200).then_some(said)
    });
    assert_eq!((beyond.status, beyond.outcome()), (429, "unrecorded"));
    assert_eq!(get(&nhs, "/checkpoint").status, 200);
    let exchanges = ledger::search(&here.running().admin_socket, json!({ "kind": "exchange" }));
    assert_eq!(exchanges.len(), 0);
}
