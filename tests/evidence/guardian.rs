//! Where an agreement names a Caldicott Guardian, both verifiers want that signature beside the party's own: neither
//! takes the place of the other.

use jiff::ToSpan as _;
use tolbooth::clock::Clock;
use tolbooth::ledger::verify::pack::Pack;
use tolbooth::merkle::note::VerifierKey;
use tolbooth::merkle::signer::SignerKey;
use tolbooth::policy;

use super::forged::{Forge, signed};
use super::support::agreements::{CHILD, agree};
use super::support::gateway::{CHECK, CHI, NURSE, asks};
use super::support::here::Here;
use super::support::judged::whole;
use super::support::site::Site;
use super::{gather, python, told, wrong};

/// The whole agreement of format 2, as a trial that begins today.
fn words() -> String {
    let today = Clock::new().unwrap().today();
    let after = |days: i64| today.checked_add(days.days()).unwrap();
    let edits = [
        ("stage = \"live\"", "stage = \"trial\"".to_owned()),
        ("template = \"digital-office/child-protection-check@2\"\n", String::new()),
        ("from = 2026-12-01", format!("from = {today}")),
        ("until = 2028-11-30", format!("until = {}", after(60))),
        ("review_due = 2027-12-01", format!("review_due = {}", after(300))),
    ];
    edits.iter().fold(whole("child-protection"), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

/// The guardian's signature alone.
fn by_the_guardian(here: &Here, text: &[u8]) -> Vec<u8> {
    let agreement = policy::load("agreement", text).unwrap();
    let key = here.site.home.parent().unwrap().join("keys/nhs-lomond/guardian.key");
    let guardian = SignerKey::parse(&std::fs::read_to_string(key).unwrap()).unwrap();
    let own = String::from_utf8(signed(&here.site.home, text, &["glenmore"])).unwrap();
    let name = guardian.verifier().name();
    policy::add_signature(Some(&own), &agreement, name, guardian.key()).unwrap().into_bytes()
}

#[test]
fn both_verifiers_want_the_guardian_beside_the_party() {
    let site = Site::new("evidence-guardian");
    agree(&site.home, CHILD, &words());
    let mut here = Here::start(site);
    let stated = [NURSE[0], ("tolbooth-user", "u-4711"), ("tolbooth-reason", "triage")];
    let said = here.nhs().ask(CHECK, &stated, &asks(CHI));
    assert_eq!(said.outcome(), "answered", "{said:?}");
    assert_eq!(gather(&here, said.exchange(), "case.pack", &["--sealed"]).code, Some(0));
    here.stop();
    let bytes = std::fs::read(here.site.home.join("case.pack")).unwrap();
    let pack = Pack::read(&bytes).unwrap();
    let key = VerifierKey::parse(pack.key.trim()).unwrap();
    let agreement = format!("agreements/{CHILD}.toml");
    let without = |sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        let mut forge = Forge::new(&pack, &here.site.home);
        let text = forge.file(&agreement).clone();
        *forge.file(&format!("agreements/{CHILD}.sig")) = sign(&text);
        forge.pack().write()
    };
    let cases: [(&str, Vec<u8>, &[&str]); 3] = [
        ("as it was signed", bytes.clone(), &[]),
        (
            "without the guardian",
            without(&|text| signed(&here.site.home, text, &["glenmore", "nhs-lomond"])),
            &["signatures"],
        ),
        (
            "by the guardian in the party's place",
            without(&|text| by_the_guardian(&here, text)),
            &["signatures"],
        ),
    ];
    for (case, bytes, expected) in cases {
        let expected = expected.iter().copied().collect();
        assert_eq!(wrong(&bytes, &key), expected, "{case}");
        let path = here.site.home.join("forged.pack");
        std::fs::write(&path, &bytes).unwrap();
        let ledger = here.site.home.join("data/keys/ledger.vkey").display().to_string();
        let (_, theirs) = python(&[&path.display().to_string(), "--key", &ledger]);
        assert_eq!(told(&theirs, "wrong"), expected, "{case}: {theirs}");
    }
}
