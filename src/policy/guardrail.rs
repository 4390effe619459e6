//! Guardrails: the organisation's own `forbid`s over all agreements, strictly validated against
//! the shipped schema. They can only take away.

use std::collections::BTreeMap;

use cedar_policy::{Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;

use crate::model::{Fault, Faults};

/// The schema guardrails are written against; also for editors.
pub(super) const SCHEMA: &str = include_str!("../../schemas/tolbooth.cedarschema");

/// The shipped schema, compiled.
pub(super) fn schema() -> Result<Schema, Faults> {
    Schema::from_cedarschema_str(SCHEMA)
        .map(|(schema, _)| schema)
        .map_err(|error| Fault::new("schemas/tolbooth.cedarschema", None, error.to_string()).into())
}

/// All guardrails as one set, their `@id`s as policy ids, or everything wrong with them.
/// `files` are names and texts.
pub(super) fn load(files: &[(String, String)], schema: &Schema) -> Result<PolicySet, Faults> {
    let mut reader = Reader {
        faults: Faults::default(),
        found: BTreeMap::new(),
        validator: Validator::new(schema.clone()),
    };
    for (name, text) in files {
        reader.read(&File { name, text });
    }
    reader.faults.into_result()?;
    PolicySet::from_policies(reader.found.into_values().map(|(policy, _)| policy))
        .map_err(|error| Fault::new("policies/guardrails", None, error.to_string()).into())
}

struct File<'f> {
    name: &'f str,
    text: &'f str,
}

impl File<'_> {
    fn fault(&self, at: Option<usize>, message: impl Into<String>) -> Fault {
        let line = at.map(|at| 1 + self.text.bytes().take(at).filter(|b| *b == b'\n').count());
        Fault::new(self.name, line, message)
    }

    /// What Cedar says, where, and its advice.
    fn cedar(&self, error: &dyn Diagnostic) -> Fault {
        let at = error.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        let mut message = error.to_string();
        if let Some(source) = error.source() {
            message = format!("{message}: {source}");
        }
        let fault = self.fault(at, message);
        match error.help() {
            Some(help) => fault.with_help(help.to_string()),
            None => fault,
        }
    }

    /// Where a policy begins; Cedar numbers the policies of a text from 0 in order, and says no
    /// more of where they are.
    fn start_of(&self, policy: &Policy) -> Option<usize> {
        let id = policy.annotation("id").filter(|id| !id.is_empty())?;
        self.text.find(&format!("\"{id}\""))
    }
}

struct Reader {
    faults: Faults,
    /// By id, with the file it is in.
    found: BTreeMap<String, (Policy, String)>,
    validator: Validator,
}

impl Reader {
    fn read(&mut self, file: &File<'_>) {
        let set: PolicySet = match file.text.parse() {
            Ok(set) => set,
            Err(errors) => {
                let errors: cedar_policy::ParseErrors = errors;
                for error in errors.iter() {
                    self.faults.push(file.cedar(error));
                }
                return;
            }
        };
        // A template applies to nothing until it is linked: it would look like a rule and be none.
        for template in set.templates() {
            self.faults.push(file.fault(None, format!("`{}` is a template, not a rule", template.id())));
        }
        let mut named = Vec::new();
        for policy in set.policies() {
            named.push(self.keep(file, policy).unwrap_or_else(|| policy.clone()));
        }
        // Two of one id are a fault already, and cannot be validated together.
        let named = PolicySet::from_policies(named).unwrap_or(set);
        let result = self.validator.validate(&named, ValidationMode::Strict);
        for error in result.validation_errors() {
            self.faults.push(file.cedar(error));
        }
        // What Cedar only warns of (a rule that can never apply, look-alike letters) is a mistake here.
        for warning in result.validation_warnings() {
            self.faults.push(file.cedar(warning));
        }
    }

    /// The policy under its own id, so that Cedar's messages name it.
    fn keep(&mut self, file: &File<'_>, policy: &Policy) -> Option<Policy> {
        let at = file.start_of(policy);
        if policy.effect() == Effect::Permit {
            self.faults.push(
                file.fault(at, "a guardrail can only forbid")
                    .with_help("what is permitted stands in agreements alone"),
            );
        }
        let Some(id) = policy.annotation("id").filter(|id| is_guardrail_id(id)) else {
            self.faults.push(
                file.fault(at, "a guardrail without a usable `@id`")
                    .with_help("write `@id(\"small-letters-and-dashes\")` before `forbid`"),
            );
            return None;
        };
        let named = policy.new_id(PolicyId::new(id));
        let file_name = file.name.to_owned();
        if let Some((_, other)) = self.found.insert(id.to_owned(), (named.clone(), file_name)) {
            self.faults.push(file.fault(at, format!("guardrail `{id}` is also in {other}")));
        }
        Some(named)
    }
}

/// As ids of ours are: it goes to answers, reports and logs.
fn is_guardrail_id(id: &str) -> bool {
    crate::model::AgreementId::new(id).is_ok()
}
