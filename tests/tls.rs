//! What other implementations of TLS get from the partners' listener: one version unless the host says
//! otherwise, one profile of the older one, and no short cut past the client's certificate.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::KeyPair;
use support::agreements::edit;
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::{forge, until};

const TLS12: &str = "tolbooth_handshakes_total{version=\"1.2\",suite=\"";

fn both_versions(name: &str) -> Gateway {
    Gateway::start_changed(name, |home| {
        edit(&home.join("tolbooth.toml"), |text| text.replace("# tls12 = false", "tls12 = true"));
    })
}

/// What a command printed, on both channels; `None` where it is not installed.
fn ran(mut command: Command, input: &str) -> Option<(bool, String)> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: {command:?} is not on this machine");
        return None;
    };
    // It may have ended already.
    let _written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

fn s_client(gateway: &Gateway, more: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command
        .args(["s_client", "-connect", &gateway.running().partners.to_string(), "-servername", "localhost"])
        .arg("-CAfile")
        .arg(&gateway.trial.ca)
        .arg("-cert")
        .arg(&gateway.trial.nhs.certificate)
        .arg("-key")
        .arg(&gateway.trial.nhs.key)
        .args(more);
    command
}

/// A question whose answer ends the connection.
fn question() -> String {
    let (body, (role, nurse)) = (asks(CHI), NURSE[0]);
    format!(
        "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{role}: {nurse}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn curl(gateway: &Gateway, more: &[&str]) -> Option<(bool, String)> {
    let port = gateway.running().partners.port();
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--include", "--cacert"])
        .arg(&gateway.trial.ca)
        .arg("--cert")
        .arg(&gateway.trial.nhs.certificate)
        .arg("--key")
        .arg(&gateway.trial.nhs.key)
        .args(["-H", "content-type: application/json", "-H", "tolbooth-role: ed_nurse", "--data", &asks(CHI)])
        .args(more)
        .arg(format!("https://localhost:{port}{CHECK}"));
    ran(command, "")
}

#[test]
fn tls_1_2_is_there_only_where_the_host_says_so() {
    let old = ["--tlsv1.2", "--tls-max", "1.2"];
    let gateway = Gateway::start("only-new");
    let Some((answered, said)) = curl(&gateway, &old) else { return };
    assert!(!answered, "{said}");
    let (answered, said) = curl(&gateway, &["--tlsv1.3"]).unwrap();
    assert!(answered && said.contains(" 200"), "{said}");

    let gateway = both_versions("old-too");
    for version in [&old[..], &["--tlsv1.3"], &["--http1.1", "--tlsv1.2", "--tls-max", "1.2"]] {
        let (answered, said) = curl(&gateway, version).unwrap();
        assert!(answered && said.contains("tolbooth-outcome: answered"), "{version:?}: {said}");
    }
    // Counted by version and suite, so that a host sees when nobody needs the old one any more.
    let (_, metrics) = gateway.local("/metrics");
    let of = |start: &str| metrics.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(of(TLS12), 1, "{metrics}");
    assert_eq!(of("tolbooth_handshakes_total{version=\"1.3\""), 1, "{metrics}");
    // TLS 1.2 is no way round who somebody is.
    forge::revoke(&gateway.home, "nhs-lomond", "ed-trak");
    until("the revocation acts", || {
        let (_, said) = curl(&gateway, &old).unwrap();
        said.contains("certificate_revoked").then_some(())
    });
}

#[test]
fn tls_1_2_is_ecdhe_and_aes_gcm_or_nothing() {
    let gateway = both_versions("profile");
    let with = |suite: &str| {
        // All that OpenSSL still has, at its lowest security level.
        let suite = format!("{suite}:@SECLEVEL=0");
        ran(s_client(&gateway, &["-tls1_2", "-cipher", &suite]), "")
    };
    for suite in ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"] {
        let Some((met, said)) = with(suite) else { return };
        assert!(met && said.contains(&format!("Cipher is {suite}")), "{said}");
        assert!(said.contains("Extended master secret: yes"), "{said}");
    }
    let others = [
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA384",
        "AES128-GCM-SHA256",
        "DHE-RSA-AES128-GCM-SHA256",
        "aNULL",
        "eNULL",
        "ECDHE-ECDSA-AES128-CCM",
    ];
    for suite in others {
        let (met, said) = with(suite).unwrap();
        assert!(!met && !said.contains("BEGIN CERTIFICATE"), "{suite}: {said}");
    }
    for version in ["-tls1", "-tls1_1"] {
        let (met, said) = ran(s_client(&gateway, &[version, "-cipher", "ALL:@SECLEVEL=0"]), "").unwrap();
        assert!(!met, "{version}: {said}");
    }
}

/// RFC 7627: without it, what was proven in one session could be passed off in another.
#[test]
fn tls_1_2_without_extended_master_secret_is_refused() {
    let gateway = both_versions("no-ems");
    let configuration = gateway.home.join("openssl.cnf");
    let text = "openssl_conf = c\n[c]\nssl_conf = s\n[s]\nsystem_default = d\n[d]\nOptions = -ExtendedMasterSecret\n";
    std::fs::write(&configuration, text).unwrap();
    let mut command = s_client(&gateway, &["-tls1_2"]);
    command.env("OPENSSL_CONF", &configuration);
    let Some((met, said)) = ran(command, "") else { return };
    assert!(!met, "{said}");
    assert!(ran(s_client(&gateway, &["-tls1_2"]), "").unwrap().0, "with it, it is met");
}

#[test]
fn nothing_is_renegotiated() {
    let gateway = both_versions("renegotiate");
    // `R` on a line of its own asks OpenSSL to.
    let Some((_, said)) = ran(s_client(&gateway, &["-tls1_2"]), "R\n") else { return };
    assert!(said.contains("RENEGOTIATING"), "{said}");
    assert!(said.contains("no renegotiation") || said.contains("no_renegotiation"), "{said}");
}

/// A resumed session would skip the client's certificate, and with it whether it still counts.
#[test]
fn no_session_is_resumed() {
    let gateway = both_versions("resume");
    for version in ["-tls1_3", "-tls1_2"] {
        let session = gateway.home.join(format!("session{version}"));
        let file = session.display().to_string();
        let first = ran(s_client(&gateway, &[version, "-ign_eof", "-sess_out", &file]), &question());
        let Some((met, said)) = first else { return };
        assert!(met && said.contains("tolbooth-outcome: answered"), "{said}");
        assert!(!said.contains("New Session Ticket") && !said.contains("TLS session ticket:"), "{said}");
        if session.exists() {
            let (met, said) =
                ran(s_client(&gateway, &[version, "-ign_eof", "-sess_in", &file]), &question()).unwrap();
            assert!(met && said.contains("\nNew, TLSv1.") && !said.contains("Reused, "), "{said}");
        }
    }
}

/// Under either version, whatever OpenSSL would do with them.
#[test]
fn keys_that_are_weak_or_of_another_kind_prove_nothing() {
    let gateway = both_versions("weak-keys");
    let keys = [
        ("p521", vec!["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
        ("rsa-1024", vec!["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]),
        ("rsa-2048", vec!["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
        ("p384", vec!["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ];
    for (name, arguments) in keys {
        let file = gateway.home.join(format!("{name}.key"));
        let mut make = Command::new("openssl");
        make.arg("genpkey").args(arguments).arg("-out").arg(&file);
        let Some((true, _)) = ran(make, "") else { return };
        let partner = forge::client_of_key(&gateway.home, "nhs-lomond", name, &file);
        for version in ["-tls1_3", "-tls1_2"] {
            let mut command = Command::new("openssl");
            command.args([
                "s_client",
                "-connect",
                &gateway.running().partners.to_string(),
                version,
                "-ign_eof",
            ]);
            command.args(["-cipher", "ALL:@SECLEVEL=0", "-cert"]).arg(&partner).arg("-key").arg(&file);
            let (_, said) = ran(command, &question()).unwrap();
            let answered = said.contains("tolbooth-outcome: answered");
            assert_eq!(answered, matches!(name, "rsa-2048" | "p384"), "{name} {version}: {said}");
        }
    }
}

/// RFC 5280 section 4.2: what must be understood and is not makes the whole certificate nothing.
#[test]
fn a_critical_extension_that_nobody_knows_is_refused() {
    let gateway = Gateway::start("extension");
    for critical in [false, true] {
        let name = if critical { "critical" } else { "plain" };
        let odd = forge::client(&gateway.home, "nhs-lomond", name, &KeyPair::generate().unwrap(), |leaf| {
            let oid = [1, 3, 6, 1, 4, 1, 99999, 1];
            let mut unknown = rcgen::CustomExtension::from_oid_content(&oid, vec![5, 0]);
            unknown.set_criticality(critical);
            leaf.custom_extensions.push(unknown);
        });
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &gateway.running().partners.to_string(), "-ign_eof", "-cert"]);
        command.arg(&odd.certificate).arg("-key").arg(&odd.key);
        let Some((_, said)) = ran(command, &question()) else { return };
        assert_eq!(said.contains("tolbooth-outcome: answered"), !critical, "{said}");
    }
    assert_eq!(gateway.metric("tolbooth_handshakes_failed_total{cause=\"unsuitable\"}"), 1);
}

/// A session of another server that holds the same key: what comes early under it is never read.
#[test]
fn early_data_is_refused() {
    let gateway = Gateway::start("early");
    let Some((session, mut server)) = elsewhere(&gateway) else { return };
    let early = gateway.home.join("early");
    std::fs::write(&early, question()).unwrap();
    let arguments = ["-tls1_3", "-sess_in", &session, "-early_data", early.to_str().unwrap()];
    let (_, said) = ran(s_client(&gateway, &arguments), "").unwrap();
    assert!(said.contains("Early data was rejected"), "{said}");
    assert!(said.contains("\nNew, TLSv1.3") && !said.contains("Reused, "), "{said}");
    assert_eq!(gateway.system.heard().len(), 0, "the early question was answered");
    let _ended = server.kill();
    let _waited = server.wait();
}

/// A session file that allows early data, from OpenSSL's own server with the gateway's certificate.
fn elsewhere(gateway: &Gateway) -> Option<(String, std::process::Child)> {
    let (certificate, key) = server_files(&gateway.home);
    let spawned = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-tls1_3", "-early_data", "-max_early_data", "4096"])
        .arg("-cert")
        .arg(certificate)
        .arg("-key")
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut server) = spawned else {
        eprintln!("skipped: there is no openssl on this machine");
        return None;
    };
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.starts_with("ACCEPT ")).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    let address = line.trim_start_matches("ACCEPT ").to_owned();
    let file = gateway.home.join("session").display().to_string();
    let mut client = Command::new("openssl");
    client.args([
        "s_client",
        "-connect",
        &address,
        "-servername",
        "localhost",
        "-tls1_3",
        "-sess_out",
        &file,
    ]);
    client.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut client = client.spawn().unwrap();
    until("the session is there", || Path::new(&file).exists().then_some(()));
    drop(client.stdin.take());
    client.wait().unwrap();
    Some((file, server))
}

fn server_files(home: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let gateway = tolbooth::config::load(&home.join("tolbooth.toml")).unwrap();
    (gateway.partners.certificate, gateway.partners.key)
}
