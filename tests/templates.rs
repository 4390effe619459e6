//! Templates: an agreement that names one is loaded only where it is there, signed, and nowhere looser.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::Path;

use support::agreements::{self, CHILD, agree, edit};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::partner::Said;
use support::site::{run, run_with_input};
use support::until;

const TEMPLATE: &str = "policies/templates/child-protection-check.toml";

/// A whole agreement of format 2 that names the shipped template, in the place of the trial about children.
fn under_the_template(home: &Path) {
    let before = agreements::text(home, CHILD);
    let line = |key: &str| before.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    let (from, until) = (line("from ="), line("until ="));
    let text = include_str!("golden/agreements/child-protection.toml")
        .replace("stage = \"live\"", "stage = \"trial\"")
        .replace("from = 2026-12-01", &from)
        .replace("until = 2028-11-30", &until)
        .replace("review_due = 2027-12-01", &until.replace("until", "review_due"));
    agree(home, CHILD, &text);
}

fn ask(gateway: &Gateway) -> Said {
    let headers = [NURSE[0], ("tolbooth-user", "u-17"), ("tolbooth-reason", "R1")];
    gateway.nhs().ask(CHECK, &headers, &asks(CHI))
}

/// What is wrong with the files as they are.
fn faults(gateway: &Gateway) -> String {
    let ran = run(&gateway.home, &["check"]);
    assert_eq!(ran.code == Some(0), !ran.err.contains("to put right"), "{ran:?}");
    ran.err
}

#[test]
fn an_agreement_looser_than_its_template_does_not_load() {
    let gateway = Gateway::start_changed("template-looser", under_the_template);
    assert_eq!(ask(&gateway).status, 200);
    assert_eq!(faults(&gateway).matches("template").count(), 0);
    let file = agreements::file(&gateway.home, CHILD);
    edit(&file, |text| text.replace("per_minute = 30", "per_minute = 61"));
    let told = faults(&gateway);
    let wanted =
        "`limits.per_minute` is looser than its template digital-office/child-protection-check@2: at most 60";
    assert!(told.contains(wanted) && told.contains(&format!("{CHILD}.toml")), "{told}");
    // The gateway that runs keeps what it had.
    until("the changed file was refused", || {
        (gateway.metric("tolbooth_reloads_total{cause=\"refused\"}") > 0).then_some(())
    });
    assert_eq!(ask(&gateway).status, 200);
}

#[test]
fn a_template_counts_as_its_authority_signed_it_and_no_longer_than_it_is_listed() {
    let gateway = Gateway::start_changed("template-signed", under_the_template);
    let (home, key) =
        (&gateway.home, gateway.home.parent().unwrap().join("keys/digital-office/authority.key"));
    let verify = || run(home, &["template", "verify", TEMPLATE]).code;
    assert_eq!(verify(), Some(0));
    edit(&home.join(TEMPLATE), |text| text.replace("per_minute = 60", "per_minute = 61"));
    assert_eq!(verify(), Some(1));
    assert!(faults(&gateway).contains("was changed after it was signed"));
    let signed = run(home, &["template", "sign", TEMPLATE, "--key", key.to_str().unwrap()]);
    assert_eq!((signed.code, verify()), (Some(0), Some(0)), "{signed:?}");
    assert!(!faults(&gateway).contains("template"));
    // An officer's key is no authority's.
    let officer = home.parent().unwrap().join("keys/glenmore/officer.key");
    assert_eq!(run(home, &["template", "sign", TEMPLATE, "--key", officer.to_str().unwrap()]).code, Some(0));
    assert_eq!(verify(), Some(1));
    assert_eq!(run(home, &["template", "sign", TEMPLATE, "--key", key.to_str().unwrap()]).code, Some(0));
    assert_eq!(ask(&gateway).status, 200);
    // Without its authority nothing is agreed under it, and that waits for no other file.
    edit(&home.join("members.toml"), |text| text.split("\n# Who signs templates").next().unwrap().to_owned());
    assert!(faults(&gateway).contains("lists as no [[authority]]"));
    until("nothing is agreed any more", || (ask(&gateway).code() == "not_agreed").then_some(()));
}

#[test]
fn an_authority_signs_with_a_key_under_a_passphrase() {
    let gateway = Gateway::start("template-passphrase");
    let (home, folder) = (&gateway.home, gateway.home.parent().unwrap());
    let (key, words) = (folder.join("office.key"), folder.join("office.words"));
    std::fs::write(&words, "four words of ours\n").unwrap();
    let (key, words) = (key.to_str().unwrap(), words.to_str().unwrap());
    // As docs/templates.md and the help of `template sign` say.
    let made =
        run(home, &["agreement", "key", "k.office", "--out", key, "--passphrase-file", words, "--json"]);
    let public = made.lines()[0]["key"].as_str().unwrap().to_owned();
    edit(&home.join("members.toml"), |text| {
        format!("{text}\n[[authority]]\nname = \"office\"\nkey = \"{public}\"\n")
    });
    let ours = "policies/templates/ours.toml";
    let text = std::fs::read_to_string(home.join(TEMPLATE)).unwrap().replace("digital-office/", "office/");
    std::fs::write(home.join(ours), &text).unwrap();
    let verified = || run(home, &["template", "verify", ours]).code;
    assert_eq!(verified(), Some(1));
    let signed = run(home, &["template", "sign", ours, "--key", key, "--passphrase-file", words]);
    assert_eq!((signed.code, verified()), (Some(0), Some(0)), "{signed:?}");
    // Typed, or piped in where nobody sits at a terminal; and a wrong one opens nothing.
    let piped = |input: &str| run_with_input(home, &["template", "sign", ours, "--key", key], input);
    assert_eq!(piped("four words of ours\n").code, Some(0));
    let refused = piped("four other words\n");
    assert!(refused.code == Some(1) && refused.err.contains("office.key"), "{refused:?}");
    // For what is not for trials a key that lies there plain signs nothing: its authority would not count.
    edit(&home.join(ours), |text| text.replace("stage = \"trial\"", "stage = \"live\""));
    let plain = folder.join("keys/digital-office/authority.key");
    let refused = run(home, &["template", "sign", ours, "--key", plain.to_str().unwrap()]);
    assert!(refused.code == Some(1) && refused.err.contains("trials alone"), "{refused:?}");
}
