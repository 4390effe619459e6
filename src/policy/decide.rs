//! The decision itself: one agreement's permit and every guardrail, over facts. Deny by default;
//! any evaluation error is a refusal, where Cedar alone would skip the policy and might allow.
//!
//! Permit and guardrails are asked apart, so that guardrails are kept once and not in ten thousand
//! slices. That this is what the full set of policies says is a property test: a permit names its
//! agreement, and so can apply to no other's questions.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{Authorizer, Decision, Diagnostics, PolicySet};

use crate::model::{AgreementRef, Fault, Faults};

use super::agreement::Agreement;
use super::facts::Facts;
use super::guardrail;
use super::permit::Maker;
use super::request::Names;

/// What policies say of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Permit,
    /// Forbidden by this guardrail: the first by id, if several.
    Forbid {
        guardrail: Arc<str>,
    },
    /// The agreement does not permit it.
    Deny,
    /// Could not be decided, and so is refused. For the host's log.
    Error(Arc<str>),
}

/// The compiled policies of a ruleset.
pub struct Decider {
    authorizer: Authorizer,
    names: Names,
    permits: HashMap<AgreementRef, PolicySet>,
    guardrails: PolicySet,
}

impl std::fmt::Debug for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decider({} agreements)", self.permits.len())
    }
}

impl Decider {
    /// Compiles agreements and guardrails; `guardrails` are names and texts of files.
    pub fn compile<'a>(
        agreements: impl IntoIterator<Item = &'a Agreement>,
        guardrails: &[(String, String)],
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let guardrails = guardrail::schema()
            .and_then(|schema| guardrail::load(guardrails, &schema))
            .unwrap_or_else(|found| {
                faults.extend(found);
                PolicySet::new()
            });
        let internal = |error: &dyn std::fmt::Display| Fault::new("policies", None, error.to_string());
        let maker = Maker::new().map_err(|error| internal(&error))?;
        let mut permits = HashMap::new();
        for agreement in agreements {
            let set = maker
                .permit(agreement)
                .map_err(|error| error.to_string())
                .and_then(|permit| PolicySet::from_policies([permit]).map_err(|error| error.to_string()));
            match set {
                Ok(set) => {
                    permits.insert(agreement.reference.clone(), set);
                }
                Err(error) => faults.push(Fault::new(&agreement.file, None, error)),
            }
        }
        faults.into_result()?;
        let names = Names::new().map_err(|error| internal(&error))?;
        Ok(Self { authorizer: Authorizer::new(), names, permits, guardrails })
    }

    /// Decides, without memory: see [`super::Memo`].
    pub fn decide(&self, facts: &Facts) -> Verdict {
        let Some(permit) = self.permits.get(&facts.scope.agreement) else { return Verdict::Deny };
        let asked = self
            .names
            .entities(facts)
            .and_then(|entities| self.names.request(facts).map(|request| (request, entities)));
        let (request, entities) = match asked {
            Ok(asked) => asked,
            Err(error) => return Verdict::Error(error.into()),
        };
        let forbidden = self.authorizer.is_authorized(&request, &self.guardrails, &entities);
        let permitted = self.authorizer.is_authorized(&request, permit, &entities);
        if let Some(error) = first_error([forbidden.diagnostics(), permitted.diagnostics()]) {
            return Verdict::Error(error);
        }
        // Only `forbid`s are in this set: whatever determined its decision forbids.
        if let Some(guardrail) = forbidden.diagnostics().reason().min() {
            let name: &str = guardrail.as_ref();
            return Verdict::Forbid { guardrail: name.into() };
        }
        match permitted.decision() {
            Decision::Allow => Verdict::Permit,
            Decision::Deny => Verdict::Deny,
        }
    }

    /// An agreement's permit as Cedar text, for explaining.
    pub fn permit_text(&self, agreement: &AgreementRef) -> Option<String> {
        self.permits.get(agreement).and_then(PolicySet::to_cedar)
    }
}

/// Cedar names the policy in its message. Facts are closed values, so that the message may be logged.
fn first_error(diagnostics: [&Diagnostics; 2]) -> Option<Arc<str>> {
    diagnostics.into_iter().flat_map(|found| found.errors()).map(ToString::to_string).min().map(Arc::from)
}
