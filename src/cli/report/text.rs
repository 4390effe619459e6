//! Reports as a person reads and prints them.

use std::io::Write;

use serde_json::Value;

use crate::cli::ledger::{Unseen, ended_years, left_out};
use crate::cli::plain::say_plain as say;

fn of<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn fields(value: &Value) -> String {
    let all: Vec<&str> = value
        .get("fields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    all.join(", ")
}

/// What a report is, from when, over what, and what must be said with it.
pub(super) fn about(head: &Value) -> Vec<String> {
    let releasable = of(head, "cut") == "releasable";
    let member = of(head, "member");
    let title = match of(head, "report") {
        "person" => "Who asked about one person",
        "recipients" => "Who received data",
        "refusals" => "What was refused",
        _ => "What was asked and answered",
    };
    let period = match (of(head, "from"), of(head, "to")) {
        ("", "") => "all of the record".to_owned(),
        (from, "") => format!("from {from}"),
        ("", to) => format!("up to {to}"),
        (from, to) => format!("{from} to {to}"),
    };
    let mut lines = vec![
        format!("{title}: {member}"),
        format!(
            "Period: {period} (days in London, both included); made {} by {}",
            of(head, "made"),
            of(head, "by")
        ),
        format!("From {} records of {}, root {}", number(head, "records"), of(head, "log"), of(head, "root")),
    ];
    for earlier in list(head, "earlier") {
        let (records, log, root) = (number(earlier, "records"), of(earlier, "log"), of(earlier, "root"));
        lines.push(format!("and {records} records of the earlier log {log}, root {root}"));
    }
    lines.extend(
        list(head, "not_searched").iter().map(|log| format!("Not in this report: {}", left_out(log))),
    );
    if releasable {
        // The same whoever asks and whatever was found.
        lines.push(format!(
            "This lists what {member}'s gateway recorded and can tell. It may not be complete: the law may ask \
             that some of it is not told, and what was shared by other means is not here."
        ));
    } else if !of(head, "cut").is_empty() {
        lines.push(
            "Full cut, for the data protection officer. Do not hand it to the person: it may name other people \
             and what must not be told. `--cut releasable` makes the cut that can be given."
                .to_owned(),
        );
    }
    // In every cut: a person must not read "nothing" where nothing could be looked for.
    lines.extend(Unseen::read(head).map(|unseen| unseen.to_string()));
    lines.extend(ended_years(head));
    let erased = number(head, "sealed_parts_erased");
    if erased > 0 {
        lines.push(format!(
            "{erased} exchanges of the period have no sealed part any more: whom they were about and whether \
             rows were excluded cannot be read."
        ));
    }
    lines
}

pub(super) fn head(head: &Value, out: &mut dyn Write) {
    for line in about(head) {
        say(out, line);
    }
    say(out, "");
}

pub(super) fn row(report: &str, row: &Value, out: &mut dyn Write) {
    match report {
        "person" if row.get("look").is_some() => look(row, out),
        "person" => access(row, out),
        "recipients" => recipient(row, out),
        "refusals" => refusal(row, out),
        _ => activity(row, out),
    }
}

/// `word` with where it comes from; nothing without a word.
fn stated(row: &Value, key: &str, origin: &str) -> Option<String> {
    let (word, origin) = (of(row, key), of(row, origin));
    (!word.is_empty()).then(|| if origin.is_empty() { word.to_owned() } else { format!("{word} ({origin})") })
}

fn access(row: &Value, out: &mut dyn Write) {
    let system = Some(of(row, "system")).filter(|system| !system.is_empty());
    let system = system.map(|system| format!(" ({system})")).unwrap_or_default();
    say(out, format_args!("{}  {}{system}: {}", of(row, "time"), of(row, "member"), of(row, "told")));
    let purpose = stated(row, "purpose", "purpose_as").unwrap_or_else(|| "no purpose".to_owned());
    say(out, format_args!("    for {purpose}"));
    let role = stated(row, "role", "role_as").map(|role| format!("role {role}"));
    let user = stated(row, "user", "user_as").map(|user| format!("user {user}"));
    let who: Vec<String> = [role, user].into_iter().flatten().collect();
    if !who.is_empty() {
        say(out, format_args!("    {}", who.join("; ")));
    }
    say(
        out,
        format_args!(
            "    under \"{}\" ({}), from {}",
            of(row, "title"),
            of(row, "agreement"),
            of(row, "dataset")
        ),
    );
    kinds(row, out);
    officers_eyes(row, out);
    say(out, format_args!("    exchange {}, in the log {}", of(row, "exchange"), of(row, "log")));
}

fn officers_eyes(row: &Value, out: &mut dyn Write) {
    const SHOWN: [(&str, &str); 4] =
        [("truly", "truly"), ("because", "because"), ("reason", "reason"), ("case", "case")];
    let told: Vec<String> = SHOWN
        .iter()
        .filter(|(key, _)| !of(row, key).is_empty())
        .map(|(key, words)| format!("{words}: {}", of(row, key)))
        .collect();
    if !told.is_empty() {
        say(out, format_args!("    {}", told.join("; ")));
    }
    if row.get("releasable").and_then(Value::as_bool) == Some(false) {
        say(out, format_args!("    not in the releasable cut: {}", of(row, "held_back")));
    }
}

fn look(row: &Value, out: &mut dyn Write) {
    say(
        out,
        format_args!("{}  {} {} ({})", of(row, "time"), of(row, "user"), of(row, "told"), of(row, "look")),
    );
    say(out, format_args!("    for {}", of(row, "reason")));
    say(out, format_args!("    not in the releasable cut: {}", of(row, "held_back")));
}

fn recipient(row: &Value, out: &mut dyn Write) {
    say(out, format_args!("{}, for {}", of(row, "member"), of(row, "purpose")));
    say(
        out,
        format_args!(
            "    under \"{}\" ({}), from {}",
            of(row, "title"),
            of(row, "agreement"),
            of(row, "dataset")
        ),
    );
    say(
        out,
        format_args!(
            "    given information {} times ({} rows), told {} times that nothing was found",
            number(row, "with_data"),
            number(row, "rows"),
            number(row, "nothing_found")
        ),
    );
    different(row, out);
    span(row, out);
    kinds(row, out);
}

fn kinds(row: &Value, out: &mut dyn Write) {
    let fields = fields(row);
    if !fields.is_empty() {
        say(out, format_args!("    kinds of data: {fields}"));
    }
}

fn span(row: &Value, out: &mut dyn Write) {
    say(out, format_args!("    first {}, last {}", of(row, "first"), of(row, "last")));
}

fn when(row: &Value) -> String {
    let time = of(row, "time");
    if time.is_empty() { String::new() } else { format!("{time}  ") }
}

fn refusal(row: &Value, out: &mut dyn Write) {
    let who = [of(row, "member"), of(row, "system"), of(row, "dataset")];
    let who: Vec<&str> = who.into_iter().filter(|word| !word.is_empty()).collect();
    say(
        out,
        format_args!(
            "{}{}: {} {} times",
            when(row),
            who.join(", "),
            of(row, "code"),
            number(row, "refusals")
        ),
    );
    say(out, format_args!("    {} Who can put it right: {}.", of(row, "cause"), of(row, "who_can_fix")));
    say(
        out,
        format_args!(
            "    {} recorded one by one, {} counted",
            number(row, "one_by_one"),
            number(row, "in_summaries")
        ),
    );
    different(row, out);
    span(row, out);
}

fn activity(row: &Value, out: &mut dyn Write) {
    let dataset = if of(row, "dataset").is_empty() { "no dataset" } else { of(row, "dataset") };
    let purpose = if of(row, "purpose").is_empty() { "no purpose" } else { of(row, "purpose") };
    let (member, system) = (of(row, "member"), of(row, "system"));
    say(out, format_args!("{}{dataset}: {member} ({system}), for {purpose}", when(row)));
    if !of(row, "agreement").is_empty() {
        say(out, format_args!("    under \"{}\" ({})", of(row, "title"), of(row, "agreement")));
    }
    say(
        out,
        format_args!(
            "    {} questions: {} given information ({} rows), {} nothing found, {} refused, {} explained",
            number(row, "exchanges"),
            number(row, "with_data"),
            number(row, "rows"),
            number(row, "nothing_found"),
            number(row, "refused"),
            number(row, "explained")
        ),
    );
    say(
        out,
        format_args!(
            "    {} rows excluded, in {} of the questions nothing else was there",
            number(row, "rows_excluded"),
            number(row, "excluded")
        ),
    );
    different(row, out);
    span(row, out);
    kinds(row, out);
}

/// The sums, each by its name.
pub(super) fn totals(totals: &Value, out: &mut dyn Write) {
    say(out, "");
    say(out, sums(totals));
}

pub(super) fn sums(totals: &Value) -> String {
    let sums = totals.as_object().into_iter().flatten();
    let sums: Vec<String> =
        sums.map(|(name, sum)| format!("{} {}", name.replace('_', " "), count(Some(sum)))).collect();
    format!("In all: {}. This look is on the record.", sums.join(", "))
}

/// A number, or that there are too many to be counted.
fn count(value: Option<&Value>) -> String {
    value.and_then(Value::as_u64).map_or_else(|| "not counted".to_owned(), |count| count.to_string())
}

/// How many different subjects and users, of a line that has them.
fn different(row: &Value, out: &mut dyn Write) {
    let told =
        ["subjects", "users"].map(|key| row.get(key).map(|value| format!("{key} {}", count(Some(value)))));
    let told: Vec<String> = told.into_iter().flatten().collect();
    if !told.is_empty() {
        say(out, format_args!("    different {}", told.join(", different ")));
    }
}
