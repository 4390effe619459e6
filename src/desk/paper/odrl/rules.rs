//! The rules of one agreement between its provider and one consumer: what each system may ask, what nobody may do, and
//! what is owed. Every rule names both parties and what it is about (ODRL Information Model 2.2, 2.6).

use serde_json::{Value, json};

use super::super::words::{condition, hours};
use super::terms::{action, purpose};
use super::{Exported, Terms};
use crate::model::{Assurance, Disposal, Effect, Hours, Rows};
use crate::policy::{Agreement, ConsumerSystem, Limits, Particulars};

/// One permission for each system of the consumer and each way of acting on the data.
pub(super) fn permissions(exported: &Exported<'_>, terms: &Terms<'_>) -> Vec<Value> {
    let Exported { agreement, consumer, .. } = exported;
    let mut rules = Vec::new();
    for system in &consumer.systems {
        for (word, operations) in ways(agreement, terms) {
            let mut constraint = vec![json!({
                "leftOperand": "tolbooth:operation", "operator": "isAnyOf", "rightOperand": operations,
            })];
            constraint.extend(of_system(exported, system));
            constraint.extend(of_agreement(agreement));
            let mut rule = rule(exported, word);
            set(&mut rule, "constraint", json!(constraint));
            rules.push(rule);
        }
    }
    rules
}

/// The operations by what they do. Where the contract is not here nobody can say, and so they are a use.
fn ways(agreement: &Agreement, terms: &Terms<'_>) -> Vec<(&'static str, Vec<String>)> {
    let word = |effect| match effect {
        Some(Effect::Reads) => "read",
        Some(Effect::Changes) => "modify",
        None => "use",
    };
    let mut ways: Vec<(&'static str, Vec<String>)> = Vec::new();
    for operation in &agreement.operations {
        let word = word((terms.effect)(agreement, operation));
        match ways.iter_mut().find(|(known, _)| *known == word) {
            Some((_, operations)) => operations.push(operation.to_string()),
            None => ways.push((word, vec![operation.to_string()])),
        }
    }
    ways
}

fn of_system(exported: &Exported<'_>, system: &ConsumerSystem) -> Vec<Value> {
    let asks = format!("{}/{}", exported.assignee, system.id);
    let mut constraint =
        vec![json!({ "leftOperand": "systemDevice", "operator": "eq", "rightOperand": { "uid": asks } })];
    let purposes: Vec<Value> = system.purposes.iter().map(|code| purpose(*code)).collect();
    constraint.push(json!({ "leftOperand": "purpose", "operator": "isAnyOf", "rightOperand": purposes }));
    if !system.roles.is_empty() {
        let roles: Vec<&str> = system.roles.iter().map(|role| role.as_str()).collect();
        constraint.push(one_of("tolbooth:role", &roles));
    }
    constraint
}

/// What holds of every question.
fn of_agreement(agreement: &Agreement) -> Vec<Value> {
    let day = |date: jiff::civil::Date| json!({ "@value": date.to_string(), "@type": "xsd:date" });
    let mut constraint = vec![
        json!({ "leftOperand": "dateTime", "operator": "gteq", "rightOperand": day(agreement.dates.from) }),
    ];
    if let Some(until) = agreement.dates.until {
        constraint.push(json!({ "leftOperand": "dateTime", "operator": "lteq", "rightOperand": day(until) }));
    }
    let enough: Vec<&str> =
        Assurance::ALL.into_iter().filter(|one| *one >= agreement.assurance).map(Assurance::as_str).collect();
    constraint.push(one_of("tolbooth:assurance", &enough));
    let Limits { per_minute, per_day, per_user_per_day, rows_per_answer } = agreement.limits;
    for (operand, most) in [
        ("tolbooth:questionsPerMinute", Some(per_minute)),
        ("tolbooth:answersPerDay", per_day),
        ("tolbooth:answersPerUserAndDay", per_user_per_day),
        ("tolbooth:recordsPerAnswer", rows_per_answer),
    ] {
        let bound = |most| json!({ "leftOperand": operand, "operator": "lteq", "rightOperand": most });
        constraint.extend(most.map(bound));
    }
    if agreement.hours != Hours::Always {
        let open = hours(&agreement.hours);
        constraint.push(json!({ "leftOperand": "tolbooth:hours", "operator": "eq", "rightOperand": open }));
    }
    if agreement.release.rows != Rows::Every {
        let rows = condition(&agreement.release.rows);
        constraint.push(json!({ "leftOperand": "tolbooth:rows", "operator": "eq", "rightOperand": rows }));
    }
    let user = match &agreement.particulars {
        Some(particulars) => particulars.asking.user.as_str(),
        None if agreement.user_required => "required",
        None => "none",
    };
    for (operand, stated) in [
        ("tolbooth:user", user),
        ("tolbooth:reason", agreement.reason.as_str()),
        ("tolbooth:case", if agreement.case_required { "required" } else { "none" }),
    ] {
        constraint.push(json!({ "leftOperand": operand, "operator": "eq", "rightOperand": stated }));
    }
    constraint
}

fn one_of(operand: &str, words: &[&str]) -> Value {
    json!({ "leftOperand": operand, "operator": "isAnyOf", "rightOperand": words })
}

/// What the consumer may not do with what it was told.
pub(super) fn prohibitions(exported: &Exported<'_>) -> Vec<Value> {
    let prohibited = exported.particulars().map(|particulars| particulars.aim.prohibited.as_slice());
    prohibited.unwrap_or_default().iter().map(|one| rule(exported, &action(*one))).collect()
}

/// What the consumer owes, whether or not it asks: so no duties of permissions, which would come before asking.
pub(super) fn obligations(exported: &Exported<'_>) -> Vec<Value> {
    let Some(particulars) = exported.particulars() else { return Vec::new() };
    vec![disposal(exported, particulars), breach(exported, particulars), review(exported, particulars)]
}

fn disposal(exported: &Exported<'_>, particulars: &Particulars) -> Value {
    let keeping = &particulars.keeping;
    let word = match keeping.disposal {
        Disposal::Deleted => "delete",
        Disposal::Archived => "archive",
        Disposal::Returned => "tolbooth:return",
    };
    let period = keeping.consumer.as_deref().unwrap_or("P0D");
    with(exported, word, vec![within(period)])
}

fn breach(exported: &Exported<'_>, particulars: &Particulars) -> Value {
    let after =
        json!({ "leftOperand": "event", "operator": "gt", "rightOperand": { "uid": "tolbooth:breach" } });
    let hours = format!("PT{}H", particulars.security.breach_hours);
    let mut duty = with(exported, "inform", vec![after, within(&hours)]);
    set(&mut duty, "informedParty", json!(exported.assigner));
    duty
}

fn review(exported: &Exported<'_>, particulars: &Particulars) -> Value {
    let due = json!({ "@value": particulars.review_due.to_string(), "@type": "xsd:date" });
    let by = json!({ "leftOperand": "dateTime", "operator": "lteq", "rightOperand": due });
    with(exported, "reviewPolicy", vec![by])
}

/// At most this long after what it follows.
fn within(period: &str) -> Value {
    let period = json!({ "@value": period, "@type": "xsd:duration" });
    json!({ "leftOperand": "delayPeriod", "operator": "lteq", "rightOperand": period })
}

fn with(exported: &Exported<'_>, word: &str, constraint: Vec<Value>) -> Value {
    let mut rule = rule(exported, word);
    set(&mut rule, "constraint", Value::Array(constraint));
    rule
}

fn rule(exported: &Exported<'_>, word: &str) -> Value {
    json!({
        "target": exported.view, "assigner": exported.assigner, "assignee": exported.assignee, "action": word,
    })
}

fn set(rule: &mut Value, key: &str, value: Value) {
    if let Value::Object(rule) = rule {
        rule.insert(key.to_owned(), value);
    }
}
