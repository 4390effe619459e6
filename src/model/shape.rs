//! What a contract says of a document, reduced to what the other rooms ask: names, types, which are
//! required, and the marks of ours. Bounds, patterns and formats stay with the schema itself.

use std::sync::Arc;

use super::path::{FieldPath, Step};

/// One node of a document's shape. `nullable` means `null` is allowed beside the type.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Object(ObjectShape),
    Array { items: Box<Shape>, nullable: bool },
    Scalar(Scalar),
}

#[derive(Debug, Clone, PartialEq)]
pub struct ObjectShape {
    /// In the order of the contract, which is the order they leave in.
    pub properties: Vec<Property>,
    pub nullable: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    pub name: Arc<str>,
    pub required: bool,
    pub shape: Shape,
    pub marks: Marks,
}

/// The closed keywords of ours on a property.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marks {
    /// `x-tolbooth-key`: the question looks records up by this.
    pub key: bool,
    /// `x-tolbooth-subject`: this identifies who the record is about, by this kind of identifier.
    pub subject: Option<super::SubjectKind>,
    /// `x-tolbooth-personal`.
    pub personal: bool,
    /// `x-tolbooth-special`: a special category (`domain.md` V6), for guardrails.
    pub special: Option<Arc<str>>,
    /// `x-tolbooth-safe-address`: an address that may endanger somebody if it leaves.
    pub safe_address: bool,
    /// `x-tolbooth-term`: the federation dictionary's name for this.
    pub term: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    pub kind: ScalarKind,
    pub nullable: bool,
    pub format: Option<Format>,
    /// `enum` or `const`, where the contract closes the list.
    pub values: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarKind {
    String,
    Integer,
    Number,
    Boolean,
    /// `type: null` alone.
    Null,
}

impl ScalarKind {
    /// The JSON Schema name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Date,
    DateTime,
    Time,
    Email,
    Uri,
    Uuid,
}

impl Format {
    pub const ALL: [Self; 6] = [Self::Date, Self::DateTime, Self::Time, Self::Email, Self::Uri, Self::Uuid];

    /// The JSON Schema name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Time => "time",
            Self::Email => "email",
            Self::Uri => "uri",
            Self::Uuid => "uuid",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }
}

impl ObjectShape {
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| &*property.name == name)
    }
}

impl Shape {
    /// The node a path leads to, and whether every step to it is required and not nullable.
    pub fn at(&self, path: &FieldPath) -> Option<(&Shape, bool)> {
        let mut node = self;
        let mut always = true;
        for step in path.steps() {
            match (step, node) {
                (Step::Property(name), Shape::Object(object)) => {
                    let property = object.property(name)?;
                    always &= property.required && !object.nullable;
                    node = &property.shape;
                }
                (Step::Items, Shape::Array { items, .. }) => {
                    always = false;
                    node = items;
                }
                _ => return None,
            }
        }
        Some((node, always))
    }

    /// Every property of the shape, parents before children, with its path.
    pub fn fields(&self) -> Vec<(FieldPath, &Property)> {
        let mut out = Vec::new();
        self.walk(&FieldPath::root(), &mut out);
        out
    }

    fn walk<'a>(&'a self, at: &FieldPath, out: &mut Vec<(FieldPath, &'a Property)>) {
        match self {
            Self::Object(object) => {
                for property in &object.properties {
                    let path = at.property(&property.name);
                    out.push((path.clone(), property));
                    property.shape.walk(&path, out);
                }
            }
            Self::Array { items, .. } => items.walk(&at.items(), out),
            Self::Scalar(_) => {}
        }
    }

    /// The shape of one row: the item of a root array, else the document itself.
    pub fn row(&self) -> &Shape {
        match self {
            Self::Array { items, .. } => items,
            other => other,
        }
    }
}
