//! `json`'s tape as a representation `jsonschema` validates, so that no values are built to validate.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node as SchemaNode, NodeIdentity, Object};
use serde_json::Value;

use crate::json::{Document, Items, Kind, Named, Node, write_string};

/// The representation: names what [`Node`] is to the validator.
pub(super) struct Tape;

impl Json for Tape {
    type Node<'a> = Node<'a>;
    type PreparedKey = String;
    /// A look-up walks the members, so one pass over them replaces several look-ups.
    const KEYS_PER_LOOKUP: usize = 16;
    /// A tape is a tree.
    const ACYCLIC: bool = true;
    type StringBuffer = Option<Document>;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut Option<Document>, string: &str, f: impl FnOnce(Node<'_>) -> T) -> T {
        let mut bytes = Vec::with_capacity(string.len() + 2);
        write_string(&mut bytes, string);
        // A string just written always parses; a document of nothing stands in for the impossible.
        *buffer = Document::parse(bytes.into(), 0).ok();
        let buffer: &Option<Document> = buffer;
        f(buffer.as_ref().map_or(Node::nothing(), Document::root))
    }
}

impl<'a> SchemaNode<'a, Tape> for Node<'a> {
    type Object = Members<'a>;
    type Array = List<'a>;
    type Number = Number<'a>;

    fn as_object(&self) -> Option<Members<'a>> {
        (self.kind() == Kind::Object).then_some(Members(*self))
    }

    fn as_array(&self) -> Option<List<'a>> {
        (self.kind() == Kind::Array).then_some(List(*self))
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        self.text()
    }

    fn as_number(&self) -> Option<Number<'a>> {
        self.number_text().map(Number)
    }

    fn as_boolean(&self) -> Option<bool> {
        self.boolean()
    }

    fn is_null(&self) -> bool {
        Node::is_null(self)
    }

    fn is_number(&self) -> bool {
        self.kind() == Kind::Number
    }

    fn json_type(&self) -> JsonType {
        match self.kind() {
            Kind::Null => JsonType::Null,
            Kind::Boolean => JsonType::Boolean,
            Kind::Number => JsonType::Number,
            Kind::String => JsonType::String,
            Kind::Array => JsonType::Array,
            Kind::Object => JsonType::Object,
        }
    }

    /// The closed subset has scalars alone in `enum` and `const`.
    fn equals_value(&self, expected: &Value) -> bool {
        match (self.kind(), expected) {
            (Kind::String, Value::String(expected)) => self.text().is_some_and(|text| text == *expected),
            (Kind::Boolean, Value::Bool(expected)) => self.boolean() == Some(*expected),
            (Kind::Null, Value::Null) => true,
            _ => jsonschema::json::cmp::equal(&self.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(serde_json::from_slice(self.raw()).unwrap_or_default())
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(Node::identity(self)))
    }
}

pub(super) struct Members<'a>(Node<'a>);

impl<'a> Object<'a, Tape> for Members<'a> {
    type Node = Node<'a>;
    type MemberName = Cow<'a, str>;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, key: &String) -> Option<Node<'a>> {
        self.0.get(key)
    }

    fn members(&self) -> MembersIter<'a> {
        MembersIter(self.0.named())
    }
}

pub(super) struct MembersIter<'a>(Named<'a>);

impl<'a> Iterator for MembersIter<'a> {
    type Item = (Cow<'a, str>, Node<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, node)| (name.text(), node))
    }
}

pub(super) struct List<'a>(Node<'a>);

impl<'a> Array<'a, Tape> for List<'a> {
    type Node = Node<'a>;
    type ElementsIter = Items<'a>;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn elements(&self) -> Items<'a> {
        self.0.items()
    }
}

/// A number's exact text.
pub(super) struct Number<'a>(&'a str);

impl JsonNumber for Number<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok()
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(serde_json::from_str(self.0).unwrap_or_else(|_| 0.into()))
    }

    /// `1.0` is a whole number to JSON Schema, and is written as one here by nobody but a source.
    fn is_integer(&self) -> bool {
        self.is_written_as_integer() || self.as_f64().is_some_and(|number| number.fract() == 0.0)
    }
}
