//! What a person is not told of who received their data, beside what the police asked (`reports.rs`): what a
//! grant or an agreement says must not be told, and fields of which nobody can say what they tell.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use serde_json::Value;
use support::agreements::{self, CHILD, agree, edit, reword};
use support::gateway::{CHECK, CHI, NURSE, asks};
use support::grants::{grant, named, words};
use support::here::Here;
use support::site::{Site, run_with_input};
use tolbooth::clock::Clock;

/// A report on the child, its lines without the looks before it.
fn lines(here: &Here, report: &str, cut: &str) -> Vec<Value> {
    let arguments = ["report", report, "--subject", "chi", "--purpose", "SAR 12", "--json", "--cut", cut];
    let ran = run_with_input(&here.site.home, &arguments, CHI);
    let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    let rows = document["rows"].as_array().unwrap().iter();
    rows.filter(|row| row.get("look").is_none()).cloned().collect()
}

fn ask(here: &Here, more: &[(&str, &str)]) {
    let said = here.nhs().ask(CHECK, &[&NURSE, more].concat(), &asks(CHI));
    assert_eq!(said.status, 200, "{said:?}");
}

/// Why the access under this agreement is held back, in both reports; nothing where it is told.
fn held_back(here: &Here, agreement: &str) -> String {
    let is_of = |row: &&Value| row["agreement"] == agreement;
    let full = lines(here, "person", "full");
    let row = full.iter().find(is_of).unwrap_or_else(|| panic!("{agreement}: {full:?}"));
    for report in ["person", "recipients"] {
        assert!(lines(here, report, "full").iter().any(|row| row["agreement"] == agreement));
        let told = lines(here, report, "releasable").iter().any(|row| row["agreement"] == agreement);
        assert_eq!(row["releasable"], told, "{report} {agreement}");
    }
    row["held_back"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_grant_says_must_not_be_told_is_held_back() {
    let site = Site::new("withheld-grants");
    let plain = |id: &str| words(id, &Clock::new().unwrap());
    let cases = [
        ("grant-told", plain("grant-told"), ""),
        (
            "grant-tip-off",
            plain("grant-tip-off").replace("tip_off = false", "tip_off = true"),
            "the grant says that the person must not be told",
        ),
        (
            "grant-exempt",
            plain("grant-exempt").replace("[decision]", "[decision]\nexemption = \"DPA 2018 Sch 2 para 5\""),
            "under a grant with an exemption",
        ),
        (
            "grant-security",
            plain("grant-security").replace("urgency = \"safeguarding\"", "urgency = \"national_security\""),
            "a request to protect national security",
        ),
    ];
    cases.iter().for_each(|(id, words, _)| grant(&site.home, id, words, &[CHI]));
    let here = Here::start(site);
    cases.iter().for_each(|(id, ..)| ask(&here, &[named(id)]));
    for (id, _, why) in cases {
        assert_eq!(held_back(&here, &format!("{id}@1")), why, "{id}");
    }
}

/// A whole agreement of format 2 in the place of the trial about children.
fn whole(home: &Path, version: u32, disclosable: &str) {
    let before = agreements::text(home, CHILD);
    let line = |key: &str| before.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    let (from, until) = (line("from ="), line("until ="));
    let text = include_str!("golden/agreements/child-protection.toml")
        .replace("stage = \"live\"", "stage = \"trial\"")
        .replace("from = 2026-12-01", &from)
        .replace("until = 2028-11-30", &until)
        .replace("review_due = 2027-12-01", &until.replace("until", "review_due"));
    let whole: Vec<String> = text
        .lines()
        .map(|line| {
            if line.starts_with("version =") {
                format!("version = {version}")
            } else if line.starts_with("sar_disclosable =") {
                format!("sar_disclosable = \"{disclosable}\"")
            } else {
                line.to_owned()
            }
        })
        .collect();
    agree(home, CHILD, &(whole.join("\n") + "\n"));
}

#[test]
fn what_an_agreement_does_not_let_be_told_is_held_back() {
    let site = Site::new("withheld-agreed");
    let cases = [
        ("yes", ""),
        ("consult_consumer", "the agreement wants the consumer asked first"),
        ("withhold_crime", "the agreement does not let it be told where that would prejudice crime purposes"),
    ];
    let mut here = Here::new(site);
    for (version, (disclosable, _)) in (1..).zip(cases) {
        whole(&here.site.home, version, disclosable);
        here.restart();
        ask(&here, &[("tolbooth-user", "u-17"), ("tolbooth-reason", "R1")]);
    }
    for (version, (_, why)) in (1..).zip(cases) {
        assert_eq!(held_back(&here, &format!("{CHILD}@{version}")), why);
    }
}

#[test]
fn a_field_the_contract_does_not_know_any_more_is_held_back() {
    let mut here = Here::start(Site::new("withheld-field"));
    ask(&here, &[]);
    assert_eq!(held_back(&here, &format!("{CHILD}@1")), "");
    here.stop();
    let home = here.site.home.clone();
    edit(&home.join("schemas/child-protection.v1.json"), |text| {
        let line = text.lines().find(|line| line.contains("\"start_date\":")).unwrap();
        text.replace(&format!("{line}\n"), "")
    });
    edit(&home.join("policies/datasets/child-protection.toml"), |text| {
        text.replace("start_date = \"/cp/since\"\n", "")
    });
    reword(&home, CHILD, |text| {
        text.replace("version = 1", "version = 2").replace("    \"start_date\",\n", "")
    });
    here.restart();
    ask(&here, &[]);
    assert_eq!(held_back(&here, &format!("{CHILD}@1")), "may tell of a safe address, or cannot be judged");
    // What the present contract knows is told.
    assert_eq!(held_back(&here, &format!("{CHILD}@2")), "");
}
