//! A gateway whose log is restored from a backup, as often as a test likes, by the real binary.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use serde_json::Value;
use tolbooth::ledger::{Alarm, Record};

use super::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use super::partner::Said;
use super::site::{Ran, run_with_input};
use super::until;

/// A child nobody knows.
const UNKNOWN: &str = "0101010009";

pub fn must(home: &Path, arguments: &[&str], input: &str) -> Ran {
    let ran = run_with_input(home, arguments, input);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
    ran
}

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"))
}

/// A gateway whose log is restored from a backup made at the end of it.
pub struct Restored {
    pub gateway: Gateway,
    /// The names of all its logs, newest first.
    pub logs: Vec<String>,
    /// Answers about the child, newest first, each with the log it is in.
    pub about: Vec<(String, Said)>,
}

impl Restored {
    pub fn begin(name: &str) -> Self {
        Self::begin_with(name, "", |text| text)
    }

    /// As [`begin`](Self::begin), with more lines in `[ledger]`, and another agreement over the register of children.
    pub fn begin_with(name: &str, ledger: &str, agreement: impl Fn(String) -> String) -> Self {
        let gateway = Gateway::start_changed(name, |home| {
            let path = home.join("tolbooth.toml");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, format!("{text}\n[ledger]\nsegment_mib = 1\n{ledger}")).unwrap();
            super::agreements::reword(home, super::agreements::CHILD, |text| {
                agreement(text.replace("per_minute = 30", "per_minute = 100000"))
            });
        });
        let logs = vec![gateway.running().app.ledger.verifier().name().to_owned()];
        Self { gateway, logs, about: Vec::new() }
    }

    pub fn home(&self) -> &Path {
        &self.gateway.home
    }

    /// Known, unknown, refused, and by whom nobody expects; over several segments.
    pub fn ask(&mut self, user: &str) {
        let nhs = self.gateway.nhs();
        for chi in [CHI, UNKNOWN] {
            let said = nhs.ask(CHECK, &[NURSE[0], ("tolbooth-user", user)], &asks(chi));
            assert!(matches!(said.status, 200 | 404), "{said:?}");
            if chi == CHI {
                self.about.insert(0, (self.logs[0].clone(), said));
            }
        }
        assert_eq!(nhs.ask(CHECK, &[("tolbooth-role", "porter")], &asks(CHI)).status, 403);
        self.fill();
    }

    /// What [`ask`](Self::ask) does first, and nothing else.
    pub fn ask_once(&mut self, user: &str) {
        let said = self.gateway.nhs().ask(CHECK, &[NURSE[0], ("tolbooth-user", user)], &asks(CHI));
        assert_eq!(said.status, 200, "{said:?}");
        self.about.insert(0, (self.logs[0].clone(), said));
    }

    pub fn stopped(mut self) -> Self {
        self.gateway.stop();
        self
    }

    /// Enough records that a segment of one MiB is sealed.
    pub fn fill(&self) {
        for _ in 0..150 {
            let detail = Some("x".repeat(8000));
            let alarm = Alarm { cause: "drift", dataset: None, detail, dropped: Vec::new() };
            self.gateway.running().app.ledger.append_blocking(Record::Alarm(alarm)).unwrap();
        }
    }

    /// Backs up, loses the folder, restores, and starts anew with the keys of subjects.
    pub fn restore(&mut self) {
        let home = self.home().to_owned();
        let round = self.logs.len();
        let (backup, lost) = (format!("../backup-{round}"), home.join(format!("data.lost-{round}")));
        must(&home, &["ledger", "backup", "--purpose", "a test", "--out", &backup], "");
        self.gateway.stop();
        std::fs::rename(home.join("data"), &lost).unwrap();
        must(&home, &["ledger", "restore", "--from", &backup, "--into", "data"], "");
        let from = lost.join("ledger/subject-keys/.");
        let into = home.join("data/ledger/subject-keys/");
        std::fs::create_dir_all(&into).unwrap();
        let copied = std::process::Command::new("cp").arg("-an").args([from, into]).status().unwrap();
        assert!(copied.success());
        self.gateway.restart();
        self.logs.insert(0, self.gateway.running().app.ledger.verifier().name().to_owned());
    }

    /// Every record of a log as `ledger export` gives it: envelope and sealed part.
    pub fn exported(&self, log: &str) -> Vec<(Value, Value)> {
        let path = self.home().join("one.export");
        let _gone = std::fs::remove_file(&path);
        let arguments =
            ["ledger", "export", "--purpose", "recount", "--sealed", "--log", log, "--out", "one.export"];
        must(self.home(), &arguments, "");
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .filter(|line| line["envelope"].is_string())
            .map(|line| {
                let envelope = serde_json::from_str(line["envelope"].as_str().unwrap()).unwrap();
                let sealed = line["sealed"].as_str().unwrap();
                let bytes = base64::engine::general_purpose::STANDARD.decode(sealed).unwrap();
                (envelope, serde_json::from_slice(&bytes[32..]).unwrap())
            })
            .collect()
    }

    pub fn report(&self, arguments: &[&str], input: &str) -> Value {
        let all = [&["report"], arguments, &["--purpose", "review", "--json"]].concat();
        document(&must(self.home(), &all, input))
    }

    /// Where an earlier log lies.
    pub fn folder(&self, log: usize) -> PathBuf {
        self.gateway.running().app.ledger.earlier().unwrap()[log - 1].folder.clone()
    }

    /// Once the earlier logs were read for the keys they name.
    pub fn settled(self) -> Self {
        until("the earlier logs are read", || {
            self.gateway.running().app.ledger.missing_subject_keys().all_known.then_some(())
        });
        self
    }
}
