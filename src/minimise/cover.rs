//! Whether a release covers a contract: every property released or withheld, none both, each transform
//! on a type it is for. The view and the projection both stand on this.

use std::collections::BTreeMap;

use super::transform;
use crate::model::{FieldPath, Operation, Release, Scalar, Shape, Transform, suggestion};

/// The released fields of one row.
pub(super) struct Cover<'r> {
    released: BTreeMap<&'r FieldPath, &'r Transform>,
}

impl<'r> Cover<'r> {
    /// # Errors
    /// Everything wrong, one sentence each.
    pub fn of(operation: &Operation, release: &'r Release) -> Result<Self, Vec<String>> {
        let row = operation.answer.row();
        let mut faults = Vec::new();
        let mut released = BTreeMap::new();
        for (path, transform) in &release.fields {
            if let Err(fault) = check_released(row, path, transform) {
                faults.push(fault);
            }
            if released.insert(path, transform).is_some() {
                faults.push(format!("`{path}` is released twice"));
            }
            if let Some(withheld) = release.withhold.iter().find(|withheld| path.is_within(withheld)) {
                faults.push(format!("`{path}` is released, and withheld by `{withheld}`"));
            }
        }
        for path in &release.withhold {
            if row.at(path).is_none() {
                faults.push(unknown(row, path, "withheld"));
            }
        }
        let cover = Self { released };
        let mut leaves = Vec::new();
        walk(row, &FieldPath::root(), &mut leaves);
        for (path, _) in &leaves {
            if cover.released.contains_key(path)
                || release.withhold.iter().any(|withheld| path.is_within(withheld))
            {
                continue;
            }
            if !cover.is_below_a_yes_or_no(path) {
                faults.push(format!("`{path}` is neither released nor withheld"));
            }
        }
        for path in cover.released.keys().filter(|path| cover.is_below_a_yes_or_no(path)) {
            faults.push(format!("`{path}` is released twice: what it belongs to leaves as yes or no"));
        }
        if faults.is_empty() { Ok(cover) } else { Err(faults) }
    }

    /// The transform of a field, if it is released.
    pub fn transform(&self, path: &FieldPath) -> Option<&'r Transform> {
        self.released.get(path).copied()
    }

    /// Whether an object or list above leaves as yes or no, and nothing below it at all.
    fn is_below_a_yes_or_no(&self, path: &FieldPath) -> bool {
        self.released.keys().any(|above| *above != path && path.is_within(above))
    }
}

fn check_released(row: &Shape, path: &FieldPath, transform: &Transform) -> Result<(), String> {
    match row.at(path).map(|(shape, _)| shape) {
        None => Err(unknown(row, path, "released")),
        Some(Shape::Scalar(scalar)) => {
            transform::check(transform, scalar).map_err(|fault| format!("`{path}`: {fault}"))
        }
        Some(_) if *transform == Transform::ExistsYesNo => Ok(()),
        Some(shape) => {
            let mut leaves = Vec::new();
            walk(shape, path, &mut leaves);
            let names: Vec<String> = leaves.iter().take(3).map(|(path, _)| format!("`{path}`")).collect();
            let what = if matches!(shape, Shape::Array { .. }) { "a list" } else { "an object" };
            Err(format!("`{path}` is {what}: list what is released of it, such as {}", names.join(", ")))
        }
    }
}

fn unknown(row: &Shape, path: &FieldPath, what: &str) -> String {
    let known: Vec<String> = row.fields().iter().map(|(path, _)| path.to_string()).collect();
    let help = suggestion(&path.to_string(), known.iter().map(String::as_str));
    let help = help.map(|help| format!("; {help}")).unwrap_or_default();
    format!("`{path}` is {what}, and the contract has no such field{help}")
}

/// Every field of a row that an agreement can list, in the order of the contract.
pub fn leaves(row: &Shape) -> Vec<(FieldPath, Option<&Scalar>)> {
    let mut out = Vec::new();
    walk(row, &FieldPath::root(), &mut out);
    out
}

/// Everything that can be listed: scalars, items that are scalars, and objects with nothing in them.
fn walk<'s>(shape: &'s Shape, at: &FieldPath, out: &mut Vec<(FieldPath, Option<&'s Scalar>)>) {
    match shape {
        Shape::Object(object) if object.properties.is_empty() => out.push((at.clone(), None)),
        Shape::Object(object) => {
            for property in &object.properties {
                walk(&property.shape, &at.property(&property.name), out);
            }
        }
        Shape::Array { items, .. } => walk(items, &at.items(), out),
        Shape::Scalar(scalar) => out.push((at.clone(), Some(scalar))),
    }
}
