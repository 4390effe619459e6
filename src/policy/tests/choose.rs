//! Which agreement a question falls under, and what is said when none does.

use std::sync::Arc;

use super::samples::{self, caller, grounds, member, ring, sealed, signed_whole, today, trial, whole};
use crate::model::{Code, DatasetId, DatasetVersion, OperationId, Origin, PurposeCode, SystemId, SystemName};
use crate::policy::choose::{Chosen, Claims, choose};
use crate::policy::register::Register;
use crate::policy::standing::standing;

/// A register of agreements with these texts; all in force but those of `dead` texts.
fn register(live: &[String], dead: &[String]) -> Register {
    let ring = ring();
    let judged = live.iter().map(|text| (text, true)).chain(dead.iter().map(|text| (text, false)));
    let judged = judged.map(|(text, live)| {
        let agreement = sealed(text);
        let note = signed_whole(&agreement);
        let standing = standing(&agreement, &grounds(live.then_some(note.as_str()), &ring));
        (Arc::new(agreement), standing)
    });
    Register::new(&member("glenmore"), judged.collect(), None).unwrap()
}

fn dataset() -> DatasetVersion {
    DatasetVersion { dataset: DatasetId::new("child-protection").unwrap(), major: 1 }
}

fn check() -> OperationId {
    OperationId::new("check").unwrap()
}

fn ask<'r>(register: &'r Register, claims: &Claims<'_>) -> Result<Chosen<'r>, Code> {
    choose(register.candidates(&caller(), &dataset(), &check()), &caller(), claims, today())
}

fn code(register: &Register, claims: &Claims<'_>) -> Code {
    ask(register, claims).map(|chosen| chosen.entry.agreement.reference.to_string()).unwrap_err()
}

/// A role is stated, as the sample's system has two.
fn nurse() -> Claims<'static> {
    Claims { role: Some("ed_nurse"), ..Claims::default() }
}

fn named(id: &str) -> String {
    trial().replace("glenmore-nhs-lomond-child-protection", id)
}

fn care(id: &str) -> String {
    named(id).replace("safeguarding_child", "direct_care")
}

#[test]
fn what_only_one_agreement_allows_needs_no_naming() {
    let register = register(&[trial()], &[]);
    let chosen = ask(&register, &nurse()).unwrap();
    assert_eq!(chosen.purpose.value, PurposeCode::SafeguardingChild);
    assert_eq!(chosen.purpose.origin, Origin::Agreement);
    assert_eq!(chosen.role.unwrap().origin, Origin::Claimed);
    let stated = Claims { purpose: Some("safeguarding_child"), ..nurse() };
    assert_eq!(ask(&register, &stated).unwrap().purpose.origin, Origin::Claimed);
}

#[test]
fn whoever_is_no_party_hears_the_same_whatever_they_ask() {
    let register = register(&[trial()], &[]);
    let stranger =
        SystemId { member: member("police-caledonia"), system: SystemName::new("ed-trak").unwrap() };
    let unlisted = SystemId { system: SystemName::new("kiosk").unwrap(), ..caller() };
    let other_dataset = DatasetVersion { major: 2, ..dataset() };
    let other_operation = OperationId::new("list").unwrap();
    for found in [
        register.candidates(&stranger, &dataset(), &check()),
        register.candidates(&unlisted, &dataset(), &check()),
        register.candidates(&caller(), &other_dataset, &check()),
        register.candidates(&caller(), &dataset(), &other_operation),
    ] {
        assert_eq!(choose(found, &caller(), &nurse(), today()).unwrap_err(), Code::NotAgreed);
    }
    // Nor does a candidate handed in by mistake help a system it does not list.
    let found = register.candidates(&caller(), &dataset(), &check());
    assert_eq!(choose(found, &stranger, &nurse(), today()).unwrap_err(), Code::NotAgreed);
}

#[test]
fn an_agreement_of_another_provider_is_not_answered_under() {
    let text = trial().replace("\"glenmore\"", "\"strathmore\"");
    let register = register(&[text], &[]);
    assert_eq!(code(&register, &nurse()), Code::NotAgreed);
    assert_eq!(register.all().len(), 1);
}

#[test]
fn a_named_agreement_is_that_one_or_none() {
    let register = register(&[named("a"), named("b")], &[]);
    assert_eq!(code(&register, &nurse()), Code::AgreementAmbiguous);
    for good in ["b", "b@1"] {
        let chosen = ask(&register, &Claims { agreement: Some(good), ..nurse() }).unwrap();
        assert_eq!(chosen.entry.agreement.reference.id.as_str(), "b");
    }
    for bad in ["c", "b@2", "b@01", "b@", "", "B"] {
        assert_eq!(code(&register, &Claims { agreement: Some(bad), ..nurse() }), Code::NotAgreed, "{bad}");
    }
}

#[test]
fn a_purpose_tells_agreements_apart() {
    let register = register(&[named("a"), care("b")], &[]);
    assert_eq!(code(&register, &nurse()), Code::AgreementAmbiguous);
    let care = Claims { purpose: Some("direct_care"), ..nurse() };
    assert_eq!(ask(&register, &care).unwrap().entry.agreement.reference.id.as_str(), "b");
    for wrong in ["research", "", "SAFEGUARDING_CHILD"] {
        assert_eq!(code(&register, &Claims { purpose: Some(wrong), ..nurse() }), Code::PurposeNotAllowed);
    }
    // Naming one agreement and the purpose of another is no way round.
    let crossed = Claims { agreement: Some("a"), ..care };
    assert_eq!(code(&register, &crossed), Code::PurposeNotAllowed);
}

#[test]
fn not_in_force_is_said_before_anything_else_about_the_agreement() {
    // Signed by everybody, and begins tomorrow.
    let tomorrow = register(&[trial().replace("from = 2026-12-01", "from = 2026-12-25")], &[]);
    assert_eq!(code(&tomorrow, &nurse()), Code::AgreementNotInForce);
    let register = register(&[], &[trial()]);
    for claims in [nurse(), Claims { purpose: Some("research"), ..nurse() }, Claims::default()] {
        assert_eq!(code(&register, &claims), Code::AgreementNotInForce);
    }
}

#[test]
fn of_several_the_one_in_force_is_chosen() {
    let one_dead = register(&[named("a")], &[named("b")]);
    assert_eq!(ask(&one_dead, &nurse()).unwrap().entry.agreement.reference.id.as_str(), "a");
    let other_purpose = register(&[named("a")], &[care("b")]);
    let care = Claims { purpose: Some("direct_care"), ..nurse() };
    assert_eq!(code(&other_purpose, &care), Code::AgreementNotInForce);
    let second = trial().replace("version = 1", "version = 2");
    let unsigned = register(&[trial()], std::slice::from_ref(&second));
    assert_eq!(ask(&unsigned, &nurse()).unwrap().entry.agreement.reference.version, 1);
    let both = register(&[second, trial()], &[]);
    assert_eq!(ask(&both, &nurse()).unwrap().entry.agreement.reference.version, 2);
}

#[test]
fn a_role_is_one_of_those_agreed() {
    let two = register(&[trial()], &[]);
    assert_eq!(code(&two, &Claims::default()), Code::RoleNotAllowed);
    assert_eq!(code(&two, &Claims { role: Some("porter"), ..Claims::default() }), Code::RoleNotAllowed);
    let one = register(&[trial().replace("\"ed_clinician\", ", "")], &[]);
    let role = ask(&one, &Claims::default()).unwrap().role.unwrap();
    assert_eq!((role.value.as_str(), role.origin), ("ed_nurse", Origin::Agreement));
    let none = register(&[trial().replace("roles = [\"ed_clinician\", \"ed_nurse\"]\n", "")], &[]);
    assert!(ask(&none, &Claims::default()).unwrap().role.is_none());
    assert_eq!(code(&none, &nurse()), Code::RoleNotAllowed);
}

#[test]
fn a_user_is_stated_where_the_agreement_wants_one() {
    let register = register(&[trial().replace("user = \"none\"", "user = \"required\"")], &[]);
    assert_eq!(code(&register, &nurse()), Code::UserMissing);
    assert!(ask(&register, &Claims { user: true, ..nurse() }).is_ok());
}

#[test]
fn a_reason_is_stated_as_the_agreement_wants_it() {
    let user = Claims { user: true, ..nurse() };
    let with = |reason| Claims { reason, ..user };
    let code_alone = register(&[whole()], &[]);
    for wrong in [None, Some("(R1)"), Some(" "), Some("two\u{a0}words")] {
        assert_eq!(code(&code_alone, &with(wrong)), Code::ReasonMissing, "{wrong:?}");
    }
    assert!(ask(&code_alone, &with(Some("R1"))).is_ok());
    let explained = register(&[whole().replace("reason = \"code\"", "reason = \"code_and_text\"")], &[]);
    for wrong in [None, Some("R1"), Some("R1  ")] {
        assert_eq!(code(&explained, &with(wrong)), Code::ReasonMissing, "{wrong:?}");
    }
    assert!(ask(&explained, &with(Some("R1 fell down the stairs"))).is_ok());
    let none = register(&[whole().replace("reason = \"code\"", "reason = \"none\"")], &[]);
    assert!(ask(&none, &user).is_ok());
}

#[test]
fn a_case_is_stated_where_the_agreement_wants_one() {
    let stated = Claims { user: true, reason: Some("R1"), ..nurse() };
    let register = register(&[whole().replace("case_ref = false", "case_ref = true")], &[]);
    assert_eq!(code(&register, &stated), Code::CaseMissing);
    assert!(ask(&register, &Claims { case: true, ..stated }).is_ok());
}

#[test]
fn one_id_and_version_in_two_files_is_a_fault() {
    let (agreement, ring) = (Arc::new(samples::load(&trial())), ring());
    let judged = standing(&agreement, &grounds(None, &ring));
    let twice = vec![(Arc::clone(&agreement), judged.clone()), (agreement, judged)];
    let faults = Register::new(&member("glenmore"), twice, None).unwrap_err().to_string();
    assert!(
        faults.contains("`glenmore-nhs-lomond-child-protection@1` is also in agreement.toml"),
        "{faults}"
    );
}

#[test]
fn a_reload_does_not_forget_what_was_asked() {
    let one = trial().replace("per_minute = 30", "per_minute = 1");
    let before = register(std::slice::from_ref(&one), &[]);
    let now = std::time::Duration::from_secs(5);
    assert_eq!(before.all()[0].limiter.admit(now), Ok(()));
    let agreement = Arc::new(sealed(&one));
    let standing = before.all()[0].standing.clone();
    let after = Register::new(&member("glenmore"), vec![(agreement, standing)], Some(&before)).unwrap();
    assert!(after.all()[0].limiter.admit(now).is_err());
}

#[test]
fn a_newer_version_ends_the_older_on_the_day_it_begins_also_for_whom_it_no_longer_lists() {
    let second = |text: &str| text.replace("version = 1", "version = 2");
    let elsewhere = second(&trial()).replace("id = \"ed-trak\"", "id = \"other\"");
    assert_ne!(elsewhere, second(&trial()));
    assert_eq!(code(&register(&[trial(), elsewhere.clone()], &[]), &nurse()), Code::AgreementNotInForce);
    // Neither one that is not signed nor one that is still to come.
    assert!(ask(&register(&[trial()], &[elsewhere]), &nurse()).is_ok());
    let register =
        register(&[trial(), second(&trial()).replace("from = 2026-12-01", "from = 2026-12-25")], &[]);
    assert_eq!(ask(&register, &nurse()).unwrap().entry.agreement.reference.version, 1);
    let later = |register: &Register| {
        let found = register.candidates(&caller(), &dataset(), &check());
        choose(found, &caller(), &nurse(), today().tomorrow().unwrap())
            .map(|chosen| chosen.entry.agreement.reference.version)
    };
    assert_eq!(later(&register), Ok(2));
}
