//! Only what was agreed leaves (design 1.2): the hostile cases, through the public face of `contract`
//! and `minimise`, with what leaves checked against the view as the road does.
#![cfg(test)]

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::sync::Arc;
use tolbooth::contract::{Checker, load};
use tolbooth::json::Document;
use tolbooth::minimise::{Context, MinimiseFaultKind, Minimised, Projection, Pseudonyms, view};
use tolbooth::model::{
    AgreementId, Band, Check, FieldPath, Literal, Mapping, Operation, Release, Rows, Test, Transform,
};

fn today() -> Date {
    date(2026, 6, 15)
}

fn record() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["status", "chi", "dob", "address"],
        "properties": {
            "status": {"type": "string", "enum": ["registered", "removed", "sealed"]},
            "chi": {"type": "string", "x-tolbooth-subject": "chi"},
            "dob": {"type": "string", "format": "date"},
            "name": {"type": "string"},
            "address": {"type": "object", "additionalProperties": false, "required": ["postcode"], "properties": {
                "street": {"type": "string"}, "postcode": {"type": ["string", "null"]}
            }},
            "score": {"type": ["number", "null"]},
            "seen": {"type": "string", "format": "date-time"},
            "alerts": {"type": "array", "items": {"type": "object", "additionalProperties": false,
                "required": ["code"], "properties": {
                    "code": {"type": "string"}, "note": {"type": "string"},
                    "about": {"type": "string", "x-tolbooth-subject": "local_id"}
            }}},
            "phones": {"type": "array", "items": {"type": "string"}}
        }
    })
}

fn operation(answer: Value) -> Arc<Operation> {
    let question = json!({"type": "object", "additionalProperties": false, "properties": {}});
    let contract = json!({
        "openapi": "3.1.0", "info": {"title": "Test", "version": "1.0.0"}, "x-tolbooth-dataset": "test",
        "paths": {"/check": {"post": {
            "operationId": "check", "summary": "Test", "x-tolbooth-effect": "reads",
            "requestBody": {"content": {"application/json": {"schema": question}}},
            "responses": {"200": {"description": "It.", "content": {"application/json": {"schema": answer}}}}
        }}}
    });
    load("test.json", &contract.to_string()).unwrap().operations[0].clone()
}

fn single() -> Arc<Operation> {
    operation(record())
}

fn list() -> Arc<Operation> {
    operation(json!({"type": "array", "items": record()}))
}

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap()
}

/// Releases these and withholds all else of the record.
fn releasing(fields: &[(&str, Transform)]) -> Release {
    let leaves = [
        "status",
        "chi",
        "dob",
        "name",
        "address.street",
        "address.postcode",
        "score",
        "seen",
        "alerts[].code",
        "alerts[].note",
        "alerts[].about",
        "phones[]",
    ];
    let within = |leaf: &str, field: &str| path(leaf).is_within(&path(field));
    let withhold = leaves.iter().filter(|leaf| !fields.iter().any(|(field, _)| within(leaf, field)));
    Release {
        fields: fields.iter().map(|(field, transform)| (path(field), transform.clone())).collect(),
        withhold: withhold.map(|leaf| path(leaf)).collect(),
        rows: Rows::Every,
    }
}

fn test(field: &str, check: Check) -> Test {
    Test { field: path(field), check }
}

fn apply(
    operation: &Operation,
    release: &Release,
    mapping: &Mapping,
    document: &Value,
) -> Result<Minimised, MinimiseFaultKind> {
    let projection = Projection::compile(operation, release, mapping).unwrap();
    let document = Document::parse(document.to_string().into(), 64).unwrap();
    let (zone, agreement) = (TimeZone::get("Europe/London").unwrap(), AgreementId::new("test").unwrap());
    let pseudonyms = Pseudonyms::new([7; 32], 1);
    let context = Context { today: today(), zone: &zone, agreement: &agreement, pseudonyms: &pseudonyms };
    let minimised = projection.apply(document.root(), &context).map_err(|fault| fault.kind)?;
    if !minimised.no_row {
        let body = Document::parse(minimised.body.clone().into(), 64).unwrap();
        let checker = Checker::compile(&view(operation, release).unwrap().schema).unwrap();
        assert_eq!(checker.violations(body.root()), [], "what leaves meets the view");
    }
    Ok(minimised)
}

fn body(minimised: &Minimised) -> &str {
    std::str::from_utf8(&minimised.body).unwrap()
}

fn whole() -> Value {
    json!({
        "status": "registered", "chi": "0101019999", "dob": "2014-06-16", "name": "Mairi Ann MacLeod",
        "address": {"street": "1 Test Street", "postcode": "ZZ99 1AA"}, "score": 12.5,
        "seen": "2026-06-14T23:30:00Z",
        "alerts": [{"code": "A1", "note": "x", "about": "L1"}, {"code": "A2"}],
        "phones": ["01632 960123", "01632 960456"]
    })
}

#[test]
fn nothing_leaves_that_is_not_listed_whatever_the_source_adds() {
    let mut document = whole();
    document["safeAddress"] = json!("2 Hidden Road");
    document["address"]["safe_address_2"] = json!({"deep": {"chi": "0101019999"}});
    document["alerts"][0]["ünlisted"] = json!("3 Hidden Road");
    document["alerts"][1]["ünlisted"] = json!("4 Hidden Road");
    let release = releasing(&[("status", Transform::None), ("alerts[].code", Transform::None)]);
    let out = apply(&single(), &release, &Mapping::default(), &document).unwrap();
    assert_eq!(body(&out), r#"{"status":"registered","alerts":[{"code":"A1"},{"code":"A2"}]}"#);
    assert_eq!(out.dropped, ["safeAddress", "safe_address_2", "ünlisted"]);
    assert!(out.safe_address_dropped);
    assert!(!format!("{out:?}").contains("registered"));
}

#[test]
fn a_withheld_field_is_no_drift_and_unknown_names_are_bounded() {
    let release = releasing(&[("status", Transform::None)]);
    let out = apply(&single(), &release, &Mapping::default(), &whole()).unwrap();
    assert_eq!((out.dropped.len(), out.safe_address_dropped), (0, false));
    let mut document = whole();
    for n in 0..40 {
        document[format!("{n:02}{}", "é".repeat(40))] = json!(1);
    }
    document["the SAFE home address"] = json!("5 Hidden Road");
    let out = apply(&single(), &release, &Mapping::default(), &document).unwrap();
    assert_eq!(out.dropped.len(), 16);
    assert!(out.dropped.iter().all(|name| name.len() == 64), "cut at a character");
    assert!(out.safe_address_dropped, "seen though no longer counted");
}

#[test]
fn what_is_missing_or_mistyped_stops_the_answer() {
    use MinimiseFaultKind::{Missing, WrongType};
    let release = releasing(&[
        ("status", Transform::None),
        ("name", Transform::None),
        ("address.postcode", Transform::None),
        ("score", Transform::None),
        ("alerts[].code", Transform::None),
        ("phones[]", Transform::None),
    ]);
    let cases: &[(&str, Value, MinimiseFaultKind)] = &[
        ("/status", json!(1), WrongType),
        ("/status", Value::Null, WrongType),
        ("/name", Value::Null, WrongType),
        ("/name", json!({"first": "x"}), WrongType),
        ("/address", json!([]), WrongType),
        ("/address", Value::Null, WrongType),
        ("/address", json!({}), Missing),
        ("/score", json!("12"), WrongType),
        ("/alerts", json!({}), WrongType),
        ("/alerts", json!(["A1"]), WrongType),
        ("/alerts", json!([{"note": "x"}]), Missing),
        ("/phones", json!("01632 960123"), WrongType),
        ("/phones", json!([["01632 960123"]]), WrongType),
        ("/phones", json!([null]), WrongType),
        // Nothing of it leaves, but the record would not say whom it was about.
        ("/chi", json!({"v": 1}), WrongType),
        ("", json!([]), WrongType),
        ("", json!("x"), WrongType),
    ];
    for (at, value, kind) in cases {
        let mut document = whole();
        *document.pointer_mut(at).unwrap() = value.clone();
        let fault = apply(&single(), &release, &Mapping::default(), &document).unwrap_err();
        assert_eq!(fault, *kind, "{at} {value}");
    }
    let mut document = whole();
    document["score"] = Value::Null;
    document.as_object_mut().unwrap().shift_remove("name");
    document["address"]["street"] = json!(["withheld, and so not looked at"]);
    let out = apply(&single(), &release, &Mapping::default(), &document).unwrap();
    assert!(body(&out).contains(r#""address":{"postcode":"ZZ99 1AA"},"score":null"#));
    document.as_object_mut().unwrap().shift_remove("status");
    assert_eq!(apply(&single(), &release, &Mapping::default(), &document).unwrap_err(), Missing);
}

#[test]
fn rows_are_judged_before_fields_and_an_unclear_row_is_never_admitted() {
    let sealed = Check::NotIn(vec![Literal::Text("sealed".into())]);
    let mut release = releasing(&[("name", Transform::None)]);
    release.rows = Rows::All(vec![test("status", sealed)]);
    let rows = |statuses: &[Value]| -> Value {
        statuses
            .iter()
            .map(|status| {
                let mut row = whole();
                row["status"] = status.clone();
                row
            })
            .collect()
    };
    let out = apply(
        &list(),
        &release,
        &Mapping::default(),
        &rows(&[json!("sealed"), json!("removed"), json!("sealed")]),
    )
    .unwrap();
    assert_eq!(body(&out), r#"[{"name":"Mairi Ann MacLeod"}]"#);
    assert_eq!((out.rows_released, out.rows_excluded, out.no_row), (1, 2, false));
    let out = apply(&list(), &release, &Mapping::default(), &rows(&[json!("sealed")])).unwrap();
    assert_eq!((body(&out), out.subjects.len(), out.no_row), ("[]", 0, false));
    // Another spelling than the contract's is not `not sealed`.
    for unclear in [json!("Sealed"), json!("sealed "), json!(""), json!(1), Value::Null, json!(["sealed"])] {
        let fault =
            apply(&list(), &release, &Mapping::default(), &rows(&[json!("removed"), unclear])).unwrap_err();
        assert_eq!(fault, MinimiseFaultKind::RowUnclear);
    }
    let mut document = whole();
    document["status"] = json!("sealed");
    // An excluded row is not looked at further.
    document["name"] = json!(1);
    let out = apply(&single(), &release, &Mapping::default(), &document).unwrap();
    assert_eq!((out.no_row, out.body.len(), out.subjects.len(), out.dropped.len()), (true, 0, 0, 0));
    document.as_object_mut().unwrap().shift_remove("status");
    assert_eq!(
        apply(&single(), &release, &Mapping::default(), &document).unwrap_err(),
        MinimiseFaultKind::RowUnclear
    );
}

#[test]
fn every_test_is_judged_as_it_says() {
    let text = |text: &str| Literal::Text(text.into());
    let day = |day: &str| Literal::Date(day.into());
    let cases: &[(&str, Check, bool)] = &[
        ("status", Check::Is(text("registered")), true),
        ("status", Check::Is(text("removed")), false),
        ("status", Check::In(vec![text("removed"), text("registered")]), true),
        ("status", Check::NotIn(vec![text("registered")]), false),
        ("dob", Check::Is(text("2014-06-16")), true),
        ("dob", Check::AtLeast(day("2014-06-16")), true),
        ("dob", Check::AtLeast(day("2014-06-17")), false),
        ("dob", Check::AtMost(day("2014-06-15")), false),
        ("dob", Check::Within { months: 144, days: 0 }, true),
        ("dob", Check::Within { months: 143, days: 0 }, false),
        ("dob", Check::Within { months: 143, days: 30 }, true),
        ("dob", Check::NotBeforeToday, false),
    ];
    for (field, check, admitted) in cases {
        let mut release = releasing(&[("status", Transform::None)]);
        release.rows = Rows::Any(vec![test(field, check.clone())]);
        let out = apply(&single(), &release, &Mapping::default(), &whole()).unwrap();
        assert_eq!(!out.no_row, *admitted, "{field} {check:?}");
    }
    let mut document = whole();
    document["address"]["postcode"] = Value::Null;
    for (check, admitted) in [(Check::NotIn(vec![text("x")]), true), (Check::Is(text("x")), false)] {
        let mut release = releasing(&[("status", Transform::None)]);
        release.rows = Rows::All(vec![test("address.postcode", check)]);
        assert_eq!(!apply(&single(), &release, &Mapping::default(), &document).unwrap().no_row, admitted);
    }
}

#[test]
fn transforms_fix_what_leaves() {
    let band = |from, label: &str| Band { from, label: label.into() };
    let bands = vec![band(0, "0-11"), band(12, "12-17"), band(18, "18+")];
    let table = [("A1".to_owned(), "amber".to_owned()), ("A2".to_owned(), "red".to_owned())].into();
    let release = releasing(&[
        ("chi", Transform::MaskKeepLast { characters: 4 }),
        ("dob", Transform::AgeBand { bands }),
        ("name", Transform::Initials),
        ("address.street", Transform::ExistsYesNo),
        ("address.postcode", Transform::PostcodeDistrict),
        ("score", Transform::Round { to: 5.0 }),
        ("seen", Transform::YearOfBirth),
        ("alerts[].code", Transform::CodeMap { table }),
        ("alerts[].note", Transform::ExistsYesNo),
        ("phones", Transform::ExistsYesNo),
    ]);
    let out = apply(&single(), &release, &Mapping::default(), &whole()).unwrap();
    let expected = concat!(
        r#"{"chi":"******9999","dob":"0-11","name":"M A M","address":{"street":true,"postcode":"ZZ99"},"#,
        r#""score":15,"seen":2026,"alerts":[{"code":"amber","note":true},{"code":"red","note":false}],"phones":true}"#
    );
    assert_eq!(body(&out), expected);
    let mut document = whole();
    document["dob"] = json!("2014-06-15");
    document["score"] = Value::Null;
    document["phones"] = json!([]);
    document["seen"] = json!("2025-12-31T23:30:00-01:00");
    document["address"] = json!({"postcode": null});
    let out = apply(&single(), &release, &Mapping::default(), &document).unwrap();
    let left: Value = serde_json::from_slice(&out.body).unwrap();
    assert_eq!(
        (&left["dob"], &left["score"], &left["phones"]),
        (&json!("12-17"), &Value::Null, &json!(false))
    );
    assert_eq!(
        (&left["seen"], &left["address"]),
        (&json!(2026), &json!({"street": false, "postcode": null}))
    );
    for (at, value, kind) in [
        ("/dob", json!("16/06/2014"), MinimiseFaultKind::Unreadable),
        ("/dob", json!("2026-06-16"), MinimiseFaultKind::Unreadable),
        ("/address/postcode", json!("1 Test Street, ZZ99 1AA"), MinimiseFaultKind::Unreadable),
        ("/alerts/0/code", json!("A3"), MinimiseFaultKind::UnknownCode),
        ("/seen", json!("2026-06-14 23:30"), MinimiseFaultKind::Unreadable),
    ] {
        let mut document = whole();
        *document.pointer_mut(at).unwrap() = value;
        assert_eq!(apply(&single(), &release, &Mapping::default(), &document).unwrap_err(), kind, "{at}");
    }
}

#[test]
fn a_pseudonym_differs_by_agreement_field_and_generation() {
    let release = releasing(&[("chi", Transform::Pseudonym), ("name", Transform::Pseudonym)]);
    let operation = single();
    let projection = Projection::compile(&operation, &release, &Mapping::default()).unwrap();
    let zone = TimeZone::get("Europe/London").unwrap();
    let mut seen = std::collections::HashSet::new();
    let mut document = whole();
    document["name"] = document["chi"].clone();
    let document = Document::parse(document.to_string().into(), 64).unwrap();
    for (agreement, generation) in [("a", 1), ("a", 2), ("b", 1)] {
        let (agreement, pseudonyms) =
            (AgreementId::new(agreement).unwrap(), Pseudonyms::new([7; 32], generation));
        let context = Context { today: today(), zone: &zone, agreement: &agreement, pseudonyms: &pseudonyms };
        let once = projection.apply(document.root(), &context).unwrap().body;
        assert_eq!(once, projection.apply(document.root(), &context).unwrap().body);
        let left: Value = serde_json::from_slice(&once).unwrap();
        for field in ["chi", "name"] {
            let pseudonym = left[field].as_str().unwrap().to_owned();
            assert!(pseudonym.len() >= 26 && !pseudonym.contains("0101"));
            assert!(seen.insert(pseudonym), "no two may be joined");
        }
    }
}

#[test]
fn subjects_come_from_admitted_rows_before_projection() {
    let mut release = releasing(&[("status", Transform::None)]);
    release.rows = Rows::All(vec![test("status", Check::Is(Literal::Text("registered".into())))]);
    let mut sealed = whole();
    sealed["status"] = json!("sealed");
    sealed["chi"] = json!("0202029999");
    let out = apply(&list(), &release, &Mapping::default(), &json!([whole(), sealed, whole()])).unwrap();
    let subjects: Vec<(&str, &str)> =
        out.subjects.iter().map(|subject| (subject.kind.as_str(), &*subject.identifier)).collect();
    assert_eq!(subjects, [("chi", "0101019999"), ("local_id", "L1")]);
}

#[test]
fn a_mapping_says_where_a_source_keeps_what() {
    let mapping = Mapping {
        renames: [
            ("status", "/STATE"),
            ("dob", "/person/born"),
            ("name", "/person/names/0/full"),
            ("address", "/person/home"),
            ("address.postcode", "/pc~1zip"),
            ("alerts[].code", "/k"),
        ]
        .map(|(field, pointer)| (path(field), pointer.to_owned()))
        .into(),
        ..Mapping::default()
    };
    let document = json!({
        "STATE": "registered", "chi": "0101019999", "status": "not this one",
        "person": {"born": "2014-06-16", "names": [{"full": "Mairi", "nick": "M"}], "shoe": 5,
            "home": {"pc/zip": "ZZ99 1AA", "postcode": "not this one"}},
        "alerts": [{"k": "A1", "code": "not this one"}]
    });
    let mut release = releasing(&[
        ("status", Transform::None),
        ("dob", Transform::None),
        ("name", Transform::None),
        ("address.postcode", Transform::None),
        ("alerts[].code", Transform::None),
    ]);
    release.rows = Rows::All(vec![
        test("status", Check::Is(Literal::Text("registered".into()))),
        test("address.postcode", Check::Is(Literal::Text("ZZ99 1AA".into()))),
    ]);
    let out = apply(&single(), &release, &mapping, &document).unwrap();
    let expected = concat!(
        r#"{"status":"registered","dob":"2014-06-16","name":"Mairi","#,
        r#""address":{"postcode":"ZZ99 1AA"},"alerts":[{"code":"A1"}]}"#
    );
    assert_eq!(body(&out), expected);
    assert_eq!(out.dropped, ["status", "nick", "shoe", "postcode", "code"]);
    for bad in [
        ("nme", "/x"),
        ("name", "x"),
        ("name", ""),
        ("name", "/~2"),
        ("phones[]", "/x"),
        ("dob", "/address/x"),
    ] {
        let mapping = Mapping { renames: vec![(path(bad.0), bad.1.to_owned())], ..Mapping::default() };
        assert!(Projection::compile(&single(), &release, &mapping).is_err(), "{bad:?}");
    }
}

#[test]
fn numbers_and_texts_leave_as_they_were_written() {
    let release = releasing(&[("name", Transform::None), ("score", Transform::None)]);
    let operation = single();
    let projection = Projection::compile(&operation, &release, &Mapping::default()).unwrap();
    let text = concat!(
        r#" {"score" : 1.10000000000000000000001e2, "na\u006de":"\u00e9\/\ud83d\ude00","status":"removed", "#,
        r#""chi":"1","dob":"2014-06-16","address":{"postcode":null}} "#
    );
    let document = Document::parse(text.into(), 64).unwrap();
    let (zone, agreement, pseudonyms) =
        (TimeZone::UTC, AgreementId::new("a").unwrap(), Pseudonyms::new([0; 32], 0));
    let context = Context { today: today(), zone: &zone, agreement: &agreement, pseudonyms: &pseudonyms };
    let out = projection.apply(document.root(), &context).unwrap();
    assert_eq!(body(&out), r#"{"name":"\u00e9\/\ud83d\ude00","score":1.10000000000000000000001e2}"#);
}

#[test]
fn a_release_that_does_not_fit_the_contract_is_refused_with_all_its_faults() {
    let none = Transform::None;
    let spoil = |spoil: fn(&mut Release)| {
        let mut release = releasing(&[("status", Transform::None), ("alerts[].code", Transform::None)]);
        spoil(&mut release);
        let faults = view(&single(), &release).unwrap_err();
        assert_eq!(Projection::compile(&single(), &release, &Mapping::default()).unwrap_err(), faults);
        faults.join("\n")
    };
    type Spoil = fn(&mut Release);
    let cases: &[(Spoil, &str)] = &[
        (|r| r.fields.push((path("statuss"), Transform::None)), "did you mean `status`"),
        (|r| r.withhold.push(path("nme")), "`nme` is withheld, and the contract has no such field"),
        (|r| r.withhold.retain(|w| *w != path("name")), "`name` is neither released nor withheld"),
        (|r| r.withhold.push(path("alerts")), "`alerts[].code` is released, and withheld by `alerts`"),
        (|r| r.fields.push((path("status"), Transform::None)), "`status` is released twice"),
        (
            |r| r.fields.push((path("address"), Transform::None)),
            "such as `address.street`, `address.postcode`",
        ),
        (
            |r| r.fields.push((path("phones"), Transform::None)),
            "list what is released of it, such as `phones[]`",
        ),
        (|r| r.fields.push((path("alerts"), Transform::ExistsYesNo)), "leaves as yes or no"),
        (|r| r.fields[0].1 = Transform::YearOfBirth, "`year_of_birth` is for a date"),
        (|r| r.fields[0].1 = Transform::Round { to: 1.0 }, "`round` is for a number"),
        (
            |r| r.fields[0].1 = Transform::CodeMap { table: [("removed".into(), "r".into())].into() },
            "has no `registered`",
        ),
        (|r| r.rows = Rows::All(vec![]), "at least one test"),
        (|r| r.rows = Rows::All(vec![test("nme", Check::NotBeforeToday)]), "no such field"),
        (|r| r.rows = Rows::All(vec![test("name", Check::Is(Literal::Text("x".into())))]), "must require it"),
        (
            |r| r.rows = Rows::All(vec![test("alerts[].code", Check::Is(Literal::Text("x".into())))]),
            "must require it",
        ),
        (
            |r| r.rows = Rows::All(vec![test("address", Check::Is(Literal::Text("x".into())))]),
            "more than one value",
        ),
        (|r| r.rows = Rows::All(vec![test("status", Check::Is(Literal::Integer(1)))]), "not a string"),
        (
            |r| r.rows = Rows::All(vec![test("status", Check::Is(Literal::Text("seal".into())))]),
            "none of them",
        ),
        (|r| r.rows = Rows::All(vec![test("status", Check::In(vec![]))]), "empty list"),
        (|r| r.rows = Rows::All(vec![test("chi", Check::AtLeast(Literal::Text("x".into())))]), "order"),
        (|r| r.rows = Rows::All(vec![test("chi", Check::NotBeforeToday)]), "for a date"),
        (
            |r| r.rows = Rows::All(vec![test("dob", Check::Is(Literal::Text("1/2/2020".into())))]),
            "format date",
        ),
    ];
    for (change, says) in cases {
        let faults = spoil(*change);
        assert!(faults.contains(says), "{says}: {faults}");
    }
    let mut release = releasing(&[("status", none)]);
    release.withhold.clear();
    assert_eq!(view(&single(), &release).unwrap_err().len(), 11, "every leaf is told of");
}

#[test]
fn the_view_is_the_contract_less_what_stays() {
    let mut record = record();
    record["properties"]["score"]["description"] = json!("How sure.");
    record["properties"]["score"]["maximum"] = json!(100);
    let list = operation(json!({"type": "array", "minItems": 1, "maxItems": 9, "items": record}));
    let release = releasing(&[
        ("status", Transform::None),
        ("score", Transform::ExistsYesNo),
        ("address.postcode", Transform::PostcodeDistrict),
        ("phones[]", Transform::MaskKeepLast { characters: 3 }),
    ]);
    let expected = json!({"type": "array", "maxItems": 9, "items": {
        "type": "object", "additionalProperties": false, "required": ["status", "address", "score"],
        "properties": {
            "status": {"type": "string", "enum": ["registered", "removed", "sealed"]},
            "address": {"type": "object", "additionalProperties": false, "required": ["postcode"], "properties": {
                "postcode": {"type": ["string", "null"], "pattern": "^[A-Z]{1,2}[0-9][0-9A-Z]?$"}
            }},
            "score": {"type": "boolean", "description": "How sure."},
            "phones": {"type": "array", "items": {"type": "string"}}
        }
    }});
    assert_eq!(view(&list, &release).unwrap().schema, expected);
}
