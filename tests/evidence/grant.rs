//! A pack of an exchange under a grant holds as one under an agreement does.

use tolbooth::clock::Clock;
use tolbooth::ledger::verify::pack::Pack;

use super::forged::{Forge, signed};
use super::support::gateway::{CHECK, CHI, NURSE, asks};
use super::support::grants::{GRANT, grant, named, words};
use super::support::here::Here;
use super::support::site::{Site, run};
use super::{gather, python, told};

#[test]
fn a_pack_of_a_used_grant_holds_under_both_verifiers() {
    let site = Site::new("evidence-grant");
    grant(&site.home, GRANT, &words(GRANT, &Clock::new().unwrap()), &[CHI]);
    let mut here = Here::start(site);
    let said = here.nhs().ask(CHECK, &[NURSE[0], named(GRANT)], &asks(CHI));
    assert_eq!(said.outcome(), "answered", "{said:?}");
    let ran = gather(&here, said.exchange(), "case.pack", &["--sealed"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    here.stop();
    let home = &here.site.home;
    let ran = run(home, &["ledger", "verify", "case.pack", "--key", "data/keys/ledger.vkey", "--json"]);
    let ours = ran.lines().pop().unwrap();
    assert_eq!((ran.code, told(&ours, "wrong")), (Some(0), [].into()), "{ran:?}");
    assert!(
        told(&ours, "proven").is_superset(&["agreement", "signatures", "dates", "seal"].into()),
        "{ours}"
    );
    let path = |name: &str| home.join(name).display().to_string();
    let (code, theirs) = python(&[&path("case.pack"), "--key", &path("data/keys/ledger.vkey")]);
    assert_eq!((code, told(&theirs, "wrong")), (Some(0), [].into()), "{theirs}");
    assert!(told(&theirs, "proven").is_superset(&["agreement", "signatures", "dates"].into()), "{theirs}");
    // What no pack can show is said, and not passed over.
    for said in [&ours, &theirs] {
        assert!(told(said, "not proven").is_superset(&["once", "about"].into()), "{said}");
    }
    ended_that_day(&here);
    // Whom it was about is in neither file: the key of the commitments is no evidence.
    let key = std::fs::read_to_string(home.join(format!("policies/grants/{GRANT}.subject-key"))).unwrap();
    let pack = std::fs::read(home.join("case.pack")).unwrap();
    assert!(!pack.windows(64).any(|bytes| bytes == &key.as_bytes()[..64]));
}

/// A grant that had ended when the question came, if on the same day.
fn ended_that_day(here: &Here) {
    let home = &here.site.home;
    let pack = Pack::read(&std::fs::read(home.join("case.pack")).unwrap()).unwrap();
    let mut forge = Forge::new(&pack, home);
    forge.agreed = format!("grants/{GRANT}.toml");
    let file = forge.agreed.clone();
    forge.edit(&file, |text| {
        let value = |key: &str| {
            let line = text.lines().find(|line| line.starts_with(key)).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        let decided: jiff::Timestamp = value("decided").parse().unwrap();
        let ended = decided + jiff::SignedDuration::from_secs(1);
        text.replace(&value("expires"), &format!("{ended:.0}"))
    });
    let text = forge.file(&file).clone();
    *forge.file(&format!("grants/{GRANT}.sig")) = signed(home, &text, &["glenmore", "nhs-lomond"]);
    std::fs::write(home.join("ended.pack"), forge.pack().write()).unwrap();
    let ran = run(home, &["ledger", "verify", "ended.pack", "--key", "data/keys/ledger.vkey", "--json"]);
    let ours = ran.lines().pop().unwrap();
    assert_eq!((ran.code, told(&ours, "wrong")), (Some(1), ["dates"].into()), "{ran:?}");
    let path = |name: &str| home.join(name).display().to_string();
    let (code, theirs) = python(&[&path("ended.pack"), "--key", &path("data/keys/ledger.vkey")]);
    assert_eq!((code, told(&theirs, "wrong")), (Some(1), ["dates"].into()), "{theirs}");
}
