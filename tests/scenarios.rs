//! The scenarios of policies/scenarios: each does what its policy tests say, and partners who ask over real sockets
//! are told exactly what was agreed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use tolbooth::policy::{self, Held, Kind};

use support::federation::Federation;
use support::partner::Said;
use support::site::run;

fn folders() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/scenarios");
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A council that has copied every scenario beside the two agreements it began with.
fn council(name: &str) -> Federation {
    let federation = Federation::new(name);
    for folder in
        ["policies/agreements", "policies/datasets", "policies/guardrails", "policies/tests", "schemas"]
    {
        federation.copy(folder, folder);
    }
    federation.copy("src/cli/demo", "");
    for folder in folders() {
        federation.copy(&format!("policies/scenarios/{folder}"), "");
    }
    federation
}

#[test]
fn every_scenario_does_what_its_tests_say_and_every_clause_of_it_is_tested() {
    assert_eq!(folders().len(), 11, "with the two that are shipped as they are: thirteen");
    let council = council("scenarios-tested");
    let ran = run(&council.home, &["policy", "test", "--full"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let checked = run(&council.home, &["check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let not_answered = checked.out.lines().filter(|line| line.contains("gives no answers of the form"));
    assert_eq!(not_answered.count(), 3, "{checked:?}");
}

#[test]
fn a_scenario_copied_alone_is_whole() {
    for folder in folders() {
        let federation = Federation::new("scenario-alone");
        federation.copy(&format!("policies/scenarios/{folder}"), "");
        let ran = run(&federation.home, &["policy", "test", "--full"]);
        assert_eq!(ran.code, Some(0), "{folder}: {ran:?}");
    }
}

/// Fields that are enforced otherwise than by a clause a question can meet or not: by questions of the shipped tests
/// that name another, or when the file is read, and the test that shows it.
const ENFORCED_OTHERWISE: [(&str, &str); 16] = [
    ("agreement.id", "policies/tests/child-protection.toml: not under an agreement there is none of"),
    ("agreement.version", "policies/tests/child-protection.toml: not under a version there is none of"),
    (
        "party[].member",
        "policies/tests/child-protection.toml: nor may the police, who have another agreement",
    ),
    (
        "party[].side",
        "policies/tests/child-protection.toml: nor may the council itself: it provides, and asks nothing",
    ),
    ("dataset.id", "policies/tests/child-protection.toml: not of another dataset"),
    ("dataset.major", "policies/tests/child-protection.toml: not of another version of its contract"),
    ("agreement.stage", "src/policy/tests/standing.rs: a_trial_answers_only_from_a_synthetic_source"),
    ("agreement.template", "tests/templates.rs: an_agreement_looser_than_its_template_does_not_load"),
    (
        "party[].caldicott_guardian.office",
        "src/policy/tests/attach.rs: where_a_caldicott_guardian_is_named_their_signature_is_wanted",
    ),
    ("agreement.kind", "src/policy/lint/marks.rs: a_marked_field_leaves_only_under_its_category"),
    ("data.special_categories", "src/policy/lint/marks.rs: a_marked_field_leaves_only_under_its_category"),
    ("data.criminal_offence", "src/policy/lint/marks.rs: a_marked_field_leaves_only_under_its_category"),
    ("data.all_rows", "policies/tests/taxi-licence.toml: and of one that was revoked"),
    ("emergency.allowed", "tests/agreement_fields.rs: an_emergency_without_a_clause_is_refused"),
    ("seal.view", "src/policy/tests/standing.rs: the_seal_must_be_there_and_over_the_view_of_today"),
    ("purpose.code", "policies/tests/child-protection.toml: not for another purpose"),
];

#[test]
fn every_field_that_is_enforced_is_made_false_by_a_test() {
    let council = council("scenarios-enforced");
    let told = &run(&council.home, &["policy", "test", "--coverage", "--json"]).lines()[0];
    let clauses = told["coverage"]["clauses"].as_array().unwrap();
    let enforced = policy::fields().filter(|field| field.held == Held::Enforced);
    for field in enforced.filter(|field| !matches!(field.kind, Kind::Table)) {
        let key = field.path.replace("[]", "").replace(".system.id", ".system");
        let of: Vec<_> = clauses.iter().filter(|clause| clause["key"] == *key).collect();
        let shown = of.iter().any(|clause| clause["unmet"] == true);
        let leaves = key == "data.release" || key == "data.withhold";
        let elsewhere = ENFORCED_OTHERWISE.iter().find(|(path, _)| *path == field.path);
        assert!(shown || (leaves && !of.is_empty()) || elsewhere.is_some(), "{key}");
    }
    for (field, shown) in ENFORCED_OTHERWISE {
        let (file, test) = shown.split_once(": ").unwrap();
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(text.contains(test), "{field}: {shown}");
    }
}

/// One council asked by all its partners.
struct Asking(Federation);

impl Asking {
    fn start(name: &str) -> Self {
        let mut council = council(name);
        council.at_work();
        council.agree();
        council.start();
        Self(council)
    }

    fn ask(&self, system: &str, path: &str, headers: &[(&str, &str)], question: &str) -> Said {
        self.0.system(system).ask(path, headers, question)
    }

    /// Asks, and is told exactly the bytes of this file.
    fn told(&self, system: &str, path: &str, headers: &[(&str, &str)], question: &str, golden: &str) {
        let said = self.ask(system, path, headers, question);
        let file = format!("{}/tests/golden/scenarios/{golden}.json", env!("CARGO_MANIFEST_DIR"));
        let body = std::fs::read_to_string(file).unwrap();
        let told = String::from_utf8(said.body.to_vec()).unwrap();
        assert_eq!((said.status, said.outcome(), told), (200, "answered", body), "{path}");
        assert!(said.receipt().is_some(), "{path}");
    }

    fn unknown(&self, system: &str, path: &str, headers: &[(&str, &str)], question: &str) {
        let said = self.ask(system, path, headers, question);
        assert_eq!((said.status, said.outcome()), (404, "no_match"), "{path} {said:?}");
    }

    fn refused(&self, system: &str, path: &str, headers: &[(&str, &str)], question: &str, code: &str) {
        let said = self.ask(system, path, headers, question);
        assert_eq!((said.outcome(), said.code().as_str()), ("refused", code), "{path}");
    }
}

const USER: (&str, &str) = ("tolbooth-user", "u-4711");
const CASE: (&str, &str) = ("tolbooth-case", "C-26-0017");

fn reason(said: &str) -> (&str, &str) {
    ("tolbooth-reason", said)
}

fn role(said: &str) -> (&str, &str) {
    ("tolbooth-role", said)
}

#[test]
fn single_records_are_told_as_agreed_and_to_nobody_else() {
    let council = Asking::start("scenarios-single");
    let hub = [USER, reason("DISCHARGE"), role("discharge_nurse")];
    let path = "/social-care/v1/package";
    council.told("nhs-lomond/discharge-hub", path, &hub, r#"{"chi":"0807461022"}"#, "02-hospital-discharge");
    council.unknown("nhs-lomond/discharge-hub", path, &hub, r#"{"chi":"1402380012"}"#);
    council.unknown("nhs-lomond/discharge-hub", path, &hub, r#"{"chi":"2708180838"}"#);
    council.refused("nhs-lomond/discharge-hub", path, &hub[1..], r#"{"chi":"0807461022"}"#, "user_missing");
    council.refused("lochside/parking", path, &hub, r#"{"chi":"0807461022"}"#, "not_agreed");

    let path = "/premises/v1/risk";
    council.told("fire-caledonia/dispatch", path, &[], r#"{"uprn":"999000000101"}"#, "03-premises-risk");
    council.unknown("fire-caledonia/dispatch", path, &[], r#"{"uprn":"999000000102"}"#);
    let nightly = council.ask("fire-caledonia/night-load", path, &[], r#"{"uprn":"999000000101"}"#);
    assert_eq!(nightly.code(), "agreement_not_in_force");

    let path = "/taxi-licence/v1/check";
    council.told(
        "police-caledonia/control-room",
        path,
        &[USER],
        r#"{"licence_no":"TX-1042"}"#,
        "04-taxi-licence",
    );

    let path = "/last-contact/v1/known";
    let person = r#"{"name":"Aoife Ní Chonaill","born":"1988-02-14"}"#;
    let token = format!("Bearer {}", council.0.system("police-caledonia/missing-persons").token(""));
    let token = ("authorization", token.as_str());
    let officer = [token, USER, CASE, reason("MISPER not seen since Friday evening")];
    council.told("police-caledonia/missing-persons", path, &officer, person, "07-missing-person");
    let short = [token, USER, CASE, reason("MISPER")];
    council.refused("police-caledonia/missing-persons", path, &short, person, "reason_missing");
    council.refused("police-caledonia/missing-persons", path, &officer[1..], person, "token_missing");
}

#[test]
fn a_yes_or_no_is_told_and_nothing_beside_it() {
    let council = Asking::start("scenarios-yes-no");
    let path = "/blue-badge/v1/check";
    council.told("lochside/parking", path, &[USER], r#"{"badge_no":"010101F0128"}"#, "05-blue-badge");
    council.told("lochside/parking", path, &[USER], r#"{"badge_no":"010101M0455"}"#, "05-blue-badge-stolen");

    let path = "/tax-reduction/v1/entitled";
    council.told("lochside/meals", path, &[USER], r#"{"council_tax_ref":"CT40001122"}"#, "06-school-meals");
    council.unknown("lochside/meals", path, &[USER], r#"{"council_tax_ref":"CT40001133"}"#);
    council.refused(
        "lochside/meals-load",
        path,
        &[USER],
        r#"{"council_tax_ref":"CT40001122"}"#,
        "agreement_not_in_force",
    );

    let path = "/known-families/v1/known";
    let worker = [USER, CASE, reason("NEWFAMILY")];
    council.told("lochside/case-work", path, &worker, r#"{"chi":"0807121022"}"#, "13-known-family");
    council.unknown("lochside/case-work", path, &worker, r#"{"chi":"1402220904"}"#);
    council.refused(
        "lochside/case-work-everywhere",
        path,
        &worker,
        r#"{"chi":"0807121022"}"#,
        "agreement_not_in_force",
    );
}

#[test]
fn planners_ask_when_they_are_at_work() {
    let council = Asking::start("scenarios-hours");
    let ask = || council.ask("caledonia-statistics/census", "/school-roll/v1/counts", &[], "{}");
    assert_eq!(ask().outcome(), "answered");
    // Noon on a Wednesday, and that evening.
    council.0.clock.shift(jiff::SignedDuration::from_hours(7));
    assert_eq!((ask().outcome(), ask().code().as_str()), ("refused", "hours"));
}

#[test]
fn lists_hold_the_rows_agreed_and_no_others() {
    let council = Asking::start("scenarios-lists");
    council.told("alba-homes/gas-rounds", "/gas-safety/v1/due", &[], "{}", "08-gas-safety");
    council.told("lochside/open-data", "/air-quality/v1/hours", &[], "{}", "09-air-quality");
    council.told("lochside/open-data", "/recycling-centres/v1/all", &[], "{}", "10-recycling-centres");
    council.told("caledonia-statistics/census", "/school-roll/v1/counts", &[], "{}", "11-school-roll");
    let postcode = r#"{"postcode":"ZZ99 3AA"}"#;
    council.told("nhs-lomond/registration", "/addresses/v1/by-postcode", &[], postcode, "12-address-look-up");
    council.unknown("lochside/forms", "/addresses/v1/by-uprn", &[], r#"{"uprn":"999000000402"}"#);
    council.refused(
        "lochside/parking",
        "/addresses/v1/by-uprn",
        &[],
        r#"{"uprn":"999000000401"}"#,
        "not_agreed",
    );
}
