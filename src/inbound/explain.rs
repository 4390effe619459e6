//! Explain: `POST /explain` says whether a question would be answered, and if not why and who can change
//! that. Its body names what would be asked and holds the question:
//!
//! ```json
//! {"dataset": "child-protection/v1", "operation": "check", "question": {"chi": "0101900001"}}
//! ```
//!
//! Headers are those of the question. There is no second decision here: the body is aimed at its target,
//! and then *decide* judges it as it judges every question, limit and all. What comes after *decide* is
//! never reached, so that no system behind hears of it and no data can be in it. It is recorded as an
//! exchange with the outcome `explained`, no rows and no fields. Somebody without an agreement is refused
//! as by the question itself.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};

use crate::desk::{Offer, OfferedOperation, change, hours, keys};
use crate::json::{Document, Kind, Node};
use crate::model::limits::JSON_DEPTH_MAX;
use crate::model::{Code, Origin, SystemId};

use super::accept::Known;
use super::check::{Checked, Fit};
use super::decide::Permitted;
use super::read::{Asked, is_json, read_as};
use super::refusal::{Refusal, Why};
use super::road::Worker;
use super::route::Target;

const PATH: &str = "/explain";
/// What a body has, and nothing else.
const NAMES: [&str; 3] = ["dataset", "operation", "question"];
const FORM: &str = "An explanation is asked for with a JSON object of dataset, operation and question.";

/// Aims a request for an explanation at what it would ask; any other goes on as it is. What is wrong
/// with the form says nothing of any dataset, and so is told to any member.
pub(super) fn aim(asked: Asked) -> Result<Asked, Refusal> {
    let Asked { mut known, identity, target, reading, question } = asked;
    if known.method != Method::POST.as_str() || known.path != PATH {
        return Ok(Asked { known, identity, target, reading, question });
    }
    known.explains = true;
    let Some(aimed) = read(&known) else {
        return Err(Refusal::new(known, Why::new(Code::QuestionInvalid).detail(FORM)));
    };
    let target = find(&known, &aimed);
    let question = target.as_ref().map(|target| read_as(target, aimed.question));
    if let Some(target) = &target {
        known.target = Some((target.offer.contract.version.clone(), target.operation.operation.id.clone()));
    }
    Ok(Asked { known, identity, target, reading, question })
}

/// What would be asked.
struct Aimed {
    dataset: String,
    operation: String,
    question: Bytes,
}

fn read(known: &Known) -> Option<Aimed> {
    if !is_json(known) {
        return None;
    }
    let document = Document::parse(known.body.clone(), JSON_DEPTH_MAX).ok()?;
    let root = document.root();
    if root.kind() != Kind::Object || root.members().any(|(name, _)| !NAMES.contains(&&*name)) {
        return None;
    }
    let text =
        |name: &str| root.get(name).and_then(|node: Node<'_>| node.text()).map(|text| text.into_owned());
    let question = Bytes::copy_from_slice(root.get("question")?.raw());
    Some(Aimed { dataset: text("dataset")?, operation: text("operation")?, question })
}

fn find(known: &Known, aimed: &Aimed) -> Option<Target> {
    let (dataset, major) = aimed.dataset.split_once("/v")?;
    let offer: &Arc<Offer> = known.ruleset.offer(dataset, major)?;
    let is_meant = |offered: &&Arc<OfferedOperation>| offered.operation.id.as_str() == aimed.operation;
    let operation = offer.operations().find(is_meant)?;
    Some(Target { offer: Arc::clone(offer), operation: Arc::clone(operation) })
}

/// The question would be answered: says under what.
pub(super) fn explain(permitted: Permitted) -> Checked {
    let Permitted { known, terms, .. } = permitted;
    let mut said = about(&known, "answered");
    let mut put = |name: &str, value: Value| drop(said.insert(name.to_owned(), value));
    let purpose = known.purpose.as_ref().map(|stated| (stated.value.as_str().to_owned(), stated.origin));
    put("purpose", stated(purpose));
    put("role", stated(known.role.as_ref().map(|stated| (stated.value.to_string(), stated.origin))));
    put("released", terms.scope().released.iter().map(|field| &**field).collect());
    if let Some(agreement) = &known.agreement {
        let limits = &agreement.limits;
        put("hours", hours(&agreement.hours));
        put("per_minute", limits.per_minute.into());
        put("per_day", limits.per_day.into());
        put("per_user_per_day", limits.per_user_per_day.into());
        put("rows_per_answer", limits.rows_per_answer.into());
    }
    put("fact", "An agreement in force permits it. Whether there is a record was not looked at.".into());
    let content = Fit::Explanation { body: written(said), code: None };
    Checked { known, content }
}

/// The question would be refused, and the caller is a party to an agreement on it: says why.
pub(super) fn explained(worker: &Worker, known: &Known, why: &Why) -> Bytes {
    let code = why.code;
    let mut said = about(known, "refused");
    let mut put = |name: &str, value: Value| drop(said.insert(name.to_owned(), value));
    put("code", code.as_str().into());
    put("status", code.status().into());
    put("sentence", code.sentence().into());
    put("fact", fact(worker, known, why).into());
    // Of several limits the one it was, which its truth names.
    let known_key = keys(code).iter().copied().filter(|key| why.truth.as_deref() == Some(*key));
    let stands_on: Vec<&str> = known_key.collect();
    let stands_on = if stands_on.is_empty() { keys(code).to_vec() } else { stands_on };
    put("stands_on", stands_on.into());
    put("change", change(code).into());
    put("fixer", code.fixer().as_str().into());
    put("retry", code.retry().into());
    written(said)
}

fn about(known: &Known, would_be: &str) -> Map<String, Value> {
    let mut said = Map::new();
    let mut put = |name: &str, value: Value| drop(said.insert(name.to_owned(), value));
    put("would_be", would_be.into());
    put("dataset", known.target.as_ref().map(|(dataset, _)| dataset.to_string()).into());
    put("operation", known.target.as_ref().map(|(_, operation)| operation.to_string()).into());
    put("agreement", known.agreement.as_ref().map(|agreement| agreement.reference.to_string()).into());
    put("exchange", known.exchange.to_string().into());
    said
}

fn stated(what: Option<(String, Origin)>) -> Value {
    what.map_or(Value::Null, |(value, origin)| json!({ "value": value, "origin": origin.as_str() }))
}

fn written(said: Map<String, Value>) -> Bytes {
    let mut text = Value::Object(said).to_string();
    text.push('\n');
    Bytes::from(text)
}

/// What the code is about in this agreement. A party may know what its own agreement says.
fn fact(worker: &Worker, known: &Known, why: &Why) -> String {
    let system = known.consumer.as_ref().and_then(|consumer| known.agreement.as_ref()?.system(consumer));
    let listed = |all: Vec<String>| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    match (why.code, system) {
        (Code::PurposeNotAllowed, Some(system)) => {
            let purposes = system.purposes.iter().map(|purpose| purpose.as_str().to_owned()).collect();
            format!("The purposes allowed for this system are: {}.", listed(purposes))
        }
        (Code::RoleNotAllowed, Some(system)) => {
            let roles = system.roles.iter().map(ToString::to_string).collect();
            format!("The roles allowed for this system are: {}.", listed(roles))
        }
        (Code::AgreementNotInForce, _) if why.detail.is_none() => {
            let reasons = known.consumer.as_ref().map(|consumer| not_in_force(worker, known, consumer));
            format!("Not in force: {}.", listed(reasons.unwrap_or_default()))
        }
        (Code::AgreementAmbiguous, _) => {
            let ids = known.consumer.as_ref().map(|consumer| candidates(known, consumer)).unwrap_or_default();
            format!("The agreements that fit are: {}.", listed(ids))
        }
        _ => why.detail.clone().unwrap_or_else(|| why.code.sentence().to_owned()),
    }
}

/// Each agreement that would fit and why it does not count.
fn not_in_force(worker: &Worker, known: &Known, consumer: &SystemId) -> Vec<String> {
    let Some((dataset, operation)) = &known.target else { return Vec::new() };
    let today = worker.road.clock.today();
    let entries = known.ruleset.register.candidates(consumer, dataset, operation);
    let told = entries.iter().filter_map(|entry| {
        let reasons: Vec<String> = entry.standing.reasons(today).iter().map(ToString::to_string).collect();
        (!reasons.is_empty()).then(|| format!("{} ({})", entry.agreement.reference, reasons.join("; ")))
    });
    told.collect()
}

fn candidates(known: &Known, consumer: &SystemId) -> Vec<String> {
    let Some((dataset, operation)) = &known.target else { return Vec::new() };
    let entries = known.ruleset.register.candidates(consumer, dataset, operation);
    entries.iter().map(|entry| entry.agreement.reference.to_string()).collect()
}
