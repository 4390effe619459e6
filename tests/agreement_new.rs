//! `tolbooth agreement new`: from an empty folder to an answer with no editor, the paths of the questions, and what
//! becomes of answers that will not do. The binary and the sockets are real.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::PathBuf;
use std::process::Command;

use support::binary::Served;
use support::scratch::Scratch;
use support::site::{Ran, run, run_with_input};

/// A gateway's folder as `init` made it. No test writes a file into it.
struct Desk {
    scratch: Scratch,
}

impl Desk {
    fn new(name: &str) -> Self {
        let desk = Self { scratch: Scratch::new(name) };
        let words = ["init", "glenmore", "--partners", "127.0.0.1:0", "--local", "127.0.0.1:0"];
        let with = ["--with", "known-families", "--with", "air-quality"];
        let made = run(desk.scratch.path(), &[&words[..], &with].concat());
        assert_eq!(made.code, Some(0), "{made:?}");
        desk
    }

    fn home(&self) -> PathBuf {
        self.scratch.path().join("glenmore")
    }

    fn keys(&self, file: &str) -> PathBuf {
        self.scratch.path().join("glenmore-trial-keys").join(file)
    }

    /// Answers a line each.
    fn answer(&self, words: &[&str], answers: &[&str]) -> Ran {
        let words = [&["agreement", "new"], words].concat();
        run_with_input(
            &self.home(),
            &words,
            &answers.iter().map(|line| format!("{line}\n")).collect::<String>(),
        )
    }

    fn must(&self, words: &[&str]) -> Ran {
        let ran = run(&self.home(), words);
        assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
        ran
    }

    /// Sealed, and signed by the trial keys of all who sign.
    fn agree(&self, id: &str, keys: &[&str]) {
        let file = format!("policies/agreements/{id}.toml");
        self.must(&["agreement", "seal", &file]);
        for key in keys {
            self.must(&["agreement", "sign", &file, "--key", self.keys(key).to_str().unwrap()]);
        }
        let checked = self.must(&["check"]);
        assert!(checked.out.contains(&format!("  {id}@1: in force")), "{checked:?}");
    }

    /// A question by curl, with the certificate of a partner's system.
    fn ask(&self, served: &Served, system: &str, path: &str, headers: &[&str], body: &str) -> String {
        let port = served.partners.port();
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--json", body, "--cacert"]).arg(self.home().join("certs/glenmore-ca.pem"));
        curl.arg("--cert").arg(self.keys(&format!("{system}.pem")));
        curl.arg("--key").arg(self.keys(&format!("{system}.key")));
        headers.iter().for_each(|header| {
            curl.args(["-H", header]);
        });
        let said = curl.arg(format!("https://localhost:{port}{path}")).output().unwrap();
        assert!(said.status.success(), "{said:?}");
        String::from_utf8(said.stdout).unwrap()
    }

    fn agreements(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.home().join("policies/agreements")).unwrap();
        let mut names: Vec<String> =
            folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.ends_with(".toml"));
        names.sort();
        names
    }
}

const STATEMENT: &str =
    "So that emergency department staff know that social work knows a child, and can phone it.";
const WHY: &str =
    "Staff have to know that there is a worker, and whom to call; of the case itself nothing is told.";

/// A health board and a council, about children, with what the board handed over.
const FAMILIES: [&str; 10] = [
    "known-families",
    "",
    "trial",
    "safeguarding_child",
    STATEMENT,
    "ed-trak: ed_clinician, ed_nurse",
    "known, duty_phone",
    "known is true",
    WHY,
    "children",
];

#[test]
fn from_an_empty_folder_to_an_answer_about_a_child_with_no_editor() {
    let desk = Desk::new("new-child");
    let partner = desk.keys("nhs-lomond/organisation.toml");
    let written = desk.answer(&["--partner", partner.to_str().unwrap()], &FAMILIES);
    assert_eq!(written.code, Some(0), "{written:?}");
    let signers = ["glenmore/officer.key", "nhs-lomond/officer.key", "nhs-lomond/caldicott-guardian.key"];
    desk.agree("glenmore-nhs-lomond-known-families", &signers);
    let served = Served::start(&desk.home().join("tolbooth.toml"));
    let ask = |chi: &str| {
        let headers = ["Tolbooth-Role: ed_nurse", "Tolbooth-User: u-4711", "Tolbooth-Reason: admission"];
        let body = format!("{{\"chi\":\"{chi}\"}}");
        desk.ask(&served, "nhs-lomond/ed-trak", "/known-families/v1/known", &headers, &body)
    };
    assert_eq!(ask("0807121022"), "{\"known\":true,\"duty_phone\":\"01632 960181\"}");
    // Of a child whose record the condition leaves out nothing is told.
    assert_eq!(ask("1402220904"), "{\"outcome\":\"no_match\"}");
}

#[test]
fn from_an_empty_folder_to_an_answer_about_nobody_with_no_editor() {
    let desk = Desk::new("new-air");
    let answers = [
        "police-caledonia",
        "air-quality",
        "",
        "",
        "service_delivery",
        "So that the control room sees where the air is bad before it sends anybody there.",
        "control-room",
        "1, 2, no2 as round 5, state",
        "state is ratified or state is provisional",
        "Where and when it was measured, how much, and how far it was checked.",
        "PC099, FOISA",
        "Control room, 01632 960323, control@police-caledonia.example",
        "Head of Control, control@police-caledonia.example, dpo@police-caledonia.example, breach@police-caledonia.example",
    ];
    let written = desk.answer(&["--json"], &answers);
    assert_eq!(written.code, Some(0), "{written:?}");
    let told = &written.lines()[0];
    assert_eq!((told["questions"].as_u64(), &told["warnings"]), (Some(13), &serde_json::json!([])), "{told}");
    let id = "glenmore-police-caledonia-air-quality";
    let text = std::fs::read_to_string(desk.home().join(format!("policies/agreements/{id}.toml"))).unwrap();
    for section in ["[law", "[rights]", "[impact", "ico_registration", "privacy_notice"] {
        assert!(!text.contains(section), "{section} in data about nobody\n{text}");
    }
    desk.agree(id, &["glenmore/officer.key", "police-caledonia/officer.key"]);
    let served = Served::start(&desk.home().join("tolbooth.toml"));
    let said = desk.ask(&served, "police-caledonia/control-room", "/air-quality/v1/hours", &[], "{}");
    let wanted = "[{\"site\":\"High Street\",\"measured_at\":\"2026-11-20T08:00:00Z\",\"no2\":40,\"state\":\"ratified\"},\
        {\"site\":\"Mill Lade\",\"measured_at\":\"2026-11-20T08:00:00Z\",\"no2\":20,\"state\":\"provisional\"}]";
    assert_eq!(said, wanted);
}

#[test]
fn an_answer_that_will_not_do_ends_a_pipe_and_leaves_nothing() {
    let desk = Desk::new("new-refused");
    let partner = desk.keys("nhs-lomond/organisation.toml");
    let partner = partner.to_str().unwrap();
    let refused = |at: usize, answer: &str, wanted: &[&str]| {
        let mut answers = FAMILIES;
        answers[at] = answer;
        let ran = desk.answer(&["--partner", partner], &answers);
        assert_eq!(ran.code, Some(1), "{answer}: {ran:?}");
        wanted.iter().for_each(|wanted| assert!(ran.err.contains(wanted), "{answer}: {wanted}\n{ran:?}"));
        assert_eq!(desk.agreements(), ["glenmore-police-caledonia-taxi-licence.toml"], "{answer}");
    };
    refused(0, "known-familys", &["question 1 (dataset)", "did you mean `known-families/v1`?"]);
    refused(1, "non_personal", &["question 7 (release)", "`known` is released", "is about nobody"]);
    refused(2, "trial until 2030-01-01", &["question 3 (stage)", "at most 90"]);
    refused(3, "safeguarding", &["question 4 (purpose)", "is not among them"]);
    refused(4, "To check.", &["question 5 (statement)", "9 characters, at least 40"]);
    refused(5, "ED-Trak", &["question 6 (systems)", "is not a system name"]);
    refused(6, "known, duty_fone", &["question 7 (release)", "did you mean `duty_phone`?"]);
    refused(6, "known as year_of_birth", &["question 7 (release)", "`year_of_birth` is for a date"]);
    refused(7, "case_state is open", &["question 8 (rows)", "case_state"]);
    refused(9, "childen", &["question 10 (subjects)", "did you mean `children`?"]);
    let ended = desk.answer(&["--partner", partner], &FAMILIES[..6]);
    assert!(
        ended.code == Some(1) && ended.err.contains("question 7 (release): the answers ended here"),
        "{ended:?}"
    );
}

#[test]
fn no_file_is_written_over_another() {
    let desk = Desk::new("new-twice");
    let partner = desk.keys("nhs-lomond/organisation.toml");
    let words = ["--partner", partner.to_str().unwrap()];
    assert_eq!(desk.answer(&words, &FAMILIES).code, Some(0));
    let file = |name: &str| desk.home().join(format!("policies/agreements/{name}.toml"));
    let first = std::fs::read(file("glenmore-nhs-lomond-known-families")).unwrap();
    let second = desk.answer(&words, &FAMILIES);
    assert!(
        second.out.contains("Think again: glenmore-nhs-lomond-known-families@1 is about the same"),
        "{second:?}"
    );
    assert!(file("glenmore-nhs-lomond-known-families-2").exists());
    let third =
        desk.answer(&[&words[..], &["--id", "glenmore-nhs-lomond-known-families"]].concat(), &FAMILIES);
    assert!(third.code == Some(1) && third.err.contains("there is a file of this name already"), "{third:?}");
    assert_eq!(std::fs::read(file("glenmore-nhs-lomond-known-families")).unwrap(), first);
}
