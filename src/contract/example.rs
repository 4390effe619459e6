//! Examples of what a schema describes, made from the schema alone and always the same: from its own
//! `examples`, its closed lists, formats, patterns and bounds. Each value made is held against its
//! schema before it counts, so that an example the checker would refuse is never given.
//!
//! Nobody is meant: identifiers are of ranges kept for tests or with a wrong check digit, telephone
//! numbers are Ofcom's for drama, postcodes of ZZ99, addresses of example.org (RFC 2606).

use std::fmt;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::checker::Checker;
use super::pattern::text_of;
use super::stand_in;
use crate::json::Document;
use crate::model::FieldPath;
use crate::model::limits::JSON_DEPTH_MAX;

/// Repetitions tried beyond what a pattern needs, for a minimum length beside it.
const MORE_TRIED: [u32; 5] = [0, 1, 4, 8, 32];

/// What is wished of an example beyond its schema: values to try first at a place, and whether one will do.
pub trait Wishes {
    fn first(&self, path: &FieldPath) -> Vec<Value>;
    fn admits(&self, path: &FieldPath, value: &Value) -> bool;
}

/// Nothing is wished.
pub struct NoWishes;

impl Wishes for NoWishes {
    fn first(&self, _: &FieldPath) -> Vec<Value> {
        Vec::new()
    }

    fn admits(&self, _: &FieldPath, _: &Value) -> bool {
        true
    }
}

/// Why no example could be made: the place, as a JSON Pointer into the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFault {
    pub path: String,
}

impl fmt::Display for ExampleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no example of `{}` could be made: give it `examples` in the contract", self.path)
    }
}

impl std::error::Error for ExampleFault {}

/// Which example is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Which {
    /// Counts up from 0, the one shown to people.
    pub variant: usize,
    /// With the properties that need not be there.
    pub whole: bool,
}

/// A value that meets the schema, whose references are inlined.
///
/// # Errors
/// The first place for which nothing tried meets its schema.
pub fn example(schema: &Value, which: Which, wishes: &dyn Wishes) -> Result<Value, ExampleFault> {
    Maker { which, wishes }.value(schema, "", &FieldPath::root())
}

/// Whether a value meets a schema of the closed subset.
pub fn fits(schema: &Value, value: &Value) -> bool {
    let Ok(checker) = Checker::compile(schema) else { return false };
    let text = Bytes::from(value.to_string());
    Document::parse(text, JSON_DEPTH_MAX).is_ok_and(|document| checker.is_valid(document.root()))
}

struct Maker<'w> {
    which: Which,
    wishes: &'w dyn Wishes,
}

impl Maker<'_> {
    fn value(&self, schema: &Value, name: &str, path: &FieldPath) -> Result<Value, ExampleFault> {
        match word(schema) {
            "object" => self.object(schema, path),
            "array" => self.array(schema, name, path),
            kind => self.scalar(schema, kind, name, path),
        }
    }

    fn object(&self, schema: &Value, path: &FieldPath) -> Result<Value, ExampleFault> {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut made = Map::new();
        for (name, below) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            // Where nothing is required, nothing at all would say nothing.
            if self.which.whole || required.is_empty() || required.contains(&name.as_str()) {
                made.insert(name.clone(), self.value(below, name, &path.property(name))?);
            }
        }
        Ok(Value::Object(made))
    }

    fn array(&self, schema: &Value, name: &str, path: &FieldPath) -> Result<Value, ExampleFault> {
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let count = bound("minItems").unwrap_or(0).max(1).min(bound("maxItems").unwrap_or(u64::MAX));
        let nothing = Value::Null;
        let items = schema.get("items").unwrap_or(&nothing);
        let one = |at: u64| {
            let variant = self.which.variant + usize::try_from(at).unwrap_or(0);
            let maker = Maker { which: Which { variant, ..self.which }, wishes: self.wishes };
            maker.value(items, name, &path.items())
        };
        (0..count).map(one).collect::<Result<Vec<Value>, _>>().map(Value::Array)
    }

    fn scalar(
        &self,
        schema: &Value,
        kind: &str,
        name: &str,
        path: &FieldPath,
    ) -> Result<Value, ExampleFault> {
        let fault = || ExampleFault { path: path.to_string() };
        let checker = Checker::compile(schema).map_err(|_| fault())?;
        let fits = |value: &Value| {
            let text = Bytes::from(value.to_string());
            Document::parse(text, JSON_DEPTH_MAX).is_ok_and(|document| checker.is_valid(document.root()))
        };
        let mut tried = self.wishes.first(path);
        tried.extend(self.candidates(schema, kind, name));
        tried.retain(fits);
        let wished = tried.iter().position(|value| self.wishes.admits(path, value));
        // A wish nothing meets is left: the schema is what counts.
        let at = wished.unwrap_or(0);
        tried.into_iter().nth(at).ok_or_else(fault)
    }

    fn candidates(&self, schema: &Value, kind: &str, name: &str) -> Vec<Value> {
        let variant = self.which.variant;
        let mut tried = Vec::new();
        // Somebody who reads answers must be ready for null.
        if nullable(schema) && variant % 4 == 3 {
            tried.push(Value::Null);
        }
        let listed = |key: &str| schema.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        for mut values in
            [schema.get("const").cloned().into_iter().collect(), listed("enum"), listed("examples")]
        {
            if !values.is_empty() {
                let turn = variant % values.len();
                values.rotate_left(turn);
                tried.extend(values);
            }
        }
        match kind {
            "string" => tried.extend(texts(schema, name, variant).into_iter().map(Value::String)),
            "integer" | "number" => tried.extend(numbers(schema, variant)),
            "boolean" => tried.extend([json!(variant.is_multiple_of(2)), json!(!variant.is_multiple_of(2))]),
            _ => tried.push(Value::Null),
        }
        tried
    }
}

/// The one type beside `null`.
fn word(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(word)) => word,
        Some(Value::Array(words)) => {
            words.iter().filter_map(Value::as_str).find(|word| *word != "null").unwrap_or("null")
        }
        _ => "null",
    }
}

fn nullable(schema: &Value) -> bool {
    let words = schema.get("type").and_then(Value::as_array);
    words.is_some_and(|words| words.iter().any(|word| word == "null"))
}

fn texts(schema: &Value, name: &str, variant: usize) -> Vec<String> {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let count =
        |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    let mut tried = Vec::new();
    tried.extend(text("x-tolbooth-subject").and_then(|kind| stand_in::identifier(kind, variant)));
    tried.extend(text("format").and_then(|format| stand_in::of_format(format, variant)));
    tried.push(stand_in::by_name(name, variant));
    let pattern = text("pattern");
    tried.extend(MORE_TRIED.iter().filter_map(|more| text_of(pattern?, variant, *more)));
    let (short, long) = (count("minLength").unwrap_or(0), count("maxLength").unwrap_or(usize::MAX));
    let base = stand_in::by_name(name, variant);
    let padded: String =
        base.chars().chain(std::iter::repeat('x')).take(base.chars().count().max(short).min(long)).collect();
    tried.push(padded);
    tried
}

fn numbers(schema: &Value, variant: usize) -> Vec<Value> {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let step = number("multipleOf").unwrap_or(1.0);
    let low = number("minimum").or(number("exclusiveMinimum"));
    let high = number("maximum").or(number("exclusiveMaximum"));
    let turn = u32::try_from(variant % 1000).map_or(0.0, f64::from);
    let begin = (low.unwrap_or(0.0) / step).ceil() * step;
    let end = high.map(|high| (high / step).floor() * step);
    let middle = low.zip(high).map(|(low, high)| (low + high) / 2.0);
    let all =
        [Some(begin + turn * step), Some(begin + step), Some(begin), end, end.map(|end| end - step), middle];
    all.into_iter().flatten().filter(|value| value.is_finite()).map(plain).collect()
}

/// A whole number is written as one.
fn plain(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_fit(schema: &Value) {
        for variant in 0..8 {
            for whole in [true, false] {
                let made = example(schema, Which { variant, whole }, &NoWishes).unwrap();
                assert!(fits(schema, &made), "{schema}: {made}");
                assert_eq!(made, example(schema, Which { variant, whole }, &NoWishes).unwrap());
            }
        }
    }

    #[test]
    fn every_kind_of_schema_has_examples_that_its_own_checker_takes() {
        for schema in [
            json!({"type": "string"}),
            json!({"type": "string", "minLength": 40}),
            json!({"type": "string", "maxLength": 3}),
            json!({"type": ["string", "null"], "format": "date"}),
            json!({"type": "string", "format": "date-time"}),
            json!({"type": "string", "format": "time"}),
            json!({"type": "string", "format": "email"}),
            json!({"type": "string", "format": "uri"}),
            json!({"type": "string", "format": "uuid"}),
            json!({"type": "string", "pattern": "^[A-Z]{2}[0-9]{3}$"}),
            json!({"type": "string", "pattern": "^[a-z]+$", "minLength": 6}),
            json!({"type": "string", "enum": ["a", "b"]}),
            json!({"type": "string", "const": "only"}),
            json!({"type": "string", "pattern": "^[0-9]{10}$", "x-tolbooth-subject": "chi"}),
            json!({"type": "integer", "minimum": 3, "exclusiveMaximum": 5}),
            json!({"type": "integer", "multipleOf": 7, "minimum": 8}),
            json!({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}),
            json!({"type": "boolean"}),
            json!({"type": "null"}),
            json!({"type": "array", "minItems": 3, "items": {"type": "integer"}}),
            json!({"type": "object", "additionalProperties": false, "required": ["a"],
                "properties": {"a": {"type": "string"}, "b": {"type": ["object", "null"],
                "additionalProperties": false, "properties": {"postcode": {"type": "string"}}}}}),
        ] {
            all_fit(&schema);
        }
    }

    #[test]
    fn what_nothing_meets_is_named_and_the_authors_example_mends_it() {
        // Two rules that no stand-in meets together.
        let schema = json!({"type": "string", "format": "email", "pattern": "^q[0-9]+@council\\.example$"});
        let whole = json!({"type": "object", "additionalProperties": false, "required": ["to"], "properties": {"to": schema}});
        let which = Which { variant: 0, whole: true };
        // The pattern alone is enough here: the text made from it is an address.
        assert!(example(&whole, which, &NoWishes).is_ok());
        let hopeless = json!({"type": "string", "format": "date", "pattern": "^q"});
        let whole = json!({"type": "object", "additionalProperties": false, "required": ["to"], "properties": {"to": hopeless}});
        assert_eq!(example(&whole, which, &NoWishes), Err(ExampleFault { path: "to".into() }));
    }

    #[test]
    fn the_authors_examples_come_first_and_only_if_they_fit() {
        let schema = json!({"type": "string", "pattern": "^[0-9]{3}$", "examples": ["x", "042"]});
        assert_eq!(example(&schema, Which { variant: 0, whole: true }, &NoWishes), Ok(json!("042")));
    }

    #[test]
    fn wishes_come_before_everything_but_the_schema() {
        struct Wish;
        impl Wishes for Wish {
            fn first(&self, _: &FieldPath) -> Vec<Value> {
                vec![json!("other"), json!("b")]
            }
            fn admits(&self, _: &FieldPath, value: &Value) -> bool {
                value == "b"
            }
        }
        let schema = json!({"type": "string", "enum": ["a", "b"]});
        assert_eq!(example(&schema, Which { variant: 0, whole: true }, &Wish), Ok(json!("b")));
    }
}
