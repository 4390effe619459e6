//! What a newcomer does, with the README's own files and the real commands: a system of their own
//! behind the gateway, until an answer leaves, its receipt verifies and the search finds it. And what
//! they are told when something is not right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::partner::{Partner, Said};
use support::scratch::Scratch;
use support::site::run_with_input;
use support::system::{Reply, System};
use tolbooth::cli::trial;
use tolbooth::clock::Clock;
use tolbooth::{app, config};

const README: &str = include_str!("../README.md");
const CONTRACT: &str = "schemas/blue-badge.v1.json";
const DATASET: &str = "policies/datasets/blue-badge.toml";
const AGREEMENT: &str = "policies/agreements/glenmore-police-caledonia-blue-badge.toml";

/// The first fenced block after a text of the README.
fn block_after(text: &str) -> &'static str {
    let (_, after) = README.split_once(text).unwrap_or_else(|| panic!("the README lost `{text}`"));
    let (_, fenced) = after.split_once("```").unwrap();
    let (_, inside) = fenced.split_once('\n').unwrap();
    inside.split_once("```").unwrap().0
}

/// A gateway's folder as `tolbooth init` made it, with the README's three files written into it.
struct Newcomer {
    scratch: Scratch,
    system: System,
}

impl Newcomer {
    fn new(name: &str) -> Self {
        let system = System::start(|heard| match heard.target.as_str() {
            "/badges/BB123" => Reply::Json(200, block_after("Say your system answers").to_owned()),
            _ => Reply::Json(404, "{}".to_owned()),
        });
        let newcomer = Self { scratch: Scratch::new(name), system };
        let made = newcomer.run_in(newcomer.scratch.path(), &["init", "glenmore"]);
        assert!(made.status.success(), "{made:?}");
        let write = |file: &str, text: String| std::fs::write(newcomer.home().join(file), text).unwrap();
        write(CONTRACT, block_after(CONTRACT).to_owned());
        write(DATASET, block_after(DATASET).replace("http://127.0.0.1:9000", &newcomer.system.url()));
        // Tests run side by side, so ports are whatever is free.
        let text = std::fs::read_to_string(newcomer.home().join("tolbooth.toml")).unwrap();
        write("tolbooth.toml", text.replace(":8443", ":0").replace(":9464", ":0"));
        newcomer.answers();
        newcomer
    }

    /// The README's questions and answers, put to the real command.
    fn answers(&self) {
        const PARTNER: &str = "../glenmore-trial-keys/police-caledonia/organisation.toml";
        assert!(README.contains(&format!("    tolbooth agreement new --partner {PARTNER}\n")));
        let lines = block_after("will not do is said to at its question").lines();
        let (answers, questions): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('>'));
        let typed: String =
            answers.iter().map(|line| format!("{}\n", line.trim_start_matches('>').trim())).collect();
        let ran = run_with_input(&self.home(), &["agreement", "new", "--partner", PARTNER], &typed);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let asked: Vec<&str> = ran.err.lines().filter_map(|line| line.strip_prefix("Question ")).collect();
        let asked: Vec<&str> = asked.iter().filter_map(|line| Some(line.split_once(": ")?.1)).collect();
        assert_eq!(asked, questions, "the README asks otherwise");
        assert!(ran.out.contains(AGREEMENT) && !ran.out.contains("Think again"), "{ran:?}");
    }

    fn home(&self) -> PathBuf {
        self.scratch.path().join("glenmore")
    }

    fn officer(&self, member: &str) -> String {
        self.scratch.path().join("glenmore-trial-keys").join(member).join("officer.key").display().to_string()
    }

    fn run_in(&self, folder: &Path, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tolbooth")).args(words).current_dir(folder).output().unwrap()
    }

    fn run(&self, words: &[&str]) -> (bool, String) {
        let ended = self.run_in(&self.home(), words);
        let said = [ended.stdout, ended.stderr].concat();
        (ended.status.success(), String::from_utf8(said).unwrap())
    }

    fn must(&self, words: &[&str]) -> String {
        let (good, said) = self.run(words);
        assert!(good, "{words:?}: {said}");
        said
    }

    fn sign(&self, member: &str, more: &[&str]) -> (bool, String) {
        let key = self.officer(member);
        self.run(&[&["agreement", "sign", AGREEMENT, "--key", &key], more].concat())
    }

    fn ask(&self, address: std::net::SocketAddr) -> Said {
        let keys = self.scratch.path().join("glenmore-trial-keys/police-caledonia");
        let (certificate, key) = (keys.join("control-room.pem"), keys.join("control-room.key"));
        let police = trial::Partner { certificate, key };
        let partner = Partner::new(&self.home().join("certs/glenmore-ca.pem"), &police, address);
        let headers = [("tolbooth-user", "pc.1234"), ("tolbooth-reason", "roadside")];
        partner.ask("/blue-badge/v1/check", &headers, "{\"badge_no\":\"BB123\"}")
    }

    fn search(&self, identifier: &str) -> String {
        let words = ["ledger", "search", "--purpose", "trying it", "--subject", "badge_no", "--sealed"];
        let mut search = Command::new(env!("CARGO_BIN_EXE_tolbooth"))
            .args(words)
            .current_dir(self.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(search.stdin.take().unwrap(), "{identifier}").unwrap();
        String::from_utf8(search.wait_with_output().unwrap().stdout).unwrap()
    }
}

#[test]
fn the_readme_leads_to_an_answer_a_receipt_and_a_record() {
    let newcomer = Newcomer::new("newcomer");
    newcomer.must(&["agreement", "seal", AGREEMENT]);
    for member in ["glenmore", "police-caledonia"] {
        let (signed, said) = newcomer.sign(member, &[]);
        assert!(signed, "{said}");
    }
    let status = newcomer.must(&["agreement", "status"]);
    assert!(status.contains("glenmore-police-caledonia-blue-badge@1 (trial): in force until"), "{status}");
    newcomer.must(&["check"]);
    let gateway = config::load(&newcomer.home().join("tolbooth.toml")).unwrap();
    let running = app::start(gateway, Clock::new().unwrap()).unwrap();
    let said = newcomer.ask(running.partners);
    let body = String::from_utf8(said.body.to_vec()).unwrap();
    assert!(README.contains(&format!("    {body}\n")), "the README shows another answer than {body}");
    let head = format!(
        "HTTP/2 {}\r\ncontent-type: {}\r\ntolbooth-outcome: {}\r\ntolbooth-receipt: {}\r\n\r\n",
        said.status,
        said.header("content-type"),
        said.outcome(),
        said.header("tolbooth-receipt")
    );
    std::fs::write(newcomer.home().join("answer.head"), head).unwrap();
    std::fs::write(newcomer.home().join("answer.json"), body).unwrap();
    let found = newcomer.search("BB123");
    for wanted in [
        "1 found",
        "user as stated: pc.1234; reason: roadside; dropped: street",
        "told: answered; released: badge_no",
    ] {
        assert!(found.contains(wanted) && README.contains(wanted), "{wanted}\n{found}");
    }
    let words = ["--receipt", "answer.head", "--body", "answer.json", "--key", "data/keys/ledger.vkey"];
    newcomer.must(&[&["ledger", "verify"], &words[..]].concat());
    newcomer.must(&["ledger", "verify", "data/ledger", "--against", "answer.head"]);
    running.stop();
    running.join();
}

#[test]
fn status_says_the_next_step_until_it_is_in_force_and_again_after_a_change() {
    let newcomer = Newcomer::new("next-step");
    let next = |wanted: &str| {
        let (_, status) = newcomer.run(&["agreement", "status"]);
        let line = status.lines().find(|line| line.contains("next:")).unwrap_or("  in force").to_owned();
        assert!(line.contains(wanted), "{wanted}: {line}");
    };
    next(&format!("tolbooth agreement seal {AGREEMENT}"));
    assert!(!newcomer.sign("glenmore", &[]).0, "unsealed, and signed");
    newcomer.must(&["agreement", "seal", AGREEMENT]);
    next("an officer of: glenmore, police-caledonia");
    assert!(newcomer.sign("glenmore", &[]).0);
    next("an officer of: police-caledonia");
    assert!(newcomer.sign("police-caledonia", &[]).0);
    next("in force");
    let file = newcomer.home().join(AGREEMENT);
    let changed = std::fs::read_to_string(&file).unwrap().replace("per_minute = 30", "per_minute = 31");
    std::fs::write(&file, changed).unwrap();
    next("--anew");
    let (signed, said) = newcomer.sign("glenmore", &[]);
    assert!(!signed && said.contains("--anew"), "{said}");
    assert!(newcomer.sign("glenmore", &["--anew"]).0);
    next("an officer of: police-caledonia");
}

#[test]
fn one_bad_dataset_file_is_told_alone() {
    let newcomer = Newcomer::new("one-bad-file");
    let file = newcomer.home().join(DATASET);
    let broken = std::fs::read_to_string(&file).unwrap().replace("no_match", "no_mach");
    std::fs::write(&file, broken).unwrap();
    let (good, said) = newcomer.run(&["check"]);
    assert!(!good && said.contains("did you mean `no_match`?"), "{said}");
    assert!(said.contains("1 fault to put right"), "{said}");
}

#[test]
fn a_folder_too_deep_for_the_admin_socket_is_said_to_be() {
    let newcomer = Newcomer::new("deep");
    let deep = newcomer.scratch.path().join("d".repeat(100));
    std::fs::rename(newcomer.home(), &deep).unwrap();
    let gateway = config::load(&deep.join("tolbooth.toml")).unwrap();
    let fault = app::start(gateway, Clock::new().unwrap()).err().unwrap().to_string();
    assert!(fault.contains("set a shorter `socket` in [admin]"), "{fault}");
}

#[test]
fn the_demo_is_as_it_says_and_fits_a_terminal() {
    let demo = |more: &[&str]| {
        let words = [&["demo", "--exit"], more].concat();
        Command::new(env!("CARGO_BIN_EXE_tolbooth")).args(words).output().unwrap()
    };
    let told = demo(&["--json"]);
    let steps = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success(), "{steps}");
    assert_eq!(steps.lines().filter(|line| line.contains("\"ok\":true")).count(), 9, "{steps}");
    let shown = String::from_utf8(demo(&[]).stdout).unwrap();
    let wide: Vec<&str> = shown.lines().filter(|line| line.chars().count() > 112).collect();
    assert!(wide.is_empty(), "{wide:?}");
    assert!(shown.contains("9 steps in") && shown.contains("all as they should be."), "{shown}");
}
