//! Each warning with an agreement that brings it, and the same put right.

use std::sync::Arc;

use super::unwise;
use crate::model::{
    Marks, ObjectShape, Operation, Property, Release, Scalar, ScalarKind, Shape, SubjectKind, Transform,
};
use crate::policy::tests::samples;

fn property(name: &str, subject: Option<&str>) -> Property {
    let scalar = Scalar { kind: ScalarKind::String, nullable: false, format: None, values: None };
    let subject = subject.and_then(SubjectKind::new);
    let marks = Marks { personal: true, subject, ..Marks::default() };
    Property { name: name.into(), required: true, shape: Shape::Scalar(scalar), marks }
}

/// Asked by licence number; what is answered has a CHI number, a name in two parts, a birth and a place.
fn operation() -> Operation {
    let object = |properties| Shape::Object(ObjectShape { properties, nullable: false });
    let answer = object(vec![
        property("chi", Some("chi")),
        property("date_of_birth", None),
        property("birth_year", None),
        property("given_name", None),
        property("family_name", None),
        property("postcode", None),
        property("address", None),
        property("uprn", Some("uprn")),
    ]);
    Operation {
        question: object(vec![property("licence_no", Some("licence_no"))]),
        answer,
        ..samples::operation()
    }
}

/// Warnings when these fields are released so, and everything else is withheld.
fn said(release: &str, asked: &Operation) -> String {
    let mut agreement = samples::load(&samples::whole());
    let read: Vec<(crate::model::FieldPath, Transform)> = release
        .split_whitespace()
        .map(|field| {
            let (name, how) = field.split_once('=').unwrap_or((field, "none"));
            (crate::model::FieldPath::parse(name).unwrap(), transform(how))
        })
        .collect();
    agreement.release = Arc::new(Release { fields: read, ..Release::clone(&agreement.release) });
    let found = unwise(&agreement, asked);
    let shown: Vec<String> = found.iter().map(|fault| fault.message.clone()).collect();
    shown.into_iter().filter(|message| !message.contains("assurance")).collect::<Vec<_>>().join("\n")
}

fn transform(name: &str) -> Transform {
    match name {
        "none" => Transform::None,
        "initials" => Transform::Initials,
        "year" => Transform::YearOfBirth,
        "band" => Transform::AgeBand { bands: Vec::new() },
        "district" => Transform::PostcodeDistrict,
        "pseudonym" => Transform::Pseudonym,
        kept => Transform::MaskKeepLast { characters: kept.parse().unwrap() },
    }
}

#[test]
fn what_one_field_hides_no_other_tells() {
    let operation = operation();
    for (release, wanted) in [
        ("chi", "`chi` is released, a CHI number, which tells the date of birth"),
        ("chi date_of_birth=year", "`date_of_birth` is hidden in vain"),
        ("chi=8", "which tells the date of birth"),
        (
            "given_name=initials family_name",
            "`given_name` leaves as initials, and `family_name` is released whole",
        ),
        (
            "date_of_birth=band birth_year=year",
            "`birth_year` tells more of the date of birth than `date_of_birth`",
        ),
        (
            "date_of_birth birth_year=year",
            "`date_of_birth` tells more of the date of birth than `birth_year`",
        ),
        ("uprn", "`uprn` tells the address that `postcode` hides"),
        ("postcode=district address", "`address` tells the address that `postcode` hides"),
        ("chi=pseudonym uprn postcode address", "`chi` leaves as a pseudonym, and `uprn` beside it says who"),
    ] {
        let found = said(release, &operation);
        assert!(found.contains(wanted), "{release}\n{found}");
    }
    for good in [
        "chi=4",
        "chi=pseudonym",
        "chi date_of_birth birth_year",
        "given_name=initials family_name=initials",
        "date_of_birth=band",
        "postcode=district",
        "uprn postcode address",
    ] {
        assert_eq!(said(good, &operation), "", "{good}");
    }
}

#[test]
fn who_asks_by_a_number_is_told_nothing_by_it() {
    let mut operation = operation();
    operation.question =
        Shape::Object(ObjectShape { properties: vec![property("chi", Some("chi"))], nullable: false });
    assert_eq!(said("chi", &operation), "");
}

fn warned(from: &str, to: &str) -> String {
    let text = samples::whole();
    assert!(text.contains(from), "{from}");
    let agreement = samples::load(&text.replacen(from, to, 1));
    let found = unwise(&agreement, &samples::operation());
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn terms_that_experience_does_not_let_through_are_warned_of() {
    for (from, to, wanted) in [
        (
            "assurance = \"certificate\"",
            "assurance = \"token\"",
            "special categories leave with the assurance `token`",
        ),
        ("audit_years = 25", "audit_years = 7", "the record about children is kept for 7 years"),
        ("[\"onward_sharing\", ", "[", "nothing here forbids the consumer to pass the data on"),
        (
            "until = 2028-11-30",
            "until = 2027-11-30",
            "it ends on 2027-11-30, before it is reviewed on 2027-12-01",
        ),
        (
            "[data.rows]\nany = [\n    { field = \"status\", in = [\"registered\", \"pre-birth\", \"looked-after\"] },",
            "[data.rows]\nall = [\n    { field = \"category\", is = \"neglect\" },",
            "`category` is withheld, and every record that is released tells it",
        ),
    ] {
        let found = warned(from, to);
        assert!(found.contains(wanted), "{to}\n{found}");
        assert!(found.lines().count() >= 2, "each says what to do: {found}");
    }
    assert_eq!(warned("assurance = \"certificate\"", "assurance = \"signed\""), "");
}
