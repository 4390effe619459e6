//! The compiled form of a release over a contract and its mapping: for every object of the contract
//! what a source may hold there, and what leaves of it.

use std::sync::Arc;

use super::cover::Cover;
use super::sources::{self, Known, Sources};
use super::transform::Change;
use crate::json::{Kind, Node, write_string};
use crate::model::{FieldPath, Property, ScalarKind, Shape, SubjectKind, Transform};

#[derive(Debug)]
pub(super) enum Plan {
    Object(ObjectPlan),
    List {
        items: Box<Plan>,
        nullable: bool,
    },
    Leaf(Leaf),
    /// Leaves as true or false; what lies below is only looked at.
    YesOrNo(Box<Plan>),
}

#[derive(Debug)]
pub(super) struct ObjectPlan {
    /// Which object of the contract this is: no two of a projection have the same.
    pub number: usize,
    pub nullable: bool,
    /// By the names of the source.
    pub known: Vec<Known>,
    /// In the order of the contract.
    pub fields: Vec<Field>,
}

/// A property of the contract, whether it leaves or not.
#[derive(Debug)]
pub(super) struct Field {
    /// The whole path, for faults.
    pub path: Arc<str>,
    /// `"name":`, as it is written.
    pub head: Vec<u8>,
    pub required: bool,
    /// Whether anything of it leaves.
    pub released: bool,
    pub plan: Plan,
}

#[derive(Debug)]
pub(super) struct Leaf {
    pub kind: ScalarKind,
    pub nullable: bool,
    /// Whom the record is about, by this kind of identifier.
    pub subject: Option<SubjectKind>,
    /// `None` where the value stays.
    pub change: Option<Change>,
}

impl Plan {
    /// Whether a value is of the contract's type: its own, not of what lies below.
    pub fn fits(&self, node: Node<'_>) -> bool {
        match self {
            Self::Object(object) => node.kind() == Kind::Object || (object.nullable && node.is_null()),
            Self::List { nullable, .. } => node.kind() == Kind::Array || (*nullable && node.is_null()),
            Self::Leaf(leaf) => leaf.fits(node),
            Self::YesOrNo(inner) => inner.fits(node),
        }
    }

    /// Of a leaf that leaves as it is or not at all, and says of nobody that it is about them: the kinds of
    /// values that fit whatever they are.
    pub fn plain(&self) -> Option<Kinds> {
        let Self::Leaf(Leaf { kind, nullable, subject: None, change: None | Some(Change::Keep) }) = self
        else {
            return None;
        };
        let kind = match kind {
            ScalarKind::String => 1 << Kind::String as u8,
            ScalarKind::Number => 1 << Kind::Number as u8,
            ScalarKind::Boolean => 1 << Kind::Boolean as u8,
            ScalarKind::Null => 1 << Kind::Null as u8,
            // Of numbers some only.
            ScalarKind::Integer => 0,
        };
        Some(Kinds(kind | u8::from(*nullable) << Kind::Null as u8))
    }

    /// Whether anything of it leaves.
    fn is_released(&self) -> bool {
        match self {
            Self::Object(object) => object.fields.iter().any(|field| field.released),
            Self::List { items, .. } => items.is_released(),
            Self::Leaf(leaf) => leaf.change.is_some(),
            Self::YesOrNo(_) => true,
        }
    }
}

/// Some kinds of values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kinds(u8);

impl Kinds {
    #[inline]
    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

impl Leaf {
    fn fits(&self, node: Node<'_>) -> bool {
        match (node.kind(), self.kind) {
            (Kind::Null, kind) => self.nullable || kind == ScalarKind::Null,
            (Kind::String, ScalarKind::String)
            | (Kind::Boolean, ScalarKind::Boolean)
            | (Kind::Number, ScalarKind::Number) => true,
            // `1.0` is a whole number to JSON Schema, and so to a source.
            (Kind::Number, ScalarKind::Integer) => {
                node.integer().is_some() || node.number().is_some_and(|number| number.fract() == 0.0)
            }
            _ => false,
        }
    }
}

/// Compiles one place after another.
pub(super) struct Planner<'c> {
    pub cover: &'c Cover<'c>,
    pub sources: &'c Sources<'c>,
    pub faults: Vec<String>,
    /// Fields that leave as pseudonyms, in the order of their keys.
    pub pseudonymised: Vec<String>,
    /// How many objects the plan has so far.
    pub objects: usize,
}

impl Planner<'_> {
    pub fn plan(&mut self, shape: &Shape, path: &FieldPath, subject: Option<&SubjectKind>) -> Plan {
        let transform = self.cover.transform(path);
        let plan = match shape {
            Shape::Object(object) => {
                let mut known = Vec::new();
                let mut fields = Vec::with_capacity(object.properties.len());
                for property in &object.properties {
                    let field =
                        self.field(property, &path.property(&property.name), fields.len(), &mut known);
                    fields.push(field);
                }
                self.objects += 1;
                Plan::Object(ObjectPlan {
                    number: self.objects - 1,
                    nullable: object.nullable,
                    known,
                    fields,
                })
            }
            Shape::Array { items, nullable } => {
                let items = Box::new(self.plan(items, &path.items(), subject));
                Plan::List { items, nullable: *nullable }
            }
            Shape::Scalar(scalar) => {
                let change = transform.and_then(|transform| {
                    Change::compile(transform, scalar, &path.to_string(), &mut self.pseudonymised)
                });
                let (kind, nullable) = (scalar.kind, scalar.nullable);
                Plan::Leaf(Leaf { kind, nullable, subject: subject.cloned(), change })
            }
        };
        if transform == Some(&Transform::ExistsYesNo) { Plan::YesOrNo(Box::new(plan)) } else { plan }
    }

    fn field(&mut self, property: &Property, path: &FieldPath, at: usize, known: &mut Vec<Known>) -> Field {
        let pointer = self.sources.pointer(path, &property.name);
        if !sources::add(known, &pointer, at) {
            self.faults.push(format!("`{path}` is read from within what another field is read from"));
        }
        let plan = self.plan(&property.shape, path, property.marks.subject.as_ref());
        let mut head = Vec::with_capacity(property.name.len() + 3);
        write_string(&mut head, &property.name);
        head.push(b':');
        Field {
            path: path.to_string().into(),
            head,
            required: property.required,
            released: plan.is_released(),
            plan,
        }
    }
}
