//! Policy tests: the shipped ones are as expected and cover every clause, and one that is not as expected is said
//! with its file and line.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::agreements;
use support::federation::Federation;
use support::site::run;

const CHILD: &str = "glenmore-nhs-lomond-child-protection";
const TAXI: &str = "policies/tests/taxi-licence.toml";

/// The council of the two agreements that are shipped.
fn council(name: &str) -> Federation {
    let federation = Federation::new(name);
    for folder in ["policies/agreements", "policies/datasets", "policies/guardrails", "policies/tests"] {
        federation.copy(folder, folder);
    }
    federation.copy("schemas", "schemas");
    federation.copy("src/cli/demo", "");
    federation
}

#[test]
fn the_shipped_policies_do_what_their_tests_say_and_every_clause_is_tested() {
    let council = council("shipped-policies");
    let ran = run(&council.home, &["policy", "test", "--full"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = &run(&council.home, &["policy", "test", "--full", "--json"]).lines()[0];
    assert_eq!((&told["ok"], &told["coverage"]["full"]), (&true.into(), &true.into()));
    let clauses = told["coverage"]["clauses"].as_array().unwrap();
    assert_eq!(clauses.len(), 46, "the two agreements and three guardrails");
    let checked = run(&council.home, &["check"]);
    assert!(checked.code == Some(0) && checked.out.contains("policy tests: as expected"), "{checked:?}");
}

#[test]
fn what_an_agreement_does_not_say_fails_the_check_with_file_and_line() {
    let council = council("policies-otherwise");
    let path = agreements::file(&council.home, CHILD);
    agreements::edit(&path, |text| text.replace("\"P12M\"", "\"P6M\""));
    for command in [["check"].as_slice(), &["policy", "test"]] {
        let ran = run(&council.home, command);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let wanted = "policies/tests/child-protection.toml:";
        assert!(ran.err.contains(wanted) && ran.err.contains("and it found no match under"), "{ran:?}");
        assert!(ran.err.contains("a child whose registration ended eleven months ago"), "{ran:?}");
    }
}

#[test]
fn a_field_released_beside_what_is_expected_is_seen() {
    let council = council("policies-one-more-field");
    let path = agreements::file(&council.home, "glenmore-police-caledonia-taxi-licence");
    agreements::edit(&path, |text| {
        let text = text.replace("\"conditions\"]", "\"conditions\", \"complaints\"]");
        text.replace(", \"complaints\"]\n#", "]\n#")
    });
    let ran = run(&council.home, &["policy", "test", "--json"]);
    let told = &ran.lines()[0];
    let tests = told["tests"].as_array().unwrap();
    let first =
        tests.iter().find(|test| test["name"] == "a controller who is named is told of a licence").unwrap();
    assert_eq!((&first["ended"], &first["as_expected"]), (&"answered".into(), &false.into()), "{ran:?}");
    assert!(first["otherwise"].as_str().unwrap().contains("\"complaints\":0"), "{first}");
}

#[test]
fn a_clause_that_no_test_makes_false_is_named_with_its_line() {
    let council = council("policies-uncovered");
    agreements::edit(&council.home.join(TAXI), |text| {
        text.replace("refused = \"user_missing\"", "refused = \"x\"")
    });
    let ran = run(&council.home, &["policy", "test"]);
    assert!(ran.code == Some(1) && ran.err.contains("`x` is not known here"), "{ran:?}");
    agreements::edit(&council.home.join(TAXI), |text| {
        text.replace(
            "user = false\nrefused = \"x\"",
            "user = true\noperation = \"list\"\nrefused = \"not_agreed\"",
        )
    });
    let ran = run(&council.home, &["policy", "test", "--full"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let agreement = agreements::text(&council.home, "glenmore-police-caledonia-taxi-licence");
    let line = 1 + agreement.lines().position(|line| line.starts_with("user =")).unwrap();
    let said = format!("taxi-licence.toml:{line}: access.user: user = \"required\": never false");
    assert!(ran.out.contains(&said), "{ran:?}");
    assert_eq!(run(&council.home, &["policy", "test", "--coverage"]).code, Some(0), "only --full wants all");
}
