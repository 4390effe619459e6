//! What may be a guardrail.

use std::sync::Arc;

use super::samples::{self, forbid};
use crate::model::{Assurance, Effect, MemberClass, PurposeCode};
use crate::policy::agreement::Stage;
use crate::policy::decide::{Decider, Verdict};

fn faults(files: &[(String, String)]) -> String {
    Decider::compile([], files).map(|_| String::new()).unwrap_or_else(|faults| faults.to_string())
}

fn file(text: &str) -> (String, String) {
    ("g.cedar".to_owned(), text.to_owned())
}

#[test]
fn a_guardrail_can_only_forbid() {
    let found = faults(&[file("\n@id(\"all\")\npermit (principal, action, resource);\n")]);
    assert_eq!(
        found,
        "g.cedar:2: a guardrail can only forbid\n    what is permitted stands in agreements alone"
    );
}

#[test]
fn a_guardrail_has_an_id_of_its_own() {
    let nameless = "forbid (principal, action, resource) when { context.hour > 20 };";
    assert!(faults(&[file(nameless)]).contains("without a usable `@id`"));
    for bad in ["", "Night", "a b", "né"] {
        let text = format!("@id(\"{bad}\") {nameless}");
        assert!(faults(&[file(&text)]).contains("without a usable `@id`"), "{bad}");
    }
    let twice = [forbid("night", "context.hour > 20"), file(&forbid("night", "context.hour < 6").1)];
    assert!(
        faults(&twice).contains("g.cedar:1: guardrail `night` is also in night.cedar"),
        "{}",
        faults(&twice)
    );
}

#[test]
fn a_guardrail_speaks_only_of_what_the_schema_knows() {
    for wrong in [
        "context.houre > 20",
        "context.hour == \"20\"",
        "principal.name == \"x\"",
        "resource == Tolbooth::Nonsense::\"x\"",
        // Misspelt words of closed vocabularies, which would otherwise never forbid anything.
        "context.class == Tolbooth::Class::\"polise\"",
        "context.class == \"police\"",
        "context.purpose == Tolbooth::Purpose::\"safegarding_child\"",
        "context.categories.contains(Tolbooth::Category::\"helth\")",
        // It can never apply: surely not what was meant.
        "context.hour > 20 && false",
    ] {
        let found = faults(&[forbid("wrong", wrong)]);
        assert!(found.starts_with("wrong.cedar:"), "{wrong}: {found}");
    }
    assert!(faults(&[forbid("wrong", "context.houre > 20")]).contains("wrong.cedar:3:"));
}

#[test]
fn all_faults_of_all_files_come_at_once() {
    let files =
        [forbid("a", "context.x"), file("forbid (principal"), forbid("b", "context.y"), forbid("c", "true")];
    let found = faults(&files);
    for name in ["a.cedar:3", "g.cedar:1", "b.cedar:3"] {
        assert!(found.contains(name), "{found}");
    }
}

#[test]
fn a_template_is_no_guardrail() {
    let template = "@id(\"t\") forbid (principal == ?principal, action, resource);";
    assert!(faults(&[file(template)]).contains("is a template, not a rule"));
}

#[test]
fn the_shipped_guardrails_compile_and_take_away() {
    let shipped = [
        file(include_str!("../../../policies/guardrails/safe-address.cedar")),
        file(include_str!("../../../policies/guardrails/changes.cedar")),
        file(include_str!("../../../policies/guardrails/voluntary.cedar")),
    ];
    let text = samples::trial()
        .replace("\"registered\", ", "\"registered\", \"safe.street\", ")
        .replace("withhold = [\"case_notes\", \"safe\"]", "withhold = [\"case_notes\"]");
    let agreement = samples::load(&text);
    let decider = Decider::compile([Arc::new(agreement.clone())], &shipped).unwrap();
    let facts = samples::facts(&agreement);
    assert_eq!(decider.decide(&facts), Verdict::Forbid { guardrail: "safe-address-police-only".into() });
    let harmless = samples::load(&samples::trial());
    let decider = Decider::compile([Arc::new(harmless.clone())], &shipped).unwrap();
    assert_eq!(decider.decide(&samples::facts(&harmless)), Verdict::Permit);
}

/// Every word of a vocabulary is in the schema, and no other: the schema is a file of its own.
#[test]
fn the_schema_knows_the_vocabularies() {
    let words = |kind: &str, words: &[&str]| {
        let rule = |word: &str| {
            forbid("w", &format!("context.{} == Tolbooth::{kind}::\"{word}\"", kind.to_lowercase()))
        };
        for word in words {
            assert_eq!(faults(&[rule(word)]), "", "{kind} {word}");
        }
        let listed = crate::policy::guardrail::SCHEMA.split_once(&format!("entity {kind} enum [")).unwrap().1;
        let listed =
            listed.split_once(']').unwrap().0.split(',').filter(|word| !word.trim().is_empty()).count();
        assert_eq!(listed, words.len(), "{kind}");
    };
    words("Purpose", &PurposeCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
    words("Class", &MemberClass::ALL.map(MemberClass::as_str));
    words("Stage", &Stage::ALL.map(Stage::as_str));
    words("Assurance", &Assurance::ALL.map(Assurance::as_str));
    words("Effect", &[Effect::Reads.as_str(), Effect::Changes.as_str()]);
}
