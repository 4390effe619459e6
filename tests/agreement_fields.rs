//! The whole field list of an agreement (format 2): what loads, what is refused and how it is said, and that
//! the page, the schema and the loader say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};

use tolbooth::policy::{self, Agreement};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/agreements")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(golden().join(name)).unwrap()
}

fn load(text: &str) -> Result<Agreement, String> {
    policy::load("agreement.toml", text.as_bytes()).map_err(|faults| faults.to_string())
}

#[test]
fn a_whole_agreement_loads() {
    let agreement = load(&text("child-protection.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(agreement.is_personal());
    assert!(agreement.user_required);
    let said = agreement.particulars.as_ref().unwrap();
    assert_eq!(said.description.fields.len(), agreement.release.fields.len());
    assert_eq!(said.review_due.to_string(), "2027-12-01");
    assert_eq!(agreement.law[0].conditions.schedule1[0].to_string(), "sch1_18");
    assert_eq!(agreement.controllers().count(), 2);
}
