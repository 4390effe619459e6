//! A system's own view of a dataset as an OpenAPI 3.1.0 document: exactly what it may ask, with what
//! headers, and what it is told. Each agreement's own part is named; where there are several the answer
//! is any of theirs, told apart by title.

use serde_json::{Map, Value, json};

use crate::model::{Cardinality, Code, Operation};

use super::bounds::hours;
use super::own_view::{OwnOperation, OwnView, Under, Wanted};
use super::samples::{AskedFrom, samples};

/// Writes the document. `synthetic` says that the gateway is a sandbox.
pub fn openapi(view: &OwnView<'_>, from: &AskedFrom, synthetic: bool) -> Value {
    let contract = &view.offer.contract;
    let version = &contract.version;
    let base = format!("/{}/v{}", version.dataset, version.major);
    let paths: Map<String, Value> = view
        .operations
        .iter()
        .map(|operation| {
            let post = post(view, operation, from);
            (operation.offered.operation.path.clone(), json!({ "post": post }))
        })
        .collect();
    let system = format!("{} of {}", view.system.system, view.system.member);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": contract.title,
            "version": format!("{}.0.0", version.major),
            "description": format!(
                "What {system} may ask under the agreements in force today. Guardrails and limits may refuse more."
            ),
        },
        "servers": [{ "url": base }],
        "paths": paths,
        "components": { "schemas": { "Problem": problem() } },
        "x-tolbooth-dataset": version.to_string(),
        "x-tolbooth-system": view.system.to_string(),
        "x-tolbooth-agreements": view.agreements().into_iter().map(agreement).collect::<Value>(),
        "x-tolbooth-refusals": Code::ALL.iter().copied().map(refusal).collect::<Value>(),
    });
    if synthetic && let Some(members) = document.as_object_mut() {
        members.insert("x-tolbooth-synthetic".into(), true.into());
    }
    document
}

fn post(view: &OwnView<'_>, own: &OwnOperation<'_>, from: &AskedFrom) -> Value {
    let operation = &own.offered.operation;
    let mut media = json!({ "schema": operation.question_schema });
    if let (Some(question), Some(media)) = (own.question(), media.as_object_mut()) {
        media.insert("example".into(), question);
    }
    let samples: Vec<Value> = own
        .under
        .iter()
        .flat_map(|under| samples(view, own, under, from))
        .map(|sample| json!({ "lang": sample.lang, "label": sample.label, "source": sample.source }))
        .collect();
    json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(own),
        "requestBody": { "required": true, "content": { "application/json": media } },
        "responses": responses(operation, &own.under),
        "x-tolbooth-effect": operation.effect.as_str(),
        "x-tolbooth-agreements": own.under.iter().map(|under| under.agreement.reference.to_string()).collect::<Value>(),
        "x-codeSamples": samples,
    })
}

/// Every header some agreement wants; required where all do.
fn parameters(own: &OwnOperation<'_>) -> Value {
    let mut all: Vec<(Wanted, usize)> = Vec::new();
    for wanted in own.under.iter().flat_map(|under| own.wanted(under)) {
        match all.iter_mut().find(|(known, _)| known.name == wanted.name) {
            Some((known, times)) => {
                let more: Vec<String> =
                    wanted.values.into_iter().filter(|value| !known.values.contains(value)).collect();
                known.values.extend(more);
                *times += 1;
            }
            None => all.push((wanted, 1)),
        }
    }
    all.into_iter()
        .map(|(wanted, times)| {
            let schema = match wanted.values.as_slice() {
                [] => json!({ "type": "string" }),
                values => json!({ "type": "string", "enum": values }),
            };
            json!({
                "name": wanted.name,
                "in": "header",
                "required": times == own.under.len(),
                "description": wanted.why,
                "schema": schema,
                "example": wanted.example,
            })
        })
        .collect()
}

fn responses(operation: &Operation, under: &[Under<'_>]) -> Value {
    let said = json!({
        "Tolbooth-Outcome": { "required": true, "schema": { "type": "string" } },
        "Tolbooth-Receipt": { "schema": { "type": "string" }, "description": "Keep it: it proves what was answered." },
    });
    let mut media = json!({ "schema": released(under) });
    if let (Some(answer), Some(media)) = (under.first().and_then(Under::answer), media.as_object_mut()) {
        media.insert("example".into(), answer);
    }
    let mut responses = Map::new();
    let answered = match operation.cardinality {
        Cardinality::Single => "Tolbooth-Outcome: answered. What the agreement releases of the record.",
        Cardinality::List => "Tolbooth-Outcome: answered. The records that may leave; perhaps none.",
    };
    responses.insert(
        "200".into(),
        json!({ "description": answered, "headers": said, "content": { "application/json": media } }),
    );
    if operation.cardinality == Cardinality::Single {
        let schema = json!({ "type": "object", "required": ["outcome"], "properties": { "outcome": { "const": "no_match" } } });
        let description = "Tolbooth-Outcome: no_match. There is no record that may leave. Without that header the 404 is not a gateway's.";
        responses.insert(
            "404".into(),
            json!({ "description": description, "headers": said, "content": { "application/json": { "schema": schema } } }),
        );
    }
    let problem =
        json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let description = "Tolbooth-Outcome: refused or unrecorded. Nothing is released; the body says why.";
    responses
        .insert("default".into(), json!({ "description": description, "headers": said, "content": problem }));
    Value::Object(responses)
}

/// The answer's schema after transforms; of several agreements any.
fn released(under: &[Under<'_>]) -> Value {
    let titled = |under: &Under<'_>| {
        let mut schema = under.released.clone();
        if let Some(members) = schema.as_object_mut() {
            members.insert("title".into(), under.agreement.reference.to_string().into());
        }
        schema
    };
    match under {
        [one] => titled(one),
        several => json!({ "anyOf": several.iter().map(titled).collect::<Value>() }),
    }
}

fn agreement(under: &Under<'_>) -> Value {
    let agreement = under.agreement;
    let released: Vec<Value> = agreement
        .release
        .fields
        .iter()
        .map(|(field, transform)| json!({ "field": field, "transform": transform.name() }))
        .collect();
    json!({
        "agreement": agreement.reference.to_string(),
        "title": agreement.title,
        "stage": agreement.stage.as_str(),
        "operations": agreement.operations,
        "purposes": under.system.purposes.iter().map(|purpose| purpose.as_str()).collect::<Value>(),
        "roles": under.system.roles,
        "user": if agreement.user_required { "required" } else { "none" },
        "reason": agreement.reason.as_str(),
        "case": if agreement.case_required { "required" } else { "none" },
        "assurance": agreement.assurance.as_str(),
        "released": released,
        "hours": hours(&agreement.hours),
        "per_minute": agreement.limits.per_minute,
        "per_day": agreement.limits.per_day,
        "per_user_per_day": agreement.limits.per_user_per_day,
        "rows_per_answer": agreement.limits.rows_per_answer,
        "from": agreement.dates.from.to_string(),
        "until": agreement.dates.until.map(|until| until.to_string()),
    })
}

fn refusal(code: Code) -> Value {
    json!({
        "code": code.as_str(),
        "status": code.status(),
        "retry": code.retry(),
        "fixer": code.fixer().as_str(),
        "sentence": code.sentence(),
    })
}

/// RFC 9457, as `docs/refusals.md` has it.
fn problem() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["type", "title", "status", "code", "retry", "fixer", "exchange"],
        "properties": {
            "type": text(),
            "title": text(),
            "status": { "type": "integer" },
            "detail": text(),
            "code": { "type": "string", "enum": Code::ALL.iter().map(|code| code.as_str()).collect::<Value>() },
            "retry": { "type": "boolean" },
            "fixer": text(),
            "exchange": { "type": "string", "format": "uuid" },
        },
    })
}
