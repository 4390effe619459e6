//! A stop in good order is on the record, behind everything that was counted while draining.
#![cfg(test)]

mod support;

use std::ops::ControlFlow;

use support::gateway::Gateway;
use tolbooth::ledger::{Archive, Stored, journal_directory};

/// The kinds of all records, in order.
fn kinds(gateway: &Gateway) -> Vec<String> {
    let archive = Archive::offline(&journal_directory(&gateway.home.join("data/ledger"))).unwrap();
    let mut kinds = Vec::new();
    archive
        .each(&mut |stored| {
            if let Stored::Entry(entry) = stored {
                let envelope: serde_json::Value = serde_json::from_slice(entry.envelope).unwrap();
                kinds.push(envelope["kind"].as_str().unwrap().to_owned());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    kinds
}

#[test]
fn a_stop_in_good_order_is_the_last_record() {
    let mut gateway = Gateway::start("stop");
    gateway.nhs().ask("/nothing/v1/here", &[], "{}");
    // Somebody who does not speak TLS is counted, and the count is not lost by stopping.
    let mut stream = std::net::TcpStream::connect(gateway.running().partners).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _told = std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    gateway.stop();
    assert_eq!(kinds(&gateway), ["origin", "ruleset", "exchange", "summary", "shutdown"]);
    gateway.restart();
    gateway.stop();
    assert_eq!(kinds(&gateway)[5..], ["ruleset", "shutdown"]);
}
