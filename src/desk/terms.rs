//! The terms of one agreement for one operation: what guardrails are told of it, and what may leave.

use std::sync::{Arc, OnceLock};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::judging::context;
use super::leaving::{Compiled, Leaving};
use crate::json::Node;
use crate::minimise::Pseudonyms;
use crate::model::{Mapping, Operation};
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

    /// How what the source says is read as the contract's.
    pub(super) fn mapping(&self) -> &Mapping {
        self.leaving.mapping()
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

    /// Which tests of its rows each record of a document meets; none where that cannot be said.
    pub(super) fn row_tests(&self, found: Node<'_>, today: Date, zone: &TimeZone) -> Vec<Vec<bool>> {
        let Ok(compiled) = self.compiled() else { return Vec::new() };
        compiled.projection.row_tests(found, &context(self, today, zone)).unwrap_or_default()
    }

    /// The answer as the agreement releases it: JSON Schema 2020-12.
    pub fn released(&self) -> Result<serde_json::Value, String> {
        self.leaving.released()
    }
}
