//! Names of fields inside a record: `status`, `address.street`, `entitlements[].code`.

use std::fmt;
use std::sync::Arc;

/// Deep enough for any record seen; a deeper path is a typing mistake.
pub const STEPS_MAX: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into the property of an object.
    Property(Arc<str>),
    /// Into each item of an array.
    Items,
}

/// A field of a row, from the row's root. A root array's own `[]` is never written: a row is an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError(String);

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a field: write `name`, `object.name` or `list[].name`", self.0)
    }
}

impl std::error::Error for PathError {}

/// Whether a contract may call a property so: what a path can spell without escapes.
pub fn is_property_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl FieldPath {
    pub fn root() -> Self {
        Self { steps: Vec::new() }
    }

    pub fn parse(text: &str) -> Result<Self, PathError> {
        let fault = || PathError(text.chars().take(120).collect());
        let mut steps = Vec::new();
        for part in text.split('.') {
            let name = part.trim_end_matches("[]");
            if !is_property_name(name) {
                return Err(fault());
            }
            steps.push(Step::Property(name.into()));
            let items = (part.len() - name.len()) / 2;
            steps.extend(std::iter::repeat_n(Step::Items, items));
        }
        if steps.len() > STEPS_MAX { Err(fault()) } else { Ok(Self { steps }) }
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    pub fn property(&self, name: &str) -> Self {
        let mut steps = self.steps.clone();
        steps.push(Step::Property(name.into()));
        Self { steps }
    }

    pub fn items(&self) -> Self {
        let mut steps = self.steps.clone();
        steps.push(Step::Items);
        Self { steps }
    }

    /// Whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.steps.starts_with(&other.steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Property(name) if index == 0 => f.write_str(name)?,
                Step::Property(name) => write!(f, ".{name}")?,
                Step::Items => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl serde::Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_what_it_writes() {
        for text in ["status", "address.street", "entitlements[].code", "grid[][].x"] {
            assert_eq!(FieldPath::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", ".", "a.", ".a", "[]", "a[", "a[]b", "a b", "a..b"] {
            assert!(FieldPath::parse(bad).is_err(), "{bad}");
        }
    }
}
