//! Where a source keeps what the contract names: renames of a mapping, checked once.

use crate::json::Name;
use crate::model::{FieldPath, Mapping, Operation, Step};

/// What a source object may hold by this name. Names a wrapper alone has are one level further in.
#[derive(Debug)]
pub(super) struct Known {
    /// A member's name, or an item's number in a list.
    pub name: String,
    /// The properties that are read from here, by their place in the contract.
    pub properties: Vec<usize>,
    /// What lies inside, where nothing is read from here but from within.
    pub inside: Vec<Known>,
}

/// The renames of a mapping, each of a field the contract has.
#[derive(Debug)]
pub(super) struct Sources<'m>(&'m [(FieldPath, String)]);

impl<'m> Sources<'m> {
    /// # Errors
    /// Everything wrong with the renames, one sentence each.
    pub fn of(operation: &Operation, mapping: &'m Mapping) -> Result<Self, Vec<String>> {
        let row = operation.answer.row();
        let mut faults = Vec::new();
        for (at, (path, pointer)) in mapping.renames.iter().enumerate() {
            if row.at(path).is_none() || !matches!(path.steps().last(), Some(Step::Property(_))) {
                faults.push(format!("`{path}` is renamed, and the contract has no such field"));
            }
            if tokens(pointer).is_none() {
                faults.push(format!("`{path}` is renamed to what is not a JSON Pointer below its object"));
            }
            if mapping.renames.iter().take(at).any(|(earlier, _)| earlier == path) {
                faults.push(format!("`{path}` is renamed twice"));
            }
        }
        if faults.is_empty() { Ok(Self(&mapping.renames)) } else { Err(faults) }
    }

    /// The JSON Pointer to a property, relative to the source object that stands for its parent.
    pub fn pointer(&self, path: &FieldPath, name: &str) -> String {
        let renamed = self.0.iter().find(|(renamed, _)| renamed == path);
        // A property's name has neither `~` nor `/`.
        renamed.map_or_else(|| format!("/{name}"), |(_, pointer)| pointer.clone())
    }
}

/// What a member is known as: its place in `known`. Sources write their members in one order, so that the
/// `next` is nearly always the next.
pub(super) fn find(known: &[Known], name: &Name<'_>, next: &mut usize) -> Option<usize> {
    let is = |at: &usize| known.get(*at).is_some_and(|entry| name.is(&entry.name));
    let at = Some(*next).filter(is).or_else(|| (0..known.len()).find(is));
    *next = at.map_or(*next, |at| at + 1);
    at
}

/// Adds a property to what is known of a source object; `false` where one is read from within what
/// another is read from, which would make two fields of one.
pub(super) fn add(known: &mut Vec<Known>, pointer: &str, property: usize) -> bool {
    let tokens = tokens(pointer).unwrap_or_default();
    let Some((last, wrappers)) = tokens.split_last() else { return false };
    let mut known = known;
    for name in wrappers {
        let Some(entry) = entry(known, name) else { return false };
        if !entry.properties.is_empty() {
            return false;
        }
        known = &mut entry.inside;
    }
    let Some(entry) = entry(known, last) else { return false };
    entry.properties.push(property);
    entry.inside.is_empty()
}

fn entry<'k>(known: &'k mut Vec<Known>, name: &str) -> Option<&'k mut Known> {
    let at = known.iter().position(|known| known.name == name).unwrap_or(known.len());
    if at == known.len() {
        known.push(Known { name: name.to_owned(), properties: Vec::new(), inside: Vec::new() });
    }
    known.get_mut(at)
}

/// The tokens of a JSON Pointer (RFC 6901), unescaped; `None` if misspelt or to the whole.
fn tokens(pointer: &str) -> Option<Vec<String>> {
    let well_spelt = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    let rest = pointer.strip_prefix('/').filter(|_| well_spelt)?;
    Some(rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}
