//! Sections 2 and 3 of the template: what the data is, what leaves of it, and how it is asked for.

use crate::model::{Check, DAYS, Hours, Literal, Release, Rows, Test, Transform};
use crate::policy::agreement::{Agreement, Limits};
use crate::policy::particulars::{Description, FieldReason, Particulars};

use super::lines::{Lines, inline, number, quoted};

pub(super) fn write(lines: &mut Lines, agreement: &Agreement) {
    lines.heading("2 Description of information");
    lines.table("[dataset]");
    lines.text_of("id", &agreement.dataset.dataset);
    lines.key("major", agreement.dataset.major);
    lines.texts("operations", &agreement.operations);
    let particulars = agreement.particulars.as_deref();
    lines.text_if("system_of_record", particulars.map(|said| &said.description.system_of_record));
    lines.table("[data]");
    if let Some(said) = particulars {
        description(lines, &said.description);
    }
    lines.remark(
        "Together `release` and `withhold` name every field of the contract. Nothing else can leave.",
    );
    let reasons = particulars.map(|said| said.description.fields.as_slice()).unwrap_or_default();
    release(lines, &agreement.release, reasons);
    lines.heading("3 Manner of sharing");
    if let Some(said) = particulars {
        flow(lines, said);
        access(lines, agreement, said);
    }
    lines.table("[limits]");
    limits(lines, agreement.limits);
    lines.table("[emergency]");
    lines.key("allowed", false);
}

fn description(lines: &mut Lines, said: &Description) {
    lines.texts("subjects", &said.subjects);
    lines.texts("special_categories", &said.special);
    lines.key("criminal_offence", said.criminal_offence);
    if let Some(small) = said.small_number {
        let entries = [
            ("below", small.below.to_string()),
            ("round_to", small.round_to.to_string()),
            ("secondary", small.secondary.to_string()),
        ];
        lines.key("small_number", inline(&entries));
    }
}

fn release(lines: &mut Lines, release: &Release, reasons: &[FieldReason]) {
    let reasons = reasons.iter().map(Some).chain(std::iter::repeat(None));
    let items: Vec<String> = release
        .fields
        .iter()
        .zip(reasons)
        .map(|((path, transform), reason)| {
            let mut entries = vec![("field", quoted(&path.to_string()))];
            entries.extend(change(transform));
            if let Some(reason) = reason {
                entries.push(("why", quoted(&reason.why)));
                entries.extend(reason.holds.map(|holds| ("holds", quoted(holds.as_str()))));
            }
            inline(&entries)
        })
        .collect();
    lines.list("release", &items);
    if !release.withhold.is_empty() {
        lines.texts("withhold", &release.withhold);
    }
    match &release.rows {
        Rows::Every => lines.key("all_rows", true),
        Rows::All(tests) => rows(lines, "all", tests),
        Rows::Any(tests) => rows(lines, "any", tests),
    }
}

/// A transform's keys; of none there are none.
fn change(transform: &Transform) -> Vec<(&'static str, String)> {
    let mut entries = match transform {
        Transform::None => return Vec::new(),
        other => vec![("transform", quoted(other.name()))],
    };
    match transform {
        Transform::AgeBand { bands } => {
            let bands: Vec<String> = bands
                .iter()
                .map(|band| inline(&[("from", band.from.to_string()), ("label", quoted(&band.label))]))
                .collect();
            entries.push(("bands", format!("[{}]", bands.join(", "))));
        }
        Transform::MaskKeepLast { characters } => entries.push(("characters", characters.to_string())),
        Transform::CodeMap { table } => {
            let codes: Vec<String> =
                table.iter().map(|(code, to)| format!("{} = {}", quoted(code), quoted(to))).collect();
            entries.push(("table", format!("{{ {} }}", codes.join(", "))));
        }
        Transform::Round { to } => entries.push(("to", number(*to))),
        _ => {}
    }
    entries
}

fn rows(lines: &mut Lines, which: &str, tests: &[Test]) {
    lines.table("[data.rows]");
    let items: Vec<String> = tests
        .iter()
        .map(|test| {
            let (name, value) = check(&test.check);
            inline(&[("field", quoted(&test.field.to_string())), (name, value)])
        })
        .collect();
    lines.list(which, &items);
}

fn check(check: &Check) -> (&'static str, String) {
    let all = |values: &[Literal]| {
        let values: Vec<String> = values.iter().map(literal).collect();
        format!("[{}]", values.join(", "))
    };
    match check {
        Check::Is(value) => ("is", literal(value)),
        Check::In(values) => ("in", all(values)),
        Check::NotIn(values) => ("not_in", all(values)),
        Check::AtLeast(value) => ("at_least", literal(value)),
        Check::AtMost(value) => ("at_most", literal(value)),
        Check::Within { months, days } => ("within", quoted(&period(*months, *days))),
        Check::NotBeforeToday => ("not_before_today", true.to_string()),
    }
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Text(text) => quoted(text),
        Literal::Integer(whole) => whole.to_string(),
        Literal::Number(value) => number(*value),
        Literal::Boolean(value) => value.to_string(),
        Literal::Date(date) => date.clone(),
    }
}

/// `P12M`, `P90D`, `P1M30D`.
fn period(months: u32, days: u32) -> String {
    match (months, days) {
        (0, days) => format!("P{days}D"),
        (months, 0) => format!("P{months}M"),
        (months, days) => format!("P{months}M{days}D"),
    }
}

fn flow(lines: &mut Lines, said: &Particulars) {
    lines.table("[flow]");
    lines.text_of("response", said.flow.response);
    lines.text_of("trigger", said.flow.trigger);
    lines.text_of("frequency", said.flow.frequency);
    lines.text_of("notify_owner", "never");
}

fn limits(lines: &mut Lines, limits: Limits) {
    lines.key("per_minute", limits.per_minute);
    limits.per_day.iter().for_each(|most| lines.key("per_day", most));
    limits.per_user_per_day.iter().for_each(|most| lines.key("per_user_per_day", most));
    limits.rows_per_answer.iter().for_each(|most| lines.key("rows_per_answer", most));
}

/// The open spans of each day; at any hour there is nothing to say.
fn hours(lines: &mut Lines, hours: &Hours) {
    let Hours::Week(week) = hours else { return };
    let days: Vec<(&str, String)> = DAYS
        .iter()
        .zip(week.iter())
        .filter(|(_, spans)| !spans.is_empty())
        .map(|((_, name), spans)| {
            let spans: Vec<String> = spans.iter().map(|span| quoted(&span.to_string())).collect();
            (*name, format!("[{}]", spans.join(", ")))
        })
        .collect();
    lines.key("hours", inline(&days));
}

fn access(lines: &mut Lines, agreement: &Agreement, said: &Particulars) {
    lines.table("[access]");
    lines.text_of("assurance", agreement.assurance.as_str());
    lines.text_of("user", said.asking.user);
    lines.text_of("reason", agreement.reason);
    lines.key("case_ref", agreement.case_required);
    lines.texts("keys", &said.asking.keys);
    lines.text_of("match", said.asking.matching);
    hours(lines, &agreement.hours);
    if let Some(review) = said.asking.sample_review {
        let entries = [("fraction", number(review.fraction)), ("days", review.days.to_string())];
        lines.key("sample_review", inline(&entries));
    }
}
