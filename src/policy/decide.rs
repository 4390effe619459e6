//! The decision itself: one agreement's permit and every guardrail, over facts. Deny by default;
//! any evaluation error is a refusal, where Cedar alone would skip the policy and might allow.
//!
//! Permit and guardrails are asked apart, so that guardrails are kept once and not in ten thousand
//! slices. That this is what the full set of policies says is a property test: a permit names its
//! agreement, and so can apply to no other's questions.
//!
//! A compiled permit weighs 13 KiB and is made in 8 microseconds, and [`super::Memo`] keeps verdicts:
//! so each is made once when a ruleset is compiled, to know that it can be, and again when asked.

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
    maker: Maker,
    agreements: HashMap<AgreementRef, Arc<Agreement>>,
    guardrails: PolicySet,
}

impl std::fmt::Debug for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decider({} agreements)", self.agreements.len())
    }
}

impl Decider {
    /// Compiles agreements and guardrails; `guardrails` are names and texts of files.
    pub fn compile(
        agreements: impl IntoIterator<Item = Arc<Agreement>>,
        guardrails: &[(String, String)],
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let guardrails = guardrail::schema()
            .and_then(|schema| guardrail::load(guardrails, &schema))
            .unwrap_or_else(|found| {
                faults.extend(found);
                PolicySet::new()
            });
        let internal = |error: String| Fault::new("policies", None, error);
        let maker = Maker::new().map_err(|error| internal(error.to_string()))?;
        let names = Names::new().map_err(internal)?;
        let mut by_reference = HashMap::new();
        for agreement in agreements {
            if let Err(error) = maker.permit(&agreement) {
                faults.push(Fault::new(&agreement.file, None, error));
            }
            by_reference.insert(agreement.reference.clone(), agreement);
        }
        faults.into_result()?;
        Ok(Self { authorizer: Authorizer::new(), names, maker, agreements: by_reference, guardrails })
    }

    /// Decides, without memory: see [`super::Memo`].
    pub fn decide(&self, facts: &Facts) -> Verdict {
        let Some(agreement) = self.agreements.get(&facts.scope.agreement) else { return Verdict::Deny };
        match self.judge(agreement, facts) {
            Ok(verdict) => verdict,
            Err(error) => Verdict::Error(error.into()),
        }
    }

    fn judge(&self, agreement: &Agreement, facts: &Facts) -> Result<Verdict, String> {
        let permit = self.maker.permit(agreement)?;
        let (request, entities) = (self.names.request(facts)?, self.names.entities(facts)?);
        let forbidden = self.authorizer.is_authorized(&request, &self.guardrails, &entities);
        let permitted = self.authorizer.is_authorized(&request, &permit, &entities);
        if let Some(error) = first_error([forbidden.diagnostics(), permitted.diagnostics()]) {
            return Err(error);
        }
        // Only `forbid`s are in this set: whatever determined its decision forbids.
        if let Some(guardrail) = forbidden.diagnostics().reason().min() {
            let name: &str = guardrail.as_ref();
            return Ok(Verdict::Forbid { guardrail: name.into() });
        }
        Ok(match permitted.decision() {
            Decision::Allow => Verdict::Permit,
            Decision::Deny => Verdict::Deny,
        })
    }

    /// The names of all guardrails.
    pub fn guardrails(&self) -> impl Iterator<Item = &str> {
        self.guardrails.policies().map(|policy| policy.id().as_ref())
    }

    /// An agreement's permit as Cedar text, for explaining.
    pub fn permit_text(&self, agreement: &AgreementRef) -> Option<String> {
        self.maker.permit(self.agreements.get(agreement)?).ok()?.to_cedar()
    }
}

/// Cedar names the policy in its message. Facts are closed values, so that the message may be logged.
fn first_error(diagnostics: [&Diagnostics; 2]) -> Option<String> {
    diagnostics.into_iter().flat_map(|found| found.errors()).map(ToString::to_string).min()
}
