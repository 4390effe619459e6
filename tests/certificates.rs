//! Who is let in, over the gateway's own socket: what fails in the handshake is counted and summarised,
//! what names no known system is told so, and nothing of either gets as far as a decision.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::process::{Command, Stdio};

use rcgen::{
    ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
    RsaKeySize,
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

/// What rustls and webpki leave to others, and what they see to: each with a chain that is otherwise good.
#[test]
fn a_certificate_that_is_not_for_this_is_shut_out() {
    let gateway = Gateway::start("unsuitable");
    type Change = fn(&mut rcgen::CertificateParams);
    let cases: [(&str, Change); 6] = [
        ("no-key-usage", |leaf| leaf.key_usages.clear()),
        ("encipherment", |leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment]),
        ("agreement", |leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement]),
        ("no-purpose", |leaf| leaf.extended_key_usages.clear()),
        ("mail", |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection]),
        ("a-ca", |leaf| leaf.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
    ];
    for (name, change) in cases {
        let odd = forge::client(&gateway.home, "nhs-lomond", name, &key(), change);
        is_shut_out(&gateway, &odd, "unsuitable");
    }
    // A known extension that is not critical hinders nobody.
    let more = forge::client(&gateway.home, "nhs-lomond", "more", &key(), |leaf| {
        leaf.custom_extensions
            .push(rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]));
    });
    is_answered(&gateway, &more);
}

/// Who opens a connection and says nothing holds a place for as long as the host allows, and no longer.
#[test]
fn a_handshake_that_does_not_come_is_given_up() {
    use std::io::Read as _;
    let gateway = Gateway::start_changed("silent", |home| {
        support::agreements::edit(&home.join("tolbooth.toml"), |text| {
            text.replace("# handshake_seconds_max = 10", "handshake_seconds_max = 1")
        });
    });
    let mut stream = std::net::TcpStream::connect(gateway.running().partners).unwrap();
    assert!(matches!(stream.read(&mut [0; 16]), Err(_) | Ok(0)));
    let line = "tolbooth_handshakes_failed_total{cause=\"timeout\"}";
    until("the handshake is counted", || (gateway.metric(line) == 1).then_some(()));
}

/// A partner whose certificates come from an authority that many use, and a member that binds its names.
#[test]
fn a_system_with_a_certificate_from_elsewhere_is_answered_as_the_one_it_is_bound_to() {
    let gateway = Gateway::start_changed("bound", |home| {
        let mut ca = rcgen::CertificateParams::default();
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        let (name, key) = (rcgen::DnType::OrganizationName, key());
        ca.distinguished_name.push(name, "Sub-CA of many");
        std::fs::write(home.join("certs/many.pem"), ca.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(home.join("many.key"), key.serialize_pem()).unwrap();
        support::agreements::edit(&home.join("members.toml"), |text| {
            let shared = "shared_anchors = [\"certs/many.pem\"]\n";
            let binding =
                "[[member.binding]]\nsystem = \"ed-trak\"\nca = \"certs/many.pem\"\ndns = \"trak.example\"\n";
            let text = forge::with_member(&text, "police-caledonia", shared);
            let text = forge::with_member(&text, "nhs-lomond", shared);
            let entries = text.split("\n[[member]]").map(|entry| {
                let bound = entry.contains("id = \"nhs-lomond\"");
                if bound { format!("{entry}\n{binding}") } else { entry.to_owned() }
            });
            entries.collect::<Vec<_>>().join("\n[[member]]")
        });
    });
    let with = |name: &str, names: &[&str]| {
        let ca = KeyPair::from_pem(&std::fs::read_to_string(gateway.home.join("many.key")).unwrap()).unwrap();
        let pem = std::fs::read_to_string(gateway.home.join("certs/many.pem")).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(&pem, ca).unwrap();
        let (mut leaf, key) = (rcgen::CertificateParams::default(), key());
        let dns = |name: &&str| match name.strip_prefix("spiffe") {
            Some(_) => uri(name),
            None => rcgen::SanType::DnsName((*name).try_into().unwrap()),
        };
        leaf.subject_alt_names = names.iter().map(dns).collect();
        leaf.distinguished_name.push(rcgen::DnType::CommonName, "trak.example");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        forge::chained(&gateway.home, name, &leaf.signed_by(&key, &issuer).unwrap().pem(), &key)
    };
    names_nobody(&gateway, &with("common-name", &[]));
    names_nobody(&gateway, &with("wildcard", &["*.example"]));
    names_nobody(&gateway, &with("longer", &["a.trak.example"]));
    names_nobody(&gateway, &with("spiffe", &[forge::ED_TRAK]));
    names_nobody(&gateway, &with("both", &["trak.example", forge::ED_TRAK]));
    is_answered(&gateway, &with("bound", &["other.example", "TRAK.example"]));
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
