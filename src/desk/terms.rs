//! The terms of one agreement for one operation: the compiled form of what may leave.

use std::sync::{Arc, OnceLock};

use crate::contract::Checker;
use crate::minimise::{self, Projection, Pseudonyms};
use crate::model::Operation;
use crate::policy::{Agreement, Scope};

/// Made with the ruleset; the validator of the view on first use, and by `tolbooth check` always.
pub struct Terms {
    pub projection: Projection,
    pub pseudonyms: Pseudonyms,
    /// What guardrails are told of the agreement and the operation.
    pub scope: Arc<Scope>,
    /// What the view is made of, again when it is needed: kept for each agreement it would fill memory.
    operation: Arc<Operation>,
    agreement: Arc<Agreement>,
    checker: OnceLock<Result<Checker, String>>,
}

impl Terms {
    pub(super) fn new(
        projection: Projection,
        pseudonyms: Pseudonyms,
        operation: Arc<Operation>,
        agreement: Arc<Agreement>,
    ) -> Self {
        let scope = Arc::new(Scope::new(&agreement, &operation));
        Self { projection, pseudonyms, scope, operation, agreement, checker: OnceLock::new() }
    }

    /// The validator of the view. An error is the house's: the view was made here.
    pub fn checker(&self) -> Result<&Checker, &str> {
        let compile = || {
            let view = minimise::view(&self.operation, &self.agreement.release);
            view.map_err(|faults| faults.join("; ")).and_then(|view| Checker::compile(&view.schema))
        };
        self.checker.get_or_init(compile).as_ref().map_err(String::as_str)
    }
}
