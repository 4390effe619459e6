//! The terms of one agreement for one operation: the compiled form of what may leave.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::contract::Checker;
use crate::minimise::{Projection, Pseudonyms};
use crate::policy::Scope;

/// Made with the ruleset; the validator of the view on first use, and by `tolbooth check` always.
pub struct Terms {
    pub projection: Projection,
    pub pseudonyms: Pseudonyms,
    /// What guardrails are told of the agreement and the operation.
    pub scope: Arc<Scope>,
    view: Value,
    checker: OnceLock<Result<Checker, String>>,
}

impl Terms {
    pub(super) fn new(
        projection: Projection,
        pseudonyms: Pseudonyms,
        scope: Arc<Scope>,
        view: Value,
    ) -> Self {
        Self { projection, pseudonyms, scope, view, checker: OnceLock::new() }
    }

    /// The validator of the view. An error is the house's: the view was made here.
    pub fn checker(&self) -> Result<&Checker, &str> {
        self.checker.get_or_init(|| Checker::compile(&self.view)).as_ref().map_err(String::as_str)
    }
}
