//! The terms of one agreement for one operation: the compiled form of what may leave.

use std::sync::{Arc, OnceLock};

use crate::contract::Checker;
use crate::minimise::{self, Projection, Pseudonyms};
use crate::model::{Mapping, Operation};
use crate::policy::{Agreement, Scope};

/// Made with the ruleset. What is large is compiled on first use, and by `tolbooth check` always:
/// most of a thousand agreements are quiet on most days.
pub struct Terms {
    pub pseudonyms: Pseudonyms,
    /// What guardrails are told of the agreement and the operation.
    pub scope: Arc<Scope>,
    operation: Arc<Operation>,
    agreement: Arc<Agreement>,
    mapping: Mapping,
    compiled: OnceLock<Result<Compiled, String>>,
}

/// How an answer is made and held against the view.
pub struct Compiled {
    pub projection: Projection,
    /// The validator of the view.
    pub checker: Checker,
}

impl Terms {
    pub(super) fn new(
        pseudonyms: Pseudonyms,
        operation: Arc<Operation>,
        agreement: Arc<Agreement>,
        mapping: Mapping,
    ) -> Self {
        let scope = Arc::new(Scope::new(&agreement, &operation));
        Self { pseudonyms, scope, operation, agreement, mapping, compiled: OnceLock::new() }
    }

    /// The compiled form. An error is the house's: all of it was checked when the ruleset was loaded.
    pub fn compiled(&self) -> Result<&Compiled, &str> {
        self.compiled.get_or_init(|| self.compile()).as_ref().map_err(String::as_str)
    }

    /// The answer as the agreement releases it: JSON Schema 2020-12.
    pub fn released(&self) -> Result<serde_json::Value, String> {
        let view = minimise::view(&self.operation, &self.agreement.release);
        view.map(|view| view.schema).map_err(|faults| faults.join("; "))
    }

    fn compile(&self) -> Result<Compiled, String> {
        let release = &self.agreement.release;
        let all = |faults: Vec<String>| faults.join("; ");
        let view = minimise::view(&self.operation, release).map_err(all)?;
        let projection = Projection::compile(&self.operation, release, &self.mapping).map_err(all)?;
        Ok(Compiled { projection, checker: Checker::compile(&view.schema)? })
    }
}
