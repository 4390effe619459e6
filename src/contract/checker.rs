//! Validating a node against a schema of the closed subset, formats included, with a linear regex.

use std::fmt;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};

use super::representation::Tape;
use crate::json::Node;

/// As many violations as help anybody to mend a question.
pub const VIOLATIONS_MAX: usize = 8;

/// An unknown property's name may be anything at all.
const NAME_CHARS_MAX: usize = 64;

/// A schema made ready. Compiling costs tens of microseconds to milliseconds: do it once.
pub struct Checker(Validator<Tape>);

impl Checker {
    /// # Errors
    /// What the validator says is wrong with the schema.
    pub fn compile(schema: &serde_json::Value) -> Result<Self, String> {
        jsonschema::options_for::<Tape>()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex())
            .build(schema)
            .map(Self)
            .map_err(|error| error.to_string())
    }

    pub fn is_valid(&self, node: Node<'_>) -> bool {
        self.0.is_valid(node)
    }

    /// The first [`VIOLATIONS_MAX`] things wrong, none if valid.
    pub fn violations(&self, node: Node<'_>) -> Vec<Violation> {
        self.0.iter_errors(node).take(VIOLATIONS_MAX).map(|error| Violation::of(&error)).collect()
    }
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checker")
    }
}

/// One thing wrong with a document, without any of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) to what is wrong; empty for the root.
    pub pointer: String,
    /// What is wrong with it: `is not of type string`.
    pub rule: String,
    /// Whether the rule names what the document has and the contract does not: a name of whoever wrote it, which
    /// could be anything.
    pub strange: bool,
}

impl Violation {
    fn of(error: &ValidationError<'_>) -> Self {
        let strange = matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. });
        Self { pointer: error.instance_path().to_string(), rule: rule(error.kind()), strange }
    }

    fn place(&self) -> &str {
        if self.pointer.is_empty() { "the whole" } else { &self.pointer }
    }

    /// In the contract's words alone, for a record that is kept.
    pub fn kept(&self) -> String {
        let rule = if self.strange { "has a name the contract does not know" } else { self.rule.as_str() };
        format!("{} {rule}", self.place())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place(), self.rule)
    }
}

/// Only what the contract itself says goes into a rule, and never what was found.
fn rule(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as K;
    match kind {
        K::Required { property } => format!("has no `{}`", property.as_str().unwrap_or_default()),
        K::AdditionalProperties { unexpected } => {
            let names: Vec<String> = unexpected.iter().take(3).map(|name| short(name)).collect();
            format!("has {} the contract does not know", names.join(", "))
        }
        K::Type { kind } => {
            let types: Vec<String> = match kind {
                jsonschema::error::TypeKind::Single(one) => vec![one.to_string()],
                jsonschema::error::TypeKind::Multiple(any) => any.iter().map(|one| one.to_string()).collect(),
            };
            format!("is not of type {}", types.join(" or "))
        }
        K::Format { format } => format!("is not a {format}"),
        K::Pattern { .. } => "does not match its pattern".into(),
        K::Enum { .. } | K::Constant { .. } => "is not one of the values the contract lists".into(),
        K::MinLength { limit } => format!("is shorter than {limit} characters"),
        K::MaxLength { limit } => format!("is longer than {limit} characters"),
        K::MinItems { limit } => format!("has fewer than {limit} items"),
        K::MaxItems { limit } => format!("has more than {limit} items"),
        K::Minimum { limit } => format!("is below {limit}"),
        K::Maximum { limit } => format!("is above {limit}"),
        K::ExclusiveMinimum { limit } => format!("is not above {limit}"),
        K::ExclusiveMaximum { limit } => format!("is not below {limit}"),
        K::MultipleOf { multiple_of } => format!("is not a multiple of {multiple_of}"),
        other => format!("does not meet `{}`", other.keyword()),
    }
}

fn short(name: &str) -> String {
    let shown: String = name.chars().take(NAME_CHARS_MAX).filter(|c| !c.is_control()).collect();
    format!("`{shown}`")
}
