//! Decisions: deny by default, guardrails over permits, errors refuse, slices lose nothing.

use std::sync::Arc;

use cedar_policy::{Authorizer, Decision, Entities, PolicySet, Schema, ValidationMode, Validator};
use proptest::prelude::*;

use super::samples::{self, forbid};
use crate::model::{AgreementId, Assurance, MemberClass, PurposeCode, RoleId, SystemName};
use crate::policy::agreement::Agreement;
use crate::policy::decide::{Decider, Verdict};
use crate::policy::facts::Facts;
use crate::policy::guardrail;
use crate::policy::permit::Maker;
use crate::policy::request::Names;

fn decide(agreements: &[&Agreement], guardrails: &[(String, String)], facts: &Facts) -> Verdict {
    Decider::compile(agreements.iter().map(|agreement| Arc::new(Agreement::clone(agreement))), guardrails)
        .unwrap()
        .decide(facts)
}

#[test]
fn only_what_the_agreement_says_is_permitted() {
    let agreement = samples::load(&samples::trial());
    let facts = samples::facts(&agreement);
    assert_eq!(decide(&[&agreement], &[], &facts), Verdict::Permit);
    assert_eq!(decide(&[], &[], &facts), Verdict::Deny, "no agreement");
    let decider = Decider::compile([Arc::new(agreement.clone())], &[]).unwrap();
    let verdicts: Vec<Verdict> =
        samples::each_fact_changed(&facts).iter().map(|facts| decider.decide(facts)).collect();
    // What a permit says nothing of: effect, categories, released, class, emergency, day, hour, and more
    // assurance than is wanted.
    let permitted = verdicts.iter().filter(|verdict| **verdict == Verdict::Permit).count();
    let denied = verdicts.iter().filter(|verdict| **verdict == Verdict::Deny).count();
    assert_eq!((permitted, denied), (8, 10));
}

#[test]
fn less_assurance_than_is_wanted_is_not_permitted_and_more_is() {
    for (at, wanted) in Assurance::ALL.into_iter().enumerate() {
        let text = samples::trial();
        let agreement = samples::load(&text.replace("\"certificate\"", &format!("\"{}\"", wanted.as_str())));
        let facts = samples::facts(&agreement);
        let permits =
            |assurance| decide(&[&agreement], &[], &Facts { assurance, ..facts.clone() }) == Verdict::Permit;
        assert_eq!(Assurance::ALL.map(permits), [at == 0, at <= 1, true], "{}", wanted.as_str());
    }
}

#[test]
fn a_system_without_roles_may_state_none() {
    let text = samples::trial().replace("roles = [\"ed_clinician\", \"ed_nurse\"]\n", "");
    let agreement = samples::load(&text);
    let facts = samples::facts(&agreement);
    assert_eq!(decide(&[&agreement], &[], &facts), Verdict::Deny);
    assert_eq!(decide(&[&agreement], &[], &Facts { role: None, ..facts }), Verdict::Permit);
}

#[test]
fn a_guardrail_takes_away_what_every_agreement_gives() {
    let agreement = samples::load(&samples::trial());
    let facts = samples::facts(&agreement);
    let rails = [
        forbid("zz", "true"),
        forbid("lomond", "principal in Tolbooth::Member::\"nhs-lomond\""),
        forbid("elsewhere", "resource == Tolbooth::Dataset::\"other/v1\""),
    ];
    assert_eq!(decide(&[&agreement], &rails, &facts), Verdict::Forbid { guardrail: "lomond".into() });
    assert_eq!(decide(&[&agreement], &rails[2..], &facts), Verdict::Permit);
}

#[test]
fn a_guardrail_that_errors_denies() {
    let agreement = samples::load(&samples::trial());
    let facts = samples::facts(&agreement);
    let overflow = forbid("overflow", "context.hour * 9223372036854775807 == 0");
    let Verdict::Error(said) = decide(&[&agreement], std::slice::from_ref(&overflow), &facts) else {
        panic!("an error must not permit")
    };
    assert!(said.contains("overflow"), "{said}");
    // Nor does another guardrail's plain no hide it, and where it does not err it says what it says.
    assert!(matches!(
        decide(&[&agreement], &[forbid("all", "true"), overflow.clone()], &facts),
        Verdict::Error(_)
    ));
    let midnight = Facts { hour: 0, ..facts };
    assert_eq!(
        decide(&[&agreement], &[overflow], &midnight),
        Verdict::Forbid { guardrail: "overflow".into() }
    );
}

#[test]
fn the_permit_reads_as_it_decides() {
    let agreement = samples::load(&samples::trial());
    let decider = Decider::compile([Arc::new(agreement.clone())], &[]).unwrap();
    let text = decider.permit_text(&agreement.reference).unwrap();
    for part in
        ["permit", "Tolbooth::Dataset::\"child-protection/v1\"", "Tolbooth::System::\"nhs-lomond/ed-trak\""]
    {
        assert!(text.contains(part), "{text}");
    }
    let set: PolicySet = text.parse().unwrap();
    assert_eq!(set.num_of_policies(), 1);
}

/// What the strict validation of permits, which a start has no time for, would find.
#[test]
fn permits_and_requests_fit_the_schema() {
    let schema = Schema::from_cedarschema_str(guardrail::SCHEMA).unwrap().0;
    let names = Names::new().unwrap();
    for text in [
        samples::trial(),
        samples::live(),
        samples::trial().replace("roles = [\"ed_clinician\", \"ed_nurse\"]\n", ""),
    ] {
        let agreement = samples::load(&text);
        let set = Maker::new().unwrap().permit(&agreement).unwrap();
        let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        assert!(result.validation_passed_without_warnings(), "{result}");
        let action = "Tolbooth::Action::\"ask\"".parse().unwrap();
        for facts in samples::each_fact_changed(&samples::facts(&agreement)) {
            names.context(&facts).unwrap().validate(&schema, &action).unwrap();
        }
    }
}

/// The decision of Cedar itself over all policies at once, errors counting as refusals.
fn full_set(agreements: &[Agreement], guardrails: &[(String, String)], facts: &Facts) -> bool {
    let schema = Schema::from_cedarschema_str(guardrail::SCHEMA).unwrap().0;
    let mut all = guardrail::load(guardrails, &schema).unwrap();
    let maker = Maker::new().unwrap();
    for agreement in agreements {
        all.merge(&maker.permit(agreement).unwrap(), false).unwrap();
    }
    let names = Names::new().unwrap();
    let (request, entities): (_, Entities) = (names.request(facts).unwrap(), names.entities(facts).unwrap());
    let response = Authorizer::new().is_authorized(&request, &all, &entities);
    response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
}

const SYSTEMS: [&str; 3] = ["ed-trak", "ward", "clinic"];
const ROLES: [&str; 3] = ["ed_clinician", "ed_nurse", "porter"];
const CONDITIONS: [&str; 6] = [
    "context.hour > 20",
    "context.role == \"porter\"",
    "context.class == Tolbooth::Class::\"police\"",
    "context.categories.contains(Tolbooth::Category::\"health\")",
    "context.hour * 9223372036854775807 > 0",
    "principal == Tolbooth::System::\"nhs-lomond/ward\"",
];

fn any_agreement(index: usize) -> impl Strategy<Value = Agreement> {
    (
        prop::sample::subsequence(&SYSTEMS[..], 1..=3),
        prop::sample::subsequence(&ROLES[..], 0..=3),
        1u32..3,
        prop::sample::select(vec!["check", "list"]),
        prop::sample::select(vec!["safeguarding_child", "direct_care"]),
    )
        .prop_map(move |(systems, roles, major, operation, purpose)| {
            let systems: String = systems
                .iter()
                .map(|id| {
                    format!(
                        "[[party.system]]\nid = \"{id}\"\nroles = {roles:?}\npurposes = [\"{purpose}\"]\n"
                    )
                })
                .collect();
            let text = samples::trial();
            let (head, rest) = text.split_once("[[party.system]]").unwrap();
            let (_, rest) = rest.split_once("[purpose]").unwrap();
            let text = format!("{head}{systems}\n[purpose]{rest}")
                .replace("glenmore-nhs-lomond-child-protection", &format!("a{index}"))
                .replace("code = \"safeguarding_child\"", &format!("code = \"{purpose}\""))
                .replace("major = 1", &format!("major = {major}"))
                .replace("\"check\"", &format!("\"{operation}\""));
            samples::load(&text)
        })
}

fn any_facts(agreements: &[Agreement]) -> impl Strategy<Value = Facts> + use<> {
    let agreements = agreements.to_vec();
    (
        0..agreements.len() + 1,
        prop::sample::select(SYSTEMS.to_vec()),
        prop::option::of(prop::sample::select(ROLES.to_vec())),
        prop::sample::select(vec![MemberClass::Health, MemberClass::Police]),
        prop::sample::select(vec![PurposeCode::SafeguardingChild, PurposeCode::DirectCare]),
        0u8..24,
        any::<bool>(),
    )
        .prop_map(move |(index, system, role, class, purpose, hour, health)| {
            let unknown = || {
                let mut agreement = agreements[0].clone();
                agreement.reference.id = AgreementId::new("unknown").unwrap();
                agreement
            };
            let agreement = agreements.get(index).cloned().unwrap_or_else(unknown);
            let mut facts = samples::facts(&agreement);
            if health {
                Arc::make_mut(&mut facts.scope).categories.insert("health".into());
            }
            facts.system = SystemName::new(system).unwrap();
            facts.role = role.and_then(|role| RoleId::new(role).ok());
            Facts { class, purpose, hour, ..facts }
        })
}

fn any_case() -> impl Strategy<Value = (Vec<Agreement>, Vec<(String, String)>, Facts)> {
    let agreements =
        (any_agreement(0), any_agreement(1), any_agreement(2)).prop_map(|(a, b, c)| vec![a, b, c]);
    let rails = prop::sample::subsequence(&CONDITIONS[..], 0..=3).prop_map(|conditions| {
        conditions
            .iter()
            .enumerate()
            .map(|(index, rule)| forbid(&format!("g{index}"), rule))
            .collect::<Vec<_>>()
    });
    (agreements, rails).prop_flat_map(|(agreements, rails)| {
        let facts = any_facts(&agreements);
        (Just(agreements), Just(rails), facts)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_slice_decides_as_the_full_set((agreements, rails, facts) in any_case()) {
        let decider = Decider::compile(agreements.iter().cloned().map(Arc::new), &rails).unwrap();
        let permitted = decider.decide(&facts) == Verdict::Permit;
        prop_assert_eq!(permitted, full_set(&agreements, &rails, &facts));
    }

    #[test]
    fn a_forbid_beats_every_permit((agreements, mut rails, facts) in any_case()) {
        rails.push(forbid("all", "true"));
        let verdict = Decider::compile(agreements.iter().cloned().map(Arc::new), &rails).unwrap().decide(&facts);
        prop_assert_ne!(verdict, Verdict::Permit);
    }
}
