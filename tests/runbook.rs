//! `docs/runbook.md`, run as it stands: each command out of the page, in the situation its section is for, and
//! each message where the product says it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::SignedDuration;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use support::agreements::{self, CHILD, edit};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::served::Served;
use support::site::{Site, run};
use support::until;
use tolbooth::{app, config};

const PAGE: &str = include_str!("../docs/runbook.md");

/// A section of the page.
struct Section {
    title: &'static str,
    text: &'static str,
    /// Blocks of commands that were run.
    run: usize,
}

impl Section {
    fn of(title: &'static str) -> Self {
        let heading = format!("\n## {title}\n");
        let (_, from) = PAGE.split_once(&heading).unwrap_or_else(|| panic!("the page lost `{title}`"));
        Self { title, text: from.split("\n## ").next().unwrap(), run: 0 }
    }

    fn blocks(&self, kind: &str) -> Vec<&'static str> {
        let fence = format!("```{kind}\n");
        self.text.split(fence.as_str()).skip(1).map(|from| from.split("```").next().unwrap()).collect()
    }

    /// Whether what was said is what the page shows; `…` stands for anything.
    fn says(&self, place: usize, said: &str) {
        let shown = self.blocks("text")[place].trim();
        let mut rest = said;
        for part in shown.split('…').map(str::trim) {
            let (_, after) =
                rest.split_once(part).unwrap_or_else(|| panic!("{}: `{part}` is not in {said}", self.title));
            rest = after;
        }
    }

    /// Runs the next block of commands in the gateway's folder, with the built `tolbooth`, and gives what each
    /// said. A command says how it ends if not with 0.
    fn commands(&mut self, home: &Path) -> Vec<String> {
        let block = self.blocks("sh")[self.run];
        self.run += 1;
        block.lines().map(|line| command(home, line)).collect()
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        // No command of a section is left out.
        if !std::thread::panicking() {
            assert_eq!(self.run, self.blocks("sh").len(), "{}: blocks that were not run", self.title);
        }
    }
}

fn command(home: &Path, line: &str) -> String {
    let ends_with: i32 = line.split_once("# ends with ").map_or(0, |(_, code)| code.trim().parse().unwrap());
    let built = Path::new(env!("CARGO_BIN_EXE_tolbooth")).parent().unwrap();
    // Every other word of the line is run as it stands on the page.
    let script = format!("PATH=\"{}:$PATH\"; {line}", built.display());
    let ran = Command::new("sh").args(["-c", &script]).current_dir(home).output().unwrap();
    let said = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
    assert_eq!(ran.status.code(), Some(ends_with), "{line}: {said}");
    said
}

/// A gateway with the anchor the page speaks of, and a backup where the page has it.
fn gateway(name: &str) -> Gateway {
    let gateway = Gateway::start_changed(name, |home| {
        std::fs::create_dir_all(home.join("../outside")).unwrap();
        let file = home.join("tolbooth.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{text}\n[ledger]\nsegment_mib = 1\nanchor = \"../outside/anchor\"\n"))
            .unwrap();
    });
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    Section::of("Before anything happens").commands(&gateway.home);
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    gateway
}

fn why_it_does_not_start(gateway: &Gateway) -> String {
    let configuration = config::load(&gateway.trial.configuration).unwrap();
    app::start(configuration, gateway.clock.clone()).err().unwrap().to_string()
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

fn ready(gateway: &Gateway, part: &str) -> String {
    until("readiness says it", || Some(gateway.local("/ready").1).filter(|said| said.contains(part)))
}

#[test]
fn every_section_is_walked() {
    let source = include_str!("runbook.rs");
    for title in PAGE.lines().filter_map(|line| line.strip_prefix("## ")) {
        assert!(source.contains(&format!("Section::of(\"{title}\")")), "nobody walks `{title}`");
    }
}

#[test]
fn something_has_to_stop_now() {
    let gateway = gateway("runbook-stop");
    let mut section = Section::of("Something has to stop now");
    let said = section.commands(&gateway.home);
    section.says(0, &said[1]);
    let told = gateway.check(CHI);
    assert_eq!(
        (told.code().as_str(), told.json()["detail"].as_str()),
        ("stopped", Some("We look into a fault."))
    );
    section.commands(&gateway.home);
    assert_eq!(gateway.check(CHI).outcome(), "answered");
}

#[test]
fn another_gateway_runs() {
    let site = Site::new("runbook-locked");
    let served = Served::start(&site);
    let mut section = Section::of("The gateway does not start: another runs");
    section.says(0, &run(&site.home, &["serve"]).err);
    section.commands(&site.home);
    served.kill();
    // There is no lock file to remove.
    Served::start(&site).kill();
}

#[test]
fn an_older_copy_was_put_back() {
    let mut gateway = gateway("runbook-older");
    let (data, older) = (gateway.home.join("data"), gateway.home.join("data.older"));
    gateway.stop();
    copy(&data, &older);
    gateway.restart();
    gateway.check(CHI);
    gateway.stop();
    std::fs::rename(&data, gateway.home.join("data.newest")).unwrap();
    std::fs::rename(&older, &data).unwrap();
    let mut section = Section::of("The gateway does not start: an older copy was put back");
    section.says(0, &why_it_does_not_start(&gateway));
    std::fs::rename(&data, &older).unwrap();
    section.says(1, &why_it_does_not_start(&gateway));
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&older, &data).unwrap();
    let restored = section.commands(&gateway.home).concat();
    assert!(restored.contains("are lost, and the new log says so"), "{restored}");
    gateway.restart();
    let said = section.commands(&gateway.home);
    assert!(said[0].contains("after the earlier log"), "{said:?}");
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    // Whom the old log is about is still found.
    let names = gateway.running().app.ledger.earlier().unwrap();
    let words = ["ledger", "search", "--purpose", "x", "--subject", "chi", "--log", &names[0].log];
    let found = support::site::run_with_input(&gateway.home, &words, CHI);
    assert_eq!(found.code, Some(0), "{found:?}");
}

#[test]
fn the_ledger_is_damaged() {
    let mut gateway = gateway("runbook-damaged");
    gateway.stop();
    let segment = gateway.home.join("data/ledger/journal/00000001.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[400] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let mut section = Section::of("The ledger is damaged");
    section.says(0, &why_it_does_not_start(&gateway));
    let said = section.commands(&gateway.home).concat();
    assert!(said.contains("segment 1: "), "{said}");
    section.commands(&gateway.home);
    gateway.restart();
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    assert_eq!(run(&gateway.home, &["ledger", "verify", "data/ledger"]).code, Some(0));
}

#[test]
fn the_disk_is_full() {
    let mut gateway = gateway("runbook-full");
    let mut section = Section::of("The disk is full");
    gateway.stop();
    let data = gateway.home.join("data");
    let options = ["-t", "tmpfs", "-o", "size=8m", "tolbooth-runbook"];
    let kept = gateway.home.join("data.kept");
    std::fs::rename(&data, &kept).unwrap();
    std::fs::create_dir(&data).unwrap();
    let mounted = Command::new("mount").args(options).arg(&data).output();
    let mounted = mounted.is_ok_and(|output| output.status.success());
    let _unmount = Unmount(data.clone(), mounted);
    assert!(Command::new("cp").arg("-a").arg(kept.join(".")).arg(&data).status().unwrap().success());
    gateway.restart();
    if mounted {
        // Until the segment made in advance is used up too.
        let filler = "x".repeat(6 << 20);
        let written = std::fs::write(data.join("filler"), &filler);
        let _partly = written.err();
        let ledger = gateway.running().app.ledger.clone();
        until("the journal is full", || {
            let detail = Some("x".repeat(8000));
            let alarm =
                tolbooth::ledger::Alarm { cause: "drift", dataset: None, detail, dropped: Vec::new() };
            ledger.append_blocking(tolbooth::ledger::Record::Alarm(alarm)).err()
        });
        section.says(0, &ready(&gateway, "no disk space"));
    } else {
        eprintln!("SKIPPED: a full disk, since a tmpfs cannot be mounted here");
        assert!(include_str!("../src/app/watch.rs").contains(section.blocks("text")[0].trim()));
    }
    std::fs::create_dir_all(data.join("store")).unwrap();
    section.commands(&gateway.home);
    section.commands(&gateway.home);
    if mounted {
        std::fs::remove_file(data.join("filler")).unwrap();
        until("it answers by itself", || (gateway.check(CHI).outcome() == "answered").then_some(()));
    }
    gateway.stop();
}

struct Unmount(PathBuf, bool);

impl Drop for Unmount {
    fn drop(&mut self) {
        if self.1 {
            let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        }
    }
}

#[test]
fn the_clock_is_wrong() {
    let gateway = gateway("runbook-clock");
    let mut section = Section::of("The clock is wrong");
    gateway.clock.shift(SignedDuration::from_hours(2));
    section.says(0, &ready(&gateway, "was stepped"));
    gateway.check(CHI);
    gateway.clock.shift(SignedDuration::from_hours(-3));
    section.says(1, &ready(&gateway, "behind the last record"));
    section.commands(&gateway.home);
}

#[test]
fn the_power_went() {
    let site = Site::new("runbook-power");
    let served = Served::start(&site);
    let said = served.nhs(&site).ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!(said.outcome(), "answered");
    served.kill();
    // What a power cut leaves of a batch: its beginning.
    let segment = site.journal().join("00000001.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let at = (end + 1).next_multiple_of(8);
    bytes[at] = 200;
    std::fs::write(&segment, bytes).unwrap();
    let mut section = Section::of("The power went");
    let served = Served::start(&site);
    let log: Vec<String> = served.log().iter().map(ToString::to_string).collect();
    section.says(0, &log.concat());
    section.commands(&site.home);
    std::fs::write(site.home.join("receipt"), said.header("tolbooth-receipt")).unwrap();
    let verified = run(&site.home, &["ledger", "verify", "data/ledger", "--against", "receipt"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn the_index_is_damaged() {
    let gateway = gateway("runbook-index");
    std::fs::create_dir_all(gateway.home.join("data/store")).unwrap();
    std::fs::write(gateway.home.join("data/store/db"), "no store").unwrap();
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    Section::of("The index is damaged").commands(&gateway.home);
}

#[test]
fn the_configuration_does_not_read() {
    let mut section = Section::of("The configuration does not read");
    let gateway = gateway("runbook-configuration");
    let path = gateway.home.join("tolbooth.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    edit(&path, |text| format!("{text}\n[porridge]\n"));
    section.says(0, &ready(&gateway, "will not start again"));
    std::fs::write(&path, good).unwrap();
    section.commands(&gateway.home);
    until("the light is green", || (gateway.light("configuration") == "green").then_some(()));
}

#[test]
fn a_certificate_has_ended() {
    let gateway = gateway("runbook-certificate");
    let certificate = gateway.home.join("certs/server.pem");
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2020, 2, 1);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    std::fs::write(&certificate, &pem).unwrap();
    std::fs::write(gateway.home.join("certs/server.key"), key.serialize_pem()).unwrap();
    let mut section = Section::of("A certificate has ended");
    let said = section.commands(&gateway.home);
    section.says(0, &said[0]);
    section.commands(&gateway.home);
    assert_ne!(std::fs::read_to_string(&certificate).unwrap(), pem);
    until("it is taken up", || gateway.nhs().connect().ok());
    assert_eq!(gateway.check(CHI).outcome(), "answered");
}

#[test]
fn a_key_was_lost_or_stolen() {
    let mut gateway = gateway("runbook-key");
    let mut section = Section::of("A key was lost or stolen");
    let public = || std::fs::read_to_string(gateway.home.join("data/keys/ledger.vkey")).unwrap();
    let before = public();
    section.commands(&gateway.home);
    let home = gateway.home.clone();
    gateway.stop();
    // What was recorded as it stopped is in the anchor, and not in the backup.
    let restored = section.commands(&home).concat();
    assert!(restored.contains("records of"), "{restored}");
    gateway.restart();
    let after = std::fs::read_to_string(home.join("data/keys/ledger.vkey")).unwrap();
    assert_ne!(after, before);
    assert_eq!(gateway.check(CHI).outcome(), "answered");
    let key = home.join("data/keys/token.key");
    let before = std::fs::read(&key).unwrap();
    section.commands(&home);
    until("another key is made", || std::fs::read(&key).ok().filter(|key| *key != before));
    // An officer of the partner is taken out.
    edit(&home.join("members.toml"), |text| {
        let (before, from) =
            text.split_once("[[member.officer]]\nname = \"trial.officer.nhs-lomond\"").unwrap();
        let (_, rest) = from.split_once("\n[[member]]").unwrap();
        format!("{before}\n[[member]]{rest}")
    });
    let status = section.commands(&home).concat();
    assert!(status.contains("nhs-lomond"), "{status}");
    until("it is refused", || (gateway.check(CHI).outcome() == "refused").then_some(()));
}

#[test]
fn a_partner_says_they_are_refused() {
    let gateway = gateway("runbook-refused");
    let said = gateway.nhs().ask(CHECK, &[("tolbooth-role", "nobody")], &asks(CHI));
    assert_eq!(said.outcome(), "refused");
    let said = Section::of("A partner says you are refusing them").commands(&gateway.home);
    assert!(said[0].contains("told: refused"), "{said:?}");
    assert!(said[2].contains(CHILD), "{said:?}");
}

#[test]
fn a_court_asks_for_evidence() {
    let gateway = gateway("runbook-court");
    let mut section = Section::of("A court asks for evidence");
    let said = section.commands(&gateway.home);
    assert!(said[2].contains("VERIFIED"), "{said:?}");
    section.commands(&gateway.home);
}

#[test]
fn everything_to_one_partner_is_stopped() {
    let gateway = gateway("runbook-partner");
    // Under an agreement whose file does not name them, too.
    let (old, new) = (agreements::file(&gateway.home, CHILD), agreements::file(&gateway.home, "a-nurse"));
    std::fs::rename(agreements::signatures(&gateway.home, CHILD), new.with_extension("sig")).unwrap();
    std::fs::rename(old, new).unwrap();
    assert_eq!(run(&gateway.home, &["check"]).code, Some(0));
    let mut section = Section::of("Stop everything to one partner now");
    let said = section.commands(&gateway.home);
    assert!(said[1].contains("partner:nhs-lomond: stopped"), "{said:?}");
    // With the very next question.
    assert_eq!(gateway.check(CHI).code(), "stopped");
    section.commands(&gateway.home);
    until("it is answered", || (gateway.check(CHI).outcome() == "answered").then_some(()));
}
