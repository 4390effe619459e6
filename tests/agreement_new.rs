//! `tolbooth agreement new`: from an empty folder to an answer with no editor, the paths of the questions, and what
//! becomes of answers that will not do. The binary and the sockets are real.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::PathBuf;
use std::process::Command;

use jiff::civil::Date;
use tolbooth::clock::Clock;
use tolbooth::config;
use tolbooth::desk::drafting::{Ground, QUESTIONS_MAX, Sheet, Step};
use tolbooth::desk::{Circumstances, Ruleset};
use tolbooth::model::Regime;
use tolbooth::policy;

use support::binary::Served;
use support::scratch::Scratch;
use support::site::{Ran, Site, run, run_with_input};

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
fn a_trial_over_data_that_is_not_made_up_is_refused_at_its_question() {
    let desk = Desk::new("new-real-data");
    let file = desk.home().join("policies/datasets/known-families.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("synthetic = true", "synthetic = false")).unwrap();
    let partner = desk.keys("nhs-lomond/organisation.toml");
    let refused = desk.answer(&["--partner", partner.to_str().unwrap()], &FAMILIES);
    assert!(
        refused.err.contains("question 3 (stage): a trial answers from made-up data alone"),
        "{refused:?}"
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
    assert!(
        third.code == Some(1) && third.err.contains("there is an agreement of this id already"),
        "{third:?}"
    );
    assert_eq!(std::fs::read(file("glenmore-nhs-lomond-known-families")).unwrap(), first);
}

/// The gateway's ruleset as it lies there.
fn ruleset(home: &std::path::Path) -> (config::Gateway, Ruleset) {
    let gateway = config::load(&home.join("tolbooth.toml")).unwrap();
    let circumstances = Circumstances {
        seen: &|_| None,
        life: &Default::default(),
        before: None,
        pseudonym_master: &[0; 32],
        today: Date::MIN,
    };
    let ruleset = Ruleset::load(&gateway, &circumstances).unwrap_or_else(|faults| panic!("{faults}"));
    (gateway, ruleset)
}

/// One way through the questions.
#[derive(Debug, Clone, Copy)]
struct Path {
    partner: &'static str,
    dataset: &'static str,
    kind: &'static str,
    stage: &'static str,
    /// Whether a field of a special category leaves.
    special: bool,
    /// Whether the partner handed its file over.
    handed: bool,
}

impl Path {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for partner in ["nhs-lomond", "police-caledonia"] {
            for dataset in ["known-families", "air-quality", "taxi-licence"] {
                for kind in [
                    "controller_to_controller",
                    "joint_controllers",
                    "controller_to_processor",
                    "non_personal",
                    "open_data",
                ] {
                    for (stage, handed) in
                        [("trial", true), ("trial", false), ("live", true), ("live", false)]
                    {
                        for special in [false, true] {
                            all.push(Self { partner, dataset, kind, stage, special, handed });
                        }
                    }
                }
            }
        }
        // Nobody's health is in the air, nor anybody's in data about nobody.
        all.retain(|path| !path.special || (path.is_personal() && path.dataset != "air-quality"));
        all
    }

    fn is_personal(&self) -> bool {
        !matches!(self.kind, "non_personal" | "open_data")
    }

    fn answer(&self, step: Step, default: Option<&str>) -> String {
        let special = |plain: &'static str, more: &'static str| if self.special { more } else { plain };
        match step {
            Step::Partner => self.partner.into(),
            Step::Dataset => self.dataset.into(),
            Step::Kind => self.kind.into(),
            Step::Stage => self.stage.into(),
            Step::Purpose if self.is_personal() => "crime_prevention".into(),
            Step::Purpose => "service_delivery".into(),
            Step::Statement => STATEMENT.into(),
            Step::Systems => "control-room: officer; other: clerk".into(),
            Step::Release if self.special && self.dataset == "taxi-licence" => "status, medical, convictions_considered".into(),
            Step::Release if self.special => "known, notes".into(),
            Step::Release => default.unwrap().into(),
            Step::Rows => "all".into(),
            Step::Why => WHY.into(),
            Step::Subjects => "children, staff".into(),
            Step::Registered if self.is_personal() => "S08000099, FOISA, Z7654321, https://www.x.example/".into(),
            Step::Registered => "S08000099, FOISA".into(),
            Step::Contact => "Team, 01632 960223, team@x.example".into(),
            Step::Offices if self.is_personal() && self.partner == "nhs-lomond" => {
                "Director, a@x.example, b@x.example, c@x.example, d@x.example".into()
            }
            Step::Offices => "Director, a@x.example, b@x.example, c@x.example".into(),
            Step::ConsumerLaw if self.partner == "police-caledonia" => special(
                "s35_necessary_for_task; Police and Fire Reform (Scotland) Act 2012, 20: to prevent crime",
                "s35_necessary_for_task; Police and Fire Reform (Scotland) Act 2012, 20: to prevent crime; sch8_1; policy APD-2",
            )
            .into(),
            Step::ProviderLaw | Step::ConsumerLaw => special(
                "art6_1_e; Local Government in Scotland Act 2003, 20: to advance well-being",
                "art6_1_e; Local Government in Scotland Act 2003, 20: to advance well-being; art9_2_g; sch1_10; \
                 offence sch1_10; overriding_public_interest",
            )
            .into(),
            Step::Opinions => "none".into(),
            Step::Assessment => "DPIA-2026-31, 2026-10-02, medium, 2027-10-02".into(),
        }
    }

    /// How many questions were asked, and the agreement; or at which one an answer would not do, and why.
    fn walk<'g>(&self, ground: &'g Ground<'g>) -> Result<(usize, policy::Agreement), (Step, String)> {
        let mut sheet = Sheet::new(ground);
        let mut asked = 0;
        for step in Step::ALL {
            let Some(question) = sheet.question(step) else { continue };
            asked += 1;
            sheet =
                sheet.answered(step, &self.answer(step, question.default.as_deref())).map_err(|faults| {
                    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
                    (step, told.join("; "))
                })?;
        }
        let (name, text) = sheet.text().unwrap_or_else(|faults| panic!("{self:?}: {faults:?}"));
        let agreement =
            ground.judge(&name, &text).unwrap_or_else(|faults| panic!("{self:?}: {faults}\n{text}"));
        Ok((asked, agreement))
    }
}

#[test]
fn no_path_asks_more_than_fifteen_questions_and_each_ends_in_an_agreement_that_loads() {
    let desk = Desk::new("new-paths");
    let mut most = 0;
    // Once with partners nobody has written with yet, and once with some that stand in agreements.
    for known in [false, true] {
        if known {
            for partner in ["nhs-lomond", "police-caledonia"] {
                let file = desk.keys(&format!("{partner}/organisation.toml"));
                let written = desk.answer(&["--partner", file.to_str().unwrap()], &FAMILIES);
                assert_eq!(written.code, Some(0), "{written:?}");
            }
        }
        let (gateway, ruleset) = ruleset(&desk.home());
        let own = std::fs::read(desk.home().join("policies/organisation.toml")).unwrap();
        let today = Clock::new().unwrap().today();
        for path in Path::all() {
            let mut ground = Ground::new(&gateway, &ruleset, Some(&own), today).unwrap();
            if path.handed {
                let file = desk.keys(&format!("{}/organisation.toml", path.partner));
                ground = ground.with_partner("p.toml", &std::fs::read(file).unwrap()).unwrap();
            }
            let needs_file = path.is_personal() && path.stage == "live" && !path.handed && !known;
            match path.walk(&ground) {
                Ok((asked, agreement)) => {
                    assert!(asked <= QUESTIONS_MAX && !needs_file, "{asked} questions: {path:?}");
                    most = most.max(asked);
                    assert_eq!(agreement.is_personal(), path.is_personal(), "{path:?}");
                    let law = if path.is_personal() && path.stage == "live" { 2 } else { 0 };
                    assert_eq!(agreement.law.len(), law, "{path:?}");
                    let part_3 = agreement.law.iter().any(|law| law.regime == Regime::DpaPart3);
                    assert_eq!(part_3, law == 2 && path.partner == "police-caledonia", "{path:?}");
                }
                Err((step, why)) => {
                    assert!(
                        needs_file && step == Step::Stage && why.contains("--partner FILE"),
                        "{path:?}: {step:?} {why}"
                    );
                }
            }
        }
    }
    assert_eq!(most, QUESTIONS_MAX, "the longest path is one of these");
}

#[test]
fn what_the_organisations_rely_on_is_not_asked_again() {
    let desk = Desk::new("new-live");
    let mut answers = FAMILIES.to_vec();
    answers[2] = "live from 2026-12-01";
    answers.push("DPIA-2026-31, 2026-10-02, medium, 2027-10-02");
    let partner = desk.keys("nhs-lomond/organisation.toml");
    let words = ["--partner", partner.to_str().unwrap(), "--json"];
    let written = desk.answer(&words, &answers);
    assert_eq!(written.code, Some(0), "{written:?}");
    assert_eq!(written.lines()[0]["questions"], 11, "{written:?}");
    let file = desk.home().join("policies/agreements/glenmore-nhs-lomond-known-families.toml");
    let text = std::fs::read_to_string(file).unwrap();
    for wanted in [
        "[law.glenmore]\nregime = \"uk_gdpr\"\nbasis = \"art6_1_e\"\npower = [",
        "statute = \"Children (Scotland) Act 1995\"",
        "[law.nhs-lomond]",
        "complaints = \"complaints@glenmore.example\"",
        "reference = \"DPIA-2026-31\"",
        "from = 2026-12-01\nreview_due = 2027-12-01",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    // Of a special category it would not do, and so it is asked for.
    answers[6] = "known, notes";
    answers.pop();
    let asked = desk.answer(&words, &answers);
    assert!(asked.err.contains("On what law does Glenmore Council rely?"), "{asked:?}");
    assert!(asked.err.contains("question 11 (our_law): the answers ended here"), "{asked:?}");
}

/// Answers in a file of their own beside the gateway's folder.
fn answers_file(desk: &Desk, text: &str) -> Ran {
    let file = desk.scratch.path().join("answers.toml");
    std::fs::write(&file, text).unwrap();
    let partner = desk.keys("nhs-lomond/organisation.toml");
    let words =
        ["agreement", "new", "--partner", partner.to_str().unwrap(), "--answers", file.to_str().unwrap()];
    run(&desk.home(), &words)
}

#[test]
fn a_file_of_answers_is_read_strictly_and_told_all_at_once() {
    let desk = Desk::new("new-file");
    let whole = format!(
        "format = 1\ndataset = \"known-families\"\npurpose = \"safeguarding_child\"\nstatement = \"{STATEMENT}\"\n\
         systems = \"ed-trak: ed_nurse\"\nrelease = [\"known\", \"duty_phone\"]\nrows = \"all\"\nwhy = \"{WHY}\"\n"
    );
    let wrong = answers_file(&desk, &format!("{whole}relaese = \"known\"\n"));
    assert!(wrong.err.contains("answers.toml:9: unknown key `relaese`"), "{wrong:?}");
    let wrong = answers_file(&desk, &format!("{whole}our_law = \"art6_1_e\"\n"));
    assert!(wrong.err.contains("answers.toml:9: `our_law` is not asked with these answers"), "{wrong:?}");
    let bad = whole
        .replace(STATEMENT, "Too short.")
        .replace("\"duty_phone\"", "\"duty_fone\"")
        .replace("rows = \"all\"\n", "");
    let wrong = answers_file(&desk, &bad);
    for wanted in [
        "answers.toml:4: `statement`: `purpose.statement`: 10 characters",
        "answers.toml:6: `release`: the contract has no field `duty_fone`",
        "`rows` is missing: Of which records?",
    ] {
        assert!(wrong.code == Some(1) && wrong.err.contains(wanted), "{wanted}\n{wrong:?}");
    }
    assert_eq!(desk.agreements(), ["glenmore-police-caledonia-taxi-licence.toml"]);
    let written = answers_file(&desk, &whole);
    assert_eq!(written.code, Some(0), "{written:?}");
}

#[test]
fn the_page_names_every_question() {
    let page = include_str!("../docs/agreement-file.md");
    let (_, after) = page.split_once("## Written from answers").unwrap();
    let (section, _) = after.split_once("**`policies/organisation.toml`**").unwrap();
    for step in Step::ALL {
        let key = step.key();
        let named = section.contains(&format!("\n{key} = ")) || section.contains(&format!(" {key}"));
        assert!(named, "`{key}` is not on the page");
    }
}

#[test]
fn at_a_terminal_a_wrong_answer_is_asked_for_again() {
    let desk = Desk::new("new-terminal");
    let partner = desk.keys("nhs-lomond/organisation.toml");
    let command = format!("{} agreement new --partner {}", support::binary::TOLBOOTH, partner.display());
    let mut lines: Vec<&str> = FAMILIES.to_vec();
    lines.insert(4, "To check.");
    lines.insert(4, "?");
    lines.insert(0, "");
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &command, "/dev/null"]).current_dir(desk.home());
    let mut child =
        script.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, format!("{}\n", lines.join("\n")).as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let shown = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{shown}");
    for wanted in [
        "an answer is needed here; `?` says more",
        "in the public register.",
        "No: `purpose.statement`: 9 characters, at least 40",
        "Question 10 of at most 15",
        "glenmore-nhs-lomond-known-families@1 is written",
    ] {
        assert!(shown.contains(wanted), "{wanted}\n{shown}");
    }
    assert_eq!(desk.agreements().len(), 2);
}

#[test]
fn under_a_template_only_what_it_leaves_open_is_asked() {
    let site = Site::new("new-template");
    let partner = site.scratch.path().join("keys/nhs-lomond/organisation.toml");
    let named = "digital-office/child-protection-check@2";
    let new = |template: &str, systems: &str| {
        let words =
            ["agreement", "new", "--json", "--partner", partner.to_str().unwrap(), "--template", template];
        let answers = ["", "", STATEMENT, systems, WHY, "children, staff"];
        run_with_input(&site.home, &words, &answers.map(|line| format!("{line}\n")).concat())
    };
    let looser = new(named, "ed-trak: ed_porter");
    assert!(looser.err.contains("question 4 (systems): `party[].system[].roles` is looser"), "{looser:?}");
    let written = new(named, "ed-trak: ed_nurse");
    assert_eq!(written.code, Some(0), "{written:?}");
    assert_eq!(written.lines()[0]["questions"], 6);
    let file = site.home.join("policies/agreements/glenmore-nhs-lomond-child-protection-2.toml");
    let text = std::fs::read_to_string(file).unwrap();
    for wanted in [
        "template = \"digital-office/child-protection-check@2\"",
        "transform = \"year_of_birth\"",
        "per_minute = 60",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    let by_file = new("policies/templates/child-protection-check.toml", "ed-trak: ed_nurse");
    assert_eq!(by_file.code, Some(0), "{by_file:?}");
    let unknown = new("digital-office/child-protection-check@3", "ed-trak: ed_nurse");
    assert!(
        unknown.err.contains("is not in policies/templates") && unknown.err.contains("check@2`?"),
        "{unknown:?}"
    );
}

#[test]
fn check_reads_the_organisations_file_and_nothing_is_answered_by_it() {
    let desk = Desk::new("new-organisation");
    let file = desk.home().join("policies/organisation.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let digest = |ran: &Ran| ran.out.lines().find(|line| line.starts_with("ruleset ")).unwrap().to_owned();
    let before = digest(&desk.must(&["check"]));
    std::fs::write(&file, text.replace("Z1234567", "Z1234568")).unwrap();
    assert_eq!(digest(&desk.must(&["check"])), before, "it is no part of the ruleset");
    std::fs::write(&file, text.replace("\"FOISA\"", "\"FOI\"").replace("breach_contact", "breach_contacts"))
        .unwrap();
    let checked = run(&desk.home(), &["check"]);
    for wanted in [
        "policies/organisation.toml:",
        "`FOI` is not known here",
        "unknown key `breach_contacts`",
        "did you mean `breach_contact`?",
    ] {
        assert!(checked.code == Some(1) && checked.err.contains(wanted), "{wanted}\n{checked:?}");
    }
    let refused = desk.answer(&[], &FAMILIES);
    assert!(refused.code == Some(1) && refused.err.contains("unknown key `breach_contacts`"), "{refused:?}");
    std::fs::write(&file, text.replace("member = \"glenmore\"", "member = \"nhs-lomond\"")).unwrap();
    let checked = run(&desk.home(), &["check"]);
    assert!(
        checked.err.contains("it is of `nhs-lomond`, and this is the gateway of `glenmore`"),
        "{checked:?}"
    );
    std::fs::remove_file(&file).unwrap();
    desk.must(&["check"]);
    let refused = desk.answer(&[], &FAMILIES);
    assert!(refused.err.contains("policies/organisation.toml: is not there"), "{refused:?}");
}
