//! Which clauses policy tests have made both true and false. What a test showed follows from how it was judged:
//! a permit got past every clause, a refusal was stopped by the one its code is of, and the row condition says of
//! each record which of its tests held.

use serde_json::Value;

use crate::model::{Code, FieldPath, Mapping, Step};
use crate::policy::Agreement;

use super::super::clauses::{Clause, What, clauses};
use super::super::judging::Denied;
use super::super::ruleset::Ruleset;
use super::judge::{End, Judged};
use super::read::Asks;
use super::{Outcome, PolicyTests};

/// Every clause of every agreement of which this member is the provider, and every guardrail.
pub struct Coverage {
    pub clauses: Vec<Clause>,
}

impl Coverage {
    pub fn of(ruleset: &Ruleset, tests: &PolicyTests) -> Self {
        let mut coverage = Self { clauses: guardrails(ruleset) };
        for entry in ruleset.register.all() {
            let agreement = &*entry.agreement;
            let file = ruleset.files.agreements.iter().find(|file| file.name == agreement.file);
            let text = file.and_then(|file| file.held()).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let ours = ruleset.view(&agreement.reference).is_some();
            if let Some(text) = text.filter(|_| ours) {
                let from = coverage.clauses.len();
                coverage.clauses.extend(clauses(agreement, text));
                let clauses = coverage.clauses.get_mut(from..).unwrap_or_default();
                tests.outcomes.iter().for_each(|outcome| shown(clauses, agreement, outcome));
            }
        }
        let guardrails = coverage.clauses.iter_mut().filter(|clause| clause.agreement.is_none());
        guardrails.for_each(|clause| judged_by(clause, tests));
        coverage
    }

    pub fn is_full(&self) -> bool {
        self.clauses.iter().all(Clause::is_covered)
    }
}

/// The guardrails as clauses, with the lines their names stand on.
fn guardrails(ruleset: &Ruleset) -> Vec<Clause> {
    let named = ruleset.decider.guardrails().filter_map(|name| {
        let quoted = format!("\"{name}\"");
        ruleset.files.guardrails.iter().find_map(|file| {
            let text = file.held().and_then(|bytes| std::str::from_utf8(bytes).ok())?;
            let at = text.lines().position(|line| line.contains(&quoted))?;
            let (file, what) = (file.name.clone(), What::Guardrail(name.to_owned()));
            let (key, says, unmet) = ("guardrail", name.to_owned(), Some(false));
            Some(Clause { agreement: None, file, line: at + 1, key, says, met: false, unmet, what })
        })
    });
    let mut all: Vec<Clause> = named.collect();
    all.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    all
}

fn judged_by(clause: &mut Clause, tests: &PolicyTests) {
    let What::Guardrail(name) = &clause.what else { return };
    for judged in tests.outcomes.iter().map(|outcome| &outcome.judged) {
        let by = matches!(&judged.end, End::Refused(denied)
            if denied.code == Code::Guardrail && denied.truth.as_ref() == Some(name));
        clause.met |= by;
        clause.unmet = Some(clause.unmet == Some(true) || judged.permit.is_some());
    }
}

/// Marks what a test showed of one agreement. One that ended otherwise than expected shows nothing.
fn shown(clauses: &mut [Clause], agreement: &Agreement, outcome: &Outcome) {
    if outcome.otherwise.is_some() {
        return;
    }
    let (asks, judged) = (&outcome.test.asks, &outcome.judged);
    let is_of = judged.agreement.as_ref().is_some_and(|of| of.reference == agreement.reference);
    match &judged.end {
        End::Refused(denied) if denied.code == Code::NotAgreed && judged.agreement.is_none() => {
            not_agreed(clauses, agreement, asks);
        }
        End::Refused(denied) if is_of && judged.permit.is_none() => {
            stopped(clauses, denied, agreement, asks);
        }
        _ if is_of => {
            // What was permitted can be stopped by how much was found.
            if let End::Refused(denied) = &judged.end {
                stopped(clauses, denied, agreement, asks);
            }
            clauses.iter_mut().filter(|clause| passes(&clause.what, asks, judged)).for_each(met);
            rows(clauses, judged);
            fields(clauses, asks, judged);
        }
        _ => {}
    }
}

fn stopped(clauses: &mut [Clause], denied: &Denied, agreement: &Agreement, asks: &Asks) {
    let why = (denied.code, denied.truth.as_deref());
    let stops = |clause: &&mut Clause| clause.stops(why, agreement, &asks.consumer, asks.on);
    clauses.iter_mut().filter(stops).for_each(unmet);
}

fn met(clause: &mut Clause) {
    clause.met = true;
}

fn unmet(clause: &mut Clause) {
    clause.unmet = Some(true);
}

/// A caller whom the agreement does not list asked for what it is about, or one it lists for another operation.
fn not_agreed(clauses: &mut [Clause], agreement: &Agreement, asks: &Asks) {
    let (dataset, major) = &asks.dataset;
    let version = &agreement.dataset;
    let same = version.dataset.as_str() == dataset && version.major.to_string() == *major;
    if !same || asks.agreement.is_some() {
        return;
    }
    let listed = agreement.system(&asks.consumer).is_some();
    let operation = agreement.operations.iter().any(|known| known.as_str() == asks.operation);
    for clause in clauses {
        match &clause.what {
            What::System(_) if operation && !listed => unmet(clause),
            What::Operation(_) if listed && !operation => unmet(clause),
            _ => {}
        }
    }
}

/// Whether a question that was permitted got past this clause.
fn passes(what: &What, asks: &Asks, judged: &Judged) -> bool {
    let Some(permit) = &judged.permit else { return false };
    match what {
        What::System(caller) => *caller == asks.consumer,
        What::Purpose(caller, purpose) => *caller == asks.consumer && permit.purpose.as_str() == purpose,
        What::Role(caller, role) => {
            *caller == asks.consumer && permit.role.as_ref().is_some_and(|stated| stated.as_str() == role)
        }
        What::Operation(operation) => *operation == asks.operation,
        What::User | What::Reason | What::Case | What::Assurance => true,
        What::From | What::Until | What::Hours | What::Limit => true,
        What::RowsPerAnswer => matches!(judged.end, End::Answer(_)),
        What::Rows(_) | What::Released(_) | What::Withheld(_) | What::Guardrail(_) | What::Form => false,
    }
}

fn rows(clauses: &mut [Clause], judged: &Judged) {
    for clause in clauses {
        let What::Rows(at) = clause.what else { continue };
        for held in judged.rows.iter().filter_map(|row| row.get(at)) {
            if *held { met(clause) } else { unmet(clause) }
        }
    }
}

/// A released field that was in an answer, and a withheld one that the system behind gave and that was not.
fn fields(clauses: &mut [Clause], asks: &Asks, judged: &Judged) {
    let (End::Answer(answer), Some(permit)) = (&judged.end, &judged.permit) else { return };
    let record: Value =
        asks.record.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    for clause in clauses {
        let seen = match &clause.what {
            What::Released(path) => is_there(answer, path, &Mapping::default()),
            What::Withheld(path) => is_there(&record, path, permit.terms.mapping()),
            _ => false,
        };
        clause.met |= seen;
    }
}

/// Whether a document has something at a field of the contract: null and nothing are nothing.
fn is_there(document: &Value, path: &FieldPath, mapping: &Mapping) -> bool {
    let mut nodes: Vec<&Value> = match document {
        Value::Array(rows) => rows.iter().collect(),
        row => vec![row],
    };
    let mut at = FieldPath::root();
    for step in path.steps() {
        nodes = match step {
            Step::Property(name) => {
                at = at.property(name);
                let renamed = mapping.renames.iter().find(|(renamed, _)| *renamed == at);
                let pointer = renamed.map_or_else(|| format!("/{name}"), |(_, pointer)| pointer.clone());
                nodes.into_iter().filter_map(|node| node.pointer(&pointer)).collect()
            }
            Step::Items => {
                at = at.items();
                nodes.into_iter().filter_map(Value::as_array).flatten().collect()
            }
        };
    }
    nodes.into_iter().any(|node| match node {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    })
}
