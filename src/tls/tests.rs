//! Real handshakes over real sockets, with certificates good and bad.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::issue::{self, Authority, IssueError, Lifetime, Made};
use super::*;
use crate::model::{MemberId, Secret, SystemName};

/// Long enough for a slow machine; no test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

fn now() -> Timestamp {
    crate::clock::Clock::new().unwrap().now()
}

fn ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn id(member: &str, system: &str) -> SpiffeId {
    let domain = TrustDomain::new(MemberId::new(member).unwrap(), "caledonia.example").unwrap();
    SpiffeId { domain, system: SystemName::new(system).unwrap() }
}

/// A gateway and one partner's CA.
struct World {
    partner: Authority,
    ca: Made,
    server_ca: Made,
    own: Credential,
    server: ServerTls,
}

impl World {
    fn new() -> Self {
        let glenmore = id("glenmore", "x").domain;
        let lomond = id("nhs-lomond", "x").domain;
        let (own, server_ca) = Authority::create(&glenmore, "Glenmore Council", 3, ago(100)).unwrap();
        let (partner, ca) = Authority::create(&lomond, "NHS Lomond", 3, ago(100)).unwrap();
        let names = ["gateway.test".to_owned(), "localhost".to_owned()];
        let made = own.server(&names, &["127.0.0.1".parse().unwrap()], life(30)).unwrap();
        let anchors = [anchor(&server_ca.certificate), anchor(&ca.certificate)];
        let own = credential(&made);
        let server = ServerTls::new(&own, &anchors, false).unwrap();
        Self { partner, ca, server_ca, own, server }
    }

    /// The gateway accepts chains under these from now on.
    fn trust(&mut self, anchors: &[Anchor]) {
        self.server = ServerTls::new(&self.own, anchors, false).unwrap();
    }

    fn client(&self) -> SpiffeId {
        id("nhs-lomond", "ed-trak")
    }

    /// A handshake with our own client showing `credential`; what the gateway makes of it.
    async fn meet(&self, credential: Option<&Credential>) -> Result<PeerCertificate, HandshakeFault> {
        let client = ClientTls::new(self.server_ca.certificate.as_bytes(), credential).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asks = async {
            let tcp = TcpStream::connect(address).await.unwrap();
            let Ok(mut stream) = client.connect("gateway.test", tcp).await else { return };
            // The server's verdict comes after the client's handshake is done.
            let _ = stream.write_all(b"?").await;
            let _ = stream.read(&mut [0; 1]).await;
            assert_eq!(stream.get_ref().1.tls13_tickets_received(), 0, "a session ticket was issued");
        };
        let answers = async {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut connection = self.server.accept(tcp, PATIENCE).await?;
            assert!(!connection.http2);
            let _ = connection.stream.read(&mut [0; 1]).await;
            connection.stream.write_all(b"!").await.unwrap();
            connection.stream.shutdown().await.unwrap();
            Ok(connection.peer)
        };
        tokio::join!(asks, answers).1
    }

    async fn refuses(&self, credential: &Credential) -> HandshakeFault {
        self.meet(Some(credential)).await.unwrap_err()
    }

    /// The partner's certificate with something changed.
    fn forged(&self, change: impl FnOnce(&mut CertificateParams)) -> Credential {
        let key = KeyPair::generate().unwrap();
        let pem = self.partner.forge(&self.client(), &key, life(30), change);
        credential(&Made { certificate: pem, key: key.serialize_pem().into() })
    }
}

fn life(days: u32) -> Lifetime {
    Lifetime { now: now(), days }
}

fn anchor(pem: &str) -> Anchor {
    Anchor::from_der(&issue::der_of(pem).unwrap()).unwrap()
}

fn credential(made: &Made) -> Credential {
    Credential::from_pem(("c.pem", made.certificate.as_bytes()), ("c.key", made.key.as_bytes())).unwrap()
}

/// A folder of its own that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tolbooth-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a program printed on standard output, or `None` if it is not installed.
fn run(program: &str, args: &[&str]) -> Option<(bool, Vec<u8>)> {
    let mut command = Command::new(program);
    let output = command.args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    Some((output.status.success(), output.stdout))
}

#[tokio::test]
async fn a_good_client_is_known_with_its_anchor_each_time() {
    let world = World::new();
    let made = world.partner.client(&world.client(), life(30)).unwrap();
    let own = credential(&made);
    for _ in 0..2 {
        let peer = world.meet(Some(&own)).await.unwrap();
        assert_eq!(peer.path().anchor(), anchor(&world.ca.certificate).id());
        assert_eq!(peer.leaf(), issue::der_of(&made.certificate).unwrap());
    }
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused() {
    let world = World::new();
    let id = world.client();
    let past = world.partner.client(&id, Lifetime { now: ago(40), days: 30 }).unwrap();
    assert_eq!(world.refuses(&credential(&past)).await, HandshakeFault::Expired);
    let future = world.partner.client(&id, Lifetime { now: ago(-10), days: 30 }).unwrap();
    assert_eq!(world.refuses(&credential(&future)).await, HandshakeFault::NotYetValid);
}

#[tokio::test]
async fn an_expired_ca_vouches_for_nobody() {
    let mut world = World::new();
    let (old, ca) = Authority::create(&world.client().domain, "NHS Lomond", 1, ago(400)).unwrap();
    let honest = old.client(&world.client(), life(30)).unwrap_err();
    assert!(matches!(honest, IssueError::OutlastsCa(_)));
    // A certificate that pretends to last longer than its CA does.
    let end = world.partner.certificate().not_after.as_second();
    let key = KeyPair::generate().unwrap();
    let pem = old.forge(&world.client(), &key, Lifetime { now: ago(380), days: 10 }, |params| {
        params.not_after = x509_parser::time::ASN1Time::from_timestamp(end).unwrap().to_datetime();
    });
    let leaf = credential(&Made { certificate: pem, key: key.serialize_pem().into() });
    world.trust(&[anchor(&ca.certificate)]);
    assert_eq!(world.refuses(&leaf).await, HandshakeFault::Expired);
}

#[tokio::test]
async fn another_members_ca_is_told_apart_by_its_anchor() {
    let mut world = World::new();
    let (police, ca) = Authority::create(&id("police-caledonia", "x").domain, "Police", 3, ago(1)).unwrap();
    world.trust(&[anchor(&world.ca.certificate), anchor(&ca.certificate)]);
    let claims = police.client(&world.client(), life(30)).unwrap();
    let peer = world.meet(Some(&credential(&claims))).await.unwrap();
    assert_eq!(peer.path().anchor(), anchor(&ca.certificate).id());
    // What the certificate names is not judged here: none and several pass too.
    let none = world.forged(|params| params.subject_alt_names.clear());
    assert!(world.meet(Some(&none)).await.is_ok());
    let twice = world.forged(|params| params.subject_alt_names.extend(params.subject_alt_names.clone()));
    assert!(world.meet(Some(&twice)).await.is_ok());
}

#[tokio::test]
async fn a_ca_below_a_ca_leads_to_the_anchor_above() {
    let mut world = World::new();
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.distinguished_name.push(rcgen::DnType::CommonName, "Health Root");
    root.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let root = Authority::open(root_pem.as_bytes(), root_key.serialize_pem().as_bytes()).unwrap();
    let middle_key = KeyPair::generate().unwrap();
    let middle_pem = root.forge(&world.client(), &middle_key, life(60), |params| {
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        params.extended_key_usages.clear();
    });
    let middle = Authority::open(middle_pem.as_bytes(), middle_key.serialize_pem().as_bytes()).unwrap();
    world.trust(&[anchor(&root_pem)]);
    let mut leaf = middle.client(&world.client(), life(30)).unwrap();
    assert_eq!(world.refuses(&credential(&leaf)).await, HandshakeFault::UnknownIssuer);
    leaf.certificate.push_str(&middle_pem);
    let peer = world.meet(Some(&credential(&leaf))).await.unwrap();
    assert_eq!(peer.path().anchor(), anchor(&root_pem).id());
    for _ in 0..4 {
        leaf.certificate.push_str(&middle_pem);
    }
    assert_eq!(world.refuses(&credential(&leaf)).await, HandshakeFault::UnknownIssuer, "a chain too long");
}

#[tokio::test]
async fn a_stranger_is_refused() {
    let world = World::new();
    assert_eq!(world.meet(None).await.unwrap_err(), HandshakeFault::NoCertificate);
    // A CA of the same name with another key, and a certificate that vouches for itself.
    let (impostor, _) = Authority::create(&world.client().domain, "NHS Lomond", 3, ago(1)).unwrap();
    let forged = impostor.client(&world.client(), life(30)).unwrap();
    assert_eq!(world.refuses(&credential(&forged)).await, HandshakeFault::UnknownIssuer);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = vec![SanType::URI(world.client().to_string().try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let own = params.self_signed(&key).unwrap().pem();
    let own = credential(&Made { certificate: own, key: key.serialize_pem().into() });
    assert_eq!(world.refuses(&own).await, HandshakeFault::UnknownIssuer);
}

#[tokio::test]
async fn a_certificate_for_something_else_is_refused() {
    let world = World::new();
    let ca = world.forged(|params| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    assert_eq!(world.refuses(&ca).await, HandshakeFault::Unsuitable);
    let server = world.forged(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(world.refuses(&server).await, HandshakeFault::Unsuitable);
    let nothing = world.forged(|params| params.extended_key_usages.clear());
    assert_eq!(world.refuses(&nothing).await, HandshakeFault::Unsuitable);
    assert_eq!(world.refuses(&credential(&world.ca)).await, HandshakeFault::Unsuitable);
}

#[tokio::test]
async fn a_leaf_cannot_issue_further() {
    let world = World::new();
    let middle = KeyPair::generate().unwrap();
    let middle_pem = world.partner.forge(&world.client(), &middle, life(30), |_| {});
    let middle = Authority::open(middle_pem.as_bytes(), middle.serialize_pem().as_bytes());
    assert_eq!(middle.unwrap_err(), IssueError::NotCa);
    // The member's CA may issue no CA below it either (path length 0).
    let sub = KeyPair::generate().unwrap();
    let sub_pem = world.partner.forge(&world.client(), &sub, life(60), |params| {
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.extended_key_usages.clear();
    });
    let sub = Authority::open(sub_pem.as_bytes(), sub.serialize_pem().as_bytes()).unwrap();
    let mut leaf = sub.client(&world.client(), life(30)).unwrap();
    leaf.certificate.push_str(&sub_pem);
    assert_eq!(world.refuses(&credential(&leaf)).await, HandshakeFault::Unsuitable);
}

#[tokio::test]
async fn every_key_kind_that_is_promised_is_accepted() {
    let world = World::new();
    let kinds = [
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
        KeyPair::generate_for(&rcgen::PKCS_ED25519),
        KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048),
    ];
    for key in kinds {
        let key = key.unwrap();
        let pem = world.partner.forge(&world.client(), &key, life(30), |_| {});
        let kind = Certificate::from_der(&issue::der_of(&pem).unwrap()).unwrap().key;
        let own = credential(&Made { certificate: pem, key: key.serialize_pem().into() });
        assert!(world.meet(Some(&own)).await.is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_left() {
    let world = World::new();
    let (near, _far) = tokio::io::duplex(64);
    let fault = world.server.accept(near, Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(fault, HandshakeFault::Timeout);
    let fault =
        world.server.accept(tokio::io::join(&b"GET / HTTP/1.1\r\n\r\n"[..], tokio::io::sink()), PATIENCE);
    assert_eq!(fault.await.unwrap_err(), HandshakeFault::Protocol);
    let fault = world.server.accept(tokio::io::join(tokio::io::empty(), tokio::io::sink()), PATIENCE);
    assert_eq!(fault.await.unwrap_err(), HandshakeFault::Other);
}

/// Runs a foreign client against the gateway; what the gateway makes of it, and what the client
/// printed. `None` if the client is not installed.
async fn foreign(
    world: &World,
    program: &'static str,
    args: impl FnOnce(u16) -> Vec<String>,
) -> Option<(Result<PeerCertificate, HandshakeFault>, Vec<u8>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let args = args(listener.local_addr().unwrap().port());
    run(program, &["version"])?;
    let client = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(program, &args)
    });
    let (tcp, _) = listener.accept().await.unwrap();
    let verdict = match world.server.accept(tcp, PATIENCE).await {
        Ok(mut connection) => {
            let mut head = [0; 1024];
            let _ = connection.stream.read(&mut head).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
            let _ = connection.stream.write_all(answer).await;
            let _ = connection.stream.shutdown().await;
            Ok(connection.peer)
        }
        Err(fault) => Err(fault),
    };
    Some((verdict, client.await.unwrap()?.1))
}

fn openssl_client(port: u16, more: &[&str]) -> Vec<String> {
    let mut args = vec!["s_client".to_owned(), "-connect".to_owned(), format!("127.0.0.1:{port}")];
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    args
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let world = World::new();
    let scratch = Scratch::new("tls12");
    let made = world.partner.client(&world.client(), life(30)).unwrap();
    let cert = scratch.write("c.pem", &made.certificate);
    let key = scratch.write("c.key", made.key.as_bytes());
    let more = ["-cert", &cert, "-key", &key];
    let with = |version: &'static str| {
        let more = more.map(str::to_owned);
        move |port| {
            let mut args = openssl_client(port, &[version]);
            args.extend(more);
            args
        }
    };
    let Some((old, _)) = foreign(&world, "openssl", with("-tls1_2")).await else { return };
    assert_eq!(old.unwrap_err(), HandshakeFault::Protocol);
    let (new, _) = foreign(&world, "openssl", with("-tls1_3")).await.unwrap();
    assert!(new.is_ok());
}

#[tokio::test]
async fn an_rsa_key_of_1024_bits_is_refused_everywhere() {
    let world = World::new();
    let scratch = Scratch::new("rsa1024");
    let key = scratch.path("weak.key");
    let request = scratch.path("weak.csr");
    let Some((true, _)) = run("openssl", &["genrsa", "-out", &key, "1024"]) else { return };
    run("openssl", &["req", "-new", "-key", &key, "-subj", "/CN=weak", "-out", &request]);
    let asked = std::fs::read(&request).unwrap();
    let refused = world.partner.sign(&asked, &world.client(), life(30)).unwrap_err();
    assert_eq!(refused, IssueError::WeakKey(KeyKind::Rsa(1024)));

    // A careless CA signs it all the same.
    let (_, public) = run("openssl", &["pkey", "-in", &key, "-pubout"]).unwrap();
    let public = rcgen::SubjectPublicKeyInfo::from_pem(std::str::from_utf8(&public).unwrap()).unwrap();
    let pem = world.partner.forge(&world.client(), &public, life(30), |_| {});
    let cert = scratch.write("weak.pem", pem);
    let (verdict, _) = foreign(&world, "openssl", |port| {
        let weak =
            ["-cipher", "DEFAULT@SECLEVEL=0", "-sigalgs", "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256"];
        let mut args = openssl_client(port, &["-cert", &cert, "-key", &key]);
        args.extend(weak.map(str::to_owned));
        args
    })
    .await
    .unwrap();
    assert_eq!(verdict.unwrap_err(), HandshakeFault::Unsuitable);
}

#[tokio::test]
async fn plain_curl_works() {
    let world = World::new();
    let scratch = Scratch::new("curl");
    let made = world.partner.client(&world.client(), life(30)).unwrap();
    let cert = scratch.write("c.pem", &made.certificate);
    let key = scratch.write("c.key", made.key.as_bytes());
    let ca = scratch.write("ca.pem", &world.server_ca.certificate);
    let asked = foreign(&world, "curl", |port| {
        let url = format!("https://127.0.0.1:{port}/");
        let args = ["-sS", "--http1.1", "--cert", &cert, "--key", &key, "--cacert", &ca, &url];
        args.map(str::to_owned).to_vec()
    });
    let Some((verdict, printed)) = asked.await else { return };
    assert!(verdict.is_ok());
    assert_eq!(printed, b"hello\n");
}

#[test]
fn a_request_gets_its_key_certified_and_nothing_else_it_asks_for() {
    let world = World::new();
    let scratch = Scratch::new("csr");
    let key = scratch.path("own.key");
    let request = scratch.path("own.csr");
    let new = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha384"];
    let rest = ["-keyout", &key, "-subj", "/CN=Administrator", "-out", &request];
    let asks =
        ["-addext", "subjectAltName=URI:spiffe://police-caledonia.caledonia.example/root,DNS:evil.test"];
    let more = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "nsComment=hello"];
    let args: Vec<&str> = new.into_iter().chain(rest).chain(asks).chain(more).collect();
    if run("openssl", &args).is_none() {
        return;
    }
    let asked = std::fs::read(&request).unwrap();
    let life = Lifetime { now: now(), days: 30 };
    let pem = world.partner.sign(&asked, &world.client(), life).unwrap();
    let made = Certificate::from_der(&issue::der_of(&pem).unwrap()).unwrap();
    assert_eq!(made.uris, ["spiffe://nhs-lomond.caledonia.example/ed-trak"]);
    assert!(made.dns.is_empty() && !made.is_ca && made.client_auth && !made.server_auth);
    assert!(!made.subject.contains("Administrator"));
    assert_eq!(made.key_digest, issue::key_digest(&std::fs::read(&key).unwrap()).unwrap());
    assert_eq!(made.days_left(life.now), 30);

    // Its signature changed: whoever sends it need not hold the key.
    let der = pem::request(&asked).unwrap();
    let mut broken = der.to_vec();
    *broken.last_mut().unwrap() ^= 1;
    let text = scratch.write("broken.der", &broken);
    let broken = run("openssl", &["req", "-inform", "DER", "-in", &text]).unwrap().1;
    let refused = world.partner.sign(&broken, &world.client(), life).unwrap_err();
    assert_eq!(refused, IssueError::Possession);
}

#[test]
fn nothing_lasts_too_long() {
    let world = World::new();
    for days in [0, issue::LEAF_DAYS_MAX + 1] {
        assert_eq!(world.partner.client(&world.client(), life(days)).unwrap_err(), IssueError::TooLong);
    }
    let domain = world.client().domain;
    for years in [0, issue::CA_YEARS_MAX + 1] {
        assert_eq!(Authority::create(&domain, "x", years, now()).unwrap_err(), IssueError::TooLong);
    }
}

#[test]
fn a_ca_opens_with_its_own_key_and_knows_its_member() {
    let world = World::new();
    let ca = &world.ca;
    let again = Authority::open(ca.certificate.as_bytes(), ca.key.as_bytes()).unwrap();
    assert_eq!(again.domain().unwrap().to_string(), "nhs-lomond.caledonia.example");
    let other = Authority::open(ca.certificate.as_bytes(), world.server_ca.key.as_bytes());
    assert_eq!(other.unwrap_err(), IssueError::KeyMismatch);
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let world = World::new();
    let a = world.partner.client(&world.client(), life(30)).unwrap();
    let b = world.partner.client(&world.client(), life(30)).unwrap();
    let mixed = credential(&Made { certificate: a.certificate, key: b.key });
    assert_eq!(ServerTls::new(&mixed, &[], false).unwrap_err(), TlsError::KeyMismatch);
}

#[test]
fn pem_faults_name_the_file_and_what_was_wanted() {
    let faults = Credential::from_pem(("a.pem", b"hello"), ("a.key", b"")).unwrap_err();
    let shown: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
    assert!(shown[0].starts_with("a.pem: no certificate was found"), "{shown:?}");
    assert!(shown[1].starts_with("a.key: no private key was found"), "{shown:?}");
    let world = World::new();
    let both = format!("{}{}", world.ca.certificate, &*world.ca.key);
    assert_eq!(certificates(both.as_bytes()), Err(PemError::UnexpectedKey));
}

#[test]
fn a_pkcs12_file_opens_with_its_password_alone() {
    let world = World::new();
    let made = world.partner.client(&world.client(), life(30)).unwrap();
    let (cert, key) = (made.certificate.as_bytes(), made.key.as_bytes());
    let ca = Some(world.ca.certificate.as_bytes());
    let short = pkcs12::export("ed-trak", cert, key, ca, &Secret::new("short".to_owned()));
    assert_eq!(short, Err(pkcs12::Pkcs12Error::Password));
    let other = world.ca.key.as_bytes();
    let password = Secret::new("correct horse".to_owned());
    let mixed = pkcs12::export("ed-trak", cert, other, ca, &password);
    assert_eq!(mixed, Err(pkcs12::Pkcs12Error::KeyMismatch));

    let scratch = Scratch::new("p12");
    let file = scratch.write("c.p12", pkcs12::export("ed-trak", cert, key, ca, &password).unwrap());
    let open = |password: &str| {
        let password = format!("pass:{password}");
        run("openssl", &["pkcs12", "-in", &file, "-nodes", "-passin", &password])
    };
    let Some((opened, printed)) = open("correct horse") else { return };
    assert!(opened);
    let printed = String::from_utf8(printed).unwrap();
    assert_eq!(printed.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(printed.matches("BEGIN PRIVATE KEY").count(), 1);
    assert!(!open("wrong horse").unwrap().0);
}

#[test]
fn a_remembered_chain_ends_with_its_certificates() {
    use rustls::pki_types::{CertificateDer, UnixTime};
    let world = World::new();
    let made = world.partner.client(&world.client(), life(30)).unwrap();
    let chain = [CertificateDer::from(issue::der_of(&made.certificate).unwrap())];
    let verifier = verifier::ClientVerifier::new(&[anchor(&world.ca.certificate)], false);
    let at = |days: i64| {
        let seconds = u64::try_from(ago(-days).as_second()).unwrap();
        verifier.path(&chain, UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    };
    assert!(at(0).is_ok());
    assert_eq!(at(31).unwrap_err(), rustls::CertificateError::Expired.into());
    assert_eq!(at(-1).unwrap_err(), rustls::CertificateError::NotValidYet.into());
    assert!(at(29).is_ok());
}
