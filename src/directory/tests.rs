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

#[test]
fn an_issuer_speaks_for_the_member_that_lists_it_and_no_other() {
    let world = World::new();
    let directory = world.with("issuers = [\"https://identity.nhs-lomond.example\"]\n");
    let hears =
        |member: &str, issuer| directory.member(&MemberId::new(member).unwrap()).unwrap().hears(issuer);
    assert!(hears("nhs-lomond", "https://identity.nhs-lomond.example"));
    assert!(!hears("police-caledonia", "https://identity.nhs-lomond.example"));
    // A name is compared byte for byte.
    assert!(!hears("nhs-lomond", "https://identity.nhs-lomond.example/"));
    let faults =
        world.faults("issuers = [\"http://a.example\", \"https://a.example\", \"https://a.example\"]\n");
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].contains("not an https url") && faults[1].contains("listed twice"), "{faults:?}");
}

/// A certificate that has names of the web alone, as an NHS sub-CA makes them.
fn foreign(authority: &Authority, dns: &[&str]) -> Vec<u8> {
    forged(authority, |params| {
        params.subject_alt_names =
            dns.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
    })
}

fn by_name(system: &str, ca: &str, dns: &str) -> String {
    format!("[[member.binding]]\nsystem = \"{system}\"\nca = \"{ca}\"\ndns = \"{dns}\"\n")
}

fn by_key(system: &str, leaf: &[u8]) -> String {
    let key = Certificate::from_der(leaf).unwrap().key_digest;
    format!("[[member.binding]]\nsystem = \"{system}\"\npublic_key = \"{key}\"\n")
}

const LOMOND_CA: &str = "certs/lomond.pem";

#[test]
fn a_certificate_from_elsewhere_is_the_system_it_is_bound_to() {
    let world = World::new();
    let anchor = AnchorId(world.lomond.certificate().digest);
    let leaf = foreign(&world.lomond, &["www.trak.example", "Trak.Example"]);
    let who = |more: &str, leaf: &[u8], anchor: &AnchorId| {
        world.with(more).identity(leaf, &path(leaf, anchor)).map(|identity| identity.system().to_string())
    };
    assert_eq!(who("", &leaf, &anchor), Err(IdentityFault::NotOneName));
    let named = by_name("ed-trak", LOMOND_CA, "trak.example");
    assert_eq!(who(&named, &leaf, &anchor), Ok("nhs-lomond/ed-trak".to_owned()));
    let pinned = by_key("ed-trak", &leaf);
    assert_eq!(who(&pinned, &leaf, &anchor), Ok("nhs-lomond/ed-trak".to_owned()));
    // Another CA's word for the same name or key is nothing here.
    let police = AnchorId(world.police.certificate().digest);
    for binding in [&named, &pinned] {
        assert_eq!(who(binding, &leaf, &police), Err(IdentityFault::NotOneName));
    }
    // Names are whole: neither a wildcard nor a common name nor what is below counts.
    for names in [&["*.example"][..], &["a.trak.example"], &["example"], &[]] {
        let other = foreign(&world.lomond, names);
        assert_eq!(who(&named, &other, &anchor), Err(IdentityFault::NotOneName), "{names:?}");
    }
    // Other URIs are no names of ours, and do not hinder a binding.
    let web = forged(&world.lomond, |params| params.subject_alt_names = uris(&["https://trak.example/"]));
    assert_eq!(who(&by_key("ed-trak", &web), &web, &anchor), Ok("nhs-lomond/ed-trak".to_owned()));
}

#[test]
fn a_certificate_that_is_two_systems_is_none() {
    let world = World::new();
    let anchor = AnchorId(world.lomond.certificate().digest);
    let who = |more: &str, leaf: &[u8]| {
        world.with(more).identity(leaf, &path(leaf, &anchor)).map(|identity| identity.system().to_string())
    };
    let both = foreign(&world.lomond, &["a.example", "b.example"]);
    let bindings = by_name("one", LOMOND_CA, "a.example") + &by_name("two", LOMOND_CA, "b.example");
    assert_eq!(who(&bindings, &both), Err(IdentityFault::SeveralSystems));
    // Also two bindings to one system: which of them it was must have one answer.
    let twice = by_name("one", LOMOND_CA, "a.example") + &by_key("one", &both);
    assert_eq!(who(&twice, &both), Err(IdentityFault::SeveralSystems));
    assert_eq!(IdentityFault::SeveralSystems.code(), Code::CertificateNotAccepted);
    // A name of its own, and a binding: the same system, or none.
    let own = forged(&world.lomond, |_| {});
    assert_eq!(who(&by_key("ed-trak", &own), &own), Ok("nhs-lomond/ed-trak".to_owned()));
    assert_eq!(who(&by_key("other", &own), &own), Err(IdentityFault::SeveralSystems));
    // A binding mends no name that is wrong.
    for wrong in
        [&["spiffe://nhs-lomond.other.example/ed-trak"][..], &["SPIFFE://x"], &["spiffe:a", "spiffe:b"]]
    {
        let leaf = forged(&world.lomond, |params| params.subject_alt_names = uris(wrong));
        assert!(who(&by_key("ed-trak", &leaf), &leaf).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_ca_that_members_share_speaks_through_bindings_alone() {
    let mut world = World::new();
    let (shared, made) = Authority::create(&id("nhs", "x").domain, "NHS", 3, now()).unwrap();
    world.files.insert("conf/certs/nhs.pem".to_owned(), made.certificate);
    let anchor = AnchorId(shared.certificate().digest);
    let sharing = |police: &str, lomond: &str| {
        let text = text(&format!("shared_anchors = [\"certs/nhs.pem\"]\n{lomond}"));
        let key = "anchors = [\"certs/police.pem\"]\n";
        text.replace(key, &format!("{key}shared_anchors = [\"certs/nhs.pem\"]\n{police}"))
    };
    let bound = |system: &str, dns: &str| by_name(system, "certs/nhs.pem", dns);
    let directory =
        world.load(&sharing(&bound("room", "room.example"), &bound("ed-trak", "trak.example"))).unwrap();
    assert_eq!(directory.anchors().len(), 3, "a shared CA once");
    let who = |leaf: &[u8]| {
        directory.identity(leaf, &path(leaf, &anchor)).map(|identity| identity.system().to_string())
    };
    assert_eq!(who(&foreign(&shared, &["trak.example"])), Ok("nhs-lomond/ed-trak".to_owned()));
    assert_eq!(who(&foreign(&shared, &["room.example"])), Ok("police-caledonia/room".to_owned()));
    // It makes nobody a system by name: it could name any member's.
    assert_eq!(who(&forged(&shared, |_| {})), Err(IdentityFault::NotItsAnchor));
    // One name, two members; and a CA that is one member's own and shared.
    let both = world.load(&sharing(&bound("room", "x.example"), &bound("ed-trak", "x.example"))).unwrap_err();
    assert!(both.0[0].message.contains("bound to `police-caledonia/room` already"), "{both}");
    let own = sharing("", "").replace("\"certs/lomond.pem\"", "\"certs/lomond.pem\", \"certs/nhs.pem\"");
    assert!(world.load(&own).is_err());
    let lent = sharing("", "").replace("[\"certs/nhs.pem\"]", "[\"certs/nhs.pem\", \"certs/lomond.pem\"]");
    assert!(world.load(&lent).unwrap_err().0[0].message.contains("speak"), "{lent}");
}

#[test]
fn every_fault_of_bindings_is_told_at_once_with_its_line() {
    let world = World::new();
    let key = Digest::of(b"key");
    let more = format!(
        r#"[[member.binding]]
system = "Trak"
public_key = "{key}"
[[member.binding]]
system = "a"
[[member.binding]]
system = "a"
ca = "certs/police.pem"
dns = "a.example"
[[member.binding]]
system = "a"
ca = "certs/lomond.pem"
dns = "*.example"
[[member.binding]]
system = "a"
public_key = "sha256:12"
[[member.binding]]
system = "a"
public_key = "{key}"
[[member.binding]]
system = "b"
public_key = "{key}"
[[member.binding]]
system = "a"
ca = "certs/lomond.pem"
dns = "a.example"
public_key = "{key}"
common_name = "trak"
"#
    );
    let text = text(&more);
    let first = 1 + text.lines().take_while(|line| *line != "system = \"Trak\"").count() - 2;
    let faults = world.load(&text).unwrap_err();
    let told: Vec<(usize, &str)> =
        faults.0.iter().map(|fault| (fault.line.unwrap() - first, fault.message.as_str())).collect();
    let wanted = [
        (2, "`Trak` is not a"),
        (4, "by `ca` and `dns`, or by `public_key`"),
        (8, "`certs/police.pem` is no CA of `nhs-lomond`"),
        (13, "one whole DNS name"),
        (16, "wanted `sha256:"),
        (20, "bound to `nhs-lomond/a` already"),
        (23, "by `ca` and `dns`, or by `public_key`"),
        (28, "unknown key `common_name`"),
    ];
    assert_eq!(told.len(), wanted.len(), "{faults}");
    for (line, message) in wanted {
        assert!(
            told.iter().any(|(at, said)| *at == line && said.contains(message)),
            "{line} {message}\n{told:?}"
        );
    }
    for bad in ["a", "1.2.3.4", "-a.example", "a..example", "A.example", "a.example.", "a b.example"] {
        assert!(world.faults(&by_name("a", LOMOND_CA, bad))[0].contains("DNS name"), "{bad}");
    }
}

#[test]
fn a_list_that_was_verified_is_not_verified_again() {
    let mut world = World::new();
    let file = "conf/certs/lomond.crl";
    let more = "crl = [\"certs/lomond.crl\"]";
    assert!(world.faults(more)[0].contains("could not be read"));
    world.files.insert(file.to_owned(), world.lomond.list(1, &[]));
    let before = world.with(more);
    let again = |world: &World, before: &Directory| {
        let read = |path: &Path| {
            let found = world.files.get(path.to_str().unwrap()).map(|pem| pem.clone().into_bytes());
            found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        load("conf/members.toml", &text(more), &read, Some(before)).unwrap()
    };
    let after = again(&world, &before);
    assert!(std::sync::Arc::ptr_eq(&before.list_files[0].lists[0], &after.list_files[0].lists[0]));
    // A bad one beside: the one before stays, also as the evidence of what is in force.
    world.files.insert(file.to_owned(), "<html>".to_owned());
    let kept = again(&world, &before);
    assert_eq!((kept.digest(), kept.refused_lists().len()), (before.digest(), 1));
    assert!(world.faults(more)[0].contains("cannot be taken"), "at a start it is a fault");
    world.files.insert(file.to_owned(), world.lomond.list(2, &[]));
    assert_ne!(again(&world, &before).digest(), before.digest());
}

/// A member with two CAs, whose lists lie where `crl` says; read over and over as the files change.
struct Lists {
    world: World,
    second: Authority,
    in_force: Directory,
}

impl Lists {
    fn new() -> Self {
        let mut world = World::new();
        let (second, made) =
            Authority::create(&id("nhs-lomond", "x").domain, "NHS Lomond 2", 3, now()).unwrap();
        world.files.insert("conf/certs/second.pem".to_owned(), made.certificate);
        world.files.insert("conf/a.crl".to_owned(), world.lomond.list(5, &[]) + &second.list(5, &[]));
        let in_force = world.load(&Self::text("\"a.crl\"")).unwrap();
        Self { world, second, in_force }
    }

    fn text(crl: &str) -> String {
        let anchors = "\"certs/lomond.pem\"";
        text(&format!("crl = [{crl}]")).replace(anchors, &format!("{anchors}, \"certs/second.pem\""))
    }

    /// What was refused of a file, or of the whole; what is taken is in force from then on.
    fn put(&mut self, crl: &str, files: &[(&str, String)]) -> Vec<String> {
        for (name, text) in files {
            self.world.files.insert(format!("conf/{name}"), text.clone());
        }
        let read = |path: &Path| {
            let found = self.world.files.get(path.to_str().unwrap()).map(|text| text.clone().into_bytes());
            found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        let told = |faults: &[Fault]| faults.iter().map(|fault| fault.message.clone()).collect();
        match load("conf/members.toml", &Self::text(crl), &read, Some(&self.in_force)) {
            Ok(directory) => {
                self.in_force = directory;
                told(self.in_force.refused_lists())
            }
            Err(faults) => told(&faults.0),
        }
    }

    /// How many lists are in force of each CA, the second's last.
    fn of_each(&self) -> [usize; 2] {
        let first = |list: &ListStatus| !list.issuer.contains("NHS Lomond 2");
        let all: Vec<ListStatus> = self.in_force.lists().collect();
        [all.iter().filter(|list| first(list)).count(), all.iter().filter(|list| !first(list)).count()]
    }
}

#[test]
fn a_file_that_lost_one_of_its_lists_is_not_taken() {
    let mut lists = Lists::new();
    let (first, second) = (lists.world.lomond.list(6, &[]), lists.second.list(6, &[]));
    // The fetch of the second failed, and nobody looked.
    let refused = lists.put("\"a.crl\"", &[("a.crl", first.clone())]);
    assert!(refused[0].contains("no list of") && refused[0].contains("NHS Lomond 2"), "{refused:?}");
    assert!(refused[0].contains("until a restart, which would take this"), "{refused:?}");
    assert_eq!(lists.of_each(), [1, 1]);
    assert!(lists.put("\"a.crl\"", &[("a.crl", format!("{first}{second}"))]).is_empty());
    // A list may move to a file of its own, and back.
    let apart = [("a.crl", first.clone()), ("b.crl", second.clone())];
    assert!(lists.put("\"a.crl\", \"b.crl\"", &apart).is_empty());
    assert_eq!(lists.of_each(), [1, 1]);
    // Each lost one to nowhere or to a file that is not taken: none is missing in the end.
    let (newer, third) = (lists.second.list(7, &[]), lists.world.lomond.list(7, &[]));
    let refused = lists.put("\"a.crl\", \"b.crl\"", &[("a.crl", newer.clone()), ("b.crl", newer.clone())]);
    assert_eq!((refused.len(), lists.of_each()), (1, [1, 1]), "{refused:?}");
    assert!(lists.put("\"a.crl\", \"b.crl\"", &[("a.crl", third), ("b.crl", newer.clone())]).is_empty());
    // A CA that is the member's no more takes its list with it.
    let without = Lists::text("\"b.crl\"").replace("\"certs/lomond.pem\", ", "");
    let read = |path: &Path| Ok(lists.world.files[path.to_str().unwrap()].clone().into_bytes());
    let directory = load("conf/members.toml", &without, &read, Some(&lists.in_force)).unwrap();
    assert_eq!((directory.lists().count(), directory.refused_lists().len()), (1, 0));
    // And so does a name the host takes out.
    assert!(lists.put("\"b.crl\"", &[]).is_empty());
    assert_eq!(lists.of_each(), [0, 1]);
}

#[test]
fn a_list_under_another_name_is_no_other_list() {
    let mut lists = Lists::new();
    let second = lists.second.list(5, &[]);
    // Older, in a file that was not there before: nothing could stay in force in its place.
    let refused = lists.put("\"c.crl\"", &[("c.crl", lists.world.lomond.list(4, &[]) + &second)]);
    assert!(refused.iter().any(|why| why.contains("number is lower")), "{refused:?}");
    let refused = lists.put("\"c.crl\"", &[("c.crl", lists.world.lomond.list(5, &[]))]);
    assert!(refused[0].contains("NHS Lomond 2") && refused[0].contains("another name"), "{refused:?}");
    assert_eq!(lists.of_each(), [1, 1]);
    assert!(lists.put("\"c.crl\"", &[("c.crl", lists.world.lomond.list(5, &[]) + &second)]).is_empty());
    assert_eq!(lists.of_each(), [1, 1]);
}
