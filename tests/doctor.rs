//! `tolbooth doctor` against a real gateway and against everything that stands in a gateway's place: each
//! is named, in the step it belongs to, with one thing to do next.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use serde_json::{Value, json};
use tolbooth::cli::trial;

use support::binary::TOLBOOTH;
use support::forge;
use support::gateway::Gateway;
use support::scratch::Scratch;

/// What the doctor said.
struct Visit {
    code: Option<i32>,
    report: Value,
}

impl Visit {
    fn step(&self, name: &str) -> (&str, &str) {
        let steps = self.report["steps"].as_array().unwrap();
        let step =
            steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("{}", self.report));
        (step["result"].as_str().unwrap(), step["said"].as_str().unwrap())
    }

    /// It ended badly at this step and for this reason, named it and said what to do.
    fn is_bad(&self, name: &str, why: &str) {
        let (result, said) = self.step(name);
        assert!(result == "bad" && said.contains(why), "{name}: {}", self.report);
        assert_eq!((self.code, &self.report["result"]), (Some(1), &json!("bad")), "{}", self.report);
        assert!(self.report["next"].is_string(), "{}", self.report);
    }
}

fn visit_with(url: &str, more: &[&str], environment: &[(&str, &str)]) -> Visit {
    let mut command = Command::new(TOLBOOTH);
    for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    let ended = command
        .args(["doctor", url, "--json"])
        .args(more)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let report = serde_json::from_slice(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    Visit { code: ended.status.code(), report }
}

fn visit(url: &str, more: &[&str]) -> Visit {
    visit_with(url, more, &[])
}

fn url(gateway: &Gateway, dataset: &str) -> String {
    format!("https://localhost:{}/{dataset}", gateway.running().partners.port())
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn papers<'a>(ca: &'a Path, partner: &'a trial::Partner) -> Vec<&'a str> {
    vec!["--cacert", shown(ca), "--cert", shown(&partner.certificate), "--key", shown(&partner.key)]
}

#[test]
fn a_way_without_fault_is_green_to_the_agreement() {
    let gateway = Gateway::start("doctor");
    let (ca, nhs) = (&gateway.trial.ca, &gateway.trial.nhs);
    let found = visit(&url(&gateway, "child-protection/v1"), &papers(ca, nhs));
    assert_eq!((found.code, &found.report["next"]), (Some(0), &Value::Null), "{}", found.report);
    for step in [
        "client certificate",
        "name",
        "connection",
        "TLS",
        "server certificate",
        "accepted",
        "gateway",
        "clock",
    ] {
        assert_eq!(found.step(step).0, "ok", "{step}: {}", found.report);
    }
    assert!(found.step("client certificate").1.contains("nhs-lomond/ed-trak"));
    let (result, said) = found.step("agreement");
    assert!(result == "ok" && said.contains("glenmore-nhs-lomond-child-protection@1, 30 a minute"), "{said}");
    // To people it is lines, and no colours where no terminal is.
    let ended = Command::new(TOLBOOTH)
        .args(["doctor", &url(&gateway, "child-protection/v1")])
        .args(papers(ca, nhs))
        .env("NO_PROXY", "localhost")
        .output()
        .unwrap();
    let lines = String::from_utf8(ended.stdout).unwrap();
    assert!(
        lines.contains("ok   TLS") && lines.contains("nothing is wrong") && !lines.contains('\u{1b}'),
        "{lines}"
    );
}

#[test]
fn what_a_gateway_refuses_is_named() {
    let gateway = Gateway::start_changed("doctor-refused", |home| {
        forge::revoke(home, "police-caledonia", "speed-cameras")
    });
    let (trial, ca) = (&gateway.trial, &gateway.trial.ca);
    let child = url(&gateway, "child-protection/v1");
    let found = visit(&child, &papers(ca, &trial.police));
    found.is_bad("agreement", "police-caledonia/control-room");
    assert!(found.report["next"].as_str().unwrap().contains("officers"));
    visit(&child, &papers(ca, &trial.stranger)).is_bad("accepted", "certificate_revoked");
    visit(&child, &["--cacert", shown(ca)]).is_bad("accepted", "none was sent");
    let unknown = forge::stranger(&gateway.home, "unknown");
    visit(&child, &papers(ca, &unknown)).is_bad("accepted", "does not know the CA");
    let ended = forge::client(&gateway.home, "nhs-lomond", "ended", &KeyPair::generate().unwrap(), |leaf| {
        leaf.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    visit(&child, &papers(ca, &ended)).is_bad("client certificate", "expired at 2021-01-01");
    let swapped =
        trial::Partner { certificate: trial.nhs.certificate.clone(), key: trial.police.key.clone() };
    visit(&child, &papers(ca, &swapped)).is_bad("client certificate", "is not the key of");
    let server =
        forge::client(&gateway.home, "nhs-lomond", "server", &KeyPair::generate().unwrap(), |leaf| {
            leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        });
    visit(&child, &papers(ca, &server)).is_bad("client certificate", "not for clients");
}

#[test]
fn names_ports_and_urls_that_lead_nowhere_are_told_apart() {
    let scratch = Scratch::new("doctor-nowhere");
    let ca = Authority::new("Somebody CA").write(scratch.path(), "ca.pem");
    let ca = ["--cacert", shown(&ca)];
    visit("https://no-such-host.invalid/x/v1", &ca).is_bad("name", "no-such-host.invalid has no address");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    visit(&format!("https://{closed}"), &ca).is_bad("connection", "nothing listens there");
    let usage = Command::new(TOLBOOTH).args(["doctor", "http://localhost", ca[0], ca[1]]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let missing = visit("https://localhost", &["--cacert", "no-such-file.pem"]);
    missing.is_bad("CA certificate", "no-such-file.pem");
}

/// A CA for servers that stand in a gateway's place.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, &self.pem).unwrap();
        path
    }

    /// PEM of a server's certificate and its key, for localhost unless changed.
    fn server(&self, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A TLS server that gives every request one answer; with `clients`, those under that CA alone.
fn stand_in((certificate, key): &(String, String), clients: Option<&Path>, answer: String) -> String {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap();
    let builder = match clients {
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let config =
        builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
    let config = Arc::new(config);
    let (listener, url) = listen("https://localhost");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::StreamOwned::new(session, stream);
            let mut heard = [0; 4096];
            if tls.read(&mut heard).is_ok_and(|read| read > 0) {
                let _told = tls.write_all(answer.as_bytes());
                tls.conn.send_close_notify();
                let _flushed = tls.flush();
            }
        }
    });
    url
}

fn listen(host: &str) -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("{host}:{}/child-protection/v1", listener.local_addr().unwrap().port());
    (listener, url)
}

fn http(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

#[test]
fn what_stands_in_a_gateways_place_is_told_from_it() {
    let scratch = Scratch::new("doctor-stand-ins");
    let good = Authority::new("Good CA");
    let file = good.write(scratch.path(), "ca.pem");
    let ca = ["--cacert", shown(&file)];
    let page = || http("200 OK\r\ncontent-type: text/html", "<html>Sign in</html>");
    // An intercepting proxy: another CA, and its name is told.
    let proxy = Authority::new("Council Web Filter CA").server(|_| {});
    let found = visit(&stand_in(&proxy, None, page()), &ca);
    found.is_bad("server certificate", "Council Web Filter CA");
    assert!(found.report["next"].as_str().unwrap().contains("TLS inspection"));
    let expired = good.server(|leaf| leaf.not_after = rcgen::date_time_ymd(2021, 1, 1));
    visit(&stand_in(&expired, None, page()), &ca).is_bad("server certificate", "expired at 2021-01-01");
    let future = good.server(|leaf| leaf.not_before = rcgen::date_time_ymd(2090, 1, 1));
    visit(&stand_in(&future, None, page()), &ca).is_bad("server certificate", "begins at 2090");
    let other = good.server(|leaf| {
        leaf.subject_alt_names = vec![rcgen::SanType::DnsName("other.example".try_into().unwrap())];
    });
    visit(&stand_in(&other, None, page()), &ca)
        .is_bad("server certificate", "it is for other.example, not for localhost");
    // The right certificate, and no gateway.
    let right = good.server(|_| {});
    visit(&stand_in(&right, None, page()), &ca).is_bad("gateway", "web page");
    let elsewhere = http("302 Found\r\nlocation: https://login.example", "");
    visit(&stand_in(&right, None, elsewhere), &ca).is_bad("gateway", "sends elsewhere (302)");
    let not_found = http("404 Not Found\r\ncontent-type: application/json", "{\"code\":\"not_agreed\"}");
    visit(&stand_in(&right, None, not_found), &ca).is_bad("gateway", "without Tolbooth-Outcome");
    // A gateway behind something that ends TLS.
    let ended = http("403 Forbidden\r\ntolbooth-outcome: refused", "{\"code\":\"certificate_not_accepted\"}");
    visit(&stand_in(&right, None, ended), &ca).is_bad("accepted", "something between ends TLS");
}

#[test]
fn what_speaks_no_tls_or_an_old_one_is_named() {
    let scratch = Scratch::new("doctor-old");
    let good = Authority::new("Good CA");
    let file = good.write(scratch.path(), "ca.pem");
    let ca = ["--cacert", shown(&file)];
    let (listener, plain) = listen("https://localhost");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _heard = stream.read(&mut [0; 512]);
            let _told = stream.write_all(http("400 Bad Request", "plain HTTP").as_bytes());
        }
    });
    visit(&plain, &ca).is_bad("TLS", "does not speak TLS");
    let (certificate, key) = good.server(|_| {});
    let write = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (certificate, key) = (write("old.pem", &certificate), write("old.key", &key));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _old = Running(
        Command::new("openssl")
            .args(["s_server", "-quiet", "-tls1_2", "-accept", &port.to_string()])
            .args(["-cert", shown(&certificate), "-key", shown(&key)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    support::until("openssl listens", || {
        std::net::TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).ok()
    });
    visit(&format!("https://localhost:{port}/x/v1"), &ca).is_bad("TLS", "does not speak TLS 1.3");
    // A firewall that cuts: nothing is known but that.
    let (listener, cut) = listen("https://localhost");
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(drop));
    let found = visit(&cut, &ca);
    assert_eq!((found.code, found.step("TLS").0), (Some(3), "unsure"), "{}", found.report);
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

#[test]
fn clocks_that_are_apart_are_named_and_hide_nothing_behind_them() {
    let gateway = Gateway::start("doctor-clock");
    let scratch = Scratch::new("doctor-clock-ca");
    let good = Authority::new("Good CA");
    let file = good.write(scratch.path(), "ca.pem");
    let clients = gateway.home.join("certs/nhs-lomond-ca.pem");
    let at = |offset: i64| {
        let now = Timestamp::from_second(gateway.clock.now().as_second()).unwrap()
            + SignedDuration::from_secs(offset);
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let head = format!(
            "403 Forbidden\r\ndate: {date}\r\ntolbooth-outcome: refused\r\ncontent-type: application/problem+json"
        );
        let answer = http(&head, "{\"code\":\"not_agreed\",\"title\":\"None.\"}");
        visit(&stand_in(&good.server(|_| {}), Some(&clients), answer), &papers(&file, &gateway.trial.nhs))
    };
    let found = at(600);
    found.is_bad("clock", "this machine is ");
    assert!(found.step("clock").1.contains("behind the gateway"), "{}", found.report);
    assert!(found.report["next"].as_str().unwrap().contains("NTP"));
    assert_eq!(found.step("agreement").0, "bad");
    at(-600).is_bad("clock", "ahead of the gateway");
    assert_eq!(at(0).step("clock").0, "ok");
}

#[test]
fn proxies_are_gone_through_and_their_refusals_named() {
    let gateway = Gateway::start("doctor-proxy");
    let (trial, child) = (&gateway.trial, url(&gateway, "child-protection/v1"));
    let arguments = papers(&trial.ca, &trial.nhs);
    let through = |answer: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let _told = stream.write_all(answer.as_bytes());
                if !answer.contains(" 200 ") {
                    continue;
                }
                let to = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
                let there = std::net::TcpStream::connect(to).unwrap();
                let (mut out, mut back) = (there.try_clone().unwrap(), there);
                let mut from = stream.try_clone().unwrap();
                std::thread::spawn(move || std::io::copy(&mut from, &mut out));
                std::thread::spawn(move || std::io::copy(&mut back, &mut stream));
            }
        });
        visit_with(&child, &arguments, &[("HTTPS_PROXY", &proxy)])
    };
    let found = through("HTTP/1.1 200 Connection established\r\n\r\n");
    assert_eq!((found.code, found.step("proxy").0), (Some(0), "ok"), "{}", found.report);
    through("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").is_bad("proxy", "407");
    through("HTTP/1.1 403 Forbidden\r\n\r\n").is_bad("proxy", "(403)");
    through("SSH-2.0-x\r\n\r\n").is_bad("proxy", "no HTTP proxy");
    let around =
        visit_with(&child, &arguments, &[("HTTPS_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "localhost")]);
    assert_eq!(around.code, Some(0), "{}", around.report);
}

#[test]
fn a_token_is_looked_into_before_it_is_sent() {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let gateway = Gateway::start("doctor-token");
    let (trial, child) = (&gateway.trial, url(&gateway, "child-protection/v1"));
    let scratch = Scratch::new("doctor-tokens");
    let now = gateway.clock.now().as_second();
    let own = tolbooth::tls::Credential::load(&trial.nhs.certificate, &trial.nhs.key).unwrap();
    let bound = base64.encode(own.certificate().digest.0);
    let with = |claims: Value| {
        let token =
            format!("{}.{}.c2ln", base64.encode("{\"alg\":\"EdDSA\"}"), base64.encode(claims.to_string()));
        let file = scratch.path().join("token");
        std::fs::write(&file, format!("{token}\n")).unwrap();
        visit(&child, &[&papers(&trial.ca, &trial.nhs)[..], &["--token", shown(&file)]].concat())
    };
    with(json!({ "exp": now - 60 })).is_bad("token", "it expired at");
    with(json!({ "exp": now + 60, "nbf": now + 30 })).is_bad("token", "it begins at");
    with(json!({ "iss": "x" })).is_bad("token", "does not say when it ends");
    with(json!({ "exp": now + 60, "cnf": { "x5t#S256": "AAAA" } }))
        .is_bad("token", "bound to another certificate");
    let found = with(json!({ "iss": "https://id.example", "exp": now + 60, "cnf": { "x5t#S256": bound } }));
    let (result, said) = found.step("token");
    assert!(
        result == "ok" && said.contains("https://id.example") && said.contains("bound to this certificate"),
        "{said}"
    );
    assert!(!found.report.to_string().contains(&bound), "the token's own words are printed");
}
