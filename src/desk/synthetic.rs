//! What a sandbox answers with: rows made from a contract alone, and from the conditions agreements put
//! on rows, so that there is something that may leave.

use std::collections::HashMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::contract::{self, ExampleFault, NoWishes, Which, Wishes};
use crate::model::{
    Cardinality, Check, Contract, Fault, Faults, FieldPath, Literal, Operation, OperationId, Property, Rows,
    Scalar, Shape, Test,
};
use crate::policy::Agreement;
use crate::source::{MadeUp, Source};

/// Rows of one operation, each unlike the others.
const ROWS: usize = 8;

/// What rows are made up from.
#[derive(Clone, Copy)]
pub(super) struct Sandbox<'a> {
    pub(super) agreements: &'a [Agreement],
    pub(super) today: Date,
}

/// Why a sandbox could not answer with this contract, a sentence for each operation; none if it could.
pub fn without_examples(contract: &Contract) -> Vec<String> {
    let faults = made_up(contract, &[], Date::MIN).err().unwrap_or_default();
    faults.iter().map(|(operation, fault)| format!("`{operation}`: {fault}")).collect()
}

impl Sandbox<'_> {
    /// A source for a dataset; `file` is its contract's.
    pub(super) fn source(self, file: &str, contract: &Contract) -> Result<Source, Faults> {
        let on_it = self.agreements.iter().filter(|agreement| agreement.dataset == contract.version);
        let conditions: Vec<&Rows> = on_it.map(|agreement| &agreement.release.rows).collect();
        made_up(contract, &conditions, self.today).map(Source::synthetic).map_err(|wrong| {
            let mut faults = Faults::default();
            for (operation, fault) in wrong {
                faults.push(Fault::new(file, None, format!("`{operation}`: {fault}")));
            }
            faults
        })
    }
}

/// Rows for every operation of a contract. `conditions` are those of the agreements on this dataset.
///
/// # Errors
/// The operation and place for which no example can be made.
fn made_up(
    contract: &Contract,
    conditions: &[&Rows],
    today: Date,
) -> Result<HashMap<OperationId, MadeUp>, Vec<(OperationId, ExampleFault)>> {
    let mut made = HashMap::new();
    let mut faults = Vec::new();
    for operation in &contract.operations {
        match one(operation, conditions, today) {
            Ok(one) => drop(made.insert(operation.id.clone(), one)),
            Err(fault) => faults.push((operation.id.clone(), fault)),
        }
    }
    if faults.is_empty() { Ok(made) } else { Err(faults) }
}

fn one(operation: &Operation, conditions: &[&Rows], today: Date) -> Result<MadeUp, ExampleFault> {
    let question = Which { variant: 0, whole: false };
    let question = contract::example(&operation.question_schema, question, &NoWishes)?;
    let row_schema = match operation.cardinality {
        Cardinality::Single => &operation.answer_schema,
        Cardinality::List => operation.answer_schema.get("items").unwrap_or(&operation.answer_schema),
    };
    let row = |variant: usize| {
        // The first two meet the conditions, with all there may be and with the least; of the others each
        // second does not try to, so that a partner meets rows that are kept back as well.
        let which = Which { variant, whole: variant.is_multiple_of(2) };
        if variant < 2 || variant.is_multiple_of(2) {
            contract::example(row_schema, which, &Conditions { conditions, today })
        } else {
            contract::example(row_schema, which, &NoWishes)
        }
    };
    let rows = (0..ROWS).map(row).collect::<Result<Vec<Value>, _>>()?;
    let echoes = echoes(operation, row_schema);
    Ok(MadeUp { cardinality: operation.cardinality, question, rows, echoes })
}

/// Where a row says whom it is about, in the same words as the question.
fn echoes(operation: &Operation, row_schema: &Value) -> Vec<(String, String)> {
    let properties = |shape: &'_ Shape| match shape {
        Shape::Object(object) => object.properties.clone(),
        _ => Vec::new(),
    };
    let asked: Vec<Property> = properties(&operation.question);
    let told: Vec<Property> = properties(operation.answer.row());
    let rules = |schema: &Value, name: &str| {
        let mut rules = schema.get("properties").and_then(|all| all.get(name)).cloned().unwrap_or_default();
        if let Some(rules) = rules.as_object_mut() {
            rules.retain(|name, _| {
                !name.starts_with("x-") && !["title", "description", "examples"].contains(&name.as_str())
            });
        }
        rules
    };
    let repeats = |asked: &&Property, told: &&Property| {
        let same_kind = asked.marks.subject.is_some() && asked.marks.subject == told.marks.subject;
        let same_name = asked.marks.key && asked.name == told.name;
        let scalar = matches!(asked.shape, Shape::Scalar(Scalar { .. }));
        // A row must fit the contract whatever was asked for.
        let free = rules(row_schema, &told.name) == json!({ "type": "string" });
        let same_rules = rules(&operation.question_schema, &asked.name) == rules(row_schema, &told.name);
        scalar && (same_kind || same_name) && (same_rules || free)
    };
    asked
        .iter()
        .filter_map(|asked| {
            let told = told.iter().find(|told| repeats(&asked, told))?;
            Some((asked.name.to_string(), told.name.to_string()))
        })
        .collect()
}

/// What agreements ask of rows, as wishes. Where two ask what no row can be, the first has its way.
struct Conditions<'a> {
    conditions: &'a [&'a Rows],
    today: Date,
}

impl Conditions<'_> {
    fn tests(&self, path: &FieldPath) -> impl Iterator<Item = &Test> {
        let all = self.conditions.iter().flat_map(|rows| rows.tests());
        all.filter(move |test| test.field == *path)
    }

    fn suggested(&self, check: &Check) -> Vec<Value> {
        match check {
            Check::Is(value) | Check::AtLeast(value) | Check::AtMost(value) => vec![literal(value)],
            Check::In(values) => values.iter().map(literal).collect(),
            Check::NotIn(_) => Vec::new(),
            Check::Within { .. } | Check::NotBeforeToday => {
                vec![json!(self.today.to_string()), json!(format!("{}T12:00:00Z", self.today))]
            }
        }
    }
}

impl Wishes for Conditions<'_> {
    fn first(&self, path: &FieldPath) -> Vec<Value> {
        self.tests(path).flat_map(|test| self.suggested(&test.check)).collect()
    }

    fn admits(&self, path: &FieldPath, value: &Value) -> bool {
        self.tests(path).all(|test| match &test.check {
            Check::Is(wanted) => *value == literal(wanted),
            Check::In(wanted) => wanted.iter().any(|wanted| *value == literal(wanted)),
            Check::NotIn(unwanted) => !unwanted.iter().any(|unwanted| *value == literal(unwanted)),
            // What is suggested meets these, and comes first.
            Check::AtLeast(_) | Check::AtMost(_) | Check::Within { .. } | Check::NotBeforeToday => {
                self.suggested(&test.check).contains(value)
            }
        })
    }
}

fn literal(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => json!(text),
        Literal::Integer(number) => json!(number),
        Literal::Number(number) => json!(number),
        Literal::Boolean(value) => json!(value),
        Literal::Date(date) => json!(date),
    }
}
