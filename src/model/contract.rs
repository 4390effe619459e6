//! A contract as the other rooms see it: its operations and the shapes of question and answer.

use std::sync::Arc;

use super::{DatasetVersion, Digest, OperationId, Shape};

/// An OpenAPI 3.1 document in the closed subset, loaded by `contract/`.
#[derive(Debug, Clone)]
pub struct Contract {
    pub version: DatasetVersion,
    pub title: String,
    /// Of the file's bytes.
    pub digest: Digest,
    pub operations: Vec<Arc<Operation>>,
}

impl Contract {
    pub fn operation(&self, id: &OperationId) -> Option<&Arc<Operation>> {
        self.operations.iter().find(|operation| operation.id == *id)
    }
}

/// One operation: always `POST /{dataset}/v{major}/{path}` with a JSON body, so that an identifier
/// is never in a URL.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: OperationId,
    /// Below `/{dataset}/v{major}`, with its leading slash: `/check`.
    pub path: String,
    pub summary: String,
    pub effect: Effect,
    pub cardinality: Cardinality,
    /// Always an object.
    pub question: Shape,
    /// JSON Schema 2020-12 with `$ref`s inlined.
    pub question_schema: serde_json::Value,
    /// An object, or an array of objects for a list.
    pub answer: Shape,
    /// JSON Schema 2020-12 with `$ref`s inlined.
    pub answer_schema: serde_json::Value,
}

/// Whether an operation changes anything behind (`x-tolbooth-effect`); declared, never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    Reads,
    Changes,
}

impl Effect {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Changes => "changes",
        }
    }
}

/// Whether the answer is one record or a list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// Absent is `no_match`, 404.
    Single,
    /// Absent is an empty list, 200.
    List,
}
