//! What a schema says of one value: bounds, patterns, formats, closed lists, and our own marks.

use std::sync::Arc;

use super::place::Place;
use crate::json::{Kind, Node};
use crate::model::{Format, Marks, Scalar, ScalarKind, Shape, SubjectKind, suggestion};

/// Special categories a property may be marked with (`domain.md` V6), criminal offences (UK GDPR
/// Article 10) among them.
pub const SPECIAL_CATEGORIES: [&str; 10] = [
    "race_ethnicity",
    "politics",
    "religion",
    "trade_union",
    "genetic",
    "biometric_id",
    "health",
    "sex_life",
    "orientation",
    "criminal_offence",
];

pub(super) const MARKS: [&str; 6] = [
    "x-tolbooth-key",
    "x-tolbooth-subject",
    "x-tolbooth-personal",
    "x-tolbooth-special",
    "x-tolbooth-safe-address",
    "x-tolbooth-term",
];

/// A compiled pattern above this is a mistake; it is matched for every value.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// A term is a name of the federation's dictionary.
const TERM_BYTES_MAX: usize = 128;

/// The keywords a scalar type may have beside those every schema may.
pub(super) fn keywords(word: &str) -> &'static [&'static str] {
    match word {
        "string" => &["enum", "const", "minLength", "maxLength", "pattern", "format"],
        "integer" | "number" => {
            &["enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
        }
        "boolean" => &["enum", "const"],
        _ => &[],
    }
}

pub(super) fn read(place: &Place<'_>, kind: ScalarKind, nullable: bool) -> Option<Scalar> {
    if kind == ScalarKind::String {
        check_counts(place, "minLength", "maxLength");
        check_pattern(place);
    }
    check_range(place);
    let format = place.child("format").and_then(|at| format(&at));
    Some(Scalar { kind, nullable, format, values: values(place, kind, nullable) })
}

fn format(at: &Place<'_>) -> Option<Format> {
    let text = at.text()?;
    let found = Format::parse(&text);
    if found.is_none() {
        at.fault_with_help(
            "not a format a contract may use",
            suggestion(&text, Format::ALL.map(Format::as_str)),
        );
    }
    found
}

fn values(place: &Place<'_>, kind: ScalarKind, nullable: bool) -> Option<Vec<serde_json::Value>> {
    let listed = match (place.child("enum"), place.child("const")) {
        (Some(both), Some(_)) => {
            both.fault("`enum` and `const` say the same: keep one");
            return None;
        }
        (Some(list), None) => {
            let items = list.items();
            if items.is_empty() {
                list.fault("a list of allowed values cannot be empty");
            }
            items
        }
        (None, Some(one)) => vec![one],
        (None, None) => return None,
    };
    let mut values = Vec::with_capacity(listed.len());
    for at in &listed {
        let fits = is_of(at.node, kind) || (nullable && at.node.is_null());
        if !fits {
            at.fault(format!("not of type {}", kind.as_str()));
        }
        let value = at.value();
        if values.contains(&value) {
            at.fault("there twice");
        }
        values.push(value);
    }
    Some(values)
}

fn is_of(node: Node<'_>, kind: ScalarKind) -> bool {
    match kind {
        ScalarKind::String => node.kind() == Kind::String,
        ScalarKind::Integer => node.integer().is_some(),
        ScalarKind::Number => node.kind() == Kind::Number,
        ScalarKind::Boolean => node.kind() == Kind::Boolean,
        ScalarKind::Null => node.is_null(),
    }
}

/// A lower and an upper count, such as `minLength` and `maxLength`.
pub(super) fn check_counts(place: &Place<'_>, low: &str, high: &str) {
    let count = |name: &str| {
        let at = place.child(name)?;
        let count = at.node.integer().and_then(|count| u64::try_from(count).ok());
        if count.is_none() {
            at.fault("a whole number, 0 or above, is wanted here");
        }
        count
    };
    let counts = (count(low), count(high));
    if matches!(counts, (Some(low), Some(high)) if low > high) {
        place.fault(format!("`{low}` is above `{high}`"));
    }
}

fn check_range(place: &Place<'_>) {
    let number = |name: &str| {
        let at = place.child(name)?;
        if at.node.number().is_none() {
            at.fault("a number is wanted here");
        }
        at.node.number()
    };
    let low = [number("minimum"), number("exclusiveMinimum")].into_iter().flatten().reduce(f64::max);
    let high = [number("maximum"), number("exclusiveMaximum")].into_iter().flatten().reduce(f64::min);
    if matches!((low, high), (Some(low), Some(high)) if low > high) {
        place.fault("no number is within these bounds");
    }
    if number("multipleOf").is_some_and(|step| step <= 0.0) {
        place.fault("`multipleOf` is above 0");
    }
}

/// In the linear engine, so that no value can make a match slow.
fn check_pattern(place: &Place<'_>) {
    let Some(at) = place.child("pattern") else { return };
    let Some(text) = at.text() else { return };
    if regex::RegexBuilder::new(&text).size_limit(PATTERN_BYTES_MAX).build().is_err() {
        let help = "look-around and back references are not in it".to_owned();
        at.fault_with_help("not a pattern of the linear regular expressions", Some(help));
    }
}

/// Title, description and examples are for people, and must at least be what they are called.
pub(super) fn check_saying(place: &Place<'_>) {
    for name in ["title", "description"] {
        place.child(name).map(|at| at.text());
    }
    place.child("examples").map(|at| at.items());
}

/// Reads our own keywords. They go on properties: a row, a document or an item is not a field.
pub(super) fn marks(place: &Place<'_>, on_property: bool) -> Marks {
    let child = |name: &str| {
        let at = place.child(name)?;
        if !on_property {
            at.fault("marks go on properties");
        }
        Some(at)
    };
    let flag = |name: &str| child(name).and_then(|at| at.boolean()).unwrap_or(false);
    Marks {
        key: flag("x-tolbooth-key"),
        personal: flag("x-tolbooth-personal"),
        safe_address: flag("x-tolbooth-safe-address"),
        subject: child("x-tolbooth-subject").and_then(|at| subject(&at)),
        special: child("x-tolbooth-special").and_then(|at| special(&at)),
        term: child("x-tolbooth-term").and_then(|at| term(&at)),
    }
}

fn subject(at: &Place<'_>) -> Option<SubjectKind> {
    let text = at.text()?;
    let found = SubjectKind::new(&text);
    if found.is_none() {
        at.fault_with_help("not a kind of identifier known here", suggestion(&text, SubjectKind::ALL));
    }
    found
}

fn special(at: &Place<'_>) -> Option<Arc<str>> {
    let text = at.text()?;
    if !SPECIAL_CATEGORIES.contains(&text.as_str()) {
        at.fault_with_help("not a special category known here", suggestion(&text, SPECIAL_CATEGORIES));
        return None;
    }
    Some(text.into())
}

fn term(at: &Place<'_>) -> Option<Arc<str>> {
    let text = at.text()?;
    let fits = !text.is_empty() && text.len() <= TERM_BYTES_MAX && !text.chars().any(char::is_control);
    if !fits {
        at.fault(format!("a term is 1 to {TERM_BYTES_MAX} printable bytes"));
    }
    fits.then(|| text.into())
}

/// A property's own marks go before those of the schema it refers to; a flag set in either is set.
pub(super) fn merged(own: Marks, referred: Marks) -> Marks {
    Marks {
        key: own.key || referred.key,
        personal: own.personal || referred.personal,
        safe_address: own.safe_address || referred.safe_address,
        subject: own.subject.or(referred.subject),
        special: own.special.or(referred.special),
        term: own.term.or(referred.term),
    }
}

/// A key or a subject is a text or whole number, or a list of them: anything else is no identifier.
pub(super) fn check_marks(place: &Place<'_>, marks: &Marks, shape: &Shape) {
    let identifier = match shape {
        Shape::Array { items, .. } => items,
        other => other,
    };
    let fits =
        matches!(identifier, Shape::Scalar(Scalar { kind: ScalarKind::String | ScalarKind::Integer, .. }));
    if (marks.key || marks.subject.is_some()) && !fits {
        place.fault("a key or subject is a text, a whole number, or a list of them");
    }
}
