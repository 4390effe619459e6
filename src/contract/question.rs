//! Reading a question: bytes to something typed, strictly (design 3, Read).

use std::fmt;

use bytes::Bytes;

use super::checker::{Checker, Violation};
use crate::json::{Document, Kind, Node};
use crate::model::limits::{JSON_DEPTH_MAX, QUESTION_BYTES_MAX};
use crate::model::{Operation, ScalarKind, Shape, Subject, SubjectKind};

/// A question that meets its contract. Only [`read_question`] makes one. Prints no values.
pub struct Question {
    document: Document,
    subjects: Vec<Subject>,
}

impl Question {
    /// The question itself: an object.
    pub fn node(&self) -> Node<'_> {
        self.document.root()
    }

    /// Whom it asks about, in the order of the contract.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The bytes as the caller sent them.
    pub fn bytes(&self) -> &Bytes {
        self.document.bytes()
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({:?}, {} subjects)", self.document, self.subjects.len())
    }
}

/// Why a body is not a question. Says where, never what was there; the same words are fit for the
/// caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFault {
    summary: String,
    violations: Vec<Violation>,
}

impl ReadFault {
    fn plain(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), violations: Vec::new() }
    }

    /// The body is of another kind than a contract's question.
    pub fn content_type() -> Self {
        Self::plain("the body is not `application/json` in UTF-8, as its Content-Type says")
    }

    /// In one sentence, without the names the body has: those are the caller's and could be anything.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// As the summary, with which of the contract's fields are wrong: for a record that is kept.
    pub fn kept(&self) -> String {
        let wrong: Vec<String> = self.violations.iter().map(Violation::kept).collect();
        let between = if wrong.is_empty() { "" } else { ": " };
        format!("{}{between}{}", self.summary, wrong.join("; "))
    }

    /// What does not meet the contract; none if the body could not be read at all.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)?;
        for (index, violation) in self.violations.iter().enumerate() {
            write!(f, "{} {violation}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ReadFault {}

/// Reads a body as the question of `operation`, whose question schema `checker` was compiled from.
///
/// # Errors
/// Too large, not JSON as `json` reads it (doubled names, too deep), or against the contract.
pub fn read_question(operation: &Operation, checker: &Checker, body: Bytes) -> Result<Question, ReadFault> {
    if body.is_empty() {
        return Err(ReadFault::plain("the body is empty, and a question is a JSON object"));
    }
    if body.len() > QUESTION_BYTES_MAX {
        return Err(ReadFault::plain(format!("the body is above {QUESTION_BYTES_MAX} bytes")));
    }
    let document = Document::parse(body, JSON_DEPTH_MAX)
        .map_err(|fault| ReadFault::plain(format!("the body is not a JSON document: {fault}")))?;
    if document.root().kind() != Kind::Object {
        return Err(ReadFault::plain("the body is not a JSON object"));
    }
    if !checker.is_valid(document.root()) {
        let violations = checker.violations(document.root());
        return Err(ReadFault { summary: "the question does not meet the contract".into(), violations });
    }
    let mut subjects = Vec::new();
    collect(&operation.question, document.root(), None, &mut subjects)?;
    Ok(Question { document, subjects })
}

/// Walks marks and values side by side. A mark on a list stands for each of its items.
fn collect(
    shape: &Shape,
    node: Node<'_>,
    kind: Option<&SubjectKind>,
    out: &mut Vec<Subject>,
) -> Result<(), ReadFault> {
    match shape {
        Shape::Object(object) => {
            for property in &object.properties {
                if let Some(value) = node.get(&property.name) {
                    collect(&property.shape, value, property.marks.subject.as_ref(), out)?;
                }
            }
        }
        Shape::Array { items, .. } => {
            for item in node.items() {
                collect(items, item, kind, out)?;
            }
        }
        Shape::Scalar(scalar) => {
            let number = node.number_text();
            if scalar.kind == ScalarKind::Integer && number.is_some_and(|text| !is_plain(text)) {
                return Err(ReadFault::plain("a whole number is written without fraction or exponent: `7`"));
            }
            let identifier = node.text().or_else(|| number.map(Into::into));
            if let (Some(kind), Some(identifier)) = (kind, identifier) {
                out.push(Subject { kind: kind.clone(), identifier: identifier.into_owned() });
            }
        }
    }
    Ok(())
}

/// Whether a whole number has its one spelling: to JSON Schema `7.0` is one too, but sources and references to
/// subjects are looked up by the text, and would not find who is there.
fn is_plain(number: &str) -> bool {
    number != "-0" && !number.contains(['.', 'e', 'E'])
}
