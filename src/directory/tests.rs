use std::collections::HashMap;
use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, IsCa, KeyPair, SanType};

use super::*;
use crate::crypto::SigningKey;
use crate::model::{Code, Faults, SystemName};
use crate::tls::issue::{self, Authority, Lifetime};
use crate::tls::{Certificate, ProvenPath, SpiffeId, TrustDomain};

fn now() -> Timestamp {
    crate::clock::Clock::new().unwrap().now()
}

fn id(member: &str, system: &str) -> SpiffeId {
    let domain = TrustDomain::new(MemberId::new(member).unwrap(), "caledonia.example").unwrap();
    SpiffeId { domain, system: SystemName::new(system).unwrap() }
}

fn vkey(name: &str, seed: u8) -> String {
    let key = SigningKey::from_seed(&[seed; 32]).unwrap();
    VerifierKey::new(name, key.public()).unwrap().to_string()
}

/// Two members with a CA each.
struct World {
    lomond: Authority,
    police: Authority,
    files: HashMap<String, String>,
}

impl World {
    fn new() -> Self {
        Self::made(now())
    }

    fn made(at: Timestamp) -> Self {
        let (lomond, a) = Authority::create(&id("nhs-lomond", "x").domain, "NHS Lomond", 3, at).unwrap();
        let (police, b) =
            Authority::create(&id("police-caledonia", "x").domain, "Police Caledonia", 3, at).unwrap();
        let files = [("conf/certs/lomond.pem", a.certificate), ("conf/certs/police.pem", b.certificate)];
        Self { lomond, police, files: files.map(|(name, pem)| (name.to_owned(), pem)).into() }
    }

    fn load(&self, text: &str) -> Result<Directory, Faults> {
        let read = |path: &Path| {
            let found = self.files.get(path.to_str().unwrap()).map(|pem| pem.clone().into_bytes());
            found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        load("conf/members.toml", text, &read, None)
    }

    /// The directory with more text in the first member.
    fn with(&self, more: &str) -> Directory {
        self.load(&text(more)).unwrap()
    }

    fn faults(&self, more: &str) -> Vec<String> {
        let faults = self.load(&text(more)).unwrap_err();
        faults.0.iter().map(|fault| fault.message.clone()).collect()
    }
}

fn text(more: &str) -> String {
    let officer = vkey("a.ross.police", 9);
    format!(
        r#"
format = 1
federation = "caledonia.example"

[[member]]
id = "police-caledonia"
name = "Police Caledonia"
class = "police"
anchors = ["certs/police.pem"]
[[member.officer]]
name = "a.ross.police"
office = "Information Governance Manager"
key = "{officer}"

[[member]]
id = "nhs-lomond"
name = "NHS Lomond"
class = "health"
codes = {{ nhs_board = "SL9" }}
anchors = ["certs/lomond.pem"]
{more}"#
    )
}

fn der(pem: &str) -> Vec<u8> {
    issue::der_of(pem).unwrap()
}

/// A certificate of NHS Lomond with something changed.
fn forged(authority: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let life = Lifetime { now: now(), days: 30 };
    der(&authority.forge(&id("nhs-lomond", "ed-trak"), &KeyPair::generate().unwrap(), life, change))
}

/// As TLS proves a chain that ends right there; of what is no certificate, that of another one.
fn path(leaf: &[u8], anchor: &AnchorId) -> ProvenPath {
    let world = World::new();
    let other = forged(&world.lomond, |_| {});
    let read = Certificate::from_der(leaf).or_else(|_| Certificate::from_der(&other)).unwrap();
    ProvenPath::claimed(&read, *anchor)
}

fn uris(uris: &[&str]) -> Vec<SanType> {
    uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect()
}

#[test]
fn a_members_certificate_names_its_system() {
    let world = World::new();
    let directory = world.with("");
    let leaf = forged(&world.lomond, |params| {
        params.subject_alt_names.push(SanType::DnsName("trak.test".try_into().unwrap()));
    });
    let anchor = AnchorId(world.lomond.certificate().digest);
    let identity = directory.identity(&leaf, &path(&leaf, &anchor)).unwrap();
    assert_eq!(identity.system().to_string(), "nhs-lomond/ed-trak");
    assert_eq!(identity.class(), MemberClass::Health);
    assert_eq!(identity.certificate(), Digest::of(&leaf));
    assert!(identity.not_after() > now());
}

#[test]
fn no_members_ca_speaks_for_another() {
    let world = World::new();
    let directory = world.with("");
    let leaf = forged(&world.police, |_| {});
    let police = AnchorId(world.police.certificate().digest);
    assert_eq!(directory.identity(&leaf, &path(&leaf, &police)), Err(IdentityFault::NotItsAnchor));
    assert_eq!(IdentityFault::NotItsAnchor.code(), Code::CertificateNotAccepted);
}

#[test]
fn a_certificate_names_exactly_one_system_in_one_spelling() {
    let world = World::new();
    let directory = world.with("");
    let anchor = AnchorId(world.lomond.certificate().digest);
    let good = "spiffe://nhs-lomond.caledonia.example/ed-trak";
    let cases: &[(&[&str], IdentityFault)] = &[
        (&[], IdentityFault::NotOneName),
        (&[good, good], IdentityFault::NotOneName),
        (&[good, "https://nhs-lomond.test/"], IdentityFault::NotOneName),
        (&["https://nhs-lomond.caledonia.example/ed-trak"], IdentityFault::NotASystem),
        (&["spiffe://nhs-lomond.caledonia.example/ed-trak/"], IdentityFault::NotASystem),
        (&["spiffe://nhs-lomond.caledonia.example/a/b"], IdentityFault::NotASystem),
        (&["spiffe://nhs-lomond.caledonia.example/ed%2dtrak"], IdentityFault::NotASystem),
        (&["spiffe://NHS-lomond.caledonia.example/ed-trak"], IdentityFault::NotASystem),
        (&["spiffe://nhs-lomond.other.example/ed-trak"], IdentityFault::OtherFederation),
        (&["spiffe://nhs-lomond.x.caledonia.example/ed-trak"], IdentityFault::OtherFederation),
        (&["spiffe://nhs-nowhere.caledonia.example/ed-trak"], IdentityFault::UnknownMember),
    ];
    for (names, fault) in cases {
        let leaf = forged(&world.lomond, |params| params.subject_alt_names = uris(names));
        assert_eq!(directory.identity(&leaf, &path(&leaf, &anchor)), Err(*fault), "{names:?}");
        assert_eq!(fault.code(), Code::CertificateNotAccepted);
    }
    let none = forged(&world.lomond, |params| params.subject_alt_names.clear());
    assert_eq!(directory.identity(&none, &path(&none, &anchor)), Err(IdentityFault::NotOneName));
    let ca = forged(&world.lomond, |params| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    assert_eq!(directory.identity(&ca, &path(&ca, &anchor)), Err(IdentityFault::IsCa));
    assert_eq!(directory.identity(b"junk", &path(b"junk", &anchor)), Err(IdentityFault::Unreadable));
}

#[test]
fn a_revoked_certificate_is_refused_by_serial_and_by_digest() {
    let world = World::new();
    let leaf = forged(&world.lomond, |_| {});
    let other = forged(&world.lomond, |_| {});
    let anchor = AnchorId(world.lomond.certificate().digest);
    let identity = world.with("").identity(&leaf, &path(&leaf, &anchor)).unwrap();
    let serial = identity.serial().as_str().to_uppercase();
    for entry in [serial, Digest::of(&leaf).to_string()] {
        let directory = world.with(&format!("revoked = [\"{entry}\"]"));
        let fault = directory.identity(&leaf, &path(&leaf, &anchor)).unwrap_err();
        assert_eq!(fault.code(), Code::CertificateRevoked);
        assert!(directory.identity(&other, &path(&other, &anchor)).is_ok());
    }
}

#[test]
fn officers_keys_and_files_are_listed() {
    let world = World::new();
    let key = vkey("m.macleod.lomond", 1);
    let ledger = vkey("nhs-lomond.caledonia.example/ledger", 2);
    let more = format!(
        "ledger_keys = [\"{ledger}\"]\n[[member.officer]]\nname = \"m.macleod.lomond\"\noffice = \"Data Protection Officer\"\nkey = \"{key}\"\ntrial = true\n"
    );
    let directory = world.with(&more);
    let officers = directory.officers();
    let names: Vec<_> = officers.iter().map(|officer| (officer.name.as_str(), officer.trial)).collect();
    assert_eq!(names, [("m.macleod.lomond", true), ("a.ross.police", false)]);
    let lomond = directory.member(&MemberId::new("nhs-lomond").unwrap()).unwrap();
    assert_eq!(lomond.codes.get("nhs_board").map(String::as_str), Some("SL9"));
    assert_eq!(lomond.ledger_keys.len(), 1);
    let files: Vec<_> = directory.files().iter().map(|(path, _)| path.to_str().unwrap()).collect();
    assert_eq!(files, ["conf/members.toml", "conf/certs/police.pem", "conf/certs/lomond.pem"]);
    assert_eq!(directory.anchors().len(), 2);
    assert_eq!(directory.federation(), "caledonia.example");
}

#[test]
fn the_digest_covers_every_file() {
    let mut world = World::new();
    let before = world.with("").digest();
    assert_eq!(before, world.with("").digest());
    assert_ne!(before, world.with("# a comment").digest());
    world.files.get_mut("conf/certs/police.pem").unwrap().push('\n');
    assert_ne!(before, world.with("").digest());
}

#[test]
fn all_faults_come_at_once() {
    let world = World::new();
    let faulty = r#"
format = 2
federation = "Caledonia"
[[member]]
id = "Nhs"
name = ""
class = "helth"
anchors = []
[[member]]
id = "nhs-lomond"
name = "NHS Lomond"
class = "health"
anchors = ["certs/none.pem"]
revoked = ["who"]
colour = "red"
"#;
    let faults = world.load(faulty).unwrap_err();
    let lines: Vec<_> = faults.0.iter().filter_map(|fault| fault.line).collect();
    assert_eq!(lines, [2, 3, 5, 6, 7, 14, 13, 15]);
    assert!(world.load("format = 1\nfederation = \"a.example\"\n").is_err(), "a federation of nobody");
}

#[test]
fn a_ca_or_key_belongs_to_one_member_and_one_role() {
    let world = World::new();
    let mut text = text("");
    text = text.replace("certs/lomond.pem\"", "certs/lomond.pem\", \"certs/police.pem\"");
    let shared = world.load(&text).unwrap_err();
    assert!(shared.0[0].message.contains("speak for both"), "{shared}");

    let officer = |name: &str, key: &str| {
        format!("[[member.officer]]\nname = \"{name}\"\noffice = \"SIRO\"\nkey = \"{key}\"\n")
    };
    let again = world.faults(&officer("b.ross.lomond", &vkey("b.ross.lomond", 9)));
    assert!(again[0].contains("a key has one role"), "{again:?}");
    let ledger = vkey("nhs-lomond.caledonia.example/ledger", 9);
    let ledger = world.faults(&format!("ledger_keys = [\"{ledger}\"]"));
    assert!(ledger[0].contains("a key has one role"), "{ledger:?}");
    let named = world.faults(&officer("a.ross.police", &vkey("a.ross.police", 3)));
    assert!(named[0].contains("already called"), "{named:?}");
    let other = world.faults(&officer("b.ross.lomond", &vkey("c.ross.lomond", 3)));
    assert!(other[0].contains("not of `b.ross.lomond`"), "{other:?}");
    let foreign = vkey("police-caledonia.caledonia.example/ledger", 4);
    let foreign = world.faults(&format!("ledger_keys = [\"{foreign}\"]"));
    assert!(foreign[0].contains("begins `nhs-lomond.caledonia.example/`"), "{foreign:?}");
}

#[test]
fn an_anchor_is_a_ca_and_not_a_key() {
    let mut world = World::new();
    let life = Lifetime { now: now(), days: 30 };
    let made = world.lomond.client(&id("nhs-lomond", "ed-trak"), life).unwrap();
    for (pem, wanted) in [
        (made.certificate.as_str(), "not a CA certificate"),
        (made.key.as_str(), "a private key lies in a file of certificates"),
        ("hello", "no certificate was found"),
    ] {
        world.files.insert("conf/certs/lomond.pem".to_owned(), pem.to_owned());
        let faults = world.faults("");
        assert!(faults[0].contains(wanted), "{faults:?}");
    }
}

#[test]
fn an_expired_anchor_is_a_warning() {
    let year = SignedDuration::from_hours(24 * 365);
    let world = World::made(now());
    let directory = world.with("");
    assert!(directory.warnings(now()).is_empty());
    for (at, wanted) in [
        (now() + year * 4, "has expired"),
        (now() - year, "is not valid yet"),
        (now() + year * 3 - SignedDuration::from_hours(24 * 5), "expires in"),
    ] {
        let warnings = directory.warnings(at);
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].message.contains(wanted), "{warnings:?}");
    }
}
