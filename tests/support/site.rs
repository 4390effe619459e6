//! A trial on disk for gateways that run as processes of their own, with a real system behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tolbooth::cli::trial::{self, CHILD, Plan, TAXI, Trial, TrialDataset};
use tolbooth::clock::Clock;
use tolbooth::merkle::note::VerifierKey;

use super::gateway::records;
use super::scratch::Scratch;
use super::system::System;

/// Asked as often as a test likes.
const PER_MINUTE: &str = "per_minute = 10000000";
const PER_DAY: &str = "per_day = 1000000000";

pub struct Site {
    pub trial: Trial,
    pub system: System,
    pub home: PathBuf,
    pub scratch: Scratch,
}

impl Site {
    /// Segments of one MiB, and no limit that a test could meet.
    pub fn new(name: &str) -> Self {
        Self::with(name, |contract| contract.to_owned())
    }

    /// As [`new`](Self::new), with another contract for the child protection register.
    pub fn with(name: &str, contract: impl FnOnce(&str) -> String) -> Self {
        let scratch = Scratch::new(name);
        let home = scratch.path().join("gateway");
        let system = System::start(records);
        let child = TrialDataset {
            contract: contract(CHILD.contract).leak(),
            // Wanted where the contract is of something that changes.
            dataset: CHILD
                .dataset
                .replace("timeout_ms = 3000", "timeout_ms = 3000\nforward_headers = [\"idempotency-key\"]")
                .leak(),
            agreement: CHILD
                .agreement
                .replace("per_minute = 30", PER_MINUTE)
                .replace("per_day = 400", PER_DAY)
                .leak(),
            ..CHILD
        };
        let url = system.url();
        let plan = Plan {
            home: &home,
            keys: &scratch.path().join("keys"),
            datasets: &[&child, &TAXI],
            partners: "127.0.0.1:0",
            local: "127.0.0.1:0",
            system: Some(&url),
            level: "info",
        };
        let trial = trial::make(&plan, &Clock::new().unwrap()).unwrap();
        let text = std::fs::read_to_string(&trial.configuration).unwrap();
        std::fs::write(&trial.configuration, text + "\n[ledger]\nsegment_mib = 1\n").unwrap();
        Self { trial, system, home, scratch }
    }

    pub fn ledger(&self) -> PathBuf {
        self.home.join("data/ledger")
    }

    pub fn journal(&self) -> PathBuf {
        self.ledger().join("journal")
    }

    pub fn key_file(&self) -> PathBuf {
        self.home.join("data/keys/ledger.vkey")
    }

    pub fn key(&self) -> VerifierKey {
        VerifierKey::parse(&std::fs::read_to_string(self.key_file()).unwrap()).unwrap()
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output as JSON lines.
    pub fn lines(&self) -> Vec<serde_json::Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{self:?}")))
            .collect()
    }
}

/// The real binary.
pub fn tolbooth(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tolbooth"));
    command.current_dir(home).stdin(Stdio::null());
    command
}

/// Runs the real binary in the gateway's folder, to its end.
pub fn run(home: &Path, arguments: &[&str]) -> Ran {
    ran(tolbooth(home).args(arguments).output().unwrap())
}

/// As [`run`], with something on standard input.
pub fn run_with_input(home: &Path, arguments: &[&str], input: &str) -> Ran {
    use std::io::Write as _;
    let mut command = tolbooth(home);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    ran(child.wait_with_output().unwrap())
}

fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
