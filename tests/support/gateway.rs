//! A council's gateway in this process, made by the same code as `tolbooth init` and `serve`.

use std::path::{Path, PathBuf};

use tolbooth::app::{self, Running, StartFault};
use tolbooth::cli::trial::{self, CHILD, Plan, TAXI, Trial};
use tolbooth::clock::Clock;
use tolbooth::config;
use tolbooth::journal::JournalFault;
use tolbooth::ledger::LedgerError;

use super::partner::{Partner, Said};
use super::scratch::Scratch;
use super::system::{Heard, Reply, System};

/// A child whom the register knows, as the records system tells it.
pub const CHI: &str = "1403170129";

/// The question about a child.
pub const CHECK: &str = "/child-protection/v1/check";
pub const NURSE: [(&str, &str); 1] = [("tolbooth-role", "ed_nurse")];

pub fn asks(chi: &str) -> String {
    format!("{{\"chi\":\"{chi}\"}}")
}

pub struct Gateway {
    pub trial: Trial,
    pub system: System,
    pub clock: Clock,
    pub home: PathBuf,
    running: Option<Running>,
    _scratch: Scratch,
}

/// The synthetic records, served as the demo's records system serves them.
pub fn records(heard: &Heard) -> Reply {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../src/cli/demo/clients.json")).unwrap();
    let chi = heard.target.split("chi=").nth(1).unwrap_or_default().split('&').next().unwrap_or_default();
    let found: Vec<_> =
        all["clients"].as_array().unwrap().iter().filter(|client| client["person"]["chi"] == chi).collect();
    Reply::Json(200, serde_json::json!({ "clients": found }).to_string())
}

impl Gateway {
    pub fn start(name: &str) -> Self {
        Self::start_changed(name, |_| {})
    }

    /// Starts a gateway whose files `change` may alter first.
    pub fn start_changed(name: &str, change: impl FnOnce(&Path)) -> Self {
        let scratch = Scratch::new(name);
        let home = scratch.path().join("gateway");
        let system = System::start(records);
        let clock = Clock::new().unwrap();
        let url = system.url();
        let plan = Plan {
            home: &home,
            keys: &scratch.path().join("keys"),
            datasets: &[&CHILD, &TAXI],
            partners: "127.0.0.1:0",
            local: "127.0.0.1:0",
            system: Some(&url),
            level: "warn",
        };
        let trial = trial::make(&plan, &clock).unwrap();
        change(&home);
        let mut gateway = Self { trial, system, clock, home, running: None, _scratch: scratch };
        gateway.restart();
        gateway
    }

    /// Stops in good order, if it runs, and starts anew.
    pub fn restart(&mut self) {
        self.stop();
        let configuration = config::load(&self.trial.configuration).unwrap();
        // Tests beside this one start processes, and between fork and exec those hold whatever locks this one held.
        let started = super::until("the journal's lock is let go", || {
            match app::start(configuration.clone(), self.clock.clone()) {
                Err(StartFault::Ledger(LedgerError::Journal(JournalFault::Locked { .. }))) => None,
                started => Some(started),
            }
        });
        self.running = Some(started.unwrap());
    }

    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.join();
        }
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub fn nhs(&self) -> Partner {
        self.partner(&self.trial.nhs)
    }

    pub fn police(&self) -> Partner {
        self.partner(&self.trial.police)
    }

    pub fn partner(&self, partner: &trial::Partner) -> Partner {
        Partner::new(&self.trial.ca, partner, self.running().partners)
    }

    /// What NHS Lomond's nurse asks: the one question most tests put.
    pub fn check(&self, chi: &str) -> Said {
        self.nhs().ask(CHECK, &NURSE, &asks(chi))
    }

    /// What the ledger holds, through the admin socket.
    pub fn search(&self, filter: serde_json::Value) -> Vec<serde_json::Value> {
        super::ledger::search(&self.running().admin_socket, filter)
    }

    /// The light of one condition.
    pub fn light(&self, condition: &str) -> String {
        let (_, body) = self.local("/ready");
        let ready: serde_json::Value = serde_json::from_str(&body).unwrap();
        ready["lights"][condition]["light"].as_str().unwrap_or_default().to_owned()
    }

    /// The value of a metric's line, such as `tolbooth_reloads_total{cause="loaded"}`; 0 without one.
    pub fn metric(&self, line: &str) -> u64 {
        let (_, text) = self.local("/metrics");
        let found = text.lines().find_map(|known| known.strip_prefix(line)?.trim().parse().ok());
        found.unwrap_or(0)
    }

    /// The local listener's answer: status and body.
    pub fn local(&self, path: &str) -> (u16, String) {
        local(self.running().local, path)
    }
}

/// What a local listener answers: status and body.
pub fn local(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: local\r\nconnection: close\r\n\r\n").unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop();
    }
}
