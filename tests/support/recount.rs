//! A slow recount of what reports count, from the records alone: it shares no line with the product.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A record: envelope and sealed part.
pub type Record<'a> = (&'a Value, &'a Value);

/// What one line of a report should say.
#[derive(Debug, Default)]
pub struct Line {
    pub counts: BTreeMap<&'static str, u64>,
    pub subjects: BTreeSet<String>,
    pub users: BTreeSet<String>,
    pub times: BTreeSet<String>,
}

impl Line {
    fn add(&mut self, name: &'static str, count: u64) {
        *self.counts.entry(name).or_default() += count;
    }

    fn take(&mut self, (envelope, sealed): Record<'_>) {
        let subjects = sealed["subjects"].as_array().into_iter().flatten();
        self.subjects.extend(subjects.map(|one| one["ref"].as_str().unwrap().to_owned()));
        if let Some(user) = sealed["user"].as_str() {
            self.users.insert(format!("{} of {}", user, member(envelope)));
        }
        self.times.insert(text(&envelope["time"]));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn member(envelope: &Value) -> String {
    text(&envelope["consumer"]).split('/').next().unwrap().to_owned()
}

fn system(envelope: &Value) -> String {
    text(&envelope["consumer"]).split('/').nth(1).unwrap_or_default().to_owned()
}

/// How an exchange ended for its caller.
pub fn ending(envelope: &Value) -> &'static str {
    match (envelope["outcome"].as_str().unwrap(), envelope["rows"].as_u64().unwrap_or(0)) {
        ("answered", 1..) => "with_data",
        ("answered" | "no_match", _) => "nothing_found",
        ("explained", _) => "explained",
        _ => "refused",
    }
}

/// By the texts a report's lines are over, which are its keys of these names.
pub type Lines = BTreeMap<Vec<String>, Line>;
pub const ACTIVITY: [&str; 5] = ["dataset", "agreement", "member_id", "system", "purpose_code"];
pub const REFUSALS: [&str; 4] = ["member_id", "system", "dataset", "code"];
pub const RECIPIENTS: [&str; 4] = ["member_id", "purpose_code", "dataset", "agreement"];

pub fn activity<'a>(records: impl IntoIterator<Item = Record<'a>>) -> Lines {
    let mut lines = Lines::new();
    for (envelope, sealed) in records.into_iter().filter(|(envelope, _)| envelope["kind"] == "exchange") {
        let (dataset, agreement) = (text(&envelope["dataset"]), text(&envelope["agreement"]));
        let key = vec![dataset, agreement, member(envelope), system(envelope), text(&envelope["purpose"])];
        let line = lines.entry(key).or_default();
        line.add("exchanges", 1);
        line.add(ending(envelope), 1);
        line.add("excluded", u64::from(sealed["outcome"] == "row_excluded"));
        line.add("rows", envelope["rows"].as_u64().unwrap_or(0));
        line.add("rows_excluded", sealed["rows_excluded"].as_u64().unwrap_or(0));
        line.take((envelope, sealed));
    }
    lines
}

pub fn refusals<'a>(records: impl IntoIterator<Item = Record<'a>>) -> Lines {
    let mut lines = Lines::new();
    for (envelope, sealed) in records {
        let (key, name, count) = if envelope["kind"] == "summary" && envelope["cause"] != "log_read" {
            let key = vec![text(&envelope["member"]), String::new(), String::new(), text(&envelope["cause"])];
            (key, "in_summaries", envelope["count"].as_u64().unwrap())
        } else if envelope["kind"] == "exchange" && ending(envelope) == "refused" {
            let (dataset, code) = (text(&envelope["dataset"]), text(&envelope["code"]));
            (vec![member(envelope), system(envelope), dataset, code], "one_by_one", 1)
        } else {
            continue;
        };
        let line = lines.entry(key).or_default();
        line.add(name, count);
        line.add("refusals", count);
        line.take((envelope, sealed));
    }
    lines
}

pub fn recipients<'a>(records: impl IntoIterator<Item = Record<'a>>) -> Lines {
    let mut lines = Lines::new();
    for (envelope, sealed) in records.into_iter().filter(|(envelope, _)| envelope["kind"] == "exchange") {
        if !matches!(ending(envelope), "with_data" | "nothing_found") {
            continue;
        }
        let (dataset, agreement) = (text(&envelope["dataset"]), text(&envelope["agreement"]));
        let key = vec![member(envelope), text(&envelope["purpose"]), dataset, agreement];
        let line = lines.entry(key).or_default();
        line.add(ending(envelope), 1);
        line.add("rows", envelope["rows"].as_u64().unwrap_or(0));
        line.take((envelope, sealed));
    }
    lines
}

/// A time on the record as a report shows it.
pub fn in_london(time: &str) -> String {
    let time: jiff::Timestamp = time.parse().unwrap();
    time.in_tz("Europe/London").unwrap().strftime("%-d %B %Y %H:%M:%S %Z").to_string()
}

/// Every line of a report says what the recount of it says, and no line is missing; so do its sums. `exact` are
/// the counts of different people the report has.
pub fn compare(what: &str, keys: &[&str], exact: &[&str], rows: &[Value], totals: &Value, wanted: &Lines) {
    let key = |row: &Value| -> Vec<String> { keys.iter().map(|key| text(&row[*key])).collect() };
    let found: BTreeSet<Vec<String>> = rows.iter().map(key).collect();
    assert_eq!(found.len(), rows.len(), "{what}: two lines for one thing");
    assert_eq!(found, wanted.keys().cloned().collect(), "{what}: its lines");
    let mut all = Line::default();
    for row in rows {
        let line = &wanted[&key(row)];
        let same = |name: &str, count: u64| assert_eq!(row[name], count, "{what}: {name} of {row}");
        for (name, count) in &line.counts {
            same(name, *count);
            all.add(name, *count);
        }
        let different = |name: &str| if name == "users" { line.users.len() } else { line.subjects.len() };
        exact.iter().for_each(|name| same(name, different(name) as u64));
        assert_eq!(row["first"], in_london(line.times.first().unwrap()), "{what}: {row}");
        assert_eq!(row["last"], in_london(line.times.last().unwrap()), "{what}: {row}");
        all.subjects.extend(line.subjects.iter().cloned());
        all.users.extend(line.users.iter().cloned());
    }
    for (name, count) in &all.counts {
        assert_eq!(totals[*name], *count, "{what}: {name} in all");
    }
    let different = |name: &str| if name == "users" { all.users.len() } else { all.subjects.len() };
    exact.iter().for_each(|name| assert_eq!(totals[*name], different(name), "{what}: {name} in all"));
}

/// A sheet as any reader of RFC 4180 takes it, without the lines that begin with `#`: the columns' names, and
/// each line by them.
pub fn sheet(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut records = cells(text).into_iter().filter(|cells| !cells[0].starts_with('#'));
    let columns = records.next().unwrap();
    records
        .map(|cells| {
            assert_eq!(cells.len(), columns.len(), "{cells:?}");
            columns.iter().cloned().zip(cells).collect()
        })
        .collect()
}

fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(one) = rest.next() {
        match one {
            '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            _ => cell.push(one),
        }
    }
    assert!(cell.is_empty() && record.is_empty() && !quoted, "the sheet is cut");
    records
}

/// Every number of a line that is printed to be read, in order.
pub fn numbers(line: &str) -> Vec<u64> {
    let runs = line.split(|one: char| !one.is_ascii_digit()).filter(|run| !run.is_empty());
    runs.map(|run| run.parse().unwrap()).collect()
}
