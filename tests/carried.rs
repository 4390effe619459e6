//! What may not come back stays away over a restore: it is in the first record of the new log, whatever files and
//! folded stores say.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::PathBuf;

use serde_json::json;
use support::agreements::{CHILD, replace};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::grants::{GRANT, file, grant, named, words};
use support::restored::{Restored, must};
use support::until;
use tolbooth::model::Digest;

const PLATE_CHECK: &str = "/taxi-licence/v1/check";

/// What callers are told: of the register, under the grant, and of the other dataset.
fn told(gateway: &Gateway) -> [String; 3] {
    let code = |said: support::partner::Said| {
        if said.status == 200 { said.outcome().to_owned() } else { said.code() }
    };
    [
        code(gateway.nhs().ask(CHECK, &[NURSE[0], named(CHILD)], &asks(CHI))),
        code(gateway.nhs().ask(CHECK, &[NURSE[0], named(GRANT)], &asks(CHI))),
        code(gateway.police().ask(
            PLATE_CHECK,
            &[("tolbooth-user", "officer-1")],
            "{\"licence_no\":\"T-0001\"}",
        )),
    ]
}

fn acts(gateway: &Gateway) -> Vec<PathBuf> {
    let all = std::fs::read_dir(gateway.home.join("policies/agreements")).unwrap();
    let all = all.map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|ending| ending == "act")).collect()
}

#[test]
fn what_was_suspended_stopped_or_used_before_a_backup_stays_so_after_the_restore() {
    let mut of = Restored::begin("carried");
    let home = of.home().to_owned();
    grant(&home, GRANT, &words(GRANT, &of.gateway.clock), &[CHI]);
    until("the grant is used", || {
        let said = of.gateway.nhs().ask(CHECK, &[NURSE[0], named(GRANT)], &asks(CHI));
        (said.outcome() == "answered").then_some(())
    });
    let key = home.parent().unwrap().join("keys/nhs-lomond/officer.key");
    let agreement = format!("policies/agreements/{CHILD}.toml");
    let suspend = [
        "agreement",
        "suspend",
        &agreement,
        "--key",
        key.to_str().unwrap(),
        "--reason",
        "An account was misused",
    ];
    must(&home, &suspend, "");
    let stop =
        ["stop", "--dataset", "taxi-licence", "--purpose", "incident 4711", "--message", "We look into it"];
    must(&home, &stop, "");
    let all_ended = ["agreement_not_in_force", "grant_spent", "stopped"];
    until("all of it acts", || (told(&of.gateway) == all_ended).then_some(()));
    // Nothing but the record says so from here on.
    let files = acts(&of.gateway);
    assert_eq!(files.len(), 1);
    files.iter().for_each(|file| std::fs::remove_file(file).unwrap());

    for restore in 1..=2 {
        of.restore();
        assert_eq!(told(&of.gateway), all_ended, "restore {restore}");
        // The first record, which says so, is folded away with its segment, and kept.
        of.fill();
        let fold = std::sync::Arc::clone(&of.gateway.running().app.fold);
        until("the first segment is folded", || (fold.folded_before() > 1).then_some(()));
        of.gateway.restart();
        assert_eq!(told(&of.gateway), all_ended, "restore {restore}, folded");
        of.gateway.stop();
        let _gone = std::fs::remove_dir_all(home.join("data/store"));
        of.gateway.restart();
        assert_eq!(told(&of.gateway), all_ended, "restore {restore}, without what is folded");
        let origin = of.gateway.search(json!({ "kind": "origin", "log": of.logs[0] }));
        assert_eq!(origin[0]["envelope"]["previous"]["log"], of.logs[1].as_str());
    }
    // It is the host's to start again, and the party's own to resume: neither was made final by the restore.
    must(&home, &["start", "--dataset", "taxi-licence", "--purpose", "incident 4711 is over"], "");
    until("it is started", || (told(&of.gateway)[2] != "stopped").then_some(()));
}

/// The key of a grant's commitments would tell whom it is about: of a load that is refused over it no digest of the
/// key is recorded, and in what partners may see not its name either.
#[test]
fn a_load_refused_for_a_grants_key_says_nothing_of_the_key() {
    let of = Restored::begin("carried-key");
    let (home, clock) = (of.home().to_owned(), of.gateway.clock.clone());
    grant(&home, GRANT, &words(GRANT, &clock), &[CHI]);
    until("the grant is used", || {
        let said = of.gateway.nhs().ask(CHECK, &[NURSE[0], named(GRANT)], &asks(CHI));
        (said.outcome() == "answered").then_some(())
    });
    let refusals = |of: &Restored| {
        let all = of.gateway.search(json!({ "kind": "rules" }));
        all.into_iter().filter(|one| one["envelope"]["taken"] == false).collect::<Vec<_>>()
    };
    assert!(refusals(&of).is_empty());
    // Somebody names it where a contract is wanted, which it is none.
    let key = std::fs::read(file(&home, GRANT, "subject-key")).unwrap();
    let dataset = home.join("policies/datasets/child-protection.toml");
    let text = std::fs::read_to_string(&dataset).unwrap();
    let contract = text.lines().find(|line| line.starts_with("contract")).unwrap();
    let named = format!("contract = \"policies/grants/{GRANT}.subject-key\"");
    replace(&dataset, text.replace(contract, &named).as_bytes());
    let refused = until("the load is refused", || refusals(&of).pop());
    let told = refused.to_string();
    assert!(!told.contains(&Digest::of(&key).hex()), "{told}");
    assert!(!refused["envelope"].to_string().contains("subject-key"), "{told}");
    let items = refused["envelope"]["items"].as_array().unwrap();
    let file = items.iter().find(|item| item[0] == "file").unwrap_or_else(|| panic!("{told}"));
    assert_eq!((&file[1], &file[2]), (&json!(null), &json!(null)), "{told}");
    // Whoever was to be found out about it is told where it was: the fault is the key's file.
    assert!(refused["sealed"]["detail"].as_str().unwrap().contains(GRANT), "{told}");
}
