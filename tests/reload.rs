//! Files change while the gateway serves: what is right comes into force, what is wrong does not, and
//! what is over does not come back.
#![cfg(test)]

mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::gateway::Gateway;
use support::partner::Said;
use tolbooth::merkle::signer::SignerKey;
use tolbooth::policy;

const TAXI: &str = "policies/agreements/glenmore-police-caledonia-taxi-licence.toml";

/// Waits until something holds; generous, since the machine may be busy.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How often files were read anew, with this result.
fn reloads(gateway: &Gateway, result: &str) -> u64 {
    let (_, metrics) = gateway.local("/metrics");
    let head = format!("tolbooth_reloads_total{{cause=\"{result}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&head)?.parse().ok()).unwrap_or(0)
}

fn taxi_check(gateway: &Gateway) -> Said {
    let user = ("tolbooth-user", "pc.1234");
    gateway.police().ask("/taxi-licence/v1/check", &[user], "{\"licence_no\":\"TX-1042\"}")
}

/// Puts an agreement there as both officers signed it: the signatures first.
fn put_signed(home: &Path, text: &str) {
    let agreement = policy::load(TAXI, text.as_bytes()).unwrap();
    let mut note: Option<String> = None;
    for member in ["glenmore", "police-caledonia"] {
        let key: PathBuf = home.join(format!("../keys/{member}/officer.key"));
        let signer = SignerKey::parse(&std::fs::read_to_string(key).unwrap()).unwrap();
        let name = signer.verifier().name();
        note = Some(policy::add_signature(note.as_deref(), &agreement, name, signer.key()).unwrap());
    }
    std::fs::write(home.join(policy::signature_file(TAXI)), note.unwrap()).unwrap();
    std::fs::write(home.join(TAXI), text).unwrap();
}

#[test]
fn an_older_version_does_not_come_back_by_way_of_no_version() {
    let gateway = Gateway::start("older-version");
    let first = std::fs::read_to_string(gateway.home.join(TAXI)).unwrap();
    let second = first.replace("version = 1", "version = 2");
    assert_ne!(first, second);
    // What is released is the same, so that the seal still holds.
    put_signed(&gateway.home, &second);
    until("the second version is loaded", || reloads(&gateway, "loaded") > 0);
    until("the second version is in force", || taxi_check(&gateway).status == 200);
    std::fs::remove_file(gateway.home.join(TAXI)).unwrap();
    until("there is no agreement", || taxi_check(&gateway).code() == "not_agreed");
    put_signed(&gateway.home, &first);
    until("the first version is there", || taxi_check(&gateway).code() != "not_agreed");
    let said = taxi_check(&gateway);
    assert_eq!((said.status, said.code().as_str()), (403, "agreement_not_in_force"));
}

#[test]
fn a_file_at_fault_is_watched_though_nothing_in_force_names_it() {
    let gateway = Gateway::start("file-at-fault");
    let dataset = std::fs::read_to_string(gateway.home.join("policies/datasets/taxi-licence.toml")).unwrap();
    let dataset = dataset.replace("schemas/taxi-licence.v1.json", "schemas/new.json");
    std::fs::write(gateway.home.join("schemas/new.json"), "{").unwrap();
    std::fs::write(gateway.home.join("policies/datasets/new.toml"), dataset).unwrap();
    until("the contract is refused", || reloads(&gateway, "refused") == 1);
    let (_, ready) = gateway.local("/ready");
    assert!(ready.contains("schemas/new.json"), "{ready}");
    std::fs::write(gateway.home.join("schemas/new.json"), "{}").unwrap();
    until("it is read again", || reloads(&gateway, "refused") == 2);
    assert_eq!(taxi_check(&gateway).status, 200, "the ruleset before stays in force");
}
