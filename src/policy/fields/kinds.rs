//! What a key may hold, as JSON Schema. Dates are texts there: TOML's own dates are shown to a schema so.

use serde_json::{Value, json};

use super::Kind;
use crate::model::{DAYS, Holds, Schedule1, Transform};

const ID: &str = "^[a-z][a-z0-9_-]{0,62}$";
/// Something to read, on one line, without control characters.
const LINE: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u001f\\u007f-\\u009f]*$";
const FIELD: &str = "^[A-Za-z0-9_-]{1,64}(\\[\\])*(\\.[A-Za-z0-9_-]{1,64}(\\[\\])*)*$";
const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
const PERIOD: &str = "(PT[0-9]{1,4}[HM]|P[0-9]{1,4}[DWMY])";

pub(super) fn kind(kind: Kind) -> Value {
    match kind {
        Kind::Table => json!({ "type": "object" }),
        Kind::Id => text(ID),
        Kind::Ids => list(&text(ID), 1),
        Kind::IdsIfAny => list(&text(ID), 0),
        Kind::Line(chars_max) => line(1, chars_max),
        Kind::Statement => line(40, 600),
        Kind::Word(codes) => word(codes),
        Kind::Words(codes) => list(&word(codes), 0),
        Kind::SomeWords(codes) => list(&word(codes), 1),
        Kind::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Fraction => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::True => json!({ "const": true }),
        Kind::False => json!({ "const": false }),
        Kind::Date => json!({ "type": "string", "pattern": DATE }),
        Kind::Email => bounded("^[^@\\s]+@[^@\\s.][^@\\s]*\\.[^@\\s]*$", 254),
        Kind::Telephone => text("^\\+?( *[0-9]){3,15} *$"),
        Kind::Page => bounded("^https://[!-.0-~][!-~]*$", 400),
        Kind::Period => text(&format!("^{PERIOD}$")),
        Kind::PeriodOr(word) => text(&format!("^({word}|{PERIOD})$")),
        Kind::OfficialCode => text("^[A-Z0-9]{3,12}$"),
        Kind::Registration => text("^Z[A-Z0-9]{7}$"),
        Kind::Template => bounded("^.+@[1-9][0-9]{0,8}$", 120),
        Kind::Paragraph => paragraph(),
        Kind::Paragraphs => list(&paragraph(), 0),
        Kind::Digest => text("^sha256:[0-9a-f]{64}$"),
        Kind::Release(format) => release(format),
        Kind::Fields => list(&text(FIELD), 0),
        Kind::Rows => rows(),
        Kind::Hours => hours(),
    }
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn bounded(pattern: &str, chars_max: usize) -> Value {
    json!({ "type": "string", "pattern": pattern, "maxLength": chars_max })
}

fn line(chars_min: usize, chars_max: usize) -> Value {
    json!({ "type": "string", "pattern": LINE, "minLength": chars_min, "maxLength": chars_max })
}

fn list(of: &Value, least: usize) -> Value {
    json!({ "type": "array", "items": of, "minItems": least, "uniqueItems": true })
}

/// The words beside each code are shown by editors that know Taplo's extension.
fn word(codes: &[(&str, &str)]) -> Value {
    let (codes, words): (Vec<&str>, Vec<&str>) = codes.iter().copied().unzip();
    json!({ "enum": codes, "x-taplo": { "docs": { "enumValues": words } } })
}

fn paragraph() -> Value {
    let known = (1..=Schedule1::LAST).map(|number| format!("sch1_{number}"));
    let known: Vec<String> = known.filter(|text| Schedule1::parse(text).is_some()).collect();
    json!({ "enum": known })
}

fn release(format: u8) -> Value {
    let mut forms: Vec<Value> = Transform::NAMES.iter().map(|name| transformed(name, format)).collect();
    if format == 1 {
        forms.push(text(FIELD));
    } else {
        forms.push(object(&["field", "why"], with_reason(json!({ "field": text(FIELD) }))));
    }
    json!({ "type": "array", "minItems": 1, "items": { "anyOf": forms } })
}

fn transformed(name: &str, format: u8) -> Value {
    let mut properties = json!({ "field": text(FIELD), "transform": { "const": name } });
    let mut required = vec!["field", "transform"];
    if let Some((key, value)) = parameter(name) {
        required.push(key);
        if let Value::Object(properties) = &mut properties {
            properties.insert(key.to_owned(), value);
        }
    }
    if format == 1 {
        return object(&required, properties);
    }
    required.push("why");
    object(&required, with_reason(properties))
}

fn with_reason(mut properties: Value) -> Value {
    if let Value::Object(properties) = &mut properties {
        properties.insert("why".to_owned(), line(1, 600));
        properties.insert("holds".to_owned(), word(Holds::WORDS));
    }
    properties
}

/// What a transform wants beside its name.
fn parameter(transform: &str) -> Option<(&'static str, Value)> {
    let label = line(1, 80);
    match transform {
        "age_band" => {
            let from = json!({ "type": "integer", "minimum": 0, "maximum": 150 });
            let band = object(&["from", "label"], json!({ "from": from, "label": label }));
            Some(("bands", json!({ "type": "array", "minItems": 1, "items": band })))
        }
        "mask_keep_last" => Some(("characters", json!({ "type": "integer", "minimum": 1, "maximum": 32 }))),
        "code_map" => {
            Some(("table", json!({ "type": "object", "minProperties": 1, "additionalProperties": label })))
        }
        "round" => Some(("to", json!({ "type": "number", "exclusiveMinimum": 0 }))),
        _ => None,
    }
}

fn rows() -> Value {
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    let ordered = json!({ "anyOf": [{ "type": "number" }, { "type": "string", "pattern": DATE }] });
    let check =
        |name: &str, value: Value| object(&["field", name], json!({ "field": text(FIELD), name: value }));
    let test = json!({ "anyOf": [
        check("is", scalar.clone()),
        check("in", list(&scalar, 1)),
        check("not_in", list(&scalar, 1)),
        check("at_least", ordered.clone()),
        check("at_most", ordered),
        check("within", text("^P([0-9]+[YMWD])+$")),
        check("not_before_today", json!({ "const": true })),
    ] });
    let tests = json!({ "type": "array", "minItems": 1, "items": test });
    json!({ "anyOf": [
        object(&["all"], json!({ "all": tests })),
        object(&["any"], json!({ "any": tests })),
    ] })
}

fn hours() -> Value {
    const TIME: &str = "([01][0-9]|2[0-3]):[0-5][0-9]";
    let span = text(&format!("^{TIME}-({TIME}|24:00)$"));
    let spans = json!({ "type": "array", "minItems": 1, "items": span });
    let days: serde_json::Map<String, Value> =
        DAYS.iter().map(|(_, day)| ((*day).to_owned(), spans.clone())).collect();
    let week = json!({
        "type": "object", "additionalProperties": false, "minProperties": 1, "properties": days,
    });
    json!({ "anyOf": [{ "const": "24x7" }, week] })
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}
