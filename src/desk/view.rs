//! The digest officers sign with an agreement: what leaves, of what, and how it is read. RFC 8785
//! JSON; never addresses, credentials, limits or the agreement's own bytes (design 4).

use serde_json::{Value, json};

use crate::model::{
    Check, DatasetVersion, Digest, Literal, Mapping, OperationId, Release, Rows, Transform, canonical,
};

/// One operation's part of a view.
pub(super) struct OperationView<'a> {
    pub(super) operation: &'a OperationId,
    pub(super) schema: &'a Value,
    pub(super) mapping: &'a Mapping,
}

pub(super) fn digest(
    dataset: &DatasetVersion,
    release: &Release,
    operations: &[OperationView<'_>],
) -> Digest {
    let operations: Vec<Value> = operations
        .iter()
        .map(|view| {
            json!({
                "id": view.operation,
                "schema": view.schema,
                "mapping": mapping(view.mapping),
            })
        })
        .collect();
    let view = json!({
        "contract": { "id": dataset.dataset, "major": dataset.major },
        "operations": operations,
        "release": fields(release),
        "rows": rows(&release.rows),
    });
    Digest::of(canonical(&view).as_bytes())
}

fn mapping(mapping: &Mapping) -> Value {
    let renames: Vec<Value> = mapping.renames.iter().map(|(field, at)| json!([field, at])).collect();
    json!({ "document": mapping.document, "renames": renames, "no_match": mapping.no_match, "columns": mapping.semantics })
}

fn fields(release: &Release) -> Value {
    release.fields.iter().map(|(field, transform)| json!([field, transform_value(transform)])).collect()
}

fn transform_value(transform: &Transform) -> Value {
    let name = transform.name();
    match transform {
        Transform::AgeBand { bands } => {
            let bands: Vec<Value> = bands.iter().map(|band| json!([band.from, band.label])).collect();
            json!({ "name": name, "bands": bands })
        }
        Transform::MaskKeepLast { characters } => json!({ "name": name, "characters": characters }),
        Transform::CodeMap { table } => json!({ "name": name, "table": table }),
        Transform::Round { to } => json!({ "name": name, "to": to }),
        Transform::None
        | Transform::YearOfBirth
        | Transform::Initials
        | Transform::PostcodeDistrict
        | Transform::ExistsYesNo
        | Transform::Pseudonym => json!({ "name": name }),
    }
}

fn rows(rows: &Rows) -> Value {
    let tests = |tests: &[crate::model::Test]| -> Value {
        tests.iter().map(|test| json!([test.field, check(&test.check)])).collect()
    };
    match rows {
        Rows::Every => json!("every"),
        Rows::All(all) => json!({ "all": tests(all) }),
        Rows::Any(any) => json!({ "any": tests(any) }),
    }
}

fn check(check: &Check) -> Value {
    let all = |values: &[Literal]| -> Value { values.iter().map(literal).collect() };
    match check {
        Check::Is(value) => json!({ "is": literal(value) }),
        Check::In(values) => json!({ "in": all(values) }),
        Check::NotIn(values) => json!({ "not_in": all(values) }),
        Check::AtLeast(value) => json!({ "at_least": literal(value) }),
        Check::AtMost(value) => json!({ "at_most": literal(value) }),
        Check::Within { months, days } => json!({ "within": [months, days] }),
        Check::NotBeforeToday => json!("not_before_today"),
    }
}

fn literal(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => json!(text),
        Literal::Integer(number) => json!(number),
        Literal::Number(number) => json!(number),
        Literal::Boolean(value) => json!(value),
        Literal::Date(date) => json!({ "date": date }),
    }
}
