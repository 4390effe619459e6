//! A pack of an exchange under a grant holds as one under an agreement does.

use tolbooth::clock::Clock;

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
    // Whom it was about is in neither file: the key of the commitments is no evidence.
    let key = std::fs::read_to_string(home.join(format!("policies/grants/{GRANT}.subject-key"))).unwrap();
    let pack = std::fs::read(home.join("case.pack")).unwrap();
    assert!(!pack.windows(64).any(|bytes| bytes == &key.as_bytes()[..64]));
}
