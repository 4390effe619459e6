//! Transforms, row conditions, periods and lists as English. What is written here is what officers believe they
//! sign, so that each says neither more nor less than what `minimise/` does.

use crate::clock::date_in_words;
use crate::model::{Check, DAYS, FieldPath, HourSpan, Hours, Literal, Rows, Step, Test, Transform};

/// `lead_officer.day_phone` is `lead officer: day phone`; of a list, `each of hazards: code`.
pub fn field_words(field: &FieldPath) -> String {
    let mut parts: Vec<String> = Vec::new();
    for step in field.steps() {
        match (step, parts.last_mut()) {
            (Step::Property(name), _) => parts.push(name.replace(['_', '-'], " ")),
            (Step::Items, Some(last)) => *last = format!("each of {last}"),
            (Step::Items, None) => parts.push("each record".to_owned()),
        }
    }
    parts.join(": ")
}

/// What leaves of a released value.
pub fn transformed(transform: &Transform) -> String {
    match transform {
        Transform::None => "as it is".to_owned(),
        Transform::YearOfBirth => "the year alone".to_owned(),
        Transform::AgeBand { bands } => {
            let bands = bands.iter().map(|band| format!("“{}” from {}", band.label, band.from));
            format!("the band of the age today: {}", listed(bands, "and"))
        }
        Transform::Initials => "the initials alone".to_owned(),
        Transform::MaskKeepLast { characters: 1 } => "its last character, stars before it".to_owned(),
        Transform::MaskKeepLast { characters } => {
            format!("its last {characters} characters, stars before them")
        }
        Transform::PostcodeDistrict => "the postcode district alone, such as EH3".to_owned(),
        Transform::ExistsYesNo => "whether there is one: yes or no".to_owned(),
        Transform::CodeMap { table } => {
            let codes = table.iter().map(|(code, other)| format!("“{code}” as “{other}”"));
            format!("another code in its place: {}", listed(codes, "and"))
        }
        Transform::Pseudonym => "a pseudonym, made for this agreement alone".to_owned(),
        Transform::Round { to } => format!("rounded to the nearest {to}"),
    }
}

/// Which records may leave, as the end of "Only for".
pub fn condition(rows: &Rows) -> String {
    match rows {
        Rows::Every => "every record".to_owned(),
        Rows::All(tests) => format!("records whose {}", listed(tests.iter().map(test), "and whose")),
        Rows::Any(tests) => format!("records whose {}", listed(tests.iter().map(test), "or whose")),
    }
}

/// One test, as the end of "records whose".
pub fn test(test: &Test) -> String {
    let field = field_words(&test.field);
    match &test.check {
        Check::Is(value) => format!("{field} is {}", literal(value)),
        Check::In(values) => format!("{field} is {}", listed(values.iter().map(literal), "or")),
        Check::NotIn(values) => {
            format!("{field} is empty, or not {}", listed(values.iter().map(literal), "or"))
        }
        Check::AtLeast(value) => format!("{field} is {} or {}", literal(value), beyond(value, true)),
        Check::AtMost(value) => format!("{field} is {} or {}", literal(value), beyond(value, false)),
        Check::Within { months, days } => format!("{field} lies in the last {}", span(*months, *days)),
        Check::NotBeforeToday => format!("{field} is today or later"),
    }
}

fn beyond(value: &Literal, up: bool) -> &'static str {
    match (value, up) {
        (Literal::Date(_), true) => "later",
        (Literal::Date(_), false) => "earlier",
        (_, true) => "more",
        (_, false) => "less",
    }
}

/// A value as the agreement writes it; a text in quotes, so that it is seen where it ends.
pub fn literal(value: &Literal) -> String {
    match value {
        Literal::Text(text) => format!("“{text}”"),
        Literal::Integer(number) => number.to_string(),
        Literal::Number(number) => number.to_string(),
        Literal::Boolean(is) => if *is { "true" } else { "false" }.to_owned(),
        Literal::Date(date) => date.parse().map_or_else(|_| date.clone(), date_in_words),
    }
}

/// When may be asked: days that are alike are said together, as `Monday to Friday 08:00 to 18:00`.
pub fn hours(hours: &Hours) -> String {
    if *hours == Hours::Always {
        return "at any hour".to_owned();
    }
    let mut alike: Vec<(&str, &str, &[HourSpan])> = Vec::new();
    for (day, name) in DAYS {
        match (hours.of(day), alike.last_mut()) {
            (spans, Some((_, last, of_last))) if *of_last == spans => *last = name,
            (spans, _) => alike.push((name, name, spans)),
        }
    }
    let open = alike.into_iter().filter(|(_, _, spans)| !spans.is_empty());
    let said = open.map(|(first, last, spans)| {
        let days =
            if first == last { capital(first) } else { format!("{} to {}", capital(first), capital(last)) };
        format!("{days} {}", listed(spans.iter().map(|span| span.to_string().replace('-', " to ")), "and"))
    });
    format!("{}, London time", said.collect::<Vec<_>>().join("; "))
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn span(months: u32, days_more: u32) -> String {
    match (months, days_more) {
        (0, more) => days(more),
        (months, 0) => counted(months, "month"),
        (months, more) => format!("{} and {}", counted(months, "month"), days(more)),
    }
}

/// `PT24H` is `24 hours`; what is no single unit stays as it is written.
pub fn period(period: &str) -> String {
    let (digits, unit) = match period.strip_prefix("PT") {
        Some(time) => {
            (time.trim_end_matches(['H', 'M']), if time.ends_with('H') { "hour" } else { "minute" })
        }
        None => (period.trim_start_matches('P').trim_end_matches(['D', 'W', 'M', 'Y']), of_days(period)),
    };
    digits.parse().map_or_else(|_| period.to_owned(), |count| counted(count, unit))
}

fn of_days(period: &str) -> &'static str {
    match period.chars().last() {
        Some('W') => "week",
        Some('M') => "month",
        Some('Y') => "year",
        _ => "day",
    }
}

pub fn days(count: u32) -> String {
    counted(count, "day")
}

pub fn counted(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed<S: AsRef<str>>(items: impl IntoIterator<Item = S>, last: &str) -> String {
    let items: Vec<S> = items.into_iter().collect();
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(if at + 1 == items.len() { " " } else { ", " });
            if at + 1 == items.len() {
                out.push_str(last);
                out.push(' ');
            }
        }
        out.push_str(item.as_ref());
    }
    out
}
