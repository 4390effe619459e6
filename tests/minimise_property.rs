//! The projection equals a slow reference over random contracts, releases and documents. The reference
//! shares nothing with it: it reads `serde_json` values by the contract's schema, not the tape by the
//! compiled plan.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tolbooth::contract::{Checker, load};
use tolbooth::json::Document;
use tolbooth::minimise::{Context, Projection, Pseudonyms, view};
use tolbooth::model::{AgreementId, Check, FieldPath, Literal, Mapping, Release, Rows, Test, Transform};

/// Dice that fall the same way for one seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }
}

fn schema(dice: &mut Dice, depth: usize) -> Value {
    let kinds = if depth == 0 { 5 } else { 8 };
    let mut schema = match dice.roll(kinds) {
        0 => json!({"type": "string"}),
        1 => json!({"type": "string", "format": "date"}),
        2 => json!({"type": "integer"}),
        3 => json!({"type": "number"}),
        4 => json!({"type": "boolean"}),
        5 | 6 => object(dice, depth - 1),
        _ => json!({"type": "array", "items": schema(dice, depth - 1)}),
    };
    if dice.one_in(4) {
        schema["type"] = json!([schema["type"].clone(), "null"]);
    }
    schema
}

fn object(dice: &mut Dice, depth: usize) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for name in ["a", "b", "c-c", "d_d"].into_iter().take(1 + dice.roll(4)) {
        properties.insert(name.to_owned(), schema(dice, depth));
        if dice.one_in(2) {
            required.push(name);
        }
    }
    json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
}

fn word(schema: &Value) -> &str {
    schema["type"].as_str().unwrap_or_else(|| schema["type"][0].as_str().unwrap())
}

fn nullable(schema: &Value) -> bool {
    schema["type"].is_array()
}

/// Every scalar of a schema, with the name an agreement gives it.
fn leaves(schema: &Value, at: &str, out: &mut Vec<(String, Value)>) {
    match word(schema) {
        "object" => {
            for (name, below) in schema["properties"].as_object().unwrap() {
                let dot = if at.is_empty() { "" } else { "." };
                leaves(below, &format!("{at}{dot}{name}"), out);
            }
        }
        "array" => leaves(&schema["items"], &format!("{at}[]"), out),
        _ => out.push((at.to_owned(), schema.clone())),
    }
}

fn transform(dice: &mut Dice, schema: &Value) -> Transform {
    let fitting = match (word(schema), schema.get("format").is_some()) {
        ("string", true) => vec![Transform::YearOfBirth],
        ("string", false) => vec![
            Transform::MaskKeepLast { characters: 2 },
            Transform::CodeMap {
                table: [("x".into(), "one".into()), ("é\"\n".into(), "t\"wo".into())].into(),
            },
        ],
        ("integer", _) => vec![Transform::Round { to: 10.0 }],
        _ => vec![],
    };
    match dice.roll(4) {
        0 => Transform::ExistsYesNo,
        1 => fitting.get(dice.roll(fitting.len().max(1))).cloned().unwrap_or(Transform::None),
        _ => Transform::None,
    }
}

/// A document of the schema; one in `spoilt` values is of another type, null or missing.
fn document(dice: &mut Dice, schema: &Value, spoilt: usize) -> Value {
    if dice.one_in(spoilt) {
        return [json!(null), json!("x"), json!(1), json!(1.5), json!([]), json!({}), json!(true)]
            [dice.roll(7)]
        .clone();
    }
    if nullable(schema) && dice.one_in(4) {
        return Value::Null;
    }
    match word(schema) {
        "string" if schema.get("format").is_some() => json!(["2014-06-16", "1911-12-31"][dice.roll(2)]),
        "string" => json!(["x", "", "é\"\n", "Mairi \u{1f600}", "\u{0}\\/", "01632 960123"][dice.roll(6)]),
        "integer" => json!([0, 5, -5, -25, 14, i64::MAX, -1_000_004][dice.roll(7)]),
        "number" => [json!(0.1), json!(-2.5e-9), json!(3), json!(1e300)][dice.roll(4)].clone(),
        "boolean" => json!(dice.one_in(2)),
        "array" => (0..dice.roll(4)).map(|_| document(dice, &schema["items"], spoilt)).collect(),
        _ => {
            let mut members: Vec<(String, Value)> = Vec::new();
            for (name, below) in schema["properties"].as_object().unwrap() {
                let required = schema["required"].as_array().unwrap().contains(&json!(name));
                let missing = if required { dice.one_in(spoilt) } else { dice.one_in(3) };
                if !missing {
                    members.push((name.clone(), document(dice, below, spoilt)));
                }
            }
            for name in ["ünknown", "Safe-Address", "a.b", ""] {
                if dice.one_in(12) {
                    let at = dice.roll(members.len() + 1);
                    members.insert(at, (name.to_owned(), json!({"a": ["secret"]})));
                }
            }
            if dice.one_in(3) {
                members.reverse();
            }
            Value::Object(members.into_iter().collect())
        }
    }
}

/// Nothing odd at all: as `serde_json` writes it.
const PLAIN: usize = usize::MAX;

/// Writes a document as an odd source might: escapes nobody needs, and blanks, one in so many places.
fn spell(dice: &mut Dice, odd: usize, value: &Value, out: &mut String) {
    if dice.one_in(odd) {
        out.push_str([" ", "\n\t"][dice.roll(2)]);
    }
    match value {
        Value::String(text) => spell_text(dice, odd, text, out),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                spell(dice, odd, item, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            for (at, (name, item)) in members.iter().enumerate() {
                out.push(if at == 0 { '{' } else { ',' });
                spell_text(dice, odd, name, out);
                out.push_str(if dice.one_in(odd) { " : " } else { ":" });
                spell(dice, odd, item, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn spell_text(dice: &mut Dice, odd: usize, text: &str, out: &mut String) {
    if odd == PLAIN {
        out.push_str(&json!(text).to_string());
        return;
    }
    out.push('"');
    for c in text.chars() {
        if dice.one_in(odd) || c.is_control() || c == '"' || c == '\\' {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out.push('"');
}

/// The reference: what leaves of one value, `Err` where the answer stops.
struct Reference<'r> {
    released: &'r BTreeMap<String, Transform>,
    unknown: BTreeSet<String>,
}

impl Reference<'_> {
    fn leaves_of(&self, at: &str) -> bool {
        self.released.keys().any(|leaf| {
            leaf == at
                || at.is_empty()
                || leaf.strip_prefix(at).is_some_and(|rest| rest.starts_with(['.', '[']))
        })
    }

    fn minimise(&mut self, schema: &Value, value: &Value, at: &str) -> Result<Value, ()> {
        let fits = match word(schema) {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            _ => value.is_object(),
        };
        let stays_null = value.is_null() && nullable(schema);
        if !fits && !stays_null {
            return Err(());
        }
        let transform = self.released.get(at).cloned().unwrap_or(Transform::None);
        match (word(schema), value) {
            (_, Value::Null) if transform != Transform::ExistsYesNo => Ok(Value::Null),
            ("object", Value::Object(members)) => self.object(schema, members, at),
            ("array", Value::Array(items)) => {
                let at = format!("{at}[]");
                items.iter().map(|item| self.minimise(&schema["items"], item, &at)).collect()
            }
            _ => transformed(&transform, value),
        }
    }

    fn object(&mut self, schema: &Value, members: &Map<String, Value>, at: &str) -> Result<Value, ()> {
        let properties = schema["properties"].as_object().unwrap();
        self.unknown.extend(members.keys().filter(|name| !properties.contains_key(*name)).cloned());
        let mut out = Map::new();
        for (name, below) in properties {
            let dot = if at.is_empty() { "" } else { "." };
            let path = format!("{at}{dot}{name}");
            match members.get(name) {
                Some(value) if self.leaves_of(&path) => {
                    out.insert(name.clone(), self.minimise(below, value, &path)?);
                }
                Some(value) => self.drift(below, value),
                None if !self.leaves_of(&path) => {}
                None if schema["required"].as_array().unwrap().contains(&json!(name)) => return Err(()),
                None if self.released.get(&path) == Some(&Transform::ExistsYesNo) => {
                    out.insert(name.clone(), json!(false));
                }
                None => {}
            }
        }
        Ok(Value::Object(out))
    }

    /// Unknown names below what stays.
    fn drift(&mut self, schema: &Value, value: &Value) {
        match (word(schema), value) {
            ("object", Value::Object(members)) => {
                for (name, value) in members {
                    match schema["properties"].get(name) {
                        Some(below) => self.drift(below, value),
                        None => drop(self.unknown.insert(name.clone())),
                    }
                }
            }
            ("array", Value::Array(items)) => {
                items.iter().for_each(|item| self.drift(&schema["items"], item))
            }
            _ => {}
        }
    }
}

fn transformed(transform: &Transform, value: &Value) -> Result<Value, ()> {
    Ok(match transform {
        Transform::ExistsYesNo => match value {
            Value::Null => json!(false),
            Value::Bool(flag) => json!(flag),
            Value::String(text) => json!(!text.trim().is_empty()),
            _ => json!(true),
        },
        Transform::YearOfBirth => {
            let text = value.as_str().unwrap();
            json!(text.get(..4).filter(|_| text.len() == 10).ok_or(())?.parse::<i64>().map_err(drop)?)
        }
        Transform::MaskKeepLast { characters } => {
            let mut text: Vec<char> = value.as_str().unwrap().chars().collect();
            let hidden = if text.len() <= *characters { text.len() } else { text.len() - characters };
            text.iter_mut().take(hidden).for_each(|c| *c = '*');
            json!(text.into_iter().collect::<String>())
        }
        Transform::CodeMap { table } => json!(table.get(value.as_str().unwrap()).ok_or(())?),
        Transform::Round { .. } => {
            let number = i128::from(value.as_i64().unwrap_or_else(|| value.as_f64().unwrap() as i64));
            let away = (number.abs() + 5) / 10 * 10 * number.signum();
            serde_json::from_str(&away.to_string()).unwrap()
        }
        _ => value.clone(),
    })
}

/// A row condition over a field the contract always has, and the reference's reading of it.
type Judge = fn(&Value) -> Result<bool, ()>;

fn rows(dice: &mut Dice) -> (Rows, Judge) {
    let test = |check| vec![Test { field: FieldPath::parse("row").unwrap(), check }];
    match dice.roll(4) {
        0 => (Rows::All(test(Check::Is(Literal::Text("in".into())))), |row| {
            row["row"].as_str().map(|text| text == "in").ok_or(())
        }),
        1 => (Rows::Any(test(Check::NotIn(vec![Literal::Text("out".into())]))), |row| {
            row["row"].as_str().map(|text| text != "out").ok_or(())
        }),
        _ => (Rows::Every, |_| Ok(true)),
    }
}

fn reference(
    row_schema: &Value,
    released: &BTreeMap<String, Transform>,
    judge: Judge,
    document: &Value,
) -> Result<(Vec<Value>, usize, BTreeSet<String>), ()> {
    let mut reference = Reference { released, unknown: BTreeSet::new() };
    let (mut out, mut excluded) = (Vec::new(), 0);
    for row in document.as_array().ok_or(())? {
        if !row.is_object() {
            return Err(());
        }
        if judge(row)? {
            out.push(reference.minimise(row_schema, row, "")?);
        } else {
            excluded += 1;
        }
    }
    Ok((out, excluded, reference.unknown))
}

/// Rows of the schema, often alike: that is what reading and writing them is quick by.
fn table(dice: &mut Dice, row_schema: &Value, spoilt: usize) -> Value {
    let mut before = None;
    (0..dice.roll(5))
        .map(|_| {
            let alike = before.take().filter(|_| !dice.one_in(3));
            let mut row = alike.unwrap_or_else(|| document(dice, row_schema, spoilt));
            if dice.one_in(4)
                && let Some(members) = row.as_object_mut()
                && let Some(name) = members.keys().nth(dice.roll(members.len().max(1))).cloned()
            {
                members.shift_remove(&name);
            }
            if let Some(name) = row.get_mut("row")
                && name.is_string()
            {
                *name = json!(["in", "out"][dice.roll(2)]);
            }
            before = Some(row.clone());
            row
        })
        .collect()
}

fn agrees(seed: u64, spoilt: usize) {
    let dice = &mut Dice(seed);
    let mut row_schema = object(dice, 3);
    row_schema["properties"]["row"] = json!({"type": "string"});
    row_schema["required"].as_array_mut().unwrap().push(json!("row"));
    let contract = json!({
        "openapi": "3.1.0", "info": {"title": "Random", "version": "1.0.0"}, "x-tolbooth-dataset": "random",
        "paths": {"/list": {"post": {
            "operationId": "list", "summary": "Random", "x-tolbooth-effect": "reads",
            "requestBody": {"content": {"application/json": {"schema":
                {"type": "object", "additionalProperties": false}}}},
            "responses": {"200": {"content": {"application/json": {"schema":
                {"type": "array", "items": row_schema}}}}}
        }}}
    });
    let operation = load("random.json", &contract.to_string()).unwrap().operations[0].clone();
    let mut all = Vec::new();
    leaves(&row_schema, "", &mut all);
    let (mut fields, mut withhold) = (Vec::new(), Vec::new());
    for (leaf, schema) in &all {
        let path = FieldPath::parse(leaf).unwrap();
        if dice.one_in(3) { withhold.push(path) } else { fields.push((path, transform(dice, schema))) }
    }
    let released = fields.iter().map(|(path, transform)| (path.to_string(), transform.clone())).collect();
    let (rows, judge) = rows(dice);
    let release = Release { fields, withhold, rows };
    let document = table(dice, &row_schema, spoilt);
    let mut text = String::new();
    let odd = [3, 40, PLAIN][dice.roll(3)];
    spell(dice, odd, &document, &mut text);
    let expected = reference(&row_schema, &released, judge, &document);

    let projection = Projection::compile(&operation, &release, &Mapping::default()).unwrap();
    let (zone, agreement, pseudonyms) =
        (TimeZone::UTC, AgreementId::new("a").unwrap(), Pseudonyms::new([0; 32], 0));
    let context =
        Context { today: date(2026, 6, 15), zone: &zone, agreement: &agreement, pseudonyms: &pseudonyms };
    let parsed = Document::parse(text.clone().into(), 64).unwrap();
    let found = projection.apply(parsed.root(), &context);
    match (found, expected) {
        (Ok(found), Ok((rows, excluded, unknown))) => {
            let body: Value = serde_json::from_slice(&found.body).unwrap();
            // As text, so that the order of properties counts.
            let expected = Value::Array(rows).to_string();
            assert_eq!(body.to_string(), expected, "{row_schema} {text}");
            if odd == PLAIN {
                assert_eq!(std::str::from_utf8(&found.body).unwrap(), expected, "byte for byte");
            }
            assert_eq!(found.rows_released as usize, body.as_array().unwrap().len());
            assert_eq!(found.rows_excluded as usize, excluded);
            assert_eq!(found.safe_address_dropped, unknown.contains("Safe-Address"));
            assert_eq!(found.dropped.into_iter().collect::<BTreeSet<_>>(), unknown);
            let checker = Checker::compile(&view(&operation, &release).unwrap().schema).unwrap();
            let body = Document::parse(found.body.into(), 64).unwrap();
            if spoilt == usize::MAX {
                assert_eq!(checker.violations(body.root()), [], "what leaves meets the view");
            }
        }
        (Err(_), Err(())) => {}
        (found, expected) => panic!("{found:?} but {expected:?}: {row_schema} {released:?} {text}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_projection_is_what_the_reference_says(seed in any::<u64>()) {
        agrees(seed, usize::MAX);
    }

    #[test]
    fn a_projection_stops_where_the_reference_stops(seed in any::<u64>()) {
        agrees(seed, 25);
    }
}
