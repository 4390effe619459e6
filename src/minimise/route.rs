//! What becomes of the members of an object, told from its names alone: once for all rows that have the
//! same names in the same order.

use super::plan::{Kinds, ObjectPlan, Plan};
use super::sources;
use crate::json::{Name, Node, Shape};

#[derive(Default)]
pub(super) struct Route {
    /// What it was made for.
    pub shape: Option<Shape>,
    /// One for each member, if they come in the order of the contract, none is read from within, and
    /// none is lacking that must be there or is answered for; otherwise they have to be sorted.
    pub steps: Option<Vec<Step>>,
}

/// Where a name is among the members of an object, remembered while objects have the same shape.
#[derive(Default)]
pub(super) struct Glance {
    shape: Option<Shape>,
    at: Option<usize>,
}

impl Glance {
    /// The member of an object by its name, always the same.
    pub fn get<'d>(&mut self, object: Node<'d>, name: &str) -> Option<Node<'d>> {
        let shape = Some(object.shape());
        if self.shape != shape {
            *self = Self { shape, at: object.named().position(|(found, _)| found.is(name)) };
        }
        object.values().nth(self.at?)
    }
}

pub(super) enum Step {
    /// The contract knows no such name.
    Unknown,
    /// Nothing of it leaves, and there is nothing to see.
    Stays,
    /// The field at this place of the contract.
    Field {
        at: usize,
        /// How long its name and colon are, if they stand in the source as they leave.
        spelt: Option<usize>,
        /// A value of these kinds leaves as it is, and there is no more to it.
        plain: Kinds,
    },
}

impl Route {
    pub fn of(object: &ObjectPlan, node: Node<'_>) -> Self {
        Self { shape: Some(node.shape()), steps: steps(object, node) }
    }

    /// The names nobody knows, if there are steps; sorting finds them else.
    pub fn unknown<'d>(&self, node: Node<'d>) -> impl Iterator<Item = Name<'d>> + use<'_, 'd> {
        let steps = self.steps.iter().flatten().zip(node.named());
        steps.filter(|(step, _)| matches!(step, Step::Unknown)).map(|(_, (name, _))| name)
    }
}

fn steps(object: &ObjectPlan, node: Node<'_>) -> Option<Vec<Step>> {
    let mut steps = Vec::with_capacity(node.len());
    // The place in the contract that is due next.
    let mut due = 0;
    let mut next = 0;
    for (name, _) in node.named() {
        let known = sources::find(&object.known, &name, &mut next);
        let Some(known) = known.and_then(|at| object.known.get(at)) else {
            steps.push(Step::Unknown);
            continue;
        };
        let (&[at], []) = (known.properties.as_slice(), known.inside.as_slice()) else { return None };
        if at < due || !may_lack(object, due, at) {
            return None;
        }
        let field = object.fields.get(at)?;
        let spelt = name.is_written(&field.head).then_some(field.head.len());
        steps.push(match (field.released, field.plan.plain()) {
            (false, Some(_)) => Step::Stays,
            (_, plain) => Step::Field { at, spelt, plain: plain.unwrap_or_default() },
        });
        due = at + 1;
    }
    may_lack(object, due, object.fields.len()).then_some(steps)
}

/// Whether nothing is written, and nothing wrong, where none of these fields is there.
fn may_lack(object: &ObjectPlan, from: usize, to: usize) -> bool {
    let fields = object.fields.get(from..to).unwrap_or_default();
    fields.iter().all(|field| !field.released || !(field.required || matches!(field.plan, Plan::YesOrNo(_))))
}
