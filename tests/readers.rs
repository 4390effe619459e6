//! The log as others read it: checkpoint and tiles by an independent implementation, receipts again, and a
//! member's own envelopes.
#![cfg(test)]

mod support;

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tlog_tiles::tlog::{self, Hash};
use tlog_tiles::{Tile, TileHashReader, TileReader};
use tolbooth::ledger::verify::verify_receipt;
use tolbooth::ledger::{Alarm, Presented, Record};
use tolbooth::merkle::checkpoint::Checkpoint;

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
