//! Which records may leave: `all`, or tests such as `status in registered, pre-birth or ended_on within P12M`. What
//! is said is written as `[data.rows]` would have it and read by its reader.

use crate::model::{Fault, FieldPath, Format, Rows, ScalarKind, Shape};
use crate::policy;

use super::words::wrong;

/// The checks, longest first, so that `in` is not found inside another.
const CHECKS: [&str; 7] = ["not_before_today", "at_least", "at_most", "not_in", "within", "in", "is"];

pub(super) fn parse(given: &str, rows: &[Shape]) -> Result<Rows, Fault> {
    if given == "all" {
        return Ok(Rows::Every);
    }
    let (all, any) = (split(given, "and"), split(given, "or"));
    let (which, tests) = match (all.len(), any.len()) {
        (_, 1) => ("all", all),
        (1, _) => ("any", any),
        _ => {
            return Err(wrong("`and` and `or` stand in one condition")
                .with_help("all tests have to hold, or any of them; write anything else into the file"));
        }
    };
    let tests: Vec<String> = tests.iter().map(|test| inline(test, rows)).collect::<Result<_, _>>()?;
    let text = format!("{which} = [{}]\n", tests.join(", "));
    policy::load_rows("answer", &text).map_err(|faults| {
        let first = faults.0.into_iter().next();
        first.unwrap_or_else(|| wrong("not a condition"))
    })
}

/// The parts between a word of its own, which does not stand in quotes.
fn split<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let needle = format!(" {word} ");
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(&needle)) {
        let here = at + found;
        let quotes = text.get(..here).map_or(0, |before| before.matches('"').count());
        at = here + needle.len();
        if quotes % 2 == 0 {
            parts.extend(text.get(from..here));
            from = at;
        }
    }
    parts.extend(text.get(from..));
    parts.into_iter().map(str::trim).collect()
}

/// One test as an inline table.
fn inline(test: &str, rows: &[Shape]) -> Result<String, Fault> {
    let (field, rest) = test.split_once(' ').unwrap_or((test, ""));
    let path = FieldPath::parse(field).map_err(|error| wrong(error.to_string()))?;
    let rest = rest.trim();
    let check = CHECKS.iter().find(|check| rest.split_whitespace().next() == Some(**check));
    let Some(check) = check else {
        return Err(wrong(format!("what is asked of `{path}` is not said")).with_help(
            "one of: is, in, not_in, at_least, at_most, within, not_before_today, and then the value",
        ));
    };
    let value = rest.strip_prefix(check).unwrap_or_default().trim();
    let one = |value: &str| literal(value, &path, rows);
    let written = match *check {
        "not_before_today" => "true".to_owned(),
        "within" => quoted(value),
        "in" | "not_in" => {
            let values: Vec<String> = value.split(',').map(|value| one(value.trim())).collect();
            format!("[{}]", values.join(", "))
        }
        _ => one(value),
    };
    Ok(format!("{{ field = {}, {check} = {written} }}", quoted(&path.to_string())))
}

/// A value as the contract types its field: in quotes, unless it is a number, a date or true or false.
fn literal(value: &str, path: &FieldPath, rows: &[Shape]) -> String {
    let scalar = rows.iter().find_map(|row| match row.at(path) {
        Some((Shape::Scalar(scalar), _)) => Some(scalar),
        _ => None,
    });
    let text = scalar.is_none_or(|scalar| {
        let dated = matches!(scalar.format, Some(Format::Date | Format::DateTime));
        matches!(scalar.kind, ScalarKind::String | ScalarKind::Null) && !dated
    });
    // What is none of them is put in quotes, and refused as one.
    let plain =
        !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._:".contains(&b));
    if text || !plain { quoted(value) } else { value.to_owned() }
}

/// Backslash and quote escaped; what was in quotes already is not quoted twice.
fn quoted(text: &str) -> String {
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    format!("\"{}\"", bare.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(answer: &str) -> Result<Rows, Fault> {
        let contract = include_str!("../../../schemas/child-protection.v1.json");
        let contract = crate::contract::load("c.json", contract).unwrap();
        let shapes: Vec<Shape> = contract.operations.iter().map(|one| one.answer.row().clone()).collect();
        parse(answer, &shapes)
    }

    fn same(answer: &str, text: &str) {
        assert_eq!(rows(answer).unwrap(), policy::load_rows("t", text).unwrap(), "{answer}");
    }

    #[test]
    fn a_condition_reads_as_the_file_would() {
        same(
            "status in registered, pre-birth or ended_on within P12M",
            "any = [{ field = \"status\", in = [\"registered\", \"pre-birth\"] }, { field = \"ended_on\", within = \"P12M\" }]",
        );
        same(
            "registered is true and recent_enquiries at_least 2 and ended_on not_in 2026-01-01",
            "all = [{ field = \"registered\", is = true }, { field = \"recent_enquiries\", at_least = 2 }, \
             { field = \"ended_on\", not_in = [2026-01-01] }]",
        );
        // What stands in quotes is a value, whatever its words are.
        same("category is \"harm or neglect\"", "all = [{ field = \"category\", is = \"harm or neglect\" }]");
        assert_eq!(rows("all").unwrap(), Rows::Every);
    }

    #[test]
    fn what_is_no_condition_says_why() {
        for (answer, wanted) in [
            ("status in a and status in b or registered is true", "`and` and `or`"),
            ("status", "is not said"),
            ("status equals registered", "is not said"),
            ("ended_on within a year", "is not a period"),
            ("recent_enquiries at_least \"2\" }, { x", "a number or a date"),
            ("", "is not a field"),
        ] {
            let fault = rows(answer).unwrap_err();
            assert!(fault.message.contains(wanted), "{answer}: {fault}");
        }
    }
}
