//! Stopping: what is under way is finished, what was counted is recorded, and the end is on the record.
#![cfg(test)]

mod support;

use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::Value;
use support::gateway::Gateway;
use support::system::Reply;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tolbooth::ledger::{Archive, Stored, journal_directory};
use tolbooth::tls::{ClientTls, Credential};

/// The envelopes of all records, in order.
fn envelopes(gateway: &Gateway) -> Vec<Value> {
    let archive = Archive::offline(&journal_directory(&gateway.home.join("data/ledger"))).unwrap();
    let mut envelopes = Vec::new();
    archive
        .each(&mut |stored| {
            if let Stored::Entry(entry) = stored {
                envelopes.push(serde_json::from_slice(entry.envelope).unwrap());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    envelopes
}

fn kinds(gateway: &Gateway) -> Vec<String> {
    envelopes(gateway).iter().map(|envelope| envelope["kind"].as_str().unwrap().to_owned()).collect()
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
    assert_eq!(kinds(&gateway), ["origin", "ruleset", "rules", "exchange", "summary", "shutdown"]);
    gateway.restart();
    gateway.stop();
    assert_eq!(kinds(&gateway)[6..], ["ruleset", "rules", "shutdown"]);
}

/// Sends bytes as they are over a partner's TLS, and gives what came back.
async fn raw(gateway: &Gateway, bytes: &[u8]) -> String {
    let partner = &gateway.trial.nhs;
    let credential = Credential::load(&partner.certificate, &partner.key).unwrap();
    let tls = ClientTls::new(&std::fs::read(&gateway.trial.ca).unwrap(), Some(&credential)).unwrap();
    let stream = tokio::net::TcpStream::connect(gateway.running().partners).await.unwrap();
    let mut stream = tls.connect("localhost", stream).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut back = Vec::new();
    let _ended = stream.read_to_end(&mut back).await;
    String::from_utf8_lossy(&back).into_owned()
}

#[tokio::test]
async fn what_is_not_http_is_on_the_record() {
    let mut gateway = Gateway::start("not-http");
    let back = raw(&gateway, b"POST / HTTP/1.1\r\nhost: a\r\nbad header: b\r\n\r\n").await;
    assert!(back.starts_with("HTTP/1.1 400"), "{back}");
    tokio::task::spawn_blocking(move || {
        gateway.stop();
        let all = envelopes(&gateway);
        let refused = all.iter().find(|envelope| envelope["kind"] == "exchange").unwrap();
        assert_eq!((&refused["outcome"], &refused["code"]), (&"refused".into(), &"malformed_http".into()));
    })
    .await
    .unwrap();
}

#[test]
fn monitoring_is_told_of_draining() {
    let gateway = Gateway::start("draining");
    gateway.system.now_says(|_| Reply::Silence(Duration::from_secs(60)));
    std::thread::scope(|scope| {
        let nhs = gateway.nhs();
        let asks = scope.spawn(move || {
            nhs.ask(
                "/child-protection/v1/check",
                &[("tolbooth-role", "ed_nurse")],
                "{\"chi\":\"1403170129\"}",
            )
        });
        while gateway.system.heard().is_empty() {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(gateway.local("/ready").0, 200);
        gateway.running().stop();
        while gateway.local("/ready").0 == 200 {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(gateway.local("/ready").1.contains("stopping"));
        // What was under way is finished.
        assert_eq!(asks.join().unwrap().code(), "source_timeout");
    });
}
