//! The JSON Schema 2020-12 part of the closed subset: a schema is read into the shape other rooms
//! ask about and, with every `$ref` inlined, into what the validator compiles.

use serde_json::{Map, Value};

use super::place::{Place, in_words};
use super::scalar::{self, MARKS};
use crate::json::Kind;
use crate::model::{
    Marks, ObjectShape, Property, STEPS_MAX, ScalarKind, Shape, is_property_name, suggestion,
};

/// A contract of this many schema nodes, references counted each time, is a mistake or an attack.
const NODES_MAX: usize = 10_000;

const SAYING: [&str; 3] = ["title", "description", "examples"];

/// A schema that was read.
pub(super) struct Read {
    pub shape: Shape,
    /// Of the property it stands for; empty for a document or an item.
    pub marks: Marks,
    /// With references inlined.
    pub schema: Value,
}

/// Reads schemas of one file.
#[derive(Default)]
pub(super) struct Schemas {
    /// References being followed, so that none leads to itself.
    following: Vec<String>,
    nodes: usize,
}

/// Where a schema stands; marks go on properties alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    Document,
    Property,
    Item,
}

impl Schemas {
    /// Reads the schema of a whole question or answer.
    pub fn read_document(&mut self, place: &Place<'_>) -> Option<Read> {
        self.read(place, 0, Stand::Document)
    }

    /// Reads a schema as if a property had it.
    pub fn read_property(&mut self, place: &Place<'_>) -> Option<Read> {
        self.read(place, 0, Stand::Property)
    }

    fn read(&mut self, place: &Place<'_>, depth: usize, stand: Stand) -> Option<Read> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > STEPS_MAX {
            place.fault(format!(
                "a contract has at most {NODES_MAX} schemas, references counted each time, {STEPS_MAX} deep"
            ));
            return None;
        }
        if place.node.kind() != Kind::Object {
            place.fault(format!("a schema is an object, not {}", in_words(place.node.kind())));
            return None;
        }
        scalar::check_saying(place);
        let marks = scalar::marks(place, stand == Stand::Property);
        match place.child("$ref") {
            Some(reference) => self.follow(place, &reference, marks, depth, stand),
            None => self.read_typed(place, marks, depth),
        }
    }

    /// Reads what a reference names; what stands beside it says more about it, and may only be
    /// words and marks.
    fn follow(
        &mut self,
        place: &Place<'_>,
        reference: &Place<'_>,
        marks: Marks,
        depth: usize,
        stand: Stand,
    ) -> Option<Read> {
        place.only(&[&["$ref"], &SAYING[..], &MARKS[..]].concat());
        let target = target(reference)?;
        if self.following.contains(&target.pointer) {
            reference.fault("the reference leads back to itself");
            return None;
        }
        self.following.push(target.pointer.clone());
        let read = self.read(&target, depth, stand);
        self.following.pop();
        let mut read = read?;
        if let Value::Object(schema) = &mut read.schema {
            for (name, beside) in place.entries().into_iter().filter(|(name, _)| name != "$ref") {
                schema.insert(name, beside.value());
            }
        }
        read.marks = scalar::merged(marks, read.marks);
        scalar::check_marks(place, &read.marks, &read.shape);
        Some(read)
    }

    fn read_typed(&mut self, place: &Place<'_>, marks: Marks, depth: usize) -> Option<Read> {
        let (word, nullable) = type_of(place)?;
        let own: &[&str] = match word.as_str() {
            "object" => &["properties", "required", "additionalProperties"],
            "array" => &["items", "minItems", "maxItems"],
            _ => scalar::keywords(&word),
        };
        place.only(&[&["type", "$defs"], own, &SAYING[..], &MARKS[..]].concat());
        for (_, definition) in place.child("$defs").map(|all| all.entries()).unwrap_or_default() {
            self.read(&definition, depth + 1, Stand::Property);
        }
        let mut schema = copied(place);
        let shape = match word.as_str() {
            "object" => Shape::Object(self.object(place, nullable, depth, &mut schema)?),
            "array" => self.array(place, nullable, depth, &mut schema)?,
            scalar => Shape::Scalar(scalar::read(place, kind_of(scalar)?, nullable)?),
        };
        scalar::check_marks(place, &marks, &shape);
        Some(Read { shape, marks, schema: Value::Object(schema) })
    }

    fn object(
        &mut self,
        place: &Place<'_>,
        nullable: bool,
        depth: usize,
        schema: &mut Map<String, Value>,
    ) -> Option<ObjectShape> {
        match place.child("additionalProperties") {
            Some(open) if open.node.boolean() == Some(false) => {}
            other => {
                let help =
                    "write `\"additionalProperties\": false`, so that every property is known".to_owned();
                other.as_ref().unwrap_or(place).fault_with_help("an object must be closed", Some(help));
            }
        }
        let entries = place.child("properties").map(|all| all.entries()).unwrap_or_default();
        let required = required(place, &entries);
        let mut properties = Vec::with_capacity(entries.len());
        let mut schemas = Map::new();
        for (name, property) in entries {
            if !is_property_name(&name) {
                property.fault("a property's name is 1 to 64 letters, digits, `_` or `-`");
            }
            let Some(read) = self.read(&property, depth + 1, Stand::Property) else { continue };
            schemas.insert(name.clone(), read.schema);
            let required = required.contains(&name);
            properties.push(Property { name: name.into(), required, shape: read.shape, marks: read.marks });
        }
        schema.insert("properties".into(), Value::Object(schemas));
        Some(ObjectShape { properties, nullable })
    }

    fn array(
        &mut self,
        place: &Place<'_>,
        nullable: bool,
        depth: usize,
        schema: &mut Map<String, Value>,
    ) -> Option<Shape> {
        scalar::check_counts(place, "minItems", "maxItems");
        let items = self.read(&place.required("items")?, depth + 1, Stand::Item)?;
        schema.insert("items".into(), items.schema);
        Some(Shape::Array { items: Box::new(items.shape), nullable })
    }
}

/// The keywords as they are, but for `$defs`, which nothing refers to once references are inlined.
fn copied(place: &Place<'_>) -> Map<String, Value> {
    place
        .entries()
        .into_iter()
        .filter(|(name, _)| name != "$defs")
        .map(|(name, at)| (name, at.value()))
        .collect()
}

/// One type, or one with `null`; says whether `null` is allowed.
fn type_of(place: &Place<'_>) -> Option<(String, bool)> {
    const WORDS: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];
    let at = place.required("type")?;
    let words: Vec<String> = match at.node.kind() {
        Kind::Array => at.items().iter().filter_map(Place::text).collect(),
        _ => vec![at.text()?],
    };
    for word in &words {
        if !WORDS.contains(&word.as_str()) {
            let help = suggestion(word, WORDS);
            at.fault_with_help("not a type of JSON Schema", help);
            return None;
        }
    }
    match words.as_slice() {
        [one] if at.node.kind() == Kind::String => Some((one.clone(), false)),
        [one, null] | [null, one] if null == "null" && one != "null" => Some((one.clone(), true)),
        _ => {
            at.fault("a type is one, or one with `null`");
            None
        }
    }
}

fn kind_of(word: &str) -> Option<ScalarKind> {
    use ScalarKind as K;
    [K::String, K::Integer, K::Number, K::Boolean, K::Null].into_iter().find(|kind| kind.as_str() == word)
}

fn required(place: &Place<'_>, entries: &[(String, Place<'_>)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for at in place.child("required").map(|list| list.items()).unwrap_or_default() {
        let Some(name) = at.text() else { continue };
        if !entries.iter().any(|(known, _)| *known == name) {
            let help = suggestion(&name, entries.iter().map(|(known, _)| known.as_str()));
            at.fault_with_help("there is no such property", help);
        } else if names.contains(&name) {
            at.fault("required twice");
        }
        names.push(name);
    }
    names
}

/// The schema a local reference names: below `components/schemas` or a `$defs`.
fn target<'d>(reference: &Place<'d>) -> Option<Place<'d>> {
    let text = reference.text()?;
    let pointer = text.strip_prefix('#').filter(|pointer| {
        !pointer.contains('%') && (pointer.starts_with("/components/schemas/") || pointer.contains("/$defs/"))
    });
    let Some(pointer) = pointer else {
        let help = "references are local: `#/components/schemas/Name`".to_owned();
        reference.fault_with_help("not a reference a contract may hold", Some(help));
        return None;
    };
    let Some(node) = reference.file.root.pointer(pointer) else {
        reference.fault("the reference leads nowhere");
        return None;
    };
    Some(Place { file: reference.file, node, pointer: pointer.to_owned() })
}
