//! Grants of a test's own: leave for NHS Lomond's emergency department to be told once of a child.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use tolbooth::clock::Clock;
use tolbooth::model::{AgreementId, Secret, Subject, SubjectKind};
use tolbooth::policy::SubjectMac;

use super::agreements::{put, replace};

pub const GRANT: &str = "glenmore-nhs-lomond-one-child";

pub fn named(grant: &str) -> (&'static str, &str) {
    ("tolbooth-agreement", grant)
}

/// Where a file of a grant lies.
pub fn file(home: &Path, grant: &str, ending: &str) -> PathBuf {
    home.join(format!("policies/grants/{grant}.{ending}"))
}

/// What a grant says, but for whom it is about: open from a minute ago.
pub fn words(grant: &str, clock: &Clock) -> String {
    let decided = clock.now() - SignedDuration::from_mins(1);
    open_from(grant, decided, decided + SignedDuration::from_hours(72))
}

pub fn open_from(grant: &str, decided: Timestamp, expires: Timestamp) -> String {
    format!(
        r#"format = 1

[grant]
id = "{grant}"
title = "One child who came to the emergency department alone"
stage = "trial"
decided = "{decided:.0}"
expires = "{expires:.0}"

[request]
id = "NHSL-ED-2026-0417"
name = "Dr Iona Ferguson"
rank = "Consultant in emergency medicine"
verified = "called back on the switchboard's number"
power = "voluntary"
necessity = "The child came alone and the department has to know whom to call before it lets them go."
urgency = "safeguarding"
tip_off = false

[decision]
ruling = "part"
by = "Mairi MacLeod, duty team leader"
review = 2026-12-18

[[party]]
member = "glenmore"
side = "provider"

[[party]]
member = "nhs-lomond"
side = "consumer"

[[party.system]]
id = "ed-trak"
roles = ["ed_clinician", "ed_nurse"]
purposes = ["safeguarding_child"]

[purpose]
code = "safeguarding_child"

[dataset]
id = "child-protection"
major = 1
operations = ["check"]

[access]
assurance = "certificate"
user = "none"

[data]
release = ["status", "given_name"]
withhold = ["registered", "start_date", "lead_officer", "recent_enquiries", "date_of_birth", "chi", "ended_on",
    "family_name", "category", "case_notes", "siblings", "address"]
all_rows = true
"#
    )
}

pub fn child(chi: &str) -> Subject {
    Subject { kind: SubjectKind::new("chi").unwrap(), identifier: chi.to_owned() }
}

/// Writes, seals and signs a grant about these children.
pub fn grant(home: &Path, grant: &str, words: &str, children: &[&str]) {
    let key = SubjectMac::fresh().unwrap();
    let text = format!("{words}{}", commitments(grant, &key, children));
    std::fs::create_dir_all(home.join("policies/grants")).unwrap();
    replace(&file(home, grant, "subject-key"), key.reveal().as_bytes());
    put(home, &format!("policies/grants/{grant}"), &text);
}

fn commitments(grant: &str, key: &Secret, children: &[&str]) -> String {
    let (id, key) = (AgreementId::new(grant).unwrap(), SubjectMac::read(key).unwrap());
    let one = |chi: &&str| {
        let commitment = key.commitment(&id, &child(chi)).mac.hex();
        format!("\n[[subject]]\nkind = \"chi\"\ncommitment = \"{commitment}\"\n")
    };
    children.iter().map(one).collect()
}
