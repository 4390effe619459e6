//! The terms of one agreement for one operation: what guardrails are told of it, and what may leave.

use std::sync::{Arc, OnceLock};

use super::leaving::{Compiled, Leaving};
use crate::minimise::Pseudonyms;
use crate::model::Operation;
use crate::policy::{Agreement, Scope};

/// Made with the ruleset.
pub struct Terms {
    pub pseudonyms: Arc<Pseudonyms>,
    agreement: Arc<Agreement>,
    leaving: Arc<Leaving>,
    /// Made on first use: most of a thousand agreements are quiet on most days.
    scope: OnceLock<Arc<Scope>>,
}

impl Terms {
    pub(super) fn new(pseudonyms: Arc<Pseudonyms>, agreement: Arc<Agreement>, leaving: Arc<Leaving>) -> Self {
        Self { pseudonyms, agreement, leaving, scope: OnceLock::new() }
    }

    pub(super) fn operation(&self) -> &Arc<Operation> {
        &self.leaving.operation
    }

    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// What guardrails are told of the agreement and the operation.
    pub fn scope(&self) -> &Arc<Scope> {
        self.scope.get_or_init(|| Arc::new(Scope::new(&self.agreement, &self.leaving.operation)))
    }

    /// The compiled form of what may leave. An error is the house's: all of it was checked when the ruleset
    /// was loaded.
    pub fn compiled(&self) -> Result<&Compiled, &str> {
        self.leaving.compiled()
    }

    /// The answer as the agreement releases it: JSON Schema 2020-12.
    pub fn released(&self) -> Result<serde_json::Value, String> {
        self.leaving.released()
    }
}
