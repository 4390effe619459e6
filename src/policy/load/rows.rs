//! Row conditions: `all_rows = true`, or `[data.rows]` with `all` or `any` of tests. Whether a
//! field exists and is required is for `minimise/`, which knows the contract.

use crate::config::strict::{self, Item, Table};
use crate::model::{Check, Faults, FieldPath, Literal, Rows, Test, suggestion};

use super::plain_of;

/// A period longer than a lifetime is a typing mistake.
const PERIOD_DAYS_MAX: u32 = 150 * 366;

pub(super) fn read(data: &Table<'_>) -> Option<Rows> {
    const WANTED: &str = "say `all_rows = true`, or [data.rows] with `all` or `any`";
    let every = data.optional("all_rows");
    let rows = data.optional("rows");
    match (every, rows) {
        (Some(every), None) => {
            let said = every.boolean()?;
            if !said {
                every.fault_with_help("there is no other meaning than `true`", Some(WANTED.to_owned()));
            }
            said.then_some(Rows::Every)
        }
        (None, Some(rows)) => rows.table().and_then(|table| condition(&table)),
        (Some(every), Some(rows)) => {
            every.fault("stands beside [data.rows]: one of the two");
            // Its own faults belong to the same round.
            rows.table().and_then(|table| condition(&table));
            None
        }
        (None, None) => {
            data.fault_with_help("which rows may leave is not said", WANTED);
            None
        }
    }
}

/// Reads what would stand in `[data.rows]`, alone.
pub fn load_rows(name: &str, text: &str) -> Result<Rows, Faults> {
    strict::read(name, text, condition)
}

fn condition(table: &Table<'_>) -> Option<Rows> {
    let all = table.optional("all").map(|item| tests(&item));
    let any = table.optional("any").map(|item| tests(&item));
    match (all, any) {
        (Some(tests), None) => tests.map(Rows::All),
        (None, Some(tests)) => tests.map(Rows::Any),
        _ => {
            table.fault("[data.rows] wants one of `all` and `any`");
            None
        }
    }
}

fn tests(item: &Item<'_>) -> Option<Vec<Test>> {
    let items = item.list()?;
    if items.is_empty() {
        item.fault("wants at least one test");
        return None;
    }
    // All are read before one that is missing ends it: every fault comes at once.
    let read: Vec<Option<Test>> =
        items.into_iter().map(|item| item.table().and_then(|table| test(&table))).collect();
    read.into_iter().collect()
}

fn test(table: &Table<'_>) -> Option<Test> {
    let field = table.required("field").and_then(|item| item.parsed(FieldPath::parse));
    // Each asked for, so that none is unknown; exactly one may be there.
    let given: Vec<(&str, Item<'_>)> =
        CHECKS.iter().filter_map(|name| table.optional(name).map(|item| (*name, item))).collect();
    let check = match given.as_slice() {
        [(name, item)] => check(name, item),
        [] => {
            table.fault_with_help("a test without a check", format!("one of: {}", CHECKS.join(", ")));
            None
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| *name).collect();
            table.fault_with_help(
                format!("several checks in one test: {}", names.join(", ")),
                "write a test for each",
            );
            None
        }
    };
    Some(Test { field: field?, check: check? })
}

const CHECKS: [&str; 7] = ["is", "in", "not_in", "at_least", "at_most", "within", "not_before_today"];

fn check(name: &str, item: &Item<'_>) -> Option<Check> {
    match name {
        "is" => literal(item).map(Check::Is),
        "in" => literals(item).map(Check::In),
        "not_in" => literals(item).map(Check::NotIn),
        "at_least" => bound(item).map(Check::AtLeast),
        "at_most" => bound(item).map(Check::AtMost),
        "within" => period(item),
        _ => {
            let said = item.boolean()?;
            if !said {
                item.fault("there is no other meaning than `true`");
            }
            said.then_some(Check::NotBeforeToday)
        }
    }
}

fn literal(item: &Item<'_>) -> Option<Literal> {
    if item.is_text() {
        plain_of(item).map(|text| Literal::Text(text.to_owned()))
    } else if item.is_integer() {
        item.integer().map(Literal::Integer)
    } else if item.is_float() {
        item.number().map(Literal::Number)
    } else if item.is_boolean() {
        item.boolean().map(Literal::Boolean)
    } else if item.is_date() {
        item.date().map(|date| Literal::Date(date.to_string()))
    } else {
        item.fault("a text, number, true, false or date is wanted here");
        None
    }
}

/// Numbers with and without a fraction are one kind.
fn kind(literal: &Literal) -> &'static str {
    match literal {
        Literal::Text(_) => "text",
        Literal::Integer(_) | Literal::Number(_) => "number",
        Literal::Boolean(_) => "true or false",
        Literal::Date(_) => "date",
    }
}

fn literals(item: &Item<'_>) -> Option<Vec<Literal>> {
    let items = item.list()?;
    let read: Vec<Option<Literal>> = items.iter().map(literal).collect();
    let out: Vec<Literal> = read.into_iter().collect::<Option<_>>()?;
    let Some(first) = out.first() else {
        item.fault("wants at least one value");
        return None;
    };
    for (index, (literal, at)) in out.iter().zip(&items).enumerate() {
        if kind(literal) != kind(first) {
            at.fault(format!("a {} among values that are a {}", kind(literal), kind(first)));
            return None;
        }
        if out.iter().take(index).any(|before| before == literal) {
            at.fault("is listed twice");
            return None;
        }
    }
    Some(out)
}

/// What has an order: numbers and dates.
fn bound(item: &Item<'_>) -> Option<Literal> {
    let literal = literal(item)?;
    if matches!(literal, Literal::Text(_) | Literal::Boolean(_)) {
        item.fault(format!("a number or a date is wanted here, not {}", kind(&literal)));
        return None;
    }
    Some(literal)
}

/// An ISO 8601 duration of years, months, weeks and days: `P12M`, `P1Y6M`, `P90D`.
fn period(item: &Item<'_>) -> Option<Check> {
    let text = item.text()?;
    let period = parse_period(text).filter(|(months, days)| {
        let total = months.saturating_mul(31).saturating_add(*days);
        (1..=PERIOD_DAYS_MAX).contains(&total)
    });
    let Some((months, days)) = period else {
        item.fault_with_help(
            format!("`{text}` is not a period"),
            suggestion(text, ["P12M", "P1Y", "P90D", "P2W"]),
        );
        return None;
    };
    Some(Check::Within { months, days })
}

/// Months and days; each unit at most once, in their order.
fn parse_period(text: &str) -> Option<(u32, u32)> {
    let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
    let (mut months, mut days) = (0_u32, 0_u32);
    let mut units = ['Y', 'M', 'W', 'D'].into_iter();
    while !rest.is_empty() {
        let at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(at)?;
        let number: u32 = number.parse().ok()?;
        let mut chars = tail.chars();
        let unit = chars.next()?;
        // Only what has not been passed: `P1M1Y` and `P1M1M` are no periods.
        units.find(|known| *known == unit)?;
        match unit {
            'Y' => months = months.checked_add(number.checked_mul(12)?)?,
            'M' => months = months.checked_add(number)?,
            'W' => days = days.checked_add(number.checked_mul(7)?)?,
            _ => days = days.checked_add(number)?,
        }
        rest = chars.as_str();
    }
    Some((months, days))
}
