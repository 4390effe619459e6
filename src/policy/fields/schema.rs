//! The table as a JSON Schema (2020-12), for editors that complete and check agreements as they are written, such
//! as Taplo. It says what a schema can say of single keys; what sections must say alike only the loader judges, so
//! that a file this schema takes may still be refused, and none it refuses is taken.

use serde_json::{Map, Value, json};

use super::kinds::kind;
use super::{Field, Kind, Need, fields};

/// The schema of every format this Tolbooth reads.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A data-sharing agreement",
        "description": "What `tolbooth agreement fields --schema` writes. docs/fields.md says the same for people.",
        "type": "object",
        "required": ["format"],
        "properties": { "format": { "enum": [1, 2], "description": "of this file" } },
        "if": { "properties": { "format": { "const": 2 } } },
        "then": { "$ref": "#/$defs/format_2" },
        "else": { "$ref": "#/$defs/format_1" },
        "$defs": { "format_1": format(1), "format_2": format(2) },
    })
}

fn format(format: u8) -> Value {
    let known: Vec<Key> = fields()
        .filter(|field| field.formats.has(format))
        .map(|field| Key { rest: field.path, field })
        .collect();
    let mut object = table(&known);
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.insert("format".to_owned(), json!(true));
    }
    object
}

/// A row, and what of its path lies below the table at hand.
#[derive(Clone, Copy)]
struct Key {
    rest: &'static str,
    field: &'static Field,
}

/// Everything under one name of a table.
struct Group {
    name: &'static str,
    /// The row of the name itself, if it has one.
    own: Option<&'static Field>,
    below: Vec<Key>,
}

impl Group {
    /// A table without a row of its own is wanted when a key in it is.
    fn is_required(&self) -> bool {
        match self.own {
            Some(own) => own.need == Need::Always,
            None => grouped(&self.below).iter().any(Group::is_required),
        }
    }

    fn schema(&self) -> Value {
        let mut schema = match self.own {
            Some(own) if !matches!(own.kind, Kind::Table) => kind(own.kind),
            _ => table(&self.below),
        };
        if let (Some(own), Value::Object(schema)) = (self.own, &mut schema)
            && !own.words.is_empty()
        {
            schema.insert("description".to_owned(), own.words.into());
        }
        if self.name.ends_with("[]") { json!({ "type": "array", "items": schema }) } else { schema }
    }
}

fn grouped(keys: &[Key]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for key in keys {
        let (name, below) = match key.rest.split_once('.') {
            Some((name, below)) => (name, Some(below)),
            None => (key.rest, None),
        };
        let at = groups.iter().position(|group| group.name == name);
        let mut group = match at {
            Some(at) => groups.remove(at),
            None => Group { name, own: None, below: Vec::new() },
        };
        match below {
            Some(rest) => group.below.push(Key { rest, field: key.field }),
            None => group.own = Some(key.field),
        }
        groups.push(group);
    }
    groups
}

fn table(keys: &[Key]) -> Value {
    let groups = grouped(keys);
    if let [group] = groups.as_slice()
        && group.name.starts_with('<')
    {
        return json!({ "type": "object", "additionalProperties": group.schema() });
    }
    let plain = |group: &Group| group.name.trim_end_matches("[]").to_owned();
    let required: Vec<String> = groups.iter().filter(|group| group.is_required()).map(plain).collect();
    let properties: Map<String, Value> = groups.iter().map(|group| (plain(group), group.schema())).collect();
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}
