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
    assert_eq!(clauses.len(), 48, "the two agreements and three guardrails");
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

#[test]
fn a_question_that_would_be_refused_is_told_its_clause_and_who_can_change_it() {
    let council = council("policies-explained");
    let agreement = agreements::text(&council.home, CHILD);
    let line_of = |start: &str| 1 + agreement.lines().position(|line| line.starts_with(start)).unwrap();
    let asks = [
        "policy",
        "explain",
        "--consumer",
        "nhs-lomond/ed-trak",
        "--dataset",
        "child-protection/v1",
        "--operation",
        "check",
        "--role",
        "ed_nurse",
        "--on",
        "2026-12-07",
        "--at",
        "10:00",
    ];
    let with = |more: &[&str]| {
        let all: Vec<&str> = asks.iter().chain(more).copied().collect();
        run(&council.home, &all)
    };
    let permitted = with(&["--supposing-signed"]);
    assert_eq!(permitted.code, Some(0), "{permitted:?}");
    assert!(permitted.out.contains(&format!("it would be permitted under {CHILD}@1")), "{permitted:?}");
    // As it stands nobody has signed it.
    let unsigned = with(&["--json"]);
    let told = &unsigned.lines()[0];
    assert_eq!((unsigned.code, &told["code"]), (Some(1), &"agreement_not_in_force".into()));
    assert_eq!(told["not_in_force"][0], format!("{CHILD}@1: not sealed"));
    assert_eq!(told["remedy"]["fixer"], "officers");
    let refused = with(&["--supposing-signed", "--purpose", "research"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for said in [
        format!("it would be refused under {CHILD}@1: purpose_not_allowed: "),
        format!(
            "It stands on policies/agreements/{CHILD}.toml:{}: party.system.purposes: ",
            line_of("purposes =")
        ),
        "It would be answered if the caller states a purpose the agreement lists for it".to_owned(),
        "Who can change that: caller or officers.".to_owned(),
    ] {
        assert!(refused.out.contains(&said), "{said}: {refused:?}");
    }
    // That another, which would fit, is not in force yet is no reason of this.
    let other = agreement.replace(&format!("id = \"{CHILD}\""), "id = \"glenmore-nhs-lomond-later\"");
    let other = other.replace("from = 2026-12-01", "from = 2027-02-01");
    std::fs::write(council.home.join("policies/agreements/glenmore-nhs-lomond-later.toml"), other).unwrap();
    let refused = with(&["--supposing-signed", "--purpose", "research", "--json"]);
    let told = &refused.lines()[0];
    assert_eq!(
        (&told["code"], &told["not_in_force"]),
        (&"purpose_not_allowed".into(), &serde_json::json!([]))
    );
    let late = with(&["--supposing-signed", "--json", "--on", "2027-03-01"]);
    assert_eq!(late.code, Some(2), "given twice: {late:?}");
    let stranger = run(
        &council.home,
        &["policy", "explain", "--consumer", "lochside/x", "--dataset", "no-such/v1", "--operation", "check"],
    );
    assert!(
        stranger.out.contains("not_agreed") && stranger.out.contains("lists this system"),
        "{stranger:?}"
    );
}
