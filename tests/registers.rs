//! Registers of agreements: the columns law names, only what is sealed and signed, and in the public one nothing that
//! the public may not read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::process::Command;

use support::judged::{entries, judged, whole};
use support::scratch::Scratch;
use tolbooth::desk::paper::{Sheet, art30, dea};
use tolbooth::model::{ActDone, Action, Digest, MemberId};
use tolbooth::policy::Agreement;

const TOLBOOTH: &str = env!("CARGO_BIN_EXE_tolbooth");

fn name_of(member: &MemberId) -> String {
    format!("Name of {member}")
}

fn cell<'s>(sheet: &'s Sheet, row: usize, column: &str) -> &'s str {
    &sheet.rows[row][sheet.columns.iter().position(|one| *one == column).unwrap()]
}

#[test]
fn the_public_register_has_its_eighteen_columns_and_only_what_the_public_may_read() {
    let child = whole("child-protection");
    let secret = whole("premises").replace("public = true", "public = false\nexemption = \"FOISA s.31\"");
    let older = child.replace("version = 3", "version = 2").replace("status check", "old check");
    let sheet = dea(
        &entries(vec![
            judged(&older, true),
            judged(&child, true),
            judged(&secret, true),
            judged(&whole("taxi-licence"), false),
        ]),
        &name_of,
    );
    let columns = "id name purpose benefits legal-power disclosed-information controllers controller-names method \
                   processors processor-names retention start end review contact areas area-names";
    assert_eq!(sheet.columns.to_vec(), columns.split_whitespace().collect::<Vec<_>>());
    assert_eq!(sheet.rows.len(), 1, "{sheet:?}");
    assert!(sheet.rows.iter().all(|row| row.len() == 18));
    assert_eq!(cell(&sheet, 0, "name"), "Child protection status check by A&E", "the newest version");
    assert_eq!(cell(&sheet, 0, "controllers"), "S12000099; S08000099");
    assert_eq!(cell(&sheet, 0, "controller-names"), "Name of glenmore; Name of nhs-lomond");
    assert_eq!(cell(&sheet, 0, "processor-names"), "HostCo");
    assert_eq!(cell(&sheet, 0, "start"), "2026-12-01");
    assert_eq!(cell(&sheet, 0, "end"), "2028-11-30");
    assert_eq!(cell(&sheet, 0, "review"), "2027-12-01");
    assert_eq!(cell(&sheet, 0, "retention"), "not stored then deleted");
    assert!(cell(&sheet, 0, "legal-power").starts_with("Children (Scotland) Act 1995 s.22; "));
    let kept_out: Vec<(&str, usize)> =
        sheet.kept_out.iter().map(|(why, count)| (why.as_str(), *count)).collect();
    assert_eq!(kept_out, [("FOISA s.31", 1), ("not sealed and signed", 1)]);
    assert!(!format!("{:?}", sheet.rows).contains("Premises"));
}

/// What was shared was shared, whatever a party did since; what was never agreed was not.
#[test]
fn what_was_withdrawn_stays_in_the_registers() {
    let act = |action, agreement: &Agreement| ActDone {
        action,
        agreement: agreement.reference.clone(),
        member: MemberId::new("nhs-lomond").unwrap(),
        statement: Digest::of(b"words"),
        lifts: None,
        at: "2027-01-04T10:00:00Z".parse().unwrap(),
    };
    for (action, rows) in [(Action::Suspend, 1), (Action::Withdraw, 1), (Action::Decline, 0)] {
        let (agreement, standing) = judged(&whole("child-protection"), true);
        let done = act(action, &agreement);
        let all = entries(vec![(agreement, standing.against(&[&done]))]);
        assert_eq!(dea(&all, &name_of).rows.len(), rows, "{action:?}");
        assert_eq!(art30(&MemberId::new("glenmore").unwrap(), &all, &name_of).rows.len(), rows, "{action:?}");
    }
}

#[test]
fn the_record_of_processing_is_the_controllers_own_and_has_what_the_public_may_not_read() {
    let secret =
        whole("child-protection").replace("public = true", "public = false\nexemption = \"FOISA s.38\"");
    let all = entries(vec![
        judged(&secret, true),
        judged(&whole("taxi-licence"), true),
        judged(&whole("premises"), true),
    ]);
    let nhs = art30(&MemberId::new("nhs-lomond").unwrap(), &all, &name_of);
    assert_eq!(nhs.rows.len(), 1);
    assert_eq!(cell(&nhs, 0, "a-controller"), "Name of nhs-lomond");
    assert_eq!(cell(&nhs, 0, "a-data-protection-officer"), "Data Protection Officer, dpo@nhs-lomond.example");
    assert_eq!(cell(&nhs, 0, "c-data-subjects"), "children; staff");
    assert_eq!(cell(&nhs, 0, "c-special-categories"), "health");
    assert_eq!(cell(&nhs, 0, "d-recipients"), "Name of nhs-lomond");
    assert_eq!(cell(&nhs, 0, "e-transfers"), "none");
    assert_eq!(cell(&nhs, 0, "f-erasure"), "not stored, then deleted; the record after 25 years");
    assert_eq!(nhs.kept_out.get("of others"), Some(&2));
    let council = art30(&MemberId::new("glenmore").unwrap(), &all, &name_of);
    assert_eq!(council.rows.len(), 2);
    assert_eq!(council.kept_out.get("about nobody"), Some(&1));
}

#[test]
fn what_hides_is_named_in_a_register_too() {
    // What reorders is not loaded at all; what shows as nothing is.
    let hidden = whole("child-protection").replace("check by A&E", "check\\u200B by A&E");
    let sheet = dea(&entries(vec![judged(&hidden, true)]), &name_of);
    assert_eq!(cell(&sheet, 0, "name"), "Child protection status check[U+200B] by A&E");
}

#[test]
fn the_command_writes_the_columns_and_counts_what_it_keeps_out() {
    let scratch = Scratch::new("registers");
    let run = |folder: &str, words: &[&str]| {
        let done =
            Command::new(TOLBOOTH).current_dir(scratch.path().join(folder)).args(words).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    run("", &["init", "glenmore"]);
    let (csv, told) = run("glenmore", &["agreement", "register", "--format", "dea"]);
    assert!(csv.starts_with("id,name,purpose,benefits,") && csv.lines().count() == 1, "{csv}");
    assert!(told.contains("1 not in it: trials, which are about nobody"), "{told}");
    let (json, _) = run("glenmore", &["agreement", "register", "--format", "art30", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["kept_out"]["trials, which are about nobody"], 1);
}
