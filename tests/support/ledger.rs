//! The record as a test reads it: receipts verified, and searches through the admin socket.

use std::io::{Read as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use tolbooth::ledger::verify::verify_receipt;
use tolbooth::merkle::note::VerifierKey;

use super::partner::Said;

/// The log's public key.
pub fn key(home: &Path) -> VerifierKey {
    let text = std::fs::read_to_string(home.join("data/keys/ledger.vkey")).unwrap();
    VerifierKey::parse(text.trim()).unwrap()
}

/// The envelope in an answer's receipt, verified as given for exactly this answer.
pub fn envelope(home: &Path, said: &Said) -> Value {
    let report = verify_receipt(&said.head(), &key(home), Some(&said.body), &[]).unwrap();
    serde_json::from_str(&report.envelope).unwrap()
}

/// Asks the admin socket and gives the records found, oldest first, each with `envelope` and
/// `sealed`.
pub fn search(socket: &Path, filter: Value) -> Vec<Value> {
    let mut question = json!({ "purpose": "a test", "sealed": true });
    question.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let body = question.to_string();
    write!(
        stream,
        "POST /search HTTP/1.1\r\nhost: local\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    // The lines of the answer, whatever chunks they came in.
    let lines: Vec<Value> = all.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(lines.iter().any(|line: &Value| line.get("done").is_some()), "the search broke off: {all}");
    // As things happened: what is newest comes first.
    lines.into_iter().rev().filter_map(|mut line| line.get_mut("found").map(Value::take)).collect()
}

/// The one record of an exchange.
pub fn exchange(socket: &Path, id: &str) -> Value {
    let found = search(socket, json!({ "exchange": id }));
    assert_eq!(found.len(), 1, "{id}: {found:?}");
    found.into_iter().next().unwrap()
}

/// How many records a log has that no gateway writes to now, by `verify`.
pub fn records(home: &Path) -> u64 {
    let journal = home.join("data/ledger/journal");
    tolbooth::ledger::verify::verify_journal(&journal, &key(home), &[], &mut |_| ()).unwrap().records
}
