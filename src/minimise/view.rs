//! The view: what of a contract's answer one agreement releases, as a schema of the same closed
//! subset. It is what officers sign, what callers are shown and what leaving answers are checked by.

use serde_json::{Map, Value, json};

use super::cover::Cover;
use super::rows;
use super::transform::PSEUDONYM_CHARS;
use crate::model::{FieldPath, Mapping, Operation, Release, Shape, Transform};

/// Carried over from the contract whatever the transform.
const ABOUT: [&str; 5] =
    ["title", "description", "x-tolbooth-personal", "x-tolbooth-special", "x-tolbooth-term"];

/// A contract as one agreement releases it.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// JSON Schema 2020-12 of the whole answer after transforms: an object, or a list of objects.
    pub schema: Value,
}

/// # Errors
/// Everything by which the release does not fit the contract, one sentence each.
pub fn view(operation: &Operation, release: &Release) -> Result<View, Vec<String>> {
    let row_faults =
        rows::Condition::compile(operation, release, &Mapping::default()).err().unwrap_or_default();
    let cover = match Cover::of(operation, release) {
        Ok(cover) if row_faults.is_empty() => cover,
        Ok(_) => return Err(row_faults),
        Err(mut faults) => {
            faults.extend(row_faults);
            return Err(faults);
        }
    };
    let row = operation.answer.row();
    let row_schema = match operation.answer {
        Shape::Array { .. } => operation.answer_schema.get("items"),
        _ => Some(&operation.answer_schema),
    };
    let row_schema = row_schema.ok_or_else(|| vec!["the contract's schema has no items".to_owned()])?;
    let released = match released(&cover, row, row_schema, &FieldPath::root()) {
        Some(schema) => schema,
        // Nothing is released but that there is a row: an empty object.
        None => object(row_schema, Map::new(), Vec::new()),
    };
    let mut schema = match operation.answer {
        Shape::Array { .. } => list(&operation.answer_schema, released),
        _ => released,
    };
    // Rows are excluded after the contract counted them, so a bound below holds no longer.
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_remove("minItems");
    }
    Ok(View { schema })
}

/// What is released of one place; `None` where nothing is.
fn released(cover: &Cover<'_>, shape: &Shape, schema: &Value, path: &FieldPath) -> Option<Value> {
    if let Some(transform) = cover.transform(path) {
        return Some(transformed(schema, transform));
    }
    match shape {
        Shape::Scalar(_) => None,
        Shape::Array { items, .. } => {
            let items = released(cover, items, schema.get("items")?, &path.items())?;
            Some(list(schema, items))
        }
        Shape::Object(shape) => {
            let (mut properties, mut required) = (Map::new(), Vec::new());
            for property in &shape.properties {
                let (name, path) = (&*property.name, path.property(&property.name));
                let below = schema.get("properties").and_then(|all| all.get(name));
                let Some(below) = below.and_then(|below| released(cover, &property.shape, below, &path))
                else {
                    continue;
                };
                properties.insert(name.to_owned(), below);
                // Absent is `false`, so a yes or no is always there.
                if property.required || cover.transform(&path) == Some(&Transform::ExistsYesNo) {
                    required.push(name.into());
                }
            }
            if properties.is_empty() { None } else { Some(object(schema, properties, required)) }
        }
    }
}

fn object(schema: &Value, properties: Map<String, Value>, required: Vec<Value>) -> Value {
    let mut out = kept(schema, &["type", "additionalProperties"]);
    out.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        out.insert("required".into(), Value::Array(required));
    }
    Value::Object(out)
}

fn list(schema: &Value, items: Value) -> Value {
    let mut out = kept(schema, &["type", "minItems", "maxItems"]);
    out.insert("items".into(), items);
    Value::Object(out)
}

fn kept(schema: &Value, names: &[&str]) -> Map<String, Value> {
    let all = schema.as_object().into_iter().flatten();
    all.filter(|(name, _)| names.contains(&name.as_str()) || ABOUT.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The schema of one field after its transform (design 4: a transform fixes the type).
fn transformed(schema: &Value, transform: &Transform) -> Value {
    let (word, facet) = match transform {
        Transform::None => return schema.clone(),
        Transform::YearOfBirth | Transform::Round { .. } => ("number", None),
        Transform::ExistsYesNo => ("boolean", None),
        Transform::AgeBand { bands } => {
            ("string", Some(("enum", json!(bands.iter().map(|band| &band.label).collect::<Vec<_>>()))))
        }
        Transform::CodeMap { table } => {
            let codes: std::collections::BTreeSet<&String> = table.values().collect();
            ("string", Some(("enum", json!(codes))))
        }
        Transform::Pseudonym => {
            ("string", Some(("pattern", json!(format!("^[0-9a-f]{{{PSEUDONYM_CHARS}}}$")))))
        }
        Transform::PostcodeDistrict => ("string", Some(("pattern", json!("^[A-Z]{1,2}[0-9][0-9A-Z]?$")))),
        Transform::Initials | Transform::MaskKeepLast { .. } => ("string", None),
    };
    let nullable = *transform != Transform::ExistsYesNo
        && schema
            .get("type")
            .and_then(Value::as_array)
            .is_some_and(|types| types.iter().any(|one| one == "null"));
    let mut out = Map::new();
    out.insert("type".into(), if nullable { json!([word, "null"]) } else { json!(word) });
    out.extend(kept(schema, &[]));
    if let Some((name, mut value)) = facet {
        if let (Value::Array(values), true) = (&mut value, nullable) {
            values.push(Value::Null);
        }
        out.insert(name.into(), value);
    }
    Value::Object(out)
}
