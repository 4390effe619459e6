//! Who is let in, over the gateway's own socket: what fails in the handshake is counted and summarised,
//! what names no known system is told so, and nothing of either gets as far as a decision.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::process::{Command, Stdio};

use rcgen::{
    ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize,
};
use serde_json::json;
use tolbooth::cli::trial::Partner;
use tolbooth::tls::ClientTls;

use support::forge::{self, uri};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::until;

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

/// That the handshake fails, and is counted as `cause`.
fn is_shut_out(gateway: &Gateway, partner: &Partner, cause: &str) {
    let line = format!("tolbooth_handshakes_failed_total{{cause=\"{cause}\"}}");
    let before = gateway.metric(&line);
    let question = support::partner::question(CHECK, &NURSE, &asks(CHI));
    let said = gateway.partner(partner).try_send(question);
    assert!(said.is_err(), "{cause}: {said:?}");
    until("the handshake is counted", || (gateway.metric(&line) == before + 1).then_some(()));
    assert_eq!(gateway.system.heard().len(), 0);
}

/// That the chain is good, and the certificate names nobody.
fn names_nobody(gateway: &Gateway, partner: &Partner) {
    let said = gateway.partner(partner).ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!((said.status, said.code().as_str()), (403, "certificate_not_accepted"), "{said:?}");
    assert_eq!((said.outcome(), said.receipt()), ("unrecorded", None));
    assert_eq!(gateway.system.heard().len(), 0);
}

fn is_answered(gateway: &Gateway, partner: &Partner) {
    let said = gateway.partner(partner).ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!((said.status, said.outcome()), (200, "answered"), "{said:?}");
}

#[test]
fn an_expired_certificate_is_shut_out() {
    let gateway = Gateway::start("expired");
    let expired = forge::client(&gateway.home, "nhs-lomond", "expired", &key(), |leaf| {
        leaf.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    is_shut_out(&gateway, &expired, "expired");
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_shut_out() {
    let gateway = Gateway::start("early");
    let early = forge::client(&gateway.home, "nhs-lomond", "early", &key(), |leaf| {
        leaf.not_before = rcgen::date_time_ymd(2089, 1, 1);
    });
    is_shut_out(&gateway, &early, "not_yet_valid");
}

#[test]
fn a_certificate_of_a_ca_nobody_lists_is_shut_out() {
    let gateway = Gateway::start("unlisted");
    let stranger = forge::stranger(&gateway.home, "stranger");
    is_shut_out(&gateway, &stranger, "unknown_issuer");
}

#[test]
fn a_certificate_for_servers_is_shut_out() {
    let gateway = Gateway::start("server");
    let server = forge::client(&gateway.home, "nhs-lomond", "server", &key(), |leaf| {
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    is_shut_out(&gateway, &server, "unsuitable");
}

#[test]
fn no_certificate_is_shut_out() {
    let gateway = Gateway::start("bare");
    let line = "tolbooth_handshakes_failed_total{cause=\"no_certificate\"}";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tls = ClientTls::new(&std::fs::read(&gateway.trial.ca).unwrap(), None).unwrap();
        let stream = tokio::net::TcpStream::connect(gateway.running().partners).await.unwrap();
        // In TLS 1.3 the client may hear of it only when it reads.
        if let Ok(mut stream) = tls.connect("localhost", stream).await {
            use tokio::io::AsyncReadExt as _;
            assert!(matches!(stream.read(&mut [0; 16]).await, Err(_) | Ok(0)));
        }
    });
    until("the handshake is counted", || (gateway.metric(line) == 1).then_some(()));
}

/// The one thing that keeps a member's CA from speaking for another member.
#[test]
fn another_members_ca_cannot_speak_for_a_system_of_this_one() {
    let gateway = Gateway::start("other-ca");
    for member in ["police-caledonia", "glenmore"] {
        let forged = forge::client(&gateway.home, member, "forged", &key(), |_| {});
        names_nobody(&gateway, &forged);
    }
    is_answered(&gateway, &forge::client(&gateway.home, "nhs-lomond", "true", &key(), |_| {}));
}

#[test]
fn a_certificate_names_exactly_one_known_system() {
    let gateway = Gateway::start("names");
    let with = |name: &str, uris: &[&str]| {
        forge::client(&gateway.home, "nhs-lomond", name, &key(), |leaf| {
            leaf.subject_alt_names = uris.iter().map(|name| uri(name)).collect();
        })
    };
    names_nobody(&gateway, &with("none", &[]));
    names_nobody(&gateway, &with("two", &[forge::ED_TRAK, "spiffe://nhs-lomond.caledonia.example/other"]));
    names_nobody(&gateway, &with("twice", &[forge::ED_TRAK, forge::ED_TRAK]));
    names_nobody(&gateway, &with("member", &["spiffe://nhs-nowhere.caledonia.example/ed-trak"]));
    names_nobody(&gateway, &with("federation", &["spiffe://nhs-lomond.elsewhere.example/ed-trak"]));
    names_nobody(&gateway, &with("web", &["https://nhs-lomond.caledonia.example/ed-trak"]));
    names_nobody(&gateway, &with("deep", &["spiffe://nhs-lomond.caledonia.example/ed-trak/more"]));
    // Another system of the same member is known, and has no agreement.
    let other = with("other", &["spiffe://nhs-lomond.caledonia.example/other"]);
    let said = gateway.partner(&other).ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!((said.code().as_str(), said.outcome()), ("not_agreed", "refused"));
}

#[test]
fn rsa_and_ecdsa_and_ed25519_keys_are_accepted() {
    let gateway = Gateway::start("keys");
    let keys = [
        ("rsa", KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()),
        ("p256", key()),
        ("p384", KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()),
        ("ed25519", KeyPair::generate_for(&PKCS_ED25519).unwrap()),
    ];
    for (name, key) in keys {
        is_answered(&gateway, &forge::client(&gateway.home, "nhs-lomond", name, &key, |_| {}));
    }
}

#[test]
fn tls_1_2_is_refused() {
    let gateway = Gateway::start("old-tls");
    let connect = |version: &str| {
        Command::new("openssl")
            .args(["s_client", version, "-connect", &gateway.running().partners.to_string(), "-cert"])
            .arg(&gateway.trial.nhs.certificate)
            .arg("-key")
            .arg(&gateway.trial.nhs.key)
            .stdin(Stdio::null())
            .output()
    };
    let Ok(old) = connect("-tls1_2") else {
        eprintln!("skipped: there is no openssl on this machine");
        return;
    };
    assert!(!old.status.success(), "{}", String::from_utf8_lossy(&old.stdout));
    let line = "tolbooth_handshakes_failed_total{cause=\"protocol\"}";
    until("the handshake is counted", || (gateway.metric(line) >= 1).then_some(()));
    assert!(connect("-tls1_3").unwrap().status.success());
}

#[test]
fn what_is_not_tls_is_counted() {
    use std::io::{Read as _, Write as _};
    let gateway = Gateway::start("not-tls");
    let mut stream = std::net::TcpStream::connect(gateway.running().partners).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let _closed = stream.read_to_end(&mut Vec::new());
    let line = "tolbooth_handshakes_failed_total{cause=\"protocol\"}";
    until("the handshake is counted", || (gateway.metric(line) == 1).then_some(()));
}

#[test]
fn failed_handshakes_and_strangers_are_summarised_on_the_record() {
    let mut gateway = Gateway::start("summary");
    let stranger = forge::stranger(&gateway.home, "stranger");
    is_shut_out(&gateway, &stranger, "unknown_issuer");
    is_shut_out(&gateway, &stranger, "unknown_issuer");
    let nameless = forge::client(&gateway.home, "nhs-lomond", "nameless", &key(), |leaf| {
        leaf.subject_alt_names.clear();
    });
    names_nobody(&gateway, &nameless);
    // What the minute has counted is recorded when the gateway stops.
    gateway.restart();
    let summaries = gateway.search(json!({ "kind": "summary" }));
    let count = |cause: &str| -> u64 {
        let of = summaries.iter().map(|found| &found["envelope"]);
        of.filter(|envelope| envelope["cause"] == cause && envelope["member"].is_null())
            .map(|envelope| envelope["count"].as_u64().unwrap())
            .sum()
    };
    assert_eq!((count("unknown_issuer"), count("certificate_not_accepted")), (2, 1), "{summaries:?}");
}
