//! Which rows may leave. A row is judged before its fields are looked at, by values the contract
//! requires; a row that cannot be judged stops the answer and is never admitted.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;

use super::days;
use super::fault::{MinimiseFault, MinimiseFaultKind};
use super::route::Glance;
use super::sources::Sources;
use super::transform::Context;
use crate::json::{Kind, Node};
use crate::model::{
    Check, FieldPath, Format, Literal, Mapping, Operation, Release, Rows, Scalar, ScalarKind, Shape, Step,
    Test,
};

/// A row condition made ready.
#[derive(Debug)]
pub(super) struct Condition {
    tests: Vec<Judge>,
    /// All must hold; else one is enough.
    all: bool,
}

/// One test, and how to get at what it tests.
#[derive(Debug)]
struct Judge {
    field: Arc<str>,
    /// A JSON Pointer for each object on the way.
    way: Vec<String>,
    /// The name of a member of the row itself, where that is the whole way.
    name: Option<String>,
    kind: ScalarKind,
    nullable: bool,
    format: Option<Format>,
    /// The closed list of the contract: another value is not what officers judged by.
    values: Option<Vec<Operand<'static>>>,
    check: Judgement,
}

#[derive(Debug)]
enum Judgement {
    In(Vec<Operand<'static>>),
    NotIn(Vec<Operand<'static>>),
    AtLeast(Operand<'static>),
    AtMost(Operand<'static>),
    Within { months: u32, days: u32 },
    NotBeforeToday,
}

/// A value to compare by, of an agreement or of a row.
#[derive(Debug, Clone)]
enum Operand<'v> {
    Text(Cow<'v, str>),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Day(Date),
}

impl Operand<'_> {
    /// `None` where the two are of different types.
    fn order(&self, other: &Operand<'_>) -> Option<Ordering> {
        match (self, other) {
            (Operand::Text(a), Operand::Text(b)) => Some(a.cmp(b)),
            (Operand::Boolean(a), Operand::Boolean(b)) => Some(a.cmp(b)),
            (Operand::Day(a), Operand::Day(b)) => Some(a.cmp(b)),
            (Operand::Integer(a), Operand::Integer(b)) => Some(a.cmp(b)),
            (a, b) => a.number()?.partial_cmp(&b.number()?),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Operand::Integer(number) => Some(*number as f64),
            Operand::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn is_any(&self, any: &[Operand<'_>]) -> bool {
        any.iter().any(|one| self.order(one) == Some(Ordering::Equal))
    }
}

impl Condition {
    /// # Errors
    /// Every test that could not be judged by, one sentence each.
    pub fn compile(operation: &Operation, release: &Release, mapping: &Mapping) -> Result<Self, Vec<String>> {
        let sources = Sources::of(operation, mapping)?;
        let mut faults = Vec::new();
        let mut tests = Vec::new();
        if release.rows != Rows::Every && release.rows.tests().is_empty() {
            faults.push(
                "a row condition has at least one test; `all_rows = true` is how to say every row".into(),
            );
        }
        for test in release.rows.tests() {
            match Judge::compile(operation.answer.row(), test, &sources) {
                Ok(judge) => tests.push(judge),
                Err(fault) => faults.push(format!("row condition over `{}`: {fault}", test.field)),
            }
        }
        let all = !matches!(release.rows, Rows::Any(_));
        if faults.is_empty() { Ok(Self { tests, all }) } else { Err(faults) }
    }

    /// One for each test, to look at rows with.
    pub fn glances(&self) -> Vec<Glance> {
        self.tests.iter().map(|_| Glance::default()).collect()
    }

    /// Whether a row may leave. Every test is judged, so that what is unclear is seen whatever the
    /// others say. `glances` are of this condition, over the rows of one document.
    pub fn admits(
        &self,
        row: Node<'_>,
        context: &Context<'_>,
        glances: &mut [Glance],
    ) -> Result<bool, MinimiseFault> {
        let mut holding = 0;
        for (test, glance) in self.tests.iter().zip(glances) {
            holding += usize::from(test.holds(row, context, glance)?);
        }
        Ok(if self.all { holding == self.tests.len() } else { holding > 0 })
    }

    /// Which tests a row meets, in the order of the agreement.
    pub fn each(&self, row: Node<'_>, context: &Context<'_>) -> Result<Vec<bool>, MinimiseFault> {
        let mut glances = self.glances();
        let tests = self.tests.iter().zip(&mut glances);
        tests.map(|(test, glance)| test.holds(row, context, glance)).collect()
    }
}

impl Judge {
    fn compile(row: &Shape, test: &Test, sources: &Sources<'_>) -> Result<Self, String> {
        let (shape, always) = row.at(&test.field).ok_or("the contract has no such field")?;
        let Shape::Scalar(scalar) = shape else {
            return Err("the contract has more than one value there".into());
        };
        if !always {
            return Err("the contract must require it, and all it belongs to".into());
        }
        let values =
            scalar.values.as_ref().map(|values| values.iter().filter_map(listed).collect::<Vec<_>>());
        let check = Judgement::compile(&test.check, scalar)?;
        let named = match &check {
            Judgement::In(any) | Judgement::NotIn(any) => any.as_slice(),
            _ => &[],
        };
        if let Some(values) = &values
            && !days::has_days(scalar.format)
            && !named.iter().all(|one| one.is_any(values))
        {
            return Err("the contract lists the values it may have, and this is none of them".into());
        }
        let way = way(&test.field, sources);
        Ok(Self {
            field: test.field.to_string().into(),
            name: member(&way),
            way,
            kind: scalar.kind,
            nullable: scalar.nullable,
            format: scalar.format,
            values,
            check,
        })
    }

    fn holds(
        &self,
        row: Node<'_>,
        context: &Context<'_>,
        glance: &mut Glance,
    ) -> Result<bool, MinimiseFault> {
        let unclear = || MinimiseFault { field: self.field.clone(), kind: MinimiseFaultKind::RowUnclear };
        let mut node = row;
        for pointer in &self.way {
            if node.kind() != Kind::Object {
                return Err(unclear());
            }
            node = match &self.name {
                Some(name) => glance.get(node, name),
                None => node.pointer(pointer),
            }
            .ok_or_else(unclear)?;
        }
        if node.is_null() && self.nullable {
            return Ok(matches!(self.check, Judgement::NotIn(_)));
        }
        let plain = self.read(node).ok_or_else(unclear)?;
        if self.values.as_ref().is_some_and(|values| !plain.is_any(values)) {
            return Err(unclear());
        }
        let value = match &plain {
            Operand::Text(text) if days::has_days(self.format) => {
                Operand::Day(days::day(text, self.format, context.zone).ok_or_else(unclear)?)
            }
            _ => plain,
        };
        self.check.holds(&value, context.today).ok_or_else(unclear)
    }

    /// The value, if it is of the contract's type.
    fn read<'d>(&self, node: Node<'d>) -> Option<Operand<'d>> {
        match self.kind {
            ScalarKind::String => node.text().map(Operand::Text),
            ScalarKind::Boolean => node.boolean().map(Operand::Boolean),
            ScalarKind::Integer | ScalarKind::Number => {
                let number = node.number()?;
                if self.kind == ScalarKind::Integer && number.fract() != 0.0 {
                    return None;
                }
                Some(node.integer().map_or(Operand::Number(number), Operand::Integer))
            }
            ScalarKind::Null => None,
        }
    }
}

impl Judgement {
    fn compile(check: &Check, scalar: &Scalar) -> Result<Self, String> {
        let operand = |literal: &Literal| operand(literal, scalar);
        let operands = |any: &[Literal]| match any {
            [] => Err("an empty list says nothing".to_owned()),
            any => any.iter().map(operand).collect(),
        };
        let ordered = |literal: &Literal| match operand(literal)? {
            Operand::Text(_) | Operand::Boolean(_) => Err("only numbers and dates have an order".to_owned()),
            ordered => Ok(ordered),
        };
        let of_day = |made: Self| {
            if days::has_days(scalar.format) {
                Ok(made)
            } else {
                Err("this is for a date or date-time".to_owned())
            }
        };
        match check {
            Check::Is(literal) => Ok(Self::In(vec![operand(literal)?])),
            Check::In(any) => Ok(Self::In(operands(any)?)),
            Check::NotIn(any) => Ok(Self::NotIn(operands(any)?)),
            Check::AtLeast(literal) => Ok(Self::AtLeast(ordered(literal)?)),
            Check::AtMost(literal) => Ok(Self::AtMost(ordered(literal)?)),
            Check::Within { months, days } => of_day(Self::Within { months: *months, days: *days }),
            Check::NotBeforeToday => of_day(Self::NotBeforeToday),
        }
    }

    /// `None` where the two cannot be compared.
    fn holds(&self, value: &Operand<'_>, today: Date) -> Option<bool> {
        Some(match (self, value) {
            (Self::In(any), _) => value.is_any(any),
            (Self::NotIn(any), _) => !value.is_any(any),
            (Self::AtLeast(low), _) => value.order(low)? != Ordering::Less,
            (Self::AtMost(high), _) => value.order(high)? != Ordering::Greater,
            (Self::Within { months, days }, Operand::Day(day)) => {
                let period = i32::try_from(*months).ok()?.months().try_days(i64::from(*days)).ok()?;
                // A period that begins before all time holds every day up to today.
                let begins = today.checked_sub(period).unwrap_or(Date::MIN);
                begins <= *day && *day <= today
            }
            (Self::NotBeforeToday, Operand::Day(day)) => *day >= today,
            _ => return None,
        })
    }
}

/// What an agreement wrote, as the field's type.
fn operand(literal: &Literal, scalar: &Scalar) -> Result<Operand<'static>, String> {
    let day = |text: &str| days::date(text).map(Operand::Day);
    let made = match (literal, scalar.kind) {
        (Literal::Date(text) | Literal::Text(text), ScalarKind::String) if days::has_days(scalar.format) => {
            day(text)
        }
        (Literal::Text(text), ScalarKind::String) => Some(Operand::Text(Cow::Owned(text.clone()))),
        (Literal::Boolean(flag), ScalarKind::Boolean) => Some(Operand::Boolean(*flag)),
        (Literal::Integer(number), ScalarKind::Integer | ScalarKind::Number) => {
            Some(Operand::Integer(*number))
        }
        (Literal::Number(number), ScalarKind::Number) => Some(Operand::Number(*number)),
        _ => None,
    };
    made.ok_or_else(|| {
        let format =
            scalar.format.map(|format| format!(" of format {}", format.as_str())).unwrap_or_default();
        format!("it is compared with what is not a {}{format}", scalar.kind.as_str())
    })
}

/// A value the contract lists, as it is written.
fn listed(value: &serde_json::Value) -> Option<Operand<'static>> {
    match value {
        serde_json::Value::String(text) => Some(Operand::Text(Cow::Owned(text.clone()))),
        serde_json::Value::Bool(flag) => Some(Operand::Boolean(*flag)),
        serde_json::Value::Number(number) => {
            number.as_i64().map(Operand::Integer).or_else(|| number.as_f64().map(Operand::Number))
        }
        _ => None,
    }
}

/// The name of the one member a way leads to, if no more is to it.
fn member(way: &[String]) -> Option<String> {
    let [pointer] = way else { return None };
    pointer.strip_prefix('/').filter(|name| !name.contains(['/', '~'])).map(str::to_owned)
}

fn way(field: &FieldPath, sources: &Sources<'_>) -> Vec<String> {
    let mut at = FieldPath::root();
    let mut way = Vec::new();
    for step in field.steps() {
        // A field the contract always has lies below no list.
        if let Step::Property(name) = step {
            at = at.property(name);
            way.push(sources.pointer(&at, name));
        }
    }
    way
}
