//! Between the signing of an agreement and its end: what an officer of a party does acts on the next question, is on
//! the record, and outlives every file.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tolbooth::crypto::SigningKey;
use tolbooth::merkle::note::sign_line;
use tolbooth::merkle::signer::SignerKey;
use tolbooth::model::Digest;

use support::agreements::{CHILD, agree, file, replace, text, unsealed};
use support::gateway::{CHECK, CHI, Gateway, NURSE, asks};
use support::site::{Ran, run};
use support::until;

const LOADED: &str = "tolbooth_reloads_total{cause=\"loaded\"}";

fn key(gateway: &Gateway, member: &str) -> PathBuf {
    gateway.home.parent().unwrap().join(format!("keys/{member}/officer.key"))
}

/// An officer acts, with the real binary, in the gateway's folder.
fn act(gateway: &Gateway, action: &str, member: &str, more: &[&str]) -> Ran {
    let (file, key) =
        (format!("policies/agreements/{CHILD}.toml"), key(gateway, member).display().to_string());
    let words = ["agreement", action, &file, "--key", &key, "--reason", "An account was misused"];
    run(&gateway.home, &[&words, more].concat())
}

fn acts(gateway: &Gateway) -> Vec<PathBuf> {
    let all = std::fs::read_dir(gateway.home.join("policies/agreements")).unwrap();
    let mut acts: Vec<_> = all.map(|entry| entry.unwrap().path()).collect();
    acts.retain(|path| path.extension().is_some_and(|ending| ending == "act"));
    acts.sort();
    acts
}

fn recorded(gateway: &Gateway) -> Vec<Value> {
    gateway.search(json!({ "kind": "act" }))
}

/// Waits until the gateway has looked at what was changed.
fn loaded(gateway: &Gateway, change: impl FnOnce()) {
    let before = gateway.metric(LOADED);
    change();
    until("the change is loaded", || (gateway.metric(LOADED) > before).then_some(()));
}

fn code(gateway: &Gateway) -> String {
    let said = gateway.check(CHI);
    if said.status == 200 { said.outcome().to_owned() } else { said.code() }
}

#[test]
fn a_party_suspends_alone_and_resumes_alone() {
    let mut gateway = Gateway::start("life-suspend");
    let mut line = gateway.nhs().connect().unwrap();
    assert_eq!(line.ask(CHECK, &NURSE, &asks(CHI)).status, 200);
    let suspended = act(&gateway, "suspend", "nhs-lomond", &[]);
    assert!(suspended.code == Some(0) && suspended.out.contains("The gateway has taken it"), "{suspended:?}");
    // The very next question, on the connection that was open.
    let said = line.ask(CHECK, &NURSE, &asks(CHI));
    assert_eq!((said.status, said.code().as_str()), (403, "agreement_not_in_force"));
    assert!(!String::from_utf8_lossy(&said.body).contains("misused"), "the reason is the parties'");
    let found = recorded(&gateway);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (&one["envelope"]["action"], &one["envelope"]["member"]),
        (&json!("suspend"), &json!("nhs-lomond"))
    );
    assert_eq!(one["envelope"]["agreement"], format!("{CHILD}@1"));
    assert_eq!(one["sealed"]["reason"], "An account was misused");
    // The other party cannot end it, and the file that is gone does not.
    let other = act(&gateway, "resume", "glenmore", &[]);
    assert!(other.code == Some(1) && other.err.contains("it is, by nhs-lomond"), "{other:?}");
    let lifts = one["envelope"]["statement"].as_str().unwrap().to_owned();
    assert_eq!(act(&gateway, "resume", "glenmore", &["--lifts", &lifts]).code, Some(0));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    loaded(&gateway, || acts(&gateway).iter().for_each(|act| std::fs::remove_file(act).unwrap()));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    gateway.restart();
    assert_eq!(code(&gateway), "agreement_not_in_force");
    // Of which the files know nothing: the gateway is asked.
    let status = run(&gateway.home, &["agreement", "status"]);
    assert!(status.code == Some(1) && status.out.contains("- suspended by nhs-lomond on"), "{status:?}");
    // Whoever suspended resumes, by what the ledger has where the file is not here.
    let lost = act(&gateway, "resume", "nhs-lomond", &[]);
    assert!(lost.code == Some(1) && lost.err.contains("--lifts"), "{lost:?}");
    assert_eq!(act(&gateway, "resume", "nhs-lomond", &["--lifts", &lifts]).code, Some(0));
    assert_eq!(code(&gateway), "answered");
    // A second one is another, which the first resumption does not take back.
    assert_eq!(act(&gateway, "suspend", "nhs-lomond", &[]).code, Some(0));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    assert_eq!(act(&gateway, "resume", "nhs-lomond", &[]).code, Some(0));
    assert_eq!(code(&gateway), "answered");
}

/// Somebody drafts an agreement and leaves a typo in it; a party suspends another in the same minute.
#[test]
fn a_suspension_acts_whatever_is_wrong_with_other_files() {
    let mut gateway = Gateway::start("life-beside");
    let draft = file(&gateway.home, "draft");
    std::fs::write(&draft, "format = 1\nid = ").unwrap();
    let refused = "tolbooth_reloads_total{cause=\"refused\"}";
    until("the draft is refused", || (gateway.metric(refused) > 0).then_some(()));
    assert_eq!(code(&gateway), "answered");
    // Nor does an act that does not read hinder another.
    put(&gateway.home, "broken", b"tolbooth/agreement-act/v1\n");
    let suspended = act(&gateway, "suspend", "nhs-lomond", &[]);
    assert_eq!(code(&gateway), "agreement_not_in_force", "in force with the next exchange: {suspended:?}");
    let found = recorded(&gateway);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(one["envelope"]["action"], "suspend");
    let broken = acts(&gateway).into_iter().find(|path| path.to_str().unwrap().contains(".broken."));
    std::fs::remove_file(broken.unwrap()).unwrap();
    let resumed = act(&gateway, "resume", "nhs-lomond", &[]);
    assert_eq!(code(&gateway), "answered", "{resumed:?}");
    std::fs::remove_file(draft).unwrap();
    until("all is green", || (gateway.light("ruleset") == "green").then_some(()));
    gateway.restart();
    assert_eq!(code(&gateway), "answered");
}

#[test]
fn a_withdrawn_version_never_comes_back() {
    let mut gateway = Gateway::start("life-withdraw");
    assert_eq!(code(&gateway), "answered");
    let before = text(&gateway.home, CHILD);
    assert_eq!(act(&gateway, "withdraw", "glenmore", &[]).code, Some(0));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    for action in ["resume", "accept", "propose"] {
        act(&gateway, action, "glenmore", &[]);
        assert_eq!(code(&gateway), "agreement_not_in_force", "{action}");
    }
    // The files of before the withdrawal are put back, while it runs and while it does not.
    loaded(&gateway, || acts(&gateway).iter().for_each(|act| std::fs::remove_file(act).unwrap()));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    gateway.restart();
    assert_eq!(code(&gateway), "agreement_not_in_force");
    gateway.stop();
    // There is one once a segment was filled.
    let _gone = std::fs::remove_dir_all(gateway.home.join("data/store"));
    gateway.restart();
    assert_eq!(code(&gateway), "agreement_not_in_force", "the journal knows what the store forgot");
    // Nor under the same number over other bytes, however it is signed.
    let again = unsealed(&before).replace("per_minute = 30", "per_minute = 31");
    loaded(&gateway, || agree(&gateway.home, CHILD, &again));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    // A new version, signed by all, is a new agreement.
    loaded(&gateway, || agree(&gateway.home, CHILD, &again.replace("version = 1", "version = 2")));
    assert_eq!(code(&gateway), "answered");
}

#[test]
fn a_declined_version_waits_for_the_party_that_declined() {
    let gateway = Gateway::start("life-decline");
    assert_eq!(act(&gateway, "propose", "glenmore", &[]).code, Some(0));
    assert_eq!(code(&gateway), "answered");
    assert_eq!(act(&gateway, "decline", "nhs-lomond", &[]).code, Some(0));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    assert_eq!(act(&gateway, "accept", "glenmore", &[]).code, Some(0));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    let status = run(&gateway.home, &["agreement", "status"]);
    assert!(
        status.out.contains("declined by nhs-lomond") && status.out.contains("agreement accept"),
        "{status:?}"
    );
    assert_eq!(act(&gateway, "accept", "nhs-lomond", &[]).code, Some(0));
    assert_eq!(code(&gateway), "answered");
}

fn signer(gateway: &Gateway, member: &str) -> SignerKey {
    SignerKey::parse(&std::fs::read_to_string(key(gateway, member)).unwrap()).unwrap()
}

fn put(home: &Path, name: &str, bytes: &[u8]) {
    replace(&home.join(format!("policies/agreements/{CHILD}.{name}.act")), bytes);
}

#[test]
fn an_act_counts_only_by_an_officer_of_a_party_over_its_own_words() {
    let gateway = Gateway::start("life-forged");
    let bytes = std::fs::read(file(&gateway.home, CHILD)).unwrap();
    let words = |action: &str, lifts: &str, digest: Digest| {
        format!(
            "tolbooth/agreement-act/v1\n{action}\n{CHILD}\n1\n{digest}\n2026-11-23T10:00:00.000Z\n{lifts}\nA reason.\n"
        )
    };
    let withdraw = words("withdraw", "-", Digest::of(&bytes));
    let by = |signer: &SignerKey, text: &str| format!("{text}\n{}", signer.sign_line(text));
    let (glenmore, police) = (signer(&gateway, "glenmore"), signer(&gateway, "police-caledonia"));
    let nhs = signer(&gateway, "nhs-lomond");
    let forger = SigningKey::generate().unwrap();
    let name = glenmore.verifier().name();
    let good = by(&glenmore, &withdraw);
    loaded(&gateway, || {
        put(&gateway.home, "no-party", by(&police, &withdraw).as_bytes());
        put(
            &gateway.home,
            "forged",
            format!("{withdraw}\n{}", sign_line(name, &forger, &withdraw)).as_bytes(),
        );
        put(
            &gateway.home,
            "nobody",
            format!("{withdraw}\n{}", sign_line("nobody", &forger, &withdraw)).as_bytes(),
        );
        // A suspension's signature under other words.
        let moved = by(&glenmore, &words("suspend", "-", Digest::of(&bytes))).replace("suspend", "withdraw");
        put(&gateway.home, "moved", moved.as_bytes());
        // Of another version.
        put(&gateway.home, "other", by(&glenmore, &withdraw.replace("\n1\n", "\n2\n")).as_bytes());
    });
    assert_eq!(code(&gateway), "answered");
    assert_eq!(recorded(&gateway), Vec::<Value>::new());
    // What cannot be read could be a withdrawal: nothing that was changed with it is taken, and it is said.
    let refused = "tolbooth_reloads_total{cause=\"refused\"}";
    for (wrong, why) in [
        (good.replace('\n', "\r\n"), "CRLF"),
        (format!("\u{feff}{good}"), "do not read"),
        (good.replace("withdraw", "withdrow"), "do not read"),
        (withdraw.clone(), "not a signed note"),
        // Of which one could take back what the other did.
        (format!("{good}{}", nhs.sign_line(&withdraw)), "each party writes and signs a file of its own"),
    ] {
        let before = gateway.metric(refused);
        put(&gateway.home, "wrong", wrong.as_bytes());
        until("it is refused", || (gateway.metric(refused) > before).then_some(()));
        let told = run(&gateway.home, &["check"]);
        assert!(told.code == Some(1) && told.err.contains(why), "{why}: {told:?}");
    }
    loaded(&gateway, || put(&gateway.home, "wrong", good.as_bytes()));
    assert_eq!(code(&gateway), "agreement_not_in_force");
}

#[test]
fn what_commands_say_of_an_agreement_is_what_callers_meet() {
    let mut gateway = Gateway::start("life-told");
    let home = gateway.home.clone();
    let words = [
        "policy",
        "explain",
        "--consumer",
        "nhs-lomond/ed-trak",
        "--dataset",
        "child-protection/v1",
        "--operation",
        "check",
        "--role",
        "ed_nurse",
    ];
    let told = |is_in_force: bool, part: &str| {
        let reference = format!("{CHILD}@1");
        let (status, check) = (run(&home, &["agreement", "status"]), run(&home, &["check"]));
        let explained = run(&home, &words);
        let says = |said: &Ran| said.out.lines().find(|line| line.contains(&reference)).unwrap().to_owned();
        assert_eq!(!says(&status).contains("NOT in force"), is_in_force, "{status:?}");
        assert_eq!(says(&check).ends_with(": in force"), is_in_force, "{check:?}");
        assert_eq!(explained.code == Some(0), is_in_force, "{explained:?}");
        for said in [&status, &check, &explained] {
            assert!(said.out.contains(part), "{part}: {said:?}");
        }
        status
    };
    assert_eq!(act(&gateway, "suspend", "nhs-lomond", &[]).code, Some(0));
    assert_eq!(act(&gateway, "resume", "nhs-lomond", &[]).code, Some(0));
    // The acts beside it are over other bytes; what was recorded counts as it was.
    let again = unsealed(&text(&home, CHILD)).replace("per_minute = 30", "per_minute = 31");
    loaded(&gateway, || agree(&home, CHILD, &again));
    assert_eq!(code(&gateway), "answered");
    told(true, "as the running gateway has it");
    assert_eq!(act(&gateway, "suspend", "nhs-lomond", &[]).code, Some(0));
    loaded(&gateway, || acts(&gateway).iter().for_each(|act| std::fs::remove_file(act).unwrap()));
    assert_eq!(code(&gateway), "agreement_not_in_force");
    let status = told(false, "suspended by nhs-lomond");
    assert!(status.out.contains("next: tolbooth agreement resume"), "{status:?}");
    // Where nobody can be asked they say so.
    gateway.stop();
    told(true, "by the files alone: no gateway answers at ");
}

#[test]
fn a_refusal_after_a_withdrawal_is_explained_by_the_withdrawal() {
    let gateway = Gateway::start("life-explained");
    let explained = |act_first: &str| {
        assert_eq!(act(&gateway, act_first, "glenmore", &[]).code, Some(0));
        assert_eq!(code(&gateway), "agreement_not_in_force");
        let refused = gateway.search(json!({ "kind": "exchange", "outcome": "refused" })).pop().unwrap();
        let id = refused["envelope"]["exchange"].as_str().unwrap().to_owned();
        let told = run(&gateway.home, &["explain", "--exchange", &id, "--purpose", "why"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        // Nothing that was never judged is given as a reason.
        let wrong: Vec<&str> = told.out.lines().filter(|line| line.contains("did not hold")).collect();
        assert_eq!(wrong.len(), 1, "{told:?}");
        assert!(told.out.contains("not known: purpose: it was refused before this was judged"), "{told:?}");
        (wrong[0].trim().to_owned(), told.out.clone())
    };
    let (wrong, told) = explained("suspend");
    assert!(wrong.starts_with("did not hold: acts: the agreement was suspended by glenmore on "), "{wrong}");
    assert!(told.contains("takes that back"), "{told}");
    assert_eq!(act(&gateway, "resume", "glenmore", &[]).code, Some(0));
    let (wrong, told) = explained("withdraw");
    assert!(
        wrong.starts_with("did not hold: acts: the agreement was withdrawn for good by glenmore"),
        "{wrong}"
    );
    assert!(told.contains("It would be answered if officers agree on a new `version`"), "{told}");
    assert!(!told.contains("suspended by nobody"), "{told}");
}
