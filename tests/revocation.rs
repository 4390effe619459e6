//! Who is taken out is out, also on connections that are open: by a revocation list, the deny-list, a member,
//! CA or binding that goes, or the end of a certificate. And what is done while nobody knows who is revoked.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};
use tolbooth::ledger::verify::verify_receipt;

use support::agreements::{edit, replace};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::open::Open;
use support::{binary, forge, lists, until};

const NHS: &str = "nhs-lomond";
const DIRECTORY: &str = "tolbooth_reloads_total{cause=\"directory\"}";

fn members(home: &Path) -> std::path::PathBuf {
    home.join("members.toml")
}

/// With lines in the entry of NHS Lomond, and an empty revocation list where they may name one.
fn started(name: &str, lines: &str) -> Gateway {
    Gateway::start_changed(name, |home| {
        lists::put(home, NHS, 1, &[]);
        if !lines.is_empty() {
            edit(&members(home), |text| forge::with_member(&text, NHS, lines));
        }
        // Nobody is cut off for being idle while a test waits.
        edit(&home.join("tolbooth.toml"), |text| {
            text.replace("# head_seconds_max = 10", "head_seconds_max = 120")
        });
    })
}

fn with_list(name: &str) -> Gateway {
    started(name, &lists::line(NHS))
}

fn nhs_serial(gateway: &Gateway) -> Vec<u8> {
    forge::serial(&gateway.home, NHS, "ed-trak")
}

/// Waits until the gateway has brought what was changed into force.
fn acts(gateway: &Gateway, change: impl FnOnce()) {
    let before = gateway.metric(DIRECTORY);
    change();
    until("the change is in force", || (gateway.metric(DIRECTORY) > before).then_some(()));
}

fn told(line: &mut Open) -> (u16, String) {
    let said = line.ask(CHECK, &NURSE, &asks(CHI));
    let code = said.json()["code"].as_str().unwrap_or_default().to_owned();
    (said.status, code)
}

/// That both kinds of open connection are answered, and after the change told `code`.
fn ends_on_open_connections(gateway: &Gateway, lines: &mut [Open], change: impl FnOnce(), code: &str) {
    for line in lines.iter_mut() {
        assert_eq!(told(line), (200, String::new()));
    }
    acts(gateway, change);
    let heard = gateway.system.heard().len();
    for line in lines.iter_mut() {
        assert_eq!(told(line), (403, code.to_owned()));
    }
    assert_eq!(gateway.system.heard().len(), heard, "the system behind was asked");
}

fn alarms(gateway: &Gateway, cause: &str) -> Vec<Value> {
    let all = gateway.search(json!({ "kind": "alarm" }));
    all.into_iter().filter(|found| found["envelope"]["cause"] == cause).collect()
}

#[test]
fn a_replaced_revocation_list_acts_on_open_connections() {
    let gateway = with_list("list");
    let mut lines = Open::both(&gateway.nhs());
    let serial = nhs_serial(&gateway);
    let change = || lists::put(&gateway.home, NHS, 2, &[vec![9; 16], serial]);
    ends_on_open_connections(&gateway, &mut lines, change, "certificate_revoked");
    assert_eq!(gateway.check(CHI).code(), "certificate_revoked", "on a new connection");
    // Another member's certificates are not asked about on it.
    assert_eq!(gateway.police().ask(CHECK, &NURSE, &asks(CHI)).code(), "not_agreed");
}

#[test]
fn an_entry_on_the_deny_list_acts_on_open_connections() {
    let gateway = with_list("deny");
    let mut lines = Open::both(&gateway.nhs());
    let digest = forge::digest(&gateway.home, NHS, "ed-trak");
    let change = || {
        edit(&members(&gateway.home), |text| {
            forge::with_member(&text, NHS, &format!("revoked = [\"{digest}\"]\n"))
        })
    };
    ends_on_open_connections(&gateway, &mut lines, change, "certificate_revoked");
}

#[test]
fn a_member_taken_out_is_nobody_on_open_connections() {
    let gateway = with_list("member");
    let mut lines = Open::both(&gateway.nhs());
    let change = || {
        edit(&members(&gateway.home), |text| {
            let entries: Vec<&str> = text.split("\n[[member]]").collect();
            let others = entries.into_iter().filter(|entry| !entry.contains("id = \"nhs-lomond\""));
            others.collect::<Vec<_>>().join("\n[[member]]")
        });
    };
    ends_on_open_connections(&gateway, &mut lines, change, "certificate_not_accepted");
}

#[test]
fn a_ca_taken_out_speaks_for_nobody_on_open_connections() {
    let gateway = started("ca", "");
    let mut lines = Open::both(&gateway.nhs());
    let other = forge::authority(&gateway.home, NHS);
    let change = || edit(&members(&gateway.home), |text| text.replace("certs/nhs-lomond-ca.pem", &other));
    ends_on_open_connections(&gateway, &mut lines, change, "certificate_not_accepted");
}

/// A certificate that has no name of this federation, and the line that pins its key.
fn pinned(gateway: &Gateway) -> (support::partner::Partner, String) {
    let key = KeyPair::generate().unwrap();
    let foreign = forge::client(&gateway.home, NHS, "foreign", &key, |leaf| leaf.subject_alt_names.clear());
    let pem = std::fs::read_to_string(&foreign.certificate).unwrap();
    let der = tolbooth::tls::issue::der_of(&pem).unwrap();
    let digest = tolbooth::tls::Certificate::from_der(&der).unwrap().key_digest;
    let lines = format!("[[member.binding]]\nsystem = \"ed-trak\"\npublic_key = \"{digest}\"\n");
    (gateway.partner(&foreign), lines)
}

#[test]
fn a_key_whose_binding_is_taken_out_is_nobody_on_open_connections() {
    let gateway = started("pin", "");
    let (foreign, lines) = pinned(&gateway);
    let before = std::fs::read_to_string(members(&gateway.home)).unwrap();
    let said = foreign.ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!(said.code(), "certificate_not_accepted", "not bound yet");
    // At the end of the entry: an entry's own keys come before its tables.
    acts(&gateway, || {
        let mut entries: Vec<String> = before.split("\n[[member]]").map(str::to_owned).collect();
        let entry = entries.iter_mut().find(|entry| entry.contains("id = \"nhs-lomond\"")).unwrap();
        entry.push_str(&format!("\n{lines}"));
        replace(&members(&gateway.home), entries.join("\n[[member]]").as_bytes());
    });
    let mut open = Open::both(&foreign);
    let change = || replace(&members(&gateway.home), before.as_bytes());
    ends_on_open_connections(&gateway, &mut open, change, "certificate_not_accepted");
}

#[test]
fn a_certificate_that_expires_ends_on_open_connections() {
    let gateway = started("expires", "");
    let mut lines = Open::both(&gateway.nhs());
    lines.iter_mut().for_each(|line| assert_eq!(told(line).0, 200));
    // Longer than the trial's certificates last.
    gateway.clock.shift(SignedDuration::from_hours(24 * 200));
    for line in &mut lines {
        assert_eq!(told(line), (403, "certificate_not_accepted".to_owned()));
    }
}

/// The path ends with its shortest certificate: here that of the CA between.
#[test]
fn a_sub_ca_that_expires_or_is_revoked_ends_what_it_signed() {
    let gateway = with_sub_ca("between");
    let leaf = KeyPair::generate().unwrap();
    let (partner, serial) = below(&gateway, &leaf, "below");
    let mut lines = Open::both(&gateway.partner(&partner));
    let change = || {
        let root = root(&gateway.home);
        let list = lists::signed(&root, 2, &[serial], Duration::from_secs(24 * 3600));
        replace(&gateway.home.join(lists::file(NHS)), list.as_bytes());
    };
    ends_on_open_connections(&gateway, &mut lines, change, "certificate_revoked");
    acts(&gateway, || {
        let list = lists::signed(&root(&gateway.home), 3, &[], Duration::from_secs(24 * 3600));
        replace(&gateway.home.join(lists::file(NHS)), list.as_bytes());
    });
    lines.iter_mut().for_each(|line| assert_eq!(told(line).0, 200, "the newest list counts"));
    // The CA between lasts a day, its leaf for decades.
    gateway.clock.shift(SignedDuration::from_hours(25));
    lines.iter_mut().for_each(|line| assert_eq!(told(line).1, "certificate_not_accepted"));
}

fn authority(depth: u8) -> CertificateParams {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(depth));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(rcgen::DnType::CommonName, format!("level {depth}"));
    ca
}

fn root(home: &Path) -> Issuer<'static, KeyPair> {
    let key = KeyPair::from_pem(&std::fs::read_to_string(home.join("root.key")).unwrap()).unwrap();
    Issuer::new(authority(1), key)
}

/// NHS Lomond under a CA that makes CAs.
fn with_sub_ca(name: &str) -> Gateway {
    Gateway::start_changed(name, |home| {
        let key = KeyPair::generate().unwrap();
        std::fs::write(home.join("root.key"), key.serialize_pem()).unwrap();
        std::fs::write(home.join("certs/root.pem"), authority(1).self_signed(&key).unwrap().pem()).unwrap();
        let list = lists::signed(&root(home), 1, &[], Duration::from_secs(24 * 3600));
        std::fs::write(home.join(lists::file(NHS)), list).unwrap();
        edit(&members(home), |text| {
            forge::with_member(&text, NHS, &lists::line(NHS))
                .replace("certs/nhs-lomond-ca.pem", "certs/root.pem")
        });
    })
}

/// A system under a new CA below the root, and the serial number of that CA.
fn below(gateway: &Gateway, leaf: &KeyPair, name: &str) -> (tolbooth::cli::trial::Partner, Vec<u8>) {
    let (between, key) = (vec![0x45; 16], KeyPair::generate().unwrap());
    let mut params = authority(0);
    let tomorrow = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(lists::unix() + 24 * 3600);
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), tomorrow);
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&between));
    let certificate = params.signed_by(&key, &root(&gateway.home)).unwrap();
    let issuer = Issuer::new(params, key);
    let mut own = CertificateParams::default();
    own.subject_alt_names = vec![forge::uri(forge::ED_TRAK)];
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let chain = own.signed_by(leaf, &issuer).unwrap().pem() + &certificate.pem();
    (forge::chained(&gateway.home, name, &chain, leaf), between)
}

#[test]
fn a_connection_on_which_nobody_is_known_any_more_is_closed() {
    let gateway = Gateway::start_changed("closed", |home| {
        edit(&home.join("tolbooth.toml"), |text| {
            text.replace("# head_seconds_max = 10", "head_seconds_max = 1")
        });
    });
    let mut revoked = Open::http2(&gateway.nhs());
    let mut known = Open::http2(&gateway.police());
    assert_eq!(told(&mut revoked).0, 200);
    assert_eq!(told(&mut known).1, "not_agreed");
    acts(&gateway, || forge::revoke(&gateway.home, NHS, "ed-trak"));
    until("the connection ends", || (!revoked.is_open()).then_some(()));
    assert!(known.is_open(), "a member's connection was ended");
}

/// A question that was begun before the revocation, and whose last byte comes after it.
#[test]
fn a_question_that_comes_slowly_is_judged_by_who_asks_when_it_is_there() {
    let gateway = with_list("slowly");
    let body = asks(CHI);
    let head = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntolbooth-role: ed_nurse\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (begun, rest) = body.split_at(3);
    let serial = nhs_serial(&gateway);
    let change = || {
        // It is identified before it is revoked.
        std::thread::sleep(Duration::from_millis(300));
        acts(&gateway, || lists::put(&gateway.home, NHS, 2, &[serial]));
    };
    let said = gateway.nhs().raw_in_two(format!("{head}{begun}").as_bytes(), change, rest.as_bytes());
    let said = String::from_utf8(said).unwrap();
    assert!(said.starts_with("HTTP/1.1 403") && said.contains("certificate_revoked"), "{said}");
    assert!(said.contains("tolbooth-receipt"), "it was known whose it is, so it is on the record: {said}");
    assert_eq!(gateway.system.heard().len(), 0);
}

/// A read of what is no question waits for its end as a question does, and is judged then.
#[test]
fn a_read_that_comes_slowly_is_judged_by_who_reads_when_it_is_there() {
    let gateway = with_list("slow-read");
    let serial = nhs_serial(&gateway);
    for (number, path) in [(2, "/child-protection/v1/openapi.json"), (4, "/checkpoint")] {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 1\r\n\r\n"
        );
        let change = || {
            std::thread::sleep(Duration::from_millis(300));
            acts(&gateway, || lists::put(&gateway.home, NHS, number, std::slice::from_ref(&serial)));
        };
        let said = gateway.nhs().raw_in_two(head.as_bytes(), change, b" ");
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("HTTP/1.1 403") && said.contains("certificate_revoked"), "{path}: {said}");
        acts(&gateway, || lists::put(&gateway.home, NHS, number + 1, &[]));
    }
}

/// Whoever has no agreement learns from no refusal's receipt what is here: also not from one of its certificate,
/// which comes after the path was looked at.
#[test]
fn a_revoked_strangers_receipt_does_not_say_whether_a_dataset_is_here() {
    let gateway = with_list("revoked-stranger");
    let head = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: 2\r\n\r\n{{"
        )
    };
    let told: Vec<Value> = [CHECK, "/no-such/v1/check"]
        .map(|path| {
            let stranger = gateway.partner(&gateway.trial.stranger);
            let change = || {
                std::thread::sleep(Duration::from_millis(300));
                acts(&gateway, || forge::revoke(&gateway.home, "police-caledonia", "speed-cameras"));
            };
            let said = stranger.raw_in_two(head(path).as_bytes(), change, b"}");
            let said = String::from_utf8(said).unwrap();
            assert!(said.contains("certificate_revoked"), "{said}");
            acts(&gateway, || {
                edit(&members(&gateway.home), |text| {
                    let stays = text.lines().filter(|line| !line.starts_with("revoked = "));
                    stays.fold(String::new(), |text, line| text + line + "\n")
                });
            });
            let receipt = said.lines().find_map(|line| line.strip_prefix("tolbooth-receipt: ")).unwrap();
            let report = verify_receipt(receipt, &support::ledger::key(&gateway.home), None, &[]).unwrap();
            serde_json::from_str(&report.envelope).unwrap()
        })
        .into();
    for envelope in &told {
        assert_eq!(
            (&envelope["dataset"], &envelope["operation"]),
            (&Value::Null, &Value::Null),
            "{envelope}"
        );
        assert_eq!(envelope["consumer"], "police-caledonia/speed-cameras");
    }
    // Whoever runs the gateway finds it all the same.
    let records = gateway.search(json!({ "kind": "exchange" }));
    let noted = records.iter().any(|found| found["sealed"]["note"] == "asked for child-protection/v1 check");
    assert!(noted, "{records:?}");
}

/// The members' file names a list or CA that is not there yet: it comes into force when it is.
#[test]
fn a_file_that_comes_after_the_entry_that_names_it_is_found() {
    let gateway = started("after", "");
    std::fs::remove_file(gateway.home.join(lists::file(NHS))).unwrap();
    edit(&members(&gateway.home), |text| forge::with_member(&text, NHS, &lists::line(NHS)));
    until("the fault is told", || (gateway.light("ruleset") == "amber").then_some(()));
    assert_eq!(gateway.check(CHI).status, 200);
    acts(&gateway, || lists::put(&gateway.home, NHS, 1, &[nhs_serial(&gateway)]));
    assert_eq!(gateway.check(CHI).code(), "certificate_revoked");
    until("everything is in force", || (gateway.light("ruleset") == "green").then_some(()));
}

/// CAs publish badly: a list that cannot be taken changes nothing, is told, and keeps nothing else from acting.
#[test]
fn a_list_that_cannot_be_taken_leaves_the_one_before_and_hinders_nothing() {
    let gateway = with_list("bad-list");
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    acts(&gateway, || lists::put(&gateway.home, NHS, 7, &[nhs_serial(&gateway)]));
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).code(), "certificate_revoked");
    let path = gateway.home.join(lists::file(NHS));
    let good = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8], why: &str| {
        replace(&path, bytes);
        until("it is told", || {
            let told = alarms(&gateway, "crl_refused");
            told.iter().any(|alarm| alarm["sealed"]["detail"].as_str().unwrap().contains(why)).then_some(())
        });
        until("the light is amber", || (gateway.light("revocation") == "amber").then_some(()));
        assert_eq!(gateway.local("/ready").0, 200);
        assert_eq!(gateway.check(CHI).code(), "certificate_revoked", "{why}");
    };
    refused(&good[..good.len() / 2], "not a certificate revocation list");
    let older = lists::signed(&forge::ca(&gateway.home, NHS), 6, &[], Duration::from_secs(60));
    refused(older.as_bytes(), "its number is lower");
    let police =
        lists::signed(&forge::ca(&gateway.home, "police-caledonia"), 8, &[], Duration::from_secs(60));
    refused(police.as_bytes(), "none of the member's CAs");
    std::fs::remove_file(&path).unwrap();
    until("its absence is told", || {
        let told = alarms(&gateway, "crl_refused");
        told.iter()
            .any(|alarm| alarm["sealed"]["detail"].as_str().unwrap().contains("could not be read"))
            .then_some(())
    });
    // Beside it another member's system is revoked.
    acts(&gateway, || {
        let digest = forge::digest(&gateway.home, "police-caledonia", "control-room");
        edit(&members(&gateway.home), |text| {
            forge::with_member(&text, "police-caledonia", &format!("revoked = [\"{digest}\"]\n"))
        });
    });
    assert_eq!(gateway.police().ask(CHECK, &NURSE, &asks(CHI)).code(), "certificate_revoked");
    // And the right list is taken when it comes.
    acts(&gateway, || lists::put(&gateway.home, NHS, 8, &[]));
    until("the light is green", || (gateway.light("revocation") == "green").then_some(()));
    assert_eq!(gateway.check(CHI).status, 200);
}

/// What could not be recorded is not in force, and is not forgotten either.
#[test]
fn a_list_that_could_not_be_recorded_acts_as_soon_as_it_can_be() {
    let gateway = with_list("unrecorded-list");
    assert_eq!(gateway.check(CHI).status, 200);
    let evidence = gateway.home.join("data/ledger/evidence");
    let away = gateway.home.join("data/ledger/evidence.away");
    // As on a full disk, where the journal still has the space that it took in advance.
    std::fs::rename(&evidence, &away).unwrap();
    std::fs::write(&evidence, "in the way").unwrap();
    lists::put(&gateway.home, NHS, 7, &[nhs_serial(&gateway)]);
    until("the light is red", || (gateway.light("revocation") == "red").then_some(()));
    std::fs::remove_file(&evidence).unwrap();
    std::fs::rename(&away, &evidence).unwrap();
    until("it acts", || (gateway.check(CHI).code() == "certificate_revoked").then_some(()));
    until("the light is green", || (gateway.light("revocation") == "green").then_some(()));
}

/// A typo in the members' file holds up the members' file, and not the lists of the one in force.
#[test]
fn a_list_acts_while_the_members_file_is_at_fault() {
    let gateway = with_list("typo");
    assert_eq!(gateway.check(CHI).status, 200);
    edit(&members(&gateway.home), |text| format!("{text}\ncolour = \"red\"\n"));
    acts(&gateway, || lists::put(&gateway.home, NHS, 2, &[nhs_serial(&gateway)]));
    assert_eq!(gateway.check(CHI).code(), "certificate_revoked");
}

fn expired(name: &str, rule: &str) -> Gateway {
    let rule = rule.to_owned();
    Gateway::start_changed(name, |home| {
        lists::put(home, NHS, 1, &[vec![9; 16]]);
        edit(&members(home), |text| forge::with_member(&text, NHS, &lists::line(NHS)));
        edit(&home.join("tolbooth.toml"), |text| format!("{text}\n{rule}\n"));
    })
}

/// Says whether a system under the CA of an expired list is answered.
fn once_expired(gateway: &Gateway) -> String {
    let mut line = Open::One(gateway.nhs().connect().unwrap());
    assert_eq!(told(&mut line).0, 200, "the list is current");
    gateway.clock.shift(SignedDuration::from_hours(25));
    let (_, code) = told(&mut line);
    until("the light is amber", || (gateway.light("revocation") == "amber").then_some(()));
    until("the alarm is on the record", || alarms(gateway, "crl_expired").pop());
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(alarms(gateway, "crl_expired").len(), 1, "it is told once");
    let police = gateway.police().ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!(police.code(), "not_agreed", "the list says nothing of them");
    code
}

#[test]
fn an_expired_list_is_kept_unless_told_otherwise() {
    let gateway = expired("keep", "");
    assert_eq!(once_expired(&gateway), "");
    // What it revokes stays revoked, and the deny-list goes on.
    acts(&gateway, || {
        let digest = forge::digest(&gateway.home, NHS, "ed-trak");
        edit(&members(&gateway.home), |text| {
            forge::with_member(&text, NHS, &format!("revoked = [\"{digest}\"]\n"))
        });
    });
    assert_eq!(gateway.check(CHI).code(), "certificate_revoked");
}

#[test]
fn an_expired_list_refuses_where_the_host_says_so() {
    let gateway = expired("refuse", "[revocation]\nexpired_crl = \"refuse\"");
    assert_eq!(once_expired(&gateway), "revocation_unknown");
}

#[test]
fn check_is_red_over_an_expired_list_and_a_list_that_cannot_be_taken() {
    let gateway = with_list("check");
    let check = || {
        let mut command = std::process::Command::new(binary::TOLBOOTH);
        let ran = command.args(["check", "--config"]).arg(&gateway.trial.configuration).output().unwrap();
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    assert_eq!(check().0, Some(0), "{}", check().1);
    let list = lists::signed(&forge::ca(&gateway.home, NHS), 2, &[], Duration::from_secs(1));
    replace(&gateway.home.join(lists::file(NHS)), list.as_bytes());
    std::thread::sleep(Duration::from_secs(3));
    let (code, said) = check();
    assert!(code == Some(1) && said.contains("has expired"), "{said}");
    replace(&gateway.home.join(lists::file(NHS)), b"<html>404</html>");
    let (code, said) = check();
    assert!(code == Some(1) && said.contains("not a certificate revocation list"), "{said}");
}
