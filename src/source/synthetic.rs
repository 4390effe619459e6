//! The source of a sandbox: rows made up before it starts, so that it connects to nothing and reads no
//! file. Which of them answers a question follows from the question alone.
//!
//! The example question of the contract is answered with the first row, which meets the conditions of the
//! agreements as far as one row can. Of other questions about one in four finds nothing, so that a
//! partner's program is seen to bear that too.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::Value;

use super::{Fetched, Found, SourceFault};
use crate::crypto::sha256;
use crate::json::{Document, Node};
use crate::model::limits::JSON_DEPTH_MAX;
use crate::model::{Cardinality, Mapping, OperationId, canonical};

/// One question in so many finds nothing.
const ABSENT_ONE_IN: u8 = 4;

/// What one operation answers with.
#[derive(Debug, Clone)]
pub struct MadeUp {
    pub cardinality: Cardinality,
    /// The contract's example question.
    pub question: Value,
    /// At least one; the first is for the example question.
    pub rows: Vec<Value>,
    /// Properties of a row that repeat what was asked for: of the question, and of the row.
    pub echoes: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) struct SyntheticSource {
    operations: HashMap<OperationId, MadeUp>,
    mapping: Mapping,
}

impl SyntheticSource {
    pub fn new(operations: HashMap<OperationId, MadeUp>) -> Self {
        Self { operations, mapping: Mapping::default() }
    }

    /// Rows are in the contract's own words.
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    pub fn fetch(&self, operation: &OperationId, question: Node<'_>) -> Result<Fetched, SourceFault> {
        let unknown = || SourceFault::Unavailable("the sandbox has nothing for this operation".into());
        let made_up = self.operations.get(operation).ok_or_else(unknown)?;
        let question: Value = serde_json::from_slice(question.raw())
            .map_err(|_| SourceFault::Question("it is no JSON".into()))?;
        let rows = made_up.rows_for(&question);
        let document = match (made_up.cardinality, rows) {
            (Cardinality::Single, rows) => match rows.into_iter().next() {
                Some(row) => row,
                None => return Ok(Fetched::NoMatch),
            },
            (Cardinality::List, rows) => Value::Array(rows),
        };
        let text = Bytes::from(document.to_string());
        let answer = Document::parse(text, JSON_DEPTH_MAX)
            .map_err(|fault| SourceFault::Invalid(format!("a made-up row is not JSON: {fault}").into()))?;
        Ok(Fetched::Document(Found { answer, pointer: "".into() }))
    }
}

impl MadeUp {
    fn rows_for(&self, question: &Value) -> Vec<Value> {
        let rows: Vec<&Value> = if *question == self.question {
            match self.cardinality {
                Cardinality::Single => self.rows.first().into_iter().collect(),
                Cardinality::List => self.rows.iter().collect(),
            }
        } else {
            let [first, second, ..] = sha256(&[canonical(question).as_bytes()]);
            if first % ABSENT_ONE_IN == 0 {
                return Vec::new();
            }
            match self.cardinality {
                Cardinality::Single => self
                    .rows
                    .iter()
                    .cycle()
                    .nth(usize::from(second) % self.rows.len().max(1))
                    .into_iter()
                    .collect(),
                Cardinality::List => self.rows.iter().collect(),
            }
        };
        rows.into_iter().map(|row| self.echoed(row, question)).collect()
    }

    /// A row about whom the question is about.
    fn echoed(&self, row: &Value, question: &Value) -> Value {
        let mut row = row.clone();
        for (asked, told) in &self.echoes {
            if let (Some(value), Some(members)) = (question.get(asked), row.as_object_mut())
                && let Some(place) = members.get_mut(told)
            {
                *place = value.clone();
            }
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(source: &SyntheticSource, key: &str) -> Option<Value> {
        let question = Document::parse(Bytes::from(json!({ "key": key }).to_string()), 4).unwrap();
        match source.fetch(&OperationId::new("check").unwrap(), question.root()).unwrap() {
            Fetched::Document(found) => Some(serde_json::from_slice(found.node().raw()).unwrap()),
            Fetched::NoMatch => None,
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer_and_is_about_who_was_asked_for() {
        let made_up = MadeUp {
            cardinality: Cardinality::Single,
            question: json!({ "key": "first" }),
            rows: vec![json!({"key": "", "n": 0}), json!({"key": "", "n": 1})],
            echoes: vec![("key".into(), "key".into())],
        };
        let source = SyntheticSource::new(HashMap::from([(OperationId::new("check").unwrap(), made_up)]));
        assert_eq!(ask(&source, "first"), Some(json!({"key": "first", "n": 0})));
        let all: Vec<Option<Value>> = (0..100).map(|n| ask(&source, &n.to_string())).collect();
        let again: Vec<Option<Value>> = (0..100).map(|n| ask(&source, &n.to_string())).collect();
        assert_eq!(all, again);
        let absent = all.iter().filter(|answer| answer.is_none()).count();
        assert!((10..45).contains(&absent), "{absent}");
        assert!(
            all.iter().flatten().any(|row| row["n"] == 0) && all.iter().flatten().any(|row| row["n"] == 1)
        );
        let unknown = source.fetch(&OperationId::new("other").unwrap(), Node::nothing());
        assert!(matches!(unknown, Err(SourceFault::Unavailable(_))));
    }
}
