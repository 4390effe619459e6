//! What is kept outside the data folder: the anchor, by which an older copy put back is noticed at a start, and
//! checkpoints sent away each hour.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};
use serde_json::{Value, json};
use support::gateway::{CHI, Gateway};
use support::partner::Said;
use support::site::run;
use support::until;
use tolbooth::ledger::verify::held;
use tolbooth::{app, config};

/// A gateway whose `[ledger]` has these lines, and the folder they may name as `../outside`.
fn gateway(name: &str, lines: &str) -> Gateway {
    Gateway::start_changed(name, |home| ledger_lines(home, lines))
}

fn ledger_lines(home: &Path, lines: &str) {
    std::fs::create_dir_all(home.join("../outside")).unwrap();
    let file = home.join("tolbooth.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (text, _) = text.split_once("\n[ledger]").unwrap_or((&text, ""));
    std::fs::write(&file, format!("{text}\n[ledger]\nsegment_mib = 1\n{lines}\n")).unwrap();
}

fn outside(gateway: &Gateway) -> PathBuf {
    gateway.home.parent().unwrap().join("outside")
}

/// Why it does not start.
fn fault(gateway: &Gateway) -> String {
    let configuration = config::load(&gateway.trial.configuration).unwrap();
    match app::start(configuration, gateway.clock.clone()) {
        Ok(_) => panic!("it started"),
        Err(fault) => fault.to_string(),
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// Puts an older copy of the data folder in the place of the present one, and gives a receipt of after it.
fn put_an_older_copy_back(gateway: &mut Gateway) -> Said {
    let (data, older) = (gateway.home.join("data"), gateway.home.join("data.older"));
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    gateway.stop();
    copy(&data, &older);
    gateway.restart();
    let receipt = gateway.check(CHI);
    gateway.stop();
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&older, &data).unwrap();
    receipt
}

#[test]
fn an_older_copy_put_back_is_refused_by_the_anchor_and_named() {
    let mut gateway = gateway("anchor", "anchor = \"../outside/anchor\"");
    put_an_older_copy_back(&mut gateway);
    let journal = std::fs::read(gateway.home.join("data/ledger/journal/00000001.segment")).unwrap();
    let said = fault(&gateway);
    assert!(said.contains("an older copy was put in its place"), "{said}");
    assert!(said.contains("outside/anchor") && said.contains("tolbooth ledger restore --from"), "{said}");
    let after = std::fs::read(gateway.home.join("data/ledger/journal/00000001.segment")).unwrap();
    assert!(journal == after, "a start that is refused writes nothing");
}

#[test]
fn an_older_copy_without_an_anchor_starts_and_a_receipt_catches_it() {
    let mut gateway = gateway("no-anchor", "");
    let receipt = put_an_older_copy_back(&mut gateway);
    let kept = gateway.home.join("receipt");
    std::fs::write(&kept, receipt.header("tolbooth-receipt")).unwrap();
    gateway.restart();
    gateway.stop();
    let verify = ["ledger", "verify", "data/ledger", "--against", "receipt"];
    let caught = run(&gateway.home, &verify);
    assert_eq!(caught.code, Some(1), "{caught:?}");
    // Nor is it forgotten once the log has grown past what the receipt speaks of.
    gateway.restart();
    for _ in 0..3 {
        gateway.check(CHI);
    }
    gateway.stop();
    let caught = run(&gateway.home, &verify);
    assert!(caught.code == Some(1) && caught.err.contains("signed over other records"), "{caught:?}");
    let check = run(&gateway.home, &["check"]);
    assert!(check.out.contains("warning: tolbooth.toml: no `anchor` in [ledger]"), "{check:?}");
}

#[test]
fn a_journal_that_was_rewritten_or_is_gone_or_anothers_is_refused_by_the_anchor() {
    let mut gateway = gateway("anchor-fork", "anchor = \"../outside/anchor\"");
    let receipt = put_an_older_copy_back(&mut gateway);
    let anchor = outside(&gateway).join("anchor");
    let newest = std::fs::read_to_string(&anchor).unwrap();
    let size = held(&newest, &support::ledger::key(&gateway.home)).unwrap().size;
    assert!(
        held(receipt.header("tolbooth-receipt"), &support::ledger::key(&gateway.home)).unwrap().size < size
    );
    // The older copy goes on for as long as the log was, without the anchor.
    ledger_lines(&gateway.home, "");
    while support::ledger::records(&gateway.home) <= size {
        gateway.restart();
        gateway.check(CHI);
        gateway.stop();
    }
    ledger_lines(&gateway.home, "anchor = \"../outside/anchor\"");
    let said = fault(&gateway);
    assert!(said.contains("the log was rewritten") && said.contains("ledger restore"), "{said}");

    let key = std::fs::read_to_string(gateway.home.join("data/keys/ledger.key")).unwrap();
    std::fs::rename(gateway.home.join("data/ledger"), gateway.home.join("data/ledger.away")).unwrap();
    let said = fault(&gateway);
    assert!(said.contains("and there is no journal"), "{said}");
    assert_eq!(std::fs::read_to_string(gateway.home.join("data/keys/ledger.key")).unwrap(), key);

    // A log of another name, begun without the anchor.
    ledger_lines(&gateway.home, "");
    gateway.restart();
    gateway.stop();
    ledger_lines(&gateway.home, "anchor = \"../outside/anchor\"");
    let said = fault(&gateway);
    assert!(said.contains("the anchor is of the log"), "{said}");
    for (text, wanted) in [("not a note", "is not a checkpoint"), (&newest.replace('1', "2"), "anchor")] {
        std::fs::write(&anchor, text).unwrap();
        assert!(fault(&gateway).contains(wanted), "{text}");
    }
}

#[test]
fn an_anchor_that_is_gone_is_made_anew_on_the_record() {
    let mut gateway = gateway("anchor-gone", "anchor = \"../outside/anchor\"");
    let alarms = |gateway: &Gateway| gateway.search(json!({ "kind": "alarm" }));
    assert_eq!(alarms(&gateway).len(), 0, "a log that begins has no anchor yet");
    gateway.stop();
    let anchor = outside(&gateway).join("anchor");
    let last = std::fs::read_to_string(&anchor).unwrap();
    let size = held(&last, &support::ledger::key(&gateway.home)).unwrap().size;
    assert_eq!(size, support::ledger::records(&gateway.home), "the last record of all is in it");
    std::fs::remove_file(&anchor).unwrap();
    gateway.restart();
    let raised = alarms(&gateway);
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!(raised[0]["envelope"]["cause"], "anchor_missing");
    assert!(anchor.exists());
    assert_eq!(gateway.light("anchor"), "green");
    // It keeps up while the gateway runs.
    let said = gateway.check(CHI);
    let key = support::ledger::key(&gateway.home);
    let recorded = held(said.header("tolbooth-receipt"), &key).unwrap().size;
    until("the anchor has the answer", || {
        let kept = held(&std::fs::read_to_string(&anchor).unwrap(), &key).unwrap();
        (kept.size >= recorded).then_some(())
    });
    // A place that cannot be written is told, and nothing stops.
    std::fs::remove_file(&anchor).unwrap();
    std::fs::create_dir(&anchor).unwrap();
    std::fs::write(anchor.join("file"), "").unwrap();
    gateway.check(CHI);
    until("readiness tells", || (gateway.light("anchor") == "amber").then_some(()));
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    assert_eq!(alarms(&gateway).pop().unwrap()["envelope"]["cause"], "anchor_failed");
    gateway.stop();
    // Nor does a start that cannot read it go on as if there were none.
    assert!(fault(&gateway).contains("the anchor cannot be read"));
    std::fs::remove_dir_all(outside(&gateway)).unwrap();
    assert!(fault(&gateway).contains("the folder of the anchor is not there"));
}

fn published(folder: &Path) -> Vec<PathBuf> {
    // One that is being written has another ending until it is whole.
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "checkpoint"))
        .collect();
    all.sort();
    all
}

#[test]
fn each_hour_a_checkpoint_lies_in_a_folder_outside() {
    let mut gateway = gateway("publish", "publish = \"../outside\"");
    let folder = outside(&gateway);
    until("one at the start", || published(&folder).pop());
    // To a minute after the next full hour, so that none begins by itself meanwhile.
    let past = gateway.clock.now().as_second() % 3600;
    gateway.clock.shift(jiff::SignedDuration::from_secs(3600 + 60 - past));
    let hour = gateway.clock.now().strftime("%Y-%m-%dT%HZ").to_string();
    let of_hour = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&hour);
    let first = until("the first", || published(&folder).pop().filter(of_hour));
    let before = published(&folder).len();
    let name = first.file_name().unwrap().to_str().unwrap().to_owned();
    let key = support::ledger::key(&gateway.home);
    let note = held(&std::fs::read_to_string(&first).unwrap(), &key).unwrap();
    assert!(name.ends_with(&format!("Z-{}.checkpoint", note.size)), "{name}");
    // Not again in the same hour, after a restart either.
    gateway.restart();
    until("green", || (gateway.light("publish") == "green").then_some(()));
    gateway.check(CHI);
    gateway.clock.shift(jiff::SignedDuration::from_hours(1));
    let second = until("the next hour's", || published(&folder).into_iter().nth(before));
    assert_ne!(second, first);
    assert_eq!(published(&folder).len(), before + 1);
    // The log is held against it as against a receipt.
    let second = second.to_str().unwrap();
    let verified = run(&gateway.home, &["ledger", "verify", "data/ledger", "--against", second]);
    assert_eq!(verified.code, Some(0), "{verified:?}");

    // The folder is gone: amber at once, and after some hours an alarm on the record.
    std::fs::remove_dir_all(&folder).unwrap();
    gateway.clock.shift(jiff::SignedDuration::from_hours(1));
    until("amber", || (gateway.light("publish") == "amber").then_some(()));
    assert!(gateway.local("/ready").1.contains("checkpoints cannot be sent outside"));
    assert_eq!(gateway.search(json!({ "kind": "alarm" })).len(), 0);
    gateway.clock.shift(jiff::SignedDuration::from_hours(4));
    let raised = until("the alarm", || gateway.search(json!({ "kind": "alarm" })).pop());
    assert_eq!(raised["envelope"]["cause"], "publish_failed");
    std::fs::create_dir(&folder).unwrap();
    until("green again", || (gateway.light("publish") == "green").then_some(()));
    assert_eq!(published(&folder).len(), 1);
}

/// Somebody else's https server, which shares no code with ours.
const SERVER: &str = r#"
import http.server, ssl, sys
folder = sys.argv[1]
class Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = int(open(folder + "/status").read())
        if status == 200:
            open(folder + "/taken", "ab").write(self.path.encode() + b"\n" + body)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Taker)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
open(folder + "/port.new", "w").write(str(server.server_port))
import os; os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
"#;

struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut ca = CertificateParams::default();
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &rcgen::Issuer::new(ca, ca_key)).unwrap().pem();
        for (name, text) in [
            ("ca.pem", ca_pem),
            ("server.pem", certificate),
            ("server.key", key.serialize_pem()),
            ("server.py", SERVER.to_owned()),
            ("status", "200".to_owned()),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let child = Command::new("python3")
            .arg(folder.join("server.py"))
            .arg(folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, folder: folder.to_owned() }
    }

    fn url(&self) -> String {
        let port = until("the server listens", || std::fs::read_to_string(self.folder.join("port")).ok());
        format!("https://localhost:{port}/checkpoints/glenmore")
    }

    fn taken(&self) -> String {
        std::fs::read_to_string(self.folder.join("taken")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

#[test]
fn each_hour_a_checkpoint_is_sent_to_an_address_that_proves_its_name() {
    let mut made = None;
    let gateway = Gateway::start_changed("publish-https", |home| {
        let folder = home.parent().unwrap().join("outside");
        std::fs::create_dir_all(&folder).unwrap();
        let server = Server::start(&folder);
        let lines = format!("publish = \"{}\"\npublish_ca = \"../outside/ca.pem\"", server.url());
        ledger_lines(home, &lines);
        made = Some(server);
    });
    let server = made.unwrap();
    let taken = until("one is taken", || Some(server.taken()).filter(|taken| !taken.is_empty()));
    let (path, note) = taken.split_once('\n').unwrap();
    assert_eq!(path, "/checkpoints/glenmore");
    let key = support::ledger::key(&gateway.home);
    assert!(held(note, &key).unwrap().size > 0);
    until("green", || (gateway.light("publish") == "green").then_some(()));
    // A server that does not take it.
    std::fs::write(server.folder.join("status"), "507").unwrap();
    gateway.clock.shift(jiff::SignedDuration::from_hours(1));
    until("amber", || (gateway.light("publish") == "amber").then_some(()));
    let ready: Value = serde_json::from_str(&gateway.local("/ready").1).unwrap();
    assert!(ready["lights"]["publish"]["why"].as_str().unwrap().contains("it answered 507"), "{ready}");
    drop(gateway);
}

#[test]
fn a_checkpoint_is_not_sent_to_a_server_under_another_ca() {
    let mut made = None;
    let gateway = Gateway::start_changed("publish-ca", |home| {
        let folder = home.parent().unwrap().join("outside");
        std::fs::create_dir_all(&folder).unwrap();
        let server = Server::start(&folder);
        let lines = format!("publish = \"{}\"\npublish_ca = \"certs/glenmore-ca.pem\"", server.url());
        ledger_lines(home, &lines);
        made = Some(server);
    });
    until("amber", || (gateway.light("publish") == "amber").then_some(()));
    assert_eq!(made.unwrap().taken(), "");
}
